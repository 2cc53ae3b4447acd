"""Which teams are there, what have they agreed, who exchanges with whom?  All of it follows from a seed.

Teams and economies are the shipped directory's. Teams that nobody could have a report for, as their cards name no addresses and
another answers for their economy, get a network of their economy in this directory; providers' names are reserved ones.
"""
import collections
import copy
import ipaddress
import json
import random
import uuid

import oracle
from places import Directory, Geo, economies_of

PROVIDERS = ["sensor.example", "honeypot.example", "passive.example", "conditions.example"]
FEEDS = {"default_tlp": "amber", "feeds": [
    {"provider": "sensor.example", "tlp": "green", "note": "The lab's own."},
    {"provider": "conditions.example", "tlp": "amber", "note": "Who is told may not pass it on.",
     "iep": {"id": "urn:uuid:00000000-0000-4000-8000-00000000001e", "name": "Lab", "iep_version": 2.0, "permitted_actions": "internally-visible-actions",
             "encrypt_in_transit": "must", "start_date": "2020-01-01T00:00:00Z"}}]}
FROM_DAY = "2020-01-01"
LAB_PREFIX = 24


def choose_cards(cards, teams, economies, ranges):
    """So many teams in just so many economies that have addresses: those with most teams."""
    by = collections.defaultdict(list)
    for card in cards:
        if ranges.get(economies_of(card)[0][0]):
            by[economies_of(card)[0][0]].append(card)
    most = sorted(by, key=lambda e: (-len(by[e]), e))[:economies]
    if len(most) < economies or teams < economies or sum(len(by[e]) for e in most) < teams:
        raise SystemExit(f"lab: the directory has {len(cards)} teams in {len(by)} economies; not {teams} in {economies}")
    chosen = []
    while len(chosen) < teams:  # one of each in turn
        chosen += [by[e].pop(0) for e in most if by[e]][:teams - len(chosen)]
    return copy.deepcopy(chosen)


