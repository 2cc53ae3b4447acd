"""May each kind of account do what rights.def says, and no more; do sessions, tokens and limits hold?

usage: api_people.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)
"""
import base64
import json
import pathlib
import sys
import unittest

from api_case import KINDS, RIGHTS, ROUTES, Case, Running, rows

MESSAGES = {row[0]: row for row in rows("messages.def", "MESSAGE")}
REPORT = json.dumps({"source.ip": "192.0.2.200", "classification.type": "spam", "time.source": "2026-01-01T00:00:00Z"})


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def account(running, name, kind):
    """Its one-time password."""
    team = ["--team", "south.test"] if kind == "partner" else []
    done = running.command("account", "add", name, "--kind", kind, *team)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def new_password(running, name, first, password, door="operators"):
    """As people do it themselves, so that it need not be changed again."""
    answer = running.ask("PUT", f"/api/v1/principals/{name}/password", {"password": password, "current": first}, door=door,
                         **basic(name, first))
    assert answer.status == 200, answer.body


def token(running, name):
    done = running.command("account", "token", name, "--label", "test")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ready_account(running, name, kind, password="a long enough password"):
    """One that has changed its password, and its token."""
    first = account(running, name, kind)
    if kind != "partner":
        new_password(running, name, first, password)
    return token(running, name)


class Rights(Case):
    """Every route x every kind x both doors to the network."""

    @classmethod
    def prepare(cls, node):
        node.take(node.reports)
        cls.tokens = {kind: ready_account(node, f"test-{kind}", kind) for kind in KINDS}

    def request(self, row, kind):
        """One that the route takes, so that only the right decides; it changes nothing that others need."""
        name, method, path, body = row[0], row[2], row[3], None
        path = path.replace("{number}", "999999").replace("{id}", "0192b3c4-d5e6-8f70-8123-456789abcdef")
        path = path.replace("{name}", "nobody-here").replace("{team}", "nobody.test")
        if name == "WHOIS":
            path += "?q=192.0.2.1"
        elif name == "PRINCIPAL_ADD":
            body = {"name": f"made-by-{kind}", "kind": "reader"}
        elif name == "PRINCIPAL_CHANGE":
            body = {"disabled": True}
        elif name == "PASSWORD":
            body = {"password": "another long password", "current": "a long enough password"}
        elif name == "TOKEN_ADD":
            body = {"label": "x"}
        elif name.startswith("HELD_RE"):
            body = {"reason": "x", **({"numbers": [999999]} if name.endswith("MANY") else {})}
        elif name == "SESSION_PUT":
            body = {"name": "nobody-here", "password": "x"}
        elif name in ("REPORTS_ADD", "REPORT_CORRECT"):
            path, body = path + ("?reason=x" if name == "REPORT_CORRECT" else ""), REPORT
        elif row[4] == "BODY_WHOLE":
            body = {field[1]: f"x-{kind}"[:int(field[4]) or None] for field in rows("inputs.def", "INPUT")
                    if field[0] == name and field[2] == "BODY" and field[5] == "1"}
        return method, path, body

    def expected(self, row, kind, door):
        right = MESSAGES[row[7]][4]
        if right == "NONE" and (kind != "partner" or row[0] == "DOCUMENT"):
            return True
        if row[0] == "PASSWORD":
            return kind == "operator" and door == "operators"  # another's: `own` is not enough
        return kind is not None and RIGHTS[right][kind] and (kind == "partner") == (door == "partners")

    def test_every_route_for_every_kind(self):
        for door, letter in (("operators", "O"), ("partners", "P")):
            for row in ROUTES:
                for kind in [None, *KINDS]:
                    if row[0] in ("EVENTS", "SESSION_PUT", "SESSION_END"):
                        continue
                    method, path, body = self.request(row, kind)
                    with self.subTest(f"{door}: {method} {path} as {kind}"):
                        answer = self.node.ask(method, path, body, door=door, **(bearer(self.tokens[kind]) if kind else {}))
                        if letter not in row[8]:
                            self.assertIn(answer.status, (404, 405), answer.body)
                        elif self.expected(row, kind, door):
                            self.assertNotIn(answer.status, (401, 403, 500), answer.body)
                        else:
                            self.assertIn(answer.status, (401, 403) if kind else (401,), answer.body)

    def test_others_passwords_and_tokens(self):
        for kind in KINDS[1:4]:
            headers = bearer(self.tokens[kind])
            answer = self.node.ask("PUT", "/api/v1/principals/test-operator/password", {"password": "stolen password"},
                                   door="operators", **headers)
            self.assertEqual(answer.status, 403, answer.body)
            answer = self.node.ask("POST", "/api/v1/tokens", {"label": "x", "name": "test-operator"}, door="operators", **headers)
            self.assertEqual(answer.status, 403, answer.body)
            answer = self.node.ask("GET", "/api/v1/tokens?name=test-operator", door="operators", **headers)
            self.assertEqual(answer.status, 403, answer.body)

    def test_what_is_told_of_oneself(self):
        for kind in KINDS[:4]:
            me = self.node.get("/api/v1/me", door="operators", **bearer(self.tokens[kind]))
            self.validate("Me", me.json)
            words = {row[0]: row[1] for row in rows("rights.def", "RIGHT")}
            self.assertEqual(set(me.json["rights"]), {words[r] for r in RIGHTS if RIGHTS[r][kind]})


