#!/usr/bin/env python3
"""comity route and explain, end to end, on teams and agreements of the test's own.

usage: route.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, for schemas and economies)
"""
import gzip
import json
import pathlib
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case, agreement, clause, report

BORDER = "2026-06-01T00:00:00.000001Z"


class Route(Case):
    def test_each_recipient_gets_its_own_redacted(self):
        file = self.lines(report(), report("192.0.2.200"), report("203.0.113.9"), report("192.0.2.2", tlp="amber"))
        summary = self.route("--out", "out", file)
        self.assertEqual(self.counts(summary), [2, 0, 1, 1])
        left = {k: v for k, v in report().items() if k not in ("source.account", "tlp")}
        self.assertEqual(self.out("aa-cert.idf.jsonl"), [{**left, "tlp": "TLP:GREEN"}])
        self.assertEqual(self.out("bb-cert.idf.jsonl"), [{**left, "source.ip": "192.0.2.200", "tlp": "TLP:GREEN"}])
        self.assertEqual(sorted(p.name for p in (self.folder / "out").iterdir()), ["aa-cert.idf.jsonl", "bb-cert.idf.jsonl"])

    def test_source_and_destination_have_a_verdict_each(self):
        summary = self.route(self.lines(report(**{"destination.ip": "192.0.2.129"})))
        self.assertEqual(self.counts(summary), [2, 0, 0, 0])
        self.assertEqual(sorted(t["team"] for t in summary["teams"]), ["aa-cert", "bb-cert"])

    def test_rejects_are_named_and_the_rest_survives(self):
        file = self.lines(report(), "{bad", report("999.1.1.1"), '{"a":1,"a":2}', report("192.0.2.3"))
        summary = self.route("--out", "out", file, status=1)
        self.assertEqual((summary["stored"], summary["rejected"]), (2, 3))
        self.assertEqual([(r["line"], r["field"], r["error"]) for r in self.out("rejected.jsonl")],
                         [(2, None, "bad-json"), (3, "source.ip", "bad-address"), (4, "a", "duplicate-key")])

    def test_the_same_claim_is_told_once(self):
        again = dict(reversed(list(report(**{"time.observation": "2026-07-07T00:00:00Z"}).items())))
        file = self.lines(report(), report("192.0.2.2"), again)
        self.assertEqual(self.route(file)["duplicate"], 1)
        self.assertEqual(self.route("--window", "0", file)["duplicate"], 0)

    def test_any_way_in_is_the_same(self):
        plain = pathlib.Path(self.lines(report(), report("192.0.2.2"))).read_bytes()
        packed = subprocess.run(["zstd", "-qc"], input=plain, capture_output=True, check=True).stdout
        (self.folder / "all").mkdir()
        files = [self.write("all/a.idf.gz", gzip.compress(plain)), self.write("b.idf.zst", packed)]
        array = self.write("c.json", json.dumps([report(), report("192.0.2.2")]))
        nested = self.lines({"source": {"ip": "192.0.2.1", "account": "bob"}, "classification": {"type": "scanner"},
                             "tlp": "green", "feed": {"provider": "Feed"}, "time": {"source": report()["time.source"]}},
                            report("192.0.2.2"), name="d.idf")
        for way in (files[0], files[1], array, nested, str(self.folder / "all")):
            self.assertEqual(self.counts(self.route("--replace", "--out", "out", way)), [2, 0, 0, 0], way)
            self.assertEqual(len(self.out("aa-cert.idf.jsonl")), 2)
        self.assertEqual(self.counts(self.route("-", stdin=plain)), [2, 0, 0, 0])

    def test_in_force_to_the_microsecond(self):
        self.agree(agreement(1, "baseline", [clause("1")], valid_from=BORDER, valid_until="2026-07-01T00:00:00Z"))
        file = self.lines(report())
        for at, released in ((BORDER, 1), ("2026-06-01T00:00:00.000000Z", 0), ("2026-06-30T23:59:59.999999Z", 1),
                             ("2026-07-01T00:00:00Z", 0)):
            self.assertEqual(self.route("--at", at, file)["released"], released, at)

    def test_tlp_defaults_and_labels(self):
        bare = report()
        del bare["tlp"]
        file = self.lines(bare)
        self.assertEqual(self.route(file)["withheld"], 1)
        self.assertEqual(self.route("--default-tlp", "clear", file)["released"], 1)
        summary = self.route(self.lines(report(tlp="purple"), report("192.0.2.2", tlp="TLP:WHITE")))
        self.assertEqual(self.counts(summary), [1, 0, 1, 0])
        self.assertIn("unknown-tlp", [w["reason"] for t in summary["teams"] for w in t["why"]])

    def test_red_waits_for_a_person_and_only_under_a_bilateral_clause(self):
        red = self.lines(report("192.0.2.200", tlp="red"))
        self.agree(agreement(1, "baseline", [clause("1", tlp_max="red")]))
        self.assertEqual(self.counts(self.route("--as", "own", red)), [0, 0, 1, 0])
        self.agree(agreement(2, "bilateral", [clause("7", tlp_max="red", **{"from": "party", "to": "party"})],
                             parties=["own", "bb-cert"]))
        self.assertEqual(self.counts(self.route("--as", "own", red)), [0, 1, 0, 0])

    def test_required_channel_holds_without_one(self):
        self.agree(agreement(1, "baseline", [clause("1", require=["encrypted-channel"])]))
        summary = self.route(self.lines(report(), report("192.0.2.200")))
        self.assertEqual(self.counts(summary), [1, 1, 0, 0])

    def test_what_is_ones_own_does_not_cross(self):
        summary = self.route("--as", "own", self.lines(report("198.51.100.7", tlp="red")))
        self.assertEqual(summary["teams"][0]["why"][0]["reason"], "own-constituency")

    def test_a_broken_agreement_withholds_and_is_told(self):
        broken = agreement(1, "baseline", [clause("1", effect="relase")])
        self.agree(broken, agreement(2, "baseline", [clause("1")]))
        done = self.run_comity("route", "--json", self.lines(report()))
        self.assertEqual(json.loads(done.stdout)["released"], 0)
        self.assertIn(b"relase", done.stderr)

    def test_coarser_forms_and_listed_extras(self):
        self.agree(agreement(1, "baseline", [clause("1", treatment={
            "address": "generalise", "name": "generalise", "url": "generalise", "account": "generalise",
            "device": "generalise", "time": "generalise"})]))
        self.route("--out", "out", self.lines(report(**{
            "source.fqdn": "www.a.example.co.uk", "source.url": "https://u:p@www.example.org:8/secret?q#f", "source.port": 80,
            "source.account": "bob@example.org", "extra.mac_address": "00:11:22:33:44:55", "extra.tag": "x",
            "extra.username": "bob"})))
        self.assertEqual(self.out("aa-cert.idf.jsonl"), [{
            "source.network": "192.0.2.0/24", "classification.type": "scanner", "feed.provider": "Feed",
            "time.source": "2026-05-05T10:00:00+00:00", "source.account": "example.org", "source.fqdn": "example.co.uk",
            "source.url": "https://example.org", "extra.mac_address": "00:11:22", "extra.tag": "x", "tlp": "TLP:GREEN"}])

    def test_a_url_tells_no_more_than_its_parts_may(self):
        report = {"source.ip": "192.0.2.7", "classification.type": "scanner", "feed.provider": "Feed", "tlp": "GREEN",
                  "source.url": "http://bob:hunter2@www.example.org:81/x?y", "destination.url": "https://192.0.2.200:8080/x",
                  "event_description.url": "http://0x7f.1/z", "feed.url": "no scheme bob:pw@example.org"}
        urls = lambda: [self.out("aa-cert.idf.jsonl")[0].get(f"{name}.url")
                        for name in ("source", "destination", "event_description", "feed")]
        for treatment, left in (
                ({"account": "remove"}, ["http://www.example.org:81/x?y", "https://192.0.2.200:8080/x", "http://0x7f.1/z",
                                         None]),
                ({"account": "remove", "text": "remove"}, ["http://www.example.org:81/x?y", "https://192.0.2.200:8080/x",
                                                           "http://0x7f.1/z", None]),
                ({"address": "generalise"}, ["http://bob:hunter2@www.example.org:81/x?y", None, None,
                                             "no scheme bob:pw@example.org"]),
                ({"url": "generalise"}, ["http://www.example.org", "https://192.0.2.200", "http://0x7f.1", None]),
                ({"url": "generalise", "address": "remove", "name": "generalise"}, ["http://example.org", None, None, None]),
                ({"name": "remove"}, [None, "https://192.0.2.200:8080/x", "http://0x7f.1/z", "no scheme bob:pw@example.org"])):
            self.agree(agreement(1, "baseline", [clause("1", treatment=treatment)]))
            self.route("--replace", "--out", self.folder / "out", self.lines(report))
            self.assertEqual(urls(), left, treatment)

    def test_an_address_is_no_name(self):
        report = {"source.fqdn": "192.0.2.7", "classification.type": "scanner", "feed.provider": "Feed", "tlp": "GREEN"}
        self.assertEqual(self.route(self.lines(report), status=1)["rejected"], 1)

    def test_stix_tells_nothing_beside_what_open_fields_may(self):
        self.agree(agreement(1, "baseline", [clause("1", treatment={"open": "remove", "address": "remove"})]))
        self.route("--out", self.folder / "out", "--out-format", "stix", self.lines(
            {"source.ip": "192.0.2.7", "source.account": "bob", "classification.type": "scanner", "feed.provider": "Feed",
             "tlp": "GREEN"}))
        text = (self.folder / "out/aa-cert.stix.json").read_text()
        for told in ("scanner", "192.0.2.7", "Feed", '"asn"', '"economy":'):
            self.assertNotIn(told, text)

    def test_stix_out_holds_nothing_that_was_removed(self):
        self.route("--out", "out", "--out-format", "stix", self.lines(report(), report("192.0.2.3")))
        text = (self.folder / "out" / "aa-cert.stix.json").read_text()
        bundle = json.loads(text)
        self.assertEqual(sum(o["type"] == "observed-data" for o in bundle["objects"]), 2)
        self.assertEqual(sorted(o["value"] for o in bundle["objects"] if o["type"] == "ipv4-addr"), ["192.0.2.1", "192.0.2.3"])
        self.assertNotIn("bob", text)

    def explain(self, *arguments):
        done = self.run_comity("explain", "--json", *arguments)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def test_explain_tells_what_route_did(self):
        file = self.lines(report(), "{bad", report(), report("192.0.2.200", tlp="amber"))
        status, story = self.explain(file + ":1")
        self.assertEqual((status, story["recipients"][0]["verdict"]["effect"] if "verdict" in story["recipients"][0]
                          else story["recipients"][0]["effect"]), (0, "release"))
        status, story = self.explain(file + ":2")
        self.assertEqual((status, story["outcome"], story["error"]), (1, "rejected", "bad-json"))
        status, story = self.explain(file + ":3")
        self.assertEqual((status, story["outcome"]), (0, "duplicate"))
        status, story = self.explain(file + ":4")
        near = story["recipients"][0]["near_misses"]
        self.assertEqual(status, 0)
        self.assertEqual(len(near), 1)
        self.assertIn("tlp", json.dumps(near[0]))
        self.assertEqual(self.explain(file + ":9")[0], 3)

    def test_explain_shows_no_control_bytes(self):
        file = self.lines(report(comment="\x1b[31mred\u009b", **{"extra.\x1b": "\r\nx"}))
        text = self.run_comity("explain", file).stdout
        self.assertFalse(set(text) & (set(range(32)) - {10}) or 0x7f in text or b"\xc2\x9b" in text, text)

    def test_wrong_command_lines_say_so(self):
        file = self.lines(report())
        for arguments in (["--no-such"], [], ["--format", "xml", file], ["--out"], ["--at", "tomorrow", file],
                          ["--as", "nope", file], ["--window", "x", file], ["--out-format", "x", file]):
            done = self.run_comity("route", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr and not done.stdout, arguments)
        self.assertEqual(self.run_comity("explain", "--to", "nope", file).returncode, 2)
        for arguments in (["version", "--bogus"], ["version", "--json", "x"], ["completion"], ["nothing"], []):
            done = subprocess.run([COMITY, *arguments], capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)

    def test_what_does_not_arrive_is_told(self):
        file = self.lines(report())
        for arguments in (["help"], ["version"], ["--version"], ["completion", "bash"], ["route", "--help"], ["whois", "--help"],
                          ["convert", *OPTIONS, "--to", "idf", file], ["team", "list"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([COMITY, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertIn(b"standard output cannot be written", done.stderr, arguments)

    def test_inputs_that_fail_are_listed(self):
        file, bad = self.lines(report()), self.write("bad\x1b.idf", b"\xff\xfea\0")
        done = self.run_comity("route", file, "missing.idf", bad)
        self.assertEqual(done.returncode, 1)
        text = done.stdout.decode()
        self.assertIn("inputs that failed: 2 of 3\n  missing.idf: not-found: ", text)
        self.assertIn("bad?.idf: bad-encoding: ", text)
        self.assertEqual(self.route(file, "missing.idf", status=1)["failed_files"], 1)
        self.assertNotIn("failed", self.run_comity("route", file).stdout.decode())

    def test_nothing_read_is_nothing_done(self):
        bad = self.write("bad.idf", b"\xff\xfea\0")
        for arguments in (["missing.idf"], [bad], ["missing.idf", bad], ["--json", bad]):
            done = self.run_comity("route", "--out", "out", *arguments)
            self.assertEqual((done.returncode, done.stdout), (3, b""), arguments)
            self.assertIn(b"nothing could be read", done.stderr)
        done = subprocess.run([COMITY, "convert", *OPTIONS, "--to", "idf", "-o", "made", bad], cwd=self.folder,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertFalse((self.folder / "made").exists())
        empty = self.write("empty.idf", "")
        self.assertEqual(self.route(empty)["received"], 0)
        self.route(empty, bad, status=1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
