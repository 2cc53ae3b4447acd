#include "sys/role_log.h"

#include "base/loglines.h"
#include "base/messages.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    PAUSE_US = 250000,
    BATCH_BYTES = LOGLINES_BATCH_BYTES - 256, /* what was left out is said in the rest */
    BATCH_LINES = LOGLINES_BATCH_LINES - 1,
};

static void
say_left_out(struct buf *batch, unsigned count, bool important)
{
    char pairs[32];
    int n = snprintf(pairs, sizeof pairs, "count=%u", count);
    const struct logline line = {.at_us = clock_now_us(),
        .level = important ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
        .event = SPAN("lines were left out here; standard error has them"),
        .pairs = {pairs, (size_t)n}};

    logline_add(batch, &line);
}

/* Who does not take it now takes it next time. */
static void
send(struct role_log *log, size_t kind)
{
    const struct channel_message message = {.type = MESSAGE_LOGGED, .fd = -1};
    struct buf *batch = &log->batches[kind];
    struct err err;

    if (log->lines[kind] == 0)
        return;
    size_t before = batch->n;
    if (log->left_out[kind] > 0)
        say_left_out(batch, log->left_out[kind], kind == 1);
    const struct span body = buf_span(batch);
    if (channel_send(log->parent, &message, &body, 1, &err) == ERR_BUSY) {
        batch->n = before;
        return;
    }
    buf_free(batch);
    log->lines[kind] = log->left_out[kind] = 0;
}

static void
send_all(struct role_log *log)
{
    log->sent_us = clock_ticks_us();
    for (size_t kind = 0; kind < ROLE_LOG_KINDS; kind++)
        send(log, kind);
}

/* The first line after a pause goes at once: soon, as the log may be written to from anywhere. */
static void
want_to_send(struct role_log *log)
{
    int64_t now_us = clock_ticks_us();
    int64_t due_us = log->sent_us + PAUSE_US;

    if (!log->waits)
        log->waits =
            loop_timer_set(log->loop, &log->timer, due_us < now_us ? now_us : due_us, NULL) == 0;
}

static void
on_timer(void *ctx)
{
    struct role_log *log = ctx;

    log->waits = false;
    send_all(log);
    for (size_t kind = 0; kind < ROLE_LOG_KINDS; kind++)
        if (log->lines[kind] > 0)
            want_to_send(log);
}

static void
on_line(void *ctx, enum log_level level, int64_t now_us, struct span what, struct span pairs)
{
    struct role_log *log = ctx;
    size_t kind = level >= LOG_LEVEL_WARNING;
    struct buf *batch = &log->batches[kind];
    const struct logline line = {now_us, (uint8_t)level, what, pairs};

    if (log->lines[kind] == 0) {
        *batch = buf_new(LOGLINES_BATCH_BYTES);
        wire_add_u8(batch, (uint8_t)kind);
    }
    size_t before = batch->n;
    if (log->lines[kind] < BATCH_LINES)
        logline_add(batch, &line);
    if (log->lines[kind] >= BATCH_LINES || batch->full || batch->n > BATCH_BYTES) {
        batch->n = before;
        batch->full = false;
        log->left_out[kind]++;
    } else
        log->lines[kind]++;
    want_to_send(log);
}

void
role_log_begin(struct role_log *log, struct loop *loop, struct channel *parent)
{
    *log = (struct role_log){.loop = loop, .parent = parent, .sent_us = -PAUSE_US};
    log->timer = (struct loop_timer){.due = on_timer, .ctx = log};
    log_listen(on_line, log);
}

void
role_log_end(struct role_log *log)
{
    if (log->loop == NULL)
        return;
    log_listen(NULL, NULL);
    loop_timer_stop(log->loop, &log->timer);
    send_all(log);
    for (size_t kind = 0; kind < ROLE_LOG_KINDS; kind++)
        buf_free(&log->batches[kind]);
}
