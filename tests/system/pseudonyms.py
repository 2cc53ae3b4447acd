#!/usr/bin/env python3
"""Pseudonyms from end to end: a secret is made, reports cross, a recipient asks back, the origin knows the value."""
import json
import os
import stat
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case, agreement, clause, report

TREATMENT = {"account": "pseudonymise", "address": "pseudonymise", "name": "pseudonymise", "text": "remove"}
ID = "urn:uuid:6f0a6f9e-0000-4000-8000-000000000009"


class Pseudonyms(Case):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.environment = dict(os.environ, COMITY_HOME=str(self.home))
        self.agree(agreement(9, "baseline", [clause("1", treatment=TREATMENT)]))

    def run_plain(self, *words):
        return subprocess.run([COMITY, *words], env=self.environment, capture_output=True, text=True, check=False)

    def crossed(self, *more):
        """What aa-cert is told of two reports."""
        path = self.lines(report("192.0.2.1"), report("192.0.2.77", **{"source.fqdn": "www.example.fi"}))
        out = self.folder / f"out{len(list(self.folder.glob('out*')))}"
        done = self.run_plain("route", *OPTIONS, "--quiet", "--as", "own", "--at", "2026-06-01", "--teams",
                              str(self.folder / "teams.json"), "--feeds", str(self.folder / "feeds.json"),
                              "--agreements", str(self.folder / "agreements.json"), "--out", str(out), *more, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        (told,) = [p for p in out.rglob("*") if p.is_file() and "aa-cert" in str(p)]
        return path, [json.loads(line) for line in told.read_text().splitlines()]

    def ask(self, *words):
        return self.run_plain("reidentify", *OPTIONS, "--json", "--agreement", ID, "--to", "aa-cert", *words)

    def test_there_and_back(self):
        self.assertEqual(self.run_plain("secret").returncode, 0)
        secret = self.home / "secret"
        self.assertEqual(stat.S_IMODE(secret.stat().st_mode), 0o600)
        path, (first, second) = self.crossed()
        self.assertEqual(first["source.account"], second["source.account"])
        self.assertNotIn("bob", json.dumps(first))
        self.assertEqual(first["source.ip"].split(".")[:3], second["source.ip"].split(".")[:3])
        self.assertNotEqual(first["source.ip"], "192.0.2.1")
        self.assertEqual(self.crossed()[1], [first, second])
        done = self.ask("--in", path, first["source.ip"], second["source.ip"], first["source.account"],
                        second["source.fqdn"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([json.loads(line)["value"] for line in done.stdout.splitlines()],
                         ["192.0.2.1", "192.0.2.77", "bob", "www.example.fi"])
        log = [json.loads(line) for line in (self.home / "reidentified.jsonl").read_text().splitlines()]
        self.assertEqual([(e["to"], len(e["pseudonyms"])) for e in log], [("aa-cert", 4)])
        self.assertNotIn("bob", json.dumps(log))
        done = self.run_plain("reidentify", *OPTIONS, "--agreement", ID, "--to", "bb-cert", "--in", path,
                              first["source.account"])
        self.assertEqual(done.returncode, 1, "another recipient's key must not find it")

    def test_without_a_secret_all_is_generalised(self):
        _, (first, _) = self.crossed()
        self.assertEqual(first.get("source.network"), "192.0.2.0/24")
        self.assertNotIn("source.account", first)
        done = self.ask("192.0.2.1")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no secret", done.stderr)

    def test_secrets_are_guarded(self):
        self.assertEqual(self.run_plain("secret").returncode, 0)
        kept = (self.home / "secret").read_text()
        again = self.run_plain("secret")
        self.assertEqual((again.returncode, (self.home / "secret").read_text()), (3, kept))
        (self.home / "secret").chmod(0o640)
        done = self.ask("192.0.2.1")
        self.assertEqual(done.returncode, 3)
        self.assertIn("chmod 600", done.stderr)
        for text in ("", kept[:-2] + "\n", kept + "0", "g" * 64 + "\n"):
            bad = self.folder / "bad"
            bad.unlink(missing_ok=True)
            bad.write_text(text)
            bad.chmod(0o600)
            done = self.ask("--secret", str(bad), "192.0.2.1")
            self.assertEqual(done.returncode, 3, text)
            self.assertIn("64 hexadecimal digits", done.stderr)

    def test_what_cannot_be_understood(self):
        self.assertEqual(self.run_plain("secret").returncode, 0)
        for words in (["bob"], ["10b02ad0a0a1273035ca0edf412dedd6"], [], ["--nonsense", "192.0.2.1"]):
            self.assertEqual(self.ask(*words).returncode, 2, words)
        for words in (["reidentify", "192.0.2.1"], ["secret", "x"], ["secret", "--home", "a", "--out", "b"]):
            self.assertEqual(self.run_plain(*words).returncode, 2, words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