class Sessions(Case):
    @classmethod
    def prepare(cls, node):
        new_password(node, "anna", account(node, "anna", "analyst"), "correct horse battery")

    def sign_in(self, name="anna", password="correct horse battery", **headers):
        return self.node.ask("POST", "/api/v1/session", {"name": name, "password": password}, door="operators", **headers)

    def test_session_and_csrf(self):
        answer = self.sign_in()
        self.assertEqual(answer.status, 200, answer.body)
        self.validate("Session", answer.json)
        cookie = answer.headers["Set-Cookie"]
        self.assertRegex(cookie, r"(?i)HttpOnly")
        self.assertRegex(cookie, r"(?i)SameSite=Strict")
        secret = cookie.split(";")[0]
        self.assertNotIn(secret.split("=")[1], answer.body.decode())
        with_cookie = {"Cookie": secret}
        me = self.node.get("/api/v1/session", door="operators", **with_cookie)
        self.assertEqual((me.status, me.json["name"]), (200, "anna"))
        csrf = me.json["csrf"]
        change = ("POST", "/api/v1/tokens", {"label": "x"})
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf[::-1]}, {"X-CSRF-Token": csrf[:-1]}):
            self.assertEqual(self.node.ask(*change, door="operators", **with_cookie, **headers).status, 403)
        made = self.node.ask(*change, door="operators", **with_cookie, **{"X-CSRF-Token": csrf})
        self.assertEqual(made.status, 201, made.body)
        self.validate("TokenAdded", made.json)
        self.assertEqual(self.node.ask("DELETE", "/api/v1/session", door="operators", **with_cookie).status, 403)
        gone = self.node.ask("DELETE", "/api/v1/session", door="operators", **with_cookie, **{"X-CSRF-Token": csrf})
        self.assertEqual(gone.status, 204, gone.body)
        self.assertEqual(self.node.get("/api/v1/me", door="operators", **with_cookie).status, 401)

    def test_another_sessions_proof_is_none(self):
        first, second = self.sign_in(), self.sign_in()
        answer = self.node.ask("POST", "/api/v1/tokens", {"label": "x"}, door="operators",
                               Cookie=first.headers["Set-Cookie"].split(";")[0], **{"X-CSRF-Token": second.json["csrf"]})
        self.assertEqual(answer.status, 403)

    def test_basic(self):
        self.assertEqual(self.node.get("/api/v1/me", door="operators", **basic("anna", "correct horse battery")).status, 200)
        wrong = self.node.get("/api/v1/me", door="operators", **basic("anna", "wrong"))
        self.assertEqual(wrong.status, 401)
        self.assertIn("WWW-Authenticate", wrong.headers)
        self.assertEqual(self.node.get("/api/v1/me", door="operators", **basic("nobody", "wrong")).status, 401)
        for odd in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"noColon").decode(), "Bearer", "Bearer a b", "Nonsense x"):
            self.assertIn(self.node.get("/api/v1/me", door="operators", Authorization=odd).status, (400, 401), odd)

    def test_same_answer_for_unknown_names(self):
        known, unknown = self.sign_in(password="wrong"), self.sign_in("nobody-here", "wrong")
        self.assertEqual((known.status, known.json["detail"]), (unknown.status, unknown.json["detail"]))


