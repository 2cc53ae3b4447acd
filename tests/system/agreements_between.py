#!/usr/bin/env python3
"""An agreement between two nodes: proposed at one, signed at the other, in force at both; suspended, resumed, ended, refused."""
import base64
import contextlib
import datetime
import json
import sys
import threading
import time
import unittest

from agreements_case import ID, OPTIONS, Case, document, until
from node import Local
from signed import canonical, message, public, sign


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
        until(lambda: south.said("north") == ["suspended"])
        self.settle()
        north.agree("resume", ident)
        until(lambda: north.said("south") == ["suspended", "resumed"])
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("suspended", "suspended"))
        self.assertFalse(north.release("198.51.100."))
        south.agree("resume", ident)
        until(lambda: south.said("north") == ["suspended", "resumed"])
        self.settle()
        self.assertEqual((north.standing(ident), south.standing(ident)), ("in force", "in force"))
        self.assertTrue(north.release("198.51.100."))
        south.agree("end", ident)
        until(lambda: south.said("north")[2:] == ["ended"])
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
        told = [line["event"] for line in south.node.lines[since:] if 'a "suspended" of north.test' in (line["event"] or "")]
        self.assertEqual(len(told), 1)
        self.assertIn(f"comity agreement key --trust north.test {north.key}", told[0])
        self.assertIn("not known here to be yours", self.carry(north, south)[0])  # again, and it is told once
        self.assertEqual(len([p for p in (south.home / "abroad" / "later").iterdir()]), 1)
        south.agree("key", "--trust", "north.test", north.key)
        until(lambda: south.told(ident)["standing"] == "suspended")  # what waited for the key is taken in by itself
        self.assertEqual(self.carry(north, south), [])
        self.assertEqual(list((south.home / "abroad" / "later").iterdir()), [])

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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
