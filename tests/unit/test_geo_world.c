#include "fmt/ranges.h"
#include "geo/geo.h"
#include "geo/geo_build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "geo_ask.h"

/* Addresses a family that are held against a scan; $COMITY_TEST_PROBES asks for another number. */
static size_t probe_count = 10000;

static char folder[] = "/tmp/comity-geo-XXXXXX";
static char world_path[64];

static const char *const kind_names[] = {"ip4-asn", "ip4-economy", "ip6-asn", "ip6-economy", "asn"};

/* Hand every row of a shipped file to TAKE. */
static void
read_shipped(int kind, void (*take)(const struct ranges_row *row, void *data), void *data)
{
    char path[512];
    struct input *input;
    struct ranges *ranges;
    struct ranges_row row;
    struct err err = {0};
    int rc;

    (void)snprintf(
        path, sizeof path, "%s/share/geo/%s.csv.xz", getenv("COMITY_TEST_ROOT"), kind_names[kind]);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(input_open_fd(fd, path, &input, NULL), 0);
    assert_int_equal(ranges_open(input, (enum ranges_kind)kind, &ranges, NULL), 0);
    while ((rc = ranges_next(ranges, &row, &err)) > 0)
        take(&row, data);
    if (rc != 0)
        fail_msg("%s:%llu: %s", path, (unsigned long long)err.line, err.msg);
    ranges_close(ranges);
    input_close(input);
    (void)close(fd);
}

static void
take_row(const struct ranges_row *row, void *data)
{
    struct geo_build *build = data;
    int rc = row->first.family == 0
        ? geo_build_system(build, row->asn, row->economy, row->name, NULL)
        : row->asn != 0
        ? geo_build_asn_range(build, &row->first, &row->last, row->asn, NULL)
        : geo_build_economy_range(build, &row->first, &row->last, row->economy, NULL);

    assert_int_equal(rc, 0);
}

static struct geo *
open_world(void)
{
    struct geo *geo = NULL;

    if (access(world_path, F_OK) != 0) {
        struct geo_build *build = geo_build_new();
        for (int kind = 0; kind <= RANGES_ASN; kind++)
            read_shipped(kind, take_row, build);
        assert_int_equal(geo_build_write(build, SPAN("shipped"), 0, world_path, NULL), 0);
        geo_build_free(build);
    }
    assert_int_equal(geo_open(world_path, &geo, NULL), 0);
    return geo;
}

