"""Does the browser say of every proof, right or tampered with, what comity verify says?

usage: verified.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

Two nodes that exchange and witness each other give a real proof with receipt and cosignature. It, its item, and what can be
changed in them by hand and by chance are judged by the program and, in Chromium, by the modules that the node serves.
"""
import base64
import json
import os
import pathlib
import random
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from linked import PREFIXES, Linked, reports

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
BY_CHANCE, SEED = 200, 20260302
# What comity verify says, by the steps' names in the browser.
SAYS = [("signature", r"^the log .* signed this state|^the signature in the name of (?!the witness)|^none of the keys you gave signed for"),
        ("witness", r"the witness "), ("item", r"^the item |^which item |shows no item$"), ("entry", r"^the entry "),
        ("receipt", r"says that the batch arrived|^the receipt|the file has a receipt")]


# ---- what can be changed ----

def split(proof):
    """{first, extra (lines), index, path (lines), note} of a proof's text."""
    head, note = proof.split("\n\n", 1)
    lines = head.split("\n")
    extra = base64.b64decode(lines[1][len("extra "):]).decode()
    return {"first": lines[0], "extra": extra, "index": lines[2], "path": lines[3:], "note": note}


def put(parts, **changes):
    p = {**parts, **changes}
    extra = p["extra"] if isinstance(p["extra"], bytes) else p["extra"].encode()
    lines = [p["first"], "extra " + base64.b64encode(extra).decode(), p["index"], *p["path"]]
    return ("\n".join(lines) + "\n\n" + p["note"]).encode()


def flipped(encoded, at=5):
    data = bytearray(base64.b64decode(encoded))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()


def extra_line(parts, word, change):
    """The extra with CHANGE of what stands behind WORD; None: without that line."""
    lines = parts["extra"].split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(word + " "))
    said = change(lines[at][len(word) + 1:])
    return "\n".join(lines[:at] + ([] if said is None else [f"{word} {said}"]) + lines[at + 1:])


def of_entry(parts):
    def entry(change):
        return put(parts, extra=extra_line(parts, "entry", change))

    def member(**more):
        return lambda text: json.dumps({**json.loads(text), **more}, sort_keys=True, separators=(",", ":"))

    yield "entry: another recipient", entry(lambda text: text.replace("south.test", "s0uth.test"))
    yield "entry: with a space", entry(lambda text: text.replace(":", ": ", 1))
    yield "entry: another member", entry(member(zzz=1))
    yield "entry: a member less", entry(lambda text: re.sub(r'"from":"[^"]*",', "", text))
    yield "entry: a member twice", entry(lambda text: text.replace('"from":', '"from":"a","from":', 1))
    yield "entry: a later version", entry(member(v=2))
    yield "entry: an unknown kind", entry(member(kind="gift"))
    yield "entry: a kind of JavaScript's", entry(member(kind="constructor"))
    yield "entry: no object", entry(lambda text: "[]")
    yield "entry: null", entry(lambda text: "null")
    yield "entry: no JSON", entry(lambda text: text[:-1])
    yield "entry: a fraction of no seconds", entry(lambda text: re.sub(r'"time":"([^".]*)(\.\d+)?Z"', r'"time":"\1.000000Z"', text))
    yield "entry: a time of another zone", entry(lambda text: re.sub(r'"time":"([^".]*)(\.\d+)?Z"', r'"time":"\1+00:00"', text))
    yield "entry: a day that is none", entry(member(time="2026-02-30T00:00:00Z"))
    yield "entry: too many items", entry(member(items=2 ** 53))
    yield "entry: missing", put(parts, extra=extra_line(parts, "entry", lambda text: None))


