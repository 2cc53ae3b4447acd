#!/usr/bin/env python3
"""The disk under the store is full, or says that it could not sync: nothing is acknowledged, nothing acknowledged is lost, and when
it is well again the node goes on as it is.

usage: device.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import errno
import json
import os
import shutil
import signal
import subprocess
import unittest

from world import OPTIONS, TAXII, Case, identity, lines, main

class Device(Case):
    def setUp(self):
        self.number = 0

    def numbers(self, count):
        self.number += count
        return list(range(self.number - count, self.number))

    def refused(self, world, numbers, with_status):
        """Handed in and refused, by people here and by the partner; neither is told a path, but the log says it."""
        world.tried.update(numbers)
        status, told = world.local("/api/v1/reports", "POST", lines(numbers))
        self.assertEqual(status, with_status, told)
        # It needs more room than the store's journal may have left over from what was refused before.
        large = {**identity(numbers[0]), "description": os.urandom(128 << 10).hex()}
        status, headers, told = world.partner(f"/comity/collections/{world.collection('Intake')}/objects/", "POST",
                                              json.dumps({"objects": [large]}), Content_Type=TAXII)
        self.assertEqual(status, with_status, told)
        self.assertNotIn("/", told["description"])
        self.assertEqual("Retry-After" in headers, with_status == 507)
        world.node.wait("request failed", id=headers["X-Request-Id"])
        return told

    @staticmethod
    def told(world, since):
        """How many lines of the log warn since then."""
        return sum(line.get("level") in ("warning", "error") for line in world.node.lines[since:])

    def settle(self, world, numbers):
        world.wait_well()
        world.until_ingested(numbers)
        world.drain()
        world.judge(search=numbers)


class Failing(Device):
    """By the shim: each sync and each write of a step's work fails, once, then some in a row, then all."""

    def setUp(self):
        super().setUp()
        self.w = self.world().start().people()
        self.core = self.w.node.pid("core")

    def walk(self, failures, **which):
        """The Nth fails, and as many behind it."""
        control, n, failed = self.w.control, 0, True
        while failed:
            numbers = self.numbers(3)
            control.fail("core", failures, skip=n, **which)
            self.w.post(numbers)
            # What is released fails too, and is tried again.
            self.w.wait(lambda: control.failed or self.w.drained(), "an empty outbox")
            control.heal()
            failed = control.failed
            n += 1
            self.settle(self.w, numbers)
        self.w.judge()
        self.assertEqual(self.w.node.pid("core"), self.core, "core did not live through it")
        return n - 1

    def test_each_sync(self):
        print(f"{self.walk(1, sync=errno.EIO)} syncs failed ", end="", flush=True)

    def test_each_write(self):
        for error in (errno.ENOSPC, errno.EIO):
            print(f"{self.walk(1, write=error)} writes failed ({errno.errorcode[error]}) ", end="", flush=True)

    def test_several_in_a_row(self):
        self.walk(3, sync=errno.EIO)
        self.walk(5, write=errno.ENOSPC)

    def test_never_well_again(self):
        """No sync works: nothing is acknowledged, each is told so, and the log says why. What was there stays to be read."""
        first = self.numbers(5)
        self.settle(self.w, first)
        self.w.control.fail("core", sync=errno.EIO)
        since = self.w.node.mark()
        lost = [self.numbers(3) for _ in range(5)]
        for numbers in lost:
            self.refused(self.w, numbers, 500)
        self.assertNotEqual(self.w.run("account", "add", "nobody", "--kind", "reader").returncode, 0)
        self.w.wait(lambda: self.told(self.w, since) >= len(lost), "a line of the log for each")
        self.assertEqual(self.w.count_of(first[0]), 1)
        # The machine ends, and its disk is replaced.
        self.w.control.heal()
        self.w.node.kill("core")
        self.settle(self.w, sum(lost, []))
        self.w.judge()


@unittest.skipUnless(os.geteuid() == 0, "SKIPPED: only root can mount a small file system")
class Full(Device):
    def small(self, megabytes):
        """A file system of so many megabytes; the test is left if none can be mounted here (in a container, say)."""
        world = self.world()
        home = world.home
        shutil.rmtree(home)
        home.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", home], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest("SKIPPED: no file system can be mounted: " + done.stderr.strip())
        self.addCleanup(lambda: subprocess.run(["umount", "-l", home], check=True))
        self.addCleanup(lambda: world.node and world.node.close())
        world.control = None
        return world.start().people()

    def fill(self, world, left=0):
        """Until LEFT bytes are free."""
        about = os.statvfs(world.home)
        size = about.f_bavail * about.f_frsize - left
        with open(world.home / "ballast", "ab") as file:
            file.write(bytes(max(size, 0)))

    def until_refused(self, world, most=2000):
        for _ in range(most):
            numbers = self.numbers(50)
            world.tried.update(numbers)
            status, told = world.local("/api/v1/reports", "POST", lines(numbers))
            if status != 200:
                self.assertEqual(status, 507, told)
                return numbers, told
            world.acknowledged.update(numbers)
        self.fail("it is never full")

    def test_full_disk(self):
        world = self.small(24 * OPTIONS.times)
        core = world.node.pid("core")
        for round_ in range(3 * OPTIONS.times):
            since = world.node.mark()
            self.fill(world, left=(1 + round_ % 3) * 300_000)
            numbers, told = self.until_refused(world)
            world.wait(lambda: self.told(world, since) > 0, "a line of the log")
            again = self.numbers(5)
            self.refused(world, again, 507)
            self.assertEqual(world.count_of(0), 1)  # it can still be asked
            world.partner("/comity/collections/")
            os.unlink(world.home / "ballast")
            self.settle(world, numbers + again)
        self.assertEqual(world.node.pid("core"), core)
        world.judge()
        print(f"{len(world.tried)} reports, {3 * OPTIONS.times} times full: {told['detail'][-60:]} ", end="", flush=True)

    def test_killed_while_full(self):
        world = self.small(24)
        self.fill(world, left=200_000)
        numbers, _ = self.until_refused(world)
        os.kill(world.node.pid("core"), signal.SIGKILL)
        world.wait_well()
        self.refused(world, self.numbers(5), 507)
        os.unlink(world.home / "ballast")
        self.settle(world, list(range(self.number)))
        world.judge()


if __name__ == "__main__":
    main()
