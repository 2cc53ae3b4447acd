"""What is left of a report?  Redaction once more, slow and plain.

Written from the text of doc/agreement-language.md (section 9, and the forms in section 1), never from the C.
A report is a list of (name, value); a value is a text, a number, a boolean, None, or JSON: a list, or an object
as a Members list, numbers with a point as Number texts. `python3 redaction.py` checks the page's examples.
"""
import collections
import csv
import datetime
import ipaddress
import json
import pathlib
import re
import urllib.parse

import pseudonyms
import suffixes

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TREATMENTS = ["keep", "pseudonymise", "generalise", "remove"]
CLASSES = ["open", "address", "name", "url", "account", "device", "time", "text"]
GONE = b"[removed]"
MANY = 256
DOTS = rb"(?:\.|\[\.\]|\(\.\)|\[dot\]|\(dot\))"
ATS = rb"(?:@|\[@\]|\(@\)|\[at\]|\(at\))"
RECODED = ("raw", "output", "event_hash")
used = collections.Counter()  # how often each rule had a part


class Number(str):
    """A number that is not whole, as it stood."""


class Members(list):
    """An object: (name, value) in order."""


def parse_json(text):
    return json.loads(text, object_pairs_hook=Members, parse_float=Number)


def compact(value):
    if isinstance(value, Members):
        return "{" + ",".join(json.dumps(k) + ":" + compact(v) for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(v) for v in value) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value)


class Extras(dict):
    """Name -> class; of a name that is not listed and has more points the last part counts."""

    def listed(self, name):
        if dict.__contains__(self, name) or not name.startswith("extra."):
            return name
        return "extra." + name[len("extra."):].rpartition(".")[2]

    def get(self, name, default=None):
        return dict.get(self, self.listed(name), default)

    def __contains__(self, name):
        return dict.__contains__(self, self.listed(name))


class Tables:
    """Data, not code: the table of fields, the list of extras, the public suffixes."""

    def __init__(self, root=ROOT, extras=None):
        rows = re.findall(r'^FIELD\(\w+, "([^"]+)", (\w+), (\w+)\)', (root / "src/tables/fields.def").read_text(), re.M)
        self.types = {name: kind for name, kind, _ in rows}
        self.classes = {name: field_class.lower() for name, _, field_class in rows}
        text = (root / "share/tables/extra-fields.csv").read_text() if extras is None else extras
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        self.extras = Extras((row["name"], row["class"]) for row in csv.DictReader(lines))
        self.suffixes = suffixes.read()


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def hit(rule):
    used[rule] += 1


def strictest(*treatments):
    return max(treatments, key=TREATMENTS.index)


# ---- addresses, URLs ----

def an_address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def a_network(text):
    try:
        return ipaddress.ip_network(text) if "/" in text else None
    except ValueError:
        return None


