#!/usr/bin/env python3
"""Logs recomputed from the text of RFC 6962, C2SP tlog-tiles, tlog-proof and doc/ledger-format.md, never from the C.

usage: ledgers.py HELPER COMITY [--no-sandbox] [--cases N] [--seed N] [--plant]
--plant changes a byte of a tile, of a proof or of an answer: a test that does not notice is no test.
"""
import argparse
import base64
import functools
import hashlib
import hmac
import json
import pathlib
import random
import subprocess
import sys
import tempfile


def sha(data):
    return hashlib.sha256(data).digest()


def split(n):
    """The largest power of two below N."""
    return 1 << (n - 1).bit_length() - 1


class Tree:
    """RFC 6962, 2.1, as it is written there."""

    def __init__(self, entries):
        self.entries = entries
        self.mth = functools.lru_cache(maxsize=None)(self._mth)

    def _mth(self, begin, end):
        n = end - begin
        if n == 0:
            return sha(b"")
        if n == 1:
            return sha(b"\0" + self.entries[begin])
        k = split(n)
        return sha(b"\1" + self.mth(begin, begin + k) + self.mth(begin + k, end))

    def path(self, m, begin, end):
        n = end - begin
        if n == 1:
            return []
        k = split(n)
        if m < k:
            return self.path(m, begin, begin + k) + [self.mth(begin + k, end)]
        return self.path(m - k, begin + k, end) + [self.mth(begin, begin + k)]

    def subproof(self, m, begin, end, whole):
        n = end - begin
        if m == n:
            return [] if whole else [self.mth(begin, end)]
        k = split(n)
        if m <= k:
            return self.subproof(m, begin, begin + k, whole) + [self.mth(begin + k, end)]
        return self.subproof(m - k, begin + k, end, False) + [self.mth(begin, begin + k)]


