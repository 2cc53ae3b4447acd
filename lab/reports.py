"""Which reports are handed in where, and who must hear of each?

IDF lines with addresses of the economies' own ranges; what else they say is drawn from the shipped samples and reserved names. Each has
a time of its own, to the microsecond: by it a report is known wherever it may be, as long as nobody treated it.
"""
import csv
import json
import random
import subprocess

import oracle
import scenario

DAY = "2026-05-05"
TYPES = sorted(t for t in oracle.TAXONOMY_OF if t != "test")
LABELS = [None, "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
WHO = ["anna", "boris", "chen", "dara", "emil", "fatima", "goran", "hana"]


def malware_names(share):
    """Families, as the shipped sample reports have them."""
    names = set()
    for path in (share / "samples" / "shadowserver").glob("*sinkhole*.csv.zst"):
        text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout.decode()
        names.update(row["family"] for row in csv.DictReader(text.splitlines()))
    return sorted(n for n in names if n)


def moment(serial):
    """A time of its own for each report."""
    seconds, micros = divmod(serial, 1000000)
    return f"{DAY}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros:06}+00:00"


def serial_of(text):
    """What moment() was made of; TEXT is a time as the node writes it."""
    day, _, rest = text.partition("T")
    if day != DAY or len(rest) < 15 or rest[8] != ".":
        return None
    return (int(rest[:2]) * 3600 + int(rest[3:5]) * 60 + int(rest[6:8])) * 1000000 + int(rest[9:15])


class Maker:
    """Reports of one team's node, the same whenever they are asked for."""

    def __init__(self, world, malware):
        self.world, self.malware = world, malware

    def whom(self, r, team, partners):
        roll = r.random()
        if roll < .03 or not partners:
            return team
        return r.choice(partners) if roll < .95 else r.choice(self.world.ids)

    def side(self, r, report, side, team):
        report[f"{side}.ip"] = self.world.address(r, team)
        if r.random() < .3:
            report[f"{side}.port"] = r.choice([22, 80, 443, 8080, 48080])

    def details(self, r, report):
        who = f"{r.choice(WHO)}.{r.randrange(1000):03}"
        if r.random() < .4:
            report["source.fqdn"] = f"host{r.randrange(10000)}.{r.choice(['example.org', 'example.com', 'example.net'])}"
        if r.random() < .2:
            report["source.url"] = f"http://www{r.randrange(100)}.example.com/p{r.randrange(1000)}?user={who}"
        if r.random() < .35:
            report["source.account"] = f"{who}@mail.example.org"
        if r.random() < .2:
            report["extra.user_agent"] = f"agent/{r.randrange(1000)}.{r.randrange(10)}"
        if r.random() < .4:
            report["event_description.text"] = f"seen by {who} at {report['source.ip']}, ticket {r.randrange(1 << 30)}"
        if r.random() < .3:
            report["malware.name"] = r.choice(self.malware)

    def report(self, r, serial, team, target, **more):
        report = {"classification.type": r.choice(TYPES), "feed.provider": r.choice(scenario.PROVIDERS), "time.source": moment(serial)}
        self.side(r, report, "source", target)
        label = r.choices(LABELS, [8, 30, 30, 24, 5, 3])[0]
        if label:
            report["tlp"] = label
        self.details(r, report)
        if r.random() < .08:
            self.side(r, report, "destination", r.choice(self.world.partners(team) or [target]))
        return {**report, **more}

    def of(self, team, count):
        """COUNT reports of TEAM's node: [(serial, report)]."""
        at = self.world.ids.index(team)
        r = random.Random(f"{self.world.seed} reports {team}")
        partners = self.world.partners(team)
        first = 1 + at * count
        return [(first + n, self.report(r, first + n, team, self.whom(r, team, partners))) for n in range(count)]

    def alert(self, count):
        """What concerns everybody: a CLEAR report for each other team, of the first team's node."""
        r = random.Random(f"{self.world.seed} alert")
        first = 1 + count * len(self.world.ids)
        return [(first + n, {"classification.type": "vulnerable-system", "feed.provider": "sensor.example", "tlp": "CLEAR",
                             "time.source": moment(first + n), "source.ip": self.world.address(r, other)})
                for n, other in enumerate(self.world.ids[1:])]


def lines(reports):
    return "".join(json.dumps(report) + "\n" for _, report in reports).encode()
