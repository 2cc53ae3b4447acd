/* stix_observe.h: which STIX observables say what a redacted report says?
 *
 * The first half of writing a report; stix_write.c writes what they cannot say.
 */
#ifndef COMITY_FMT_STIX_OBSERVE_H
#define COMITY_FMT_STIX_OBSERVE_H

#include "fmt/stix_id.h"
#include "model/redacted.h"

enum { STIX_OBSERVE_MAX = 16 };

struct stix_writing {
    struct buf *out;
    const struct redacted *redacted;
    struct stix_id refs[STIX_OBSERVE_MAX];
    size_t ref_count;
    bool said[FIELD_COUNT]; /* fields that need not stand in the extension */
};

/* Append the observables, each behind a comma, and note their ids and what they said. */
void stix_observe(struct stix_writing *w);

/* The text of a field that is left, or n 0. */
struct span stix_observe_text(const struct stix_writing *w, enum field_id id);

/* For both halves: literal text; an id in quotes; a comma in front of all but the first. */
#define ADD(out, literal) buf_add((out), "" literal, sizeof(literal) - 1)

static inline void
add_ref(struct buf *out, const struct stix_id *id)
{
    buf_add_char(out, '"');
    buf_add(out, id->text, id->n);
    buf_add_char(out, '"');
}

static inline void
comma(struct buf *out, bool *first)
{
    if (!*first)
        buf_add_char(out, ',');
    *first = false;
}

#endif
