#include "base/loglines.h"

#include <stdlib.h>

struct kept_batch {
    struct kept_batch *next;
    struct loglines_batch batch; /* its body is `bytes` */
    char bytes[];
};

struct queue {
    struct kept_batch *first;
    struct kept_batch *last;
    size_t bytes;
};

struct loglines {
    struct queue queues[LOGLINES_ROLES][2]; /* important ones are 1 */
    uint64_t newest;
};

void
logline_add(struct buf *batch, const struct logline *line)
{
    wire_add_u8(batch, line->level);
    wire_add_i64(batch, line->at_us);
    wire_add_text(batch, line->event);
    wire_add_text(batch, line->pairs);
}

bool
logline_next(struct wire_in *in, struct logline *out)
{
    if (in->n == 0)
        return false;
    out->level = wire_u8(in);
    out->at_us = wire_i64(in);
    out->event = wire_text(in);
    out->pairs = wire_text(in);
    return !in->bad && out->level < LOG_LEVELS;
}

struct loglines *
loglines_new(void)
{
    return calloc(1, sizeof(struct loglines));
}

static void
drop_first(struct queue *queue)
{
    struct kept_batch *first = queue->first;

    queue->first = first->next;
    queue->last = first->next == NULL ? NULL : queue->last;
    queue->bytes -= first->batch.body.n;
    free(first);
}

void
loglines_free(struct loglines *kept)
{
    if (kept == NULL)
        return;
    for (size_t role = 0; role < LOGLINES_ROLES; role++)
        for (size_t i = 0; i < 2; i++)
            while (kept->queues[role][i].first != NULL)
                drop_first(&kept->queues[role][i]);
    free(kept);
}

/* Whole lines only, so that who reads them later need not doubt. */
static bool
is_batch(const struct loglines *kept, const struct loglines_batch *batch, uint8_t *important)
{
    struct wire_in in = wire_in(batch->body);
    struct logline line;
    unsigned count = 0;

    *important = wire_u8(&in);
    while (logline_next(&in, &line))
        count++;
    return in.n == 0 && !in.bad && *important < 2 && count > 0 && count <= LOGLINES_BATCH_LINES
        && batch->body.n <= LOGLINES_BATCH_BYTES && batch->row < LOGLINES_ROLES
        && batch->number > kept->newest;
}

int
loglines_add(struct loglines *kept, const struct loglines_batch *batch, struct err *err)
{
    uint8_t important;

    if (!is_batch(kept, batch, &important))
        return err_set(err, ERR_INTERNAL, "a batch of log lines came that is none");
    struct kept_batch *copy = malloc(sizeof *copy + batch->body.n);
    if (copy == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for log lines");
    struct queue *queue = &kept->queues[batch->row][important];
    memcpy(copy->bytes, batch->body.p, batch->body.n);
    copy->next = NULL;
    copy->batch = *batch;
    copy->batch.body.p = copy->bytes;
    while (queue->bytes + batch->body.n > LOGLINES_KEPT_BYTES)
        drop_first(queue);
    if (queue->last == NULL)
        queue->first = copy;
    else
        queue->last->next = copy;
    queue->last = copy;
    queue->bytes += batch->body.n;
    kept->newest = batch->number;
    return 0;
}

bool
loglines_next(const struct loglines *kept, uint64_t after, struct loglines_batch *out)
{
    const struct kept_batch *best = NULL;

    for (size_t i = 0; i < (size_t)LOGLINES_ROLES * 2 && kept->newest > after; i++) {
        const struct kept_batch *at = kept->queues[i / 2][i % 2].first;
        while (at != NULL && at->batch.number <= after)
            at = at->next;
        if (at != NULL && (best == NULL || at->batch.number < best->batch.number))
            best = at;
    }
    if (best != NULL)
        *out = best->batch;
    return best != NULL;
}