class Scenario:
    def __init__(self, share, teams, economies, degree, seed):
        self.random = random.Random(seed)
        self.seed, self.degree = seed, min(degree, teams - 1)
        cards = []
        for path in sorted((share / "teams").glob("*.json")):
            cards += json.loads(path.read_text(encoding="utf-8"))
        self.geo = Geo(share)
        self.ranges = self.geo.economy.of({economies_of(c)[0][0] for c in cards}, 1024)
        self.cards = choose_cards(cards, teams, economies, self.ranges)
        self.ids = [c["id"] for c in self.cards]
        self.economy = {c["id"]: economies_of(c)[0][0] for c in self.cards}
        self.settle()
        self.directory = Directory(self.cards, self.geo)
        self.places = {c["id"]: self.place_of(c) for c in self.cards}
        self.links = self.choose_links()
        self.ways = self.choose_ways()
        self.secrets = {i: self.random.randbytes(32) for i in self.ids}
        self.agreements = self.choose_agreements()
        self.feeds = FEEDS
        self.with_receipts = {i for i in self.ids if self.random.random() < .9}

    # ---- teams and their networks ----

    def settle(self):
        """Each team gets what it must have to be somebody's answer."""
        taken = [ipaddress.ip_network(p) for c in self.cards for p in c.get("constituency", {}).get("prefixes", [])]
        self.taken = {(int(n.network_address) >> 8) for n in taken if n.version == 4 and n.prefixlen >= LAB_PREFIX}
        self.wide = [n for n in taken if n.version == 4 and n.prefixlen < LAB_PREFIX]
        first = Directory(self.cards, self.geo).economies
        for card in self.cards:
            card["verified"] = True
            card["source"] = "the lab's directory; " + card["source"]
            constituency = card.setdefault("constituency", {})
            answers = first.get(self.economy[card["id"]]) == card["id"]
            if not answers and not any(":" not in p for p in constituency.get("prefixes", [])):
                constituency.setdefault("prefixes", []).append(self.network_in(self.economy[card["id"]]))

    def network_in(self, economy):
        while True:
            start, end = self.random.choice(self.ranges[economy])
            number = self.random.randrange(start >> 8, (end + 1 >> 8)) << 8
            network = ipaddress.ip_network((number, LAB_PREFIX))
            if number >= start and number >> 8 not in self.taken and not any(network.subnet_of(w) for w in self.wide):
                self.taken.add(number >> 8)
                return str(network)

    def place_of(self, card):
        """Ranges in which addresses of the team's lie: its networks, or all of its economy."""
        own = [ipaddress.ip_network(p) for p in card["constituency"].get("prefixes", []) if ":" not in p]
        if own:
            return [(int(n.network_address), int(n.broadcast_address)) for n in own]
        return self.ranges[self.economy[card["id"]]]

    def address(self, r, team):
        """One that TEAM answers for."""
        for _ in range(10000):
            start, end = r.choice(self.places[team])
            number = r.randint(start, end)
            if self.directory.answers(number) == team:
                return str(ipaddress.ip_address(number))
        raise SystemExit(f"lab: no address of {team} is to be found")

    # ---- who exchanges with whom ----

    def choose_links(self):
        """Pairs of teams: everybody with the first (who sends the alert), and each with DEGREE others or a few more."""
        pairs = {(self.ids[0], i) for i in self.ids[1:]}
        count = collections.Counter(i for pair in pairs for i in pair)
        near = collections.defaultdict(list)
        for i in self.ids[1:]:
            near[self.economy[i]].append(i)
        for i in self.ids[1:]:
            others = [o for o in near[self.economy[i]] if o != i][:self.degree // 4]
            others += self.random.sample(self.ids[1:], len(self.ids) - 1)
            for other in others:
                if count[i] >= self.degree:
                    break
                pair = tuple(sorted((i, other), key=self.ids.index))
                if other != i and pair not in pairs and count[other] < self.degree + 4:
                    pairs.add(pair)
                    count.update(pair)
        return sorted(pairs)

    def choose_ways(self):
        """(from, to) -> "push", "poll" or "both": how what FROM has for TO goes."""
        out = {}
        for a, b in self.links:
            for pair in ((a, b), (b, a)):
                alert = pair[0] == self.ids[0]
                out[pair] = "push" if alert else self.random.choices(["push", "both", "poll"], [92, 5, 3])[0]
        return out

    def partners(self, team):
        return [b if a == team else a for a, b in self.links if team in (a, b)]

    # ---- what they have agreed ----

    def agreement(self, kind, title, clauses, **more):
        ident = uuid.UUID(int=self.random.getrandbits(128), version=4)
        numbered = [{"id": str(n + 1), **c} for n, c in enumerate(clauses)]
        return {"id": f"urn:uuid:{ident}", "title": title, "kind": kind, "parties": [], "valid_from": FROM_DAY, "valid_until": None,
                "clauses": numbered, **more}

    def clause(self, patterns, most, **more):
        r = self.random
        treatment = {}
        for field_class, odds in (("account", [2, 3, 1, 4]), ("text", [6, 0, 0, 4]), ("device", [4, 2, 2, 2]), ("name", [8, 1, 1, 0]),
                                  ("url", [7, 1, 1, 1]), ("time", [8, 0, 2, 0]), ("address", [40, 1, 2, 0])):
            word = r.choices(oracle.TREATMENTS, odds)[0]
            if word != "keep":
                treatment[field_class] = word
        out = {"from": "*", "to": "*", "classification": patterns, "tlp_max": most, "effect": "release", "treatment": treatment,
               "onward": r.choices(["none", "constituency", "party", "tlp"], [5, 2, 1, 2])[0]}
        if r.random() < .2:
            out["retention_days"] = r.choice([30, 90, 180])
        if r.random() < .2:
            out["require"] = r.choice([["encrypted-channel"], ["receipt"], ["encrypted-channel", "receipt"]])
        return {**out, **more}

    def patterns(self):
        r = self.random
        return ["*"] if r.random() < .5 else [f"{t}.*" for t in r.sample(sorted(oracle.TAXONOMY), r.randint(3, 8))]

    def baseline(self, team):
        treatment = {"account": "remove", "text": "remove", "device": "remove"}
        if self.random.random() < .3:
            treatment["name"] = "generalise"
        return self.agreement("baseline", f"Baseline of {team}", [
            {"from": "*", "to": "*", "classification": ["*"], "tlp_max": "green", "effect": "release", "treatment": treatment,
             "onward": self.random.choice(["none", "tlp"])}])

    def law(self, economy):
        other = self.random.choice(sorted(set(self.economy.values())))
        clauses = [{"from": "*", "to": "*", "classification": ["*"], "tlp_max": "red", "effect": "release",
                    "treatment": {"account": "pseudonymise", "device": "generalise"}, "onward": "tlp"}]
        if other != economy:
            clauses.append({"from": "*", "to": f"economy:{other}", "classification": ["information-content-security.*", "fraud.*"],
                            "tlp_max": "red", "effect": "withhold"})
        return self.agreement("law", f"Law of {economy}, as the lab has it", clauses, economy=economy)

    def bilateral(self, a, b):
        clauses = [self.clause(self.patterns(), self.random.choice(["green", "amber", "amber", "amber+strict"]), **{"from": "party", "to": "party"})]
        if self.random.random() < .3:
            clauses.append(self.clause(["intrusions.system-compromise"], "red", **{"from": "party", "to": "party"}))
        if self.random.random() < .2:
            clauses.append({"from": "party", "to": "party", "classification": ["fraud.phishing"], "tlp_max": "red",
                            "effect": self.random.choice(["hold", "withhold"])})
        return self.agreement("bilateral", f"{a} and {b}", clauses, parties=[a, b])

    def multilateral(self, parties):
        clauses = [self.clause(self.patterns(), "amber", **{"from": "party", "to": "party"})]
        if self.random.random() < .3:
            clauses.append({"from": "party", "to": "party", "classification": ["vulnerable.*"], "tlp_max": "amber", "effect": "hold"})
        return self.agreement("multilateral", f"Arrangement of {len(parties)} teams", clauses, parties=parties)

    def choose_agreements(self):
        """By team: the documents that its node judges by. What several are a party of is the same text at each."""
        r, out = self.random, {i: [self.baseline(i)] for i in self.ids}
        economies = sorted(set(self.economy.values()))
        for economy in r.sample(economies, max(1, len(economies) // 4)):
            law = self.law(economy)
            for i in self.ids:
                out[i].append(law)
        for _ in range(max(1, len(self.ids) // 12)):
            parties = sorted(r.sample(self.ids, min(len(self.ids), r.randint(3, 12))))
            document = self.multilateral(parties)
            for i in parties:
                out[i].append(document)
        for a, b in self.links:
            if r.random() < .6:
                document = self.bilateral(a, b)
                out[a].append(document)
                out[b].append(document)
        return out
