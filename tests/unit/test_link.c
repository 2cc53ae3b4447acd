#include "model/link.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static const struct link south = {.team = 7,
    .flags = LINK_PUSH | LINK_WITNESS,
    .waits = true,
    .id = SPAN("south.test"),
    .url = SPAN("https://192.0.2.1:8444"),
    .pin = SPAN("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    .polled_us = {INT64_MIN, 1764087600000001}};
static const struct link east = {.team = UINT32_MAX,
    .flags = LINK_POLL,
    .id = SPAN("east.test"),
    .url = SPAN("https://east.test:443"),
    .polled_us = {0, INT64_MAX}};

static void
same(const struct link *a, const struct link *b)
{
    assert_int_equal(a->team, b->team);
    assert_int_equal(a->flags, b->flags);
    assert_true(a->waits == b->waits);
    assert_true(span_equal(a->id, b->id) && span_equal(a->url, b->url));
    assert_true(span_equal(a->pin, b->pin));
    for (size_t i = 0; i < LINK_WHAT_COUNT; i++)
        assert_true(a->polled_us[i] == b->polled_us[i]);
}

static struct buf
two_links(void)
{
    struct buf out = buf_new(4096);

    wire_add_u32(&out, 2);
    link_add(&out, &south);
    link_add(&out, &east);
    assert_false(out.full);
    return out;
}

static void
links_come_through(void **state)
{
    struct arena *arena = arena_new(65536);
    struct buf out = two_links();
    struct link *list;
    struct err err;
    size_t count;

    (void)state;
    assert_int_equal(links_take(arena, buf_span(&out), &list, &count, &err), 0);
    assert_int_equal(count, 2);
    same(&list[0], &south);
    same(&list[1], &east);
    buf_free(&out);
    arena_free(arena);
}

/* Cut short anywhere, or with something behind it, it is none; nothing beyond it is touched. */
static void
what_is_cut_is_none(void **state)
{
    struct arena *arena = arena_new(65536);
    struct buf out = two_links();
    struct link *list;
    struct err err;
    size_t count;

    (void)state;
    for (size_t n = 0; n < out.n; n++) {
        struct buf exact = buf_new(n + 1);
        buf_add(&exact, out.p, n);
        assert_int_equal(links_take(arena, buf_span(&exact), &list, &count, &err), ERR_INTERNAL);
        assert_null(list);
        assert_int_equal(count, 0);
        buf_free(&exact);
    }
    buf_add_char(&out, 'x');
    assert_int_equal(links_take(arena, buf_span(&out), &list, &count, &err), ERR_INTERNAL);
    buf_free(&out);
    arena_free(arena);
}

/* A count is no reason to take memory: what it counts must be there. */
static void
a_count_alone_is_none(void **state)
{
    struct arena *arena = arena_new(65536);
    struct link *list;
    struct err err;
    size_t count;

    (void)state;
    assert_int_equal(
        links_take(arena, (struct span){"\xff\xff\xff\xff", 4}, &list, &count, &err), ERR_INTERNAL);
    assert_int_equal(arena_used(arena), 0);
    arena_free(arena);
}

static void
parcels_come_through(void **state)
{
    const struct link_parcel parcel = {.from_us = INT64_MIN,
        .through_us = 1764087600000001,
        .objects = 3,
        .envelope = SPAN("{\"objects\":[1,2,3]}")};
    struct buf out = buf_new(4096);
    struct link_parcel got;
    struct err err;

    (void)state;
    link_parcel_add(&out, &parcel);
    assert_int_equal(link_parcel_take(buf_span(&out), &got, &err), 0);
    assert_true(got.from_us == INT64_MIN);
    assert_true(got.through_us == parcel.through_us && got.objects == 3);
    assert_true(span_equal(got.envelope, parcel.envelope));
    for (size_t n = 0; n < out.n; n++)
        assert_int_equal(link_parcel_take((struct span){out.p, n}, &got, &err), ERR_INTERNAL);
    buf_free(&out);
}

static void
failures_come_through(void **state)
{
    const struct link_failure failure = {.team = 7,
        .flag = LINK_POLL,
        .refused = true,
        .status = 403,
        .again_us = 1764087600000001,
        .why = SPAN("the account is disabled")};
    struct buf out = buf_new(4096);
    struct link_failure got;
    struct err err;

    (void)state;
    link_failure_add(&out, &failure);
    assert_int_equal(link_failure_take(buf_span(&out), &got, &err), 0);
    assert_true(got.team == 7 && got.flag == LINK_POLL && got.refused && got.status == 403);
    assert_true(got.again_us == failure.again_us && span_equal(got.why, failure.why));
    for (size_t n = 0; n < out.n; n++)
        assert_int_equal(link_failure_take((struct span){out.p, n}, &got, &err), ERR_INTERNAL);
    buf_free(&out);
}

static void
dates_come_through_a_header(void **state)
{
    static const char *const bad[] = {"", "5", "5 ", " 5", "5 5", "6 5", "-1 5", "5 6 7", "a 5",
        "0 9223372036854775808", "0  5", "0x1 5"};
    const struct link_dates dates = {INT64_MIN, INT64_MAX};
    char text[LINK_DATES_BYTES];
    struct link_dates got;

    (void)state;
    size_t n = link_dates_format(&dates, text);
    assert_true(n < sizeof text);
    assert_true(link_dates_parse((struct span){text, n}, &got));
    assert_true(got.from_us == 0 && got.through_us == INT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (link_dates_parse(span_of(bad[i]), &got))
            fail_msg("\"%s\" is none", bad[i]);
}

static void
urls_are_of_a_door(void **state)
{
    static const char *const good[] = {"https://comity.south.test", "https://192.0.2.1:8444",
        "https://[2001:db8::1]", "https://[2001:db8::1]:8444", "https://a:65535"};
    static const char *const bad[] = {"", "https://", "http://a", "https://a/", "https://a/b",
        "https://a?b", "https://a#b", "https://u@a", "https://u:p@a", "https://a:", "https://a:0",
        "https://a:65536", "https://a:8444x", "https://a b", "https://a\\b", "https://:8444",
        "HTTPS://a", "ftp://a", "https://a:-1", "https://a\n", "https://\xc3\xa4.test"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!link_url_is(span_of(good[i])))
            fail_msg("%s is one", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (link_url_is(span_of(bad[i])))
            fail_msg("%s is none", bad[i]);
    char long_one[LINK_URL_BYTES + 2];
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one, "https://", 8);
    assert_true(link_url_is((struct span){long_one, LINK_URL_BYTES}));
    assert_false(link_url_is((struct span){long_one, LINK_URL_BYTES + 1}));
}

static void
pins_are_hashes(void **state)
{
    (void)state;
    assert_true(link_pin_is(south.pin));
    assert_false(link_pin_is((struct span){south.pin.p, 63}));
    assert_false(link_pin_is(SPAN("")));
    assert_false(
        link_pin_is(SPAN("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_come_through),
        cmocka_unit_test(what_is_cut_is_none),
        cmocka_unit_test(a_count_alone_is_none),
        cmocka_unit_test(parcels_come_through),
        cmocka_unit_test(failures_come_through),
        cmocka_unit_test(dates_come_through_a_header),
        cmocka_unit_test(urls_are_of_a_door),
        cmocka_unit_test(pins_are_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
