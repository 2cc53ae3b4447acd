"""One writer and eight pollers, each in the way of another client: none loses an object, none gets one twice."""
import threading
import unittest

from clients import OpenCTI
from sections import tool
from taxii_node import ROOT, Node

OBJECTS, A_POST = 3000, (1, 7, 2, 40, 3)


class Poller(threading.Thread):
    def __init__(self, node, name, done, limit):
        super().__init__()
        self.client, self.name, self.done, self.limit = node.client("bb"), name, done, limit
        self.found, self.failed = [], None

    def run(self):
        try:
            self.poll()
        except Exception as failed:  # told by the test
            self.failed = failed
        self.client.close()


class ByNext(Poller):
    """Follows `next` while there is more, then goes on behind the last date."""

    def poll(self):
        last = False
        query = {}
        while True:
            finished = self.done.is_set()
            answer = self.client.get(f"{ROOT}collections/{self.name}/objects/", limit=self.limit, **query)
            page = answer.json()
            self.found += [o["id"] for o in page.get("objects", [])]
            if page.get("more"):
                query["next"] = page["next"]
                continue
            if finished and last:
                return
            last = finished
            query = {"added_after": answer.headers["X-TAXII-Date-Added-Last"]}


class ByDate(Poller):
    def poll(self):
        query, last = {}, False
        while True:
            finished = self.done.is_set()
            answer = self.client.get(f"{ROOT}collections/{self.name}/manifest/", limit=self.limit, **query)
            rows = answer.json().get("objects", [])
            self.found += [r["id"] for r in rows]
            if rows:
                query = {"added_after": rows[-1]["date_added"]}
            elif finished and last:
                return
            last = finished


class ByOpenCTI(Poller):
    def poll(self):
        ingester, last = OpenCTI(self.client, self.name), 0
        while last < 3:
            finished, before = self.done.is_set(), len(ingester.found)
            ingester.round(self.limit)
            last = last + 1 if finished and len(ingester.found) == before and not ingester.next else 0
        self.found = ingester.found


class Stress(unittest.TestCase):
    def test_one_writer_eight_pollers(self):
        node = Node()
        self.addCleanup(node.close)
        node.share("busy", "Busy")
        done = threading.Event()
        pollers = [kind(node, "busy", done, limit) for kind, limit in
                   ((ByNext, 1), (ByNext, 10), (ByNext, 1000), (ByDate, 13), (ByDate, 100), (ByOpenCTI, 5), (ByOpenCTI, 50),
                    (ByOpenCTI, 1000))]
        for poller in pollers:
            poller.start()
        writer, sent, n = node.client("ana"), [], 0
        while len(sent) < OBJECTS:
            objects = [tool(10000 + len(sent) + i) for i in range(A_POST[n % len(A_POST)])]
            n += 1
            self.assertEqual(writer.post("busy", objects).status, 202)
            sent += [o["id"] for o in objects]
        writer.close()
        done.set()
        for poller in pollers:
            poller.join(240)
            self.assertFalse(poller.is_alive())
            self.assertIsNone(poller.failed)
            self.assertEqual(len(poller.found), len(set(poller.found)), f"{type(poller).__name__} {poller.limit}: twice")
            self.assertEqual(poller.found, sent, f"{type(poller).__name__} {poller.limit}")


if __name__ == "__main__":
    unittest.main(argv=["stress"])
