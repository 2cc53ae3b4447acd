"""What the benchmarks of the whole node share: reports in a file, a node that is full of them, what its roles use.

Times are wall clock on a machine that others may use too; CPU seconds and private bytes are the roles' own.
"""
import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "system"))
from node import ROLES, Local, Node  # noqa: E402

COMITY = ROOT / "build" / "comity"
PATIENCE = 3600  # seconds, for all that a node of millions of reports is asked
TICK = os.sysconf("SC_CLK_TCK")


def read_options(**more):
    """--json, --scale and --folder, and MORE as add_argument has them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--folder")
    for name, how in more.items():
        parser.add_argument(f"--{name}", **how)
    options = parser.parse_args()
    options.count = int(options.scale * 1e6)
    return options


@contextlib.contextmanager
def workplace(options):
    """A folder, a file of reports in it, and the place of a node's data folder."""
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = pathlib.Path(temporary)
        make_reports(folder / "reports.jsonl", options.count)
        yield folder, folder / "reports.jsonl", folder / "home"


def make_reports(path, count):
    with open(path, "wb") as out:
        subprocess.run([ROOT / "build" / "bench" / "make_reports", str(count)], stdout=out, check=True)


def start(home, *options):
    """A node of the demonstration directory (300 teams) and the world table; what it took in milliseconds."""
    begun = time.monotonic()
    node = Node(str(COMITY), home, "--tls", "off", *options, env={"COMITY_SHARE": str(ROOT / "share")})
    return node, (time.monotonic() - begun) * 1000


def pids(node):
    return {"parent": node.process.pid, **{role: node.pid(role) for role in ROLES}}


def private_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_"))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def free_port():
    """For programs that cannot be told to take any: somebody may be faster."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def local_door(node):
    return Local(node.home, PATIENCE)


def drain(node):
    node.drain(PATIENCE, pause=0.5)


def ingest(home, path):
    """Counts and seconds until all of PATH was durable."""
    begun = time.monotonic()
    done = subprocess.run([COMITY, "ingest", "--json", "--quiet", "--home", home, path], capture_output=True, check=True, text=True)
    return json.loads(done.stdout), time.monotonic() - begun


def search_ms(local, addresses):
    """Median and worst time of a search for one address, and how many reports the searches found."""
    times, found = [], 0
    for address in addresses:
        begun = time.monotonic()
        found += len(local.get(f"/api/v1/reports?address={address}")["items"])
        times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times), max(times), found
