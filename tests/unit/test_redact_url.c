/* What a URL says besides itself goes with it. */
#include "flow/redact.h"

#include <stdio.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { FIELDS = 200 };

static struct field fields[FIELDS];
static struct report report;

static void
a_url_does_not_tell_a_coarser_address(void **state)
{
    static const char *const urls[] = {"http://192.0.2.77/x", "http://[2001:db8::77]/",
        "http://3221226061/", "http://192.0.2.0x4d/", "http://192.0.2.77./"};
    struct arena *arena = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < 2 * sizeof urls / sizeof urls[0]; i++) {
        struct verdict verdict = {.effect = EFFECT_RELEASE};
        const struct redacted *redacted = NULL;
        bool kept = i % 2 == 0;
        report_reset(&report, fields, FIELDS);
        assert_int_equal(report_add_text(&report, FIELD_SOURCE_URL, span_of(urls[i / 2]), NULL), 0);
        verdict_set_treatment(&verdict, FIELD_CLASS_URL, TREATMENT_GENERALISE);
        verdict_set_treatment(
            &verdict, FIELD_CLASS_ADDRESS, kept ? TREATMENT_KEEP : TREATMENT_GENERALISE);
        assert_int_equal(
            redact(arena, &(struct redact_means){0}, &report, &verdict, TLP_GREEN, &redacted, NULL),
            0);
        assert_int_equal(redacted_count(redacted), kept ? 1 : 0);
    }
    arena_free(arena);
}

/* However long a name is, its last part says what it holds. */
static void
a_long_name_of_a_parameter_hides_nothing(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct extra_fields *list = NULL;
    char url[1024];

    (void)state;
    assert_int_equal(
        extra_fields_parse(SPAN("name,class\nextra.user,account\n"), "list", &list, NULL), 0);
    for (int n = 0; n < 900; n += 7) {
        struct verdict verdict = {.effect = EFFECT_RELEASE};
        const struct redacted *redacted = NULL;
        for (int c = 0; c < FIELD_CLASS_COUNT; c++)
            verdict_set_treatment(&verdict, (enum field_class)c, TREATMENT_KEEP);
        verdict_set_treatment(&verdict, FIELD_CLASS_ACCOUNT, TREATMENT_REMOVE);
        (void)snprintf(url, sizeof url, "http://www.example.org/?%0*d.user=bob&a=1", n, 0);
        report_reset(&report, fields, FIELDS);
        assert_int_equal(report_add_text(&report, FIELD_SOURCE_URL, span_of(url), NULL), 0);
        assert_int_equal(redact(arena, &(struct redact_means){.extras = list}, &report, &verdict,
                             TLP_GREEN, &redacted, NULL),
            0);
        assert_int_equal(redacted_count(redacted), 1);
        const struct field *left = redacted_field(redacted, 0);
        assert_true(
            span_equal((struct span){left->s, left->n}, SPAN("http://www.example.org/?a=1")));
        arena_reset(arena);
    }
    extra_fields_free(list);
    arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_does_not_tell_a_coarser_address),
        cmocka_unit_test(a_long_name_of_a_parameter_hides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
