#!/usr/bin/env python3
"""What people read of deliveries can be named again: ids of teams stand there whole, however long they are. What waits for others is
told apart from what is here for this team.

usage: outbox.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

from node import Local
from nodes_case import OPEN, Case, agreement, report

LONG = "csirt.of-a-country-with-a-long-name.second-team_" + 16 * "x"  # 64 characters: as long as an id may be


class Shown(Case):
    def test_ids_are_whole(self):
        self.assertEqual(len(LONG), 64)
        held = {**OPEN, "id": "held", "classification": ["fraud.*"], "effect": "hold"}
        node = self.make("aa", {"aa": None, LONG: ["192.0.2.0/24"]}, [agreement(1, [OPEN]), agreement(2, [held])])
        node.let_in(LONG)
        node.take(report(), report(**{"classification.type": "phishing"}))
        card = self.folder / "card.json"
        card.write_text(json.dumps({"id": LONG, "name": "x", "node": {"url": "https://192.0.2.1:8444", "certificate": "ab" * 32}}),
                        encoding="utf-8")
        node.command("peer", "add", card)
        for words in (["outbox"], ["receipts"], ["held", "list"], ["peer", "list"], ["account", "list"]):
            lines = [line for line in node.command(*words).splitlines() if "csirt" in line]
            self.assertTrue(lines, words)
            for line in lines:
                self.assertIn(LONG, line.split(), words)
        told = json.loads(node.command("receipts", "--json").splitlines()[0])
        (line,) = (line for line in node.command("receipts").splitlines() if LONG in line)
        self.assertEqual(line.split()[-1], told["batch"])


class Own(Case):
    def test_what_is_here_for_us_waits_for_nobody(self):
        """Nobody need fetch it, so it is neither among what waits for others nor ever the oldest."""
        node = self.make("aa", {"aa": ["192.0.2.64/26"], "bb": ["192.0.2.0/28"]}, [agreement(1, [OPEN])])
        node.let_in("aa")
        node.take(report("192.0.2.70"), report("192.0.2.71"))
        sums = lambda: {k: v for k, v in node.api("GET", "/api/v1/status")[1].items()
                        if k in ("due", "waiting", "delivered", "failed", "own", "oldest")}
        nothing = {"due": 0, "waiting": 0, "delivered": 0, "failed": 0, "own": 2, "oldest": None}
        self.assertEqual(sums(), nothing)
        node.take(report("192.0.2.7"))
        (queue,) = (q for q in node.api("GET", "/api/v1/outbox")[1]["items"] if q["team"] == "bb")
        self.assertEqual(sums(), {**nothing, "waiting": 1, "oldest": queue["oldest"]})
        self.assertIsNotNone(queue["oldest"])
        told = dict(line.split(maxsplit=1) for line in node.command("status").replace("here for us", "own").splitlines())
        self.assertEqual((told["own"], told["waiting"], told["delivered"]), ("2", "1", "0"))
        client = Local(node.home)
        client.request("GET", "/metrics")
        metrics = client.getresponse().read().decode()
        client.close()
        for line in ('comity_outbox_reports{team="aa",state="own"} 2', 'comity_outbox_reports{team="bb",state="waiting"} 1'):
            self.assertIn(line + "\n", metrics)
        self.assertNotIn('{team="aa",state="waiting"}', metrics)
        (path,) = (f"/comity/collections/{c['id']}/objects/" for c in node.ask("aa", "GET", "/comity/collections/")[1]["collections"]
                   if "aa" in c["title"])
        last = node.ask("aa", "GET", path)[0].headers["X-TAXII-Date-Added-Last"]
        node.ask("aa", "GET", f"{path}?added_after={last}")  # who asks for what comes then has all until then
        self.assertEqual(sums(), {**nothing, "own": 0, "waiting": 1, "oldest": queue["oldest"]})
        self.assertNotIn("here for us", node.command("status"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
