/* abroad_later.h: which words of other parties wait for a key that is not known yet?
 *
 * A party may show a signature or an event by a key of which this node has not heard: the card with
 * it comes by another way, or an operator has to accept it. The word is kept as it came, one file
 * an agreement and team in the register's folder abroad/later, the newest alone, until the keys
 * change. It is hearsay, and may be lost: whoever shows it again is heard as well.
 */
#ifndef COMITY_FLOW_ABROAD_LATER_H
#define COMITY_FLOW_ABROAD_LATER_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#include <dirent.h>

enum {
    ABROAD_LATER_TEAM_MAX = 32,      /* words of one team */
    ABROAD_LATER_MAX = 512,          /* of all */
    ABROAD_LATER_BYTES = 2 * 1048576 /* a file */
};

/* OBJECT (JSON) is what TEAM says of the agreement ID. *MADE: there was none of it. Durable. Of the
 * register's HOME, which is there; one writes. ERR_LIMIT: too many wait; ERR_IO; ERR_NO_MEMORY. */
MUST_USE int abroad_later_keep(const char *home, struct span id, struct span team,
    struct span object, bool *made, struct err *err);
/* It waits no more, if it did. ERR_IO, ERR_LIMIT. */
MUST_USE int abroad_later_drop(const char *home, struct span id, struct span team, struct err *err);

/* All of them, one after the other. */
struct abroad_later {
    const char *home;
    struct dirent **names;
    int count;
    int at;
};
struct abroad_later_word {
    struct span id;
    struct span team;
    struct span object;
};
/* ERR_IO, ERR_LIMIT. Owner: the caller, also after an error, until abroad_later_close. */
MUST_USE int abroad_later_open(const char *home, struct abroad_later *out, struct err *err);
/* The next one, in ARENA: 1; 0: there are no more. What cannot be read is passed over. ERR_IO,
 * ERR_LIMIT, ERR_NO_MEMORY. */
int abroad_later_next(struct abroad_later *later, struct arena *arena,
    struct abroad_later_word *out, struct err *err);
void abroad_later_close(struct abroad_later *later);

#endif
