#include "base/base64.h"
#include "base/merkle.h"
#include "fmt/note.h"

#include <sodium.h>

enum { ID_DIGITS = 8 };

/* The characters that Unicode calls White_Space, in UTF-8; those of ASCII aside. */
static size_t
wide_space(struct span s)
{
    static const char *const spaces[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
        "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
        "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (span_starts(s, span_of(spaces[i])))
            return strlen(spaces[i]);
    return 0;
}

bool
note_name_is(struct span name)
{
    if (name.n == 0 || name.n > NOTE_NAME_MAX || !span_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        struct span rest = {name.p + i, name.n - i};
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '+' || name.p[i] == 0x7f
            || wide_space(rest) > 0)
            return false;
    }
    return true;
}

static uint32_t
id_of(struct span name, uint8_t algorithm, const uint8_t *public)
{
    const struct span parts[] = {
        name, {"\n", 1}, {(const char *)&algorithm, 1}, {(const char *)public, NOTE_KEY_BYTES}};
    struct merkle_hash digest;

    merkle_digest(parts, sizeof parts / sizeof parts[0], &digest);
    return (uint32_t)digest.bytes[0] << 24 | (uint32_t)digest.bytes[1] << 16
        | (uint32_t)digest.bytes[2] << 8 | digest.bytes[3];
}

int
note_key_make(struct span name, enum note_algorithm algorithm, const uint8_t public[NOTE_KEY_BYTES],
    struct note_key *out, struct err *err)
{
    if (!note_name_is(name))
        return err_set(err, ERR_BAD_NAME,
            "\"%.*s\" names no key: 1 to %d bytes of UTF-8 without spaces or plus signs",
            SPAN_ARGS(name), NOTE_NAME_MAX);
    *out = (struct note_key){.name = name, .algorithm = (uint8_t)algorithm};
    memcpy(out->public, public, NOTE_KEY_BYTES);
    out->id = id_of(name, out->algorithm, public);
    return 0;
}

static bool
parse_id(struct span text, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
            : c >= 'a' && c <= 'f'            ? (unsigned)(c - 'a') + 10
                                              : 16;
        if (digit > 15)
            return false;
        *out = *out << 4 | digit;
    }
    return text.n == ID_DIGITS;
}

int
note_key_parse(struct span vkey, struct note_key *out, struct err *err)
{
    struct span rest = vkey;
    struct span name;
    struct span id_text;
    uint8_t bytes[1 + NOTE_KEY_BYTES];
    uint32_t id;

    if (!span_next(&rest, '+', &name) || !span_next(&rest, '+', &id_text) || !parse_id(id_text, &id)
        || rest.n == 0)
        return err_set(err, ERR_BAD_VALUE,
            "\"%.*s\" is no verifier key: NAME+8 hexadecimal digits+base64", SPAN_ARGS(vkey));
    if (!base64_exact(rest, bytes, sizeof bytes)
        || (bytes[0] != NOTE_ED25519 && bytes[0] != NOTE_COSIGNATURE))
        return err_set(err, ERR_BAD_VALUE,
            "the verifier key of %.*s is not of Ed25519: base64 of 33 bytes, the first of them 1 "
            "(notes) or 4 (cosignatures)",
            SPAN_ARGS(name));
    int rc = note_key_make(name, bytes[0], bytes + 1, out, err);
    if (rc != 0)
        return rc;
    if (out->id != id)
        return err_set(err, ERR_BAD_VALUE,
            "the verifier key of %.*s is damaged: its id is %08x by what it says, and %08x by what "
            "it is",
            SPAN_ARGS(name), id, out->id);
    return 0;
}

void
note_key_add(struct buf *out, const struct note_key *key)
{
    uint8_t bytes[1 + NOTE_KEY_BYTES];

    bytes[0] = key->algorithm;
    memcpy(bytes + 1, key->public, NOTE_KEY_BYTES);
    buf_add_span(out, key->name);
    buf_format(out, "+%08x+", key->id);
    base64_add(out, bytes, sizeof bytes);
}

int
note_signer_make(struct span name, enum note_algorithm algorithm,
    const uint8_t seed[NOTE_SEED_BYTES], struct note_signer *out, struct err *err)
{
    uint8_t public[NOTE_KEY_BYTES];

    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, "libsodium does not start");
    (void)crypto_sign_seed_keypair(public, out->secret, seed);
    return note_key_make(name, algorithm, public, &out->key, err);
}

int
note_signer_derive(struct span name, enum note_use use, const uint8_t seed[NOTE_SEED_BYTES],
    struct note_signer *out, struct err *err)
{
    uint8_t own[NOTE_SEED_BYTES];

    (void)crypto_kdf_derive_from_key(own, sizeof own, use, "comitynt", seed);
    int rc = note_signer_make(
        name, use == NOTE_USE_WITNESS ? NOTE_COSIGNATURE : NOTE_ED25519, own, out, err);
    sodium_memzero(own, sizeof own);
    return rc;
}
