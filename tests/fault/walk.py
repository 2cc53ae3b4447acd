#!/usr/bin/env python3
"""kill -9 of each role at every boundary: before and after each commit, answer, move of a file, and amid writes.

A step's work is told to die at the Nth thing that the role says to others or to the disk, N = 1, 2, 3 ... until the work is
done and nothing died. After each death what was not acknowledged is sent again, and everything is looked at from outside.

usage: walk.py COMITY SHIM [--no-sandbox] [TEST...]
"""
import collections
import http.client
import json
import os
import re
import shutil
import signal
import threading

from world import AGREED, OPTIONS, TAXII, Case, identity, lines, main

LIVES = 3  # a role that dies soon again and again is started later and later


class Walk(Case):
    def setUp(self):
        self.w = self.world().start().people()
        self.w.command("account", "add", "ana", "--kind", "analyst")
        told = self.w.command("account", "token", "ana", "--label", "test")
        self.token = "Bearer " + re.findall(r"\S{30,}", told)[0]
        self.intake = self.w.collection("Intake")
        self.number, self.names, self.posted, self.objects = 0, [], [], []

    def numbers(self, count):
        self.number += count
        return list(range(self.number - count, self.number))

    # ---- the work of a step: each part says what was acknowledged ----

    def put_file(self, numbers):
        """A feed's file: it counts as acknowledged when it is there and closed."""
        name = f"file-{numbers[0]}.idf"
        beside, there = self.w.folder / name, self.w.home / "incoming" / name
        beside.write_bytes(lines(numbers) + b'{"source.ip": "nonsense"}\n')
        os.utime(beside, (1_700_000_000, 1_700_000_000))
        shutil.move(beside, there)
        self.w.tried.update(numbers)
        self.w.acknowledged.update(numbers)
        self.names.append(name)

    def files_done(self):
        left = [p for p in (self.w.home / "incoming").iterdir() if p.is_file()]
        return not left

    def account(self):
        name = f"reader{self.number}"
        if self.w.run("account", "add", name, "--kind", "reader").returncode == 0:
            self.posted.append(name)

    def people_are_there(self):
        status, listed = self.w.local("/api/v1/principals")
        self.assertEqual(status, 200, listed)
        names = [p["name"] for p in listed["items"]]
        self.assertEqual([n for n in self.posted if n not in names], [], "acknowledged people are missing")
        self.assertEqual(len(names), len(set(names)))

    def check_files(self):
        done = self.w.home / "incoming" / "done"
        for name in self.names:
            self.assertTrue((done / name).exists(), f"{name} is not in done/")
            self.assertTrue((done / (name + ".rejected")).exists(), f"{name}'s rejections are not told")
            self.assertFalse((done / (name + ".1")).exists(), f"{name} is there twice")
        self.names.clear()
        self.assertEqual(list((self.w.home / "incoming" / "failed").iterdir()), [])

    def object(self, numbers):
        """An object that the partner's program posts: 202 says that the node has it."""
        one = identity(numbers[0])
        try:
            status, _, told = self.w.partner(f"/comity/collections/{self.intake}/objects/", "POST", json.dumps({"objects": [one]}),
                                             Content_Type=TAXII)
        except (OSError, http.client.HTTPException):
            return
        self.assertIn(status, (202, 503), told)
        if status == 202:
            self.objects.append(one["id"])

    def objects_are_there(self):
        """As an analyst sees them."""
        status, _, page = self.w.partner(f"/comity/collections/{self.intake}/manifest/?limit=1000", door="operators", Authorization=self.token)
        self.assertEqual(status, 200, page)
        there = [o["id"] for o in page.get("objects", [])]
        self.assertEqual([i for i in self.objects if there.count(i) != 1], [], "acknowledged objects are missing or doubled")

    # ---- walking ----

    def settle(self, numbers):
        self.w.wait_well()
        self.w.until_ingested(numbers)
        self.w.wait(self.files_done, "the end of incoming files")
        self.w.drain()
        self.w.judge(search=numbers)
        self.check_files()
        self.people_are_there()
        self.objects_are_there()

    def work(self, numbers, files):
        """Everything that the node acknowledges, one after the other, so that the Nth boundary is always the same."""
        self.put_file(files)
        self.w.wait(lambda: self.w.control.died or self.files_done(), "the file's end")
        self.w.post(numbers)
        self.w.wait(lambda: self.w.control.died or self.w.drained(), "an empty outbox")
        self.account()
        self.object(numbers)

    def walk(self, role, work=None, at_least=10, amid=0):
        control, boundaries, died, n = self.w.control, collections.Counter(), True, 0
        while died:
            n += 1
            if n % LIVES == 0:
                self.w.restart()
            numbers, files = self.numbers(3), self.numbers(2)
            control.arm(role, n, amid)
            (work or self.work)(numbers, files)
            died = control.died
            control.disarm()
            boundaries[control.last] += died
            self.settle(numbers + files)
        self.w.judge()
        self.assertGreaterEqual(n, at_least)
        print(f"{role}: killed at {n - 1} boundaries: " + ", ".join(f"{k} {v}" for k, v in sorted(boundaries.items())), flush=True)
        self.assertEqual(self.w.node.stop(), 0)

    def test_core(self):
        self.walk("core", at_least=30, amid=1 if OPTIONS.times > 1 else 20)

    def test_front_local(self):
        self.walk("front-local")

    def test_front_partners(self):
        def work(numbers, files):
            self.put_file(files)
            self.w.post(numbers)
            self.w.drain()
            self.object(numbers)
            try:
                self.w.fetch()
            except (OSError, http.client.HTTPException):
                pass  # a program that asks again from where it was
        self.walk("front-partners", work, at_least=5)

    def test_core_starts(self):
        """While it comes up again after a death amid work: recovery is interrupted, too."""
        def work(numbers, files):
            self.w.control.armed = 0
            self.put_file(files)
            self.w.post(numbers)
            self.w.control.armed = 1
            since, pid = self.w.node.mark(), self.w.node.pid("core")
            os.kill(pid, signal.SIGKILL)
            self.w.node.wait("role ready", since, which="core")
        self.walk("core", work, at_least=3)

    def test_parent(self):
        """Its children end with it, and the next node takes the folder."""
        for n in range(1, 8 * OPTIONS.times):
            numbers, files = self.numbers(3), self.numbers(2)
            self.put_file(files)
            sender = threading.Thread(target=self.w.post, args=(numbers,))
            sender.start()
            self.w.node.process.kill()
            sender.join()
            self.w.node.end()  # all who held its log have ended
            self.w.start()
            self.settle(numbers + files)
        self.w.judge()

    def test_parent_starts(self):
        """It dies while it starts the others."""
        self.w.control.arm("parent", 1)
        n = 0
        while self.w.control.died or n == 0:
            n += 1
            self.w.node.close()
            self.w.control.arm("parent", n)
            self.w.start(ready=False)
            self.w.wait(lambda: self.w.control.died or self.w.node.find("node ready"), "readiness or death", alive=False)
        print(f"parent: killed at {n - 1} boundaries of its start", flush=True)
        self.assertGreater(n, 5)
        self.w.node.close()  # what the last one was still armed with would come at its work
        self.w.control.disarm()
        self.w.start()
        self.settle(self.numbers(2))


