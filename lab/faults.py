"""What goes wrong in a network of nodes, reproducibly: roles and nodes die, stop, are cut off, or have full disks, and are well again.

Every fault heals by itself after a while, as the operator or the machine would have it; end() heals what is left. All of it is done by
signals to processes that the lab started, and for full disks by the shim of tests/fault.
"""
import contextlib
import errno
import heapq
import math
import os
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "fault"))
from control import Control  # noqa: E402

ROLES = ["core", "courier", "front-local", "front-operators", "front-partners"]
KINDS = ["kill node", "kill role", "pause node", "cut off", "fill disk"]
LONGEST = {"kill node": 3, "pause node": 4, "cut off": 6, "fill disk": 3}  # seconds


class Storm(threading.Thread):
    """Runs beside the work; owns the fleet meanwhile."""

    def __init__(self, fleet, seed, seconds, shim):
        super().__init__(daemon=True)
        self.fleet, self.random, self.seconds, self.shim = fleet, random.Random(f"faults {seed}"), seconds, shim
        self.done, self.stopping, self.healing = {kind: 0 for kind in KINDS}, threading.Event(), []
        self.killed_nodes, self.struck, self.broken = set(), set(), None
        self.prepared = self.choose_disks() if shim else []
        self.planned = self.plan()

    def choose_disks(self):
        """Whose disk may be full: these run with the shim."""
        chosen = self.random.sample(self.fleet.nodes, max(1, len(self.fleet.nodes) // 20))
        for node in chosen:
            node.control = Control(node.home / "fault", self.shim)
            node.environment = node.control.environment
        return chosen

    def plan(self):
        """(second, kind, node), of which a tenth of the nodes is killed as a whole."""
        count, r, out = len(self.fleet.nodes), self.random, []
        for kind, share in (("kill node", .1), ("kill role", .25), ("pause node", .1), ("cut off", .15)):
            nodes = r.sample(self.fleet.nodes, max(1, math.ceil(count * share)))
            out += [(r.random() * self.seconds, kind, node) for node in nodes]
        out += [(r.random() * self.seconds, "fill disk", node) for node in self.prepared]
        return sorted(out, key=lambda f: f[0])

    def run(self):
        try:
            begun, waiting = time.monotonic(), list(reversed(self.planned))
            while not self.stopping.is_set() and (waiting or self.healing):
                now = time.monotonic() - begun
                while waiting and waiting[-1][0] <= now:
                    _, kind, node = waiting.pop()
                    if node.ready and node not in self.struck:
                        self.strike(kind, node, now)
                    else:  # it suffers already
                        waiting.append((now + .5, kind, node))
                        waiting.sort(key=lambda f: -f[0])
                self.heal(now)
                self.fleet.hear(.05)
        except Exception as why:  # told by end(): a storm that breaks is a lab that proves nothing
            self.broken = why

    def later(self, now, kind, node, what):
        self.struck.add(node)
        heapq.heappush(self.healing, (now + self.random.uniform(.2, LONGEST[kind]), self.random.random(), node, what))

    def heal(self, now):
        while self.healing and self.healing[0][0] <= now:
            _, _, node, what = heapq.heappop(self.healing)
            what()
            self.struck.discard(node)

    def strike(self, kind, node, now):
        getattr(self, kind.replace(" ", "_"))(node, now, kind)
        self.done[kind] += 1

    def kill_node(self, node, now, kind):
        node.kill()
        self.killed_nodes.add(node.team)
        self.later(now, kind, node, node.start)

    def kill_role(self, node, now, kind):
        pid = node.pids().get(self.random.choice(ROLES))
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pause_node(self, node, now, kind):
        node.signal(signal.SIGSTOP)
        self.later(now, kind, node, lambda: node.signal(signal.SIGCONT))

    def cut_off(self, node, now, kind):
        """Nothing comes in, or nothing goes out: connections are made and never answered."""
        pid = node.pids().get(self.random.choice(["front-partners", "courier"]))
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

                def heal():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
                self.later(now, kind, node, heal)

    def fill_disk(self, node, now, kind):
        node.control.fail("core", write=errno.ENOSPC, sync=errno.ENOSPC)
        self.later(now, kind, node, node.control.heal)

    def end(self, patience=120):
        """All is well again: whoever was down is up, whoever was stopped goes on."""
        self.join(self.seconds + patience)
        self.stopping.set()
        self.join(patience)
        if self.broken:
            raise self.broken
        for _, _, _, heal in self.healing:
            heal()
        for node in self.fleet.nodes:
            if node.process.poll() is not None:
                raise SystemExit(f"lab: the node of {node.team} ended by itself ({node.process.returncode}):\n{node.log()[-3000:]}")
            node.signal(signal.SIGCONT)
        until = time.monotonic() + patience
        while not all(n.ready for n in self.fleet.nodes):
            self.fleet.hear(1)
            if time.monotonic() > until:
                raise SystemExit("lab: never ready again: " + ", ".join(n.team for n in self.fleet.nodes if not n.ready))
