/* outcome.h: what was found out and decided about each report of a batch?
 *
 * Lies in the store beside the batch's records (store_batch.outcomes), so that what goes out is
 * what was decided when the report came, whatever the agreements say by then: clauses and
 * agreements are kept as texts, verdicts once a batch. version u8, verdicts u16, each: effect,
 * reason u8; treatments u8 a field class (their number first); requirements u8; onward u8;
 * retention u32 days; clauses u8 in all, told u8, each: agreement's id text, clause's id text. Then
 * reports u16, each: outcomes u8, tlp u8, from a partner u8, origin u32; of both sides: rule u8,
 * economy u16, asn u32; each outcome: team u32, verdict u16, side u8. Numbers of vocabularies
 * (tables/policy.def, classification.def) are for life.
 */
#ifndef COMITY_CORE_OUTCOME_H
#define COMITY_CORE_OUTCOME_H

#include "base/mem.h"
#include "base/wire.h"
#include "model/verdict.h"

enum { OUTCOME_RECIPIENTS_MAX = 3, OUTCOME_VERDICTS_MAX = 65535 };

struct outcome_clause {
    struct span agreement; /* its id */
    struct span clause;    /* its id in the agreement */
};

/* A verdict without the policy that made it: VERDICT.clauses means nothing, CLAUSES stand for it.
 */
struct outcome_verdict {
    struct verdict verdict;
    struct outcome_clause clauses[VERDICT_CLAUSES_MAX];
    uint8_t clause_count; /* of clauses; verdict.clause_count may be more */
};

/* The agreement whose clause comes first; n 0: none made it. */
static inline struct span
outcome_agreement(const struct outcome_verdict *verdict)
{
    return verdict->clause_count > 0 ? verdict->clauses[0].agreement : SPAN("");
}

struct outcome_side { /* attribution */
    uint8_t rule;     /* enum attribution_rule */
    struct economy economy;
    uint32_t asn; /* of the address table; 0: none */
};
struct outcome_one {
    uint32_t team;    /* the store's number; 0: nobody answers for it */
    uint16_t verdict; /* index */
    uint8_t side;     /* 0 source, 1 destination: by which it was found */
};
struct outcome_report {
    uint8_t tlp; /* enum tlp, as decided on: the report's own or its feed's */
    bool from_partner;
    uint32_t origin; /* the store's number of the team it came from; 0: not known */
    struct outcome_side sides[2];
    uint8_t count; /* at least 1 */
    struct outcome_one ones[OUTCOME_RECIPIENTS_MAX];
};

/* ---- writing ---- */

void outcome_add_head(struct buf *out, uint16_t verdicts);
void outcome_add_verdict(struct buf *out, const struct outcome_verdict *verdict);
void outcome_add_count(struct buf *out, uint16_t reports);
void outcome_add_report(struct buf *out, const struct outcome_report *report);

/* ---- reading ---- */

struct outcomes {
    const struct outcome_verdict *verdicts;
    uint32_t verdict_count;
    uint32_t count; /* reports */
    const char *const *at;
};
/* BYTES are borrowed; all else lives in ARENA. ERR_BAD_STORE, ERR_LIMIT. */
MUST_USE int outcome_read(
    struct arena *arena, struct span bytes, struct outcomes *out, struct err *err);
/* PLACE below count. Every verdict's index is below verdict_count. */
void outcome_get(const struct outcomes *outcomes, uint32_t place, struct outcome_report *out);

#endif
