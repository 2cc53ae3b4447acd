"""What the tests of whole commands share: a folder with teams, feeds and agreements of the test's own, and how to run.

The test's own arguments are COMITY [--no-sandbox]; COMITY_SHARE names the share folder, for schemas and economies.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

os.environ["COMITY_HOME"] = "/nonexistent/home"  # a test that has a register names its own; the developer's does not count
COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]


def team(ident, economy, **more):
    return {"id": ident, "name": ident.upper(), "kind": "national", "economies": [{"economy": economy}], "source": "this test", "verified": True, **more}


def clause(ident, **more):
    return {"id": ident, "from": "*", "to": "*", "classification": ["*"], "tlp_max": "green", "effect": "release", **more}


def agreement(number, kind, clauses, **more):
    return {"id": f"urn:uuid:6f0a6f9e-0000-4000-8000-{number:012}", "title": f"Agreement {number}", "kind": kind,
            "parties": [], "valid_from": "2026-01-01T00:00:00Z", "valid_until": None, "clauses": clauses, **more}


def report(ip="192.0.2.1", **more):
    return {"source.ip": ip, "classification.type": "scanner", "tlp": "green", "feed.provider": "Feed",
            "time.source": "2026-05-05T10:20:30+00:00", "source.account": "bob", **more}


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.write("teams.json", [
            team("aa-cert", "FI", constituency={"prefixes": ["192.0.2.0/25"]}),
            team("bb-cert", "SE", constituency={"prefixes": ["192.0.2.128/25"], "domains": ["example.se"]},
                 channels=[{"type": "https", "address": "https://bb.test/", "encrypted": True}]),
            team("own", "NO", constituency={"prefixes": ["198.51.100.0/24"]})])
        self.write("feeds.json", {"default_tlp": "amber", "feeds": []})
        self.agree(agreement(1, "baseline", [clause("1", treatment={"account": "remove", "text": "remove"})]))

    def write(self, name, content):
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def agree(self, *documents):
        self.write("agreements.json", list(documents))

    def lines(self, *reports, name="in.idf"):
        return self.write(name, "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in reports))

    def run_comity(self, command, *arguments, stdin=None):
        f = self.folder
        done = subprocess.run([COMITY, command, *OPTIONS, "--teams", f / "teams.json", "--feeds", f / "feeds.json",
                               "--agreements", f / "agreements.json", *arguments], input=stdin, capture_output=True,
                              cwd=f, check=False)
        self.assertGreaterEqual(done.returncode, 0, done.stderr)
        return done

    def route(self, *arguments, status=0, stdin=None):
        done = self.run_comity("route", "--json", *arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["received"], summary["stored"] + summary["rejected"] + summary["duplicate"])
        self.assertEqual(summary["recipients"], summary["released"] + summary["held"] + summary["withheld"]
                         + summary["unattributed"])
        self.assertTrue(summary["balanced"])
        return summary

    def counts(self, summary):
        return [summary[k] for k in ("released", "held", "withheld", "unattributed")]

    def out(self, name):
        return [json.loads(line) for line in (self.folder / "out" / name).read_text().splitlines()]
