#!/usr/bin/env python3
"""Signatures by another hand: Ed25519 written from RFC 8032 and a canonical form from RFC 8785, both ways.

A partner's program, which has only doc/agreement-language.md (section 11) and doc/team-card.md, signs what Comity counts, and
verifies what Comity signed.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import unittest

from case import COMITY, Case, team

P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover(y, sign):
    """The point of this y, in extended coordinates (RFC 8032, 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    assert (x * x - square) % P == 0, "no point"
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = recover(4 * pow(5, P - 2, P) % P, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    out = (0, 1, 1, 0)
    while n:
        out = add(out, p) if n & 1 else out
        p, n = add(p, p), n >> 1
    return out


def packed(p):
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def unpacked(b):
    n = int.from_bytes(b, "little")
    return recover(n & ((1 << 255) - 1), n >> 255)


def sha(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def halves(seed):
    h = hashlib.sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254, h[32:]


def public(seed):
    return packed(times(halves(seed)[0], BASE))


def sign(seed, message):
    a, prefix = halves(seed)
    r = sha(prefix, message) % ORDER
    begin = packed(times(r, BASE))
    return begin + ((r + sha(begin, public(seed), message) * a) % ORDER).to_bytes(32, "little")


def verify(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    right = add(unpacked(signature[:32]), times(sha(signature[:32], key, message), unpacked(key)))
    return s < ORDER and packed(times(s, BASE)) == packed(right)


def canonical(value):
    """RFC 8785, for documents whose keys are ASCII and whose numbers are whole."""
    if isinstance(value, float):
        assert value == int(value)
        return str(int(value))
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + canonical(value[k]) for k in sorted(value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def message(document, party, signed_at):
    text = {k: v for k, v in document.items() if k not in ("signatures", "suspended")}
    statement = {"agreement": text, "party": party, "signed_at": signed_at}
    return b"comity-agreement-signature-v1\n" + canonical(statement).encode()


SEED = bytes(range(32))
AT = "2026-01-01T00:00:00.5+02:00"
# Odd to read and right: order, spaces, escapes, a whole number with a point.
DOCUMENT = r"""{ "valid_from" : "2026-01-01", "title":"Pact \u00e9\ud83d\ude00 \"\/\\ \t<", "kind":"bilateral",
 "parties":["south.test","north.test"], "id":"urn:uuid:6f0a6f9e-0000-4000-8000-0000000000AB", "text_url":null,
 "clauses":[{"to":"party","from":"party","id":"1","classification":["*"],"tlp_max":"amber","effect":"release",
 "retention_days":180.0,"note":"\u20ac \n"}] }"""

CARD = r"""{"id":"south.test","name":"S\u00fcd \"\/\\ \t<","kind":"national","economies":["SE",{"scope":"research","economy":"FI"}],
 "constituency":{"asns":[64500],"domains":["south.test"]},"source":"own","verified":true,"x_b":[1.0,null,{}],"x_a":false,
 "version":"2026-01-01T00:00:00.5+02:00","node":{"url":"https://192.0.2.2"}}"""
OTHER = bytes(range(1, 33))
GOLDEN = ["e5c1c7377eb876f8841c413e7ae2a257874036e5953ddd9a3c90b26fa90129ab",
          "18c71ce98e6713eee2dd1e216e53128249ed7e251785f938bd553a4261c1a236",
          "jNF9JjOSjJG0Y7HDgTq9oGmlL/EJEsPYpzjIyVi5rV+os1pO+2CeeoxeQjQVd3NPJiHM5djZz21sl7fDmNaoAg==",
          "qYMUFCe5i8xsND46BHsVUgIyMNs36p+11iIf/ZW0lEZLf0swk+4Fk+EJ2l19tD8uYqKydQT4zM19f2hVB1qsAA=="]


def signed_part(card):
    return {k: v for k, v in card.items() if k not in ("signature", "vouches", "verified", "accepted")}


def card_message(card):
    return b"comity-card-signature-v1\n" + canonical(signed_part(card)).encode()


def vouch_message(vouch):
    return b"comity-card-vouch-v1\n" + canonical({k: v for k, v in vouch.items() if k != "signature"}).encode()


class Signed(Case):
    def at(self, home, *words, status=0):
        done = subprocess.run([COMITY, "agreement", *words, "--teams", "teams.json"], capture_output=True, text=True,
                              env=dict(os.environ, COMITY_HOME=str(self.folder / home)), check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stdout

    def setUp(self):
        super().setUp()
        self.write("teams.json", [team("north.test", "FI"), team("south.test", "SE")])

    def signed(self, document, party="south.test", at=AT):
        signature = sign(SEED, message(document, party, at))
        return {"party": party, "signed_at": at, "key": base64.b64encode(public(SEED)).decode(),
                "signature": base64.b64encode(signature).decode()}

    def test_the_rfcs_vector(self):
        seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        self.assertEqual(public(seed).hex(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        self.assertEqual(sign(seed, b"\x72").hex(),
                         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                         "387b2eaeb4302aeeb00d291612bb0c00")

    def test_both_ways(self):
        document = json.loads(DOCUMENT)
        entry = self.signed(document)
        self.write("pact.json", DOCUMENT.rstrip()[:-1] + ', "signatures":' + json.dumps([entry]) + "}")
        self.at("north", "key", "--as", "north.test")
        self.at("north", "key", "--trust", "south.test", entry["key"])
        self.assertIn("signed by all", self.at("north", "sign", "pact.json"))
        self.assertIn("in force", self.at("north", "list"))
        exported = self.at("north", "export", document["id"])
        whole = json.loads(exported)
        self.assertEqual(exported.strip(), canonical(whole))
        self.assertEqual({k: v for k, v in whole.items() if k != "signatures"}, document)
        self.assertEqual({s["party"] for s in whole["signatures"]}, {"north.test", "south.test"})
        for s in whole["signatures"]:
            self.assertTrue(verify(base64.b64decode(s["key"]), message(document, s["party"], s["signed_at"]),
                                   base64.b64decode(s["signature"])), s["party"])

    def test_what_was_signed_otherwise_is_refused(self):
        document = json.loads(DOCUMENT)
        self.at("north", "key", "--as", "north.test")
        for change in ({"signed_at": "2026-01-01T00:00:00Z"}, {"party": "north.test"},
                       {"signature": base64.b64encode(sign(SEED, canonical(document).encode())).decode()}):
            self.write("pact.json", dict(document, signatures=[dict(self.signed(document), **change)]))
            self.at("north", "sign", "pact.json", status=3)
        # The same point, S one order higher: RFC 8032, 5.1.7 asks for a whole number below the order.
        entry = self.signed(document)
        raw = base64.b64decode(entry["signature"])
        higher = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
        entry["signature"] = base64.b64encode(raw[:32] + higher).decode()
        self.write("pact.json", dict(document, signatures=[entry]))
        self.at("north", "sign", "pact.json", status=3)
        self.assertEqual(self.at("north", "list"), "")

    # ---- cards and vouches ----

    def team_at(self, home, *words, status=0):
        done = subprocess.run([COMITY, "team", *words, "--teams", "teams.json", "--home", home], capture_output=True, text=True,
                              check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stderr if status else done.stdout

    def test_cards_by_another_hand(self):
        self.write("card.json", self.made_card())
        self.assertIn("is accepted", self.team_at("north", "accept", "card.json"))
        self.assertIn("east.test", self.team_at("north", "show", "south.test"))
        kept = json.loads((self.folder / "north/cards/south.test.json").read_text(encoding="utf-8"))
        self.assertEqual(card_message(kept), card_message(self.made_card()))
        self.assertEqual([v["by"] for v in kept["vouches"]], ["east.test"])

    def test_golden_card(self):
        """To the byte: whoever changes what is signed makes every signature there is wrong."""
        card = self.made_card()
        self.assertEqual(hashlib.sha256(card_message(card)).hexdigest(), GOLDEN[0])
        self.assertEqual(hashlib.sha256(vouch_message(card["vouches"][0])).hexdigest(), GOLDEN[1])
        self.assertEqual([card["signature"]["signature"], card["vouches"][0]["signature"]], GOLDEN[2:])

    def made_card(self, **changes):
        card = json.loads(CARD) | {"keys": [{"type": "ed25519", "key": base64.b64encode(public(SEED)).decode()}]} | changes
        vouch = {"by": "east.test", "by_key": base64.b64encode(public(OTHER)).decode(), "team": "south.test",
                 "key": base64.b64encode(public(SEED)).decode(), "time": AT}
        vouch["signature"] = base64.b64encode(sign(OTHER, vouch_message(vouch))).decode()
        return card | {"signature": {"key": base64.b64encode(public(SEED)).decode(),
                                     "signature": base64.b64encode(sign(SEED, card_message(card))).decode()}, "vouches": [vouch]}

    def test_cards_that_were_signed_otherwise(self):
        plain = self.made_card()
        for line in (b"", b"comity-agreement-signature-v1\n", b"comity-card-signature-v1", b"comity-card-vouch-v1\n"):
            signature = sign(SEED, line + canonical(signed_part(plain)).encode())
            self.write("card.json", plain | {"signature": plain["signature"] | {"signature": base64.b64encode(signature).decode()}})
            self.assertIn("did not sign", self.team_at("north", "accept", "card.json", status=3))
        for change in ({"node": plain["node"] | {"url": "https://192.0.2.66"}}, {"version": "2026-01-02T00:00:00Z"}, {"x_1": 3}):
            self.write("card.json", plain | change)
            self.assertIn("did not sign", self.team_at("north", "accept", "card.json", status=3))
        # A vouch that is wrong does not make the card wrong, and counts for nothing.
        wrong = plain["vouches"][0] | {"time": "2026-02-01T00:00:00Z"}
        self.write("card.json", plain | {"vouches": [wrong]})
        self.team_at("north", "accept", "card.json")
        self.assertNotIn("vouched", self.team_at("north", "show", "south.test"))

    def test_comitys_cards(self):
        url = ("--url", "https://192.0.2.1:8444")
        first = json.loads(self.team_at("north", "publish", "--as", "north.test", *url))
        second = json.loads(self.team_at("north", "rekey"))
        for card in (first, second):
            self.assertTrue(verify(base64.b64decode(card["signature"]["key"]), card_message(card),
                                   base64.b64decode(card["signature"]["signature"])))
            self.assertIn({"type": "ed25519", "key": card["signature"]["key"]}, card["keys"])
        self.assertTrue(verify(base64.b64decode(first["signature"]["key"]), card_message(second),
                               base64.b64decode(second["signature"]["previous"])))
        self.write("north.json", second)
        south = json.loads(self.team_at("south", "publish", "--as", "south.test", *url))
        self.team_at("south", "vouch", "north.json", "-o", "vouched.json")
        vouched = json.loads((self.folder / "vouched.json").read_text(encoding="utf-8"))
        self.assertEqual((self.folder / "vouched.json").read_text(encoding="utf-8"), canonical(vouched) + "\n")
        [vouch] = vouched["vouches"]
        self.assertEqual([vouch["by"], vouch["by_key"], vouch["team"], vouch["key"]],
                         ["south.test", south["signature"]["key"], "north.test", second["signature"]["key"]])
        self.assertTrue(verify(base64.b64decode(vouch["by_key"]), vouch_message(vouch), base64.b64decode(vouch["signature"])))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
