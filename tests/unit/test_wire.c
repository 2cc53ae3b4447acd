#include "base/caller.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void
what_was_written_is_read(void **state)
{
    struct buf out = buf_new(1000);
    struct err err;

    (void)state;
    wire_add_u8(&out, 0xfe);
    wire_add_u16(&out, 0x1234);
    wire_add_u32(&out, 0xdeadbeef);
    wire_add_u64(&out, UINT64_MAX - 1);
    wire_add_i64(&out, INT64_MIN);
    wire_add_text(&out, SPAN("text"));
    wire_add_text(&out, (struct span){NULL, 0});
    buf_add_text(&out, "raw");
    assert_memory_equal(out.p, "\xfe\x34\x12\xef\xbe\xad\xde", 7);
    struct wire_in in = wire_in(buf_span(&out));
    assert_int_equal(wire_u8(&in), 0xfe);
    assert_int_equal(wire_u16(&in), 0x1234);
    assert_int_equal(wire_u32(&in), 0xdeadbeef);
    assert_true(wire_u64(&in) == UINT64_MAX - 1);
    assert_true(wire_i64(&in) == INT64_MIN);
    assert_true(span_equal(wire_text(&in), SPAN("text")));
    assert_int_equal(wire_text(&in).n, 0);
    assert_int_equal(wire_end(&in, "a message", &err), ERR_INTERNAL);
    assert_true(span_equal(wire_bytes(&in, 3), SPAN("raw")));
    assert_int_equal(wire_end(&in, "a message", &err), 0);
    buf_free(&out);
}

/* Each beginning of a message is cut short, whatever it is read as; nothing beyond it is touched
 * (the bytes stand in memory of just their size). */
static void
what_is_not_there_is_bad(void **state)
{
    static const char whole[] = "\x05\0\0\0hello\x01\0\0\0\0\0\0\0";
    struct err err;

    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct buf exact = buf_new(n + 1);
        buf_add(&exact, whole, n);
        struct wire_in in = wire_in(buf_span(&exact));
        (void)wire_text(&in);
        assert_int_equal(wire_u64(&in), 0);
        assert_true(in.bad);
        assert_int_equal(wire_u8(&in), 0); /* bad stays bad */
        assert_int_equal(wire_end(&in, "a message", &err), ERR_INTERNAL);
        buf_free(&exact);
    }
    struct wire_in in = wire_in((struct span){"\xff\xff\xff\xff", 4});
    assert_int_equal(wire_text(&in).n, 0);
    assert_true(in.bad);
    in = wire_in((struct span){NULL, 0});
    assert_int_equal(wire_bytes(&in, SIZE_MAX).n, 0);
    assert_true(in.bad);
}

static void
a_full_buffer_says_so(void **state)
{
    struct buf out = buf_new(6);
    struct err err;

    (void)state;
    wire_add_text(&out, SPAN("abc"));
    assert_int_equal(buf_check(&out, "it", &err), ERR_LIMIT);
    buf_free(&out);
}

static void
callers_come_through(void **state)
{
    const struct caller asks = {.scheme = CALLER_SESSION,
        .user = SPAN("u"),
        .secret = SPAN("secret"),
        .proof = SPAN("proof"),
        .peer = SPAN("192.0.2.1")};
    struct buf out = buf_new(1000);
    struct caller got;

    (void)state;
    caller_add(&out, &asks);
    struct wire_in in = wire_in(buf_span(&out));
    caller_take(&in, &got);
    assert_int_equal(wire_end(&in, "a caller", NULL), 0);
    assert_int_equal(got.scheme, CALLER_SESSION);
    assert_true(span_equal(got.user, asks.user) && span_equal(got.secret, asks.secret)
        && span_equal(got.proof, asks.proof) && span_equal(got.peer, asks.peer));
    out.p[0] = CALLER_LINK + 1;
    in = wire_in(buf_span(&out));
    caller_take(&in, &got);
    assert_true(in.bad);
    assert_int_equal(got.scheme, CALLER_NOBODY);
    assert_int_equal(got.secret.n, 0);
    in = wire_in((struct span){out.p, out.n - 1});
    caller_take(&in, &got);
    assert_true(in.bad);
    assert_int_equal(got.user.n, 0);
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_not_there_is_bad),
        cmocka_unit_test(a_full_buffer_says_so),
        cmocka_unit_test(callers_come_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
