#include "flow/agreements.h"
#include "flow/decide.h"
#include "flow/feeds.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define ID "\"id\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"title\":\"t\","
#define HEAD                                                                                       \
    "{" ID "\"kind\":\"bilateral\",\"parties\":[\"a\",\"b\"],\"valid_from\":\"2026-01-01\","
#define CLAUSE_HEAD "{\"id\":\"1\",\"from\":\"a\",\"to\":\"b\","
#define CLAUSE_BODY "\"classification\":[\"*\"],\"tlp_max\":\"amber\",\"effect\":\"release\""
#define CLAUSE CLAUSE_HEAD CLAUSE_BODY "}"
#define GOOD HEAD "\"clauses\":[" CLAUSE "]}"

enum { JUNE_2026 = 1780272000 };

static struct arena *
new_arena(void)
{
    struct arena *arena = arena_new((size_t)64 << 20);

    assert_non_null(arena);
    return arena;
}

static struct agreement_set
parse(struct arena *arena, const char *text)
{
    struct agreement_set set;
    struct err err;
    const char *name = "x.json";
    struct span span = span_of(text);

    assert_int_equal(agreements_parse(arena, &span, &name, 1, &set, &err), 0);
    return set;
}

/* What is said of this AMBER report of TO by FROM (teams a, b, c as 1, 2, 3). */
static struct verdict
judge(const struct agreement_set *set, uint32_t from, uint32_t to)
{
    struct policy_team teams[] = {
        {.id = SPAN("a"), .channels = {true, true, true}},
        {.id = SPAN("b"), .channels = {true, true, true}},
        {.id = SPAN("c"), .channels = {true, true, true}},
    };
    struct policy *policy;
    struct err err;
    struct verdict verdict;
    struct decide_input input = {.origin = {from},
        .recipient = {to},
        .classification = CLASSIFICATION_SCANNER,
        .tlp = TLP_AMBER,
        .clock_trusted = true,
        .at_us = (int64_t)JUNE_2026 * 1000000};

    assert_int_equal(policy_compile(set, teams, 3, &policy, &err), 0);
    decide(policy, &input, &verdict);
    policy_free(policy);
    return verdict;
}

static void
a_good_agreement_releases_between_its_parties(void **state)
{
    struct arena *arena = new_arena();
    struct agreement_set set = parse(arena, GOOD);

    (void)state;
    assert_int_equal(agreements_broken(&set), 0);
    assert_int_equal(agreements_vouched(&set), 1);
    assert_int_equal(judge(&set, 1, 2).effect, EFFECT_RELEASE);
    assert_int_equal(judge(&set, 2, 1).reason, REASON_NO_CLAUSE);
    assert_int_equal(judge(&set, 1, 1).reason, REASON_OWN);
    assert_int_equal(judge(&set, 1, 0).reason, REASON_UNATTRIBUTED);
    assert_int_equal(judge(&set, 0, 0).reason, REASON_UNATTRIBUTED);
    assert_int_equal(judge(&set, 1, 9).reason, REASON_NONE);
    assert_int_equal(judge(&set, 9, 2).effect, EFFECT_WITHHOLD);
    arena_free(arena);
}

/* Each is broken, its reason says WORDS, and it withholds between a and b; ALL: between others too.
 */
static const struct {
    const char *text;
    const char *words;
    bool all;
} hostile[] = {
    {"", "not JSON", true},
    {"{", "not JSON", true},
    {"[1]", "is no JSON object", true},
    {"\"x\"", "is no JSON object", true},
    {"{}", "is missing", true},
    {HEAD "\"clauses\":5}", "clauses: is no list", true},
    {HEAD "\"clauses\":[5]}", "clause number 1: is no JSON object", true},
    {HEAD "\"clauses\":[" CLAUSE "],\"kind\":\"law\"}", "", true},
    {HEAD "\"clauses\":[" CLAUSE "],\"valid_untill\":null}", "\"valid_untill\" is no key", false},
    {HEAD "\"clauses\":[" CLAUSE "," CLAUSE "]}", "clause 1, id: is used twice", false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD CLAUSE_BODY ",\"efect\":1}]}",
        "clause 1: \"efect\" is no key", false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD CLAUSE_BODY ",\"treatment\":{\"person\":\"keep\"}}]}",
        "\"person\" is no field class", false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD CLAUSE_BODY ",\"retention_days\":0}]}", "1 to 36500", false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD CLAUSE_BODY ",\"providers\":[]}]}", "providers: is empty",
        false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD "\"tlp_max\":\"purple\",\"classification\":[\"*\"],"
          "\"effect\":\"release\"}]}",
        "x.json, clause 1, tlp_max: \"purple\" is no label of TLP 2.0", false},
    {HEAD "\"clauses\":[" CLAUSE_HEAD "\"tlp_max\":\"red\",\"classification\":[\"scanner\"],"
          "\"effect\":\"release\"}]}",
        "is not in the reference taxonomy", false},
    {HEAD "\"valid_until\":\"2026-02-30\",\"clauses\":[" CLAUSE "]}", "impossible day", false},
    {HEAD "\"valid_until\":\"2026-06-01T00:00:00\",\"clauses\":[" CLAUSE "]}", "is no date", false},
    {HEAD "\"valid_until\":\"2025-01-01\",\"clauses\":[" CLAUSE "]}", "not after valid_from",
        false},
    {HEAD "\"economy\":\"DE\",\"clauses\":[" CLAUSE "]}", "only a law has one", false},
    {"{" ID "\"kind\":\"treaty\",\"valid_from\":\"2026-01-01\",\"clauses\":[" CLAUSE "]}",
        "\"treaty\" is not one of", true},
    {"{" ID "\"kind\":\"bilateral\",\"parties\":[\"a\"],\"valid_from\":\"2026-01-01\",\"clauses\":"
     "[" CLAUSE "]}",
        "names 1 team;", true},
    {"{" ID "\"kind\":\"bilateral\",\"parties\":[\"a\",\"a\"],\"valid_from\":\"2026-01-01\","
     "\"clauses\":[" CLAUSE "]}",
        "named twice", true},
    {"{" ID "\"kind\":\"baseline\",\"valid_from\":\"2026-01-01\",\"clauses\":[{\"id\":\"1\","
     "\"from\":\"party\",\"to\":\"*\"," CLAUSE_BODY "}]}",
        "a clause says \"party\"", true},
    {HEAD "\"clauses\":[{\"id\":\"1\",\"from\":\"a\\u0000\",\"to\":\"b\"," CLAUSE_BODY "}]}",
        "control byte", false},
    {"[" GOOD "," GOOD "]", "two agreements have the id", false},
};

