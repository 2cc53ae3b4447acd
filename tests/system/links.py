"""Two nodes that added each other, as their operators see it: what was pushed is not fetched too, who is lost is said, and nobody
but the other node takes what waits for it.

The test's own arguments are COMITY [--no-sandbox].
"""
import base64
import http.client
import json
import os
import ssl
import sys
import tempfile
import unittest

from linked import PATIENCE, Linked, befriend, reports

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
RELEASED = "/comity/collections/released/objects/"


class Links(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)

    def pair(self, *options):
        nodes = [Linked(COMITY, self.temporary.name, name, *OPTIONS, *options) for name in ("north.test", "south.test")]
        for node in nodes:
            self.addCleanup(node.close)
        return nodes

    def peer(self, node, team):
        return json.loads(node.command("peer", "show", team, "--json"))

    def totals(self, node):
        return node.get("/api/v1/statistics")["totals"]

    def polled(self, node, team):
        """When polling worked last, and how far it came."""
        peer = self.peer(node, team)
        return peer["ways"][1]["worked"], peer["polled"]["released"]

    def test_what_was_pushed_is_not_fetched_too(self):
        north, south = self.pair()
        befriend(south, north)
        befriend(north, south)
        south.until(lambda: self.polled(south, "north.test")[0], "a poll")
        worked, before = self.polled(south, "north.test")
        north.take(reports(200))
        north.until(lambda: self.peer(north, "south.test")["waiting"] == 0, "word that all arrived")
        self.assertEqual(self.polled(south, "north.test")[0], worked)  # the next poll is minutes away
        self.assertGreater(self.polled(south, "north.test")[1], before)
        totals = self.totals(south)
        self.assertEqual(totals["stored"], 200)
        south.node.kill("courier")  # its successor polls at once
        south.until(lambda: self.polled(south, "north.test")[0] != worked, "another poll")
        self.assertEqual(self.totals(south), totals)
        self.assertEqual(south.numbers(), list(range(200)))

    def test_lost_and_back(self):
        north, south = self.pair("--courier.give-up", "1 s")
        befriend(south, north, "--no-poll")
        befriend(north, south, "--no-poll")
        north.until(lambda: self.peer(north, "south.test")["contact"], "a first contact")
        south.node.stop()
        north.take(reports(10))
        said = north.node.wait("link is lost: it is tried still, and what waits for it is kept", team="south.test", way="push")
        self.assertEqual(said["level"], "error")
        line = next(l for l in north.command("outbox").splitlines() if l.startswith("south.test"))
        self.assertRegex(line, r"LOST: \d+ failed since .* again .* because ")
        self.assertIn("LOST", north.command("peer", "list"))
        self.assertRegex(north.command("status"), r"LOST +1\n")
        way = self.peer(north, "south.test")["ways"][0]
        self.assertEqual((way["way"], way["lost"], way["status"]), ("push", True, None))
        self.assertEqual(self.peer(north, "south.test")["waiting"], 10)
        south.start()
        north.node.wait("link is back", team="south.test", way="push")
        south.until(lambda: south.numbers() == list(range(10)), "what waited")
        north.until(lambda: self.peer(north, "south.test")["waiting"] == 0, "word that it arrived")
        self.assertFalse(self.peer(north, "south.test")["lost"])

    def read_all(self, node, name, password):
        """As a person's TAXII client does, page by page; how many objects."""
        host, port = node.node.address["partners"].rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = http.client.HTTPSConnection(host, int(port), timeout=PATIENCE, context=context)
        self.addCleanup(client.close)
        count, after = 0, ""
        while True:
            client.request("GET", f"{RELEASED}?limit=50{after}", headers={
                "Accept": "application/taxii+json;version=2.1",
                "Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()})
            answer = client.getresponse()
            text = answer.read()
            self.assertEqual(answer.status, 200, text)
            objects = json.loads(text).get("objects", [])
            if not objects:
                return count
            count += len(objects)
            after = "&added_after=" + answer.headers["X-TAXII-Date-Added-Last"]

    def test_who_looks_takes_nothing_from_the_node(self):
        north, south = self.pair()
        befriend(north, south, "--no-poll")  # south has not added north yet: it takes nothing
        password = north.command("account", "add", "south-anna", "--kind", "partner", "--team", "south.test").strip()
        north.take(reports(30))
        north.node.drain()
        self.assertGreater(self.read_all(north, "south-anna", password), 30)
        self.assertEqual(self.read_all(north, "south-anna", password), self.read_all(north, "south-anna", password))
        self.assertEqual(self.peer(north, "south.test")["waiting"], 30)
        befriend(south, north, "--no-poll")
        south.until(lambda: south.numbers() == list(range(30)), "what waited")

    def test_a_removed_node_gets_nothing_more(self):
        north, south = self.pair()
        befriend(south, north, "--no-poll")
        befriend(north, south, "--no-poll")
        north.take(reports(5))
        south.until(lambda: south.numbers() == list(range(5)), "what waited")
        south.command("peer", "remove", "north.test")
        since = north.node.mark()
        north.take(reports(5, first=5))
        said = north.node.wait("link failed", since, team="south.test")
        self.assertEqual(said["status"], 401)
        self.assertEqual(south.numbers(), list(range(5)))
        befriend(south, north, "--no-poll")
        south.until(lambda: south.numbers() == list(range(10)), "what waited meanwhile")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
