"""Nodes witness each other's ledgers: cosignatures come and are shown, what a witness answers is as tlog-witness says, and a log that
shows two histories is found out.

The test's own arguments are COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import contextlib
import http.client
import json
import os
import shutil
import ssl
import sys
import tempfile
import unittest

from linked import Linked, reports

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]


class Witnesses(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.north, self.south = (Linked(COMITY, self.temporary.name, name, *OPTIONS, "--witness.interval", "1 s")
                                  for name in ("north.test", "south.test"))
        for node in (self.north, self.south):
            self.addCleanup(node.close)
        self.befriend()

    def befriend(self):
        for node, other in ((self.north, self.south), (self.south, self.north)):
            card = other.home / "signed.json"
            other.command("team", "publish", "--as", other.team, "--url", other.url, "--teams", str(other.folder / "teams.json"), "-o", str(card))
            node.command("peer", "add", str(card))

    def witnessed(self, node, team):
        return json.loads(node.command("peer", "show", team, "--json"))["witnessed"]

    def size(self, node):
        return int(self.fetch(node, "/log/checkpoint").split(b"\n")[1])

    def ask(self, node, method, path, body=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host, port = node.node.address["partners"].rsplit(":", 1)
        with contextlib.closing(http.client.HTTPSConnection(host, int(port), context=context, timeout=60)) as client:
            client.request(method, path, body)
            answer = client.getresponse()
            return answer.status, answer.headers.get("Content-Type"), answer.read()

    def fetch(self, node, path):
        status, _, body = self.ask(node, "GET", path)
        self.assertEqual(status, 200, body)
        return body

    def until_cosigned(self, log, witness, at_least=1):
        log.until(lambda: self.witnessed(log, witness.team)["seen_of_ours"] >= max(at_least, self.size(log)), "a cosignature")

    def test_each_cosigns_what_is_new_and_shows_it(self):
        self.north.take(reports(10))
        self.until_cosigned(self.north, self.south)
        size = self.size(self.north)
        self.assertGreater(size, 0)
        self.assertEqual(self.witnessed(self.south, "north.test"),
                         {"log": "north.test/log", "size": size, "two_histories": False, "doubted": False, "seen_of_ours": self.witnessed(self.north, "south.test")["size"]})
        note = self.fetch(self.north, "/log/checkpoint")
        self.assertEqual(note, self.fetch(self.north, "/log/cosigned"))
        lines = [line.split()[1] for line in note.decode().split("\n\n", 1)[1].splitlines()]
        self.assertEqual(lines[0], "north.test/log")
        self.assertEqual(len(lines), 2)
        shown = json.loads(self.north.command("ledger", "show", "--json").splitlines()[0])
        self.assertEqual(shown["cosigned"], {"size": size, "by": lines[1:]})
        self.assertIn(f"{size} of them cosigned by {lines[1]}", self.north.command("ledger", "show"))
        # It goes on from there.
        self.north.take(reports(10, first=10))
        self.until_cosigned(self.north, self.south, size + 1)
        self.assertGreater(self.witnessed(self.south, "north.test")["size"], size)
        self.assertIn("cosigned here", self.south.command("peer", "show", "north.test"))
        # A proof has what others say of the log.
        report = next(r["id"] for r in self.north.get("/api/v1/reports")["items"])
        self.assertIn(lines[1], self.north.command("ledger", "prove", report))

    def test_a_witness_answers_as_the_specification_says(self):
        self.north.take(reports(3))
        self.until_cosigned(self.north, self.south)
        note = self.fetch(self.north, "/log/cosigned")
        size = int(note.split(b"\n")[1])
        asked = lambda body: self.ask(self.south, "POST", "/witness/add-checkpoint", body)
        status, kind, text = asked(b"old 0\n\n" + note)
        self.assertEqual((status, kind, text), (409, "text/x.tlog.size", b"%d\n" % size))
        status, _, text = asked(b"old %d\n\n" % size + note)  # the same once more
        self.assertEqual(status, 200, text)
        self.assertTrue(text.startswith("\N{EM DASH} ".encode()), text)
        self.assertEqual(asked(b"old %d\n\n" % (size + 1) + note)[0], 400)
        self.assertEqual(asked(b"nonsense")[0], 400)
        changed = note.replace(b"\n%d\n" % size, b"\n%d\n" % (size + 1), 1)
        self.assertEqual(asked(b"old %d\n\n" % size + changed)[0], 403)  # not what the log signed
        other = note.replace(b"north.test/log\n", b"other.test/log\n", 1)
        self.assertEqual(asked(b"old 0\n\n" + other)[0], 404)
        self.assertEqual(self.witnessed(self.south, "north.test")["size"], size)

    def test_two_histories_are_found_out(self):
        self.north.take(reports(3))
        self.until_cosigned(self.north, self.south)
        before = self.size(self.north)
        self.north.node.stop()
        copy = self.north.home.parent / "copy"
        shutil.copytree(self.north.home, copy)
        self.north.start()
        for first in (100, 101, 102, 103):
            self.north.take(reports(1, first=first))
            self.north.node.drain()
        self.until_cosigned(self.north, self.south, before + 4)
        seen = self.size(self.north)
        # The copy is put back, and goes on differently.
        self.north.node.stop()
        shutil.rmtree(self.north.home)
        copy.rename(self.north.home)
        self.north.start()
        self.south.node.wait("a partner's log is shorter than what it showed", why="north.test/log")
        self.north.take(reports(1, first=200))
        self.north.node.wait("a witness has seen more of this node's log than there is")
        while self.size(self.north) <= seen:
            self.north.take(reports(1, first=200 + self.size(self.north)))
            self.north.node.drain()
        # By two roots of one size, if it looked just then; else as nothing leads from the one to the other.
        self.south.until(lambda: self.found(), "word of it")
        self.assertRegex(self.south.command("peer", "show", "north.test"), "TWO HISTORIES|NOT PROVEN TO GO ON")
        said = ("a partner's log has two histories", "a partner's log is not proven to go on from what it was")
        self.south.until(lambda: any(self.south.node.find(words) for words in said), "word of it in the log")
        self.assertEqual(self.witnessed(self.south, "north.test")["size"], seen)  # nothing more of it is cosigned

    def found(self):
        known = self.witnessed(self.south, "north.test")
        return known["two_histories"] or known["doubted"]



if __name__ == "__main__":
    unittest.main(argv=["witness"])
