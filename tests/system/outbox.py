#!/usr/bin/env python3
"""What people read of deliveries can be named again: ids of teams stand there whole, however long they are.

usage: outbox.py COMITY [--no-sandbox]
"""
import json
import sys
import unittest

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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
