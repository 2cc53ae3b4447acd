#!/usr/bin/env python3
"""The lab: do many teams' nodes, on one machine, lose nothing, double nothing, leak nothing, and prove everything?

Starts real nodes on loopback, links them, hands reports in at each, disturbs them (--faults), lets them come to rest, and then looks from
outside, by the oracle, at what is where. doc/lab.md says what is checked and how.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[1:1] = [str(ROOT / "tests" / "oracle"), str(ROOT / "tests" / "system")]  # both have a pseudonyms.py
import evidence  # noqa: E402
import faults  # noqa: E402
import fleet  # noqa: E402
import judge  # noqa: E402
import picture  # noqa: E402
import plants  # noqa: E402
import redaction  # noqa: E402
import reports  # noqa: E402
import scenario  # noqa: E402

PATIENCE, PIECE, SHOWN = 120, 100, 8
PR_SET_PDEATHSIG = 1  # prctl(2)
SYNCING = 16  # threads that wait for disks most of the time
KINDS = ["lost", "doubled", "leaked", "unproven", "unbalanced"]


def read_options():
    parser = argparse.ArgumentParser(prog="./dev lab", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--teams", type=int, default=8, help="so many nodes")
    parser.add_argument("--economies", type=int, default=5, help="of so many economies")
    parser.add_argument("--reports", type=int, default=2000, help="handed in at all nodes together, besides the alert")
    parser.add_argument("--degree", type=int, default=24, help="teams that each one has a link with, about; everybody has one with the first")
    parser.add_argument("--seed", type=int, default=1, help="of teams, agreements, links and reports")
    parser.add_argument("--faults", type=int, metavar="SEED", help="kill, pause, cut off and fill disks meanwhile")
    parser.add_argument("--full", action="store_true", help="274 teams in 81 economies, 140 000 reports, of which 100 000 may cross, faults")
    parser.add_argument("--json", action="store_true", help="figures on standard output")
    parser.add_argument("--picture", type=pathlib.Path, help="who sent what to whom, as SVG")
    parser.add_argument("--folder", type=pathlib.Path, help="where the nodes' data folders are made")
    parser.add_argument("--keep", action="store_true", help="leave the data folders")
    parser.add_argument("--comity", default=str(ROOT / "build" / "comity"), help="the binary")
    parser.add_argument("--shim", default=str(ROOT / "build" / "tests" / "fault" / "fault_shim.so"), help="by which disks are full; none: none is")
    parser.add_argument("--plant", action="store_true", help="a fault of each kind, each of which must be found")
    parser.add_argument("--patience", type=float, default=600, help="seconds until nodes that do not come to rest are judged as they are")
    parser.add_argument("--no-sandbox", action="store_true", help="nodes without walls, as sanitizers need it")
    options = parser.parse_args()
    if options.full:
        options.teams, options.economies, options.reports = 274, 81, 140000
        options.faults = 1 if options.faults is None else options.faults
    return options


class Progress:
    """What is going on, on standard error; a line that changes only where somebody looks at it."""

    def __init__(self):
        self.begun, self.live = time.monotonic(), sys.stderr.isatty()

    def say(self, text):
        clear = "\r\033[K" if self.live else ""
        print(f"{clear}[{time.monotonic() - self.begun:6.1f} s] {text}", file=sys.stderr, flush=True)

    def count(self, what, done, of):
        if self.live:
            print(f"\r\033[K[{time.monotonic() - self.begun:6.1f} s] {what} {done} of {of}", end="", file=sys.stderr, flush=True)


# ---- judged in processes of their own: reading and judging is most of the lab's own work ----

LAB = {}


def begin_examining():
    """A process that judges ends with the lab, and keeps no keeper waiting."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.close(LAB["keeper"])


def examine(team):
    world, made = LAB["world"], LAB["handed_in"]
    serials = {serial for serial, _ in made[team]}
    seen = evidence.Evidence(LAB["nodes"][team], fleet.PORTS, world.node_keys[team]["log"], lambda time: time and reports.serial_of(time) in serials)
    judged = judge.Judge(world, LAB["tables"], team, made[team], seen).run()
    return {"faults": judged.faults, "sent": judged.sent, "delivered": judged.delivered, "came": judged.came, "counts": judged.counts,
            "own": {one["id"]: (serial, one["received"]) for serial, one in judged.own.items()}, "passed_on": judged.passed_on}


