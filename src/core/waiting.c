#include "core/waiting.h"

#include <stdlib.h>

enum { KEPT_BYTES = 64 * 1024 };

struct one {
    enum door door;
    uint32_t generation;
    uint64_t tag;
    size_t at; /* of the body in bodies */
    size_t n;
};

struct waiting {
    struct one all[WAITING_MOST];
    size_t count;
    struct buf bodies;
};

struct waiting *
waiting_new(void)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (waiting != NULL)
        waiting->bodies = buf_new(WAITING_BYTES);
    return waiting;
}

void
waiting_free(struct waiting *waiting)
{
    if (waiting == NULL)
        return;
    buf_free(&waiting->bodies);
    free(waiting);
}

int
waiting_add(struct waiting *waiting, const struct waiting_answer *answer, struct err *err)
{
    struct buf *bodies = &waiting->bodies;

    if (waiting->count == WAITING_MOST || answer->body.n > bodies->max_bytes - bodies->n)
        return err_set(err, ERR_BUSY, "too many answers wait for the store");
    if (answer->body.n > 0 && buf_reserve(bodies, answer->body.n) == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    waiting->all[waiting->count++] =
        (struct one){answer->door, answer->generation, answer->tag, bodies->n, answer->body.n};
    buf_add_span(bodies, answer->body);
    return 0;
}

size_t
waiting_count(const struct waiting *waiting)
{
    return waiting->count;
}

struct waiting_answer
waiting_get(const struct waiting *waiting, size_t i)
{
    const struct one *one = &waiting->all[i];
    struct span body = {"", 0};

    if (one->n > 0)
        body = (struct span){waiting->bodies.p + one->at, one->n};
    return (struct waiting_answer){one->door, one->generation, one->tag, body};
}

void
waiting_clear(struct waiting *waiting)
{
    waiting->count = 0;
    waiting->bodies.n = 0;
    if (waiting->bodies.size > KEPT_BYTES)
        buf_free(&waiting->bodies);
}
