"""The front over real sockets: TLS versions, client certificates, another certificate while connections go on, slow and
greedy clients, and curl. Usage: http_door.py DOOR, the test program tests/unit/door_main.c."""
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

DOOR = os.path.abspath(sys.argv[1])
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Door:
    """The program, running: with TLS if a certificate is named."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([DOOR, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


def read_answer(s):
    """One answer with a Content-Length: (status, head, body); None if the connection was closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(65536)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += s.recv(65536)
    return int(head.split()[1]), head, body


def is_closed(s):
    try:
        while s.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


class Case(unittest.TestCase):
    def door(self, *arguments):
        door = Door(*arguments)
        self.addCleanup(door.stop)
        return door

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.folder)

    def certificate(self, name, days=10, ca=None, purpose="serverAuth"):
        """NAME.pem and NAME.key, signed by itself or by CA."""
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        more = [] if ca is None else ["-CA", f"{ca}.pem", "-CAkey", f"{ca}.key"]
        self.openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", days, "-out", f"{name}.pem",
                     "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", f"extendedKeyUsage={purpose}", *more)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def authority(self, name):
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        self.openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", 10, "-out", f"{name}.pem")
        return self.folder / f"{name}.pem"


def context(trust, version=None, client=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(trust)
    if version is not None:
        made.minimum_version = made.maximum_version = version
    if client is not None:
        made.load_cert_chain(*client)
    return made


class Tls(Case):
    def shake(self, door, made, **more):
        return made.wrap_socket(door.connect(), server_hostname="localhost", **more)

    def ask(self, s, path=b"/core"):
        s.sendall(GET % path)
        return read_answer(s)

    def test_versions(self):
        certificate, key = self.certificate("server")
        door = self.door(certificate, key, "none")
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.shake(door, context(certificate, version)) as s:
                self.assertEqual(s.version(), name)
                status, head, body = self.ask(s)
                self.assertEqual(status, 200)
                self.assertIn(b"Strict-Transport-Security:", head)
                self.assertIn(b'"scheme":0', body)
        old = context(certificate)
        with warnings.catch_warnings():  # old versions are deprecated there too
            warnings.simplefilter("ignore")
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shake(door, old).close()
        weak = context(certificate, ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shake(door, weak).close()

    def test_alpn_and_tickets(self):
        certificate, key = self.certificate("server")
        door = self.door(certificate, key, "none")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            made = context(certificate, version)
            made.set_alpn_protocols(["h2", "http/1.1"])
            with self.shake(door, made) as s:
                self.assertEqual(s.selected_alpn_protocol(), "http/1.1")
                self.assertFalse(s.session_reused)
                self.ask(s)
                session = s.session
            with self.shake(door, made, session=session) as s:
                self.ask(s)
                self.assertTrue(s.session_reused, version)

    def test_plain_at_tls_and_tls_at_plain(self):
        certificate, key = self.certificate("server")
        with self.door(certificate, key, "none").connect() as s:
            s.sendall(GET % b"/plain")
            self.assertTrue(is_closed(s))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shake(self.door(), context(certificate)).close()

    def fingerprint(self, certificate):
        out = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True, text=True)
        return out.stdout.strip().split("=")[1].replace(":", "").lower().encode()

    def test_any_client_certificate(self):
        certificate, key = self.certificate("server")
        client = self.certificate("client", purpose="clientAuth")
        door = self.door(certificate, key, "any")
        shown = b'"scheme":4,"user":"","secret":"' + self.fingerprint(client[0]) + b'"'
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            made = context(certificate, version, client)
            with self.shake(door, made) as s:
                self.assertIn(shown, self.ask(s)[2])
                session = s.session
            with self.shake(door, made, session=session) as s:  # who resumes is who it was
                self.assertIn(shown, self.ask(s)[2])
            with self.shake(door, context(certificate, version)) as s:
                self.assertIn(b'"scheme":0', self.ask(s)[2])

    def test_client_authority(self):
        certificate, key = self.certificate("server")
        ca = self.authority("ca")
        good = self.certificate("good", ca="ca", purpose="clientAuth")
        stranger = self.certificate("stranger", purpose="clientAuth")
        server_only = self.certificate("other", ca="ca", purpose="serverAuth")
        door = self.door(certificate, key, ca)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.shake(door, context(certificate, version, good)) as s:
                self.assertIn(b'"secret":"' + self.fingerprint(good[0]), self.ask(s)[2])
            with self.shake(door, context(certificate, version)) as s:
                self.assertIn(b'"scheme":0', self.ask(s)[2])
            for bad in (stranger, server_only):
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    with self.shake(door, context(certificate, version, bad)) as s:
                        if self.ask(s) is None:
                            raise ConnectionError("closed")

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    def test_curl(self):
        certificate, key = self.certificate("server")
        client = self.certificate("client", purpose="clientAuth")
        door = self.door(certificate, key, "any")
        url = f"https://localhost:{door.port}"
        curl = ["curl", "-sS", "--fail", "--cacert", certificate, "--resolve", f"localhost:{door.port}:127.0.0.1"]
        out = subprocess.run([*curl, "--cert", client[0], "--key", client[1], url + "/core"], check=True, capture_output=True)
        self.assertIn(self.fingerprint(client[0]), out.stdout)
        big = self.folder / "big"
        big.write_bytes(b"x" * 3_000_000)  # curl asks with Expect: 100-continue
        out = subprocess.run([*curl, "-T", big, "-X", "POST", url + "/stream"], check=True, capture_output=True)
        self.assertEqual(out.stdout, b"3000000")
        out = subprocess.run([*curl, "-H", "Transfer-Encoding: chunked", "-T", big, "-X", "POST", url + "/stream"], check=True, capture_output=True)
        self.assertEqual(out.stdout, b"3000000")

    def test_another_certificate(self):
        first = self.certificate("first")
        second = self.certificate("second")
        door = self.door(*first, "none")
        with self.shake(door, context(first[0])) as old:
            self.assertEqual(self.ask(old)[0], 200)
            self.assertEqual(door.say(f"certificate {second[0]} {first[1]} none"), "refused")
            with self.shake(door, context(first[0])) as s:
                self.assertEqual(self.ask(s)[0], 200)
            self.assertEqual(door.say(f"certificate {second[0]} {second[1]} none"), "taken")
            self.assertEqual(self.ask(old)[0], 200)  # it goes on
            with self.shake(door, context(second[0])) as s:
                self.assertEqual(self.ask(s)[0], 200)
            with self.assertRaises(ssl.SSLError):
                self.shake(door, context(first[0])).close()

    def test_handshake_that_stops(self):
        certificate, key = self.certificate("server")
        door = self.door(certificate, key, "none", "head_s=1")
        with door.connect() as s:
            s.sendall(b"\x16\x03\x01\x02\x00\x01")
            self.assertTrue(is_closed(s))


class Slow(Case):
    def test_silent(self):
        door = self.door("head_s=1")
        with door.connect() as s:
            self.assertTrue(is_closed(s))

    def test_head_that_drips(self):
        door = self.door("head_s=1")
        begun = time.monotonic()
        with door.connect() as s:
            s.settimeout(0.1)
            try:
                for byte in GET % b"/plain" * 10000:
                    s.sendall(bytes([byte]))
                    try:
                        self.assertEqual(s.recv(1), b"")
                        break
                    except TimeoutError:
                        pass
            except ConnectionError:
                pass
        self.assertLess(time.monotonic() - begun, 3.9)  # it would take four seconds to send

    def test_body_that_drips(self):
        door = self.door("grace_s=1", "rate=1000")
        with door.connect() as s:
            s.sendall(b"POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n")
            s.settimeout(0.1)
            with self.assertRaises(ConnectionError):
                for _ in range(300):
                    s.sendall(b"x")
                    try:
                        if s.recv(1) == b"":
                            raise ConnectionError("closed")
                    except TimeoutError:
                        pass

    def test_answer_that_nobody_reads(self):
        door = self.door("grace_s=1", "rate=1000000", "idle_s=60")
        with door.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(GET % b"/big" * 200)  # 10 MB, more than sockets take
            deadline = time.monotonic() + 30
            # The door shuts it: what was sent is still there, but not all of it ever comes.
            while int(self.metric(door, "comity_http_shut_total")) == 0:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)

    def metric(self, door, name):
        with door.connect() as s:
            s.sendall(GET % b"/metrics")
            for line in read_answer(s)[2].decode().splitlines():
                if line.startswith(name):
                    return line.split()[-1]
        self.fail(f"no {name}")

    def test_idle(self):
        door = self.door("idle_s=1")
        with door.connect() as s:
            s.sendall(GET % b"/plain")
            self.assertEqual(read_answer(s)[0], 200)
            self.assertTrue(is_closed(s))


