#include "base/hash.h"
#include "fmt/ranges.h"
#include "geo/geo.h"
#include "geo/geo_build.h"
#include "geo/geo_layout.h"
#include "sys/file.h"

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

static char folder[] = "/tmp/comity-geo-XXXXXX";
static char table_path[64];

static struct address
ip(const char *text)
{
    struct address a;

    assert_int_equal(address_parse(span_of(text), &a, NULL), 0);
    return a;
}

static struct economy
economy(const char *code)
{
    return economy_find(span_of(code));
}

static struct geo *
write_and_open(struct geo_build *build)
{
    struct geo *geo = NULL;
    struct err err = {0};

    if (geo_build_write(build, SPAN("a test"), 7, table_path, &err) != 0)
        fail_msg("%s", err.msg);
    if (geo_open(table_path, &geo, &err) != 0)
        fail_msg("%s", err.msg);
    geo_build_free(build);
    return geo;
}

static void
add_asn(struct geo_build *build, const char *first, const char *last, uint32_t asn)
{
    struct address a = ip(first);
    struct address b = ip(last);

    assert_int_equal(geo_build_asn_range(build, &a, &b, asn, NULL), 0);
}

static void
add_economy(struct geo_build *build, const char *first, const char *last, const char *code)
{
    struct address a = ip(first);
    struct address b = ip(last);

    assert_int_equal(geo_build_economy_range(build, &a, &b, economy(code), NULL), 0);
}

static void
expect(const struct geo *geo, const char *text, uint32_t asn, const char *code, unsigned bits)
{
    struct address a = ip(text);
    struct geo_answer got = ask(geo, &a);
    char have[3];

    economy_code(got.economy, have);
    if (got.asn != asn || strcmp(have, code) != 0 || got.bits != bits)
        fail_msg("%s: AS%u %s /%u, expected AS%u %s /%u", text, got.asn, have, got.bits, asn, code,
            bits);
}

static void
an_empty_table_knows_nothing(void **state)
{
    (void)state;
    struct geo *geo = write_and_open(geo_build_new());
    expect(geo, "0.0.0.0", 0, "", 0);
    expect(geo, "255.255.255.255", 0, "", 0);
    expect(geo, "::", 0, "", 0);
    expect(geo, "2001:db8::1", 0, "", 0);
    expect(geo, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "", 0);
    assert_int_equal(geo_asn_name(geo, 1).n, 0);
    assert_int_equal(geo_asn_economy(geo, 1).index, 0);
    assert_true(span_equal(geo_sources(geo), SPAN("a test")));
    assert_int_equal(geo_counts(geo).built_us, 7000000);
    geo_find4(geo, NULL, 0, NULL);
    geo_find6(geo, NULL, 0, NULL);
    geo_close(geo);
}

