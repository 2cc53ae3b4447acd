/* core.h: what does the role that holds the store know, and how does it answer?
 *
 * Core has the data folder, directory, agreements and keys, and no network. Questions come from the
 * doors as messages (tables/messages.def); each row's function answers one kind. What changes
 * something is answered when it is durable: all that one round of the loop brought in is committed
 * together.
 */
#ifndef COMITY_CORE_CORE_H
#define COMITY_CORE_CORE_H

#include "base/caller.h"
#include "base/mem.h"
#include "base/messages.h"
#include "store/store.h"
#include "sys/channel.h"
#include "sys/role.h"

struct core;
struct auth_result;

/* Who asks, as core found it out. */
struct asker {
    uint8_t kind;       /* enum principal_kind */
    uint32_t principal; /* the store's number; 0: the local door's operator, or nobody */
    struct span name;
    struct span team; /* a partner's; n 0: this node's own people */
};

/* One question, until its function returns. */
struct ask {
    enum door door;
    struct channel *channel;
    uint64_t tag;
    uint16_t type; /* enum message */
    struct asker asker;
    struct caller caller;
    struct wire_in in;                     /* behind the caller */
    struct arena *arena;                   /* for the answer; emptied when it returns */
    const struct channel_message *message; /* the whole question */
    const struct auth_result *result;      /* core/auth.h: what the function had asked for */
};

/* Answer BODY now; with MORE, a part of it. For what changes nothing. */
MUST_USE int core_answer(
    struct core *core, const struct ask *ask, struct span body, bool more, struct err *err);
/* Answer BODY when what was changed is durable; a failed commit answers that instead. */
MUST_USE int core_answer_durable(
    struct core *core, const struct ask *ask, struct span body, struct err *err);

/* The role's main: until it is told to stop; the process's exit status. */
int core_main(const struct role_start *start);

/* What every function that answers has: an error is told to the asker as a refusal (err.code,
 * field, msg). 0: it has answered, or will. */
#define MESSAGE(name, number, function, doors, right, changes, text)                               \
    int core_##function(struct core *core, struct ask *ask, struct err *err);
#include "tables/messages.def"
#undef MESSAGE

#endif
