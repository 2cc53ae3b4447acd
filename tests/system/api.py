"""Does the running node answer as its OpenAPI document, its rights and its word say?

usage: api.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)

What must be answered comes from the tables (rights.def, messages.def, principals.def) and the document that the node
serves; what searches must find comes from a linear scan of the same reports.
"""
# The tests' folder has a http.py of its own, which must not stand before Python's.
import sys
sys.path.append(sys.path.pop(0))
import base64
import csv
import http.client
import io
import ipaddress
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

try:
    import jsonschema
except ImportError:
    print("SKIPPED: no python3-jsonschema here; ./dev deps installs it")
    sys.exit(77)

from node import Node

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
TABLES = pathlib.Path(os.environ["COMITY_TABLES"])
PATIENCE = 60
KINDS = ["operator", "officer", "analyst", "reader", "partner"]

TEAMS = [
    {"id": "north.test", "name": "North", "kind": "national", "economies": ["XN"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["192.0.2.0/25", "2001:db8:1::/48"], "domains": ["north.test"]}},
    {"id": "south.test", "name": "South", "kind": "national", "economies": ["XS"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["192.0.2.128/25"], "domains": ["south.test"]}},
    {"id": "east.test", "name": "East", "kind": "national", "economies": ["XE"], "source": "test", "verified": True,
     "constituency": {"prefixes": ["198.51.100.0/24"]}},
]
AGREEMENTS = [{
    "id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Test", "kind": "multilateral",
    "parties": ["north.test", "south.test", "east.test"], "valid_from": "2020-01-01", "clauses": [
        {"id": "south", "from": "north.test", "to": "south.test", "classification": ["*"], "tlp_max": "amber",
         "effect": "release", "treatment": {"account": "remove"}, "onward": "none"},
        {"id": "east", "from": "north.test", "to": "east.test", "classification": ["*"], "tlp_max": "amber",
         "effect": "hold", "onward": "none"}]}]
EVIL = "<script>alert(1)</script>\"'\\=cmd|' /C calc'!A0"


def rows(table, macro):
    """The rows of a .def, as lists of words and texts."""
    text = (TABLES / table).read_text(encoding="utf-8")
    for line in re.findall(rf"^{macro}\((.*)\)$", text, re.M):
        yield [a or b for a, b in re.findall(r'"((?:[^"\\]|\\.)*)"|([^,\s"][^,"]*)', line)]


RIGHTS = {row[0]: dict(zip(KINDS, (word.strip() == "1" for word in row[2:7]))) for row in rows("rights.def", "RIGHT")}
ROUTES = list(rows("routes.def", "ROUTE"))


def make_reports(count=600):
    """Reports of every sort the searches ask for."""
    for i in range(count):
        report = {"classification.type": ["scanner", "spam", "c2-server"][i % 3], "feed.provider": f"Provider {i % 4}",
                  "time.source": f"2026-03-{i % 28 + 1:02}T10:20:30+00:00", "tlp": ["green", "amber", "red"][i % 5 % 3],
                  "source.account": f"account{i}"}
        if i % 7 == 0:
            report["source.fqdn"] = f"Host{i % 9}.d{i % 3}.{['north.test', 'south.test', 'example.com'][i % 3]}"
        else:
            report["source.ip"] = ["192.0.2.%d" % (i % 256), "198.51.100.%d" % (i % 256), "203.0.113.%d" % (i % 256),
                                   "2001:db8:1::%x" % (i % 64)][i % 4]
        if i % 11 == 0:
            report["destination.ip"] = "192.0.2.%d" % (i * 7 % 256)
        if i % 50 == 0:
            report["extra.note"] = EVIL
        yield report


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Running:
    """One node for all tests that leave it as it is."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.temporary.name)
        self.home = folder / "home"
        (folder / "teams.json").write_text(json.dumps(TEAMS), encoding="utf-8")
        (folder / "agreed.json").write_text(json.dumps(AGREEMENTS), encoding="utf-8")
        self.node = Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(folder / "teams.json"),
                         "--agreements", str(folder / "agreed.json"), "--team", "north.test")
        self.folder = folder
        self.reports = list(make_reports())

    def close(self):
        self.node.close()
        self.temporary.cleanup()

    def command(self, *words, stdin=None):
        return subprocess.run([COMITY, *words, "--home", str(self.home)], capture_output=True, text=True, input=stdin,
                              timeout=PATIENCE, check=False)

    def connect(self, door="local"):
        if door == "local":
            return UnixConnection(str(self.home / "local.sock"))
        return http.client.HTTPConnection(self.node.address[door], timeout=PATIENCE)

    def ask(self, method, path, body=None, door="local", **headers):
        connection = self.connect(door)
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def pages(self, path, limit=100):
        """All items of a list, page by page."""
        items, following = [], None
        while True:
            query = f"{'&' if '?' in path else '?'}limit={limit}" + (f"&next={following}" if following else "")
            answer = self.get(path + query)
            assert answer.status == 200, answer.body
            items += answer.json["items"]
            following = answer.json["next"]
            if following is None:
                return items


def setUpModule():
    global NODE, DOCUMENT
    NODE = Running()
    lines = "".join(json.dumps(report) + "\n" for report in NODE.reports)
    (NODE.folder / "reports.jsonl").write_text(lines, encoding="utf-8")
    done = NODE.command("ingest", "--json", str(NODE.folder / "reports.jsonl"))
    assert done.returncode == 0, done.stderr + NODE.node.log()
    assert json.loads(done.stdout)["stored"] == len(NODE.reports), done.stdout
    DOCUMENT = NODE.get("/api/v1/openapi.json").json


def tearDownModule():
    NODE.close()


def validate(schema, value):
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def operation_of(method, path):
    """The document's operation for a concrete PATH."""
    path = path.split("?")[0]
    for template, operations in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) and method.lower() in operations:
            return operations[method.lower()]
    return None


