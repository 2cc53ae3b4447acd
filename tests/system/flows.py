"""Which teams gave reports and which got some: what two nodes that exchange count, tell by the API and by events, and find again.

The test's own arguments are COMITY [--no-sandbox].
"""
import contextlib
import json
import os
import sqlite3
import sys
import tempfile
import unittest

from linked import FREELY, PATIENCE, Linked, befriend, reports
from node import Local

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
# North's go to south; a person looks first at what is for east.
AGREED = [{**FREELY[0], "clauses": [{**one, "effect": "hold"} if one["id"] == "north-east" else one for one in FREELY[0]["clauses"]]}]
WITHOUT_4 = """DROP INDEX receipt_batch; DROP TABLE unsent; DROP TABLE tally_team; DROP TABLE tally_kind; DELETE FROM tally WHERE name IN (16, 17);
               DELETE FROM value WHERE name = 'search-senders'; PRAGMA user_version = 3;"""


def flows(node, query=""):
    return {row["team"]: (row["in"], row["out"]) for row in node.get("/api/v1/flows" + query)["items"]}


def post(node, path, body):
    with contextlib.closing(Local(node.home)) as local:
        status, said = local.ask("POST", path, body)
        assert status == 200, said


def heard(response, name):
    """What the next event NAME says."""
    for line in response:
        if line == f"event: {name}\n".encode():
            return json.loads(next(response)[len("data: "):])
    raise AssertionError(f"no event {name}")


class Flows(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.north, self.south = (Linked(COMITY, temporary.name, name, *OPTIONS, agreed=AGREED) for name in ("north.test", "south.test"))
        for node in (self.north, self.south):
            self.addCleanup(node.close)
        befriend(self.north, self.south)
        befriend(self.south, self.north)

    def exchange(self):
        """North has 5 for south, one of which is taken back, and 4 for east, of which two are let go."""
        self.north.take([*reports(5), *reports(4, "east.test", first=100)])
        waiting = self.north.get("/api/v1/held")["items"]
        post(self.north, "/api/v1/held/release", {"numbers": [one["number"] for one in waiting[:2]], "reason": "seen"})
        self.north.until(lambda: flows(self.north) == {"north.test": (9, 0), "south.test": (0, 5), "east.test": (0, 2)}, "what goes out")
        gone = self.north.get("/api/v1/reports?team=south.test&limit=1")["items"][0]["id"]
        post(self.north, f"/api/v1/reports/{gone}/recall", {"reason": "wrong"})
        self.south.until(lambda: any(one["recalled"] for one in self.south.get("/api/v1/reports")["items"]), "what was taken back")
        self.north.until(lambda: self.north.get("/api/v1/receipts?team=south.test&open=true")["items"] == [], "all receipts")

    def found(self, node, **query):
        with contextlib.closing(Local(node.home)) as local:
            items, following = [], ""
            while following is not None:
                page = local.get("/api/v1/reports?limit=2&" + "&".join(f"{k}={v}" for k, v in {**query, "next": following}.items() if v))
                items, following = items + [one["id"] for one in page["items"]], page["next"]
        self.assertEqual(len(set(items)), len(items))
        return items

    def test_what_was_given_and_written_out_is_counted_once(self):
        self.exchange()
        self.assertEqual(flows(self.north), {"north.test": (9, 0), "south.test": (0, 5), "east.test": (0, 2)})
        self.assertEqual(flows(self.south), {"north.test": (5, 0)})
        told = self.south.get("/api/v1/flows")
        self.assertEqual((told["own"], told["home"], told["live"]), ("south.test", "XS", True))
        self.assertEqual([(row["economy"], row["in_today"]) for row in told["items"]], [("XN", 5)])
        self.assertEqual(flows(self.north, "?until=2020-01-01T00:00:00Z&since=2019-12-01T00:00:00Z"), {})
        for node in (self.north, self.south):
            totals = node.get("/api/v1/statistics?by=team")["totals"]
            self.assertEqual(totals["given"], totals["stored"])
            self.assertEqual(totals, node.get("/api/v1/statistics")["totals"])
            node.node.stop()
            self.assertIn("is whole", node.command("store", "check"))

    def test_reports_of_a_sender_and_of_a_delivery_are_found(self):
        self.exchange()
        self.assertEqual(len(self.found(self.south, sender="north.test")), 5)
        self.assertEqual(self.found(self.south, sender="east.test"), [])
        self.assertEqual(len(self.found(self.north, sender="north.test", team="east.test")), 4)
        deliveries = self.north.get("/api/v1/receipts?limit=100")["items"]
        of_south = [self.found(self.north, delivery=one["batch"]) for one in deliveries if one["team"] == "south.test"]
        self.assertEqual(sorted(map(len, of_south)), [1, 5])  # the one is that it was taken back
        self.assertEqual(set(sum(of_south, [])), set(self.found(self.north, team="south.test")))
        let_go = [self.found(self.north, delivery=one["batch"][len("urn:uuid:"):]) for one in deliveries if one["team"] == "east.test"]
        self.assertEqual(sum(map(len, let_go)), 2)
        history = self.north.get(f"/api/v1/reports/{let_go[0][0]}/explanation")["recipients"][0]["history"]
        out = next(step for step in history if step["what"] == "written-out")
        self.assertIn((out["batch"], out["entry"]), [(one["batch"], one["entry"]) for one in deliveries if one["team"] == "east.test"])
        with contextlib.closing(Local(self.north.home)) as local:
            for wrong in ("00000000-0000-4000-8000-000000000000", "urn:uuid:", "x"):
                local.request("GET", f"/api/v1/reports?delivery={wrong}")
                answer = local.getresponse()
                answer.read()
                self.assertEqual(answer.status, 404, wrong)

    def test_who_listens_hears_the_day_and_then_each_change(self):
        self.exchange()
        with contextlib.closing(Local(self.north.home, PATIENCE)) as local:
            local.request("GET", "/api/v1/events")
            response = local.getresponse()
            day = heard(response, "flows")
            self.assertEqual(day["day"], self.north.get("/api/v1/flows")["day"])
            self.assertEqual({row["team"]: (row["economy"], row["in"], row["out"]) for row in day["items"]},
                             {"north.test": ("XN", 9, 0), "south.test": ("XS", 0, 5), "east.test": ("XE", 0, 2)})
            self.south.take(reports(3, "north.test", first=200))
            later = {}
            while later.get("south.test") != (3, 5):
                later.update((row["team"], (row["in"], row["out"])) for row in heard(response, "flows")["items"])
            self.assertEqual(later, {"south.test": (3, 5)})

    def test_a_store_of_version_3_tells_what_its_deliveries_and_receipts_say(self):
        self.exchange()
        for node in (self.north, self.south):
            node.node.stop()
            with contextlib.closing(sqlite3.connect(node.home / "node.db")) as store:
                store.executescript(WITHOUT_4)
            node.start()
        self.assertEqual(flows(self.north), {"south.test": (0, 5), "east.test": (0, 2)})  # its own people's were not counted
        self.assertEqual(flows(self.south), {"north.test": (5, 0)})
        self.assertEqual(len(self.found(self.south, sender="north.test")), 5)
        self.north.take(reports(2, first=50))
        self.south.until(lambda: flows(self.south) == {"north.test": (7, 0)}, "two more")
        self.assertEqual(len(self.found(self.south, sender="north.test")), 7)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
