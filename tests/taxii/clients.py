"""What clients in the field do, beside the standard: each habit is a test, so that none of them loses or doubles an object."""
import base64
import gzip
import json
import signal
import unittest

from sections import tool, uuid
from taxii_node import ROOT, Client, Node

from case import report


class OpenCTI:
    """An ingester: all three parameters always, one page a round; `added_after` stands while there is more, then it is what
    X-TAXII-Date-Added-Last said. An empty page clears the cursor."""

    def __init__(self, client, collection):
        self.client, self.path = client, f"{ROOT}collections/{collection}/objects/"
        self.after, self.next, self.found, self.own_clock = "", "", [], False

    def round(self, limit=5):
        answer = self.client.get(self.path, {"Accept": "application/taxii+json;version=2.1"},
                                 next=self.next, added_after=self.after, limit=limit)
        assert answer.status == 200, answer.body
        page = answer.json()
        self.found += [o["id"] for o in page.get("objects", [])]
        if page.get("more") and page.get("next"):
            self.next = page["next"]
            return
        self.next = ""
        last = answer.headers.get("X-TAXII-Date-Added-Last")
        self.own_clock = self.own_clock or last is None
        self.after = last or "2999-01-01T00:00:00Z"


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)
        cls.ana, cls.bb = cls.node.client("ana"), cls.node.client("bb")
        cls.made = 0

    @classmethod
    def tearDownClass(cls):
        cls.ana.close()
        cls.bb.close()

    def shared(self):
        """A collection of this test's own."""
        Clients.made += 1
        self.node.share(f"shared-{self.made}", f"Shared {self.made}")
        return f"shared-{self.made}"

    def test_opencti_ingester_loses_nothing(self):
        name = self.shared()
        ingester = OpenCTI(self.bb, name)
        ingester.round()
        sent = []
        for n in range(40):
            self.ana.post(name, [tool(1000 + n)])
            sent.append(tool(1000 + n)["id"])
            if n % 3 == 0:
                ingester.round()
        for _ in range(30):
            ingester.round()
        self.assertEqual(ingester.found, sent)
        self.assertFalse(ingester.own_clock)

    def test_opencti_taxii_post_stream(self):
        """A bundle of one object a request, as application/stix+json with a space: taken where reports come in."""
        bundle = {"type": "bundle", "id": f"bundle--{uuid(1)}", "objects": [tool(1100)]}
        headers = {"Content-Type": "application/stix+json; version=2.1", "Accept": "application/taxii+json; version=2.1"}
        answer = self.bb.ask("POST", f"{ROOT}collections/intake/objects/", bundle, headers)
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(answer.json()["success_count"], 1)
        self.assertEqual(self.bb.ask("POST", f"{ROOT}collections/{self.shared()}/objects/", bundle, headers).status, 415)

    def test_opencti_connector_finds_root_and_collection_by_name(self):
        found = self.bb.get("/taxii2/").json()
        root = next(r for r in found["api_roots"] if r.rstrip("/").split("/")[-1] == "comity")
        titles = [c["title"] for c in self.bb.get(root + "collections/").json()["collections"]]
        self.assertEqual(len(titles), len(set(titles)))
        self.assertIn("Community", titles)

    def test_misp_browses(self):
        lower = "basic " + base64.b64encode(f"bb:{self.node.secrets['bb']}".encode()).decode()
        client = Client(self.node.port)
        client.authorization = lower
        root = client.get("/taxii2/").json()["api_roots"][0].strip("/").split("/")[-1]
        collections = client.get(f"/{root}/collections/").json()["collections"]
        readable = next(c for c in collections if c["title"] == "Community")
        path = f"/{root}/collections/{readable['id']}/objects/"
        page = client.get(path, limit=3).json()
        self.assertTrue(page["objects"])
        rest = client.get(path, limit=50, next=page["next"]).json()
        self.assertTrue(rest["objects"])
        one = client.get(f"{path}{page['objects'][0]['id']}/").json()
        self.assertEqual(len(one["objects"]), 1)
        client.close()

    def test_misp_pushes_by_max_content_length(self):
        largest = self.bb.get(ROOT).json()["max_content_length"]
        name = self.shared()
        self.assertEqual(self.bb.get(f"{ROOT}collections/{name}").status, 404)
        self.assertTrue(self.bb.get(f"{ROOT}collections/{name}/").json()["can_write"])
        objects, size = [], 100
        while size < largest - 2000:
            objects.append(tool(2000 + len(objects), description="d" * 500))
            size += len(json.dumps(objects[-1])) + 2
        answer = self.bb.post(name, objects)
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(answer.json()["success_count"], len(objects))
        self.assertEqual([o["id"] for o in self.bb.pages(name)], [o["id"] for o in objects])

    def test_courier_posts_gzip(self):
        name = self.shared()
        body = gzip.compress(json.dumps({"objects": [tool(1200)]}).encode())
        answer = self.bb.ask("POST", f"{ROOT}collections/{name}/objects/", body, {"Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 202, answer.body)

    def test_page_size_of_zero_is_the_servers_own(self):
        """taxii2-client's as_pages sends limit=0 unless it was told otherwise."""
        self.assertEqual(self.bb.get(f"{ROOT}collections/community/objects/", limit=0).status, 200)

    def test_connections_are_kept(self):
        self.bb.get(ROOT)
        before = self.bb.connection.sock.getsockname()
        for _ in range(20):
            self.assertEqual(self.bb.get(f"{ROOT}collections/community/objects/", limit=1).status, 200)
        self.assertEqual(self.bb.connection.sock.getsockname(), before)

    def test_cursors_outlive_the_node(self):
        name = self.shared()
        self.ana.post(name, [tool(1300 + n) for n in range(10)])
        page = self.bb.get(f"{ROOT}collections/{name}/objects/", limit=4).json()
        self.node.restart()
        rest = self.bb.get(f"{ROOT}collections/{name}/objects/", limit=50, next=page["next"]).json()
        self.assertEqual([o["id"] for o in page["objects"] + rest["objects"]], [tool(1300 + n)["id"] for n in range(10)])


class Directory(unittest.TestCase):
    def test_changes_are_new_versions_and_what_is_gone_is_revoked(self):
        node = Node()
        self.addCleanup(node.close)
        bb = node.client("bb")
        self.addCleanup(bb.close)
        shown = lambda: {o["name"]: o for o in bb.pages("directory", **{"match[type]": "identity"}) if "card" in json.dumps(o)}
        before = shown()
        self.assertEqual(set(before), {"OWN", "BB-CERT", "CC-CERT"})
        last = bb.get(f"{ROOT}collections/directory/objects/", limit=1000).headers["X-TAXII-Date-Added-Last"]
        teams = json.loads((node.folder / "teams.json").read_text())
        teams[1]["site"] = "https://bb.test/"
        node.write("teams.json", teams[:2])
        agreements = json.loads((node.folder / "agreements.json").read_text())
        agreements[0]["title"] = "Agreement 1, anew"
        node.write("agreements.json", agreements[:1])
        node.process.send_signal(signal.SIGHUP)
        node.wait(lambda: shown()["CC-CERT"].get("revoked"))
        changed = {o["name"] for o in bb.pages("directory", added_after=last)}
        self.assertEqual(changed, {"BB-CERT", "CC-CERT", "Agreement 1, anew"})
        now = shown()
        self.assertEqual(now["BB-CERT"]["contact_information"], "https://bb.test/")
        self.assertGreater(now["BB-CERT"]["modified"], before["BB-CERT"]["modified"])
        self.assertEqual(now["OWN"], before["OWN"])
        own = bb.collections()["Released to bb-cert"]["id"]
        self.assertTrue(bb.pages(own, **{"match[type]": "csirt-agreement"})[0]["revoked"])


class Outbox(unittest.TestCase):
    def test_what_was_fetched_is_delivered(self):
        node = Node()
        self.addCleanup(node.close)
        bb, ops = node.client("bb"), node.client("ops")
        self.addCleanup(bb.close)
        self.addCleanup(ops.close)
        queue = lambda: ops.get("/api/v1/outbox", {"Accept": "*/*"}).json()["items"][0]
        node.ingest(*(report(ip=f"192.0.2.{n}") for n in range(1, 50)))
        own = bb.collections()["Released to bb-cert"]["id"]
        node.wait(lambda: queue()["waiting"] == 49)
        path = f"{ROOT}collections/{own}/objects/"
        # A page is not yet known to have come; who asks for what is behind it has it.
        last = bb.get(path, limit=1000).headers["X-TAXII-Date-Added-Last"]
        self.assertEqual(queue()["delivered"], 0)

        def asked_again():
            bb.get(path, added_after=last)
            return queue()["delivered"] == 49
        node.wait(asked_again)


class Feeds(unittest.TestCase):
    """A partner's MISP feed, and the directory as a Cerebrate shows it."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)
        cls.bb, cls.cc, cls.ana = (cls.node.client(n) for n in ("bb", "cc", "ana"))
        cls.addClassCleanup(cls.bb.close)
        cls.addClassCleanup(cls.cc.close)
        cls.addClassCleanup(cls.ana.close)
        cls.node.ingest(*(report(ip=f"192.0.2.{n}", **{"source.url": f"http://a{n}.test/x"}) for n in range(1, 200)))
        name = cls.bb.collections()["Released to bb-cert"]["id"]
        cls.node.wait(lambda: len(cls.bb.pages(name, **{"match[type]": "observed-data"})) >= 199)

    def get(self, client, path, **headers):
        return client.get(path, {"Accept": "application/json, text/plain, text/*", **headers})

    def test_feed(self):
        manifest = self.get(self.bb, "/misp/manifest.json")
        self.assertEqual(manifest.status, 200, manifest.body)
        events, values = manifest.json(), set()
        self.assertTrue(events)
        for uuid_, head in events.items():
            event = self.get(self.bb, f"/misp/{uuid_}.json").json()["Event"]
            self.assertEqual(event["uuid"], uuid_)
            for member in ("info", "date", "analysis", "threat_level_id", "timestamp"):
                self.assertEqual(event[member], head[member])
                self.assertIsInstance(event[member], str)
            self.assertEqual(event["Orgc"], head["Orgc"])
            self.assertEqual(event["Orgc"]["name"], "OWN")
            self.assertTrue(event["Attribute"])
            self.assertEqual(len({a["uuid"] for a in event["Attribute"]}), len(event["Attribute"]))
            values |= {(a["type"], a["value"]) for a in event["Attribute"]}
            self.assertNotIn("bob", json.dumps(event))
            again = self.get(self.bb, f"/misp/{uuid_}.json").json()["Event"]
            self.assertEqual(again, event)
        self.assertLessEqual({("ip-src", f"192.0.2.{n}") for n in range(1, 200)}, values)
        self.assertLessEqual({("url", f"http://a{n}.test/x") for n in range(1, 200)}, values)

    def test_hashes(self):
        import hashlib
        lines = self.get(self.bb, "/misp/hashes.csv").body.decode().splitlines()
        events = self.get(self.bb, "/misp/manifest.json").json()
        self.assertLessEqual({line.split(",")[1] for line in lines}, set(events))
        self.assertIn(hashlib.md5(b"192.0.2.7").hexdigest(), {line.split(",")[0] for line in lines})

    def test_etags(self):
        events = self.get(self.bb, "/misp/manifest.json").json()
        for path in ("/misp/manifest.json", "/misp/hashes.csv", f"/misp/{next(iter(events))}.json"):
            tag = self.get(self.bb, path).headers["ETag"]
            answer = self.get(self.bb, path, **{"If-None-Match": tag})
            self.assertEqual((answer.status, answer.body), (304, b""), path)
            self.assertEqual(self.get(self.bb, path, **{"If-None-Match": '"other"'}).status, 200)

    def test_change_bumps_the_timestamp(self):
        tag = self.get(self.bb, "/misp/manifest.json").headers["ETag"]
        self.node.ingest(report(ip="192.0.2.250"))
        self.node.wait(lambda: self.get(self.bb, "/misp/manifest.json").headers["ETag"] != tag)
        events = self.get(self.bb, "/misp/manifest.json").json()
        found = [u for u in events if "192.0.2.250" in self.get(self.bb, f"/misp/{u}.json").body.decode()]
        self.assertEqual(len(found), 1)

    def test_each_has_its_own(self):
        events = self.get(self.bb, "/misp/manifest.json").json()
        self.assertEqual(self.get(self.cc, "/misp/manifest.json").json(), {})
        self.assertEqual(self.get(self.cc, f"/misp/{next(iter(events))}.json").status, 404)
        self.assertEqual(self.get(self.ana, "/misp/manifest.json").status, 404)
        nobody = Client(self.node.port)
        self.assertEqual(self.get(nobody, "/misp/manifest.json").status, 401)
        nobody.close()
        self.assertEqual(self.get(self.bb, "/misp/other.txt").status, 404)

    def test_bare_key(self):
        client = Client(self.node.port)
        client.authorization = self.node.token("bb")
        self.addCleanup(client.close)
        self.assertEqual(self.get(client, "/misp/manifest.json").status, 200)

    def test_cerebrate(self):
        organisations = self.get(self.bb, "/organisations/index?quickFilter=").json()
        self.assertEqual({o["name"] for o in organisations}, {"OWN", "BB-CERT", "CC-CERT"})
        for o in organisations:
            self.assertEqual(self.get(self.bb, f"/organisations/view/{o['id']}").json(), o)
            self.assertLessEqual({"uuid", "name", "nationality", "sector", "type"}, set(o))
        groups = self.get(self.bb, "/sharingGroups/index").json()
        self.assertEqual([g["name"] for g in groups], ["Agreement 2"])
        group = self.get(self.bb, f"/sharingGroups/view/{groups[0]['id']}").json()
        self.assertEqual({o["name"] for o in group["sharing_group_orgs"]}, {"OWN", "BB-CERT"})
        self.assertTrue(all("extend" in o["_joinData"] for o in group["sharing_group_orgs"]))
        self.assertEqual(self.get(self.cc, "/sharingGroups/index").json(), [])
        self.assertEqual(self.get(self.bb, "/organisations/view/1").status, 404)


if __name__ == "__main__":
    unittest.main(argv=["clients"])
