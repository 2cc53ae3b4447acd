"""The pictures of the console in doc/console, made anew: `./dev screenshots`.

usage: screenshots.py COMITY NPM FOLDER [NAME...]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled, FOLDER where the pictures go; NAMEs: only these. Two teams' nodes with the shipped directory and the
sample reports exchange; screenshots.mjs takes the pictures in Chromium. pngquant, where it is installed, makes them small.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from node import PATIENCE, Local, Node

COMITY, NPM, FOLDER, NAMES = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve(), sys.argv[4:]
SHARE = pathlib.Path(os.environ["COMITY_SHARE"])
OWN, OTHER = "jp-jpcert-cc", "th-thaicert"
NEIGHBOURS = [OWN, OTHER, "in-cert-in", "my-mycert", "sg-singcert", "ph-cert-ph-ncert", "kr-krcert-cc"]
AGREED = {"id": "urn:uuid:6f0a6f9e-0000-4000-8000-000000000001", "title": "Intrusions among neighbours", "kind": "multilateral", "valid_from": "2020-01-01", "valid_until": None,
          "parties": NEIGHBOURS, "clauses": [
              {"id": "1", "from": "party", "to": "party", "classification": ["intrusions.*", "intrusion-attempts.*"], "tlp_max": "amber", "effect": "hold", "onward": "none",
               "note": "A person looks at each before it leaves."},
              {"id": "2", "from": "party", "to": "party", "classification": ["malicious-code.*", "vulnerable.*"], "tlp_max": "amber", "effect": "release",
               "treatment": {"account": "remove", "device": "remove", "text": "remove"}, "retention_days": 180, "onward": "constituency"}]}


class Shown:
    """The node of TEAM, with the shipped directory and the agreements in the folder AGREED."""

    def __init__(self, folder, team, agreed):
        self.team, self.home = team, folder / team
        self.node = Node(COMITY, self.home, "--team", team, "--agreements", str(agreed), "--courier", "on", "--courier.retry-first", "100 ms", "--witness.interval", "1 s")

    def command(self, *words):
        done = subprocess.run([COMITY, *words, "--home", str(self.home)], capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
        assert done.returncode in (0, 1), done.stderr + self.node.log()
        return done.stdout

    def confirmed(self):
        """Until something was delivered to the other team, and all of that confirmed."""
        until = time.monotonic() + PATIENCE
        with contextlib.closing(Local(self.home)) as local:
            while time.monotonic() < until:
                told = local.get(f"/api/v1/receipts?team={OTHER}")
                if told["items"] and all(one["state"] == "right" for one in told["items"]):
                    return
                time.sleep(0.1)
        raise AssertionError(self.node.log())

    def card(self):
        path = self.home / "signed.json"
        self.command("team", "publish", "--as", self.team, "--url", "https://" + self.node.address["partners"], "-o", str(path))
        return str(path)


def run(folder):
    agreed = folder / "agreed"
    agreed.mkdir()
    shutil.copy(SHARE / "agreements" / "baseline.json", agreed)
    (agreed / "neighbours.json").write_text(json.dumps(AGREED), encoding="utf-8")
    nodes = []
    try:
        nodes = [Shown(folder, team, agreed) for team in (OWN, OTHER)]
        own, other = nodes
        cards = [node.card() for node in nodes]
        other.command("peer", "add", cards[0])
        own.command("peer", "add", cards[1])
        own.command("ingest", *map(str, sorted(path for path in (SHARE / "samples").rglob("*") if path.is_file())))
        own.confirmed()
        given = {"url": f"https://{own.node.address['operators']}", "npm": str(NPM.resolve()), "folder": str(FOLDER), "names": NAMES, "own": OWN, "other": OTHER,
                 "agreement": AGREED["id"], "first": own.node.first_password()}
        return chromium.drive("screenshots.mjs", given)
    finally:
        for node in nodes:
            node.node.close()


def main():
    missing = chromium.missing(NPM)
    if missing:
        print(missing)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        status = run(pathlib.Path(folder))
    made = sorted(FOLDER.glob("*.png"))
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--strip", "--speed", "1", "32", *map(str, (path for path in made if not NAMES or path.stem in NAMES))], check=True)
    else:
        print("pngquant is not installed: the pictures are three times as large as they need be")
    print("\n".join(f"{path.stat().st_size:8} {path}" for path in made))
    return status


sys.exit(main())
