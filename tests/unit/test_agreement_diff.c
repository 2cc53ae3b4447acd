#include "flow/agreement_diff.h"
#include "flow/agreements.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define DOC(kind, parties, clauses)                                                                \
    "{\"id\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"title\":\"t\",\"kind\":\"" kind   \
    "\",\"parties\":[" parties "],\"valid_from\":\"2026-01-01\",\"clauses\":[" clauses "]}"
#define CLAUSE(id, from, to, what, tlp, more)                                                      \
    "{\"id\":\"" id "\",\"from\":\"" from "\",\"to\":\"" to "\",\"classification\":[" what         \
    "],\"tlp_max\":\"" tlp "\"," more "}"
#define GO "\"effect\":\"release\",\"onward\":\"tlp\""
#define BASE(what, tlp, more) DOC("baseline", "", CLAUSE("1", "*", "*", what, tlp, more))
#define NO DOC("baseline", "", "")

enum { JUNE_2026 = 1780272000, TEXT_BYTES = 1 << 16 };

static struct agreement_set
parse(struct arena *arena, const char *text)
{
    struct agreement_set set;
    struct err err;
    const char *name = "x.json";
    struct span span = span_of(text);

    assert_int_equal(agreements_parse(arena, &span, &name, 1, &set, &err), 0);
    assert_int_equal(agreements_broken(&set), 0);
    return set;
}

/* Teams a, b, c with every channel; sentences as "who: what.\n". */
static void
says(const char *before, const char *after, const char *expected)
{
    static const struct policy_team teams[] = {
        {.id = SPAN("a"), .channels = {true, true, true}},
        {.id = SPAN("b"), .channels = {true, true, true}},
        {.id = SPAN("c"), .channels = {true, true, true}},
    };
    struct arena *arena = arena_new((size_t)256 << 20);
    struct agreement_diff diff;
    struct buf text = buf_new(TEXT_BYTES);
    struct err err;
    struct agreement_set a = parse(arena, before);
    struct agreement_set b = parse(arena, after);

    assert_int_equal(
        agreement_diff_make(arena, &a, &b, teams, 3, (int64_t)JUNE_2026 * 1000000, &diff, &err), 0);
    for (size_t i = 0; i < diff.row_count; i++) {
        agreement_diff_recipients(&diff, diff.rows[i].recipient, &text);
        buf_add_text(&text, ": ");
        agreement_diff_sentence(&diff, &diff.rows[i], &text);
        buf_add_text(&text, ".\n");
    }
    buf_add_char(&text, '\0');
    assert_string_equal(text.p, expected);
    buf_free(&text);
    arena_free(arena);
}

static void
other_texts_of_the_same_effect_are_identical(void **state)
{
    (void)state;
    says(BASE("\"*\"", "green", GO), BASE("\"*\"", "green", GO), "");
    says(BASE("\"fraud.*\",\"other.*\"", "green", GO),
        DOC("baseline", "",
            CLAUSE("x", "*", "*", "\"other.*\"", "green", GO) "," CLAUSE("y", "*", "*",
                "\"fraud.*\"", "green",
                GO) "," CLAUSE("z", "*", "*", "\"fraud.phishing\"", "clear", GO)),
        "");
    /* RED in a baseline is withheld anyway. */
    says(BASE("\"*\"", "amber+strict", GO), BASE("\"*\"", "red", GO), "");
}

static void
more_and_less_are_said(void **state)
{
    (void)state;
    says(NO,
        BASE("\"*\"", "green", GO ",\"treatment\":{\"account\":\"remove\",\"text\":\"remove\"}"),
        "a, b, c: would now also get all reports up to GREEN, with account names and free text "
        "removed; may pass it on as the TLP label allows.\n");
    says(BASE("\"*\"", "green", GO), BASE("\"*\"", "amber", GO),
        "a, b, c: would now also get all reports labelled AMBER; may pass it on as the TLP label "
        "allows.\n");
    says(BASE("\"*\"", "amber", GO), BASE("\"malicious-code.*\",\"fraud.phishing\"", "amber", GO),
        "a, b, c: would no longer get all reports but malicious-code.* and fraud.phishing up to "
        "AMBER.\n");
    says(BASE("\"*\"", "green", GO), NO, "a, b, c: would no longer get all reports up to GREEN.\n");
}

static void
senders_and_providers_are_named(void **state)
{
    (void)state;
    says(NO,
        DOC("bilateral", "\"a\",\"b\"",
            CLAUSE("1", "a", "b", "\"fraud.*\"", "amber", GO ",\"providers\":[\"Feed\"]")),
        "b: would now also get fraud.* reports up to AMBER from a of Feed; may pass it on as the "
        "TLP "
        "label allows.\n");
    says(DOC("bilateral", "\"a\",\"b\"", CLAUSE("1", "party", "party", "\"*\"", "green", GO)), NO,
        "a, b: would no longer get all reports up to GREEN from one another.\n");
}