def of_extra(parts):
    yield "extra: another first line", put(parts, extra=parts["extra"].replace("-v1", "-v2", 1))
    yield "extra: no last newline", put(parts, extra=parts["extra"][:-1])
    yield "extra: a line too many", put(parts, extra=parts["extra"] + "\n")
    yield "extra: a mark of byte order", put(parts, extra="\ufeff" + parts["extra"])
    yield "extra: no UTF-8", put(parts, extra=parts["extra"].encode().replace(b"south", b"s\xffuth", 1))
    yield "extra: missing", put(parts).replace(put(parts).split(b"\n")[1] + b"\n", b"", 1)
    yield "receipt: missing", put(parts, extra=extra_line(parts, "receipt", lambda text: None))
    yield "receipt: empty", put(parts, extra=extra_line(parts, "receipt", lambda text: ""))
    yield "receipt: no base64", put(parts, extra=extra_line(parts, "receipt", lambda text: text + "!"))
    for name, change in [("another count", lambda note: re.sub(r"\ncount \d+", "\ncount 3", note)),
                         ("another batch", lambda note: note.replace("\nbatch urn", "\nbatch urm", 1)),
                         ("another time", lambda note: re.sub(r"\ntime \d{4}", "\ntime 2001", note)),
                         ("a time of another form", lambda note: re.sub(r"(\ntime [^\n]*)Z\n", r"\1+00:00\n", note)),
                         ("a line more", lambda note: note.replace("\n\n", "\nmore\n\n", 1)),
                         ("another signature", lambda note: re.sub(r"(— \S+ )(\S+)\n", lambda m: m.group(1) + flipped(m.group(2), 20) + "\n", note)),
                         ("another key", lambda note: re.sub(r"(— \S+ )(\S+)\n", lambda m: m.group(1) + flipped(m.group(2), 0) + "\n", note)),
                         ("another name", lambda note: note.replace("— south.test/", "— east.test/", 1)),
                         ("no signature", lambda note: note[:note.index("— ")])]:
        def encoded(text, change=change):
            return base64.b64encode(change(base64.b64decode(text).decode()).encode()).decode()
        yield f"receipt: {name}", put(parts, extra=extra_line(parts, "receipt", encoded))
    yield "item: another place", put(parts, extra=extra_line(parts, "item", lambda n: str((int(n) + 1) % 10)))
    yield "item: beyond the batch", put(parts, extra=extra_line(parts, "item", lambda n: "10"))
    yield "item: a leading zero", put(parts, extra=extra_line(parts, "item", lambda n: "0" + n))
    yield "item: another salt", put(parts, extra=extra_line(parts, "salt", flipped))
    yield "item: a short salt", put(parts, extra=extra_line(parts, "salt", lambda s: base64.b64encode(base64.b64decode(s)[:31]).decode()))
    yield "item: no salt", put(parts, extra=extra_line(parts, "salt", lambda s: None))
    yield "item: a shorter way", put(parts, extra="\n".join(parts["extra"].split("\n")[:-2]) + "\n")
    yield "item: a longer way", put(parts, extra=parts["extra"] + base64.b64encode(bytes(32)).decode() + "\n")
    yield "item: a hash of 31 bytes", put(parts, extra=parts["extra"] + base64.b64encode(bytes(31)).decode() + "\n")
    yield "item: not in the proof", put(parts, extra=parts["extra"][:parts["extra"].index("\nitem ") + 1])


def of_tree(parts):
    path, index = parts["path"], int(parts["index"].split()[1])
    zeros = base64.b64encode(bytes(32)).decode()
    yield "first: another version", put(parts, first="c2sp.org/tlog-proof@v2")
    yield "index: the next", put(parts, index=f"index {index + 1}")
    yield "index: beyond the log", put(parts, index="index 99999")
    yield "index: of more than doubles hold", put(parts, index="index 9007199254740993")
    yield "index: a leading zero", put(parts, index=f"index 0{index}")
    yield "index: a sign", put(parts, index=f"index +{index}")
    yield "index: missing", put(parts, index="")
    yield "path: one less", put(parts, path=path[:-1])
    yield "path: one more", put(parts, path=path + [zeros])
    yield "path: 65 hashes", put(parts, path=[zeros] * 65)
    yield "path: another", put(parts, path=[flipped(path[0])] + path[1:])
    yield "path: no base64", put(parts, path=["!" + path[0][1:]] + path[1:])
    yield "path: unpadded", put(parts, path=[path[0].rstrip("=")] + path[1:])
    yield "path: base64 with bits to spare", put(parts, path=[path[0][:42] + chr(ord(path[0][42]) + 1) + "="] + path[1:])
    yield "file: a mark of byte order", b"\xef\xbb\xbf" + put(parts)
    yield "file: lines of another system", put(parts).replace(b"\n", b"\r\n")
    yield "file: empty", b""
    yield "file: of no text", bytes(range(256))
    yield "file: cut short", put(parts)[:-1]
    yield "file: a line too many", put(parts) + b"\n"


