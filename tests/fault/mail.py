#!/usr/bin/env python3
"""E-mail for teams without a node, with real GnuPG and a real SMTP server: what comes out, and what happens when the server, the
network, the clock or a process fails.

usage: mail.py COMITY SHIM [--no-sandbox] [TEST...]
"""
import contextlib
import csv
import datetime
import email
import email.policy
import gzip
import io
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

from smtp import Server, certificate
from world import AGREED, Case, address, main

from names import Names  # of tests/system, which world made known

DAY = 86400


class Keys:
    """A folder of GnuPG's."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def run(self, *words, **more):
        done = subprocess.run(["gpg", "--batch", "--quiet", "--no-tty", *words], env={**os.environ, "GNUPGHOME": str(self.folder)},
                              capture_output=True, check=False, **more)
        return done

    def make(self, who):
        done = self.run("--passphrase", "", "--quick-gen-key", who, "future-default", "default", "0")
        assert done.returncode == 0, done.stderr
        return self

    def export(self, who, path):
        done = self.run("--armor", "--export", who)
        path.write_bytes(done.stdout)
        return path

    def end(self):
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env={**os.environ, "GNUPGHOME": str(self.folder)}, capture_output=True, check=False)


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def attachment(part, name):
    for one in part.walk():
        if one.get_filename() == name:
            return one.get_payload(decode=True)
        if one.get_filename() == name + ".gz":
            return gzip.decompress(one.get_payload(decode=True))
    raise AssertionError(f"no {name} in {[p.get_filename() for p in part.walk()]}")


class Mail(Case):
    def start(self, server, *options, agreed=(AGREED,), on=True, **more):
        """A node that mails to SERVER, with a key to sign by."""
        port = server if isinstance(server, int) else server.port
        mail = ["--mail", "on"] if on else []
        self.w = self.world(*mail, "--mail.from", "reports@north.test", "--mail.reply", "reports+BATCH@north.test", "--mail.smtp",
                            f"smtp://127.0.0.1:{port}", "--mail.sign-key", "reports@north.test", "--courier.retry-first", "100 ms",
                            "--courier.retry-most", "200 ms", *options, agreed=agreed, **more)
        self.own, self.other = Keys(self.w.home / "gnupg"), Keys(self.w.folder / "south")
        self.addCleanup(self.other.end)
        self.addCleanup(self.own.end)
        self.own.make("North <reports@north.test>")
        self.other.make("South <abuse@south.test>")
        self.own.export("reports@north.test", self.w.folder / "north.asc")
        self.other.run("--import", str(self.w.folder / "north.asc"))
        self.key = self.other.export("abuse@south.test", self.w.folder / "south.asc")
        self.own.end()
        self.addCleanup(self.stop)
        self.w.start()
        return self.w

    def stop(self):
        """As an operator would, so that the agent goes, too."""
        if self.w.node and self.w.node.process.poll() is None:
            self.w.node.send(signal.SIGTERM)
            self.w.node.end()

    def add(self, *more, when="at-once", key=True):
        self.w.command("mail", "add", "bb.test", "--to", "abuse@south.test", "--when", when, *(["--key", str(self.key)] if key else []), *more)

    def shown(self):
        return json.loads(self.w.command("mail", "show", "bb.test", "--json"))["items"][0]

    def until(self, condition, what):
        self.w.wait(lambda: condition(self.shown()), what)
        return self.shown()

    def stuck(self):
        """Teams that get mail, mails that wait, those that were not taken, teams whose mail has stopped; the metrics say the same."""
        names = ("mailed_teams", "mails_waiting", "mails_late", "mails_stopped")
        status, metrics = self.w.local("/api/v1/status")[1], self.w.local("/metrics")[1].decode().splitlines()
        return tuple(status[n] for n in names if f"comity_{n} {status[n]}" in metrics)

    def reports(self, *numbers):
        self.w.until_ingested(numbers)
        self.w.drain()

    def open(self, content):
        """What is inside, after gpg has decrypted and verified it: (outer headers, the parts)."""
        outer = parse(content)
        self.assertEqual(outer.get_content_type(), "multipart/encrypted")
        self.assertEqual(outer.get_param("protocol"), "application/pgp-encrypted")
        version, body = outer.iter_parts()
        self.assertEqual(version.get_content_type(), "application/pgp-encrypted")
        done = self.other.run("--ignore-time-conflict", "--status-fd", "2", "--decrypt", input=body.get_payload(decode=True))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"GOODSIG", done.stderr)
        return outer, parse(done.stdout)

    def check(self, inner, numbers):
        """Both attachments have these reports and no other."""
        rows = list(csv.DictReader(io.StringIO(attachment(inner, "reports.csv").decode())))
        bundle = json.loads(attachment(inner, "bundle.json"))
        seen = [o for o in bundle["objects"] if o["type"] == "observed-data"]
        self.assertEqual(sorted(r["source.ip"] for r in rows), sorted(address(n) for n in numbers))
        self.assertEqual(len(seen), len(numbers))
        ids = [o["id"] for o in bundle["objects"]]
        self.assertEqual(len(ids), len(set(ids)))
        refs = {r for o in bundle["objects"] for k, v in o.items() if k.endswith(("_ref", "_refs")) for r in ([v] if isinstance(v, str) else v)}
        self.assertEqual(refs - set(ids), set())
        return rows, bundle

    # ---- what comes out ----

    def test_encrypted_and_signed(self):
        with Server() as server:
            self.start(server)
            self.add()
            self.reports(*range(3))
            mail = server.wait(1)
            outer, inner = self.open(mail.content)
            rows, bundle = self.check(inner, range(3))
            batch = next(o for o in bundle["objects"] if o["type"] == "comity-batch")["id"].split("--")[1]
            self.assertEqual(mail.sender, "reports@north.test")
            self.assertEqual(mail.to, ["abuse@south.test"])
            self.assertEqual(outer["From"].addresses[0].addr_spec, "reports@north.test")
            self.assertEqual(outer["To"].addresses[0].addr_spec, "abuse@south.test")
            self.assertEqual(outer["Reply-To"].addresses[0].addr_spec, f"reports+{batch}@north.test")
            self.assertIn(batch, outer["Message-Id"])
            self.assertEqual(outer["Auto-Submitted"], "auto-generated")
            self.assertIn("[TLP:AMBER] 3 reports for bb.test", outer["Subject"])
            self.assertIn(batch, outer["Subject"])
            self.assertIsNotNone(outer["Date"].datetime)
            self.assertEqual(rows[0]["tlp"], "TLP:AMBER")
            text = inner.get_body().get_content()
            for words in ("TLP:AMBER", batch, "scanner", AGREED["id"] + "#1", "reports.csv", "bundle.json", "reply"):
                self.assertIn(words, text)
            # To the byte: CRLF only, ASCII only, no line too long for SMTP.
            self.assertNotRegex(mail.content, rb"(?<!\r)\n|\r(?!\n)|[\x80-\xff]")
            self.assertLessEqual(max(map(len, mail.content.split(b"\r\n"))), 998)
            shown = self.until(lambda s: s["mails"][0]["state"] == "accepted", "the server's word")
            self.assertEqual((shown["mails"][0]["code"], shown["mails"][0]["said"]), (250, "250 taken"))
            self.assertEqual(self.w.stats_of_all()["released"], 3)
            queue = lambda: next(q for q in self.w.local("/api/v1/outbox")[1]["items"] if q["team"] == "bb.test")
            self.w.wait(lambda: queue()["delivered"] == 3, "the count of what was delivered")
            self.assertEqual((queue()["way"], queue()["link"]), ("mail", None))

    def test_signed_only(self):
        with Server() as server:
            self.start(server)
            self.add(key=False)
            self.reports(1)
            content = server.wait(1).content
            outer = parse(content)
            self.assertEqual(outer.get_content_type(), "multipart/signed")
            self.assertEqual(outer.get_param("protocol"), "application/pgp-signature")
            boundary = outer.get_boundary().encode()
            signed = content.split(b"--" + boundary + b"\r\n")[1].removesuffix(b"\r\n")
            (self.w.folder / "signed").write_bytes(signed)
            (self.w.folder / "sig").write_bytes(list(outer.iter_parts())[1].get_payload(decode=True))
            done = self.other.run("--verify", str(self.w.folder / "sig"), str(self.w.folder / "signed"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check(parse(signed), [1])

    def test_one_a_day(self):
        with Server() as server:
            at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
            self.start(server, "--mail.daily-at", at.strftime("%H:%M"))
            self.add(when="daily")
            self.reports(1)
            self.reports(2)
            self.assertEqual(self.shown()["mails"], [])
            self.w.control.clock_us = 1 * 3600 * 1_000_000
            self.reports(3)
            self.assertEqual((self.shown()["mails"], server.dialogue), ([], []))
            self.w.control.clock_us = 2 * 3600 * 1_000_000 + 60 * 1_000_000
            self.check(self.open(server.wait(1).content)[1], [1, 2, 3])
            self.reports(4)
            self.until(lambda s: s["mails"][0]["state"] == "accepted" and s["next"] > (at + datetime.timedelta(hours=12)).strftime("%Y-%m-%dT%H"),
                       "the next day's hour")
            self.assertEqual(len(self.shown()["mails"]), 1)
            self.w.control.clock_us = (DAY + 2 * 3600 + 60) * 1_000_000
            self.check(self.open(server.wait(2).content)[1], [4])

    def test_trial(self):
        with Server() as server:
            self.start(server)
            self.add(when="daily")
            self.reports(5)
            self.w.command("mail", "test", "bb.test", "--out", str(self.w.folder / "trial.eml"))
            content = (self.w.folder / "trial.eml").read_bytes()
            outer, inner = self.open(content)
            self.assertIn("TRIAL", outer["Subject"])
            self.check(inner, [5])
            self.assertEqual((self.shown()["mails"], server.dialogue), ([], []))

    def test_too_much_for_one(self):
        with Server() as server:
            self.start(server, "--mail.max-bytes", "64 KiB")
            self.add(when="daily")
            for n in range(8):
                self.reports(*range(400 * n, 400 * n + 400))
            self.w.control.clock_us = DAY * 1_000_000
            self.until(lambda s: sum(m["reports"] for m in s["mails"] if m["state"] == "accepted") == 3200, "all of them")
            seen = []
            for mail in server.mails:
                self.assertLessEqual(len(mail.content), 65536)
                rows = csv.DictReader(io.StringIO(attachment(self.open(mail.content)[1], "reports.csv").decode()))
                seen += [r["extra.comity_id"] for r in rows]
            self.assertEqual((len(seen), len(set(seen))), (3200, 3200))
            self.assertGreater(len(server.mails), 1)

    def test_recall_in_the_same_thread(self):
        with Server() as server:
            self.start(server)
            self.add()
            self.reports(1)
            first, inner = self.open(server.wait(1).content)
            self.until(lambda s: s["mails"][0]["state"] == "accepted", "the server's word")
            rows, _ = self.check(inner, [1])
            self.w.command("recall", rows[0]["extra.comity_id"], "--reason", "it was wrong", "--yes")
            again, inner = self.open(server.wait(2).content)
            self.assertEqual((again["In-Reply-To"], again["References"]), (first["Message-Id"], first["Message-Id"]))
            self.assertIn("recalls", again["Subject"])
            self.assertTrue([o for o in json.loads(attachment(inner, "bundle.json"))["objects"] if o.get("revoked")])

    # ---- what must not come out ----

    def test_off(self):
        with Server() as server:
            self.start(server, on=False)
            self.add(key=False)
            self.reports(1)
            self.assertEqual(self.w.run("mail", "test", "bb.test").returncode, 3)
            self.assertNotEqual(self.w.run("mail", "add", "bb.test", "--to", "abuse@south.test", "--key", str(self.key)).returncode, 0)
            self.assertEqual(self.w.node.find("role started", which="mailer"), [])
            self.assertEqual(server.dialogue, [])
            self.assertEqual(self.shown()["mails"], [])

    def test_nobody_is_mailed_unasked(self):
        with Server() as server:
            self.start(server)
            self.reports(1)
            self.w.node.wait("role ready", which="mailer")
            self.assertEqual(json.loads(self.w.command("mail", "list", "--json"))["items"], [])
            self.assertEqual(server.dialogue, [])
            self.assertEqual(self.stuck(), (0, 0, 0, 0))
            self.assertNotIn("mail", self.w.command("status"))

    def test_no_injection(self):
        with Server() as server:
            self.start(server)
            for bad in ("abuse@south.test\r\nBcc: x@y.test", "a b@south.test", "abuse", "<abuse@south.test>", "a@b@c.test", "a@-x.test",
                        "a,b@south.test", '"a"@south.test', "abuse@south.test ", "@south.test", "a@"):
                self.assertNotEqual(self.w.run("mail", "add", "bb.test", "--to", bad).returncode, 0, bad)
            self.assertNotEqual(self.w.run("mail", "add", "no.test", "--to", "abuse@south.test").returncode, 0)

    def test_keys_that_are_none(self):
        with Server() as server:
            self.start(server)
            f = self.w.folder
            (f / "garbage").write_bytes(os.urandom(3000))
            (f / "empty").write_bytes(b"")
            (f / "secret").write_bytes(self.other.run("--armor", "--export-secret-keys", "abuse@south.test").stdout)
            self.other.run("--passphrase", "", "--quick-gen-key", "Signer <s@south.test>", "ed25519", "sign", "0")
            self.other.export("s@south.test", f / "signer")
            (f / "two").write_bytes((f / "signer").read_bytes() + self.key.read_bytes())
            for name in ("garbage", "empty", "secret", "signer", "two"):
                done = self.w.run("mail", "add", "bb.test", "--to", "abuse@south.test", "--key", str(f / name))
                self.assertNotEqual(done.returncode, 0, name)
                self.assertTrue(done.stderr, name)
            self.assertEqual(json.loads(self.w.command("mail", "list", "--json"))["items"], [])

    def test_encryption_is_required(self):
        clause = {**AGREED["clauses"][0], "require": ["encrypted-channel"]}
        with Server() as server:
            self.start(server, agreed=({**AGREED, "clauses": [clause]},))
            self.add(key=False)
            self.w.until_ingested([1])
            self.w.drain()
            held = self.w.local("/api/v1/held")[1]["items"]
            self.assertEqual([h["reason"] for h in held], ["no-encrypted-channel"])
            self.add()
            self.reports(2)
            self.check(self.open(server.wait(1).content)[1], [2])

    # ---- what goes wrong ----

    def test_not_now(self):
        with Server() as server:
            server.answers += ["451 later", "421 busy", "452 full"]
            self.start(server)
            self.add()
            self.reports(1)
            first = server.wait(1)
            self.assertEqual(server.dialogue, ["451 later", "421 busy", "452 full", "250 taken"])
            self.check(self.open(first.content)[1], [1])
            shown = self.until(lambda s: s["mails"][0]["state"] == "accepted", "the server's word")
            self.assertEqual((len(shown["mails"]), shown["mails"][0]["tries"]), (1, 3))

    def test_never(self):
        with Server() as server:
            server.answers += ["554 not from you"]
            self.start(server)
            self.add()
            self.reports(1)
            shown = self.until(lambda s: s["mails"] and s["mails"][0]["state"] == "refused", "the refusal")
            self.assertIn("554 not from you", shown["stopped"])
            self.w.wait(lambda: "refused for good" in self.w.node.log(), "word of it in the log")
            self.reports(2)
            self.assertEqual(len(self.shown()["mails"]), 1)
            self.assertIn("STOPPED", self.w.command("mail", "list"))
            self.assertEqual(self.stuck(), (1, 0, 0, 1))
            self.assertRegex(self.w.command("status"), r"mails waiting +0\nSTOPPED +1\n")
            self.add()  # the operator has mended it
            self.check(self.open(server.wait(1).content)[1], [1, 2])
            self.w.wait(lambda: self.stuck() == (1, 0, 0, 0), "an end of what was stuck")

    def test_dropped_and_away(self):
        with Server() as server:
            server.drop = 2
            self.start(server)
            self.add()
            self.reports(1)
            self.check(self.open(server.wait(1).content)[1], [1])
            self.until(lambda s: s["mails"][0]["state"] == "accepted" and s["mails"][0]["tries"] == 2, "the server's word")
            server.stop()
            self.reports(2)
            self.until(lambda s: s["mails"][0]["state"] == "ready" and s["mails"][0]["tries"] > 0, "a failure")
            server.start()
            self.check(self.open(server.wait(2).content)[1], [2])

    def test_slow(self):
        """While the server thinks, the node works, and hands nothing out twice; stopped, it waits for the answer."""
        with Server() as server:
            server.hold = threading.Event()
            self.addCleanup(server.hold.set)
            self.start(server)
            self.add()
            self.reports(1)
            self.until(lambda s: s["mails"] and s["mails"][0]["state"] == "ready", "a mail")
            self.reports(2)
            self.assertEqual(len(self.shown()["mails"]), 1)
            server.hold.set()
            self.check(self.open(server.wait(1).content)[1], [1])
            self.check(self.open(server.wait(2).content)[1], [2])

    def test_killed_in_the_middle(self):
        with Server() as server:
            self.start(server)
            self.add()
            numbers = iter(range(1000))
            sent = []
            for role in ("mailer", "courier", "core", "mailer", "courier", "core"):
                n = next(numbers)
                sent.append(n)
                self.w.until_ingested([n])
                self.w.node.kill(role)
                self.w.wait_well()
            self.w.drain()
            self.w.node.send(signal.SIGTERM)
            self.w.node.end()
            self.w.start()
            self.until(lambda s: not s["unsent"] and sum(m["reports"] for m in s["mails"] if m["state"] == "accepted") == len(sent), "all mails")
            by_id = {}
            for mail in server.mails:
                outer, inner = self.open(mail.content)
                rows = csv.DictReader(io.StringIO(attachment(inner, "reports.csv").decode()))
                by_id.setdefault(outer["Message-Id"], []).append(sorted(r["source.ip"] for r in rows))
            for same in by_id.values():  # who was killed between the server's word and core's note sends the same again
                self.assertTrue(all(s == same[0] for s in same))
            self.assertEqual(sorted(a for same in by_id.values() for a in same[0]), sorted(address(n) for n in sent))

    def agents(self):
        """Processes of gpg-agent for the node's folder."""
        found = []
        for one in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = one.read_bytes().split(b"\0")
                if words[0].endswith(b"gpg-agent") and str(self.w.home / "gnupg").encode() in words:
                    found.append(int(one.parent.name))
        return found

    def test_the_agent_goes_with_the_mailer(self):
        """It holds the key that signs: also when nobody could tell it to go."""
        with Server() as server:
            self.start(server)
            self.add()
            self.reports(1)
            server.wait(1)
            before = self.agents()
            self.assertEqual(len(before), 1)
            self.w.node.kill("mailer")
            self.w.wait_well()
            self.reports(2)
            server.wait(2)
            self.w.wait(lambda: len(self.agents()) == 1 and self.agents() != before, "another agent alone")
            self.w.node.send(signal.SIGKILL)
            self.w.node.end()
            self.w.wait(lambda: not self.agents(), "the end of the agent", alive=False)
            self.w.start()
            self.reports(3)
            server.wait(3)
            self.stop()
            self.assertEqual(self.agents(), [])

    # ---- TLS and signing in ----

    def secured(self, scheme, server, cert, *more, host="localhost"):
        password = cert.parent / "password"
        password.write_text("s3cret\n")
        self.start(server, "--mail.smtp", f"{scheme}://{host}:{server.port}", "--courier.ca", str(cert), "--mail.user", "node",
                   "--mail.password-file", str(password), *more)
        self.add()
        self.reports(1)

    def test_tls_from_the_beginning(self):
        with contextlib.ExitStack() as stack:
            folder = self.enterContext(temporary())
            pair = certificate(folder)
            server = stack.enter_context(Server(tls=pair, password="s3cret"))
            self.secured("smtps", server, pair[0])
            self.assertTrue(server.wait(1).tls)

    def refuses(self, reason):
        """It was tried more than once, said why, and no process was lost over it."""
        shown = self.until(lambda s: s["mails"] and s["mails"][0]["tries"] > 1, "a failure")
        self.assertEqual(shown["mails"][0]["state"], "ready")
        self.assertRegex(shown["mails"][0]["said"], reason)
        self.assertIsNone(shown["mails"][0]["code"])
        self.assertEqual(self.w.node.find("role died"), [])
        self.assertEqual(self.stuck(), (1, 1, 1, 0))
        self.assertRegex(self.w.command("status"), r"mails waiting +1\nLATE +1\n(?!STOPPED)")

    def test_nobody_vouches_for_the_server(self):
        with contextlib.ExitStack() as stack:
            folder = self.enterContext(temporary())
            pair = certificate(folder)
            other = certificate_of_others(folder)
            server = stack.enter_context(Server(tls=other, password="s3cret"))
            self.secured("smtps", server, pair[0])
            self.refuses("certificate")
            self.assertEqual((server.mails, server.begun), ([], []))

    # ---- a server with a name ----

    def named(self, names, host="mail.test", scheme="smtp", of="mail.test", **options):
        """A node that mails to HOST, which the server for names may know; the certificate is OF that name."""
        folder = self.enterContext(temporary())
        pair = certificate(folder, of)
        server = self.enterContext(Server(**{name: pair if value is True else value for name, value in options.items()}))
        self.secured(scheme, server, pair[0], "--courier.dns", names.address, host=host)
        return server

    def test_by_its_name(self):
        names = Names("mail.test")
        server = self.named(names, starttls=True, password="s3cret")
        mail = server.wait(1)
        self.assertTrue(mail.tls)
        self.check(self.open(mail.content)[1], [1])
        self.assertIn("mail.test", names.asked)
        self.until(lambda s: s["mails"][0]["state"] == "accepted", "the server's word")
        self.reports(2)  # the name is found again
        self.check(self.open(server.wait(2).content)[1], [2])
        self.assertEqual(self.w.node.find("role died"), [])

    def test_by_its_name_tls_from_the_beginning(self):
        server = self.named(Names("mail.test"), scheme="smtps", tls=True, password="s3cret")
        self.check(self.open(server.wait(1).content)[1], [1])

    def test_starttls_is_required(self):
        """Whoever has none learns nothing of the mail, not even to whom it is."""
        server = self.named(Names("mail.test"))
        self.refuses("STARTTLS|SSL|TLS")
        self.assertGreater(server.greeted, 1)
        self.assertEqual((server.begun, server.mails, server.dialogue), ([], [], []))

    def test_another_name_in_the_certificate(self):
        server = self.named(Names("mail.test"), starttls=True, password="s3cret", of="other.test")
        self.refuses("certificate")
        self.assertEqual((server.begun, server.mails), ([], []))

    def test_a_name_that_leads_nowhere(self):
        names = Names("mail.test", quiet=["silent.test"])
        server = self.named(names, host="nobody.test", starttls=True, password="s3cret")
        self.refuses("^nobody.test: its name leads to no address")
        self.assertEqual(server.greeted, 0)
        names.here += ("nobody.test",)  # somebody has mended it; but for that name nobody vouches
        self.until(lambda s: "certificate" in s["mails"][0]["said"], "another reason")
        self.assertEqual((server.begun, server.mails), ([], []))

    def test_a_name_that_nobody_answers_for(self):
        """While it waits for the answer the node works, and ends in time."""
        names = Names(quiet=["silent.test"])
        server = self.named(names, host="silent.test", starttls=True, password="s3cret")
        self.refuses("^silent.test: its name leads to no address")
        self.w.wait(lambda: len(names.asked) > 4, "another question")
        self.stop()
        self.assertEqual((server.greeted, self.w.node.process.returncode), (0, 0))

    def test_localhost_is_this_machine(self):
        """Whatever a name server says: nobody is asked, as a mail in the clear would go there."""
        names = Names()
        with Server() as server:
            self.start(server, "--mail.smtp", f"smtp://localhost:{server.port}", "--courier.dns", names.address)
            self.add()
            self.reports(1)
            self.check(self.open(server.wait(1).content)[1], [1])
            self.assertEqual(names.asked, [])


@contextlib.contextmanager
def temporary():
    with tempfile.TemporaryDirectory(prefix="comity-smtp-") as name:
        yield pathlib.Path(name)


def certificate_of_others(folder):
    other = folder / "other"
    other.mkdir()
    return certificate(other)


main()
