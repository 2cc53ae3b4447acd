"""What tests of linked nodes share: a folder for each test, and nodes in it that ask each other every second.

The test's own arguments are COMITY [--no-sandbox].
"""
import os
import pathlib
import sys
import tempfile
import unittest

from linked import Linked

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def start(self, name, *options, **more):
        """NAME's node; OPTIONS are comity serve's, MORE is Linked's."""
        node = Linked(COMITY, self.folder, name, "--courier.poll-interval", "1 s", *options, *OPTIONS, **more)
        self.addCleanup(node.close)
        return node
