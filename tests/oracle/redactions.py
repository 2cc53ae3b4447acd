#!/usr/bin/env python3
"""Do Comity and the oracle leave the same of random reports?

    redactions.py HELPER [--cases N] [--seed S] [--show] [--plant]

HELPER is the program built from redactions.c. Exit 0: all alike, and every rule had a part; 1: the first
difference is shown, as small as it can be made.
--plant makes the oracle forget that "[.]" is a point, which must be found.
"""
import argparse
import collections
import json
import random
import subprocess
import sys

import redaction

BATCH = 500
LIST = redaction.ROOT / "share/tables/extra-fields.csv"
AGREEMENTS = ["urn:uuid:0b6d3b0e-8a52-4f7e-8f57-2f3a1b6f0d11", "urn:uuid:5d0a7f86-4a2d-4d7a-9a4e-3c7c6d1f4e22"]
SECRETS = [bytes(range(32)).hex(), "ab" * 32, None]
HOSTS = ["www.example.org", "mail.example.co.uk", "example.com", "a.b.github.io", "host.city.kawasaki.jp",
         "xn--85x722f.xn--55qx5d.cn", "printer.office.internal", "co.uk", "localhost", "WWW.Example.ORG"]
USERS = ["bob", "robert", "Alice.Smith", "root@local", "user", "svc-backup"]
MAILS = ["bob@example.org", "Alice.Smith@mail.example.co.uk", "robert@localhost", "a@b@example.org", "CN=x,O=y"]
ADDRESSES = ["192.0.2.77", "198.51.100.1", "8.8.8.8", "2001:db8:1:2::7", "2a00:1450:4001:81b::200e", "203.0.113.200"]
NETWORKS = ["192.0.2.0/24", "198.51.100.0/25", "10.0.0.0/8", "2001:db8:1:2::/64", "2001:db8::/32", "192.0.2.128/26"]
MACS = ["00:11:22:33:44:55", "aA-bB-cC-dD-eE-fF", "SN-12345678", "curl/7.88.1", "001122334455"]
TIMES = ["2026-05-05T10:59:59.999999+00:00", "2026-05-05T10:20:30+05:30", "2026-05-05T10:00:00+00:00",
         "1969-12-31T23:59:59.500000+00:00"]
WORDS = ["http", "status ok", "the quick brown fox", "\u00e4\u00f6\u00fc\u20ac", "a\\b\"c\n", "admin", "443", "x"]
NUMBERS = [80, 443, 8080, 48080, 123456789012, -5, 0]
BY_CLASS = {"address": ADDRESSES + NETWORKS + ["no address"], "name": HOSTS, "account": USERS + MAILS, "device": MACS,
            "time": TIMES + ["yesterday"], "text": WORDS, "open": WORDS}


def quoted(r, text):
    return "".join(f"%{ord(c):02x}" if c.isascii() and r.random() < .3 else c for c in text)


def a_secret(r, held):
    """A value as another field has it, or nearly."""
    text = str(r.choice(held)) if held and r.random() < .7 else r.choice(r.choice(list(BY_CLASS.values())))
    how = r.randrange(6)
    if how == 0:
        text = text.upper()
    elif how == 1:
        dot = r.choice(["[.]", "(.)", "[dot]", "(dot)", "[DOT]"])
        text = text.replace(".", dot).replace("@", r.choice(["[@]", "(at)", "[at]", "(@)"]))
    elif how == 2:
        text = text[1:]
    return text


def a_query(r, held, tables):
    names = ["q", "id", "email", "user", "username", "url", "source.ip", "fqdn", "us%65r", "", "comment", "port",
             "malware.name", "status", a_secret(r, held)]
    parts = [r.choice(names) + r.choice(["=", "=", "=", ""]) + quoted(r, a_secret(r, held)).replace("#", "")
             for _ in range(r.randint(0, 4))]
    out = ""
    for p in parts:
        out += (r.choice("&&;") if out else "") + p
    return "?" + out