class Lab:
    def __init__(self, options):
        self.options, self.progress, self.fleet, self.memory = options, Progress(), None, 0
        self.share, self.folder, self.bad = ROOT / "share", None, 0

    def run(self):
        o = self.options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-lab-", dir=o.folder))
        try:
            self.fleet = fleet.Fleet(o.comity, self.share, self.folder, ["--no-sandbox"] if o.no_sandbox else [], o.keep)
            self.make_world()
            storm = None if o.faults is None else faults.Storm(self.fleet, o.faults, max(5, o.reports / 2000), None if o.shim == "none" else o.shim)
            self.start()
            self.link()
            self.send_alert()
            self.weigh()
            self.work(storm)
            if o.plant:
                self.progress.say("planting a fault for each checker")
                plants.plant_in_stores(self.fleet)
            self.weigh()
            self.tell(*self.judge(), storm)
            return 1 if self.bad else 0
        finally:
            self.end()

    def end(self):
        """All nodes, by force: what they had to show was shown. Their folders too."""
        self.progress.say("ending all nodes" if not self.options.keep else f"ending all nodes; they lie in {self.folder}")
        if self.fleet:
            self.fleet.close()
        if not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def work(self, storm):
        if storm:
            storm.start()
        self.hand_in(storm.seconds if storm else 0)
        self.weigh()
        if storm:
            storm.end()
            self.progress.say("all is well again: " + ", ".join(f"{kind} {n}" for kind, n in storm.done.items()))
        self.rest(self.fleet.nodes, self.unrest, "all is at rest")

    def make_world(self):
        o = self.options
        self.world = scenario.Scenario(self.share, o.teams, o.economies, o.degree, o.seed)
        maker = reports.Maker(self.world, reports.malware_names(self.share))
        each = max(1, o.reports // o.teams)
        self.handed_in = {team: maker.of(team, each) for team in self.world.ids}
        self.alert = maker.alert(each)
        self.partners = {team: set(self.world.partners(team)) for team in self.world.ids}
        self.fleet.prepare(self.world, {"taxii.page-max": str(evidence.PAGE), "courier": "off", "courier.retry-first": "300 ms",
                                        "courier.retry-most": "5 s", "courier.patience": f"{5 if o.teams < 50 else 20} s",
                                        "courier.poll-interval": f"{max(2, len(self.world.links) // 100)} s"})
        if o.plant:
            team, documents = plants.plant_leak(self.world)
            (self.fleet.by_team[team].home / "agreements.json").write_text(json.dumps(documents), encoding="utf-8")
        self.progress.say(f"{o.teams} teams in {o.economies} economies, {len(self.world.links)} links, {each * o.teams} reports; seed {o.seed}")

    def start(self):
        nodes = self.fleet.nodes
        self.start_s = self.fleet.start(nodes, 2 * (os.cpu_count() or 1), lambda done: self.progress.count("nodes started:", done, len(nodes)))
        self.start_cpu = self.fleet.cpu()
        self.progress.say(f"{len(nodes)} nodes started in {self.start_s:.1f} s, {self.start_cpu:.1f} s of CPU")

    def weigh(self):
        self.memory = max(self.memory, self.fleet.memory())

    # ---- links ----

    def link(self):
        """Each team signs its card, and adds the others' nodes by theirs, as its operator would."""
        p, done, begun = self.progress, 0, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(SYNCING) as pool:
            self.cards = dict(zip(self.world.ids, pool.map(lambda node: node.publish(), self.fleet.nodes)))
            p.say(f"{len(self.cards)} cards signed in {time.monotonic() - begun:.1f} s")
            begun = time.monotonic()
            for _ in pool.map(self.link_one, self.fleet.nodes):
                done += 1
                p.count("nodes that know their partners:", done, len(self.fleet.nodes))
        self.world.node_keys = {team: json.loads(card)["node"] for team, card in self.cards.items()}
        p.say(f"{2 * len(self.world.links)} links added in {time.monotonic() - begun:.1f} s")
        for node in self.fleet.nodes:
            node.turn_on()
        self.rest(self.fleet.nodes, self.unpolled, "all directories that are polled are known")

    def link_one(self, node):
        with contextlib.closing(node.local()) as local:
            for other in self.world.partners(node.team):
                body = {"card": self.cards[other].strip(), "witness": False, "push": self.world.ways[node.team, other] != "poll",
                        "poll": self.world.ways[other, node.team] != "push"}
                local.request("POST", "/api/v1/peers", json.dumps(body), {"Content-Type": "application/json"})
                answer = local.getresponse()
                text = answer.read()
                if answer.status != 201:
                    raise SystemExit(f"lab: {node.team} cannot add {other}: {answer.status} {text.decode()}")

    # ---- reports ----

    def send_alert(self):
        """Of what concerns everybody, from the first team's node: how soon has each of the others it?"""
        hub, before = self.fleet.nodes[0], self.fleet.cpu()
        self.alert_at = time.time()
        self.post(hub, self.alert)
        self.rest([hub], self.unrest, "the alert is with all others")
        self.alert_cpu = self.fleet.cpu() - before
        self.handed_in[hub.team] += self.alert

    def post(self, node, made):
        """Until it is acknowledged: what is not must be sent again, and is a duplicate then if it came after all."""
        body = reports.lines(made)
        until = time.monotonic() + PATIENCE
        while True:
            status, told = node.ask("/api/v1/reports", "POST", body, "application/x-ndjson")
            if status == 200 and told["stored"] + told["duplicate"] == len(made):
                return
            if time.monotonic() > until or status == 400:
                raise SystemExit(f"lab: the reports of {node.team} are refused for ever: {status} {told}")
            time.sleep(.2)

    def hand_in(self, seconds):
        """All of them, spread over SECONDS."""
        pieces = [(self.fleet.by_team[team], made[at:at + PIECE]) for team, made in self.handed_in.items()
                  for at in range(0, len(made), PIECE)]
        random.Random(f"{self.options.seed} order").shuffle(pieces)
        done, begun = 0, time.monotonic()

        def post(numbered):
            time.sleep(max(0, begun + seconds * numbered[0] / len(pieces) - time.monotonic()))
            self.post(*numbered[1])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for _ in pool.map(post, enumerate(pieces)):
                done += 1
                self.progress.count("pieces of reports handed in:", done, len(pieces))
        self.progress.say(f"{sum(map(len, self.handed_in.values()))} reports handed in within {time.monotonic() - begun:.1f} s")

    # ---- rest ----

    def decide(self, node):
        """As a person does who lets go about half of what waits for one. How many there were."""
        status, told = node.ask("/api/v1/held?state=waiting&limit=1000")
        if status != 200 or not told["items"]:
            return 0 if status == 200 else 1
        for what in ("release", "refuse"):
            numbers = [h["number"] for h in told["items"] if (hash_of(h["report"]) % 2 == 0) == (what == "release")]
            if numbers:
                node.ask(f"/api/v1/held/{what}", "POST", json.dumps({"numbers": numbers, "reason": "the lab's decision"}))
        return len(told["items"])

    def unrest(self, node):
        """What this node has still to do, as a number."""
        decided = self.decide(node)
        status, told = node.ask("/api/v1/outbox")
        if status != 200:
            return 1
        partners = self.partners[node.team]
        status, receipts = node.ask("/api/v1/receipts?open=true&limit=1")
        if status != 200:
            return 1
        return decided + receipts["open"] + sum(q["due"] + (q["waiting"] if q["team"] in partners else 0) for q in told["items"])

    @staticmethod
    def unpolled(node):
        """How many partners have not told what they have yet."""
        status, told = node.ask("/api/v1/peers")
        if status != 200:
            return 1
        return sum(way["way"] == "poll" and way["on"] and not way["worked"] for peer in told["items"] for way in peer["ways"])

    def rest(self, nodes, unrest, what):
        begun, left = time.monotonic(), {}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            while True:
                left = {n.team: k for n, k in zip(nodes, pool.map(unrest, nodes)) if k}
                self.progress.count(f"until {what}: still", sum(left.values()), sum(left.values()))
                if not left:
                    self.progress.say(f"{what} after {time.monotonic() - begun:.1f} s")
                    return
                if time.monotonic() - begun > self.options.patience:
                    self.progress.say(f"no rest after {self.options.patience} s: {sum(left.values())} left to do at {', '.join(sorted(left)[:9])}")
                    return
                time.sleep(.2)

    # ---- the verdict ----

    def judge(self):
        LAB.update(world=self.world, tables=redaction.Tables(), nodes={t: Place(n) for t, n in self.fleet.by_team.items()},
                   handed_in=self.handed_in, keeper=self.fleet.keeper.stdin.fileno())
        found, begun = {}, time.monotonic()
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=begin_examining) as pool:
            for team, result in zip(self.world.ids, pool.map(examine, self.world.ids, chunksize=1)):
                found[team] = result
                self.progress.count("nodes judged:", len(found), len(self.world.ids))
        joined = judge.Join(self.world, LAB["tables"], found).run()
        self.progress.say(f"judged in {time.monotonic() - begun:.1f} s")
        return found, joined


    def figures(self, found, joined):
        kinds = collections.Counter(kind for kind, _ in joined.faults)
        late = [1000 * ms for ms in self.latencies(found)]
        return {"teams": len(self.world.ids), "economies": len(set(self.world.economy.values())),
                "reports": sum(map(len, self.handed_in.values())), "delivered": sum(joined.delivered.values()),
                **{kind: kinds[kind] for kind in KINDS}, "p50_ms": quantile(late, .5), "p99_ms": quantile(late, .99),
                "start_s": round(self.start_s, 2), "peak_memory_bytes": self.memory}

    def latencies(self, found):
        """Seconds from the alert's being handed in to its being durable at each other node."""
        hub, serials = self.world.ids[0], {serial for serial, _ in self.alert}
        ids = {ident for ident, (serial, _) in found[hub]["own"].items() if serial in serials}
        for team in self.world.ids[1:]:
            for ident in ids & found[team]["came"].keys():
                yield judge.moment_us(found[team]["came"][ident][0]) / 1e6 - self.alert_at

    def tell(self, found, joined, storm):
        figures = self.figures(found, joined)
        self.bad = sum(figures[kind] for kind in KINDS)
        for kind in KINDS:
            told = [what for of, what in joined.faults if of == kind]
            for what in told[:SHOWN]:
                self.progress.say(f"{kind}: {what}")
            if len(told) > SHOWN:
                self.progress.say(f"{kind}: and {len(told) - SHOWN} more")
        if self.options.picture:
            title = f"{figures['delivered']} reports between {figures['teams']} teams of {figures['economies']} economies"
            self.options.picture.write_text(picture.draw(self.world, joined.delivered, title), encoding="utf-8")
        if self.options.json:
            print(json.dumps(figures))
            return
        effects = sum((r["counts"] for r in found.values()), collections.Counter())
        rows = {**figures, "CPU of the start, s": round(self.start_cpu, 1), "CPU of the alert, s": round(self.alert_cpu, 2),
                "links": len(self.world.links), "released": effects["release"], "held": effects["hold"], "withheld": effects["withhold"],
                "receipts": effects["receipts"], "waiting for who has no link": joined.kept,
                "passed on": sum(len(r["passed_on"]) for r in found.values()), "nodes killed": len(storm.killed_nodes) if storm else 0}
        for name, value in rows.items():
            print(f"{name:28} {'-' if value is None else value:>14}")


def quantile(values, share):
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1) if values else None


def hash_of(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


class Place:
    """What a process that looks at a node must know of it."""

    def __init__(self, node):
        self.team, self.home, self.host = node.team, node.home, node.host


def main():
    lab, own = Lab(read_options()), os.getpid()

    def abandon(number, _):
        """At once, whatever threads wait for: the keeper leaves nothing running, and nothing on the disk."""
        if os.getpid() == own and lab.fleet:
            lab.progress.say("ending all nodes")
            lab.fleet.let_keeper_end()
        os._exit(128 + number)

    signal.signal(signal.SIGINT, abandon)
    signal.signal(signal.SIGTERM, abandon)
    return lab.run()


if __name__ == "__main__":
    sys.exit(main())
