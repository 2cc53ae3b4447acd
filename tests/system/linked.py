"""Nodes that exchange: each a team's of its own, over TLS on loopback, known to each other by address and certificate.

    pair = Pair(Linked(comity, folder, "north.test", *options), Linked(comity, folder, "south.test", *options)); pair.befriend()
"""
import contextlib
import json
import pathlib
import subprocess
import time

from node import PATIENCE, Local, Node, pin_of

ECONOMIES = {"north.test": "XN", "south.test": "XS", "east.test": "XE"}
NAMES = {}  # of teams that are not called by their id
PREFIXES = {"north.test": "192.0.2.0/25", "south.test": "192.0.2.128/25", "east.test": "198.51.100.0/24"}
FREELY = [{"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Freely", "kind": "multilateral",
           "parties": list(ECONOMIES), "valid_from": "2020-01-01",
           "clauses": [{"id": f"{a}-{b}", "from": f"{a}.test", "to": f"{b}.test", "classification": ["*"], "tlp_max": "amber",
                        "effect": "release", "onward": "none"}
                       for a in ("north", "south", "east") for b in ("north", "south", "east") if a != b]}]


def team(name, prefix=None):
    return {"id": name, "name": NAMES.get(name, name), "kind": "national", "economies": [ECONOMIES[name]], "source": "test", "verified": True,
            "constituency": {"prefixes": [prefix]} if prefix else {"domains": [name]}}


def reports(count, to="south.test", first=0):
    """COUNT reports that are all different, about hosts of TO."""
    base = PREFIXES[to].split("/", maxsplit=1)[0].rsplit(".", 1)
    for i in range(first, first + count):
        yield {"classification.type": "scanner", "feed.provider": "Test", "time.source": "2026-03-01T10:20:30+00:00",
               "tlp": "green", "source.ip": f"{base[0]}.{int(base[1]) + i % 100}", "source.port": i % 60000 + 1,
               "extra.number": i}


class Linked:
    """The node of TEAM; OPTIONS are comity serve's. It judges by AGREED, or by its own REGISTER. PREFIXES of teams stand in its directory:
    nodes in one FOLDER have the same."""

    def __init__(self, comity, folder, name, *options, ready=True, register=False, prefixes=None, agreed=None):
        folder, prefixes = pathlib.Path(folder), PREFIXES if prefixes is None else prefixes
        self.comity, self.team, self.home = comity, name, folder / name
        (folder / "teams.json").write_text(json.dumps([team(t, prefixes.get(t)) for t in ECONOMIES]), encoding="utf-8")
        (folder / "agreed.json").write_text(json.dumps(agreed or FREELY), encoding="utf-8")
        self.folder, self.options, self.listen = folder, options, []
        self.judged_by = [] if register else ["--agreements", str(folder / "agreed.json")]
        self.start(ready)

    def start(self, ready=True):
        self.node = Node(self.comity, self.home, "--teams", str(self.folder / "teams.json"), *self.judged_by, "--team", self.team,
                         "--courier", "on", "--courier.retry-first", "100 ms", "--courier.retry-most", "1 s", *self.options,
                         *self.listen, ready=ready)
        # The same door after a restart: the other node knows it by its port.
        if ready:
            self.listen = ["--listen.partners", self.node.address["partners"]]

    def restart(self):
        self.node.stop()
        self.start()

    def command(self, *words, stdin=None, status=0):
        done = subprocess.run([self.comity, *words, "--home", str(self.home)], capture_output=True, text=True, input=stdin,
                              timeout=PATIENCE, check=False)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.node.log()}"
        return done.stdout

    @property
    def certificate(self):
        """SHA-256 of what the partners' door shows, as a card has it."""
        return pin_of(self.home / "tls" / "certificate.pem")

    @property
    def url(self):
        return "https://" + self.node.address["partners"]

    def card(self, url=None, certificate=None):
        path = self.home / "own-card.json"
        node = {"url": url or self.url, "certificate": certificate or self.certificate}
        path.write_text(json.dumps({"id": self.team, "name": self.team, "node": node}), encoding="utf-8")
        return str(path)

    def signed_card(self, prefix=None):
        """The file of the card that its team signs, for others: it answers for PREFIX, and names the node and its keys."""
        claims, path = self.home / "claims.json", self.home / "signed.json"
        claims.write_text(json.dumps([team(t, prefix if t == self.team else None) for t in ECONOMIES]), encoding="utf-8")
        self.command("team", "publish", "--as", self.team, "--url", self.url, "--teams", str(claims), "-o", str(path))
        (self.home / "cards" / f"{self.team}.json").unlink()  # its own directory goes on, and the next card may claim something else
        return str(path)

    def published(self):
        """The file of the card that its team signs, with what the shared directory says of it."""
        path = self.home / "published.json"
        self.command("team", "publish", "--as", self.team, "--url", self.url, "--teams", str(self.folder / "teams.json"), "-o", str(path))
        return str(path)

    def take(self, wanted):
        """Hand in the reports WANTED; the command's counts."""
        text = "".join(json.dumps(r) + "\n" for r in wanted)
        return json.loads(self.command("ingest", "--json", "-", stdin=text))

    def get(self, path):
        with contextlib.closing(Local(self.home)) as local:
            return local.get(path)

    def outbox(self, team="south.test"):
        """What waits here for TEAM, and how sending it goes."""
        return next(i for i in json.loads(self.command("outbox", "--json"))["items"] if i["team"] == team)

    def numbers(self):
        """extra.number of each report that is here, in order: who came twice is there twice."""
        text = self.command("store", "export")
        return sorted(json.loads(line)["extra.number"] for line in text.splitlines())

    def until(self, done, what):
        """Ask until DONE() says so: what is awaited is another process's work, of which no line of a log tells."""
        until = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > until:
                raise AssertionError(f"{self.team}: {what} never came\n{self.node.log()}")
            time.sleep(0.02)

    def close(self):
        self.node.close()


def befriend(one, other, *words):
    """ONE adds OTHER; WORDS as comity peer add takes them."""
    one.command("peer", "add", other.card(), *words)