static void
hostile_agreements_withhold_and_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct arena *arena = new_arena();
        struct agreement_set set = parse(arena, hostile[i].text);
        assert_true(set.count > 0);
        const struct agreement *a = &set.agreements[set.count - 1];
        assert_true(a->broken);
        if (strstr(a->why.p, hostile[i].words) == NULL || !span_starts(a->why, SPAN("x.json")))
            fail_msg("%s: \"%s\" does not say \"%s\"", hostile[i].text, a->why.p, hostile[i].words);
        assert_int_equal(judge(&set, 1, 2).reason, REASON_BAD_AGREEMENT);
        assert_int_equal(judge(&set, 1, 2).effect, EFFECT_WITHHOLD);
        enum reason other = hostile[i].all ? REASON_BAD_AGREEMENT : REASON_NO_CLAUSE;
        if (judge(&set, 3, 1).reason != other)
            fail_msg("%s: covers c to a: %s", hostile[i].text, hostile[i].all ? "no" : "yes");
        arena_free(arena);
    }
}

static struct agreement_set
many_clauses(struct arena *arena, unsigned count)
{
    struct buf text = buf_new((size_t)16 << 20);

    buf_add_text(&text, HEAD "\"clauses\":[");
    for (unsigned i = 0; i < count; i++)
        buf_format(&text, "%s{\"id\":\"%u\",\"from\":\"a\",\"to\":\"b\"," CLAUSE_BODY "}",
            i > 0 ? "," : "", i);
    buf_add(&text, "]}", 3);
    assert_false(text.full);
    struct agreement_set set = parse(arena, text.p);
    buf_free(&text);
    return set;
}

static void
ten_thousand_clauses_are_read_and_one_more_is_not(void **state)
{
    struct arena *arena = new_arena();
    struct agreement_set set = many_clauses(arena, 10000);

    (void)state;
    assert_int_equal(agreements_broken(&set), 0);
    struct verdict verdict = judge(&set, 1, 2);
    assert_int_equal(verdict.effect, EFFECT_RELEASE);
    assert_int_equal(verdict.clause_count, UINT8_MAX);
    set = many_clauses(arena, 10001);
    assert_int_equal(agreements_broken(&set), 1);
    assert_int_equal(judge(&set, 3, 1).reason, REASON_BAD_AGREEMENT);
    arena_free(arena);
}

static void
limits_are_named_errors(void **state)
{
    struct arena *small = arena_new(400);
    struct arena *arena = new_arena();
    struct agreement_set set;
    struct agreement four[4];
    struct policy *policy = NULL;
    struct err err;
    const char *name = "x.json";
    struct span text = SPAN(GOOD);

    (void)state;
    assert_int_equal(agreements_parse(small, &text, &name, 1, &set, &err), ERR_LIMIT);
    set = many_clauses(arena, 10000);
    for (int i = 0; i < 4; i++)
        four[i] = set.agreements[0];
    set = (struct agreement_set){four, 4};
    assert_int_equal(policy_compile(&set, NULL, 0, &policy, &err), ERR_LIMIT);
    assert_null(policy);
    name = "/nonexistent/agreements";
    assert_int_equal(agreements_load(arena, &name, 1, &set, &err), ERR_NOT_FOUND);
    arena_free(small);
    arena_free(arena);
}

