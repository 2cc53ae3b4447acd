#!/usr/bin/env python3
"""kill -9 of any role at any moment, while reports come by `comity ingest` and a partner reads: none lost, none doubled.

Storm is bench crash's, too.     usage: storm.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import contextlib
import http.client
import os
import random
import signal
import threading
import time

from world import NAMES, OPTIONS, ROLES, Case, address, lines, main


class Storm:
    def __init__(self, world, reports, kills, seed, a_file=500, senders=2):
        self.world, self.reports, self.kills, self.random = world, reports, kills, random.Random(seed)
        self.files = [list(range(i, min(i + a_file, reports))) for i in range(0, reports, a_file)]
        self.waiting, self.lock, self.sent, self.failed = list(reversed(self.files)), threading.Lock(), 0, []
        self.refused, self.killed, self.fetches_cut, self.up = 0, [], 0, threading.Event()
        self.senders = [threading.Thread(target=self.guarded, args=(self.send,)) for _ in range(senders)]
        self.poller = threading.Thread(target=self.guarded, args=(self.poll,))
        self.done = threading.Event()

    def guarded(self, work):
        try:
            work()
        except BaseException as why:  # told by run
            self.failed.append(why)

    def next_file(self):
        with self.lock:
            return self.waiting.pop() if self.waiting and not self.failed else None

    def send(self):
        """As somebody with a list of files: one that was not taken is sent again."""
        name = self.world.folder / f"sent-{threading.get_ident()}.idf"
        while (numbers := self.next_file()) is not None:
            name.write_bytes(lines(numbers))
            while not self.world.ingest(numbers, str(name)):
                self.refused += 1
                self.up.wait(60)
            with self.lock:
                self.sent += 1

    def poll(self):
        """As a partner's program: what was cut off is asked for again, from the last whole page on."""
        while not self.done.is_set():
            try:
                self.world.fetch()
            except (OSError, http.client.HTTPException):
                self.fetches_cut += 1
                self.up.wait(60)
            self.done.wait(0.05)

    def kill(self, role):
        self.killed.append(role)
        node = self.world.node
        if role != "parent":
            with contextlib.suppress(ProcessLookupError):  # it was not ready yet
                os.kill(node.pid(NAMES[role]), signal.SIGKILL)
            return
        self.up.clear()
        node.process.kill()
        node.end()
        self.world.start()
        self.up.set()

    def run(self):
        """Kills while there is work; then looks."""
        self.up.set()
        for thread in [*self.senders, self.poller]:
            thread.start()
        try:
            for k in range(self.kills):
                while self.sent < (k + self.random.random()) * len(self.files) / (self.kills + 1) and not self.failed:
                    time.sleep(0.001 * self.random.random())  # any moment is as good
                self.kill(self.random.choice([*ROLES, "core", "core", "parent"]))
        finally:
            for thread in self.senders:
                thread.join()
            self.done.set()
            self.poller.join()
        if self.failed:
            raise self.failed[0]
        self.world.wait_well()
        self.world.drain()
        self.world.fetch()

    def lost_and_doubled(self):
        """Of all who were acknowledged: not stored, or not with the partner; stored or there twice."""
        world = self.world
        totals, had = world.stats()["totals"], world.seen
        lost = sum(address(n) not in had for n in world.acknowledged) + max(0, len(world.acknowledged) - totals["stored"])
        doubled = sum(n - 1 for n in had.values()) + max(0, totals["stored"] - len(world.tried))
        return lost, doubled


class Any(Case):
    def test_any_role_at_any_moment(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed} ", end="", flush=True)
        world = self.world("--batch.reports", "200").start().people()
        storm = Storm(world, 10000 * OPTIONS.times, 8 * OPTIONS.times, seed, a_file=100)
        storm.run()
        world.judge(search=random.Random(seed).sample(range(storm.reports), 200))
        self.assertEqual(storm.lost_and_doubled(), (0, 0))
        print(f"killed {' '.join(storm.killed)}: {storm.refused} files sent again, {storm.fetches_cut} fetches cut off ", end="", flush=True)


if __name__ == "__main__":
    main()
