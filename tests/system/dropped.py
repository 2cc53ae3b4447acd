"""Files dropped into a node's folder, and an agreement that is suspended under a running node.
Usage: dropped.py COMITY [--no-sandbox]
"""
import json
import os
import subprocess
import time
import unittest

from case import COMITY, OPTIONS, Case, report, team
from node import PATIENCE, Node


class Dropped(Case):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "north"
        self.write("teams.json", [
            team("north.test", "FI", constituency={"prefixes": ["198.51.100.0/24"]}),
            team("south.test", "SE", constituency={"prefixes": ["192.0.2.0/24"]})])

    def at(self, home, *words):
        done = subprocess.run([COMITY, *words], env=dict(os.environ, COMITY_HOME=str(self.folder / home)), capture_output=True,
                              text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def agree_at(self, home, command, *words):
        return self.at(home, "agreement", command, "--teams", "teams.json", *words)

    def in_force(self):
        keys = {h: self.agree_at(h, "key", "--as", f"{h}.test").split()[1] for h in ("north", "south")}
        self.agree_at("north", "key", "--trust", "south.test", keys["south"])
        self.agree_at("south", "key", "--trust", "north.test", keys["north"])
        self.at("north", "agreement", "new", "--parties", "north.test,south.test", "--title", "Pact", "--out", "draft.json")
        document = json.loads((self.folder / "draft.json").read_text())
        document["clauses"][0].update(tlp_max="amber", treatment={"text": "remove"})
        document.update(valid_from="2026-01-01")
        self.write("draft.json", document)
        self.agree_at("north", "propose", "draft.json")
        self.write("to-south.json", self.agree_at("north", "export", document["id"]))
        self.agree_at("south", "sign", "to-south.json")
        self.write("to-north.json", self.agree_at("south", "export", document["id"]))
        self.agree_at("north", "sign", "to-north.json")
        return document["id"]

    def node(self, *options):
        node = Node(COMITY, self.home, "--teams", str(self.folder / "teams.json"), "--feeds", str(self.folder / "feeds.json"),
                    "--tls", "off", *options, *OPTIONS)
        self.addCleanup(node.close)
        return node

    def ingest(self, n, tlp="amber"):
        path = self.lines(report(tlp=tlp, **{"extra.n": n}), name=f"{n}.idf")
        return json.loads(self.at("north", "ingest", "--json", path))

    def until(self, holds):
        until = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), until, "it never came")
            time.sleep(0.02)  # out of politeness

    def test_what_is_suspended_does_not_hold_any_more(self):
        ident = self.in_force()
        self.node()
        self.assertEqual(self.ingest(1)["released"], 1)
        self.agree_at("north", "suspend", ident, "--reason", "a test")
        self.assertEqual(self.ingest(2)["withheld"], 1)
        self.agree_at("north", "resume", ident, "--reason", "it is over")
        self.assertEqual(self.ingest(3)["released"], 1)

    def test_files_that_are_dropped_are_read_once(self):
        node = self.node("--watch.interval", "100 ms")
        incoming = self.home / "incoming"
        good = "".join(json.dumps(report(**{"extra.n": n})) + "\n" for n in range(50))
        (incoming / "good.idf").write_text(good + '{"source.ip": "no address"}\n')
        (incoming / "bad.bin").write_bytes(b"\xff\xfe\x00nonsense")
        (incoming / ".being-written").write_text(good)
        (incoming / "link.idf").symlink_to(incoming / "good.idf")
        self.until(lambda: (incoming / "done" / "good.idf").exists()
                   and (incoming / "failed" / "bad.bin").exists())
        self.assertEqual((incoming / "done" / "good.idf").read_text().count("\n"), 51)
        self.assertIn("51", (incoming / "done" / "good.idf.rejected").read_text())
        reason = (incoming / "failed" / "bad.bin.reason").read_text()
        self.assertRegex(reason, r"\A.+\n\Z")
        node.wait("a dropped file was not read; it is in incoming/failed", file="bad.bin", why=reason.strip(), level="warning")
        node.wait("a dropped file was read, but records were rejected; its .rejected says which", file="good.idf", level="warning")
        self.until(lambda: not (incoming / "link.idf").is_symlink())
        self.assertIn(f"symbolic link, to {incoming}/good.idf", (incoming / "failed" / "link.idf.reason").read_text())
        self.assertTrue((incoming / ".being-written").exists())
        self.assertIn("stored                     50", self.at("north", "stats"))


if __name__ == "__main__":
    unittest.main(argv=["dropped.py"])
