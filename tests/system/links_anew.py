#!/usr/bin/env python3
"""Nodes and links that begin anew: links told to the courier again and again while it hands core what another node had, and a node
that lost all that it had.

The test's own arguments are COMITY [--no-sandbox].
"""
import contextlib
import http.client
import json
import shutil
import signal
import ssl
import sys
import unittest

from linked import PREFIXES, befriend, reports, team
from linked_case import Case
from node import PATIENCE

COUNT = 12000
TAXII = "application/taxii+json;version=2.1"


class Anew(Case):
    def test_what_is_fetched_stays_the_senders(self):
        north, south, east = (self.start(name) for name in ("north.test", "south.test", "east.test"))
        for _ in range(3):
            north.take(reports(COUNT // 3, first=len(north.numbers())))
        north.node.drain()
        befriend(north, south, "--no-push")
        befriend(south, north, "--no-push")
        times = 0
        while len(south.numbers()) < COUNT:
            for push in ("--push", "--no-push"):  # each is told to the courier, with all others
                befriend(south, east, push)
            times += 1
        self.assertGreater(times, 1)
        self.assertEqual(south.numbers(), list(range(COUNT)))
        paths = {tuple(json.loads(line)["extra.comity_path"]) for line in south.command("store", "export").splitlines()}
        self.assertEqual(len(paths), 1, paths)
        self.assertIn("north.test", paths.pop())

    def key(self, node):
        return node.command("ledger", "key", "--use", "receipt").strip()

    def know(self, *nodes):
        """All directories say by which key each of NODES signs its receipts."""
        cards = [team(name, PREFIXES[name]) for name in PREFIXES]
        for node in nodes:
            next(c for c in cards if c["id"] == node.team)["node"] = {
                "url": node.url, "certificate": node.certificate, "receipt": self.key(node)}
        (self.folder / "teams.json").write_text(json.dumps(cards), encoding="utf-8")
        for node in nodes:
            since = node.node.mark()
            node.node.send(signal.SIGHUP)
            node.node.wait("settings read", since)

    def ask(self, node, caller, method, path, body=None):
        """NODE's door for partners answers CALLER's node, which it knows by its certificate."""
        context = ssl.create_default_context(cafile=str(node.home / "tls" / "certificate.pem"))
        context.check_hostname = False
        context.load_cert_chain(caller.home / "tls" / "certificate.pem", caller.home / "tls" / "key.pem")
        host, port = node.node.address["partners"].rsplit(":", 1)
        with contextlib.closing(http.client.HTTPSConnection(host, int(port), timeout=PATIENCE, context=context)) as client:
            client.request(method, path, body, {"Accept": TAXII, "Content-Type": TAXII})
            answer = client.getresponse()
            text = answer.read()
            self.assertIn(answer.status, (200, 202), text)
            return json.loads(text)

    def states(self, node):
        return [r["state"] for r in node.get("/api/v1/receipts?limit=1000")["items"]]

    def test_a_node_that_lost_everything(self):
        """South's machine is gone with its keys before north has its receipts. The new one fetches all anew and answers for it with its own
        key; what the old one signed counts no more, whoever brings it."""
        north, south = self.start("north.test"), self.start("south.test")
        self.know(north, south)
        befriend(north, south, "--no-poll")
        befriend(south, north, "--no-push", "--no-poll")
        north.take(reports(40))
        north.until(lambda: north.outbox()["link"]["worked"], "word that it was sent")
        south.until(lambda: len(south.numbers()) == 40, "all reports")
        self.assertEqual(set(self.states(north)), {"open"})
        kept = self.ask(south, north, "GET", "/comity/collections/released/objects/?match[type]=comity-receipt")["objects"]
        self.assertTrue(kept)
        old = self.key(south)
        south.close()
        shutil.rmtree(south.home)
        south.listen = []
        south.start()
        self.know(north, south)
        self.assertNotEqual(self.key(south), old)
        befriend(north, south, "--no-push", "--no-poll")
        status = self.ask(north, south, "POST", "/comity/collections/intake/objects/", json.dumps({"objects": kept}))
        self.assertEqual((status["success_count"], status["failure_count"]), (0, len(kept)))
        self.assertIn("is not signed by", status["failures"][0]["message"])
        self.assertEqual(set(self.states(north)), {"open"})
        befriend(north, south, "--push")
        befriend(south, north)
        north.until(lambda: set(self.states(north)) == {"right"}, "the new node's receipts")
        self.assertEqual(south.numbers(), list(range(40)))
        told = {r["signed_by"] for r in north.get("/api/v1/receipts?limit=1000")["items"]}
        self.assertEqual(told, {"+".join(self.key(south).split("+")[:2])})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
