/* Up to where has a recipient what is in its collection? */
#include "core/collections_private.h"

enum { FLUSH_US = 5000000 };

static void
mark(struct fetched *f, const struct store_collection *of, int64_t through_us)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->marks[i].collection == of->number) {
            if (through_us > f->marks[i].through_us)
                f->marks[i].through_us = through_us;
            return;
        }
    /* One that is not noted is noted with the recipient's next page. */
    if (f->count == FETCHED_MAX)
        return;
    f->marks[f->count].collection = of->number;
    f->marks[f->count].team = of->team;
    f->marks[f->count++].through_us = through_us;
}

/* A filter shows a part only: what lies before is not known to have come. */
void
collections_fetched(struct collections *c, const struct asker *asker, const struct page_question *q)
{
    const struct page_filter *f = &q->filter;
    unsigned may;
    const struct store_collection *at = collections_find(c, q->collection, asker, &may);
    bool whole = f->id_count + f->type_count + f->spec_count + f->named_count == 0 && !f->first;

    if (q->what == PAGE_OBJECTS && asker->kind == PRINCIPAL_PARTNER && at != NULL
        && at->kind == COLLECTION_TEAM && q->after_us > 0 && whole)
        mark(collections_marks(c), at, q->after_us);
}

bool
collections_flush_due(struct collections *c, int64_t now_us)
{
    const struct fetched *f = collections_marks(c);

    return f->count > 0 && (now_us - f->flushed_us > FLUSH_US || now_us < f->flushed_us);
}

int
collections_flush(struct collections *c, int64_t now_us,
    bool (*by_receipt)(void *ctx, uint32_t team), void *ctx, struct err *err)
{
    struct fetched *f = collections_marks(c);
    int rc = 0;

    f->flushed_us = now_us;
    for (size_t i = 0; rc == 0 && i < f->count; i++)
        rc = store_fetched(collections_store(c), f->marks[i].collection, f->marks[i].through_us,
            by_receipt(ctx, f->marks[i].team), err);
    f->count = 0;
    return rc;
}
