#!/usr/bin/env python3
"""Does the node start, stay, read settings anew and stop as comity-serve(1) says?

usage: serve.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder)
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import kernel
from node import PATIENCE, ROLES, Local, Node

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.home = self.folder / "home"

    def node(self, *options, **more):
        node = Node(COMITY, self.home, *OPTIONS, *options, **more)
        self.addCleanup(node.close)
        return node

    def connect(self, node, door):
        client = node.connect(door)
        self.addCleanup(client.close)
        return client

    def config(self, text):
        path = self.folder / "comity.conf"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run_comity(self, *words, **more):
        return subprocess.run([COMITY, *words], capture_output=True, timeout=PATIENCE, check=False, text=True, **more)


def gone(pid):
    """Ended, or ended and not yet fetched by its parent."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Life(Case):
    def test_all_roles_run_and_the_node_says_when_it_is_ready(self):
        node = self.node()
        self.assertEqual(sorted(line["which"] for line in node.find("role ready")), ROLES)
        last = max(i for i, line in enumerate(node.lines) if line["event"] == "role ready")
        self.assertGreater(next(i for i, line in enumerate(node.lines) if line["event"] == "node ready"), last)
        for role in ROLES:
            shown = pathlib.Path(f"/proc/{node.pid(role)}/cmdline").read_bytes().split(b"\0")[0]
            self.assertEqual(shown.decode(), "comity: " + role.replace(" ", "-"))
        about = (self.home / "local.sock").stat()
        self.assertTrue(stat.S_ISSOCK(about.st_mode))
        self.assertEqual(about.st_mode & 0o777, 0o600)
        self.assertEqual(self.home.stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.home / "tls" / "key.pem").stat().st_mode & 0o777, 0o600)
        for door in ("operators", "partners"):
            host, port = node.address[door].rsplit(":", 1)
            socket.create_connection((host, int(port)), PATIENCE).close()

    def test_it_stops_when_it_is_asked_and_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                node = self.node()
                pids = [node.pid(role) for role in ROLES]
                self.assertEqual(node.stop(number), 0, node.log())
                self.assertTrue(all(gone(pid) for pid in pids))
                self.assertFalse((self.home / "local.sock").exists())
                self.assertEqual(len(node.find("node stopped")), 1)
                self.assertEqual(node.find("role died"), [])

    def test_a_role_that_hangs_does_not_keep_the_node_from_stopping(self):
        node = self.node("--stop.deadline", "300 ms")
        os.kill(node.pid("courier"), signal.SIGSTOP)
        self.assertEqual(node.stop(), 0, node.log())
        self.assertEqual(len(node.find("roles did not end in time and are killed")), 1)

    def test_roles_hold_only_what_is_theirs(self):
        node = self.node()
        held = {role: [os.readlink(entry) for entry in pathlib.Path(f"/proc/{node.pid(role)}/fd").iterdir()]
                for role in ROLES}
        for role in ROLES:
            self.assertEqual(os.readlink(f"/proc/{node.pid(role)}/fd/0"), "/dev/null")
        for role in ("courier", "front local", "front operators", "front partners"):
            self.assertFalse([name for name in held[role] if name.startswith(str(self.home))], held[role])

    def test_the_service_manager_is_told(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.folder / "notify"))
            manager.settimeout(PATIENCE)
            node = self.node(env={"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "200000"}, ready=False)

            def told(word):
                while True:
                    said = manager.recv(1000).decode()
                    if word in said.split("\n"):
                        return said
            self.assertIn("STATUS=serving", told("READY=1"))
            node.wait("node ready")  # said just before, and read by another thread
            self.assertEqual(sorted(line["which"] for line in node.find("role ready")), ROLES)
            told("WATCHDOG=1")
            node.send(signal.SIGHUP)
            self.assertIn("MONOTONIC_USEC=", told("RELOADING=1"))
            told("READY=1")
            for role in ROLES:
                environ = pathlib.Path(f"/proc/{node.pid(role)}/environ").read_bytes()
                self.assertNotIn(b"NOTIFY_SOCKET", environ)
            node.send(signal.SIGTERM)
            told("STOPPING=1")
            self.assertEqual(node.end(), 0)


class Death(Case):
    def test_each_role_is_started_again_and_the_others_stay(self):
        node = self.node()
        for role in ROLES:
            with self.subTest(role):
                before = {other: node.pid(other) for other in ROLES}
                new = node.kill(role)
                self.assertNotEqual(new, before[role])
                self.assertEqual({other: node.pid(other) for other in ROLES}, {**before, role: new})
        self.assertEqual(node.stop(), 0, node.log())

    def test_a_role_that_hangs_at_its_start_is_killed_by_the_deadline(self):
        node = self.node("--start.deadline", "1 s")
        since = node.mark()
        os.kill(node.pid("courier"), signal.SIGKILL)
        pid = node.wait("role started", since, which="courier")["pid"]
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            self.fail("the courier ended by itself")
        if not node.find("role ready", since, which="courier"):  # stopped before it was ready, nearly always
            node.wait("role is not ready in time", since, which="courier")
            node.wait("role ready", since, which="courier")

    def test_one_that_dies_in_a_loop_stops_the_node_with_the_reason(self):
        node = self.node()
        self.home.rename(self.folder / "elsewhere")
        self.home.write_text("no folder", encoding="utf-8")
        os.kill(node.pid("core"), signal.SIGKILL)
        self.assertEqual(node.end(), 3, node.log())
        why = node.find("node failed")[-1]
        self.assertIn("core ended with status 1, ", why["message"])
        self.assertIn("times in a row", why["message"])
        self.assertGreaterEqual(len(node.find("role started", which="core")), 5)

    def test_one_that_cannot_start_at_all_stops_it_at_once(self):
        self.home.mkdir(mode=0o700)
        (self.home / "node.db").mkdir()
        node = self.node(ready=False)
        self.assertEqual(node.end(), 3, node.log())
        self.assertEqual(len(node.find("role started", which="core")), 1)

    def test_a_data_folder_that_everybody_may_write(self):
        self.home.mkdir()
        self.home.chmod(0o777)
        node = self.node(ready=False)
        self.assertEqual(node.end(), 3, node.log())
        self.assertIn("chmod 700", node.find("node failed")[-1]["message"])
        self.assertEqual(list(self.home.iterdir()), [])
        self.home.chmod(0o775)  # one's own group may be meant
        self.assertEqual(self.node().stop(), 0)

    def test_without_the_parent_nobody_stays_and_the_next_node_starts(self):
        node = self.node()
        pids = [node.pid(role) for role in ROLES]
        node.process.kill()
        node.end()  # all have closed standard error
        self.assertTrue((self.home / "local.sock").exists())
        until = time.monotonic() + PATIENCE
        while not all(gone(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.01)
        self.assertTrue(all(gone(pid) for pid in pids))
        self.assertEqual(self.node().stop(), 0)


class Doors(Case):
    """The same over the doors themselves, behind their walls."""

    def test_a_connection_outlives_reload_and_core(self):
        node = self.node()
        client = self.connect(node, "operators")
        node.ask("operators", "/readyz", 200, client)
        before = client.sock
        since = node.mark()
        node.send(signal.SIGHUP)
        node.wait("settings read", since)
        node.ask("operators", "/readyz", 200, client)
        os.kill(node.pid("core"), signal.SIGSTOP)  # it cannot answer, and is not gone
        os.kill(node.pid("core"), signal.SIGKILL)
        node.ask("operators", "/readyz", 200, client)
        self.assertIs(client.sock, before)
        self.assertEqual(len(node.find("role died")), 1)
        self.assertEqual(node.stop(), 0, node.log())

    def test_while_core_is_away_the_doors_say_so(self):
        node = self.node()
        self.home.rename(self.folder / "elsewhere")
        self.home.write_text("no folder", encoding="utf-8")  # so that core stays away, until the node gives up
        clients = {door: self.connect(node, door) for door in ("operators", "partners")}
        for client in clients.values():
            client.connect()
        os.kill(node.pid("core"), signal.SIGKILL)
        for door, client in clients.items():
            answer = node.ask(door, "/readyz", 503, client)
            self.assertTrue(int(answer.headers["Retry-After"]) > 0)
        self.assertEqual(node.end(), 3, node.log())

    def test_not_ready_while_the_register_cannot_be_read(self):
        node = self.node()
        journal = self.home / "journal.jsonl"

        def status(*words):
            return self.run_comity("status", "--home", str(self.home), *words)

        self.assertEqual(status().returncode, 0)
        journal.write_text("no journal\n", encoding="utf-8")
        for door in ("operators", "partners"):
            answer = node.ask(door, "/readyz", 503)
            self.assertTrue(int(answer.headers["Retry-After"]) > 0)
        node.ask("operators", "/healthz", 200)
        told = status()
        self.assertEqual(told.returncode, 1, told.stderr)
        self.assertIn("NO: the agreements cannot be read anew", told.stdout)
        self.assertIn(str(journal), told.stdout)
        told = json.loads(status("--json").stdout)
        self.assertIs(told["ok"], False)
        self.assertIn(str(journal), told["why"])
        journal.unlink()
        node.ask("operators", "/readyz", 200)
        told = status("--json")
        self.assertEqual((told.returncode, json.loads(told.stdout)["why"]), (0, None))
        self.assertEqual(node.stop(), 0, node.log())

    def test_a_door_that_dies_is_open_again(self):
        node = self.node()
        for door in ("operators", "partners"):
            with self.subTest(door):
                node.kill("front " + door)
                node.ask(door, "/readyz", 200)

    def test_a_door_and_core_may_die_together(self):
        node = self.node()
        for first, second in (("core", "front partners"), ("front partners", "core")):
            since = node.mark()
            for role in (first, second):
                os.kill(node.pid(role), signal.SIGKILL)
            for role in (first, second):
                node.wait("role ready", since, which=role)
            node.ask("partners", "/readyz", 200)

    def test_another_certificate_is_shown_to_those_who_come_later(self):
        node = self.node()
        host, port = node.address["partners"].rsplit(":", 1)
        old = ssl.get_server_certificate((host, int(port)))
        self.assertEqual(old.split(), (self.home / "tls" / "certificate.pem").read_text(encoding="utf-8").split())
        client = self.connect(node, "partners")
        node.ask("partners", "/healthz", 200, client)
        other = Node(COMITY, self.folder / "other", *OPTIONS)
        self.addCleanup(other.close)
        self.assertEqual(other.stop(), 0)
        for name in ("certificate.pem", "key.pem"):
            shutil.copy(self.folder / "other" / "tls" / name, self.home / "tls" / name)
        since = node.mark()
        node.send(signal.SIGHUP)
        node.wait("settings read", since)
        node.ask("partners", "/healthz", 200, client)
        new = (self.folder / "other" / "tls" / "certificate.pem").read_text(encoding="utf-8")
        until = time.monotonic() + PATIENCE
        while ssl.get_server_certificate((host, int(port))).split() != new.split():
            self.assertLess(time.monotonic(), until)

    def test_the_local_door_is_for_comity_itself(self):
        node = self.node()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.home / "local.sock"))
            client.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(node.find("role died"), [])


class Refusals(Case):
    def test_a_second_node_on_the_same_folder(self):
        first = self.node()
        second = self.node(ready=False)
        self.assertEqual(second.end(), 3)
        self.assertIn(f"another `comity serve` runs on the data folder {self.home}", second.find("node failed")[0]["message"])
        self.assertTrue((self.home / "local.sock").exists())
        self.assertEqual(first.stop(), 0)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            node = self.node("--listen.partners", where, ready=False)
            self.assertEqual(node.end(), 3)
        why = node.find("node failed")[0]
        self.assertEqual(why["field"], "listen.partners")
        self.assertIn(f"cannot listen on {where}: another program listens there already", why["message"])
        self.assertFalse((self.home / "local.sock").exists())

    def test_a_wrong_file_of_settings(self):
        file = self.config("team = x\nlisten.partner = 127.0.0.1:0\n")
        done = self.run_comity("serve", "--home", str(self.home), "--config", file)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"{file}:2: listen.partner: ", done.stderr)
        self.assertIn('the nearest is "listen.partners"', done.stderr)
        self.assertFalse(self.home.exists())
        done = self.run_comity("serve", "--home", str(self.home), "--config", str(self.folder / "none"))
        self.assertEqual(done.returncode, 3)
        self.assertIn("none is not there", done.stderr)

    def test_plain_http_where_others_could_listen(self):
        done = self.run_comity("serve", "--home", str(self.home), "--tls", "off", "--listen.partners", "0.0.0.0:0")
        self.assertEqual(done.returncode, 3)
        self.assertIn("tls: must be on where others could listen", done.stderr)

    def test_words_that_are_no_options(self):
        for words, says in ((["--lisen.partners", "x"], '"listen.partners"'), (["--watch", "maybe"], "off|on"),
                            (["--watch"], "needs a value"), (["here"], "not an option")):
            done = self.run_comity("serve", *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)

    def test_a_key_that_is_not_the_certificates(self):
        for name in ("one", "two"):
            node = Node(COMITY, self.folder / name, *OPTIONS)
            self.addCleanup(node.close)
            self.assertEqual(node.stop(), 0)
        node = self.node("--tls.certificate", str(self.folder / "one/tls/certificate.pem"),
                         "--tls.key", str(self.folder / "two/tls/key.pem"), ready=False)
        self.assertEqual(node.end(), 3)
        self.assertIn("not the key of tls.certificate", node.find("node failed")[0]["message"])

    @unittest.skipIf("--no-sandbox" in OPTIONS, "there are no walls")
    def test_a_kernel_that_refuses_the_walls(self):
        for before in (kernel.no_landlock, kernel.no_seccomp):
            if before is kernel.no_seccomp and not kernel.SECCOMP:
                continue
            node = self.node(before=before, ready=False)
            self.assertEqual(node.end(), 3, node.log())
            self.assertIn("the kernel refuses the sandbox", node.log())
            self.assertEqual(node.find("node ready"), [])

    def test_who_insists_goes_without_and_is_told(self):
        node = Node(COMITY, self.home, "--no-sandbox", before=kernel.no_landlock)
        self.addCleanup(node.close)
        self.assertEqual(len([line for line in node.lines if (line["event"] or "").startswith("no sandbox: ")]), 1)
        self.assertEqual(node.stop(), 0)


