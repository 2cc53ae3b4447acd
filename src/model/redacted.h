/* redacted.h: what is left of a report when its verdict's treatments are applied?
 *
 * The only form in which a report may leave. Writers of partners' bytes take
 * `const struct redacted *`; only flow/redact.c can make one (redacted_private.h),
 * so that sending a raw report does not compile.
 */
#ifndef COMITY_MODEL_REDACTED_H
#define COMITY_MODEL_REDACTED_H

#include "model/path.h"
#include "model/verdict.h"

struct redacted;

/* Fields that are left, in input order, values treated. */
size_t redacted_count(const struct redacted *redacted);
const struct field *redacted_field(const struct redacted *redacted, size_t i);
const struct field *const *redacted_fields(const struct redacted *redacted, size_t *count);
/* The field with that id, or NULL if it was absent or removed. */
const struct field *redacted_get(const struct redacted *redacted, enum field_id id);
enum tlp redacted_tlp(const struct redacted *redacted);
/* time.source after treatment; 0 if removed or absent. */
int64_t redacted_time_us(const struct redacted *redacted);
/* What was done to each class. */
enum treatment redacted_treatment(const struct redacted *redacted, enum field_class class);
/* Fields removed whole. */
uint32_t redacted_removed(const struct redacted *redacted);

/* What is left of field I of REPORT, walked in order with *NEXT from 0; NULL: removed, or REDACTED
 * is NULL. */
const struct field *redacted_after(
    const struct report *report, const struct redacted *redacted, uint32_t i, size_t *next);

/* What may stand beside the report for its recipient, and holds nothing of the report. */
struct release_note {
    struct span id;        /* the report's own UUID, which it has at all nodes; n 0: it has none */
    struct span origin;    /* team id */
    struct span recipient; /* team id */
    uint32_t asn;          /* attribution; 0: none */
    struct economy economy;
    const char *rule;           /* attribution rule's word */
    const struct span *clauses; /* "agreement-id#clause" */
    size_t clause_count;
    const struct path *path; /* up to who gives it; NULL: not told */
    struct span corrects;    /* the UUID of the report that it takes the place of; n 0: of none */
    int64_t made_us;
};

#endif
