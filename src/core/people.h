/* people.h: which accounts are there?
 *
 * All of the store's principals in memory, read anew whenever one changes.
 */
#ifndef COMITY_CORE_PEOPLE_H
#define COMITY_CORE_PEOPLE_H

#include "store/store.h"

enum { PEOPLE_NAME_BYTES = 64, PEOPLE_TEAM_BYTES = 64, PEOPLE_MAX = 100000 };

struct people;

/* Owner: the caller, until people_free, also after an error. */
MUST_USE int people_new(struct store *store, struct people **out, struct err *err);
void people_free(struct people *people);
/* After a transaction that was taken back. */
MUST_USE int people_again(struct people *people, struct err *err);

/* NULL: none. All texts live until the next people_put or people_again. */
const struct store_principal *people_by_name(const struct people *people, struct span name);
const struct store_principal *people_by_number(const struct people *people, uint32_t number);
/* SHA-256, hexadecimal in any case. */
const struct store_principal *people_by_certificate(
    const struct people *people, struct span certificate);
const struct store_principal *people_all(const struct people *people, size_t *count);

/* Letters, digits, '-', '.', '_'. */
bool people_is_name(struct span name);
/* Keep PRINCIPAL (number 0: a new one, which gets one). In an open transaction. ERR_EXISTS,
 * ERR_LIMIT. */
MUST_USE int people_put(struct people *people, struct store_principal *principal, struct err *err);

#endif
