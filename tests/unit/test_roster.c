#include "base/hash.h"
#include "flow/card.h"
#include "flow/roster.h"
#include "model/special.h"

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

static struct address
prefix(const char *text)
{
    struct address a;

    assert_int_equal(prefix_parse(span_of(text), &a, NULL), 0);
    return a;
}

static struct team
team_of(const char *id, const char *kind)
{
    return (struct team){.id = span_of(id), .name = span_of(id), .kind = span_of(kind)};
}

static struct roster *
build(const struct team *teams, size_t count)
{
    struct roster *roster;
    struct err err;

    assert_int_equal(roster_build(teams, count, &roster, &err), 0);
    return roster;
}

/* The answer a plain reader of the rule would give. */
static uint32_t
scan_prefixes(const struct team *teams, size_t count, const struct address *address, uint8_t *bits)
{
    uint32_t best = 0;
    uint8_t best_bits = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < teams[i].prefix_count; j++) {
            const struct address *p = &teams[i].prefixes[j];
            if (!address_in(address, p) || (best != 0 && p->bits <= best_bits))
                continue;
            best = (uint32_t)i + 1;
            best_bits = p->bits;
        }
    *bits = best_bits;
    return best;
}

enum { TEAMS = 60, PREFIXES = 40, PROBES = 20000 };
static uint64_t state_of_random = 42;

static uint64_t
random64(void)
{
    state_of_random += 0x9e3779b97f4a7c15u;
    return hash_bytes(&state_of_random, sizeof state_of_random, 7);
}

/* Few distinct high bits, so that prefixes nest and touch. */
static struct address
random_address(bool v4)
{
    uint64_t r = random64();

    if (v4)
        return (struct address){
            .low = (uint32_t)(r & 0x0303ffff) | (uint32_t)(r % 3 << 30), .family = 4, .bits = 32};
    return (struct address){.high = (r & 0x3) << 61 | (r & 0xff0) << 20 | (r >> 60),
        .low = random64() & (r >> 40),
        .family = 6,
        .bits = 128};
}

static struct address
random_prefix(bool v4)
{
    struct address a = random_address(v4);
    unsigned width = v4 ? 32 : 128;
    unsigned bits = (unsigned)(random64() % (width + 1));

    a.bits = (uint8_t)bits;
    if (v4) {
        a.low = bits == 0 ? 0 : a.low >> (32 - bits) << (32 - bits);
        return a;
    }
    a.low = bits <= 64 ? 0 : bits == 128 ? a.low : a.low >> (128 - bits) << (128 - bits);
    a.high = bits == 0 ? 0 : bits >= 64 ? a.high : a.high >> (64 - bits) << (64 - bits);
    return a;
}

/* The first address of P, its last, and their neighbours outside. */
static struct address
edge_of(const struct address *p, size_t which)
{
    unsigned width = p->family == 4 ? 32 : 128;
    unsigned free_bits = width - p->bits;
    struct address a = *p;

    if (which >= 2) {
        a.low |= free_bits >= 64 ? UINT64_MAX : ((uint64_t)1 << free_bits) - 1;
        a.high |= free_bits == 128 ? UINT64_MAX
            : free_bits > 64       ? ((uint64_t)1 << (free_bits - 64)) - 1
                                   : 0;
    }
    if (which == 1 && a.low > 0)
        a.low--;
    if (which == 3 && a.low < UINT64_MAX)
        a.low++;
    a.low = p->family == 4 ? (uint32_t)a.low : a.low;
    a.high = p->family == 4 ? 0 : a.high;
    a.bits = (uint8_t)width;
    return a;
}

static void
longest_prefix_equals_a_linear_scan(void **state)
{
    static struct address prefixes[TEAMS][PREFIXES];
    static char ids[TEAMS][8];
    static struct team teams[TEAMS];
    struct roster *roster;

    (void)state;
    for (size_t i = 0; i < TEAMS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "t%03zu", i);
        teams[i] = team_of(ids[i], "isp");
        for (size_t j = 0; j < PREFIXES; j++)
            prefixes[i][j] = random_prefix(random64() % 2 == 0);
        teams[i].prefixes = prefixes[i];
        teams[i].prefix_count = PREFIXES;
    }
    roster = build(teams, TEAMS);
    for (size_t i = 0; i < PROBES; i++) {
        struct address probe = random_address(i % 2 == 0);
        struct address matched = {0};
        uint8_t bits;
        uint8_t others;
        if (i % 5 == 0)
            probe = edge_of(&prefixes[i / 5 % TEAMS][i % PREFIXES], i % 4);
        uint32_t wanted = scan_prefixes(teams, TEAMS, &probe, &bits);
        assert_int_equal(roster_by_address(roster, &probe, &matched, &others).index, wanted);
        if (wanted != 0)
            assert_int_equal(matched.bits, bits);
    }
    roster_free(roster);
}

