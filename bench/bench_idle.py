#!/usr/bin/env python3
"""bench idle: what does a node use that does nothing, and how soon is it there?

World table, the demonstration directory (300 teams), a store of a million reports. Private bytes of all roles together
(smaps_rollup): right after a day's work, when it has given back what that took, and after a fresh start; cold start until every
role is ready.

usage: bench_idle.py [--json] [--scale MILLIONS] [--folder FOLDER]
"""
import statistics
import sys
import time

import node_load as load
from figure import figure, tell

REACH_MIB, REACH_MS, STARTS = 64, 200, 5
STEADY_S, MOST_S = 15, 120  # a node that is quiet for ten seconds gives back


def private(node):
    return {role: load.private_bytes(pid) / 2**20 for role, pid in load.pids(node).items()}


def at_rest(node):
    """MiB of each role once they have not fallen for STEADY_S, and the seconds until they fell last."""
    begun = fell = time.monotonic()
    least = found = private(node)
    while time.monotonic() - fell < STEADY_S and time.monotonic() - begun < MOST_S:
        time.sleep(0.2)
        found = private(node)
        if sum(found.values()) < 0.99 * sum(least.values()):
            least, fell = found, time.monotonic()
    return found, fell - begun


def worked(node, home, path):
    """The figures of a node that has taken PATH in and written it out."""
    load.ingest(home, path)
    load.drain(node)
    busy, (rest, seconds) = sum(private(node).values()), at_rest(node)
    return [figure("private memory of all roles, all of it taken in", busy, "MiB"),
            figure("the same, given back", sum(rest.values()), "MiB", REACH_MIB, at_most=True),
            *[figure(f"  {role}", size, "MiB") for role, size in rest.items()],
            figure("until it was given back", seconds, "s")]


def fresh(home):
    """The figures of one that is started on that store, STARTS times."""
    starts = []
    for _ in range(STARTS):
        node, took = load.start(home)
        try:
            starts.append(took)
            sizes = private(node)
            load.local_door(node).get("/api/v1/status")
            node.stop()
        finally:
            node.close()
    return [figure("private memory of all roles, started", sum(sizes.values()), "MiB", REACH_MIB, at_most=True),
            *[figure(f"  {role}", size, "MiB") for role, size in sizes.items()],
            figure(f"cold start, median of {STARTS}", statistics.median(starts), "ms", REACH_MS, at_most=True)]


def main():
    options = load.read_options()
    with load.workplace(options) as (_, path, home):
        node, first = load.start(home, "--outbox.max", "1000000000")
        try:
            figures = [figure("first start ever", first, "ms"), *worked(node, home, path)]
            node.stop()
        finally:
            node.close()
        figures += fresh(home)
        return tell("idle", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
