#!/usr/bin/env python3
"""comity reports: what is stored is found by each filter, page after page, and what is printed names it to other commands.

usage: reports.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from nodes_case import OPEN, Case, agreement, report

ADDRESSES = ["192.0.2.7", "192.0.2.8", "198.51.100.9", "203.0.113.5"]


class Reports(Case):
    def setUp(self):
        """What is at 7 goes to bb, at 8 it is held, at 9 withheld; nobody answers for 5. dd gives one that is for this team."""
        super().setUp()
        held = {**OPEN, "id": "held", "classification": ["fraud.*"], "effect": "hold"}
        kept = {**OPEN, "id": "kept", "to": "cc", "effect": "withhold"}
        teams = {"aa": ["192.0.2.64/26"], "bb": ["192.0.2.0/28"], "cc": ["198.51.100.0/24"], "dd": None}
        self.node = self.make("aa", teams, [agreement(1, [OPEN]), agreement(2, [held, kept])])
        self.node.let_in("dd")
        self.node.let_in("bb")
        self.node.take(report(ADDRESSES[0], **{"source.asn": 64500, "feed.provider": "One"}))
        self.node.take(report(ADDRESSES[1], **{"classification.type": "phishing"}),
                       report(ADDRESSES[2], **{"source.fqdn": "www.example.com"}), report(ADDRESSES[3]))
        self.received = {r["source"]["address"]: r["received"] for r in self.node.reports()}

    def lines(self, *words):
        return [line.split() for line in self.node.command("reports", *words).splitlines()]

    def found(self, *words):
        """The addresses of what is found; people and programs are told the same."""
        items = [json.loads(line) for line in self.node.command("reports", "--json", *words).splitlines()]
        self.assertEqual([line[:4] for line in self.lines(*words)],
                         [[i["id"], i["received"], i["classification"], i["source"]["address"]] for i in items if "id" in i])
        return sorted(i["source"]["address"] for i in items if "id" in i)

    def test_each_filter(self):
        first, second, third, fourth = ADDRESSES
        delivery = json.loads(self.node.command("receipts", "--json").splitlines()[0])["batch"]
        for words, expected in (
                ([], ADDRESSES),
                (["--address", first], [first]), (["--address", "192.0.2.0/24"], [first, second]), (["--address", "192.0.2.99"], []),
                (["--name", "example.com"], [third]), (["--name", "example.org"], []),
                (["--asn", "64500"], [first]), (["--asn", "64501"], []),
                (["--economy", "XB"], []),
                (["--classification", "phishing"], [second]), (["--classification", "ddos"], []),
                (["--provider", "one"], [first]), (["--provider", "Feed"], [second, third, fourth]),
                (["--team", "bb"], [first, second]), (["--team=cc"], [third]), (["--team", "dd"], []),
                (["--effect", "release"], [first]), (["--effect", "hold"], [second]), (["--effect", "withhold"], [third, fourth]),
                (["--team", "bb", "--effect", "hold"], [second]), (["--team", "bb", "--effect", "withhold"], []),
                (["--unattributed"], [fourth]), (["--sender", "dd"], []),
                (["--delivery", delivery], [first]),
                (["--until", self.received[second]], [first]), (["--since", self.received[second]], [second, third, fourth]),
                (["--since", "2099-01-01"], [])):
            with self.subTest(words=words):
                self.assertEqual(self.found(*words), sorted(expected))

    def test_sender(self):
        other = self.make("dd", {"dd": None, "aa": ["192.0.2.64/26"]}, [agreement(1, [OPEN])])
        other.let_in("aa")
        other.take(report("192.0.2.77"))
        other.carry_to(self.node)
        self.assertEqual(self.found("--sender", "dd"), ["192.0.2.77"])
        self.assertEqual(self.found("--team", "aa"), ["192.0.2.77"])

    def test_economy(self):
        """That of a name is its top-level domain's."""
        self.node.take({**report(), "source.ip": None, "source.fqdn": "host.example.fi"})
        (line,) = self.lines("--economy", "FI")
        self.assertEqual(line[3], "host.example.fi")
        self.assertEqual(self.lines("--economy", "SE"), [])

    def test_lines(self):
        lines = {line[3]: line[4:] for line in self.lines()}
        self.assertEqual(lines, {ADDRESSES[0]: ["bb", "release"], ADDRESSES[1]: ["bb", "hold"], ADDRESSES[2]: ["cc", "withhold"],
                                 ADDRESSES[3]: ["nobody", "withhold"]})
        received = [line[1] for line in self.lines()]
        self.assertEqual(received, sorted(received, reverse=True))

    def test_pages(self):
        self.node.take(*(report(f"192.0.2.{n % 14 + 1}", **{"extra.n": n}) for n in range(2500)))
        everything = self.lines("--limit", "1000000")
        self.assertEqual(len(everything), 2504)
        self.assertEqual(len({line[0] for line in everything}), 2504)
        self.assertEqual(len(self.lines()), 100)
        self.assertEqual(self.lines("--limit", "2001"), everything[:2001])
        following, seen = [], []
        while True:
            done = self.node.run("reports", "--team", "bb", "--limit", "1500", *following)
            self.assertEqual(done.returncode, 0, done.stderr)
            seen += done.stdout.splitlines()
            if not done.stderr:
                break
            self.assertRegex(done.stderr, r"\Acomity: there may be more: --next \S+\n\Z")
            following = done.stderr.split()[-2:]
        self.assertEqual([line.split() for line in seen], [line for line in everything if "bb" in line])
        *items, last = map(json.loads, self.node.command("reports", "--json", "--limit", "3").splitlines())
        self.assertEqual((len(items), list(last)), (3, ["next"]))
        more = json.loads(self.node.command("reports", "--json", "--limit", "1", "--next", last["next"]).splitlines()[0])
        self.assertEqual(more["id"], everything[3][0])
        done = self.node.run("reports", "--team", "cc", "--next", last["next"])
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("no `next` of this search", done.stderr)

    def test_what_is_printed_names_it(self):
        (line,) = self.lines("--address", ADDRESSES[0])
        self.assertIn("scanner", self.node.command("explain", line[0]))
        self.assertTrue(self.node.command("ledger", "prove", line[0]).startswith("c2sp.org/tlog-proof@v1"))
        self.assertIn("bb had it", self.node.command("recall", "--yes", "--reason", "wrong", line[0]))
        (line,) = self.lines("--address", ADDRESSES[0])
        self.assertEqual(line[4:], ["bb", "release", "|", "recalled"])

    def test_what_is_wrong_is_said(self):
        for words, status, said in (
                (["--limit", "0"], 2, "from 1 to"), (["--limit", "x"], 2, "from 1 to"), (["--limit", "1000001"], 2, "from 1 to"),
                (["--next", ""], 2, "--next"), (["--next", 300 * "x"], 2, "--next"), (["--next", "x"], 3, "next"),
                (["--team", ""], 2, "--team: it is empty"), (["--nothing"], 2, "no option --nothing"),
                (["192.0.2.7"], 2, "no option 192.0.2.7"), (["--since", "yesterday"], 2, "since"),
                (["--address", "192.0.2.300"], 3, "address"), (["--classification", "nothing"], 3, "classification"),
                (["--effect", "nothing"], 3, "effect"), (["--delivery", "7b4e28ba-2fa1-4d52-883f-0016d3cca427"], 3, "deliver"),
                (["--unattributed", "--team", "bb"], 3, "unattributed")):
            with self.subTest(words=words):
                done = self.node.run("reports", *words)
                self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
