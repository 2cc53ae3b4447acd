"""Does the console work for teams' cards: those that wait, vouches, the own one, with nodes that really exchange?

usage: teams.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Two nodes that exchange, north and south; south has accepted the cards of others, and shows them
in its directory; north's node fetches them, and teams.mjs drives Chromium through north's console. East's node has signed no card yet.
"""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from chromium import EVIL
from linked import Linked
from node import PATIENCE

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
CLAIMS = {
    "east.test": {"economies": ["KE"], "constituency": {"prefixes": ["198.51.100.0/24", "203.0.113.0/24"], "asns": [64500]}},
    "west.test": {"economies": ["BR"]},
    # Whatever a card may say, everywhere.
    "evil.test": {"name": EVIL, "full_name": EVIL, "kind": "research", "economies": ["FI"], "source": EVIL, "source_date": EVIL, "hours": EVIL,
                  "timezone": EVIL, "established": EVIL, "note": EVIL, "memberships": [EVIL], "site": "https://evil.test/" + EVIL.replace(" ", "+"),
                  "constituency": {"domains": ["evil.test"], "description": EVIL}, "channels": [{"type": "email", "address": EVIL, "note": EVIL}],
                  "keys": [{"type": "openpgp", "id": EVIL, "fingerprint": EVIL, "key": EVIL}], "x_" + EVIL: EVIL},
}


def abroad(folder, name, claims):
    """The signed card of a team that runs no node here, as a file."""
    home, path = folder / f"abroad-{name}", folder / f"{name}.json"
    home.mkdir()
    said = home / "claims.json"
    said.write_text(json.dumps({"id": name, "name": name, "kind": "national", "source": "own", "verified": False, **claims}), encoding="utf-8")
    done = subprocess.run([COMITY, "team", "publish", "--home", str(home), "--as", name, "--url", f"https://{name}:8444", "--card", str(said), "-o", str(path)],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr}"
    return str(path)


def run(folder):
    nodes = [Linked(COMITY, folder, name, *OPTIONS, "--courier.poll-interval", "1 s") for name in ("north.test", "south.test", "east.test")]
    try:
        north, south, east = nodes
        cards = [node.published() for node in (north, south)]
        for name, claims in CLAIMS.items():
            south.command("team", "accept", abroad(folder, name, claims), "--teams", str(folder / "teams.json"))
        south.command("peer", "add", cards[0])
        north.command("peer", "add", cards[1])
        north.until(lambda: north.get("/api/v1/cards")["waiting"] == len(CLAIMS), "the cards that south shows")
        accounts = {kind: north.command("account", "add", f"a-{kind}", "--kind", kind).strip() for kind in ("reader", "officer")}
        given = {"url": f"https://{north.node.address['operators']}", "npm": str(NPM.resolve()), "accounts": accounts, "evil": EVIL,
                 "first": north.node.first_password(), "south": str(south.home / "local.sock"),
                 "new": {"url": f"https://{east.node.address['operators']}", "first": east.node.first_password(), "door": east.url}}
        return chromium.drive("teams.mjs", given)
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
