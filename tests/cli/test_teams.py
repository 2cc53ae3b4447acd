"""What `comity team` and `comity whois` say, run as a user runs them, over what ships."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COMITY, WALLS = sys.argv[1], sys.argv[2:]  # --no-sandbox or nothing
SHARE = os.environ["COMITY_SHARE"]

FIRST = {"status": "OK", "data": [
    {"id": "example-psrt", "team": "Example PSRT", "country": "US", "email": "psrt@example.com",
     "website": ["https://example.com/"], "pgp-fingerprint": "E28D"},
    {"id": "nameless", "country": "US"}]}
TI = [{"official_name": "Example CERT", "short_name": "EX-CERT.at", "country": {"code": "AT"},
       "constituency": {"types": ["CIIP", "National"], "asns": [64500], "domains": ["*.example.at"],
                        "ipranges": ["103.0.0.0/16", "1.2.3.4/8"], "countries": [{"code": "AT"}]},
       "emails": [{"address": "team@example.at", "usage": ["contact"]}]}]
CSV = 'id,name,full_name,economy,kind,nets\nx-one,One,"The ""One"", of all",FI,national,192.0.2.0/24\n'


def run(*arguments, stdin=None, env=None):
    done = subprocess.run([COMITY, *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


class Teams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.geo = os.path.join(cls.folder.name, "world.geo")
        status, _, said = run("geo", "build", "--from", os.path.join(SHARE, "geo"), "-o", cls.geo)
        assert status == 0, said

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def whois(self, *queries, stdin=None):
        status, said, errors = run("whois", "--json", *WALLS, "--geo", self.geo, *queries, stdin=stdin)
        return status, [json.loads(line) for line in said.splitlines()], errors

    def imported(self, source, content):
        path = os.path.join(self.folder.name, source)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        out = path + ".cards"
        status, said, errors = run("team", "import", *WALLS, "--from", source, path, "-o", out)
        cards = {}
        for name in os.listdir(out):
            with open(os.path.join(out, name), encoding="utf-8") as f:
                card = json.load(f)
            cards[card["id"]] = card
        return status, cards, said + errors

    def test_shipped_directory_is_clean_unverified_and_without_mail(self):
        status, said, _ = run("team", "lint", *WALLS, os.path.join(SHARE, "teams"))
        self.assertEqual(status, 0, said)
        status, said, _ = run("team", "list", "--json")
        cards = [json.loads(line) for line in said.splitlines()]
        self.assertGreaterEqual(len(cards), 290)
        for card in cards:
            self.assertFalse(card["verified"])
            self.assertNotIn("channels", card)
            self.assertNotRegex(json.dumps(card), r"@[A-Za-z0-9-]+\.[a-z]")
        status, said, _ = run("team", "list")
        self.assertEqual(said.count("UNVERIFIED "), len(cards))

    def test_whois_names_network_economy_team_and_rule(self):
        status, answers, errors = self.whois("8.8.8.8", "AS2200", "www.impots.gouv.fr", "host.example.fi", "10.0.0.1")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual([a["rule"] for a in answers], ["economy", "asn", "domain", "cctld", "nobody"])
        self.assertEqual((answers[0]["asn"], answers[0]["economy"], answers[0]["prefix"]), (15169, "US", "8.8.8.0/24"))
        self.assertEqual(answers[1]["team"], "fr-cert-renater")
        self.assertEqual(answers[2]["registered_domain"], "gouv.fr")
        self.assertEqual(answers[3]["team"], "fi-ncsc-fi")
        self.assertIsNone(answers[4]["team"])
        self.assertFalse(answers[0]["verified"])

    def test_whois_keeps_order_and_names_bad_queries(self):
        status, answers, _ = self.whois("-", stdin="8.8.8.8\n999.1.1.1\n\nnodots\n1.1.1.1\n")
        self.assertEqual(status, 1)
        self.assertEqual([a["query"] for a in answers], ["8.8.8.8", "999.1.1.1", "", "nodots", "1.1.1.1"])
        self.assertEqual(["error" in a for a in answers], [False, True, True, True, False])
        status, said, _ = run("whois", "--geo", self.geo, "8.8.8.8")
        self.assertIn("UNVERIFIED", said)
        self.assertIn("https://db-ip.com", said)

    def test_whois_answers_bytes_that_are_no_text(self):
        done = subprocess.run([COMITY, "whois", "--json", *WALLS, "--geo", self.geo, "-"], input=b"\xc3(.org\n\x00\n8.8.8.8\n",
                              capture_output=True, timeout=60, check=False)
        answers = [json.loads(line.decode("utf-8")) for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, ["error" in a for a in answers]), (1, [True, True, False]))

    def test_nothing_that_others_wrote_controls_the_terminal(self):
        card = {"id": "x", "name": "X\x1b[31m\u009b", "kind": "national", "economies": [{"economy": "FI"}],
                "source": "\x1bs\u202e", "verified": True}
        path = os.path.join(self.folder.name, "control.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(card, f)
        for words, stdin in ((["team", "list", "--teams", path], ""), (["team", "show", "--teams", path, "x"], ""),
                             (["whois", *WALLS, "--geo", self.geo, "--teams", path, "-"],
                              "host.fi\n\x1b[31mred\n\u009b31m\n")):
            _, said, _ = run(*words, stdin=stdin)
            self.assertIn("X\\x1b[31m", said)
            self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")

    def test_the_longest_query_is_answered(self):
        status, answers, _ = self.whois("-", stdin="\x01" * (4 << 20) + "\n8.8.8.8\n" + "x" * ((4 << 20) + 1) + "\n")
        self.assertEqual((status, ["error" in a for a in answers]), (1, [True, False, True]))

    def test_a_named_table_must_be_there(self):
        status, _, errors = run("whois", "--geo", "/nonexistent", "8.8.8.8")
        self.assertEqual(status, 3)
        self.assertIn("/nonexistent", errors)

    def test_first_is_imported(self):
        status, cards, said = self.imported("first", json.dumps(FIRST))
        self.assertEqual((status, list(cards)), (1, ["example-psrt"]), said)
        self.assertEqual(cards["example-psrt"]["channels"][0]["encrypted"], True)
        self.assertEqual(cards["example-psrt"]["kind"], "other")

    def test_trusted_introducer_is_imported(self):
        status, cards, said = self.imported("ti", json.dumps(TI))
        card = cards["at-ex-cert-at"]
        self.assertEqual((status, card["kind"], card["verified"]), (0, "national", False))
        self.assertEqual(card["constituency"], {"prefixes": ["103.0.0.0/16"], "asns": [64500], "domains": ["example.at"]})
        self.assertIn("1.2.3.4/8", said)

    def test_csv_is_imported_and_lint_sees_the_special_prefix(self):
        status, cards, _ = self.imported("csv", CSV)
        self.assertEqual((status, cards["x-one"]["full_name"]), (0, 'The "One", of all'))
        status, said, _ = run("team", "lint", *WALLS, os.path.join(self.folder.name, "csv.cards"))
        self.assertEqual(status, 0)
        self.assertIn("documentation", said)

    def test_lint_names_file_member_and_what_is_right(self):
        path = os.path.join(self.folder.name, "bad.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"id": "x", "name": "X", "kind": "nationl", "economies": ["FI"], "source": "s", "verified": True}, f)
        status, said, _ = run("team", "lint", *WALLS, path)
        self.assertEqual(status, 1)
        self.assertRegex(said, r"bad\.json.*kind.*nationl.*national")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
