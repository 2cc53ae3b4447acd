"""Does the running node answer as its OpenAPI document and its word say?

usage: api.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)

What must be answered comes from the tables and the document that the node serves; what searches must find comes from a linear
scan of the same reports.
"""
import csv
import io
import ipaddress
import json
import re
import subprocess
import sys
import unittest
import urllib.parse

from api_case import AGREEMENTS, COMITY, EVIL, OPTIONS, ROUTES, Case, jsonschema, rows


class Documented(Case):
    """The document is sound, complete, and what the node does."""

    def test_document_is_of_the_tables(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        told = {(path, method.upper()) for path, ops in self.document["paths"].items() for method in ops}
        self.assertEqual(told, {(row[3], row[2]) for row in ROUTES})
        for schema in self.document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        ids = [op["operationId"] for ops in self.document["paths"].values() for op in ops.values()]
        self.assertEqual(len(ids), len(set(ids)))
        doors = {row[0]: row[3] for row in rows("messages.def", "MESSAGE")}
        for row in ROUTES:
            self.assertLessEqual(set(row[8]), set(doors[row[7]]), f"{row[0]} is served where core refuses it")

    def test_every_read_is_as_documented(self):
        card = {"id": "south.test", "node": {"url": "https://192.0.2.1", "certificate": "ab" * 32}}
        self.assertEqual(self.node.ask("POST", "/api/v1/peers", {"card": json.dumps(card)}).status, 201)
        self.node.node.drain()
        delivery = self.node.get("/api/v1/receipts?limit=1").json["items"][0]
        batch, told = delivery["batch"], delivery["team"]
        report = self.node.get(f"/api/v1/reports?effect=release&team={told}&limit=1").json["items"][0]["id"]
        filled = {"{batch}": batch, "{id}": report, "{number}": "1", "{name}": "operator", "{team}": "south.test"}
        for path, operations in self.document["paths"].items():
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
            if path.endswith("/proof"):
                concrete += "?team=" + told
            with self.subTest(concrete):
                answer = self.check("GET", concrete)
                # No ledger has shown two histories here; witness.py has one that did.
                self.assertEqual(answer.status, 404 if path.endswith("/evidence") else 200, answer.body)

    def test_unknown_parameters_and_members_are_refused_by_name(self):
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                if "L" not in operation["x-doors"]:
                    continue
                concrete = re.sub(r"\{[^}]*\}", "1", path)
                with self.subTest(f"{method} {path}"):
                    answer = self.check(method.upper(), concrete + "?nonsense=1", body={} if "requestBody" in operation else None)
                    self.assertEqual((answer.status, answer.json["field"], answer.json["code"]), (400, "nonsense", "unknown-field"))
                if "application/json" in operation.get("requestBody", {}).get("content", {}) \
                        and path not in ("/api/v1/reports", "/api/v1/reports/{id}/correction"):
                    answer = self.check(method.upper(), concrete, body={"nonsense": 1})
                    self.assertEqual((answer.status, answer.json["field"]), (400, "nonsense"))

    def test_every_parameter_refuses_what_it_is_not(self):
        wrong = {"address": "192.0.2.300", "economy": "Finland", "asn": "0", "classification": "nonsense", "effect": "maybe",
                 "since": "yesterday", "until": "2026-13-01", "limit": "1001", "next": "nonsense", "name": "a..b",
                 "unattributed": "perhaps", "open": "maybe", "recall": "maybe", "batch": None, "state": "lost", "id": None, "number": None, "q": "a b", "team": "x" * 65,
                 "provider": "x" * 201, "text": "x" * 101, "level": "loud", "role": "nobody", "after": "nonsense", "from": "x" * 201, "sender": "x" * 65, "delivery": "x" * 65, "by": "week"}
        for path, operations in self.document["paths"].items():
            for parameter in operations.get("get", {}).get("parameters", []):
                value = wrong[parameter["name"]] if path != "/api/v1/tokens" else "x" * 65
                if parameter["in"] != "query" or value is None:
                    continue
                with self.subTest(f"{path} {parameter['name']}"):
                    answer = self.check("GET", f"{path}?{parameter['name']}={urllib.parse.quote(value)}")
                    self.assertIn(answer.status, (400, 413))
                    self.assertEqual(answer.json["field"], parameter["name"])
                    again = self.check("GET", f"{path}?{parameter['name']}=1&{parameter['name']}=1")
                    self.assertEqual(again.json["code"], "duplicate-key")

    def test_other_methods_and_types(self):
        self.assertEqual(self.node.ask("DELETE", "/api/v1/reports").status, 405)
        self.assertEqual(self.node.get("/api/v1/nothing").status, 404)
        self.assertEqual(self.check("GET", "/api/v1/teams", Accept="text/html").status, 406)
        self.assertEqual(self.check("POST", "/api/v1/held/1/release", body="{}", Content_Type="text/plain").status, 415)
        for body in ("", "[]", "{", "nonsense", '{"reason":1}', '{"reason":"a","reason":"b"}', '{"reason":"a\\u0000b"}',
                     '{"reason":""}', '{"reason":null}', '{"reason":"' + "x" * 1001 + '"}'):
            answer = self.check("POST", "/api/v1/held/1/release", body=body, Content_Type="application/json")
            self.assertIn(answer.status, (400, 413), body[:40])

    def test_hostile_requests(self):
        for path in ("/api/v1/reports?team=" + "x" * 100000, "/api/v1/reports?" + "a=1&" * 600, "/api/v1/reports?name=%ff%fe",
                     "/api/v1/reports?team=%00", "/api/v1/reports/%2e%2e%2f%2e%2e", "/api/v1/reports?limit=99999999999999999999",
                     "/api/v1/whois?q=" + "%3Cscript%3E", "/api/v1//reports", "/api/v1/reports/", "/api/v1/held/-1/release"):
            answer = self.node.get(path)
            self.assertIn(answer.status, (400, 404, 405, 413, 414, 431), path[:60])
            if answer.headers["Content-Type"] is not None:  # what never was a request is refused without a word
                self.assertEqual((answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]),
                                 ("application/problem+json", "nosniff"))
        deep = "[" * 1000 + "]" * 1000
        self.assertEqual(self.node.ask("POST", "/api/v1/held/1/release", deep, Content_Type="application/json").status, 413)
        large = json.dumps({"reason": "x", "numbers": list(range(1, 1002))})
        answer = self.check("POST", "/api/v1/held/release", body=large, Content_Type="application/json")
        self.assertEqual((answer.status, answer.json["field"]), (413, "numbers"))
        self.assertEqual(self.node.get("/healthz").status, 200)

    def test_etags(self):
        first = self.check("GET", "/api/v1/teams")
        again = self.check("GET", "/api/v1/teams", If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(self.check("GET", "/api/v1/teams", If_None_Match='"other"').status, 200)


class Searches(Case):
    """What is found is what a linear scan finds."""

    def found(self, **query):
        items = self.node.pages("/api/v1/reports?" + urllib.parse.urlencode(query), limit=37)
        ids = [item["id"] for item in items]
        self.assertEqual(len(ids), len(set(ids)))
        return sorted(self.node.get(f"/api/v1/reports/{ident}").json["fields"]["source.account"] for ident in ids)

    def expect(self, condition, **query):
        wanted = sorted(r["source.account"] for r in self.node.reports if condition(r))
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
        items = self.node.pages("/api/v1/reports", limit=1000)
        for team, effect in (("south.test", "release"), ("east.test", "hold"), ("east.test", "withhold"), (None, "hold")):
            wanted = [i["id"] for i in items if any((team is None or o["team"] == team) and o["effect"] == effect
                                                    for o in i["outcomes"])]
            query = {"effect": effect, **({"team": team} if team else {})}
            got = [i["id"] for i in self.node.pages("/api/v1/reports?" + urllib.parse.urlencode(query))]
            self.assertEqual(got, wanted, query)
            self.assertGreater(len(got), 0, query)
        wanted = [i["id"] for i in items if i["outcomes"][0]["team"] is None]
        self.assertEqual([i["id"] for i in self.node.pages("/api/v1/reports?unattributed=true")], wanted)

    def test_times(self):
        items = self.node.get("/api/v1/reports?limit=1000").json["items"]
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
        items = self.node.get("/api/v1/reports?limit=7").json["items"]
        self.assertEqual([row["id"] for row in table], [item["id"] for item in items])
        following = re.fullmatch(r'<(.*)>; rel="next"', answer.headers["Link"])[1]
        more = self.check("GET", following, Accept="text/csv")
        self.assertNotIn(items[0]["id"].encode(), more.body)

    def test_hostile_fields_stay_text(self):
        evil = [r for r in self.node.reports if r.get("extra.note") == EVIL]
        items = self.node.pages("/api/v1/reports", limit=1000)
        notes = [self.node.get(f"/api/v1/reports/{i['id']}").json["fields"].get("extra.note") for i in items]
        self.assertEqual(notes.count(EVIL), len(evil))

    def test_ids(self):
        ident = self.node.get("/api/v1/reports?limit=1").json["items"][0]["id"]
        self.assertEqual(self.check("GET", f"/api/v1/reports/{ident.upper()}").status, 200)
        other = ident[:-1] + ("0" if ident[-1] != "0" else "1")
        for path in ("", "/explanation"):
            self.assertEqual(self.check("GET", f"/api/v1/reports/{other}{path}").status, 404)
            self.assertEqual(self.check("GET", f"/api/v1/reports/00000000-0000-8000-8000-000000000000{path}").status, 404)
            self.assertEqual(self.check("GET", f"/api/v1/reports/nonsense{path}").status, 400)


class Drafts(Case):
    """The same findings as `comity agreement lint` gives."""

    def findings(self, document):
        answer = self.check("POST", "/api/v1/agreements/check", {"document": document})
        self.assertEqual(answer.status, 200)
        for level in ("error", "warning", "hint"):
            self.assertEqual(answer.json[level + "s"], sum(one["level"] == level for one in answer.json["items"]))
        return answer.json["items"]

    def test_as_the_command_finds(self):
        lacking = {"id": "urn:uuid:00000000-0000-4000-8000-000000000009", "kind": "bilateral", "surplus": 1, "clauses": []}
        same = {**AGREEMENTS[0], "id": "urn:uuid:00000000-0000-4000-8000-000000000008"}
        strange = json.loads(json.dumps(same).replace("east.test", "nowhere.test").replace("0008", "0007"))
        for draft in [lacking, strange, same, [lacking, strange], {}]:
            path = self.node.folder / "draft.json"
            path.write_text(json.dumps(draft), encoding="utf-8")
            done = subprocess.run([COMITY, "agreement", "lint", *OPTIONS, "--json", "--teams", str(self.node.folder / "teams.json"),
                                   "--with", str(self.node.folder / "agreed.json"), str(path)], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            wanted = [json.loads(line) for line in done.stdout.splitlines()]
            found = self.findings(json.dumps(draft))
            self.assertEqual([(one["level"], one["finding"], one["clause"], one["key"], one["message"]) for one in found],
                             [(one["level"], one["finding"], one["clause"], one["key"], one["message"]) for one in wanted])
        self.assertTrue(self.findings(json.dumps(lacking)))
        self.assertEqual(self.findings(json.dumps(AGREEMENTS[0])), [])

    def test_simulation_adds_up(self):
        draft = {"id": "urn:uuid:00000000-0000-4000-8000-000000000009", "title": "Draft", "kind": "bilateral", "valid_from": "2099-01-01",
                 "parties": ["north.test", "south.test"], "clauses": [
                     {"id": "1", "from": "party", "to": "party", "classification": ["abusive-content.*"], "tlp_max": "amber",
                      "effect": "hold", "onward": "none"}]}
        answer = self.check("POST", "/api/v1/agreements/simulate?limit=1000000", {"document": json.dumps(draft)})
        self.assertEqual(answer.status, 200, answer.body)
        told = answer.json
        every = self.node.pages("/api/v1/reports")
        self.assertEqual((told["reports"], told["complete"], told["replaced"], told["skipped"]), (len(every), True, 0, 0))
        for one in told["items"]:
            decided = [(report, outcome) for report in every for outcome in report["outcomes"] if outcome["team"] == one["team"]]
            self.assertEqual(one["decisions"], len(decided))
            for effect in ("release", "hold", "withhold"):
                self.assertEqual(one["before"][effect], sum(outcome["effect"] == effect for _, outcome in decided))
            self.assertEqual(sum(one["after"].values()), len(decided))
            spam = [outcome["effect"] for report, outcome in decided if report["classification"] == "spam" and report["tlp"] != "TLP:RED"]
            self.assertEqual(one["less"], spam.count("release") if one["team"] == "south.test" else 0)
        self.assertEqual({one["team"] for one in told["items"]}, {"north.test", "south.test", "east.test"})
        some = self.check("POST", "/api/v1/agreements/simulate?limit=10", {"document": json.dumps(draft)}).json
        self.assertEqual((some["reports"], some["complete"]), (10, False))
        answer = self.check("POST", "/api/v1/agreements/simulate", {"document": "{}"})
        self.assertEqual((answer.status, answer.json["field"]), (400, "document"))

    def test_what_is_no_json(self):
        for text in ["{", "", "[" * 5000, '{"id": 1, "id": 2}', json.dumps({"title": EVIL * 100})]:
            answer = self.check("POST", "/api/v1/agreements/check", {"document": text})
            self.assertIn(answer.status, (200, 400, 422), text[:20])
            if answer.status == 200:
                self.assertGreater(answer.json["errors"], 0)


class Explains(Case):
    def test_what_is_redacted(self):
        items = self.node.get("/api/v1/reports?limit=1&team=south.test&effect=release").json["items"]
        story = self.check("GET", f"/api/v1/reports/{items[0]['id']}/explanation").json
        to = next(r for r in story["recipients"] if r["team"] == "south.test")
        self.assertEqual(to["then"]["effect"], "release")
        self.assertEqual([c["clause"] for c in to["then"]["clauses"]], ["south"])
        fields = {f["name"]: f for f in to["fields"]}
        self.assertEqual(fields["source.account"]["result"], "removed")
        self.assertNotIn("after", fields["source.account"])
        self.assertEqual(fields["feed.provider"]["result"], "kept")
        done = self.node.command("explain", items[0]["id"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("for south.test", done.stdout)
        self.assertRegex(done.stdout, r"source\.account +account +remove +removed")


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
        self.assertEqual(samples['comity_reports_total{what="stored"}'], len(self.node.reports))

    def test_status_command(self):
        done = self.node.command("status", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.validate("Status", json.loads(done.stdout))
        self.assertIn("north.test", self.node.command("status").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
