#include "flow/agreement_lint.h"
#include "flow/agreements.h"
#include "flow/doc.h"

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

#define ID(n) "\"id\":\"urn:uuid:00000000-0000-4000-8000-00000000000" #n "\",\"title\":\"t" #n "\","
#define DOC(n, kind, parties, clauses)                                                             \
    "{" ID(n) "\"kind\":\"" kind "\",\"parties\":[" parties "],\"valid_from\":\"2026-01-01\","     \
              "\"clauses\":[" clauses "]}"
#define LAW(n, economy, clauses)                                                                   \
    "{" ID(n) "\"kind\":\"law\",\"economy\":\"" economy "\",\"valid_from\":\"2026-01-01\","        \
              "\"clauses\":[" clauses "]}"
#define CLAUSE(id, from, to, what, tlp, effect)                                                    \
    "{\"id\":\"" id "\",\"from\":\"" from "\",\"to\":\"" to "\",\"classification\":[\"" what       \
    "\"],\"tlp_max\":\"" tlp "\",\"effect\":\"" effect "\"}"
#define MORE(id, from, to, what, tlp, effect, more)                                                \
    "{\"id\":\"" id "\",\"from\":\"" from "\",\"to\":\"" to "\",\"classification\":[\"" what       \
    "\"],\"tlp_max\":\"" tlp "\",\"effect\":\"" effect "\"," more "}"
#define AB "\"a\",\"b\""
#define BASELINE DOC(9, "baseline", "", CLAUSE("base", "*", "*", "*", "green", "release"))

enum { JUNE_2026 = 1780272000, FOUND_BYTES = 4096 };

/* Findings as "what(clause)" in the order in which they are told. */
static void
note(void *ctx, const struct lint_finding *finding)
{
    char *found = ctx;
    size_t n = strlen(found);

    assert_true(finding->text.n > 0);
    (void)snprintf(found + n, FOUND_BYTES - n, "%s(%.*s) ", finding->what,
        finding->clause != NULL ? (int)finding->clause->id.n : 0,
        finding->clause != NULL ? finding->clause->id.p : "");
}

static struct agreement_set
parse(struct arena *arena, const char *text)
{
    struct agreement_set set;
    struct err err;
    const char *name = "x.json";
    struct span span = span_of(text);

    assert_int_equal(agreements_parse(arena, &span, &name, 1, &set, &err), 0);
    for (size_t i = 0; i < set.count; i++)
        if (set.agreements[i].broken)
            fail_msg("%s", set.agreements[i].why.p);
    return set;
}

/* Teams a and b are of XA, c of XC, d of no known economy; e is in no directory. */
static void
finds(const char *checked, const char *with, const char *expected)
{
    static const struct economy xa[] = {{1 + 26 * 23}};
    static const struct economy xc[] = {{1 + 26 * 23 + 2}};
    struct policy_team teams[] = {
        {.id = SPAN("a"), .economies = xa, .economy_count = 1},
        {.id = SPAN("b"), .economies = xa, .economy_count = 1, .channels = {true, true, false}},
        {.id = SPAN("c"), .economies = xc, .economy_count = 1},
        {.id = SPAN("d")},
        {.id = SPAN("e")},
    };
    const struct parties parties = {teams, 5, 4};
    struct arena *arena = arena_new((size_t)256 << 20);
    char found[FOUND_BYTES] = "";
    struct err err;

    assert_non_null(arena);
    struct agreement_set set = parse(arena, checked);
    struct agreement_set others = parse(arena, with);
    const struct lint_question question = {&set, &others, &parties, (int64_t)JUNE_2026 * 1000000};
    assert_int_equal(agreement_lint_find(arena, &question, note, found, &err), 0);
    assert_string_equal(found, expected);
    arena_free(arena);
}

static void
a_sound_agreement_is_clean(void **state)
{
    (void)state;
    finds(DOC(1, "bilateral", AB,
              CLAUSE("1", "party", "party", "malicious-code.*", "amber", "release")),
        BASELINE, "");
    finds(BASELINE, "[]", "");
    finds(LAW(1, "XA", CLAUSE("1", "*", "economy:XC", "*", "red", "withhold")), BASELINE, "");
    /* Stricter than the level below is an effect, too. */
    finds(DOC(1, "bilateral", AB, CLAUSE("1", "party", "party", "fraud.*", "green", "withhold")),
        BASELINE, "");
}

