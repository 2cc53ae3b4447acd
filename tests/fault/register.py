#!/usr/bin/env python3
"""`comity agreement` is killed at every boundary of its work: the register is never damaged, and the command can be given again.

Each fourth boundary in ./dev test.    usage: register.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from control import Control
from world import AGREED, OPTIONS, TEAMS, main


class Register(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.control = Control(self.folder / "fault", OPTIONS.shim)
        (self.folder / "teams.json").write_text(json.dumps(TEAMS), encoding="utf-8")
        self.homes = {"own.test": self.folder / "own", "bb.test": self.folder / "other"}
        keys = {team: self.ask(team, "key", "--as", team).split()[1] for team in self.homes}
        self.ask("own.test", "key", "--trust", "bb.test", keys["bb.test"])
        self.ask("bb.test", "key", "--trust", "own.test", keys["own.test"])

    def give(self, team, *words, killed=False):
        environment = {**os.environ, "COMITY_HOME": str(self.homes[team]), **(self.control.environment if killed else {})}
        return subprocess.run([OPTIONS.comity, "agreement", words[0], "--teams", str(self.folder / "teams.json"), *words[1:]], env=environment,
                              capture_output=True, text=True, cwd=self.folder, check=False)

    def ask(self, team, *words):
        done = self.give(team, *words)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def standing(self, ident):
        return next((row["standing"] for row in json.loads(self.ask("own.test", "list", "--json")) if row["id"] == ident), None)

    def events(self, ident):
        return [e["event"] for e in json.loads(self.ask("own.test", "show", "--json", ident))["events"]]

    def walk(self, before, command, after):
        """BEFORE makes an agreement ready, COMMAND is killed at its Nth boundary and given again, then AFTER looks."""
        n, died, killed = -len(self.walked), True, 0
        while died:
            n += 1 if OPTIONS.times > 1 else 4
            ident = f"urn:uuid:00000000-0000-4000-8000-{n + 1000 * len(self.walked):012}"
            (self.folder / "draft").write_text(json.dumps({**AGREED, "kind": "bilateral", "id": ident}), encoding="utf-8")
            before(ident)
            self.control.arm("parent", n)
            first = self.give("own.test", *command(ident), killed=True)
            died = self.control.died
            self.control.disarm()
            killed += died
            if died:
                self.assertEqual(first.returncode, -9)
                self.ask("own.test", "list")  # whole, whatever was half done
                again = self.give("own.test", *command(ident))
                self.assertIn(again.returncode, (0, 1, 2, 3), again.stderr)  # it may have been done already
            else:
                self.assertEqual(first.returncode, 0, first.stderr)
            after(ident)
        self.walked.append(killed)

    def test_each_command(self):
        self.walked = []

        def sign_there(ident):
            self.ask("own.test", "propose", "draft")
            (self.folder / "draft").write_text(self.ask("own.test", "export", ident), encoding="utf-8")
            self.ask("bb.test", "sign", "draft")
            (self.folder / "draft").write_text(self.ask("bb.test", "export", ident), encoding="utf-8")

        def in_force(ident):
            sign_there(ident)
            self.ask("own.test", "sign", "draft")

        def has(*events):
            return lambda ident: self.assertEqual(self.events(ident), list(events))

        def proposed(ident):
            if self.events(ident) == ["proposed"]:  # killed between two lines of the journal: what was proposed is signed by its id
                self.ask("own.test", "sign", ident)
            self.assertEqual(self.events(ident), ["proposed", "signed"])

        self.walk(lambda ident: None, lambda ident: ("propose", "draft"), proposed)
        self.walk(sign_there, lambda ident: ("sign", "draft"), has("proposed", "signed", "signed"))
        self.walk(in_force, lambda ident: ("end", "--reason", "test", ident), has("proposed", "signed", "signed", "ended"))
        print(f"propose, sign, end: killed at {self.walked} boundaries ", end="", flush=True)


if __name__ == "__main__":
    main()
