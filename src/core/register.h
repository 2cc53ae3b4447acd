/* register.h: how does core change the register of agreements, and cards, while the node runs?
 *
 * Under the register's lock, with its clock looked at and this team's key at hand; files first, and
 * in the same round the ledger's entries and what partners are shown, as knowledge_renew finds the
 * register changed.
 */
#ifndef COMITY_CORE_REGISTER_H
#define COMITY_CORE_REGISTER_H

#include "core/core.h"
#include "flow/agreement_life.h"

struct register_desk {
    struct registry *registry;
    struct agreement_key key;
    int64_t now_us; /* the clock's, not before what was seen */
};

/* This team, as the register or the settings say; n 0: neither does. */
struct span register_own(const struct core *core);
/* Open the register of the data folder for writing. Errors: ERR_CLOCK: the clock is behind what was
 * seen; ERR_USAGE: agreements are a folder that the operator names, or this team is not known;
 * registry_open's and registry_key's. Owner: the caller until register_close, also after an error.
 */
MUST_USE int register_open(struct core *core, struct register_desk *desk, struct err *err);
/* The same for who changes cards: they are there whatever the node judges by. The key is not asked
 * for yet. */
MUST_USE int register_open_cards(struct core *core, struct register_desk *desk, struct err *err);
/* This team's key, made loudly if there is none. ERR_USAGE: the team is not known. */
MUST_USE int register_key(struct core *core, struct register_desk *desk, struct err *err);
void register_close(struct register_desk *desk);
/* Read anew what was changed: agreements, ledger, what partners see. In an open transaction. */
MUST_USE int register_renew(struct core *core, struct err *err);

/* What happened to an agreement, for the log and for who listens to events. */
struct register_news {
    struct span agreement; /* its id */
    struct span title;
    struct span team;    /* who did it */
    struct span account; /* of this node, by which it was done; n 0: none */
    const char *event;   /* "proposed", ...; "not-taken": what TEAM said of it was refused */
    const char *why;     /* NULL: nothing to say */
};
void register_tell(struct core *core, const struct register_news *news);

#endif
