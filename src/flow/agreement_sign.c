#include "flow/agreement_sign.h"

#include "base/time.h"
#include "flow/doc.h"
#include "fmt/jcs.h"

#include <sodium.h>
#include <stdio.h>

static const char domain[] = "comity-agreement-signature-v1\n";

/* ---- bytes ---- */

void
agreement_sign_key(const uint8_t seed[AGREEMENT_SIGN_SEED_BYTES], struct agreement_key *out)
{
    (void)crypto_sign_seed_keypair(out->public, out->secret, seed);
}

static int
whole(struct span line, struct span text, struct buf *out, struct err *err)
{
    *out = buf_new(DOC_FILE_BYTES_MAX + 4096);
    buf_add_span(out, line);
    buf_add_span(out, text);
    return buf_check(out, "what is to be signed", err);
}

int
agreement_sign_bytes(const struct agreement_key *key, struct span line, struct span text,
    uint8_t out[AGREEMENT_SIGNATURE_BYTES], struct err *err)
{
    struct buf message;
    int rc = whole(line, text, &message, err);

    if (rc == 0)
        (void)crypto_sign_detached(
            out, NULL, (const unsigned char *)message.p, message.n, key->secret);
    buf_free(&message);
    return rc;
}

bool
agreement_sign_is(const uint8_t key[AGREEMENT_KEY_BYTES], struct span line, struct span text,
    const uint8_t signature[AGREEMENT_SIGNATURE_BYTES])
{
    struct buf message;
    struct err err;
    bool good = whole(line, text, &message, &err) == 0
        && crypto_sign_verify_detached(signature, (const unsigned char *)message.p, message.n, key)
            == 0;

    buf_free(&message);
    return good;
}

void
agreement_sign_base64(const uint8_t *bytes, size_t n, char out[AGREEMENT_SIGN_BASE64_BYTES])
{
    (void)sodium_bin2base64(
        out, AGREEMENT_SIGN_BASE64_BYTES, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

void
agreement_sign_digest(struct span text, char out[AGREEMENT_SIGN_HEX])
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(digest, (const unsigned char *)text.p, text.n);
    (void)sodium_bin2hex(out, AGREEMENT_SIGN_HEX, digest, sizeof digest);
}

/* ---- one signature ---- */

/* The keys stand in JCS's order as they are written here. */
static void
add_statement(struct buf *out, const struct agreement *a, struct span party, struct span signed_at)
{
    buf_add_text(out, "{\"agreement\":");
    buf_add_span(out, a->text);
    buf_add_text(out, ",\"party\":");
    jcs_add_string(out, party);
    buf_add_text(out, ",\"signed_at\":");
    jcs_add_string(out, signed_at);
    buf_add_char(out, '}');
}

int
agreement_sign(struct arena *arena, const struct agreement *a, struct span party, int64_t at_us,
    const struct agreement_key *key, struct agreement_signature *out, struct err *err)
{
    struct buf statement = buf_new(DOC_FILE_BYTES_MAX + 2048);
    char text[TIME_TEXT_BYTES];
    size_t n = time_format(at_us, "Z", text);

    *out = (struct agreement_signature){.party = {arena_copy(arena, party.p, party.n), party.n},
        .signed_at = {arena_copy(arena, text, n), n},
        .signed_at_us = at_us,
        .mark = MARK_GOOD};
    memcpy(out->key, key->public, sizeof out->key);
    if (out->party.p == NULL || out->signed_at.p == NULL)
        return arena_full(err, "the signature");
    add_statement(&statement, a, party, out->signed_at);
    int rc = buf_check(&statement, "the agreement to be signed", err);
    if (rc == 0)
        rc = agreement_sign_bytes(key, SPAN(domain), buf_span(&statement), out->bytes, err);
    buf_free(&statement);
    return rc;
}

enum agreement_mark
agreement_sign_mark(const struct agreement *a, const struct agreement_signature *signature,
    const struct keyring *ring)
{
    struct buf statement = buf_new(DOC_FILE_BYTES_MAX + 2048);

    add_statement(&statement, a, signature->party, signature->signed_at);
    bool right = !statement.full
        && agreement_sign_is(signature->key, SPAN(domain), buf_span(&statement), signature->bytes);
    buf_free(&statement);
    if (!right)
        return MARK_WRONG;
    return keyring_knows(ring, signature->party, signature->key, signature->signed_at_us)
        ? MARK_GOOD
        : MARK_UNKNOWN;
}

/* ---- whole agreements ---- */

bool
agreement_sign_has(const struct agreement *a, struct span party)
{
    for (size_t i = 0; i < a->signature_count; i++)
        if (a->signatures[i].mark == MARK_GOOD && span_equal(a->signatures[i].party, party))
            return true;
    return false;
}

static bool
has_all(const struct agreement *a, struct span own)
{
    for (size_t i = 0; i < a->party_count; i++)
        if (!agreement_sign_has(a, a->parties[i]))
            return false;
    return a->party_count > 0 || (own.n > 0 && agreement_sign_has(a, own));
}

static int
check_one(struct arena *arena, struct agreement *a, const struct keyring *ring, struct span own,
    struct err *err)
{
    struct agreement_signature *marked =
        arena_zalloc(arena, a->signature_count + 1, sizeof *marked);
    struct doc doc = {.arena = arena, .file = a->file};

    if (marked == NULL)
        return arena_full(err, "the signatures");
    for (size_t i = 0; i < a->signature_count; i++) {
        marked[i] = a->signatures[i];
        marked[i].mark = (uint8_t)agreement_sign_mark(a, &marked[i], ring);
        if (marked[i].mark == MARK_WRONG)
            doc_fault(&doc, "signatures",
                "the signature of %.*s is wrong: it was not made over this text",
                SPAN_ARGS(marked[i].party));
    }
    a->signatures = marked;
    a->signed_by_all = has_all(a, own);
    if (doc.why.n > 0) {
        a->broken = true;
        a->why = doc.why;
    }
    return doc.full ? arena_full(err, "the signatures") : 0;
}

int
agreement_sign_check(struct arena *arena, struct agreement *agreements, size_t count,
    const struct keyring *ring, struct span own, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!agreements[i].broken)
            rc = check_one(arena, &agreements[i], ring, own, err);
    return rc;
}

static void
add_signature(struct buf *out, const struct agreement_signature *signature)
{
    char text[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(signature->key, sizeof signature->key, text);
    buf_format(out, "{\"key\":\"%s\",\"party\":", text);
    jcs_add_string(out, signature->party);
    agreement_sign_base64(signature->bytes, sizeof signature->bytes, text);
    buf_format(out, ",\"signature\":\"%s\",\"signed_at\":", text);
    jcs_add_string(out, signature->signed_at);
    buf_add_char(out, '}');
}

int
agreement_sign_document(const struct agreement *a, struct buf *out, struct err *err)
{
    struct buf loose = buf_new(DOC_FILE_BYTES_MAX);

    buf_add_text(&loose, "{\"signatures\":[");
    for (size_t i = 0; i < a->signature_count; i++) {
        if (i > 0)
            buf_add_char(&loose, ',');
        add_signature(&loose, &a->signatures[i]);
    }
    buf_add_text(&loose, "],");
    buf_add(&loose, a->text.p + 1, a->text.n - 1);
    int rc = buf_check(&loose, "the agreement", err);
    if (rc == 0)
        rc = jcs_add_text(out, buf_span(&loose), err);
    if (rc == 0)
        rc = buf_check(out, "the agreement", err);
    buf_free(&loose);
    return rc;
}
