#!/usr/bin/env python3
"""How an agreement between nodes stands, re-implemented from doc/agreement-language.md, sections 11 and 12, never from the C.

usage: standings.py HELPER [--cases N] [--seed N] [--plant]
Three parties do what they like to one agreement; what they did comes to south.test late, twice, in any order, relayed, or signed
by somebody else. --plant has the oracle forget one rule: a test that does not notice is no test.
"""
import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

OWN, OTHERS, STRANGER = "south.test", ["north.test", "east.test"], "west.test"
UNSIGNED_EVENTS = 10  # of one team, before south.test has signed
START = 1_000_000_000


class Refused(Exception):
    pass


class Event:
    def __init__(self, number, team, signer, kind, time, at):
        self.number, self.team, self.signer, self.kind, self.time, self.at = number, team, signer, kind, time, at


class Oracle:
    def __init__(self, planted):
        self.known, self.signed, self.planted = False, set(), planted
        self.lines = []  # (team, kind, at here, at as the team named it) in the order of the journal
        self.taken = {team: [] for team in OTHERS}  # events, in the order in which they were taken in

    # -- section 12

    def here(self, event, now):
        """From when on it holds here."""
        if event.at == event.time:
            return now
        return max(event.at, now)

    def come(self, now, sender, signers, events):
        if sender == STRANGER:
            raise Refused
        if any(s == STRANGER for s in signers):
            raise Refused  # no party
        if not self.known and (sender not in signers or any(e.kind == "ended" for e in events)):
            raise Refused
        new = [] if self.known else ["proposed"]
        signed = [s for s in signers if s != OWN and s not in self.signed]
        would = self.signed | set(signed)
        taken = {team: list(events) for team, events in self.taken.items()}
        for event in events:
            if event.team == STRANGER:
                raise Refused
            if event.team == OWN:
                continue
            before = taken[event.team]
            if any(e.number == event.number or e.kind == "ended" for e in before):
                continue
            if before and event.time < max(e.time for e in before) and self.planted != "order":
                continue
            if event.kind == "refused" and event.team in would:
                continue
            if event.signer != event.team:  # by a key that is not known: passed over, whoever shows it
                continue
            if OWN not in self.signed and len(before) >= UNSIGNED_EVENTS:
                raise OverflowError  # the generator keeps below it
            before.append(event)
        self.known, self.signed = True, would
        for team, kept in taken.items():
            self.taken[team] = kept
        fresh = [e for e in events if e.team in taken and e in taken[e.team] and e.number not in {line[4] for line in self.lines}]
        seen = set()
        count = len(new) + len(signed)
        for e in fresh:
            if e.number in seen:
                continue
            seen.add(e.number)
            self.lines.append((e.team, e.kind, self.here(e, now), e.at, e.number))
            count += 1
        return count

    # -- section 11

    def ended(self, at):
        return any(kind == "ended" and here <= at for _, kind, here, _, _ in self.lines)

    def keeps_suspended(self, team, at):
        said = [(named, i, kind) for i, (who, kind, here, named, _) in enumerate(self.lines)
                if who == team and kind in ("suspended", "resumed") and here <= at]
        return bool(said) and max(said)[2] == "suspended"

    def suspended(self, at):
        teams = [OWN, *OTHERS]
        if self.planted == "each":  # any resumption would do
            said = [(named, i, kind) for i, (_, kind, here, named, _) in enumerate(self.lines)
                    if kind in ("suspended", "resumed") and here <= at]
            return bool(said) and max(said)[2] == "suspended"
        return any(self.keeps_suspended(team, at) for team in teams)

    def do(self, now, kind, at):
        if not self.known or self.ended(float("inf")):
            raise Refused
        if kind == "refused":
            if OWN in self.signed or any(who == OWN and k == "refused" for who, k, *_ in self.lines):
                raise Refused
        elif kind != "ended" and self.keeps_suspended(OWN, at) != (kind == "resumed"):
            raise Refused
        self.lines.append((OWN, kind, at, at, None))

    def sign(self):
        if self.ended(float("inf")):
            raise Refused
        self.known = True
        self.signed.add(OWN)

    def stands(self, at):
        if not self.known:
            return "unknown"
        if self.ended(at):
            return "ended"
        if not {OWN, *OTHERS} <= self.signed:
            refused = any(kind == "refused" and here <= at and who not in self.signed for who, kind, here, _, _ in self.lines)
            return "refused" if refused else "proposed"
        return "suspended" if self.suspended(at) else "in force"


