/* recall.c: what was taken back, and by what it is superseded. */
#include "store/recall.h"
#include "store/sqlite/piece.h"

int
store_recall_add(struct store *store, const struct store_recall *recall, struct err *err)
{
    int64_t there = 0;
    bool found = false;
    int rc = NUMBERS(
        store, S_RECALL_THERE, &there, 1, &found, err, INT(recall->batch), INT(recall->place));

    if (rc == 0 && found)
        return err_set(err, ERR_EXISTS, "the report was recalled already");
    return rc != 0 ? rc
                   : RUN(store, S_RECALL_ADD, err, INT(recall->batch), INT(recall->place),
                       TEXT(recall->id), INT(recall->team), INT(recall->at_us), TEXT(recall->by),
                       TEXT(recall->why), TEXT(recall->corrected));
}

static int
take_recall(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_recall *recall = list_add(list);

    if (recall == NULL)
        return arena_full(err, "recalls are read");
    recall->batch = (uint64_t)sqlite3_column_int64(row, 0);
    recall->place = (uint32_t)sqlite3_column_int64(row, 1);
    recall->team = (uint32_t)sqlite3_column_int64(row, 3);
    recall->at_us = sqlite3_column_int64(row, 4);
    int rc = db_keep(row, 2, list->arena, &recall->id, err);
    if (rc == 0)
        rc = db_keep(row, 5, list->arena, &recall->by, err);
    if (rc == 0)
        rc = db_keep(row, 6, list->arena, &recall->why, err);
    return rc == 0 ? db_keep(row, 7, list->arena, &recall->corrected, err) : rc;
}

int
store_recall_get(struct store *store, struct arena *arena, uint64_t batch, uint32_t place,
    struct store_recall *out, bool *there, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_recall)};
    int rc = EACH(store, S_RECALL_GET, take_recall, &list, err, INT(batch), INT(place));

    *there = rc == 0 && list.count > 0;
    if (*there)
        *out = *(struct store_recall *)(void *)list.items;
    return rc;
}

int
store_recalls_of(struct store *store, struct arena *arena, uint64_t batch,
    struct store_recall **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_recall)};
    int rc = EACH(store, S_RECALL_OF, take_recall, &list, err, INT(batch));

    *out = (struct store_recall *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_recalls_by_id(struct store *store, struct arena *arena, struct span id,
    struct store_recall **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_recall)};
    int rc = EACH(store, S_RECALL_BY_ID, take_recall, &list, err, TEXT(id));

    *out = (struct store_recall *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_recall_correct(
    struct store *store, struct span old, struct span new, uint32_t team, struct err *err)
{
    return RUN(store, S_RECALL_CORRECT, err, TEXT(new), TEXT(old), INT(team));
}

/* ---- versions of released objects ---- */

static int
flag(struct store *store, uint32_t collection, int64_t added_us, uint8_t clear, struct err *err)
{
    int64_t number = 0;
    bool there = false;
    int rc = NUMBERS(store, S_PIECE_AT, &number, 1, &there, err, INT(collection), INT(added_us));

    if (rc == 0 && !there)
        return err_set(err, ERR_NOT_FOUND, "what is superseded is in no piece");
    return rc == 0 ? piece_flag(store, (uint64_t)number, added_us, 0, clear, err) : rc;
}

int
store_supersede(struct store *store, uint32_t collection, const struct store_superseded *superseded,
    struct err *err)
{
    int rc = db_change(store, err);

    if (rc == 0)
        rc = flag(store, collection, superseded->added_us, ENTRY_LAST, err);
    if (rc == 0)
        rc = flag(store, collection, superseded->by_us, ENTRY_FIRST, err);
    return rc == 0 ? RUN(store, S_SUPERSEDED_ADD, err, INT(collection), INT(superseded->added_us),
               INT(superseded->by_us), INT(superseded->at_us))
                   : rc;
}

static int
take_superseded(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct store_superseded *at = list_add(ctx);

    if (at == NULL)
        return arena_full(err, "recalled objects are read");
    at->added_us = sqlite3_column_int64(row, 0);
    at->by_us = sqlite3_column_int64(row, 1);
    at->at_us = sqlite3_column_int64(row, 2);
    return 0;
}

int
store_superseded_list(struct store *store, struct arena *arena, uint32_t collection,
    int64_t since_us, int64_t until_us, struct store_superseded **out, size_t *count,
    struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_superseded)};
    int rc = EACH(store, S_SUPERSEDED_IN, take_superseded, &list, err, INT(collection),
        INT(since_us), INT(until_us));

    *out = (struct store_superseded *)(void *)list.items;
    *count = list.count;
    return rc;
}

/* ---- what must be known of a batch ---- */

int
store_batch_known(struct store *store, uint64_t number, uint64_t tag, bool *known, struct err *err)
{
    int64_t value = 0;
    bool there = false;

    *known = false;
    if (number == 0 || number > INT64_MAX)
        return 0;
    int rc = NUMBERS(store, S_BATCH_TAG, &value, 1, &there, err, INT(number));
    if (rc != 0 || there) {
        *known = rc == 0 && (uint64_t)value == tag;
        return rc;
    }
    rc = NUMBERS(store, S_COUNTER_GET, &value, 1, &there, err, TEXT(SPAN("batch")));
    *known = rc == 0 && there && number <= (uint64_t)value;
    return rc;
}

int
store_due_has(struct store *store, uint64_t batch, bool *due, struct err *err)
{
    int64_t value = 0;

    return NUMBERS(store, S_DUE_HAS, &value, 1, due, err, INT(batch));
}

int
store_unsent_add(struct store *store, const struct store_unsent *u, struct err *err)
{
    return RUN(store, S_UNSENT_ADD, err, INT(u->batch), INT(u->place), INT(u->team), INT(u->why),
        INT(u->at_us));
}

int
store_unsent_get(struct store *store, struct store_unsent *out, bool *there, struct err *err)
{
    int64_t values[2] = {0}; /* why, at_us */
    int rc = NUMBERS(store, S_UNSENT_GET, values, 2, there, err, INT(out->batch), INT(out->place),
        INT(out->team));

    out->why = (uint8_t)values[0];
    out->at_us = values[1];
    return rc;
}
