/* Keys of searches: whatever a query finds, the batch holds all the keys that the query asks for.
 */
#include "core/search.h"

#include "model/domain.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct sample {
    struct field fields[16];
    struct report report;
    struct search_facts facts;
};

static void
text(struct sample *sample, enum field_id id, const char *value)
{
    if (value != NULL)
        assert_int_equal(report_add_text(&sample->report, id, span_of(value), NULL), 0);
}

static void
make(struct sample *sample, const char *ip, const char *name, const char *destination)
{
    memset(sample, 0, sizeof *sample);
    report_reset(&sample->report, sample->fields, 16);
    text(sample, FIELD_SOURCE_IP, ip);
    text(sample, FIELD_SOURCE_FQDN, name);
    text(sample, FIELD_DESTINATION_IP, destination);
    text(sample, FIELD_CLASSIFICATION_TYPE, "scanner");
    text(sample, FIELD_FEED_PROVIDER, "Example Feed");
    assert_int_equal(report_finish(&sample->report, NULL), 0);
    sample->facts.asns[0] = 64500;
    sample->facts.economies[1] = economy_find(SPAN("FI"));
    sample->facts.outcomes[0] = (struct search_outcome){SPAN("fi-example"), EFFECT_HOLD};
    sample->facts.outcome_count = 1;
}

static bool
holds(const struct search_set *set, uint64_t key)
{
    size_t count;
    const uint64_t *keys = search_set_keys(set, &count);

    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}

/* Would a batch of this report alone be opened for the query? */
static bool
passes(const struct sample *sample, const struct search_query *query)
{
    struct search_set *set = search_set_new();
    uint64_t keys[SEARCH_QUERY_KEYS_MAX];
    size_t count = search_query_keys(query, keys);
    bool all = true;

    assert_true(count <= SEARCH_QUERY_KEYS_MAX);
    assert_int_equal(search_set_add(set, &sample->report, &sample->facts, NULL), 0);
    for (size_t i = 0; i < count; i++)
        all = all && holds(set, keys[i]);
    search_set_free(set);
    return all;
}

/* Does the query match, and if so does the filter let it through? */
static bool
finds(const struct sample *sample, const struct search_query *query)
{
    bool found = search_matches(query, &sample->report, &sample->facts);

    assert_true(passes(sample, query) || !found);
    return found;
}

static bool
at(const char *ip, const char *asked)
{
    struct search_query query = {0};
    struct sample sample;

    make(&sample, ip, NULL, "203.0.113.9");
    assert_int_equal(prefix_parse(span_of(asked), &query.address, NULL), 0);
    return finds(&sample, &query);
}

static void
addresses(void **state)
{
    (void)state;
    assert_true(at("192.0.2.7", "192.0.2.7"));
    assert_true(at("192.0.2.7", "203.0.113.9"));
    assert_true(at("192.0.2.7", "192.0.2.0/24"));
    assert_true(at("192.0.2.7", "192.0.2.6/31"));
    assert_true(at("192.0.2.7", "192.0.0.0/16"));
    assert_true(at("::ffff:192.0.2.7", "192.0.2.7"));
    assert_true(at("192.0.2.7", "::ffff:192.0.2.7"));
    assert_true(at("2001:db8:1:2::3", "2001:db8:1:2::3"));
    assert_true(at("2001:db8:1:2::3", "2001:db8:1::/48"));
    assert_true(at("2001:db8:1:2::3", "2001:db8::/32"));
    assert_false(at("192.0.2.7", "192.0.2.8"));
    assert_false(at("192.0.2.7", "192.0.2.8/31"));
    assert_false(at("2001:db8:1:2::3", "192.0.2.7"));
    assert_false(at("192.0.2.7", "::/0"));
}

static bool
named(const char *name, const char *asked)
{
    struct search_query query = {0};
    struct sample sample;
    char room[DOMAIN_BYTES];

    make(&sample, "192.0.2.7", name, NULL);
    assert_int_equal(domain_normalise(span_of(asked), room, &query.name.n, NULL), 0);
    query.name.p = room;
    return finds(&sample, &query);
}

static void
names(void **state)
{
    (void)state;
    assert_true(named("www.example.com", "www.example.com"));
    assert_true(named("WWW.Example.com", "example.COM"));
    assert_true(named("a.b.example.co.uk", "b.example.co.uk"));
    assert_true(named("a.example.co.uk", "co.uk"));
    assert_true(named("b\xc3\xbc"
                      "cher.example",
        "xn--bcher-kva.example"));
    assert_true(named("host.local", "host.local"));
    assert_false(named("www.example.com", "ww.example.com"));
    assert_false(named("badexample.com", "example.com"));
    assert_false(named("example.com", "www.example.com"));
    assert_false(named(NULL, "example.com"));
}

