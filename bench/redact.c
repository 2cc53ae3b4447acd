/* bench redact: what does redaction cost, beside writing the same reports out whole?
 *
 * 20 000 IDF reports, read once; then for each kind of clause every report is redacted and written
 * as IDF, and beside it written without redaction, in turns. CPU time of one core.
 *
 * usage: bench_redact [--json]
 */
#include "flow/redact.h"
#include "figure.h"
#include "fmt/render.h"
#include "fmt/writer.h"
#include "reports.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPORTS = 20000, TIMES = 10, ROUNDS = 9, OUT_BYTES = 1 << 16 };
static const double REACH = 1e6; /* reports a second, for typical clauses */

struct kind {
    const char *what;
    bool typical;
    struct {
        enum field_class class;
        enum treatment treatment;
    } treatments[8];
};
static const struct kind kinds[] = {
    {"accounts, devices, text removed", true,
        {{FIELD_CLASS_ACCOUNT, TREATMENT_REMOVE}, {FIELD_CLASS_DEVICE, TREATMENT_REMOVE},
            {FIELD_CLASS_TEXT, TREATMENT_REMOVE}}},
    {"accounts pseudonymised, text removed", true,
        {{FIELD_CLASS_ACCOUNT, TREATMENT_PSEUDONYMISE}, {FIELD_CLASS_TEXT, TREATMENT_REMOVE}}},
    {"accounts and devices removed, text searched", true,
        {{FIELD_CLASS_ACCOUNT, TREATMENT_REMOVE}, {FIELD_CLASS_DEVICE, TREATMENT_REMOVE}}},
    {"all that has a form generalised", true,
        {{FIELD_CLASS_ADDRESS, TREATMENT_GENERALISE}, {FIELD_CLASS_NAME, TREATMENT_GENERALISE},
            {FIELD_CLASS_URL, TREATMENT_GENERALISE}, {FIELD_CLASS_ACCOUNT, TREATMENT_GENERALISE},
            {FIELD_CLASS_DEVICE, TREATMENT_GENERALISE}, {FIELD_CLASS_TIME, TREATMENT_GENERALISE},
            {FIELD_CLASS_TEXT, TREATMENT_REMOVE}}},
    {"addresses pseudonymised, text removed", false,
        {{FIELD_CLASS_ADDRESS, TREATMENT_PSEUDONYMISE}, {FIELD_CLASS_TEXT, TREATMENT_REMOVE}}},
    {"addresses removed, text searched", false, {{FIELD_CLASS_ADDRESS, TREATMENT_REMOVE}}},
    {"everything pseudonymised, text searched", false,
        {{FIELD_CLASS_ADDRESS, TREATMENT_PSEUDONYMISE}, {FIELD_CLASS_NAME, TREATMENT_PSEUDONYMISE},
            {FIELD_CLASS_URL, TREATMENT_PSEUDONYMISE},
            {FIELD_CLASS_ACCOUNT, TREATMENT_PSEUDONYMISE},
            {FIELD_CLASS_DEVICE, TREATMENT_PSEUDONYMISE}}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct bench {
    struct arena *kept; /* the reports */
    struct arena *work;
    struct report *reports[REPORTS];
    size_t count;
    struct buf out;
    uint64_t bytes;
};

static _Noreturn void
fail(const char *what)
{
    (void)fprintf(stderr, "bench redact: %s\n", what);
    exit(2);
}

/* ---- the reports ---- */

static int
keep(void *ctx, const struct report *report, struct err *err)
{
    struct bench *bench = ctx;
    struct report *copy =
        (struct report *)arena_copy(bench->kept, (const char *)report, sizeof *report);
    struct field *fields = (struct field *)arena_copy(
        bench->kept, (const char *)report->fields, report->count * sizeof *fields);

    (void)err;
    if (copy == NULL || fields == NULL || bench->count == REPORTS)
        fail("too many reports");
    copy->fields = fields;
    for (uint32_t i = 0; i < copy->count; i++) {
        if (fields[i].type == VALUE_TEXT || fields[i].type == VALUE_JSON)
            fields[i].s = arena_copy(bench->kept, fields[i].s, fields[i].n);
        if (fields[i].id == FIELD_OTHER)
            fields[i].name.p = arena_copy(bench->kept, fields[i].name.p, fields[i].name.n);
    }
    bench->reports[bench->count++] = copy;
    return 0;
}

/* ---- the two ways ---- */

static void
wrote(struct bench *bench)
{
    bench->bytes += bench->out.n;
    if (bench->out.full)
        fail("a report is too long");
    bench->out.n = 0;
}

static double
whole(struct bench *bench)
{
    double from = figure_seconds(CLOCK_PROCESS_CPUTIME_ID);

    for (int t = 0; t < TIMES; t++)
        for (size_t i = 0; i < bench->count; i++) {
            render_idf(&bench->out, bench->reports[i]);
            wrote(bench);
        }
    return (double)bench->count * TIMES / (figure_seconds(CLOCK_PROCESS_CPUTIME_ID) - from);
}

/* The key is asked for each report, as the flow does. */
static double
redacted(struct bench *bench, const struct verdict *verdict, struct pseudonyms *pseudonyms)
{
    double from = figure_seconds(CLOCK_PROCESS_CPUTIME_ID);

    for (int t = 0; t < TIMES; t++)
        for (size_t i = 0; i < bench->count; i++) {
            const struct redact_means means = {
                .key = pseudonyms_key(pseudonyms,
                    SPAN("urn:uuid:0b6d3b0e-8a52-4f7e-8f57-2f3a1b6f0d11"), SPAN("south.test"))};
            const struct redacted *left;
            arena_reset(bench->work);
            if (redact(bench->work, &means, bench->reports[i], verdict, TLP_GREEN, &left, NULL)
                != 0)
                fail("a report cannot be redacted");
            idf_write(&bench->out, left);
            wrote(bench);
        }
    return (double)bench->count * TIMES / (figure_seconds(CLOCK_PROCESS_CPUTIME_ID) - from);
}

static void
measure(struct bench *bench, const struct kind *kind, struct pseudonyms *pseudonyms,
    struct figures *figures)
{
    struct verdict verdict = {.effect = EFFECT_RELEASE};
    double rate[ROUNDS];
    double ratio[ROUNDS];

    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        verdict_set_treatment(&verdict, (enum field_class)c, TREATMENT_KEEP);
    for (size_t i = 0; i < 8; i++)
        if (kind->treatments[i].treatment != TREATMENT_KEEP)
            verdict_set_treatment(
                &verdict, kind->treatments[i].class, kind->treatments[i].treatment);
    for (int r = 0; r < ROUNDS; r++) {
        double beside = whole(bench);
        rate[r] = redacted(bench, &verdict, pseudonyms);
        ratio[r] = rate[r] / beside;
    }
    figure_add_rounds(figures,
        (struct figure){.what = kind->what,
            .value = figure_middle(rate, ROUNDS),
            .unit = "reports/s",
            .beside = "written without redaction",
            .reach = kind->typical ? REACH : 0},
        ratio, ROUNDS);
}

int
main(int argc, char **argv)
{
    static struct bench bench;
    const uint8_t secret[PSEUDONYM_SECRET_BYTES] = {1};
    struct pseudonyms *pseudonyms = pseudonyms_new(secret);
    struct figures figures = {
        .bench = "redact", .json = argc > 1 && strcmp(argv[1], "--json") == 0};

    bench.kept = arena_new((size_t)512 << 20);
    bench.work = arena_new((size_t)8 << 20);
    bench.out = buf_new(OUT_BYTES);
    if (bench.kept == NULL || bench.work == NULL || pseudonyms == NULL)
        fail("no memory");
    reports_read(REPORTS, 1, keep, &bench);
    for (size_t k = 0; k < KINDS; k++)
        measure(&bench, &kinds[k], pseudonyms, &figures);
    buf_free(&bench.out);
    arena_free(bench.work);
    arena_free(bench.kept);
    pseudonyms_free(pseudonyms);
    return figure_tell(&figures);
}
