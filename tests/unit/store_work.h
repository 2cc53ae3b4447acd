/* store_work.h: one transaction after the other that touches all of the store, and what must be
 * true of it whenever it was interrupted.
 *
 * Transaction N leaves: the value "last" N, a batch, its outbox entry, an object in a team's
 * collection, a version of one of five posted objects, a held report and a count. So from `last`
 * everything else follows.
 */
#ifndef COMITY_TESTS_STORE_WORK_H
#define COMITY_TESTS_STORE_WORK_H

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORK_POSTED = 5, WORK_PADDING = 3000 };

/* What does not pack well, so that files grow. */
static inline void
work_noise(char *out, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (char)('a' + (seed >> 40) % 26);
    }
}

static inline int
work_setup(struct store *store, struct err *err)
{
    struct store_collection team = {.kind = COLLECTION_TEAM, .team = 1, .id = SPAN("team")};
    struct store_collection shared = {.kind = COLLECTION_SHARED, .id = SPAN("shared")};
    uint32_t number;
    int rc = store_team(store, SPAN("north.test"), &number, err);

    if (rc == 0)
        rc = store_collection_add(store, &team, err);
    if (rc == 0)
        rc = store_collection_add(store, &shared, err);
    return rc == 0 ? store_commit(store, err) : rc;
}

static inline int
work_batch(struct store *store, uint64_t n, struct err *err)
{
    static char records[WORK_PADDING + 4];
    const struct store_due due = {1, 1};
    const uint64_t key = n * 0x9e3779b97f4a7c15u;
    uint32_t length = WORK_PADDING;
    struct store_batch batch = {.received_us = (int64_t)n,
        .count = 1,
        .records = {records, sizeof records},
        .outcomes = SPAN("o"),
        .keys = &key,
        .key_count = 1,
        .digests = &key};
    const struct store_held held = {.batch = n, .team = 1, .since_us = (int64_t)n};
    const struct store_count count = {.day = 1, .value = 1};

    memcpy(records, &length, sizeof length);
    work_noise(records + 4, WORK_PADDING, n);
    int rc = store_batch_add(store, &batch, &due, 1, err);
    if (rc == 0)
        rc = store_held_add(store, &held, 1, err);
    return rc == 0 ? store_count_add(store, &count, 1, err) : rc;
}

static inline int
work_objects(struct store *store, uint64_t n, struct err *err)
{
    static char body[WORK_PADDING];
    char id[64];
    struct store_object object = {.n = WORK_PADDING, .id = {id, 0}, .spec = 21};
    struct store_piece piece = {.collection = 1,
        .body = {body, WORK_PADDING},
        .objects = &object,
        .count = 1,
        .reports = 1,
        .batch = n};
    int64_t first_us;
    size_t added;

    work_noise(body, WORK_PADDING, n + 1000000);
    object.id.n = (size_t)snprintf(
        id, sizeof id, "observed-data--%08x-1234-4abc-8def-0123456789ab", (unsigned)n);
    int rc = store_append(store, &piece, (int64_t)n, &first_us, &added, err);
    object.id.n = (size_t)snprintf(
        id, sizeof id, "indicator--%08x-1234-4abc-8def-0123456789ab", (unsigned)(n % WORK_POSTED));
    object.version_us = (int64_t)n;
    piece.collection = 2;
    piece.indexed = true;
    return rc == 0 ? store_append(store, &piece, (int64_t)n, &first_us, &added, err) : rc;
}

/* Everything of transaction N but its commit. */
static inline int
work_do(struct store *store, uint64_t n, struct err *err)
{
    int rc = work_batch(store, n, err);

    if (rc == 0)
        rc = work_objects(store, n, err);
    if (rc == 0 && n > 3)
        rc = store_due_done(store, n - 3, err);
    return rc == 0 ? store_set(store, "last", (struct span){(const char *)&n, sizeof n}, err) : rc;
}

static inline int
work_last(struct store *store, struct arena *arena, uint64_t *last, struct err *err)
{
    struct span value;
    int rc = store_get(store, arena, "last", &value, err);

    *last = 0;
    if (rc == 0 && value.n == sizeof *last)
        memcpy(last, value.p, sizeof *last);
    return rc;
}

static inline void
work_fault(void *ctx, const char *what)
{
    (void)ctx;
    (void)fprintf(stderr, "store check: %s\n", what);
}

/* NULL if all is as `last` says, else what is not. */
static inline const char *
work_wrong(struct store *store, uint64_t *last, struct err *err)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct store_collection *collections;
    struct store_count *counts;
    struct store_info info;
    struct store_batch batch;
    size_t count;
    uint64_t faults = 1;
    uint64_t due;
    const char *wrong = NULL;

    if (work_last(store, arena, last, err) != 0
        || store_check(store, work_fault, NULL, NULL, &faults, err) != 0 || faults != 0)
        wrong = "the store is damaged";
    else if (store_info(store, &info, err) != 0 || info.reports != (int64_t)*last
        || info.held != (int64_t)*last || info.objects != (int64_t)*last * 2)
        wrong = "there are other numbers of things than transactions";
    else if (store_batch_get(store, arena, *last + 1, &batch, err) != ERR_NOT_FOUND
        || (*last > 0 && store_batch_get(store, arena, *last, &batch, err) != 0))
        wrong = "the batches are not those of the transactions";
    else if (store_due_next(store, &due, err) != 0
        || due
            != (*last > 3       ? *last - 2
                    : *last > 0 ? 1u
                                : 0u))
        wrong = "the outbox is not that of the transactions";
    else if (store_count_list(store, arena, 0, 9, &counts, &count, err) != 0
        || (*last > 0 && (count != 1 || counts[0].value != *last)))
        wrong = "the statistics are not those of the transactions";
    else if (store_collections(store, arena, &collections, &count, err) != 0 || count != 2)
        wrong = "a collection is missing";
    arena_free(arena);
    return wrong;
}

#endif
