/* scrub.h: does what was taken out of one field still stand in another?
 *
 * The second half of redaction (doc/agreement-language.md, section 9, "Repeated values"): a list of
 * the values that were treated, and the search for them in what is kept: texts, JSON, URLs. Names
 * inside JSON and in URLs' queries are judged as names of fields. Pure; results live in the arena.
 */
#ifndef COMITY_FLOW_SCRUB_H
#define COMITY_FLOW_SCRUB_H

#include "base/mem.h"
#include "model/extra.h"
#include "model/report.h"

enum { SCRUB_VALUES_MAX = 256, SCRUB_VALUE_MIN = 4 };

struct scrub_value {
    struct span value;
    struct span stands; /* for it now */
};

struct scrub {
    struct arena *arena;
    const struct extra_fields *extras; /* may be NULL */
    const uint8_t *treatments;         /* enum treatment of each class, as really done */
    uint32_t count;
    bool overflow; /* more values than can be looked for: nothing that must be searched is kept */
    bool sorted;
    bool first[256]; /* bytes that a match may begin with */
    struct scrub_value values[SCRUB_VALUES_MAX];
};

void scrub_init(struct scrub *scrub, struct arena *arena, const struct extra_fields *extras,
    const uint8_t *treatments);
/* VALUE is looked for from now on. STANDS n 0: "[removed]". Short ones are left out. */
void scrub_add(struct scrub *scrub, struct span value, struct span stands);

/* What becomes of a member or parameter called NAME, by the class that this stands for as a field
 * of its own. UNLISTED: the class of names that no table has. */
enum scrub_name {
    SCRUB_NAME_KEPT,
    SCRUB_NAME_GONE,
    SCRUB_NAME_GONE_COUNTED /* its values are repeated values */
};
enum scrub_name scrub_name(const struct scrub *scrub, struct span name, enum field_class unlisted);

/* Collect what a JSON value, or a URL's query, loses for its names; ALL: everything in it. */
void scrub_collect_json(struct scrub *scrub, struct span json, bool all);
void scrub_collect_query(struct scrub *scrub, struct span url);

/* Has TEXT a match? */
bool scrub_matches(struct scrub *scrub, struct span text);
/* The same, or of TEXT with its %XX decoded. */
bool scrub_matches_encoded(struct scrub *scrub, struct span text);
/* Bytes of TEXT with its matches replaced, written to OUT unless it is NULL. */
size_t scrub_replace(struct scrub *scrub, struct span text, char *out);
/* TEXT with its %XX decoded; n 0 with p NULL when the arena is full. */
struct span scrub_decode(struct scrub *scrub, struct span text);

/* What is left of *VALUE; false: nothing, or the arena is full. */
bool scrub_text(struct scrub *scrub, struct span *value);
bool scrub_json(struct scrub *scrub, struct span *value);
bool scrub_url(struct scrub *scrub, struct span *value);
bool scrub_field(struct scrub *scrub, struct field *field);

#endif