static void
the_shipped_world_gives_what_is_expected(void **state)
{
    (void)state;
    struct geo *geo = open_world();
    char path[512];
    char line[256];
    int rows = 0;
    (void)snprintf(
        path, sizeof path, "%s/tests/data/lookup-expected.csv", getenv("COMITY_TEST_ROOT"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    for (; fgets(line, sizeof line, file) != NULL; rows++) {
        struct span rest = span_trim(span_of(line));
        struct span text = {0};
        struct span asn = {0};
        struct address a;
        uint64_t number = 0;
        assert_true(span_next(&rest, ',', &text) && span_next(&rest, ',', &asn));
        assert_int_equal(address_parse(text, &a, NULL), 0);
        assert_true(asn.n == 0 || span_u64(asn, &number));
        struct geo_answer got = ask(geo, &a);
        if (got.asn != number || got.economy.index != economy_find(rest).index)
            fail_msg("%.*s: AS%u, expected %.*s", SPAN_ARGS(text), got.asn, SPAN_ARGS(rest));
    }
    assert_int_equal(rows, 615);
    (void)fclose(file);
    geo_close(geo);
}

struct probe {
    struct address at;
    struct geo_answer expected;
};
struct scan {
    struct probe *probes; /* ascending */
    size_t count;
    size_t next;
    bool route; /* else the economy */
};

static int
by_address(const void *a, const void *b)
{
    const struct address *x = &((const struct probe *)a)->at;
    const struct address *y = &((const struct probe *)b)->at;

    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    return (x->low > y->low) - (x->low < y->low);
}

static bool
before(const struct address *a, const struct address *b)
{
    return a->high != b->high ? a->high < b->high : a->low < b->low;
}

/* The slow and obvious way: try every length until the block around A stays inside the row. */
static uint8_t
obvious_bits(const struct address *a, const struct ranges_row *row)
{
    for (uint8_t bits = 0;; bits++) {
        unsigned host = (a->family == 4 ? 32u : 128u) - bits;
        uint64_t low = host >= 64 ? UINT64_MAX : ((uint64_t)1 << host) - 1;
        uint64_t high = host <= 64 ? 0
            : host == 128          ? UINT64_MAX
                                   : ((uint64_t)1 << (host - 64)) - 1;
        struct address first = {a->high & ~high, a->low & ~low, a->family, 128};
        struct address last = {a->high | high, a->low | low, a->family, 128};
        if (!before(&first, &row->first) && !before(&row->last, &last))
            return bits;
    }
}

static void
scan_row(const struct ranges_row *row, void *data)
{
    struct scan *scan = data;

    while (scan->next < scan->count && before(&scan->probes[scan->next].at, &row->first))
        scan->next++;
    for (; scan->next < scan->count && !before(&row->last, &scan->probes[scan->next].at);
         scan->next++) {
        struct probe *p = &scan->probes[scan->next];
        p->expected.bits = obvious_bits(&p->at, row);
        if (scan->route)
            p->expected.asn = row->asn;
        else
            p->expected.economy = row->economy;
    }
}

struct sample {
    struct address *list;
    size_t count;
    size_t seen;
    uint64_t seed;
};

/* Ends of ranges, one beside them, and somewhere inside. */
static void
sample_row(const struct ranges_row *row, void *data)
{
    struct sample *s = data;

    size_t apart = probe_count < 100000 ? 37 : 1;
    if (s->seen++ % apart != s->seed % apart || s->count + 5 > probe_count / 2)
        return;
    struct address inside = row->first;
    inside.low += row->last.high == row->first.high ? rnd(&s->seed)
            % (row->last.low - row->first.low + 1 + (row->last.low - row->first.low == UINT64_MAX))
                                                    : rnd(&s->seed);
    s->list[s->count++] = row->first;
    s->list[s->count++] = row->last;
    s->list[s->count++] = inside;
    struct address below = row->first;
    if (below.low-- != 0)
        s->list[s->count++] = below;
    struct address above = row->last;
    if (above.low < (above.family == 4 ? UINT32_MAX : UINT64_MAX)) {
        above.low++;
        s->list[s->count++] = above;
    }
}

static void
compare_with_scan(int family)
{
    int routes = family == 4 ? RANGES_IP4_ASN : RANGES_IP6_ASN;
    struct address *list = calloc(probe_count, sizeof *list);
    struct probe *probes = calloc(probe_count, sizeof *probes);
    struct sample sample = {.list = list, .seed = 5};
    uint64_t seed = (uint64_t)family;
    size_t known = 0;

    struct geo *geo = open_world();
    read_shipped(routes, sample_row, &sample);
    assert_true(sample.count > 1000);
    for (size_t i = 0; i < probe_count; i++) {
        if (i < sample.count)
            probes[i].at = list[i];
        else if (family == 4)
            probes[i].at = (struct address){0, rnd(&seed) >> 32, 4, 32};
        else
            probes[i].at =
                (struct address){list[i % sample.count].high ^ rnd(&seed) >> (20 + rnd(&seed) % 44),
                    rnd(&seed), 6, 128};
    }
    qsort(probes, probe_count, sizeof *probes, by_address);
    struct scan scan = {.probes = probes, .count = probe_count};
    read_shipped(routes + 1, scan_row, &scan);
    scan.next = 0;
    scan.route = true;
    read_shipped(routes, scan_row, &scan);

    struct geo_answer *answers = calloc(probe_count, sizeof *answers);
    for (size_t i = 0; i < probe_count; i++)
        list[i] = probes[i].at;
    geo_find6(geo, list, probe_count, answers);
    for (size_t i = 0; i < probe_count; i++) {
        char text[ADDRESS_TEXT_BYTES];
        struct geo_answer one = ask(geo, &list[i]);
        probes[i].expected.asn_economy = geo_asn_economy(geo, one.asn);
        (void)address_format(&list[i], text);
        if (!same(one, answers[i]) || !same(one, probes[i].expected))
            fail_msg("%s: AS%u /%u, expected AS%u /%u", text, one.asn, one.bits,
                probes[i].expected.asn, probes[i].expected.bits);
        known += one.asn != 0;
    }
    assert_true(known > probe_count / 2);
    if (family == 4) {
        uint32_t *numbers = calloc(probe_count, sizeof *numbers);
        struct geo_answer *again = calloc(probe_count, sizeof *again);
        for (size_t i = 0; i < probe_count; i++)
            numbers[i] = (uint32_t)list[i].low;
        geo_find4(geo, numbers, probe_count, again);
        for (size_t i = 0; i < probe_count; i++)
            assert_true(same(again[i], answers[i]));
        free(again);
        free(numbers);
    }
    free(answers);
    free(probes);
    free(list);
    geo_close(geo);
}

static void
ip4_equals_a_scan_of_the_sources(void **state)
{
    (void)state;
    compare_with_scan(4);
}

static void
ip6_equals_a_scan_of_the_sources(void **state)
{
    (void)state;
    compare_with_scan(6);
}

static int
set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(world_path, sizeof world_path, "%s/world", folder);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)unlink(world_path);
    return rmdir(folder);
}

int
main(void)
{
    const char *asked = getenv("COMITY_TEST_PROBES");

    if (asked != NULL)
        probe_count = strtoul(asked, NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_world_gives_what_is_expected),
        cmocka_unit_test(ip4_equals_a_scan_of_the_sources),
        cmocka_unit_test(ip6_equals_a_scan_of_the_sources),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
