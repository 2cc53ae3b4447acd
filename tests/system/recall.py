"""A report is taken back, or corrected: exactly those who got it are told, along all nodes, and nobody else can do it.

usage: recall.py COMITY [--no-sandbox]
"""
import base64
import contextlib
import json
import sqlite3
import subprocess
import sys
import unittest

from ledger_items import items_root
from nodes_case import COMITY, OPEN, Case, agreement, objects_of, plain, report

REASON = "a scanner of \u00e9cole's own"


def extension(thing):
    return next(iter(thing["extensions"].values()))


class Recalls(Case):
    def chain(self, clauses=None, **more):
        """aa tells bb tells cc of what is in 192.0.2.0/24; all three, and dd whom nobody tells anything."""
        names = ["aa", "bb", "cc", "dd"]
        following = {"aa": "bb", "bb": "cc", "cc": "cc", "dd": "dd"}
        nodes = {}
        for name in names:
            teams = {n: None for n in names}
            teams[following[name]] = ["192.0.2.0/24"]
            nodes[name] = self.make(name, teams, [agreement(1, clauses or [OPEN], **more)])
            for other in names:
                if other != name:
                    nodes[name].let_in(other)
        return [nodes[name] for name in names]

    def recalled(self, node):
        return [r["recalled"] for r in node.reports()]

    def test_it_reaches_exactly_those_who_got_it(self):
        a, b, c, d = self.chain()
        a.take(report(), report("192.0.2.8"))
        ids = {r["source"]["address"]: r["id"] for r in a.reports()}
        a.carry_to(b)
        b.carry_to(c)
        self.assertEqual((len(b.reports()), len(c.reports())), (2, 2))
        told = json.loads(a.command("recall", "--json", "--yes", "--reason", REASON, ids["192.0.2.7"]))
        self.assertEqual((told["told"], told["dropped"], told["refused"]), (["bb"], [], []))
        # The very object, in a later version that says no more than it must.
        versions = [o for o in objects_of(a.has_for("bb")) if plain(o["id"]) == ids["192.0.2.7"]]
        first, last = versions
        self.assertGreater(last["modified"], first["modified"])
        for same in ("type", "id", "created", "created_by_ref", "object_refs", "first_observed", "object_marking_refs"):
            self.assertEqual(first[same], last[same], same)
        self.assertIs(last["revoked"], True)
        self.assertEqual(extension(last), {"extension_type": "property-extension", "time": "source", "recall": {"reason": REASON}})
        current = objects_of(a.has_for("bb", versions="last"))
        self.assertEqual(sorted(o.get("revoked", False) for o in current), [False, True])
        self.assertEqual(len(objects_of(a.has_for("bb", versions="first"))), 2)
        # What the ledger says of it can be checked by who got it.
        entry = a.ledger()[-1]
        self.assertEqual((entry["kind"], entry["decision"], entry["to"], entry["items"]), ("decision", "recalled", "bb", 1))
        batch = a.has_for("bb")[-1]
        self.assertEqual(batch["type"], "comity-batch")
        root = items_root(base64.b64decode(batch["salt"]), [last])
        self.assertEqual(base64.b64encode(root).decode(), entry["items_root"])
        proof, item = self.folder / "recall.tlog-proof", self.folder / "item.json"
        proof.write_text(a.command("ledger", "prove", ids["192.0.2.7"], "--recall"), encoding="utf-8")
        item.write_text(a.command("ledger", "prove", ids["192.0.2.7"], "--recall", "--print-item"), encoding="utf-8")
        self.assertEqual(json.loads(item.read_text(encoding="utf-8")), last)
        self.assertEqual(json.loads(a.command("ledger", "prove", ids["192.0.2.7"], "--print-item")), first)
        verified = subprocess.run([COMITY, "verify", *sys.argv[2:], "--key", a.command("ledger", "key").strip(), "--item", item, proof],
                                  capture_output=True, text=True, check=False)
        self.assertIn("A person's decision: recalled", verified.stdout, verified.stderr)
        # bb's node takes it, and tells cc; dd's, who got nothing, is told nothing.
        a.carry_to(b)
        self.assertEqual([r["why"] for r in self.recalled(b) if r], [REASON])
        b.carry_to(c)
        mine = [r for r in c.reports() if r["recalled"]]
        self.assertEqual([(r["known_as"], r["recalled"]["team"], r["recalled"]["by"]) for r in mine], [(ids["192.0.2.7"], "bb", None)])
        self.assertEqual(a.has_for("dd") and objects_of(a.has_for("dd")), [])
        self.assertIn(REASON, c.command("explain", ids["192.0.2.7"]))
        self.assertIn("recalled", a.command("explain", ids["192.0.2.7"]))
        for node in (a, b, c):
            node.audit()
        # Again, it was done already; and so it is after a restart.
        b.node.stop()
        b.start()
        self.assertEqual(len([r for r in self.recalled(b) if r]), 1)
        done = a.run("recall", "--yes", "--reason", "x", ids["192.0.2.7"])
        self.assertEqual(done.returncode, 3)
        self.assertIn("recalled already", done.stderr)
        # What comes again does not go out again: told anew by aa, and as bb's people have it in a file.
        objects = a.has_for("bb")
        before = len(b.has_for("cc"))
        b.post("aa", objects)
        self.assertEqual((len(b.reports()), len(b.has_for("cc"))), (2, before))
        self.check_stores(a, b, c)

    def check_stores(self, *nodes):
        for node in nodes:
            node.node.stop()
            done = subprocess.run([COMITY, "store", "check", "--home", str(node.home)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_nobody_else_takes_it_back(self):
        a, b, c, d = self.chain()
        a.take(report())
        a.carry_to(b)
        b.carry_to(c)
        known = a.reports()[0]["id"]
        a.command("recall", "--yes", "--reason", "withdrawn", known)
        revoked = [o for o in a.has_for("bb") if o.get("revoked")]
        unknown = json.loads(json.dumps(revoked).replace(revoked[0]["id"], "observed-data--7b4e28ba-2fa1-4d52-883f-0016d3cca427"))
        messages = set()
        for team, objects in (("dd", revoked), ("cc", revoked), ("dd", unknown), ("aa", unknown)):
            status = b.post(team, objects)
            self.assertEqual((status["failure_count"], status["success_count"]), (1, 0))
            messages.add(status["failures"][0]["message"])
        self.assertEqual(len(messages), 1)  # the same, whether it is there or not
        self.assertEqual(self.recalled(b), [None])
        # At the node that made it, too: its own report nobody takes back.
        self.assertEqual(a.post("bb", revoked)["failure_count"], 1)
        # aa is its origin: cc takes its word, though bb gave the report.
        self.assertEqual(c.post("aa", revoked)["failure_count"], 0)
        self.assertEqual([(r["team"], r["why"]) for r in self.recalled(c)], [("aa", "withdrawn")])
        self.assertEqual(b.post("aa", revoked + revoked)["failure_count"], 0)  # repeated: once
        self.assertEqual(len([e for e in b.ledger() if e["kind"] == "decision"]), 1)
        b.carry_to(c)
        self.assertEqual([r["team"] for r in self.recalled(c)], ["aa"])

    def test_what_waits_is_refused(self):
        a, _, _, _ = self.chain([{**OPEN, "effect": "hold"}])
        a.take(report(), report("192.0.2.8"), report("192.0.2.9"))
        ids = {r["source"]["address"]: r["id"] for r in a.reports()}
        held = {h["report"]: h["number"] for h in a.api("GET", "/api/v1/held")[1]["items"]}
        a.command("held", "release", "--reason", "known", held[ids["192.0.2.8"]])
        told = json.loads(a.command("recall", "--json", "--yes", "--reason", "no", ids["192.0.2.7"]))
        self.assertEqual((told["told"], told["refused"]), ([], [held[ids["192.0.2.7"]]]))
        told = json.loads(a.command("recall", "--json", "--yes", "--reason", "no", ids["192.0.2.8"]))
        self.assertEqual((told["told"], told["refused"]), (["bb"], []))
        self.assertEqual([e.get("decision") for e in a.ledger()], ["released", "refused", "recalled"])
        for json_too in ([], ["--json"]):
            self.assertEqual(a.run("held", "release", "--reason", "x", *json_too, str(held[ids["192.0.2.7"]])).returncode, 1)
        refused = a.api("GET", "/api/v1/held?state=refused")[1]["items"]
        self.assertEqual([(h["why"], h["by"]) for h in refused], [("recalled: no", "operator")])
        a.audit()

    def test_what_is_too_large_was_never_told(self):
        """A control character takes six bytes in JSON. Who never got a report is told no recall of it, and has no opinion of it."""
        for held in (False, True):
            with self.subTest(held=held):
                clause = {**OPEN, "effect": "hold"} if held else OPEN
                a = self.make(f"a{held:d}", {f"a{held:d}": None, "bb": ["192.0.2.0/24"]}, [agreement(1, [clause])])
                a.let_in("bb")
                a.take(report(**{"event_description.text": 300_000 * "\1"}), report("192.0.2.8"))
                large, small = (next(r["id"] for r in a.reports() if r["source"]["address"] == ip) for ip in ("192.0.2.7", "192.0.2.8"))
                if held:
                    numbers = [h["number"] for h in a.api("GET", "/api/v1/held")[1]["items"]]
                    a.command("held", "release", "--reason", "known", *numbers)
                steps = lambda known: [s["what"] for s in a.api("GET", f"/api/v1/reports/{known}/explanation")[1]["recipients"][0]["history"]]
                before = ["received", "held", "released"] if held else ["received"]
                self.assertEqual((steps(large), steps(small)[:-1]), ([*before, "too-large"], before))
                self.assertEqual(steps(small)[-1], "written-out")
                self.assertIn("too-large", a.command("explain", large))
                (queue,) = a.api("GET", "/api/v1/outbox")[1]["items"]
                self.assertEqual((queue["waiting"], queue["failed"]), (1, 1))
                thing = {"type": "opinion", "spec_version": "2.1", "id": "opinion--1b4e28ba-2fa1-4d52-883f-0016d3cca427", "opinion": "agree",
                         "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}
                for known, refused in ((large, 1), (small, 0)):
                    self.assertEqual(a.post("bb", [{**thing, "object_refs": ["observed-data--" + known]}])["failure_count"], refused)
                told = json.loads(a.command("recall", "--json", "--yes", "--reason", "large", large))
                self.assertEqual((told["told"], told["dropped"], told["refused"]), ([], ["bb"], []))
                self.assertEqual([plain(o["id"]) for o in objects_of(a.has_for("bb"))], [small])
                self.assertNotIn("recalled", [e.get("decision") for e in a.ledger()])
                self.assertEqual(steps(large)[:len(before) + 1], [*before, "too-large"])
                a.audit()
                self.check_stores(a)

    def test_correction(self):
        a, b, c, _ = self.chain()
        a.take(report(**{"source.port": 80}))
        old = a.reports()[0]["id"]
        a.carry_to(b)
        b.carry_to(c)
        new = self.folder / "new.jsonl"
        for text, said in (("", f"{new} holds no report"), ("{}\n", f"{new}:1: the record has no field"),
                           (2 * (json.dumps(report("192.0.2.77")) + "\n"), "exactly one report")):
            new.write_text(text, encoding="utf-8")
            done = a.run("recall", "--yes", "--reason", "wrong port", "--correct", str(new), old)
            self.assertEqual(done.returncode, 3, text)
            self.assertIn(said, done.stderr)
        for path in (self.folder / "nothing", self.folder):
            done = a.run("recall", "--yes", "--reason", "wrong port", "--correct", str(path), old)
            self.assertEqual((done.returncode, done.stderr.split(" cannot be ")[0]), (3, f"comity: {path}"))
        self.assertEqual((len(a.reports()), self.recalled(a)), (1, [None]))
        new.write_text(json.dumps({**report(**{"source.port": 8080}), "extra.comity_id": old}) + "\n", encoding="utf-8")
        self.assertIn("takes its place", a.command("recall", "--yes", "--reason", "wrong port", "--correct", new, old))
        a.node.drain()
        stories = {r["id"]: r for r in a.reports()}
        fresh = stories[old]["recalled"]["corrected_by"]
        self.assertEqual((stories[fresh]["corrects"], stories[fresh]["recalled"], len(stories)), (old, None, 2))
        for giver, taker in ((a, b), (b, c)):
            giver.carry_to(taker)
            there = {r["known_as"]: r for r in taker.reports()}
            self.assertEqual(there[old]["recalled"]["corrected_by"], fresh, taker.name)
            self.assertEqual(there[fresh]["corrects"], old)
        objects = objects_of(a.has_for("bb", versions="last"))
        self.assertEqual({o.get("revoked", False): extension(o).get("corrects") or extension(o)["recall"].get("corrected_by")
                          for o in objects}, {True: fresh[:14] + "4" + fresh[15:], False: old[:14] + "4" + old[15:]})
        self.assertIn("corrected by", a.command("explain", old))
        self.assertIn(old, c.command("explain", fresh))
        again = a.run("recall", "--yes", "--reason", "x", "--correct", str(new), old)
        self.assertIn("recalled already", again.stderr)
        for node in (a, b, c):
            node.audit()

    def test_correction_that_goes_elsewhere(self):
        """Who does not get the new one is not told of it."""
        a, b, _, _ = self.chain()
        a.take(report())
        new = self.folder / "new.jsonl"
        new.write_text(json.dumps(report("203.0.113.5")) + "\n", encoding="utf-8")
        a.command("recall", "--yes", "--reason", "another address", "--correct", new, a.reports()[0]["id"])
        self.assertEqual(extension(objects_of(a.has_for("bb", versions="last"))[0])["recall"], {"reason": "another address"})
        a.carry_to(b)
        self.assertEqual([r["corrected_by"] for r in self.recalled(b)], [None])

    def feed(self, node, team, path):
        client = node.node.connect("partners", tls=False)
        client.request("GET", "/misp/" + path, headers={"Authorization": node.tokens[team]})
        answer = client.getresponse()
        body = answer.read()
        client.close()
        self.assertEqual(answer.status, 200, body)
        return answer.headers["ETag"], json.loads(body) if path.endswith("json") else body.decode().split()

    def test_misp_deletes_softly(self):
        a, _, _, _ = self.chain()
        a.take(report(), report(**{"source.port": 99}), report("192.0.2.8"))
        ids = {r["source"]["address"]: r["id"] for r in a.reports()}
        tag, manifest = self.feed(a, "bb", "manifest.json")
        (uuid, before), = manifest.items()
        event_tag, event = self.feed(a, "bb", uuid + ".json")
        hashes = self.feed(a, "bb", "hashes.csv")[1]
        a.command("recall", "--yes", "--reason", "x", ids["192.0.2.8"])
        a.command("recall", "--yes", "--reason", "x", ids["192.0.2.7"])  # one of two that say so
        tag_after, manifest = self.feed(a, "bb", "manifest.json")
        self.assertEqual(list(manifest), [uuid])  # the same event, anew
        self.assertNotEqual(tag, tag_after)
        self.assertGreaterEqual(int(manifest[uuid]["timestamp"]), int(before["timestamp"]))
        after_tag, after = self.feed(a, "bb", uuid + ".json")
        self.assertNotEqual(event_tag, after_tag)
        said = {x["value"]: x["deleted"] for x in after["Event"]["Attribute"]}
        self.assertEqual(said, {"192.0.2.7": False, "192.0.2.8": True})
        self.assertEqual({x["value"]: x["uuid"] for x in event["Event"]["Attribute"]},
                         {x["value"]: x["uuid"] for x in after["Event"]["Attribute"]})
        self.assertEqual(len(self.feed(a, "bb", "hashes.csv")[1]), len(hashes) - 1)

    def test_retention_and_recall(self):
        """What the collection no longer holds is told still; what the node itself has not, is said to be gone."""
        a, _, _, _ = self.chain()
        a.take(report(), report("192.0.2.8"))
        ids = [r["id"] for r in a.reports()]
        a.node.stop()
        self.change(a, "DELETE FROM piece WHERE reports > 0", "DELETE FROM piece_body WHERE number NOT IN (SELECT number FROM piece)",
                    "DELETE FROM delivery", "UPDATE collection SET objects = (SELECT SUM(objects) FROM piece WHERE collection = number)")
        a.start()
        told = json.loads(a.command("recall", "--json", "--yes", "--reason", "late", ids[0]))
        self.assertEqual(told["told"], ["bb"])
        self.assertEqual([plain(o["id"]) for o in objects_of(a.has_for("bb"))], [ids[0]])
        a.node.stop()
        self.change(a, *(f"DELETE FROM {table}" for table in ("batch", "batch_body", "batch_filter", "batch_digest")))
        a.start()
        gone = a.run("recall", "--yes", "--reason", "late", ids[1])
        self.assertEqual(gone.returncode, 3)
        self.assertIn("its time is over", gone.stderr)
        entry = next(e["entry"] for e in a.api("GET", "/api/v1/receipts")[1]["items"] if e["items"] == 2)
        self.assertRegex(gone.stderr, rf"the ledger has of its batch: entry {entry} to bb\b")
        never = a.run("recall", "--yes", "--reason", "late", "1b4e28ba-2fa1-8d52-883f-0016d3cca427")
        self.assertIn("no report has the id", never.stderr)

    def change(self, node, *sentences):
        with contextlib.closing(sqlite3.connect(node.home / "node.db")) as store, store:
            for sentence in sentences:
                store.execute(sentence)

    def test_who_may(self):
        a, _, _, _ = self.chain()
        a.take(report())
        known = a.reports()[0]["id"]
        for path, body, status in ((f"/api/v1/reports/{known}/recall", {"reason": " "}, 400), (f"/api/v1/reports/{known}/recall", {}, 400),
                                   ("/api/v1/reports/1b4e28ba-2fa1-8d52-883f-0016d3cca427/recall", {"reason": "x"}, 404),
                                   (f"/api/v1/reports/{known[:-1]}{'0' if known[-1] != '0' else '1'}/recall", {"reason": "x"}, 404)):
            self.assertEqual(a.api("POST", path, body)[0], status, path)
        self.assertEqual(a.run("recall", "--reason", "x", known).returncode, 2)  # nobody can be asked
        self.assertEqual(self.recalled(a), [None])
        answer, _ = a.ask("bb", "POST", f"/api/v1/reports/{known}/recall", json.dumps({"reason": "x"}))
        self.assertGreaterEqual(answer.status, 400)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