static void
mapped_addresses_are_the_ipv4_inside(void **state)
{
    struct address p = prefix("198.51.100.0/24");
    struct address probe = prefix("::ffff:198.51.100.9");
    struct address matched;
    struct team team = team_of("a", "isp");
    struct roster *roster;
    uint8_t others;

    (void)state;
    team.prefixes = &p;
    team.prefix_count = 1;
    roster = build(&team, 1);
    assert_int_equal(roster_by_address(roster, &probe, &matched, &others).index, 1);
    roster_free(roster);
}

static void
several_claims_go_to_rank_then_id(void **state)
{
    struct address p = prefix("192.0.2.0/24");
    struct address matched;
    struct address probe = prefix("192.0.2.7");
    struct economy fi = economy_find(SPAN("FI"));
    struct team_scope first = {SPAN("research"), 1, false};
    uint32_t asn = 64500;
    struct span domain = SPAN("example.net");
    struct team teams[3] = {team_of("c", "isp"), team_of("b", "isp"), team_of("d", "research")};
    struct roster *roster;
    struct span suffix;
    uint8_t others;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        teams[i].prefixes = &p;
        teams[i].asns = &asn;
        teams[i].domains = &domain;
        teams[i].prefix_count = teams[i].asn_count = teams[i].domain_count = 1;
    }
    roster = build(teams, 3);
    assert_int_equal(roster_by_address(roster, &probe, &matched, &others).index, 2);
    assert_int_equal(others, 2);
    roster_free(roster);
    teams[2].economies = &fi;
    teams[2].economy_count = 1;
    teams[2].scopes = &first;
    roster = build(teams, 3);
    assert_int_equal(roster_by_address(roster, &probe, &matched, &others).index, 3);
    assert_int_equal(roster_by_asn(roster, asn, &others).index, 3);
    assert_int_equal(others, 2);
    assert_int_equal(roster_by_domain(roster, SPAN("example.net"), &suffix, &others).index, 3);
    assert_int_equal(roster_by_asn(roster, 64501, &others).index, 0);
    roster_free(roster);
}

static void
domains_match_at_label_boundaries(void **state)
{
    static const struct span names[] = {
        SPAN("example.org"), SPAN("gov.example.org"), SPAN("xn--bcher-kva.example")};
    static const struct {
        const char *query;
        const char *suffix;
    } cases[] = {{"example.org", "example.org"}, {"WWW.Example.ORG", "example.org"},
        {"www.example.org.", "example.org"}, {"a.gov.example.org", "gov.example.org"},
        {"notgov.example.org", "example.org"}, {"badexample.org", ""}, {"org", ""}, {"", ""},
        {".", ""}, {"example.org.evil", ""},
        {"www.B\xc3\xbc"
         "cher.example",
            "xn--bcher-kva.example"},
        {"www.xn--BCHER-kva.example", "xn--bcher-kva.example"}, {"\xff\xfe.example.org", ""},
        {"..example.org", "example.org"}};
    struct team team = team_of("a", "isp");
    struct roster *roster;

    (void)state;
    team.domains = names;
    team.domain_count = 3;
    roster = build(&team, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span suffix = {"", 0};
        uint8_t others;
        struct team_id found = roster_by_domain(roster, span_of(cases[i].query), &suffix, &others);
        assert_int_equal(found.index, cases[i].suffix[0] != '\0');
        assert_true(span_equal(suffix, span_of(cases[i].suffix)));
    }
    roster_free(roster);
}

