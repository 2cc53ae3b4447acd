"""Core is killed again and again while reports come in and go out: nothing that was acknowledged is lost, nothing is there
twice, whatever the moment. Usage: kills.py COMITY [--no-sandbox]
"""
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

from node import Local, Node

COMITY, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2:]
KILLS, A_FILE = 25, 2000


def report(n):
    return {"source.ip": f"192.0.2.{128 + n % 100}", "classification.type": "scanner", "tlp": "green", "feed.provider": "Feed",
            "time.source": "2026-05-05T10:20:30+00:00", "extra.n": n}


class Kills(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.home = self.folder / "home"
        teams = [{"id": f"{name}.test", "name": name, "kind": "national", "economies": [economy], "source": "this test",
                  "verified": True, "constituency": {"prefixes": [prefix]}}
                 for name, economy, prefix in (("north", "XN", "192.0.2.0/25"), ("south", "XS", "192.0.2.128/25"))]
        self.teams = self.folder / "teams.json"
        self.teams.write_text(json.dumps(teams))
        self.agreements = self.folder / "agreements.json"
        self.agreements.write_text(json.dumps([{
            "id": "urn:uuid:6f0a6f9e-0000-4000-8000-000000000001", "title": "All that is green", "kind": "baseline", "parties": [],
            "valid_from": "2026-01-01T00:00:00Z", "clauses": [{"id": "1", "from": "*", "to": "*", "classification": ["*"],
                                                              "tlp_max": "green", "effect": "release"}]}]))

    def comity(self, *arguments, check=True):
        done = subprocess.run([COMITY, *map(str, arguments), "--home", str(self.home)], capture_output=True, text=True, timeout=300)
        if check and done.returncode != 0:
            self.fail(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def hand_in(self, k):
        """Is it acknowledged? Else nobody knows how much of it was kept."""
        body = "".join(json.dumps(report(n)) + "\n" for n in range(k * A_FILE, (k + 1) * A_FILE)).encode()
        connection = Local(self.home)
        try:
            connection.request("POST", "/api/v1/reports?format=idf", body, {"Content-Type": "application/octet-stream"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stored(self):
        """extra.n of every report in the store, as often as it is there."""
        done = self.comity("store", "export")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line)["extra.n"] for line in done.stdout.splitlines() if '"extra.n"' in line]

    def written_out(self, node):
        """extra.n of every report in the collection of south, as a poller of that team gets it."""
        self.comity("account", "add", "south", "--kind", "partner", "--team", "south.test")
        token = json.loads(self.comity("account", "token", "south", "--label", "poller", "--json").stdout)["token"]
        root = f"http://{node.address['partners']}/comity/collections/"

        def get(path):
            request = urllib.request.Request(root + path, headers={
                "Accept": "application/taxii+json;version=2.1", "Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)

        node.drain()
        # The team's own: what it may read and not write, or the one that is called after it.
        own = [c for c in get("")["collections"] if "south.test" in c["title"] or "south.test" in c.get("description", "")]
        self.assertEqual(len(own), 1, get(""))
        numbers, path = [], f"{own[0]['id']}/objects/?limit=1000"
        while path:
            page = get(path)
            for thing in page.get("objects", []):
                if thing["type"] == "observed-data":
                    fields = next(iter(thing["extensions"].values()))["fields"]
                    numbers += [field["value"] for field in fields if field["name"] == "extra.n"]
            path = f"{own[0]['id']}/objects/?limit=1000&next={page['next']}" if page.get("more") else None
        return numbers

    def test_nothing_is_lost_and_nothing_doubled(self):
        node = Node(COMITY, self.home, "--teams", str(self.teams), "--agreements", str(self.agreements), "--team", "north.test", "--tls", "off",
                    "--start.deadline", "60 s", *OPTIONS)
        self.addCleanup(node.close)
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        acknowledged, over = [], threading.Event()

        ready = threading.Event()  # core is there

        def feed():
            k = 0
            while not over.is_set():
                ready.wait()
                if self.hand_in(k):
                    acknowledged.append(k)
                    k += 1  # else the same again: what was kept of it is there once all the same

        feeder = threading.Thread(target=feed)
        feeder.start()
        for _ in range(KILLS):
            ready.set()
            threading.Event().wait(dice.random() * 0.15)  # any moment is right
            ready.clear()
            node.kill("core")
        ready.set()
        while not acknowledged:
            threading.Event().wait(0.01)
        over.set()
        feeder.join()
        written = self.written_out(node)
        node.stop()
        numbers = self.stored()
        self.assertEqual(len(numbers), len(set(numbers)), f"doubled, seed {seed}")
        missing = {n for k in acknowledged for n in range(k * A_FILE, (k + 1) * A_FILE)} - set(numbers)
        self.assertFalse(missing, f"lost, seed {seed}")
        self.assertEqual(sorted(written), sorted(numbers), f"written out otherwise, seed {seed}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
