"""Nodes witness each other's ledgers: cosignatures come and are shown, what a witness answers is as tlog-witness says, and a log that
shows two histories is found out.

The test's own arguments are COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from linked import Linked, reports
from signed import public, sign

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
SANDBOX = [word for word in OPTIONS if word == "--no-sandbox"]


def roots_of(text):
    """Evidence read by other eyes (RFC 9162, 2.1.4.2): what both checkpoints say, and which roots follow from the hashes."""
    head, *notes = text.split("\n\n")
    hashes = [base64.b64decode(line) for line in head.splitlines()[1:]]
    smaller, larger = ((int(size), base64.b64decode(root)) for _, size, root in (notes[i].split("\n") for i in (0, 2)))
    if smaller[0] == larger[0]:
        return smaller, larger, larger[1], larger[1]
    first, *rest = hashes
    node = lambda left, right: hashlib.sha256(b"\x01" + left + right).digest()
    at, last, before, now = smaller[0] - 1, larger[0] - 1, first, first
    while at & 1:
        at, last = at >> 1, last >> 1
    for one in rest:
        if at & 1 or at == last:
            before, now = node(one, before), node(one, now)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            now = node(now, one)
        at, last = at >> 1, last >> 1
    return smaller, larger, before, now


def witness(name, seed=bytes(32)):
    """A witness's verifier key (C2SP signed-note), and what cosigns a note's text (C2SP tlog-cosignature)."""
    key = b"\x04" + public(seed)
    number = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]

    def cosign(text, time=1_700_000_000):
        signature = sign(seed, f"cosignature/v1\ntime {time}\n{text}".encode())
        return f"\N{EM DASH} {name} {base64.b64encode(number + time.to_bytes(8, 'big') + signature).decode()}\n"
    return f"{name}+{number.hex()}+{base64.b64encode(key).decode()}", cosign


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
            node.command("peer", "add", other.published())

    def witnessed(self, node, team):
        return json.loads(node.command("peer", "show", team, "--json"))["witnessed"]

    def size(self, node):
        return int(self.fetch(node, "/log/checkpoint").split(b"\n")[1])

    def ask(self, node, method, path, body=None):
        with contextlib.closing(node.node.connect("partners")) as client:
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

    def put_back(self, copy):
        """North's store is an older copy of it, as nobody but north knows."""
        shutil.rmtree(self.north.home)
        copy.rename(self.north.home)

    def copied(self):
        copy = self.north.home.parent / "copy"
        self.north.node.stop()
        shutil.copytree(self.north.home, copy)
        self.north.start()
        return copy

    def grow(self, size, first):
        """North's log has SIZE entries, an entry each of other reports."""
        while self.size(self.north) < size:
            self.north.take(reports(1, first=first + self.size(self.north)))
            self.north.node.drain()

    def found(self):
        return self.witnessed(self.south, "north.test")["two_histories"]

    def evidence(self):
        """Anybody who has the log's key sees by it alone that the log signed two histories."""
        text = self.south.command("peer", "evidence", "north.test")
        file = self.south.home / "evidence"
        file.write_text(text, encoding="utf-8")
        key = self.north.command("ledger", "key").strip()
        verified = lambda *words: subprocess.run([COMITY, "verify", "--json", *words, *SANDBOX, str(file)], capture_output=True, text=True,
                                                 timeout=60, check=False)
        done = verified("--key", key)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = json.loads(done.stdout)
        self.assertTrue(said["proven"])
        self.assertEqual(said["log"], "north.test/log")
        smaller, larger, before, now = roots_of(text)
        self.assertEqual([(side["size"], base64.b64decode(side["root"])) for side in said["checkpoints"]], [smaller, larger])
        self.assertEqual(now, larger[1])
        self.assertEqual(before, base64.b64decode(said["before"]))
        self.assertNotEqual(before, smaller[1])
        self.assertEqual(verified().returncode, 1)  # without the key nobody knows who signed
        self.assertEqual(verified("--key", self.south.command("ledger", "key").strip()).returncode, 1)
        self.seen_by_some(text, lambda seen, *words: file.write_text(seen, encoding="utf-8") and verified("--key", key, *words))
        told = json.loads(self.south.command("peer", "evidence", "north.test", "--json"))
        self.assertEqual(sorted(told), ["evidence", "found", "log", "team"])
        self.assertRegex(told["found"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual((told["team"], told["log"], told["evidence"]), ("north.test", "north.test/log", text))
        return text, said

    def seen_by_some(self, text, verified):
        """One of two witnesses has cosigned the larger one: that is enough for who asks for one, and what nobody signed is false."""
        (one, cosign), (other, _) = witness("some.test/witness"), witness("none.test/witness", bytes([1] * 32))
        line = cosign(text.split("\n\n")[3] + "\n")
        for seen, words, status in ((text, ["--witness", one], 1), (text + line, ["--witness", one], 0),
                                    (text + line, ["--witness", one, "--witness", other], 1),
                                    (text + line, ["--witness", one, "--witness", other, "--quorum", "1"], 0),
                                    (text + line, ["--witness", one, "--witness", other, "--quorum", "2"], 1)):
            done = verified(seen, *words)
            self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        done = verified(text + cosign("something else\n"), "--witness", one)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the signature in the name of the witness some.test/witness is wrong", done.stdout)

    def not_cosigned(self, note, old):
        """South's witness signs nothing of north's log any more."""
        status, _, text = self.ask(self.south, "POST", "/witness/add-checkpoint", b"old %d\n\n" % old + note)
        self.assertEqual(status, 422, text)

    def test_a_store_put_back_that_grows_beyond_what_was_seen(self):
        self.north.take(reports(3))
        self.until_cosigned(self.north, self.south)
        copy = self.copied()
        self.grow(5, first=100)
        self.until_cosigned(self.north, self.south, 5)
        seen = self.size(self.north)
        self.north.node.stop()
        self.put_back(copy)
        self.north.start()
        self.south.node.wait("a partner's log is shorter than what it showed", why="north.test/log")
        self.north.take(reports(1, first=200))
        self.north.node.wait("a witness has seen more of this node's log than there is")
        self.grow(seen + 2, first=200)
        self.south.until(self.found, "word of it")
        self.assertIn("TWO HISTORIES", self.south.command("peer", "show", "north.test"))
        self.south.node.wait("a partner's log has two histories", why="north.test/log")
        self.evidence()
        self.assertEqual(self.witnessed(self.south, "north.test")["size"], seen)
        self.not_cosigned(self.fetch(self.north, "/log/checkpoint"), seen)

    def test_another_history_that_it_never_asks_to_cosign(self):
        """The courier of a log that hides stays off: south finds it by the log's own tiles."""
        self.north.take(reports(1))
        self.until_cosigned(self.north, self.south)
        copy = self.copied()
        self.grow(4, first=100)
        self.until_cosigned(self.north, self.south, 4)
        seen = self.size(self.north)
        self.assertEqual(seen, 4)
        self.north.node.stop()
        self.put_back(copy)
        self.north.options = (*self.north.options, "--courier", "off", "--batch.reports", "1")
        self.north.start()
        self.north.take(reports(300, first=1000))
        self.north.until(lambda: self.size(self.north) > 256, "a log of more than one tile")
        self.south.until(self.found, "word of it")
        text, said = self.evidence()
        self.assertLessEqual(said["checkpoints"][0]["size"], seen)
        self.assertGreater(len(text.split("\n\n", 1)[0].splitlines()), 3)
        self.spoil(text)
        # Also without a link the evidence stays.
        self.south.command("peer", "remove", "north.test")
        self.assertEqual(self.south.command("peer", "evidence", "north.test"), text)

    def spoil(self, text):
        """Evidence of which anything is changed shows nothing."""
        key, file = self.north.command("ledger", "key").strip(), self.south.home / "spoilt"
        lines = text.splitlines(keepends=True)
        empty = lines.index("\n")
        spoilt = [lines[:1] + lines[2:], lines[:1] + [lines[2], lines[1]] + lines[3:], lines[:empty] + [lines[1]] + lines[empty:],
                  lines[:empty], lines[:empty + 1], lines[:-1], [], ["comity-two-histories-v1\n"],
                  [line.replace("\n4\n", "\n3\n") if line == "4\n" else line for line in lines[:empty + 2]] + ["3\n"] + lines[empty + 3:]]
        for each in spoilt:
            file.write_text("".join(each), encoding="utf-8")
            done = subprocess.run([COMITY, "verify", "--key", key, *SANDBOX, str(file)], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1, (each, done.stdout))
            self.assertNotIn("PROVEN      the log north.test/log showed two histories", done.stdout)

    def test_a_log_begun_anew_under_another_key_is_another_log(self):
        """A team whose machine is gone has its signing key still, and a node with nothing in it: nobody calls that two histories."""
        self.north.take(reports(3))
        self.grow(4, first=100)
        self.until_cosigned(self.north, self.south, 4)
        self.north.node.stop()
        key = (self.north.home / "key").read_bytes()
        shutil.rmtree(self.north.home)
        self.north.home.mkdir(mode=0o700)
        (self.north.home / "key").write_bytes(key)
        (self.north.home / "key").chmod(0o600)
        self.north.start()
        self.befriend()
        self.grow(2, first=200)
        self.until_cosigned(self.north, self.south, 2)
        self.grow(6, first=300)
        self.until_cosigned(self.north, self.south, 6)
        known = self.witnessed(self.south, "north.test")
        self.assertEqual((known["two_histories"], known["doubted"], known["size"]), (False, False, self.size(self.north)))
        self.assertFalse(self.south.node.find("a partner's log has two histories"))

    def test_a_wrong_proof_of_somebody_else_is_settled_by_the_tiles(self):
        self.north.take(reports(3))
        self.until_cosigned(self.north, self.south)
        seen = self.size(self.north)
        self.grow(seen + 3, first=100)
        note = self.fetch(self.north, "/log/checkpoint")
        hash_line = b"A" * 43 + b"=\n"
        old = self.witnessed(self.south, "north.test")["size"]
        status, _, _ = self.ask(self.south, "POST", "/witness/add-checkpoint", b"old %d\n" % old + hash_line + b"\n" + note)
        self.assertIn(status, (409, 422))  # it may have been cosigned meanwhile
        self.grow(seen + 5, first=200)
        self.until_cosigned(self.north, self.south, seen + 5)
        self.south.until(lambda: not self.witnessed(self.south, "north.test")["doubted"], "an end of the doubt")
        self.assertFalse(self.found())
        self.assertIn("two histories", subprocess.run([COMITY, "peer", "evidence", "north.test", "--home", str(self.south.home)],
                                                      capture_output=True, text=True, timeout=60, check=False).stderr)


if __name__ == "__main__":
    unittest.main(argv=["witness"])
