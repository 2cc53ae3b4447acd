/* redact.h: what is left of a report when its verdict's treatments are applied?
 *
 * The only maker of struct redacted. Pure: results live in the arena.
 */
#ifndef COMITY_FLOW_REDACT_H
#define COMITY_FLOW_REDACT_H

#include "base/mem.h"
#include "model/extra.h"
#include "model/redacted.h"
#include "model/report.h"
#include "model/verdict.h"

/* Apply VERDICT to REPORT. Values that are kept borrow from REPORT; treated ones live in
 * ARENA, as the result does. EXTRAS, which may be NULL, says what fields of other names hold
 * besides text. TLP is the label under which it goes out.
 *
 * generalise: IPv4 to its /24 and IPv6 to its /48 (source.ip becomes source.network), names to the
 * registrable domain, URLs to scheme and host (unless the host is an address, and addresses are not
 * kept), accounts to the domain part, MAC addresses to the vendor's three octets, times to the
 * hour; whatever has no coarser form is removed. pseudonymise
 * needs keys that this node does not hold yet, so it generalises, which is stricter. Errors:
 * ERR_INTERNAL when the verdict does not release; ERR_LIMIT when ARENA is full. */
/* A URL says more than one thing: its login goes unless accounts are kept, and its host is told no
 * more exactly than a name, or an address, of its own would be. */
MUST_USE int redact(struct arena *arena, const struct extra_fields *extras,
    const struct report *report, const struct verdict *verdict, enum tlp tlp,
    const struct redacted **out, struct err *err);

/* Which class decided on FIELD, and how: a field of another name is text and what EXTRAS says, and
 * a URL has a host. A login that is cut out of a URL that is kept does not show here. */
struct redact_rule {
    enum field_class class;
    enum treatment treatment;
};
struct redact_rule redact_rule(
    const struct extra_fields *extras, const struct verdict *verdict, const struct field *field);

#endif