static void
dates_in_the_past_are_found(void **state)
{
    (void)state;
#define DATED(more)                                                                                \
    "{" ID(1) "\"kind\":\"bilateral\",\"parties\":[" AB "]," more ",\"clauses\":[" CLAUSE("1",     \
        "a", "b", "*", "amber", "release") "," CLAUSE("2", "b", "a", "*", "amber", "release") "]}"
    finds(DATED("\"valid_from\":\"2020-01-01\",\"valid_until\":\"2026-05-31\""), BASELINE,
        "ended() ");
    finds(DATED("\"valid_from\":\"2020-01-01\",\"valid_until\":\"2026-06-02\""), BASELINE, "");
    finds(DATED("\"valid_from\":\"2027-01-01\""), BASELINE, "not-yet() ");
    finds(DATED("\"valid_from\":\"2020-01-01\",\"suspended\":true"), BASELINE, "suspended() ");
}

static void
unknown_teams_are_found(void **state)
{
    (void)state;
    finds(
        DOC(1, "bilateral", "\"a\",\"e\"", CLAUSE("1", "party", "party", "*", "amber", "release")),
        BASELINE, "unknown-team() ");
    finds(DOC(1, "baseline", "", CLAUSE("1", "e", "*", "*", "amber", "release")), "[]",
        "unknown-team(1) ");
    finds(DOC(1, "bilateral", AB, CLAUSE("1", "a", "*", "*", "amber", "release")), "[]",
        "beyond-parties(1) ");
    finds(
        DOC(1, "multilateral", "\"a\",\"b\",\"c\"", CLAUSE("1", "a", "b", "*", "amber", "release")),
        "[]", "idle-party() ");
    finds(DOC(1, "multilateral", AB, CLAUSE("1", "party", "c", "*", "amber", "release")), "[]",
        "beyond-parties(1) ");
    finds(LAW(1, "XQ", CLAUSE("1", "*", "*", "*", "red", "hold")), BASELINE, "no-origin() ");
}

static void
clauses_that_never_match_are_found(void **state)
{
    (void)state;
    finds(DOC(1, "baseline", "", CLAUSE("1", "*", "economy:XQ", "*", "green", "release")), "[]",
        "never-matches(1) ");
    finds(DOC(1, "bilateral", AB,
              CLAUSE("1", "party", "party", "*", "amber", "release") "," CLAUSE(
                  "2", "a", "a", "*", "amber", "release")),
        "[]", "never-matches(2) ");
    finds(DOC(1, "multilateral", "\"a\",\"b\",\"c\"",
              CLAUSE("1", "party", "party", "*", "red", "release")),
        "[]", "red-outside-bilateral(1) ");
    finds(DOC(1, "multilateral", "\"a\",\"b\",\"c\"",
              CLAUSE("1", "party", "party", "*", "amber+strict", "release") "," CLAUSE(
                  "2", "party", "party", "fraud.*", "red", "withhold")),
        "[]", "");
    finds(DOC(1, "baseline", "", ""), "[]", "no-clause() ");
}

static void
shadowed_clauses_are_found(void **state)
{
    (void)state;
    /* By a stricter one of the same level; of two alike only the later. */
    finds(DOC(1, "bilateral", AB,
              MORE("1", "party", "party", "*", "amber", "release",
                  "\"treatment\":{\"name\":\"remove\"}") "," CLAUSE("2", "a", "b", "fraud.*",
                  "green", "release")),
        "[]", "shadowed(2) ");
    finds(DOC(1, "bilateral", AB,
              CLAUSE("1", "party", "party", "*", "amber", "release") "," CLAUSE(
                  "2", "party", "party", "*", "amber", "release")),
        "[]", "shadowed(2) ");
    /* By a more specific level, in another document: only where it covers all. */
    finds(DOC(1, "multilateral", AB, CLAUSE("1", "party", "party", "*", "amber", "release")),
        DOC(2, "bilateral", AB, CLAUSE("x", "party", "party", "*", "amber", "hold")),
        "shadowed(1) ");
    finds(DOC(1, "multilateral", "\"a\",\"b\",\"c\"",
              CLAUSE("1", "party", "party", "*", "amber", "release")),
        DOC(2, "bilateral", AB, CLAUSE("x", "party", "party", "*", "amber", "hold")), "");
    /* Not for as long as the other is in force only. */
    finds(DOC(1, "multilateral", AB, CLAUSE("1", "party", "party", "*", "amber", "release")),
        "{" ID(2) "\"kind\":\"bilateral\",\"parties\":[" AB "],\"valid_from\":\"2026-01-01\","
                  "\"valid_until\":\"2027-01-01\",\"clauses\":[" CLAUSE(
                      "x", "party", "party", "*", "amber", "hold") "]}",
        "");
    finds(DOC(1, "bilateral", AB,
              CLAUSE("1", "party", "party", "fraud.*", "amber", "release") "," CLAUSE(
                  "2", "party", "party", "other.*", "amber", "withhold")),
        "[]", "no-effect(2) ");
    finds(LAW(1, "XA", CLAUSE("1", "*", "*", "*", "red", "release")), BASELINE, "no-effect(1) ");
}

