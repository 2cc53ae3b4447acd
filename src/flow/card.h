/* card.h: what does this team card say, and is it a good one?
 *
 * A card is a JSON object with the contents of RFC 2350; doc/team-card.md lists the members.
 * Strict: a member nobody knows is an error (except "x_..."), and every message
 * names the member and what would be right. A signature that is there must be right.
 */
#ifndef COMITY_FLOW_CARD_H
#define COMITY_FLOW_CARD_H

#include "flow/card_sign.h"
#include "fmt/json.h"
#include "model/team.h"

#define CARD_ANY_TIME INT64_MIN

/* Read VALUE; everything of OUT is in ARENA. Claims on an economy that are not valid at NOW_US
 * (CARD_ANY_TIME: none) are left out of OUT, not of its card text. Errors: ERR_BAD_CONFIG with the
 * member in err->field, ERR_DUPLICATE_KEY, ERR_LIMIT (arena). */
MUST_USE int card_read(struct arena *arena, struct json_value value, int64_t now_us,
    struct team *out, struct err *err);
/* The same; *CARD says what it is as a signed one (version_us INT64_MIN: it is not signed). */
MUST_USE int card_read_signed(struct arena *arena, struct json_value value, int64_t now_us,
    struct team *out, struct card_signed *card, struct err *err);

/* The kinds that a card may name, NULL behind. */
extern const char *const card_kinds[];

#endif
