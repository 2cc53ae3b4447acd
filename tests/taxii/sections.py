"""TAXII 2.1 on the running node: a test for each of the standard's requirements on servers, named after its section."""
import json
import re
import unittest

from taxii_node import ROOT, TAXII, Client, Node

from case import report

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


def uuid(number):
    return f"0f1a7f5b-7f0e-4f0e-8f0e-{number:012x}"


def tool(number, modified="2023-01-01T00:00:00.000Z", **more):
    return {"type": "tool", "spec_version": "2.1", "id": f"tool--{uuid(number)}", "created": "2023-01-01T00:00:00.000Z",
            "modified": modified, "name": f"tool {number}", **more}


def address(number):
    return {"type": "ipv4-addr", "spec_version": "2.1", "id": f"ipv4-addr--{uuid(number)}", "value": "192.0.2.77"}


class Sections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)
        cls.ana, cls.bb, cls.cc = (cls.node.client(n) for n in ("ana", "bb", "cc"))
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        for client in (cls.ana, cls.bb, cls.cc):
            client.close()

    def shared(self):
        """A collection of this test's own."""
        Sections.number += 1
        self.node.share(f"shared-{self.number}", "Shared")
        return f"shared-{self.number}"

    def path(self, collection, *rest):
        return "/".join([f"{ROOT}collections/{collection}", *rest]) + "/"

    def added(self, collection, *objects, client=None):
        answer = (client or self.ana).post(collection, list(objects))
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(answer.json()["failure_count"], 0, answer.body)
        return answer.json()

    def error(self, answer, status):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], TAXII)
        error = answer.json()
        self.assertTrue(error["title"])
        self.assertEqual(error["http_status"], str(status))
        return error

    def ids(self, answer):
        self.assertEqual(answer.status, 200, answer.body)
        return [o["id"] for o in answer.json().get("objects", [])]

    # ---- 1.6.8, 3.8: media types ----

    def test_1_6_8_answers_say_their_type(self):
        for path in ("/taxii2/", ROOT, ROOT + "collections/", self.path("community"), self.path("community", "objects"),
                     self.path("community", "manifest")):
            for accept in (TAXII, "application/taxii+json", "application/taxii+json; version=2.1", "*/*"):
                answer = self.ana.get(path, {"Accept": accept})
                self.assertEqual(answer.status, 200, path)
                self.assertEqual(answer.headers["Content-Type"], TAXII)

    def test_1_6_8_other_types_are_not_acceptable(self):
        for path in ("/taxii2/", ROOT, ROOT + "collections/", self.path("community"), self.path("community", "objects"),
                     self.path("community", "manifest"), ROOT + "status/x/"):
            for accept in (None, "", "application/foo", "application/taxii+json;version=2.0", "text/html"):
                self.error(self.ana.get(path, {"Accept": accept}), 406)

    def test_1_6_8_other_types_are_not_read(self):
        path = self.path(self.shared(), "objects")
        for kind in (None, "application/json", "application/taxii+json;version=2.0", "text/plain",
                     "application/stix+json;version=2.1"):
            self.error(self.ana.ask("POST", path, {"objects": [tool(1)]}, {"Content-Type": kind}), 415)

    def test_1_6_1_paths_end_in_a_slash(self):
        for path in ("/taxii2", "/comity", ROOT + "collections", self.path("community")[:-1],
                     self.path("community", "objects")[:-1]):
            self.assertEqual(self.ana.get(path).status, 404, path)

    # ---- 3.2: headers ----

    def test_3_2_dates_of_first_and_last(self):
        name = self.shared()
        self.added(name, *(tool(n) for n in range(5)))
        rows = self.ana.pages(name, "manifest")
        for what in ("objects", "manifest"):
            answer = self.ana.get(self.path(name, what), limit=3)
            self.assertEqual(answer.headers["X-TAXII-Date-Added-First"], rows[0]["date_added"])
            self.assertEqual(answer.headers["X-TAXII-Date-Added-Last"], rows[2]["date_added"])
        answer = self.ana.get(self.path(name, "objects", rows[1]["id"]))
        self.assertEqual(answer.headers["X-TAXII-Date-Added-First"], rows[1]["date_added"])
        answer = self.ana.get(self.path(name, "objects", rows[1]["id"], "versions"))
        self.assertEqual(answer.headers["X-TAXII-Date-Added-Last"], rows[1]["date_added"])

    def test_3_2_401_says_how(self):
        for client in (Client(self.node.port), Client(self.node.port, "bb", "wrong"), Client(self.node.port, token="x" * 40)):
            for path in ("/taxii2/", ROOT, ROOT + "collections/", self.path("community", "objects")):
                answer = client.get(path)
                self.error(answer, 401)
                self.assertRegex(answer.headers["WWW-Authenticate"], "Basic")
            client.close()

    def test_3_2_schemes_in_any_case(self):
        for scheme in ("basic", "BASIC", "Basic"):
            client = self.node.client("bb")
            client.authorization = scheme + " " + client.authorization.split()[1]
            self.assertEqual(client.get("/taxii2/").status, 200)
            client.close()
        for scheme in ("Bearer", "bearer"):
            client = Client(self.node.port, token=self.node.token("bb"))
            client.authorization = scheme + " " + client.authorization.split()[1]
            self.assertEqual(client.get("/taxii2/").status, 200)
            client.close()

    # ---- 3.3: order; 3.4: filters ----

    def test_3_3_in_order_of_date_added(self):
        name = self.shared()
        for n in (9, 3, 7):
            self.added(name, tool(n))
        dates = [row["date_added"] for row in self.ana.pages(name, "manifest")]
        self.assertEqual(dates, sorted(set(dates)))
        self.assertEqual([o["name"] for o in self.ana.pages(name)], ["tool 9", "tool 3", "tool 7"])

    def test_3_4_added_after_is_exclusive(self):
        name = self.shared()
        self.added(name, *(tool(n) for n in range(4)))
        rows = self.ana.pages(name, "manifest")
        for i, row in enumerate(rows):
            got = self.ids(self.ana.get(self.path(name, "objects"), added_after=row["date_added"]))
            self.assertEqual(got, [r["id"] for r in rows[i + 1:]])
        self.error(self.ana.get(self.path(name, "objects"), added_after="yesterday"), 400)

    def test_3_4_match_id_and_type(self):
        name = self.shared()
        self.added(name, tool(1), tool(2), address(3))
        path = self.path(name, "objects")
        self.assertEqual(self.ids(self.ana.get(path, **{"match[id]": tool(2)["id"]})), [tool(2)["id"]])
        self.assertEqual(self.ids(self.ana.get(path, **{"match[id]": tool(2)["id"] + "," + address(3)["id"]})),
                         [tool(2)["id"], address(3)["id"]])
        self.assertEqual(self.ids(self.ana.get(path, **{"match[type]": "ipv4-addr"})), [address(3)["id"]])
        self.assertEqual(len(self.ids(self.ana.get(path, **{"match[type]": "ipv4-addr,tool"}))), 3)
        # Several fields are an AND.
        self.assertEqual(self.ids(self.ana.get(path, **{"match[id]": tool(2)["id"], "match[type]": "ipv4-addr"})), [])
        self.error(self.ana.get(path + "?match[id]=a&match[id]=b"), 400)

    def test_3_4_match_version(self):
        name = self.shared()
        times = [f"2023-01-0{n}T00:00:00.000Z" for n in (1, 2, 3)]
        for time in times:
            self.added(name, tool(1, time))
        path = self.path(name, "objects")
        got = lambda text: [o["modified"] for o in self.ana.get(path, **({"match[version]": text} if text else {})).json().get("objects", [])]
        self.assertEqual(got(None), times[2:])
        self.assertEqual(got("last"), times[2:])
        self.assertEqual(got("first"), times[:1])
        self.assertEqual(got("all"), times)
        self.assertEqual(got(times[1]), [times[1]])
        self.assertEqual(got("first,last"), [times[0], times[2]])
        self.assertEqual(got("first," + times[1]), times[:2])
        self.assertEqual(got("2020-01-01T00:00:00.000Z"), [])
        self.error(self.ana.get(path, **{"match[version]": "newest"}), 400)

    def test_3_4_match_spec_version(self):
        name = self.shared()
        self.added(name, tool(1))
        path = self.path(name, "objects")
        self.assertEqual(len(self.ids(self.ana.get(path, **{"match[spec_version]": "2.1"}))), 1)
        self.assertEqual(len(self.ids(self.ana.get(path, **{"match[spec_version]": "2.0,2.1"}))), 1)
        self.assertEqual(self.ids(self.ana.get(path, **{"match[spec_version]": "2.0"})), [])

    # ---- 3.5: paging ----

    def test_3_5_pages_have_each_object_once(self):
        name = self.shared()
        self.added(name, *(tool(n) for n in range(50)))
        whole = [o["id"] for o in self.ana.pages(name, limit=1000)]
        self.assertEqual(len(whole), 50)
        for limit in (1, 7, 49, 50, 51):
            for what in ("objects", "manifest"):
                self.assertEqual([o["id"] for o in self.ana.pages(name, what, limit=limit)], whole)

    def test_3_5_more_has_next_and_the_end_has_none(self):
        name = self.shared()
        self.added(name, *(tool(n) for n in range(4)))
        for what in ("objects", "manifest"):
            page = self.ana.get(self.path(name, what), limit=3).json()
            self.assertIs(page["more"], True)
            last = self.ana.get(self.path(name, what), limit=3, next=page["next"]).json()
            self.assertEqual(len(last["objects"]), 1)
            self.assertFalse(last.get("more", False))
            self.assertNotIn("next", last)
            self.assertFalse(self.ana.get(self.path(name, what), limit=4).json().get("more", False))

    def test_3_5_next_is_bound_to_its_filters(self):
        name = self.shared()
        self.added(name, *(tool(n) for n in range(4)))
        path = self.path(name, "objects")
        following = self.ana.get(path, limit=1, **{"match[type]": "tool"}).json()["next"]
        self.assertEqual(self.ana.get(path, limit=1, next=following, **{"match[type]": "tool"}).status, 200)
        self.error(self.ana.get(path, limit=1, next=following), 400)
        self.error(self.ana.get(path, limit=1, next=following, **{"match[type]": "ipv4-addr"}), 400)
        self.error(self.ana.get(self.path("community", "objects"), limit=1, next=following, **{"match[type]": "tool"}), 400)
        self.error(self.ana.get(path, limit=1, next=following[:-2] + ("zz" if following[-2:] != "zz" else "yy"), **{"match[type]": "tool"}), 400)

    def test_3_5_limit_is_a_positive_number(self):
        path = self.path("community", "objects")
        for limit in ("-1", "x", "1.5"):
            self.error(self.ana.get(path, limit=limit), 400)
        self.assertEqual(self.ana.get(path, limit="1000000000").status, 200)

    def test_3_5_without_next_added_after_goes_on(self):
        """The other way that the section has: X-TAXII-Date-Added-Last as added_after."""
        name = self.shared()
        self.added(name, *(tool(n) for n in range(10)))
        found, after = [], {}
        while True:
            answer = self.ana.get(self.path(name, "objects"), limit=3, **after)
            found += self.ids(answer)
            if not answer.json().get("more"):
                break
            after = {"added_after": answer.headers["X-TAXII-Date-Added-Last"]}
        self.assertEqual(found, [tool(n)["id"] for n in range(10)])

    # ---- 3.6: errors ----

    def test_3_6_errors_have_the_error_resource(self):
        self.error(self.ana.get(ROOT + "nothing/"), 404)
        self.error(self.ana.get(self.path("nowhere")), 404)
        self.error(self.ana.get(self.path("nowhere", "objects")), 404)
        answer = self.ana.ask("PUT", self.path("community", "objects"), {"objects": []})
        self.error(answer, 405)
        self.assertIn("GET", answer.headers["Allow"])

    # ---- 4: discovery, API root, status ----

    def test_4_1_discovery(self):
        found = self.bb.get("/taxii2/").json()
        self.assertTrue(found["title"])
        self.assertIn(found["default"], found["api_roots"])
        self.assertEqual(self.bb.get(found["default"]).status, 200)

    def test_4_2_api_root(self):
        found = self.bb.get(ROOT).json()
        self.assertTrue(found["title"])
        self.assertEqual(found["versions"], [TAXII])
        self.assertGreater(found["max_content_length"], 0)

    def test_4_3_status(self):
        name = self.shared()
        status = self.ana.post(name, [tool(1), {"type": "tool"}, tool(2, "2020-01-01T00:00:00.000Z")]).json()
        self.assertRegex(status["id"], r"^[0-9a-f-]{36}$")
        self.assertEqual(status["status"], "complete")
        self.assertRegex(status["request_timestamp"], TIME)
        self.assertEqual((status["total_count"], status["success_count"], status["failure_count"], status["pending_count"]),
                         (3, 1, 2, 0))
        self.assertEqual([s["id"] for s in status["successes"]], [tool(1)["id"]])
        self.assertEqual(status["successes"][0]["version"], tool(1)["modified"])
        self.assertEqual(len(status["failures"]), 2)
        self.assertTrue(all(f["message"] for f in status["failures"]))
        answer = self.ana.get(f"{ROOT}status/{status['id']}/")
        self.assertEqual(answer.json(), status)
        self.error(self.bb.get(f"{ROOT}status/{status['id']}/"), 404)
        self.error(self.ana.get(f"{ROOT}status/{uuid(1)}/"), 404)

    # ---- 5.1, 5.2: collections ----

    def test_5_1_collections_that_one_may_see(self):
        bb, cc = self.bb.collections(), self.cc.collections()
        self.assertIn("Released to bb-cert", bb)
        self.assertNotIn("Released to cc-cert", bb)
        self.assertIn("Released to cc-cert", cc)
        for alias, read, write in (("community", True, False), ("directory", True, False), ("intake", False, True)):
            self.assertEqual((bb[alias]["can_read"], bb[alias]["can_write"]), (read, write))
        for c in bb.values():
            self.assertRegex(c["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
            self.assertEqual(c["media_types"], ["application/stix+json;version=2.1"])
        own = self.ana.collections()
        self.assertIn("Released to bb-cert", own)
        self.assertTrue(own["intake"]["can_read"])

    def test_5_2_by_id_or_alias(self):
        c = self.bb.collections()["community"]
        self.assertEqual(self.bb.get(self.path(c["id"])).json(), c)
        self.assertEqual(self.bb.get(self.path("community")).json(), c)
        mine = self.bb.collections()["Released to bb-cert"]
        theirs = self.cc.collections()["Released to cc-cert"]["id"]
        self.assertEqual(mine["alias"], "released")  # each partner's own is called so
        self.assertEqual(self.bb.get(self.path("released")).json(), mine)
        self.assertEqual(self.cc.get(self.path("released")).json()["id"], theirs)
        self.assertEqual(self.bb.get(self.path("released", "manifest")).body, self.bb.get(self.path(mine["id"], "manifest")).body)
        self.error(self.ana.get(self.path("released")), 404)
        self.error(self.bb.get(self.path(theirs)), 404)
        self.error(self.bb.get(self.path(theirs, "objects")), 404)
        self.error(self.bb.get(self.path(theirs, "manifest")), 404)

    # ---- 5.3: manifest ----

    def test_5_3_manifest(self):
        name = self.shared()
        self.added(name, tool(1, "2023-01-01T00:00:00.000Z"), address(2))
        self.added(name, tool(1, "2023-01-02T00:00:00.000Z"))
        rows = self.ana.get(self.path(name, "manifest")).json()["objects"]
        self.assertEqual([(r["id"], r["media_type"]) for r in rows],
                         [(address(2)["id"], "application/stix+json;version=2.1"), (tool(1)["id"], "application/stix+json;version=2.1")])
        self.assertEqual(rows[1]["version"], "2023-01-02T00:00:00.000Z")
        # What has no version has the date when it was added.
        self.assertEqual(rows[0]["version"], rows[0]["date_added"])
        self.assertTrue(all(TIME.match(r["date_added"]) for r in rows))
        every = self.ana.get(self.path(name, "manifest"), **{"match[version]": "all"}).json()["objects"]
        self.assertEqual(len(every), 3)

    def test_5_3_5_4_what_is_not_to_be_read(self):
        for what in ("objects", "manifest"):
            self.error(self.bb.get(self.path("intake", what)), 403)

    def test_5_4_empty_is_an_empty_object(self):
        name = self.shared()
        for what in ("objects", "manifest"):
            answer = self.ana.get(self.path(name, what))
            self.assertEqual(answer.json(), {})
            self.assertRegex(answer.headers["X-TAXII-Date-Added-Last"], TIME)

    # ---- 5.5: adding ----

    def test_5_5_objects_come_back_as_they_came(self):
        name = self.shared()
        odd = tool(1, x_text="ünïcode \" \\ \n \u2028", x_list=[1, 2.5, -3, True, None, {"a": {}}], labels=["a"])
        self.added(name, odd)
        self.assertEqual(self.ana.pages(name), [odd])

    def test_5_5_the_same_version_again_changes_nothing(self):
        name = self.shared()
        self.added(name, tool(1))
        self.added(name, tool(1), tool(2))
        self.assertEqual([o["id"] for o in self.ana.pages(name, **{"match[version]": "all"})], [tool(1)["id"], tool(2)["id"]])

    def test_5_5_each_fault_is_told(self):
        name = self.shared()
        cases = [({**tool(1), "id": "tool--7"}, "id"), ({**tool(1), "id": f"malware--{uuid(1)}"}, "id"),
                 ({**tool(1), "spec_version": "2.0"}, "spec_version"), ({k: v for k, v in tool(1).items() if k != "spec_version"}, "spec_version"),
                 ({k: v for k, v in tool(1).items() if k != "created"}, "created"), ({**tool(1), "created": "2023-01-01"}, "created"),
                 ({**tool(1), "modified": "2022-01-01T00:00:00Z"}, "modified"),
                 ({**tool(1), "created_by_ref": "me"}, "created_by_ref"), ({**tool(1), "object_marking_refs": []}, "object_marking_refs"),
                 ({**tool(1), "type": "bundle", "id": f"bundle--{uuid(1)}"}, "type")]
        status = self.ana.post(name, [c for c, _ in cases]).json()
        self.assertEqual(status["failure_count"], len(cases))
        for failure, (_, word) in zip(status["failures"], cases):
            self.assertIn(word, failure["message"])
        self.assertEqual(self.ana.get(self.path(name, "objects")).json(), {})

    def test_5_5_what_is_no_envelope(self):
        path = self.path(self.shared(), "objects")
        self.error(self.ana.ask("POST", path, b"{"), 400)
        self.error(self.ana.ask("POST", path, b"[]"), 422)
        self.error(self.ana.ask("POST", path, {"more": False}), 422)
        largest = self.ana.get(ROOT).json()["max_content_length"]
        # The answer is there before the body comes.
        client = self.node.client("ana")
        self.error(client.ask("POST", path, b"", {"Content-Length": str(largest + 1)}), 413)
        client.close()

    def test_5_5_who_may_not_write(self):
        for collection in ("community", "directory"):
            self.error(self.bb.post(collection, [tool(1)]), 403)
        reader = self.node.client("rea")
        self.error(reader.post(self.shared(), [tool(1)]), 403)
        reader.close()
        self.error(self.bb.post("nowhere", [tool(1)]), 404)

    def test_5_5_a_version_is_its_first_posters(self):
        name = self.shared()
        self.added(name, tool(700), client=self.bb)
        status = self.cc.post(name, [tool(700, "2024-01-01T00:00:00.000Z")]).json()
        self.assertEqual(status["failure_count"], 1)
        self.assertIn("another team", status["failures"][0]["message"])
        self.added(name, tool(700, "2024-01-01T00:00:00.000Z"), client=self.bb)

    def test_5_5_nobody_speaks_for_another_team(self):
        cards = {o["name"]: o["id"] for o in self.bb.pages("directory", **{"match[type]": "identity"})}
        status = self.bb.post("intake", [tool(500, created_by_ref=cards["CC-CERT"])]).json()
        self.assertIn("cc-cert", status["failures"][0]["message"])
        self.assertEqual(self.bb.post("intake", [tool(501, created_by_ref=cards["BB-CERT"])]).json()["failure_count"], 0)

    # ---- 5.6: an object; 5.7: delete; 5.8: versions ----

    def test_5_6_object_by_id(self):
        name = self.shared()
        self.added(name, tool(1), tool(1, "2024-01-01T00:00:00.000Z"), tool(2))
        path = self.path(name, "objects", tool(1)["id"])
        self.assertEqual([o["modified"] for o in self.ana.get(path).json()["objects"]], ["2024-01-01T00:00:00.000Z"])
        self.assertEqual(len(self.ana.get(path, **{"match[version]": "all"}).json()["objects"]), 2)
        self.error(self.ana.get(self.path(name, "objects", f"tool--{uuid(99)}")), 404)
        self.error(self.ana.get(self.path(name, "objects", "tool")), 404)

    def test_5_7_delete(self):
        name = self.shared()
        times = [f"202{n}-01-01T00:00:00.000Z" for n in (3, 4, 5)]
        self.added(name, *(tool(1, t) for t in times), tool(2))
        path = self.path(name, "objects", tool(1)["id"])
        self.error(self.bb.ask("DELETE", path), 403)
        self.error(self.ana.ask("DELETE", self.path("directory", "objects", tool(1)["id"])), 403)
        self.assertEqual(self.ana.ask("DELETE", path + "?match[version]=" + times[1]).status, 200)
        self.assertEqual(self.ana.get(path + "versions/").json()["versions"], [times[0], times[2]])
        self.assertEqual(self.ana.ask("DELETE", path).status, 200)
        self.error(self.ana.get(path), 404)
        self.error(self.ana.ask("DELETE", path), 404)
        self.assertEqual([o["id"] for o in self.ana.pages(name)], [tool(2)["id"]])

    def test_5_8_versions(self):
        name = self.shared()
        times = [f"202{n}-01-01T00:00:00.000Z" for n in (3, 4, 5)]
        self.added(name, *(tool(1, t) for t in times), address(2))
        self.assertEqual(self.ana.get(self.path(name, "objects", tool(1)["id"], "versions")).json()["versions"], times)
        first = self.ana.get(self.path(name, "objects", tool(1)["id"], "versions"), limit=2).json()
        self.assertEqual(first["versions"], times[:2])
        rest = self.ana.get(self.path(name, "objects", tool(1)["id"], "versions"), limit=2, next=first["next"]).json()
        self.assertEqual(rest["versions"], times[2:])
        row = self.ana.pages(name, "manifest", **{"match[id]": address(2)["id"]})[0]
        self.assertEqual(self.ana.get(self.path(name, "objects", address(2)["id"], "versions")).json()["versions"], [row["date_added"]])
        self.error(self.ana.get(self.path(name, "objects", f"tool--{uuid(99)}", "versions")), 404)

    # ---- what Comity's own collections hold ----

    def test_directory_has_cards_and_what_holds_for_all(self):
        objects = self.bb.pages("directory")
        kinds = {o["type"] for o in objects}
        self.assertIn("csirt-agreement", kinds)
        cards = [o for o in objects if o["type"] == "identity" and "extensions" in o]
        self.assertEqual({o["name"] for o in cards}, {"OWN", "BB-CERT", "CC-CERT"})
        agreements = [o["name"] for o in objects if o["type"] == "csirt-agreement"]
        self.assertEqual(agreements, ["Agreement 1"])
        definitions = {o["id"] for o in objects if o["type"] == "extension-definition"}
        for o in objects:
            self.assertLessEqual(set(o.get("extensions", {})), definitions | {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"})

    def test_agreements_are_shown_to_their_parties_alone(self):
        own = lambda client, team: client.pages(client.collections()[f"Released to {team}"]["id"], **{"match[type]": "csirt-agreement"})
        self.assertEqual([o["name"] for o in own(self.bb, "bb-cert")], ["Agreement 2"])
        self.assertEqual(own(self.cc, "cc-cert"), [])

    def test_released_reports_are_in_the_recipients_collection(self):
        self.node.ingest(*(report(ip=f"192.0.2.{n}") for n in range(1, 30)))
        name = self.bb.collections()["Released to bb-cert"]["id"]
        self.node.wait(lambda: len(self.bb.pages(name, **{"match[type]": "observed-data"})) >= 29)
        objects = self.bb.pages(name)
        by_id = {o["id"]: o for o in objects}
        values = set()
        for o in objects:
            for ref in o.get("object_refs", []):
                self.assertIn(ref, by_id)
                values.add(by_id[ref].get("value"))
            for ref in o.get("object_marking_refs", []) + ([o["created_by_ref"]] if "created_by_ref" in o else []):
                self.assertIn(ref, by_id)
        self.assertLessEqual({f"192.0.2.{n}" for n in range(1, 30)}, values)
        self.assertNotIn("bob", json.dumps(objects))
        seen = next(o for o in objects if o["type"] == "observed-data")
        self.assertEqual(self.ids(self.bb.get(self.path(name, "objects", seen["id"]))), [seen["id"]])

    def test_intake_takes_reports_and_keeps_the_rest(self):
        seen = {"type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{uuid(600)}",
                "created": "2026-05-05T10:20:30.000Z", "modified": "2026-05-05T10:20:30.000Z", "number_observed": 1,
                "first_observed": "2026-05-05T10:20:30Z", "last_observed": "2026-05-05T10:20:30Z", "object_refs": [address(601)["id"]],
                "object_marking_refs": [GREEN]}
        shown, kept = tool(602, object_marking_refs=[GREEN]), tool(603)
        status = self.bb.post("intake", [address(601), seen, shown, kept]).json()
        self.assertEqual((status["success_count"], status["failure_count"]), (4, 0), status)
        ids = {o["id"] for o in self.ana.pages("intake")}
        self.assertLessEqual({shown["id"], kept["id"]}, ids)
        self.assertNotIn(seen["id"], ids)
        self.assertNotIn(address(601)["id"], ids)
        community = {o["id"] for o in self.cc.pages("community")}
        self.assertIn(shown["id"], community)
        self.assertNotIn(kept["id"], community)


if __name__ == "__main__":
    unittest.main(argv=["sections"])
