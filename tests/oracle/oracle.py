"""May this team be told, and what?  The judgement once more, slow and plain.

Written from the text of doc/agreement-language.md, never from the C. Everything is compared as
text, nothing is compiled, every clause is looked at for every question.
"""
import datetime
import json
import re

TAXONOMY = {
    "abusive-content": ["spam", "harmful-speech", "violence"],
    "malicious-code": ["infected-system", "c2-server", "malware-distribution", "malware-configuration"],
    "information-gathering": ["scanner", "sniffing", "social-engineering"],
    "intrusion-attempts": ["ids-alert", "brute-force", "exploit"],
    "intrusions": ["privileged-account-compromise", "unprivileged-account-compromise",
                   "application-compromise", "system-compromise", "burglary"],
    "availability": ["dos", "ddos", "misconfiguration", "sabotage", "outage"],
    "information-content-security": ["unauthorised-information-access",
                                     "unauthorised-information-modification", "data-loss", "data-leak"],
    "fraud": ["unauthorized-use-of-resources", "copyright", "masquerade", "phishing"],
    "vulnerable": ["weak-crypto", "ddos-amplifier", "potentially-unwanted-accessible",
                   "information-disclosure", "vulnerable-system"],
    "other": ["blacklist", "dga-domain", "malware", "proxy", "tor", "other", "undetermined"],
    "test": ["test"],
}
TAXONOMY_OF = {t: taxonomy for taxonomy, types in TAXONOMY.items() for t in types}
CLASSES = ["open", "address", "name", "url", "account", "device", "time", "text"]
TREATMENTS = ["keep", "pseudonymise", "generalise", "remove"]
EFFECTS = ["withhold", "hold", "release"]
ONWARD = ["none", "constituency", "party", "tlp"]
TLPS = ["clear", "green", "amber", "amber+strict", "red"]
KINDS = ["bilateral", "multilateral", "baseline", "law"]
BEGINNING, END = float("-inf"), float("inf")


class Bad(Exception):
    """Something in a document is not as the language has it."""


def tlp_rank(text):
    """0 clear ... 4 red, None when it is no label of TLP 2.0."""
    word = text.strip().lower()
    if word.startswith("tlp:"):
        word = word[4:]
    word = "clear" if word == "white" else word
    return TLPS.index(word) if word in TLPS else None


# ---- documents ----

def text(value, longest=4096):
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= longest:
        raise Bad("text")
    if any(ord(c) < 32 and c not in "\n\t" for c in value):
        raise Bad("control")
    return value


def is_team(name):
    return re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is not None and name != "party"


def pattern(value):
    text(value)
    if value in ("*", "party") or re.fullmatch(r"economy:[A-Za-z]{2}", value) or is_team(value):
        return value
    raise Bad("pattern")


def instant(value):
    text(value, 64)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        value += "T00:00:00Z"
    m = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
                     r"(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{2}:[0-9]{2})", value)
    if not m:
        raise Bad("date")
    year, month, day, hour, minute, second = (int(m.group(i)) for i in range(1, 7))
    micro = int((m.group(7) or "0").ljust(6, "0"))
    if year < 1900:
        raise Bad("year")
    try:
        when = datetime.datetime(year, month, day, hour, minute, min(second, 59 if second == 60 else second))
    except ValueError:
        raise Bad("date") from None
    delta = when - datetime.datetime(1970, 1, 1)
    us = (delta.days * 86400 + delta.seconds) * 1000000 + micro
    if m.group(8) != "Z":
        sign = -1 if m.group(8)[0] == "-" else 1
        hours, minutes = int(m.group(8)[1:3]), int(m.group(8)[4:6])
        if hours > 23 or minutes > 59:
            raise Bad("offset")
        us -= sign * (hours * 60 + minutes) * 60 * 1000000
    return us


def listed(value, longest=10000):
    if not isinstance(value, list) or len(value) > longest:
        raise Bad("list")
    return value


def one_of(value, words):
    if not isinstance(value, str) or value not in words:
        raise Bad("word")
    return value


def classification(value):
    if not listed(value):
        raise Bad("empty")
    for p in value:
        text(p)
        known = p == "*" or any(p in (f"{x}.*", f"{x}.{t}") for x, types in TAXONOMY.items() for t in types)
        if not known:
            raise Bad("classification")
    return value


