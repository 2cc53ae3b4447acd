/* The window of duplicates beside a plain model: a list that is searched from end to end. */
#include "flow/seen.h"

#include <stdlib.h>
#include <string.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct model {
    uint64_t *last; /* distinct digests in order of arrival */
    size_t count;
    size_t window;
};

static bool
model_add(struct model *model, uint64_t digest)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->last[i] == digest)
            return true;
    if (model->count == model->window) {
        memmove(model->last, model->last + 1, (model->count - 1) * sizeof *model->last);
        model->count--;
    }
    model->last[model->count++] = digest;
    return false;
}

/* Digests from a small range, so that many come again, some after they have left the window; a few
 * of them share their slot. */
static void
agree(uint64_t asked, size_t holds, uint64_t range, unsigned rounds)
{
    struct seen *seen = seen_new(asked);
    struct model model = {.last = calloc(holds, sizeof *model.last), .window = holds};
    uint64_t state = range;
    unsigned again = 0;

    assert_non_null(seen);
    for (unsigned i = 0; i < rounds; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t digest = (state >> 33) % range;
        digest = digest % 7 == 0 ? digest << 40 : digest * 0x9e3779b97f4a7c15u;
        seen_prefetch(seen, digest);
        bool known = seen_add(seen, digest);
        if (known != model_add(&model, digest == 0 ? 1 : digest))
            fail_msg("window %zu, digest %u: %s", holds, i, known ? "known" : "new");
        again += known;
    }
    assert_true(again > 0 && again < rounds);
    seen_free(seen);
    free(model.last);
}

static void
the_window_is_a_list_that_is_searched(void **state)
{
    (void)state;
    agree(1, 16, 40, 20000);
    agree(16, 16, 17, 20000);
    agree(100, 128, 300, 40000);
    agree(4096, 4096, 9000, 30000);
}

/* The set doubles on the way; nothing may be forgotten by that. */
static void
growing_forgets_nothing(void **state)
{
    enum { COUNT = 200000 };
    struct seen *seen = seen_new(1 << 20);

    (void)state;
    assert_non_null(seen);
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_false(seen_add(seen, i * 0x9e3779b97f4a7c15u));
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_true(seen_add(seen, i * 0x9e3779b97f4a7c15u));
    seen_free(seen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_is_a_list_that_is_searched),
        cmocka_unit_test(growing_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
