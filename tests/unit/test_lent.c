/* What the parent opened for a role is found under its name as long as it is lent anew, whatever
 * else was lent meanwhile. */
#include "sys/lent.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* Names of no file: what is not lent cannot be opened. */
static const char kept[] = "/nowhere/kept";

static void
lend(const char *path)
{
    struct err err;

    assert_int_equal(lent_take(span_of(path), open("/dev/null", O_RDONLY | O_CLOEXEC), &err), 0);
}

static bool
is_lent(const char *path)
{
    int fd = lent_open(path, 0);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* As the settings are read again and again, and one of their paths is another each time. */
static void
test_lent_anew(void **state)
{
    char other[64];

    (void)state;
    for (int i = 0; i < 3 * LENT_MAX; i++) {
        (void)snprintf(other, sizeof other, "/nowhere/%d", i);
        lend(kept);
        lend(other);
        assert_true(is_lent(kept));
        assert_true(is_lent(other));
    }
    assert_false(is_lent("/nowhere/0"));
}

static void
test_no_path(void **state)
{
    static char longer[LENT_PATH_BYTES + 1];
    struct err err;

    (void)state;
    memset(longer, 'x', LENT_PATH_BYTES);
    assert_int_equal(lent_take(SPAN(""), open("/dev/null", O_RDONLY | O_CLOEXEC), &err), ERR_LIMIT);
    assert_int_equal(
        lent_take(span_of(longer), open("/dev/null", O_RDONLY | O_CLOEXEC), &err), ERR_LIMIT);
    assert_int_equal(lent_take(span_of(kept), -1, &err), ERR_LIMIT);
    assert_int_equal(lent_open("", 0), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lent_anew),
        cmocka_unit_test(test_no_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
