"""Does the node tell its newest log lines to its operator, and to nobody else; bounded, whoever writes, and without secrets?

usage: log.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)
"""
import json
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

from api_case import COMITY, PATIENCE, Running

EVIL = "\x1b[31m\u202egnp.exe\u2066\"<script>alert(1)</script>"
FLOOD = 3000  # requests: far more lines than are kept of one process


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Running()
        cls.addClassCleanup(cls.node.close)

    def lines(self, **query):
        path = "/api/v1/log?" + urllib.parse.urlencode(query)
        answer = self.node.get(path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["items"]

    def until(self, right, **query):
        """Lines, as soon as one of them is RIGHT: they come a quarter of a second after they were written at most."""
        end = time.monotonic() + PATIENCE
        found = []
        while not any(right(line) for line in found):
            self.assertLess(time.monotonic(), end, found)
            found = self.lines(**query)
        return found

    def sign_in(self, kind):
        name = f"{kind}.{time.monotonic_ns()}"
        done = self.node.command("account", "add", name, "--kind", kind)
        self.assertEqual(done.returncode, 0, done.stderr)
        token = self.node.ask("POST", "/api/v1/tokens", {"label": "t", "name": name}).json["token"]
        return name, done.stdout.strip(), token

    def test_lines_of_all_processes_newest_first(self):
        self.node.get("/api/v1/teams?limit=1")
        found = self.until(lambda line: line["role"] == "front local" and 'path="/api/v1/teams"' in line["text"], limit=1000)
        numbers = [line["number"] for line in found]
        self.assertEqual(numbers, sorted(set(numbers), reverse=True))
        ready = {re.search(r'which="([^"]+)"', line["text"])[1] for line in found if line["event"] == "role ready"}
        self.assertEqual(ready, {"core", "courier", "front local", "front operators", "front partners"})
        self.assertEqual({line["role"] for line in found if line["event"] == "node ready"}, {"parent"})

    def test_filters_and_pages(self):
        whole = self.lines(limit=1000)
        paged = self.node.pages("/api/v1/log", limit=5)
        self.assertEqual(paged[-len(whole):], whole)  # newer ones may have come
        at = whole[len(whole) // 2]["number"]
        self.assertEqual([line for line in self.lines(limit=1000, after=at) if line in whole], [line for line in whole if line["number"] > at])
        self.assertEqual({line["role"] for line in self.lines(role="parent")}, {"parent"})
        self.assertEqual({line["event"] for line in self.lines(text="ROLE READY")}, {"role ready"})
        self.assertEqual(self.lines(text="nothing says this"), [])
        self.node.node.kill("front partners")
        died = self.until(lambda line: line["event"] == "role died", level="warning")
        self.assertEqual({line["level"] for line in died} - {"warning", "error"}, set())

    def test_operators_only(self):
        for kind, status in {"operator": 200, "officer": 403, "analyst": 403, "reader": 403}.items():
            _, _, token = self.sign_in(kind)
            answer = self.node.ask("GET", "/api/v1/log", door="operators", Authorization="Bearer " + token)
            self.assertEqual(answer.status, status, kind)
        self.assertEqual(self.node.ask("GET", "/api/v1/log", door="operators").status, 401)
        done = self.node.command("account", "add", "south.program", "--kind", "partner", "--team", "south.test")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.node.ask("GET", "/api/v1/log", door="partners").status, 404)

    def test_no_secret_is_in_a_line(self):
        name, password, token = self.sign_in("analyst")
        wrong = "a wrong password 7531"
        self.assertEqual(self.node.ask("POST", "/api/v1/session", {"name": name, "password": wrong}, door="operators").status, 401)
        signed = self.node.ask("POST", "/api/v1/session", {"name": name, "password": password}, door="operators")
        cookie = re.search(r"=([^;]+)", signed.headers["Set-Cookie"])[1]
        self.node.ask("GET", "/api/v1/me", door="operators", Authorization="Bearer " + token)
        self.node.ask("GET", "/api/v1/session?secret=in-the-query-8642", door="operators")
        self.until(lambda line: 'method="GET" path="/api/v1/session"' in (line["text"] or ""), role="front operators", limit=1000)
        first = self.node.node.first_password()
        said = json.dumps(self.lines(limit=1000))
        for secret in (password, token, wrong, cookie, first, "in-the-query-8642"):
            self.assertNotIn(secret, said)

    def test_hostile_text_stays_text(self):
        self.node.ask("GET", "/" + urllib.parse.quote(EVIL), door="operators")
        (self.node.home / "incoming").mkdir(exist_ok=True)
        (self.node.home / "incoming" / f"{EVIL.replace('/', '_')}.csv").write_text("no\nreport\n", encoding="utf-8")
        found = self.until(lambda line: "gnp.exe" in (line["text"] or "") and line["role"] == "core", text="gnp.exe")
        for line in found:
            self.assertNotRegex(line["event"] + line["text"], "[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
        shown = self.node.command("log", "--text", "gnp.exe").stdout
        self.assertIn("gnp.exe", shown)
        self.assertNotRegex(shown, "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

    def test_events_say_that_there_are_lines_not_what_they_say(self):
        _, _, token = self.sign_in("reader")
        connection = self.node.connect("operators")
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/events", headers={"Authorization": "Bearer " + token})
        response = connection.getresponse()
        self.node.get("/api/v1/teams?text=hidden-from-readers")
        name, said = None, []
        for line in response:
            said.append(line.decode())
            if line.startswith(b"event: "):
                name = line
            if line.startswith(b"data: ") and name == b"event: log\n":
                told = json.loads(line[6:])
                break
        self.assertEqual(list(told), ["newest"])
        self.assertNotIn("/api/v1/", "".join(said))
        self.assertGreaterEqual(self.lines(limit=1)[0]["number"], told["newest"])


class Kept(unittest.TestCase):
    """What other processes do takes no line away."""

    def setUp(self):
        self.node = Running()
        self.addCleanup(self.node.close)

    def whole(self):
        return self.node.pages("/api/v1/log", limit=1000)

    def test_a_core_that_died_is_told_of_by_the_next(self):
        before = [line["number"] for line in self.whole()]
        self.node.node.kill("core")
        died = None
        while not died:  # the next core is told as soon as it is ready
            after = self.whole()
            died = [line for line in after if line["event"] == "role died"]
        self.assertEqual(sum(line["number"] in before for line in after), len(before))
        self.assertIn("killed by signal 9", died[0]["text"])
        roles = {row["role"]: row for row in self.node.get("/api/v1/status").json["roles"]}
        self.assertEqual((roles["core"]["died"], roles["core"]["state"], roles["courier"]["died"]), (1, "ready", 0))
        self.assertEqual(roles["core"]["pid"], self.node.node.pid("core"))

    def test_a_flood_of_requests_pushes_out_its_own_lines_only(self):
        connection = self.node.connect("partners")
        for i in range(FLOOD):
            connection.request("GET", f"/nothing/{i}")
            connection.getresponse().read()
        connection.close()
        last = f'path="/nothing/{FLOOD - 1}"'
        while not any(last in (line["text"] or "") or line["event"].startswith("lines were left out")
                      for line in self.node.get("/api/v1/log?role=front+partners&limit=1").json["items"]):
            pass
        found = self.whole()
        theirs = [line for line in found if line["role"] == "front partners"]
        self.assertLess(sum(len(line["text"] or "") for line in theirs), 65536)
        self.assertEqual(len([line for line in found if line["event"] == "role ready"]), 5)
        requests = [line for line in theirs if line["event"] == "request"]
        left_out = sum(int(line["text"].split("=")[1]) for line in theirs if line["event"].startswith("lines were left out"))
        self.assertGreater(len(requests), 50)
        self.assertLess(len(requests) + left_out, FLOOD + 1)


class Command(unittest.TestCase):
    def setUp(self):
        self.node = Running()
        self.addCleanup(self.node.close)

    def test_lines_for_people_and_programs(self):
        shown = self.node.command("log", "--lines", "3").stdout.splitlines()
        self.assertEqual(len(shown), 3)
        self.assertEqual(shown, sorted(shown, key=lambda line: line.split()[0]))
        rows = [json.loads(line) for line in self.node.command("log", "--json", "--role", "parent").stdout.splitlines()]
        self.assertEqual({row["role"] for row in rows}, {"parent"})
        self.assertEqual([row["number"] for row in rows], sorted(row["number"] for row in rows))
        for words, status in ((["--lines", "0"], 2), (["--lines", "1001"], 2), (["--nonsense"], 2), (["extra"], 2),
                              (["--level", "loud"], 3), (["--role", "nobody"], 3)):
            done = self.node.command("log", *words)
            self.assertEqual((done.returncode, done.stdout), (status, ""), words)
            self.assertTrue(done.stderr.startswith("comity: "), done.stderr)

    def test_it_follows_until_the_node_has_gone(self):
        command = subprocess.Popen([COMITY, "log", "--lines", "1", "--follow", "--home", str(self.node.home)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(command.stderr.close)
        self.addCleanup(command.stdout.close)
        self.addCleanup(command.kill)
        self.assertTrue(command.stdout.readline())
        for i in range(3):
            self.node.get(f"/followed/{i}")
            while f'path="/followed/{i}"' not in command.stdout.readline():
                pass
        self.node.node.send(signal.SIGTERM)
        self.node.node.end()
        self.assertEqual(command.wait(PATIENCE), 3)
        self.assertIn("comity: ", command.stderr.read())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