def a_url(r, held, tables):
    if r.random() < .1:
        return r.choice(["www.example.org/path", "mailto:bob@example.org", "bob:secret@example.org/x?y=1", "http://",
                         "https:///x", "://example.org", "no url at all"])
    host = r.choice(HOSTS[:6] * 3 + HOSTS + ["192.0.2.77", "[2001:db8:1:2::7]", "0x7f.1", "2130706433", "ex ample.org",
                                            "example.org%2fx", "example.org."])
    login = r.choice(["", "", "", "bob@", "robert:hunter22@", ":secret99@", "u:p@ss@", "Alice.Smith:@"])
    port = r.choice(["", "", ":8080", ":48080"])
    path = r.choice(["", "/", "/path", "/~" + quoted(r, a_secret(r, held)).replace("?", "").replace("#", ""), "\\x"])
    query = a_query(r, held, tables) if r.random() < .6 else ""
    fragment = r.choice(["", "", "#f", "#" + quoted(r, a_secret(r, held))])
    return r.choice(["http", "https", "HTTP", "svn+ssh"]) + "://" + login + host + port + path + query + fragment


def a_json(r, held, depth=0):
    kind = r.randrange(7 if depth < 3 else 4)
    if kind < 2:
        return "see " * r.randint(0, 1) + a_secret(r, held) + "!" * r.randint(0, 1)
    if kind == 2:
        return r.choice(NUMBERS + [1.5, 48080.25, 18446744073709551615])
    if kind == 3:
        return r.choice([None, True, False])
    if kind == 4:
        return [a_json(r, held, depth + 1) for _ in range(r.randint(0, 3))]
    names = ["note", "user", "email", "client_ip", "source.ip", "malware.name", "comment", "url", "n", "hostname",
             "mac_address", "raw", a_secret(r, held)]
    return {r.choice(names): a_json(r, held, depth + 1) for _ in range(r.randint(0, 4))}


def a_value(r, name, tables, held):
    kind, form = tables.types.get(name), tables.classes.get(name) or tables.extras.get(name, "text")
    special = {"IP": ADDRESSES, "PREFIX": NETWORKS, "PORT": NUMBERS[:4], "ASN": [64500, 3320], "INT": NUMBERS[1:5],
               "TIME": TIMES, "ECONOMY": ["FI", "SE"], "TLP": ["GREEN"], "FLOAT": [12.5, 80.25], "BOOL": [True, False],
               "JSON": [["a", 1]], "NAME": HOSTS[:6] + HOSTS[-1:]}
    if kind in special:
        return r.choice(special[kind])
    if kind is None and r.random() < .3:
        return r.choice([a_json(r, held), a_json(r, held), [a_json(r, held)], r.choice(NUMBERS), 2.5, True])
    if name.endswith("urlpath") or name == "extra.http_path":
        return "/" + r.choice(["", "login", quoted(r, a_secret(r, held))]) + r.choice(["", a_query(r, held, tables)])
    if form == "url":
        return a_url(r, held, tables)
    if form in ("text", "open") and r.random() < .6:
        return " ".join(r.choice([a_secret(r, held), r.choice(WORDS)]) for _ in range(r.randint(1, 4))) or "x"
    return r.choice(BY_CLASS[form])


def a_report(r, tables):
    known, listed = list(tables.classes), list(tables.extras)
    names = r.sample(known, r.choice([0, 2, 5, 12])) + r.sample(listed, r.choice([0, 1, 3, 6]))
    names += r.sample(["extra.note", "extra.blob", "extra.x", "comment", "source.url", "extra.log", "extra.log.user",
                       "extra.a.b.client_ip", "extra.mac_address.note"], r.randint(0, 6))
    r.shuffle(names)
    report, held = {"classification.type": "scanner"}, []
    for name in names:
        report.setdefault(name, a_value(r, name, tables, held))
        if type(report[name]) in (str, int) and len(str(report[name])) > 3:
            held.append(report[name])
    if held and r.random() < .1:
        report["extra." + str(r.choice(held))] = a_value(r, "extra.note", tables, held)
    if r.random() < .01:
        report["extra.user"] = [f"user{i:04}" for i in range(r.choice([250, 257, 300]))]
    order = list(report)
    r.shuffle(order)
    return {name: report[name] for name in order if report[name] not in ("", None)}


def a_treatment(r):
    odds = r.choice([[8, 1, 1, 1], [1, 1, 1, 1], [3, 3, 0, 0], [3, 0, 3, 0], [1, 0, 0, 0]])
    out = {c: r.choices(redaction.TREATMENTS, odds)[0] for c in redaction.CLASSES}
    for c, kept in (("text", .75), ("open", .8), ("url", .4)):
        out[c] = "keep" if r.random() < kept else out[c]
    return out


