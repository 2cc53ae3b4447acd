/* link.c: other teams' nodes, and how each way to them goes. */
#include "store/link.h"
#include "store/sqlite/db.h"

_Static_assert(
    LINK_PUSH == 1 && LINK_POLL == 2 && LINK_WITNESS == 4, "as doc/store-schema.md has them");

size_t
store_link_way_of(enum link_flag flag)
{
    return flag == LINK_PUSH ? 0 : flag == LINK_POLL ? 1 : 2;
}

/* ---- reading ---- */

static int
take_link(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_link *link = list_add(list);

    if (link == NULL)
        return arena_full(err, "links are read");
    link->team = (uint32_t)sqlite3_column_int64(row, 0);
    link->principal = (uint32_t)sqlite3_column_int64(row, 1);
    link->flags = (uint8_t)sqlite3_column_int64(row, 2);
    link->polled_us[LINK_RELEASED] = sqlite3_column_int64(row, 5);
    link->polled_us[LINK_DIRECTORY] = sqlite3_column_int64(row, 6);
    link->added_us = sqlite3_column_int64(row, 7);
    link->card_us = sqlite3_column_int64(row, 9);
    int rc = db_keep(row, 3, list->arena, &link->url, err);
    if (rc == 0)
        rc = db_keep(row, 4, list->arena, &link->pin, err);
    return rc == 0 ? db_keep(row, 8, list->arena, &link->added_by, err) : rc;
}

static struct store_link *
link_of(struct list *list, uint32_t team)
{
    struct store_link *all = (struct store_link *)(void *)list->items;

    for (size_t i = 0; i < list->count; i++)
        if (all[i].team == team)
            return &all[i];
    return NULL;
}

static int
take_way(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_link *link = link_of(list, (uint32_t)sqlite3_column_int64(row, 0));
    enum link_flag flag = (enum link_flag)sqlite3_column_int64(row, 1);

    if (link == NULL)
        return 0; /* store_check tells of it */
    struct store_link_way *way = &link->ways[store_link_way_of(flag)];
    way->ok_us = sqlite3_column_int64(row, 2);
    way->failing_us = sqlite3_column_int64(row, 3);
    way->again_us = sqlite3_column_int64(row, 4);
    way->failures = (uint32_t)sqlite3_column_int64(row, 5);
    way->status = (uint16_t)sqlite3_column_int64(row, 6);
    way->refused = sqlite3_column_int64(row, 7) != 0;
    way->lost = sqlite3_column_int64(row, 8) != 0;
    return db_keep(row, 9, list->arena, &way->why, err);
}

int
store_links(struct store *store, struct arena *arena, struct store_link **out, size_t *count,
    struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_link)};
    int rc = db_each(store, S_LINK_ALL, NULL, 0, take_link, &list, err);

    if (rc == 0)
        rc = db_each(store, S_LINK_WAY_ALL, NULL, 0, take_way, &list, err);
    *out = (struct store_link *)(void *)list.items;
    *count = list.count;
    return rc;
}

/* ---- writing ---- */

int
store_link_put(struct store *store, const struct store_link *link, struct err *err)
{
    return RUN(store, S_LINK_PUT, err, INT(link->team), INT(link->principal), INT(link->flags),
        TEXT(link->url), TEXT(link->pin), INT(link->polled_us[LINK_RELEASED]),
        INT(link->polled_us[LINK_DIRECTORY]), INT(link->added_us), TEXT(link->added_by),
        INT(link->card_us));
}

int
store_link_way_put(struct store *store, uint32_t team, enum link_flag flag,
    const struct store_link_way *way, struct err *err)
{
    struct span why = way->why;

    if (why.n > STORE_LINK_WHY_BYTES)
        why.n = STORE_LINK_WHY_BYTES;
    return RUN(store, S_LINK_WAY_PUT, err, INT(team), INT(flag), INT(way->ok_us),
        INT(way->failing_us), INT(way->again_us), INT(way->failures), INT(way->status),
        INT(way->refused), INT(way->lost), TEXT(why));
}

int
store_link_remove(struct store *store, uint32_t team, struct err *err)
{
    int rc = RUN(store, S_LINK_REMOVE, err, INT(team));

    return rc == 0 ? RUN(store, S_LINK_WAY_REMOVE, err, INT(team)) : rc;
}

/* ---- who waits ---- */

static int
take_team(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    uint32_t *team = list_add(list);

    if (team == NULL)
        return arena_full(err, "collections are looked through");
    *team = (uint32_t)sqlite3_column_int64(row, 0);
    return 0;
}

int
store_waiting(
    struct store *store, struct arena *arena, uint32_t **teams, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(uint32_t)};
    int rc = EACH(store, S_COLLECTION_WAITING, take_team, &list, err, INT(COLLECTION_TEAM));

    *teams = (uint32_t *)(void *)list.items;
    *count = list.count;
    return rc;
}

uint64_t
store_appends(const struct store *store)
{
    return store->appends;
}