static void
terms_are_compared(void **state)
{
    (void)state;
    says(
        BASE("\"*\"", "green", GO ",\"retention_days\":180,\"treatment\":{\"account\":\"remove\"}"),
        BASE("\"*\"", "green",
            "\"effect\":\"release\",\"require\":[\"receipt\"],\"treatment\":{\"account\":"
            "\"generalise\"}"),
        "a, b, c: would get all reports up to GREEN on other terms: account names generalised "
        "instead "
        "of removed; a receipt required; to be deleted never instead of after 180 days; may pass "
        "it "
        "on to nobody instead of as the TLP label allows.\n");
    says(BASE("\"*\"", "green", GO),
        BASE("\"*\"", "green", "\"effect\":\"hold\",\"onward\":\"tlp\""),
        "a, b, c: would get all reports up to GREEN only by a person's release, no longer at "
        "once.\n");
    says(BASE("\"*\"", "green", "\"effect\":\"hold\",\"onward\":\"tlp\""), NO,
        "a, b, c: would no longer get all reports up to GREEN, not even by a person's release.\n");
}

/* What each row says must be what both policies say of every question in it, and nothing left out.
 */
static void
rows_cover_every_difference_once(void **state)
{
    (void)state;
    static const struct policy_team teams[] = {
        {.id = SPAN("a"), .channels = {true, true, true}},
        {.id = SPAN("b"), .channels = {true, true, true}},
        {.id = SPAN("c"), .channels = {true, true, true}},
    };
    struct arena *arena = arena_new((size_t)256 << 20);
    struct agreement_diff diff;
    struct policy *policies[2];
    struct err err;
    struct agreement_set sets[] = {
        parse(arena,
            DOC("multilateral", "\"a\",\"b\"",
                CLAUSE("1", "a", "party", "\"fraud.*\",\"test.test\"", "amber", GO) "," CLAUSE("2",
                    "*", "b", "\"fraud.phishing\"", "green",
                    "\"effect\":\"hold\"") "," CLAUSE("3", "*", "*", "\"other.*\"", "clear", GO))),
        parse(arena,
            DOC("bilateral", "\"a\",\"b\"",
                CLAUSE("1", "party", "party", "\"fraud.*\",\"other.tor\"", "red", GO) "," CLAUSE(
                    "2", "*", "c", "\"*\"", "green", GO ",\"providers\":[\"P\",\"Q\"]")))};
    size_t differ = 0;
    size_t covered = 0;

    assert_int_equal(agreement_diff_make(arena, &sets[0], &sets[1], teams, 3,
                         (int64_t)JUNE_2026 * 1000000, &diff, &err),
        0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(policy_compile(&sets[i], teams, 3, &policies[i], &err), 0);
    for (uint32_t from = 0; from <= 3; from++)
        for (uint32_t to = 1; to <= 3; to++)
            for (uint8_t class = 1; class < CLASSIFICATION_COUNT; class ++)
                for (uint8_t tlp = TLP_CLEAR; tlp < TLP_COUNT; tlp++)
                    for (int p = 0; p < 4 && from != to; p++) {
                        static const struct span names[] = {{"", 0}, {"Z", 1}, {"P", 1}, {"q", 1}};
                        struct verdict v[2];
                        for (int i = 0; i < 2; i++) {
                            const struct decide_input input = {.origin = {from},
                                .recipient = {to},
                                .provider = policy_provider(policies[i], names[p]),
                                .classification = class,
                                .tlp = tlp,
                                .clock_trusted = true,
                                .at_us = (int64_t)JUNE_2026 * 1000000};
                            decide(policies[i], &input, &v[i]);
                        }
                        differ += change_of(&v[0], &v[1]) != CHANGE_NONE;
                    }
    for (size_t i = 0; i < diff.row_count; i++) {
        const struct agreement_diff_row *row = &diff.rows[i];
        size_t senders = 0;
        size_t names = 0;
        for (size_t g = 0; g < diff.cells.team_groups; g++)
            if ((row->senders[g / 64] >> g % 64 & 1) != 0)
                senders += diff.cells.teams[g].count;
        for (size_t g = 0; g < diff.cells.provider_groups; g++)
            if ((row->providers >> g & 1) != 0)
                names += diff.cells.providers[g].count;
        covered += senders * names * (size_t)__builtin_popcountll(row->classes)
            * (size_t)__builtin_popcount(row->tlps) * diff.cells.teams[row->recipient].count;
    }
    assert_true(differ > 0);
    assert_int_equal(covered, differ);
    policy_free(policies[0]);
    policy_free(policies[1]);
    arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_texts_of_the_same_effect_are_identical),
        cmocka_unit_test(more_and_less_are_said),
        cmocka_unit_test(senders_and_providers_are_named),
        cmocka_unit_test(terms_are_compared),
        cmocka_unit_test(rows_cover_every_difference_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
