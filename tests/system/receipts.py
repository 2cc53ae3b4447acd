"""Two nodes, and what one says of the batches that the other delivered: receipts that are right, late, repeated, forged.

Objects are carried between them unchanged by a stand-in for the courier: it reads a team's collection at one node and posts it into
the other's intake. What receipts commit to is computed anew here.
usage: receipts.py COMITY [--no-sandbox]
"""
import base64
import copy
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import api_case
import ledger_node
import linked
from api_case import COMITY, OPTIONS, PATIENCE

TAXII = "application/taxii+json;version=2.1"
AGREED = [{"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Test", "kind": "multilateral",
           "parties": ["north.test", "south.test", "east.test"], "valid_from": "2020-01-01", "clauses": [
               {"id": a + b, "from": f"{a}.test", "to": f"{b}.test", "classification": ["*"], "tlp_max": "amber",
                "effect": "release", "onward": "none"} for a in ("north", "south") for b in ("south", "north", "east") if a != b]}]


class Team(api_case.Running):
    """The node of one team; the others have accounts there."""

    def __init__(self, folder, team):  # pylint: disable=super-init-not-called
        self.team, self.folder, self.home, self.tokens = team, folder, folder / team, {}
        self.start()
        for other in ("north.test", "south.test", "east.test"):
            if other != team:
                assert self.command("account", "add", other, "--kind", "partner", "--team", other).returncode == 0
                made = self.command("account", "token", other, "--label", "test", "--json")
                self.tokens[other] = json.loads(made.stdout)["token"]
        self.key = self.command("ledger", "key", "--use", "receipt").stdout.strip()

    def start(self, *options):
        self.node = api_case.Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(self.folder / "teams.json"),
                                  "--agreements", str(self.folder / "agreed.json"), "--team", self.team, *options)

    def close(self):
        self.node.close()

    def link(self, other):
        card = {"id": other.team, "node": {"url": "https://192.0.2.1", "certificate": "ab" * 32}}
        answer = self.ask("POST", "/api/v1/peers", {"card": json.dumps(card)})
        assert answer.status == 201, answer.body

    def taxii(self, team):
        return {"door": "partners", "Authorization": "Bearer " + self.tokens[team], "Accept": TAXII}

    def collection(self, team):
        """All that TEAM has here, oldest first."""
        listed = self.get("/comity/collections/", **self.taxii(team)).json["collections"]
        own = [c["id"] for c in listed if team in c["title"]]
        objects, following = [], ""
        while own:
            page = self.get(f"/comity/collections/{own[0]}/objects/?match[version]=all&limit=500{following}",
                            **self.taxii(team)).json
            objects += page.get("objects", [])
            if not page.get("more"):
                break
            following = "&next=" + page["next"]
        return objects

    def post(self, team, objects):
        """What TEAM posts into the intake: the status."""
        answer = self.ask("POST", "/comity/collections/intake/objects/", json.dumps({"objects": objects}), **self.taxii(team),
                          Content_Type=TAXII)
        assert answer.status == 202, answer.body
        return answer.json

    def receipts(self, more=""):
        return self.pages("/api/v1/receipts" + more)

    def queue(self, team):
        return next(q for q in self.get("/api/v1/outbox").json["items"] if q["team"] == team)

    def stat(self, name):
        return self.get("/api/v1/statistics").json["totals"][name]


def deliveries(objects):
    """Envelopes: each ends with a batch's object."""
    envelope = []
    for thing in objects:
        envelope.append(thing)
        if thing["type"] == "comity-batch":
            yield envelope
            envelope = []
    if envelope:
        yield envelope


def carry(source, target, change=lambda objects: None):
    """Everything that SOURCE has for TARGET's team; what became of it there."""
    statuses = []
    for envelope in deliveries(source.collection(target.team)):
        envelope = copy.deepcopy(envelope)
        change(envelope)
        statuses.append(target.post(source.team, envelope))
    return statuses


def signer(key):
    """What of a verifier key says whose it is."""
    return "+".join(key.split("+")[:2])


def items_of(envelope):
    return [o for o in envelope if o["type"] in ("observed-data", "note")]


