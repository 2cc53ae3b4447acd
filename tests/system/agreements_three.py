#!/usr/bin/env python3
"""An agreement of three parties, of which two never speak: what each did comes by the third."""
import json
import os
import sys
import unittest

from agreements_case import ID, Case, document, until


class Three(Case):
    names = ("north", "south", "east")

    def signed_by(self, ident, *others):
        """North proposes it to all; each of OTHERS signs what north shows, and north takes that in."""
        north = self.north
        north.agree("propose", self.write("draft.json", document(1, *self.names)))
        until(lambda: north.shown("south") and north.shown("east"))
        for other in others:
            self.assertEqual(self.carry(north, other), [])
            other.agree("sign", ident)
            until(lambda o=other: o.shown("north"))
            self.assertEqual(self.carry(other, north), [])

    def test_relayed(self):
        """Of three parties two never speak: what each signed comes by the third, and counts for its signature alone."""
        ident, north, south, east = ID.format(1), self.north, self.south, self.east
        self.signed_by(ident, south, east)
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
        # What one of them does the third hears of, too, from the one that both speak to.
        east.agree("suspend", "--reason", "a leak", ident)
        until(lambda: east.shown("north")[0]["events"])
        event, = east.shown("north")[0]["events"]
        self.assertEqual(self.carry(east, north), [])
        until(lambda: north.shown("south")[0]["events"] == [event])
        self.assertEqual(self.carry(north, south), [])
        self.assertEqual(south.standing(ident), "suspended")
        self.assertEqual(south.show(ident)["events"][-1]["party"], "east.test")
        # South shows it in its turn, and nobody has news of it.
        until(lambda: south.shown("north")[0]["events"] == [event])
        lines = lambda: (north.home / "journal.jsonl").read_bytes()
        kept = lines()
        self.assertEqual(self.carry(south, north), [])
        self.assertEqual(lines(), kept)
        east.agree("end", ident)
        until(lambda: len(east.shown("north")[0]["events"]) == 2)
        self.assertEqual(self.carry(east, north), [])
        until(lambda: len(north.shown("south")[0]["events"]) == 2)
        self.assertEqual(self.carry(north, south), [])
        self.assertEqual([t.standing(ident) for t in (north, south, east)], ["ended"] * 3)

    def test_stranger_by_a_third(self):
        """Whom one party knows and another does not: what he did counts there once his key is known, and not before."""
        ident, north, south, east = ID.format(1), self.north, self.south, self.east
        (south.home / "keys" / "east.test.pub").unlink()
        since = south.node.mark()
        self.signed_by(ident, east, south)
        east.agree("suspend", ident)
        until(lambda: east.shown("north")[0]["events"])
        self.assertEqual(self.carry(east, north), [])
        until(lambda: north.shown("south")[0]["events"])
        self.assertEqual(self.carry(north, south), [])  # north did nothing wrong
        told, = until(lambda: [line["event"] for line in south.node.lines[since:] if "of east.test" in (line["event"] or "")])
        self.assertIn(f"comity agreement key --trust east.test {east.key}", told)
        self.assertEqual(south.standing(ident), "proposed")
        # A node that starts anew still has it.
        south.node.kill("core")
        self.assertEqual(south.standing(ident), "proposed")
        # What cannot be read keeps nothing back for good.
        blocked = south.home / "abroad" / "later" / "0.json"
        blocked.mkdir()
        since = south.node.mark()
        south.agree("key", "--trust", "east.test", east.key)
        until(lambda: any("cannot be looked at again" in (line["event"] or "") for line in south.node.lines[since:]))
        self.assertEqual(south.standing(ident), "proposed")
        blocked.rmdir()
        os.utime(south.home / "agreements")
        until(lambda: south.standing(ident) == "suspended")

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