class Case(unittest.TestCase):
    def check(self, method, path, body=None, **more):
        """Ask, and hold the answer against the document."""
        answer = NODE.ask(method, path, body, **more)
        operation = operation_of(method, path)
        self.assertIsNotNone(operation, f"{method} {path} is not in the document")
        responses = operation["responses"]
        self.assertIn(str(answer.status), responses, f"{method} {path}: {answer.body[:300]}")
        said = responses[str(answer.status)]
        if "$ref" in said:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            validate("Problem", answer.json)
            self.assertEqual(answer.json["status"], answer.status)
            return answer
        kind = (answer.headers["Content-Type"] or "").split(";")[0]
        content = said.get("content", {})
        if content and method != "HEAD":
            self.assertIn(kind, content)
            if "schema" in content[kind]:
                validate(content[kind]["schema"]["$ref"].rsplit("/", 1)[1], answer.json)
        return answer


class Documented(Case):
    """The document is sound, complete, and what the node does."""

    def test_document_is_of_the_tables(self):
        self.assertEqual(DOCUMENT["openapi"], "3.1.0")
        told = {(path, method.upper()) for path, ops in DOCUMENT["paths"].items() for method in ops}
        self.assertEqual(told, {(row[3], row[2]) for row in ROUTES})
        for schema in DOCUMENT["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        ids = [op["operationId"] for ops in DOCUMENT["paths"].values() for op in ops.values()]
        self.assertEqual(len(ids), len(set(ids)))
        doors = {row[0]: row[3] for row in rows("messages.def", "MESSAGE")}
        for row in ROUTES:
            self.assertLessEqual(set(row[8]), set(doors[row[7]]), f"{row[0]} is served where core refuses it")

    def test_every_read_is_as_documented(self):
        report = NODE.get("/api/v1/reports?limit=1").json["items"][0]["id"]
        filled = {"{id}": report, "{number}": "1", "{name}": "operator"}
        for path, operations in DOCUMENT["paths"].items():
            if "get" not in operations or path == "/api/v1/events":
                continue
            concrete = path
            for name, value in filled.items():
                concrete = concrete.replace(name, value)
            if "teams" in path:
                concrete = path.replace("{id}", "north.test")
            if "agreements" in path:
                concrete = path.replace("{id}", AGREEMENTS[0]["id"])
            if path.endswith("/whois"):
                concrete += "?q=192.0.2.1"
            with self.subTest(concrete):
                answer = self.check("GET", concrete)
                self.assertEqual(answer.status, 200, answer.body)

    def test_unknown_parameters_and_members_are_refused_by_name(self):
        for path, operations in DOCUMENT["paths"].items():
            for method, operation in operations.items():
                if "L" not in operation["x-doors"]:
                    continue
                concrete = re.sub(r"\{[^}]*\}", "1", path)
                with self.subTest(f"{method} {path}"):
                    answer = self.check(method.upper(), concrete + "?nonsense=1", body={} if "requestBody" in operation else None)
                    self.assertEqual((answer.status, answer.json["field"], answer.json["code"]), (400, "nonsense", "unknown-field"))
                if "application/json" in operation.get("requestBody", {}).get("content", {}) and path != "/api/v1/reports":
                    answer = self.check(method.upper(), concrete, body={"nonsense": 1})
                    self.assertEqual((answer.status, answer.json["field"]), (400, "nonsense"))

    def test_every_parameter_refuses_what_it_is_not(self):
        wrong = {"address": "192.0.2.300", "economy": "Finland", "asn": "0", "classification": "nonsense", "effect": "maybe",
                 "since": "yesterday", "until": "2026-13-01", "limit": "1001", "next": "nonsense", "name": "a..b",
                 "unattributed": "perhaps", "state": "lost", "id": None, "number": None, "q": "a b", "team": "x" * 65,
                 "provider": "x" * 201, "text": "x" * 101}
        for path, operations in DOCUMENT["paths"].items():
            for parameter in operations.get("get", {}).get("parameters", []):
                value = wrong[parameter["name"]]
                if parameter["in"] != "query" or value is None:
                    continue
                with self.subTest(f"{path} {parameter['name']}"):
                    answer = self.check("GET", f"{path}?{parameter['name']}={urllib.parse.quote(value)}")
                    self.assertIn(answer.status, (400, 413))
                    self.assertEqual(answer.json["field"], parameter["name"])
                    again = self.check("GET", f"{path}?{parameter['name']}=1&{parameter['name']}=1")
                    self.assertEqual(again.json["code"], "duplicate-key")

    def test_other_methods_and_types(self):
        self.assertEqual(NODE.ask("DELETE", "/api/v1/reports").status, 405)
        self.assertEqual(NODE.get("/api/v1/nothing").status, 404)
        self.assertEqual(self.check("GET", "/api/v1/teams", Accept="text/html").status, 406)
        self.assertEqual(self.check("POST", "/api/v1/held/1/release", body="{}", Content_Type="text/plain").status, 415)
        for body in ("", "[]", "{", "nonsense", '{"reason":1}', '{"reason":"a","reason":"b"}', '{"reason":"a\\u0000b"}',
                     '{"reason":""}', '{"reason":null}', '{"reason":"' + "x" * 1001 + '"}'):
            answer = self.check("POST", "/api/v1/held/1/release", body=body, Content_Type="application/json")
            self.assertIn(answer.status, (400, 413), body[:40])

    def test_etags(self):
        first = self.check("GET", "/api/v1/teams")
        again = self.check("GET", "/api/v1/teams", If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(self.check("GET", "/api/v1/teams", If_None_Match='"other"').status, 200)


class Searches(Case):
    """What is found is what a linear scan finds."""

    def found(self, **query):
        items = NODE.pages("/api/v1/reports?" + urllib.parse.urlencode(query), limit=37)
        ids = [item["id"] for item in items]
        self.assertEqual(len(ids), len(set(ids)))
        return sorted(NODE.get(f"/api/v1/reports/{ident}").json["fields"]["source.account"] for ident in ids)

    def expect(self, condition, **query):
        wanted = sorted(r["source.account"] for r in NODE.reports if condition(r))
        self.assertEqual(self.found(**query), wanted, query)
        return len(wanted)

    @staticmethod
    def addresses(report):
        return [ipaddress.ip_address(report[key]) for key in ("source.ip", "destination.ip") if key in report]

    def test_all(self):
        self.expect(lambda r: True)

    def test_addresses(self):
        for text in ("192.0.2.77", "192.0.2.0/24", "192.0.2.64/28", "198.51.0.0/16", "2001:db8:1::3", "2001:db8:1::/48",
                     "203.0.113.2", "10.0.0.1", "0.0.0.0/0"):
            network = ipaddress.ip_network(text)
            self.expect(lambda r, n=network: any(a.version == n.version and a in n for a in self.addresses(r)), address=text)

    def test_names(self):
        for name in ("example.com", "d2.example.com", "host1.d1.south.test", "test", "nosuch.test"):
            self.expect(lambda r, n=name: ("." + r.get("source.fqdn", "").lower()).endswith("." + n), name=name)

    def test_facts(self):
        self.assertGreater(self.expect(lambda r: r["classification.type"] == "spam", classification="spam"), 0)
        self.assertGreater(self.expect(lambda r: r["feed.provider"] == "Provider 2", provider="PROVIDER 2"), 0)
        self.expect(lambda r: r["classification.type"] == "spam" and r["feed.provider"] == "Provider 1",
                    classification="spam", provider="Provider 1")

    def test_outcomes(self):
        """Team and effect, held against what each report itself says."""
        items = NODE.pages("/api/v1/reports", limit=1000)
        for team, effect in (("south.test", "release"), ("east.test", "hold"), ("east.test", "withhold"), (None, "hold")):
            wanted = [i["id"] for i in items if any((team is None or o["team"] == team) and o["effect"] == effect
                                                    for o in i["outcomes"])]
            query = {"effect": effect, **({"team": team} if team else {})}
            got = [i["id"] for i in NODE.pages("/api/v1/reports?" + urllib.parse.urlencode(query))]
            self.assertEqual(got, wanted, query)
            self.assertGreater(len(got), 0, query)
        wanted = [i["id"] for i in items if i["outcomes"][0]["team"] is None]
        self.assertEqual([i["id"] for i in NODE.pages("/api/v1/reports?unattributed=true")], wanted)

    def test_times(self):
        items = NODE.get("/api/v1/reports?limit=1000").json["items"]
        last = max(item["received"] for item in items)
        self.assertEqual(self.found(since="2099-01-01T00:00:00Z"), [])
        self.assertEqual(len(self.found(until="2099-01-01T00:00:00Z")), len(items))
        self.assertEqual(len(self.found(since=last)), sum(item["received"] == last for item in items))
        self.assertEqual(self.found(until="1999-01-01"), [])

    def test_cursors(self):
        answer = self.check("GET", "/api/v1/reports?limit=10")
        cursor = answer.json["next"]
        self.assertEqual(self.check("GET", f"/api/v1/reports?limit=10&next={cursor}").status, 200)
        self.assertEqual(self.check("GET", f"/api/v1/reports?limit=10&team=east.test&next={cursor}").json["field"], "next")
        for bad in (cursor[:-1], cursor + "0", cursor.replace("-", "_"), "0" * len(cursor), "%00", "é", "x" * 201):
            answer = self.check("GET", "/api/v1/reports?next=" + urllib.parse.quote(bad))
            self.assertIn(answer.status, (400, 413), bad)

    def test_csv(self):
        answer = self.check("GET", "/api/v1/reports?limit=7", Accept="text/csv, application/json;q=0.5")
        table = list(csv.DictReader(io.StringIO(answer.body.decode())))
        items = NODE.get("/api/v1/reports?limit=7").json["items"]
        self.assertEqual([row["id"] for row in table], [item["id"] for item in items])
        following = re.fullmatch(r'<(.*)>; rel="next"', answer.headers["Link"])[1]
        more = self.check("GET", following, Accept="text/csv")
        self.assertNotIn(items[0]["id"].encode(), more.body)

    def test_hostile_fields_stay_text(self):
        evil = [r for r in NODE.reports if r.get("extra.note") == EVIL]
        items = NODE.pages("/api/v1/reports", limit=1000)
        notes = [NODE.get(f"/api/v1/reports/{i['id']}").json["fields"].get("extra.note") for i in items]
        self.assertEqual(notes.count(EVIL), len(evil))

    def test_ids(self):
        ident = NODE.get("/api/v1/reports?limit=1").json["items"][0]["id"]
        self.assertEqual(self.check("GET", f"/api/v1/reports/{ident.upper()}").status, 200)
        other = ident[:-1] + ("0" if ident[-1] != "0" else "1")
        for path in ("", "/explanation"):
            self.assertEqual(self.check("GET", f"/api/v1/reports/{other}{path}").status, 404)
            self.assertEqual(self.check("GET", f"/api/v1/reports/00000000-0000-8000-8000-000000000000{path}").status, 404)
            self.assertEqual(self.check("GET", f"/api/v1/reports/nonsense{path}").status, 400)


class Explains(Case):
    def test_what_is_redacted(self):
        items = NODE.get("/api/v1/reports?limit=1&team=south.test&effect=release").json["items"]
        story = self.check("GET", f"/api/v1/reports/{items[0]['id']}/explanation").json
        to = next(r for r in story["recipients"] if r["team"] == "south.test")
        self.assertEqual(to["then"]["effect"], "release")
        self.assertEqual([c["clause"] for c in to["then"]["clauses"]], ["south"])
        fields = {f["name"]: f for f in to["fields"]}
        self.assertEqual(fields["source.account"]["result"], "removed")
        self.assertNotIn("after", fields["source.account"])
        self.assertEqual(fields["feed.provider"]["result"], "kept")
        done = NODE.command("explain", items[0]["id"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("for south.test", done.stdout)
        self.assertRegex(done.stdout, r"source\.account +account +remove +removed")


class Held(unittest.TestCase):
    """On a node of its own: it is changed."""

    def setUp(self):
        self.own = Running()
        self.addCleanup(self.own.close)
        lines = "".join(json.dumps({**r, "tlp": "amber"}) + "\n" for r in self.own.reports)
        done = self.own.command("ingest", "-", stdin=lines)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_release_and_refuse(self):
        items = self.own.pages("/api/v1/held", limit=7)
        self.assertGreater(len(items), 20)
        self.assertEqual({i["team"] for i in items}, {"east.test"})
        self.assertEqual([i["number"] for i in items], sorted(i["number"] for i in items))
        for item in items:
            validate("HeldItem", item)
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
        self.assertEqual([step["what"] for step in history][-1], "released")
        self.assertEqual(history[-1]["why"], "called them")
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

    def test_what_happens_is_told(self):
        own = Running()
        self.addCleanup(own.close)
        listening = self.events(self.listen(own))
        self.assertEqual(next(listening)[0], "counts")
        done = own.command("ingest", "-", stdin="".join(json.dumps({**r, "tlp": "amber"}) + "\n" for r in own.reports))
        self.assertEqual(done.returncode, 0, done.stderr)
        held = next(data for name, data in listening if name == "held")
        self.assertGreater(held["waiting"], 0)
        own.ask("POST", "/api/v1/held/1/release", {"reason": "seen"})
        let_go = next(data for name, data in listening if name == "let-go")
        self.assertEqual(let_go["decided"], [1])
        own.node.kill("front partners")
        role = next(data for name, data in listening if name == "role")
        self.assertEqual(role["door"], "partners")

    def test_many_listeners_are_bounded_and_leave_room(self):
        connections = []
        for _ in range(64):
            connection = NODE.connect()
            connection.request("GET", "/api/v1/events")
            connections.append(connection)
        responses = [c.getresponse() for c in connections]
        self.assertTrue(all(r.status == 200 for r in responses), [r.status for r in responses])
        self.assertEqual(NODE.get("/api/v1/events").status, 429)
        for connection in connections:
            connection.close()
        # Their places are free as soon as the front has seen them go.
        deadline = time.monotonic() + PATIENCE
        while True:
            connection = NODE.connect()
            connection.request("GET", "/api/v1/events")
            status = connection.getresponse().status
            connection.close()
            if status == 200 or time.monotonic() > deadline:
                break
        self.assertEqual(status, 200)


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
        self.assertIn("mixed.jsonl:301:", done.stderr)
        self.assertIn("source.ip", done.stderr)
        again = json.loads(self.own.command("ingest", "--json", str(path)).stdout)
        self.assertEqual((again["stored"], again["duplicate"]), (0, 605))
        stats = self.own.command("stats")
        self.assertEqual(stats.returncode, 0)
        self.assertIn("it balances", stats.stdout)

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


class Metrics(Case):
    def test_format(self):
        answer = self.check("GET", "/metrics")
        helps, types, samples = {}, {}, {}
        for line in answer.body.decode().splitlines():
            if line.startswith("# HELP "):
                helps[line.split()[2]] = line
            elif line.startswith("# TYPE "):
                types[line.split()[2]] = line.split()[3]
            else:
                sample = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})? ([0-9.e+]+)', line)
                self.assertIsNotNone(sample, line)
                name = re.sub(r"_(bucket|sum|count)$", "", sample[1]) if sample[1] not in types else sample[1]
                self.assertIn(name, types, line)
                samples[sample[1] + (sample[2] or "")] = float(sample[3])
        self.assertEqual(set(helps), set(types))
        self.assertEqual(samples['comity_reports_total{what="stored"}'], len(NODE.reports))

    def test_status_command(self):
        done = NODE.command("status", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        validate("Status", json.loads(done.stdout))
        self.assertIn("north.test", NODE.command("status").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
