/* Agreements as a partner may send them, looked over by the officer's tools: whatever they say,
 * lint comes to its end, and nothing differs from itself. */
#include "fuzz.h"

#include "flow/agreement_diff.h"
#include "flow/agreement_lint.h"
#include "flow/agreements.h"

static const struct economy finland[] = {{1 + 26 * 5 + 8}};
static struct policy_team teams[] = {
    {.id = SPAN("north.test"), .economies = finland, .economy_count = 1},
    {.id = SPAN("south.test"), .channels = {true, true, true}},
    {.id = SPAN("west.test")},
};
enum { TEAMS = sizeof teams / sizeof teams[0], NOW_S = 1780272000 };

static void
tell(void *ctx, const struct lint_finding *finding)
{
    size_t *count = ctx;

    MUST(finding->text.n > 0 && finding->agreement != NULL);
    (*count)++;
}

static void
lint(struct arena *arena, const struct agreement_set *set, const struct agreement_set *with)
{
    const struct parties parties = {teams, TEAMS, TEAMS};
    const struct lint_question question = {set, with, &parties, (int64_t)NOW_S * 1000000};
    size_t count = 0;

    int rc = agreement_lint_find(arena, &question, tell, &count, NULL);
    MUST(rc == 0 || rc == ERR_LIMIT || rc == ERR_NO_MEMORY);
}

static void
compare(struct arena *arena, const struct agreement_set *a, const struct agreement_set *b)
{
    struct agreement_diff diff;
    struct buf text = buf_new(1 << 20);

    if (agreement_diff_make(arena, a, b, teams, TEAMS, (int64_t)NOW_S * 1000000, &diff, NULL)
        == 0) {
        MUST(a != b || diff.row_count == 0);
        for (size_t i = 0; i < diff.row_count; i++) {
            agreement_diff_recipients(&diff, diff.rows[i].recipient, &text);
            agreement_diff_sentence(&diff, &diff.rows[i], &text);
        }
    }
    buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)128 << 20);
    struct span text = {size == 0 ? "" : (const char *)data, size};
    const char *name = "input.json";
    struct agreement_set set;

    MUST(arena != NULL);
    if (agreements_parse(arena, &text, &name, 1, &set, NULL) == 0 && set.count > 0) {
        const struct agreement_set first = {set.agreements, 1};
        const struct agreement_set rest = {set.agreements + 1, set.count - 1};
        lint(arena, &set, &rest);
        lint(arena, &first, &rest);
        compare(arena, &set, &set);
        compare(arena, &first, &set);
        compare(arena, &set, &rest);
    }
    arena_free(arena);
    return 0;
}
