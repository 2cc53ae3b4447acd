/* roles.h: how are the node's processes, and what do they write to the log?
 *
 * By the parent's word (sys/role_hand.h). Core's side of LOG_LINES, too:
 *
 *   LOG_LINES   asks level text, role text, text text, after u64, limit u32, next text (of
 *               inputs.def); answers LogList (share/openapi/schemas.json), newest first
 */
#ifndef COMITY_CORE_ROLES_H
#define COMITY_CORE_ROLES_H

#include "base/loglines.h"
#include "core/core.h"
#include "sys/role_hand.h"

struct role_told {
    enum serve_state state;
    uint32_t pid;
    uint32_t deaths;
    int64_t since_us;
};

struct roles {
    struct loglines *lines;
    uint64_t newest; /* line above the level of debug; 0: there is none */
    bool told;       /* the rest is known */
    int64_t certificate_until_us;
    struct role_told rows[ROLE_ROWS];
};

/* OUT is the caller's, also after an error. ERR_NO_MEMORY. */
MUST_USE int roles_open(struct roles *out, struct err *err);
void roles_close(struct roles *roles);
/* What the parent said: LOGGED or ROLES. What is neither is told in the log, and dropped. */
void roles_take(struct roles *roles, uint16_t type, struct span body);
/* Of STATUS: `roles`, and `certificate_until`. */
void roles_tell(const struct roles *roles, bool sandboxed, struct buf *out);
/* The word of a row: "core", "front partners", "parent". */
const char *roles_word(unsigned row);

#endif
