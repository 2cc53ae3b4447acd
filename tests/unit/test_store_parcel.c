/* What goes to another node next: whole deliveries, as many as fit, whatever was removed. */
#include "store/link.h"
#include "store_ask.h"

enum { NOW = 1700000000, OBJECT_BYTES = 1000, OUT_BYTES = 16 << 20, PIECE_OBJECTS = 128 };
#define US(seconds) ((int64_t)(seconds)*1000000)
#define END SPAN("comity-batch")

struct node {
    struct fixture *f;
    uint32_t team;
    uint32_t collection;
    struct buf out;
    struct store_parcel parcel;
};

static void
begin(struct node *n, void **state)
{
    struct store_collection collection = {.kind = COLLECTION_TEAM, .id = SPAN("c")};

    *n = (struct node){.f = *state, .out = buf_new(OUT_BYTES)};
    OK(n->f, store_begin(n->f->store, &n->f->err));
    OK(n->f, store_team(n->f->store, SPAN("bb-cert"), &n->team, &n->f->err));
    collection.team = n->team;
    OK(n->f, store_collection_add(n->f->store, &collection, &n->f->err));
    n->collection = collection.number;
    OK(n->f, store_commit(n->f->store, &n->f->err));
}

/* COUNT objects of OBJECT_BYTES with commas between them, of BATCH, the last of type END if it is
 * the end of a delivery; returns the date of the last. */
static int64_t
append(struct node *n, uint64_t batch, uint32_t count, bool ends)
{
    static uint32_t serial;
    static struct store_object objects[1000];
    static char ids[1000][64];
    struct buf body = buf_new(OUT_BYTES);
    struct store_piece piece = {.collection = n->collection,
        .objects = objects,
        .count = count,
        .batch = batch,
        .reports = count};
    int64_t first_us;
    size_t added;

    assert_true(count <= 1000);
    for (uint32_t i = 0; i < count; i++) {
        bool end = ends && i == count - 1;
        int k = snprintf(ids[i], sizeof ids[i], "%s--%08x-0000-4000-8000-000000000000",
            end ? "comity-batch" : "note", ++serial);
        if (i > 0)
            buf_add_char(&body, ',');
        objects[i] = (struct store_object){
            .at = (uint32_t)body.n, .n = OBJECT_BYTES, .spec = 21, .id = {ids[i], (size_t)k}};
        buf_format(&body, "\"%-*s\"", OBJECT_BYTES - 2, ids[i]);
    }
    piece.body = buf_span(&body);
    OK(n->f, store_append(n->f->store, &piece, US(NOW), &first_us, &added, &n->f->err));
    OK(n->f, store_commit(n->f->store, &n->f->err));
    assert_int_equal(added, count);
    buf_free(&body);
    return first_us + count - 1;
}

/* Takes what fits into MAX; how many objects. */
static uint32_t
take(struct node *n, size_t max)
{
    const struct store_parcel_query query = {.team = n->team, .end = END, .max_bytes = max};

    n->out.n = 0;
    buf_add_text(&n->out, "begin");
    OK(n->f, store_parcel(n->f->store, n->f->arena, &query, &n->out, &n->parcel, &n->f->err));
    assert_memory_equal(n->out.p, "begin", 5);
    /* Objects of one size, with single commas between them: nothing was cut. */
    if (!n->parcel.too_large && n->parcel.objects > 0)
        assert_int_equal(n->out.n, 5 + (size_t)n->parcel.objects * (OBJECT_BYTES + 1) - 1);
    else
        assert_int_equal(n->out.n, 5);
    return n->parcel.objects;
}

static void
sent(struct node *n)
{
    OK(n->f,
        store_fetched(n->f->store, n->parcel.collection, n->parcel.through_us, false, &n->f->err));
    OK(n->f, store_commit(n->f->store, &n->f->err));
}

/* The bytes of COUNT objects, joined. */
static size_t
bytes(size_t count)
{
    return count * (OBJECT_BYTES + 1) - 1;
}

static void
end(struct node *n)
{
    buf_free(&n->out);
}

static void
nothing_waits(void **state)
{
    struct node n;

    begin(&n, state);
    assert_int_equal(take(&n, OUT_BYTES), 0);
    assert_int_equal(n.parcel.collection, n.collection);
    n.team++; /* a team without a collection */
    assert_int_equal(take(&n, OUT_BYTES), 0);
    assert_int_equal(n.parcel.collection, 0);
    end(&n);
}

static void
as_many_deliveries_as_fit(void **state)
{
    struct node n;

    begin(&n, state);
    int64_t first = append(&n, 1, 300, true); /* three pieces */
    int64_t second = append(&n, 2, 200, true);
    assert_int_equal(take(&n, bytes(500)), 500); /* exactly */
    assert_true(n.parcel.through_us == second);
    assert_int_equal(n.parcel.reports, 500);
    assert_int_equal(take(&n, bytes(500) - 1), 300);
    assert_true(n.parcel.through_us == first);
    assert_int_equal(take(&n, bytes(300)), 300);
    sent(&n);
    assert_int_equal(take(&n, bytes(500)), 200);
    sent(&n);
    assert_int_equal(take(&n, bytes(500)), 0);
    end(&n);
}

