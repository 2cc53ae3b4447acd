/* witness_private.h: what do the files core/witness*.c share? */
#ifndef COMITY_CORE_WITNESS_PRIVATE_H
#define COMITY_CORE_WITNESS_PRIVATE_H

#include "core/witness.h"
#include "fmt/fork.h"
#include "fmt/witness.h"

enum { WITNESS_NAME_BYTES = NOTE_NAME_MAX + 32 };

struct witness {
    char name[NOTE_NAME_MAX + 1]; /* of the signer's key */
    struct note_signer signer;
    struct pace histories;
};

/* A partner's log, and what is known of it; notes: n 0 for none. */
struct witnessed {
    struct span team;
    const struct note_key *key; /* NULL: nobody's log is called so */
    struct span origin;
    struct span note; /* the newest that was cosigned */
    struct witness_known known;
    struct span shown;
    struct span doubt;
    bool forked;
};

/* The store's value KIND for WHAT. */
MUST_USE int witness_get(struct core *core, struct arena *arena, const char *kind, struct span what,
    struct span *out, struct err *err);
MUST_USE int witness_set(
    struct core *core, const char *kind, struct span what, struct span value, struct err *err);
/* Does KEPT, as witness_keep_fork keeps it, tell of a log of KEY? */
bool witness_fork_is(struct span kept, const struct note_key *key);
/* Of OUT, which has its origin and its key. */
MUST_USE int witness_read_log(
    struct core *core, struct arena *arena, struct witnessed *out, struct err *err);
MUST_USE int witness_doubt(
    struct core *core, const struct witnessed *log, struct span other, struct err *err);

/* One that is known, over as many entries as CHECKPOINT and with another root; n 0: there is none.
 */
struct span witness_contradicted(const struct witnessed *log, const struct checkpoint *checkpoint);
/* What the log signed, and what shows that it cannot be: kept, and nothing of it is cosigned any
 * more. */
MUST_USE int witness_keep_fork(
    struct core *core, const struct witnessed *log, const struct fork *fork, struct err *err);
/* People must hear of it, in the log and as an event; but nobody may fill the log with it. */
void witness_say(struct core *core, struct span team, const char *what, struct span why);

#endif
