/* The store as the place of a log: what it shows is what a log in memory shows, also of partial
 * tiles that were put long ago; and nothing of it outlives its transaction. */
#include "store/ledger.h"
#include "store_ask.h"

enum { ENTRIES = 700, FLUSH_EVERY = 37, MEMORY_BYTES = 64 << 20 };

static struct span
entry_of(unsigned n, char *out, size_t room)
{
    int length = snprintf(out, room, "{\"entry\":%u,\"rest\":\"%*s\"}", n, (int)(n % 91), "");

    return (struct span){out, (size_t)length};
}

static void
same(struct fixture *f, const struct resources *a, const struct resources *b, const char *path)
{
    struct buf x = buf_new(RESOURCES_BYTES_MAX);
    struct buf y = buf_new(RESOURCES_BYTES_MAX);

    OK(f, a->get(a->ctx, path, &x, &f->err));
    OK(f, b->get(b->ctx, path, &y, &f->err));
    assert_true(span_equal(buf_span(&x), buf_span(&y)));
    buf_free(&x);
    buf_free(&y);
}

static void
same_tile(struct fixture *f, const struct resources *a, const struct resources *b, struct tile tile)
{
    char path[TILE_PATH_BYTES];

    tile.width = tile_width(ENTRIES, tile.level, tile.number);
    (void)tile_path(&tile, path);
    same(f, a, b, path);
}

static void
append_all(struct fixture *f, struct ledger **ledger, const struct resources *resources, bool again)
{
    char text[256];

    for (unsigned n = 0; n < ENTRIES; n++) {
        OK(f, ledger_append(*ledger, entry_of(n, text, sizeof text), NULL, &f->err));
        if (n % FLUSH_EVERY != 0)
            continue;
        OK(f, ledger_flush(*ledger, &f->err));
        if (!again)
            continue;
        struct merkle_hash root;
        ledger_root(*ledger, &root);
        uint64_t size = ledger_size(*ledger);
        ledger_free(*ledger);
        OK(f, store_commit(f->store, &f->err));
        OK(f, ledger_open(resources, size, &root, ledger, &f->err));
    }
    OK(f, ledger_flush(*ledger, &f->err));
}

static void
it_shows_what_memory_shows(void **state)
{
    struct fixture *f = *state;
    struct resources_memory *memory = resources_memory_new(MEMORY_BYTES);
    struct resources a = resources_memory_view(memory);
    struct resources b = resources_store_view(f->store);
    struct ledger *in_memory;
    struct ledger *in_store;
    struct merkle_hash x;
    struct merkle_hash y;

    OK(f, ledger_open(&a, 0, NULL, &in_memory, &f->err));
    OK(f, ledger_open(&b, 0, NULL, &in_store, &f->err));
    append_all(f, &in_memory, &a, false);
    append_all(f, &in_store, &b, true);
    OK(f, store_commit(f->store, &f->err));
    ledger_root(in_memory, &x);
    ledger_root(in_store, &y);
    assert_true(merkle_equal(&x, &y));
    for (uint64_t n = 0; n * TILE_WIDTH < ENTRIES; n++) {
        same_tile(f, &a, &b, (struct tile){.number = n});
        same_tile(f, &a, &b, (struct tile){.number = n, .entries = true});
    }
    same_tile(f, &a, &b, (struct tile){.level = 1});
    same(f, &a, &b, "tile/entries/002.p/44"); /* as flushed behind entry 555 */
    ledger_free(in_memory);
    ledger_free(in_store);
    resources_memory_free(memory);
}

static int
look(struct fixture *f, const char *path)
{
    struct resources resources = resources_store_view(f->store);
    struct buf out = buf_new(RESOURCES_BYTES_MAX);
    int rc = resources.get(resources.ctx, path, &out, &f->err);

    buf_free(&out);
    return rc;
}

static void
what_was_rolled_back_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct resources resources = resources_store_view(f->store);
    struct ledger *ledger;

    OK(f, ledger_open(&resources, 0, NULL, &ledger, &f->err));
    OK(f, store_begin(f->store, &f->err));
    OK(f, ledger_append(ledger, SPAN("one"), NULL, &f->err));
    OK(f, ledger_flush(ledger, &f->err));
    OK(f, resources.put(resources.ctx, RESOURCES_CHECKPOINT, SPAN("note"), &f->err));
    OK(f, look(f, "tile/entries/000.p/1"));
    store_rollback(f->store);
    assert_int_equal(look(f, "tile/entries/000.p/1"), ERR_NOT_FOUND);
    assert_int_equal(look(f, "tile/0/000.p/1"), ERR_NOT_FOUND);
    assert_int_equal(look(f, RESOURCES_CHECKPOINT), ERR_NOT_FOUND);
    assert_int_equal(look(f, "tile/0/0"), ERR_NOT_FOUND);
    ledger_free(ledger);
}

static void
deliveries_go_with_what_was_delivered(void **state)
{
    static const char json[] = "{\"id\":\"observed-data--1\"}";
    struct fixture *f = *state;
    struct store_object object = {.n = sizeof json - 1, .id = SPAN("observed-data--1"), .spec = 21};
    struct store_piece piece = {
        .collection = 1, .body = SPAN(json), .objects = &object, .count = 1, .batch = 9};
    struct store_collection collection = {.kind = COLLECTION_TEAM,
        .id = SPAN("c"),
        .title = SPAN("t"),
        .description = SPAN(""),
        .alias = SPAN("")};
    struct store_delivery delivery = {
        .entry = 7, .batch = 9, .team = 3, .salt = {1, 2}, .places = SPAN("ab")};
    struct store_delivery *list;
    uint32_t removed;
    size_t count;
    size_t added;

    OK(f, store_collection_add(f->store, &collection, &f->err));
    piece.collection = delivery.collection = collection.number;
    OK(f, store_append(f->store, &piece, 1000, &delivery.first_us, &added, &f->err));
    delivery.last_us = delivery.first_us;
    OK(f, store_delivery_add(f->store, &delivery, &f->err));
    OK(f, store_deliveries(f->store, f->arena, 9, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_true(list[0].entry == 7 && list[0].team == 3 && list[0].salt[1] == 2
        && list[0].first_us == delivery.first_us && span_equal(list[0].places, SPAN("ab")));
    OK(f, store_expire(f->store, 0, 1000, 0, 10, &removed, &f->err));
    OK(f, store_deliveries(f->store, f->arena, 9, &list, &count, &f->err));
    assert_int_equal(count, 1);
    OK(f, store_expire(f->store, 0, 2000, 0, 10, &removed, &f->err));
    assert_int_equal(removed, 1);
    OK(f, store_deliveries(f->store, f->arena, 9, &list, &count, &f->err));
    assert_int_equal(count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(it_shows_what_memory_shows),
        ASK_TEST(what_was_rolled_back_is_not_there),
        ASK_TEST(deliveries_go_with_what_was_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