/* Several deliveries may be of one batch; what is no delivery is whole piece by piece. */
static void
where_deliveries_end(void **state)
{
    struct node n;

    begin(&n, state);
    int64_t other = append(&n, 0, 5, false);
    int64_t first = append(&n, 1, 130, true);
    int64_t second = append(&n, 1, 10, true);
    (void)append(&n, 1, 100, false); /* its end was taken out by a person */
    int64_t third = append(&n, 1, 10, false);
    int64_t fourth = append(&n, 2, 3, true);
    (void)fourth;
    assert_int_equal(take(&n, bytes(6)), 5);
    assert_true(n.parcel.through_us == other);
    assert_int_equal(take(&n, bytes(140)), 135);
    assert_true(n.parcel.through_us == first);
    assert_int_equal(take(&n, bytes(250)), 145);
    assert_true(n.parcel.through_us == second);
    assert_int_equal(take(&n, bytes(255)), 255);
    assert_true(n.parcel.through_us == third);
    assert_int_equal(take(&n, bytes(258)), 258);
    end(&n);
}

/* One that does not fit is told, and not a byte of it is added; what comes behind it does fit. */
static void
what_never_fits_is_told(void **state)
{
    struct node n;
    struct store_queue *queues;
    size_t count;

    begin(&n, state);
    int64_t large = append(&n, 1, 300, true);
    (void)append(&n, 2, 10, true);
    assert_int_equal(take(&n, bytes(299)), 300);
    assert_true(n.parcel.too_large && n.parcel.through_us == large);
    assert_int_equal(n.parcel.reports, 300);
    OK(n.f, store_passed_over(n.f->store, n.collection, n.parcel.through_us, &n.f->err));
    OK(n.f, store_commit(n.f->store, &n.f->err));
    assert_int_equal(take(&n, bytes(299)), 10);
    assert_false(n.parcel.too_large);
    OK(n.f, store_queues(n.f->store, n.f->arena, &queues, &count, &n.f->err));
    assert_int_equal(count, 1);
    assert_true(queues[0].failed == 300 && queues[0].delivered == 0 && queues[0].waiting == 10);
    /* Behind others, it waits until it comes first. */
    sent(&n);
    (void)append(&n, 3, 10, true);
    (void)append(&n, 4, 300, true);
    assert_int_equal(take(&n, bytes(299)), 10);
    assert_false(n.parcel.too_large);
    end(&n);
}

/* A client that pages stops anywhere. */
static void
a_mark_within_a_delivery_goes_back_to_its_beginning(void **state)
{
    struct node n;

    begin(&n, state);
    int64_t before = append(&n, 1, 10, true);
    int64_t last = append(&n, 1, 300, true);
    OK(n.f, store_fetched(n.f->store, n.collection, before + PIECE_OBJECTS + 3, false, &n.f->err));
    OK(n.f, store_commit(n.f->store, &n.f->err));
    assert_int_equal(take(&n, bytes(1000)), 300);
    assert_true(n.parcel.through_us == last);
    OK(n.f, store_fetched(n.f->store, n.collection, before + 2 * PIECE_OBJECTS, false, &n.f->err));
    OK(n.f, store_commit(n.f->store, &n.f->err));
    assert_int_equal(take(&n, bytes(1000)), 300);
    sent(&n);
    assert_int_equal(take(&n, bytes(1000)), 0);
    end(&n);
}

static void
expire(struct node *n, int64_t before_us)
{
    uint32_t removed;

    OK(n->f, store_expire(n->f->store, INT64_MIN, before_us, US(NOW), 100, &removed, &n->f->err));
    assert_true(removed > 0);
    OK(n->f, store_commit(n->f->store, &n->f->err));
}

static void
what_was_removed_is_not_waited_for(void **state)
{
    struct node n;
    struct store_queue *queues;
    uint32_t *teams;
    size_t count;

    begin(&n, state);
    int64_t first = append(&n, 1, 300, true);
    int64_t second = append(&n, 2, 10, true);
    assert_int_equal(take(&n, bytes(300)), 300);
    expire(&n, first); /* all but the last piece of it, between taking and telling */
    sent(&n);
    OK(n.f, store_queues(n.f->store, n.f->arena, &queues, &count, &n.f->err));
    assert_int_equal(queues[0].failed + queues[0].delivered, 300);
    assert_int_equal(take(&n, bytes(300)), 10);
    expire(&n, second + 1);
    sent(&n);
    assert_int_equal(take(&n, bytes(300)), 0);
    OK(n.f, store_waiting(n.f->store, n.f->arena, &teams, &count, &n.f->err));
    assert_int_equal(count, 0);
    int64_t third = append(&n, 3, 300, true);
    OK(n.f, store_waiting(n.f->store, n.f->arena, &teams, &count, &n.f->err));
    assert_true(count == 1 && teams[0] == n.team);
    expire(&n, third); /* what is left of it goes, up to its end */
    assert_int_equal(take(&n, bytes(300)), 300 - 2 * PIECE_OBJECTS);
    assert_true(n.parcel.through_us == third);
    end(&n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(nothing_waits),
        ASK_TEST(as_many_deliveries_as_fit),
        ASK_TEST(where_deliveries_end),
        ASK_TEST(what_never_fits_is_told),
        ASK_TEST(a_mark_within_a_delivery_goes_back_to_its_beginning),
        ASK_TEST(what_was_removed_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