static void
one_range_may_be_the_whole_space(void **state)
{
    (void)state;
    struct geo_build *build = geo_build_new();
    add_asn(build, "0.0.0.0", "255.255.255.255", 4200000000);
    add_economy(build, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ZZ");
    struct geo *geo = write_and_open(build);
    expect(geo, "0.0.0.0", 4200000000, "", 0);
    expect(geo, "255.255.255.255", 4200000000, "", 0);
    expect(geo, "::1", 0, "ZZ", 0);
    expect(geo, "ffff::", 0, "ZZ", 0);
    expect(geo, "::ffff:1.2.3.4", 4200000000, "", 0);
    geo_close(geo);
}

static void
ranges_end_where_they_say(void **state)
{
    (void)state;
    struct geo_build *build = geo_build_new();
    add_asn(build, "10.0.0.0", "10.0.0.0", 1);
    add_asn(build, "10.0.0.1", "10.0.0.6", 2);
    add_asn(build, "10.0.1.0", "10.0.3.255", 3);
    add_asn(build, "255.255.255.255", "255.255.255.255", 4);
    add_economy(build, "10.0.0.4", "10.0.2.9", "AT");
    add_asn(build, "2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 5);
    add_asn(build, "2001:db8:1::1", "2001:db8:1::1", 6);
    add_asn(build, "2001:db8:1::2", "2001:db8:1::5", 7);
    add_asn(build, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 8);
    add_economy(build, "2001:db8:1::", "2001:db8:2:7fff:ffff:ffff:ffff:ffff", "BE");
    assert_int_equal(geo_build_system(build, 3, economy("DE"), SPAN("Three"), NULL), 0);
    assert_int_equal(geo_build_system(build, 2, economy(""), SPAN(""), NULL), 0);
    struct geo *geo = write_and_open(build);
    expect(geo, "9.255.255.255", 0, "", 0);
    expect(geo, "10.0.0.0", 1, "", 32);
    expect(geo, "10.0.0.1", 2, "", 32);
    expect(geo, "10.0.0.2", 2, "", 31);
    expect(geo, "10.0.0.4", 2, "AT", 31);
    expect(geo, "10.0.0.6", 2, "AT", 32);
    expect(geo, "10.0.0.7", 0, "AT", 30);
    expect(geo, "10.0.0.8", 0, "AT", 29);
    expect(geo, "10.0.1.0", 3, "AT", 24);
    expect(geo, "10.0.2.9", 3, "AT", 23);
    expect(geo, "10.0.2.10", 3, "", 23);
    expect(geo, "10.0.4.0", 0, "", 0);
    expect(geo, "255.255.255.254", 0, "", 0);
    expect(geo, "255.255.255.255", 4, "", 32);
    expect(geo, "::ffff:10.0.1.0", 3, "AT", 24);
    expect(geo, "::fffe:10.0.1.0", 0, "", 0);
    expect(geo, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 0, "", 0);
    expect(geo, "2001:db8::", 5, "", 48);
    expect(geo, "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 5, "", 48);
    expect(geo, "2001:db8:1::", 0, "BE", 48);
    expect(geo, "2001:db8:1::1", 6, "BE", 128);
    expect(geo, "2001:db8:1::3", 7, "BE", 127);
    expect(geo, "2001:db8:1::5", 7, "BE", 127);
    expect(geo, "2001:db8:1::6", 0, "BE", 48);
    expect(geo, "2001:db8:2:7fff:ffff:ffff:ffff:ffff", 0, "BE", 49);
    expect(geo, "2001:db8:2:8000::", 0, "", 0);
    expect(geo, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0, "", 0);
    expect(geo, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 8, "", 128);
    assert_int_equal(ask(geo, &(struct address){.low = 0x0a000100, .family = 4}).asn_economy.index,
        economy("DE").index);
    assert_true(span_equal(geo_asn_name(geo, 3), SPAN("Three")));
    assert_int_equal(geo_asn_economy(geo, 3).index, economy("DE").index);
    geo_close(geo);
}

/* Lists of one line, of several, and blocks: COUNT neighbouring /48 of different ASNs. */
static void
crowds_are_told_apart(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 3000; count = count < 70 ? count + 1 : count * 3 / 2) {
        struct geo_build *build = geo_build_new();
        struct address a = ip("2001:db8::");
        for (uint32_t i = 0; i < count; i++) {
            struct address first = {a.high + ((uint64_t)i << 17), 0, 6, 128};
            struct address last = {first.high + 0xffff, UINT64_MAX, 6, 128};
            assert_int_equal(geo_build_asn_range(build, &first, &last, 1 + i, NULL), 0);
        }
        struct geo *geo = write_and_open(build);
        for (uint32_t i = 0; i < count + 100; i++) {
            struct address at = {a.high + ((uint64_t)i << 17), UINT64_MAX, 6, 128};
            assert_int_equal(ask(geo, &at).asn, i < count ? 1 + i : 0);
            at.high += 0x10000;
            assert_int_equal(ask(geo, &at).asn, 0);
        }
        geo_close(geo);
    }
}

static void
contradictions_are_refused(void **state)
{
    (void)state;
    struct geo_build *build = geo_build_new();
    struct address a = ip("10.0.0.0");
    struct address b = ip("10.0.0.9");
    struct address c = ip("2001:db8::");
    add_asn(build, "10.0.0.5", "10.0.0.8", 1);
    assert_int_equal(geo_build_asn_range(build, &a, &b, 1, NULL), ERR_BAD_ADDRESS);
    assert_int_equal(geo_build_asn_range(build, &a, &a, 1, NULL), ERR_BAD_ADDRESS);
    assert_int_equal(geo_build_asn_range(build, &b, &a, 1, NULL), ERR_BAD_ADDRESS);
    assert_int_equal(geo_build_asn_range(build, &b, &c, 1, NULL), ERR_BAD_ADDRESS);
    assert_int_equal(geo_build_asn_range(build, &b, &b, 0, NULL), ERR_BAD_VALUE);
    assert_int_equal(geo_build_economy_range(build, &a, &b, economy("?"), NULL), ERR_BAD_VALUE);
    assert_int_equal(geo_build_system(build, 9, economy("CH"), SPAN("x"), NULL), 0);
    assert_int_equal(geo_build_system(build, 9, economy("CH"), SPAN("y"), NULL), 0);
    assert_int_equal(geo_build_write(build, SPAN(""), 0, table_path, NULL), ERR_DUPLICATE_KEY);
    geo_build_free(build);
}

static int
read_text(const char *text, enum ranges_kind kind, struct ranges_row *row, uint64_t *line)
{
    struct input *input;
    struct ranges *ranges = NULL;
    struct err err = {0};

    assert_int_equal(input_open_bytes(span_of(text), "text", &input, NULL), 0);
    int rc = ranges_open(input, kind, &ranges, &err);
    while (rc >= 0 && (rc = ranges_next(ranges, row, &err)) > 0)
        continue;
    *line = err.line;
    ranges_close(ranges);
    input_close(input);
    return rc;
}

static void
rows_are_strict(void **state)
{
    (void)state;
    static const struct {
        enum ranges_kind kind;
        const char *text;
        int rc;
    } cases[] = {
        {RANGES_IP4_ASN, "start,end,asn\n0,4294967295,1", 0},
        {RANGES_IP4_ASN, "start,end,asn\n192.0.2.0,192.0.2.255,1\n", 0},
        {RANGES_IP4_ASN, "start,end,economy\n0,1,AT\n", ERR_UNKNOWN_FORMAT},
        {RANGES_IP4_ASN, "", ERR_UNKNOWN_FORMAT},
        {RANGES_IP4_ASN, "start,end,asn\n0,4294967296,1\n", ERR_BAD_ADDRESS},
        {RANGES_IP4_ASN, "start,end,asn\n999.1.1.1,1,1\n", ERR_BAD_ADDRESS},
        {RANGES_IP4_ASN, "start,end,asn\n::,::1,1\n", ERR_BAD_ADDRESS},
        {RANGES_IP4_ASN, "start,end,asn\n5,4,1\n", ERR_BAD_ADDRESS},
        {RANGES_IP4_ASN, "start,end,asn\n1,2\n", ERR_COLUMN_COUNT},
        {RANGES_IP4_ASN, "start,end,asn\n1,2,3,4\n", ERR_COLUMN_COUNT},
        {RANGES_IP4_ASN, "start,end,asn\n1,2,3,\n", ERR_COLUMN_COUNT},
        {RANGES_IP4_ASN, "start,end,asn\n\n", ERR_COLUMN_COUNT},
        {RANGES_IP4_ASN, "start,end,asn\n1,2,0\n", ERR_BAD_NUMBER},
        {RANGES_IP4_ASN, "start,end,asn\n1,2,4294967296\n", ERR_BAD_NUMBER},
        {RANGES_IP4_ECONOMY, "start,end,economy\n1,2,A\n", ERR_BAD_VALUE},
        {RANGES_IP4_ECONOMY, "start,end,economy\n1,2,\n", ERR_BAD_VALUE},
        {RANGES_IP6_ASN, "start,end,asn\n1,2,3\n", ERR_BAD_ADDRESS},
        {RANGES_IP6_ECONOMY, "start,end,economy\n::,::ffff,AT\n", 0},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\"a \"\"b\"\", c\"\n",
            0},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\n", 0},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0\n", ERR_COLUMN_COUNT},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\"a\n", ERR_BAD_QUOTE},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\"a\"b\n",
            ERR_BAD_QUOTE},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\"a\"\"\n",
            ERR_BAD_QUOTE},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,\xff\n", ERR_BAD_UTF8},
        {RANGES_ASN, "asn,economy,economy_share,ipv4_addresses,name\n1,,,0,a,b\n",
            ERR_COLUMN_COUNT},
    };
    struct ranges_row row;
    uint64_t line;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = read_text(cases[i].text, cases[i].kind, &row, &line);
        if (rc != cases[i].rc)
            fail_msg("case %zu gave %d instead of %d", i, rc, cases[i].rc);
        if (rc != 0)
            assert_int_equal(line, rc == ERR_UNKNOWN_FORMAT ? 1 : 2);
    }
}