class Reload(Case):
    def reload(self, node):
        since = node.mark()
        node.send(signal.SIGHUP)
        return since

    def test_settings_are_read_anew_and_connections_stay(self):
        file = self.config("log.level = info\n")
        node = self.node("--config", file)
        pids = {role: node.pid(role) for role in ROLES}
        host, port = node.address["operators"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), PATIENCE) as client:
            self.config("log.level = debug\nteam = other\n")
            since = self.reload(node)
            node.wait("settings read", since)
            self.assertEqual(node.wait("setting changed, which applies when the node is started again", since)["option"], "team")
            client.setblocking(False)
            self.assertRaises(BlockingIOError, client.recv, 1)
        self.assertEqual({role: node.pid(role) for role in ROLES}, pids)
        self.assertEqual(node.stop(), 0, node.log())

    def team(self, name):
        return json.dumps([{"id": "aa", "name": name, "kind": "national", "economies": ["XA"], "source": "test", "verified": True,
                            "constituency": {"domains": ["aa.test"]}}])

    def told_as(self, name):
        """Until core has NAME from its directory."""
        until = time.monotonic() + PATIENCE
        while True:
            local = Local(self.home)
            names = [item["name"] for item in local.get("/api/v1/teams")["items"]]
            local.close()
            if names == [name]:
                return
            self.assertLess(time.monotonic(), until, (name, names))

    def test_a_file_in_anothers_place_and_one_named_anew_are_read(self):
        first, other = self.folder / "teams.json", self.folder / "others.json"
        first.write_text(self.team("first"), encoding="utf-8")
        agreed = self.folder / "agreed.json"
        shutil.copy(pathlib.Path(os.environ["COMITY_SHARE"]) / "examples" / "agreements" / "memorandum.json", agreed)
        file = self.config(f"teams = {first}\nagreements = {agreed}\n")
        node = self.node("--config", file)
        self.told_as("first")
        for name in ("second", "third"):  # as editors do: the file under this name is another
            new = self.folder / "new"
            new.write_text(self.team(name), encoding="utf-8")
            new.rename(first)
            shutil.copy(agreed, new)
            new.rename(agreed)
            node.wait("settings read", self.reload(node))
            self.told_as(name)
        other.write_text(self.team("fourth"), encoding="utf-8")
        self.config(f"teams = {other}\nagreements = {agreed}\n")
        node.wait("settings read", self.reload(node))
        self.told_as("fourth")
        node.kill("core")
        self.told_as("fourth")
        self.assertEqual(node.find("settings could not be read anew"), [])

    def test_another_folder_is_read_at_a_restart_and_refused_before(self):
        folders = [self.folder / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
            (folder / "aa.json").write_text(self.team(folder.name), encoding="utf-8")
        node = self.node("--config", self.config(f"teams = {folders[0]}\n"))
        self.told_as("one")
        new = folders[0] / "new"
        new.write_text(self.team("new"), encoding="utf-8")
        new.rename(folders[0] / "aa.json")
        node.wait("settings read", self.reload(node))
        self.told_as("new")
        self.config(f"log.level = debug\nteams = {self.folder / 'none'}\n")
        wrong = node.wait("settings are wrong; those before stay", self.reload(node))
        self.assertEqual((wrong["field"], wrong["error"]), ("teams", "not-found"))
        self.config(f"teams = {folders[1]}\n")
        since = self.reload(node)
        if OPTIONS:  # without walls there is nothing to refuse
            node.wait("settings read", since)
        else:
            wrong = node.wait("settings are wrong; those before stay", since)
            self.assertEqual(wrong["field"], "teams")
            self.assertIn("when the node is started again", wrong["message"])
            self.told_as("new")
            node.kill("core")  # the folder before stays
            self.told_as("new")
            self.assertEqual(node.stop(), 0)
            self.node("--config", str(self.folder / "comity.conf"))
        self.told_as("two")

    def metrics(self, client):
        # Core judges credentials: that they are wrong says that it was asked.
        client.request("GET", "/metrics", headers={"Authorization": "Basic bm9ib2R5Ondyb25n"})
        answer = client.getresponse()
        answer.read()
        return answer.status

    def test_metrics_are_served_if_they_may_be(self):
        file = self.config("metrics = off\n")
        node = self.node("--config", file)
        client = self.connect(node, "operators")
        self.assertEqual(self.metrics(client), 404)
        with socket.socket(socket.AF_UNIX) as local: # who may open it is the operator, and needs no such leave
            local.connect(str(self.home / "local.sock"))
            local.sendall(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(local.recv(12), b"HTTP/1.1 200")
        self.config("metrics = on\n")
        node.wait("settings read", self.reload(node))
        until = time.monotonic() + PATIENCE
        while self.metrics(client) == 404 and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(self.metrics(client), 401)

    def test_what_is_wrong_changes_nothing(self):
        file = self.config("log.level = info\n")
        node = self.node("--config", file)
        for text, line, says in (("log.level = info\nlog.levle = debug\n", 2, "log.level"),
                                 ("tls.certificate = /nonexistent\ntls.key = /nonexistent\n", None, "is not there")):
            self.config(text)
            wrong = node.wait("settings are wrong; those before stay", self.reload(node))
            self.assertEqual(wrong.get("line"), line)
            self.assertIn(says, wrong["message"])
        self.assertEqual(node.find("role died"), [])
        self.config("log.level = warning\n")
        since = self.reload(node)
        os.kill(node.pid("courier"), signal.SIGKILL)
        node.wait("role died", since, which="courier")
        self.assertEqual(node.find("settings read", since), [])


class Usage(Case):
    def test_a_path_that_is_too_long_is_not_cut(self):
        self.folder.joinpath("here").mkdir()
        done = self.run_comity("serve", "--home", "a/" * 2040, cwd=self.folder / "here")
        self.assertEqual(done.returncode, 3)
        self.assertIn("is too long", done.stderr)
        self.assertEqual(list(self.folder.joinpath("here").iterdir()), [])

    def test_a_wrong_command_line_is_said_without_a_node_or_store(self):
        for command, *words in (["held", "bogus"], ["held", "release", "1"], ["held", "refuse", "--reason", "x"], ["held"],
                                ["account", "bogus"], ["account", "add", "greta"], ["account", "token", "greta"],
                                ["account", "tokens"], ["account", "revoke"], ["account", "disable"],
                                ["store", "bogus"], ["store"]):
            done = self.run_comity(command, *words, "--home", str(self.home))
            self.assertEqual((done.returncode, done.stdout), (2, ""), (command, words, done.stderr))
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        done = self.run_comity("held", "bogus", "--home", str(self.home))
        self.assertEqual(done.stderr, 'comity: comity held has list, release and refuse, not "bogus"\n')


class Config(Case):
    def test_check_tells_all_faults(self):
        file = self.config("geo = /nonexistent/table\nwatch = maybe\nwach = on\n")
        done = self.run_comity("config", "check", file)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        lines = done.stderr.splitlines()
        self.assertEqual(lines[0], f'{file}:2: watch: "maybe" is not one of: off|on')
        self.assertTrue(lines[1].startswith(f"{file}:3: wach: "))
        self.assertEqual(lines[2], f"{file}:1: geo: /nonexistent/table is not there")
        self.assertEqual(len(lines), 3)
        done = self.run_comity("config", "check", self.config("# nothing\n"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.run_comity("config", "check", str(self.folder / "none")).returncode, 3)
        self.assertEqual(self.run_comity("config", "chek").returncode, 2)
        self.home.mkdir()
        (self.home / "comity.conf").write_text("wach = on\n", encoding="utf-8")
        done = self.run_comity("config", "check", "--home", str(self.home))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.home}/comity.conf:1: wach: ", done.stderr)
        self.assertEqual(self.run_comity("config", "check", "--home").returncode, 2)

    def test_list_has_every_option_as_it_is(self):
        file = self.config("team = x\nkeep.reports = 1 d\n")
        done = self.run_comity("config", "list", "--json", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["name"]: row for row in json.loads(done.stdout)}
        self.assertEqual((rows["team"]["value"], rows["team"]["line"], rows["team"]["applies"]), ("x", 1, "restart"))
        self.assertEqual((rows["keep.reports"]["default"], rows["keep.reports"]["type"]), ("365 d", "duration"))
        self.assertEqual(rows["log.format"]["choices"], "text|json")
        table = self.run_comity("config", "list", file).stdout
        for name in rows:
            self.assertIn(f"\n{name} ", "\n" + table)
        # What is listed is a file that is right.
        again = self.config("".join(f'{name} = "{row["value"]}"\n' for name, row in rows.items()))
        self.assertEqual(self.run_comity("config", "check", again).returncode, 0)


if __name__ == "__main__":
    if "--no-sandbox" not in OPTIONS and not kernel.has_landlock():
        print("SKIPPED: this kernel has no Landlock")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
