#!/usr/bin/env python3
"""bench console: how long do people wait for a page of the console over a full store?

What each page asks of the API, over all reports (a million, --scale MILLIONS) and a year of counts for 300 teams, at the local door on one
connection, the slowest of its requests counted; then, where Chromium and npm's packages are (./dev test fetches them), Today's first view in a
new browser over TLS on loopback, from the request until all its data is shown.

usage: bench_console.py [--json] [--scale MILLIONS] [--rounds N] [--folder FOLDER]
"""
import datetime
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.parse

import node_load as load
from figure import figure, tell

OWN, NPM = "jp-jpcert-cc", load.ROOT / "build" / "npm" / "browser"
AGREED = {"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "title": "Held", "kind": "multilateral", "valid_from": "2020-01-01",
          "parties": [OWN, "us-cisa", "de-cert-bund", "br-cert-br"], "clauses": [
              {"id": "1", "from": "party", "to": "party", "classification": ["vulnerable.*", "malicious-code.*"], "tlp_max": "amber",
               "effect": "release"},
              {"id": "2", "from": "party", "to": "party", "classification": ["intrusion-attempts.*", "intrusions.*", "abusive-content.*"],
               "tlp_max": "amber", "effect": "hold"}]}


OUTCOMES, RELEASED, GIVEN, WRITTEN = 5, 6, 16, 17  # src/tables/stats.def
TEAMS, DAYS, KINDS = 300, 365, 4


def a_year(home):
    """What a node counts in a year in which each of its teams gave and got something every day; it is not running."""
    today = int(time.time()) // 86400
    with sqlite3.connect(home / "node.db") as store:
        store.executemany("INSERT OR IGNORE INTO team VALUES (?, ?)", [(n, f"t{n}.test") for n in range(1, TEAMS + 1)])
        store.executemany("INSERT INTO tally VALUES (?, ?, ?, ?, 7)", (
            (day, team, name, kind) for day in range(today - DAYS, today) for team in range(1, TEAMS + 1)
            for name in (OUTCOMES, RELEASED, GIVEN, WRITTEN) for kind in range(1, KINDS + 1)))
        store.executescript("DELETE FROM tally_team; DELETE FROM tally_kind;"
                            "INSERT INTO tally_team SELECT name, day, team, SUM(value) FROM tally WHERE team > 0 GROUP BY name, day, team;"
                            "INSERT INTO tally_kind SELECT day, name, classification, SUM(value) FROM tally GROUP BY day, name, classification;")
    store.close()


def quoted(**query):
    return urllib.parse.urlencode(query)


def pages(local):
    """What each page asks; a report and an address that are there."""
    first = local.get("/api/v1/reports?limit=25")["items"]
    report = next(one for one in first if one["source"] and one["source"]["address"])
    now = datetime.datetime.now(datetime.timezone.utc)
    day, year = (f"{now - datetime.timedelta(days):%Y-%m-%dT00:00:00Z}" for days in (0, DAYS - 1))
    delivery = local.get("/api/v1/receipts?limit=1")["items"][0]["batch"]
    return {
        "today": ["status", "held?limit=5", *(f"{what}{quoted(since=day)}" for what in ("statistics?by=classification&", "flows?"))],
        "today, of a year": [f"{what}{quoted(since=year)}" for what in ("statistics?by=classification&", "statistics?by=day&", "flows?")],
        "reports": ["reports?limit=25"],
        "reports of an economy": ["reports?limit=25&economy=BR"],
        "reports of a network": [f"reports?limit=25&asn={report['source']['asn'] or 1}"],
        "reports of an address": ["reports?limit=25&" + quoted(address=report["source"]["address"])],
        "reports of a team, released": ["reports?limit=25&team=us-cisa&effect=release"],
        "reports that a team gave": [f"reports?limit=25&sender={OWN}", "reports?limit=25&sender=us-cisa"],
        "reports of a delivery": ["reports?limit=25&" + quoted(delivery=delivery)],
        "a report": [f"reports/{report['id']}/explanation"],
        "held": ["held?limit=100&state=waiting"],
        "teams, whois": ["teams?limit=100", "whois?q=8.8.8.8"],
        "a team": ["teams/us-cisa", "agreements?team=us-cisa&limit=1000"],
        "agreements": ["agreements?limit=100"],
        "an agreement": ["agreements/" + urllib.parse.quote(AGREED["id"], safe="")],
        "economies": ["teams?limit=1000"],
        "an economy": ["teams?economy=BR&limit=1000", "reports?limit=10&economy=BR", "reports?limit=1000&economy=BR&unattributed=true",
                       *(f"{what}{quoted(since=year)}" for what in ("statistics?by=team&", "flows?"))],
        "operations": ["status", "outbox", "principals", "settings"],
    }


def slowest(local, paths, rounds):
    """Median over the rounds of the slowest request."""
    times = []
    for _ in range(rounds):
        worst = 0
        for path in paths:
            begun = time.monotonic()
            answer = local.get("/api/v1/" + path)
            worst = max(worst, time.monotonic() - begun)
            assert "code" not in answer, answer
        times.append(worst * 1000)
    return statistics.median(times)


def simulated(local):
    """Milliseconds for a draft over all reports; it is worked on between other questions."""
    draft = {**AGREED, "id": "urn:uuid:00000000-0000-4000-8000-000000000002", "clauses": AGREED["clauses"][1:]}
    begun = time.monotonic()
    local.request("POST", "/api/v1/agreements/simulate?limit=10000000", json.dumps({"document": json.dumps(draft)}),
                  {"Content-Type": "application/json"})
    told = json.loads(local.getresponse().read())
    assert told["complete"], told
    return (time.monotonic() - begun) * 1000


def first_view(node, home, rounds):
    """Milliseconds, and bytes on the way; None without a browser."""
    if shutil.which("node") is None or shutil.which("chromium") is None or not (NPM / "fetched").exists():
        return None
    made = subprocess.run([load.COMITY, "account", "add", "bench", "--kind", "operator", "--home", home], capture_output=True, text=True,
                          check=True).stdout.strip()
    given = {"npm": str(NPM), "url": "https://" + node.address["operators"], "name": "bench", "first": made, "rounds": rounds}
    done = subprocess.run(["node", load.ROOT / "bench" / "console_view.mjs", json.dumps(given)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main():
    options = load.read_options(rounds={"type": int, "default": 5})
    with load.workplace(options) as (folder, path, home):
        (folder / "agreed.json").write_text(json.dumps(AGREED), encoding="utf-8")
        settings = ("--outbox.max", "1000000000", "--tls", "on", "--team", OWN, "--agreements", str(folder / "agreed.json"))
        node, _ = load.start(home, *settings)
        try:
            counts, _ = load.ingest(home, path)
            load.drain(node)
            node.stop()
            a_year(home)
            node, _ = load.start(home, *settings)
            local = load.local_door(node)
            figures = [figure(f"{name}, {counts['stored']:,} reports", slowest(local, paths, options.rounds), "ms", 100, at_most=True)
                       for name, paths in pages(local).items()]
            figures.append(figure("a draft simulated over all of them", simulated(local), "ms"))
            view = first_view(node, home, options.rounds)
            if view is not None:
                figures += [figure("Today's first view, new browser", view["ms"], "ms", 1000, at_most=True),
                            figure("its files, compressed", view["bytes"] / 1024, "KiB", 100, at_most=True)]
        finally:
            node.close()
        return tell("console", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