def of_note(parts):
    note = parts["note"]
    text, signatures = note.split("\n\n", 1)
    lines = signatures.rstrip("\n").split("\n")
    own = next(line for line in lines if line.startswith("— north.test/log "))
    witness = next(line for line in lines if line.startswith("— south.test/witness "))
    origin, size, root = text.split("\n")

    def signed(*these, body=text):
        return put(parts, note=body + "\n\n" + "".join(line + "\n" for line in these))

    def other(line, at):
        before, encoded = line.rsplit(" ", 1)
        return f"{before} {flipped(encoded, at)}"

    def short(line):
        before, encoded = line.rsplit(" ", 1)
        data = base64.b64decode(encoded)
        return f"{before} {base64.b64encode(data[:4] + data[12:]).decode()}"

    unknown = "— x.test/log " + base64.b64encode(bytes(68)).decode()
    yield "note: another size", signed(own, witness, body=f"{origin}\n{int(size) + 1}\n{root}")
    yield "note: another root", signed(own, witness, body=f"{origin}\n{size}\n{flipped(root)}")
    yield "note: another origin", signed(own, witness, body=f"south.test/log\n{size}\n{root}")
    yield "note: a line of extension", signed(own, witness, body=text + "\nmore")
    yield "note: an empty line of extension", signed(own, witness, body=text + "\n\nmore")
    yield "note: without the log's signature", signed(witness)
    yield "note: without signatures", signed()
    yield "note: the log's signature wrong", signed(other(own, 10), witness)
    yield "note: the log's signature of another key", signed(other(own, 0), witness)
    yield "note: signed twice", signed(own, own, witness)
    yield "note: right and wrong", signed(own, other(own, 10), witness)
    yield "note: wrong and right", signed(other(own, 10), own, witness)
    yield "note: without the cosignature", signed(own)
    yield "note: the cosignature wrong", signed(own, other(witness, 30))
    yield "note: the cosignature of another time", signed(own, other(witness, 11))
    yield "note: the cosignature of a time beyond all", signed(own, other(witness, 4))
    yield "note: the cosignature without its time", signed(own, short(witness))
    yield "note: somebody else's signature", signed(own, witness, unknown)
    yield "note: a hundred signatures", signed(own, witness, *[unknown] * 98)
    yield "note: a hundred and one", signed(own, witness, *[unknown] * 99)
    yield "note: no dash", signed(own, witness.replace("— ", "- "))
    yield "note: two spaces", signed(own, witness.replace("— ", "—  "))
    yield "note: a tab", signed(own, witness, body=text + "\nmo\tre")
    for name, mark in [("a space that does not break", "\u00a0"), ("a next line", "\u0085"), ("a mark of byte order", "\ufeff"), ("a plus", "+")]:
        yield f"note: a name with {name}", signed(own, witness, unknown.replace("x.test", f"x{mark}test"))
    yield "note: a name of 256 bytes", signed(own, witness, unknown.replace("x.test/log", "x" * 256))


def items(item):
    """(name, bytes) of what is given as the item."""
    value = json.loads(item)
    turned = json.dumps(dict(reversed(list(value.items()))), indent=2, ensure_ascii=True)
    yield "the item: as it is", item
    yield "the item: spelled otherwise", turned.encode()
    yield "the item: another value", item.replace(b'"type":"', b'"type":"x', 1)
    yield "the item: a member more", json.dumps({**value, "x": 1}).encode()
    yield "the item: a member twice, the first another", item.replace(b"{", b'{"type":"x",', 1)
    yield "the item: a number as a fraction", re.sub(rb'("number_observed":\s*)1\b', rb"\g<1>1.0", item)
    yield "the item: with a mark of byte order", b"\xef\xbb\xbf" + item
    yield "the item: no UTF-8", item.replace(b"type", b"ty\xffe", 1)
    yield "the item: empty", b""
    yield "the item: no JSON", item[:-2]
    yield "the item: two newlines", item + b"\n\n"
    yield "the item: a number of more than doubles hold", json.dumps({**value, "x": 2 ** 53 + 1}).encode()
    yield "the item: deep", json.dumps({**value, "x": json.loads("[" * 70 + "]" * 70)}).encode()


