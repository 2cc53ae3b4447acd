/* The root that a front computes over a batch in an envelope: that of the sender's ledger, unless a
 * byte was changed on the way. */
#include "edge/taxii_batch.h"

#include "base/base64.h"
#include "fmt/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define UUID(n) "00000000-0000-4000-8000-00000000000" #n
#define TIMES "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\""
#define ITEM(n, more)                                                                              \
    "{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"observed-data--" UUID(          \
        n) "\"," TIMES ",\"z\":\"a\\\"\\u0007b\",\"a\":[1,2.5,1000,true,null]," more "}"
#define NOTE(n)                                                                                    \
    "{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--" UUID(n) "\"," TIMES              \
                                                                          ",\"content\":\"caf\xc3" \
                                                                          "\xa9\"}"
/* It has no canonical form: what Comity writes counts as it is. */
#define BIG "{\"type\":\"note\",\"b\":18446744073709551615,\"a\":2.5}"
#define OTHER                                                                                      \
    "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--" UUID(                  \
        9) "\",\"value\":\"192.0.2.1\"}"
#define BATCH(n, salt)                                                                             \
    "{\"type\":\"comity-batch\",\"spec_version\":\"2.1\",\"id\":\"comity-batch--" UUID(            \
        n) "\"," TIMES ",\"salt\":\"" salt "\"}"
/* 32 bytes 'S' and 32 bytes 'T'. */
#define SALT_S "U1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1M="
#define SALT_T "VFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFQ="

enum { ROOM = 4 << 20 };

static struct arena *arena;
static struct json *json;

static void
read_text(struct span text, struct posted *posted)
{
    struct err err = {0};

    arena_reset(arena);
    if (posted_read(arena, json, text, posted, &err) != 0)
        fail_msg("%s", err.msg);
}

/* As the sender's ledger has it (core/delivery.c): from the text of each item by itself. */
static void
expect(const struct page_batch *batch, char salt, const char *const *items, size_t count)
{
    struct items_salt of_batch;
    struct merkle_hash leaves[8];
    struct merkle_hash root;
    struct err err;

    memset(of_batch.bytes, salt, sizeof of_batch.bytes);
    for (size_t i = 0; i < count; i++) {
        struct buf canonical = buf_new(ROOM);
        struct items_salt own;
        assert_int_equal(items_canonical(span_of(items[i]), &canonical, &err), 0);
        items_salt_of(&of_batch, i, &own);
        items_leaf(&own, buf_span(&canonical), &leaves[i]);
        buf_free(&canonical);
    }
    merkle_root_of(leaves, count, &root);
    assert_non_null(batch);
    assert_int_equal(batch->items, count);
    assert_true(merkle_equal(&batch->root, &root));
}

static void
root_is_the_senders(void **state)
{
    static const char *const first[] = {ITEM(1, "\"n\":1"), NOTE(2)};
    static const char *const second[] = {BIG};
    struct posted posted;

    (void)state;
    /* White space and the order of members do not count; what is between items does not either. */
    read_text(SPAN("{ \"objects\" : [ " ITEM(1, "\"n\" : 1") " ,\n" OTHER ", " NOTE(2) "," BATCH(
                  4, SALT_S) "," BIG "," BATCH(5, SALT_T) "]}"),
        &posted);
    assert_int_equal(posted.count, 6);
    expect(posted.objects[3].batch, 'S', first, 2);
    expect(posted.objects[5].batch, 'T', second, 1);
    assert_null(posted.objects[0].batch);
    static const uint32_t of[] = {0, POSTED_NO_BATCH, 0, POSTED_NO_BATCH, 1, POSTED_NO_BATCH};
    assert_memory_equal(posted.batches.of, of, sizeof of);
}

static void
members_in_another_order(void **state)
{
    static const char *const items[] = {"{\"type\":\"note\",\"b\":{\"y\":1,\"x\":2},\"a\":1}"};
    struct posted posted;

    (void)state;
    read_text(SPAN("{\"objects\":[{\"a\":1,\"b\":{\"x\":2.0,\"y\":1},\"type\":\"note\"}," BATCH(
                  4, SALT_S) "]}"),
        &posted);
    expect(posted.objects[1].batch, 'S', items, 1);
    assert_true(posted.results[0].message.n > 0); /* no good object, and counted as an item */
    taxii_batch_rejected(&posted);
    assert_int_equal(posted.batches.list[0].rejected, 1);
}

