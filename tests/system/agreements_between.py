#!/usr/bin/env python3
"""An agreement between nodes: proposed at one, signed at the other, in force at both; suspended, resumed, ended, refused.

Each node runs in a home of its own. Between them this program carries the objects, by the ways that partners have: what a node
shows in a team's collection is posted into that team's intake, under the shower's account there.
"""
import base64
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from node import PATIENCE, Local, Node
from signed import canonical, message, public, sign

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
            door.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = door.getresponse()
            return answer.status, json.loads(answer.read())

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


class Two(Case):
    def test_proposed_here_signed_there(self):
        ident, north, south = ID.format(1), self.north, self.south
        self.assertFalse(north.release("198.51.100."))
        begun = time.monotonic()
        north.agree("propose", self.write("draft.json", document(1, "north", "south")))
        until(lambda: north.shown("south"))
        self.assertLess(time.monotonic() - begun, 1 + 0.5)  # the command's own time besides
        self.assertEqual(self.carry(north, south), [])
        self.assertEqual((north.standing(ident), south.standing(ident)), ("proposed", "proposed"))
        told = south.told(ident)
        self.assertEqual([(e["event"], e["team"]) for e in told["events"]], [("proposed", "north.test"), ("signed", "north.test")])
        self.assertEqual([(s["party"], s["is"]) for s in told["signatures"]], [("north.test", "good")])
        self.assertEqual([(a["team"], a["standing"], a["signatures"]) for a in told["abroad"]], [("north.test", "proposed", 1)])
        self.assertEqual(south.shown("north"), [])  # nobody here said anything yet
        self.assertFalse(south.release("192.0.2."))
        south.agree("sign", ident)
        self.assertEqual(south.standing(ident), "in force")
        self.assertTrue(south.release("192.0.2."))
        self.assertFalse(north.release("198.51.100."))
        until(lambda: south.shown("north"))
        self.settle()
        self.assertEqual(north.standing(ident), "in force")
        self.assertTrue(north.release("198.51.100."))
        for one, other in ((north, south), (south, north)):
            shown, = one.shown(other.name)
            self.assertEqual(shown["standing"], "in force")
            self.assertEqual({s["party"] for s in shown["agreement"]["signatures"]}, {"north.test", "south.test"})
            self.assertEqual([(a["team"], a["standing"], a["signatures"]) for a in one.told(ident)["abroad"]], [(other.team, "in force", 2)])
            self.assertIn(f"{other.team} says: in force, with 2 signatures", one.agree("list"))
            self.assertIn(f"{other.team} says: in force, with 2 signatures", one.agree("show", ident))
        # What an agreement's text is, is the same at both: what is signed, to the byte.
        self.assertEqual(north.told(ident)["sha256"], south.told(ident)["sha256"])
        self.assertEqual(north.agree("export", ident), south.agree("export", ident))

    def test_suspended_there(self):
        """Suspending stops the other's releases; resuming is for each by itself; an end is for good."""
        ident, north, south = self.agreed(), self.north, self.south
        self.assertTrue(south.release("192.0.2."))
        north.agree("suspend", "--reason", "a leak is looked into", ident)
        until(lambda: north.shown("south")[0]["events"])
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("suspended", "suspended"))
        self.assertFalse(south.release("192.0.2."))
        event = south.show(ident)["events"][-1]
        self.assertEqual((event["event"], event["by"], event["party"], event["reason"]),
                         ("suspended", "south.test", "north.test", "a leak is looked into"))
        self.assertIn("suspended by north.test since", south.agree("list"))
        self.assertIn("only they can resume it", south.agree("resume", ident, status=3))
        south.agree("suspend", ident)  # and by itself
        until(lambda: south.shown("north")[0]["events"])
        self.settle()
        north.agree("resume", ident)
        until(lambda: len(north.shown("south")[0]["events"]) == 2)
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("suspended", "suspended"))
        self.assertFalse(north.release("198.51.100."))
        south.agree("resume", ident)
        until(lambda: len(south.shown("north")[0]["events"]) == 2)
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("in force", "in force"))
        self.assertTrue(north.release("198.51.100."))
        south.agree("end", ident)
        until(lambda: len(south.shown("north")[0]["events"]) == 3)
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("ended", "ended"))
        self.assertFalse(north.release("198.51.100."))
        for team in (north, south):
            self.assertIn("for good", team.agree("sign", ident, status=3))
        north.node.stop()  # all of it is on disk
        north.start()
        self.addCleanup(north.node.close)
        self.assertEqual(north.told(ident)["standing"], "ended")
        self.ledger(north, ident, ["proposed", "signed", "signed", "suspended", "suspended", "resumed", "resumed", "ended"])

    def ledger(self, team, ident, events):
        """Each event of either party is an entry, by whoever did it."""
        shown = [json.loads(line) for line in team.run("ledger", "show", *OPTIONS, "--json", "--home", str(team.home)).stdout.splitlines()[1:]]
        entries = [e["entry"] for e in shown if e["entry"].get("agreement") == ident]
        self.assertEqual([e["event"] for e in entries], events)
        self.assertEqual([e["by"] for e in entries if e["event"] in ("suspended", "ended")], ["north.test", "south.test", "south.test"])

    def test_planned(self):
        """An instant that is named holds at both nodes from the same microsecond on."""
        ident, north, south = self.agreed(), self.north, self.south
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        north.agree("suspend", "--at", text, ident)
        until(lambda: north.shown("south")[0]["events"])
        self.settle()
        north_at, south_at = (t.show(ident)["events"][-1]["at"] for t in (north, south))
        self.assertEqual(north_at, south_at)
        if datetime.datetime.now(datetime.timezone.utc) < at:
            self.assertEqual(south.standing(ident), "in force")
        until(lambda: south.told(ident)["standing"] == "suspended")
        self.assertGreaterEqual(datetime.datetime.now(datetime.timezone.utc), at)
        self.assertFalse(south.release("192.0.2."))

    def test_refused(self):
        ident, north, south = ID.format(1), self.north, self.south
        north.agree("propose", self.write("draft.json", document(1, "north", "south")))
        until(lambda: north.shown("south"))
        self.settle()
        south.agree("refuse", "--reason", "clause 1 goes too far", ident)
        self.assertIn("refused already", south.agree("refuse", ident, status=3))
        until(lambda: south.shown("north"))
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("refused", "refused"))
        self.assertIn("refused by south.test since", north.agree("list"))
        self.assertIn("clause 1 goes too far", north.agree("show", ident))
        self.assertEqual([s["party"] for s in south.shown("north")[0]["agreement"]["signatures"]], ["north.test"])
        south.agree("sign", ident)  # after all
        until(lambda: len(south.shown("north")[0]["agreement"]["signatures"]) == 2)
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("in force", "in force"))
        self.assertIn("you have signed it", south.agree("refuse", ident, status=3))

    def test_old_news_changes_nothing(self):
        """Whatever was shown once can be posted again, in any order: it stands as the newest says."""
        ident, north, south = self.agreed(), self.north, self.south
        versions = [north.shown("south")[0]]
        for command in ("suspend", "resume", "suspend"):
            north.agree(command, ident)
            until(lambda: len(north.shown("south")[0]["events"]) == len(versions))
            versions.append(north.shown("south")[0])
        lines = lambda: (south.home / "journal.jsonl").read_bytes()
        self.assertEqual(south.take("north", versions[3]), [])
        kept = lines()
        for version in versions:
            self.assertEqual(south.take("north", version), [])
        self.assertEqual(south.take("north", *versions), [])
        self.assertEqual(lines(), kept)
        self.assertEqual(south.standing(ident), "suspended")
        # Events by themselves, the older ones last.
        alone = {**versions[3], "events": [versions[3]["events"][1]]}
        self.assertEqual(south.take("north", alone), [])
        self.assertEqual(lines(), kept)
        self.assertEqual(south.take("north", {**versions[3], "revoked": True}), [])
        self.assertEqual(south.standing(ident), "suspended")

    def test_hostile(self):
        """What may not be said is refused with the reason, told to the operator, and leaves nothing behind."""
        ident, north, south = self.agreed(), self.north, self.south
        north.agree("suspend", ident)
        until(lambda: north.shown("south")[0]["events"])
        good = north.shown("south")[0]
        event, = good["events"]
        kept = (south.home / "journal.jsonl").read_bytes(), sorted(p.name for p in (south.home / "agreements").iterdir())

        def altered(**more):
            return {**good, "agreement": {**good["agreement"], **more}}

        def told(**more):
            return {**good, "events": [{**event, **more}]}
        other = document(2, "north", "south")
        stranger = bytes(range(32))
        key = base64.b64encode(public(stranger)).decode()
        by_stranger = {k: v for k, v in {**event, "key": key}.items() if k != "signature"}
        by_stranger["signature"] = base64.b64encode(
            sign(stranger, b"comity-agreement-event-v1\n" + canonical(by_stranger).encode())).decode()
        signatures = good["agreement"]["signatures"]
        cases = [
            (altered(title="Other words"), "another text"),
            (altered(signatures=[{**signatures[0], "signed_at": "2026-01-01T00:00:00Z"}]), "not made over this text"),
            (altered(signatures=signatures + [{**signatures[0], "party": "east.test"}]), "no party"),
            (altered(suspended=True), "suspended"),
            (altered(nonsense=1), "nonsense"),
            (told(event="resumed"), "signature: is wrong"),
            (told(at="2030-01-01T00:00:00Z"), "signature: is wrong"),
            (told(reason="another"), "signature: is wrong"),
            (told(event="signed"), "none that a team tells"),
            (told(event="exploded"), "event"),
            (told(told=event), "told"),
            ({**good, "events": [by_stranger]}, "a key that is not known here to be yours"),
            ({**good, "events": "all"}, "must be a list"),
            ({**good, "agreement": {**document(3, "south", "east"), "signatures": []}}, "north.test is no party"),
            ({**good, "agreement": {**document(3, "north", "east"), "signatures": []}}, "south.test is no party"),
            ({**good, "agreement": {**other, "signatures": []}, "events": []}, "has not signed it"),
            ({**good, "agreement": {**document(4, "north", "south", valid_until="2026-02-01"), "signatures": signatures}, "events": []},
             "has ended"),
            ({**good, "agreement": {**other, "title": "x" * 300000, "signatures": []}}, "title"),
            ({**good, "agreement": {**other, "clauses": [dict(other["clauses"][0], id=str(i), note="n" * 1000) for i in range(300)]}},
             "more than"),
        ]
        since = south.node.mark()
        for i, (hostile, words) in enumerate(cases):
            failures = south.take("north", hostile)
            self.assertEqual(len(failures), 1, (i, words))
            self.assertIn(words, failures[0], i)
            south.node.wait("agreement not taken in", since, count=i + 1)  # the log comes by a way of its own
            self.assertEqual(len(south.node.find("agreement not taken in", since)), i + 1)
        self.assertEqual(((south.home / "journal.jsonl").read_bytes(), sorted(p.name for p in (south.home / "agreements").iterdir())), kept)
        self.assertEqual(south.standing(ident), "in force")
        self.assertTrue(south.release("192.0.2."))
        # Another text under a known id is no new agreement, whoever signed it.
        changed = document(1, "north", "south", title="Pact 1, and more")
        self.write("changed.json", changed)
        self.assertIn("another text", north.agree("propose", "changed.json", status=3))
        # Baselines and laws of others are theirs: kept in the intake, as anything is.
        baseline = {**document(9), "kind": "baseline", "parties": []}
        self.assertEqual(south.take("north", {**good, "id": "csirt-agreement--6f0a6f9e-0000-4000-8000-000000000009", "agreement": baseline}), [])
        self.assertEqual(south.standing(ID.format(9)), None)
        self.assertEqual(south.take("north", good), [])
        self.assertEqual(south.standing(ident), "suspended")

    def test_unknown_key(self):
        """A signature by a key that is not known counts as none, until the operator trusts the key."""
        north, south = self.north, self.south
        (south.home / "keys" / "north.test.pub").unlink()
        ident = ID.format(1)
        since = south.node.mark()
        north.agree("propose", self.write("draft.json", document(1, "north", "south")))
        until(lambda: north.shown("south"))
        self.assertEqual(self.carry(north, south), [])
        warned, = until(lambda: [line for line in south.node.lines[since:] if "counts as none" in (line["event"] or "")])
        self.assertIn(north.key, warned["event"])
        south.agree("sign", ident)
        self.assertEqual(south.standing(ident), "proposed")
        self.assertFalse(south.release("192.0.2."))
        until(lambda: south.shown("north"))
        self.assertEqual(self.carry(south, north), [])
        self.assertEqual(north.standing(ident), "in force")
        north.agree("suspend", ident)
        until(lambda: north.shown("south")[0]["events"])
        self.assertIn("not known here to be yours", self.carry(north, south)[0])
        south.agree("key", "--trust", "north.test", north.key)
        self.assertEqual(south.standing(ident), "in force")
        until(lambda: south.told(ident)["standing"] == "in force")  # the node knows the key by itself
        self.assertEqual(self.carry(north, south), [])
        self.assertEqual(south.standing(ident), "suspended")

    def test_flood(self):
        """A party may have a hundred proposals wait, and no more; events are bounded, and an end always comes through."""
        north, south = self.north, self.south
        objects = [self.by_hand(north, document(number, "north", "south")) for number in range(1, 106)]
        failures = south.take("north", *objects)
        self.assertEqual(len(failures), 5)
        self.assertIn("no more are taken in", failures[0])
        known = [json.loads(line)["id"] for line in south.agree("list", "--json").splitlines()]
        self.assertEqual(len(known), 100)
        self.assertEqual(south.told(known[0])["standing"], "proposed")
        south.agree("refuse", known[0])
        self.assertEqual(len(south.take("north", *objects)), 4)  # one was refused, so one more may wait
        self.assertIn("no more are taken in", south.take("north", objects[-1])[0])

    def by_hand(self, team, text):
        """TEXT signed by TEAM, as an object that another program might post."""
        seed, at = base64.b64decode((team.home / "key").read_text()), "2026-02-03T04:05:06Z"
        text["signatures"] = [{"party": team.team, "signed_at": at, "key": team.key,
                               "signature": base64.b64encode(sign(seed, message(text, team.team, at))).decode()}]
        return {"type": "csirt-agreement", "spec_version": "2.1", "id": "csirt-agreement--" + text["id"][9:], "agreement": text,
                "created": "2026-02-03T04:05:06.000Z", "modified": "2026-02-03T04:05:06.000Z"}

    def test_officers_by_the_api(self):
        """The console's ways: each is in the journal, the ledger and the event stream, with the account that did it."""
        north, south = self.north, self.south
        ident = ID.format(1)
        heard = self.listen(south)
        status, told = north.ask("POST", "/api/v1/agreements", {"document": json.dumps(document(1, "north", "south"))})
        self.assertEqual((status, told["standing"]), (201, "proposed"))
        self.assertEqual([(e["event"], e["account"]) for e in told["events"]], [("proposed", None), ("signed", "operator")])
        self.assertEqual(len(north.shown("south")), 1)  # at once
        self.assertEqual(north.ask("POST", "/api/v1/agreements", {"document": json.dumps(document(1, "north", "south"))})[0], 409)
        self.assertEqual(self.carry(north, south), [])
        path = f"/api/v1/agreements/{ident}"
        self.assertEqual(south.ask("POST", path + "/sign", {"sha256": "0" * 64})[0], 409)
        self.assertEqual(south.ask("POST", path + "/sign", {})[0], 400)
        self.assertEqual(south.ask("POST", f"/api/v1/agreements/{ID.format(7)}/sign", {"sha256": "0" * 64})[0], 404)
        status, told = south.ask("POST", path + "/sign", {"sha256": south.told(ident)["sha256"]})
        self.assertEqual((status, told["standing"]), (200, "in force"))
        self.assertEqual(south.ask("POST", path + "/sign", {"sha256": told["sha256"]})[0], 409)
        self.assertTrue(south.release("192.0.2."))
        self.settle()
        self.assertEqual(north.told(ident)["standing"], "in force")
        self.assertEqual(south.ask("POST", path + "/suspend", {"reason": "why", "at": "2026-01-01T00:00:00Z"})[0], 400)
        for what, standing in (("suspend", "suspended"), ("resume", "in force"), ("end", "ended")):
            status, told = south.ask("POST", f"{path}/{what}", {"reason": f"to {what}"})
            self.assertEqual((status, told["standing"]), (200, standing))
            event = told["events"][-1]
            self.assertEqual((event["account"], event["reason"], event["team"]), ("operator", f"to {what}", "south.test"))
            self.settle()
            self.assertEqual(north.told(ident)["standing"], standing)
        self.assertEqual(south.ask("POST", path + "/resume", {"reason": "again"})[0], 409)
        self.assertNotIn("operator", json.dumps(south.shown("north")))  # accounts stay at home
        until(lambda: len([e for e in heard if e["team"]]) >= 6)
        self.assertEqual([(e["event"], e["team"], e["account"]) for e in heard],
                         [("proposed", "north.test", None), ("signed", "north.test", None), ("signed", "south.test", "operator"),
                          ("suspended", "south.test", "operator"), ("resumed", "south.test", "operator"), ("ended", "south.test", "operator")])

    def test_difference(self):
        """What a proposal would change, before it is signed: beside what the same teams have, or another one."""
        ident, north, south = self.agreed(), self.north, self.south
        draft = document(2, "north", "south", title="Pact 2")
        draft["clauses"][0].update({"tlp_max": "green", "treatment": {"account": "remove"}})
        north.agree("propose", self.write("draft.json", draft))
        between = until(lambda: next((o for o in north.shown("south") if o["agreement"]["id"] == draft["id"]), None))
        self.assertEqual(south.take("north", between), [])
        status, told = south.ask("GET", f"/api/v1/agreements/{draft['id']}/difference")
        self.assertEqual((status, told["from"], told["identical"]), (200, ident, False))
        self.assertIn({"key": "title", "before": "Pact 1", "after": "Pact 2"}, told["documents"])
        self.assertIn("less", {c["direction"] for c in told["changes"]})
        self.assertTrue(all(c["recipients"] and c["text"] for c in told["changes"]))
        path = f"/api/v1/agreements/{ident}/difference"
        same = south.ask("GET", f"{path}?from={ident}")[1]
        self.assertEqual((same["identical"], same["documents"], same["changes"]), (True, [], []))
        self.assertEqual(south.ask("GET", path)[1]["from"], None)  # nothing else holds between them
        self.assertEqual(south.ask("GET", f"{path}?from={ID.format(9)}")[0], 404)
        self.assertEqual(south.ask("GET", f"/api/v1/agreements/{ID.format(9)}/difference")[0], 404)

    def listen(self, team):
        """What the event stream says of agreements, from now on."""
        door = Local(team.home)
        self.addCleanup(door.close)
        door.request("GET", "/api/v1/events")
        answer, heard = door.getresponse(), []
        answer.readline()

        def read():
            name = None
            with contextlib.suppress(OSError, ValueError, AttributeError):
                while line := answer.readline():
                    word, _, rest = line.decode().rstrip("\n").partition(": ")
                    if word == "event":
                        name = rest
                    elif word == "data" and name == "agreement":
                        heard.append(json.loads(rest))
        threading.Thread(target=read, daemon=True).start()
        return heard