def tlp_max(value):
    rank = tlp_rank(text(value))
    if rank is None:
        raise Bad("tlp")
    return rank


def providers(value):
    if not listed(value):
        raise Bad("empty")
    return [text(p, 200).lower() for p in value]


def treatment(value):
    if not isinstance(value, dict):
        raise Bad("treatment")
    out = {}
    for field_class, action in value.items():
        one_of(field_class, CLASSES)
        one_of(action, TREATMENTS)
        if field_class == "time" and action == "pseudonymise":
            action = "generalise"
        if field_class in ("text", "open") and action != "keep":
            action = "remove"
        out[field_class] = action
    return out


def retention(value):
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 36500 or value != int(value):
        raise Bad("retention")
    return int(value)


def optional_text(value):
    return value if value is None else text(value)


def sha256(value):
    if value is not None and not re.fullmatch(r"[0-9A-Fa-f]{64}", text(value, 64)):
        raise Bad("sha256")
    return value


def signatures(value):
    if not all(isinstance(s, dict) for s in listed(value)):
        raise Bad("signatures")
    return value


def urn(value):
    if not re.fullmatch(r"urn:uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text(value, 64)):
        raise Bad("id")
    return value


def parties(value):
    for p in listed(value):
        if not is_team(text(p, 64)):
            raise Bad("party")
    if len(set(value)) != len(value):
        raise Bad("twice")
    return value


def economy(value):
    if not re.fullmatch(r"[A-Za-z]{2}", text(value, 64)):
        raise Bad("economy")
    return value.upper()


def boolean(value):
    if not isinstance(value, bool):
        raise Bad("boolean")
    return value


def read_object(value, keys, required):
    """What could be read, and whether all was as it should be."""
    if not isinstance(value, dict):
        return {}, False
    out, good = {}, all(k in value for k in required) and all(k in keys for k in value)
    for key, item in value.items():
        if key in keys:
            try:
                out[key] = keys[key](item)
            except Bad:
                good = False
    return out, good


CLAUSE_KEYS = {
    "id": lambda v: text(v, 64), "from": pattern, "to": pattern, "classification": classification,
    "tlp_max": tlp_max, "providers": providers, "effect": lambda v: one_of(v, EFFECTS),
    "treatment": treatment, "require": lambda v: [one_of(x, ["encrypted-channel", "receipt"]) for x in listed(v)],
    "retention_days": retention, "onward": lambda v: one_of(v, ONWARD), "note": optional_text,
}
AGREEMENT_KEYS = {
    "id": urn, "title": lambda v: text(v, 1000), "kind": lambda v: one_of(v, KINDS), "parties": parties,
    "economy": economy, "valid_from": instant, "valid_until": lambda v: END if v is None else instant(v),
    "suspended": boolean, "clauses": listed, "text_url": optional_text, "text_sha256": sha256,
    "signatures": signatures,
}
EVERYTHING = {"kind": "baseline", "parties": [], "from": BEGINNING, "until": END, "suspended": False,
              "broken": True, "economy": None,
              "clauses": [{"id": "", "from": "*", "to": "*"}]}


def no_twice(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise Bad("duplicate key")
    return dict(pairs)


def read_agreement(name, document):
    try:
        document = json.loads(document, object_pairs_hook=no_twice)
    except (ValueError, Bad):
        return dict(EVERYTHING, name=name)
    a, good = read_object(document, AGREEMENT_KEYS, ["id", "title", "kind", "valid_from", "clauses"])
    clauses = []
    for c in a.get("clauses", []):
        clause, fine = read_object(c, CLAUSE_KEYS, ["id", "from", "to", "classification", "tlp_max", "effect"])
        good = good and fine
        clause.setdefault("id", "")
        clause.setdefault("from", "*")
        clause.setdefault("to", "*")
        clauses.append(clause)
    if len({c["id"] for c in clauses}) != len(clauses):
        good = False
    begin, until = a.get("valid_from", BEGINNING), a.get("valid_until", END)
    if until <= begin:
        good, begin, until = False, BEGINNING, END
    window = {"from": begin, "until": until, "suspended": a.get("suspended", False),
              "name": name, "id": a.get("id")}
    named = a.get("parties", [])
    kind = a.get("kind")
    readable = kind is not None and "clauses" in a and ("parties" in a or "parties" not in document)
    if readable and kind == "bilateral" and len(named) != 2:
        readable = False
    if readable and kind == "multilateral" and len(named) < 2:
        readable = False
    if readable and not named and any("party" in (c["from"], c["to"]) for c in clauses):
        readable = False
    if not readable:
        return dict(EVERYTHING, **window)
    if (kind == "law") != ("economy" in a):
        good = False
    return dict(window, kind=kind, parties=named, economy=a.get("economy") if kind == "law" else None,
                clauses=clauses, broken=not good)


def read_feeds(document):
    feeds = json.loads(document)
    out = {"default": tlp_rank(feeds["default_tlp"]), "feeds": []}
    for f in feeds["feeds"]:
        names = [n.lower() for n in [f["provider"]] + f.get("also", [])]
        entry = {"names": names, "tlp": tlp_rank(f["tlp"]), "condition": None, "floor": None}
        iep = f.get("iep")
        if iep is not None:
            effect, onward = "release", "tlp"
            actions = iep.get("permitted_actions")
            if actions == "none":
                effect = "withhold"
            elif actions == "contact-for-instruction":
                effect = "hold"
            if actions in ("none", "contact-for-instruction", "internally-visible-actions"):
                onward = "none"
            if iep.get("affected_party_notifications") == "must-not":
                effect, onward = min(effect, "hold", key=EFFECTS.index), "none"
            if iep.get("attribution") == "must-not":
                effect = min(effect, "hold", key=EFFECTS.index)
            require = ["encrypted-channel"] if iep.get("encrypt_in_transit") == "must" else []
            entry["condition"] = {"name": iep["id"], "id": "iep", "effect": effect, "onward": onward,
                                  "require": require, "providers": names}
            entry["floor"] = tlp_rank(iep["tlp"]) if "tlp" in iep else None
        out["feeds"].append(entry)
    return out


def read_agreements(texts):
    agreements = [read_agreement(str(i), t) for i, t in enumerate(texts)]
    for a in agreements:
        if a.get("id") and sum(b.get("id") == a["id"] for b in agreements) > 1:
            a["broken"] = True
    return agreements


# ---- the judgement ----

def covers(p, agreement, team):
    """Does this `from` or `to` cover this team (None: nobody)?"""
    law = agreement["kind"] == "law"
    if p == "*" or (law and team is None):
        return True
    if team is None:
        return False
    if p == "party":
        return team["id"] in agreement["parties"]
    if p.startswith("economy:"):
        return p[8:].upper() in team["economies"] or (law and not team["economies"])
    return p == team["id"]


def binds(agreement, origin):
    """A law binds those of its economy, and those who may be of it."""
    if agreement["kind"] != "law" or agreement["economy"] is None:
        return True
    return origin is None or not origin["economies"] or agreement["economy"] in origin["economies"]


def reaches(agreement, clause, origin, recipient, at):
    return (not agreement["suspended"] and agreement["from"] <= at < agreement["until"]
            and covers(clause["from"], agreement, origin) and binds(agreement, origin)
            and covers(clause["to"], agreement, recipient))


def classified(clause, kind):
    return any(p in ("*", f"{TAXONOMY_OF[kind]}.*", f"{TAXONOMY_OF[kind]}.{kind}")
               for p in clause["classification"])


def matching(agreements, kinds, case, origin, recipient, tlp):
    found = []
    for a in agreements:
        if a["broken"] or a["kind"] not in kinds:
            continue
        for c in a["clauses"]:
            if not reaches(a, c, origin, recipient, case["at_us"]):
                continue
            if not classified(c, case["type"]) or tlp > c["tlp_max"]:
                continue
            named = c.get("providers")
            if named and case["provider"] and case["provider"].lower() not in named:
                continue
            silent = "tlp" if a["kind"] == "law" else "none"
            found.append(dict(c, name=a["name"], onward=c.get("onward", silent)))
    return found


def strictest(clauses):
    out = {"effect": "release", "treatment": {}, "encrypted": False, "receipt": False, "retention": 0,
           "onward": "tlp"}
    for c in clauses:
        out["effect"] = min(out["effect"], c["effect"], key=EFFECTS.index)
        out["onward"] = min(out["onward"], c["onward"], key=ONWARD.index)
        out["encrypted"] |= "encrypted-channel" in c.get("require", [])
        out["receipt"] |= "receipt" in c.get("require", [])
        days = c.get("retention_days")
        if days is not None and (out["retention"] == 0 or days < out["retention"]):
            out["retention"] = days
    for f in CLASSES:
        out["treatment"][f] = max((c.get("treatment", {}).get(f, "keep") for c in clauses),
                                  key=TREATMENTS.index, default="keep")
    return out


def result(effect, reason, clauses=(), terms=None):
    withheld = {"treatment": {f: "remove" for f in CLASSES}, "encrypted": False, "receipt": False,
                "retention": 0, "onward": "none"}
    names = [f"{c['name']}#{c['id']}" for c in clauses]
    return dict(withheld if effect == "withhold" else terms, effect=effect, reason=reason,
                count=min(len(names), 255), clauses=names[:8])


def onward_allows(case, tlp):
    if case["onward"] == "constituency":
        return case["in_constituency"]
    if case["onward"] == "party":
        return case["in_constituency"] or case["is_party"]
    if case["onward"] == "tlp":
        return tlp <= TLPS.index("green") or (tlp == TLPS.index("amber") and case["in_constituency"])
    return False


def judge(world, case):
    """World: teams by id, agreements, feeds as read above. Case: one question."""
    origin, recipient = world["teams"].get(case["origin"]), world["teams"].get(case["recipient"])
    feeds, provider = world["feeds"], (case["provider"] or "").lower()
    mine = [f for f in feeds["feeds"] if provider in f["names"]]
    if recipient is None:
        return result("withhold", "unattributed")
    if recipient is origin:
        return result("release", "own-constituency", (), {
            "treatment": {f: "keep" for f in CLASSES}, "encrypted": False, "receipt": False,
            "retention": 0, "onward": "tlp"})
    if not case["clock"]:
        return result("withhold", "clock")
    if case["tlp"] is None:
        tlp = mine[0]["tlp"] if mine else feeds["default"]
    else:
        tlp = tlp_rank(case["tlp"])
    if tlp is None:
        return result("withhold", "unknown-tlp")
    if case["type"] not in TAXONOMY_OF:
        return result("withhold", "unknown-classification")
    broken = [dict(c, name=a["name"]) for a in world["agreements"] if a["broken"]
              for c in a["clauses"] if reaches(a, c, origin, recipient, case["at_us"])]
    if broken:
        return result("withhold", "bad-agreement", broken)
    floors = [f["floor"] for f in (mine if provider else feeds["feeds"]) if f["floor"] is not None]
    if not provider and any(f > tlp for f in floors):
        return result("withhold", "unknown-provider")
    tlp = max([tlp] + floors) if provider else tlp
    for level in ("bilateral", "multilateral", "baseline"):
        clauses = matching(world["agreements"], [level], case, origin, recipient, tlp)
        if clauses:
            break
    else:
        return result("withhold", "no-clause")
    effect, reason = strictest(clauses)["effect"], "clause"
    if tlp == TLPS.index("red") and effect != "withhold":
        effect, reason = ("hold" if level == "bilateral" else "withhold"), "red-needs-person"
    ceilings = matching(world["agreements"], ["law"], case, origin, recipient, tlp)
    ceilings += [f["condition"] for f in feeds["feeds"] if f["condition"]
                 and (not provider or provider in f["names"])]
    everything = clauses + ceilings
    terms = strictest(everything)
    if EFFECTS.index(terms["effect"]) < EFFECTS.index(effect):
        effect, reason = terms["effect"], "ceiling"
    if case["onward"] is not None:
        if not onward_allows(case, tlp) and effect != "withhold":
            effect, reason = "withhold", "ceiling"
        terms["onward"] = min(terms["onward"], case["onward"], key=ONWARD.index)
    if not provider and any(c.get("providers") for c in everything):
        return result("withhold", "unknown-provider", everything)
    if effect == "release" and terms["encrypted"] and not recipient["encrypted"]:
        effect, reason = "hold", "no-encrypted-channel"
    if effect == "release" and terms["receipt"] and not recipient["receipt"]:
        effect, reason = "hold", "no-receipt-channel"
    return result(effect, reason, everything, terms)
