/* roster.h: which team has registered this prefix, network, name or economy?
 *
 * An immutable snapshot of all team cards, compiled for look-up: loaded once from a
 * folder of cards (JSON) and replaced as a whole.
 */
#ifndef COMITY_FLOW_ROSTER_H
#define COMITY_FLOW_ROSTER_H

#include "model/team.h"

struct roster;

/* Load every *.json file of the folder or file PATH (one card, or an array of cards, a file).
 * A bad card is reported to REJECT (which may be NULL) and left out; the others are kept, in
 * order of their ids. Claims on economies out of their time of validity are left out too.
 * CARDS (NULL, or not there: none) is the folder of cards that were accepted (flow/cards.h): they
 * are verified, and stand in front of PATH's of the same id.
 * Errors: ERR_NOT_FOUND (also for a folder without any), ERR_IO; ERR_LIMIT beyond 100 000 teams. */
typedef void roster_reject(void *ctx, const char *file, const struct err *why);
MUST_USE int roster_load(const char *path, const char *cards, roster_reject *reject, void *ctx,
    struct roster **out, struct err *err);
/* From cards in memory; TEAMS are copied. */
MUST_USE int roster_build(
    const struct team *teams, size_t count, struct roster **out, struct err *err);
void roster_free(struct roster *roster);

size_t roster_count(const struct roster *roster);
/* ID must be of this roster and not nobody. */
const struct team *roster_team(const struct roster *roster, struct team_id id);
struct team_id roster_find(const struct roster *roster, struct span id);

/* Several teams may register the same: the better rank answers, then the first id, and
 * *OTHERS says how many more there are. */

/* Most specific registered prefix over ADDRESS (IPv4-mapped IPv6 as IPv4); nobody if none. */
struct team_id roster_by_address(const struct roster *roster, const struct address *address,
    struct address *matched, uint8_t *others);
struct team_id roster_by_asn(const struct roster *roster, uint32_t asn, uint8_t *others);
/* Longest registered suffix of NAME at label boundaries, case-insensitive, IDN in either form.
 * *MATCHED lives with the roster. */
struct team_id roster_by_domain(
    const struct roster *roster, struct span name, struct span *matched, uint8_t *others);
/* The team that answers for an economy as a whole: kind national, then coordination-center,
 * then others whose scope is all; within a kind by rank. Any other scope never answers. */
struct team_id roster_by_economy(
    const struct roster *roster, struct economy economy, uint8_t *others);

#endif
