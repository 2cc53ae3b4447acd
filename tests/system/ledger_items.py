"""The root over a delivery's items, as doc/ledger-format.md has it: computed from what its recipient got, and its salt."""
import hashlib
import hmac
import json


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root_of(leaves):
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def items_root(salt, items):
    leaves = []
    for i, item in enumerate(items):
        own = hmac.digest(salt, b"comity-item-salt-v1\n" + i.to_bytes(8, "big"), "sha256")
        leaves.append(hashlib.sha256(b"\x00" + hashlib.sha256(own + canonical(item)).digest()).digest())
    return root_of(leaves)
