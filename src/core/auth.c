#include "core/auth.h"

#include "core/rows.h"
#include "core/state.h"

#include <stdlib.h>

struct auth {
    struct core *core;
};

int
auth_new(struct core *core, struct auth **out, struct err *err)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for accounts");
    (*out)->core = core;
    return 0;
}

void
auth_free(struct auth *auth)
{
    free(auth);
}

int
auth_who(struct core *core, enum door door, const struct caller *caller,
    const struct channel_message *message, struct asker *out, struct err *err)
{
    (void)core;
    (void)caller;
    (void)message;
    (void)err;
    *out = (struct asker){.kind = PRINCIPAL_NOBODY};
    if (door == DOOR_LOCAL)
        *out = (struct asker){.kind = PRINCIPAL_OPERATOR, .name = SPAN("operator")};
    return 0;
}

int
auth_may(struct core *core, const struct asker *asker, const struct caller *caller,
    const struct message_row *row, struct err *err)
{
    (void)core;
    (void)caller;
    if (rows_may((enum principal_kind)asker->kind, row->right))
        return 0;
    return asker->kind == PRINCIPAL_NOBODY
        ? err_set(err, ERR_NOT_SIGNED_IN, "sign in first")
        : err_set(err, ERR_NOT_ALLOWED,
            "that needs the right \"%s\", which the kind \"%s\" has not",
            rows_right_word(row->right), rows_kind_word((enum principal_kind)asker->kind));
}

void
auth_gone(struct core *core, enum door door)
{
    (void)core;
    (void)door;
}
