#!/usr/bin/env python3
"""The officer's tools, end to end: lint, diff, simulate and flow say what route does.

usage: officer.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder: samples, examples, mapping)
"""
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case, agreement, clause, report

SHARE = pathlib.Path(os.environ["COMITY_SHARE"]).resolve()
EXAMPLES = SHARE / "examples"
SAMPLES = SHARE / "samples" / "shadowserver"
EFFECTS = ("released", "held", "withheld")
NEXT = "2026-11-24T00:00:00Z"  # whatever the clock says


def run(*arguments, status=0):
    done = subprocess.run([COMITY, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == status, (arguments, done.returncode, done.stdout[-2000:], done.stderr)
    return done.stdout.decode()


def tool(name, *arguments, status=0):
    return json.loads(run(*name.split(), "--json", *OPTIONS, *arguments, status=status))


def effects(counts):
    return tuple(counts[e] for e in EFFECTS)


def mapped_classes():
    """The field classes of each classification's report types in share/shadowserver/mapping.json, and how many types."""
    table = (pathlib.Path(__file__).resolve().parents[2] / "src" / "tables" / "fields.def").read_text()
    classes = {m[1]: m[2].lower() for m in re.finditer(r'FIELD\(\w+, "([^"]+)", \w+, (\w+)\)', table)}
    with (SHARE / "tables" / "extra-fields.csv").open() as rows:
        extra = dict(csv.reader(rows))
    seen, types = collections.defaultdict(set), collections.Counter()
    for kind in json.loads((SHARE / "shadowserver" / "mapping.json").read_text())["types"].values():
        what = kind["set"].get("classification.type")
        types[what] += 1
        for column, rule in kind["must"] + kind["may"]:
            name = rule.split(" ")[0]
            if name in classes:
                seen[what].add(classes[name])
            else:
                full = "extra." + (column if name == "." else name.removeprefix("extra."))
                seen[what] |= {"text", extra.get(full, "text")}
    return seen, types


class Lint(Case):
    def lint(self, *arguments, status=0):
        out = run("agreement", "lint", "--json", *OPTIONS, *arguments, status=status)
        return [json.loads(line) for line in out.splitlines()]

    def found(self, *documents, status=0, arguments=()):
        path = self.write("draft.json", list(documents))
        rows = self.lint("--teams", self.folder / "teams.json", "--at", NEXT, *arguments, path, status=status)
        return [(r["level"], r["finding"], r["clause"], r["key"]) for r in rows]

    def test_what_is_shipped_is_clean(self):
        for arguments in ([EXAMPLES / "agreements", SHARE / "agreements"],
                          ["--feeds", EXAMPLES / "feeds.json", "--with", SHARE / "agreements", "--with",
                           EXAMPLES / "agreements", EXAMPLES / "agreements" / "memorandum.json"]):
            rows = self.lint("--strict", "--teams", EXAMPLES / "teams", "--at", NEXT, *arguments)
            self.assertEqual([r for r in rows if r["level"] != "hint"], [])

    def test_every_fault_of_form_is_told(self):
        broken = agreement(1, "baseline", [clause("1", tlp_max="pink", effect="go"), clause("2", classification=[])],
                           valid_from="soon", colour=1)
        self.assertEqual([f[1:] for f in self.found(broken, status=1)],
                         [("schema", None, "valid_from"), ("schema", "1", "tlp_max"), ("schema", "1", "effect"),
                          ("schema", "2", "classification"), ("schema", None, None)])

    def test_exit_status(self):
        odd = agreement(1, "baseline", [clause("1", tlp_max="red")])
        self.assertEqual(self.found(odd), [("warning", "red-outside-bilateral", "1", "tlp_max")])
        self.found(odd, status=1, arguments=["--strict"])
        run("agreement", "lint", status=2)
        run("agreement", "lint", *OPTIONS, self.folder / "none.json", status=3)
        run("agreement", "lint", *OPTIONS, self.write("empty.json", []), status=3)

    def test_what_is_missing_is_told_with_what_would_be_right(self):
        path = self.write("draft.json", [{"clauses": [{"id": "1"}]}])
        rows = self.lint(path, status=1)
        missing = {(r["clause"], r["key"]): r["message"] for r in rows if "is missing" in r["message"]}
        self.assertEqual({k for _, k in missing}, {"id", "title", "kind", "valid_from", "from", "to", "classification",
                                                   "tlp_max", "effect"})
        self.assertEqual([m for m in missing.values() if "; write " not in m], [])

    def test_too_much_to_ask_is_a_hint_beside_the_rest(self):
        many = agreement(1, "baseline", [clause(str(n), providers=[f"feed {n}"]) for n in range(100)], valid_until="2026-02-01",
                         valid_from="2026-01-01")
        self.assertEqual(self.found(many), [("warning", "ended", None, "valid_until"), ("hint", "not-checked", None, None)])

    def test_other_documents_count(self):
        feeds = self.write("conditions.json", {"default_tlp": "amber", "feeds": [{"provider": "Feed", "tlp": "amber", "iep": {
            "id": "1", "name": "Conditions", "iep_version": 2.0, "tlp": "amber"}}]})
        draft = agreement(1, "multilateral", [clause("1", **{"from": "aa-cert", "to": "bb-cert"}, providers=["feed"])],
                          parties=["aa-cert", "bb-cert"])
        self.assertEqual(self.found(draft), [])
        self.assertEqual(self.found(draft, arguments=["--feeds", feeds]), [("warning", "never-matches", "1", "tlp_max")])
        law = self.write("law.json", agreement(2, "law", [clause("9", tlp_max="red", effect="withhold")], economy="FI"))
        self.assertEqual(self.found(draft, arguments=["--with", law]), [("warning", "void-by-ceiling", "1", "effect")])

    def test_hints_on_fields_rest_on_evidence(self):
        table = (pathlib.Path(__file__).resolve().parents[2] / "src" / "tables" / "never_carried.def").read_text()
        rows = re.findall(r"^NEVER_CARRIED\((\w+), (\w+), (\d+)\)", table, re.M)
        seen, types = mapped_classes()
        self.assertGreater(len(rows), 0)
        for name, field, count in rows:
            what = name.lower().replace("_", "-")
            self.assertEqual(types[what], int(count), name)
            self.assertGreaterEqual(types[what], 4, name)
            self.assertNotIn(field.lower(), seen[what], name)


class Simulate(Case):
    """On the shipped samples, with the shipped directory: what route says before and after is what simulate says."""

    def sums(self, *agreements):
        arguments = [x for a in agreements for x in ("--agreements", a)]
        s = tool("route", "--at", NEXT, "--rejects", self.folder / "rejected.jsonl", *arguments, SAMPLES)
        return s, {t["team"]: effects(t) for t in s["teams"]}

    def compare(self, draft, today, after):
        told = tool("agreement simulate", "--at", NEXT, *[x for a in today for x in ("--agreements", a)], draft, "--on", SAMPLES)
        (before_sum, before), (after_sum, then) = self.sums(*today), self.sums(*after)
        self.assertEqual((effects(told["before"]), effects(told["after"])), (effects(before_sum), effects(after_sum)))
        self.assertEqual({t["team"]: effects(t["before"]) for t in told["teams"]}, before)
        self.assertEqual({t["team"]: effects(t["after"]) for t in told["teams"]}, then)
        for row in [told, *told["teams"]]:
            self.assertEqual(row["more"] + row["less"] + row["different"] + row["same"], sum(effects(row["before"])))
        for team in told["teams"]:
            for way in ("more", "less", "different"):
                examples = [e for e in team["examples"] if e["direction"] == way]
                self.assertEqual(len(examples), min(3, team[way]), team)
        return told

    def draft(self, **more):
        document = json.loads((SHARE / "agreements" / "baseline.json").read_text())
        document["clauses"][0].update(more)
        return self.write("draft.json", document)

    def test_a_draft_takes_the_place_of_its_id(self):
        baseline = SHARE / "agreements"
        wider = self.draft(tlp_max="amber")
        told = self.compare(wider, [baseline], [wider])
        self.assertEqual((told["replaced"], told["in_force"]), (1, True))
        self.assertGreater(told["more"], 100)
        self.assertEqual((told["less"], told["different"]), (0, 0))
        stricter = self.draft(tlp_max="clear", effect="hold")
        self.assertEqual(self.compare(stricter, [baseline], [stricter])["more"], 0)

    def test_less_and_other_terms(self):
        wider = json.loads(pathlib.Path(self.draft(tlp_max="amber")).read_text())
        today = self.write("today.json", wider)
        self.assertGreater(self.compare(self.draft(), [today], [self.draft()])["less"], 100)
        draft = self.draft(tlp_max="amber", retention_days=30)
        told = self.compare(draft, [today], [draft])
        self.assertGreater(told["different"], 100)
        self.assertEqual((told["more"], told["less"]), (0, 0))

    def test_a_draft_of_a_new_id_stands_beside(self):
        other = self.write("other.json", agreement(7, "baseline", [clause("x", tlp_max="amber", treatment={"text": "remove"})],
                                                   valid_from="2030-01-01"))
        dated = self.write("now.json", agreement(7, "baseline", [clause("x", tlp_max="amber", treatment={"text": "remove"})]))
        told = self.compare(other, [SHARE / "agreements"], [SHARE / "agreements", dated])
        self.assertEqual((told["replaced"], told["in_force"]), (0, False))

    def test_diff_and_simulate_agree(self):
        before = SHARE / "agreements" / "baseline.json"
        for more, way in (({"tlp_max": "amber"}, "more"), ({"classification": ["fraud.*"]}, "less"),
                          ({"retention_days": 9}, "different"), ({}, None)):
            draft = self.draft(**more)
            said = {c["direction"] for c in tool("agreement diff", before, draft)["changes"]}
            told = tool("agreement simulate", "--at", NEXT, draft, "--on", SHARE / "samples")
            self.assertEqual(said, {way} - {None}, more)
            self.assertEqual({w for w in ("more", "less", "different") if told[w]}, said, more)

    def test_wrong_drafts_are_refused(self):
        broken = self.write("broken.json", agreement(1, "baseline", [clause("1", effect="go")]))
        for name in ("agreement simulate", "agreement diff"):
            files = [broken, "--on", SAMPLES] if name.endswith("simulate") else [broken, broken]
            done = subprocess.run([COMITY, *name.split(), *OPTIONS, *files], capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (3, b""))
            self.assertIn(b"effect", done.stderr)
        for arguments in (["simulate"], ["simulate", broken], ["diff", broken], ["diff", "--odd"], ["simulate", "--odd"]):
            run("agreement", *arguments, status=2)


class Diff(Case):
    def test_sentences(self):
        parties = {"parties": ["aa-cert", "bb-cert"]}
        one = {"from": "aa-cert", "to": "bb-cert", "classification": ["information-gathering.scanner"]}
        a = self.write("a.json", agreement(1, "bilateral", [clause("1", **one, tlp_max="clear")], **parties))
        b = self.write("b.json", agreement(1, "bilateral", [clause("1", **one, tlp_max="amber", treatment={"account": "remove"})],
                                           **parties, valid_until="2030-01-01"))
        empty = self.write("none.json", agreement(9, "baseline", []))
        told = tool("agreement diff", "--teams", self.folder / "teams.json", "--with", empty, a, b)
        self.assertEqual([d["key"] for d in told["documents"]], ["valid_until", "clause"])
        self.assertEqual([(c["direction"], c["recipients"], c["senders"], c["classification"], c["tlp"]) for c in told["changes"]],
                         [("more", ["bb-cert"], ["aa-cert"], one["classification"], ["green", "amber"]),
                          ("different", ["bb-cert"], ["aa-cert"], one["classification"], ["clear"])])
        text = run("agreement", "diff", *OPTIONS, "--teams", self.folder / "teams.json", "--with", empty, a, b)
        self.assertIn("bb-cert\n  + would now also get information-gathering.scanner reports labelled GREEN or AMBER from "
                      "aa-cert, with account names removed", text)

    def test_identical_in_effect(self):
        a = self.write("a.json", agreement(1, "baseline", [clause("1", classification=["fraud.*", "other.*"])]))
        b = self.write("b.json", agreement(1, "baseline", [clause("x", classification=["other.*"]),
                                                           clause("y", classification=["fraud.*"])], title="Another"))
        told = tool("agreement diff", a, b)
        self.assertTrue(told["identical"])
        self.assertEqual({d["key"] for d in told["documents"]}, {"title", "clause"})
        self.assertIn("identical in effect", run("agreement", "diff", *OPTIONS, a, b))


class Flow(Case):
    def flow(self, *arguments, status=0):
        route = tool("route", *arguments, "--rejects", self.folder / "rejected.jsonl", status=status)
        told = tool("flow", *arguments, status=status)
        self.assertEqual({k: told[k] for k in (*EFFECTS, "unattributed", "recipients")},
                         {k: route[k] for k in (*EFFECTS, "unattributed", "recipients")})
        self.assertEqual(sum(r["withheld"] for r in told["blocked"]), route["withheld"])
        self.assertEqual(sum(r["held"] for r in told["blocked"]), route["held"])
        self.assertEqual(told["unattributed_economies"], route["unattributed_economies"])
        frees = [r["frees"] or 0 for r in told["blocked"]]
        self.assertEqual(frees, sorted(frees, reverse=True))
        return told["blocked"]

    def own(self, *reports, agreements, arguments=()):
        self.agree(*agreements)
        f = self.folder
        return self.flow("--teams", f / "teams.json", "--feeds", f / "feeds.json", "--agreements", f / "agreements.json",
                         *arguments, self.lines(*reports))

    def test_on_the_samples(self):
        rows = self.flow("--at", NEXT, SHARE / "samples")
        self.assertEqual([(r["way"], r["tlp"]) for r in rows], [("tlp", "amber")])
        # What it says would be freed is what route releases then.
        document = json.loads((SHARE / "agreements" / "baseline.json").read_text())
        document["clauses"][0]["tlp_max"] = "amber"
        before = tool("route", "--at", NEXT, "--rejects", self.folder / "r", SHARE / "samples")
        after = tool("route", "--at", NEXT, "--rejects", self.folder / "r", "--agreements", self.write("wide.json", document),
                     SHARE / "samples")
        self.assertEqual(rows[0]["frees"], after["released"] - before["released"])
        self.flow("--at", NEXT, "--as", "de-cert-bund", "--agreements", EXAMPLES / "agreements", SAMPLES)

    def test_each_way(self):
        reports = [report(), report("192.0.2.2"), report("192.0.2.200"), report("192.0.2.201", tlp="red"),
                   report("192.0.2.202", tlp="purple")]
        rest = [("red-needs-person", None), ("unknown-tlp", None)]
        for document, ways in (
                (agreement(1, "baseline", [clause("1", tlp_max="clear")]), [("tlp", 3)]),
                (agreement(1, "baseline", [clause("1", effect="hold")]), [("clause", 3)]),
                (agreement(1, "baseline", [clause("1", classification=["fraud.*"])]), [("classification", 3)]),
                (agreement(1, "baseline", [clause("1", providers=["Other"])]), [("provider", 3)]),
                (agreement(1, "baseline", [clause("1")], suspended=True), [("suspended", 3)]),
                (agreement(1, "baseline", [clause("1")], valid_until="2026-02-01"), [("dates", 3)]),
                (agreement(1, "baseline", [clause("1", to="bb-cert")]), [("to", 2)]),
                (agreement(1, "baseline", [clause("1", require=["encrypted-channel"])]), [("no-encrypted-channel", 2)]),
                (agreement(1, "bilateral", [clause("1", **{"from": "own"})], parties=["own", "bb-cert"]),
                 [("no-clause", 2), ("no-clause", 1)])):
            rows = self.own(*reports, agreements=[document], arguments=["--at", NEXT])
            self.assertEqual(sorted(((r["way"], r["frees"]) for r in rows), key=str), sorted(ways + rest, key=str), document)

    def test_ceilings(self):
        law = agreement(2, "law", [clause("9", tlp_max="red", effect="withhold")], economy="NO")
        rows = self.own(report(), agreements=[agreement(1, "baseline", [clause("1")]), law], arguments=["--as", "own", "--at", NEXT])
        self.assertEqual([(r["way"], r["clause"], r["withheld"], r["frees"]) for r in rows], [("ceiling", "9", 1, 1)])

    def test_nothing_blocked_and_wrong_words(self):
        self.assertEqual(self.own(report(), agreements=[agreement(1, "baseline", [clause("1")])]), [])
        self.assertEqual(self.run_comity("flow").returncode, 2)
        self.assertEqual(self.run_comity("flow", "--odd").returncode, 2)
        self.assertEqual(self.run_comity("flow", "none.idf").returncode, 3)
        done = self.run_comity("flow", self.lines(report(), "{bad"))
        self.assertEqual(done.returncode, 1, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