static void
other_facts(void **state)
{
    struct sample sample;

    (void)state;
    make(&sample, "192.0.2.7", NULL, NULL);
    assert_true(finds(&sample, &(struct search_query){0}));
    assert_true(finds(&sample, &(struct search_query){.asn = 64500}));
    assert_false(finds(&sample, &(struct search_query){.asn = 64501}));
    assert_true(finds(&sample, &(struct search_query){.economy = economy_find(SPAN("fi"))}));
    assert_false(finds(&sample, &(struct search_query){.economy = economy_find(SPAN("se"))}));
    assert_true(finds(&sample, &(struct search_query){.provider = SPAN("example FEED")}));
    assert_false(finds(&sample, &(struct search_query){.provider = SPAN("example")}));
    assert_true(finds(&sample, &(struct search_query){.classification = CLASSIFICATION_SCANNER}));
    assert_false(finds(&sample, &(struct search_query){.classification = CLASSIFICATION_SPAM}));
    assert_true(finds(&sample, &(struct search_query){.team = SPAN("fi-example")}));
    assert_false(finds(&sample, &(struct search_query){.team = SPAN("fi-exampl")}));
    assert_false(finds(&sample, &(struct search_query){.unattributed = true}));
}

/* Team and effect are asked of the same outcome. */
static void
effects(void **state)
{
    struct search_query query = {.effect_given = true, .effect = EFFECT_HOLD};
    struct sample sample;

    (void)state;
    make(&sample, "192.0.2.7", NULL, NULL);
    sample.facts.outcomes[1] = (struct search_outcome){SPAN("se-example"), EFFECT_RELEASE};
    sample.facts.outcome_count = 2;
    assert_true(finds(&sample, &query));
    query.team = SPAN("se-example");
    assert_false(finds(&sample, &query));
    query.effect = EFFECT_RELEASE;
    assert_true(finds(&sample, &query));
    sample.facts.outcomes[0].team.n = 0;
    assert_true(finds(&sample, &(struct search_query){.unattributed = true}));
}

/* What is asked for together and is not there together opens no batch. */
static void
pairs(void **state)
{
    struct search_query query = {.economy = economy_find(SPAN("FI")), .unattributed = true};
    struct sample sample;

    (void)state;
    make(&sample, "192.0.2.7", NULL, "192.0.2.8");
    sample.facts.outcomes[1] = (struct search_outcome){SPAN("se-example"), EFFECT_RELEASE};
    sample.facts.outcome_count = 2;
    assert_false(passes(&sample, &query));
    query = (struct search_query){
        .team = SPAN("se-example"), .effect_given = true, .effect = EFFECT_HOLD};
    assert_false(passes(&sample, &query));
    sample.facts.outcomes[1].team.n = 0;
    query = (struct search_query){.economy = economy_find(SPAN("FI")),
        .unattributed = true,
        .effect_given = true,
        .effect = EFFECT_RELEASE,
        .asn = 64500,
        .address = {.high = 0, .low = 0xc0000207, .family = 4, .bits = 32},
        .name = SPAN("example.com"),
        .provider = SPAN("Example Feed"),
        .classification = CLASSIFICATION_SCANNER};
    assert_false(passes(&sample, &query));
    query.name.n = 0;
    assert_true(passes(&sample, &query));
}

/* Many reports: each key once, the set grows and can be used again. */
static void
grows(void **state)
{
    struct search_set *set = search_set_new();
    struct sample sample;
    size_t counts[2];

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        search_set_reset(set);
        for (unsigned i = 0; i < 8192; i++) {
            char ip[32];
            (void)snprintf(ip, sizeof ip, "10.%u.%u.1", i % 4096 / 256, i % 256);
            make(&sample, ip, "www.example.com", NULL);
            assert_int_equal(search_set_add(set, &sample.report, &sample.facts, NULL), 0);
        }
        (void)search_set_keys(set, &counts[round]);
    }
    assert_int_equal(counts[0], 4096 * 2 + 9);
    assert_int_equal(counts[1], counts[0]);
    search_set_free(set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(names),
        cmocka_unit_test(other_facts),
        cmocka_unit_test(effects),
        cmocka_unit_test(pairs),
        cmocka_unit_test(grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
