"""What a partner's node let go, for this team: it is in this team's own collection as it came, and nobody must release it again.

usage: told_us.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from nodes_case import Case, agreement, objects_of, report

WITHIN, BEYOND = "192.0.2.0/24", "198.51.100.0/24"
CLAUSE = {"id": "4", "from": "party", "to": "party", "classification": ["*"], "tlp_max": "red", "effect": "release", "onward": "party",
          "treatment": {"account": "pseudonymise", "text": "remove"}, "require": ["receipt"], "retention_days": 30}
BILATERAL = agreement(4, [CLAUSE], "bilateral", parties=["aa", "bb"])
FURTHER = agreement(5, [{"id": "1", "from": "*", "to": "cc", "classification": ["*"], "tlp_max": "amber", "effect": "hold", "onward": "tlp"}])


class ToldUs(Case):
    def pair(self, here):
        """AA, whose person releases, and BB, which judges by HERE."""
        teams = {"aa": None, "bb": [WITHIN], "cc": [BEYOND]}
        nodes = [self.make("aa", teams, [BILATERAL]), self.make("bb", teams, here)]
        for node, others in zip(nodes, (["bb"], ["aa", "bb"])):
            node.command("secret")
            node.node.stop()
            node.start()
            for other in others:
                node.let_in(other)
        return nodes

    def told(self, north, south, *reports):
        """NORTH takes REPORTS in, its person releases what is held, and it is carried to SOUTH."""
        north.take(*reports)
        held = json.loads(north.command("held", "list", "--json"))["items"]
        if held:
            north.command("held", "release", "--reason", "agreed by telephone", *[item["number"] for item in held])
        north.node.drain()
        north.carry_to(south)
        return held

    def outcomes(self, node):
        return [{o["team"]: (o["effect"], o["reason"]) for o in r["outcomes"]} for r in node.reports()]

    def test_what_their_person_released_waits_for_nobody_here(self):
        north, south = self.pair([BILATERAL])
        held = self.told(north, south, report(tlp="red", **{"source.account": "bob@bb.test", "extra.note": "seen by us"}))
        self.assertEqual([item["reason"] for item in held], ["red-needs-person"])
        self.assertEqual(self.outcomes(south), [{"bb": ("release", "told-to-us")}])
        self.assertEqual(json.loads(south.command("held", "list", "--json"))["items"], [])
        story = south.command("explain", south.reports()[0]["id"])
        self.assertIn("nothing crosses again", story)

    def test_it_is_not_treated_twice(self):
        """A pseudonym is theirs, and only they can turn it back: it stays."""
        north, south = self.pair([BILATERAL])
        self.told(north, south, report(tlp="amber", **{"source.account": "bob@bb.test", "extra.note": "seen by us"}))
        accounts = [[o["account_login"] for o in objects_of(node.has_for("bb"), "user-account")]
                    for node in (north, south)]
        self.assertEqual(len(accounts[0]), 1)
        self.assertEqual(accounts[0], accounts[1])
        self.assertNotIn("bob", json.dumps(north.has_for("bb")))

    def test_for_others_our_clauses_hold(self):
        """The same report for us and for a third team: ours is here, theirs waits for a person, as our own clause says."""
        north, south = self.pair([agreement(4, [{**CLAUSE, "onward": "tlp"}], "bilateral", parties=["aa", "bb"]), FURTHER])
        self.told(north, south, report(**{"destination.ip": "198.51.100.7"}))
        self.assertEqual(self.outcomes(south), [{"bb": ("release", "told-to-us"), "cc": ("hold", "clause")}])

    def test_who_may_not_tell_us_tells_nobody_here(self):
        """Withheld stays withheld: without an agreement on our side nothing of it is shown to our programs."""
        north, south = self.pair([FURTHER])
        self.told(north, south, report())
        self.assertEqual(self.outcomes(south), [{"bb": ("withhold", "no-clause")}])
        self.assertEqual(objects_of(south.has_for("bb")), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
