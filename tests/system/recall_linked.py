"""Reports, receipts, recalls, corrections and feedback between nodes whose couriers carry them: nobody carries anything by hand.

usage: recall_linked.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from linked import Linked
from linked_case import COMITY, OPTIONS, Case

NORTH, SOUTH, EAST = "north.test", "south.test", "east.test"
HOSTS = "192.0.2.0/24"
ONWARD = [{"id": "urn:uuid:00000000-0000-4000-8000-000000000002", "title": "Onward", "kind": "baseline", "parties": [],
           "valid_from": "2020-01-01", "clauses": [{"id": "1", "from": "*", "to": "*", "classification": ["*"], "tlp_max": "amber",
                                                    "effect": "release", "onward": "tlp"}]}]


def report(number=1, **more):
    return {"classification.type": "scanner", "feed.provider": "Test", "time.source": "2026-03-01T10:20:30+00:00", "tlp": "green",
            "source.ip": f"192.0.2.{number}", **more}


class Linking(Case):
    def start(self, name, following, *options):
        """NAME's node, in whose directory FOLLOWING answers for the hosts that are reported: so it is told."""
        (self.folder / name).mkdir()
        node = Linked(COMITY, self.folder / name, name, "--courier.poll-interval", "1 s", *OPTIONS, *options, prefixes={following: HOSTS},
                      agreed=ONWARD)
        self.addCleanup(node.close)
        return node

    def link(self, *nodes, words=(), ring=False):
        """Each knows its neighbours by the cards that they signed. Who tells a node of the hosts has its card that answers for them; to
        who is told by it that claims too much, and waits: all have the same network, so that they could tell each other for ever."""
        pairs = list(zip(nodes, nodes[1:])) + ([(nodes[-1], nodes[0])] if ring else [])
        for giver, taker in pairs:
            taker.command("peer", "add", giver.signed_card(), *words)
        for giver, taker in pairs:
            giver.command("peer", "add", taker.signed_card(HOSTS), *words)

    def chain(self, *words):
        """NORTH tells SOUTH, which tells EAST."""
        nodes = [self.start(NORTH, SOUTH), self.start(SOUTH, EAST), self.start(EAST, EAST)]
        self.link(*nodes, words=words)
        return nodes

    def reports(self, node):
        return node.get("/api/v1/reports?limit=1000")["items"]

    def known(self, node):
        return {r["known_as"]: r for r in self.reports(node)}

    def receipts(self, node):
        return json.loads("[" + ",".join(node.command("receipts", "--json").splitlines()) + "]")

    def has(self, node, ident, what):
        """NODE has the report IDENT, with WHAT(report)."""
        node.until(lambda: ident in self.known(node) and what(self.known(node)[ident]), f"{ident} as awaited")
        return self.known(node)[ident]

    def all_right(self, node, count):
        """Each of COUNT deliveries has a right receipt; they are, oldest first."""
        node.until(lambda: [r["state"] for r in self.receipts(node)] == ["right"] * count, f"{count} right receipts")
        return self.receipts(node)[::-1]

    def recall(self, node, ident, *words):
        return json.loads(node.command("recall", "--json", "--yes", "--reason", "a scanner of our own", *words, ident))


