/* abroad.h: how does an agreement stand at the other parties' nodes, as far as they said?
 *
 * One file an agreement in the register's folder `abroad`, beside what is signed: hearsay, by which
 * nothing is judged, and which may be lost. Each party's last word counts.
 */
#ifndef COMITY_FLOW_ABROAD_H
#define COMITY_FLOW_ABROAD_H

#include "flow/registry.h"

struct abroad {
    struct span team;
    struct span standing; /* a word of standing_words */
    int64_t time_us;      /* since when it says so */
    uint64_t signatures;  /* that the document had there */
};

/* What was said of the agreement ID in the register of HOME. All of OUT is in ARENA; a file that is
 * not there, or damaged, says nothing. ERR_IO, ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int abroad_read(struct arena *arena, const char *home, struct span id, struct abroad **out,
    size_t *count, struct err *err);
/* SAID is the last word of its team now. What is the same as before is not written. The register of
 * HOME is there; one writes. ERR_IO, ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int abroad_note(struct arena *arena, const char *home, struct span id,
    const struct abroad *said, struct err *err);
/* Is it one of standing_words? */
bool abroad_is_standing(struct span word);

#endif
