#!/usr/bin/env python3
"""What commands do to files: nothing that is read is overwritten, nothing old or cut is taken for whole and new.

usage: files.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder)
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from case import COMITY, OPTIONS, Case, report, team


class Files(Case):
    def convert(self, *arguments, status=0, **more):
        done = subprocess.run([COMITY, "convert", *OPTIONS, "--to", "idf", *arguments], capture_output=True, cwd=self.folder,
                              check=False, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def refuses(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr.decode())

    def test_no_input_is_overwritten(self):
        file = pathlib.Path(self.lines(report(), name="in.jsonl"))
        before = file.read_bytes()
        os.symlink("in.jsonl", self.folder / "soft")
        os.link(file, self.folder / "hard")
        for other in ("in.jsonl", "./in.jsonl", "soft", "hard"):
            self.refuses(self.convert("-o", other, "in.jsonl", status=2), "--output", other, "another file")
            self.refuses(self.convert("--rejects", "in.jsonl", other, status=2), "--rejects")
            self.refuses(self.run_comity("route", "--rejects", other, "in.jsonl"), "--rejects")
            self.assertEqual(file.read_bytes(), before)
        self.refuses(self.convert("-o", "two", "--rejects", "./two", "in.jsonl", status=2), "name two")
        with file.open() as stdin:
            self.refuses(self.convert("-o", "in.jsonl", "-", status=2, stdin=stdin))
        self.refuses(self.run_comity("route", "--rejects", "agreements.json", "in.jsonl"))
        self.assertEqual(file.read_bytes(), before)

    def test_no_input_lies_in_the_folder_of_the_output(self):
        (self.folder / "out").mkdir()
        name = "out/aa-cert.idf.jsonl"
        file = pathlib.Path(self.lines(report(), name=name))
        before = file.read_bytes()
        os.symlink(name, self.folder / "soft")
        for way in (name, "soft", "out"):
            self.refuses(self.run_comity("route", "--out", "out", way), "--out", "another folder")
        self.assertEqual(file.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder / "out"), ["aa-cert.idf.jsonl"])

    def waiting(self, command, *arguments, text=b"", until=None):
        """The command while it waits for more than TEXT on an idle pipe; to be stopped by the caller."""
        def as_from_a_terminal():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
        more = [] if command == "convert" else ["--teams", "teams.json", "--agreements", "agreements.json"]
        process = subprocess.Popen([COMITY, command, *OPTIONS, *more, *arguments, "-"], stdin=subprocess.PIPE, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=as_from_a_terminal)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        process.stdin.write(text)
        process.stdin.flush()
        asleep = 0
        for _ in range(1000):
            state = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            asleep = asleep + 1 if state == "S" and (until is None or (self.folder / until).exists()) else 0
            if asleep == 5:
                return process
            time.sleep(0.02)
        self.fail(f"{command} does not wait for input")

    def stop(self, process, number):
        begun = time.monotonic()
        process.send_signal(number)
        process.wait(timeout=20)
        self.assertLess(time.monotonic() - begun, 5)
        out, err = process.stdout.read(), process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.returncode, 3, err)
        self.assertIn(b"interrupted", err)
        return out

    def test_waiting_for_input_can_be_ended(self):
        text = pathlib.Path(self.lines(report(), report("192.0.2.2"), report("192.0.2.3"))).read_bytes()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            summary = json.loads(self.stop(self.waiting("route", "--json", "--out", f"out{number}", "--format", "idf",
                                                         text=text), number))
            self.assertEqual((summary["received"], summary["released"]), (3, 3))
            self.assertEqual(os.listdir(self.folder / f"out{number}"), ["aa-cert.idf.jsonl"])
            self.assertEqual(self.stop(self.waiting("explain", "--line", "9", text=text), number), b"")

    def test_what_is_under_way_leaves_nothing_hidden(self):
        text = (json.dumps(report()) + "\n").encode() * 5000
        process = self.waiting("route", "--window", "0", "--out", "out", "--format", "idf", text=text,
                               until="out/.aa-cert.idf.jsonl.part")
        self.stop(process, signal.SIGHUP)
        self.assertEqual(os.listdir(self.folder / "out"), ["aa-cert.idf.jsonl"])

    def test_a_converted_file_is_whole_or_not_there(self):
        text = (json.dumps(report()) + "\n").encode() * 5000
        process = self.waiting("convert", "--to", "idf", "-o", "made", text=text, until=".made.part")
        self.stop(process, signal.SIGTERM)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["agreements.json", "feeds.json", "teams.json"])
        self.write("made", "old")
        file = self.write("in.jsonl", text)
        small = ["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh"]  # the disk is full after one block
        done = subprocess.run([*small, COMITY, "convert", *OPTIONS, "--to", "idf", "-o", "made", file], capture_output=True,
                              cwd=self.folder, check=False)
        self.assertEqual((done.returncode, (self.folder / "made").read_text()), (3, "old"), done.stderr)
        self.assertFalse((self.folder / ".made.part").exists())
        self.convert("-o", "made", file)
        self.assertEqual(len((self.folder / "made").read_text().splitlines()), 5000)

    def test_devices_and_links_are_written_as_they_are(self):
        file = self.lines(report())
        os.mkfifo(self.folder / "pipe")
        reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.convert("-o", "pipe", file)
        self.assertIn(b"192.0.2.1", os.read(reader, 65536))
        (self.folder / "real").mkdir()
        os.symlink("real/made", self.folder / "link")
        self.write("real/made", "old")
        self.convert("-o", "link", file)
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertIn("192.0.2.1", (self.folder / "real" / "made").read_text())
        self.assertIn(b"192.0.2.1", self.convert("-o", "/dev/stdout", file).stdout)

    def test_no_folder_is_made_for_the_rejects(self):
        file = self.lines(report(), "{bad")
        for done in (self.run_comity("route", "--rejects", "a/b", file), self.convert("--rejects", "a/b", file, status=3),
                     self.convert("-o", "a/b", file, status=3), self.run_comity("route", "--rejects", "/comity-a/b", file)):
            self.assertEqual((done.returncode, done.stdout), (3, b""))
            self.assertIn(b"the folder ", done.stderr)
        self.assertFalse((self.folder / "a").exists() or pathlib.Path("/comity-a").exists())
        self.route("--rejects", "named", file, status=1)
        self.assertEqual(len((self.folder / "named").read_text().splitlines()), 1)
        self.route("--rejects", "named", self.lines(report()))
        self.assertEqual((self.folder / "named").read_text(), "")

    def test_a_folder_that_may_not_be_written_is_no_fault_without_rejects(self):
        (self.folder / "here").mkdir(mode=0o555)
        self.folder.chmod(0o755)
        good, bad = self.lines(report()), self.lines("{bad", name="bad.idf")
        command = [COMITY, "route", *OPTIONS, "--teams", "../teams.json", "--agreements", "../agreements.json"]
        if os.geteuid() == 0:  # root without its power over files
            if not shutil.which("setpriv"):
                self.skipTest("no setpriv")
            command = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *command]
        for file, status in ((good, 0), (bad, 3)):
            done = subprocess.run([*command, file], capture_output=True, cwd=self.folder / "here", check=False)
            self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(b"cannot be written", done.stderr)

    def test_files_of_an_earlier_run_do_not_stay_beside_new_ones(self):
        old = ["bb-cert.idf.jsonl", "cc-cert.stix.json", "rejected.jsonl", ".dd-cert.idf.jsonl.part"]
        mine = ["notes.txt", "my.jsonl", ".hidden", "sub"]
        (self.folder / "out").mkdir()
        for name in old + mine[:3]:
            self.write("out/" + name, "old")
        (self.folder / "out" / "sub").mkdir()
        self.write("out/sub/ee.idf.jsonl", "old")
        file = self.lines(report())
        for name in old:
            self.refuses(self.run_comity("route", "--out", "out", file), "--replace", "earlier run")
            self.assertEqual(sorted(os.listdir(self.folder / "out")), sorted(old + mine))
        self.route("--out", "out", "--replace", file)
        self.assertEqual(sorted(os.listdir(self.folder / "out")), sorted(["aa-cert.idf.jsonl"] + mine))
        self.assertEqual(len(self.out("aa-cert.idf.jsonl")), 1)
        self.route("--out", "out", "--replace", "--out-format", "stix", file)
        self.assertEqual(sorted(os.listdir(self.folder / "out")), sorted(["aa-cert.stix.json"] + mine))
        self.refuses(self.run_comity("route", "--replace", file), "--out")
        self.refuses(self.run_comity("route", "--out", "other", "--rejects", "other/aa-cert.idf.jsonl", file), "--rejects")

    def test_earlier_files_stay_until_the_new_run_is_complete(self):
        self.route("--out", "out", self.lines(report("192.0.2.200"), "{bad"), status=1)
        before = {p.name: p.read_bytes() for p in (self.folder / "out").iterdir()}
        text = (json.dumps(report()) + "\n").encode() * 5000
        process = self.waiting("route", "--window", "0", "--replace", "--out", "out", "--format", "idf", text=text,
                               until="out/.aa-cert.idf.jsonl.part")
        self.stop(process, signal.SIGTERM)
        self.assertEqual({p.name: p.read_bytes() for p in (self.folder / "out").iterdir()}, before)
        self.route("--out", "out", "--replace", self.lines(report()))
        self.assertEqual(os.listdir(self.folder / "out"), ["aa-cert.idf.jsonl"])

    def test_the_rejects_of_an_earlier_run_do_not_stay(self):
        rejects = self.folder / "comity-rejected.jsonl"
        self.route(self.lines("{bad", "{bad"), status=1)
        self.assertEqual(len(rejects.read_text().splitlines()), 2)
        self.route(self.lines(report(), "{bad"), status=1)
        self.assertEqual(len(rejects.read_text().splitlines()), 1)
        self.route(self.lines(report()))
        self.assertFalse(rejects.exists())

    def test_a_folder_without_documents_is_no_directory(self):
        file = self.lines(report())
        (self.folder / "empty").mkdir()
        self.write("empty/README.txt", "{}")
        self.write("empty/.hidden.json", "{}")
        for option in ("--agreements", "--teams"):
            done = self.run_comity("route", option, "empty", file)
            self.assertEqual((done.returncode, done.stdout), (3, b""))
            self.assertIn(b" empty holds no ", done.stderr)
        done = subprocess.run([COMITY, "team", "list", "--teams", "empty"], capture_output=True, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)

    def version_of(self, binary):
        """The team list by what BINARY finds without being told."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("COMITY_")}
        return subprocess.run([binary, "team", "list"], capture_output=True, env=env, check=False)

    def test_the_share_folder_is_not_one_that_anybody_planted(self):
        top = self.folder / "tree"
        (top / "share").mkdir(parents=True)
        (top / "share" / "economies.csv").write_bytes(pathlib.Path(os.environ["COMITY_SHARE"], "economies.csv").read_bytes())
        (top / "share" / "teams").mkdir()
        self.write("tree/share/teams/planted.json", [team("planted", "FI")])
        for place in ("x", "bin", "x/y"):
            (top / place).mkdir()
            shutil.copy(COMITY, top / place / "comity")
        os.symlink(".", top / "share" / "comity")

        def found(place):
            return b"planted" in self.version_of(top / place / "comity").stdout
        self.assertEqual([found("x"), found("x/y"), found("bin")], [False, False, True])
        self.write("tree/meson.build", "project('other')\n")
        self.assertFalse(found("x"))
        self.write("tree/meson.build", "project('comity', ['c'])\n")
        self.assertEqual([found("x"), found("x/y"), found("bin")], [True, False, True])
        for loose in (top, top / "share"):
            loose.chmod(0o1777)
            self.assertEqual([found("x"), found("bin")], [False, False], loose)
            loose.chmod(0o755)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
