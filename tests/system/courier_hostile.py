"""What others' servers may do to the courier: each is a failure with a name, told to the operator, and costs bounded memory and
time; and whoever is not the one that is known gets nothing.

Usage: courier_hostile.py COMITY [--no-sandbox]; COMITY_SHARE names the share folder. Under sanitizers (--no-sandbox), which keep what was
freed for a while, memory may be 512 MiB.
"""
import contextlib
import gzip
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

from linked import Linked, reports
from names import Names
from node import PATIENCE, pin_of

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
MEMORY_KIB = (512 if "--no-sandbox" in OPTIONS else 160) * 1024
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\n"


def make_certificate(folder, name, days):
    """NAME.pem, signed by itself, and NAME.key."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-signkey", f"{name}.key", "-days", days, "-out", f"{name}.pem")


class Server:
    """Speaks as SPEAK(connection) says, to each who comes; with TLS under the certificate NAME.pem, or without."""

    def __init__(self, folder, speak, name=None):
        self.speak, self.context, self.came, self.heard, self.over = speak, None, 0, [], threading.Event()
        if name:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.came += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), self.wrapped(connection) as spoken:
            self.speak(self, spoken)

    def wrapped(self, connection):
        return self.context.wrap_socket(connection, server_side=True) if self.context else connection

    def request(self, connection):
        """A request's head."""
        head = b""
        while b"\r\n\r\n" not in head:
            some = connection.recv(65536)
            if not some:
                raise OSError("nothing more comes")
            head += some
        self.heard.append(head)
        return head

    def close(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def say(*answer):
    """The same answer to every request of a connection."""
    def speak(server, connection):
        while True:
            server.request(connection)
            for part in answer:
                connection.sendall(part)
    return speak


def without_end(begin, part):
    def speak(server, connection):
        server.request(connection)
        connection.sendall(begin)
        while not server.over.is_set():
            connection.sendall(part)
    return speak


def drip(server, connection):
    server.request(connection)
    connection.sendall(PAGE + b"Content-Length: 1000000\r\n\r\n")
    while not server.over.wait(0.1):
        connection.sendall(b" ")


def say_nothing(server, connection):
    server.over.wait(PATIENCE)


def page(text, *headers):
    body = text if isinstance(text, bytes) else text.encode()
    return say(PAGE + b"".join(h.encode() + b"\r\n" for h in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body)


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        for name, days in (("theirs", "10"), ("other", "10"), ("expired", "-1")):
            make_certificate(cls.folder, name, days)
        cls.node = Linked(COMITY, cls.folder, "north.test", "--courier.patience", "4 s", "--courier.deadline", "40 s",
                          "--courier.dns", Names("theirs.test", quiet=["silent.test"], wrong=["garbage.test"]).address, *OPTIONS)
        cls.addClassCleanup(cls.node.close)

    def pin(self, name="theirs"):
        return pin_of(self.folder / f"{name}.pem")

    def server(self, speak, name="theirs"):
        server = Server(self.folder, speak, name)
        self.addCleanup(server.close)
        return server

    def turn_to(self, url, pin, *ways):
        """The link to south is that one from now on, which is tried at once, by WAYS; without, it is polled."""
        card = self.folder / "card.json"
        certificate = {"certificate": pin} if pin else {}
        card.write_text(json.dumps({"id": "south.test", "name": "South", "node": {"url": url, **certificate}}), encoding="utf-8")
        with contextlib.suppress(AssertionError):
            self.node.command("peer", "remove", "south.test")
        self.node.command("peer", "add", str(card), "--no-witness", *(ways or ["--no-push"]))

    def fails(self, server, error, message=".", pin=None):
        since, url = self.node.node.mark(), f"https://127.0.0.1:{server.port}"
        self.turn_to(url, self.pin() if pin is None else pin)
        line = self.node.node.wait("link failed", since, node=url)
        self.assertEqual(line["error"], error, line)
        self.assertRegex(line["message"], message)
        return line

    def memory(self):
        """The most that the courier ever had, in KiB."""
        status = pathlib.Path(f"/proc/{self.node.node.pid('courier')}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    # ---- who it is ----

    def test_another_certificate(self):
        server = self.server(page("{}"), "other")
        self.fails(server, "untrusted", "another certificate")
        self.assertEqual(server.heard, [])  # not a byte of the request

    def test_a_certificate_that_has_expired(self):
        server = self.server(page("{}"), "expired")
        self.fails(server, "untrusted", "expired", pin=self.pin("expired"))
        self.assertEqual(server.heard, [])

    def test_nobody_vouches(self):
        server = self.server(page("{}"))
        self.fails(server, "untrusted", pin="")
        self.assertEqual(server.heard, [])

    def test_no_tls(self):
        self.fails(self.server(lambda server, connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), None), "unreachable")

    def test_the_right_one(self):
        """What makes the tests above mean something."""
        server = self.server(page("{}"))
        self.turn_to(f"https://127.0.0.1:{server.port}", self.pin())
        self.node.until(lambda: len(server.heard) >= 2, "both collections are asked for")
        self.assertIn(b"GET /comity/collections/released/objects/?limit=", server.heard[0])
        self.assertIn(b"GET /comity/collections/directory/objects/?limit=", server.heard[1])
        self.assertEqual(server.came, 1)  # by one connection
        self.node.until(lambda: json.loads(self.node.command("peer", "show", "south.test", "--json"))["contact"], "it is told")

    def test_by_its_name(self):
        server = self.server(page("{}"))
        self.turn_to(f"https://theirs.test:{server.port}", self.pin())
        self.node.until(lambda: len(server.heard) >= 2, "both collections are asked for")
        self.assertIn(f"Host: theirs.test:{server.port}\r\n".encode(), server.heard[0])

    def test_a_name_that_leads_nowhere(self):
        for name in ("nobody.test", "garbage.test", "silent.test"):
            self.turn_to(f"https://{name}", self.pin())
            line = self.node.node.wait("link failed", node=f"https://{name}")
            self.assertEqual(line["error"], "unreachable", line)
            self.assertIn("name", line["message"])

    # ---- what it says ----

    def test_elsewhere(self):
        there = self.server(page("{}"))
        server = self.server(say(f"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:{there.port}/\r\nContent-Length: 0\r\n\r\n".encode()))
        self.fails(server, "bad-answer", f"elsewhere.*{there.port}")
        self.assertEqual(there.came, 0)

    def test_garbage(self):
        self.fails(self.server(say(b"\0\1\2\3" * 1000)), "bad-answer")
        for text in ("", "[]", "7", "{", '{"objects": 7}', '{"more": true}', '{"objects": [1]}'):
            self.fails(self.server(page(text)), "bad-answer")

    def test_pages_that_do_not_go_on(self):
        date = "X-TAXII-Date-Added-Last: 2026-01-01T00:00:00.000000Z"
        one = json.dumps({"more": True, "objects": [{"type": "tool", "id": "tool--00000000-0000-4000-8000-000000000001"}]})
        self.fails(self.server(page(one, date)), "bad-answer", "do not go on")
        self.fails(self.server(page(one)), "bad-answer", "does not say")
        self.fails(self.server(page(one, "X-TAXII-Date-Added-Last: then")), "bad-answer", "date")
        self.fails(self.server(page('{"more": true, "objects": []}', date)), "bad-answer", "after nothing")

    def test_ten_gigabytes(self):
        server = self.server(without_end(PAGE + b"Content-Length: 10000000000\r\n\r\n", b" " * 65536))
        self.fails(server, "limit", "larger than")
        self.assertGreater(len(server.heard), 5)  # it asked for smaller pages first
        self.assertLess(self.memory(), MEMORY_KIB)

    def passed_over(self, manifest):
        """The first object of the collection is endless; behind it is another one. What its manifest says is MANIFEST."""
        last = b"X-TAXII-Date-Added-Last: 2026-01-02T00:00:00.000000Z\r\n"
        tool = b'{"objects": [{"type": "tool", "spec_version": "2.1", "id": "tool--00000000-0000-4000-8000-000000000001", "name": "t",'
        tool += b'"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}]}'

        def speak(server, connection):
            while True:
                head = server.request(connection).split(b"\r\n")[0]
                if b"/objects/" in head and b"released" in head and b"added_after" not in head:
                    connection.sendall(PAGE + b"Content-Length: 10000000000\r\n\r\n")
                    while not server.over.is_set():
                        connection.sendall(b" " * 65536)
                body = manifest if b"/manifest/" in head else tool if b"released" in head else b"{}"
                connection.sendall(PAGE + last + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.server(speak)

    def test_what_is_too_large_is_passed_over(self):
        server = self.passed_over(b'{"more": true, "objects": [{"id": "x", "date_added": "2026-01-01T00:00:00.000000Z"}]}')
        since = self.node.node.mark()
        self.turn_to(f"https://127.0.0.1:{server.port}", self.pin())
        line = self.node.node.wait("an object of another node is too large to be fetched, and was passed over", since, team="south.test")
        self.assertEqual(line["date_added"], "2026-01-01T00:00:00.000000Z")
        shown = lambda: json.loads(self.node.command("peer", "show", "south.test", "--json"))
        self.node.until(lambda: shown()["polled"]["directory"] or shown()["ways"][1]["worked"], "the rest")
        self.assertEqual(shown()["polled"]["released"], "2026-01-02T00:00:00.000000Z")
        self.assertEqual(self.node.node.find("link failed", since), [])

    def test_what_is_too_large_and_has_no_date(self):
        for manifest in (b"{}", b"[]", b'{"objects": [{"id": "x"}]}', b'{"objects": [{"date_added": "then"}]}', b'{"objects": [7]}'):
            self.fails(self.passed_over(manifest), "bad-answer", "its manifest does not say")

    def test_a_bomb(self):
        bomb = gzip.compress(b" " * (64 << 20))
        self.fails(self.server(page(bomb, "Content-Encoding: gzip")), "limit", "larger than")
        self.assertLess(self.memory(), MEMORY_KIB)

    def test_who_unpacks_nothing(self):
        """What is refused as it is packed goes as it is, and that is no failure; what is refused all the same is one."""
        def speak(status):
            def answer(server, connection):
                while True:
                    head = server.request(connection)
                    head, body = head.split(b"\r\n\r\n", 1)
                    while len(body) < int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
                        body += connection.recv(65536)
                    packed = b"content-encoding: gzip" in head.lower()
                    server.bodies.append((packed, body))
                    said = b"415 Unsupported Media Type" if packed else status
                    connection.sendall(b"HTTP/1.1 " + said + b"\r\nContent-Length: 2\r\n\r\n{}")
            return answer
        self.node.take(reports(3))
        for status, works in ((b"413 Content Too Large", False), (b"202 Accepted", True)):
            server = self.server(speak(status))
            server.bodies = []
            since = self.node.node.mark()
            self.turn_to(f"https://127.0.0.1:{server.port}", self.pin(), "--no-poll")
            if works:
                shown = lambda: json.loads(self.node.command("peer", "show", "south.test", "--json"))
                self.node.until(lambda: shown()["ways"][0]["worked"], "that it was sent")
            else:
                self.assertEqual(self.node.node.wait("link failed", since, team="south.test", way="push")["status"], 413)
            (_, packed), (_, plain) = server.bodies[:2]
            self.assertEqual([one for one, _ in server.bodies[:2]], [True, False])
            self.assertEqual(gzip.decompress(packed), plain)
            self.assertEqual([len([o for o in json.loads(plain)["objects"] if o["type"] == "observed-data"])], [3])

    def test_damaged_compression(self):
        self.fails(self.server(page(b"\x1f\x8b not gzip", "Content-Encoding: gzip")), "bad-answer")

    def test_a_head_without_end(self):
        self.fails(self.server(without_end(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n")), "limit", "head")

    def test_half_an_answer(self):
        def speak(server, connection):
            server.request(connection)
            connection.sendall(PAGE + b"Content-Length: 100\r\n\r\n{")
        self.fails(self.server(speak), "unreachable")

    def test_no(self):
        line = self.fails(self.server(say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")), "bad-answer", "403")
        self.assertEqual(line["status"], 403)

    def test_later(self):
        busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
        self.assertGreaterEqual(self.fails(self.server(say(busy)), "bad-answer", "503")["again_in_ms"], 7000)
        busy = busy.replace(b": 7", b": 99999999999")
        self.assertLessEqual(self.fails(self.server(say(busy)), "bad-answer", "503")["again_in_ms"], 86400000)

    # ---- when it says it ----

    def test_one_byte_after_the_other(self):
        self.fails(self.server(drip), "unreachable")

    def test_nothing(self):
        self.fails(self.server(say_nothing), "unreachable")  # not even of TLS
        self.fails(self.server(say_nothing, None), "unreachable")

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        since, url = self.node.node.mark(), f"https://127.0.0.1:{port}"
        self.turn_to(url, self.pin())
        self.assertEqual(self.node.node.wait("link failed", since, node=url)["error"], "unreachable")
        self.node.node.wait("link failed", since, node=url, failures=3)  # again and again
        first, second, third = (line["again_in_ms"] for line in self.node.node.find("link failed", since, node=url)[:3])
        self.assertTrue(75 <= first <= 125 and 150 <= second <= 250 and 300 <= third <= 500, (first, second, third))

    def test_zz_none_of_that_ended_the_courier(self):
        self.assertEqual(self.node.node.find("role died"), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
