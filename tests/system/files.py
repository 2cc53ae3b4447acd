#!/usr/bin/env python3
"""What commands do to files: nothing that is read is overwritten, nothing old or cut is taken for whole and new.

usage: files.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder)
"""
import os
import pathlib
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case, report


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
        self.refuses(self.convert("-o", "two", "--rejects", "two", "in.jsonl", status=2), "name two")
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
