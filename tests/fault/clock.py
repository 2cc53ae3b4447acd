#!/usr/bin/env python3
"""The clock jumps forward and back under a running node: what has ended stays ended, date_added keeps increasing, time that is
told never makes a report come twice.

usage: clock.py COMITY SHIM [--no-sandbox] [TEST...]
"""
import datetime
import json
import os
import signal
import subprocess
import time

from world import AGREED, OPTIONS, Case, main

HOUR = 3600


def at(seconds):
    return datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(Case):
    def setUp(self):
        self.w, self.number = self.world(agreed=()), 0

    def agreement(self, home, command, *words):
        done = subprocess.run([OPTIONS.comity, "agreement", command, "--teams", str(self.w.folder / "teams.json"), *words],
                              env={**os.environ, "COMITY_HOME": str(home)}, capture_output=True, text=True, cwd=self.w.folder, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def agree(self, until):
        """Both teams have signed: it holds until then."""
        w, own, other = self.w, self.w.home, self.w.folder / "other"
        keys = {team: self.agreement(home, "key", "--as", team).split()[1] for home, team in ((own, "own.test"), (other, "bb.test"))}
        self.agreement(own, "key", "--trust", "bb.test", keys["bb.test"])
        self.agreement(other, "key", "--trust", "own.test", keys["own.test"])
        (w.folder / "draft").write_text(json.dumps({**AGREED, "kind": "bilateral", "valid_until": until}), encoding="utf-8")
        self.agreement(own, "propose", "draft")
        (w.folder / "draft").write_text(self.agreement(own, "export", AGREED["id"]), encoding="utf-8")
        self.agreement(other, "sign", "draft")
        (w.folder / "draft").write_text(self.agreement(other, "export", AGREED["id"]), encoding="utf-8")
        self.agreement(own, "sign", "draft")
        w.start().people()

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

    def trusted(self):
        status, told = self.w.local("/api/v1/status")
        return status == 200 and told["clock_trusted"]

    def test_ended_stays_ended(self):
        self.agree(until=at(HOUR))
        self.assertEqual(self.hand_in(), 3)
        self.jump(2 * HOUR)
        self.assertEqual(self.hand_in(), 0)
        for back in (0, -HOUR, -1000 * 24 * HOUR, 0):
            self.jump(back)
            self.assertEqual(self.hand_in(), 0, f"clock at {back} s")
        self.w.wait_well()

    def test_ended_stays_ended_after_a_crash(self):
        """The clock goes back while core is dead, and while the node is."""
        self.agree(until=at(HOUR))
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
        self.assertFalse(self.trusted())

    def test_ahead_by_mistake(self):
        """What an operator does then; and nothing was removed as too old."""
        self.agree(until=None)
        self.assertEqual(self.hand_in(), 3)
        self.jump(10 * 365 * 24 * HOUR)
        self.assertEqual(self.hand_in(), 3)
        self.w.restart()
        self.jump(0)
        self.assertEqual(self.hand_in(), 0)
        self.assertEqual([self.w.count_of(n) for n in range(self.number)], [1] * self.number)
        self.w.node.stop()
        self.agreement(self.w.home, "clock", "--reset")
        self.w.start()
        self.assertEqual(self.hand_in(), 3)
        self.assertEqual([self.w.count_of(n) for n in range(self.number)], [1] * self.number)

    def test_added_keeps_increasing(self):
        """The partner reads by added_after all the while: nothing is jumped over, nothing comes again."""
        self.agree(until=None)
        released = 0
        for seconds, count in ((0, 3), (600, 3), (-600, 0), (0, 0), (-30 * 24 * HOUR, 0), (601, 3), (24 * HOUR, 3)):
            self.jump(seconds)
            self.assertEqual(self.hand_in(), count, f"clock at {seconds} s")
            self.w.fetch()
            released += count
        self.assertEqual(list(self.w.seen.values()), [1] * released)
        status, _, page = self.w.partner(f"/comity/collections/{self.w.collection()}/manifest/?limit=1000")
        self.assertEqual(status, 200)
        added = [row["date_added"] for row in page["objects"]]
        self.assertEqual(added, sorted(set(added)))


if __name__ == "__main__":
    main()
