"""Nodes that agree with one another: each runs in a home of its own. Between them the test carries the objects, by the ways that
partners have: what a node shows in a team's collection is posted into that team's intake, under the shower's account there.

The test's own arguments are COMITY [--no-sandbox].
"""
import base64
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from node import PATIENCE, Local, Node
from signed import canonical

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
TYPE = "application/taxii+json;version=2.1"
ID = "urn:uuid:6f0a6f9e-0000-4000-8000-{:012}"
TEAMS = [{"id": f"{name}.test", "name": name.capitalize(), "kind": "national", "economies": [economy], "source": "test", "verified": True,
          "constituency": {"prefixes": [prefix]}}
         for name, economy, prefix in (("north", "XN", "192.0.2.0/24"), ("south", "XS", "198.51.100.0/24"), ("east", "XE", "203.0.113.0/24"))]
REPORT = {"classification.type": "scanner", "feed.provider": "Feed", "tlp": "amber", "time.source": "2026-05-05T10:20:30+00:00"}


def document(number, *parties, **more):
    return {"id": ID.format(number), "title": f"Pact {number}", "kind": "bilateral" if len(parties) == 2 else "multilateral",
            "parties": [f"{p}.test" for p in parties], "valid_from": "2026-01-01", "clauses": [
                {"id": "1", "from": "party", "to": "party", "classification": ["*"], "tlp_max": "amber", "effect": "release", "onward": "none"}],
            **more}


def until(what, patience=PATIENCE):
    """The first true answer of WHAT."""
    end = time.monotonic() + patience
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.02)


class Team:
    """One team's node, and what its people do."""

    def __init__(self, world, name, **more):
        self.world, self.name, self.team, self.home = world, name, f"{name}.test", world.folder / name
        self.home.mkdir(exist_ok=True)
        self.accounts, self.more, self.reports = {}, more, 0
        self.key = self.agree("key", "--as", self.team).split()[1]
        self.node = None

    def start(self):
        self.node = Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--team", self.team, "--teams", str(self.world.folder / "teams.json"),
                         "--feeds", str(self.world.folder / "feeds.json"), **self.more)

    def run(self, *words, status=0, **more):
        done = subprocess.run([COMITY, *words], capture_output=True, text=True, check=False, cwd=self.world.folder, timeout=PATIENCE,
                              env={**os.environ, "COMITY_HOME": str(self.home), **self.more.get("env", {})}, **more)
        assert status is None or done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def agree(self, command, *words, status=0):
        done = self.run("agreement", command, "--teams", "teams.json", *words, status=status)
        return done.stdout if status == 0 else done.stderr

    def show(self, ident):
        return json.loads(self.agree("show", "--json", ident))

    def standing(self, ident):
        return next((row["standing"] for row in map(json.loads, self.agree("list", "--json").splitlines()) if row["id"] == ident), None)

    def ask(self, method, path, body=None):
        with contextlib.closing(Local(self.home)) as door:
            return door.ask(method, path, body)

    def told(self, ident):
        """How the running node has it."""
        return self.ask("GET", f"/api/v1/agreements/{ident}")[1]

    def partner(self, team, method, path, body=None):
        """TEAM at this node's partners' door."""
        if team not in self.accounts:
            password = self.run("account", "add", team, "--kind", "partner", "--team", f"{team}.test").stdout.strip()
            self.accounts[team] = base64.b64encode(f"{team}:{password}".encode()).decode()
        with contextlib.closing(self.node.connect("partners", tls=False)) as door:
            headers = {"Authorization": "Basic " + self.accounts[team], "Accept": TYPE}
            door.request(method, path, None if body is None else json.dumps(body), headers if body is None else {**headers, "Content-Type": TYPE})
            answer = door.getresponse()
            return answer.status, json.loads(answer.read())

    def shown(self, team):
        """What the node shows TEAM of agreements: the newest version of each."""
        collections = self.partner(team, "GET", "/comity/collections/")[1].get("collections", [])
        own = [c["id"] for c in collections if c["title"].startswith("Released")]
        if not own:
            return []
        found = self.partner(team, "GET", f"/comity/collections/{own[0]}/objects/?match[type]=csirt-agreement")[1].get("objects", [])
        assert all(o.get("events", True) for o in found)  # an empty list is left out
        return [{**o, "events": o.get("events", [])} for o in found]

    def said(self, team):
        """What it shows TEAM of its own doing."""
        return [e["event"] for e in self.shown(team)[0]["events"] if e["by"] == self.team]

    def take(self, sender, *objects):
        """SENDER posts OBJECTS; what was said of those that failed."""
        status, told = self.partner(sender, "POST", "/comity/collections/intake/objects/", {"objects": list(objects)})
        assert status in (200, 202), (status, told)
        return [f["message"] for f in told.get("failures", [])]

    def release(self, prefix):
        """Whether a report for PREFIX is released to its team now."""
        self.reports += 1
        count = lambda: sum(day.get("released", 0) for day in [self.ask("GET", "/api/v1/statistics")[1]["totals"]])
        before = count()
        line = json.dumps({**REPORT, "source.ip": f"{prefix}{self.reports % 250 + 1}", "source.account": f"{self.reports}"}) + "\n"
        self.run("ingest", "-", input=line)
        return count() > before


class Case(unittest.TestCase):
    names = ("north", "south")

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.write("teams.json", TEAMS)
        self.write("feeds.json", {"default_tlp": "amber", "feeds": []})
        self.teams = {}
        for name in self.names:
            self.teams[name] = Team(self, name, **self.more(name))
            setattr(self, name, self.teams[name])
        self.trust()
        for team in self.teams.values():
            team.start()
            self.addCleanup(team.node.close)

    def more(self, _name):
        return {}

    def trust(self):
        for team in self.teams.values():
            for other in self.teams.values():
                if other is not team:
                    team.agree("key", "--trust", other.team, other.key)

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def carry(self, one, other):
        """What ONE shows OTHER is posted there; what was refused."""
        return other.take(one.name, *objects) if (objects := one.shown(other.name)) else []

    def settle(self):
        """Carry until nothing changes any more: each node shows to the others what it showed before."""
        before = None
        for _ in range(10):
            now = [(a.name, b.name, canonical(a.shown(b.name))) for a in self.teams.values() for b in self.teams.values() if a is not b]
            if now == before:
                return
            before = now
            for a in self.teams.values():
                for b in self.teams.values():
                    if a is not b:
                        self.assertEqual(self.carry(a, b), [])
        self.fail("they go on for ever")

    def agreed(self, number=1, *parties, **more):
        """In force at all its parties' nodes."""
        parties = parties or self.names
        ident = ID.format(number)
        first = self.teams[parties[0]]
        first.agree("propose", self.write("draft.json", document(number, *parties, **more)))
        until(lambda: first.shown(parties[1]))
        self.settle()
        for name in parties[1:]:
            self.teams[name].agree("sign", ident)
            until(lambda n=name: any(o["agreement"]["id"] == ident for o in self.teams[n].shown(parties[0])))
        self.settle()
        for name in parties:
            self.assertEqual(self.teams[name].standing(ident), "in force", name)
        return ident
