/* Media types, filters and cursors, and the joining of pieces, as a front does them for TAXII. */
#include "edge/misp_event.h"
#include "edge/taxii_media.h"
#include "edge/taxii_pieces.h"
#include "edge/taxii_posted.h"
#include "edge/taxii_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* ---- media types (TAXII 2.1, section 1.6.8) ---- */

static void
media_types(void **state)
{
    static const struct {
        const char *accept;
        bool ok;
    } cases[] = {
        {"application/taxii+json;version=2.1", true},
        {"application/taxii+json; version=2.1", true},
        {"application/taxii+json ; version = 2.1", true},
        {"Application/TAXII+JSON;Version=\"2.1\"", true},
        {"application/taxii+json", true},
        {"text/html, application/taxii+json;version=2.1;q=0.5", true},
        {"application/taxii+json;version=2.0, application/taxii+json;version=2.1", true},
        {"*/*", true},
        {"application/*;q=0.1", true},
        {"", false},
        {"application/foo", false},
        {"application/json", false},
        {"application/taxii+json;version=2.0", false},
        {"application/taxii+json;version=2.1;q=0", false},
        {"application/taxii+json;version=2.1;q=0.000, */*", false},
        {"*/*;q=0", false},
        {"application/taxii+jsonx", false},
        {"application/vnd.oasis.taxii+json;version=2.0", false},
        {"application/stix+json;version=2.1", false},
    };
    bool refused;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (taxii_media_accepted(span_of(cases[i].accept)) != cases[i].ok)
            fail_msg("Accept: %s", cases[i].accept);
    assert_int_equal(taxii_media(SPAN("application/stix+json; version=2.1"), &refused), MEDIA_STIX);
    assert_int_equal(taxii_media(SPAN("application/stix+json;version=2.0"), &refused), MEDIA_OTHER);
    assert_int_equal(
        taxii_media(SPAN("application/vnd.oasis.stix+json;version=2.1"), &refused), MEDIA_STIX);
}

/* ---- queries: a request that is nothing but its parameters ---- */

struct pair {
    const char *name;
    const char *value;
};
static const struct pair *parameters;

void
request_query_each(const struct request *request, const char *name,
    void (*each)(void *ctx, struct span value), void *ctx)
{
    (void)request;
    for (const struct pair *p = parameters; p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            each(ctx, span_of(p->value));
}

static struct arena *arena;

static int
read_query(const struct pair *given, struct taxii_query *out, struct err *err)
{
    parameters = given;
    return taxii_query_read(NULL, arena, PAGE_OBJECTS, SPAN("community"), SPAN(""), 1000, out, err);
}

static void
filters(void **state)
{
    static const struct pair given[] = {{"match[id]", "indicator--a, ,malware--b"},
        {"match[type]", "indicator"}, {"match[spec_version]", "2.1,2.0,9.9"},
        {"match[version]", "first,2020-01-02T03:04:05.678Z,last"}, {"limit", "5000"},
        {"added_after", "2020-01-01T00:00:00.000001Z"}, {NULL, NULL}};
    struct taxii_query q;
    struct err err;

    (void)state;
    assert_int_equal(read_query(given, &q, &err), 0);
    assert_int_equal(q.filter.id_count, 2);
    assert_true(span_equal(q.filter.ids[1], SPAN("malware--b")));
    assert_int_equal(q.filter.spec_count, 3);
    assert_int_equal(q.filter.specs[1], 20);
    assert_true(q.filter.first && q.filter.last && !q.filter.all);
    assert_int_equal(q.filter.named_count, 1);
    assert_int_equal(q.limit, 1000);
    assert_int_equal(q.after_us, INT64_C(1577836800000001));
}

static void
bad_parameters(void **state)
{
    static const struct pair cases[][3] = {
        {{"limit", "-1"}, {NULL, NULL}},
        {{"limit", "ten"}, {NULL, NULL}},
        {{"added_after", "yesterday"}, {NULL, NULL}},
        {{"added_after", "2020-01-01T00:00:00Z"}, {"added_after", "2020-01-01T00:00:00Z"},
            {NULL, NULL}},
        {{"match[version]", "newest"}, {NULL, NULL}},
        {{"match[id]", "a"}, {"match[id]", "b"}, {NULL, NULL}},
        {{"next", "AAAA"}, {NULL, NULL}},
        {{"next", "not base64 at all!"}, {NULL, NULL}},
    };
    static const struct pair none[] = {
        {"next", ""}, {"added_after", ""}, {"limit", "0"}, {NULL, NULL}};
    struct taxii_query q;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        int rc = read_query(cases[i], &q, &err);
        if (!err_is_senders(rc) || strcmp(err.field, cases[i][0].name) != 0)
            fail_msg("case %zu: %d %s %s", i, rc, err.field, err.msg);
    }
    /* What clients send when they have nothing to say. */
    struct err err = {0};
    assert_int_equal(read_query(none, &q, &err), 0);
    assert_int_equal(q.limit, 1000);
    assert_int_equal(q.after_us, INT64_MIN);
}

