#!/usr/bin/env python3
"""Does every command that reads hostile bytes stand behind the walls first, and refuse to read without them?

usage: sandbox.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder)
Under sanitizers (--no-sandbox) only the refusals are looked at.
"""
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import kernel

COMITY, NO_WALLS = os.path.abspath(sys.argv[1]), "--no-sandbox" in sys.argv
REPORT = b'{"source.ip": "192.0.2.1", "classification.type": "scanner", "tlp": "green"}\n'
SECRET = b"192.0.2.1"
# {out} is a folder; whois has its input on standard input.
COMMANDS = {
    "route": ["route", "--rejects", "{out}/rejects", "{file}"],
    "explain": ["explain", "{file}"],
    "convert": ["convert", "--to", "idf", "{file}"],
    "whois": ["whois", "--json", "-"],
    "import": ["team", "import", "--from", "csv", "-o", "{out}/cards", "{file}"],
    "lint": ["team", "lint", "{file}"],
}
INPUTS = {
    "whois": b"192.0.2.1\n192.0.2.200\n",
    "import": b"name,economy,nets\nOne,FI,192.0.2.1/32\n",
    "lint": json.dumps({"id": "x", "name": "X", "kind": "national", "economies": ["FI"], "source": "192.0.2.1",
                        "verified": True}).encode(),
}


class Sandbox(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "out").mkdir()

    def line(self, name, file, *more):
        words = [word.format(file=file, out=self.folder / "out") for word in COMMANDS[name]]
        return [COMITY, *words[:-1], *more, words[-1]]

    def run_file(self, name, *more, before=None):
        file = self.folder / "in"
        file.write_bytes(INPUTS.get(name, REPORT))
        with file.open("rb") as stdin:
            return subprocess.run(self.line(name, file, *more), stdin=stdin, capture_output=True, cwd=self.folder,
                                  preexec_fn=before, timeout=60, check=False)

    def refused(self, before, part):
        for name in COMMANDS:
            with self.subTest(name):
                done = self.run_file(name, before=before)
                self.assertEqual((done.returncode, done.stdout), (3, b""), done.stderr)
                self.assertIn(b"refuses the sandbox (" + part, done.stderr)
                self.assertIn(b"--no-sandbox", done.stderr)
                self.assertNotIn(SECRET, b"".join(p.read_bytes() for p in self.folder.rglob("out/**/*") if p.is_file()))

    def test_without_landlock_nothing_is_read(self):
        self.refused(kernel.no_landlock, b"landlock")

    @unittest.skipIf(NO_WALLS or not kernel.SECCOMP, "Landlock would stop the sanitizers, or the calls' numbers are not known")
    def test_without_seccomp_nothing_is_read(self):
        self.refused(kernel.no_seccomp, b"seccomp")

    def test_who_insists_goes_without_and_is_told(self):
        for name in COMMANDS:
            with self.subTest(name):
                done = self.run_file(name, "--no-sandbox", before=kernel.no_landlock)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"without walls", done.stderr)

    @unittest.skipIf(NO_WALLS, "there are no walls")
    def test_what_a_command_needs_goes_on(self):
        for name in COMMANDS:
            with self.subTest(name):
                done = self.run_file(name)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn(b"sandbox", done.stderr)

    def walls_of(self, pid):
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        return status["Seccomp"], status["NoNewPrivs"]

    def wait(self, what):
        until = time.monotonic() + 20
        while not what() and time.monotonic() < until:
            time.sleep(0.01)
        self.assertTrue(what())

    def fed_late(self, name, child, end):
        """Input comes only once the walls are seen; END closes only once it is taken."""
        with end:
            self.wait(lambda: self.walls_of(child.pid) == ("2", "1"))
            end.write(INPUTS.get(name, REPORT))
            self.wait(lambda: not any(fcntl.ioctl(end, termios.FIONREAD, b"\0" * 4)))
        said, errors = child.communicate(timeout=20)
        self.assertEqual(child.returncode, 0, errors)
        self.assertTrue(said)

    @unittest.skipIf(NO_WALLS, "there are no walls")
    def test_the_walls_stand_before_the_first_byte_comes(self):
        for name in COMMANDS.keys() - {"lint"}:  # which reads plain files only
            pipe = self.folder / name
            os.mkfifo(pipe)
            stdin, end = (os.pipe() if name == "whois" else (os.open(os.devnull, os.O_RDONLY), os.open(pipe, os.O_RDWR)))
            with self.subTest(name), subprocess.Popen(self.line(name, pipe), cwd=self.folder, stdin=stdin,
                                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
                os.close(stdin)
                self.fed_late(name, child, os.fdopen(end, "wb", buffering=0))

    @unittest.skipIf(NO_WALLS, "there are no walls")
    def test_a_sort_of_many_tags_is_no_attack(self):
        tags = ";".join(f"cve-2020-{1000 + i}" for i in range(64))
        file = self.folder / "2026-02-03-scan_http-example-asn.csv"
        file.write_text(f'timestamp,ip,port,tag\n"2026-02-03 04:05:06",192.0.2.7,80,{tags}\n', encoding="utf-8")
        done = subprocess.run(self.line("convert", file), capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(tags.encode(), done.stdout)


if __name__ == "__main__":
    if not NO_WALLS and not kernel.has_landlock():
        print("SKIPPED: this kernel has no Landlock")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