static void
quotes_are_taken_off(void **state)
{
    (void)state;
    struct input *input;
    struct ranges *ranges;
    struct ranges_row row;
    assert_int_equal(
        input_open_bytes(
            SPAN("asn,economy,economy_share,ipv4_addresses,name\n7,EE,1,0,\"a \"\"b\"\"\"\n"),
            "text", &input, NULL),
        0);
    assert_int_equal(ranges_open(input, RANGES_ASN, &ranges, NULL), 0);
    assert_int_equal(ranges_next(ranges, &row, NULL), 1);
    assert_true(span_equal(row.name, SPAN("a \"b\"")));
    assert_int_equal(row.asn, 7);
    assert_int_equal(ranges_line(ranges), 2);
    ranges_close(ranges);
    input_close(input);
}

static struct geo_build *
small_world(void)
{
    struct geo_build *build = geo_build_new();

    add_asn(build, "10.0.0.1", "10.0.0.6", 2);
    add_economy(build, "10.0.0.4", "10.0.2.9", "AT");
    for (uint32_t i = 0; i < 700; i++) {
        struct address first = {0x20010db800000000 + ((uint64_t)i << 17), i * 3, 6, 128};
        struct address last = {first.high, first.low + (uint64_t)i * i, 6, 128};
        assert_int_equal(geo_build_asn_range(build, &first, &last, 1 + i, NULL), 0);
    }
    assert_int_equal(geo_build_system(build, 2, economy("DE"), SPAN("Two"), NULL), 0);
    return build;
}