class Chains(Linking):
    def life(self, *words):
        """One report's, from being told to being taken back, along three nodes."""
        north, south, east = self.chain(*words)
        north.take([report(), report(2)])
        north.until(lambda: len(self.reports(north)) == 2, "what was taken in")
        ident, other = [r["id"] for r in sorted(self.reports(north), key=lambda r: r["source"]["address"])]
        for node in (south, east):
            self.has(node, ident, lambda r: True)
        self.all_right(north, 1)
        self.all_right(south, 1)
        self.feedback(north, south, east, ident)
        self.assertEqual(self.recall(north, ident)["told"], [SOUTH])
        self.assertEqual(self.has(south, ident, lambda r: r["recalled"])["recalled"]["team"], NORTH)
        self.assertEqual(self.has(east, ident, lambda r: r["recalled"])["recalled"]["why"], "a scanner of our own")
        for node in (north, south):
            told, recalled = self.all_right(node, 2)
            self.assertEqual([told[n] for n in ("items", "stored", "duplicate", "rejected")], [2, 2, 0, 0])
            # The item of a recall is no report: nothing of it was stored, nor refused.
            self.assertEqual([recalled[n] for n in ("items", "stored", "duplicate", "rejected")], [1, 0, 0, 0])
        for node in (north, south, east):
            self.assertIsNone(self.known(node)[other]["recalled"])
            self.assertEqual(len(self.reports(node)), 2)
        return north, south, east, other

    def feedback(self, north, south, east, ident):
        east.command("feedback", "--opinion", "disagree", "--note", "ours", ident)
        east.command("feedback", "--sighting", "--count", "3", ident)
        said = lambda r: sorted((f["team"], f["opinion"] or "", f["sightings"] or 0) for f in r["feedback"])
        self.has(south, ident, lambda r: said(r) == [(EAST, "", 3), (EAST, "disagree", 0)])
        self.has(north, ident, lambda r: said(r) == [(SOUTH, "", 3), (SOUTH, "disagree", 0)])

    def correct(self, north, south, east, old):
        new = self.folder / "new.jsonl"
        new.write_text(json.dumps(report(2, **{"source.port": 8080})) + "\n", encoding="utf-8")
        north.command("recall", "--yes", "--reason", "wrong port", "--correct", str(new), old)
        fresh = self.known(north)[old]["recalled"]["corrected_by"]
        for node in (south, east):
            self.assertEqual(self.has(node, fresh, lambda r: True)["corrects"], old)
            self.has(node, old, lambda r: r["recalled"] and r["recalled"]["corrected_by"] == fresh)
            self.assertIsNone(self.known(node)[fresh]["recalled"])
        for node in (north, south):
            self.all_right(node, 4)

    def test_by_push(self):
        self.correct(*self.life("--no-poll"))

    def test_by_poll(self):
        self.correct(*self.life("--no-push"))


class Rings(Linking):
    def comes_to_rest(self, words, there):
        """What is told around comes to rest, and what is taken back; THERE(receipt): of how many reports it says that they are there."""
        names = (NORTH, SOUTH, EAST)
        nodes = [self.start(name, names[(i + 1) % 3]) for i, name in enumerate(names)]
        self.link(*nodes, words=words, ring=True)
        for i, node in enumerate(nodes):
            node.take([report(10 * i + n) for n in range(1, 4)])
        for node in nodes:
            node.until(lambda n=node: len(self.known(n)) == 9, "all nine")
        for node in nodes:
            node.until(lambda n=node: n.get("/api/v1/status")["due"] == 0 and {r["state"] for r in self.receipts(n)} == {"right"}, "rest")
        for node in nodes:
            self.assertEqual(len(self.reports(node)), 9)
            self.assertEqual(sum(r["items"] for r in self.receipts(node)), 6)  # not to who is on the way
            self.assertEqual(sum(there(r) for r in self.receipts(node)), 6)
        mine = next(r["id"] for r in self.reports(nodes[0]) if r["path"] == [])
        self.recall(nodes[0], mine)
        for node in nodes:
            self.has(node, mine, lambda r: r["recalled"])
        for node in nodes:
            node.until(lambda n=node: {r["state"] for r in self.receipts(n)} == {"right"}, "rest")
            self.assertEqual(len([r for r in self.reports(node) if r["recalled"]]), 1)

    def test_ring_by_push(self):
        self.comes_to_rest(["--no-poll"], lambda r: r["stored"])

    def test_ring_by_both_ways(self):
        # What comes by one way while it is on its way by the other was stored already, as the later receipt says.
        self.comes_to_rest([], lambda r: r["stored"] + r["duplicate"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
