"""A node that is to suffer, and what is held against it from outside: what was acknowledged, is it there, once?

The test's own arguments are COMITY SHIM [--no-sandbox] [--times N]: N times the work, for a night's run.
"""
import argparse
import base64
import collections
import contextlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from control import Control
from node import PATIENCE, Local, Node

ROLES = ["core", "front-local", "front-operators", "front-partners", "courier"]
NAMES = {role: role.replace("-", " ") for role in ROLES}  # as the log says them
TEAMS = [
    {"id": "own.test", "name": "Own", "kind": "national", "economies": ["XN"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["198.51.100.0/24"]}},
    {"id": "bb.test", "name": "Partner", "kind": "national", "economies": ["XS"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["2001:db8::/32", "192.0.2.0/24"]}}]
AGREED = {"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Test", "kind": "multilateral",
          "parties": ["own.test", "bb.test"], "valid_from": "2020-01-01", "clauses": [
              {"id": "1", "from": "*", "to": "*", "classification": ["*"], "tlp_max": "amber", "effect": "release", "onward": "none"}]}
PASSWORD = "the-partner-password-of-the-test"
TAXII = "application/taxii+json;version=2.1"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("comity", type=os.path.abspath)
    parser.add_argument("shim", type=os.path.abspath)
    parser.add_argument("--no-sandbox", action="store_true")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("only", nargs="*")
    return parser.parse_intermixed_args()


OPTIONS = arguments()
WALLS = ["--no-sandbox"] if OPTIONS.no_sandbox else []


def address(number):
    """As the node writes it (RFC 5952)."""
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, f"2001:db8:1::{number + 1 >> 16:x}:{number + 1 & 0xffff:x}"))


def report(number, **more):
    return {"source.ip": address(number), "classification.type": "scanner", "tlp": "amber", "feed.provider": "Feed",
            "time.source": "2026-05-05T10:20:30+00:00", **more}


def lines(numbers):
    return "".join(json.dumps(report(n)) + "\n" for n in numbers).encode()


def identity(number):
    """An object that is no report."""
    return {"type": "identity", "spec_version": "2.1", "id": f"identity--00000000-0000-4000-8000-{number:012}", "name": "Test",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "identity_class": "system"}


