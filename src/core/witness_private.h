/* witness_private.h: what do the files core/witness*.c share? */
#ifndef COMITY_CORE_WITNESS_PRIVATE_H
#define COMITY_CORE_WITNESS_PRIVATE_H

#include "core/witness.h"

enum { WITNESS_NAME_BYTES = NOTE_NAME_MAX + 32 };

struct witness {
    char name[NOTE_NAME_MAX + 1]; /* of the signer's key */
    struct note_signer signer;
    int64_t loud_us; /* ticks: what was said of histories since then */
    int64_t loud;
};

/* The name of the store's value KIND for WHAT. */
void witness_value(const char *kind, struct span what, char out[WITNESS_NAME_BYTES]);
/* People must hear of it, in the log and as an event; but nobody may fill the log with it. */
void witness_say(struct core *core, struct span team, const char *what, struct span why);

#endif
