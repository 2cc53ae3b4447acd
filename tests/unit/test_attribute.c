#include "flow/attribute.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* A world of three networks in place of the table. */
struct geo_answer
geo_find(const struct geo *geo, const struct address *address)
{
    struct geo_answer answer = {0};

    (void)geo;
    if (address->family != 4)
        return answer;
    switch (address->low >> 24) {
    case 1: /* registry and ASN agree */
        return (struct geo_answer){64501, economy_find(SPAN("FI")), economy_find(SPAN("FI")), 8};
    case 2: /* registry says SE, the ASN's holder sits in NO */
        return (struct geo_answer){64502, economy_find(SPAN("SE")), economy_find(SPAN("NO")), 8};
    case 3: /* the registry is not known */
        return (struct geo_answer){64503, {0}, economy_find(SPAN("NO")), 8};
    default:
        return answer;
    }
}

struct economy
geo_asn_economy(const struct geo *geo, uint32_t asn)
{
    (void)geo;
    return economy_find(asn == 64501 ? SPAN("FI") : asn == 64503 ? SPAN("NO") : SPAN(""));
}

enum { FI = 1, SE, NO, UNI, BANK, GB, ASNS, RU };
static const uint32_t uni_asn = 64510;
static const struct span domains[] = {{"bank.example", 12}};

static struct roster *
roster_of_eight(void)
{
    static struct economy economies[9];
    static struct address prefixes[2];
    static const char *const codes[] = {"", "FI", "SE", "NO", "FI", "SE", "GB", "GB", "RU"};
    struct team teams[8];
    struct roster *roster;

    assert_int_equal(prefix_parse(SPAN("1.2.0.0/16"), &prefixes[0], NULL), 0);
    assert_int_equal(prefix_parse(SPAN("10.1.0.0/16"), &prefixes[1], NULL), 0);
    for (size_t i = 1; i < 9; i++) {
        static char ids[9][3];
        economies[i] = economy_find(span_of(codes[i]));
        ids[i][0] = 't';
        ids[i][1] = (char)('0' + i);
        teams[i - 1] = (struct team){.id = {ids[i], 2},
            .kind = i == UNI || i == BANK || i == ASNS ? SPAN("isp") : SPAN("national"),
            .economies = &economies[i],
            .economy_count = 1};
    }
    teams[UNI - 1].prefixes = prefixes;
    teams[UNI - 1].prefix_count = 2;
    teams[ASNS - 1].asns = &uni_asn;
    teams[ASNS - 1].asn_count = 1;
    teams[BANK - 1].domains = domains;
    teams[BANK - 1].domain_count = 1;
    assert_int_equal(roster_build(teams, 8, &roster, NULL), 0);
    return roster;
}

struct situation {
    const char *ip;
    const char *network;
    const char *name;
    uint32_t asn;
    uint32_t team;
    enum attribution_rule rule;
    const char *economy;
};

static const struct situation situations[] = {
    {"1.2.3.4", "", "", 0, UNI, ATTRIBUTION_RULE_PREFIX, "FI"},
    {"1.2.3.4", "", "www.bank.example", uni_asn, UNI, ATTRIBUTION_RULE_PREFIX, "FI"},
    {"1.3.3.4", "", "", 0, FI, ATTRIBUTION_RULE_ECONOMY, "FI"},
    {"1.3.3.4", "", "www.bank.example", 0, BANK, ATTRIBUTION_RULE_DOMAIN, "FI"},
    {"1.3.3.4", "", "www.other.co.uk", 0, FI, ATTRIBUTION_RULE_ECONOMY, "FI"},
    {"2.0.0.1", "", "", 0, SE, ATTRIBUTION_RULE_ECONOMY, "SE"},
    {"3.0.0.1", "", "", 0, NO, ATTRIBUTION_RULE_ASN_ECONOMY, "NO"},
    {"4.0.0.1", "", "", uni_asn, ASNS, ATTRIBUTION_RULE_ASN, ""},
    {"4.0.0.1", "", "", 64503, NO, ATTRIBUTION_RULE_ASN_ECONOMY, "NO"},
    {"4.0.0.1", "", "www.example.fi", 0, 0, ATTRIBUTION_RULE_NONE, ""},
    {"1.3.3.4", "", "", uni_asn, FI, ATTRIBUTION_RULE_ECONOMY, "FI"},
    {"", "1.3.0.0", "", 0, FI, ATTRIBUTION_RULE_ECONOMY, "FI"},
    {"", "1.2.0.0", "", 0, UNI, ATTRIBUTION_RULE_PREFIX, "FI"},
    {"", "", "host.example.fi", 0, FI, ATTRIBUTION_RULE_CCTLD, "FI"},
    {"", "", "host.example.FI.", 0, FI, ATTRIBUTION_RULE_CCTLD, "FI"},
    {"", "", "host.example.co.uk", 0, GB, ATTRIBUTION_RULE_CCTLD, "GB"},
    {"", "", "host.xn--p1ai", 0, RU, ATTRIBUTION_RULE_CCTLD, "RU"},
    {"", "", "host.\xd1\x80\xd1\x84", 0, RU, ATTRIBUTION_RULE_CCTLD, "RU"},
    {"", "", "host.example.su", 0, 0, ATTRIBUTION_RULE_NONE, ""},
    {"", "", "host.example.com", 0, 0, ATTRIBUTION_RULE_NONE, ""},
    {"", "", "host.example.dk", 0, 0, ATTRIBUTION_RULE_NONE, "DK"},
    {"", "", "bank.example", 0, BANK, ATTRIBUTION_RULE_DOMAIN, ""},
    {"", "", "", uni_asn, ASNS, ATTRIBUTION_RULE_ASN, ""},
    {"", "", "", 64501, FI, ATTRIBUTION_RULE_ASN_ECONOMY, "FI"},
    {"", "", "", 0, 0, ATTRIBUTION_RULE_NONE, ""},
    {"10.1.2.3", "", "", 0, UNI, ATTRIBUTION_RULE_PREFIX, ""},
    {"10.2.2.3", "", "", 0, 0, ATTRIBUTION_RULE_NONE, ""},
    {"10.2.2.3", "", "host.example.fi", 64501, 0, ATTRIBUTION_RULE_NONE, ""},
    {"127.0.0.1", "", "", uni_asn, 0, ATTRIBUTION_RULE_NONE, ""},
    {"::ffff:1.2.3.4", "", "", 0, UNI, ATTRIBUTION_RULE_PREFIX, ""},
};

