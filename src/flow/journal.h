/* journal.h: what happened to the agreements, and is that all still there?
 *
 * A text of JSON lines that only grows. Each line is one event, signed by the team that did it and
 * bound to the line before by its SHA-256, so that a line that was changed, taken out or put in is
 * found. doc/agreement-language.md, section 11, has the form. No I/O, no clock.
 */
#ifndef COMITY_FLOW_JOURNAL_H
#define COMITY_FLOW_JOURNAL_H

#include "flow/agreement_sign.h"

enum journal_type {
    JOURNAL_PROPOSED,
    JOURNAL_SIGNED,
    JOURNAL_SUSPENDED,
    JOURNAL_RESUMED,
    JOURNAL_ENDED,
    JOURNAL_TYPE_COUNT
};
extern const char *const journal_words[JOURNAL_TYPE_COUNT];

enum { JOURNAL_REASON_MAX = 1000, JOURNAL_EVENTS_MAX = 1000000 };

struct journal_event {
    uint8_t type;                     /* enum journal_type */
    struct span agreement;            /* its id */
    struct span digest;               /* SHA-256 of its text, hexadecimal */
    struct span by;                   /* the team that did it */
    struct span party;                /* JOURNAL_SIGNED: whose signature; n 0 for others */
    struct span reason;               /* n 0: none */
    int64_t time_us;                  /* when it was done */
    int64_t at_us;                    /* from when on it holds; not before time_us */
    struct span previous;             /* hash of the line before */
    const struct journal_event *next; /* of the same agreement; set by flow/registry.c */
};

struct journal {
    struct journal_event *events;
    size_t count;
    char head[AGREEMENT_SIGN_HEX]; /* hash of the last line; of none: zeros */
    int64_t last_us;               /* time of the last event; INT64_MIN: none */
};

/* Read TEXT, called NAME. All of OUT is in ARENA. Errors: ERR_BAD_AGREEMENT with the line of the
 * first that is malformed, wrongly signed, signed by a key that RING does not know to be the
 * team's, out of time's order, or not bound to the one before; ERR_LIMIT; ERR_NO_MEMORY. */
MUST_USE int journal_read(struct arena *arena, struct span text, const char *name,
    const struct keyring *ring, struct journal *out, struct err *err);
/* Would LINE (without its newline) be read behind BEFORE? ERR_USAGE says why not; ERR_LIMIT;
 * ERR_NO_MEMORY. */
MUST_USE int journal_check_line(struct arena *arena, struct span line, const struct keyring *ring,
    const struct journal *before, struct err *err);
/* The hash behind the first COUNT lines, at most journal->count. */
struct span journal_head(const struct journal *journal, size_t count);

/* The line, with its newline, that adds EVENT behind HEAD. ERR_LIMIT. */
MUST_USE int journal_line(struct span head, const struct journal_event *event,
    const struct agreement_key *key, struct buf *out, struct err *err);

#endif
