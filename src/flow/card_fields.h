/* card_fields.h: is this member of a team card what it must be?
 *
 * What the files that read cards share: texts, lists and objects, each fault with the member's
 * place. For flow/card*.c alone.
 */
#ifndef COMITY_FLOW_CARD_FIELDS_H
#define COMITY_FLOW_CARD_FIELDS_H

#include "fmt/json.h"
#include "model/team.h"

enum { CARD_ID_MAX = 64, CARD_TEXT_MAX = 4096 };

struct card_reading {
    struct arena *arena;
    struct team *team;
    struct team_scope *scopes; /* the team's own, to be completed */
    int64_t now_us;
    struct err *err;
};

/* The place in the card, for messages: "constituency.prefixes[3]". */
struct card_place {
    char text[ERR_FIELD_BYTES];
};
struct card_place card_fields_place(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CARD_WRONG(r, at, ...)                                                                     \
    err_set_field((r)->err, ERR_BAD_CONFIG, (at), strlen(at), __VA_ARGS__)

/* Reads member AT: 0 or ERR_BAD_CONFIG, ERR_LIMIT. */
typedef int card_fields_reader(struct card_reading *r, struct json_value v, const char *at);
/* A table of an object's members and what reads each; NULL behind the last. */
struct card_member {
    const char *name;
    card_fields_reader *read;
    bool required;
};
/* Only these members, and those that begin with x_. */
MUST_USE int card_fields_object(
    struct card_reading *r, struct json_value v, const char *at, const struct card_member *members);
/* Every item of a list. */
MUST_USE int card_fields_each(
    struct card_reading *r, struct json_value v, const char *at, card_fields_reader *read);
/* Room for the items of a list: *COUNT of SIZE bytes each, zeroed, in the arena. */
MUST_USE int card_fields_array(struct card_reading *r, struct json_value v, const char *at,
    size_t size, size_t *count, void *out);

/* A text of 1 to CARD_TEXT_MAX bytes, borrowed from the document; kept: copied into the arena. */
MUST_USE int card_fields_text(
    struct card_reading *r, struct json_value v, const char *at, struct span *out);
MUST_USE int card_fields_kept(
    struct card_reading *r, struct json_value v, const char *at, struct span *out);
MUST_USE int card_fields_copy(struct card_reading *r, struct span text, struct span *out);
MUST_USE int card_fields_truth(
    struct card_reading *r, struct json_value v, const char *at, bool *out);
/* Readers: some text; whatever it is, as another reader looks at it. */
card_fields_reader card_fields_any_text;
card_fields_reader card_fields_any;

/* One of WORDS (NULL behind the last)? */
bool card_fields_among(struct span word, const char *const words[]);
/* A team's id? */
bool card_fields_is_id(struct span s);

#endif
