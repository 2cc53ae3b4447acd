"""Five teams tell each other everything, and whatever the shape of their agreements, it comes to rest: each has a report once.

usage: loops.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from nodes_case import OPEN, Case, agreement, objects_of, plain, report

NAMES = ["aa", "bb", "cc", "dd", "ee"]


class Loops(Case):
    def five(self, attribute, clauses):
        """Five nodes that let each other in; node I's directory says that ATTRIBUTE(I) answer for what is reported."""
        nodes = [self.make(name, {n: attribute(i).get(n) for n in NAMES}, [agreement(1, clauses)]) for i, name in enumerate(NAMES)]
        for node in nodes:
            for other in NAMES:
                if other != node.name:
                    node.let_in(other)
        return nodes

    def each_has_it_once(self, nodes, count=1):
        for node in nodes:
            self.assertEqual(len(node.reports()), count, node.name)
            node.audit()

    def test_ring(self):
        nodes = self.five(lambda i: {NAMES[(i + 1) % 5]: ["192.0.2.0/24"]}, [OPEN])
        self.assertEqual(nodes[0].take(report())["stored"], 1)
        ring = [(nodes[i], nodes[(i + 1) % 5]) for i in range(5)]
        self.assertGreaterEqual(self.settle(ring), 1)
        self.each_has_it_once(nodes)
        first = nodes[0].reports()[0]["id"]
        for i in range(4):  # one id for life, and the way it came
            told = objects_of(nodes[i].has_for(NAMES[i + 1]))
            self.assertEqual([plain(o["id"]) for o in told], [first])
            extension = next(iter(told[0]["extensions"].values()))
            self.assertEqual(extension["path"], NAMES[:i + 1])
        # The last would tell the first, who is on the way: that is not told, and said why.
        self.assertEqual(objects_of(nodes[4].has_for("aa")), [])
        mine = nodes[4].reports()[0]
        self.assertEqual(mine["outcomes"], [{"team": "aa", "effect": "withhold", "reason": "came-from-recipient"}])
        self.assertEqual((mine["known_as"], mine["path"]), (first, NAMES[:4]))
        story = nodes[4].command("explain", first)  # the id that all know finds it
        self.assertIn("came through   aa, bb, cc, dd", story)
        self.assertIn("the report came from the recipient or through it", story)

    def test_ring_that_forgets_the_way(self):
        """A node in between that strips the path does not make it go round: whose id it is, knows it."""
        nodes = self.five(lambda i: {NAMES[(i + 1) % 5]: ["192.0.2.0/24"]}, [OPEN])
        nodes[0].take(report())
        for i in range(5):
            objects = nodes[i].has_for(NAMES[(i + 1) % 5])
            for thing in objects_of(objects):
                del next(iter(thing["extensions"].values()))["path"]
            if objects:
                nodes[(i + 1) % 5].post(NAMES[i], objects)
        self.each_has_it_once(nodes)
        self.assertEqual(nodes[0].api("GET", "/api/v1/status")[1]["due"], 0)

    def mesh(self, nodes):
        return [(a, b) for a in nodes for b in nodes if a is not b]

    def test_mesh_and_two_ways_in(self):
        """Everybody tells two others and the community, and all carry to all; the report enters at two nodes at once."""
        around = lambda i: {NAMES[(i + 1) % 5]: ["192.0.2.0/24"], NAMES[(i + 2) % 5]: ["198.51.100.0/24"]}
        nodes = self.five(around, [OPEN, {**OPEN, "id": "all", "to": "community"}])
        known = {**report(**{"destination.ip": "198.51.100.9"}), "extra.comity_id": "1b4e28ba-2fa1-8d52-883f-0016d3cca427"}
        for node in (nodes[0], nodes[2]):
            self.assertEqual(node.take(known)["stored"], 1)
        self.settle(self.mesh(nodes), kind="community")
        self.each_has_it_once(nodes)
        ids = {plain(o["id"]) for a, b in self.mesh(nodes) for o in objects_of(a.has_for(b.name))}
        self.assertEqual(ids, {known["extra.comity_id"]})
        # Again, after a restart: what was told on is remembered.
        nodes[1].node.stop()
        nodes[1].start()
        for node in nodes:
            node.carried.clear()
        self.settle([(a, nodes[1]) for a in nodes if a is not nodes[1]], kind="community")
        self.each_has_it_once(nodes)

    def test_paths_that_are_none(self):
        """What names nobody, names somebody twice or is too long is refused, and said so."""
        node = self.make("aa", {"aa": None, "bb": ["192.0.2.0/24"], "cc": None}, [agreement(1, [OPEN])])
        good = ["t%d" % i for i in range(63)]
        for path in (["aa bb"], [""], "aa", 7, ["a", "a"], good + ["one.more"], [1], ["x" * 65], [], ["\u0430a"]):
            counts = node.take(report(**{"extra.comity_path": path, "extra.note": json.dumps(path)}))
            self.assertEqual((counts["rejected"], counts["stored"]), (1, 0), path)
        counts = node.take(report(**{"extra.comity_path": good}), report(**{"extra.comity_path": ["bb", "cc"]}),
                           report(**{"extra.comity_path": ["cc", "aa"], "extra.note": "back"}),
                           report(**{"extra.comity_corrects": "7"}))
        self.assertEqual((counts["stored"], counts["duplicate"], counts["rejected"]), (2, 1, 1))
        node.let_in("bb")
        told = objects_of(node.has_for("bb"))
        self.assertEqual([next(iter(o["extensions"].values()))["path"] for o in told], [good + ["aa"]])
        self.assertNotIn("comity_path", json.dumps(told))

    def test_nobody_keeps_anothers_from_being_told(self):
        """One id by two teams: what nobody was told does not stand in the way; what was told does."""
        clauses = [{**OPEN, "id": "from-bb", "from": "bb", "to": "aa"}, {**OPEN, "id": "on", "to": "cc", "from": "bb"},
                   {**OPEN, "id": "mute", "from": "dd", "to": "aa", "onward": "none", "effect": "withhold"}]
        node = self.make("aa", {"aa": None, "bb": None, "cc": ["192.0.2.0/24"], "dd": None},
                         [agreement(1, clauses, kind="multilateral", parties=["aa", "bb", "cc", "dd"])])
        for other in ("bb", "cc", "dd"):
            node.let_in(other)
        source = self.make("ee", {"ee": None, "aa": ["192.0.2.0/24"]}, [agreement(1, [OPEN])])
        source.let_in("aa")
        source.take(report())
        objects = source.has_for("aa")
        reports = [o for o in objects if o["type"] in ("observed-data", "ipv4-addr")]
        self.assertEqual(node.post("dd", reports)["failure_count"], 0)
        self.assertEqual([r["outcomes"][0]["effect"] for r in node.reports()], ["withhold"])
        node.post("bb", reports)
        self.assertEqual(len(objects_of(node.has_for("cc"))), 1)
        node.post("dd", reports)
        node.post("bb", reports)
        self.assertEqual(len(node.reports()), 2)
        self.assertEqual(len(objects_of(node.has_for("cc"))), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
