#!/usr/bin/env python3
"""Are the cases that a lawyer can read judged as they say?

    run.py VERDICTS REDACTIONS [--write]

Each folder here is a case: README.txt in words, agreements/*.json, case.json (teams, feeds, the question, perhaps a
report) and expected.txt, the verdict in words, and what of the report arrives. VERDICTS and REDACTIONS are built from
tests/oracle/*.c; the oracle must agree with both. The secret of the pseudonyms is the bytes 0 to 31.
"""
import datetime
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "oracle"))
import oracle  # noqa: E402
import redaction  # noqa: E402

QUESTION = {"origin": None, "provider": None, "tlp": None, "onward": None, "in_constituency": False,
            "is_party": False, "clock": True}


def load(case):
    c = json.loads((case / "case.json").read_text())
    question = dict(QUESTION, **c["question"])
    at = datetime.datetime.fromisoformat(question.pop("at").replace("Z", "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    question["at_us"] = (at - epoch) // datetime.timedelta(microseconds=1)
    files = sorted((case / "agreements").glob("*.json"))
    teams = [dict({"economies": [], "encrypted": True, "receipt": True}, **t) for t in c["teams"]]
    return files, {"teams": teams, "agreements": [f.read_text() for f in files],
                   "report": c.get("report"), "feeds": json.dumps(c.get("feeds", {"default_tlp": "amber", "feeds": []})), "inputs": [question]}


def words(verdict, files):
    names = {str(i): f.name for i, f in enumerate(files)}
    kept = [c for c in oracle.CLASSES if verdict["treatment"][c] == "keep"]
    lines = [f"effect: {verdict['effect']}", f"because: {verdict['reason']}"]
    for c in verdict["clauses"]:
        agreement, clause = c.split("#", 1)
        lines.append(f"clause: {names.get(agreement, agreement)} {clause}".rstrip())
    if verdict["effect"] != "withhold":
        lines += [f"{c}: {verdict['treatment'][c]}" for c in oracle.CLASSES if c not in kept]
        lines.append("kept: " + (", ".join(kept) or "nothing"))
        lines += [f"requires: {w}" for w in ("encrypted", "receipt") if verdict[w]]
        if verdict["retention"]:
            lines.append(f"deleted after: {verdict['retention']} days")
        lines.append(f"may be passed on: {verdict['onward']}")
    return "\n".join(lines) + "\n"


def judge(helper, world):
    done = subprocess.run([helper], input=(json.dumps(world) + "\n").encode(), stdout=subprocess.PIPE, check=True)
    ours = json.loads(done.stdout)
    read = {"teams": {t["id"]: t for t in world["teams"]}, "feeds": oracle.read_feeds(world["feeds"]),
            "agreements": oracle.read_agreements(world["agreements"])}
    return ours, oracle.judge(read, world["inputs"][0])


def arrives(helper, world, verdict, files):
    """What is left of the report, by Comity and by the oracle, in words."""
    if not world["report"] or verdict["effect"] != "release":
        return "", ""
    index = int(verdict["clauses"][0].split("#", 1)[0])
    asked = {"report": world["report"], "treatment": verdict["treatment"], "secret": bytes(range(32)).hex(),
             "recipient": world["inputs"][0]["recipient"], "agreement": json.loads(files[index].read_text())["id"]}
    done = subprocess.run([helper, str(redaction.ROOT / "share/tables/extra-fields.csv")],
                          input=(json.dumps(asked) + "\n").encode(), stdout=subprocess.PIPE, check=True)
    answer = dict(redaction.parse_json(done.stdout.decode()))
    theirs = redaction.redact(answer["read"], asked["treatment"], asked["recipient"], asked["agreement"],
                              bytes(range(32)), redaction.Tables())
    return tuple("".join(f"arrives: {name} {redaction.compact(value)}\n" for name, value in left)
                 for left in (answer["left"], theirs))


def main():
    helper, redactions, write = sys.argv[1], sys.argv[2], "--write" in sys.argv
    cases = sorted(p.parent for p in HERE.glob("*/case.json"))
    bad = 0
    for case in cases:
        files, world = load(case)
        ours, theirs = judge(helper, world)
        left, by_oracle = arrives(redactions, world, ours, files)
        got, expected = words(ours, files) + left, case / "expected.txt"
        if write:
            expected.write_text(got)
        if ours != theirs or left != by_oracle or got != expected.read_text():
            bad += 1
            print(f"{case.name}: expected\n{expected.read_text()}comity\n{got}oracle\n{words(theirs, files)}{by_oracle}")
    print(f"{len(cases) - bad} of {len(cases)} cases judged as they say")
    sys.exit(1 if bad or len(cases) < 40 else 0)


main()
