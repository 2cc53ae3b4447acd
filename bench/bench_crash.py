#!/usr/bin/env python3
"""bench crash: what is lost and what is doubled when roles are killed during work?

Reports go by `comity ingest` (files of 500, two at a time) into a node whose roles are killed by SIGKILL, any of them at any
moment; a partner's program reads its TAXII collection all the while. What was not acknowledged is sent again. Afterwards:
which acknowledged reports are not stored or not with the partner, and which are there twice?

usage: bench_crash.py [--json] [--reports 100000] [--kills 25] [--seed N] [--folder FOLDER]
"""
import argparse
import collections
import pathlib
import random
import sys
import time

import node_load as load
from figure import figure, tell


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reports", type=int, default=100000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--folder", type=pathlib.Path, help="where the data folder is made")
    return parser.parse_args()


def main():
    options = read_options()
    sys.argv[1:] = [str(load.COMITY), "no-shim"]  # what the tests are given
    sys.path.append(str(load.ROOT / "tests" / "fault"))
    from storm import Storm  # noqa: E402
    from world import World  # noqa: E402
    world = World("--share", str(load.ROOT / "share"), parent=options.folder, shim=False, log_level="info").start().people()
    try:
        begun = time.monotonic()
        storm = Storm(world, options.reports, options.kills, options.seed)
        storm.run()
        seconds = time.monotonic() - begun
        lost, doubled = storm.lost_and_doubled()
        killed = collections.Counter(storm.killed)
        figures = [
            figure("acknowledged", len(world.acknowledged), "reports", options.reports),
            figure("acknowledged and lost", lost, "reports", 0, at_most=True),
            figure("doubled", doubled, "reports", 0, at_most=True),
            *[figure(f"killed: {role}", n, "times") for role, n in sorted(killed.items())],
            figure("files that were sent again", storm.refused, "files"),
            figure("fetches that were cut off", storm.fetches_cut, ""),
            figure("seconds until all was with the partner", seconds, "s"),
        ]
    finally:
        world.close()
    status = tell("crash", figures, options.json)
    if not options.json:
        print(f"seed {options.seed}; beside it, as it was seen: IntelMQ (Redis killed: 77 % of the events lost; a bot killed 25 times: 8 lost)")
    return status


if __name__ == "__main__":
    sys.exit(main())
