"""Do two teams' consoles work with each other: agreements from proposal to end, feedback, correction, recall? And does nothing run that the other wrote?

usage: between.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Starts two nodes that know each other by signed cards with script in every text, and lets
between.mjs drive Chromium through both consoles.
"""
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from chromium import EVIL
from linked import PREFIXES, Linked, reports, team

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]


def evil_card(node):
    """NODE's own signed card, with EVIL in each text that a card has."""
    claims, path = node.home / "claims.json", node.home / "signed.json"
    own = {**team(node.team, PREFIXES[node.team]), "name": f"{node.team} {EVIL}", "full_name": EVIL, "note": EVIL, "hours": EVIL, "memberships": [EVIL],
           "established": EVIL, "timezone": EVIL, "source": EVIL, "site": f"https://{node.team}/{EVIL}",
           "channels": [{"type": "email", "address": f"{EVIL}@{node.team}", "note": EVIL}], "keys": [{"type": "openpgp", "id": EVIL}]}
    own["constituency"]["description"] = EVIL
    claims.write_text(json.dumps([own] + [team(other) for other in PREFIXES if other != node.team]), encoding="utf-8")
    node.command("team", "publish", "--as", node.team, "--url", node.url, "--teams", str(claims), "-o", str(path))
    return str(path)


def run(folder):
    nodes = []
    try:
        for name in ("north.test", "south.test"):
            nodes.append(Linked(COMITY, folder, name, "--courier.poll-interval", "1 s", "--witness.interval", "1 s", *OPTIONS, register=True))
        cards = [evil_card(node) for node in nodes]
        nodes[0].command("peer", "add", cards[1])
        nodes[1].command("peer", "add", cards[0])
        samples = folder / "reports.jsonl"
        samples.write_text("".join(json.dumps({**one, "feed.provider": EVIL, "source.account": EVIL, "event_description.text": EVIL}) + "\n"
                                   for one in reports(3)), encoding="utf-8")
        given = {"npm": str(NPM.resolve()), "evil": EVIL, "reports": str(samples), "home": str(nodes[0].home), "comity": COMITY}
        for node in nodes:
            given[node.team.split(".", maxsplit=1)[0]] = {"url": f"https://{node.node.address['operators']}", "first": node.node.first_password()}
        return chromium.drive("between.mjs", given)
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
