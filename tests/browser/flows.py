"""Does the console show which economies' teams gave reports and which got some, exactly those that three nodes exchanged, as it happens?

usage: flows.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Starts the nodes of teams in Finland, Brazil and Kenya and lets flows.mjs drive Chromium through the
first one's console; while it does, it has the teams give more.
"""
import itertools
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
import linked
from chromium import EVIL
from linked import FREELY, Linked, befriend, reports

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
ECONOMIES = {"north.test": "FI", "south.test": "BR", "east.test": "KE"}
EVERYBODY = {"id": "all", "from": "north.test", "to": "community", "classification": ["*"], "tlp_max": "clear", "effect": "release"}
AGREED = [{**FREELY[0], "clauses": [*FREELY[0]["clauses"], EVERYBODY]}]


def lines(many):
    return "".join(json.dumps(one) + "\n" for one in many)


def flows(node):
    return {row["team"]: (row["in"], row["out"]) for row in node.get("/api/v1/flows")["items"]}


def nobodys(count):
    """Reports about a network of Australia, of which no team of the directory is."""
    for report in reports(count, first=5000):
        yield {**report, "source.ip": f"1.1.1.{report['extra.number'] % 250}"}


def run(folder):
    linked.ECONOMIES.update(ECONOMIES)
    linked.NAMES["south.test"] = "South " + EVIL
    nodes = [Linked(COMITY, folder, name, *OPTIONS, "--courier.poll-interval", "1 s", agreed=AGREED) for name in ECONOMIES]
    try:
        north, south, east = nodes
        for one, other in itertools.permutations(nodes, 2):
            befriend(one, other)
        north.take([*reports(9), *({**one, "tlp": "clear"} for one in reports(1, first=9)), *reports(5, "east.test", first=100), *nobodys(7)])
        south.take(reports(4, "north.test", first=200))
        east.take(reports(3, "north.test", first=300))
        wanted = {"north.test": (22, 0), "south.test": (4, 10), "east.test": (3, 5), "community": (0, 1)}
        north.until(lambda: flows(north) == wanted, f"{wanted} (there are {flows(north)})")
        first = north.node.first_password()
        given = {"url": f"https://{north.node.address['operators']}", "npm": str(NPM.resolve()), "first": first, "comity": COMITY,
                 "homes": {node.team: str(node.home) for node in nodes},
                 "more": {"south.test": lines(reports(2, "north.test", first=400)), "north.test": lines(reports(6, "east.test", first=500))}}
        return chromium.drive("flows.mjs", given)
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
