#!/usr/bin/env python3
"""bench ingest: how fast do reports become durable in the running node?

A file of IDF reports goes through `comity ingest` into a node on this machine until the command returns, which it does
when all of it is durable: read and parsed by a front, checked, attributed, decided and stored by core with outbox entries. Beside it, the limit:
the same bytes through zstd into a file that is synced. Then searches for single addresses over all of it.

usage: bench_ingest.py [--json] [--scale MILLIONS] [--folder FOLDER]     (1 million; a temporary folder)
"""
import itertools
import json
import subprocess
import sys
import time

import node_load as load
from figure import figure, tell


def limit(path, folder):
    """Seconds for zstd of the same bytes, synced."""
    begun = time.monotonic()
    subprocess.run(["zstd", "-q", "-f", "-T1", "-3", path, "-o", folder / "limit.zst"], check=True)
    subprocess.run(["sync", folder / "limit.zst"], check=True)
    return time.monotonic() - begun


def addresses_of(path, count):
    """Some that are there, spread over the file."""
    with open(path, encoding="utf-8") as lines:
        some = [json.loads(line) for line in itertools.islice(lines, 0, None, 9973)]
    return [report["source.ip"] for report in some if "source.ip" in report][:count]


def main():
    options = load.read_options()
    with load.workplace(options) as (folder, path, home):
        count = options.count
        beside = limit(path, folder)
        node, _ = load.start(home, "--outbox.max", "1000000000")
        try:
            before = {role: load.cpu_seconds(pid) for role, pid in load.pids(node).items()}
            counts, seconds = load.ingest(home, path)
            used = {role: load.cpu_seconds(pid) - before[role] for role, pid in load.pids(node).items()}
            load.drain(node)
            median, worst, found = load.search_ms(load.local_door(node), addresses_of(path, 50))
            figures = [
                figure(f"reports a second, {count:,} reports", counts["received"] / seconds, "/s", 200000, beside=count / beside),
                figure("core's CPU a report", used["core"] / count * 1e6, "us"),
                figure("front's CPU a report", used["front local"] / count * 1e6, "us"),
                figure("search by address, median", median, "ms", 20, at_most=True),
                figure("search by address, worst of 50", worst, "ms"),
                figure("reports that the searches found", found, ""),
                figure("stored", counts["stored"], ""),
            ]
        finally:
            node.close()
        return tell("ingest", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