class Two(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "agreed.json").write_text(json.dumps(AGREED), encoding="utf-8")
        self.write_cards({})
        self.north, self.south = (Team(self.folder, f"{name}.test") for name in ("north", "south"))
        self.addCleanup(self.north.close)
        self.addCleanup(self.south.close)
        self.write_cards({t.team: t.key for t in (self.north, self.south)})
        for team, other in ((self.north, self.south), (self.south, self.north)):
            since = team.node.mark()
            team.node.send(signal.SIGHUP)
            team.node.wait("settings read", since)
            team.link(other)

    def write_cards(self, keys):
        cards = copy.deepcopy(api_case.TEAMS)
        for card in cards:
            if card["id"] in keys:
                card["node"] = {"url": "https://192.0.2.1", "certificate": "ab" * 32, "receipt": keys[card["id"]]}
        (self.folder / "teams.json").write_text(json.dumps(cards), encoding="utf-8")

    def deliver(self, count=200):
        """COUNT reports of north's that south answers for; how many there are for it in all."""
        reports = [{"classification.type": "scanner", "feed.provider": "Test", "tlp": "green", "extra.number": n + 1,
                    "source.ip": f"192.0.2.{128 + n % 128}", "time.source": f"2026-03-01T10:{n // 60 % 60:02}:{n % 60:02}+00:00"}
                   for n in range(count)]
        self.north.take(reports)
        self.north.node.drain()
        return count

    def command(self, *words, status=0):
        walls = [] if words[0] == "receipts" else OPTIONS  # it asks the node, and reads nothing itself
        done = subprocess.run([COMITY, *map(str, words), *walls], capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stdout

    def queue_is(self, waiting, delivered, failed):
        queue = self.north.queue("south.test")
        self.assertEqual((queue["due"], queue["waiting"], queue["delivered"], queue["failed"]), (0, waiting, delivered, failed))

    def receipts_of_south(self):
        return [o for o in self.south.collection("north.test") if o["type"] == "comity-receipt"]


class Closing(Two):
    def test_what_arrived_is_closed(self):
        count = self.deliver()
        self.queue_is(count, 0, 0)
        self.assertEqual({r["state"] for r in self.north.receipts()}, {"open"})
        sent = self.north.collection("south.test")
        for status in carry(self.north, self.south):
            self.assertEqual(status["failure_count"], 0, status)
        given = self.receipts_of_south()
        self.assertEqual(len(given), len([o for o in sent if o["type"] == "comity-batch"]))
        self.assertEqual(sum(o["stored"] for o in given), count)
        self.queue_is(count, 0, 0)  # what was fetched has not arrived before south says so
        carry(self.south, self.north)
        self.queue_is(0, count, 0)
        for row in self.north.receipts():
            self.assertEqual((row["state"], row["delivered"], row["failed"]), ("right", "receipt", 0))
            self.assertEqual(row["signed_by"], signer(self.south.key))
        status = self.north.get("/api/v1/status").json
        self.assertEqual((status["receipts_open"], status["delivered"]), (0, count))
        self.assertEqual(self.north.stat("receipt-right"), len(given))
        self.assertEqual(self.south.stat("receipt-given"), len(given))
        self.assertEqual(self.north.command("store", "check").returncode, 0)

    def test_note_says_what_was_computed_from_what_came(self):
        self.deliver()
        envelopes = list(deliveries(self.north.collection("south.test")))
        carry(self.north, self.south)
        notes = {o["batch_ref"]: o["note"] for o in self.receipts_of_south()}
        for envelope in envelopes:
            batch = envelope[-1]
            if batch["type"] != "comity-batch":
                continue
            items = items_of(envelope)
            root = base64.b64encode(ledger_node.items_root(base64.b64decode(batch["salt"]), items)).decode()
            lines = notes[batch["id"]].split("\n")
            self.assertEqual(lines[:4], ["comity-receipt-v1", "batch " + batch["id"].replace("comity-batch--", "urn:uuid:"),
                                         "root " + root, f"count {len(items)}"])
            self.assertEqual((root, len(items)), (batch["items_root"], batch["items"]))

    def test_notes_are_checked_offline(self):
        self.deliver()
        carry(self.north, self.south)
        carry(self.south, self.north)
        home = ("--home", self.north.home)
        self.command("receipts", "--out", "notes", *home)
        rows = [json.loads(line) for line in self.command("receipts", "--json", *home).splitlines()]
        self.assertGreater(len(rows), 0)
        for row in rows:
            note = self.folder / "notes" / (row["batch"].removeprefix("urn:uuid:") + ".receipt")
            self.assertEqual(note.read_text(encoding="utf-8"), row["note"])
            text = self.command("verify", "--key", self.south.key, note)
            self.assertRegex(text, rf"PROVEN +south.test/receipt says that the batch arrived with {row['items']} items")
            self.command("verify", "--key", self.north.key, note, status=1)
            self.assertEqual(self.command("receipts", row["batch"], "--note", *home), row["note"])
        listed = (self.folder / "notes" / "receipts.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual([json.loads(line) for line in listed], rows)
        self.assertIn("right", self.command("receipts", "--team", "south.test", *home))
        self.assertNotIn("right", self.command("receipts", "--open", *home))
        self.assertNotIn("right", self.command("receipts", "--team", "east.test", *home))
        self.command("receipts", "urn:uuid:00000000-0000-4000-8000-000000000000", *home, status=3)
        self.command("receipts", "--since", "yesterday", *home, status=2)

    def test_story_of_a_report_tells_who_has_it_by_which_key(self):
        self.deliver(5)
        report = self.north.get("/api/v1/reports?team=south.test&limit=1").json["items"][0]["id"]

        def steps():
            told = self.north.get(f"/api/v1/reports/{report}/explanation").json
            return {s["what"]: s for s in told["recipients"][0]["history"]}
        self.assertIn("written-out", steps())
        self.assertNotIn("receipt", steps())
        carry(self.north, self.south)
        carry(self.south, self.north)
        told = steps()
        self.assertIsNotNone(told["written-out"]["at"])
        self.assertEqual(told["receipt"]["by"], signer(self.south.key))
        self.assertIn("receipt", self.command("explain", report, "--home", self.north.home))
        proof = self.folder / "report.tlog-proof"
        proof.write_text(self.command("ledger", "prove", report, "--home", self.north.home), encoding="utf-8")
        log = self.north.command("ledger", "key").stdout.strip()
        text = self.command("verify", "--key", log, "--key", self.south.key, proof)
        self.assertRegex(text, r"(?m)^PROVEN +south.test/receipt says that the batch arrived as it was delivered")
        text = self.command("verify", "--key", log, proof)
        self.assertRegex(text, r"(?m)^NOT PROVEN +that south.test received it")
        self.command("verify", "--key", log, "--key", self.north.key, proof)

    def test_restart_changes_nothing(self):
        count = self.deliver(20)
        carry(self.north, self.south)
        carry(self.south, self.north)
        before = self.north.receipts()
        self.assertEqual(self.north.node.stop(), 0)
        self.north.start()
        self.assertEqual(self.north.receipts(), before)
        self.queue_is(0, count, 0)


class Differing(Two):
    def differ(self, change, words):
        """The first receipt says what CHANGE did; the second, after everything came as it was, closes."""
        count = self.deliver(30)
        carry(self.north, self.south, change)
        since = self.north.node.mark()
        carry(self.south, self.north)
        rows = self.north.receipts("?open=true")
        self.assertEqual({r["state"] for r in rows}, {"differs"})
        self.assertIn(words, self.north.node.wait("a receipt is not right", since)["why"])
        self.queue_is(count, 0, 0)
        self.assertGreater(self.north.stat("receipt-differs"), 0)
        carry(self.north, self.south)
        carry(self.south, self.north)
        self.assertEqual({r["state"] for r in self.north.receipts()}, {"right"})
        self.queue_is(0, count, 0)

    def test_changed_item(self):
        def change(envelope):
            for item in items_of(envelope)[:1]:
                item["confidence"] = 7
        self.differ(change, "other items")

    def test_missing_item(self):
        def change(envelope):
            for item in items_of(envelope)[:1]:
                envelope.remove(item)
        self.differ(change, "29 items came, and 30 were delivered")

    def test_items_in_another_order(self):
        def change(envelope):
            items = items_of(envelope)
            if len(items) > 1:
                a, b = envelope.index(items[0]), envelope.index(items[1])
                envelope[a], envelope[b] = envelope[b], envelope[a]
        self.differ(change, "other items")

    def test_what_cannot_be_read_is_counted(self):
        def change(envelope):
            for item in items_of(envelope)[:2]:
                item["modified"] = "yesterday"
        self.deliver(30)
        carry(self.north, self.south, change)
        (given,) = self.receipts_of_south()
        self.assertEqual((given["stored"], given["duplicate"], given["rejected"]), (28, 0, 2))


class Repeated(Two):
    def test_batch_that_comes_again_gets_the_same_receipt(self):
        count = self.deliver(30)
        carry(self.north, self.south)
        (first,) = self.receipts_of_south()
        carry(self.north, self.south)
        both = self.receipts_of_south()
        self.assertEqual({o["note"] for o in both}, {first["note"]})
        self.assertEqual({o["id"] for o in both}, {first["id"]})
        self.assertEqual({o["stored"] for o in both}, {count})
        self.assertEqual(self.south.stat("receipt-given"), 1)
        self.assertEqual(self.south.stat("stored"), count)
        for _ in range(3):
            for status in carry(self.south, self.north):
                self.assertEqual(status["failure_count"], 0, status)
        self.queue_is(0, count, 0)
        self.assertEqual(self.north.stat("receipt-right"), 1)

    def test_duplicates_are_told(self):
        self.deliver(30)
        (envelope,) = [e for e in deliveries(self.north.collection("south.test")) if e[-1]["type"] == "comity-batch"]
        self.south.post("north.test", envelope[:-1])
        self.south.post("north.test", envelope)
        (given,) = self.receipts_of_south()
        self.assertEqual((given["stored"], given["duplicate"], given["rejected"]), (0, 30, 0))

    def test_several_batches_in_one_envelope(self):
        for _ in range(3):
            self.deliver(10)
            self.north.take([{"classification.type": "spam", "feed.provider": "Test", "tlp": "green",
                              "extra.text": f"{time.time_ns()}", "source.ip": "192.0.2.200"}])
            self.north.node.drain()
        status = self.south.post("north.test", self.north.collection("south.test"))
        self.assertEqual(status["failure_count"], 0)
        given = self.receipts_of_south()
        self.assertGreater(len(given), 2)
        items = {o["batch"]: o["items"] for o in self.north.receipts()}
        for one in given:
            self.assertEqual(one["stored"] + one["duplicate"], items[one["batch_ref"].replace("comity-batch--", "urn:uuid:")])
        carry(self.south, self.north)
        self.assertEqual({r["state"] for r in self.north.receipts()}, {"right"})


class Forged(Two):
    def refused(self, team, thing, words):
        before = self.north.stat("receipt-refused")
        status = self.north.post(team, [thing])
        self.assertEqual(status["failure_count"], 1, status)
        self.assertIn(words, status["failures"][0]["message"])
        self.assertEqual(self.north.stat("receipt-refused"), before + 1)

    def test_what_is_not_the_recipients_word_is_refused(self):
        count = self.deliver(30)
        carry(self.north, self.south)
        since = self.north.node.mark()
        (good,) = self.receipts_of_south()
        text, line = good["note"].split("\n\n")
        name, signature = re.fullmatch("\u2014 (\\S+) (\\S+)\n", line).groups()
        self.assertEqual(name, "south.test/receipt")
        other = bytearray(base64.b64decode(signature))
        other[20] ^= 1
        self.refused("south.test", {**good, "note": f"{text}\n\n\u2014 {name} {base64.b64encode(other).decode()}\n"}, "not signed")
        for changed in (text.replace("count 30", "count 31"), text.replace("batch urn:uuid:", "batch urn:uuid:0")):
            self.refused("south.test", {**good, "note": f"{changed}\n\n{line}"}, "note")
        self.refused("south.test", {**good, "note": text + "\n"}, "")
        self.refused("south.test", {**good, "note": 5}, "note: a text is wanted")
        self.refused("south.test", {k: v for k, v in good.items() if k != "note"}, "note: the member is required")
        self.refused("south.test", {**good, "stored": -1}, "stored")
        self.refused("east.test", good, "names no key for receipts")  # who has none cannot hand in another's
        self.assertEqual(self.north.stat("receipt-refused"), 8)
        self.north.node.wait("a receipt is not right", since, what="refused", count=8)
        self.queue_is(count, 0, 0)
        self.assertEqual({r["state"] for r in self.north.receipts()}, {"open"})
        self.assertEqual(self.north.post("south.test", [good])["success_count"], 1)
        self.queue_is(0, count, 0)

    def test_another_teams_batch_and_one_that_was_never_delivered(self):
        """South signs rightly, but not for what it got."""
        self.deliver(5)
        self.north.take([{"classification.type": "scanner", "feed.provider": "Test", "tlp": "green", "source.ip": "198.51.100.7"}])
        self.north.node.drain()
        east = self.north.collection("east.test")
        self.assertTrue(any(o["type"] == "comity-batch" for o in east))
        self.south.post("north.test", east)  # how south came to it does not matter
        for given in self.receipts_of_south():
            self.refused("south.test", given, "was delivered to you")
        self.assertTrue(all(r["state"] != "right" for r in self.north.receipts("?team=east.test")))

    def test_many_forged_ones_do_not_fill_the_log(self):
        self.deliver(5)
        carry(self.north, self.south)
        (good,) = self.receipts_of_south()
        forged = [{**good, "id": f"comity-receipt--00000000-0000-4000-8000-{n:012}", "note": "nonsense"} for n in range(200)]
        since = self.north.node.mark()
        self.assertEqual(self.north.post("south.test", forged)["failure_count"], 200)
        self.assertEqual(self.north.stat("receipt-refused"), 200)
        self.north.node.wait("a receipt is not right", since, count=10)
        self.assertLessEqual(len(self.north.node.find("a receipt is not right", since)), 10)

    def test_who_is_no_link_gets_no_receipt(self):
        self.deliver(5)
        self.south.post("east.test", self.north.collection("south.test"))
        self.assertEqual([o for o in self.south.collection("east.test") if o["type"] == "comity-receipt"], [])

    def test_batch_without_a_salt_is_told(self):
        self.deliver(5)
        (envelope,) = [e for e in deliveries(self.north.collection("south.test")) if e[-1]["type"] == "comity-batch"]
        envelope[-1]["salt"] = "short"
        status = self.south.post("north.test", envelope)
        self.assertEqual(status["failure_count"], 1)
        self.assertIn("salt", status["failures"][0]["message"])
        self.assertEqual(self.receipts_of_south(), [])


class Late(Two):
    def test_receipt_for_what_is_gone(self):
        count = self.deliver(30)
        carry(self.north, self.south)
        self.assertEqual(self.north.node.stop(), 0)
        self.north.start("--keep.pieces", "1 ms")
        until = time.monotonic() + PATIENCE
        while self.north.queue("south.test")["waiting"] > 0:
            self.assertLess(time.monotonic(), until, self.north.node.log())
        self.queue_is(0, 0, count)
        (row,) = self.north.receipts()
        self.assertEqual((row["delivered"], row["failed"], row["state"]), ("failed", count, "open"))
        self.assertEqual(self.north.receipts("?open=true"), [])
        carry(self.south, self.north)
        self.queue_is(0, count, 0)
        (row,) = self.north.receipts()
        self.assertEqual((row["delivered"], row["failed"], row["state"]), ("receipt", 0, "right"))


class Carried(unittest.TestCase):
    """By the courier itself, over TLS."""

    def exchange(self, *ways):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        nodes = [linked.Linked(COMITY, temporary.name, name, *OPTIONS, "--courier.poll-interval", "1 s") for name in ("north.test", "south.test")]
        cards = [linked.team(name, linked.PREFIXES[name]) for name in linked.ECONOMIES]
        for node in nodes:
            self.addCleanup(node.close)
            key = node.command("ledger", "key", "--use", "receipt").strip()
            next(c for c in cards if c["id"] == node.team)["node"] = {"url": node.url, "certificate": node.certificate, "receipt": key}
        (pathlib.Path(temporary.name) / "teams.json").write_text(json.dumps(cards), encoding="utf-8")
        for node, other in (nodes, nodes[::-1]):
            since = node.node.mark()
            node.node.send(signal.SIGHUP)
            node.node.wait("settings read", since)
            linked.befriend(node, other, *ways)
        return nodes

    def all_arrive(self, north, south):
        counts = {}
        for first, source, target in ((0, north, south), (1000, south, north)):
            counts[source.team] = source.take(linked.reports(500, target.team, first))["released"]
        for source in (north, south):
            source.until(lambda node=source: node.get("/api/v1/status")["delivered"] == counts[node.team], "a receipt")
            self.assertEqual({r["state"] for r in source.get("/api/v1/receipts?limit=1000")["items"]}, {"right"})
            self.assertEqual(source.get("/api/v1/receipts")["open"], 0)
            queue = source.get("/api/v1/outbox")["items"][0]
            self.assertEqual((queue["waiting"], queue["failed"]), (0, 0))
            source.command("store", "check")

    def test_by_push(self):
        north, south = self.exchange("--no-poll")
        self.all_arrive(north, south)

    def test_by_poll(self):
        north, south = self.exchange("--no-push")
        self.all_arrive(north, south)

    def test_both_ways_and_a_killed_core(self):
        north, south = self.exchange()
        south.node.kill("core")
        self.all_arrive(north, south)
        self.assertEqual(south.numbers(), sorted(set(south.numbers())))


if __name__ == "__main__":
    unittest.main(argv=["receipts.py"])
