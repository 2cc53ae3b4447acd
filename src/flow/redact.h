/* redact.h: what is left of a report when its verdict's treatments are applied?
 *
 * The only maker of struct redacted. Pure: results live in the arena.
 */
#ifndef COMITY_FLOW_REDACT_H
#define COMITY_FLOW_REDACT_H

#include "base/mem.h"
#include "flow/pseudonym.h"
#include "model/extra.h"
#include "model/redacted.h"
#include "model/report.h"
#include "model/verdict.h"

struct redact_means {
    const struct extra_fields
        *extras;                     /* may be NULL: fields of other names are text, nothing else */
    const struct pseudonym_key *key; /* NULL: what was to be pseudonymised is generalised */
};

/* By what VERDICT's treatments are done for RECIPIENT, where the first of its clauses is of
 * AGREEMENT (n 0: there is none). PSEUDONYMS NULL: this node makes none. The key lives until the
 * next call. */
struct redact_means redact_means(struct pseudonyms *pseudonyms, const struct extra_fields *extras,
    const struct verdict *verdict, struct span agreement, struct span recipient);

/* Apply VERDICT to REPORT, to the byte as doc/agreement-language.md, section 9, has it. Values that
 * are kept borrow from REPORT; treated ones live in ARENA, as the result does. TLP is the label
 * under which it goes out. What cannot be done, as ARENA is full, is removed instead.
 * Errors: ERR_INTERNAL when the verdict does not release; ERR_LIMIT when ARENA is full. */
MUST_USE int redact(struct arena *arena, const struct redact_means *means,
    const struct report *report, const struct verdict *verdict, enum tlp tlp,
    const struct redacted **out, struct err *err);

/* Which class decided on FIELD, and how: a field of another name is text and what the list says,
 * and a URL has a host. What is cut out of a URL or a text that is kept does not show here. */
struct redact_rule {
    enum field_class class;
    enum treatment treatment;
};
struct redact_rule redact_rule(
    const struct redact_means *means, const struct verdict *verdict, const struct field *field);

#endif
