#!/usr/bin/env python3
"""Does `comity convert` make of each tests/golden/convert/CASE what stands beside it?

CASE/*.csv is the input (its name matters to Shadowserver reports), CASE/expected.jsonl one report a line, CASE/
rejected.jsonl the line, field and error of rejected records, CASE/mapping.json the mapping of a generic CSV.
Left out: feed.* of Shadowserver reports, which come from the schema.
usage: convert.py COMITY SHARE
"""
import json
import os
import pathlib
import subprocess
import sys
import shutil
import tempfile


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(comity, share, options, case):
    file = next(case.glob("*.csv"))
    mapping = case / "mapping.json"
    with tempfile.TemporaryDirectory() as folder:
        rejects = pathlib.Path(folder) / "rejects"
        command = [comity, "convert", *options, "--to", "idf", "--rejects", str(rejects), str(file)]
        command += ["--mapping", str(mapping)] if mapping.exists() else []
        done = subprocess.run(command, capture_output=True, env={**os.environ, "COMITY_SHARE": share}, check=False)
        got = [json.loads(line) for line in done.stdout.splitlines()]
        rejected = [{k: r[k] for k in ("line", "field", "error")} for r in lines(rejects)]
    if not mapping.exists():
        got = [{k: v for k, v in report.items() if not k.startswith("feed.")} for report in got]
    want, want_rejected = lines(case / "expected.jsonl"), lines(case / "rejected.jsonl")
    status = 1 if want_rejected else 0
    if (got, rejected, done.returncode) == (want, want_rejected, status):
        return True
    print(f"{case.name}: differs; exit status {done.returncode}, {status} expected\n{done.stderr.decode()}")
    for name, a, b in (("report", want, got), ("rejection", want_rejected, rejected)):
        for i in range(max(len(a), len(b))):
            x, y = a[i] if i < len(a) else None, b[i] if i < len(b) else None
            if x != y:
                print(f"  {name} {i}\n    expected {json.dumps(x)}\n    made     {json.dumps(y)}")
    return False


def main():
    comity, share, *options = sys.argv[1:]
    cases = sorted(path for path in (pathlib.Path(__file__).parent / "convert").iterdir() if path.is_dir())
    with tempfile.TemporaryDirectory() as folder:
        # A share folder of its own (no links: the sandbox follows none out of it); the cases need the mappings alone.
        for name in ("shadowserver", "mappings"):
            shutil.copytree(os.path.join(share, name), os.path.join(folder, name))
        pathlib.Path(folder, "economies.csv").touch()
        good = sum([run(comity, folder, options, case) for case in cases])
    print(f"{good} of {len(cases)} cases as expected")
    return 0 if good == len(cases) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
