/* What was acknowledged is there, and nothing is there by halves: after a power cut at every sync,
 * after every write and sync that fails, on a full disk. */
#include "store_ask.h"
#include "store_work.h"
#include "test_store_vfs.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TRANSACTIONS = 12 };

static void
expect_right(struct fixture *f, uint64_t least, uint64_t most, const char *when, uint64_t at)
{
    uint64_t last = 0;
    const char *wrong = work_wrong(f->store, &last, &f->err);

    if (wrong != NULL)
        fail_msg("%s %llu: %s (%s)", when, (unsigned long long)at, wrong, f->err.msg);
    if (last < least || last > most)
        fail_msg("%s %llu: %llu transactions are there; %llu were acknowledged, %llu begun", when,
            (unsigned long long)at, (unsigned long long)last, (unsigned long long)least,
            (unsigned long long)most);
}

/* Opened, transactions done until one fails. */
static void
work_until(struct fixture *f, uint64_t *acknowledged, uint64_t *begun)
{
    *acknowledged = 0;
    *begun = 0;
    if (store_open(f->folder, STORE_CREATE, &f->store, &f->err) != 0
        || work_setup(f->store, &f->err) != 0)
        return;
    for (uint64_t n = 1; n <= TRANSACTIONS; n++) {
        *begun = n;
        if (work_do(f->store, n, &f->err) != 0 || store_commit(f->store, &f->err) != 0)
            return;
        *acknowledged = n;
    }
}

static void
empty_folder(struct fixture *f)
{
    char command[128];

    store_close(f->store);
    f->store = NULL;
    (void)snprintf(command, sizeof command, "rm -rf %s/*", f->folder);
    assert_int_equal(system(command), 0);
    vfs_reset();
}

static bool
cut_power(struct fixture *f, uint64_t sync, unsigned keep)
{
    uint64_t acknowledged;
    uint64_t begun;

    empty_folder(f);
    vfs.crash_at = sync;
    work_until(f, &acknowledged, &begun);
    store_close(f->store);
    f->store = NULL;
    bool crashed = vfs.dead;
    vfs_after_crash(sync * 17 + keep, keep);
    vfs_reset();
    /* Before the store was made there may be nothing in it that could be looked at. */
    OK(f, store_open(f->folder, STORE_CREATE, &f->store, &f->err));
    if (begun > 0)
        expect_right(f, acknowledged, begun, "power cut at sync", sync);
    return crashed;
}

static void
power_cut_at_every_sync(void **state)
{
    struct fixture *f = *state;
    const unsigned keeps[] = {0, 16, 3, 8, 13};
    uint64_t syncs = 0;

    for (uint64_t sync = 1;; sync++) {
        bool crashed = false;
        for (size_t k = 0; k < sizeof keeps / sizeof keeps[0]; k++)
            crashed |= cut_power(f, sync, keeps[k]);
        if (!crashed)
            break;
        syncs = sync;
    }
    assert_true(syncs > TRANSACTIONS);
}

/* ---- errors of the device ---- */

/* Each transaction is tried until it is acknowledged; the device fails COUNT operations from AT
 * on. What failed must have left nothing. */
static bool
device_fails(struct fixture *f, uint64_t at, uint64_t count, int code)
{
    uint64_t failed = 0;

    empty_folder(f);
    OK(f, store_open(f->folder, STORE_CREATE, &f->store, &f->err));
    OK(f, work_setup(f->store, &f->err));
    vfs.operations = 0;
    vfs.fail_from = at;
    vfs.fail_count = count;
    vfs.fail_code = code;
    for (uint64_t n = 1; n <= TRANSACTIONS;) {
        int rc = work_do(f->store, n, &f->err);
        if (rc == 0)
            rc = store_commit(f->store, &f->err);
        if (rc == 0) {
            n++;
            continue;
        }
        assert_true(rc == ERR_IO || rc == ERR_FULL);
        store_rollback(f->store);
        assert_false(store_changing(f->store));
        assert_true(failed++ < count + 3);
        if (failed < 3)
            expect_right(f, n - 1, n - 1, "device failed at", at);
    }
    bool reached = vfs.operations >= at;
    expect_right(f, TRANSACTIONS, TRANSACTIONS, "device failed at", at);
    ask_again(f);
    expect_right(f, TRANSACTIONS, TRANSACTIONS, "reopened after the device failed at", at);
    return reached;
}

static void
every_operation_fails_once(void **state)
{
    struct fixture *f = *state;
    uint64_t at = 1;

    while (device_fails(f, at, 1, SQLITE_IOERR_WRITE))
        at += at < 40 ? 1 : 7;
    assert_true(at > 40);
}