def a_case(r, tables):
    return {"report": a_report(r, tables), "treatment": a_treatment(r), "recipient": r.choice(["south.test", "t1"]),
            "agreement": r.choice(AGREEMENTS), "secret": r.choice(SECRETS)}


def ask(helper, cases):
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    done = subprocess.run([helper, str(LIST)], input=lines.encode(), stdout=subprocess.PIPE, check=False)
    answers = done.stdout.decode().splitlines()
    if done.returncode != 0 or len(answers) != len(cases):
        sys.exit(f"redactions: the helper stopped ({done.returncode}) after {len(answers)} answers")
    return [dict(redaction.parse_json(a)) for a in answers]


def differ(case, answer, tables):
    """None, or what the oracle would leave, as text."""
    if "rejected" in answer:
        return None
    secret = case["secret"]
    ours = redaction.redact(answer["read"], case["treatment"], case["recipient"], case["agreement"],
                            None if secret is None else bytes.fromhex(secret), tables)
    ours = redaction.compact(redaction.Members(ours))
    return None if ours == redaction.compact(answer["left"]) else ours


def smaller(helper, case, tables):
    """Take away fields and treatments while there still is a difference."""
    going = True
    while going:
        going, tries = False, []
        for name in case["report"]:
            tries.append(dict(case, report={n: v for n, v in case["report"].items() if n != name}))
        for c, t in case["treatment"].items():
            if t != "keep":
                tries.append(dict(case, treatment=dict(case["treatment"], **{c: "keep"})))
        for t in tries:
            if t["report"] and differ(t, ask(helper, [t])[0], tables) is not None:
                case, going = t, True
                break
    return case


def show(helper, case, tables):
    case = smaller(helper, case, tables)
    answer = ask(helper, [case])[0]
    print("treatment:", {c: t for c, t in case["treatment"].items() if t != "keep"}, "otherwise keep")
    print("secret:   ", case["secret"], " agreement:", case["agreement"], " recipient:", case["recipient"])
    print("report:   ", redaction.compact(answer["read"]))
    print("oracle:   ", differ(case, answer, tables))
    print("comity:   ", redaction.compact(answer["left"]))


RULES = ["time has no pseudonyms", "no secret", "another coding", "listed extra", "unlisted extra",
         "URL without scheme", "URL at an address", "login cut", "repeated value replaced", "repeated in other case",
         "repeated, defanged", "member removed for its class", "member removed, its name repeats", "number repeats",
         "parameter removed for its class", "parameter repeats", "query gone", "urlpath repeats",
         "rest of URL repeats", "field's name repeats", "whole number repeats", "too many repeated values", "T empty",
         "T not empty"]
RULES += [f"{c} {t}" for c in redaction.CLASSES for t in redaction.TREATMENTS
          if c not in ("open", "text", "time") or t in ("keep", "remove") or (c, t) == ("time", "generalise")]
RULES += [f"{c} without such a form" for c in ("address", "name", "url", "account", "device", "time")]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("helper")
    args.add_argument("--cases", type=int, default=10000)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--show", action="store_true", help="how often each rule had a part")
    args.add_argument("--plant", action="store_true", help="a fault that must be found")
    a = args.parse_args()
    redaction.check()
    redaction.pseudonyms.check()
    tables = redaction.Tables()
    if a.plant:
        redaction.DOTS = redaction.DOTS.replace(rb"\[\.\]", rb"\.")
    r, made, rejected = random.Random(a.seed), 0, collections.Counter()
    redaction.used.clear()
    while made < a.cases:
        cases = [a_case(r, tables) for _ in range(BATCH)]
        for case, answer in zip(cases, ask(a.helper, cases)):
            if "rejected" in answer:
                rejected[answer["rejected"]] += 1
            elif differ(case, answer, tables) is not None:
                show(a.helper, case, tables)
                sys.exit(1)
        made += BATCH
    if a.show:
        for rule, count in sorted(redaction.used.items()):
            print(f"{rule:40} {count}")
        print("rejected:", dict(rejected))
    never = [rule for rule in RULES if not redaction.used[rule]]
    if never or sum(rejected.values()) > made // 10:
        sys.exit(f"redactions: never tried: {', '.join(never) or 'nothing'}; {sum(rejected.values())} rejected")
    print(f"{made - sum(rejected.values())} redactions alike, seed {a.seed}")


if __name__ == "__main__":
    main()