static char *
read_whole(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*n);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    (void)fclose(file);
    return bytes;
}

static void
seal(char *bytes, size_t n)
{
    struct geo_header header;
    size_t behind = offsetof(struct geo_header, checksum) + sizeof header.checksum;

    memcpy(&header, bytes, sizeof header);
    header.checksum = hash_bytes(bytes + behind, n - behind, 0);
    memcpy(bytes, &header, sizeof header);
}

/* Write BYTES and use what is opened of it everywhere; 1 if it was opened. */
static int
try_bytes(const char *bytes, size_t n, uint64_t *state)
{
    struct geo *geo = NULL;
    struct err err = {0};

    FILE *file = fopen(table_path, "wb");
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    int rc = geo_open(table_path, &geo, &err);
    if (rc != 0) {
        assert_int_equal(rc, ERR_BAD_TABLE);
        assert_int_not_equal(err.msg[0], '\0');
        return 0;
    }
    for (int i = 0; i < 300; i++) {
        struct address a = {rnd(state), rnd(state), 6, 128};
        if (i % 3 != 0)
            a.high = 0x20010db800000000 + (rnd(state) & 0x7ffffff);
        if (i % 3 == 2)
            a.low &= 0xfffff;
        struct geo_answer got = ask(geo, &a);
        assert_true(got.economy.index < ECONOMY_COUNT && got.asn_economy.index < ECONOMY_COUNT
            && got.bits <= 128);
        a = (struct address){0, 0x0a000000 + (rnd(state) & 0x3ff), 4, 32};
        (void)ask(geo, &a);
        (void)geo_asn_name(geo, 2);
    }
    geo_close(geo);
    return 1;
}

