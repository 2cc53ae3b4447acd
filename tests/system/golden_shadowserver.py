#!/usr/bin/env python3
"""Does `comity convert` read Shadowserver's reports as another reader of the same schema does?

Reads $COMITY_DATA/shadowserver/golden.jsonl, which is not shipped; without it: skipped, exit 77.
usage: golden_shadowserver.py COMITY

What the two must not agree on: that reader makes "the day of parsing" of a time that is empty or
none (extra.start_time, extra.end_time); Comity leaves the field out. Such a value is named and left
out of the comparison only if it is midnight UTC of a day and the cell is no time.
"""
import base64
import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

IGNORED = ("time.observation", "raw")


def plain(event):
    return {k: v for k, v in event.items()
            if k not in IGNORED and not k.startswith("feed.") and not k.startswith("__")}


def parsing_days(row):
    return [f"extra.{name}" for name in ("start_time", "end_time") if row.get(name, None) == ""]


def differences(want, got, rows):
    if len(want) != len(got):
        return [f"{len(want)} events expected, {len(got)} made"], 0
    out, invented = [], 0
    for i, (a, b) in enumerate(zip(want, got)):
        a, b = plain(a), plain(b)
        row = rows[i] if len(rows) == len(want) else {}
        for name in parsing_days(row):
            if name not in b and str(a.get(name, "")).endswith("T00:00:00+00:00"):
                del a[name]
                invented += 1
        for key in sorted(set(a) | set(b)):
            if a.get(key) != b.get(key) or type(a.get(key)) is not type(b.get(key)):
                out.append(f"event {i}: {key}: {a.get(key)!r} expected, {b.get(key)!r} made")
    return out, invented


def main():
    data = pathlib.Path(os.environ.get("COMITY_DATA", "")) / "shadowserver/golden.jsonl"
    if not os.environ.get("COMITY_DATA") or not data.is_file():
        print("SKIPPED: COMITY_DATA does not name a folder with shadowserver/golden.jsonl")
        return 77
    good = bad = invented = 0
    with tempfile.TemporaryDirectory() as folder, open(data, encoding="utf-8") as lines:
        for line in lines:
            golden = json.loads(line)
            raw = base64.b64decode(golden["input"]["raw"])
            path = pathlib.Path(folder) / golden["input"]["extra.file_name"]
            path.write_bytes(raw)
            run = subprocess.run([sys.argv[1], "convert", "--from", "shadowserver", "--to", "idf", str(path)],
                                 capture_output=True, check=False)
            got = [json.loads(out) for out in run.stdout.splitlines()]
            rows = list(csv.DictReader(io.StringIO(raw.decode())))
            wrong, days = differences(golden["expected"], got, rows)
            invented += days
            if (run.returncode == 1) != bool(golden["errors"]) or run.returncode > 1:
                wrong.append(f"exit status {run.returncode}: {run.stderr.decode()[:300]}")
            good, bad = good + (not wrong), bad + bool(wrong)
            for text in wrong[:5]:
                print(f"{golden['kind']} {golden['report']}: {text}")
    print(f"{good} equal, {bad} different; {invented} invented times left out")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
