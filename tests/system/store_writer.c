/* store_writer: a process that writes a store, for tests to kill and to look at.
 *
 * usage: store_writer work FOLDER        transactions without end; each one's number when it is
 *                                        durable (tests/unit/store_work.h)
 *        store_writer judge FOLDER       the number of the last; status 1 if anything is not right
 *        store_writer take FOLDER FILE TIME_US   IDF reports, one batch of 100 at each TIME_US, +1
 * s
 */
#include "../unit/store_work.h"
#include "fmt/reader.h"
#include "model/record.h"

#include <fcntl.h>

static int
fail(const struct err *err)
{
    (void)fprintf(stderr, "store_writer: %s\n", err->msg);
    return 2;
}

static int
work(const char *folder)
{
    struct arena *arena = arena_new(1 << 20);
    struct err err = {0};
    struct store *store;
    uint64_t last = 0;

    int rc = store_open(folder, STORE_CREATE, &store, &err);
    if (rc == 0)
        rc = work_last(store, arena, &last, &err);
    struct store_collection *collections;
    size_t count = 0;
    if (rc == 0)
        rc = store_collections(store, arena, &collections, &count, &err);
    if (rc == 0 && count == 0)
        rc = work_setup(store, &err);
    for (uint64_t n = last + 1; rc == 0; n++) {
        rc = work_do(store, n, &err);
        if (rc == 0)
            rc = store_commit(store, &err);
        if (rc == 0 && (printf("%llu\n", (unsigned long long)n) < 0 || fflush(stdout) != 0))
            return 2;
    }
    return fail(&err);
}

static int
judge(const char *folder)
{
    struct err err = {0};
    struct store *store;
    uint64_t last = 0;

    if (store_open(folder, STORE_WRITE, &store, &err) != 0)
        return fail(&err);
    const char *wrong = work_wrong(store, &last, &err);
    (void)printf("%llu\n", (unsigned long long)last);
    if (wrong != NULL)
        (void)fprintf(stderr, "store_writer: %s %s\n", wrong, err.msg);
    store_close(store);
    return wrong != NULL;
}

/* ---- take ---- */

enum { TAKE_REPORTS = 100 };

struct taking {
    struct store *store;
    struct buf records;
    uint32_t count;
    int64_t now_us;
};

static int
flush(struct taking *taking, struct err *err)
{
    struct store_batch batch = {.received_us = taking->now_us,
        .count = taking->count,
        .records = buf_span(&taking->records),
        .outcomes = SPAN("o")};
    int rc = taking->count == 0 ? 0 : store_batch_add(taking->store, &batch, NULL, 0, err);

    taking->count = 0;
    taking->records.n = 0;
    taking->now_us += 1000000;
    return rc;
}

static int
take_report(void *ctx, const struct report *report, struct err *err)
{
    struct taking *taking = ctx;

    record_add(&taking->records, report);
    return ++taking->count == TAKE_REPORTS ? flush(taking, err) : 0;
}

static int
take_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)record;
    *err = *why;
    return why->code;
}

static int
take(const char *folder, const char *file, const char *time_us)
{
    struct taking taking = {.records = buf_new(1 << 24), .now_us = strtoll(time_us, NULL, 10)};
    const struct reader_sink sink = {.ctx = &taking, .report = take_report, .reject = take_reject};
    const struct reader_options options = {.share_dir = ""};
    struct input *input = NULL;
    struct err err = {0};

    int rc = store_open(folder, STORE_CREATE, &taking.store, &err);
    if (rc == 0)
        rc = input_open_fd(open(file, O_RDONLY | O_CLOEXEC), file, &input, &err);
    if (rc == 0)
        rc = idf_read(input, &options, &sink, &err);
    if (rc == 0)
        rc = flush(&taking, &err);
    if (rc == 0)
        rc = store_commit(taking.store, &err);
    store_close(taking.store);
    input_close(input);
    buf_free(&taking.records);
    return rc == 0 ? 0 : fail(&err);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "work") == 0)
        return work(argv[2]);
    if (argc == 3 && strcmp(argv[1], "judge") == 0)
        return judge(argv[2]);
    if (argc == 5 && strcmp(argv[1], "take") == 0)
        return take(argv[2], argv[3], argv[4]);
    return 2;
}
