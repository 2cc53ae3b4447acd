#!/usr/bin/env python3
"""Links are told to the courier anew, again and again, while it hands core what another node had: whose word that is stays right.

The test's own arguments are COMITY [--no-sandbox].
"""
import json
import os
import pathlib
import sys
import tempfile
import unittest

from linked import Linked, befriend, reports

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
COUNT = 12000


class Anew(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def start(self, name):
        node = Linked(COMITY, self.folder, name, "--courier.poll-interval", "1 s", *OPTIONS)
        self.addCleanup(node.close)
        return node

    def test_what_is_fetched_stays_the_senders(self):
        north, south, east = (self.start(name) for name in ("north.test", "south.test", "east.test"))
        for _ in range(3):
            north.take(reports(COUNT // 3, first=len(north.numbers())))
        north.node.drain()
        befriend(north, south, "--no-push")
        befriend(south, north, "--no-push")
        times = 0
        while len(south.numbers()) < COUNT:
            for push in ("--push", "--no-push"):  # each is told to the courier, with all others
                befriend(south, east, push)
            times += 1
        self.assertGreater(times, 1)
        self.assertEqual(south.numbers(), list(range(COUNT)))
        paths = {tuple(json.loads(line)["extra.comity_path"]) for line in south.command("store", "export").splitlines()}
        self.assertEqual(len(paths), 1, paths)
        self.assertIn("north.test", paths.pop())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
