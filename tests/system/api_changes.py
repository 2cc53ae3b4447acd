"""Does the node do what the API asks: take reports in, let held ones go, tell what happens?

usage: api_changes.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)
"""
import gzip
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from api_case import COMITY, PATIENCE, Running


class Held(unittest.TestCase):
    """On a node of its own: it is changed."""

    def setUp(self):
        self.own = Running()
        self.addCleanup(self.own.close)
        self.own.take(self.own.reports, tlp="amber")

    def test_release_and_refuse(self):
        items = self.own.pages("/api/v1/held", limit=7)
        self.assertGreater(len(items), 20)
        self.assertEqual({i["team"] for i in items}, {"east.test"})
        self.assertEqual([i["number"] for i in items], sorted(i["number"] for i in items))
        one = items[0]["number"]
        before = self.own.get("/api/v1/status").json
        answer = self.own.ask("POST", f"/api/v1/held/{one}/release", {"reason": "called them"})
        self.assertEqual((answer.status, answer.json["decided"]), (200, [one]), answer.body)
        late = self.own.ask("POST", f"/api/v1/held/{one}/refuse", {"reason": "too late"})
        self.assertEqual((late.status, late.json["code"]), (409, "conflict"))
        self.assertEqual(self.own.ask("POST", "/api/v1/held/999999/release", {"reason": "x"}).status, 404)
        self.assertEqual(self.own.ask("POST", "/api/v1/held/nonsense/release", {"reason": "x"}).status, 400)
        many = [one, items[1]["number"], items[2]["number"], 999999]
        answer = self.own.ask("POST", "/api/v1/held/refuse", {"numbers": many, "reason": "no"}).json
        self.assertEqual((answer["decided"], answer["conflicts"], answer["missing"]), (many[1:3], [one], [999999]))
        after = self.own.get("/api/v1/status").json
        self.assertEqual(after["held"], before["held"] - 3)
        self.assertEqual(after["due"] + after["waiting"] + after["delivered"],
                         before["due"] + before["waiting"] + before["delivered"] + 1)
        story = self.own.get(f"/api/v1/reports/{items[0]['report']}/explanation").json
        history = story["recipients"][0]["history"]
        self.assertEqual([step["what"] for step in history][-2:], ["released", "written-out"])
        self.assertEqual(history[-2]["why"], "called them")
        refused = self.own.pages("/api/v1/held?state=refused")
        self.assertEqual([i["number"] for i in refused], many[1:3])
        self.assertTrue(self.own.get("/api/v1/statistics").json["balanced"])

    def test_by_command(self):
        listed = self.own.command("held", "list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        number = listed.stdout.split()[0]
        self.assertEqual(self.own.command("held", "release", number).returncode, 2)
        done = self.own.command("held", "release", "--reason", "seen", number)
        self.assertEqual((done.returncode, done.stdout), (0, f"{number} was released\n"), done.stderr)
        again = self.own.command("held", "refuse", "--reason", "late", number)
        self.assertEqual(again.returncode, 1)
        self.assertIn("faster", again.stdout)

    def test_two_at_once(self):
        """Of many who decide the same item at once, one is right and all others are told so."""
        number = self.own.get("/api/v1/held?limit=1").json["items"][0]["number"]
        statuses = []

        def decide():
            statuses.append(self.own.ask("POST", f"/api/v1/held/{number}/release", {"reason": "me"}).status)
        threads = [threading.Thread(target=decide) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [200] + [409] * 7)


class Events(unittest.TestCase):
    def listen(self, running, **headers):
        connection = running.connect()
        connection.request("GET", "/api/v1/events", headers=headers)
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/event-stream"))
        self.addCleanup(connection.close)
        return response

    @staticmethod
    def events(response):
        name = None
        for line in response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])

    def test_the_node_does_not_wait_for_listeners_when_it_stops(self):
        own = Running("--stop.deadline", "1 h")
        self.addCleanup(own.close)
        response = self.listen(own)
        self.assertEqual(next(self.events(response))[0], "counts")
        own.node.send(signal.SIGTERM)
        response.read()  # to its proper end
        own.node.end()

    def test_what_happens_is_told(self):
        own = Running()
        self.addCleanup(own.close)
        listening = self.events(self.listen(own))
        self.assertEqual(next(listening)[0], "counts")
        own.take(own.reports, tlp="amber")
        held = next(data for name, data in listening if name == "held")
        self.assertGreater(held["waiting"], 0)
        own.ask("POST", "/api/v1/held/1/release", {"reason": "seen"})
        let_go = next(data for name, data in listening if name == "let-go")
        self.assertEqual(let_go["decided"], [1])
        own.node.kill("front partners")
        role = next(data for name, data in listening if name == "role")
        self.assertEqual(role["door"], "partners")

    def test_who_does_not_read_is_told_what_it_missed(self):
        own = Running()
        self.addCleanup(own.close)
        own.take([{"source.ip": f"198.51.100.{i % 250}", "classification.type": "spam", "tlp": "amber", "feed.provider": "Feed",
                   "time.source": "2026-03-01T00:00:00Z", "source.account": str(i)} for i in range(200_000)])
        response = self.listen(own)
        for first in range(1, 200_000, 1000):  # about 7 KB of news each, more than front and kernel keep
            answer = own.ask("POST", "/api/v1/held/refuse", {"numbers": list(range(first, first + 1000)), "reason": "no"})
            self.assertEqual(len(answer.json["decided"]), 1000)
        told, dropped = 0, None
        for name, data in self.events(response):
            told += name == "kept-back"
            if name == "dropped":
                dropped = data["count"]
                break
        self.assertGreater(told, 0)
        self.assertGreater(dropped, 0)
        self.assertLessEqual(told + dropped, 200 + 20)

    def test_many_listeners_are_bounded_and_leave_room(self):
        own = Running()
        self.addCleanup(own.close)
        connections = []
        for _ in range(64):
            connection = own.connect()
            connection.request("GET", "/api/v1/events")
            connections.append(connection)
        responses = [c.getresponse() for c in connections]
        self.assertTrue(all(r.status == 200 for r in responses), [r.status for r in responses])
        self.assertEqual(own.get("/api/v1/events").status, 429)
        for connection in connections:
            connection.close()
        # Their places are free as soon as the front has seen them go.
        deadline = time.monotonic() + PATIENCE
        while True:
            connection = own.connect()
            connection.request("GET", "/api/v1/events")
            status = connection.getresponse().status
            connection.close()
            if status == 200 or time.monotonic() > deadline:
                break
        self.assertEqual(status, 200)