class OneTime(unittest.TestCase):
    def setUp(self):
        self.own = Running("--login.rate", "3")
        self.addCleanup(self.own.close)

    @staticmethod
    def basic(name, password):
        return {"door": "operators", **basic(name, password)}

    def test_first_password_must_be_changed(self):
        first = account(self.own, "berta", "reader")
        self.assertEqual(self.own.get("/api/v1/reports", **self.basic("berta", first)).status, 403)
        self.assertTrue(self.own.get("/api/v1/me", **self.basic("berta", first)).json["must_change"])
        changed = self.own.ask("PUT", "/api/v1/principals/berta/password", {"password": "my own password", "current": first},
                               **self.basic("berta", first))
        self.assertEqual(changed.status, 200, changed.body)
        self.assertEqual(self.own.get("/api/v1/reports", **self.basic("berta", "my own password")).status, 200)
        self.assertEqual(self.own.get("/api/v1/reports", **self.basic("berta", first)).status, 401)

    def test_limit_of_attempts(self):
        ready_account(self.own, "carl", "reader")
        statuses = [self.own.get("/api/v1/me", **self.basic("carl", f"wrong {i}")).status for i in range(6)]
        self.assertEqual(statuses[:3], [401] * 3)
        self.assertEqual(statuses[-1], 429)
        late = self.own.get("/api/v1/me", **self.basic("carl", "a long enough password"))
        self.assertEqual(late.status, 429)
        self.assertGreater(int(late.headers["Retry-After"]), 0)
        self.assertIn(f"wait {late.headers['Retry-After']} seconds", late.json["detail"])
        # The local door has nobody to guess, and stays open.
        self.assertEqual(self.own.get("/api/v1/me").status, 200)

    def test_disabled_at_once(self):
        key = ready_account(self.own, "dora", "analyst")
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 200)
        self.assertEqual(self.own.command("account", "disable", "dora").returncode, 0)
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 401)
        self.assertEqual(self.own.command("account", "enable", "dora").returncode, 0)
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 200)
        listed = self.own.command("account", "list")
        self.assertRegex(listed.stdout, r"dora +analyst")

    def test_tokens(self):
        key = ready_account(self.own, "emil", "reader")
        mine = self.own.get("/api/v1/tokens", door="operators", **bearer(key)).json["items"]
        self.assertEqual([t["label"] for t in mine], ["test"])
        self.assertNotIn(key, json.dumps(mine))
        number = mine[0]["number"]
        other = ready_account(self.own, "fritz", "reader")
        taken = self.own.ask("DELETE", f"/api/v1/tokens/{number}", door="operators", **bearer(other))
        self.assertIn(taken.status, (403, 404))
        gone = self.own.ask("DELETE", f"/api/v1/tokens/{number}", door="operators", **bearer(key))
        self.assertEqual(gone.status, 204, gone.body)
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 401)
        past = self.own.command("account", "token", "emil", "--label", "old", "--expires", "2020-01-01")
        if past.returncode == 0:
            self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(past.stdout.strip())).status, 401)
        everything = b"".join(p.read_bytes() for p in pathlib.Path(self.own.home).glob("node.db*"))
        for secret in (key, other, "a long enough password"):
            self.assertNotIn(secret.encode(), everything)

    def test_accounts_by_command(self):
        self.assertEqual(self.own.command("account", "add", "greta").returncode, 2)
        self.assertRegex(account(self.own, "greta", "reader"), r"^\S{12,}$")
        again = self.own.command("account", "add", "greta", "--kind", "reader")
        self.assertEqual(again.returncode, 3)
        self.assertEqual(self.own.command("account", "add", "bad name", "--kind", "reader").returncode, 3)
        self.assertEqual(self.own.command("account", "disable", "nobody-here").returncode, 3)
        self.assertEqual(again.stderr, "comity: name: an account has this name already\n")
        self.assertRegex(self.own.command("account", "password", "greta").stdout.strip(), r"^\S{12,}$")
        lost = self.own.command("account")
        self.assertEqual(lost.returncode, 2)
        self.assertIn("do what?", lost.stderr)

    def test_a_partners_team_is_of_the_directory(self):
        done = self.own.command("account", "add", "typo", "--kind", "partner", "--team", "sowth.test")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("team: the directory has no team sowth.test", done.stderr)
        account(self.own, "right", "partner")
        moved = self.own.ask("PATCH", "/api/v1/principals/right", {"team": "sowth.test"})
        self.assertEqual((moved.status, moved.json["field"]), (404, "team"))

    def test_the_operators_own_choice(self):
        for name, kind, status in (("olga", "operator", 200), ("paul", "analyst", 403)):
            account(self.own, name, kind)
            done = self.own.command("account", "password", name, "--stdin", stdin="chosen on the machine\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            answer = self.own.get("/api/v1/reports", **self.basic(name, "chosen on the machine"))
            self.assertEqual(answer.status, status, name)
        made = self.own.command("account", "password", "olga").stdout.strip()
        self.assertEqual(self.own.get("/api/v1/reports", **self.basic("olga", made)).status, 403)

    def test_tokens_by_command(self):
        key = ready_account(self.own, "hans", "reader")
        listed = self.own.command("account", "tokens", "hans")
        number, label = listed.stdout.split()[:2]
        self.assertEqual((label, listed.stdout.count("\n")), ("test", 1))
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 200)
        done = self.own.command("account", "revoke", number)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.own.get("/api/v1/me", door="operators", **bearer(key)).status, 401)
        self.assertEqual(self.own.command("account", "tokens", "hans").stdout, "")
        for words in (("revoke",), ("tokens",), ("revoke", "x"), ("tokens", "nobody-here")):
            self.assertIn(self.own.command("account", *words).returncode, (2, 3), words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