static void
economies_go_to_the_national_team(void **state)
{
    struct economy fi = economy_find(SPAN("FI"));
    struct team_scope government = {SPAN("government"), 1, false};
    struct team_scope all = {SPAN("all"), 1, true};
    struct team teams[5] = {team_of("a-gov", "government"), team_of("b-cc", "coordination-center"),
        team_of("d-nat", "national"), team_of("c-nat", "national"), team_of("a-isp", "isp")};
    struct roster *roster;
    uint8_t others;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        teams[i].economies = &fi;
        teams[i].economy_count = 1;
    }
    teams[0].scopes = &government;
    roster = build(teams, 5);
    assert_int_equal(roster_by_economy(roster, fi, &others).index, 4);
    assert_int_equal(others, 2);
    assert_int_equal(roster_by_economy(roster, economy_find(SPAN("SE")), &others).index, 0);
    assert_int_equal(roster_by_economy(roster, (struct economy){0}, &others).index, 0);
    roster_free(roster);
    roster = build(teams, 2);
    assert_int_equal(roster_by_economy(roster, fi, &others).index, 2);
    roster_free(roster);
    roster = build(teams, 1);
    assert_int_equal(roster_by_economy(roster, fi, &others).index, 0);
    roster_free(roster);
    teams[0].scopes = &all;
    roster = build(teams, 1);
    assert_int_equal(roster_by_economy(roster, fi, &others).index, 1);
    roster_free(roster);
}

static void
ids_are_found_and_never_doubled(void **state)
{
    struct team teams[2] = {team_of("a", "isp"), team_of("a", "isp")};
    struct roster *roster;
    struct err err;

    (void)state;
    assert_int_equal(roster_build(teams, 2, &roster, &err), ERR_EXISTS);
    roster = build(teams, 1);
    assert_int_equal(roster_find(roster, SPAN("a")).index, 1);
    assert_int_equal(roster_find(roster, SPAN("b")).index, 0);
    roster_free(roster);
}

static int
read_text(
    struct json *json, struct arena *arena, const char *text, struct team *team, struct err *err)
{
    struct json_value root;

    *err = (struct err){0};
    assert_int_equal(json_parse_copy(json, span_of(text), &root, err), 0);
    return card_read(arena, root, 1700000000000000, team, err);
}

#define CARD(members)                                                                              \
    "{\"id\":\"x\",\"name\":\"X\",\"kind\":\"national\",\"source\":\"test\"," members "}"
#define REST ",\"verified\":true,\"economies\":[\"FI\"]"

static void
cards_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } bad[] = {{CARD("\"verified\":true"), "economies"},
        {CARD("\"economies\":[\"Finland\"],\"verified\":true"), "economies[0]"},
        {CARD("\"economies\":[\"FI\",\"fi\"],\"verified\":true"), "economies[1]"},
        {CARD("\"economies\":[\"FI\"],\"verified\":\"yes\""), "verified"},
        {CARD("\"site\":\"ftp://x\"" REST), "site"}, {CARD("\"colour\":\"red\"" REST), "colour"},
        {CARD("\"constituency\":{\"prefixes\":[\"192.0.2.1/24\"]}" REST),
            "constituency.prefixes[0]"},
        {CARD("\"constituency\":{\"asns\":[1,0]}" REST), "constituency.asns[1]"},
        {CARD("\"constituency\":{\"asns\":[\"AS1\"]}" REST), "constituency.asns[0]"},
        {CARD("\"constituency\":{\"domains\":[\"*.at\"]}" REST), "constituency.domains[0]"},
        {CARD("\"constituency\":{\"nets\":[]}" REST), "constituency.nets"},
        {CARD("\"channels\":[{\"type\":\"pigeon\",\"address\":\"x\"}]" REST), "channels[0]"},
        {CARD("\"economies\":[{\"economy\":\"FI\",\"rank\":0}],\"verified\":true"),
            "economies[0].rank"},
        {CARD("\"economies\":[{\"economy\":\"FI\",\"valid_until\":\"soon\"}],\"verified\":true"),
            "economies[0].valid_until"},
        {"{\"id\":\"a b\"}", "id"}, {"[]", ""}};
    struct arena *arena = arena_new(1 << 20);
    struct json *json = json_new(1 << 20);
    struct team team;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_text(json, arena, bad[i].text, &team, &err), ERR_BAD_CONFIG);
        assert_string_equal(err.field, bad[i].field);
    }
    assert_int_equal(
        read_text(json, arena, CARD("\"id\":\"y\"" REST), &team, &err), ERR_DUPLICATE_KEY);
    assert_int_equal(read_text(json, arena, CARD("\"x_own\":[1]" REST), &team, &err), 0);
    json_free(json);
    arena_free(arena);
}

