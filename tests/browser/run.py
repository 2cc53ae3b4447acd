"""Does the console work for people: signing in, each page with data, holding and releasing, languages, small screens, keys?

usage: run.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)

NPM is the folder that tools/npm filled. Starts a node with data of its own and lets console.mjs drive Chromium through it.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from chromium import EVIL
from node import Node

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
TABLES = pathlib.Path(os.environ["COMITY_TABLES"])
KINDS = ["reader", "analyst"]
TEAMS = [
    {"id": "north.test", "name": "North", "kind": "national", "economies": ["FI"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["192.0.2.0/25", "2001:db8:1::/48"], "domains": ["north.test"]}},
    {"id": "south.test", "name": "South " + EVIL, "full_name": EVIL, "kind": "national", "economies": ["BR"], "source": EVIL,
     "verified": False, "note": EVIL, "hours": EVIL, "memberships": [EVIL], "site": "https://south.test/",
     "constituency": {"prefixes": ["192.0.2.128/25"], "domains": ["south.test"], "description": EVIL},
     "channels": [{"type": "email", "address": "cert@south.test", "note": EVIL}], "keys": [{"type": "openpgp", "id": EVIL}]},
    {"id": "east.test", "name": "East", "kind": "national", "economies": ["KE"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["198.51.100.0/24"]}},
]
AGREEMENTS = [{
    "id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Test " + EVIL, "kind": "multilateral",
    "parties": ["north.test", "south.test", "east.test"], "valid_from": "2020-01-01", "clauses": [
        {"id": "1", "from": "north.test", "to": "south.test", "classification": ["*"], "tlp_max": "amber", "effect": "release",
         "treatment": {"account": "remove", "address": "generalise"}, "retention_days": 180, "onward": "none", "note": EVIL},
        {"id": "2", "from": "north.test", "to": "east.test", "classification": ["*"], "tlp_max": "amber", "effect": "hold",
         "require": [], "onward": "none"}]}]


def reports(count=450):
    for i in range(count):
        yield {"classification.type": ["scanner", "spam", "c2-server"][i % 3], "feed.provider": f"Provider {i % 4}",
               "time.source": f"2026-03-{i % 28 + 1:02}T10:20:30+00:00", "tlp": "green" if i % 2 else "amber",
               "source.ip": ["192.0.2.%d", "198.51.100.%d", "203.0.113.%d"][i // 3 % 3] % (i % 256), "source.account": f"account{i}"}


def fields():
    return re.findall(r'^FIELD\(\w+, "([^"]+)", (\w+), \w+\)', (TABLES / "fields.def").read_text(encoding="utf-8"), re.M)


class Prepared:
    def __init__(self, folder):
        self.home = folder / "home"
        (folder / "teams.json").write_text(json.dumps(TEAMS), encoding="utf-8")
        (folder / "agreed.json").write_text(json.dumps(AGREEMENTS), encoding="utf-8")
        self.node = Node(COMITY, self.home, *OPTIONS, "--teams", str(folder / "teams.json"), "--agreements",
                         str(folder / "agreed.json"), "--team", "north.test")
        self.password = self.node.first_password()

    def command(self, *words, stdin=None):
        done = subprocess.run([COMITY, *words, "--home", str(self.home)], capture_output=True, text=True, input=stdin,
                              timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def take(self, many):
        _, out, error = self.command("ingest", "--json", "-", stdin="".join(json.dumps(one) + "\n" for one in many))
        assert out, error + self.node.log()
        return json.loads(out)

    def evil_report(self):
        """One report with EVIL in every field that takes it, and in fields of other names. Which do, the node says."""
        base = {"classification.type": "phishing", "source.ip": "192.0.2.200", "tlp": "amber"}
        values = {"URL": "https://south.test/" + EVIL.replace(" ", "+"), "NAME": "south.test"}
        accepted = {}
        for i, (name, kind) in enumerate(fields()):
            if name in base or name == "tlp" or kind not in ("TEXT", "URL", "NAME"):
                continue
            value = values.get(kind, EVIL)
            if self.take([{**base, "source.ip": "203.0.113.9", "extra.n": str(i), name: value}])["stored"]:
                accepted[name] = value
        texts = [name for name, value in accepted.items() if value == EVIL]
        assert len(texts) >= 20, f"EVIL is taken by {texts} only"
        counts = self.take([{**base, **accepted, "extra.evil": EVIL, "extra.<b>x</b>": EVIL}])
        if counts["stored"] != 1:
            counts = self.take([{**base, **accepted, "extra.evil": EVIL}])
        assert counts["stored"] == 1, counts
        return len(texts)


def run(folder):
    node = Prepared(folder)
    try:
        node.take(reports())
        evil = node.evil_report()
        accounts = {}
        for kind in KINDS:
            status, out, error = node.command("account", "add", f"a-{kind}", "--kind", kind)
            assert status == 0, error
            accounts[kind] = {"name": f"a-{kind}", "first": out.strip()}
        given = {"url": f"https://{node.node.address['operators']}", "npm": str(NPM.resolve()), "first": node.password,
                 "accounts": accounts, "evil": evil}
        return chromium.drive("console.mjs", given, seconds=280)
    finally:
        node.node.close()


chromium.main(NPM, run)
