"""A partner's log whose tiles are not what its checkpoint promises: said, doubted, bounded; and settled once it shows them.

Usage: witness_hostile.py COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import unittest

from courier_hostile import Server, make_certificate
from linked import Linked, reports
from node import pin_of

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]


class Relay:
    """Stands between a node and whoever looks at its log, and SPOILS tiles: SPOIL(bytes) gives the whole answer."""

    def __init__(self, folder, node):
        self.node, self.spoil, self.asked = node, None, []
        make_certificate(folder, "relay", "2")
        self.pin = pin_of(folder / "relay.pem")
        self.server = Server(folder, self.speak, "relay")
        self.url = f"https://127.0.0.1:{self.server.port}"

    def fetch(self, path):
        with contextlib.closing(self.node.connect("partners")) as client:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read()

    def speak(self, server, connection):
        while True:
            head = server.request(connection).decode().split(" ")
            path = head[1]
            status, body = self.fetch(path) if head[0] == "GET" else (503, b"")
            if path.startswith("/log/tile/"):
                self.asked.append(path)
            if path.startswith("/log/tile/") and self.spoil:
                status, body = self.spoil(body)
            connection.sendall(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)


class Hostile(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.north, self.south = (Linked(COMITY, self.folder, name, *OPTIONS, "--witness.interval", "1 s")
                                  for name in ("north.test", "south.test"))
        for node in (self.north, self.south):
            self.addCleanup(node.close)
        self.relay = Relay(self.folder, self.north.node)
        self.addCleanup(self.relay.server.close)
        self.entries = 0
        # North knows south not at all, and asks it nothing: south sees what north shows, and no more.
        self.south.command("peer", "add", self.north.published(), "--url", self.relay.url, "--pin", self.relay.pin, "--no-push", "--no-poll")

    def witnessed(self):
        return json.loads(self.south.command("peer", "show", "north.test", "--json"))["witnessed"]

    def grow(self):
        self.entries += 1
        self.north.take(reports(1, first=self.entries))
        self.north.node.drain()

    def way(self):
        return json.loads(self.south.command("peer", "show", "north.test", "--json"))["ways"][2]

    def fails(self, spoil, why):
        """An attempt that began after SPOIL was set has failed, and says why."""
        self.relay.spoil = spoil
        self.grow()
        failures = self.way()["failures"]
        self.south.until(lambda: self.way()["failures"] >= failures + 2, "a failure")
        self.assertRegex(self.way()["why"], why)

    def test_tiles_that_are_not_what_the_checkpoint_promises(self):
        self.grow()
        # Of an empty log whatever comes later is a continuation.
        for _ in range(2):  # the first may have begun before it grew
            seen = self.way()["worked"]
            self.south.until(lambda: self.way()["worked"] not in (None, seen), "a look at what is not empty")
        none = "do not give the root"
        self.fails(lambda body: (200, bytes(len(body))), none)
        self.assertTrue(self.witnessed()["doubted"])
        self.assertIn("NOT PROVEN TO GO ON", self.south.command("peer", "show", "north.test"))
        self.fails(lambda body: (404, b"not here"), none)
        self.fails(lambda body: (200, body[:-1]), none)
        self.fails(lambda body: (200, body * 2), none)
        self.fails(lambda body: (200, b""), none)
        self.fails(lambda body: (200, bytes(9000)), "answer")
        self.fails(lambda body: (500, b"later"), "tile.*500")
        self.assertFalse(self.witnessed()["two_histories"])
        # It shows them at last.
        self.relay.spoil = None
        self.south.until(lambda: not self.witnessed()["doubted"], "an end of the doubt")
        self.assertFalse(self.witnessed()["two_histories"])
        self.south.until(lambda: self.way()["failures"] == 0, "success")
        # Nothing but the way from one size to the other was asked for.
        self.assertLess(len(set(self.relay.asked)), 40)


if __name__ == "__main__":
    unittest.main(argv=["witness_hostile"])
