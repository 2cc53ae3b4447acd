#!/usr/bin/env python3
"""The store under kill -9, and `comity store` beside a process that writes.

usage: store.py COMITY STORE_WRITER [--no-sandbox]
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

COMITY, WRITER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
WALLS = sys.argv[3:]
ROUNDS = 25
T0 = 1_760_000_000_000_000  # 2025-10-09T08:53:20Z


class Store(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.home = self.folder / "home"

    def writer(self):
        return subprocess.Popen([WRITER, "work", self.home], stdout=subprocess.PIPE, text=True)

    def kill(self, process):
        """What it said before it died: everything that was acknowledged."""
        process.kill()
        rest = process.stdout.read().split("\n")[:-1]  # a line that was cut was not said
        process.wait()
        process.stdout.close()
        return int(rest[-1]) if rest else None

    def store(self, *arguments, status=0):
        done = subprocess.run([COMITY, "store", *arguments, "--home", self.home], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def take(self, reports):
        path = self.folder / "in.idf"
        path.write_text("".join(json.dumps(r) + "\n" for r in reports))
        subprocess.run([WRITER, "take", self.home, path, str(T0)], check=True)

    def reports(self, count):
        return [{"source.ip": f"192.0.2.{i % 250 + 1}", "classification.type": "scanner", "feed.provider": "Feed",
                 "time.source": "2025-10-09T08:00:00+00:00", "event_description.text": f"number {i}"} for i in range(count)]

    def test_killed_at_any_time_nothing_acknowledged_is_lost(self):
        last = 0
        for round_ in range(ROUNDS):
            process = self.writer()
            for _ in range(random.Random(round_).randrange(1, 30)):
                last = int(process.stdout.readline())
            last = self.kill(process) or last
            done = subprocess.run([WRITER, "judge", self.home], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = int(done.stdout)
            self.assertIn(found - last, (0, 1), f"round {round_}: {last} were acknowledged, {found} are there")
            last = found
        self.assertGreater(last, ROUNDS)

    def test_read_while_another_writes(self):
        process = self.writer()
        try:
            for _ in range(5):
                process.stdout.readline()
            self.store("check")
            before = json.loads(self.store("info", "--json"))["reports"]
            self.assertGreaterEqual(before, 5)
            self.store("backup", self.folder / "copy.db")
            while int(process.stdout.readline()) < before + 20:
                pass
        finally:
            self.kill(process)
        self.assertGreater(json.loads(self.store("info", "--json"))["reports"], before)
        self.home = self.folder / "other"
        self.home.mkdir()
        (self.folder / "copy.db").rename(self.home / "node.db")
        self.assertEqual(json.loads(self.store("check", "--json")), {"told": [], "faults": 0, "complete": True})
        self.assertGreaterEqual(json.loads(self.store("info", "--json"))["reports"], before)

    def test_what_comes_out_is_what_came_in(self):
        self.take(self.reports(250))
        path = self.folder / "in.idf"
        expected = subprocess.run([COMITY, "convert", *WALLS, "--from", "idf", "--to", "idf", path], capture_output=True, text=True, check=True).stdout
        self.assertEqual(self.store("export"), expected)
        lines = expected.splitlines(keepends=True)
        some = self.store("export", "--from", "2025-10-09T08:53:21Z", "--to", "2025-10-09T08:53:22Z")
        self.assertEqual(some, "".join(lines[100:200]))
        self.assertEqual(self.store("export", "--from", "2025-10-10"), "")
        out = self.folder / "out.jsonl"
        self.store("export", "--to", "2025-10-09T08:53:21Z", "--out", out)
        self.assertEqual(out.read_text(), "".join(lines[:100]))
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        self.store("export", "--out", out, status=3)
        self.assertEqual(out.read_text(), "".join(lines[:100]))

    def test_info_and_refusals(self):
        self.store("info", status=3)
        self.take(self.reports(3))
        info = json.loads(self.store("info", "--json"))
        self.assertEqual([info[k] for k in ("version", "reports", "batches", "due", "oldest")], [4, 3, 1, 0, "2025-10-09T08:53:20Z"])
        self.assertIn("reports      3", self.store("info"))
        for wrong in (["nothing"], ["backup"], ["info", "x"], ["info", "--from", "2025-01-01"], ["export", "--json"], ["info", "--what"], []):
            self.store(*wrong, status=2)
        self.store("export", "--from", "yesterday", status=2)
        self.store("export", "--to", "2026-13-01", status=2)
        self.store("backup", self.home / "node.db", status=3)

    def test_damage_is_found(self):
        self.take(self.reports(3))
        path = self.home / "node.db"
        content = bytearray(path.read_bytes())
        at = content.rindex(b"\x28\xb5\x2f\xfd")  # a chunk's zstd frame
        content[at + 12] ^= 0xFF
        path.write_bytes(content)
        told = json.loads(self.store("check", "--json", status=1))
        self.assertEqual(told["faults"], 1)
        self.assertIn("batch 1", told["told"][0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