static void
cursors(void **state)
{
    struct pair given[] = {{"match[type]", "indicator"}, {NULL, NULL}, {NULL, NULL}};
    static const struct pair other[] = {{"match[type]", "malware"}, {NULL, NULL}};
    struct taxii_query q;
    struct err err;
    char next[TAXII_NEXT_MAX];

    (void)state;
    assert_int_equal(read_query(given, &q, &err), 0);
    struct buf text = buf_new(TAXII_NEXT_MAX);
    taxii_query_next(&text, &q, INT64_C(1700000000123456));
    memcpy(next, text.p, text.n);
    next[text.n] = '\0';
    given[1] = (struct pair){"next", next};
    assert_int_equal(read_query(given, &q, &err), 0);
    assert_int_equal(q.after_us, INT64_C(1700000000123456));
    /* Any character that is changed is found out. */
    for (size_t i = 0; i < text.n; i++)
        for (int c = 'A'; c <= 'z'; c++) {
            char was = next[i];
            if (c == was)
                continue;
            next[i] = (char)c;
            if (read_query(given, &q, &err) != ERR_BAD_VALUE)
                fail_msg("character %zu as %c passes", i, c);
            next[i] = was;
        }
    /* So are other filters. */
    struct pair moved[] = {other[0], given[1], {NULL, NULL}};
    assert_int_equal(read_query(moved, &q, &err), ERR_BAD_VALUE);
    assert_int_equal(
        taxii_query_read(NULL, arena, PAGE_MANIFEST, SPAN("community"), SPAN(""), 1000, &q, &err),
        ERR_BAD_VALUE);
    buf_free(&text);
}

/* ---- pieces ---- */

enum { PIECES = 50, OBJECTS = 40, CACHE_BYTES = 40000 };

struct made {
    char raw[8192];
    uint32_t begin[OBJECTS];
    uint32_t end[OBJECTS];
    uint32_t n;
    char packed[8192];
    size_t packed_n;
};

static void
make_piece(struct made *m, unsigned number)
{
    m->n = 0;
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (i > 0)
            m->raw[m->n++] = ',';
        m->begin[i] = m->n;
        m->n += (uint32_t)sprintf(m->raw + m->n, "{\"piece\":%u,\"object\":%u}", number, i);
        m->end[i] = m->n;
    }
    m->packed_n = ZSTD_compress(m->packed, sizeof m->packed, m->raw, m->n, 1);
    assert_false(ZSTD_isError(m->packed_n));
}

/* Random pages over random pieces, in a cache that is too small: the bytes are those of the plain
 * way.
 */
