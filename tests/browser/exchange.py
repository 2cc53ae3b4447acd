"""Does the console work for what teams' nodes do with one another: partners, receipts, the ledger, its proofs, agreements, recall?

usage: exchange.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Starts two nodes that exchange and lets exchange.mjs drive Chromium through one's console.
"""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from linked import Linked, reports

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]


def run(folder):
    nodes = [Linked(COMITY, folder, name, *OPTIONS, "--witness.interval", "1 s") for name in ("north.test", "south.test")]
    try:
        nodes.append(Linked(COMITY, folder, "east.test", *OPTIONS, register=True))
        north, south, east = nodes
        cards = [node.published() for node in nodes]
        south.command("peer", "add", cards[0])
        north.take(reports(10))
        north.take(reports(10, first=10))
        south.take(reports(1, to="north.test"))
        south.until(lambda: south.get("/api/v1/receipts")["items"], "a delivery")
        foreign = south.command("ledger", "prove", south.get("/api/v1/reports?limit=1&address=192.0.2.0")["items"][0]["id"])
        given = {"url": f"https://{north.node.address['operators']}", "npm": str(NPM.resolve()), "card": cards[1],
                 "first": north.node.first_password(),
                 "east": {"url": f"https://{east.node.address['operators']}", "first": east.node.first_password()},
                 "key": north.command("ledger", "key").strip(), "other": south.command("ledger", "key").strip(), "foreign": foreign,
                 "witness": south.command("ledger", "key", "--use", "witness").strip(),
                 "report": north.get("/api/v1/reports?limit=1")["items"][0]["id"]}
        return chromium.drive("exchange.mjs", given)
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
