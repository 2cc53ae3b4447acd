"""Pseudonyms once more, slow and plain: keys, names' digests, addresses.

Written from section 9 of doc/agreement-language.md, FIPS 197 (AES) and draft-denis-ipcrypt, never from the C.
`python3 pseudonyms.py` checks all of it against published vectors.
"""
import functools
import hashlib
import hmac
import ipaddress


def xtime(a):
    a <<= 1
    return a ^ 0x11B if a & 0x100 else a


def times(a, b):
    """The product in AES' field."""
    out = 0
    while b:
        if b & 1:
            out ^= a
        a, b = xtime(a), b >> 1
    return out


def rotate(byte, n):
    return (byte << n | byte >> (8 - n)) & 0xFF


def sbox_entry(a):
    b = next((x for x in range(256) if times(a, x) == 1), 0)
    return b ^ rotate(b, 1) ^ rotate(b, 2) ^ rotate(b, 3) ^ rotate(b, 4) ^ 0x63


SBOX = [sbox_entry(a) for a in range(256)]
DOUBLE = [xtime(a) for a in range(256)]


@functools.lru_cache(maxsize=4096)
def aes_keys(key):
    """AES-128's eleven round keys."""
    words, constant = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = list(words[i - 1])
        if i % 4 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = xtime(constant)
        words.append([a ^ b for a, b in zip(word, words[i - 4])])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def aes(key, block):
    keys = aes_keys(key)
    s = [a ^ b for a, b in zip(block, keys[0])]
    for n in range(1, 11):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if n < 10:
            mixed = []
            for c in range(0, 16, 4):
                column, whole = s[c:c + 4], s[c] ^ s[c + 1] ^ s[c + 2] ^ s[c + 3]
                mixed += [column[i] ^ whole ^ DOUBLE[column[i] ^ column[(i + 1) % 4]] for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, keys[n])]
    return bytes(s)


@functools.lru_cache(maxsize=1 << 20)
def prefix_bit(key, prefix, length):
    """The bit that hides the one behind these LENGTH bits: of both blocks' sum the last."""
    block = (1 << length | prefix).to_bytes(16, "big")
    return (aes(key[:16], block)[15] ^ aes(key[16:], block)[15]) & 1


def encrypt_address(key, address):
    """ipcrypt-pfx; an IPv4 address is one mapped into IPv6 of which 96 bits stay."""
    four = address.version == 4
    plain = int(address) | (0xFFFF << 32 if four else 0)
    out, begin = (plain >> 32, 96) if four else (0, 0)
    for length in range(begin, 128):
        bit = plain >> (127 - length) & 1
        out = out << 1 | (bit ^ prefix_bit(key, plain >> (128 - length), length))
    return ipaddress.IPv4Address(out & 0xFFFFFFFF) if four else ipaddress.IPv6Address(out)


def encrypt_network(key, network):
    """As an address, the bits behind the length cleared."""
    hidden = encrypt_address(key, network.network_address)
    return ipaddress.ip_network((hidden, network.prefixlen), strict=False)


def kdf(key, number, context):
    """libsodium's crypto_kdf_derive_from_key to 32 bytes."""
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=number.to_bytes(8, "little"),
                           person=context).digest()


@functools.lru_cache(maxsize=4096)
def keys_of(secret, agreement, recipient):
    """(the address key, the other one)."""
    h = hashlib.sha256(agreement.encode() + b"\0" + recipient.encode()).digest()
    key = secret
    for i in range(0, 32, 8):
        key = kdf(key, int.from_bytes(h[i:i + 8], "little"), b"comityag")
    return kdf(key, 1, b"comitypf"), kdf(key, 2, b"comityhm")


def digest(key, field_class, value):
    return hmac.new(key, field_class.encode() + b"\0" + value.encode(), hashlib.sha256).hexdigest()[:32]


def check():
    aes_key = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes(aes_key, block).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a", "AES-128, FIPS 197 C.1"
    for key, plain, hidden in [
            ("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301", "0.0.0.0", "151.82.155.134"),
            ("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301", "255.255.255.255", "94.185.169.89"),
            ("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301", "192.0.2.1", "100.115.72.131"),
            ("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301", "2001:db8::1",
             "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"),
            ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "10.0.0.47", "19.214.210.244"),
            ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "172.16.5.193", "210.78.229.136"),
            ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "2001:db8::a5c9:4e2f:bb91:5a7d",
             "7cec:702c:1243:f70:1956:125:b9bd:1aba")]:
        got = str(encrypt_address(bytes.fromhex(key), ipaddress.ip_address(plain)))
        assert got == hidden, f"ipcrypt-pfx of {plain}: {got}, not {hidden}"


if __name__ == "__main__":
    check()
    print("pseudonyms: as FIPS 197 and draft-denis-ipcrypt have them")