static void
cards_keep_what_they_say(void **state)
{
    static const char text[] =
        "{\"id\":\"fi-x\",\"name\":\"X\",\"kind\":\"research\",\"source\":\"test\",\"verified\":"
        "false,"
        "\"economies\":[\"FI\",{\"economy\":\"SE\",\"scope\":\"all\",\"rank\":2},"
        "{\"economy\":\"NO\",\"valid_until\":\"2020-01-01\"},{\"economy\":\"DK\",\"valid_from\":"
        "\"2030-01-01\"}],"
        "\"constituency\":{\"prefixes\":[\"2001:db8::/"
        "32\"],\"asns\":[64500],\"domains\":[\"B\xc3\xbc"
        "cher.Example\"]},"
        "\"channels\":[{\"type\":\"comity\",\"address\":\"https://x.example/\",\"receipt\":true}]}";
    struct arena *arena = arena_new(1 << 20);
    struct json *json = json_new(1 << 20);
    struct team team;
    struct err err;

    (void)state;
    assert_int_equal(read_text(json, arena, text, &team, &err), 0);
    assert_int_equal(team.economy_count, 2);
    assert_false(team.scopes[0].whole);
    assert_true(span_equal(team.scopes[0].word, SPAN("research")));
    assert_true(team.scopes[1].whole);
    assert_int_equal(team.scopes[1].rank, 2);
    assert_true(span_equal(team.domains[0], SPAN("xn--bcher-kva.example")));
    assert_int_equal(team.asns[0], 64500);
    assert_true(team.channels.any && team.channels.encrypted && team.channels.receipt);
    assert_false(team.verified);
    json_free(json);
    arena_free(arena);
}

static void
count_rejects(void *ctx, const char *file, const struct err *why)
{
    (void)file;
    assert_true(why->msg[0] != '\0');
    (*(size_t *)ctx)++;
}

static void
bad_cards_leave_the_good_ones(void **state)
{
    static const char text[] =
        "[" CARD("\"verified\":true,\"economies\":[\"FI\"]") ",{\"id\":\"bad\"}," CARD(
            "\"verified\":true,\"economies\":[\"FI\"]") "]";
    char path[] = "/tmp/test_roster_XXXXXX";
    int fd = mkstemp(path);
    size_t rejects = 0;
    struct roster *roster;
    struct err err;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(roster_load(path, NULL, count_rejects, &rejects, &roster, &err), 0);
    assert_int_equal(rejects, 2);
    assert_int_equal(roster_count(roster), 1);
    roster_free(roster);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(roster_load(path, NULL, NULL, NULL, &roster, &err), ERR_NOT_FOUND);
}

static void
special_addresses_are_known(void **state)
{
    static const char *const special[] = {"10.1.2.3", "127.0.0.1", "192.168.0.0/16",
        "172.31.255.255", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "0.1.2.3",
        "::1", "::", "fe80::1", "fd00::1", "2001:db8::1", "ff02::1", "::ffff:10.0.0.1", "3fff::1"};
    static const char *const ordinary[] = {"8.8.8.8", "172.32.0.0", "100.128.0.0",
        "2001:4860:4860::8888", "10.0.0.0/7", "::ffff:8.8.8.8", "9.255.255.255", "11.0.0.0",
        "223.255.255.255", "2001:db9::", "::2"};

    (void)state;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        struct address a = prefix(special[i]);
        assert_non_null(special_word(&a));
    }
    for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++) {
        struct address a;
        if (prefix_parse(span_of(ordinary[i]), &a, NULL) == 0)
            assert_null(special_word(&a));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_prefix_equals_a_linear_scan),
        cmocka_unit_test(mapped_addresses_are_the_ipv4_inside),
        cmocka_unit_test(several_claims_go_to_rank_then_id),
        cmocka_unit_test(domains_match_at_label_boundaries),
        cmocka_unit_test(economies_go_to_the_national_team),
        cmocka_unit_test(ids_are_found_and_never_doubled),
        cmocka_unit_test(cards_are_read_strictly),
        cmocka_unit_test(cards_keep_what_they_say),
        cmocka_unit_test(bad_cards_leave_the_good_ones),
        cmocka_unit_test(special_addresses_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