class Many(Case):
    def several(self, door, count):
        made = [door.connect() for _ in range(count)]
        for s in made:
            self.addCleanup(s.close)
        return made

    def test_per_address(self):
        door = self.door("connections_per_address=3")
        kept = self.several(door, 3)
        for s in kept:
            s.sendall(GET % b"/plain")
            self.assertEqual(read_answer(s)[0], 200)
        with door.connect() as fourth:
            try:
                fourth.sendall(GET % b"/plain")
            except ConnectionError:
                pass
            self.assertTrue(is_closed(fourth))
        kept.pop().close()
        deadline = time.monotonic() + 20
        while True:  # room again, as soon as the door has seen it
            with door.connect() as s:
                try:
                    s.sendall(GET % b"/plain")
                    if read_answer(s) is not None:
                        break
                except ConnectionError:
                    pass
            self.assertLess(time.monotonic(), deadline)

    def test_full_of_idlers(self):
        """Who idles must go when others want in: three quarters are taken."""
        door = self.door("connections=20", "connections_per_address=0", "idle_s=600", "head_s=600")
        idle = self.several(door, 20)
        for s in idle:
            s.sendall(GET % b"/plain")
            self.assertEqual(read_answer(s)[0], 200)
        with door.connect() as s:
            s.sendall(GET % b"/plain")
            self.assertEqual(read_answer(s)[0], 200)

    def test_full_of_the_silent(self):
        """So must who has said nothing yet."""
        door = self.door("connections=20", "connections_per_address=0", "idle_s=600", "head_s=600")
        self.several(door, 20)
        with door.connect() as s:
            s.sendall(GET % b"/plain")
            self.assertEqual(read_answer(s)[0], 200)

    def test_half_closed(self):
        door = self.door()
        with door.connect() as s:
            s.sendall(GET % b"/core")
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(read_answer(s)[0], 200)

    def test_four_hundred_at_once(self):
        door = self.door("connections_per_address=0")
        several = self.several(door, 400)
        for s in several:
            s.sendall(GET % b"/core" * 3)
        for s in several:
            data = b""
            while data.count(b"HTTP/1.1 200") < 3 or not data.endswith(b"}"):
                piece = s.recv(65536)
                self.assertTrue(piece)
                data += piece


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
