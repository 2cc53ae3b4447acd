"""What the tests of the API share: a node with teams and agreements of the tests' own, and what is held against what.

The test's own arguments are COMITY [--no-sandbox]; COMITY_SHARE names the share folder, COMITY_TABLES src/tables.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:
    print("SKIPPED: no python3-jsonschema here; ./dev deps installs it")
    sys.exit(77)

from node import PATIENCE, Local, Node

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
TABLES = pathlib.Path(os.environ["COMITY_TABLES"])
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


class Running:
    """One node for all tests that leave it as it is."""

    def __init__(self, *options):
        self.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.temporary.name)
        self.home = folder / "home"
        (folder / "teams.json").write_text(json.dumps(TEAMS), encoding="utf-8")
        (folder / "agreed.json").write_text(json.dumps(AGREEMENTS), encoding="utf-8")
        self.node = Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(folder / "teams.json"),
                         "--agreements", str(folder / "agreed.json"), "--team", "north.test", *options)
        self.folder = folder
        self.reports = list(make_reports())

    def close(self):
        self.node.close()
        self.temporary.cleanup()

    def command(self, *words, stdin=None):
        return subprocess.run([COMITY, *words, "--home", str(self.home)], capture_output=True, text=True, input=stdin,
                              timeout=PATIENCE, check=False)

    def take(self, reports, **more):
        """Hand in REPORTS, each with MORE; the command's counts."""
        done = self.command("ingest", "--json", "-", stdin="".join(json.dumps({**r, **more}) + "\n" for r in reports))
        assert done.returncode == 0, done.stderr + self.node.log()
        return json.loads(done.stdout)

    def connect(self, door="local"):
        if door == "local":
            return Local(self.home)
        return self.node.connect(door, tls=False)

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


class Case(unittest.TestCase):
    """Tests of one node that they leave as it is: NODE, and DOCUMENT as it serves it."""
    @classmethod
    def setUpClass(cls):
        cls.node = Running()
        cls.addClassCleanup(cls.node.close)
        cls.prepare(cls.node)
        cls.document = cls.node.get("/api/v1/openapi.json").json

    @classmethod
    def prepare(cls, node):
        node.take(node.reports)

    def validate(self, schema, value):
        whole = {"$ref": f"#/components/schemas/{schema}", "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)

    def operation_of(self, method, path):
        """The document's operation for a concrete PATH."""
        path = path.split("?")[0]
        for template, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) and method.lower() in operations:
                return operations[method.lower()]
        return None

    def check(self, method, path, body=None, **more):
        """Ask, and hold the answer against the document."""
        answer = self.node.ask(method, path, body, **more)
        operation = self.operation_of(method, path)
        self.assertIsNotNone(operation, f"{method} {path} is not in the document")
        responses = operation["responses"]
        self.assertIn(str(answer.status), responses, f"{method} {path}: {answer.body[:300]}")
        said = responses[str(answer.status)]
        if "$ref" in said:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.validate("Problem", answer.json)
            self.assertEqual(answer.json["status"], answer.status)
            return answer
        kind = (answer.headers["Content-Type"] or "").split(";")[0]
        content = said.get("content", {})
        if content and method != "HEAD":
            self.assertIn(kind, content)
            if "schema" in content[kind]:
                self.validate(content[kind]["schema"]["$ref"].rsplit("/", 1)[1], answer.json)
        return answer