class Stub:
    """A node's local door that says what it is told to: a list of (status, headers, JSON), one a request; None breaks off."""

    def __init__(self, home, answers):
        self.answers, self.taken = list(answers), []
        self.listening = socket.socket(socket.AF_UNIX)
        home.mkdir()
        self.listening.bind(str(home / "local.sock"))
        self.listening.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for answer in self.answers:
            connection, _ = self.listening.accept()
            if answer is None:  # breaks off in the middle
                connection.recv(100)
                connection.close()
                continue
            status, headers, body = answer
            with connection, connection.makefile("rb") as stream:
                head = [stream.readline().decode().strip()]
                while head[-1]:
                    head.append(stream.readline().decode().strip())
                taken = b""
                if status == 200 or "whole" in headers:
                    if any(line.lower() == "expect: 100-continue" for line in head):
                        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    while (length := int(stream.readline(), 16)) > 0:
                        taken += stream.read(length)
                        stream.readline()
                    stream.readline()
                self.taken.append((head, taken))
                text = json.dumps(body).encode()
                lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}", "Connection: close",
                         *(f"{k}: {v}" for k, v in headers.items() if k != "whole")]
                connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        self.listening.close()


class Refused(unittest.TestCase):
    """What `comity ingest` does when the node is behind, says nonsense, or goes away."""
    DONE = (200, {}, {"received": 3, "stored": 3, "rejected": 0, "duplicate": 0, "rejections": []})
    BUSY = (503, {"Retry-After": "1"}, {"code": "busy", "detail": "the agreements\u001b[31m cannot be read", "status": 503})

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.file = self.folder / "reports.gz"
        self.bytes = gzip.compress(os.urandom(3 << 20))
        self.file.write_bytes(self.bytes)

    def ingest(self, answers, *arguments, stdin=None):
        stub = Stub(self.folder / "home", answers)
        done = subprocess.run([COMITY, "ingest", "--json", "--home", str(self.folder / "home"), *arguments], capture_output=True,
                              input=stdin, timeout=PATIENCE, check=False)
        return stub, done

    def test_waits_and_sends_all_again(self):
        whole = (503, {**self.BUSY[1], "whole": 1}, self.BUSY[2])
        begun = time.monotonic()
        stub, done = self.ingest([self.BUSY, whole, self.DONE], "--provider", "A & B", str(self.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(time.monotonic() - begun, 2)
        self.assertEqual(done.stderr.count(b"reports.gz: not taken yet: the agreements"), 1, done.stderr)
        self.assertNotIn(b"\x1b", done.stderr)
        self.assertEqual(json.loads(done.stdout)["stored"], 3)
        for head, _ in stub.taken:
            self.assertEqual(head[0], "POST /api/v1/reports?provider=A%20%26%20B&name=reports.gz HTTP/1.1")
            self.assertIn("Content-Encoding: gzip", head)
        self.assertEqual([body for _, body in stub.taken[1:]], [self.bytes] * 2)

    def test_standard_input_cannot_be_read_twice(self):
        whole = (503, {**self.BUSY[1], "whole": 1}, self.BUSY[2])
        _, done = self.ingest([self.BUSY, whole], "-", stdin=self.bytes)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, b"cannot be read twice: send it from a file .the agreements")

    def test_a_connection_that_breaks_is_not_the_end(self):
        """Not even several times; but it is not tried for ever."""
        stub, done = self.ingest([None, None, self.DONE], str(self.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stub.taken[-1][1], self.bytes)

    def test_a_node_that_always_breaks_is_given_up(self):
        _, done = self.ingest([None] * 20, str(self.file))
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_format_that_is_none_is_not_sent(self):
        stub, done = self.ingest([self.DONE], "--format", "bogus", str(self.file))
        self.assertEqual((done.returncode, stub.taken), (2, []))
        self.assertIn(b"--format bogus: there are idf, shadowserver, stix and csv", done.stderr)

    def test_a_format_is_sent_as_its_word(self):
        stub, done = self.ingest([self.DONE], "--format=csv", str(self.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stub.taken[0][0][0], "POST /api/v1/reports?format=csv&name=reports.gz HTTP/1.1")

    def test_other_refusals_are_final(self):
        problem = {"code": "bad-json", "detail": "the input\u001b[31m is no JSON", "status": 400}
        _, done = self.ingest([(400, {}, problem)], str(self.file))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"is no JSON", done.stderr)
        self.assertNotIn(b"\x1b", done.stderr)

    def test_nonsense_is_no_success(self):
        _, done = self.ingest([(200, {}, "nonsense")], str(self.file))
        self.assertNotEqual(json.loads(done.stdout)["stored"], 3)
        self.assertEqual(json.loads(done.stdout)["received"], 0)


class Ingest(unittest.TestCase):
    def setUp(self):
        self.own = Running()
        self.addCleanup(self.own.close)

    def test_counts_balance_and_again_is_safe(self):
        good = [json.dumps(r) for r in self.own.reports]
        lines = "\n".join(good[:300] + ["{", '{"source.ip": "nonsense"}'] + good[300:] + good[:5]) + "\n"
        path = self.own.folder / "mixed.jsonl"
        path.write_text(lines, encoding="utf-8")
        done = self.own.command("ingest", "--json", str(path))
        self.assertEqual(done.returncode, 1, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["received"], said["stored"], said["rejected"], said["duplicate"]), (607, 600, 2, 5))
        self.assertEqual(said["outcomes"], said["released"] + said["held"] + said["withheld"] + said["unattributed"])
        self.assertIn("mixed.jsonl:301: ", done.stderr)
        self.assertNotRegex(done.stderr, r"(?m):\d+:  | $")
        self.assertIn("source.ip", done.stderr)
        again = json.loads(self.own.command("ingest", "--json", str(path)).stdout)
        self.assertEqual((again["stored"], again["duplicate"]), (0, 605))
        stats = self.own.command("stats")
        self.assertEqual(stats.returncode, 0)
        self.assertIn("it balances", stats.stdout)

    def test_core_dies_meanwhile(self):
        """The front refuses what comes while core starts again; the command waits, sends again, and nothing is lost or
        there twice."""
        many = [{**report, "source.account": f"{n} {report['source.account']}"} for n in range(40) for report in self.own.reports]
        path = self.own.folder / "many.jsonl"
        path.write_text("".join(json.dumps(report) + "\n" for report in many), encoding="utf-8")
        command = subprocess.Popen([COMITY, "ingest", "--json", "--home", str(self.own.home), str(path)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.own.node.kill("core")
        said, errors = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, errors)
        counts = json.loads(said)
        self.assertEqual(counts["stored"] + counts["duplicate"], len(many))
        self.assertEqual(len(self.own.pages("/api/v1/reports", limit=1000)), len(many))
        self.assertTrue(self.own.get("/api/v1/statistics").json["balanced"])

    def test_a_full_outbox_makes_it_wait(self):
        own = Running("--outbox.max", "1000")
        self.addCleanup(own.close)
        for n in range(4):
            many = [{**r, "tlp": "amber", "source.account": f"{n} {k} {i}"} for k in range(8) for i, r in enumerate(own.reports)]
            self.assertEqual(own.take(many)["stored"], len(many))
        self.assertEqual(own.get("/api/v1/statistics").json["totals"]["stored"], 4 * 8 * len(own.reports))

    def test_packed_and_standard_input(self):
        lines = "".join(json.dumps(r) + "\n" for r in self.own.reports).encode()
        packed = subprocess.run(["gzip", "-c"], input=lines, capture_output=True, check=True).stdout
        (self.own.folder / "reports.gz").write_bytes(packed)
        done = self.own.command("ingest", "--json", str(self.own.folder / "reports.gz"))
        self.assertEqual(json.loads(done.stdout)["stored"], 600, done.stderr)
        again = self.own.command("ingest", "--json", "--format", "idf", "-", stdin=lines.decode())
        self.assertEqual(json.loads(again.stdout)["duplicate"], 600, again.stderr)

    def test_what_fails(self):
        self.assertEqual(self.own.command("ingest").returncode, 2)
        self.assertEqual(self.own.command("ingest", "--nonsense", "x").returncode, 2)
        missing = self.own.command("ingest", str(self.own.folder / "nothing"))
        self.assertNotEqual(missing.returncode, 0)
        path = self.own.folder / "odd"
        path.write_bytes(b"\0\1\2\3 nonsense")
        done = self.own.command("ingest", str(path), str(self.own.folder / "odd"))
        self.assertEqual(done.returncode, 1, done.stderr)
        nobody = subprocess.run([COMITY, "ingest", "--home", str(self.own.folder / "none"), str(path)], capture_output=True,
                                check=False, text=True, timeout=PATIENCE)
        self.assertEqual(nobody.returncode, 3)
        self.assertIn("no node runs", nobody.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
