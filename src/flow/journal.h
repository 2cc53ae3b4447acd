/* journal.h: what happened to the agreements, and is that all still there?
 *
 * A text of JSON lines that only grows. Each line is one event, signed by the team whose journal it
 * is and bound to the line before by its SHA-256, so that a line that was changed, taken out or put
 * in is found. A line stands alone, too: other teams take it into their own journals, whole, in
 * lines of theirs. doc/agreement-language.md, section 11, has the form. No I/O, no clock.
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
    JOURNAL_REFUSED,
    JOURNAL_TYPE_COUNT
};
extern const char *const journal_words[JOURNAL_TYPE_COUNT];

enum { JOURNAL_REASON_MAX = 1000, JOURNAL_EVENTS_MAX = 1000000 };

struct journal_event {
    uint8_t type;                     /* enum journal_type */
    struct span agreement;            /* its id */
    struct span digest;               /* SHA-256 of its text, hexadecimal */
    struct span by;                   /* the team whose journal it is */
    struct span party;                /* whose signature, proposal or event was taken in; n 0: BY's
                                         own doing */
    struct span reason;               /* n 0: none */
    int64_t time_us;                  /* when it was written */
    int64_t at_us;                    /* from when on it holds; not before time_us */
    int64_t said_us;                  /* `at` in the line of the team that did it; at_us of BY's */
    struct span told;                 /* that line, where PARTY's was taken in; n 0: none */
    int64_t told_us;                  /* its time */
    struct span previous;             /* hash of the line before */
    struct span text;                 /* the line itself */
    const struct journal_event *next; /* of the same agreement; set by flow/registry.c */
};

/* The team that did it. */
static inline struct span
journal_doer(const struct journal_event *event)
{
    return event->party.n > 0 ? event->party : event->by;
}

struct journal {
    struct journal_event *events;
    size_t count;
    char head[AGREEMENT_SIGN_HEX]; /* hash of the last line; of none: zeros */
    int64_t last_us;               /* time of the last event; INT64_MIN: none */
};

/* Read TEXT, called NAME, from which OUT borrows; all else of OUT is in ARENA. Errors:
 * ERR_BAD_AGREEMENT with the line of the first that is malformed, wrongly signed, signed by a key
 * that RING does not know to be the team's, out of time's order, or not bound to the one before;
 * ERR_LIMIT; ERR_NO_MEMORY. */
MUST_USE int journal_read(struct arena *arena, struct span text, const char *name,
    const struct keyring *ring, struct journal *out, struct err *err);
/* Would LINE (without its newline) be read behind BEFORE? ERR_USAGE says why not; ERR_LIMIT;
 * ERR_NO_MEMORY. */
MUST_USE int journal_check_line(struct arena *arena, struct span line, const struct keyring *ring,
    const struct journal *before, struct err *err);

/* A line of another team's journal, by itself: suspended, resumed, ended or refused, that team's
 * own doing, rightly signed by KEY. Whether that is a key of that team's is not asked here. */
struct journal_told {
    struct journal_event event; /* as it stands there; `text` in the form of RFC 8785 */
    uint8_t key[AGREEMENT_KEY_BYTES];
};
/* All of OUT is in ARENA. ERR_BAD_AGREEMENT: VALUE is no such line, and why; ERR_LIMIT. */
MUST_USE int journal_told_read(
    struct arena *arena, struct json_value value, struct journal_told *out, struct err *err);
/* From when on EVENT of another team holds here, where it came at CAME_US: what was to hold at once
 * from then on, what names a later instant from that on. */
int64_t journal_told_at(const struct journal_event *event, int64_t came_us);

/* The hash behind the first COUNT lines, at most journal->count. */
struct span journal_head(const struct journal *journal, size_t count);

/* The line, with its newline, that adds EVENT behind HEAD. ERR_LIMIT. */
MUST_USE int journal_line(struct span head, const struct journal_event *event,
    const struct agreement_key *key, struct buf *out, struct err *err);

#endif
