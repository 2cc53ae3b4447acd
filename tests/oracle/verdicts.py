#!/usr/bin/env python3
"""Do Comity and the oracle judge random cases alike?

    verdicts.py HELPER [--cases N] [--seed S] [--show] [--plant]

HELPER is the program built from verdicts.c. Exit 0: all alike; 1: the first difference is shown.
--plant makes the oracle take an agreement as in force one microsecond too long, which must be found.
"""
import argparse
import collections
import json
import random
import subprocess
import sys

import oracle

PER_WORLD = 100
BATCH = 25
PROVIDERS = ["Shadowserver", "Example Feed", "Sinkhole Ltd", "Nobody's"]
ECONOMIES = ["DE", "FR", "KE", "BR", "JP"]
BASE = 1790000000000000


def uuid(r):
    h = f"{r.getrandbits(128):032x}"
    return f"urn:uuid:{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def when(us):
    seconds, micro = divmod(us, 1000000)
    import datetime
    t = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + (f".{micro:06d}" if micro else "") + "Z"


def a_pattern(r, teams):
    return r.choice(["*", "*", "*", "*", "party", "party", "party", "economy:" + r.choice(ECONOMIES),
                     r.choice(teams)["id"], r.choice(teams)["id"], "xx-stranger"])


def a_classification(r):
    taxonomy = r.choice(list(oracle.TAXONOMY))
    return r.choice(["*", "*", "*", taxonomy + ".*", taxonomy + "." + r.choice(oracle.TAXONOMY[taxonomy])])


def a_clause(r, n, teams):
    c = {"id": str(n), "from": a_pattern(r, teams), "to": a_pattern(r, teams),
         "classification": [a_classification(r) for _ in range(r.randint(1, 3))],
         "tlp_max": r.choice(oracle.TLPS + ["white", "TLP:GREEN", "Amber", "red", "red"]),
         "effect": r.choice(["release"] * 5 + ["hold", "withhold"])}
    if r.random() < .2:
        c["providers"] = [p.upper() if r.random() < .3 else p for p in r.sample(PROVIDERS, r.randint(1, 2))]
    if r.random() < .6:
        c["treatment"] = {f: r.choice(oracle.TREATMENTS) for f in r.sample(oracle.CLASSES, r.randint(0, 4))}
    if r.random() < .25:
        c["require"] = r.sample(["encrypted-channel", "receipt"], r.randint(0, 2))
    if r.random() < .3:
        c["retention_days"] = r.choice([1, 30, 365.0, 36500, None])
    if r.random() < .7:
        c["onward"] = r.choice(oracle.ONWARD)
    if r.random() < .1:
        c["note"] = r.choice([None, "for the record"])
    return c


def an_agreement(r, teams, times):
    kind = r.choice(["bilateral"] * 3 + ["multilateral"] * 3 + ["baseline", "law", "law"])
    size = 2 if kind == "bilateral" else r.randint(2, len(teams))
    a = {"id": uuid(r), "title": "t", "kind": kind,
         "parties": [t["id"] for t in r.sample(teams, size)],
         "valid_from": when(BASE - r.randint(0, 3) * 1000000),
         "clauses": [a_clause(r, n, teams) for n in range(r.choice([0, 1, 1, 2, 3, 12]))]}
    if kind == "law":
        a["economy"] = r.choice(ECONOMIES)
    begin = BASE - r.randint(-1, 9) * 500000 + r.choice([0, 0, 1, 999999])
    a["valid_from"] = when(begin)
    times.append(begin)
    if r.random() < .7:
        end = begin + r.choice([1, 2, 1000000, 5000000, 86400000000, 86400000000, 31536000000000])
        a["valid_until"] = when(end)
        times.append(end)
    elif r.random() < .5:
        a["valid_until"] = None
    if r.random() < .1:
        a["suspended"] = r.random() < .5
    return a


def spoil(r, a):
    """One fault; the text of the document."""
    target = r.choice([a] + a["clauses"])
    key = r.choice(list(target))
    fault = r.randrange(7)
    if fault == 0:
        del target[key]
    elif fault == 1:
        target[key] = r.choice([None, 5, "purple", [], {}, ["purple"], True, "", "*", -1, 1.5])
    elif fault == 2:
        target[r.choice(["valid_untill", "kinds", "Id", "tlp"])] = "x"
    elif fault == 3 and a["clauses"]:
        a["clauses"].append(dict(a["clauses"][0]))
    elif fault == 4:
        return json.dumps(a)[:-r.randint(1, 20)]
    elif fault == 5:
        a["valid_from"] = r.choice(["2026-02-30", "2026-01-01 00:00:00Z", "yesterday", "2026-01-01T00:00:00",
                                    "2026-13-01", "1899-01-01", "2026-01-01T00:00:00+25:00"])
    else:
        return json.dumps(a)[:-1] + ', "kind": "law"}'
    return json.dumps(a)


