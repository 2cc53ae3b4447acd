"""A node of its own for one test, with a partner or two, reached over plain HTTP on loopback; and a client of one account.

Arguments of the test: COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import base64
import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from case import COMITY, OPTIONS, agreement, clause, team
import node

SHARE = os.environ["COMITY_SHARE"]
TAXII = "application/taxii+json;version=2.1"
PLAIN = {"Content-Type": "application/json", "Accept": "*/*"}
ROOT = "/comity/"
PARTNERS = ("bb", "cc")
ACCOUNTS = (("bb", "partner", "bb-cert"), ("cc", "partner", "cc-cert"), ("ana", "analyst", None), ("rea", "reader", None),
            ("ops", "operator", None))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection of one account."""

    def __init__(self, port, user=None, secret=None, token=None, tls=False):
        self.port, self.connection, self.tls = port, None, tls
        self.authorization = None
        if user is not None:
            self.authorization = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
        elif token is not None:
            self.authorization = "Bearer " + token

    def connect(self):
        if self.tls:  # the node's own certificate, which nobody vouches for
            context = ssl._create_unverified_context()
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=node.PATIENCE, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=node.PATIENCE)

    def ask(self, method, path, body=None, headers=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        sent = {"Accept": TAXII}
        if self.authorization:
            sent["Authorization"] = self.authorization
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = TAXII
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = self.connect()
            try:
                self.connection.putrequest(method, path, skip_accept_encoding=True)
                for name, value in sent.items():
                    self.connection.putheader(name, value)
                if body is not None and "Content-Length" not in sent:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                answer = Answer(self.connection.getresponse())
                if answer.headers.get("Connection", "").lower() == "close":
                    self.close()
                return answer
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt:
                    raise
        raise AssertionError

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def get(self, path, headers=None, **query):
        return self.ask("GET", path, headers=headers, **query)

    def collections(self):
        """By title and, where there is one, by alias."""
        listed = self.get(ROOT + "collections/").json().get("collections", [])
        return {c["title"]: c for c in listed} | {c["alias"]: c for c in listed if c.get("alias")}

    def post(self, collection, objects, headers=None):
        return self.ask("POST", f"{ROOT}collections/{collection}/objects/", {"objects": objects}, headers)

    def pages(self, collection, what="objects", **query):
        """All of a collection, as a client that follows `next`."""
        found, query = [], dict(query)
        while True:
            answer = self.get(f"{ROOT}collections/{collection}/{what}/", **query)
            assert answer.status == 200, (answer.status, answer.body)
            page = answer.json()
            found += page.get("objects", [])
            if not page.get("more"):
                return found
            query["next"] = page["next"]


class Node:
    def __init__(self, tls=False):
        """With TLS no accounts are made: the test brings certificates."""
        self.tls, self.more = tls, []
        self.temporary = tempfile.TemporaryDirectory(prefix="comity-taxii-")
        self.folder = pathlib.Path(self.temporary.name)
        self.home = self.folder / "home"
        self.port = self.own_port = 0  # any that is free, which it keeps
        self.write("teams.json", [
            team("own", "NO", constituency={"prefixes": ["198.51.100.0/24"]}),
            team("bb-cert", "SE", constituency={"prefixes": ["192.0.2.0/24"]}),
            team("cc-cert", "FI", constituency={"prefixes": ["203.0.113.0/24"]})])
        self.write("agreements.json", [
            agreement(1, "baseline", [clause("1", treatment={"account": "remove", "text": "remove"})]),
            agreement(2, "bilateral", [clause("1", **{"from": "own", "to": "bb-cert"}, treatment={"account": "remove", "text": "remove"})], parties=["own", "bb-cert"])])
        self.running, self.secrets = None, {}
        try:
            self.start()
            for name, kind, of in () if tls else ACCOUNTS:
                self.account(name, kind, of)
        except BaseException:
            self.close()
            raise

    def write(self, name, content):
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def start(self, quiet=False):
        """QUIET: the log tells of no role that is ready, so it is asked."""
        f = self.folder
        self.running = node.Node(
            COMITY, self.home, *OPTIONS, "--share", SHARE, "--team", "own", "--teams", str(f / "teams.json"), "--agreements",
            str(f / "agreements.json"), "--tls", "on" if self.tls else "off", "--listen.partners", f"127.0.0.1:{self.port}",
            "--listen.operators", f"127.0.0.1:{self.own_port}", "--login.rate", "10000", "--watch", "off",
            "--http.connections-per-address", "0", *self.more, ready=not quiet)
        if quiet:
            self.wait(lambda: all(self.is_well(port) for port in (self.port, self.own_port)))
        else:
            self.port, self.own_port = (int(self.running.address[door].rsplit(":", 1)[1]) for door in ("partners", "operators"))

    def is_well(self, port):
        client = Client(port, tls=self.tls)
        try:
            return client.get("/healthz", headers={"Accept": "*/*"}).status == 200
        except OSError:
            return False
        finally:
            client.close()

    @property
    def process(self):
        return self.running.process

    def said(self):
        return self.running.log() if self.running else ""

    def comity(self, *arguments, stdin=None):
        done = subprocess.run([COMITY, *arguments, "--home", self.home], input=stdin, capture_output=True, check=False,
                              timeout=node.PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr.decode()}{self.said()}")
        return done.stdout.decode()

    def account(self, name, kind, of):
        self.comity("account", "add", name, "--kind", kind, *(["--team", of] if of else []))
        self.comity("account", "password", name, "--stdin", stdin=f"{name}-password-of-the-test\n".encode())
        self.secrets[name] = f"{name}-password-of-the-test"
        if kind != "partner":  # people choose their own
            client = self.client(name)
            answer = client.ask("PUT", f"/api/v1/principals/{name}/password",
                                {"password": f"{name}-own-password-of-the-test", "current": self.secrets[name]}, PLAIN)
            client.close()
            if answer.status not in (200, 204):
                raise AssertionError(f"{name}: {answer.status} {answer.body}")
            self.secrets[name] = f"{name}-own-password-of-the-test"

    def client(self, name):
        """By the door that is theirs."""
        return Client(self.port if name in PARTNERS else self.own_port, name, self.secrets[name])

    def token(self, name):
        out = self.comity("account", "token", name, "--label", "test")
        return re.findall(r"\S{30,}", out)[0]

    def ingest(self, *reports):
        path = self.folder / "in.idf"
        path.write_text("".join(json.dumps(r) + "\n" for r in reports))
        self.comity("ingest", path)

    def wait(self, condition):
        until = time.monotonic() + node.PATIENCE
        while not condition():
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError("it did not come: " + self.said())
            time.sleep(0.05)

    def share(self, alias, title=None, **more):
        """A collection in which all read and write."""
        ops = self.client("ops")
        answer = ops.ask("POST", "/api/v1/collections", {"title": title or alias, "alias": alias, **more}, PLAIN)
        ops.close()
        assert answer.status == 201, answer.body

    def stop(self):
        if self.running is not None and self.process.poll() is None:
            self.running.stop()

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        if self.running is not None:
            self.running.close()
        self.temporary.cleanup()
