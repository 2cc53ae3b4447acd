/* remedy.h: which one change would let go what is blocked?
 *
 * Pure. For each kind of blocked reports the changes are gathered that come to mind: what the
 * closest clauses lack (flow/nearmiss.h), the clause that holds, the channel that is not known.
 * Each is then tried: agreements and cards with that one change are judged by the same verdicts,
 * over all that is blocked, so that what a change is said to free it does free.
 */
#ifndef COMITY_FLOW_REMEDY_H
#define COMITY_FLOW_REMEDY_H

#include "flow/blocked.h"

enum { REMEDY_MAX = 16384, REMEDY_NEAR = 8 };

enum remedy_kind {
    REMEDY_TLP,            /* a clause could cover a stricter label */
    REMEDY_CLASSIFICATION, /* ... another classification */
    REMEDY_PROVIDER,       /* ... another provider */
    REMEDY_FROM,           /* ... the sender */
    REMEDY_TO,             /* ... the recipient */
    REMEDY_RESUME,         /* the agreement is suspended */
    REMEDY_DATES,          /* it is not in force any more, or not yet */
    REMEDY_AGREE,          /* no clause is one condition away */
    REMEDY_EFFECT,         /* a clause holds or withholds */
    REMEDY_CEILING,        /* a law or a provider's conditions do */
    REMEDY_ENCRYPTED,      /* the recipient's card has no encrypted channel */
    REMEDY_RECEIPT,        /* ... none that gives receipts */
    REMEDY_PERSON,         /* RED: a person, under a bilateral clause */
    REMEDY_LABEL,          /* the reports: no label of TLP 2.0 */
    REMEDY_CLASSIFY,       /* ... no classification of the taxonomy */
    REMEDY_NAME,           /* ... no provider named */
    REMEDY_MEND,           /* a broken agreement */
    REMEDY_OTHER,
    REMEDY_KIND_COUNT
};

struct remedy {
    uint8_t kind;
    uint8_t tlp;            /* TLP, AGREE: up to which label */
    uint8_t classification; /* CLASSIFICATION */
    uint8_t reason;         /* OTHER */
    uint32_t agreement;     /* position in the agreements; UINT32_MAX: none */
    uint32_t clause;        /* position in the agreement */
    uint32_t recipient;     /* TO, AGREE, ENCRYPTED, RECEIPT: team_id.index */
    struct span provider;   /* PROVIDER */
    uint64_t withheld;      /* blocked for want of just this, each outcome counted once in all */
    uint64_t held;
    uint64_t *recipients; /* bit r: team_id.index r is among those */
    uint64_t frees;       /* outcomes that this change alone would release */
    uint32_t freed_recipients;
    bool tried; /* frees is known */
};

struct remedy_question {
    const struct agreement_set *agreements; /* whole */
    const struct policy_team *teams;
    size_t team_count;
    struct team_id origin;
    int64_t at_us;
};

struct remedies {
    struct remedy *rows; /* that which frees most first */
    size_t count;
};

/* Errors: ERR_LIMIT when ARENA is full or there are more than REMEDY_MAX changes; those of
 * policy_compile. */
MUST_USE int remedies_find(struct arena *arena, const struct blocked *blocked,
    const struct remedy_question *question, struct remedies *out, struct err *err);

const char *remedy_word(enum remedy_kind kind);
uint32_t remedy_recipients(const struct remedy *remedy, const struct remedy_question *question);
/* What is in the way, and what would be the change: two clauses of one sentence. */
void remedy_add_words(
    const struct remedy *remedy, const struct remedy_question *question, struct buf *out);

#endif