/* Once as accidents happen (the checksum notices), once as an attacker would do it. */
static void
damaged_files_are_refused_or_harmless(void **state)
{
    (void)state;
    uint64_t seed = 1;
    size_t n;
    int opened = 0;
    geo_close(write_and_open(small_world()));
    char *whole = read_whole(table_path, &n);
    char *bytes = malloc(n);
    struct geo_header header;
    memcpy(&header, whole, sizeof header);
    for (int i = 0; i < 60; i++) {
        memcpy(bytes, whole, n);
        bytes[rnd(&seed) % n] ^= (char)(1 + rnd(&seed) % 255);
        assert_int_equal(try_bytes(bytes, n, &seed), 0);
    }
    for (int i = 0; i < 400; i++) {
        memcpy(bytes, whole, n);
        int section = (int)(rnd(&seed) % (GEO_SECTIONS + 1));
        for (int k = 0; k < 1 + i % 4; k++) {
            uint64_t from = section == GEO_SECTIONS ? 0 : header.sections[section].offset;
            uint64_t width = section + 1 >= GEO_SECTIONS
                ? sizeof header
                : header.sections[section + 1].offset - from;
            bytes[(from + rnd(&seed) % (width + 1)) % n] ^= (char)(1 << rnd(&seed) % 8);
        }
        seal(bytes, n);
        opened += try_bytes(bytes, n, &seed);
    }
    assert_true(opened > 40 && opened < 360);
    for (size_t cut = 1; cut < n; cut = cut * 2 + 1)
        assert_int_equal(try_bytes(whole, n - cut, &seed), 0);
    free(bytes);
    free(whole);
}

/* A block that leads to itself must not be followed for ever. */
static void
circles_end(void **state)
{
    (void)state;
    uint64_t seed = 1;
    size_t n;
    struct geo_header header;
    geo_close(write_and_open(small_world()));
    char *bytes = read_whole(table_path, &n);
    memcpy(&header, bytes, sizeof header);
    for (uint64_t i = 0; i < header.sections[GEO_ENTRIES].count; i++) {
        uint64_t entry = (uint64_t)GEO_BLOCK << 62;
        memcpy(
            bytes + header.sections[GEO_ENTRIES].offset + i * sizeof entry, &entry, sizeof entry);
    }
    seal(bytes, n);
    assert_int_equal(try_bytes(bytes, n, &seed), 1);
    free(bytes);
}

static void
what_is_no_table_is_refused(void **state)
{
    (void)state;
    struct geo *geo = NULL;
    assert_int_equal(geo_open("/nonexistent/table", &geo, NULL), ERR_NOT_FOUND);
    assert_int_equal(geo_open(folder, &geo, NULL), ERR_BAD_TABLE);
    assert_int_equal(geo_open("/dev/null", &geo, NULL), ERR_BAD_TABLE);
    assert_null(geo);
    geo_close(NULL);
}

static void
files_are_replaced_whole(void **state)
{
    (void)state;
    struct span parts[] = {SPAN("one "), SPAN(""), SPAN("two")};
    char missing[96];
    size_t n;
    assert_int_equal(file_write_atomic(table_path, parts, 3, 0600, NULL), 0);
    char *bytes = read_whole(table_path, &n);
    assert_int_equal(n, 7);
    assert_memory_equal(bytes, "one two", 7);
    free(bytes);
    (void)snprintf(missing, sizeof missing, "%s/none/x", folder);
    assert_int_equal(file_write_atomic(missing, parts, 3, 0600, NULL), ERR_IO);
    assert_int_equal(file_write_atomic(folder, parts, 3, 0600, NULL), ERR_IO);
}

static int
set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(table_path, sizeof table_path, "%s/table", folder);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)unlink(table_path);
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_knows_nothing),
        cmocka_unit_test(one_range_may_be_the_whole_space),
        cmocka_unit_test(ranges_end_where_they_say),
        cmocka_unit_test(crowds_are_told_apart),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(rows_are_strict),
        cmocka_unit_test(quotes_are_taken_off),
        cmocka_unit_test(damaged_files_are_refused_or_harmless),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(files_are_replaced_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