class World:
    """One data folder, and the node that works in it."""

    def __init__(self, *options, parent=None, home=None, tls=False, shim=True, log_level="info", agreed=(AGREED,)):
        self.temporary = tempfile.TemporaryDirectory(prefix="comity-fault-", dir=parent)
        self.folder = pathlib.Path(self.temporary.name)
        self.home = pathlib.Path(home) if home else self.folder / "home"
        self.tls, self.options = tls, options
        (self.folder / "teams.json").write_text(json.dumps(TEAMS), encoding="utf-8")
        (self.folder / "agreed.json").write_text(json.dumps(agreed), encoding="utf-8")
        self.home.mkdir(mode=0o700, exist_ok=True)
        # There, as the parent's walls are its children's too.
        self.control = Control(self.home / "fault", OPTIONS.shim) if shim else None
        self.log_level = log_level
        self.node, self.agreed = None, agreed
        self.acknowledged, self.tried = set(), set()
        # What the partner has: addresses by object, and how often each address and id came.
        self.addresses, self.seen, self.ids, self.after = {}, collections.Counter(), collections.Counter(), None

    def start(self, ready=True):
        f = self.folder
        self.node = Node(OPTIONS.comity, self.home, *WALLS, "--tls", "on" if self.tls else "off", "--teams", str(f / "teams.json"),
                         *(["--agreements", str(f / "agreed.json")] if self.agreed else []), "--team", "own.test",
                         "--login.rate", "10000", "--watch.interval", "100ms", "--log.level", self.log_level, *self.options,
                         env=self.control.environment if self.control else None, ready=ready)
        return self

    def people(self):
        self.command("account", "add", "bb", "--kind", "partner", "--team", "bb.test")
        self.command("account", "password", "bb", "--stdin", stdin=PASSWORD.encode() + b"\n")
        return self

    def close(self):
        if self.node is not None:
            self.node.close()
        self.temporary.cleanup()

    def restart(self):
        """As after a machine's end: what was left open is gone."""
        self.node.close()
        return self.start()

    # ---- asking ----

    def run(self, *words, stdin=None):
        return subprocess.run([OPTIONS.comity, *words, "--home", str(self.home)], capture_output=True, input=stdin, timeout=2 * PATIENCE,
                              check=False)

    def command(self, *words, stdin=None):
        done = self.run(*words, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.returncode} {done.stderr.decode()}{self.node.log()[-3000:]}")
        return done.stdout.decode()

    def local(self, path, method="GET", body=None, **headers):
        """Status and JSON; (0, why) if there was no answer."""
        connection = Local(self.home)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text
        except (OSError, http.client.HTTPException, ValueError) as why:
            return 0, str(why)
        finally:
            connection.close()

    def connect(self, door="partners"):
        return self.node.connect(door, tls=self.tls)

    def partner(self, path, method="GET", body=None, connection=None, door="partners", user="bb", **headers):
        """What the partner's program is answered: (status, headers, JSON); raises what the network does."""
        own = connection is None
        connection = self.connect(door) if own else connection
        sent = {"Accept": TAXII, "Authorization": "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode(),
                **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, answer.headers, json.loads(text) if text else None
        finally:
            if own:
                connection.close()

    # ---- reports ----

    def ingest(self, numbers, path="-"):
        """True if it was acknowledged: then all of it must be there for ever."""
        numbers = list(numbers)
        self.tried.update(numbers)
        done = self.run("ingest", "--json", "--quiet", path, stdin=lines(numbers))
        if done.returncode != 0:
            return False
        counts = json.loads(done.stdout)
        assert counts["received"] == len(numbers) == counts["stored"] + counts["duplicate"], counts
        self.acknowledged.update(numbers)
        return True

    def post(self, numbers):
        """The same in one request, without the command's patience."""
        self.tried.update(numbers)
        status, counts = self.local("/api/v1/reports", "POST", lines(numbers))
        if status != 200:
            return False
        assert counts["received"] == len(numbers) == counts["stored"] + counts["duplicate"], counts
        self.acknowledged.update(numbers)
        return True

    def until_ingested(self, numbers):
        for _ in range(20):
            if self.post(numbers):
                return
            self.wait_well()
        raise AssertionError("reports are refused for ever:\n" + self.node.log()[-3000:])

    def wait(self, condition, what, alive=True):
        """Asks again until it is so; the pause is politeness, not a guess at how long it takes."""
        done = threading.Event()
        for _ in range(PATIENCE * 50):
            if condition():
                return
            if alive and self.node.process.poll() is not None:
                break
            done.wait(0.02)
        raise AssertionError(f"{what} did not come:\n{self.node.log()[-3000:]}")

    def wait_well(self):
        self.wait(lambda: self.local("/readyz")[0] == 200, "readiness")

    def drained(self):
        status, told = self.local("/api/v1/status")
        return status == 200 and told["due"] == 0

    def drain(self):
        self.wait(self.drained, "an empty outbox")

    # ---- what a partner has ----

    def collection(self, title="Released to bb.test"):
        status, _, told = self.partner("/comity/collections/")
        if status != 200:
            raise ConnectionError(f"{status}: {told}")
        return next((c["id"] for c in told.get("collections", []) if c["title"] == title), None)

    def fetch(self, limit=1000):
        """All that came to the partner's collection since the last time, as its program would read it."""
        with contextlib.closing(self.connect()) as connection:
            self.read_all(connection, self.collection(), limit)

    def read_all(self, connection, ident, limit):
        query = {"added_after": self.after} if self.after else {}
        while ident is not None:
            path = f"/comity/collections/{ident}/objects/?" + urllib.parse.urlencode({"limit": limit, **query})
            status, headers, page = self.partner(path, connection=connection)
            if status != 200:
                raise ConnectionError(f"{status}: {page}")
            for one in page.get("objects", []):
                self.note(one)
            last = headers["X-TAXII-Date-Added-Last"]
            if page.get("objects"):
                assert self.after is None or last > self.after, "date_added must increase"
                self.after = last
            if not page.get("more"):
                break
            query = {"next": page["next"]}

    def note(self, one):
        if one["type"] == "ipv6-addr":
            self.addresses[one["id"]] = one["value"]
        elif one["type"] == "observed-data":
            self.seen[self.addresses[one["object_refs"][0]]] += 1
            self.ids[one["id"]] += 1

    # ---- the verdict ----

    def stats(self):
        return json.loads(self.command("stats", "--json"))

    def stats_of_all(self):
        """Totals, whatever day the clock says."""
        return json.loads(self.command("stats", "--json", "--since", "2000-01-01", "--until", "2100-01-01"))["totals"]

    def count_of(self, number):
        status, found = self.local("/api/v1/reports?address=" + address(number))
        assert status == 200, (status, found)
        return len(found["items"])

    def judge(self, search=None):
        """Everything is acknowledged and drained now: is each report stored once, and with the partner once?"""
        missing = self.tried - self.acknowledged
        assert not missing, f"{len(missing)} were never acknowledged"
        self.fetch()
        wanted = {address(n) for n in self.tried}
        assert self.seen.keys() == wanted, f"lost {sorted(wanted - self.seen.keys())[:9]}, unasked {sorted(self.seen.keys() - wanted)[:9]}"
        doubled = [a for a, n in self.seen.items() if n > 1] + [i for i, n in self.ids.items() if n > 1]
        assert not doubled, f"doubled: {doubled[:9]}"
        stats = self.stats()
        assert stats["balanced"] and stats["totals"]["stored"] == len(self.tried) == stats["totals"]["released"], stats["totals"]
        for number in self.tried if search is None else search:
            assert self.count_of(number) == 1, f"report {number} is found {self.count_of(number)} times"


class Case(unittest.TestCase):
    def world(self, *options, **more):
        world = World(*options, **more)
        self.addCleanup(world.close)
        return world


def main():
    unittest.main(argv=[sys.argv[0], *OPTIONS.only], verbosity=2)