static struct endpoint
endpoint_of(const struct situation *s)
{
    struct endpoint endpoint = {.name = span_of(s->name), .asn = s->asn};

    if (s->ip[0] != '\0')
        assert_int_equal(address_parse(span_of(s->ip), &endpoint.ip, NULL), 0);
    if (s->network[0] != '\0')
        assert_int_equal(address_parse(span_of(s->network), &endpoint.network, NULL), 0);
    return endpoint;
}

static void
precedence_is_as_written(void **state)
{
    struct world world = {(const struct geo *)(const void *)state, roster_of_eight()};
    struct roster *owned = (struct roster *)(uintptr_t)world.roster;

    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        const struct situation *s = &situations[i];
        struct endpoint endpoint = endpoint_of(s);
        struct attribution got;
        char code[3];
        attribute_endpoint(&world, &endpoint, &got);
        economy_code(got.economy, code);
        if (got.team.index != s->team || got.rule != s->rule || strcmp(code, s->economy) != 0)
            fail_msg("situation %zu (%s%s %s AS%u): team %u rule %d economy \"%s\"", i, s->ip,
                s->network, s->name, s->asn, got.team.index, got.rule, code);
    }
    roster_free(owned);
}

static void
without_a_table_constituencies_still_answer(void **state)
{
    struct roster *roster = roster_of_eight();
    struct world world = {NULL, roster};
    struct endpoint endpoint = endpoint_of(&(struct situation){"1.2.3.4", "", "", 64501, 0, 0, ""});
    struct attribution got;

    (void)state;
    attribute_endpoint(&world, &endpoint, &got);
    assert_int_equal(got.team.index, UNI);
    endpoint = endpoint_of(&(struct situation){"1.3.3.4", "", "", 64501, 0, 0, ""});
    attribute_endpoint(&world, &endpoint, &got);
    assert_int_equal(got.team.index, 0);
    roster_free(roster);
}

static void
both_sides_are_recipients_once(void **state)
{
    struct roster *roster = roster_of_eight();
    struct world world = {(const struct geo *)(const void *)state, roster};
    struct report report = {0};
    struct attribution_pair pair;

    assert_int_equal(address_parse(SPAN("1.3.0.1"), &report.source.ip, NULL), 0);
    assert_int_equal(address_parse(SPAN("2.0.0.1"), &report.destination.ip, NULL), 0);
    attribute_report(&world, &report, &pair);
    assert_int_equal(pair.recipient_count, 2);
    assert_int_equal(pair.recipients[0].index, FI);
    assert_int_equal(pair.recipients[1].index, SE);
    report.destination = report.source;
    attribute_report(&world, &report, &pair);
    assert_int_equal(pair.recipient_count, 1);
    report.source = (struct endpoint){0};
    attribute_report(&world, &report, &pair);
    assert_int_equal(pair.recipient_count, 1);
    assert_int_equal(pair.recipients[0].index, FI);
    report.destination = (struct endpoint){0};
    attribute_report(&world, &report, &pair);
    assert_int_equal(pair.recipient_count, 0);
    roster_free(roster);
}

static void
disagreement_is_shown(void **state)
{
    struct roster *roster = roster_of_eight();
    struct world world = {(const struct geo *)(const void *)state, roster};
    struct endpoint endpoint = endpoint_of(&(struct situation){"2.0.0.1", "", "", 0, 0, 0, ""});
    struct attribution got;

    attribute_endpoint(&world, &endpoint, &got);
    assert_true(attribution_disagrees(&got));
    endpoint = endpoint_of(&(struct situation){"1.3.0.1", "", "", 0, 0, 0, ""});
    attribute_endpoint(&world, &endpoint, &got);
    assert_false(attribution_disagrees(&got));
    endpoint.geo = economy_find(SPAN("DE"));
    attribute_endpoint(&world, &endpoint, &got);
    assert_true(attribution_disagrees(&got));
    roster_free(roster);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence_is_as_written),
        cmocka_unit_test(without_a_table_constituencies_still_answer),
        cmocka_unit_test(both_sides_are_recipients_once),
        cmocka_unit_test(disagreement_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
