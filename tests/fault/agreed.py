#!/usr/bin/env python3
"""Agreements between nodes whose clocks differ, and whose core is killed at every boundary while it takes in what the other shows.

Each sixth boundary in ./dev test.    usage: agreed.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import http.client
import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from control import Control
from world import OPTIONS, main

sys.argv = [sys.argv[0], OPTIONS.comity, *(["--no-sandbox"] if getattr(OPTIONS, "no_sandbox", False) else [])]
from agreements_case import ID, Case, document, until  # reads the arguments that tests of tests/system have
from node import PATIENCE

HOUR_US = 3_600_000_000


class Agreed(Case):
    def more(self, name):
        (self.folder / name).mkdir()
        control = Control(self.folder / name / "fault", OPTIONS.shim)  # roles may write nowhere else
        setattr(self, f"{name}_control", control)
        control.clock_us = self.ahead.get(name, 0)
        return {"env": control.environment}

    ahead = {}

    def events(self, team, ident):
        return [(e["event"], e["party"] or e["by"]) for e in team.show(ident)["events"]]


class Clocks(Agreed):
    ahead = {"north": HOUR_US, "south": -HOUR_US}

    def test_two_hours_apart(self):
        """What is done at once holds at once at the other node, however far the clocks are apart."""
        ident, north, south = self.agreed(), self.north, self.south
        self.assertTrue(south.release("192.0.2."))
        north.agree("suspend", ident)
        until(lambda: north.said("south") == ["suspended"])
        self.settle()
        self.assertEqual(south.told(ident)["standing"], "suspended")
        self.assertFalse(south.release("192.0.2."))
        north.agree("resume", ident)
        until(lambda: north.said("south") == ["suspended", "resumed"])
        self.settle()
        self.assertTrue(south.release("192.0.2."))
        south.agree("end", ident)  # by a clock that is far behind
        until(lambda: south.said("north") == ["ended"])
        self.settle()
        self.assertEqual((north.told(ident)["standing"], south.told(ident)["standing"]), ("ended", "ended"))
        self.assertFalse(north.release("198.51.100."))

    def test_a_clock_that_goes_back_takes_nothing_in(self):
        """The sender is asked to try again, and then it is taken in."""
        ident, north, south = self.agreed(), self.north, self.south
        north.agree("suspend", ident)
        shown = until(lambda: (o := north.shown("south")) and o[0]["events"] and o[0])
        self.south_control.clock_us = -3 * HOUR_US
        status, told = south.partner("north", "POST", "/comity/collections/intake/objects/", {"objects": [shown]})
        self.assertEqual(status, 503, told)
        self.assertEqual(south.show(ident)["events"][-1]["event"], "signed")
        self.south_control.clock_us = -HOUR_US
        self.assertEqual(south.take("north", shown), [])
        self.assertEqual(south.told(ident)["standing"], "suspended")


class Killed(Agreed):
    def test_taking_in(self):
        """A proposal, and a suspension: killed at a boundary and given again, each is there once, in journal and ledger."""
        self.killed, n, number = 0, 1, 0
        while True:
            died = self.walk(n, number := number + 1)
            n += 1 if OPTIONS.times > 1 else 6
            if not any(died):
                break
        print(f"killed at {self.killed} boundaries ", end="", flush=True)
        self.assertGreater(self.killed, 5)

    def walk(self, n, number):
        ident, north, south = ID.format(number), self.north, self.south
        north.agree("propose", self.write("draft.json", document(number, "north", "south")))
        shown = lambda: next((o for o in north.shown("south") if o["agreement"]["id"] == ident), None)
        first = self.give(n, until(shown))
        self.assertEqual(self.events(south, ident), [("proposed", "north.test"), ("signed", "north.test")])
        self.assertEqual(south.standing(ident), "proposed")
        south.agree("sign", ident)
        north.agree("suspend", ident)
        second = self.give(n, until(lambda: (o := shown()) and o["events"] and o))
        self.assertEqual(self.events(south, ident)[2:], [("signed", "south.test"), ("suspended", "north.test")])
        until(lambda: south.told(ident).get("standing") == "suspended")
        shown = [json.loads(line) for line in south.run("ledger", "show", "--json", "--home", str(south.home)).stdout.splitlines()[1:]]
        self.assertEqual([(e["entry"]["event"], e["entry"]["by"]) for e in shown if e["entry"].get("agreement") == ident],
                         [("proposed", "north.test"), ("signed", "north.test"), ("signed", "south.test"), ("suspended", "north.test")])
        return first, second

    def give(self, n, shown):
        """Core is killed at its Nth boundary from now on; SHOWN is posted until it is taken."""
        self.south.shown("north")  # core is there, and so is the account
        self.south_control.arm("core", n)

        def posted():
            try:
                status, told = self.south.partner("north", "POST", "/comity/collections/intake/objects/", {"objects": [shown]})
                return status in (200, 202) and not told.get("failures")
            except (OSError, http.client.HTTPException):
                return False
        until(posted, PATIENCE)
        died = self.south_control.died
        self.south_control.disarm()
        self.killed += bool(died)
        return died


if __name__ == "__main__":
    main()