class Url:
    """scheme://login@host, and the rest from the port on; `whole` says whether it has scheme and host."""

    def __init__(self, text):
        self.scheme = self.login = self.host = ""
        self.rest, self.whole = text, False
        m = re.match(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#\\]*)(.*)$", text, re.S)
        if not m:
            return
        authority = m.group(2)
        login, at, place = authority.rpartition("@")
        host = re.match(r"\[[^\]]*\]|[^:]*", place).group(0)
        if not host:
            return
        self.whole, self.scheme, self.login, self.host = True, m.group(1), login + at, host
        self.rest = place[len(host):] + m.group(3)

    def host_is_address(self):
        if self.host.startswith("["):
            return True
        parts = self.host.rstrip(".").lower().split(".")
        number = r"0x[0-9a-f]*|[0-9]+"
        return len(parts) <= 4 and all(re.fullmatch(number, p) for p in parts)

    def sound_address(self):
        inner = self.host[1:-1] if self.host.startswith("[") and self.host.endswith("]") else self.host
        return inner == self.host or an_address(inner) is not None

    def text(self):
        return self.scheme + self.login + self.host + self.rest


def percent_decoded(raw):
    return urllib.parse.unquote_to_bytes(raw)


# ---- what is done to one field ----

class Redaction:
    def __init__(self, treatment, keys, tables):
        self.tables, self.keys = tables, keys
        self.treatment = {c: self.really_done(c, treatment[c]) for c in CLASSES}
        self.all_kept = all(t == "keep" for t in self.treatment.values())

    def really_done(self, field_class, treatment):
        if treatment == "keep":
            return "keep"
        if field_class in ("text", "open"):
            return "remove"
        if treatment == "pseudonymise" and (field_class == "time" or self.keys is None):
            hit("time has no pseudonyms" if field_class == "time" else "no secret")
            return "generalise"
        return treatment

    def is_kept(self, field_class):
        return self.treatment[field_class] == "keep"

    def form_of(self, name):
        """The class whose form a field has."""
        return self.tables.classes.get(name) or self.tables.extras.get(name, "text")

    def is_url(self, name, value):
        return (self.form_of(name) == "url" and name not in ("source.urlpath", "destination.urlpath") and is_text(value))

    def treatment_of(self, name, value):
        form = self.form_of(name)
        treatment = self.treatment[form]
        if name in RECODED:
            hit("another coding")
            return "keep" if self.all_kept else "remove"
        if name not in self.tables.classes:
            hit("listed extra" if name in self.tables.extras else "unlisted extra")
            treatment = strictest(treatment, self.treatment["text"])
        if self.is_url(name, value):
            url = Url(value)
            if not url.whole:
                hit("URL without scheme")
                treatment = strictest(treatment, self.treatment["text"])
                if treatment == "keep" and "@" in value:
                    hit("URL without scheme, a login in it")
                    treatment = self.treatment["account"]
                return treatment
            if not url.host_is_address():
                treatment = strictest(treatment, self.treatment["name"])
            elif not self.is_kept("address"):
                hit("URL at an address")
                return "remove"
        return treatment

    def treat(self, name, value):
        """The field (name, value) that is left, or None."""
        treatment, form = self.treatment_of(name, value), self.form_of(name)
        hit(f"{form} {treatment}")
        if treatment == "keep":
            if self.is_url(name, value) and not self.is_kept("account"):
                url = Url(value)
                if url.login:
                    sound = url.sound_address() if url.host_is_address() else suffixes.is_name(url.host.rstrip("."))
                    if not sound:
                        return None
                    hit("login cut")
                    url.login = ""
                    return name, url.text()
            return name, value
        if treatment == "remove":
            return None
        made = self.coarser(name, form, value) if treatment == "generalise" else self.pseudonym(name, form, value)
        if made is None:
            hit(f"{form} without such a form")
        return made

    def coarser(self, name, form, value):
        if not is_text(value):
            return None
        if form == "address":
            return self.coarser_address(name, value)
        made = getattr(self, "coarser_" + form)(value) if form != "url" else self.coarser_url(name, value)
        return None if made is None else (name, made)

    def coarser_address(self, name, value):
        made = self.coarser_network(name, value)
        if made is None:
            return None
        return (name.partition(".")[0] + ".network" if name in self.tables.classes else name), made

    def coarser_network(self, name, value):
        last = name.rpartition(".")[2]
        if name in self.tables.classes and last not in ("ip", "network"):
            return None
        network = a_network(value) if name not in self.tables.classes or last == "network" else None
        if network is None:
            if an_address(value) is None:
                return None
            network = ipaddress.ip_network(value)
        longest = 24 if network.version == 4 else 48
        if network.prefixlen > longest:
            network = network.supernet(new_prefix=longest)
        return str(network)

    def coarser_name(self, value):
        return suffixes.registrable(value, self.tables.suffixes)

    def coarser_url(self, name, value):
        url = Url(value)
        if not self.is_url(name, value) or not url.whole:
            return None
        if url.host_is_address():
            return url.scheme + url.host if url.sound_address() else None
        if not suffixes.is_name(url.host.rstrip(".")):
            return None
        host = url.host if self.is_kept("name") else suffixes.registrable(url.host, self.tables.suffixes)
        return None if host is None else url.scheme + host

    def coarser_account(self, value):
        _, at, domain = value.rpartition("@")
        return domain if at and suffixes.is_name(domain[:-1] if domain.endswith(".") else domain) else None

    def coarser_device(self, value):
        m = re.fullmatch(r"([0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}\2[0-9A-Fa-f]{2})(\2[0-9A-Fa-f]{2}){3}", value)
        return m.group(1) if m else None

    def coarser_time(self, value):
        m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", value)
        if not m:
            return None
        t = datetime.datetime.fromisoformat(m.group(1) + m.group(2).replace("Z", "+00:00"))
        return t.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:00:00+00:00")

    def pseudonym(self, name, form, value):
        if not is_text(value):
            return None
        if form == "address":
            address, network = an_address(value), a_network(value)
            if address is not None:
                return name, str(pseudonyms.encrypt_address(self.keys[0], address))
            if network is not None:
                return name, str(pseudonyms.encrypt_network(self.keys[0], network))
            return None
        if form == "name":
            value = re.sub("[A-Z]", lambda m: m.group(0).lower(), value)
            value = value[:-1] if value.endswith(".") else value
            if len(value.encode()) > 253:
                return None
        digits = pseudonyms.digest(self.keys[1], form, value)
        return name, {"name": digits + ".invalid", "url": f"https://{digits}.invalid/"}.get(form, digits)

    # ---- repeated values ----

    def class_named(self, name):
        """For which class does this member's, or parameter's, name stand?  None: for nothing."""
        known = self.tables.classes.get(name)
        return known if known else self.tables.extras.get("extra." + name)

    def stands_for_removed(self, name):
        known = self.class_named(name)
        if known is None:
            return False
        return not self.is_kept(known) or (name not in self.tables.classes and not self.is_kept("text"))

    def values_below(self, value):
        if isinstance(value, Members):
            return [t for _, v in value for t in self.values_below(v)]
        if isinstance(value, list):
            return [t for v in value for t in self.values_below(v)]
        if isinstance(value, bool) or value is None:
            return []
        return [str(value)]

    def removed_by_name(self, value):
        if isinstance(value, Members):
            out = []
            for k, v in value:
                if not self.stands_for_removed(k):
                    out += self.removed_by_name(v)
                elif self.class_named(k) not in ("text", "open"):
                    out += self.values_below(v)
            return out
        if isinstance(value, list):
            return [t for v in value for t in self.removed_by_name(v)]
        return []

    def split_query(self, text):
        """What is before the query, its parameters, what is behind it; no parameters: no query."""
        head, hash_sign, fragment = text.partition("#")
        before, mark, query = head.partition("?")
        parts = re.split("([&;])", query) if mark else []
        return before, parts, hash_sign + fragment

    def parameter(self, text):
        name, _, value = text.partition("=")
        return percent_decoded(name).decode("utf-8", "replace"), percent_decoded(value)

    def query_of(self, name, value):
        if self.form_of(name) != "url" or not is_text(value):
            return []
        return self.split_query(Url(value).rest)[1][::2]

    def gather(self, before, after):
        """T, in the order of the fields."""
        t = []
        for (name, value), left in zip(before, after):
            if self.form_of(name) not in ("text", "open") and left != (name, value):
                new = GONE if left is None else str(left[1]).encode()
                t += [(v.encode(), new) for v in self.values_below(value) if not isinstance(value, Number)]
            changed, kept = left != (name, value), left is not None and self.treatment_of(name, value) == "keep"
            url = Url(value) if self.is_url(name, value) else None
            if url and url.whole and changed:
                if url.login:
                    user, _, password = url.login[:-1].partition(":")
                    t += [(user.encode(), GONE), (password.encode(), GONE)]
                host = url.host[1:-1] if re.fullmatch(r"\[.+\]", url.host) else url.host
                host = host[:-1] if host.endswith(".") else host
                if left is None or host not in left[1]:
                    hit("host of a URL repeats")
                    t.append((host.encode(), GONE))
            if kept and isinstance(value, list):
                t += [(v.encode(), GONE) for v in self.removed_by_name(value)]
            for p in self.query_of(name, value) if changed or kept else []:
                key, held = self.parameter(p)
                known = self.class_named(key)
                removed = self.stands_for_removed(key) if known else not self.is_kept("url")
                if removed and known not in ("text", "open"):
                    t.append((held, GONE))
        return [(value, new) for value, new in t if len(value) >= 4]

    def prepare(self, t):
        """T's values as patterns; the longest first, of equally long ones the first."""
        dots = {b".": DOTS, b"@": ATS}
        out = []
        for value, new in sorted(t, key=lambda pair: -len(pair[0])):
            letters = [dots.get(value[i:i + 1], re.escape(value[i:i + 1])) for i in range(len(value))]
            out.append((re.compile(b"".join(letters), re.I | re.S), new))
        self.patterns = out

    def replaced(self, raw):
        out, at = b"", 0
        if not any(p.search(raw) for p, _ in self.patterns):
            return raw
        while at < len(raw):
            for pattern, new in self.patterns:
                m = pattern.match(raw, at)
                if m:
                    hit("repeated value replaced")
                    if raw[at:m.end()].lower() != raw[at:m.end()]:
                        hit("repeated in other case")
                    if re.search(rb"[\[(](?:\.|dot|@|at)[\])]", m.group(0), re.I):
                        hit("repeated, defanged")
                    out, at = out + new, m.end()
                    break
            else:
                out, at = out + raw[at:at + 1], at + 1
        return out

    def matches(self, raw):
        return any(p.search(raw) for p, _ in self.patterns)

    def matches_decoded(self, text):
        raw = text.encode()
        return self.matches(raw) or self.matches(percent_decoded(raw))

    def scrub_json(self, value):
        if isinstance(value, Members):
            out = Members()
            for k, v in value:
                if self.stands_for_removed(k):
                    hit("member removed for its class")
                elif self.matches(k.encode()):
                    hit("member removed, its name repeats")
                else:
                    v, gone = self.scrub_item(v)
                    if not gone:
                        out.append((k, v))
            return out
        return [v for v, gone in map(self.scrub_item, value) if not gone]

    def scrub_item(self, value):
        if isinstance(value, list):
            return self.scrub_json(value), False
        if isinstance(value, bool) or value is None:
            return value, False
        if is_text(value):
            return self.replaced(value.encode()).decode(), False
        gone = self.matches(str(value).encode())
        if gone:
            hit("number repeats")
        return value, gone

    def scrub_query(self, text):
        before, parts, behind = self.split_query(text)
        if not parts:
            return text
        kept = []
        for i in range(0, len(parts), 2):
            name, _ = self.parameter(parts[i])
            if self.stands_for_removed(name):
                hit("parameter removed for its class")
            elif self.matches_decoded(parts[i]):
                hit("parameter repeats")
            else:
                kept.append((parts[i - 1] if i > 0 else "", parts[i]))
        if len(kept) == (len(parts) + 1) // 2:
            return text
        query = ""
        for separator, p in kept:
            query += separator + p if query else p
        if not query:
            hit("query gone")
        return before + ("?" + query if query else "") + behind

    def scrub_url(self, name, value):
        url = Url(value)
        if not self.is_url(name, value) or not url.whole:
            left = self.scrub_query(value)
            before, _, behind = self.split_query(left)
            if self.matches_decoded(before) or self.matches_decoded(behind):
                hit("urlpath repeats")
                return None
            return left
        url.rest = self.scrub_query(url.rest)
        before, _, behind = self.split_query(url.rest)
        if self.matches_decoded(before) or self.matches_decoded(behind):
            hit("rest of URL repeats")
            url.rest = ""
        return url.text()

    def scrub(self, name, value):
        """What is left of a kept field, or None."""
        known = name in self.tables.classes
        if self.many and (self.form_of(name) == "url" or self.tables.classes.get(name, "text") == "text"):
            hit("too many repeated values")
            return None
        if not known and name not in self.tables.extras and self.matches(name.encode()):
            hit("field's name repeats")
            return None
        if is_text(value) and self.form_of(name) == "url":
            left = self.scrub_url(name, value)
            return None if left is None else (name, left)
        if known and self.tables.classes[name] != "text":
            return name, value
        if isinstance(value, list):
            return name, self.scrub_json(value)
        if is_text(value):
            return name, self.replaced(value.encode()).decode()
        if type(value) is int and self.matches(str(value).encode()):
            hit("whole number repeats")
            return None
        return name, value

    def run(self, report):
        after = [self.treat(name, value) for name, value in report]
        t = self.gather(report, after)
        hit("T empty" if not t else "T not empty")
        self.prepare(t)
        self.many = len(t) > MANY
        out, standing = [], set()
        for (name, value), left in zip(report, after):
            if left is not None and self.treatment_of(name, value) == "keep":
                left = self.scrub(*left)
            if left is not None and left[0] not in standing:
                standing.add(left[0])
                out.append(left)
        return out


def redact(report, treatment, recipient, agreement, secret, tables):
    """REPORT: (name, value) in order. TREATMENT: class -> word, as the verdict has it. SECRET: 32 bytes or None."""
    keys = None if secret is None else pseudonyms.keys_of(secret, agreement, recipient)
    return Redaction(treatment, keys, tables).run(report)


def check():
    tables = Tables()

    def left(fields, **treatment):
        all_of = dict.fromkeys(CLASSES, "keep")
        all_of.update(treatment)
        secret = bytes(range(32))
        return dict(redact(list(fields.items()), all_of, "south.test", "urn:uuid:0", secret, tables))

    g = "generalise"
    assert left({"source.ip": "192.0.2.77", "source.port": 443, "source.local_ip": "10.0.0.1"}, address=g) == {
        "source.network": "192.0.2.0/24"}
    assert left({"destination.ip": "2001:db8:1:2::7"}, address=g) == {"destination.network": "2001:db8:1::/48"}
    assert left({"source.fqdn": "www.example.co.uk"}, name=g) == {"source.fqdn": "example.co.uk"}
    assert left({"source.fqdn": "printer.office.internal"}, name=g) == {}
    assert left({"source.url": "https://u:p@www.example.co.uk:8/x?y#z"}, url=g) == {
        "source.url": "https://www.example.co.uk"}
    assert left({"source.url": "https://www.example.co.uk:8/x"}, name=g) == {"source.url": "https://example.co.uk"}
    assert left({"source.url": "http://192.0.2.1/x"}, address=g) == {}
    assert left({"source.url": "http://bob:secret@example.org/x"}, account="remove") == {
        "source.url": "http://example.org/x"}
    assert left({"source.url": "http://bob:secret@example.org/secret"}, account="remove") == {
        "source.url": "http://example.org"}
    assert left({"source.account": "bob@example.org"}, account=g) == {"source.account": "example.org"}
    assert left({"extra.mac_address": "00:11:22:33:44:55"}, device=g) == {"extra.mac_address": "00:11:22"}
    assert left({"extra.mac_address": "00:11:22:33:44:55"}, text="remove") == {}
    assert left({"time.source": "2026-05-05T10:20:30+05:30"}, time="pseudonymise") == {
        "time.source": "2026-05-05T04:00:00+00:00"}
    assert left({"raw": "YQ==", "event_hash": "ab", "comment": "c"}, time=g) == {"comment": "c"}
    assert left({"raw": "YQ=="}) == {"raw": "YQ=="}
    assert left({"source.ip": "192.0.2.77", "comment": "from 192[.]0(dot)2.77!"}, address=g) == {
        "source.network": "192.0.2.0/24", "comment": "from 192.0.2.0/24!"}
    assert left({"source.account": "Bob@example.org", "comment": "BOB[at]EXAMPLE.ORG"}, account="remove") == {
        "comment": "[removed]"}
    assert left({"extra.x": parse_json('{"user":"bobby","note":"hello bobby","n":[1.5,"a"]}')}, account="remove") == {
        "extra.x": parse_json('{"note":"hello [removed]","n":[1.5,"a"]}')}
    assert left({"source.url": "http://example.org/p?a=1&email=bob%40x.org;b=2#f"}, account="remove") == {
        "source.url": "http://example.org/p?a=1;b=2#f"}
    assert left({"source.url": "http://example.org/p?email=bob"}, account="remove") == {
        "source.url": "http://example.org/p"}
    assert left({"source.account": "robert", "extra.robert": "x", "extra.y": "x"}, account="remove") == {"extra.y": "x"}
    assert left({"source.account": "robert", "source.urlpath": "/home/r%6Fbert"}, account="remove") == {}
    assert left({"destination.port": 48080, "extra.l": [48080, 148080, 4808]}, address="remove") == {"extra.l": [4808]}
    p = left({"source.fqdn": "WWW.example.org.", "destination.fqdn": "www.example.org"}, name="pseudonymise")
    assert p["source.fqdn"] == p["destination.fqdn"] and re.fullmatch(r"[0-9a-f]{32}\.invalid", p["source.fqdn"])
    p = left({"source.ip": "192.0.2.1", "source.network": "192.0.2.0/24"}, address="pseudonymise")
    assert an_address(p["source.ip"]) in a_network(p["source.network"])


if __name__ == "__main__":
    check()
    print("redaction: the page's examples come out")
