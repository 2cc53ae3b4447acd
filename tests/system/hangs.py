"""Core hangs without dying: the doors say so in time, whoever waits is told, and when it goes on, all works again, nothing is
lost and nothing is there twice. Usage: hangs.py COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import threading
import time
import unittest

from node import PATIENCE, Local
from nodes_case import OPEN, Case, agreement, report

MONITOR, BOUND = 5, 30  # seconds: a monitor's patience; what anybody may have to wait
INTAKE = "/api/v1/reports?format=idf"


def numbered(first, count):
    return "".join(json.dumps(report(**{"extra.n": first + n})) + "\n" for n in range(count)).encode()


class Hangs(Case):
    def setUp(self):
        super().setUp()
        self.team = self.make("north.test", {"north.test": ["198.51.100.0/24"], "south.test": ["192.0.2.0/24"]}, [agreement(1, [OPEN])])
        self.node = self.team.node
        self.team.let_in("south.test")

    def stop_core(self):
        pid = self.node.pid("core")
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.go_on)
        while pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "T":
            threading.Event().wait(0.01)

    def go_on(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.node.pid("core"), signal.SIGCONT)

    def client(self, door):
        client = Local(self.team.home) if door == "local" else self.node.connect(door, tls=False)
        self.addCleanup(client.close)
        return client

    def ask(self, door, path, method="GET", body=None):
        """Status, text and how long it took; as the partner where that is one's door."""
        client, began = self.client(door), time.monotonic()
        headers = {"Authorization": "Bearer " + self.team.tokens["south.test"]} if door == "partners" and path != "/readyz" else {}
        kind = "application/json" if path.endswith("/principals") else "application/octet-stream"
        client.request(method, path, body, {"Accept": "*/*", "Content-Type": kind, **headers})
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
        return answer.status, text, time.monotonic() - began

    def at_once(self, *questions):
        """All of them side by side."""
        answers = [None] * len(questions)

        def one(i, question):
            answers[i] = self.ask(*question)
        threads = [threading.Thread(target=one, args=(i, q)) for i, q in enumerate(questions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertNotIn(None, answers, self.node.log()[-3000:])
        return answers

    def begin_stream(self, body):
        """Half of it is there; the rest comes with the call of what is returned."""
        client = self.client("local")
        client.putrequest("POST", INTAKE)
        client.putheader("Content-Length", str(len(body)))
        client.putheader("Content-Type", "application/octet-stream")
        client.endheaders()
        client.send(body[:len(body) // 2])

        def rest():
            client.send(body[len(body) // 2:])
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        return rest

    def until(self, holds):
        until = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), until, self.node.log()[-3000:])
            threading.Event().wait(0.05)

    def hang(self, halves):
        self.stop_core()
        for status, text, took in self.at_once(*((door, "/readyz") for door in ("local", "operators", "partners"))):
            self.assertEqual(status, 503)
            self.assertIn("core does not answer", text)
            self.assertLess(took, MONITOR)
        answers = self.at_once(
            ("local", "/api/v1/status"), ("local", INTAKE, "POST", numbered(10000, 100)),
            ("local", "/api/v1/principals", "POST", json.dumps({"name": "east", "kind": "reader"})),
            ("partners", "/comity/collections/"), ("operators", "/readyz"))
        for status, text, took in answers:
            self.assertEqual(status, 503, text)
            self.assertIn("core does not answer", text)
            self.assertLess(took, BOUND)
        self.assertEqual(json.loads(answers[0][1])["code"], "busy")
        status, text = halves()
        self.assertEqual((status, json.loads(text)["code"]), (503, "busy"))
        self.node.wait("core does not answer; who waits for it is refused", role="front local")

    def test_nobody_waits_for_ever_and_nothing_is_lost_or_doubled(self):
        self.assertEqual(self.ask("local", INTAKE, "POST", numbered(0, 100))[0], 200)
        listener = self.client("local")
        listener.request("GET", "/api/v1/events")
        events = listener.getresponse()
        self.assertTrue(events.readline())
        self.hang(self.begin_stream(numbered(100, 6000)))
        began = time.monotonic()  # now that it is known, nobody waits
        for path in ("/readyz", "/api/v1/status", "/api/v1/outbox"):
            self.assertEqual(self.ask("local", path)[0], 503, path)
        self.assertLess(time.monotonic() - began, MONITOR)
        self.assertEqual(self.ask("local", "/healthz")[0], 200)
        since = self.node.mark()
        self.go_on()
        for door in ("local", "operators", "partners"):
            self.until(lambda d=door: self.ask(d, "/readyz")[0] == 200)
        self.node.wait("core answers again", since, role="front local")
        for body in (numbered(100, 6000), numbered(10000, 100)):  # what was not acknowledged is sent again
            status, text, _ = self.ask("local", INTAKE, "POST", body)
            self.assertEqual(status, 200, text)
        self.assertEqual(self.ask("partners", "/comity/collections/")[0], 200)
        while b'"delivered"' not in events.readline():  # who listened before still does
            pass
        self.node.drain()
        written = [thing["id"] for thing in self.team.has_for("south.test") if thing["type"] == "observed-data"]
        self.assertEqual((len(written), len(set(written))), (6200, 6200))
        self.assertEqual(self.node.find("role died"), [])
        self.assertEqual(self.node.stop(), 0, self.node.log())
        stored = [json.loads(line)["extra.n"] for line in self.team.command("store", "export").splitlines() if '"extra.n"' in line]
        self.assertEqual(sorted(stored), [*range(6100), *range(10000, 10100)])

    def test_a_core_that_hangs_does_not_keep_the_node_from_ending(self):
        self.stop_core()
        client = self.client("local")
        client.request("GET", "/api/v1/status")
        self.node.send(signal.SIGTERM)
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.assertEqual(client.getresponse().status, 503)
        self.node.end()
        self.assertTrue(self.node.find("roles did not end in time and are killed"))


if __name__ == "__main__":
    unittest.main(argv=["hangs.py"])