class Held(Case):
    """What a person lets go: acknowledged, it is with the partner once; not acknowledged, it still waits or has gone, never half."""

    def setUp(self):
        held = [{**clause, "effect": "hold"} for clause in AGREED["clauses"]]
        self.w = self.world(agreed=[{**AGREED, "clauses": held}]).start().people()

    def waiting(self):
        status, told = self.w.local("/api/v1/held")
        self.assertEqual(status, 200, told)
        return [item["number"] for item in told["items"]]

    def release(self, number):
        return self.w.local(f"/api/v1/held/{number}/release", "POST", json.dumps({"reason": "test"}), Content_Type="application/json")[0]

    def test_core(self):
        n, died, released = 0, True, 0
        while died:
            n += 1
            if n % LIVES == 0:
                self.w.restart()
            self.w.until_ingested([2 * n, 2 * n + 1])
            first, second = self.waiting()
            self.w.control.arm("core", n)
            said = [self.release(first), self.release(second)]
            died = self.w.control.died
            self.w.control.disarm()
            self.w.wait_well()
            left = self.waiting()
            for number, status in zip((first, second), said):
                if status == 200:
                    self.assertNotIn(number, left, "it was let go and waits again")
            self.assertEqual([self.release(number) for number in left], [200] * len(left))
            self.assertEqual(self.release(first), 409)
            released += 2
            self.w.fetch()
            self.assertEqual(list(self.w.seen.values()), [1] * released, f"at boundary {n}: {self.w.control.last}")
        print(f"core: killed at {n - 1} boundaries of two decisions ", end="", flush=True)
        self.assertGreater(n, 5)


if __name__ == "__main__":
    main()
