"""Was everything as the agreements say, and only that? The oracle's verdicts and redactions, held against what nodes show.

One node is judged by what it alone shows (Judge); what it says that it sent, and what others say that came, are held together then
(join). Nothing here is Comity's own judgement: tests/oracle was written from the text of the rules.
"""
import base64
import collections
import datetime
import json

import ledgers
import oracle
import redaction
from evidence import Broken, id_of, opened
from reports import serial_of

EXTENSION = "extension-definition--7ea8b18b-5050-4ab8-b1ba-b2dde2e27066"
SHARED = {"marking-definition", "extension-definition", "identity"}  # what says nothing of any report
BETWEEN_NODES = {"csirt-agreement", "comity-receipt"}
ITEMS = {"observed-data", "note"}
SILENT = {"type", "spec_version", "id", "protocols", "is_active", "is_multipart"}


def moment_us(text):
    return oracle.instant(text.replace("+00:00", "Z"))


def now_us():
    return int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 1e6)


def scalars(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in SILENT and not name.endswith(("_ref", "_refs")):
                yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    elif not isinstance(value, bool):
        yield str(value)


def told(item, observables):
    """Every value that an item and its observables say of the report, as text; its times apart."""
    extension = item["extensions"][EXTENSION]
    values = collections.Counter()
    for ref in item.get("object_refs", []):
        if ref in observables:
            values.update(scalars(observables[ref]))
    values.update(scalars([f["value"] for f in extension.get("fields", [])]))
    values.update(scalars([extension.get("classification", {}).get("type"), extension.get("provider")]))
    values.pop("None", None)
    time = moment_us(item["first_observed"]) if extension["time"] != "none" and "first_observed" in item else None
    return values, time


class Expected:
    """One report for one recipient: what the oracle says must be there."""

    def __init__(self, judge, report, recipient, origin=None, **onward):
        self.recipient = recipient
        case = {"origin": origin or judge.team, "recipient": recipient, "type": report["classification.type"],
                "provider": report.get("feed.provider"), "tlp": report.get("tlp"), "clock": True, "at_us": judge.now_us,
                "onward": None, "in_constituency": False, "is_party": False, **onward}
        self.verdict = oracle.judge(judge.rules, case)
        self.clauses = [judge.clause_name(c) for c in self.verdict["clauses"]]

    def left(self, judge, report):
        """(values as text, time in microseconds or None) of what may go."""
        agreement = self.clauses[0].rsplit("#", 1)[0]
        fields = redaction.redact(list(redaction.parse_json(json.dumps(report))), self.verdict["treatment"], self.recipient, agreement,
                                  judge.world.secrets[judge.team], judge.tables)
        values, time = collections.Counter(), None
        for name, value in fields:
            if name == "time.source":
                time = moment_us(value)
            elif name != "tlp":
                values[str(value)] += 1
        return values, time


    def differs(self, judge, report, item, observables):
        """In what ITEM is not what the oracle leaves of REPORT: (kind of fault, what)."""
        may, time = self.left(judge, report)
        values, told_time = told(item, observables)
        for value in values.keys() - may.keys():
            yield "leaked", f"it tells {value!r}, which the oracle takes away"
        for value in may.keys() - values.keys():
            yield "lost", f"it does not tell {value!r}, which it may"
        if told_time != time:
            yield "lost" if told_time is None else "leaked", f"it tells the time {told_time}, not {time}"
        extension = item["extensions"][EXTENSION]
        treatments = {c: t for c, t in self.verdict["treatment"].items() if t != "keep"}
        if extension.get("treatments", {}) != treatments:
            yield "leaked", f"treated as {extension.get('treatments')}, by the oracle {treatments}"
        if extension.get("clauses", []) != self.clauses:
            yield "unproven", f"clauses {extension.get('clauses')}, by the oracle {self.clauses}"


class Join:
    """What nodes say that they sent, and what others say that came, held together. FOUND: by team, what examine() made."""

    def __init__(self, world, tables, found):
        self.world, self.tables, self.found = world, tables, found
        self.faults = [fault for result in found.values() for fault in result["faults"]]
        self.linked = {pair for a, b in world.links for pair in ((a, b), (b, a))}
        self.delivered, self.kept, self.senders = collections.Counter(), 0, collections.defaultdict(set)

    def fault(self, kind, what):
        self.faults.append((kind, what))

    def run(self):
        for team, result in self.found.items():
            for ident, recipient in result["sent"]:
                self.follow(team, ident, recipient)
        for team, result in self.found.items():
            for ident, times in result["came"].items():
                if len(times) > max(1, len(self.senders[ident, team])):  # what two tell is two reports (doc/node.md)
                    self.fault("doubled", f"{team}: {ident} came {len(times)} times, from {sorted(self.senders[ident, team])}")
                if not self.senders[ident, team]:
                    self.fault("leaked", f"{team}: {ident} is there, and nobody's collection for it has it")
            for passed in result["passed_on"]:
                self.check_passed_on(team, *passed)
        return self

    # ---- what came from a partner and went on ----

    def check_passed_on(self, team, ident, recipient, item, observables, fields, decision):
        """Right by what one of those who told it to TEAM may be passed on by TEAM."""
        report = {name: value for name, value in fields.items() if not name.startswith("extra.comity_")}
        judge, wrong = Judge.of(self.world, self.tables, team, now_us()), ["nobody told it"]
        for origin in sorted(self.senders[ident, team]):
            wrong = self.wrong_onward(judge, report, origin, recipient, item, observables, decision)
            if not wrong:
                return
        for what in wrong:
            self.fault("leaked", f"{ident}, passed on by {team} to {recipient}: {what}")

    def wrong_onward(self, judge, report, origin, recipient, item, observables, decision):
        if recipient == origin:
            return [f"it came from {origin}"]
        came = Expected(judge, report, judge.team, origin)
        term = "none" if came.verdict["effect"] == "withhold" or not came.clauses else came.verdict["onward"]
        agreement = came.clauses[0].rsplit("#", 1)[0] if came.clauses else None
        parties = next((a["parties"] for a in self.world.agreements[judge.team] if a["id"] == agreement), [])
        expected = Expected(judge, report, recipient, origin, onward=term, is_party=recipient in parties,
                            in_constituency=self.world.directory.economies.get(self.world.economy[recipient]) == origin)
        effect = expected.verdict["effect"]
        if effect == "withhold" or (effect == "hold" and decision != "released"):
            return [f'the oracle says "{effect}, {expected.verdict["reason"]}" of what {origin} told']
        return [what for _, what in expected.differs(judge, report, item, observables)]

    def follow(self, team, ident, recipient):
        self.senders[ident, recipient].add(team)
        if (team, recipient) not in self.linked:
            self.kept += 1  # it waits for who fetches it
        elif ident in self.found[recipient]["came"] or ident in self.found[recipient]["own"]:
            self.delivered[team, recipient] += 1
        else:
            self.fault("lost", f"{ident} was released by {team} to {recipient}, and is not there")


class Judge:
    """What one node shows, judged. `faults` has (kind, what); `sent` (report id, recipient); `came` (id, when)."""

    def __init__(self, world, tables, team, handed_in, evidence):
        self.learn(world, tables, team, now_us())
        self.evidence = evidence
        self.handed_in = dict(handed_in)
        self.faults, self.sent, self.passed_on, self.delivered, self.counts = [], [], [], [], collections.Counter()
        self.by_id = {}

    def fault(self, kind, what):
        self.faults.append((kind, f"{self.team}: {what}"))

    def clause_name(self, oracles):
        """"3#2.1", as the oracle numbers agreements: the agreement's id and the clause's."""
        name, clause = oracles.split("#", 1)
        return f"{self.world.agreements[self.team][int(name)]['id']}#{clause}" if name.isdigit() else f"{name}#{clause}"

    @classmethod
    def of(cls, world, tables, team, now_us):
        """The rules of TEAM's node alone, to ask the oracle by."""
        judge = cls.__new__(cls)
        judge.learn(world, tables, team, now_us)
        return judge

    def learn(self, world, tables, team, now_us):
        self.world, self.tables, self.team, self.now_us = world, tables, team, now_us
        texts = [json.dumps(a) for a in world.agreements[team]]
        teams = {c["id"]: {"id": c["id"], "economies": [world.economy[c["id"]]], "encrypted": True, "receipt": c["id"] in world.with_receipts}
                 for c in world.cards}
        self.rules = {"teams": teams, "agreements": oracle.read_agreements(texts), "feeds": oracle.read_feeds(json.dumps(world.feeds))}

    def run(self):
        self.find_own()
        self.decisions = self.decided()
        self.expect()
        for name, objects in self.evidence.collections.items():
            self.look_at(name, objects)
        for key in self.expected - set(self.sent):
            self.fault("lost", f"{key[0]} was to be told to {key[1]}, and is not in its collection")
        self.check_receipts()
        self.check_counts()
        return self

    def decided(self):
        """What people said, by the id that a report has in collections: what came from others has another one here. Of what two told,
        one word that lets it go is enough."""
        known = {one["id"]: one["known_as"] for one in self.evidence.reports if one.get("known_as")}
        found = {}
        for held in self.evidence.held:
            key = known.get(held["report"], held["report"]), held["team"]
            found[key] = held["state"] if found.get(key) != "released" else "released"
        return found

    # ---- what was handed in is stored, once ----

    def find_own(self):
        found, foreign = collections.defaultdict(list), 0
        for one in self.evidence.reports:
            serial = serial_of(one["time"]) if one["time"] else None
            if serial in self.handed_in:
                found[serial].append(one)
            else:
                foreign += 1
        for serial in self.handed_in:
            if not found[serial]:
                self.fault("lost", f"report {serial} was acknowledged and is not stored")
            if len(found[serial]) > 1:
                self.fault("doubled", f"report {serial} is stored {len(found[serial])} times")
        self.own = {serial: ones[0] for serial, ones in found.items() if ones}
        self.by_id = {one["id"]: serial for serial, ones in found.items() for one in ones}
        self.find_foreign(foreign)

    def find_foreign(self, stored):
        """What others told: it is in the own team's collection, under the id that it has at all nodes; what is held for us, too, or
        nobody's as far as can be seen, was asked for one by one."""
        self.came = collections.defaultdict(list)
        for one in self.evidence.collections.get("Released to " + self.team, []):
            if one["type"] in ITEMS and EXTENSION in one.get("extensions", {}) and id_of(one["id"]) not in self.by_id:
                self.came[id_of(one["id"])].append(one["modified"])
        let_go = {h["report"] for h in self.evidence.held if h["team"] == self.team and h["state"] == "released"}
        for one in self.evidence.strays:
            if one["id"] not in let_go:
                self.came[one["fields"].get("extra.comity_id", one["id"])].append(one["received"])
        if sum(map(len, self.came.values())) != stored:
            self.fault("unbalanced", f"{stored} reports of others are stored, and {sum(map(len, self.came.values()))} are in its own collection")

    def expect(self):
        """What must be in whose collection."""
        self.expected, self.judged = set(), {}
        for serial, one in self.own.items():
            report = self.handed_in[serial]
            self.check_attribution(serial, report, one)
            for recipient in self.recipients(report) - {self.team}:
                expected = self.judged[one["id"], recipient] = Expected(self, report, recipient)
                effect = expected.verdict["effect"]
                self.counts[effect] += 1
                decided = self.decisions.get((one["id"], recipient))
                if effect == "hold" and decided is None:
                    self.fault("lost", f"{one['id']} is to wait for a person's decision about {recipient}, and does not")
                if effect == "release" or (effect == "hold" and decided == "released"):
                    self.expected.add((one["id"], recipient))

    def recipients(self, report):
        return {team for team in (self.answers(report, "source"), self.answers(report, "destination")) if team}

    def answers(self, report, side):
        address = report.get(f"{side}.ip")
        return self.world.directory.answers_text(address) if address else None

    def check_attribution(self, serial, report, one):
        found = {outcome["team"] for outcome in one["outcomes"]} - {None}
        if found != self.recipients(report):
            self.fault("leaked", f"report {serial} is {sorted(found)}'s, and {sorted(self.recipients(report))} answer for it")

    # ---- what lies in a collection ----

    def look_at(self, name, objects):
        recipient = name.removeprefix("Released to ") if name.startswith("Released to ") else None
        observables, used, items, seen = {}, set(), [], collections.Counter()
        for one in objects:
            kind = one["type"]
            if kind in ITEMS and EXTENSION in one.get("extensions", {}):
                items.append(one)
                seen[one["id"]] += 1
                used.update(one.get("object_refs", []))
                self.check_item(name, recipient, one, observables)
            elif kind == "comity-batch" and recipient:
                self.check_batch(recipient, one, items)
                items = []
            elif kind not in SHARED | BETWEEN_NODES and "created" not in one:
                observables[one["id"]] = one
        for one in items if recipient != self.team else ():
            self.fault("unproven", f"{one['id']} for {name} has no batch behind it")
        for ident, times in seen.items():
            if times > 1:
                self.fault("doubled", f"{ident} is {times} times in the collection {name}")
        if recipient:
            for ident in observables.keys() - used:
                self.fault("leaked", f"{ident} lies in {name} and belongs to no report that was released")

    def check_item(self, name, recipient, item, observables):
        ident = id_of(item["id"])
        if recipient is None:
            if name != "intake":
                self.fault("leaked", f"{ident} lies in the collection {name}")
            return
        if recipient == self.team:
            return
        self.sent.append((ident, recipient))
        if ident not in self.by_id and self.evidence.fields[ident] is None:
            self.fault("lost", f"{ident} lies in the collection {name}, and is not stored")
            return
        if ident not in self.by_id:
            known = {ref: observables[ref] for ref in item.get("object_refs", []) if ref in observables}
            self.passed_on.append((ident, recipient, item, known, self.evidence.fields[ident], self.decisions.get((ident, recipient))))
            return
        expected = self.judged.get((ident, recipient))
        if expected is None or (ident, recipient) not in self.expected:
            what = f'the oracle says "{expected.verdict["effect"]}, {expected.verdict["reason"]}"' if expected else "it does not answer for it"
            self.fault("leaked", f"{ident} was told to {recipient}, but {what}")
            return
        self.check_redaction(ident, expected, item, observables)

    def check_redaction(self, ident, expected, item, observables):
        for kind, what in expected.differs(self, self.handed_in[self.by_id[ident]], item, observables):
            self.fault(kind, f"{ident} for {expected.recipient}: {what}")

    # ---- what the ledger says of it ----

    def check_batch(self, recipient, batch, items):
        if recipient == self.team:
            return
        log = self.evidence.log
        if log is None:
            self.fault("unproven", f"{len(items)} items for {recipient}: {self.evidence.log_broken}")
            return
        root = ledgers.b64(ledgers.item_tree(items, base64.b64decode(batch["salt"])).mth(0, len(items)))
        entry = log[batch["entry"]] if batch["entry"] < len(log) else {}
        wanted = {"items": len(items), "items_root": root, "from": self.team, "to": recipient, "id": "urn:uuid:" + batch["id"].split("--")[1]}
        for name, value in wanted.items():
            if entry.get(name) != value:
                self.fault("unproven", f"{batch['id']} for {recipient}: the ledger says {name} {entry.get(name)!r}, and it is {value!r}")
                return
        if entry.get("kind") == "delivery" or entry.get("decision") == "released":
            self.delivered.append((wanted["id"], recipient, len(items), root))
        else:
            self.fault("unproven", f"{batch['id']} for {recipient}: the ledger's entry is no delivery")

    def check_receipts(self):
        """Each delivery to a partner's node has a receipt of that very node, over these very items."""
        partners = set(self.world.partners(self.team))
        for batch, recipient, items, root in self.delivered:
            if recipient in partners:
                why = self.wrong_receipt(batch, recipient, items, root)
                self.counts["receipts"] += why is None
                if why:
                    self.fault("unproven", f"{batch} of {items} items for {recipient}: {why}")

    def wrong_receipt(self, batch, recipient, items, root):
        told = self.evidence.receipts.get(batch)
        if told is None or not told["note"]:
            return f"no receipt ({told['delivered']}, {told['state']})" if told else "the node knows no such delivery"
        try:
            lines = opened(told["note"], self.world.node_keys[recipient]["receipt"])
        except Broken as why:
            return f"its receipt is {why}"
        wanted = ["comity-receipt-v1", f"batch {batch}", f"root {root}", f"count {items}"]
        return None if lines[:4] == wanted else f"its receipt says {lines[1:4]}, not {wanted[1:]}"

    # ---- sums ----

    def check_counts(self):
        totals = self.evidence.statistics["totals"]
        if not self.evidence.statistics["balanced"]:
            self.fault("unbalanced", f"its counts do not add up: {totals}")
        away = collections.Counter(recipient for _, recipient in self.sent)
        said, written = collections.Counter(), collections.Counter()
        for row in self.evidence.statistics["items"]:
            if row["team"] not in (None, self.team) and row["name"] == "released":
                said[row["team"]] += row["count"]
            if row["name"] == "written-out":
                written[row["team"]] += row["count"]
        let_go = [h["team"] for h in self.evidence.held if h["state"] == "released"]
        said.update(team for team in let_go if team != self.team)
        if len(let_go) != totals["held-released"]:
            self.fault("unbalanced", f"{totals['held-released']} held reports are counted as let go, and {len(let_go)} were")
        if +away != +said:
            team = next(t for t in away.keys() | said.keys() if away[t] != said[t])
            self.fault("unbalanced", f"it counts {said[team]} reports for {team}, and its collection has {away[team]}")
        if +away != +written:
            team = next(t for t in away.keys() | written.keys() if away[t] != written[t])
            self.fault("unbalanced", f"it counts {written[team]} reports written out for {team}, and its collection has {away[team]}")
        if totals["given"] != totals["stored"]:
            self.fault("unbalanced", f"{totals['stored']} reports are stored, and {totals['given']} were given")