def history(rng, team, first):
    """What TEAM did, in its own order, by its own clock."""
    events, time = [], START + rng.randint(-2000, 2000)
    for _ in range(rng.randint(0, 8)):
        time += rng.randint(0, 400)
        kind = rng.choice(["suspended", "resumed"] * 4 + ["refused", "ended"])
        at = time if rng.random() < 0.5 else time + rng.randint(1, 1500)
        signer = team if rng.random() < 0.95 else rng.choice([STRANGER, *OTHERS])
        events.append(Event(first + len(events), team, signer, kind, time, at))
        if kind == "ended":
            break
    return events


def script(rng):
    """Lines for the helper, and what is done to the oracle."""
    events = []
    for team in [*OTHERS, *([STRANGER] if rng.random() < 0.1 else [])]:
        events += history(rng, team, len(events))
    lines = [("event", e) for e in events]
    now = START
    for _ in range(rng.randint(4, 14)):
        now += rng.randint(1, 300)
        what = rng.random()
        if what < 0.65:
            sender = rng.choice(OTHERS * 10 + [STRANGER])
            # Mostly what it did itself until then, as a node shows it; else anything.
            shown = [e for e in events if e.team == sender and e.time <= now + rng.randint(0, 2000)]
            if rng.random() < 0.3:
                shown = rng.sample(events, rng.randint(0, len(events)))
            signers = rng.sample([*OTHERS, OWN], rng.randint(0, 3)) if rng.random() < 0.5 else [*OTHERS]
            lines.append(("come", now, sender, signers + ([STRANGER] if rng.random() < 0.02 else []), shown))
        elif what < 0.75:
            lines.append(("sign", now))
        else:
            kind = rng.choice(["suspended", "resumed", "suspended", "resumed", "refused", "ended" if rng.random() < 0.3 else "resumed"])
            lines.append(("do", now, kind, now if rng.random() < 0.5 else now + rng.randint(1, 500)))
        for _ in range(2):
            lines.append(("ask", now + rng.randint(0, 800)))
    for _ in range(20):
        lines.append(("ask", now + rng.randint(-3000, 5000)))
    return lines


def as_text(line):
    if line[0] == "event":
        e = line[1]
        return f"event {e.team} {e.signer} {e.kind} {e.time} {e.at}"
    if line[0] == "come":
        return f"come {line[1]} {line[2]} {','.join(line[3]) or '-'} {','.join(str(e.number) for e in line[4]) or '-'}"
    return " ".join(map(str, line))


def expected(oracle, line):
    """What the helper should say; a refusal in the oracle is any error's word there."""
    try:
        if line[0] == "come":
            return f"taken {oracle.come(*line[1:])}"
        if line[0] == "do":
            oracle.do(*line[1:])
            return "done"
        if line[0] == "sign":
            oracle.sign()
            return "done"
    except Refused:
        return "refused to"
    return oracle.stands(line[1])


ERRORS = ("not-allowed", "bad-value", "exists", "limit", "usage", "not-found", "bad-agreement")


def run(helper, lines, planted):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None) as folder:
        done = subprocess.run([helper, folder], input="".join(as_text(l) + "\n" for l in lines), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    oracle, said = Oracle(planted), iter(done.stdout.splitlines())
    counts = {}
    for i, line in enumerate(lines):
        if line[0] == "event":
            continue
        want, got = expected(oracle, line), next(said)
        same = got in ERRORS if want == "refused to" else got == want
        assert same, f"line {i}, {as_text(line)}: {got}, and not {want}\n" + "\n".join(map(as_text, lines[:i + 1]))
        counts[got.split()[0]] = counts.get(got.split()[0], 0) + 1
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("helper")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=["order", "each"])
    arguments = parser.parse_args()
    sums = {}
    for case in range(arguments.cases):
        lines = script(random.Random(arguments.seed * 1000003 + case))
        try:
            for word, count in run(arguments.helper, lines, arguments.plant).items():
                sums[word] = sums.get(word, 0) + count
        except AssertionError as broken:
            print(f"case {case} of seed {arguments.seed}: {broken}")
            sys.exit(1)
    print(f"{arguments.cases} agreements between three nodes, as recomputed:", sums)


if __name__ == "__main__":
    main()
