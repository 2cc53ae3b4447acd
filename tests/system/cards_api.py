"""Signed team cards through the API: those that wait are shown, accepted and refused; keys are vouched for; the own card is published.

usage: cards_api.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)

Cards come as in cards.py, from other teams' data folders, as a partner's POST.
"""
import base64
import json
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from api_case import COMITY, EVIL, RIGHTS, TEAMS, Case, Running, rows
from cards import TAXII, identity
from node import PATIENCE, pin_of

DECISIONS = ("accept", "refuse", "vouch")


class Abroad:
    """The data folder of a team that runs no node here: it signs cards."""

    def __init__(self, folder, ident, **claims):
        self.home, self.name = pathlib.Path(folder) / f"abroad-{ident}", ident
        self.claims = {"id": ident, "name": ident, "kind": "national", "source": "own", "verified": False, **claims}

    def run(self, *words):
        done = subprocess.run([COMITY, "team", *words, "--home", str(self.home)], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def publish(self, *words, **claims):
        self.claims.update(claims)
        self.home.mkdir(exist_ok=True)
        path = self.home / "claims.json"
        path.write_text(json.dumps(self.claims), encoding="utf-8")
        return self.run("publish", "--as", self.name, "--url", f"https://{self.name}:8444", "--card", str(path), *words)


class Cards(Case):
    def setUp(self):
        # A node of its own: it is changed.
        self.node = Running()
        self.addCleanup(self.node.close)
        self.secret = self.node.command("account", "add", "south.program", "--kind", "partner", "--team", "south.test").stdout.strip()
        self.west = Abroad(self.node.folder, "west.test", economies=["XW"])
        self.east = Abroad(self.node.folder, "east.test", economies=["XE"], constituency={"prefixes": ["198.51.100.0/24"]})

    @classmethod
    def prepare(cls, node):
        pass

    def hand(self, card):
        """South's node hands CARD in; what was said of it."""
        key = base64.b64encode(f"south.program:{self.secret}".encode()).decode()
        answer = self.node.ask("POST", "/comity/collections/intake/objects/", json.dumps({"objects": [identity(card)]}), door="partners",
                               Authorization="Basic " + key, Accept=TAXII, Content_Type=TAXII)
        self.assertEqual(answer.status, 202, answer.body)
        return [failure["message"] for failure in answer.json.get("failures", [])]

    def waiting(self, team=None):
        answer = self.check("GET", "/api/v1/cards" + (f"/{team}" if team else ""))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["items"]

    def decide(self, what, card, status=200, **more):
        answer = self.check("POST", f"/api/v1/cards/{card['team']}/{what}", {"sha256": card["sha256"], "reason": "we called them", **more})
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def team(self, name):
        return self.check("GET", f"/api/v1/teams/{name}").json

    def kept(self, name):
        path = self.node.home / "cards" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def test_a_card_waits_and_is_accepted(self):
        card = self.east.publish(constituency={"prefixes": ["198.51.100.0/24", "203.0.113.0/24"], "asns": [64500]}, note=EVIL)
        self.assertEqual(self.hand(card), [])
        [one] = self.waiting()
        self.assertEqual([one["team"], one["from"], one["version"], one["url"]], ["east.test", "south.test", card["version"], "https://east.test:8444"])
        self.assertNotIn("card", one)
        self.assertEqual(one["claims"], ["203.0.113.0/24", "AS64500"])
        self.assertIn("not known", one["why"])
        self.assertEqual(self.node.get("/api/v1/status").json["cards_waiting"], 1)
        self.assertIn("comity_cards_waiting 1", self.node.get("/metrics").body.decode())
        self.assertIn("cards", self.node.command("status").stdout)
        [whole] = self.waiting("east.test")
        self.assertEqual({**whole["card"], "verified": True}, {**card, "verified": True})
        self.assertEqual(whole["before"]["constituency"], {"prefixes": ["198.51.100.0/24"]})
        self.assertEqual(self.waiting("west.test"), [])
        before = self.team("east.test")
        self.assertEqual((before["signed"], before["keys"], before["waiting"], before["decided"]), (None, [], 1, []))
        self.assertEqual(self.decide("accept", one)["what"], "accepted")
        self.assertEqual(self.waiting(), [])
        # What was answered is so: nothing is waited for.
        team = self.team("east.test")
        self.assertEqual(team["constituency"]["prefixes"], 2)
        self.assertEqual([team["signed"][k] for k in ("as", "key", "sha256", "version")], ["operator", one["key"], one["sha256"], card["version"]])
        self.assertEqual([(k["fingerprint"], k["known"], k["signs"], k["until"]) for k in team["keys"]], [(one["key"], True, True, None)])
        [decision] = team["decided"]
        self.assertEqual([decision[k] for k in ("what", "account", "key", "why")], ["accepted", "operator", one["key"], "we called them"])
        self.assertEqual(self.kept("east.test")["accepted"]["as"], "operator")
        self.assertNotIn("we called them", json.dumps(self.kept("east.test")))
        self.node.node.wait("team card", what="is accepted", account="operator", why="we called them")
        self.assertEqual(self.decide("accept", one, status=409)["code"], "exists")

    def test_a_card_is_refused_and_an_accepted_one_forgotten(self):
        self.hand(self.east.publish())
        [one] = self.waiting()
        self.assertEqual(self.decide("refuse", one)["what"], "refused")
        self.assertEqual((self.waiting(), self.kept("east.test")), ([], None))
        self.assertEqual(self.decide("refuse", one, status=404)["code"], "not-found")
        self.assertEqual([d["why"] for d in self.check("GET", "/api/v1/cards/east.test").json["decided"]], ["we called them"])
        self.hand(self.east.publish(note="again"))
        [again] = self.waiting()
        self.decide("accept", again)
        self.assertTrue(self.team("east.test")["signed"])
        self.assertEqual(self.decide("refuse", again)["what"], "forgotten")
        team = self.team("east.test")
        self.assertEqual((team["signed"], team["verified"]), (None, True))  # the directory's card counts again
        self.assertEqual([d["what"] for d in team["decided"]], ["forgotten", "accepted", "refused"])

    def test_what_was_read_is_what_is_decided(self):
        self.hand(self.east.publish())
        [one] = self.waiting()
        self.hand(self.east.publish(constituency={"prefixes": ["0.0.0.0/0"]}))
        for what in DECISIONS:
            answer = self.decide(what, one, status=409)
            self.assertEqual((answer["code"], answer["field"]), ("conflict", "sha256"))
        [other] = self.waiting()
        self.assertNotEqual(other["sha256"], one["sha256"])
        self.assertEqual(other["claims"], ["0.0.0.0/0"])
        self.assertIsNone(self.kept("east.test"))
        for team in ("nobody.test", "..%2fcards", "x" * 65):
            answer = self.check("POST", f"/api/v1/cards/{team}/accept", {"sha256": one["sha256"], "reason": "x"})
            self.assertIn(answer.status, (400, 404, 413), team)
        for body in ({"sha256": one["sha256"]}, {"reason": "x"}, {"sha256": one["sha256"], "reason": ""}, {"sha256": one["sha256"], "reason": "x" * 1001}):
            self.assertIn(self.check("POST", "/api/v1/cards/east.test/accept", body).status, (400, 413), body)
        self.assertEqual(len(self.waiting()), 1)

    def test_keys_have_a_history(self):
        first = self.east.publish()
        self.hand(first)
        self.decide("accept", self.waiting()[0])
        second = self.east.run("rekey")
        self.assertEqual(self.hand(second), [])
        team = self.team("east.test")
        self.assertEqual((team["signed"]["as"], team["signed"]["from"], team["waiting"]), ("previous", "south.test", 0))
        self.assertEqual(sorted((k["known"], k["signs"], k["until"] is None) for k in team["keys"]), [(False, False, False), (True, True, True)])
        # A key that was lost: the next card waits, and says why.
        (self.east.home / "key").unlink()
        self.hand(self.east.run("rekey", "--lost"))
        [one] = self.waiting()
        self.assertIn("another than the one known", one["why"])
        self.assertEqual(self.team("east.test")["waiting"], 1)

    def test_a_vouch_counts_elsewhere(self):
        self.hand(self.west.publish())
        [one] = self.waiting()
        self.assertEqual(self.decide("vouch", one)["what"], "vouched")
        team = self.team("west.test")
        [vouch] = team["vouches"]
        self.assertEqual((vouch["by"], vouch["known"]), ("north.test", True))
        self.assertEqual((team["signed"]["as"], team["waiting"]), ("operator", 0))
        self.assertEqual([d["what"] for d in team["decided"]], ["vouched"])
        # Once more is no other word, and the card stays as it was accepted.
        accepted = team["signed"]["accepted"]
        self.decide("vouch", {"team": "west.test", **team["signed"]})
        team = self.team("west.test")
        self.assertEqual((len(team["vouches"]), team["signed"]["accepted"]), (1, accepted))
        # Another node, which knows north and south, needs one more vouch.
        north = self.node.command("team", "publish", "--url", "https://north.test:8444", "--teams", str(self.node.folder / "teams.json"), "-o", str(self.node.folder / "north.json"))
        self.assertEqual(north.returncode, 0, north.stderr)
        path = self.node.folder / "vouched.json"
        path.write_text(json.dumps(team["card"]), encoding="utf-8")
        far = self.node.folder / "far"
        def there(*words):
            done = subprocess.run([COMITY, "team", *words, "--home", str(far), "--teams", str(self.node.folder / "teams.json")],
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        there("accept", str(self.node.folder / "north.json"))
        (far / "cards" / "waiting").mkdir()
        kept = {**team["card"], "accepted": {"as": "nobody", "time": "2026-01-01T00:00:00Z"}}
        (far / "cards" / "waiting" / f"west.test.{team['signed']['key']}.json").write_text(json.dumps(kept), encoding="utf-8")
        [there_too] = [json.loads(line) for line in there("waiting", "--json").splitlines()]
        self.assertEqual(there_too["sponsors"], ["north.test"])

    def test_rights(self):
        rights = {row[0]: row[4] for row in rows("messages.def", "MESSAGE")}
        self.hand(self.east.publish())
        [one] = self.waiting()
        body = {"sha256": one["sha256"], "reason": "x"}
        asks = [("GET", "/api/v1/cards", None, "CARDS"), ("GET", "/api/v1/cards/east.test", None, "TEAM_CARDS"), ("POST", "/api/v1/card/check", {}, "CARD_CHECK"),
                ("POST", "/api/v1/card", {"sha256": "0" * 64}, "CARD_PUBLISH"), *(("POST", f"/api/v1/cards/east.test/{what}", body, "CARD_DECIDE") for what in DECISIONS)]
        self.assertEqual({message for *_, message in asks}, {"CARDS", "TEAM_CARDS", "CARD_CHECK", "CARD_PUBLISH", "CARD_DECIDE"})
        for kind in ("analyst", "reader"):
            secret = self.node.command("account", "add", f"a-{kind}", "--kind", kind).stdout.strip()
            session = self.sign_in(f"a-{kind}", secret)
            for method, path, given, message in asks:
                answer = self.node.ask(method, path, given, door="operators", **session)
                allowed = RIGHTS[rights[message].strip()][kind]
                self.assertEqual(answer.status == 403, not allowed, f"{kind} {method} {path}: {answer.status} {answer.body}")
        # A partner sees cards, and nothing of what is known of them here; without credentials nobody sees anything.
        key = base64.b64encode(f"south.program:{self.secret}".encode()).decode()
        answer = self.node.get("/api/v1/teams/east.test", door="partners", Authorization="Basic " + key)
        self.assertEqual(answer.status, 404)  # the partners' door does not serve this route at all
        for method, path, given, _ in asks:
            self.assertIn(self.node.ask(method, path, given, door="partners", Authorization="Basic " + key).status, (403, 404), path)
            self.assertEqual(self.node.ask(method, path, given, door="operators").status, 401, path)
        self.assertEqual(len(self.waiting()), 1)

    def sign_in(self, name, first):
        """Headers of a session that may do all that NAME's kind may."""
        password = "a long enough password"
        def session(secret):
            answer = self.node.ask("POST", "/api/v1/session", {"name": name, "password": secret}, door="operators")
            self.assertEqual(answer.status, 200, answer.body)
            return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X_CSRF_Token": answer.json["csrf"]}
        changed = self.node.ask("PUT", f"/api/v1/principals/{name}/password", {"current": first, "password": password}, door="operators", **session(first))
        self.assertEqual(changed.status, 200, changed.body)
        return session(password)

    def test_many_wait(self):
        names = [f"t{i:03}.test" for i in range(12)]
        for name in names:
            self.hand(Abroad(self.node.folder, name, economies=["XW"], name=EVIL if name == names[0] else name).publish())
        found, following = [], ""
        while following is not None:
            page = self.check("GET", f"/api/v1/cards?limit=5{following and '&next=' + following}").json
            self.assertEqual(page["waiting"], 12)
            found += page["items"]
            following = page["next"]
        self.assertEqual([one["team"] for one in found], names)
        self.assertEqual(found[0]["name"], EVIL)
        table = self.node.get("/api/v1/cards", Accept="text/csv").body.decode().splitlines()
        self.assertEqual(len(table), 13)
        for path in self.node.home.glob("cards/waiting/t00[0-4]*"):
            path.write_text("{", encoding="utf-8")
        page = self.check("GET", "/api/v1/cards").json
        self.assertEqual((len(page["items"]), page["damaged"], page["waiting"]), (7, 5, 12))


class OwnCard(Case):
    """This team's own card, with TLS: the certificate is the one that the door shows."""

    def setUp(self):
        self.node = Running("--tls", "on")
        self.addCleanup(self.node.close)

    @classmethod
    def prepare(cls, node):
        pass

    def look(self, **given):
        answer = self.check("POST", "/api/v1/card/check", given)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def publish(self, status=200, **given):
        answer = self.check("POST", "/api/v1/card", given)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def shown(self):
        return self.node.get("/api/v1/teams/north.test").json

    def test_published(self):
        first = self.look()
        self.assertEqual([first[k] for k in ("team", "field", "key", "version", "before")], ["north.test", "url", None, None, None])
        self.assertNotIn("card", first)
        self.assertFalse((self.node.home / "key").exists(), "looking makes no key")
        wanted = self.look(url="https://192.0.2.7:8444")
        self.assertEqual((wanted["why"], wanted["same"], wanted["key"]), (None, False, None))
        self.assertEqual(wanted["card"]["node"]["url"], "https://192.0.2.7:8444")
        made = self.publish(url="https://192.0.2.7:8444", sha256=wanted["sha256"])
        self.assertEqual((made["team"], made["what"]), ("north.test", "published"))
        team = self.shown()
        self.assertEqual(team["signed"]["version"], made["version"])
        node = team["card"]["node"]
        self.assertEqual(node["certificate"], self.pin())
        self.assertEqual(node["log"], self.node.get("/api/v1/status").json["log_key"])
        self.assertEqual([d["what"] for d in team["decided"]], ["published"])
        # The command says the same, and signs nothing anew: card and key are one and the same.
        done = self.node.command("team", "publish", "--teams", str(self.node.folder / "teams.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("stays as it is", done.stderr)
        self.assertEqual({**json.loads(done.stdout), "verified": True}, {**team["card"], "verified": True})
        again = self.look()
        self.assertEqual((again["same"], again["key"], again["version"], again["before"]["version"]), (True, made["key"], made["version"], made["version"]))
        self.assertEqual(self.publish(status=409, sha256=again["sha256"])["code"], "exists")

    def pin(self):
        return pin_of(self.node.home / "tls" / "certificate.pem")

    def test_what_the_team_says(self):
        says = {**TEAMS[0], "full_name": "The team of the north " + EVIL, "constituency": {"prefixes": ["192.0.2.0/24"]}}
        given = {"url": "https://192.0.2.7", "card": json.dumps(says)}
        wanted = self.look(**given)
        self.assertEqual(wanted["card"]["full_name"], says["full_name"])
        self.publish(**given, sha256=wanted["sha256"])
        self.assertEqual(self.shown()["full_name"], says["full_name"])
        self.assertTrue(self.look()["same"])
        # What was read is what is signed.
        other = self.look(url="https://192.0.2.8")
        self.assertEqual(self.publish(status=409, url="https://192.0.2.9", sha256=other["sha256"])["field"], "sha256")
        self.publish(url="https://192.0.2.8", sha256=other["sha256"])
        self.assertEqual(self.shown()["card"]["node"]["url"], "https://192.0.2.8")
        self.assertEqual(self.shown()["full_name"], says["full_name"])

    def test_what_cannot_be_signed(self):
        for given, why in (({"url": "http://192.0.2.7"}, "https://"), ({"url": "https://192.0.2.7/x"}, "nothing behind"),
                           ({"card": "{"}, ""), ({"card": "[]"}, "object"), ({"card": json.dumps(TEAMS[1])}, "not that of north.test"),
                           ({"card": json.dumps({**TEAMS[0], "more": 1})}, "more"),
                           ({"card": json.dumps({**TEAMS[0], "constituency": {"prefixes": ["192.0.2.1/24"]}})}, "prefixes"),
                           ({"card": json.dumps({**TEAMS[0], "economies": ["Finland"]})}, "")):
            told = self.look(**{"url": "https://192.0.2.7", **given})
            self.assertTrue(told["why"], given)
            self.assertIn(why, told["why"], given)
            self.assertNotIn("card", told)
            answer = self.check("POST", "/api/v1/card", {"url": "https://192.0.2.7", **given, "sha256": "0" * 64})
            self.assertIn(answer.status, (400, 404, 409), answer.body)
        self.assertFalse((self.node.home / "cards").exists() and list((self.node.home / "cards").glob("*.json")))

    def test_another_key_than_the_cards(self):
        wanted = self.look(url="https://192.0.2.7")
        self.publish(url="https://192.0.2.7", sha256=wanted["sha256"])
        (self.node.home / "key").unlink()
        wanted = self.look(url="https://192.0.2.8")
        self.assertIn("rekey --lost", self.publish(status=400, url="https://192.0.2.8", sha256=wanted["sha256"])["detail"])
        self.assertEqual(self.shown()["card"]["node"]["url"], "https://192.0.2.7")

    def test_another_certificate_after_a_reload(self):
        wanted = self.look(url="https://192.0.2.7")
        self.publish(url="https://192.0.2.7", sha256=wanted["sha256"])
        before = self.pin()
        for name in ("certificate.pem", "key.pem"):
            (self.node.home / "tls" / name).unlink()
        since = self.node.node.mark()
        self.node.node.send(signal.SIGHUP)
        self.node.node.wait("settings read", since)
        self.assertNotEqual(self.pin(), before)
        until = time.monotonic() + PATIENCE  # core hears of it a little later than the log
        while (wanted := self.look())["same"]:
            self.assertLess(time.monotonic(), until)
        self.assertEqual(wanted["card"]["node"]["certificate"], self.pin())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
