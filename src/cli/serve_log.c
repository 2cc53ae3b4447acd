#include "cli/serve_log.h"

#include "base/messages.h"
#include "sys/clock.h"
#include "sys/role_hand.h"

_Static_assert((int)ROLE_ROWS < (int)LOGLINES_ROLES, "the parent's own row is behind the roles'");

/* What core does not take now it takes with what comes next. */
static void
tell_core(struct serve_log *log)
{
    const struct channel_message message = {.type = MESSAGE_LOGGED, .fd = -1};
    struct loglines_batch batch;
    struct err err;
    int rc = 0;

    while (rc == 0 && log->core != NULL && loglines_next(log->kept, log->told, &batch)) {
        struct buf head = buf_new(16);
        wire_add_u8(&head, (uint8_t)batch.row);
        wire_add_u64(&head, batch.number);
        const struct span parts[] = {buf_span(&head), batch.body};
        rc = head.full ? (int)ERR_NO_MEMORY : channel_send(log->core, &message, parts, 2, &err);
        if (rc == 0)
            log->told = batch.number;
        buf_free(&head);
    }
}

void
serve_log_take(struct serve_log *log, unsigned row, struct span body)
{
    const struct loglines_batch batch = {log->number + LOGLINES_BATCH_LINES, row, body};
    struct err err;

    if (loglines_add(log->kept, &batch, &err) != 0)
        return;
    log->number = batch.number;
    tell_core(log);
}

static void
on_line(void *ctx, enum log_level level, int64_t now_us, struct span what, struct span pairs)
{
    const struct logline line = {now_us, (uint8_t)level, what, pairs};
    struct buf body = buf_new(LOGLINES_BATCH_BYTES);

    wire_add_u8(&body, level >= LOG_LEVEL_WARNING);
    logline_add(&body, &line);
    if (!body.full)
        serve_log_take(ctx, ROLE_ROWS, buf_span(&body));
    buf_free(&body);
}

/* Numbers begin with the time, so that they go on rising when the node is started again: a batch
 * has fewer than it takes microseconds to be handed on. */
int
serve_log_begin(struct serve_log *log, struct err *err)
{
    *log = (struct serve_log){.kept = loglines_new(), .number = (uint64_t)clock_now_us()};
    if (log->kept == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the log's lines");
    log_listen(on_line, log);
    return 0;
}

void
serve_log_end(struct serve_log *log)
{
    log_listen(NULL, NULL);
    loglines_free(log->kept);
}

void
serve_log_core(struct serve_log *log, struct channel *core)
{
    log->core = core;
    log->told = 0;
    tell_core(log);
}
