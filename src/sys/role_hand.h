/* role_hand.h: how does the parent hand a role what it needs?
 *
 * Messages on descriptor 3 of the role: SETTINGS (u8 sandbox, settings as conf_add writes them,
 * then ROLE_HAND_TEXTS texts), a PAIR (u8 door; with its descriptor) for each socket pair, LISTEN
 * (with the socket), START. Later SETTINGS, PAIR and STOP come as they are needed. Before SETTINGS
 * core gets a LENT (path; with the file, open) for each file that they name; later also LOGGED (u8
 * row, u64 number, and what a role sent as LOGGED: base/loglines.h) and ROLES (i64 Unix us when the
 * certificate expires, 0: none; u8 count; each row's u8 enum serve_state, u32 pid, u32 deaths, i64
 * Unix us since when).
 */
#ifndef COMITY_SYS_ROLE_HAND_H
#define COMITY_SYS_ROLE_HAND_H

#include "sys/role.h"

struct role_row {
    const char *word; /* comity --role WORD */
    const char *name; /* for the log */
    enum role_kind kind;
    enum door door; /* core: DOOR_PARENT */
};
enum { ROLE_ROWS = 6, ROLE_ROW_CORE = 0 };
/* How a role is, by its parent's word. */
enum serve_state {
    SERVE_DOWN, /* or not wanted */
    SERVE_STARTING,
    SERVE_READY, /* and so behind its walls, unless --no-sandbox */
    SERVE_STOPPING,
    SERVE_STATES
};

/* In the order in which they are started. */
extern const struct role_row role_rows[ROLE_ROWS];

enum { ROLE_PARENT_FD = 3, ROLE_LOCK_FD = 4 };
enum {
    ROLE_HAND_HOME,
    ROLE_HAND_CERTIFICATE,
    ROLE_HAND_KEY,
    ROLE_HAND_CLIENT_CA,
    ROLE_HAND_MAIL_PASSWORD,
    ROLE_HAND_PIN,
    ROLE_HAND_TEXTS
};

#endif
