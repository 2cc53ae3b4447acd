/* agreement.h: what have the parties agreed to tell one another?
 *
 * Agreements are read from JSON documents (doc/agreement-language.md) into this form
 * and then compiled (flow/decide.h). A document that cannot be evaluated is kept as
 * `broken`: everything it might cover is withheld, it is never skipped.
 */
#ifndef COMITY_MODEL_AGREEMENT_H
#define COMITY_MODEL_AGREEMENT_H

#include "base/mem.h"
#include "model/words.h"

#include <stdint.h>

/* FEED is no document's kind: it holds a provider's own conditions (flow/feeds.h). */
enum agreement_kind {
    AGREEMENT_BILATERAL,
    AGREEMENT_MULTILATERAL,
    AGREEMENT_BASELINE,
    AGREEMENT_LAW,
    AGREEMENT_FEED,
    AGREEMENT_KIND_COUNT
};
/* Strictest first. */
enum onward { ONWARD_NONE, ONWARD_CONSTITUENCY, ONWARD_PARTY, ONWARD_TLP };
static inline const char *
agreement_onward_word(unsigned onward)
{
    return onward == ONWARD_CONSTITUENCY ? "constituency"
        : onward == ONWARD_PARTY         ? "party"
        : onward == ONWARD_TLP           ? "tlp"
                                         : "none";
}

struct party_pattern { /* a clause's `from` or `to` */
    enum { PARTY_ANY, PARTY_PARTY, PARTY_ECONOMY, PARTY_TEAM } type;
    struct economy economy;
    struct span team;
};

struct clause {
    struct span id;
    struct party_pattern from;
    struct party_pattern to;
    uint64_t classifications;     /* bit c: enum classification c is covered */
    uint8_t tlp_max;              /* enum tlp */
    const struct span *providers; /* count 0: all */
    size_t provider_count;
    uint8_t effect;                       /* enum effect */
    uint8_t treatment[FIELD_CLASS_COUNT]; /* enum treatment; keep where the clause says nothing */
    bool require_encrypted;
    bool require_receipt;
    uint32_t retention_days; /* 0: no term */
    uint8_t onward;          /* enum onward */
    uint8_t tlp_floor;       /* FEED: its reports count as at least this TLP; 0: as labelled */
    struct span note;
};

enum { AGREEMENT_KEY_BYTES = 32, AGREEMENT_SIGNATURE_BYTES = 64 };

enum agreement_mark { /* what a signature is worth */
    MARK_UNCHECKED,
    MARK_UNKNOWN, /* right, but by a key that is not known to be the party's: counts as none */
    MARK_GOOD,
    MARK_WRONG, /* not over this text: the document cannot be relied on */
};

struct agreement_signature {
    struct span party;
    struct span signed_at; /* as it was written, for that is what was signed */
    int64_t signed_at_us;
    uint8_t key[AGREEMENT_KEY_BYTES]; /* Ed25519, public */
    uint8_t bytes[AGREEMENT_SIGNATURE_BYTES];
    uint8_t mark; /* enum agreement_mark */
};

struct agreement {
    struct span id; /* urn:uuid:... */
    struct span title;
    struct span file; /* where it was read */
    uint8_t kind;     /* enum agreement_kind */
    const struct span *parties;
    size_t party_count;
    struct economy economy; /* law: whose law */
    int64_t valid_from_us;
    int64_t valid_until_us; /* INT64_MAX: open */
    bool suspended;
    bool broken; /* could not be evaluated: `why` says it */
    struct span why;
    /* Of a broken one: what it may cover, one clause for each pair of `from` and `to`. */
    const struct clause *clauses;
    size_t clause_count;
    struct span text; /* what is signed: RFC 8785, without `signatures` and `suspended` */
    const struct agreement_signature *signatures;
    size_t signature_count;
    bool signed_by_all; /* every party's signature is good */
};

struct agreement_set {
    const struct agreement *agreements;
    size_t count;
};

static inline bool
agreement_has_party(const struct agreement *a, struct span team)
{
    for (size_t i = 0; i < a->party_count; i++)
        if (span_equal(a->parties[i], team))
            return true;
    return false;
}

#endif