static void
what_is_shipped_loads(void **state)
{
    static const char *const places[] = {"share/agreements", "share/examples/agreements"};
    const char *root = getenv("COMITY_TEST_ROOT");
    struct arena *arena = new_arena();
    struct agreement_set set;
    struct feeds feeds;
    struct err err;
    char room[2][4096];
    const char *paths[2] = {room[0], room[1]};

    (void)state;
    assert_non_null(root);
    for (int i = 0; i < 2; i++)
        (void)snprintf(room[i], sizeof room[i], "%s/%s", root, places[i]);
    assert_int_equal(agreements_load(arena, paths, 2, &set, &err), 0);
    assert_true(set.count >= 4);
    for (size_t i = 0; i < set.count; i++)
        if (set.agreements[i].broken)
            fail_msg("%s", set.agreements[i].why.p);
    (void)snprintf(room[0], sizeof room[0], "%s/share/feeds.json", root);
    assert_int_equal(feeds_load(arena, room[0], &feeds, &err), 0);
    assert_int_equal(feeds_tlp(&feeds, SPAN("SHADOWSERVER")), TLP_AMBER);
    (void)snprintf(room[0], sizeof room[0], "%s/share/examples/feeds.json", root);
    assert_int_equal(feeds_load(arena, room[0], &feeds, &err), 0);
    assert_int_equal(feeds.conditions.count, 1);
    arena_free(arena);
}

static void
a_fault_in_feeds_refuses_the_file(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"default_tlp\":\"purple\",\"feeds\":[]}",
        "{\"default_tlp\":\"amber\",\"feeds\":[{\"provider\":\"x\"}]}",
        "{\"default_tlp\":\"amber\",\"feeds\":[{\"provider\":\"x\",\"tlp\":\"green\",\"iep\":{}}]}",
        "{\"default_tlp\":\"amber\",\"feeds\":[{\"provider\":\"x\",\"tlp\":\"green\",\"iep\":{"
        "\"id\":\"i\","
        "\"name\":\"n\",\"iep_version\":1.0}}]}",
        "{\"default_tlp\":\"amber\",\"feeds\":[{\"provider\":\"x\",\"tlp\":\"green\",\"iep\":{"
        "\"id\":\"i\","
        "\"name\":\"n\",\"iep_version\":2.0,\"encrypt_in_transit\":\"perhaps\"}}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena *arena = new_arena();
        struct feeds feeds;
        struct err err;
        assert_int_equal(
            feeds_parse(arena, span_of(texts[i]), "feeds.json", &feeds, &err), ERR_BAD_CONFIG);
        assert_non_null(strstr(err.msg, "feeds.json"));
        arena_free(arena);
    }
}

static void
nothing_set_is_withheld(void **state)
{
    struct verdict verdict = {0};
    struct decide_input input = {0};
    struct agreement_set none = {0};
    struct policy *policy;
    struct err err;

    (void)state;
    assert_int_equal(verdict.effect, EFFECT_WITHHOLD);
    assert_int_equal(verdict_treatment(&verdict, FIELD_CLASS_ADDRESS), TREATMENT_REMOVE);
    assert_int_equal(policy_compile(&none, NULL, 0, &policy, &err), 0);
    memset(&verdict, 0xff, sizeof verdict);
    decide(policy, &input, &verdict);
    assert_int_equal(verdict.effect, EFFECT_WITHHOLD);
    policy_free(policy);
}

/* A recipient that is no team: `*` does not tell it, and holds back from it all the same. */
static void
who_is_told_only_by_name_is_withheld_from_by_all(void **state)
{
    static const char named[] =
        HEAD "\"clauses\":[{\"id\":\"1\",\"from\":\"a\",\"to\":\"c\"," CLAUSE_BODY "}]}";
    static const char all[] =
        HEAD "\"clauses\":[{\"id\":\"1\",\"from\":\"a\",\"to\":\"*\"," CLAUSE_BODY "}]}";
    static const char *const texts[] = {named, all};
    struct policy_team teams[] = {
        {.id = SPAN("a")}, {.id = SPAN("b")}, {.id = SPAN("c"), .named_only = true}};
    const struct decide_input input = {.origin = {1},
        .recipient = {3},
        .classification = CLASSIFICATION_SCANNER,
        .tlp = TLP_AMBER,
        .clock_trusted = true,
        .at_us = (int64_t)JUNE_2026 * 1000000};
    struct arena *arena = new_arena();
    struct verdict verdict;
    struct policy *policy;
    struct err err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct agreement_set set = parse(arena, texts[i]);
        assert_int_equal(policy_compile(&set, teams, 3, &policy, &err), 0);
        decide(policy, &input, &verdict);
        assert_int_equal(verdict.effect, i == 0 ? EFFECT_RELEASE : EFFECT_WITHHOLD);
        policy_free(policy);
    }
    arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_agreement_releases_between_its_parties),
        cmocka_unit_test(who_is_told_only_by_name_is_withheld_from_by_all),
        cmocka_unit_test(hostile_agreements_withhold_and_say_why),
        cmocka_unit_test(ten_thousand_clauses_are_read_and_one_more_is_not),
        cmocka_unit_test(limits_are_named_errors),
        cmocka_unit_test(what_is_shipped_loads),
        cmocka_unit_test(a_fault_in_feeds_refuses_the_file),
        cmocka_unit_test(nothing_set_is_withheld),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
