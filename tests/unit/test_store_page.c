/* Collections: a page never loses and never repeats an object, whatever is added and removed
 * meanwhile and whatever is asked for. Held against a plain model: a list of all that was added. */
#include "store_ask.h"

#include <zstd.h>

enum { OBJECTS = 20000, IDS = 300, LIMITS = 40 };

struct known {
    char id[64];
    int64_t added_us;
    int64_t version_us; /* what was said; 0: none */
    uint8_t spec;
    bool removed;
};

struct model {
    struct known all[OBJECTS];
    size_t count;
    uint64_t random;
};

static uint64_t
draw(struct model *m, uint64_t below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (m->random >> 33) % below;
}

static const char *const types[] = {"indicator", "malware", "observed-data", "x-odd"};

static void
make_id(char *out, uint64_t n)
{
    if (n % 11 == 0)
        (void)snprintf(out, 64, "%s--NOT-A-UUID-%llu", types[n % 4], (unsigned long long)n);
    else
        (void)snprintf(
            out, 64, "%s--%08llx-1234-4abc-8def-0123456789ab", types[n % 4], (unsigned long long)n);
}

static int64_t
effective(const struct known *known)
{
    return known->version_us == 0 ? known->added_us : known->version_us;
}

/* ---- what the model says ---- */

static bool
is_end(const struct model *m, const struct known *one, bool newest)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct known *other = &m->all[i];
        if (other->removed || strcmp(other->id, one->id) != 0)
            continue;
        if (newest ? effective(other) > effective(one) : effective(other) < effective(one))
            return false;
    }
    return true;
}

static bool
in_spans(const struct span *all, size_t count, struct span one)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(all[i], one))
            return true;
    return count == 0;
}

static bool
model_matches(
    const struct model *m, const struct known *k, const struct store_page_query *q, bool indexed)
{
    struct span id = span_of(k->id);
    struct span type = {k->id, (size_t)(strstr(k->id, "--") - k->id)};
    unsigned versions = q->versions == 0 ? VERSIONS_LAST : q->versions;
    bool version = (versions & VERSIONS_ALL) != 0
        || ((versions & VERSIONS_LAST) != 0 && (!indexed || is_end(m, k, true)))
        || ((versions & VERSIONS_FIRST) != 0 && (!indexed || is_end(m, k, false)));

    for (size_t i = 0; i < q->named_count && (versions & VERSIONS_NAMED) != 0; i++)
        version |= q->named_us[i] == effective(k);
    bool spec = q->spec_count == 0;
    for (size_t i = 0; i < q->spec_count; i++)
        spec |= q->specs[i] == k->spec;
    return !k->removed && version && spec && in_spans(q->ids, q->id_count, id)
        && in_spans(q->types, q->type_count, type);
}

/* ---- doing both ---- */

static void
append(struct fixture *f, struct model *m, bool indexed, int64_t now_us)
{
    static struct store_object objects[600];
    static char ids[600][64];
    struct buf body = buf_new(1 << 20);
    size_t count = draw(m, 10) == 0 ? 300 + draw(m, 300) : 1 + draw(m, 9);
    struct store_piece piece = {.collection = 1, .objects = objects, .indexed = indexed};
    size_t before = m->count;
    int64_t first_us;
    size_t added;

    for (size_t i = 0; i < count; i++) {
        make_id(ids[i], draw(m, IDS));
        objects[i].id = span_of(ids[i]);
        objects[i].version_us = draw(m, 3) == 0 ? 0 : 1 + (int64_t)draw(m, 50);
        objects[i].spec = draw(m, 4) == 0 ? 20 : 21;
        if (i > 0)
            buf_add_char(&body, ',');
        objects[i].at = (uint32_t)body.n;
        buf_format(&body, "{\"id\":\"%s\",\"v\":%lld}", ids[i], (long long)objects[i].version_us);
        objects[i].n = (uint32_t)body.n - objects[i].at;
    }
    piece.body = buf_span(&body);
    piece.count = count;
    OK(f, store_append(f->store, &piece, now_us, &first_us, &added, &f->err));
    OK(f, store_commit(f->store, &f->err));
    assert_true(before == 0 || first_us > m->all[before - 1].added_us);
    assert_true(first_us >= now_us);
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (size_t k = 0; indexed && k < m->count && !there; k++)
            there = !m->all[k].removed && strcmp(m->all[k].id, ids[i]) == 0
                && (objects[i].version_us == 0 ? m->all[k].version_us == 0
                                               : effective(&m->all[k]) == objects[i].version_us);
        if (there)
            continue;
        assert_true(m->count < OBJECTS);
        struct known *k = &m->all[m->count];
        *k = (struct known){.added_us = first_us + (int64_t)(m->count - before),
            .version_us = objects[i].version_us,
            .spec = objects[i].spec};
        strcpy(k->id, ids[i]);
        m->count++;
    }
    assert_int_equal(added, m->count - before);
    buf_free(&body);
}

