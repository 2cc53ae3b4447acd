#include "cli/store_export.h"

#include "fmt/render.h"
#include "model/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BYTES = 192 << 20, LINE_BYTES = 16 << 20 };

struct export
{
    struct store *store;
    struct arena *arena;
    FILE *to;
    struct buf line;
    struct field fields[REPORT_FIELDS_MAX];
};

static int
write_report(struct export *export, const struct report *report, struct err *err)
{
    export->line.n = 0;
    render_idf(&export->line, report);
    int rc = buf_check(&export->line, "a report", err);
    if (rc == 0 && fwrite(export->line.p, 1, export->line.n, export->to) != export->line.n)
        rc = err_set(err, ERR_IO, "the reports cannot be written: %s", strerror(errno));
    return rc;
}

/* A batch whose time is over meanwhile is not there any more, and is passed over. */
static int
write_batch(struct export *export, uint64_t number, struct err *err)
{
    struct store_batch batch;
    struct report report;

    arena_reset(export->arena);
    int rc = store_batch_get(export->store, export->arena, number, &batch, err);
    if (rc == ERR_NOT_FOUND)
        return 0;
    struct wire_in in = wire_in(batch.records);
    while (rc == 0 && in.n > 0) {
        rc = record_next(&in, &report, export->fields, REPORT_FIELDS_MAX, err);
        if (rc == 0)
            rc = write_report(export, &report, err);
    }
    return rc;
}

struct numbers {
    uint64_t *all;
    size_t count;
    size_t room;
};

/* Newest first, as the store finds them. */
static int
find_batches(
    struct store *store, int64_t from_us, int64_t to_us, struct numbers *numbers, struct err *err)
{
    const struct store_search search = {.since_us = from_us, .until_us = to_us};
    uint64_t number = 0;
    int rc;

    while ((rc = store_batch_search(store, &search, number, &number, err)) == 0 && number != 0) {
        if (numbers->count == numbers->room) {
            size_t room = numbers->room == 0 ? 1024 : numbers->room * 2;
            uint64_t *all = realloc(numbers->all, room * sizeof *all);
            if (all == NULL)
                return err_set(err, ERR_NO_MEMORY, "no memory for the batches' numbers");
            numbers->all = all;
            numbers->room = room;
        }
        numbers->all[numbers->count++] = number;
    }
    return rc;
}

static int
write_all(struct export *export, const struct numbers *numbers, store_progress *progress, void *ctx,
    struct err *err)
{
    int rc = 0;

    for (size_t i = numbers->count; rc == 0 && i-- > 0;) {
        rc = write_batch(export, numbers->all[i], err);
        if (progress != NULL)
            progress(ctx, numbers->count - i, numbers->count);
    }
    if (rc == 0 && fflush(export->to) != 0)
        rc = err_set(err, ERR_IO, "the reports cannot be written: %s", strerror(errno));
    return rc;
}

static int
open_out(const char *out, FILE **to, struct err *err)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST
            ? err_set(err, ERR_EXISTS, "%s is there, and stays as it is", out)
            : err_set(err, ERR_IO, "%s cannot be made: %s", out, strerror(errno));
    *to = fdopen(fd, "w");
    return *to != NULL ? 0 : err_set(err, ERR_NO_MEMORY, "no memory to write %s", out);
}

int
store_export(struct store *store, int64_t from_us, int64_t to_us, const char *out,
    store_progress *progress, void *ctx, struct err *err)
{
    struct export *export = calloc(1, sizeof *export);
    struct arena *arena = arena_new(ARENA_BYTES);
    struct numbers numbers = {.all = NULL};

    if (export == NULL || arena == NULL) {
        free(export);
        arena_free(arena);
        return err_set(err, ERR_NO_MEMORY, "no memory to export");
    }
    export->store = store;
    export->arena = arena;
    export->to = stdout;
    export->line = buf_new(LINE_BYTES);
    int rc = out == NULL ? 0 : open_out(out, &export->to, err);
    if (rc == 0)
        rc = find_batches(store, from_us, to_us, &numbers, err);
    if (rc == 0)
        rc = write_all(export, &numbers, progress, ctx, err);
    if (export->to != stdout && export->to != NULL && fclose(export->to) != 0 && rc == 0)
        rc = err_set(err, ERR_IO, "%s cannot be written: %s", out, strerror(errno));
    free(numbers.all);
    buf_free(&export->line);
    arena_free(arena);
    free(export);
    return rc;
}