static void
batches_without_items_or_salt(void **state)
{
    struct posted posted;
    struct merkle_hash empty;

    (void)state;
    merkle_empty(&empty);
    read_text(SPAN("{\"objects\":[" BATCH(4, SALT_S) "," ITEM(1, "\"n\":1") "," BATCH(5,
                  "U1NT") "," ITEM(2, "\"n\":1") "," BATCH(6, SALT_T) "," ITEM(3, "\"n\":1") "]}"),
        &posted);
    assert_int_equal(posted.objects[0].batch->items, 0);
    assert_true(merkle_equal(&posted.objects[0].batch->root, &empty));
    assert_null(posted.objects[2].batch);
    assert_int_equal(posted.objects[4].batch->items, 1); /* a bad one ends what stands before it */
    assert_int_equal(posted.batches.of[1], POSTED_NO_BATCH);
    assert_int_equal(posted.batches.of[5], POSTED_NO_BATCH);
    read_text(SPAN("{\"objects\":[" ITEM(1, "\"n\":1") "]}"), &posted);
    assert_null(posted.batches.of);
}

/* Whatever byte of an item is changed: it is no JSON any more, or another root. */
static void
every_changed_byte_shows(void **state)
{
    static const char items[] = ITEM(1, "\"n\":1") "," NOTE(2);
    static const char before[] = "{\"objects\":[";
    char text[] = "{\"objects\":[" ITEM(1, "\"n\":1") "," NOTE(2) "," BATCH(4, SALT_S) "]}";
    const struct span all = {text, sizeof text - 1};
    size_t read = 0;
    struct posted posted;
    struct err err;

    (void)state;
    read_text(all, &posted);
    const struct merkle_hash root = posted.objects[2].batch->root;
    for (size_t i = sizeof before - 1; i < sizeof before - 1 + sizeof items - 1; i++)
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ 1 << bit);
            arena_reset(arena);
            if (posted_read(arena, json, all, &posted, &err) == 0 && posted.count == 3) {
                const struct page_batch *batch = posted.objects[2].batch;
                read++;
                if (batch->items == 2 && merkle_equal(&batch->root, &root))
                    fail_msg("byte %zu, bit %d: the same root", i, bit);
            }
            text[i] = (char)(text[i] ^ 1 << bit);
        }
    assert_true(read > 500);
}

static double
seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* An envelope as large as they may be; --time tells how long it took. */
static void
large_envelope(void **state)
{
    struct buf text = buf_new(PAGE_BODY_MAX);
    struct posted posted;
    struct json_value root;
    struct json_value list;
    struct err err;
    uint64_t items = 0;

    (void)state;
    buf_add_text(&text, "{\"objects\":[");
    while (text.n < PAGE_BODY_MAX - 2000) {
        for (int i = 0; i < 10; i++, items++)
            buf_add_text(&text, ITEM(1, "\"n\":1") ",");
        buf_add_text(&text, BATCH(4, SALT_S) ",");
    }
    buf_add_text(&text, OTHER "]}");
    assert_false(text.full);
    read_text(buf_span(&text), &posted);
    assert_int_equal(posted.batches.count, items / 10);
    assert_int_equal(json_parse_copy(json, buf_span(&text), &root, &err), 0);
    assert_true(json_get(root, "objects", &list));
    double begun = seconds();
    posted.batches.count = 0;
    assert_int_equal(taxii_batch_read(arena, list, &posted, &err), 0);
    if (getenv("COMITY_TEST_TIMES") != NULL)
        print_message("%.0f items a second, of %zu bytes\n", (double)items / (seconds() - begun),
            sizeof ITEM(1, "\"n\":1") - 1);
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_the_senders),
        cmocka_unit_test(members_in_another_order),
        cmocka_unit_test(batches_without_items_or_salt),
        cmocka_unit_test(every_changed_byte_shows),
        cmocka_unit_test(large_envelope),
    };
    arena = arena_new(64 << 20);
    json = json_new(PAGE_BODY_MAX);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_free(json);
    arena_free(arena);
    return failed;
}