/* The bodies of a page are its rows' objects, in order, and nothing else. */
static void
check_bodies(const struct store_page *page)
{
    static char raw[1 << 20];
    size_t row = 0;

    for (size_t r = 0; r < page->run_count; r++) {
        const struct store_run *run = &page->runs[r];
        assert_int_equal(
            ZSTD_decompress(raw, sizeof raw, run->packed.p, run->packed.n), run->raw_bytes);
        assert_true(run->begin < run->end && run->end <= run->raw_bytes);
        const char *at = raw + run->begin;
        while (at < raw + run->end) {
            char expected[96];
            int n = snprintf(expected, sizeof expected,
                "{\"id\":\"%.*s\",\"v\":", SPAN_ARGS(page->rows[row].id));
            assert_memory_equal(at, expected, (size_t)n);
            at = (const char *)memchr(at, '}', (size_t)(raw + run->end - at)) + 1;
            row++;
            if (at < raw + run->end)
                assert_int_equal(*at++, ',');
        }
    }
    assert_int_equal(row, page->row_count);
}

static void
random_query(struct model *m, struct store_page_query *q)
{
    static char ids[3][64];
    static struct span id_spans[3];
    static struct span type_spans[2];
    static const uint8_t specs[] = {20, 21};
    static int64_t named[2];

    *q = (struct store_page_query){.collection = 1, .after_us = INT64_MIN};
    if (draw(m, 4) == 0) {
        q->id_count = 1 + draw(m, 3);
        for (size_t i = 0; i < q->id_count; i++) {
            make_id(ids[i], draw(m, IDS + 5));
            id_spans[i] = span_of(ids[i]);
        }
        q->ids = id_spans;
    }
    if (draw(m, 3) == 0) {
        q->type_count = 1 + draw(m, 2);
        for (size_t i = 0; i < q->type_count; i++)
            type_spans[i] = span_of(types[draw(m, 4)]);
        q->types = type_spans;
    }
    if (draw(m, 4) == 0) {
        q->specs = specs + draw(m, 2);
        q->spec_count = 1;
    }
    q->versions = (uint8_t)draw(m, 16);
    named[0] = 1 + (int64_t)draw(m, 50);
    named[1] = 1 + (int64_t)draw(m, 50);
    q->named_us = named;
    q->named_count = 2;
}

