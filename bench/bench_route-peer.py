#!/usr/bin/env python3
"""route-peer: rows of a Shadowserver report, read by Comity and by IntelMQ's parser.

usage: bench_route-peer.py [--json]     (after ./dev build)
Both in process, one core, in turns. IntelMQ comes from PyPI into build/bench/peer-venv, or is the Python that
$COMITY_PEER_PYTHON names; it needs Shadowserver's own schema: $COMITY_SHADOWSERVER_SCHEMA, or
$COMITY_DATA/shadowserver/intelmq.json. Without either the peer is SKIPPED and ok is null.
"""
import ipaddress
import lzma
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from figure import figure, tell

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("COMITY_BUILD", ROOT / "build"))
ROWS, PEER_ROWS, TURNS, REACH = 100_000, 2_000, 5, 1000
NOBODY = 65534

# Our way -> theirs, and what it is.
WAYS = {"parse": ("parser", "rows read (parser alone)"),
        "route": ("chain", "rows routed (parser, experts, output)")}


def peer_python():
    named = os.environ.get("COMITY_PEER_PYTHON")
    if named:
        return named, ""
    venv = BUILD / "bench/peer-venv"
    python = venv / "bin/python"
    if (venv / "complete-with-pyasn").exists():
        return str(python), ""
    for command in ([sys.executable, "-m", "venv", str(venv)],
                    [str(python), "-m", "pip", "install", "-q", "intelmq", "async_timeout", "pyasn"]):
        if subprocess.run(command, capture_output=True, timeout=300, check=False).returncode != 0:
            return None, "intelmq could not be installed from PyPI"
    (venv / "complete-with-pyasn").touch()
    return str(python), ""


def routes():
    """The routed prefixes that ship with Comity, in the form of the peer's ASN look-up."""
    path = BUILD / "bench/peer-venv/ipasn.dat"
    if path.exists():
        return path
    lines = []
    with lzma.open(ROOT / "share/geo/ip4-asn.csv.xz", "rt") as table:
        next(table)
        for row in table:
            first, last, asn = map(int, row.split(","))
            while first <= last:
                bits = min((first & -first).bit_length() - 1 if first else 32, (last - first + 1).bit_length() - 1)
                lines.append(f"{ipaddress.IPv4Address(first)}/{32 - bits}\t{asn}\n")
                first += 1 << bits
    made = path.with_suffix(".new")
    made.write_text("".join(lines))
    made.rename(path)
    return path


def peer_schema():
    paths = [os.environ.get("COMITY_SHADOWSERVER_SCHEMA", "")]
    if os.environ.get("COMITY_DATA"):
        paths.append(os.environ["COMITY_DATA"] + "/shadowserver/intelmq.json")
    return next((path for path in paths if path and os.path.isfile(path)), None)


def make(folder, rows):
    path = folder / f"{rows}-event4_sinkhole_http-bench-asn.csv"
    with open(path, "wb") as out:
        subprocess.run([str(BUILD / "bench/route_peer"), "make", str(rows)], stdout=out, check=True)
    path.chmod(0o644)
    return path


def ours(path, way):
    """Rows a second of CPU: `parse` reads and renders, `route` goes the whole way to redacted lines."""
    environment = {"COMITY_SHARE": str(ROOT / "share"), "COMITY_GEO": str(BUILD / "world.geo"), **os.environ}
    out = subprocess.run([str(BUILD / "bench/route_peer"), way, str(path)], env=environment,
                         capture_output=True, check=True).stdout.split()
    if int(out[0]) != ROWS or int(out[1]) != 0:
        sys.exit(f"read {out[0].decode()} rows of {ROWS}, rejected {out[1].decode()}")
    return ROWS / float(out[3])


def peer(python, schema, path, state, way):
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    environment = {**os.environ, "INTELMQ_ROOT_DIR": str(state), "PYTHONDONTWRITEBYTECODE": "1"}
    program = str(ROOT / "bench/peers/intelmq_peer.py")
    run = subprocess.run([*user, python, program, str(path), schema, way, str(routes())], env=environment, capture_output=True,
                         timeout=300, check=False)
    if run.returncode != 0:
        return None, run.stderr.decode().strip().splitlines()[-1]
    rows, seconds = run.stdout.split()[-2:]
    return int(rows) / float(seconds), ""


def measure():
    """Rates of ours and theirs, for the parser alone and for the whole way."""
    python, why = peer_python()
    schema = peer_schema()
    if python and not schema:
        python, why = None, "Shadowserver's own schema is not there"
    rates = {way: ([], []) for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        state = folder / "state"
        state.mkdir()
        state.chmod(0o777)
        many, few = make(folder, ROWS), make(folder, PEER_ROWS)
        for _ in range(TURNS):
            for way, (theirs, _) in WAYS.items():
                rates[way][0].append(ours(many, way))
                rate, why = peer(python, schema, few, state, theirs) if python else (None, why)
                rates[way][1].extend([rate] if rate else [])
                python = python if rate else None
        shutil.rmtree(state, ignore_errors=True)
    return rates, why


def main():
    rates, why = measure()
    figures = []
    for way, (mine, theirs) in rates.items():
        figures.append(figure(WAYS[way][1], statistics.median(mine), "rows/s", REACH if way == "route" else None,
                              beside=statistics.median(theirs) if theirs else None,
                              ratios=[a / b for a, b in zip(mine, theirs)], why=None if theirs else "SKIPPED: " + why))
    return tell("route-peer", figures, "--json" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
