#!/usr/bin/env python3
"""The shipped JSON Schema of agreements says what the loader says: thousands of documents, each with something changed.

usage: schema.py COMITY [--no-sandbox]     (COMITY_SHARE names the share folder: schema, examples)

The validator below knows just the words of JSON Schema 2020-12 that the schema uses, and refuses any other.
"""
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case

SHARE = pathlib.Path(os.environ["COMITY_SHARE"]).resolve()
SCHEMA = json.loads((SHARE / "schema" / "agreement.json").read_text())
CASES, FOLDER, SEED = 3000, 50, 20261125
# What the schema's description says that it does not say.
BEYOND = re.compile(r"is not after valid_from|impossible|used twice|names nobody|two agreements have|is no economy|"
                    r"signed twice|and is no party")
TYPES = {"object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list),
         "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool), "null": lambda v: v is None,
         "integer": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and v == int(v)}


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def valid_object(rules, value):
    known = rules.get("properties", {})
    return (all(k in value for k in rules.get("required", []))
            and all(valid(known[k], v) for k, v in value.items() if k in known)
            and (rules.get("additionalProperties", True) or all(k in known for k in value)))


def valid_array(rules, value):
    alike = rules.get("uniqueItems") and len({json.dumps(v, sort_keys=True) for v in value}) < len(value)
    return (rules.get("minItems", 0) <= len(value) <= rules.get("maxItems", len(value)) and not alike
            and all(valid(rules.get("items", True), v) for v in value))


def valid_string(rules, value):
    return (rules.get("minLength", 0) <= len(value) <= rules.get("maxLength", len(value))
            and re.search(rules.get("pattern", ""), value) is not None)


def valid_logic(rules, value):
    if "anyOf" in rules and not any(valid(r, value) for r in rules["anyOf"]):
        return False
    if not all(valid(r, value) for r in rules.get("allOf", [])):
        return False
    return "if" not in rules or valid(rules.get("then" if valid(rules["if"], value) else "else", True), value)


KNOWN = {"$schema", "$defs", "$ref", "title", "description", "type", "enum", "const", "anyOf", "allOf", "if", "then", "else",
         "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "uniqueItems", "minLength",
         "maxLength", "pattern", "minimum", "maximum", "contentEncoding"}


def valid(rules, value):
    if isinstance(rules, bool):
        return rules
    assert set(rules) <= KNOWN, set(rules) - KNOWN
    if "$ref" in rules:
        return valid(SCHEMA["$defs"][rules["$ref"].rsplit("/", 1)[1]], value)
    if "type" in rules and not TYPES[rules["type"]](value):
        return False
    if "enum" in rules and not any(same(e, value) for e in rules["enum"]):
        return False
    if "const" in rules and not same(rules["const"], value):
        return False
    if TYPES["integer"](value) and not rules.get("minimum", value) <= value <= rules.get("maximum", value):
        return False
    by_type = {dict: valid_object, list: valid_array, str: valid_string}.get(type(value))
    return (by_type is None or by_type(rules, value)) and valid_logic(rules, value)


POOL = [None, True, False, 0, 1, 180.0, 36501, -1, 1.5, "", "x", "party", "*", "economy:FI", "economy:FIN", "TLP:Amber", "amber",
        "pink", "2026-01-31", "2026-01-31T12:00:00.1234567Z", "2026-01-31T12:00:00.000001+02:00", "tomorrow", [], ["*"],
        ["malicious-code.*"], ["malicious-code"], {}, {"account": "remove"}, {"account": "erase"}, {"acount": "keep"}, ["receipt"],
        ["receipt", "receipt"], "none", "tlp", "hold", "north.test", "nörth.test", "a" * 65, "b" * 5000, "bad\u0001byte", ["a", "a"],
        ["a.test", "b.test"], "bilateral", "baseline", "law", "F1", "FI", "0" * 64, "line\nline", ["party", "a"], {"party": "a"}]


def signature():
    return {"party": "north.test", "signed_at": "2026-01-01T00:00:00Z", "key": "A" * 43 + "=", "signature": "A" * 86 + "=="}


def places(value, found):
    """Every (container, key) of a document."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            places(value[key], found)
    return found


def change(dice, document):
    container, key = dice.choice(places(document, []))
    how = dice.randrange(6)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, dict):
        container[dice.choice(["colour", "note", "economy", "suspended", "require", "kind"])] = dice.choice(POOL)
    elif how == 2 and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif how == 3 and isinstance(container[key], str):
        container[key] = dice.choice([container[key].upper(), container[key] + " ", container[key][:-1], container[key] + "B"])
    else:
        container[key] = copy.deepcopy(dice.choice(POOL))


def documents():
    dice = random.Random(SEED)
    bases = [json.loads(p.read_text()) for p in sorted((SHARE / "examples" / "agreements").glob("*.json"))]
    for base in bases:
        base["signatures"] = [signature()]
    for number in range(CASES):
        document = copy.deepcopy(dice.choice(bases))
        document["id"] = f"urn:uuid:6f0a6f9e-0000-4000-8000-{number:012}"
        for _ in range(dice.randrange(3)):
            change(dice, document)
        yield number, document


class Schema(Case):
    def faults(self, folder, found):
        done = subprocess.run([COMITY, "agreement", "lint", "--json", *OPTIONS, "--teams", str(SHARE / "examples" / "teams"),
                               str(folder)], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for row in map(json.loads, done.stdout.splitlines()):
            if row["level"] == "error":
                found.setdefault(pathlib.Path(row["file"]).name, []).append(row["message"])

    def test_loader_and_schema_agree(self):
        judged, faults, good = {}, {}, 0
        for number, document in documents():
            folder = self.folder / f"drafts{number // FOLDER}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.json").write_text(json.dumps(document))
            judged[f"{number}.json"] = (valid(SCHEMA, document), document)
        for folder in sorted(self.folder.glob("drafts*")):
            self.faults(folder, faults)
        for name, (accepted, document) in judged.items():
            told = [m for m in faults.get(name, []) if not BEYOND.search(m)]
            beyond = len(told) < len(faults.get(name, []))
            good += accepted and not beyond
            if accepted:
                self.assertEqual(told, [], document)
            else:
                self.assertTrue(told or beyond, document)
        self.assertGreater(good, CASES // 10)
        self.assertGreater(len(faults), CASES // 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
