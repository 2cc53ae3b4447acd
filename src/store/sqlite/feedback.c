/* feedback.c: what was said of reports by those who got them. */
#include "store/recall.h"
#include "store/sqlite/db.h"

int
store_feedback_put(struct store *store, const struct store_feedback *f, bool *new, struct err *err)
{
    int64_t version = 0;
    bool there = false;
    int rc = NUMBERS(store, S_FEEDBACK_VERSION, &version, 1, &there, err, INT(f->batch),
        INT(f->place), INT(f->team), TEXT(f->id));

    *new = rc == 0 && (!there || version < f->version_us);
    if (rc != 0 || !*new)
        return rc;
    rc =
        RUN(store, S_FEEDBACK_REMOVE, err, INT(f->batch), INT(f->place), INT(f->team), TEXT(f->id));
    return rc != 0 ? rc
                   : RUN(store, S_FEEDBACK_ADD, err, INT(f->batch), INT(f->place), INT(f->team),
                       TEXT(f->id), INT(f->version_us), INT(f->at_us), INT(f->opinion),
                       INT(f->count), TEXT(f->by), TEXT(f->note));
}

static int
take_feedback(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_feedback *f = list_add(list);

    if (f == NULL)
        return arena_full(err, "feedback is read");
    f->batch = (uint64_t)sqlite3_column_int64(row, 0);
    f->place = (uint32_t)sqlite3_column_int64(row, 1);
    f->team = (uint32_t)sqlite3_column_int64(row, 2);
    f->version_us = sqlite3_column_int64(row, 4);
    f->at_us = sqlite3_column_int64(row, 5);
    f->opinion = (uint8_t)sqlite3_column_int64(row, 6);
    f->count = (uint64_t)sqlite3_column_int64(row, 7);
    int rc = db_keep(row, 3, list->arena, &f->id, err);
    if (rc == 0)
        rc = db_keep(row, 8, list->arena, &f->by, err);
    return rc == 0 ? db_keep(row, 9, list->arena, &f->note, err) : rc;
}

int
store_feedback_of(struct store *store, struct arena *arena, uint64_t batch, uint32_t place,
    struct store_feedback **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_feedback)};
    int rc = EACH(store, S_FEEDBACK_OF, take_feedback, &list, err, INT(batch), INT(place));

    *out = (struct store_feedback *)(void *)list.items;
    *count = list.count;
    return rc;
}
