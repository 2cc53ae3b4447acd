"""Does every page of the console work for everybody: by keys alone, from right to left, on a telephone, by its URL; and for each kind of account no more than it may?

usage: everywhere.py COMITY NPM SCRIPT [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)

NPM is the folder that tools/npm filled. Starts two nodes that exchange, one with something on every page and an account of each kind,
and lets SCRIPT (everywhere.mjs, reading.mjs, rights.mjs) drive Chromium through its console.
"""
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from linked import FREELY, PREFIXES, Linked, reports

COMITY, NPM, SCRIPT, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
TABLES = pathlib.Path(os.environ["COMITY_TABLES"])
KINDS = ["officer", "analyst", "reader"]
AGREED = [{**FREELY[0], "clauses": [{**clause, "effect": "hold"} if clause["to"] == "east.test" else clause for clause in FREELY[0]["clauses"]]}]


def accounts(node):
    """Of each kind beside the operator, with their first passwords; a partner's, too."""
    given = {}
    for kind in [*KINDS, "partner"]:
        more = ["--team", "east.test"] if kind == "partner" else []
        given[kind] = {"name": f"a-{kind}", "first": node.command("account", "add", f"a-{kind}", "--kind", kind, *more).strip()}
    return given


def routes():
    """What the operators' door is asked below /api/v1, the right that each needs, and what must be said with it, of what is not there."""
    said = {"TEXT": "x", "KIND": "reader", "NUMBERS": [999999], "SECRET": "a long enough password"}
    text = {name: (TABLES / f"{name}.def").read_text(encoding="utf-8") for name in ("routes", "messages", "inputs")}
    rights = dict(re.findall(r'^MESSAGE\((\w+), \d+, \S+, "[A-Z]*", (\w+),', text["messages"], re.M))
    inputs = re.findall(r'^INPUT\((\w+), "(\w+)", (BODY|QUERY), (\w+), \d+, 1,', text["inputs"], re.M)
    found = re.findall(r'^ROUTE\((\w+), "[^"]+", (\w+), "/api/v1/([^"]+)", (\w+), \d+, \w+, (\w+), "([A-Z]*)"', text["routes"], re.M)
    return [{"method": method, "path": path, "body": body, "right": rights[message].lower().replace("_", "-"),
             **{where: {key: said[kind] for of, key, where_, kind in inputs if (of, where_) == (name, where)} for where in ("BODY", "QUERY")}}
            for name, method, path, body, message, doors in found if "O" in doors]


def run(folder):
    nodes = []
    try:
        for name in ("north.test", "south.test"):
            nodes.append(Linked(COMITY, folder, name, "--witness.interval", "1 s", *OPTIONS, agreed=AGREED))
        north, south = nodes
        cards = [node.signed_card(PREFIXES[node.team]) for node in nodes]
        south.command("peer", "add", cards[0])
        north.command("peer", "add", cards[1])
        north.take(reports(8))
        north.take(reports(6, to="east.test"))
        north.until(lambda: north.get("/api/v1/receipts")["items"] and not north.get("/api/v1/receipts")["open"], "the receipt")
        given = {"url": f"https://{north.node.address['operators']}", "npm": str(NPM.resolve()), "accounts": accounts(north), "card": cards[1],
                 "first": north.node.first_password(),
                 "report": north.get("/api/v1/reports?limit=1&team=south.test")["items"][0]["id"], "agreement": AGREED[0]["id"], "routes": routes()}
        return chromium.drive(SCRIPT, given)
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
