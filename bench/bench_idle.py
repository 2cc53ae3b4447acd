#!/usr/bin/env python3
"""bench idle: what does a node use that does nothing, and how soon is it there?

World table, the demonstration directory (300 teams), a store of a million reports. Private bytes of all roles together
(smaps_rollup), after a fresh start and after a day's work; cold start until every role is ready.

usage: bench_idle.py [--json] [--scale MILLIONS] [--folder FOLDER]
"""
import argparse
import pathlib
import statistics
import tempfile

import node_load as load

REACH_BYTES, REACH_MS, STARTS = 64 * 1024 * 1024, 200, 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = pathlib.Path(temporary)
        path, home = folder / "reports.jsonl", folder / "home"
        load.make_reports(path, int(options.scale * 1e6))
        node, first = load.start(home, "--outbox.max", "1000000000")
        load.ingest(home, path)
        load.until_released(load.Local(home))
        worked = sum(load.private_bytes(pid) for pid in load.pids(node).values())
        node.stop()
        starts = []
        for _ in range(STARTS):
            node, took = load.start(home)
            starts.append(took)
            private = {role: load.private_bytes(pid) for role, pid in load.pids(node).items()}
            load.Local(home).get("/api/v1/status")
            node.stop()
        figures = [
            load.figure("private memory of all roles, started", sum(private.values()) / 2**20, "MiB", 64, at_least=False),
            load.figure("the same after taking all of it in", worked / 2**20, "MiB"),
            *[load.figure(f"  {role}", size / 2**20, "MiB") for role, size in private.items()],
            load.figure("cold start, median of 5", statistics.median(starts), "ms", REACH_MS, at_least=False),
            load.figure("first start ever", first, "ms"),
        ]
        load.show("idle", figures, options.json)


if __name__ == "__main__":
    main()
