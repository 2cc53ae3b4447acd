"""Signed team cards between nodes: published, vouched for, spread by directories, a key changed; forged and older ones refused.

What one node shows is handed to the next as its partner's POST: the courier does nothing else. The test's own arguments are
COMITY [--no-sandbox]; COMITY_SHARE names the share folder.
"""
import base64
import contextlib
import json
import os
import subprocess
import sys
import time
import unittest
import uuid

from case import COMITY, OPTIONS, Case, team
from node import PATIENCE, Local, Node

TAXII = "application/taxii+json;version=2.1"
OWN = uuid.UUID("756c1cf3-b883-412a-882d-ebb95ae9f5db")  # of Comity's own objects in STIX
CARD = "extension-definition--5c2e4d1a-0b7f-4c6e-9d38-2f1a6c94e7b0"
TEAMS = ["north.test", "south.test", "east.test", "west.test", "far.test"]


def identity(card, **more):
    return {"type": "identity", "spec_version": "2.1", "id": f"identity--{uuid.uuid5(OWN, card['id'])}",
            "created": "2026-01-01T00:00:00.000Z", "modified": card.get("version", "2026-01-02T00:00:00.000Z"), "name": "x",
            "identity_class": "organization",
            "extensions": {CARD: {"extension_type": "property-extension", "card": card}}, **more}


class Peer:
    """One team's data folder, its commands, and its node once it is started."""

    def __init__(self, case, name):
        self.case, self.name, self.home, self.node, self.secrets = case, name, case.folder / name, None, {}
        case.addCleanup(self.close)

    def close(self):
        if self.node:
            self.node.close()

    def run(self, *words, status=0):
        done = subprocess.run([COMITY, *words, "--home", str(self.home)], capture_output=True, text=True, check=False,
                              timeout=PATIENCE, env=dict(os.environ, COMITY_TEAMS=str(self.case.folder / "teams.json")))
        self.case.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stderr if status else done.stdout

    def team(self, *words, status=0):
        return self.run("team", *words, status=status)

    def publish(self, *words):
        return json.loads(self.team("publish", "--as", self.name, "--url", f"https://{self.name}:8444", *words))

    def keep(self, card, name="card.json"):
        return self.case.write(name, card)

    def start(self, *partners):
        self.node = Node(COMITY, self.home, *OPTIONS, "--tls", "off", "--teams", str(self.case.folder / "teams.json"),
                         "--team", self.name)
        for partner in partners:
            self.secrets[partner] = self.run("account", "add", partner, "--kind", "partner", "--team", partner).strip()
        return self

    def ask(self, method, path, who, body=None):
        client = self.node.connect("partners", tls=False)
        try:
            key = base64.b64encode(f"{who}:{self.secrets[who]}".encode()).decode()
            client.request(method, path, body, {"Authorization": "Basic " + key, "Accept": TAXII, "Content-Type": TAXII})
            answer = client.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            client.close()

    def hand(self, who, *cards):
        """WHO's node hands CARDS in; what was said of each: None if all is well."""
        status, told = self.ask("POST", "/comity/collections/intake/objects/", who,
                                json.dumps({"objects": [identity(c) for c in cards]}))
        self.case.assertEqual(status, 202, told)
        failures = {f["id"]: f["message"] for f in told.get("failures", [])}
        return [failures.get(f"identity--{uuid.uuid5(OWN, c['id'])}") for c in cards]

    def directory(self, who):
        """The cards that this node shows to WHO, the latest of each team."""
        found, path = {}, "/comity/collections/directory/objects/"
        status, page = self.ask("GET", path + "?limit=1000", who)
        self.case.assertEqual(status, 200, page)
        for one in page.get("objects", []):
            if one["type"] == "identity" and CARD in one.get("extensions", {}) and not one.get("revoked"):
                found[one["extensions"][CARD]["card"]["id"]] = one["extensions"][CARD]["card"]
        return found

    def shows(self, who, ident, good):
        """Its directory is read anew a second later at most: the card of IDENT, once it is GOOD."""
        until = time.monotonic() + PATIENCE
        while True:
            card = self.directory(who).get(ident, {})
            if good(card):
                return card
            if time.monotonic() > until:
                raise AssertionError(f"{ident} stays {card}:\n{self.node.log()}")
            time.sleep(0.05)

    def waiting(self):
        return [json.loads(line) for line in self.team("waiting", "--json").splitlines()]

    def kept(self, ident):
        path = self.home / "cards" / (ident + ".json")
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def at(version):
    return lambda card: card.get("version") == version


