"""A node under test: started on free ports of loopback, watched by its log, stopped at the end.

    node = Node(comity, folder, "--no-sandbox" or not)
    node.wait("node ready"); node.address["partners"]; node.pid("core"); node.stop()
    Local(node.home).get("/api/v1/status")
Nothing here waits by sleeping: what is awaited is a line of the log, an answer, or a process's end.
"""
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

PATIENCE = 60  # seconds, before a test is given up
ROLES = ["core", "courier", "front local", "front operators", "front partners"]  # all but the parent


def pin_of(certificate):
    """SHA-256 of the certificate in a PEM file, as cards name it."""
    text = pathlib.Path(certificate).read_text(encoding="ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


class Local(http.client.HTTPConnection):
    """The local door of the node whose data folder is HOME."""

    def __init__(self, home, timeout=PATIENCE):
        super().__init__("localhost", timeout=timeout)
        self.path = str(pathlib.Path(home) / "local.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def get(self, path):
        self.request("GET", path)
        return json.loads(self.getresponse().read())

    def ask(self, method, path, body=None):
        """Status and what is said, if anything; BODY goes as JSON."""
        self.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = self.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


class Node:
    def __init__(self, comity, home, *options, env=None, before=None, ready=True):
        self.home = pathlib.Path(home)
        self.lines, self.text, self.changed, self.ended = [], [], threading.Condition(), False
        self.process = subprocess.Popen(
            [comity, "serve", "--home", str(home), "--log.format", "json", "--listen.operators", "127.0.0.1:0",
             "--listen.partners", "127.0.0.1:0", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(env or {})},
            preexec_fn=before)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if ready:
            self.wait("node ready")

    def read(self):
        for line in self.process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": None}
            with self.changed:
                self.text.append(line.decode(errors="replace"))
                self.lines.append(event)
                self.changed.notify_all()
        self.process.stderr.close()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def find(self, event, since=0, **fields):
        return [line for line in self.lines[since:] if line["event"] == event
                and all(line.get(key) == value for key, value in fields.items())]

    def wait(self, event, since=0, count=1, **fields):
        """The COUNTth line with this event and fields, of those from SINCE on."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.find(event, since, **fields)) >= count or self.ended, PATIENCE):
                raise AssertionError(f'no "{event}" {fields} came:\n{self.log()}')
            found = self.find(event, since, **fields)
            if len(found) < count:
                raise AssertionError(f'the node ended before "{event}" {fields}:\n{self.log()}')
            return found[count - 1]

    def first_password(self):
        """Of the account "operator", as the log of a new node says it."""
        found = re.search(r"must be changed then: (\S+)", self.log())
        assert found, self.log()
        return found.group(1)

    def log(self):
        return "".join(self.text)

    def mark(self):
        with self.changed:
            return len(self.lines)

    @property
    def address(self):
        return {line["door"]: line["address"] for line in self.find("listening") if "address" in line}

    def pid(self, role):
        return self.find("role started", which=role)[-1]["pid"]

    def kill(self, role, number=signal.SIGKILL):
        """Kill it and wait until its successor is ready."""
        since, pid = self.mark(), self.pid(role)
        os.kill(pid, number)
        self.wait("role died", since, which=role, pid=pid)
        return self.wait("role ready", since, which=role)["pid"]

    def connect(self, door, tls=True):
        """A connection to a door; over TLS whoever is there."""
        if not tls:
            return http.client.HTTPConnection(self.address[door], timeout=PATIENCE)
        host, port = self.address[door].rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(host, int(port), timeout=PATIENCE, context=context)

    def ask(self, door, path, status, connection=None):
        """GET PATH until it is answered with STATUS; answers that a restart explains come before."""
        until = time.monotonic() + PATIENCE
        while True:
            client = connection or self.connect(door)
            try:
                client.request("GET", path)
                answer = client.getresponse()
                answer.read()
                if answer.status == status:
                    return answer
                seen = answer.status
            except (OSError, http.client.HTTPException) as broken:
                if connection:
                    raise
                seen = broken
            finally:
                if not connection:
                    client.close()
            if time.monotonic() > until:
                raise AssertionError(f"{door} {path}: {seen}, never {status}:\n{self.log()}")

    def drain(self, patience=PATIENCE, pause=0):
        """Until nothing is due to anybody any more. It goes out while nothing else is asked: PAUSE so long between questions."""
        until = time.monotonic() + patience
        with contextlib.closing(Local(self.home)) as local:
            while local.get("/api/v1/status")["due"] > 0:
                if time.monotonic() > until:
                    raise AssertionError("the outbox is never empty:\n" + self.log())
                time.sleep(pause)

    def send(self, number):
        os.kill(self.process.pid, number)

    def end(self):
        """Its exit status, once it has ended and all it said is read."""
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.end()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.end()
