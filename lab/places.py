"""Whose address is it?  The world's ranges and the teams' constituencies once more, from doc/team-card.md and doc/path.md.

Slow and plain, never from the C: what a node finds is held against this.
"""
import bisect
import ipaddress
import lzma

KINDS = ["national", "coordination-center"]


def rows(path):
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            start, end, what = line.rstrip("\n").split(",", 2)
            yield int(start), int(end), what


class Ranges:
    """IPv4 ranges that do not overlap, and what each says."""

    def __init__(self, path):
        self.starts, self.ends, self.what = [], [], []
        for start, end, what in rows(path):
            self.starts.append(start)
            self.ends.append(end)
            self.what.append(what)

    def find(self, number):
        at = bisect.bisect_right(self.starts, number) - 1
        return self.what[at] if at >= 0 and number <= self.ends[at] else None

    def of(self, wanted, least):
        """Those of at least LEAST addresses that say what is WANTED."""
        out = {w: [] for w in wanted}
        for start, end, what in zip(self.starts, self.ends, self.what):
            if what in out and end - start + 1 >= least:
                out[what].append((start, end))
        return out


class Geo:
    def __init__(self, share):
        self.economy = Ranges(share / "geo" / "ip4-economy.csv.xz")
        self.asn = Ranges(share / "geo" / "ip4-asn.csv.xz")


def economies_of(card):
    """(economy, scope, rank) of each."""
    out = []
    for one in card["economies"]:
        one = {"economy": one} if isinstance(one, str) else one
        scope = one.get("scope") or ("all" if card["kind"] in KINDS else card["kind"])
        out.append((one["economy"], scope, one.get("rank", 100)))
    return out


class Directory:
    """Who answers for an IPv4 address, by the cards."""

    def __init__(self, cards, geo):
        self.geo, self.prefixes, self.asns, self.economies = geo, {}, {}, {}
        whole = {}
        for card in cards:
            order = (min(rank for _, _, rank in economies_of(card)), card["id"])
            for text in card.get("constituency", {}).get("prefixes", []):
                network = ipaddress.ip_network(text)
                if network.version == 4:
                    self.claim(self.prefixes, (network.prefixlen, int(network.network_address)), order)
            for asn in card.get("constituency", {}).get("asns", []):
                self.claim(self.asns, str(asn), order)
            for economy, scope, rank in economies_of(card):
                if scope == "all":
                    kind = KINDS.index(card["kind"]) if card["kind"] in KINDS else len(KINDS)
                    whole.setdefault(economy, []).append((kind, rank, card["id"]))
        self.economies = {economy: min(claims)[2] for economy, claims in whole.items()}
        self.lengths = sorted({length for length, _ in self.prefixes}, reverse=True)

    @staticmethod
    def claim(table, key, order):
        if key not in table or order < table[key]:
            table[key] = order

    def by_prefix(self, number):
        for length in self.lengths:
            found = self.prefixes.get((length, number >> 32 - length << 32 - length))
            if found:
                return found[1]
        return None

    def answers(self, number):
        """The team's id, or None."""
        found = self.by_prefix(number) or self.asns.get(self.geo.asn.find(number), (0, None))[1]
        return found or self.economies.get(self.geo.economy.find(number))

    def answers_text(self, address):
        return self.answers(int(ipaddress.ip_address(address)))
