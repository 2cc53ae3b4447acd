#!/usr/bin/env python3
"""Slow, greedy and malicious clients at the doors of the running node, while an honest one is served all the time.

The requests that are none stand in tests/unit/test_door_hostile.c, once; here they go to the node's own doors.

usage: clients.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import base64
import contextlib
import gzip
import http.client
import json
import pathlib
import re
import resource
import socket
import ssl
import threading
import time
import zlib

from world import OPTIONS, PASSWORD, PATIENCE, TAXII, Case, Local, main

TESTS = pathlib.Path(__file__).resolve().parent.parent
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
AUTHORIZATION = b"Authorization: Basic " + base64.b64encode(f"bb:{PASSWORD}".encode()) + b"\r\n"
HONEST_S = 5  # longer than this nobody honest may wait, whatever others do


def hostile_requests():
    """The CASEs of the C test, as bytes."""
    text = (TESTS / "unit" / "test_door_hostile.c").read_text(encoding="utf-8")
    escapes = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\", '"': b'"'}
    for case in re.findall(r"^    CASE\((.*?)\),$", text, re.M | re.S):
        joined = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case))
        yield b"".join(bytes([int(octal, 8)]) if octal else escapes[one] if one else plain.encode()
                       for octal, one, plain in re.findall(r"\\([0-7]{1,3})|\\(.)|([^\\]+)", joined))


class Honest(threading.Thread):
    """Somebody who asks again and again, and notes how long it took."""

    def __init__(self, world):
        super().__init__()
        self.world, self.done, self.times, self.failed = world, threading.Event(), [], []

    def run(self):
        while not self.done.is_set():
            begun = time.monotonic()
            try:
                status = self.world.partner("/comity/collections/")[0]
            except (OSError, http.client.HTTPException) as why:
                status = why
            if status != 200:
                self.failed.append(status)
            self.times.append(time.monotonic() - begun)
            self.done.wait(0.02)


class Clients(Case):
    options = ("--http.deadline", "1s", "--http.idle", "2s")
    tls = False

    def setUp(self):
        self.w = self.world(*self.options, shim=False, tls=self.tls).start().people()
        self.pids = {role: self.w.node.pid(role) for role in ("core", "front partners", "front operators", "front local")}

    @contextlib.contextmanager
    def honest(self):
        """Served all the while, from within LIMIT, and nobody died."""
        somebody = Honest(self.w)
        somebody.start()
        try:
            yield somebody
        finally:
            somebody.done.set()
            somebody.join()
        self.assertEqual(somebody.failed, [])
        self.assertGreater(len(somebody.times), 0)
        self.assertLess(max(somebody.times), HONEST_S)
        self.assertEqual({role: self.w.node.pid(role) for role in self.pids}, self.pids, "a role died")
        print(f"honest: {len(somebody.times)} times, at most {max(somebody.times) * 1000:.0f} ms ", end="", flush=True)

    def plug(self, door="partners"):
        host, port = self.w.node.address[door].rsplit(":", 1)
        plug = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.addCleanup(plug.close)
        if self.tls:
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            plug = trusting.wrap_socket(plug)
            self.addCleanup(plug.close)
        return plug

    def until_closed(self, plug):
        """What came before the other end closed."""
        came = b""
        with contextlib.suppress(ConnectionError):
            while piece := plug.recv(65536):
                came += piece
        return came

    def drip(self, plug, pieces, seconds=0.05):
        """A piece, a pause, a piece ... until it is closed; True if it was before all was sent."""
        plug.settimeout(seconds)
        for piece in pieces:
            try:
                plug.sendall(piece)
                if plug.recv(1) == b"":
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    # ---- requests that are none ----

    def test_requests_that_are_none(self):
        cases = list(hostile_requests())
        self.assertGreater(len(cases), 50)
        with self.honest():
            for door in ("partners", "operators"):
                for case in cases:
                    case = case.replace(b"/plain", b"/healthz").replace(b"/whole", b"/comity/collections/x/objects/")
                    plug = self.plug(door)
                    plug.sendall(case + GET)  # behind it what a smuggler would hide
                    plug.shutdown(socket.SHUT_WR)
                    came = self.until_closed(plug)
                    self.assertEqual([s for s in re.findall(rb"HTTP/1\.1 (\d)", came) if s not in b"45"], [], case)

    def test_heads_without_end(self):
        with self.honest():
            for head in (b"GET /" + b"a" * 200_000, b"GET /healthz HTTP/1.1\r\n" + b"X-A: " + b"b" * 200_000,
                         b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(20_000))):
                plug = self.plug()
                with contextlib.suppress(ConnectionError):
                    plug.sendall(head)
                self.assertNotIn(b" 200 ", self.until_closed(plug))

    # ---- the slow ----

    def test_slowloris(self):
        """Heads and bodies that drip: each is shut, however many there are."""
        with self.honest():
            plugs = [self.plug() for _ in range(90)]
            shut = []
            threads = [threading.Thread(target=lambda p=plug: shut.append(self.drip(
                p, [b"GET /healthz HTTP/1.1\r\n"] + [b"X-%d: y\r\n" % i for i in range(400)]))) for plug in plugs]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(shut, [True] * 90)

    def test_bodies_that_stop(self):
        """An upload that stops in the middle, and one that drips."""
        head = b"POST /comity/collections/x/objects/ HTTP/1.1\r\nHost: h\r\n" + AUTHORIZATION + \
            b"Content-Type: application/taxii+json;version=2.1\r\nContent-Length: 100000\r\n\r\n"
        with self.honest():
            stopped = [self.plug() for _ in range(20)]
            for plug in stopped:
                plug.sendall(head + b'{"objects": [')
            dripping = self.plug()
            self.assertTrue(self.drip(dripping, [head] + [b" "] * 400))
            for plug in stopped:
                self.assertNotIn(b"HTTP/1.1 2", self.until_closed(plug))

    def test_reader_of_a_byte_a_second(self):
        """A partner's program that does not read what it asked for is shut, and what it did not get it gets later."""
        for at in range(0, 20000, 5000):
            self.w.until_ingested(range(at, at + 5000))
        self.w.drain()
        ident = self.w.collection()
        with self.honest():
            plug = self.plug()
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plug.sendall((b"GET /comity/collections/%s/objects/?limit=1000 HTTP/1.1\r\nHost: h\r\nAccept: %s\r\n%s\r\n"
                          % (ident.encode(), TAXII.encode(), AUTHORIZATION)) * 60)
            begun = time.monotonic()
            while self.is_open(plug):
                self.assertEqual(len(plug.recv(1)), 1)
                self.assertLess(time.monotonic() - begun, PATIENCE, "it was never shut")
                time.sleep(1)  # so slow is this client
            plug.close()
        self.w.judge(search=[0, 19999])

    @staticmethod
    def is_open(plug):
        """Is the door's end of it open, as the kernel says?"""
        ends = [f":{plug.getpeername()[1]:04X}", f":{plug.getsockname()[1]:04X}"]
        for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if [words[1][8:], words[2][8:]] == ends:
                return words[3] == "01"
        return False

    # ---- the many ----

    def test_half_open(self):
        """Thousands who connect and say nothing, and more than may come in; then room again."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = min(3000 if OPTIONS.times == 1 else 10000, hard - 500)
        host, port = self.w.node.address["partners"].rsplit(":", 1)
        plugs = []
        with contextlib.ExitStack() as all_of_them:
            for i in range(count):
                plug = socket.socket()
                plugs.append(all_of_them.enter_context(plug))
                plug.bind((f"127.0.{i // 90 % 250 + 1}.7", 0))
                plug.setblocking(False)
                plug.connect_ex((host, int(port)))
            # Somebody honest, from an address of their own, gets in within the deadline of those who say nothing.
            begun = time.monotonic()
            self.w.wait(self.served, "an answer amid the crowd")
            waited = time.monotonic() - begun
        self.w.wait(lambda: self.served(), "an answer behind the crowd")
        self.assertEqual(self.w.node.pid("front partners"), self.pids["front partners"])
        print(f"{count} half open; served after {waited * 1000:.0f} ms ", end="", flush=True)

    def served(self):
        try:
            return self.w.partner("/comity/collections/", connection=None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    # ---- bombs ----

    def post(self, body, path="/api/v1/reports", **headers):
        local = Local(self.w.home)
        try:
            local.request("POST", path, body, headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = local.getresponse()
            return answer.status, answer.read()
        finally:
            local.close()

    def test_bombs(self):
        """A gzip that grows a thousandfold, JSON that nests a million deep, a line of 50 MB: refused, and memory stays."""
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        big = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(512)) + bomb.flush()
        deep = b'{"source.ip": "192.0.2.1", "extra.x": ' + b"[" * 1_000_000
        with self.honest():
            for body, more in ((big, {"Content_Encoding": "gzip"}), (gzip.compress(big), {"Content_Encoding": "gzip"}), (deep, {}),
                               (gzip.compress(deep), {"Content_Encoding": "gzip"}), (b'{"extra.x": "' + b"a" * 50_000_000, {})):
                status, told = self.post(body, **more)
                counts = json.loads(told)
                self.assertTrue(status in (400, 413, 415) or (status == 200 and counts["rejected"] > 0 and counts["stored"] == 0), told[:300])
                intake = self.w.collection("Intake")
                status, _, told = self.w.partner(f"/comity/collections/{intake}/objects/", "POST", body[:3_000_000], Content_Type=TAXII, **more)
                self.assertIn(status, (400, 413, 415, 422), told)
        peak = {role: self.peak(role) for role in self.pids}
        self.assertLess(max(peak.values()), 256 << 20, peak)
        print(f"peak {max(peak.values()) >> 20} MiB ", end="", flush=True)

    def peak(self, role):
        status = pathlib.Path(f"/proc/{self.w.node.pid(role)}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024

    def test_hostile_files(self):
        """Every file that tests elsewhere keep for parsers, at the local door and the partners'."""
        files = [p for folder in (TESTS / "data", TESTS.parent / "fuzz" / "corpus") for p in sorted(folder.rglob("*"))
                 if p.is_file() and p.stat().st_size < 1_000_000]
        files = files[::1 if OPTIONS.times > 1 else max(1, len(files) // 400)]
        intake = self.w.collection("Intake")
        with self.honest():
            for path in files:
                body = path.read_bytes()
                status, told = self.post(body)
                self.assertTrue(status in (200, 400, 413, 415, 422), (path, status, told[:300]))
                if status == 200:
                    counts = json.loads(told)
                    self.assertEqual(counts["received"], counts["stored"] + counts["rejected"] + counts["duplicate"], path)
                status, _, told = self.w.partner(f"/comity/collections/{intake}/objects/", "POST", body, Content_Type=TAXII)
                self.assertIn(status, (202, 400, 413, 415, 422), (path, told))
        self.assertTrue(self.w.stats()["balanced"])
        print(f"{len(files)} files ", end="", flush=True)


class Tls(Clients):
    """The same over TLS where that makes a difference: handshakes that stop, and those that never come."""
    tls = True

    def test_handshakes_that_stop(self):
        with self.honest():
            host, port = self.w.node.address["partners"].rsplit(":", 1)
            for said in (b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 100):
                plugs = [socket.create_connection((host, int(port)), timeout=PATIENCE) for _ in range(20)]
                for plug in plugs:
                    with plug, contextlib.suppress(ConnectionError):
                        plug.sendall(said)
                        self.until_closed(plug)

    test_requests_that_are_none = test_heads_without_end = test_bodies_that_stop = test_hostile_files = None
    test_bombs = test_half_open = test_reader_of_a_byte_a_second = None


if __name__ == "__main__":
    main()
