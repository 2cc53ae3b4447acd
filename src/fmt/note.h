/* note.h: who signed this text?
 *
 * C2SP signed-note: a text, an empty line, and lines of signatures; keys as vkeys. Two kinds of
 * signature are made and checked: Ed25519 over the text, and Ed25519 cosignatures of checkpoints
 * with their time (C2SP tlog-cosignature, "cosignature/v1"). Those of other kinds are passed over.
 * Pure: no I/O, no clock.
 */
#ifndef COMITY_FMT_NOTE_H
#define COMITY_FMT_NOTE_H

#include "base/err.h"
#include "base/str.h"

enum {
    NOTE_BYTES_MAX = 1000000,
    NOTE_LINES_MAX = 100,
    NOTE_NAME_MAX = 255,
    NOTE_KEY_BYTES = 32,
    NOTE_SEED_BYTES = 32,
    NOTE_SECRET_BYTES = 64,
};

enum note_algorithm {
    NOTE_ED25519 = 1,
    NOTE_COSIGNATURE = 4, /* Ed25519 with a time, only over checkpoints */
};

/* A public key under the name it goes by. */
struct note_key {
    struct span name; /* borrowed */
    uint32_t id;
    uint8_t algorithm; /* enum note_algorithm */
    uint8_t public[NOTE_KEY_BYTES];
};
struct note_signer {
    struct note_key key;
    uint8_t secret[NOTE_SECRET_BYTES]; /* to be wiped by whoever holds it */
};

/* One line of signature, not checked. */
struct note_line {
    struct span name;
    uint32_t id;
    struct span signature; /* base64 of id and signature */
    struct span whole;     /* with its newline */
};
struct note {
    struct span text; /* what is signed, with its last newline */
    struct note_line lines[NOTE_LINES_MAX];
    size_t count;
};

/* At least one byte, no Unicode space, no plus, valid UTF-8, at most NOTE_NAME_MAX bytes? */
bool note_name_is(struct span name);

/* ERR_BAD_NAME. NAME is borrowed. */
MUST_USE int note_key_make(struct span name, enum note_algorithm algorithm,
    const uint8_t public[NOTE_KEY_BYTES], struct note_key *out, struct err *err);
/* A vkey: NAME+ID+BASE64; the name is borrowed from it. ERR_BAD_VALUE says what is wrong. */
MUST_USE int note_key_parse(struct span vkey, struct note_key *out, struct err *err);
void note_key_add(struct buf *out, const struct note_key *key);
/* The keys that come from the SEED, which is all that needs to be kept. ERR_BAD_NAME. */
MUST_USE int note_signer_make(struct span name, enum note_algorithm algorithm,
    const uint8_t seed[NOTE_SEED_BYTES], struct note_signer *out, struct err *err);

/* A node keeps one seed; each use has a key of its own, for one key signs in one form only. */
enum note_use {
    NOTE_USE_LOG = 1, /* checkpoints */
    NOTE_USE_WITNESS, /* cosignatures */
    NOTE_USE_RECEIPT,
};
/* The key for USE that follows from the node's SEED (doc/ledger-format.md, "Keys"). ERR_BAD_NAME.
 */
MUST_USE int note_signer_derive(struct span name, enum note_use use,
    const uint8_t seed[NOTE_SEED_BYTES], struct note_signer *out, struct err *err);

/* Take a note apart; everything is borrowed from BYTES. ERR_BAD_NOTE says what is wrong; ERR_LIMIT
 * beyond NOTE_BYTES_MAX or NOTE_LINES_MAX. */
MUST_USE int note_read(struct span bytes, struct note *out, struct err *err);

enum note_found {
    NOTE_ABSENT, /* the key did not sign */
    NOTE_GOOD,
    NOTE_WRONG, /* a line in the key's name is not its signature: do not rely on the note */
};
/* Did KEY sign? *TIME_S: a cosignature's time, 0 for other kinds; may be NULL. */
enum note_found note_check(const struct note *note, const struct note_key *key, uint64_t *time_s);
/* Is this one line KEY's? */
enum note_found note_check_line(
    struct span text, const struct note_line *line, const struct note_key *key, uint64_t *time_s);

/* Append the text and the empty line; signatures follow. ERR_BAD_NOTE: TEXT does not end in a
 * newline, or holds control characters. */
MUST_USE int note_begin(struct buf *out, struct span text, struct err *err);
/* Append SIGNER's line over TEXT; TIME_S only counts for cosignatures, and is not 0 there. Errors:
 * ERR_LIMIT, ERR_BAD_TIME. */
MUST_USE int note_sign(struct buf *out, struct span text, const struct note_signer *signer,
    uint64_t time_s, struct err *err);
/* Both: a note with SIGNER's line alone. */
MUST_USE int note_make(
    struct buf *out, struct span text, const struct note_signer *signer, struct err *err);

#endif