static void
joined(void **state)
{
    struct made *made = calloc(PIECES, sizeof *made);
    struct taxii_pieces *pieces = taxii_pieces_new(CACHE_BYTES);
    uint64_t random = 7;
    size_t hits = 0;

    (void)state;
    for (unsigned i = 0; i < PIECES; i++)
        make_piece(&made[i], i);
    for (int round = 0; round < 3000; round++) {
        struct page_run runs[4];
        struct page page = {.runs = runs, .run_count = 1 + (size_t)round % 4};
        struct buf want = buf_new(1 << 16);
        struct buf got = buf_new(1 << 16);
        struct err err;
        buf_add_char(&want, '[');
        buf_add_char(&got, '[');
        for (size_t i = 0; i < page.run_count; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            unsigned p = (unsigned)(random >> 33) % PIECES;
            unsigned a = (unsigned)(random >> 40) % OBJECTS;
            unsigned b = a + (unsigned)(random >> 50) % (OBJECTS - a);
            runs[i] = (struct page_run){p + 1, {made[p].packed, made[p].packed_n}, made[p].n,
                made[p].begin[a], made[p].end[b]};
            if (i > 0)
                buf_add_char(&want, ',');
            buf_add(&want, made[p].raw + made[p].begin[a], made[p].end[b] - made[p].begin[a]);
        }
        for (size_t i = 0; i < page.run_count; i++)
            runs[i].packed.n = 0;
        int rc = taxii_pieces_join(pieces, &page, &got, &err);
        /* One that is not there: it is asked again. */
        if (rc == 1) {
            assert_int_equal(got.n, 1);
            for (size_t i = 0; i < page.run_count; i++)
                runs[i].packed.n = made[runs[i].piece - 1].packed_n;
            rc = taxii_pieces_join(pieces, &page, &got, &err);
        } else
            hits++;
        assert_int_equal(rc, 0);
        assert_true(span_equal(buf_span(&want), buf_span(&got)));
        assert_true(taxii_pieces_bytes(pieces) <= CACHE_BYTES);
        buf_free(&want);
        buf_free(&got);
    }
    assert_true(hits > 1000);
    assert_true(hits < 2900); /* the cache is too small, as it was meant */
    taxii_pieces_rest(pieces);
    assert_true(taxii_pieces_bytes(pieces) > 0);
    taxii_pieces_rest(pieces);
    assert_int_equal(taxii_pieces_bytes(pieces), 0);
    taxii_pieces_free(pieces);
    free(made);
}

static void
damaged_pieces(void **state)
{
    struct made *made = calloc(1, sizeof *made);
    struct taxii_pieces *pieces = taxii_pieces_new(1 << 20);
    struct buf out = buf_new(1 << 16);
    struct err err;

    (void)state;
    make_piece(made, 1);
    struct page_run run = {1, {made->packed, made->packed_n}, made->n + 1, 0, 10};
    struct page page = {.runs = &run, .run_count = 1};
    assert_int_equal(taxii_pieces_join(pieces, &page, &out, &err), ERR_INTERNAL);
    run.raw_bytes = made->n;
    run.end = made->n + 1;
    assert_int_equal(taxii_pieces_join(pieces, &page, &out, &err), ERR_INTERNAL);
    assert_int_equal(out.n, 0);
    buf_free(&out);
    taxii_pieces_free(pieces);
    free(made);
}

/* ---- posted objects (sections 3.7 and 5.5) ---- */

static void
posted_objects(void **state)
{
    static const char body[] =
        "{\"objects\":[ {\"type\":\"tool\",\"spec_version\":\"2.1\","
        "\"id\":\"tool--0f1a7f5b-7f0e-4f0e-8f0e-000000000001\","
        "\"created\":\"2023-01-01T00:00:00.000Z\", \"modified\":\"2023-01-01T00:00:01.5Z\","
        "\"name\":\"x\"}, {\"type\":\"tool\"}, 7, {\"type\":\"ipv4-addr\","
        "\"id\":\"ipv4-addr--0f1a7f5b-7f0e-4f0e-8f0e-000000000002\",\"value\":\"192.0.2.1\"},"
        "{\"type\":\"malware\",\"spec_version\":\"2.1\","
        "\"id\":\"malware--0f1a7f5b-7f0e-4f0e-8f0e-000000000003\","
        "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2022-01-01T00:00:00.000Z\","
        "\"is_family\":true}]}";
    struct json *json = json_new(1 << 20);
    struct posted posted;
    struct err err;

    (void)state;
    assert_int_equal(posted_read(arena, json, SPAN(body), &posted, &err), 0);
    assert_int_equal(posted.count, 5);
    assert_int_equal(posted.results[0].message.n, 0);
    assert_int_equal(posted.objects[0].version_us, INT64_C(1672531201500000));
    assert_null(memchr(posted.objects[0].json.p, ' ', posted.objects[0].json.n));
    assert_true(span_equal(posted.results[0].version, SPAN("2023-01-01T00:00:01.500Z")));
    assert_true(posted.results[1].message.n > 0 && posted.results[2].message.n > 0);
    assert_int_equal(posted.results[3].message.n, 0);
    assert_int_equal(posted.objects[3].version_us, 0);
    assert_true(posted.results[4].message.n > 0);
    assert_int_equal(posted.objects[4].json.n, 0);
    assert_int_equal(posted_read(arena, json, SPAN("[1]"), &posted, &err), ERR_BAD_TYPE);
    assert_int_equal(posted_read(arena, json, SPAN("{\"objects\":"), &posted, &err), ERR_BAD_JSON);
    json_free(json);
}

