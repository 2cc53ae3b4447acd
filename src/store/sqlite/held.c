#include "store/recall.h"
#include "store/sqlite/db.h"

#define WAITING SPAN("held waiting")

int
store_held_add(struct store *store, const struct store_held *held, size_t count, struct err *err)
{
    int rc = 0;
    int64_t waiting = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct store_held *h = &held[i];
        uint64_t number = 0;
        rc = db_next(store, SPAN("held"), &number, err);
        if (rc == 0)
            rc = RUN(store, S_HELD_ADD, err, INT(number), INT(h->batch), INT(h->place),
                INT(h->team), INT(h->reason), INT(h->state), INT(h->since_us), INT(h->decided_us),
                TEXT(h->by), TEXT(h->why));
        waiting += h->state == HELD_WAITING;
    }
    if (rc == 0 && waiting > 0)
        rc = RUN(store, S_COUNTER_ADD, err, TEXT(WAITING), INT(waiting));
    return rc;
}

static int
take_held(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_held *held = list_add(list);

    if (held == NULL)
        return arena_full(err, "held reports are read");
    held->number = (uint64_t)sqlite3_column_int64(row, 0);
    held->batch = (uint64_t)sqlite3_column_int64(row, 1);
    held->place = (uint32_t)sqlite3_column_int64(row, 2);
    held->team = (uint32_t)sqlite3_column_int64(row, 3);
    held->reason = (uint8_t)sqlite3_column_int64(row, 4);
    held->state = (uint8_t)sqlite3_column_int64(row, 5);
    held->since_us = sqlite3_column_int64(row, 6);
    held->decided_us = sqlite3_column_int64(row, 7);
    int rc = db_keep(row, 8, list->arena, &held->by, err);
    return rc == 0 ? db_keep(row, 9, list->arena, &held->why, err) : rc;
}

int
store_held_list(struct store *store, struct arena *arena, enum store_held_state state,
    uint64_t after, uint32_t limit, struct store_held **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_held)};
    int rc = EACH(store, S_HELD_LIST, take_held, &list, err, INT(state), INT(after), INT(limit));

    *out = (struct store_held *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_held_of(struct store *store, struct arena *arena, uint64_t batch, uint32_t place,
    struct store_held **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_held)};
    int rc = EACH(store, S_HELD_PLACE, take_held, &list, err, INT(batch), INT(place));

    *out = (struct store_held *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_held_get(struct store *store, struct arena *arena, uint64_t number, struct store_held *out,
    struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_held)};
    int rc = EACH(store, S_HELD_GET, take_held, &list, err, INT(number));

    if (rc == 0 && list.count == 0)
        rc =
            err_set(err, ERR_NOT_FOUND, "there is no held report %llu", (unsigned long long)number);
    if (rc == 0)
        *out = *(struct store_held *)(void *)list.items;
    return rc;
}

int
store_held_decide(struct store *store, const struct store_held *decided, struct err *err)
{
    int64_t state = 0;
    bool there = false;
    int rc = NUMBERS(store, S_HELD_STATE, &state, 1, &there, err, INT(decided->number));

    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no held report %llu",
            (unsigned long long)decided->number);
    if (rc == 0 && decided->state != HELD_RELEASED && decided->state != HELD_REFUSED)
        rc = err_set(err, ERR_BAD_VALUE, "a held report is released or refused");
    if (rc == 0 && state != HELD_WAITING)
        rc = err_set(err, ERR_EXISTS, "the held report %llu was %s already",
            (unsigned long long)decided->number, state == HELD_RELEASED ? "released" : "refused");
    if (rc == 0)
        rc = RUN(store, S_HELD_DECIDE, err, INT(decided->state), INT(decided->decided_us),
            TEXT(decided->by), TEXT(decided->why), INT(decided->number));
    return rc == 0 ? RUN(store, S_COUNTER_ADD, err, TEXT(WAITING), INT(-1)) : rc;
}

int
store_held_count(struct store *store, uint64_t *waiting, struct err *err)
{
    int64_t count = 0;
    bool there;
    int rc = NUMBERS(store, S_COUNTER_GET, &count, 1, &there, err, TEXT(WAITING));

    *waiting = (uint64_t)count;
    return rc;
}

int
held_lapse(struct store *store, uint64_t batch, int64_t now_us, struct err *err)
{
    int64_t waiting = 0;
    bool there;
    int rc = NUMBERS(store, S_HELD_OF, &waiting, 1, &there, err, INT(batch));

    if (rc != 0 || waiting == 0)
        return rc;
    rc = RUN(store, S_HELD_LAPSE, err, INT(now_us), TEXT(SPAN("")),
        TEXT(SPAN("its time was over before anybody decided")), INT(batch));
    return rc == 0 ? RUN(store, S_COUNTER_ADD, err, TEXT(WAITING), INT(-waiting)) : rc;
}