/* Nothing changes: all pages together are exactly what the model says. */
static void
pages_equal(struct fixture *f, struct model *m, bool indexed)
{
    struct store_page_query q;
    struct store_page page;
    size_t next = 0;

    random_query(m, &q);
    q.rows_only = draw(m, 3) == 0;
    do {
        arena_reset(f->arena);
        q.limit = 1 + (uint32_t)draw(m, LIMITS);
        OK(f, store_page(f->store, f->arena, &q, &page, &f->err));
        assert_true(page.row_count <= q.limit);
        assert_true(page.row_count == q.limit || !page.more);
        for (size_t i = 0; i < page.row_count; i++) {
            while (next < m->count && !model_matches(m, &m->all[next], &q, indexed))
                next++;
            assert_true(next < m->count);
            assert_true(span_equal(page.rows[i].id, span_of(m->all[next].id)));
            assert_int_equal(page.rows[i].added_us, m->all[next].added_us);
            assert_int_equal(page.rows[i].version_us, effective(&m->all[next]));
            assert_int_equal(page.rows[i].spec, m->all[next].spec);
            q.after_us = page.rows[i].added_us;
            next++;
        }
        if (q.rows_only)
            assert_int_equal(page.run_count, 0);
        else
            check_bodies(&page);
    } while (page.more);
    while (next < m->count)
        assert_false(model_matches(m, &m->all[next++], &q, indexed));
}

static void
remove_some(struct fixture *f, struct model *m, bool indexed)
{
    struct store_page_query q;
    uint64_t removed = 0;
    uint64_t expected = 0;
    static bool doomed[OBJECTS];

    do
        random_query(m, &q);
    while (q.id_count == 0);
    for (size_t i = 0; i < m->count; i++) {
        doomed[i] = model_matches(m, &m->all[i], &q, indexed);
        expected += doomed[i];
    }
    for (size_t i = 0; i < m->count; i++)
        m->all[i].removed |= doomed[i];
    OK(f, store_remove(f->store, &q, &removed, &f->err));
    OK(f, store_commit(f->store, &f->err));
    assert_int_equal(removed, expected);
}

static void
same_as_model(struct fixture *f, bool indexed, uint64_t seed)
{
    struct store_collection collection = {.kind = COLLECTION_SHARED, .id = SPAN("c")};
    struct model *m = calloc(1, sizeof *m);
    struct store_collection *all;
    int64_t clock_us = 1000000;
    uint64_t left = 0;
    size_t count;

    assert_non_null(m);
    m->random = seed;
    OK(f, store_collection_add(f->store, &collection, &f->err));
    for (int round = 0; round < 150; round++) {
        clock_us += draw(m, 5) == 0 ? -5000 : (int64_t)draw(m, 1000);
        append(f, m, indexed, clock_us);
        if (draw(m, 4) == 0)
            remove_some(f, m, indexed);
        if (draw(m, 3) == 0)
            pages_equal(f, m, indexed);
        if (draw(m, 40) == 0)
            ask_again(f);
    }
    for (size_t i = 0; i < m->count; i++)
        left += !m->all[i].removed;
    OK(f, store_collections(f->store, f->arena, &all, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].objects, left);
    free(m);
}

static void
released(void **state)
{
    same_as_model(*state, false, 7);
}

static void
posted(void **state)
{
    same_as_model(*state, true, 8);
}

/* ---- a poller and a writer race ---- */

static void
racing_poller_gets_each_once(void **state)
{
    struct fixture *f = *state;
    struct store_collection collection = {.kind = COLLECTION_TEAM, .id = SPAN("c")};
    struct model *m = calloc(1, sizeof *m);
    struct store_page_query q = {.collection = 1, .after_us = INT64_MIN};
    struct store *reader;
    struct store_page page;
    size_t next = 0;

    assert_non_null(m);
    m->random = 9;
    OK(f, store_collection_add(f->store, &collection, &f->err));
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_open(f->folder, STORE_READ, &reader, &f->err));
    for (int round = 0; round < 300 || next < m->count; round++) {
        if (round < 300)
            append(f, m, false, (int64_t)draw(m, 100000));
        arena_reset(f->arena);
        q.limit = 1 + (uint32_t)draw(m, 120);
        OK(f, store_page(reader, f->arena, &q, &page, &f->err));
        for (size_t i = 0; i < page.row_count; i++) {
            assert_int_equal(page.rows[i].added_us, m->all[next].added_us);
            q.after_us = m->all[next++].added_us;
        }
    }
    assert_int_equal(next, m->count);
    store_close(reader);
    free(m);
}

