/* policy_private.h: what does the compiled policy look like inside?
 *
 * For flow/policy.c, which builds it, and flow/decide.c, which reads it. Every clause is one bit;
 * clauses are ordered by segment, each segment begins at a word of its own, and inside it they
 * stand as in the documents. A row is one bit a clause: the clauses that cover this class, TLP,
 * provider or origin.
 */
#ifndef COMITY_FLOW_POLICY_PRIVATE_H
#define COMITY_FLOW_POLICY_PRIVATE_H

#include "base/hash.h"
#include "flow/decide.h"

/* In the order in which they are asked. */
enum segment {
    SEGMENT_BROKEN,
    SEGMENT_BILATERAL,
    SEGMENT_MULTILATERAL,
    SEGMENT_BASELINE,
    SEGMENT_CEILING,
    SEGMENT_COUNT
};

/* Strictness in unary, so that the strictest of many is their OR and its rank a count of bits. */
enum {
    MARK_HOLD = 1 << 0,
    MARK_WITHHOLD = 3 << 0,
    MARK_EFFECT = 3 << 0,
    MARK_ENCRYPTED = 1 << 2,
    MARK_RECEIPT = 1 << 3,
    MARK_ONWARD_SHIFT = 4,
    MARK_ONWARD = 7 << MARK_ONWARD_SHIFT,
    MARK_BY_PROVIDER = 1 << 7, /* it names providers */
};

/* What a clause does, and when: half a cache line. */
struct rule {
    uint64_t treatments; /* byte c: unary strictness of field class c */
    int64_t from_us;
    int64_t until_us;
    uint32_t marks;
    uint32_t retention; /* days; UINT32_MAX: no term */
};

struct source { /* where the clause of this bit stands */
    uint32_t agreement;
    uint32_t clause;
};

enum { PROVIDER_NOT_NAMED, PROVIDER_UNMENTIONED, PROVIDER_FIRST };

struct policy {
    const struct agreement_set *agreements;
    size_t team_count;
    size_t words;
    size_t provider_count;
    struct rule *rules;
    struct source *sources;
    uint64_t *by_class;
    uint64_t *by_tlp;
    uint64_t *by_provider;  /* row 0: all, as any of them may be meant */
    uint8_t *tlp_floor;     /* of each provider; 0: the highest of all */
    uint64_t *by_origin;    /* row 0: nobody */
    uint64_t *by_recipient; /* row 0: not used */
    size_t summary_words;
    uint64_t *origin_summary;    /* bit w: word w of the origin's row is not zero */
    uint64_t *recipient_summary; /* the same of the recipient's */
    size_t segment_word[SEGMENT_COUNT + 1];
    struct team_channels *channels;
    struct table *providers;
    struct arena *names; /* the keys of providers */
};

#endif