class Cards(Case):
    def setUp(self):
        super().setUp()
        self.write("teams.json", [dict(team(name, code, constituency={"domains": [name]}), verified=False)
                                  for name, code in zip(TEAMS, ("FI", "SE", "EE", "NO", "DK"))])
        self.north, self.south, self.east, self.west, self.far = (Peer(self, name) for name in TEAMS)
        self.cards = {p.name: p.publish() for p in (self.north, self.south, self.east, self.west, self.far)}

    def know_sponsors(self, peer):
        for name in ("south.test", "east.test"):
            if name != peer.name:
                peer.team("accept", peer.keep(self.cards[name]))

    def vouched(self, card):
        """By south, and by east: two copies, as their directories show them."""
        out = []
        for peer in (self.south, self.east):
            peer.team("vouch", peer.keep(card), "-o", str(self.folder / "vouched.json"))
            out.append(json.loads((self.folder / "vouched.json").read_text(encoding="utf-8")))
        return out

    def test_the_own_card_is_shown_and_renewed(self):
        self.north.start("south.test")
        shown = self.north.shows("south.test", "north.test", lambda card: "signature" in card)
        self.assertNotIn("accepted", shown)
        self.assertEqual({k: v for k, v in shown.items() if k != "verified"},
                         {k: v for k, v in self.cards["north.test"].items() if k != "verified"})
        # What has not changed is not signed anew; with the node running, another address is.
        again = self.north.publish()
        self.assertEqual(again["version"], self.cards["north.test"]["version"])
        moved = json.loads(self.north.team("publish", "--url", "https://192.0.2.9:8444"))
        self.assertGreater(moved["version"], again["version"])
        shown = self.north.shows("south.test", "north.test", at(moved["version"]))
        self.assertEqual(shown["node"]["url"], "https://192.0.2.9:8444")
        self.assertEqual(shown["node"]["log"], self.north.run("ledger", "key").strip())

    def test_two_sponsors_and_the_spread(self):
        self.know_sponsors(self.north)
        self.north.start("south.test", "east.test", "far.test")
        self.assertEqual(self.north.hand("south.test", self.cards["west.test"]), [None])
        [waits] = self.north.waiting()
        self.assertEqual([waits["team"], waits["from"], waits["sponsors"]], ["west.test", "south.test", []])
        self.assertNotIn("signature", self.north.directory("far.test")["west.test"])
        by_south, by_east = self.vouched(self.cards["west.test"])
        self.assertEqual(self.north.hand("south.test", by_south), [None])
        self.assertEqual(self.north.waiting()[0]["sponsors"], ["south.test"])
        self.assertEqual(self.north.hand("east.test", by_east), [None])
        self.assertEqual(self.north.waiting(), [])
        kept = self.north.kept("west.test")
        self.assertEqual([kept["accepted"]["as"], sorted(kept["accepted"]["sponsors"])], ["sponsors", ["east.test", "south.test"]])
        shown = self.north.shows("far.test", "west.test", at(self.cards["west.test"]["version"]))
        self.assertEqual({v["by"] for v in shown["vouches"]}, {"south.test", "east.test"})
        self.assertTrue(shown["verified"])
        told = self.north.team("show", "west.test")
        self.assertIn("vouched for by", told)
        self.assertIn("SIGNED", self.north.team("list"))
        with contextlib.closing(Local(self.north.home)) as local:
            self.assertIn("vouched for by", local.get("/api/v1/teams/west.test")["word"])
            self.assertIn("vouched for by", local.get("/api/v1/whois?q=west.test")["word"])
        # A third node judges for itself by what north shows: it knows one of the two sponsors, then both.
        self.far.team("accept", self.far.keep(self.cards["south.test"]))
        self.far.start("north.test")
        self.assertEqual(set(self.far.hand("north.test", *self.north.directory("far.test").values())), {None})
        self.assertEqual({w["team"]: w["sponsors"] for w in self.far.waiting()},
                         {"north.test": [], "east.test": [], "west.test": ["south.test"]})
        self.far.team("accept", "east.test")
        shown = self.far.shows("north.test", "west.test", at(self.cards["west.test"]["version"]))
        self.assertEqual(self.far.kept("west.test")["accepted"]["as"], "sponsors")
        self.assertEqual(self.far.kept("west.test")["accepted"]["from"], "north.test")
        self.assertNotIn("accepted", shown)

    def accepted(self, card):
        """North's node, which has accepted west's CARD."""
        self.know_sponsors(self.north)
        self.north.team("accept", self.north.keep(card))
        self.north.start("south.test", "west.test")

    def test_changed_key(self):
        old = self.cards["west.test"]
        self.accepted(old)
        new = json.loads(self.west.team("rekey"))
        self.assertIn("previous", new["signature"])
        self.assertEqual(self.north.hand("south.test", new), [None])
        kept = self.north.kept("west.test")
        self.assertEqual([kept["version"], kept["accepted"]["as"]], [new["version"], "previous"])
        keys = (self.north.home / "keys" / "west.test.pub").read_text(encoding="utf-8")
        self.assertIn(old["signature"]["key"] + " until ", keys)
        self.north.shows("south.test", "west.test", at(new["version"]))
        # The old card again is passed over; the own commands go on with the new key.
        self.assertEqual(self.north.hand("west.test", old), [None])
        self.assertEqual(self.north.kept("west.test")["version"], new["version"])
        moved = json.loads(self.west.team("publish", "--url", "https://192.0.2.7"))
        self.assertEqual(moved["signature"]["key"], new["signature"]["key"])
        self.assertEqual(self.north.hand("west.test", moved), [None])
        self.assertEqual(self.north.kept("west.test")["accepted"]["as"], "key")

    def test_lost_key(self):
        self.accepted(self.cards["west.test"])
        (self.west.home / "key").unlink()
        self.assertIn("rekey --lost", self.west.team("publish", status=3))
        self.assertIn("rekey --lost", self.west.team("rekey", status=3))
        new = json.loads(self.west.team("rekey", "--lost"))
        self.assertNotIn("previous", new["signature"])
        self.assertEqual(self.north.hand("west.test", new), [None])
        self.assertEqual([w["team"] for w in self.north.waiting()], ["west.test"])
        self.assertIn("which did not sign it, and 0 of 2 sponsors vouch for it\n", self.north.team("waiting"))
        self.assertEqual(self.north.kept("west.test")["version"], self.cards["west.test"]["version"])
        by_south, by_east = self.vouched(new)
        self.assertEqual(self.north.hand("south.test", by_south, by_east), [None, None])
        self.assertEqual(self.north.kept("west.test")["version"], new["version"])
        self.assertEqual(self.north.kept("west.test")["accepted"]["as"], "sponsors")

    def test_refused(self):
        good = self.cards["west.test"]
        self.accepted(good)
        def say(card):
            return self.north.hand("south.test", card)[0]
        self.assertIn("did not sign", say({**good, "name": "Other"}))
        self.assertIn("did not sign", say({**good, "node": {**good["node"], "url": "https://192.0.2.66"}}))
        self.assertIn("no member", say({**good, "more": 1}))
        # Whose card it is is said twice, and must be the same.
        object_ = {**identity(good), "id": f"identity--{uuid.uuid5(OWN, 'east.test')}"}
        _, told = self.north.ask("POST", "/comity/collections/intake/objects/", "south.test", json.dumps({"objects": [object_]}))
        self.assertIn("whose identity", told["failures"][0]["message"])
        # This node's own team is nobody else's to speak for.
        thief = Peer(self, "thief")
        forged = json.loads(thief.team("publish", "--as", "north.test", "--url", "https://192.0.2.66"))
        self.assertIn("own team", say(forged))
        # A stranger who names himself west, and friends whom nobody knows.
        stranger = Peer(self, "stranger")
        claimed = json.loads(stranger.team("publish", "--as", "west.test", "--url", "https://192.0.2.66"))
        for i in range(3):
            friend = Peer(self, f"friend{i}")
            friend.team("publish", "--as", ("far.test", "south.test", "east.test")[i], "--url", "https://192.0.2.66")
            friend.team("vouch", friend.keep(claimed), "-o", str(self.folder / "claimed.json"))
            claimed = json.loads((self.folder / "claimed.json").read_text(encoding="utf-8"))
        self.assertIsNone(say(claimed))
        [waits] = self.north.waiting()
        self.assertEqual(waits["sponsors"], [])
        self.assertEqual(self.north.kept("west.test")["version"], good["version"])
        self.assertIn("is refused", self.north.team("refuse", "west.test"))
        self.assertEqual(self.north.waiting(), [])
        # West itself claims what is another's.
        greedy = {**good, "constituency": {"domains": ["west.test", "east.test"]}}
        greedy = json.loads(self.west.team("publish", "--card", self.west.keep(greedy)))
        self.assertIsNone(say(greedy))
        self.assertIn("east.test", self.north.waiting()[0]["why"])
        self.assertEqual(self.north.kept("west.test")["version"], good["version"])
        # What is no signed card is as it was: another's is passed over, the sender's own is taken.
        unsigned = team("west.test", "NO")
        self.assertIsNone(say(unsigned))
        self.assertIn("you are south.test", self.north.ask("POST", "/comity/collections/intake/objects/", "south.test", json.dumps(
            {"objects": [{k: v for k, v in identity(unsigned).items() if k != "extensions"}]}))[1]["failures"][0]["message"])
        # Each of those that were refused was told to who runs this node, too, with the reason.
        for i, words in enumerate(("did not sign", "did not sign", "no member", "whose identity", "own team")):
            told = self.north.node.wait("team card", count=i + 1, what="is refused", **{"from": "south.test"})
            self.assertIn(words, told["why"])

    def test_a_link_follows_its_card(self):
        self.north.start("south.test")
        self.north.run("peer", "add", self.north.keep(self.cards["west.test"]))
        self.assertEqual(self.north.kept("west.test")["accepted"]["as"], "operator")
        before = json.loads(self.north.run("peer", "show", "west.test", "--json"))
        self.assertEqual([before["url"], before["pin"]], ["https://west.test:8444", self.cards["west.test"]["node"]["certificate"]])
        for name in ("certificate.pem", "key.pem"):
            (self.west.home / "tls" / name).unlink()
        moved = json.loads(self.west.team("rekey", "--url", "https://192.0.2.7:8444"))
        self.assertNotEqual(moved["node"]["certificate"], before["pin"])
        self.assertEqual(self.north.hand("south.test", moved), [None])
        self.north.shows("south.test", "west.test", at(moved["version"]))
        after = json.loads(self.north.run("peer", "show", "west.test", "--json"))
        self.assertEqual([after["url"], after["pin"]], ["https://192.0.2.7:8444", moved["node"]["certificate"]])
        with contextlib.closing(Local(self.north.home)) as local:
            [account] = [p for p in local.get("/api/v1/principals")["items"] if p["name"] == "west.test"]
        self.assertEqual(account["certificate"], moved["node"]["certificate"])

    def test_the_certificate_that_the_door_shows(self):
        """A node told at its start which certificate to show says that its card names another; published again, the card is right."""
        home, other = self.north.home, self.west.home / "tls"
        self.north.node = Node(COMITY, home, *OPTIONS, "--teams", str(self.folder / "teams.json"), "--team", "north.test",
                               "--tls.certificate", str(other / "certificate.pem"), "--tls.key", str(other / "key.pem"))
        shown = self.cards["west.test"]["node"]["certificate"]
        line = next(e["event"] for e in self.north.node.lines if "card names" in (e["event"] or ""))
        self.assertIn(self.cards["north.test"]["node"]["certificate"], line)
        self.assertIn(shown, line)
        again = self.north.publish()
        self.assertEqual(again["node"]["certificate"], shown)
        self.assertGreater(again["version"], self.cards["north.test"]["version"])
        self.assertEqual(self.north.publish()["version"], again["version"])

    def test_a_directory_that_says_something_else(self):
        teams = json.loads((self.folder / "teams.json").read_text(encoding="utf-8"))
        teams[0]["hours"] = "always"
        self.write("teams.json", teams)
        done = subprocess.run([COMITY, "team", "publish", "--home", str(self.north.home)], capture_output=True, text=True, check=True,
                              timeout=PATIENCE, env=dict(os.environ, COMITY_TEAMS=str(self.folder / "teams.json")))
        self.assertNotIn("hours", json.loads(done.stdout))
        self.assertIn("says something else", done.stderr)
        said = self.north.publish("--teams", str(self.folder / "teams.json"))
        self.assertEqual([said["hours"], said["node"]], ["always", self.cards["north.test"]["node"]])

    def test_what_was_accepted_outlives_the_node(self):
        self.accepted(self.cards["west.test"])
        new = json.loads(self.west.team("rekey"))
        self.assertEqual(self.north.hand("south.test", new), [None])
        self.north.node.kill("core")
        self.north.shows("south.test", "west.test", at(new["version"]))
        self.north.team("refuse", "west.test")
        self.north.shows("south.test", "west.test", lambda card: "signature" not in card)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