def a_feed(r, name):
    f = {"provider": name, "tlp": r.choice(oracle.TLPS)}
    if r.random() < .4:
        iep = {"id": uuid(r), "name": "n", "iep_version": r.choice([2, 2.0, "2.0"])}
        for key, words in {"encrypt_in_transit": ["may", "must"],
                           "permitted_actions": ["none", "contact-for-instruction", "internally-visible-actions",
                                                 "externally-visible-direct-actions"],
                           "affected_party_notifications": ["may", "must-not"], "tlp": oracle.TLPS,
                           "attribution": ["may", "must", "must-not"]}.items():
            if r.random() < .3:
                iep[key] = r.choice(words)
        f["iep"] = iep
    return f


def a_case(r, teams, times):
    at = r.choice(times) + r.choice([-1, 0, 0, 1]) if times and r.random() < .6 else BASE + r.randint(0, 9) * 100000
    names = [t["id"] for t in teams]
    origin = r.choice(names * 4 + [None])
    others = [n for n in names if n != origin]
    return {"origin": origin, "recipient": r.choice(others * 12 + names + [None]),
            "provider": r.choice(PROVIDERS * 2 + ["shadowserver", "unheard of", None]),
            "type": r.choice(list(oracle.TAXONOMY_OF) * 2 + ["no-such-type", ""]),
            "tlp": r.choice(["clear", "green", "TLP:AMBER", "amber+strict", "red", "WHITE", None, None] * 3 + ["purple"]),
            "onward": r.choice([None] * 10 + oracle.ONWARD), "in_constituency": r.random() < .5,
            "is_party": r.random() < .5, "clock": r.random() < .97, "at_us": at}


def a_world(r):
    teams = [{"id": f"t{i}", "economies": r.sample(ECONOMIES, r.choice([0, 1, 1, 1, 2])),
              "encrypted": r.random() < .6, "receipt": r.random() < .6} for i in range(r.randint(2, 8))]
    times = []
    agreements = [an_agreement(r, teams, times) for _ in range(r.choice([0, 1, 2, 4, 8, 30]))]
    if len(agreements) > 1 and r.random() < .03:
        agreements[0]["id"] = agreements[-1]["id"]
    broken = r.random() < .15
    texts = [spoil(r, a) if broken and r.random() < .15 else json.dumps(a) for a in agreements]
    feeds = {"default_tlp": r.choice(oracle.TLPS),
             "feeds": [a_feed(r, p) for p in PROVIDERS[:3] if r.random() < .3]}
    return {"teams": teams, "agreements": texts, "feeds": json.dumps(feeds),
            "inputs": [a_case(r, teams, times) for _ in range(PER_WORLD)]}


def compare(world, case, theirs, seen):
    ours = oracle.judge(world, case)
    seen[ours["effect"], ours["reason"]] += 1
    return None if ours == theirs else ours


def run_batch(helper, worlds, seen, seed):
    lines = "".join(json.dumps(w) + "\n" for w in worlds)
    done = subprocess.run([helper], input=lines.encode(), stdout=subprocess.PIPE, check=False)
    answers = done.stdout.decode().splitlines()
    if done.returncode != 0 or len(answers) != PER_WORLD * len(worlds):
        sys.exit(f"verdicts: the helper stopped ({done.returncode}) after {len(answers)} answers; seed {seed}")
    for n, w in enumerate(worlds):
        world = {"teams": {t["id"]: t for t in w["teams"]},
                 "agreements": oracle.read_agreements(w["agreements"]), "feeds": oracle.read_feeds(w["feeds"])}
        for i, case in enumerate(w["inputs"]):
            theirs = json.loads(answers[n * PER_WORLD + i])
            ours = compare(world, case, theirs, seen)
            if ours is not None:
                named = {c.split("#")[0] for c in ours["clauses"] + theirs["clauses"]}
                for name, a in enumerate(w["agreements"]):
                    if str(name) in named:
                        print(f"agreement {name}:", a)
                print("feeds:    ", w["feeds"])
                print("teams:    ", json.dumps(w["teams"]))
                print("case:     ", json.dumps(case))
                print("oracle:   ", json.dumps(ours, sort_keys=True))
                print("comity:   ", json.dumps(theirs, sort_keys=True))
                sys.exit(1)


def plant():
    right = oracle.reaches

    def wrong(agreement, clause, origin, recipient, at):
        return right(dict(agreement, until=agreement["until"] + 1), clause, origin, recipient, at)

    oracle.reaches = wrong


def main():
    args = argparse.ArgumentParser()
    args.add_argument("helper")
    args.add_argument("--cases", type=int, default=50000)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--show", action="store_true", help="how often each outcome came up")
    args.add_argument("--plant", action="store_true", help="a fault that must be found")
    a = args.parse_args()
    if a.plant:
        plant()
    r, seen, made = random.Random(a.seed), collections.Counter(), 0
    while made < a.cases:
        run_batch(a.helper, [a_world(r) for _ in range(BATCH)], seen, a.seed)
        made += BATCH * PER_WORLD
    if a.show:
        for (effect, reason), count in sorted(seen.items()):
            print(f"{effect:9} {reason:24} {count}")
    print(f"{made} verdicts alike, seed {a.seed}")


main()
