/* teams.c: which number has this team in the store?
 *
 * Numbers are given in memory and written with the next commit, so that one that was given stays
 * right whatever is rolled back.
 */
#include "store/sqlite/db.h"

#include <stdlib.h>

/* A million teams and their ids; a directory has some hundreds. */
enum { TEAMS_MAX = 1000000, TEAM_ID_BYTES = 256, TEAMS_BYTES = 64 << 20 };

static int
remember(struct teams *teams, struct span id, struct err *err)
{
    if (teams->arena == NULL && (teams->arena = arena_new(TEAMS_BYTES)) == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for teams");
    if (teams->count == TEAMS_MAX)
        return err_set(
            err, ERR_LIMIT, "the store has %d teams, the most there can be", (int)TEAMS_MAX);
    if (teams->count == teams->room) {
        uint32_t room = teams->room == 0 ? 64 : teams->room * 2;
        struct span *ids = realloc(teams->ids, room * sizeof *ids);
        if (ids == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for teams");
        teams->ids = ids;
        teams->room = room;
    }
    struct span kept = {arena_copy(teams->arena, id.p, id.n), id.n};
    if (kept.p == NULL)
        return arena_full(err, "teams are kept");
    teams->ids[teams->count++] = kept;
    return 0;
}

static int
load_row(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct store *store = ctx;

    if (sqlite3_column_int64(row, 0) != (int64_t)store->teams.count + 1)
        return err_set(err, ERR_BAD_STORE, "%s: the team number %u is missing", store->path,
            store->teams.count + 1);
    return remember(&store->teams, db_bytes(row, 1), err);
}

int
teams_load(struct store *store, struct err *err)
{
    int rc = db_each(store, S_TEAM_ALL, NULL, 0, load_row, store, err);

    store->teams.durable = store->teams.count;
    return rc;
}

int
teams_write(struct store *store, struct err *err)
{
    int rc = 0;

    for (uint32_t i = store->teams.durable; rc == 0 && i < store->teams.count; i++)
        rc = RUN(store, S_TEAM_ADD, err, INT(i + 1), TEXT(store->teams.ids[i]));
    return rc;
}

void
teams_free(struct teams *teams)
{
    free(teams->ids);
    arena_free(teams->arena);
}

/* Some hundred teams, asked for when a directory is loaded: looked through from the first. */
int
store_team(struct store *store, struct span id, uint32_t *number, struct err *err)
{
    if (id.n == 0 || id.n > TEAM_ID_BYTES)
        return err_set(err, ERR_LIMIT, "a team's id has %zu bytes; 1 to %d are kept", id.n,
            (int)TEAM_ID_BYTES);
    for (uint32_t i = 0; i < store->teams.count; i++)
        if (span_equal(store->teams.ids[i], id)) {
            *number = i + 1;
            return 0;
        }
    int rc = remember(&store->teams, id, err);
    *number = store->teams.count;
    return rc;
}

struct span
store_team_id(const struct store *store, uint32_t number)
{
    if (number == 0 || number > store->teams.count)
        return (struct span){0};
    return store->teams.ids[number - 1];
}