static void
disk_is_full_for_a_while(void **state)
{
    struct fixture *f = *state;
    uint64_t at = 1;

    while (device_fails(f, at, 5, SQLITE_FULL))
        at += 11;
    assert_true(at > 40);
}

/* After a failure nothing more of the transaction is taken, until it is ended. */
static void
failure_is_told_until_the_end(void **state)
{
    struct fixture *f = *state;

    empty_folder(f);
    OK(f, store_open(f->folder, STORE_CREATE, &f->store, &f->err));
    OK(f, work_setup(f->store, &f->err));
    OK(f, work_do(f->store, 1, &f->err));
    vfs.fail_from = vfs.operations + 1;
    vfs.fail_count = UINT64_MAX / 2;
    vfs.fail_code = SQLITE_FULL;
    assert_int_equal(store_commit(f->store, &f->err), ERR_FULL);
    assert_false(store_changing(f->store));
    static char much[24 << 20]; /* more than the cache: it is written before the commit */
    work_noise(much, sizeof much, 1);
    assert_int_equal(store_set(f->store, "a", (struct span){much, sizeof much}, &f->err), ERR_FULL);
    assert_true(store_changing(f->store));
    vfs.fail_from = 0;
    assert_int_equal(store_set(f->store, "b", SPAN("1"), &f->err), ERR_FULL);
    assert_int_equal(store_begin(f->store, &f->err), ERR_FULL);
    assert_int_equal(store_commit(f->store, &f->err), ERR_FULL);
    assert_false(store_changing(f->store));
    expect_right(f, 0, 0, "full disk", 0);
    OK(f, work_do(f->store, 1, &f->err));
    OK(f, store_commit(f->store, &f->err));
    expect_right(f, 1, 1, "room again", 0);
}

/* ---- real conditions ---- */

/* Until it fails; then with room again. */
static void
until_full(struct fixture *f, void (*more_room)(struct fixture *f))
{
    uint64_t n = 0;
    int rc = 0;

    OK(f, store_open(f->folder, STORE_CREATE, &f->store, &f->err));
    OK(f, work_setup(f->store, &f->err));
    while (rc == 0 && n < 10000) {
        rc = work_do(f->store, n + 1, &f->err);
        if (rc == 0)
            rc = store_commit(f->store, &f->err);
        n += rc == 0;
    }
    assert_true(rc == ERR_IO || rc == ERR_FULL);
    assert_true(n > 3);
    store_rollback(f->store);
    expect_right(f, n, n, "full at", n);
    more_room(f);
    OK(f, work_do(f->store, n + 1, &f->err));
    OK(f, store_commit(f->store, &f->err));
    ask_again(f);
    expect_right(f, n + 1, n + 1, "room again after", n);
}

static void
lift_limit(struct fixture *f)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    (void)f;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
}

static void
file_size_limit(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;

    empty_folder(f);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit limit = {4 << 20, before.rlim_max};
    if (before.rlim_max != RLIM_INFINITY)
        skip();
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    until_full(f, lift_limit);
}

static void
grow_mount(struct fixture *f)
{
    assert_int_equal(mount(NULL, f->folder, "tmpfs", MS_REMOUNT, "size=32m"), 0);
}

static void
full_tmpfs(void **state)
{
    struct fixture *f = *state;

    empty_folder(f);
    if (mount("tmpfs", f->folder, "tmpfs", 0, "size=4m") != 0) {
        print_message("mounting needs root: %s\n", strerror(errno));
        skip();
    }
    until_full(f, grow_mount);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(umount(f->folder), 0);
}

static int
setup(void **state)
{
    vfs_reset();
    return ask_setup(state);
}

#define SHAKY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, ask_teardown)

/* --plant: the power cut on a device that lies must lose something, or the test sees nothing. */
int
main(int argc, char **argv)
{
    const struct CMUnitTest planted[] = {SHAKY_TEST(power_cut_at_every_sync)};
    const struct CMUnitTest tests[] = {
        SHAKY_TEST(power_cut_at_every_sync),
        SHAKY_TEST(every_operation_fails_once),
        SHAKY_TEST(disk_is_full_for_a_while),
        SHAKY_TEST(failure_is_told_until_the_end),
        SHAKY_TEST(file_size_limit),
        SHAKY_TEST(full_tmpfs),
    };

    vfs_begin();
    vfs.lies = argc > 1 && strcmp(argv[1], "--plant") == 0;
    if (vfs.lies)
        return cmocka_run_group_tests(planted, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
