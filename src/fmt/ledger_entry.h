/* ledger_entry.h: which bytes record this delivery, event or decision in the ledger?
 *
 * One entry is canonical JSON (RFC 8785), and there is one way to write each: doc/ledger-format.md
 * has it to the byte. It names teams, agreements and counts, and commits to contents by a root;
 * nothing in it discloses them. Pure: no I/O, no clock.
 */
#ifndef COMITY_FMT_LEDGER_ENTRY_H
#define COMITY_FMT_LEDGER_ENTRY_H

#include "base/merkle.h"
#include "fmt/json.h"
#include "model/words.h"

enum {
    LEDGER_ENTRY_VERSION = 1,
    LEDGER_ENTRY_MAX = 65535,    /* bytes: what an entry bundle can hold */
    LEDGER_ENTRY_CLAUSES = 128,  /* a batch under more of them is several entries */
    LEDGER_ENTRY_TEXT_MAX = 255, /* bytes of an id */
    LEDGER_DIGEST_BYTES = 32,
};
#define LEDGER_COUNT_MAX (((uint64_t)1 << 53) - 1) /* beyond, JSON's readers differ */

enum ledger_kind {
    LEDGER_KIND_UNKNOWN, /* an entry of a version that is not read yet */
#define LEDGER_KIND(name, word, text) LEDGER_KIND_##name,
#include "tables/ledger.def"
#undef LEDGER_KIND
    LEDGER_KIND_COUNT
};
enum ledger_event {
#define LEDGER_EVENT(name, word) LEDGER_EVENT_##name,
#include "tables/ledger.def"
#undef LEDGER_EVENT
    LEDGER_EVENT_COUNT
};
enum ledger_decision {
#define LEDGER_DECISION(name, word) LEDGER_DECISION_##name,
#include "tables/ledger.def"
#undef LEDGER_DECISION
    LEDGER_DECISION_COUNT
};

/* What one clause did in a batch. */
struct ledger_clause {
    struct span agreement;
    struct span clause;
    uint64_t effects[EFFECT_COUNT];       /* reports */
    uint64_t treatments[TREATMENT_COUNT]; /* released reports with a field so treated */
};

struct ledger_entry {
    uint64_t version;
    uint8_t kind; /* enum ledger_kind */
    int64_t time_us;
    /* deliveries and decisions */
    struct span id; /* of the batch, urn:uuid:... */
    struct span from;
    struct span to;
    const struct ledger_clause *clauses;
    size_t clause_count;
    uint64_t items;
    struct merkle_hash items_root; /* fmt/items.h */
    uint8_t decision;              /* enum ledger_decision */
    /* agreements */
    struct span agreement;
    struct span by;                        /* the team that did it */
    uint8_t event;                         /* enum ledger_event */
    int64_t since_us;                      /* from when on it holds */
    uint8_t document[LEDGER_DIGEST_BYTES]; /* SHA-256 of the agreement's text */
};

const char *ledger_kind_word(enum ledger_kind kind);
const char *ledger_event_word(enum ledger_event event);
const char *ledger_decision_word(enum ledger_decision decision);

/* Append E's bytes. ERR_BAD_ENTRY: a text is empty, too long or no UTF-8, or a count too large;
 * ERR_LIMIT: more than LEDGER_ENTRY_MAX bytes. */
MUST_USE int ledger_entry_write(struct buf *out, const struct ledger_entry *e, struct err *err);
/* Texts and clauses of OUT live in ARENA. Only what ledger_entry_write writes is read. An entry of
 * a later version has only version and kind. ERR_BAD_ENTRY, ERR_LIMIT (the arena). */
MUST_USE int ledger_entry_read(struct arena *arena, struct json *json, struct span bytes,
    struct ledger_entry *out, struct err *err);

#endif
