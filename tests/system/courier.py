"""The courier between two real nodes: what waits is pushed, what is there is fetched, by both ways at once nothing is there twice;
whoever is killed, at either side, nothing is lost; and who is dead or slow delays nobody.

Usage: courier.py COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import contextlib
import json
import random
import shutil
import socket
import sys
import unittest

from linked import befriend, reports
from linked_case import OPTIONS, Case

MANY, A_FILE = 20000, 2500
ROLES = ["courier", "core", "front partners"]


class Couriers(Case):
    def pair(self, push=True, poll=True, north=(), south=()):
        """North, which sends, and south."""
        north, south = self.start("north.test", *north), self.start("south.test", *south)
        befriend(south, north, "--no-push", "--no-witness", *([] if poll else ["--no-poll"]))
        befriend(north, south, "--no-poll", "--no-witness", *([] if push else ["--no-push"]))
        return north, south

    def arrived(self, node, count):
        """The numbers there, once COUNT different ones are."""
        seen = []

        def enough():
            seen[:] = node.numbers()
            return len(set(seen)) >= count
        node.until(enough, f"{count} reports")
        return seen

    def requests(self, node, method, path):
        return [line for line in node.node.find("request", method=method, path=path) if line["status"] in (200, 202)]

    def test_pushed(self):
        north, south = self.pair(poll=False)
        north.take(reports(100))
        self.assertEqual(self.arrived(south, 100), list(range(100)))
        south.node.wait("request", method="POST", path="/comity/collections/intake/objects/", status=202)
        posts = self.requests(south, "POST", "/comity/collections/intake/objects/")
        self.assertEqual({line["peer"] for line in posts}, {"127.0.0.1"})
        self.assertEqual(self.requests(north, "GET", "/comity/collections/released/objects/"), [])
        north.until(lambda: north.outbox()["waiting"] == 0, "all is fetched")
        self.assertIsNotNone(json.loads(north.command("peer", "show", "south.test", "--json"))["contact"])

    def test_fetched(self):
        north, south = self.pair(push=False)
        north.take(reports(3000))  # several pages
        self.assertEqual(self.arrived(south, 3000), list(range(3000)))
        self.assertEqual(self.requests(south, "POST", "/comity/collections/intake/objects/"), [])
        north.take(reports(10, first=3000))
        self.assertEqual(self.arrived(south, 3010), list(range(3010)))

    def test_what_is_too_large_for_any_node(self):
        """A control character takes six bytes in JSON. Who hands it in has it, nobody else; it keeps nothing back, by either way."""
        for push in (True, False):
            with self.subTest(push=push):
                north, south = self.pair(push=push, poll=not push)
                sizes = (4_000_000, 700_000, 10)
                north.take({**r, "event_description.text": size * "x"} for size, r in zip(sizes, reports(3)))
                north.take([{**next(reports(1, first=3)), "event_description.text": 300_000 * "\1"}])
                north.take(reports(1, first=4))
                self.assertEqual(self.arrived(south, 3), [1, 2, 4])
                self.assertEqual(len(north.node.find("a report is too large to be told, and counts as failed", team="south.test")), 2)
                north.until(lambda node=north: node.outbox()["waiting"] == 0, "all is there")
                self.assertEqual((north.outbox()["failed"], north.outbox()["delivered"]), (2, 3))
                self.assertEqual(north.numbers(), [0, 1, 2, 3, 4])
                self.assertEqual(north.command("store", "check"), "The store is whole.\n")
                for node in (north, south):
                    node.close()
                    shutil.rmtree(node.home)

    def test_where_it_went_on_outlives_the_node(self):
        north, south = self.pair(push=False)
        north.take(reports(50))
        self.arrived(south, 50)
        south.until(lambda: north.node.find("request", path="/comity/collections/directory/objects/"), "the round's end")
        south.restart()
        mark = north.node.mark()
        north.node.wait("request", mark, path="/comity/collections/released/objects/", status=200)
        page = north.node.find("request", mark, path="/comity/collections/released/objects/")[0]
        self.assertLess(page["bytes"], 100)  # nothing came again

    def test_turned_off(self):
        north, south = self.pair(poll=False, north=("--courier", "off"))
        north.take(reports(20))
        north.node.drain()
        since = north.node.mark()
        north.node.kill("courier")  # one that was started anew has looked at what there is
        north.node.wait("role ready", since, which="courier")
        self.assertEqual(north.outbox()["waiting"], 20)
        self.assertEqual(self.requests(south, "POST", "/comity/collections/intake/objects/"), [])
        north.options = OPTIONS
        north.restart()
        self.assertEqual(self.arrived(south, 20), list(range(20)))

    def test_whoever_is_killed(self):
        """Both ways at once, and kill -9 at either side while much crosses: nothing lost, nothing twice."""
        north, south = self.pair(north=("--start.deadline", "60 s"), south=("--start.deadline", "60 s"))
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        for first in range(0, MANY, A_FILE):
            north.take(reports(A_FILE, first=first))
            victim, role = dice.choice((north, south)), dice.choice(ROLES)
            victim.node.kill(role)
        for victim in (north, south):
            for role in ROLES:
                victim.node.kill(role)
        seen = self.arrived(south, MANY)
        self.assertEqual(seen, list(range(MANY)), f"seed {seed}")
        self.assertEqual(north.numbers(), list(range(MANY)), f"seed {seed}")  # nothing came back

    def test_who_is_dead_delays_nobody(self):
        """East takes connections and never says a word; there are two places in all."""
        with socket.create_server(("127.0.0.1", 0)) as hole:
            north, south = self.pair(poll=False, north=("--courier.connections", "2", "--courier.patience", "1 h", "--stop.deadline", "1 s"))
            north.take(reports(10))
            self.arrived(south, 10)
            card = self.folder / "east.json"
            url = f"https://127.0.0.1:{hole.getsockname()[1]}"
            card.write_text(json.dumps({"id": "east.test", "node": {"url": url, "certificate": "ab" * 32}}), encoding="utf-8")
            north.command("peer", "add", str(card), "--no-witness")
            north.take(reports(10, "east.test", first=20))
            hole.settimeout(60)
            taken, _ = hole.accept()  # east's transfer is under way
            with contextlib.closing(taken):
                north.take(reports(10, first=10))
                self.assertEqual(self.arrived(south, 20), list(range(20)))
                self.assertEqual(north.outbox("east.test")["waiting"], 10)
                self.assertEqual(north.node.stop(), 0)  # nor the node's end

    def test_a_node_that_comes_later(self):
        north, south = self.pair(poll=False)
        south.node.stop()
        north.take(reports(30))
        north.node.wait("link failed", team="south.test", way="push", error="unreachable", failures=2)
        south.start()
        self.assertEqual(self.arrived(south, 30), list(range(30)))
        north.node.wait("link works again", team="south.test", way="push")

    def test_a_name_that_is_known_at_once(self):
        """This machine's own: there is no server for names that could be asked for it."""
        north, south = self.start("north.test", "--courier.dns", "127.0.0.1:1"), self.start("south.test")
        befriend(south, north, "--no-push", "--no-poll", "--no-witness")
        url = south.url.replace("127.0.0.1", "localhost")
        north.command("peer", "add", south.card(url=url), "--no-poll", "--no-witness")
        north.take(reports(10))
        self.assertEqual(self.arrived(south, 10), list(range(10)))

    def test_a_card_with_another_certificate(self):
        """South's key was changed and nobody told: nothing goes, until its new card is there."""
        north, south = self.pair(poll=False)
        south.node.stop()
        for name in ("certificate.pem", "key.pem"):
            (south.home / "tls" / name).unlink()
        south.start()
        north.take(reports(5))
        north.node.wait("link failed", team="south.test", error="untrusted")
        self.assertEqual(self.requests(south, "POST", "/comity/collections/intake/objects/"), [])
        befriend(north, south, "--no-poll", "--no-witness")
        self.assertEqual(self.arrived(south, 5), list(range(5)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
