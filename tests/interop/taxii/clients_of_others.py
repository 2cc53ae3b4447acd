"""Other people's clients against the running node: `./dev deps --interop` installs them, `./dev interop taxii` runs them.

What is not installed is SKIPPED, with the reason that the installation left in build-interop/NAME.missing; nothing passes silently.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "taxii"))
from taxii_node import Node  # noqa: E402

from case import report  # noqa: E402
from sections import GREEN, tool  # noqa: E402

INSTALLED = pathlib.Path(os.environ.get("COMITY_INTEROP", ROOT / "build-interop"))


def missing(name):
    note = INSTALLED / f"{name}.missing"
    return note.read_text().strip() if note.exists() else "not installed; try ./dev deps --interop"


def python_with(module):
    try:
        __import__(module)
        return True
    except ImportError:
        return False


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)
        laboratory = {"title": "Read-Only TestLab Collection", "id": "22f763c1-e478-4765-8635-e4c32db665ea",
                      "description": "This is a Read-Only collection for use with the FreeTAXII TestLab tool"}
        for alias, more in (("read-only", laboratory), ("read-write", {}), ("sink", {})):
            cls.node.share(alias, **more)
        cls.bb, cls.ana = cls.node.client("bb"), cls.node.client("ana")
        cls.addClassCleanup(cls.bb.close)
        cls.addClassCleanup(cls.ana.close)
        cls.node.ingest(*(report(ip=f"192.0.2.{n}", **{"source.url": f"http://a{n}.test/x", "source.fqdn": f"a{n}.test",
                                                       "source.port": 80 + n, "protocol.transport": "tcp"})
                          for n in range(1, 120)))
        cls.own = cls.bb.collections()["Released to bb-cert"]["id"]
        cls.node.wait(lambda: len(cls.bb.pages(cls.own, **{"match[type]": "observed-data"})) >= 119)
        cls.base = f"http://127.0.0.1:{cls.node.port}"
        cls.ids = {alias: c["id"] for alias, c in cls.ana.collections().items()}

    def need(self, module, name):
        if not python_with(module):
            self.skipTest(f"{name}: {missing(name)}")

    # ---- taxii2-client ----

    def test_taxii2_client(self):
        self.need("taxii2client", "taxii2-client")
        from taxii2client.v21 import Server, as_pages
        server = Server(f"{self.base}/taxii2/", user="bb", password=self.node.secrets["bb"])
        self.assertTrue(server.title)
        root = server.default or server.api_roots[0]
        self.assertEqual(root.url, f"{self.base}/comity/")
        collections = {c.title: c for c in root.collections}
        own = collections["Released to bb-cert"]
        found = []
        for page in as_pages(own.get_objects, per_request=50):
            found += page.get("objects", [])
        self.assertEqual(len(found), len(self.bb.pages(self.own)))
        rows = []
        for page in as_pages(own.get_manifest, per_request=37):
            rows += page.get("objects", [])
        self.assertEqual(len(rows), len(found))
        seen = next(o for o in found if o["type"] == "observed-data")
        self.assertEqual(own.get_object(seen["id"])["objects"], [seen])
        self.assertTrue(own.object_versions(seen["id"])["versions"])
        status = collections["Intake"].add_objects({"objects": [tool(9001, object_marking_refs=[GREEN])]})
        self.assertEqual((status.status, status.success_count), ("complete", 1))
        status.refresh()
        self.assertEqual(status.success_count, 1)
        shared = collections["read-write"]
        self.assertEqual(shared.add_objects({"objects": [tool(9002)]}).failure_count, 0)
        server.close()

    # ---- python stix2 ----

    def collection(self, alias, user="bb", port=None):
        from taxii2client.v21 import Collection
        found = self.ids.get(alias, alias)
        return Collection(f"http://127.0.0.1:{port or self.node.port}/comity/collections/{found}/", user=user,
                          password=self.node.secrets[user])

    def test_stix2_source(self):
        self.need("stix2", "stix2")
        self.need("taxii2client", "taxii2-client")
        import stix2
        source = stix2.TAXIICollectionSource(self.collection(self.own), allow_custom=True)
        found = source.query([stix2.Filter("type", "=", "observed-data")])
        self.assertGreaterEqual(len(found), 119)
        one = source.get(found[0]["id"])
        self.assertEqual(one["id"], found[0]["id"])
        self.assertTrue(source.all_versions(found[0]["id"]))

    def test_stix2_sink(self):
        self.need("stix2", "stix2")
        self.need("taxii2client", "taxii2-client")
        import stix2
        sink = stix2.TAXIICollectionSink(self.collection("sink"))
        made = [stix2.Malware(name=f"m{n}", is_family=False) for n in range(5)] + [stix2.IPv4Address(value="192.0.2.5")]
        sink.add(made)
        source = stix2.TAXIICollectionSource(self.collection("sink"))
        for o in made:
            self.assertEqual(source.get(o.id).serialize(), o.serialize())

    # ---- the OASIS validator, over everything that is served ----

    def exchange(self):
        """What passes between nodes is served to bb, too: a receipt, what was recalled, an opinion and a sighting."""
        card = self.node.write("bb-card.json", {"id": "bb-cert", "name": "BB", "node": {"url": "https://bb.test:8444", "certificate": "0" * 64}})
        self.node.comity("peer", "add", card)
        served = self.bb.pages(self.own)
        seen = next(o for o in served if o["type"] == "observed-data" and not o.get("revoked"))
        self.node.comity("recall", "--yes", "--reason", "a scanner of our own", seen["id"].split("--")[1])
        given = json.loads(json.dumps(seen).replace(seen["id"], f"observed-data--{uuid.uuid4()}"))
        next(iter(given["extensions"].values())).pop("path")
        batch = {**next(o for o in served if o["type"] == "comity-batch"), "id": f"comity-batch--{uuid.uuid4()}"}
        parts = [o for o in served if o["id"] in seen["object_refs"]]
        status = self.bb.post(self.ids["intake"], [*parts, given, batch]).json()
        self.assertEqual(status["failure_count"], 0, status)
        for words in (["--opinion", "disagree", "--note", "ours"], ["--sighting", "--count", "3"]):
            self.node.comity("feedback", *words, given["id"].split("--")[1])

    def test_stix2_validator(self):
        self.need("stix2validator", "stix2-validator")
        from stix2validator import ValidationOptions, validate_instance
        options = ValidationOptions(version="2.1", strict_types=False, strict_properties=False)
        checked = 0
        self.exchange()
        kinds = set()
        for collection in (self.own, "community", "directory", "read-write"):
            for o in self.bb.pages(collection):
                result = validate_instance(o, options)
                self.assertTrue(result.is_valid, f"{collection} {o['id']}: {[str(e) for e in result.errors]}")
                checked += 1
                kinds.add((o["type"], o.get("revoked", False)))
        self.assertGreater(checked, 250)
        self.assertLessEqual({("comity-receipt", False), ("observed-data", True), ("opinion", False), ("sighting", False)}, kinds)

    # ---- MISP's own library ----

    def test_pymisp_reads_the_feed(self):
        self.need("pymisp", "pymisp")
        from pymisp import MISPEvent
        headers = {"Accept": "application/json"}
        manifest = self.bb.get("/misp/manifest.json", headers).json()
        values = set()
        for uuid_, head in manifest.items():
            event = MISPEvent()
            event.from_dict(**self.bb.get(f"/misp/{uuid_}.json", headers).json()["Event"])
            self.assertEqual(event.uuid, uuid_)
            made = event.manifest[uuid_]
            for member in ("info", "date"):
                self.assertEqual(str(made[member]), str(head[member]))
            self.assertEqual(int(made["timestamp"]), int(head["timestamp"]))
            values |= {a.value for a in event.attributes}
            hashes = {line.split(",")[0] for line in self.bb.get("/misp/hashes.csv", headers).body.decode().splitlines()}
            self.assertLessEqual(set(event.attributes_hashes("md5")), hashes)
        self.assertIn("192.0.2.7", values)

    # ---- curl with mutual TLS ----

    def test_curl_with_mutual_tls(self):
        if shutil.which("curl") is None or shutil.which("openssl") is None:
            self.skipTest("curl: neither curl nor openssl is on this machine")
        node = Node(tls=True)
        self.addCleanup(node.close)
        key, certificate = node.folder / "client.key", node.folder / "client.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=bb.test", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "der"], check=True, capture_output=True).stdout
        import hashlib
        node.comity("account", "add", "bb-tls", "--kind", "partner", "--team", "bb-cert", "--certificate", hashlib.sha256(der).hexdigest())
        curl = ["curl", "-sS", "-k", "-H", "Accept: application/taxii+json;version=2.1"]
        url = f"https://127.0.0.1:{node.port}/comity/collections/"
        done = subprocess.run([*curl, "--cert", certificate, "--key", key, url], capture_output=True, check=True)
        self.assertIn("Released to bb-cert", [c["title"] for c in json.loads(done.stdout)["collections"]])
        done = subprocess.run([*curl, url, "-o", "/dev/null", "-w", "%{http_code}"], capture_output=True, check=True)
        self.assertEqual(done.stdout, b"401")

    # ---- FreeTAXII's test laboratory ----

    def run_testlab(self, program, user, port):
        path = INSTALLED / "bin" / program
        if not path.exists():
            self.skipTest(f"{program}: {missing('testlab')}")
        done = subprocess.run([path, "-u", f"http://127.0.0.1:{port}/", "-d", "taxii2", "-a", "comity", "-n", user, "-p", self.node.secrets[user],
                               "-r", self.ids["read-only"], "-w", self.ids["intake"], "-z", self.ids["read-write"]],
                              capture_output=True, check=False, timeout=120)
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, 0, said)
        self.assertGreater(said.count("== SUCCESS"), 20, said)
        self.assertEqual(re.findall(r".*ERROR.*|.*FAIL.*|.*problems? found.*", said), [], said)

    def test_testlab_basic(self):
        self.run_testlab("basicTests", "bb", self.node.port)

    def test_testlab_content(self):
        data = INSTALLED / "testlab-indicators.json"
        if data.exists():
            status = self.ana.post("read-only", json.loads(data.read_text())["objects"]).json()
            self.assertEqual(status["failure_count"], 0, status)
        self.run_testlab("getContentTests", "rea", self.node.own_port)


if __name__ == "__main__":
    unittest.main(argv=["taxii", "-v"])
