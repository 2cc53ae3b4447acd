#!/usr/bin/env python3
"""The clock jumps forward and back under a running node: what has ended stays ended, date_added keeps increasing, time that is
told never makes a report come twice.

usage: clock.py COMITY SHIM [--no-sandbox] [TEST...]
"""
import datetime
import os
import signal
import time

from world import AGREED, Case, lines, main

HOUR = 3600


def at(seconds):
    return datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(Case):
    def setUp(self):
        self.w = self.world(agreed=[{**AGREED, "valid_until": at(HOUR)}]).start().people()
        self.number = 0

    def jump(self, seconds):
        self.w.control.clock_us = int(seconds * 1_000_000)

    def hand_in(self, count=3):
        """How many of them were released."""
        numbers = list(range(self.number, self.number + count))
        self.number += count
        before = self.w.stats_of_all()["released"]
        self.w.until_ingested(numbers)
        self.w.drain()
        return self.w.stats_of_all()["released"] - before

    def test_ended_stays_ended(self):
        self.assertEqual(self.hand_in(), 3)
        self.jump(2 * HOUR)
        self.assertEqual(self.hand_in(), 0)
        for back in (0, -HOUR, -1000 * 24 * HOUR, 0):
            self.jump(back)
            self.assertEqual(self.hand_in(), 0, f"clock at {back} s")
        self.w.wait_well()

    def test_ended_stays_ended_after_a_crash(self):
        """The clock goes back while core is dead."""
        self.assertEqual(self.hand_in(), 3)
        self.jump(2 * HOUR)
        self.assertEqual(self.hand_in(), 0)
        pid, since = self.w.node.pid("core"), self.w.node.mark()
        os.kill(pid, signal.SIGSTOP)
        self.jump(0)
        os.kill(pid, signal.SIGKILL)
        self.w.node.wait("role ready", since, which="core")
        self.assertEqual(self.hand_in(), 0)
        self.w.restart()
        self.assertEqual(self.hand_in(), 0)

    def test_added_keeps_increasing(self):
        """The partner reads by added_after all the while: nothing is jumped over, nothing comes again."""
        for seconds in (0, 600, -600, 0, -30 * 24 * HOUR, 60, 0):
            self.jump(seconds)
            self.assertEqual(self.hand_in(), 3)
            self.w.fetch()
        self.assertEqual(sorted(self.w.seen.values()), [1] * self.number)
        status, _, page = self.w.partner(f"/comity/collections/{self.w.collection()}/manifest/?limit=1000")
        self.assertEqual(status, 200)
        added = [row["date_added"] for row in page["objects"]]
        self.assertEqual(added, sorted(set(added)))


if __name__ == "__main__":
    main()
