#!/usr/bin/env python3
"""The same thing again: a report a thousand times, a file by two at once, an upload that was cut off, a file that grew; and stores
of other versions.

usage: again.py COMITY SHIM [--no-sandbox] [--times N] [TEST...]
"""
import json
import os
import socket
import sqlite3
import threading

from world import PATIENCE, Case, lines, main, report


class Again(Case):
    def setUp(self):
        self.w = self.world(shim=False).start().people()

    def test_a_thousand_times(self):
        """In one file, in a thousand requests, and with kills between."""
        status, counts = self.w.local("/api/v1/reports", "POST", lines([0]) * 1000)
        self.assertEqual((status, counts["stored"], counts["duplicate"]), (200, 1, 999))
        for i in range(1000):
            self.assertTrue(self.w.post([0]))
            if i % 400 == 399:
                self.w.node.kill("core")
                self.w.wait_well()
        self.w.drain()
        self.w.judge()
        totals = self.w.stats()["totals"]
        self.assertEqual((totals["received"], totals["duplicate"]), (2000, 1999))

    def test_known_by_its_id(self):
        """What an earlier node gave an id comes again with another raw text, in many requests, and with kills between."""
        ident = "1b4e28ba-2fa1-8d52-883f-0016d3cca427"
        stored = 0
        for i in range(300):
            body = json.dumps(report(0, **{"extra.comity_id": ident, "raw": f"line {i}", "time.observation": "2026-05-05T10:20:30+00:00"}))
            status, counts = self.w.local("/api/v1/reports", "POST", body.encode())
            self.assertEqual((status, counts["received"]), (200, 1))
            stored += counts["stored"]
            if i % 100 == 99:
                self.w.node.kill("core")
                self.w.wait_well()
        self.assertEqual(stored, 1)
        self.assertEqual(self.w.stats()["totals"]["duplicate"], 299)

    def test_two_at_once(self):
        """The same file by several clients at the same time: each is acknowledged, all is there once."""
        numbers, files = list(range(20000)), self.w.folder / "same.idf"
        files.write_bytes(lines(numbers))
        done = []
        clients = [threading.Thread(target=lambda: done.append(self.w.run("ingest", "--json", "--quiet", str(files)))) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        counts = [json.loads(one.stdout) for one in done]
        self.assertEqual([one.returncode for one in done], [0] * 4)
        self.assertEqual([c["received"] for c in counts], [len(numbers)] * 4)
        self.assertEqual(sum(c["stored"] for c in counts), len(numbers))
        self.w.tried.update(numbers)
        self.w.acknowledged.update(numbers)
        self.w.drain()
        self.w.judge(search=numbers[::1000])

    def cut(self, body, at, close):
        """A request that says it is as long as BODY, and ends after AT bytes."""
        with socket.socket(socket.AF_UNIX) as plug:
            plug.settimeout(PATIENCE)
            plug.connect(str(self.w.home / "local.sock"))
            plug.sendall(b"POST /api/v1/reports HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:at])
            if not close:
                plug.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := plug.recv(65536):
                    answer += piece
                self.assertNotIn(b"HTTP/1.1 200", answer)

    def test_cut_off(self):
        """In the middle, at a line's end, in a line: never acknowledged; sent again, it is there once."""
        numbers = list(range(3000))
        body = lines(numbers)
        line = len(lines([0]))
        self.w.tried.update(numbers)
        for at in (0, 1, line, line + 1, len(body) // 2, body.index(b"\n", len(body) // 3) + 1, len(body) - 1):
            for close in (True, False):
                self.cut(body, at, close)
        self.w.until_ingested(numbers)
        self.w.drain()
        self.w.judge(search=numbers[::100])

    def test_a_file_that_is_still_written(self):
        """What stands in incoming/ is read when it has come to rest, and what was added is not lost."""
        there = self.w.home / "incoming" / "growing.idf"
        numbers = list(range(20))
        with open(there, "ab", buffering=0) as file:
            for n in numbers:
                file.write(lines([n])[:40])
                file.write(lines([n])[40:])
        os.utime(there, (1_700_000_000, 1_700_000_000))
        self.w.tried.update(numbers)
        self.w.acknowledged.update(numbers)
        self.w.wait(lambda: not there.exists(), "the file's end")
        self.w.drain()
        self.w.judge()


class Versions(Case):
    def store(self, world, *texts):
        with sqlite3.connect(world.home / "node.db") as db:
            for text in texts:
                db.execute(text)
        db.close()

    def version(self, world):
        with sqlite3.connect(world.home / "node.db") as db:
            (number,) = db.execute("PRAGMA user_version").fetchone()
        db.close()
        return number

    def test_newer_is_refused(self):
        """With a clear word, and untouched."""
        world = self.world(shim=False).start().people()
        self.assertTrue(world.post([0, 1, 2]))
        self.assertEqual(world.node.stop(), 0)
        version = self.version(world)
        self.store(world, "PRAGMA user_version = 1000")
        before = (world.home / "node.db").read_bytes()
        world.start(ready=False)
        self.assertNotEqual(world.node.end(), 0)
        self.assertIn("newer", world.node.log())
        self.assertIn("1000", world.node.log())
        self.assertEqual((world.home / "node.db").read_bytes(), before)
        self.assertEqual(len(world.node.find("role started", which="core")), 1, "it was tried again and again:\n" + world.node.log())
        self.store(world, f"PRAGMA user_version = {version}")
        world.start()
        world.drain()
        world.judge()

    def test_older_comes_forward(self):
        """Version 0, which was never released: begun, and with something of the operator's, which stays."""
        world = self.world(shim=False)
        self.store(world, "PRAGMA application_id = 1129141337", "CREATE TABLE note (text TEXT)", "INSERT INTO note VALUES ('kept')")
        world.start().people()
        self.assertTrue(world.post([0, 1, 2]))
        world.drain()
        world.judge()
        self.assertEqual(world.node.stop(), 0)
        with sqlite3.connect(world.home / "node.db") as db:
            self.assertEqual(db.execute("SELECT text FROM note").fetchall(), [("kept",)])
            self.assertGreater(db.execute("PRAGMA user_version").fetchone()[0], 0)
        db.close()

    def test_damaged_and_foreign(self):
        """No store, half of one, somebody else's database: a clear word, and the file stays as it is."""
        for content, word in ((b"SQLite format 3\0" + bytes(5000), "node.db"), (b"no database at all" * 100, "node.db")):
            world = self.world(shim=False)
            (world.home / "node.db").write_bytes(content)
            world.start(ready=False)
            self.assertNotEqual(world.node.end(), 0)
            self.assertIn(word, world.node.log())
            self.assertEqual((world.home / "node.db").read_bytes(), content)


if __name__ == "__main__":
    main()
