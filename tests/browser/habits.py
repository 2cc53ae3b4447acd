"""Does the console keep what people rely on: drafts, filters, a session that ends, a node that falls silent, links that are wrong?

usage: habits.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Starts a node that delivered to more teams than a bundle of the ledger has entries, and lets
habits.mjs drive Chromium through its console.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from node import PATIENCE, Local, Node

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
MANY = 300  # of 256 entries is a bundle
OWN, FIRST = "north.test", "first.test"
AGREEMENT = "urn:uuid:00000000-0000-4000-8000-00000000000a"


def team(name, prefix):
    return {"id": name, "name": name, "kind": "national", "economies": ["FI"], "source": "test", "verified": True, "constituency": {"prefixes": [prefix]}}


def report(address, kind="scanner"):
    return {"classification.type": kind, "feed.provider": "Test", "time.source": "2026-03-01T10:20:30+00:00", "tlp": "green", "source.ip": address}


class Prepared:
    def __init__(self, folder):
        teams = [team(OWN, "192.0.2.0/24"), team(FIRST, "203.0.113.0/24"),
                 *(team(f"t{i}.test", f"198.51.100.{i}/32" if i < 256 else f"2001:db8:{i:x}::/48") for i in range(MANY))]
        clauses = [{"id": "1", "from": OWN, "to": "party", "classification": ["information-gathering.*"], "tlp_max": "amber", "effect": "release", "onward": "none"},
                   {"id": "2", "from": OWN, "to": "party", "classification": ["abusive-content.*"], "tlp_max": "amber", "effect": "hold", "onward": "none"}]
        agreement = {"id": AGREEMENT, "title": "Test", "kind": "multilateral", "parties": [one["id"] for one in teams], "valid_from": "2020-01-01", "clauses": clauses}
        for name, of in (("teams", teams), ("agreed", [agreement])):
            (folder / f"{name}.json").write_text(json.dumps(of), encoding="utf-8")
        self.home = folder / "home"
        self.node = Node(COMITY, self.home, *OPTIONS, "--teams", str(folder / "teams.json"), "--agreements", str(folder / "agreed.json"), "--team", OWN)

    def take(self, many):
        subprocess.run([COMITY, "ingest", "--home", str(self.home), "-"], input="".join(json.dumps(one) + "\n" for one in many), capture_output=True,
                       text=True, timeout=60, check=True)

    def delivered(self, count):
        """Until the ledger has COUNT deliveries."""
        end = time.monotonic() + PATIENCE
        with contextlib.closing(Local(self.home)) as local:
            while len(local.get("/api/v1/receipts?limit=1000")["items"]) < count:
                assert time.monotonic() < end, self.node.log()
                time.sleep(0.05)


def run(folder):
    node = Prepared(folder)
    try:
        node.take([report("203.0.113.1")])
        node.delivered(1)
        node.take([report(f"198.51.100.{i}" if i < 256 else f"2001:db8:{i:x}::1") for i in range(MANY)])
        node.delivered(MANY + 1)
        node.take([report("203.0.113.2", "spam"), report("198.51.100.3", "spam")])
        given = {"url": f"https://{node.node.address['operators']}", "npm": str(NPM.resolve()), "agreement": AGREEMENT, "to": FIRST, "many": MANY,
                 "first": node.node.first_password()}
        return chromium.drive("habits.mjs", given)
    finally:
        node.node.close()


chromium.main(NPM, run)
