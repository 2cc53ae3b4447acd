"""What the benchmarks of the whole node share: reports in a file, a node that is full of them, what its roles use.

Times are wall clock on a machine that others may use too; CPU seconds and private bytes are the roles' own.
"""
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "system"))
from node import Node  # noqa: E402

COMITY = ROOT / "build" / "comity"
ROLES = ["core", "courier", "front local", "front operators", "front partners"]
TICK = os.sysconf("SC_CLK_TCK")


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


def ingest(home, path):
    """Counts and seconds until all of PATH was durable."""
    begun = time.monotonic()
    done = subprocess.run([COMITY, "ingest", "--json", "--quiet", "--home", home, path], capture_output=True, check=True, text=True)
    return json.loads(done.stdout), time.monotonic() - begun


class Local(http.client.HTTPConnection):
    """The local door, on one connection that is kept."""

    def __init__(self, home):
        super().__init__("localhost", timeout=600)
        self.path = str(pathlib.Path(home) / "local.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def get(self, path):
        self.request("GET", path)
        return json.loads(self.getresponse().read())


def until_released(local):
    """Wait until nothing is due any more, as released reports are what the node does when it has nothing else to do."""
    while local.get("/api/v1/status")["due"] > 0:
        time.sleep(0.5)


def search_ms(local, addresses):
    """Median and worst time of a search for one address, and how many reports the searches found."""
    times, found = [], 0
    for address in addresses:
        begun = time.monotonic()
        found += len(local.get(f"/api/v1/reports?address={address}")["items"])
        times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times), max(times), found


def figure(what, value, unit, reach=None, beside=None, at_least=True):
    ok = None if reach is None else (value >= reach if at_least else value <= reach)
    return {"what": what, "value": round(value, 3), "unit": unit, "beside": beside and round(beside, 3),
            "ratio": beside and round(value / beside, 3), "reach": reach, "ok": ok}


def show(name, figures, as_json):
    if as_json:
        print(json.dumps({"name": name, "figures": figures}))
        return
    print(f"{'':44} {'value':>14} {'':8} {'beside':>12} {'reach':>10}")
    for f in figures:
        print(f"{f['what']:44} {f['value']:14,.2f} {f['unit']:8} {f['beside'] if f['beside'] is not None else '':>12} "
              f"{f['reach'] if f['reach'] is not None else '':>10} {'' if f['ok'] is None else 'ok' if f['ok'] else 'MISSED'}")
