#include "core/roles.h"

#include "core/told.h"

const char *
roles_word(unsigned row)
{
    return row < ROLE_ROWS ? role_rows[row].name : "parent";
}

int
roles_open(struct roles *out, struct err *err)
{
    *out = (struct roles){.lines = loglines_new()};
    return out->lines == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the log's lines") : 0;
}

void
roles_close(struct roles *roles)
{
    loglines_free(roles->lines);
}

static void
note_newest(struct roles *roles, const struct loglines_batch *batch)
{
    struct wire_in in = wire_in(batch->body);
    struct logline line;

    (void)wire_u8(&in);
    for (uint64_t i = 0; logline_next(&in, &line); i++)
        if (line.level > LOG_LEVEL_DEBUG)
            roles->newest = batch->number + i;
}

static int
take_lines(struct roles *roles, struct wire_in *in, struct err *err)
{
    struct loglines_batch batch = {.row = wire_u8(in)};

    batch.number = wire_u64(in);
    batch.body = (struct span){in->p, in->n};
    int rc = in->bad ? err_set(err, ERR_INTERNAL, "log lines without a head")
                     : loglines_add(roles->lines, &batch, err);
    if (rc == 0)
        note_newest(roles, &batch);
    return rc;
}

static int
take_roles(struct roles *roles, struct wire_in *in, struct err *err)
{
    int64_t until_us = wire_i64(in);
    struct role_told rows[ROLE_ROWS];
    bool known = wire_u8(in) == ROLE_ROWS;

    for (size_t i = 0; i < ROLE_ROWS; i++) {
        uint8_t state = wire_u8(in);
        known = known && state < SERVE_STATES;
        rows[i].state = known ? (enum serve_state)state : SERVE_DOWN;
        rows[i].pid = wire_u32(in);
        rows[i].deaths = wire_u32(in);
        rows[i].since_us = wire_i64(in);
    }
    int rc = wire_end(in, "how roles are", err);
    if (rc == 0 && !known)
        rc = err_set(err, ERR_INTERNAL, "a state of a role that there is not");
    if (rc != 0)
        return rc;
    memcpy(roles->rows, rows, sizeof rows);
    roles->certificate_until_us = until_us;
    roles->told = true;
    return 0;
}

void
roles_take(struct roles *roles, uint16_t type, struct span body)
{
    struct wire_in in = wire_in(body);
    struct err err = {0};
    int rc = type == MESSAGE_LOGGED ? take_lines(roles, &in, &err) : take_roles(roles, &in, &err);

    if (rc != 0)
        log_warning_of("what the parent told is not kept", &err);
}

void
roles_tell(const struct roles *roles, bool sandboxed, struct buf *out)
{
    static const char *const states[SERVE_STATES] = {"off", "starting", "ready", "stopping"};

    if (!roles->told)
        return;
    told_time(out, "certificate_until", roles->certificate_until_us);
    told_open(out, "roles", '[');
    for (unsigned i = 0; i < ROLE_ROWS; i++) {
        const struct role_told *row = &roles->rows[i];
        told_item(out);
        buf_add_char(out, '{');
        told_word(out, "role", roles_word(i));
        told_word(out, "state", states[row->state]);
        told_time(out, "since", row->since_us);
        told_number_or_null(out, "pid", row->pid);
        told_number(out, "died", row->deaths);
        told_flag(out, "walls", sandboxed && row->state == SERVE_READY);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}
