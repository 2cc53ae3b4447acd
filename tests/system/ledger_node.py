"""The running node's ledger: what it records of deliveries, decisions and agreements can be fetched, audited and proven.

What the entries commit to is computed anew here from what the recipient fetched over TAXII.
usage: ledger_node.py COMITY [--no-sandbox]
"""
import base64
import gzip
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import api_case
from ledger_items import items_root

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
WIDTH = 256


def group(number):
    digits = f"{number:03}"
    parts = []
    while number >= 1000:
        parts.insert(0, f"{number % 1000:03}")
        number //= 1000
    return "/".join(["x" + p for p in [f"{number:03}"] + parts[:-1]] + parts[-1:]) if parts else digits


def resources(size):
    """Every tile and bundle of a log of SIZE (C2SP tlog-tiles)."""
    level, hashes = 0, size
    while hashes > 0:
        for name in [str(level)] + (["entries"] if level == 0 else []):
            for n in range(hashes // WIDTH):
                yield f"tile/{name}/{group(n)}"
            if hashes % WIDTH:
                yield f"tile/{name}/{group(hashes // WIDTH)}.p/{hashes % WIDTH}"
        level, hashes = level + 1, hashes // WIDTH


def entries_of(bundle):
    at = 0
    while at < len(bundle):
        n = int.from_bytes(bundle[at:at + 2], "big")
        yield json.loads(bundle[at + 2:at + 2 + n])
        at += 2 + n


class LedgerOfNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = api_case.Running()
        cls.addClassCleanup(cls.node.close)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.node.take(cls.node.reports)
        cls.node.node.drain()
        waiting = [str(h["number"]) for h in cls.node.pages("/api/v1/held")]
        for what, numbers in (("release", waiting[:3]), ("refuse", waiting[3:5])):
            done = cls.node.command("held", what, "--reason", "they asked", *numbers)
            assert done.returncode == 0, done.stderr
        for name, team in (("south", "south.test"), ("east", "east.test")):
            done = cls.node.command("account", "add", name, "--kind", "partner", "--team", team)
            assert done.returncode == 0, done.stderr
        cls.key = cls.comity("ledger", "key", "--home", cls.node.home).stdout.strip()
        cls.size = cls.fetch("log")

    @classmethod
    def comity(cls, *words, status=0):
        done = subprocess.run([COMITY, *map(str, words), *OPTIONS], capture_output=True, text=True, check=False, cwd=cls.folder)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    @classmethod
    def fetch(cls, name, door="partners"):
        """A copy of the log, by its checkpoint, without any credentials; its size."""
        note = cls.node.get("/log/checkpoint", door=door)
        assert (note.status, note.headers["Content-Type"]) == (200, "text/plain; charset=utf-8"), note.body
        size = int(note.body.split(b"\n")[1])
        for path in resources(size):
            got = cls.node.get("/log/" + path, door=door)
            assert (got.status, got.headers["Content-Type"]) == (200, "application/octet-stream"), (path, got.body)
            assert "immutable" in got.headers["Cache-Control"]
            (cls.folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (cls.folder / name / path).write_bytes(got.body)
        (cls.folder / name / "checkpoint").write_bytes(note.body)
        return size

    def entries(self):
        lines = self.comity("ledger", "show", "--json", "log").stdout.splitlines()[1:]
        return [json.loads(line)["entry"] for line in lines]

    def collection(self, account, team):
        """All that TEAM has, oldest first."""
        token = json.loads(self.node.command("account", "token", account, "--label", "test", "--json").stdout)["token"]
        more = {"door": "partners", "Authorization": "Bearer " + token, "Accept": "application/taxii+json;version=2.1"}
        listed = self.node.get("/comity/collections/", **more).json
        assert "collections" in listed, listed
        listed = listed["collections"]
        own = next(c for c in listed if team in c["title"] or team in c.get("description", ""))
        objects, following = [], ""
        while True:
            page = self.node.get(f"/comity/collections/{own['id']}/objects/?limit=500{following}", **more).json
            objects += page.get("objects", [])
            if not page.get("more"):
                return objects
            following = "&next=" + page["next"]

    def test_fetched_copy_is_sound(self):
        answer = json.loads(self.comity("ledger", "audit", "--json", "--key", self.key, "log").stdout)
        self.assertEqual((answer["findings"], answer["whole"]), ([], True))
        self.assertEqual(answer["entries"]["decision"], 5)
        self.assertGreater(answer["entries"]["delivery"], 0)
        own = json.loads(self.comity("ledger", "audit", "--json", "--key", self.key, "--home", self.node.home).stdout)
        self.assertEqual((own["findings"], own["whole"], own["entries"]), ([], True, answer["entries"]))

    def test_what_is_served(self):
        bundle = next(p for p in resources(self.size) if "entries" in p)
        plain = self.node.get("/log/" + bundle, door="operators")
        packed = self.node.get("/log/" + bundle, door="operators", Accept_Encoding="gzip")
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertEqual(len(list(entries_of(plain.body))), self.size)
        self.assertEqual(self.node.get("/log/checkpoint", door="operators").headers["Cache-Control"], "no-cache")
        smaller = self.node.get("/log/tile/0/000.p/1", door="partners")
        self.assertEqual((smaller.status, len(smaller.body)), (200, 32))
        for path in ("tile/0/000", f"tile/0/000.p/{self.size + 1}", "tile/9/000.p/1", "tile/0/0.p/1", "tile/entries/001.p/1",
                     "tile/../../node.key", "tile/0/000.p/01", "tile/", "nothing"):
            self.assertEqual(self.node.get("/log/" + path, door="partners").status, 404, path)
        self.assertEqual(self.node.ask("POST", "/log/checkpoint", body="x", door="partners").status, 405)

    def test_entries_commit_to_what_was_fetched(self):
        entries = self.entries()
        for account, team, kinds in (("south", "south.test", {"delivery"}), ("east", "east.test", {"decision"})):
            items, count = [], 0
            for thing in self.collection(account, team):
                if thing["type"] in ("observed-data", "note"):
                    items.append(thing)
                elif thing["type"] == "comity-batch":
                    entry = entries[thing["entry"]]
                    root = items_root(base64.b64decode(thing["salt"]), items)
                    self.assertEqual(base64.b64encode(root).decode(), entry["items_root"])
                    self.assertEqual((entry["items"], thing["items"], entry["to"]), (len(items), len(items), team))
                    self.assertEqual(entry["id"], thing["id"].replace("comity-batch--", "urn:uuid:"))
                    self.assertIn(entry["kind"], kinds)
                    released = sum(c["effects"]["release"] for c in entry["clauses"])
                    self.assertEqual(released, len(items))
                    count += 1
                    items = []
            self.assertEqual(items, [], "reports without an entry")
            self.assertGreater(count, 0)
        south = [e for e in entries if e["kind"] == "delivery" and e["to"] == "south.test"]
        clause = south[0]["clauses"][0]
        self.assertEqual((clause["clause"], clause["agreement"]), ("south", "urn:uuid:00000000-0000-4000-8000-000000000001"))
        self.assertEqual(clause["treatments"]["remove"], clause["effects"]["release"]) # every report has an account
        self.assertNotIn("north.test", {e["to"] for e in entries})  # what a node keeps is no delivery

    def test_one_report_is_proven(self):
        reports = self.node.pages("/api/v1/reports?team=south.test&effect=release")
        report = reports[len(reports) // 2]["id"]
        proof = self.folder / "report.tlog-proof"
        proof.write_text(self.comity("ledger", "prove", report, "--home", self.node.home).stdout, encoding="utf-8")
        item = self.folder / "item.json"
        item.write_text(self.comity("ledger", "prove", report, "--print-item", "--home", self.node.home).stdout, encoding="utf-8")
        told = json.loads(item.read_text(encoding="utf-8"))
        self.assertEqual(told["id"][-21:], report[-21:])
        self.assertIn(told, self.collection("south", "south.test"))
        text = self.comity("verify", "--key", self.key, "--item", item, proof).stdout
        self.assertRegex(text, r"(?m)^PROVEN +the item is number \d+ of the \d+ of that batch$")
        self.assertRegex(text, r"(?m)^PROVEN +the log north.test/log signed this state")
        self.assertNotIn("FALSE", text)
        told["number_observed"] += 1
        item.write_text(json.dumps(told), encoding="utf-8")
        self.assertIn("FALSE", self.comity("verify", "--key", self.key, "--item", item, proof, status=1).stdout)
        missing = self.comity("ledger", "prove", report, "--to", "east.test", "--home", self.node.home, status=3)
        self.assertIn("no delivery", missing.stderr)

    def test_refusal_is_recorded_without_its_reason(self):
        entries = [e for e in self.entries() if e["kind"] == "decision" and e["decision"] == "refused"]
        self.assertEqual([(e["to"], e["items"], e["clauses"][0]["effects"]["hold"]) for e in entries], [("east.test", 1, 1)] * 2)
        self.assertNotIn("they asked", json.dumps(entries))


class Tampered(unittest.TestCase):
    def setUp(self):
        self.node = api_case.Running()
        self.addCleanup(self.node.close)
        self.node.take(self.node.reports[:50])
        self.node.node.drain()
        self.assertEqual(self.node.node.stop(), 0)

    def comity(self, *words, status):
        done = subprocess.run([COMITY, *map(str, words), "--home", str(self.node.home), *OPTIONS], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def test_a_changed_entry_is_found(self):
        self.comity("ledger", "audit", status=0)
        with sqlite3.connect(self.node.home / "node.db") as db:
            changed = db.execute("UPDATE ledger_entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'south.test', 'north.test') "
                                 "AS BLOB) WHERE CAST(bytes AS TEXT) LIKE '%south.test%'").rowcount
        db.close()
        self.assertGreater(changed, 0)
        self.assertIn("root", self.comity("ledger", "audit", status=1).stdout)

    def serve(self):
        return subprocess.run([COMITY, "serve", "--home", str(self.node.home), "--listen.operators", "127.0.0.1:0",
                               "--listen.partners", "127.0.0.1:0", "--tls", "off", "--teams", str(self.node.folder / "teams.json"),
                               "--agreements", str(self.node.folder / "agreed.json"), *OPTIONS],
                              capture_output=True, text=True, check=False, timeout=api_case.PATIENCE)

    def test_no_start_without_the_key(self):
        key = self.node.home / "node.key"
        whole = key.read_bytes()
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        for spoil in (key.unlink, lambda: key.write_bytes(b"00" * 32 + b"\n"), lambda: key.write_bytes(b"nonsense"),
                      lambda: key.chmod(0o644)):
            spoil()
            done = self.serve()
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("node.key", done.stderr)
            key.unlink(missing_ok=True)
            key.write_bytes(whole)
            key.chmod(0o600)
        self.comity("ledger", "audit", status=0)


class Register(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.home = self.folder / "home"
        (self.folder / "teams.json").write_text(json.dumps(api_case.TEAMS), encoding="utf-8")

    def comity(self, *words):
        done = subprocess.run([COMITY, *map(str, words), "--home", str(self.home)], capture_output=True, text=True, check=False,
                              cwd=self.folder)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def propose(self, name):
        subprocess.run([COMITY, "agreement", "new", "--parties", "north.test,south.test", "--title", name, "--out", name],
                       check=True, cwd=self.folder, capture_output=True)
        self.comity("agreement", "propose", "--teams", "teams.json", name)

    def entries(self):
        lines = self.comity("ledger", "show", "--json").splitlines()[1:]
        return [json.loads(line)["entry"] for line in lines]

    def test_events_of_agreements_are_recorded_once(self):
        self.comity("agreement", "key", "--teams", "teams.json", "--as", "north.test")
        self.propose("first.json")
        for second in (False, True):
            node = api_case.Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(self.folder / "teams.json"))
            self.addCleanup(node.close)
            if second:
                known = len(self.entries())
                self.propose("second.json")  # it is noticed while the node runs
                until = time.monotonic() + api_case.PATIENCE
                while len(self.entries()) == known and time.monotonic() < until:
                    pass
            self.assertEqual(node.stop(), 0)
            events = [json.loads(line) for line in (self.home / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
            entries = self.entries()
            self.assertGreater(len(entries), second)
            self.assertEqual(len(entries), len(events), entries)
            for entry in entries:
                self.assertEqual((entry["kind"], entry["by"]), ("agreement", "north.test"))
                self.assertTrue((self.home / "agreements" / f"{entry['agreement'][9:]}.json").exists())
            self.assertEqual(entries[0]["event"], "proposed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