/* ---- MISP ---- */

static void
event_uuids(void **state)
{
    char uuid[MISP_UUID_BYTES];
    int64_t first;

    (void)state;
    misp_event_uuid(SPAN("collection-1"), INT64_C(1700000000123456), uuid);
    assert_true(misp_event_first((struct span){uuid, sizeof uuid}, SPAN("collection-1"), &first));
    assert_int_equal(first, INT64_C(1700000000123456));
    assert_false(misp_event_first((struct span){uuid, sizeof uuid}, SPAN("collection-2"), &first));
    uuid[20] = uuid[20] == '0' ? '1' : '0';
    assert_false(misp_event_first((struct span){uuid, sizeof uuid}, SPAN("collection-1"), &first));
    assert_false(misp_event_first(SPAN("manifest"), SPAN(""), &first));
}

static void
events_say_what_was_released(void **state)
{
    struct misp_event event = {
        .about = {SPAN("c"), SPAN("bb-cert"), SPAN("own"), SPAN("Own \"X\""), 0, 0},
        .first_us = INT64_C(1700000000000001),
        .last_us = INT64_C(1700000001000001),
        .objects = SPAN(
            "[{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\","
            "\"id\":\"ipv4-addr--0f1a7f5b-7f0e-5f0e-8f0e-000000000002\",\"value\":\"192.0.2.1\"},"
            "{\"type\":\"observed-data\",\"spec_version\":\"2.1\","
            "\"id\":\"observed-data--0f1a7f5b-7f0e-4f0e-8f0e-000000000001\","
            "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\","
            "\"first_observed\":\"2023-01-01T00:00:00Z\",\"last_observed\":\"2023-01-01T00:00:"
            "00Z\","
            "\"number_observed\":1,"
            "\"object_refs\":[\"ipv4-addr--0f1a7f5b-7f0e-5f0e-8f0e-000000000002\"],"
            "\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"
            "}]")};
    struct buf out = buf_new(1 << 16);
    struct json *json = json_new(1 << 16);
    struct json_value root;
    struct err err;

    (void)state;
    assert_int_equal(misp_event_write(&out, &event, &err), 0);
    assert_int_equal(json_parse_copy(json, buf_span(&out), &root, &err), 0);
    assert_non_null(memmem(out.p, out.n, "\"type\":\"ip-src\"", 15));
    assert_non_null(memmem(out.p, out.n, "\"value\":\"192.0.2.1\"", 19));
    assert_non_null(memmem(out.p, out.n, "tlp:green", 9));
    out.n = 0;
    assert_int_equal(misp_event_hashes(&out, &event, &err), 0);
    /* md5sum of 192.0.2.1 */
    assert_true(span_starts(buf_span(&out), SPAN("d0f88d6c87767262ba8e93d6acccd784,")));
    assert_int_equal(out.n, 33 + MISP_UUID_BYTES + 1);
    json_free(json);
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types),
        cmocka_unit_test(filters),
        cmocka_unit_test(bad_parameters),
        cmocka_unit_test(cursors),
        cmocka_unit_test(joined),
        cmocka_unit_test(damaged_pieces),
        cmocka_unit_test(posted_objects),
        cmocka_unit_test(event_uuids),
        cmocka_unit_test(events_say_what_was_released),
    };

    arena = arena_new((size_t)64 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
