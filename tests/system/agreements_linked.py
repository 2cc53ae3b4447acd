#!/usr/bin/env python3
"""An agreement between linked nodes: their couriers carry it, by push and by poll, and nobody carries a file.

The test's own arguments are COMITY [--no-sandbox].
"""
import json
import subprocess
import sys
import time
import unittest

from linked import befriend, reports
from linked_case import COMITY, Case

ID = "urn:uuid:6f0a6f9e-0000-4000-8000-{:012}"


class Couriers(Case):
    def agree(self, node, command, *words):
        done = subprocess.run([COMITY, "agreement", command, "--home", str(node.home), "--teams", str(self.folder / "teams.json"), *words],
                              capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 0, (words, done.stderr, node.node.log()))
        return done.stdout

    def pair(self, *words):
        north, south = self.start("north.test", register=True), self.start("south.test", register=True)
        keys = {node.team: self.agree(node, "key", "--as", node.team).split()[1] for node in (north, south)}
        self.agree(north, "key", "--trust", "south.test", keys["south.test"])
        self.agree(south, "key", "--trust", "north.test", keys["north.test"])
        befriend(north, south, *words)
        befriend(south, north, *words)
        return north, south

    def stands(self, node, ident, standing):
        node.until(lambda: node.get(f"/api/v1/agreements/{ident}").get("standing") == standing, f"{ident} {standing}")

    def propose(self, node, number, *parties):
        ident = ID.format(number)
        (self.folder / "draft.json").write_text(json.dumps({
            "id": ident, "title": "Pact", "kind": "bilateral" if len(parties) == 2 else "multilateral", "parties": parties,
            "valid_from": "2026-01-01", "clauses": [{"id": "1", "from": "party", "to": "party", "classification": ["*"],
                                                     "tlp_max": "amber", "effect": "release", "onward": "none"}]}), encoding="utf-8")
        self.agree(node, "propose", "draft.json")
        return ident

    def agreed(self, north, south):
        ident = self.propose(north, 1, "north.test", "south.test")
        self.stands(south, ident, "proposed")
        self.agree(south, "sign", ident)
        self.stands(north, ident, "in force")
        return ident

    def life(self, north, south):
        ident = self.agreed(north, south)
        north.take({**r, "tlp": "amber"} for r in reports(3))
        south.until(lambda: len(south.numbers()) == 3, "reports under the agreement")
        begun = time.monotonic()
        self.agree(south, "suspend", "--reason", "a leak is looked into", ident)
        self.stands(north, ident, "suspended")
        took = time.monotonic() - begun
        north.take({**r, "tlp": "amber"} for r in reports(3, first=3))
        self.agree(south, "resume", ident)
        self.stands(north, ident, "in force")
        north.take({**r, "tlp": "amber"} for r in reports(1, first=6))
        south.until(lambda: 6 in south.numbers(), "what came after it was resumed")
        self.assertEqual(south.numbers(), [0, 1, 2, 6])  # what was judged while it was suspended never came
        self.agree(north, "end", ident)
        self.stands(south, ident, "ended")
        abroad = lambda node: [(a["team"], a["standing"]) for a in node.get(f"/api/v1/agreements/{ident}")["abroad"]]
        for node, other in ((north, south), (south, north)):
            node.until(lambda n=node, o=other: abroad(n) == [(o.team, "ended")], "what the other says of it")
        return took

    def test_push(self):
        took = self.life(*self.pair("--no-poll"))
        print(f"a suspension at the other node {took:.2f} s after the command began ", end="", flush=True)

    def test_poll(self):
        """Neither may reach the other's intake by itself: each asks."""
        self.life(*self.pair("--no-push"))

    def test_one_end_dead(self):
        """What was done while the other node was down is obeyed once it is back."""
        north, south = self.pair()
        ident = self.agreed(north, south)
        south.node.stop()
        for command in ("suspend", "resume", "suspend"):
            self.agree(north, command, ident)
        self.stands(north, ident, "suspended")
        self.agree(south, "list")  # the register works without a node
        south.start()
        self.stands(south, ident, "suspended")
        events = [(e["event"], e["team"]) for e in south.get(f"/api/v1/agreements/{ident}")["events"]]
        self.assertEqual(events[-3:], [(e, "north.test") for e in ("suspended", "resumed", "suspended")])

    def test_new_key(self):
        """A team gets a new key and stops at once what runs: the suspension is there before the card, and counts when that has come."""
        north, south = self.pair("--no-push")
        north.command("peer", "add", south.published(), "--push", "--poll")
        south.command("peer", "add", north.card(), "--push", "--poll")
        ident = self.agreed(north, south)
        south.command("team", "rekey")
        self.agree(south, "suspend", ident)
        self.stands(north, ident, "suspended")
        # A key that north never hears of, and what was done by it; then the next.
        south.node.stop()
        south.command("team", "rekey")
        self.agree(south, "resume", ident)
        south.command("team", "rekey")
        south.start()
        north.until(lambda: north.command("team", "waiting", "--json"), "the card of a key that was missed")
        self.assertEqual(north.get(f"/api/v1/agreements/{ident}")["standing"], "suspended")
        north.command("team", "accept", "south.test")
        self.stands(north, ident, "in force")
        self.agree(south, "end", ident)
        self.stands(north, ident, "ended")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
