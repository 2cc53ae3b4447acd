"""What does one node show of itself to those who may look: its reports, collections, log, counts and receipts?

Everything comes through its doors: the local socket, TAXII at the operators' door, the log that is open to everybody.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import http.client
import json
import ssl
import urllib.parse

import ledgers
from node import Local

PASSWORD = "the-password-of-the-lab"
TAXII = "application/taxii+json;version=2.1"
PATIENCE = 120
PAGE = 10000
SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")


class Broken(Exception):
    """A node showed what cannot be so."""


def anybody():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def id_of(stix):
    """A report's id as the API says it: STIX has no version 8."""
    ident = stix.split("--", 1)[1]
    return ident[:14] + "8" + ident[15:]


def signed_by(key, text, signature):
    return SODIUM.crypto_sign_verify_detached(signature, text, ctypes.c_ulonglong(len(text)), key) == 0


class Doors:
    """The two connections that are asked."""

    def __init__(self, node, ports):
        self.node = node
        self.local = Local(node.home, PATIENCE)
        self.people = http.client.HTTPSConnection(node.host, ports["operators"], timeout=PATIENCE, context=anybody())
        self.token = None

    def close(self):
        self.local.close()
        self.people.close()

    def local_get(self, path):
        self.local.request("GET", path)
        answer = self.local.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Broken(f"{self.node.team}: {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def all_of(self, path):
        """A list of the local door, page by page."""
        found, following = [], ""
        while following is not None:
            page = self.local_get(path + ("&" if "?" in path else "?") + "limit=1000" + following)
            found += page["items"]
            following = None if page["next"] is None else "&next=" + urllib.parse.quote(page["next"], safe="")
        return found

    def fields_of(self, ident):
        """A report's; None: it is not stored."""
        try:
            return self.local_get("/api/v1/reports/" + ident)["fields"]
        except Broken as why:
            if ": 404 " in str(why):
                return None
            raise

    def sign_in(self):
        body = json.dumps({"password": PASSWORD})
        self.local.request("PUT", "/api/v1/principals/operator/password", body, {"Content-Type": "application/json"})
        self.local.getresponse().read()
        basic = "Basic " + base64.b64encode(f"operator:{PASSWORD}".encode()).decode()
        self.people.request("POST", "/api/v1/tokens", json.dumps({"label": "lab"}), {"Content-Type": "application/json", "Authorization": basic})
        answer = self.people.getresponse()
        told = json.loads(answer.read())
        if answer.status != 201:
            raise Broken(f"{self.node.team}: no token: {told}")
        self.token = told["token"]

    def get(self, path, kind=TAXII):
        headers = {"Accept": kind, **({"Authorization": "Bearer " + self.token} if self.token else {})}
        self.people.request("GET", path, headers=headers)
        answer = self.people.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Broken(f"{self.node.team}: {path}: {answer.status} {text[:300]!r}")
        return text

    def objects(self, collection):
        found, query = [], {"limit": PAGE}
        while True:
            page = json.loads(self.get(f"/comity/collections/{collection}/objects/?" + urllib.parse.urlencode(query)))
            found += page.get("objects", [])
            if not page.get("more"):
                return found
            query["next"] = page["next"]


# ---- the log, recomputed from what it serves ----

def opened(text, verifier):
    """What a signed note says, line by line, if the key that VERIFIER names signed it."""
    name, _, key = verifier.split("+", 2)
    key = base64.b64decode(key)
    body, _, signatures = text.partition("\n\n")
    want = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    for line in signatures.splitlines():
        signature = base64.b64decode(line.rsplit(" ", 1)[1])
        if line.startswith(f"\u2014 {name} ") and signature[:4] == want and signed_by(key[1:], (body + "\n").encode(), signature[4:]):
            return body.split("\n")
    raise Broken(f"not signed by {name}")


def checkpoint_of(text, verifier):
    """(size, root) that the log's own key signed."""
    origin, size, root = opened(text, verifier)[:3]
    if origin != verifier.split("+")[0]:
        raise Broken(f"the checkpoint is another log's: {origin}")
    return int(size), base64.b64decode(root)


def read_log(doors, verifier):
    """The log's entries, once their root is the checkpoint's. An empty log has no checkpoint yet."""
    try:
        text = doors.get("/log/checkpoint", "*/*").decode()
    except Broken as why:
        if ": 404 " in str(why):
            return []
        raise
    size, root = checkpoint_of(text, verifier)
    entries = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        bundle = doors.get("/log/tile/entries/" + ledgers.number(n) + ("" if width == 256 else f".p/{width}"), "*/*")
        at = 0
        while at < len(bundle):
            length = int.from_bytes(bundle[at:at + 2], "big")
            entries.append(bundle[at + 2:at + 2 + length])
            at += 2 + length
    if len(entries) != size or ledgers.Tree(entries).mth(0, size) != root:
        raise Broken("the entries that the log serves do not make its checkpoint's root")
    return [json.loads(e) for e in entries]


class Evidence:
    """All that one node shows. MINE tells of a report's time whether it was handed in at this node."""

    def __init__(self, node, ports, verifier, mine):
        doors = Doors(node, ports)
        try:
            doors.sign_in()
            self.reports = doors.all_of("/api/v1/reports")
            self.strays = [doors.local_get("/api/v1/reports/" + one["id"]) for one in self.reports
                           if not mine(one["time"]) and not any(o["team"] == node.team and o["effect"] == "release" for o in one["outcomes"])]
            self.held = doors.all_of("/api/v1/held?state=waiting") + doors.all_of("/api/v1/held?state=released") \
                + doors.all_of("/api/v1/held?state=refused")
            self.receipts = {one["batch"]: one for one in doors.all_of("/api/v1/receipts")}
            self.statistics = doors.local_get("/api/v1/statistics")
            self.collections = {}
            for one in json.loads(doors.get("/comity/collections/"))["collections"]:
                self.collections[one.get("alias") or one["title"]] = doors.objects(one["id"])
            own = {one["id"] for one in self.reports if mine(one["time"])}
            passed_on = {id_of(o["id"]) for title, objects in self.collections.items() for o in objects
                         if title.startswith("Released to ") and title != "Released to " + node.team and o["type"] in ("observed-data", "note")} - own
            self.fields = {ident: doors.fields_of(ident) for ident in passed_on}
            self.log = None
            try:
                self.log = read_log(doors, verifier)
            except Broken as why:
                self.log_broken = str(why)
        finally:
            doors.close()
