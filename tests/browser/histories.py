"""Does the console say that a partner's ledger has two histories, and hand out what proves it?

usage: histories.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. North's store is put back from an older copy and goes on otherwise; histories.mjs drives
Chromium through south's console.
"""
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from linked import Linked, reports

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]


def put_back(north, south):
    """North with an older copy of its store, and another history in front of south."""
    cosigned = lambda: south.get("/api/v1/peers/north.test")["witnessed"]["size"]
    north.take(reports(1))
    south.until(cosigned, "a cosignature")
    north.node.stop()
    copy = north.home.parent / "copy"
    shutil.copytree(north.home, copy)
    north.start()
    for first in (100, 200):
        north.take(reports(1, first=first))
        north.node.drain()
    south.until(lambda: cosigned() == 3, "a cosignature of all")
    north.node.stop()
    shutil.rmtree(north.home)
    copy.rename(north.home)
    north.start()
    for first in (300, 400, 500):
        north.take(reports(1, first=first))
        north.node.drain()
    south.until(lambda: south.get("/api/v1/peers/north.test")["witnessed"]["two_histories"], "word of it")


def run(folder):
    north, south = nodes = [Linked(COMITY, folder, name, *OPTIONS, "--witness.interval", "1 s") for name in ("north.test", "south.test")]
    try:
        first = south.node.first_password()
        for node, other in ((north, south), (south, north)):
            node.command("peer", "add", other.published())
        put_back(north, south)
        return chromium.drive("histories.mjs", {"url": f"https://{south.node.address['operators']}", "npm": str(NPM.resolve()), "first": first,
                                                "evidence": south.command("peer", "evidence", "north.test")})
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