/* ---- limits and refusals ---- */

static void
refusals(void **state)
{
    struct fixture *f = *state;
    struct store_collection collection = {.kind = COLLECTION_SHARED, .id = SPAN("c")};
    struct store_object object = {.at = 0, .n = 3, .id = SPAN("a--b")};
    struct store_piece piece = {
        .collection = 9, .body = SPAN("{}"), .objects = &object, .count = 1};
    int64_t first_us;
    size_t added;

    OK(f, store_collection_add(f->store, &collection, &f->err));
    assert_int_equal(store_collection_add(f->store, &collection, &f->err), ERR_EXISTS);
    assert_int_equal(store_append(f->store, &piece, 1, &first_us, &added, &f->err), ERR_INTERNAL);
    object.n = 2;
    assert_int_equal(store_append(f->store, &piece, 1, &first_us, &added, &f->err), ERR_NOT_FOUND);
    piece.collection = 1;
    object.id = SPAN("");
    assert_int_equal(store_append(f->store, &piece, 1, &first_us, &added, &f->err), ERR_LIMIT);
    piece.count = 0;
    OK(f, store_append(f->store, &piece, 1, &first_us, &added, &f->err));
    assert_int_equal(added, 0);
    assert_int_equal(store_fetched(f->store, 9, 1, false, &f->err), ERR_NOT_FOUND);
}

/* ---- what becomes of released reports ---- */

static void
give(struct fixture *f, uint32_t reports, int64_t now_us)
{
    struct store_object objects[300];
    struct buf body = buf_new(1 << 20);
    int64_t first_us;
    size_t added;

    for (size_t i = 0; i < 300; i++) {
        if (i > 0)
            buf_add_char(&body, ',');
        objects[i] =
            (struct store_object){.at = (uint32_t)body.n, .n = 2, .id = SPAN("a--b"), .spec = 21};
        buf_add_text(&body, "{}");
    }
    struct store_piece piece = {.collection = 1,
        .body = buf_span(&body),
        .objects = objects,
        .count = 300,
        .reports = reports,
        .batch = 1};
    OK(f, store_append(f->store, &piece, now_us, &first_us, &added, &f->err));
    buf_free(&body);
}

static void
queue_is(struct fixture *f, uint64_t waiting, uint64_t delivered, int64_t oldest_us)
{
    struct store_queue *queues;
    size_t count;

    OK(f, store_queues(f->store, f->arena, &queues, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(queues[0].team, 4);
    assert_int_equal(queues[0].waiting, waiting);
    assert_int_equal(queues[0].delivered, delivered);
    assert_int_equal(queues[0].oldest_us, oldest_us);
}

static void
fetched_is_delivered(void **state)
{
    struct fixture *f = *state;
    struct store_collection collection = {.kind = COLLECTION_TEAM, .team = 4, .id = SPAN("c")};

    OK(f, store_collection_add(f->store, &collection, &f->err));
    give(f, 100, 1000);
    give(f, 100, 5000);
    queue_is(f, 200, 0, 1000);
    OK(f, store_fetched(f->store, 1, 1050, false, &f->err)); /* a part of the first piece */
    queue_is(f, 200, 0, 1000);
    OK(f, store_fetched(f->store, 1, 1299, false, &f->err));
    queue_is(f, 100, 100, 5000);
    OK(f, store_fetched(f->store, 1, 1000, false, &f->err)); /* it asks again from before */
    queue_is(f, 100, 100, 5000);
    OK(f, store_fetched(f->store, 1, 5299, false, &f->err));
    queue_is(f, 0, 200, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(released),
        ASK_TEST(posted),
        ASK_TEST(racing_poller_gets_each_once),
        ASK_TEST(refusals),
        ASK_TEST(fetched_is_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
