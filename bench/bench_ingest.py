#!/usr/bin/env python3
"""bench ingest: how fast do reports become durable in the running node?

A file of IDF reports goes through `comity ingest` into a node on this machine until the command returns, which it does
when all of it is durable: read and parsed by a front, checked, attributed, decided and stored by core with outbox entries. Beside it, the limit:
the same bytes through zstd into a file that is synced. Then searches for single addresses over all of it.

usage: bench_ingest.py [--json] [--scale MILLIONS] [--folder FOLDER]     (1 million; a temporary folder)
"""
import argparse
import itertools
import json
import pathlib
import subprocess
import tempfile
import time

import node_load as load


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
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = pathlib.Path(temporary)
        path, home = folder / "reports.jsonl", folder / "home"
        count = int(options.scale * 1e6)
        load.make_reports(path, count)
        beside = limit(path, folder)
        node, _ = load.start(home, "--outbox.max", "1000000000")
        try:
            before = {role: load.cpu_seconds(pid) for role, pid in load.pids(node).items()}
            counts, seconds = load.ingest(home, path)
            used = {role: load.cpu_seconds(pid) - before[role] for role, pid in load.pids(node).items()}
            local = load.Local(home)
            load.until_released(local)
            median, worst, found = load.search_ms(local, addresses_of(path, 50))
            figures = [
                load.figure(f"reports a second, {count:,} reports", counts["received"] / seconds, "/s", 200000, count / beside),
                load.figure("core's CPU a report", used["core"] / count * 1e6, "us"),
                load.figure("front's CPU a report", used["front local"] / count * 1e6, "us"),
                load.figure("search by address, median", median, "ms", 20, at_least=False),
                load.figure("search by address, worst of 50", worst, "ms"),
                load.figure("reports that the searches found", found, ""),
                load.figure("stored", counts["stored"], ""),
            ]
        finally:
            node.close()
        load.show("ingest", figures, options.json)


if __name__ == "__main__":
    main()
