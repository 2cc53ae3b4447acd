"""The ways out that an operator may set for the courier, as they work: by a proxy, which learns where it goes and nothing else, and to
nodes whose certificate nobody pinned but a CA of the operator's choice vouches for.

Usage: courier_out.py COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import contextlib
import json
import select
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from linked import Linked, befriend, reports
from linked_case import COMITY, OPTIONS, Case


class Proxy:
    """Leads out by CONNECT, to this machine whatever the name, and keeps what it is told; ANSWER, if set, is all it says."""

    def __init__(self, more=b"", answer=None):
        self.more, self.answer, self.heads = more, answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.socket.accept()[0],), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                some = client.recv(65536)
                if not some:
                    return
                head += some
            self.heads.append(head)
            if self.answer:
                client.sendall(self.answer)
                return
            port = int(head.split()[1].rsplit(b":", 1)[1])
            with socket.create_connection(("127.0.0.1", port)) as server:
                client.sendall(b"HTTP/1.1 200 Established\r\n" + self.more + b"\r\n")
                self.carry(client, server)

    def carry(self, one, other):
        while True:
            for ready in select.select([one, other], [], [])[0]:
                some = ready.recv(65536)
                if not some:
                    return
                (other if ready is one else one).sendall(some)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class WaysOut(Case):
    def proxy(self, **more):
        proxy = Proxy(**more)
        self.addCleanup(proxy.close)
        return proxy

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)

    def authority(self, name):
        """A CA's certificate; its path."""
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                     "-out", f"{name}.pem", "-days", "10", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign")
        return str(self.folder / f"{name}.pem")

    def certified(self, authority, host):
        """Options of a node whose certificate, for HOST, AUTHORITY signed."""
        (self.folder / "node.ext").write_text(f"subjectAltName={host}\n", encoding="ascii")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "node.key",
                     "-out", "node.csr", "-subj", "/CN=node")
        self.openssl("x509", "-req", "-in", "node.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
                     "-days", "10", "-extfile", "node.ext", "-out", "node.pem")
        return ["--tls.certificate", str(self.folder / "node.pem"), "--tls.key", str(self.folder / "node.key")]

    def give(self, north, south, url=None):
        """North pushes to SOUTH, at URL if it has a CA's certificate, whose pin nobody knows."""
        befriend(south, north, "--no-push", "--no-poll", "--no-witness")
        card = south.home / "unpinned.json"
        card.write_text(json.dumps({"id": south.team, "name": south.team, "node": {"url": url}}), encoding="utf-8")
        north.command("peer", "add", str(card) if url else south.card(), "--no-poll", "--no-witness")
        north.take(reports(100))

    def arrived(self, north, south):
        south.until(lambda: south.numbers() == list(range(100)), "what north gave")
        north.until(lambda: north.outbox()["waiting"] == 0, "word that it arrived")

    def test_by_a_proxy(self):
        """It is asked to lead to the other node's door, and told no more: no header of a request, no report."""
        proxy = self.proxy()
        north, south = self.start("north.test", "--courier.proxy", proxy.url), self.start("south.test")
        self.give(north, south)
        self.arrived(north, south)
        where = south.node.address["partners"]
        self.assertGreaterEqual(len(proxy.heads), 1)
        for head in proxy.heads:
            lines = head.decode().split("\r\n")
            self.assertEqual(lines[0], f"CONNECT {where} HTTP/1.1")
            self.assertEqual({line.split(":")[0].lower() for line in lines[1:] if line} - {"host", "user-agent", "proxy-connection"}, set())

    def test_what_the_proxy_says_is_not_the_nodes_word(self):
        """Headers of its own are not taken for the other node's: by these, all would be passed over, or put off for a day."""
        proxy = self.proxy(more=b"Retry-After: 86000\r\nX-TAXII-Date-Added-Last: 2090-01-01T00:00:00.000000Z\r\n")
        north, south = self.start("north.test"), self.start("south.test", "--courier.proxy", proxy.url)
        befriend(south, north, "--no-push", "--no-witness")
        befriend(north, south, "--no-push", "--no-poll", "--no-witness")
        north.take(reports(100))
        self.arrived(north, south)
        self.assertGreaterEqual(len(proxy.heads), 1)
        fetched = json.loads(south.command("peer", "show", "north.test", "--json"))["polled"]["released"]
        self.assertLess(fetched, "2090", fetched)

    def test_a_proxy_that_says_no(self):
        proxy = self.proxy(answer=b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        file = self.folder / "north.conf"
        file.write_text(f"courier.proxy = {proxy.url}\n", encoding="ascii")
        north, south = self.start("north.test", "--config", str(file)), self.start("south.test")
        self.give(north, south)
        line = north.node.wait("link failed", team="south.test")
        self.assertIn("403", line["message"])
        self.assertEqual(line["error"], "unreachable")
        self.assertEqual(south.node.find("request", method="POST", path="/comity/collections/intake/objects/"), [])
        # Another proxy is used from a SIGHUP on.
        good = self.proxy()
        file.write_text(f"courier.proxy = {good.url}\n", encoding="ascii")
        north.node.send(1)
        self.arrived(north, south)
        self.assertGreaterEqual(len(good.heads), 1)

    def test_the_proxy_finds_the_name(self):
        """A node's name that nobody here resolves, and a CA that vouches for that name: nothing is pinned."""
        authority, proxy = self.authority("authority"), self.proxy()
        south = self.start("south.test", *self.certified("authority", "DNS:south.test"))
        north = self.start("north.test", "--courier.proxy", proxy.url, "--courier.ca", authority)
        self.give(north, south, "https://south.test:" + south.node.address["partners"].rsplit(":", 1)[1])
        self.arrived(north, south)
        self.assertIn(b"CONNECT south.test:", proxy.heads[0])

    def test_by_a_ca(self):
        authority = self.authority("authority")
        south = self.start("south.test", *self.certified("authority", "IP:127.0.0.1"))
        north = self.start("north.test", "--courier.ca", authority)
        self.give(north, south, south.url)
        self.arrived(north, south)

    def test_what_the_ca_does_not_vouch_for(self):
        """Another CA's certificate, and one for another name: not a request goes there."""
        other = self.authority("other")
        self.authority("authority")
        for signer, host in (("authority", "IP:127.0.0.1"), ("other", "IP:192.0.2.1"), ("other", "DNS:south.test")):
            with self.subTest(signer=signer, host=host), tempfile.TemporaryDirectory(dir=self.folder) as folder:
                south = Linked(COMITY, folder, "south.test", *self.certified(signer, host), *OPTIONS)
                north = Linked(COMITY, folder, "north.test", "--courier.ca", other, *OPTIONS)
                with contextlib.closing(south), contextlib.closing(north):
                    self.give(north, south, south.url)
                    self.assertEqual(north.node.wait("link failed", team="south.test")["error"], "untrusted")
                    self.assertEqual(south.node.find("request", method="POST", path="/comity/collections/intake/objects/"), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
