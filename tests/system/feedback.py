"""What is said of a report goes back the way it came, and nobody else hears of it.

usage: feedback.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from nodes_case import OPEN, Case, agreement, objects_of, report

WORDS = ("opinion", "sighting")


class Feedback(Case):
    def setUp(self):
        super().setUp()
        # Of dd only an account is needed. Each account costs a password's hash, so only those are made that are used.
        ways = {"aa": ("bb", ["bb", "cc", "dd"]), "bb": ("cc", ["aa", "cc", "dd"]), "cc": ("cc", ["bb"])}
        self.nodes = []
        for name, (following, others) in ways.items():
            teams = {n: None for n in [*ways, "dd"]}
            teams[following] = ["192.0.2.0/24"]
            self.nodes.append(self.make(name, teams, [agreement(1, [OPEN])]))
            for other in others:
                self.nodes[-1].let_in(other)
        a, b, c = self.nodes
        a.take(report())
        self.known = a.reports()[0]["id"]
        a.carry_to(b)
        b.carry_to(c)

    def said(self, node):
        return [(f["team"], f["by"], f["opinion"], f["sightings"], f["note"]) for r in node.reports() for f in r["feedback"]]

    def test_it_goes_back_to_the_origin(self):
        a, b, c = self.nodes
        c.command("feedback", "--opinion", "strongly-disagree", "--note", "ours \u00e9", self.known)
        c.command("feedback", "--sighting", "--count", "3", self.known)
        self.assertEqual(self.said(c), [("cc", "operator", "strongly-disagree", None, "ours \u00e9"), ("cc", "operator", None, 3, None)])
        told = objects_of(c.has_for("bb"), *WORDS)
        observed = objects_of(b.has_for("cc"))[0]
        self.assertEqual([o.get("object_refs", [o.get("sighting_of_ref")])[0] for o in told], [observed["id"]] * 2)
        self.assertEqual({o["object_marking_refs"][0] for o in told}, set(observed["object_marking_refs"]))
        c.carry_to(b)
        self.assertEqual(self.said(b), [("cc", None, "strongly-disagree", None, "ours \u00e9"), ("cc", None, None, 3, None)])
        b.carry_to(a)
        self.assertEqual(self.said(a), [("bb", None, "strongly-disagree", None, "ours \u00e9"), ("bb", None, None, 3, None)])
        passed = json.dumps(objects_of(b.has_for("aa"), *WORDS))
        self.assertNotIn(told[0]["created_by_ref"], passed)  # not whose word it was
        self.assertEqual([objects_of(a.has_for(o), *WORDS) for o in ("bb", "cc", "dd")], [[], [], []])
        self.assertEqual([objects_of(b.has_for(o), *WORDS) for o in ("cc", "dd")], [[], []])
        # The same again changes nothing; a later version takes the earlier one's place, all the way.
        before = len(b.has_for("aa"))
        b.post("cc", told)
        self.assertEqual((len(self.said(b)), len(b.has_for("aa"))), (2, before))
        later = {**told[0], "opinion": "agree", "modified": "2038-01-01T00:00:00.000000Z"}
        b.post("cc", [later])
        b.carry_to(a)
        self.assertEqual(sorted(str(f[2]) for f in self.said(a)), ["None", "agree"])
        self.assertIn("seen 3 times", a.command("explain", self.known))
        for node in (a, b, c):
            node.audit()
        b.node.stop()
        b.start()
        self.assertEqual(len(self.said(b)), 2)

    def test_only_who_got_it_says_something(self):
        a, b, c = self.nodes
        c.command("feedback", "--opinion", "agree", self.known)
        opinion = objects_of(c.has_for("bb"), "opinion")[0]
        foreign = {k: v for k, v in opinion.items() if k != "created_by_ref"}
        unknown = {**foreign, "object_refs": ["observed-data--7b4e28ba-2fa1-4d52-883f-0016d3cca427"]}
        messages = set()
        for node, team, thing in ((b, "dd", foreign), (b, "aa", foreign), (a, "cc", foreign), (b, "dd", unknown), (b, "cc", unknown)):
            status = node.post(team, [thing])
            self.assertEqual(status["failure_count"], 1, (node.name, team))
            messages.add(status["failures"][0]["message"])
        self.assertEqual(len(messages), 1)
        self.assertEqual(self.said(a) + self.said(b), [])
        for wrong in ({"opinion": "meh"}, {"opinion": 7}, {"object_refs": ["observed-data--x"]}):
            self.assertEqual(b.post("cc", [{**foreign, **wrong}])["failure_count"], 1, wrong)
        sighting = {"type": "sighting", "spec_version": "2.1", "id": "sighting--1b4e28ba-2fa1-4d52-883f-0016d3cca427",
                    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "sighting_of_ref": foreign["object_refs"][0]}
        for count in (0, -1, 1000000000, "3", 1.5):
            self.assertEqual(b.post("cc", [{**sighting, "count": count}])["failure_count"], 1, count)
        # Of something else it is none of ours, and kept as it came.
        other = {**sighting, "sighting_of_ref": "indicator--1b4e28ba-2fa1-4d52-883f-0016d3cca427"}
        self.assertEqual(b.post("cc", [other])["failure_count"], 0)
        self.assertEqual(self.said(b), [])

    def test_it_is_bounded(self):
        _, b, c = self.nodes
        c.command("feedback", "--opinion", "agree", self.known)
        opinion = objects_of(c.has_for("bb"), "opinion")[0]
        many = [{**opinion, "id": "opinion--1b4e28ba-2fa1-4d52-883f-%012x" % i} for i in range(103)]
        status = b.post("cc", many)
        self.assertEqual((status["success_count"], status["failure_count"]), (100, 3))
        self.assertEqual(len(self.said(b)), 100)

    def test_what_cannot_be_said(self):
        a, _, c = self.nodes
        self.assertIn("came from no other team", a.run("feedback", "--opinion", "agree", self.known).stderr)
        for words, status in ((["--opinion", "meh", self.known], 2), (["--opinion", "agree", "--sighting", self.known], 2), ([self.known], 2),
                              (["--sighting", "--count", "0", self.known], 2), (["--opinion", "agree", "--count", "2", self.known], 2),
                              (["--sighting", "--count", "1000000000", self.known], 3),
                              (["--opinion", "agree", "1b4e28ba-2fa1-8d52-883f-0016d3cca427"], 3), (["--opinion", "agree", "x"], 2)):
            self.assertEqual(c.run("feedback", *words).returncode, status, words)
        self.assertEqual(self.said(c), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