def by_chance(parts, rng):
    """A change somewhere: in the file, in what stands beside the proof, or in the receipt; as a byte, a line, or a digit."""
    data = put(parts)
    where = rng.randrange(3)
    if where == 1:
        data = parts["extra"].encode()
    for _ in range(rng.choice([1, 1, 1, 2])):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
        elif kind == 1:
            data = data[:at] + data[at + rng.randrange(1, 9):]
        else:
            lines = data.split(b"\n")
            one = rng.randrange(len(lines))
            if kind == 2:
                lines.insert(rng.randrange(len(lines)), lines[one])
            else:
                lines[one] = re.sub(rb"\d", lambda m: bytes([rng.choice(b"0123456789")]), lines[one], count=1)
            data = b"\n".join(lines)
    return put(parts, extra=data) if where == 1 else data


def cases(proof, item):
    parts = split(proof)
    assert put(parts) == proof.encode()
    yield "right", put(parts), item
    yield "right, without the item", put(parts), None
    for table in (of_entry, of_extra, of_tree, of_note):
        for name, data in table(parts):
            yield name, data, item
            if name == "item: not in the proof":
                yield name + ", and none is given", data, None
    for name, data in items(item):
        yield name, put(parts), data
    rng = random.Random(SEED)
    for n in range(BY_CHANCE):
        yield f"by chance {n}", by_chance(parts, rng), item


# ---- what the program says ----

def judged(folder, data, item, keys):
    """{read: False}, or {read: True, steps: {name: right, wrong or not shown}}."""
    (folder / "p").write_bytes(data)
    words = ["--key", keys["log"], "--key", keys["receipt"], "--witness", keys["witness"]]
    if item is not None:
        (folder / "i").write_bytes(item)
        words += ["--item", str(folder / "i")]
    done = subprocess.run([COMITY, "verify", "--json", *[o for o in OPTIONS if o == "--no-sandbox"], *words, str(folder / "p")],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1) or b"more than" in done.stderr, done.stderr
    if not done.stdout:
        return {"read": False}
    steps = {}
    for said in json.loads(done.stdout)["statements"]:
        for name, pattern in SAYS:
            if re.search(pattern, said["text"]):
                steps.setdefault(name, set()).add(said["state"])
                break
    assert not any(len(states) > 1 for states in steps.values() if "false" not in states), steps
    return {"read": True, "steps": {name: "false" if "false" in states else min(states) for name, states in steps.items()}}


def run(folder):
    nodes = [Linked(COMITY, folder, name, *OPTIONS, "--witness.interval", "1 s") for name in ("north.test", "south.test")]
    try:
        north, south = nodes
        for one, other in ((north, south), (south, north)):
            one.command("peer", "add", other.signed_card(PREFIXES[other.team]))
        for first in range(0, 60, 10):
            north.take(reports(10, first=first))
        report = north.get("/api/v1/reports?limit=1")["items"][0]["id"]
        north.until(lambda: len(north.get("/api/v1/receipts")["items"]) == 6 and not north.get("/api/v1/receipts")["open"], "the receipt")
        proof = north.command("ledger", "prove", report)
        while "— south.test/witness " not in proof:
            proof = north.command("ledger", "prove", report)
        item = north.command("ledger", "prove", report, "--print-item").encode()
        keys = {"log": north.command("ledger", "key").strip(), "receipt": south.command("ledger", "key", "--use", "receipt").strip(),
                "witness": south.command("ledger", "key", "--use", "witness").strip()}
        told = [{"name": name, "proof": base64.b64encode(data).decode(), "item": None if given is None else base64.b64encode(given).decode(),
                 "told": judged(folder, data, given, keys)} for name, data, given in cases(proof, item)]
        (folder / "cases.json").write_text(json.dumps(told), encoding="utf-8")
        wrong = [one for one in told if not one["told"]["read"] or "false" in one["told"]["steps"].values()]
        assert told[0]["told"] == {"read": True, "steps": dict.fromkeys(["signature", "witness", "item", "entry", "receipt"], "proven")}, told[0]
        assert len(wrong) > len(told) * 0.7, "hardly anything is refused"
        return chromium.drive("verified.mjs", {"url": f"https://{north.node.address['operators']}", "npm": str(NPM.resolve()),
                                               "cases": str(folder / "cases.json"), "keys": keys})
    finally:
        for node in nodes:
            node.close()


chromium.main(NPM, run)
