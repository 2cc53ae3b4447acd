#!/usr/bin/env python3
"""Ledgers from the command line: what an audit finds, what a proof is said to prove, two histories."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

COMITY, HELPER, OPTIONS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
LOG, SEED, ROOT = "north.test/log", "05" * 32, "urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"


def event(n):
    return json.dumps({"agreement": ROOT, "by": "north.test", "document": f"{n:064x}", "event": "signed", "kind": "agreement",
                       "since": "2026-01-01T00:00:00Z", "time": "2026-01-01T00:00:00Z", "v": 1},
                      sort_keys=True, separators=(",", ":"))


class Ledger(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def make(self, name, entries, *more, seed=SEED):
        """A log with a checkpoint after its first two entries and at its end; the keys."""
        (self.folder / name).mkdir()
        lines = ["e " + e.encode().hex() for e in entries]
        lines = lines[:2] + ["c"] + lines[2:] + ["c", *more]
        done = subprocess.run([HELPER, "make", self.folder / name, LOG, seed], input="".join(f"{line}\n" for line in lines),
                              text=True, capture_output=True, check=True)
        return done.stdout.split("\n")[:-1]

    def run_comity(self, *words, status=0):
        done = subprocess.run([COMITY, *words, *OPTIONS], capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def audit(self, *words, status=0):
        answer = json.loads(self.run_comity("ledger", "audit", "--json", *words, status=status).stdout)
        return [f["finding"] for f in answer["findings"]], answer

    def test_a_sound_log(self):
        key, witness = self.make("log", [event(n) for n in range(300)], f"w w.test {'07' * 32} 1780272000")
        found, answer = self.audit("--key", key, "--witness", witness, "--against", "log/checkpoint.2", "log")
        self.assertEqual((found, answer["whole"], answer["continues"], answer["entries"]["agreement"]), ([], True, 1, 300))
        text = self.run_comity("ledger", "audit", "log").stdout
        self.assertIn("no key was given", text)
        text = self.run_comity("ledger", "show", "--from", "298", "log").stdout
        self.assertEqual([line.split()[0] for line in text.splitlines()], ["north.test/log:", "298", "299"])
        text = self.run_comity("ledger", "show", "--from", "1", "--count", "2", "--json", "log").stdout
        self.assertEqual([json.loads(line).get("index") for line in text.splitlines()], [None, 1, 2])
        self.assertEqual(len(self.run_comity("ledger", "show", "--from", "999", "log").stdout.splitlines()), 1)

    def test_what_an_audit_finds(self):
        key, = self.make("log", [event(n) for n in range(300)])
        other, = self.make("other", [event(1)], seed="06" * 32)
        log = self.folder / "log"
        self.assertEqual(self.audit("--key", other, "log", status=1)[0], ["signature"])

        def with_fault(path, change):
            whole = (log / path).read_bytes()
            change(log / path)
            found = self.audit("--key", key, "log", status=1)[0]
            (log / path).write_bytes(whole)
            return set(found)

        def flip(path):
            data = bytearray(path.read_bytes())
            data[-3] ^= 1
            path.write_bytes(data)

        self.assertEqual(with_fault("tile/0/000", flip), {"resource"})
        self.assertEqual(with_fault("tile/1/000.p/1", flip), {"resource"})
        self.assertEqual(with_fault("tile/0/001.p/44", pathlib.Path.unlink), {"resource"})
        self.assertEqual(with_fault("tile/entries/001.p/44", pathlib.Path.unlink), {"resource"})
        self.assertEqual(with_fault("tile/entries/000", lambda p: p.write_bytes(p.read_bytes()[:-1])), {"resource"})
        self.assertEqual(with_fault("tile/entries/000", flip), {"resource", "root", "entry"})
        self.assertEqual(with_fault("checkpoint", lambda p: p.write_text(p.read_text().replace("\n300\n", "\n299\n"))),
                         {"signature", "resource"})
        (log / "checkpoint").write_text("no checkpoint\n")
        self.run_comity("ledger", "audit", "log", status=3)
        self.run_comity("ledger", "audit", "nowhere", status=3)

    def test_a_copy_that_means_ill(self):
        """What is no regular file, leads elsewhere or is too large is not read, and nobody waits for it."""
        key, = self.make("log", [event(n) for n in range(300)])
        log = self.folder / "log"

        def fifo(path):
            path.unlink()
            os.mkfifo(path)

        def link(path):
            path.rename(path.with_suffix(".elsewhere"))
            path.symlink_to(path.with_suffix(".elsewhere").name)

        def large(path):
            os.truncate(path, 1 << 40)

        for harm in (fifo, link, large):
            copy = self.folder / harm.__name__
            shutil.copytree(log, copy)
            harm(copy / "tile/0/000")
            self.assertEqual(set(self.audit("--key", key, copy.name, status=1)[0]), {"resource"}, harm)
            harm(copy / "checkpoint")
            self.run_comity("ledger", "audit", copy.name, status=3)

    def test_foreign_entries_are_told_and_still_hashed(self):
        self.make("log", [event(1), "hello", '{"v":2,"new":"kind"}', "\x1b[31mred"])
        found, answer = self.audit("log", status=1)
        self.assertEqual((found, answer["whole"], answer["entries"]["unknown"]), (["entry", "entry"], True, 1))
        text = self.run_comity("ledger", "show", "log").stdout
        self.assertIn("version 2", text)
        self.assertNotIn("\x1b", text)

    def test_two_histories(self):
        """One key signed both; whoever has both checkpoints can show it to anybody."""
        key, = self.make("log", [event(n) for n in range(10)])
        self.make("fork", [event(n) for n in [0, 1, 2, 3, 99]])
        self.make("stranger", [event(n) for n in [0, 1, 98]], seed="06" * 32)
        found, answer = self.audit("--key", key, "--against", "fork/checkpoint", "log", status=1)
        self.assertEqual(found, ["two-histories"])
        self.assertTrue(answer["evidence"][0]["proof"])
        self.assertEqual(answer["evidence"][0]["checkpoints"],
                         [(self.folder / f / "checkpoint").read_text() for f in ("fork", "log")])
        text = self.run_comity("ledger", "audit", "--key", key, "--against", "fork/checkpoint", "log", status=1).stdout
        self.assertIn("TWO HISTORIES", text)
        self.assertIn((self.folder / "fork/checkpoint").read_text(), text)
        # Without the key it is no proof; a stranger's checkpoint is nobody's word.
        self.assertFalse(self.audit("--against", "fork/checkpoint", "log", status=1)[1]["evidence"][0]["proof"])
        found, answer = self.audit("--key", key, "--against", "stranger/checkpoint", "log", status=1)
        self.assertEqual((found, answer["evidence"]), (["against"], []))
        # A larger one cannot be compared with, but two larger ones with each other can.
        self.make("long", [event(n) for n in range(20)])
        self.make("long-fork", [event(n) for n in range(1, 21)])
        self.assertEqual(self.audit("--key", key, "--against", "long/checkpoint", "log", status=1)[0], ["behind"])
        found, answer = self.audit("--key", key, "--against", "long/checkpoint", "--against", "long-fork/checkpoint", "log",
                                   status=1)
        self.assertEqual(sorted(found), ["behind", "behind", "two-histories"])
        self.assertTrue(answer["evidence"][0]["proof"])

    def states(self, *words, status):
        answer = json.loads(self.run_comity("verify", "--json", *words, status=status).stdout)
        self.assertEqual(answer["proven"], status == 0)
        return [s["state"] for s in answer["statements"] if s["asked"]], answer

    def test_what_a_proof_proves(self):
        key, witness, absent = self.make("log", [event(n) for n in range(9)], f"w w.test {'07' * 32} 1780272000")[:2] + \
            self.make("elsewhere", [event(0)], f"w v.test {'08' * 32} 1780272000")[1:]
        stranger, = self.make("stranger", [event(n) for n in range(9)], seed="06" * 32)
        proof = self.run_comity("ledger", "prove", "--entry", "4", "log").stdout
        (self.folder / "proof").write_text(proof)
        states, answer = self.states("--key", key, "--witness", witness, "proof", status=0)
        self.assertEqual((states, answer["index"], answer["log"]), (["proven"] * 3, 4, LOG))
        self.assertEqual(json.dumps(answer["entry"], sort_keys=True, separators=(",", ":")), event(4))
        self.assertEqual(self.states("proof", status=1)[0], ["not-proven", "proven"])
        self.assertIn("of the log that this file names", self.run_comity("verify", "proof", status=1).stdout)
        self.assertEqual(self.states("--key", stranger, "proof", status=1)[0], ["false", "proven"])
        self.assertEqual(self.states("--key", key, "--witness", absent, "proof", status=1)[0], ["proven", "not-proven", "proven"])
        both = ["--key", key, "--witness", witness, "--witness", absent]
        self.assertEqual(self.states(*both, "proof", status=1)[0].count("not-proven"), 1)
        self.states(*both, "--quorum", "1", "proof", status=0)
        (self.folder / "item").write_text("{}")
        self.assertIn("false", self.states("--key", key, "--item", "item", "proof", status=1)[0])
        text = self.run_comity("verify", "--key", key, "proof").stdout
        self.assertIn("PROVEN      the log north.test/log signed", text)
        self.assertIn("NOT PROVEN  that others were shown the same history", text)
        (self.folder / "proof").write_text(proof.replace("index 4", "index 5"))
        self.assertIn("false", self.states("--key", key, "proof", status=1)[0])
        (self.folder / "proof").write_text(proof[:-2])
        self.run_comity("verify", "--key", key, "proof", status=1)
        for words in (["--key", witness, "proof"], ["--witness", key, "proof"], ["--key", "x", "proof"], [],
                      ["--quorum", "1", "proof"], ["proof", "proof"]):
            self.run_comity("verify", *words, status=2)
        self.run_comity("verify", "nowhere", status=3)

    def test_proofs_that_cannot_be_made(self):
        self.make("log", [event(n) for n in range(9)])
        self.run_comity("ledger", "prove", "--entry", "9", "log", status=3)
        self.run_comity("ledger", "prove", "log", status=2)
        self.run_comity("ledger", "prove", "--entry", "1", "--item", "0", "log", status=2)
        (self.folder / "items").write_text("{}\n")
        (self.folder / "salt").write_text(base64.b64encode(bytes(32)).decode())
        self.run_comity("ledger", "prove", "--entry", "1", "--items", "items", "--salt", "salt", "--item", "0", "log", status=3)
        (self.folder / "salt").write_text("short")
        self.run_comity("ledger", "prove", "--entry", "1", "--items", "items", "--salt", "salt", "--item", "0", "log", status=3)
        shutil.copy(self.folder / "log/checkpoint.2", self.folder / "log/checkpoint")
        self.run_comity("ledger", "prove", "--entry", "1", "log")

    def test_receipts(self):
        key, = self.make("log", [event(0)])
        note = subprocess.run([HELPER, "receipt", LOG, SEED, ROOT, "ab" * 32, "7", "1780272000000000"], text=True,
                              capture_output=True, check=True).stdout
        (self.folder / "receipt").write_text(note)
        states, answer = self.states("--key", key, "receipt", status=0)
        self.assertEqual((states, answer["count"], answer["batch"]), (["proven"], 7, ROOT))
        self.assertEqual(self.states("receipt", status=1)[0], ["not-proven"])
        (self.folder / "receipt").write_text(note.replace("count 7", "count 8"))
        self.assertEqual(self.states("--key", key, "receipt", status=1)[0], ["false", "false"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
