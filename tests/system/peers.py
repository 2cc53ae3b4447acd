"""comity peer and comity outbox: other teams' nodes are added, looked at, changed and removed, with the accounts that are theirs.

The test's own arguments are COMITY [--no-sandbox]; COMITY_SHARE names the share folder, COMITY_TABLES src/tables.
"""
import json
import sys
import unittest

from api_case import COMITY, Case, Running

URL, PIN = "https://192.0.2.1:8444", "ab" * 32


class Peers(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node.take(cls.node.reports[:100])
        cls.node.node.drain()

    @classmethod
    def prepare(cls, node):
        pass

    def setUp(self):
        self.addCleanup(self.forget)

    def forget(self):
        for item in self.node.get("/api/v1/peers").json["items"]:
            self.run_peer("remove", item["team"])

    def card(self, team="south.test", **node):
        path = self.node.folder / f"{team}.json"
        path.write_text(json.dumps({"id": team, "name": "x", **({"node": node} if node else {})}, indent=2), encoding="utf-8")
        return str(path)

    def run_peer(self, *words, status=0):
        done = self.node.command("peer", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr if status else done.stdout

    def show(self, team="south.test"):
        return json.loads(self.run_peer("show", team, "--json"))

    def account(self, name="south.test"):
        return next((p for p in self.node.get("/api/v1/principals").json["items"] if p["name"] == name), None)

    def test_added_from_the_card(self):
        text = self.run_peer("add", self.card(url=URL + "/", certificate=PIN.upper()))
        for wanted in (URL, PIN, "south.test", "not tried yet"):
            self.assertIn(wanted, text)
        peer = self.show()
        self.validate("Peer", peer)
        self.assertEqual([peer[k] for k in ("url", "pin", "push", "poll", "witness", "contact", "lost", "account", "by", "name")],
                         [URL, PIN, True, True, True, None, False, "south.test", "operator", "South"])
        self.assertGreater(peer["waiting"], 0)  # what was released to it before is for it, too
        account = self.account()
        self.assertEqual([account[k] for k in ("kind", "team", "certificate", "disabled")],
                         ["partner", "south.test", PIN, False])
        self.assertIn(URL, self.run_peer("list"))
        self.check("GET", "/api/v1/peers")
        self.check("GET", "/api/v1/peers/south.test")

    def test_a_card_on_standard_input(self):
        done = self.node.command("peer", "add", "-", "--json", stdin=json.dumps({"id": "south.test", "node": {"url": URL, "certificate": PIN}}))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), self.show())

    def test_as_a_table(self):
        self.run_peer("add", self.card(url=URL, certificate=PIN))
        answer = self.node.get("/api/v1/peers", Accept="text/csv")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/csv"))
        first, row = answer.body.decode().splitlines()
        self.assertEqual(dict(zip(first.split(","), row.split(",")))["url"], URL)

    def test_what_the_card_does_not_say_is_said(self):
        bare = self.card()
        self.assertIn("url", self.run_peer("add", bare, status=3))
        self.run_peer("add", bare, "--url", URL, "--pin", PIN, "--no-poll", "--no-witness")
        peer = self.show()
        self.assertEqual((peer["push"], peer["poll"], peer["witness"]), (True, False, False))
        self.assertIn("off", self.run_peer("show", "south.test"))

    def test_added_again_what_was_not_said_stays(self):
        self.run_peer("add", self.card(url=URL, certificate=PIN), "--no-push")
        first = self.show()
        self.run_peer("add", self.card(url=URL, certificate="cd" * 32), "--no-witness")
        peer = self.show()
        self.assertEqual((peer["push"], peer["poll"], peer["witness"], peer["pin"]), (False, True, False, "cd" * 32))
        self.assertEqual((peer["added"], peer["account"]), (first["added"], first["account"]))
        self.assertEqual(self.account()["certificate"], "cd" * 32)
        self.run_peer("add", self.card(), "--url", "https://other.test", "--push")
        peer = self.show()
        self.assertEqual((peer["url"], peer["push"], peer["pin"]), ("https://other.test", True, None))  # a CA vouches for it

    def test_removed(self):
        self.run_peer("add", self.card(url=URL, certificate=PIN))
        self.run_peer("remove", "south.test")
        self.assertIn("no link to south.test", self.run_peer("show", "south.test", status=3))
        self.run_peer("remove", "south.test", status=3)
        self.assertTrue(self.account()["disabled"])
        self.run_peer("add", self.card(url=URL, certificate=PIN))  # the same account serves again
        self.assertFalse(self.account()["disabled"])
        self.assertEqual(self.show()["account"], "south.test")

    def test_an_account_that_has_the_certificate_becomes_the_nodes(self):
        made = self.node.command("account", "add", "easts-program", "--kind", "partner", "--team", "east.test", "--certificate", "ef" * 32)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.run_peer("add", self.card("east.test", url=URL, certificate="ef" * 32))
        self.assertEqual(self.show("east.test")["account"], "easts-program")
        self.assertIn("another account", self.run_peer("add", self.card(url=URL, certificate="EF" * 32), status=3))
        self.assertIsNone(next((i for i in self.node.get("/api/v1/peers").json["items"] if i["team"] == "south.test"), None))

    def test_what_is_no_link(self):
        good = {"url": URL, "certificate": PIN}
        for words, why in ((["add", self.card("north.test", **good)], "own team"),
                           (["add", self.card("nobody.test", **good)], "no team nobody.test"),
                           (["add", self.card("../x", **good)], "id"),
                           (["add", self.card(), "--url", "http://192.0.2.1"], "https://"),
                           (["add", self.card(), "--url", "https://u:p@192.0.2.1"], "https://"),
                           (["add", self.card(), "--url", "https://192.0.2.1/taxii2/"], "https://"),
                           (["add", self.card(), "--url", URL, "--pin", "ab" * 31 + "g"], "64 hexadecimal"),
                           (["add", "/nonexistent/card.json"], "card.json")):
            self.assertIn(why, self.run_peer(*words, status=3), words)
        for text in ("", "[]", "{", '{"id": 7}', '{"id": "south.test", "node": "x"}'):
            (self.node.folder / "odd.json").write_text(text, encoding="utf-8")
            self.run_peer("add", str(self.node.folder / "odd.json"), status=3)
        self.assertEqual(self.node.get("/api/v1/peers").json["items"], [])

    def test_words_that_are_not_understood(self):
        for words in ([], ["add"], ["show"], ["remove"], ["list", "south.test"], ["show", "a", "b"], ["show", "a", "--push"],
                      ["add", "x", "--no-nothing"], ["befriend"], ["add", "x", "--url"]):
            self.assertEqual(self.node.command("peer", *words).returncode, 2, words)
        for words in (("peer", "--help"), ("peer", "add", "--help"), ("account", "add", "-h"), ("receipts", "list", "--help")):
            self.assertIn("usage", self.node.command(*words).stdout)
        self.assertEqual(self.node.command("outbox", "--nothing").returncode, 2)

    def test_outbox_says_how_sending_goes(self):
        before = {i["team"]: i for i in self.check("GET", "/api/v1/outbox").json["items"]}
        self.assertIsNone(before["south.test"]["link"])
        self.assertEqual((before["south.test"]["way"], before["north.test"]["way"]), ("fetches", "own"))
        lines = {l.split()[0]: l for l in self.node.command("outbox").stdout.splitlines()}
        self.assertIn("fetches", lines["south.test"])
        self.assertIn("is here, for its own people", lines["north.test"])
        self.run_peer("add", self.card(url=URL, certificate=PIN))
        item = {i["team"]: i for i in self.check("GET", "/api/v1/outbox").json["items"]}["south.test"]
        self.assertEqual((item["way"], item["link"]["way"], item["link"]["failures"]), ("node", "push", 0))
        line = next(l for l in self.node.command("outbox").stdout.splitlines() if l.startswith("south.test"))
        self.assertIn("not tried yet", line)
        self.assertEqual(json.loads(self.node.command("outbox", "--json").stdout),
                         self.node.get("/api/v1/outbox").json)

    def test_figures(self):
        self.run_peer("add", self.card(url=URL, certificate=PIN), "--no-poll", "--no-witness")
        metrics = self.node.get("/metrics").body.decode()
        self.assertIn('comity_link_lost{team="south.test",way="push"} 0\n', metrics)
        self.assertNotIn('way="poll"', metrics)
        status = self.check("GET", "/api/v1/status").json
        self.assertEqual((status["links"], status["links_lost"]), (1, 0))


class Kept(unittest.TestCase):
    def test_links_outlive_the_node(self):
        own = Running()
        self.addCleanup(own.close)
        card = own.folder / "card.json"
        card.write_text(json.dumps({"id": "south.test", "node": {"url": URL, "certificate": PIN}}), encoding="utf-8")
        done = own.command("peer", "add", str(card), "--no-poll")
        self.assertEqual(done.returncode, 0, done.stderr)
        before = json.loads(own.command("peer", "show", "south.test", "--json").stdout)
        own.node.kill("core")
        self.assertEqual(json.loads(own.command("peer", "show", "south.test", "--json").stdout), before)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