class Three(Case):
    names = ("north", "south", "east")

    def test_relayed(self):
        """Of three parties two never speak: what each signed comes by the third, and counts for its signature alone."""
        ident, north, south, east = ID.format(1), self.north, self.south, self.east
        north.agree("propose", self.write("draft.json", document(1, "north", "south", "east")))
        until(lambda: north.shown("south") and north.shown("east"))
        for other in (south, east):
            self.assertEqual(self.carry(north, other), [])
            other.agree("sign", ident)
            until(lambda o=other: o.shown("north"))
            self.assertEqual(self.carry(other, north), [])
        self.assertEqual(north.standing(ident), "in force")
        self.assertEqual((south.standing(ident), east.standing(ident)), ("proposed", "in force"))
        until(lambda: len(north.shown("south")[0]["agreement"]["signatures"]) == 3)
        for other in (south, east):
            self.assertEqual(self.carry(north, other), [])
            self.assertEqual(other.standing(ident), "in force")
        self.settle()  # the same version by two partners is one
        journal = [json.loads(line) for line in (south.home / "journal.jsonl").read_text().splitlines()]
        self.assertEqual([(e["event"], e.get("party")) for e in journal],
                         [("proposed", "north.test"), ("signed", "north.test"), ("signed", "south.test"), ("signed", "east.test")])
        # An event that another relays is its team's own, too.
        east.agree("end", ident)
        until(lambda: east.shown("north")[0]["events"])
        relayed = {**north.shown("south")[0], "events": east.shown("north")[0]["events"]}
        self.assertEqual(south.take("north", relayed), [])
        self.assertEqual(south.standing(ident), "ended")
        self.assertEqual(south.show(ident)["events"][-1]["party"], "east.test")

    def test_no_party(self):
        """Who is no party hears nothing and may say nothing."""
        ident = self.agreed(1, "north", "south")
        self.assertEqual(self.north.shown("east"), [])
        shown = self.north.shown("south")[0]
        self.assertIn("east.test is no party", self.south.take("east", shown)[0])
        self.assertIn("east.test is no party", self.east.take("north", shown)[0])
        self.assertEqual(self.east.standing(ident), None)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
