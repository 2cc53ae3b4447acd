"""What the tests of several nodes share: teams that each run a node, and who carries what one has for another to it.

Each team's directory is its own, so who answers for an address may differ from node to node. The carrier does by HTTP what a
courier does: it GETs a team's own collection at one node, and POSTs what is new to the intake of that team's node.
The test's own arguments are COMITY [--no-sandbox].
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from node import PATIENCE, Local, Node

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
TAXII = "application/taxii+json;version=2.1"
OPEN = {"id": "open", "from": "*", "to": "*", "classification": ["*"], "tlp_max": "amber", "effect": "release", "onward": "tlp"}


def agreement(number, clauses, kind="baseline", **more):
    return {"id": f"urn:uuid:6f0a6f9e-0000-4000-8000-{number:012}", "title": f"Agreement {number}", "kind": kind, "parties": [],
            "valid_from": "2020-01-01T00:00:00Z", "clauses": clauses, **more}


def report(ip="192.0.2.7", **more):
    return {"source.ip": ip, "classification.type": "scanner", "tlp": "green", "feed.provider": "Feed",
            "time.source": "2026-05-05T10:20:30+00:00", **more}


def objects_of(things, *kinds):
    return [thing for thing in things if thing["type"] in (kinds or ("observed-data", "note"))]


def plain(identifier):
    """A report's UUID as nodes write it, of what STIX says."""
    uuid = identifier[-36:]
    return uuid[:14] + "8" + uuid[15:]


class Team:
    """A node of NAME, in whose directory TEAMS (name: list of prefixes) answer for what they say."""

    def __init__(self, folder, name, teams, agreements):
        self.name, self.home = name, folder / name / "home"
        (folder / name).mkdir()
        self.teams, self.agreed = folder / name / "teams.json", folder / name / "agreed.json"
        self.teams.write_text(json.dumps([
            {"id": team, "name": team.upper(), "kind": "national", "economies": ["X" + team[0].upper()], "source": "test", "verified": True,
             "constituency": {"prefixes": prefixes} if prefixes else {"domains": [f"{team}.test"]}}
            for team, prefixes in teams.items()]), encoding="utf-8")
        self.agreed.write_text(json.dumps(agreements), encoding="utf-8")
        self.tokens, self.carried = {}, {}
        self.node = None
        self.start()

    def start(self):
        self.node = Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(self.teams), "--agreements", str(self.agreed),
                         "--team", self.name)

    def run(self, *words, stdin=None):
        return subprocess.run([COMITY, *map(str, words), "--home", str(self.home)], capture_output=True, text=True, input=stdin,
                              timeout=PATIENCE, check=False)

    def command(self, *words, status=0, stdin=None):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr, self.node.log()[-2000:])
        return done.stdout

    def take(self, *reports):
        done = self.run("ingest", "--json", "-", stdin="".join(json.dumps(r) + "\n" for r in reports))
        self.node.drain()
        return json.loads(done.stdout)

    def let_in(self, team):
        """TEAM's program may come in here."""
        self.command("account", "add", team, "--kind", "partner", "--team", team)
        self.tokens[team] = json.loads(self.command("account", "token", team, "--label", "test", "--json"))["token"]

    def api(self, method, path, body=None):
        with contextlib.closing(Local(self.home)) as local:
            return local.ask(method, path, body)

    def reports(self):
        return self.api("GET", "/api/v1/reports?limit=1000")[1]["items"]

    def ask(self, team, method, path, body=None):
        """As TEAM, at the partners' door."""
        client = self.node.connect("partners", tls=False)
        client.request(method, path, body, {"Authorization": "Bearer " + self.tokens[team], "Accept": TAXII, "Content-Type": TAXII})
        answer = client.getresponse()
        text = answer.read()
        client.close()
        return answer, json.loads(text) if text else None

    def has_for(self, team, versions="all", kind=None):
        """All objects of the collection of TEAM (or with KIND "community", everybody's), oldest first, with their dates."""
        listed = self.ask(team, "GET", "/comity/collections/")[1].get("collections", [])
        own = [c["id"] for c in listed if (c.get("alias") == kind if kind else team in c["title"])]
        objects, following = [], ""
        while own:
            answer, page = self.ask(team, "GET", f"/comity/collections/{own[0]}/objects/?match[version]={versions}&limit=200{following}")
            assert answer.status == 200, page
            objects += page.get("objects", [])
            if not page.get("more"):
                break
            following = "&next=" + page["next"]
        return objects

    def post(self, team, objects):
        """TEAM posts OBJECTS into the intake here; the status."""
        answer, status = self.ask(team, "POST", "/comity/collections/intake/objects/", json.dumps({"objects": objects}))
        assert answer.status == 202, (answer.status, status, self.node.log())
        self.node.drain()
        return status

    def carry_to(self, other, kind=None):
        """What is new for OTHER goes to its node; how many objects, and what became of them."""
        objects = self.has_for(other.name, kind=kind)
        key = (other.name, kind)
        fresh = objects[self.carried.get(key, 0):]
        self.carried[key] = len(objects)
        if not fresh:
            return 0, None
        status = other.post(self.name, fresh)
        assert status["failure_count"] == 0, status
        return len(fresh), status

    def audit(self):
        """Its ledger is whole."""
        key = self.command("ledger", "key").strip()
        answer = json.loads(self.command("ledger", "audit", "--json", "--key", key))
        assert (answer["findings"], answer["whole"]) == ([], True), answer
        return answer["entries"]

    def ledger(self):
        return [json.loads(line)["entry"] for line in self.command("ledger", "show", "--json").splitlines()[1:]]


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def make(self, name, teams, agreements):
        team = Team(self.folder, name, teams, agreements)
        self.addCleanup(lambda: team.node.close())
        return team

    def settle(self, pairs, kind=None):
        """Carry along all PAIRS until nothing is new anywhere; how many rounds that took."""
        for turn in range(50):
            moved = sum(a.carry_to(b, kind=k)[0] for a, b in pairs for k in ({None, kind}))
            if moved == 0:
                return turn
        raise AssertionError("it never comes to rest")