def root_from_path(leaf, index, size, path):
    """Folded from the leaf to the root."""
    last = size - 1
    node = leaf
    path = list(path)
    while last:
        if index & 1 or index < last:
            sibling = path.pop(0)
            node = sha(b"\1" + sibling + node) if index & 1 else sha(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    return None if path else node


# ---- tiles

def number(n):
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def tiles(tree, size):
    """Every file that tlog-tiles wants of a log of that size."""
    out = {}
    level = 0
    while size >> 8 * level:
        hashes = size >> 8 * level
        for n in range((hashes + 255) // 256):
            width = min(256, hashes - 256 * n)
            name = number(n) + ("" if width == 256 else f".p/{width}")
            out[f"tile/{level}/{name}"] = b"".join(
                tree.mth((256 * n + i) << 8 * level, (256 * n + i + 1) << 8 * level) for i in range(width))
            if level == 0:
                out[f"tile/entries/{name}"] = b"".join(
                    len(e).to_bytes(2, "big") + e for e in tree.entries[256 * n:256 * n + width])
        level += 1
    return out


# ---- doc/ledger-format.md

def canonical(value):
    """RFC 8785 of what occurs here: names and texts of ASCII, whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def salt_of(batch_salt, index):
    return hmac.new(batch_salt, b"comity-item-salt-v1\n" + index.to_bytes(8, "big"), hashlib.sha256).digest()


def item_tree(items, batch_salt):
    return Tree([sha(salt_of(batch_salt, i) + canonical(item).encode()) for i, item in enumerate(items)])


def b64(data):
    return base64.b64encode(data).decode()


def delivery(rng, items, batch_salt, kind="delivery"):
    entry = {"v": 1, "kind": kind, "time": f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T0{rng.randint(0, 9)}:00:00Z",
             "id": f"urn:uuid:0198c0de-0000-7000-8000-{rng.getrandbits(48):012x}", "from": "north.test", "to": "south.test",
             "items": len(items), "items_root": b64(item_tree(items, batch_salt).mth(0, len(items))),
             "clauses": [{"agreement": f"urn:uuid:{rng.getrandbits(32):08x}", "clause": str(c),
                          "effects": {e: rng.randint(0, 1 << 40) for e in ("withhold", "hold", "release")},
                          "treatments": {t: rng.randint(0, 9) for t in ("keep", "pseudonymise", "generalise", "remove")}}
                         for c in range(rng.randint(0, 4))]}
    if kind == "decision":
        entry["decision"] = rng.choice(["released", "refused", "recalled"])
    return entry


def event(rng):
    return {"v": 1, "kind": "agreement", "time": "2026-01-02T03:04:05Z", "since": "2026-02-02T00:00:00Z",
            "agreement": "urn:uuid:1", "by": "north.test", "document": f"{rng.getrandbits(256):064x}",
            "event": rng.choice(["proposed", "signed", "suspended", "resumed", "ended", "refused"])}


# ---- the cases

class Case:
    def __init__(self, arguments, rng):
        self.a, self.rng = arguments, rng
        self.planted = rng.randrange(3) if arguments.plant else None

    def helper(self, *words, lines=()):
        return subprocess.run([self.a.helper, *map(str, words)], input="".join(f"{line}\n" for line in lines), text=True,
                              capture_output=True, check=True).stdout.splitlines()

    def comity(self, *words):
        options = ["--no-sandbox"] if self.a.no_sandbox else []
        return subprocess.run([self.a.comity, *map(str, words), *options], capture_output=True, text=True, check=False)

    def make(self, folder):
        rng = self.rng
        size = rng.choice([1, 2, 255, 256, 257, rng.randint(1, 1500)])
        self.entries, self.batches = [], {}
        lines = []
        for i in range(size):
            kind = rng.choice(["delivery", "decision", "agreement"])
            items = [{"n": n, "a": "x" * rng.randint(0, 30)} for n in range(rng.randint(1, 12))]
            salt = rng.randbytes(32)
            if kind != "agreement":
                self.batches[i] = (items, salt)
            entry = canonical(event(rng) if kind == "agreement" else delivery(rng, items, salt, kind)).encode()
            self.entries.append(entry)
            lines.append("e " + entry.hex())
            if rng.random() < 0.005:
                lines.append("c")
        lines += ["c", f"w w.test {'07' * 32} 1780272000"]
        self.key, self.witness = self.helper("make", folder, "north.test/log", "05" * 32, lines=lines)
        return size

    def check_files(self, folder, tree, size):
        wanted = tiles(tree, size)
        if self.planted == 0:
            path = folder / self.rng.choice(sorted(wanted))
            path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
        for path, data in wanted.items():
            assert (folder / path).read_bytes() == data, f"{path} of a log of {size}"
        lines = (folder / "checkpoint").read_text().split("\n")
        assert lines[:4] == ["north.test/log", str(size), b64(tree.mth(0, size)), ""], lines

    def check_proofs(self, folder, tree, size):
        questions, wanted, checks = [], [], []
        for _ in range(20):
            n = self.rng.randint(1, size)
            m, old = self.rng.randrange(n), self.rng.randint(1, n)
            path, proof = tree.path(m, 0, n), tree.subproof(old, 0, n, True)
            # A tile's own size is the checkpoint's: an older root is asked of the same tiles.
            questions += [f"root {n}", f"include {m} {n}", f"consist {old} {n}"]
            wanted += [tree.mth(0, n).hex(), " ".join(h.hex() for h in path), " ".join(h.hex() for h in proof)]
            root = tree.mth(0, n).hex()
            checks += [" ".join(["include", sha(b"\0" + self.entries[m]).hex(), str(m), str(n), root] + [h.hex() for h in path]),
                       " ".join(["consist", str(old), tree.mth(0, old).hex(), str(n), root] + [h.hex() for h in proof])]
        got = self.helper("ask", folder, size, lines=questions)
        if self.planted == 1:
            got[0] = got[0][:-1] + ("0" if got[0][-1] != "0" else "1")
        assert got == wanted, (size, [q for q, g, w in zip(questions, got, wanted) if g != w])
        assert self.helper("check", lines=checks) == ["yes"] * len(checks), size

    def check_item(self, folder, tree, size):
        if not self.batches:
            return
        index = self.rng.choice(sorted(self.batches))
        items, salt = self.batches[index]
        k = self.rng.randrange(len(items))
        (folder / "items").write_text("".join(json.dumps(item) + "\n" for item in items))
        (folder / "salt").write_text(b64(salt) + "\n")
        (folder / "item").write_text(json.dumps(items[k], indent=1))
        done = self.comity("ledger", "prove", "--entry", index, "--items", folder / "items", "--salt", folder / "salt",
                           "--item", k, folder)
        assert done.returncode == 0, done.stderr
        text = done.stdout
        if self.planted == 2:
            at = text.index("\n\n") - 5
            text = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]
        (folder / "proof").write_text(text)
        self.judge(text, items[k], k, len(items), index, size, tree)
        options = ["--key", self.key, "--witness", self.witness, "--item", folder / "item", folder / "proof"]
        done = self.comity("verify", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        (folder / "item").write_text(json.dumps({"other": 1}))
        assert self.comity("verify", *options).returncode == 1

    def judge(self, text, item, k, count, index, size, tree):
        """The proof, as tlog-proof and the page have it."""
        head, checkpoint = text.split("\n\n", 1)
        first, extra, at, *path = head.split("\n")
        assert first == "c2sp.org/tlog-proof@v1" and at == f"index {index}" and extra.startswith("extra ")
        lines = base64.b64decode(extra[6:], validate=True).decode().split("\n")
        assert lines[0] == "comity-item-proof-v1" and lines[1].startswith("entry ") and lines[-1] == ""
        entry = lines[1][6:].encode()
        assert entry == self.entries[index]
        assert lines[2] == f"item {k}" and lines[3].startswith("salt ")
        leaf = sha(b"\0" + sha(base64.b64decode(lines[3][5:]) + canonical(item).encode()))
        root = root_from_path(leaf, k, count, [base64.b64decode(h) for h in lines[4:-1]])
        assert b64(root) == json.loads(entry)["items_root"], "the item's way to the batch's root"
        root = root_from_path(sha(b"\0" + entry), index, size, [base64.b64decode(h) for h in path])
        assert root == tree.mth(0, size), "the entry's way to the log's root"
        assert checkpoint.split("\n")[2] == b64(root)

    def check_audit(self, folder, size):
        older = [word for path in folder.glob("checkpoint.*") for word in ("--against", path)]
        done = self.comity("ledger", "audit", "--json", "--key", self.key, "--witness", self.witness, *older[:100], folder)
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert answer["whole"] and answer["size"] == size and answer["findings"] == [], answer
        assert answer["continues"] == len(older[:100]) // 2
        shown = self.comity("ledger", "show", "--json", folder).stdout.splitlines()
        assert [canonical(json.loads(line)["entry"]).encode() for line in shown[1:]] == self.entries

    def run(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            size = self.make(folder)
            tree = Tree(self.entries)
            self.check_files(folder, tree, size)
            self.check_proofs(folder, tree, size)
            self.check_item(folder, tree, size)
            self.check_audit(folder, size)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("helper")
    parser.add_argument("comity")
    parser.add_argument("--no-sandbox", action="store_true")
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", action="store_true")
    arguments = parser.parse_args()
    for case in range(arguments.cases):
        try:
            Case(arguments, random.Random(arguments.seed * 1000003 + case)).run()
        except AssertionError as broken:
            print(f"case {case} of seed {arguments.seed}: {broken}")
            sys.exit(1)
    print(f"{arguments.cases} logs: files, roots, proofs and items as recomputed")


if __name__ == "__main__":
    main()