static void
clauses_void_by_a_ceiling_are_found(void **state)
{
    (void)state;
#define TO_C                                                                                       \
    DOC(1, "multilateral", "\"a\",\"c\"", CLAUSE("1", "a", "c", "fraud.*", "amber", "release"))
    finds(TO_C, LAW(2, "XA", CLAUSE("x", "*", "economy:XC", "fraud.*", "red", "withhold")),
        "void-by-ceiling(1) ");
    finds(TO_C, LAW(2, "XA", CLAUSE("x", "*", "economy:XC", "fraud.*", "red", "hold")),
        "held-by-ceiling(1) ");
    /* Not if something is left, or the law is another economy's. */
    finds(TO_C, LAW(2, "XA", CLAUSE("x", "*", "economy:XC", "fraud.phishing", "red", "withhold")),
        "");
    finds(TO_C, LAW(2, "XA", CLAUSE("x", "*", "economy:XA", "fraud.*", "red", "withhold")), "");
    finds(TO_C, LAW(2, "XC", CLAUSE("x", "*", "*", "fraud.*", "red", "withhold")), "");
}

static void
treatments_that_never_show_are_hinted_at(void **state)
{
    (void)state;
#define SCANS(what, class)                                                                         \
    DOC(1, "bilateral", AB,                                                                        \
        MORE("1", "party", "party", what, "amber", "release",                                      \
            "\"treatment\":{\"" class "\":\"remove\"}"))
    finds(SCANS("information-gathering.scanner", "account"), "[]", "never-carried(1) ");
    finds(SCANS("information-gathering.scanner", "name"), "[]", "");
    finds(SCANS("information-gathering.*", "account"), "[]", "");
    finds(SCANS("*", "account"), "[]", "");
}

static void
recipients_without_a_channel_are_hinted_at(void **state)
{
    (void)state;
#define WITH(to, what)                                                                             \
    DOC(1, "bilateral", AB,                                                                        \
        MORE("1", "party", to, "*", "amber", "release", "\"require\":[\"" what "\"]"))
    finds(WITH("a", "encrypted-channel"), "[]", "no-channel(1) ");
    finds(WITH("b", "encrypted-channel"), "[]", "");
    finds(WITH("party", "encrypted-channel"), "[]", "");
    finds(WITH("b", "receipt"), "[]", "no-channel(1) ");
}

static void
hear(void *ctx, struct span file, const char *place, const char *key, struct span words)
{
    char *found = ctx;
    size_t n = strlen(found);

    (void)file;
    assert_true(words.n > 0);
    (void)snprintf(found + n, FOUND_BYTES - n, "%s/%s ", place, key);
}

static void
hears(const char *text, const char *expected)
{
    char path[] = "/tmp/comity-lint-XXXXXX";
    const char *paths[] = {path};
    char found[FOUND_BYTES] = "";
    const struct doc_listener listener = {hear, found};
    struct arena *arena = arena_new((size_t)64 << 20);
    struct agreement_set set;
    struct err err;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    assert_int_equal(agreements_check(arena, paths, 1, &listener, &set, &err), 0);
    (void)unlink(path);
    assert_string_equal(found, expected);
    assert_int_equal(agreements_broken(&set) > 0, expected[0] != '\0');
    arena_free(arena);
}

static void
every_fault_is_heard(void **state)
{
    (void)state;
    hears(BASELINE, "");
    hears("{", "/ ");
    hears("{" ID(1) "\"kind\":\"odd\",\"parties\":[\"a\",\"a\",\"b!\"],\"valid_from\":\"soon\","
                    "\"clauses\":["
                    "{\"id\":\"1\",\"from\":\"!\",\"to\":\"*\",\"classification\":[\"x.y\"],\"tlp_"
                    "max\":\"pink\",\"effect\":\"go\"},"
                    "{\"id\":\"1\",\"from\":\"*\",\"to\":\"*\",\"classification\":[],\"tlp_max\":"
                    "\"green\",\"effect\":\"hold\"}]}",
        "/kind /parties /parties /valid_from clause 1/from clause 1/classification clause "
        "1/tlp_max "
        "clause 1/effect clause 1/classification clause 1/id ");
    hears("[" BASELINE "," BASELINE "]", "/id /id ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_agreement_is_clean),
        cmocka_unit_test(dates_in_the_past_are_found),
        cmocka_unit_test(unknown_teams_are_found),
        cmocka_unit_test(clauses_that_never_match_are_found),
        cmocka_unit_test(shadowed_clauses_are_found),
        cmocka_unit_test(clauses_void_by_a_ceiling_are_found),
        cmocka_unit_test(treatments_that_never_show_are_hinted_at),
        cmocka_unit_test(recipients_without_a_channel_are_hinted_at),
        cmocka_unit_test(every_fault_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
