/* rows.h: which function answers this message, through which doors, and who may ask?
 *
 * The rows of tables/messages.def and rights.def.
 */
#ifndef COMITY_CORE_ROWS_H
#define COMITY_CORE_ROWS_H

#include "core/core.h"

struct message_row {
    int (*answer)(struct core *core, struct ask *ask, struct err *err);
    const char *doors; /* letters */
    uint16_t number;   /* enum message */
    bool changes;
    enum right right;
};

/* NULL: nobody asks that. */
const struct message_row *rows_find(uint16_t message);
bool rows_lets_in(const struct message_row *row, enum door door);
bool rows_may(enum principal_kind kind, enum right right);
const char *rows_kind_word(enum principal_kind kind);
/* PRINCIPAL_NOBODY if none. */
enum principal_kind rows_kind_find(struct span word);
const char *rows_right_word(enum right right);

#endif
