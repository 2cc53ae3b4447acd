/* What is wrong with a draft of an agreement, and what in it cannot be meant? As `comity agreement
 * lint`, beside the agreements that are judged by here, but for one of the same id. */
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "flow/agreement_lint.h"
#include "flow/doc.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 4 * 1024 * 1024 };

struct check {
    struct buf out;
    uint64_t counts[LINT_LEVEL_COUNT];
};

static void
add(struct check *check, enum lint_level level, const char *what, struct span clause,
    const char *key, struct span text)
{
    static const char *const levels[LINT_LEVEL_COUNT] = {"error", "warning", "hint"};

    check->counts[level]++;
    told_item(&check->out);
    buf_add_char(&check->out, '{');
    told_word(&check->out, "level", levels[level]);
    told_word(&check->out, "finding", what);
    told_text(&check->out, "clause", clause);
    told_text(&check->out, "key", span_of(key));
    told_name(&check->out, "message");
    told_value(&check->out, text);
    buf_add_char(&check->out, '}');
}

/* PLACE is "clause 3.1", or "" for the document. */
static void
hear(void *ctx, struct span file, const char *place, const char *key, struct span words)
{
    struct span clause = span_of(place);
    const struct span prefix = SPAN("clause ");

    (void)file;
    if (span_starts(clause, prefix))
        clause = (struct span){clause.p + prefix.n, clause.n - prefix.n};
    add(ctx, LINT_ERROR, "schema", clause, key, words);
}

static void
tell(void *ctx, const struct lint_finding *found)
{
    const struct span none = {NULL, 0};

    add(ctx, found->level, found->what, found->clause != NULL ? found->clause->id : none,
        found->key, found->text);
}

static int
look(struct core *core, struct arena *arena, struct span text, struct check *check, struct err *err)
{
    const struct doc_listener listener = {hear, check};
    struct agreement_set drafts = {0};
    struct agreement_set with = {0};
    struct parties parties;
    int rc = agreements_check_text(arena, text, &listener, &drafts, err);

    const struct agreement_set *const sets[] = {&drafts, &with};
    if (rc == 0)
        rc = agreements_without(arena, &core->basis.agreements, &drafts, &with, err);
    if (rc == 0)
        rc = parties_gather(arena, core->roster, sets, 2, &parties, err);
    if (rc != 0)
        return rc;
    const struct lint_question question = {&drafts, &with, &parties, clock_now_us()};
    return agreement_lint_find(arena, &question, tell, check, err);
}

int
core_agreement_check(struct core *core, struct ask *ask, struct err *err)
{
    struct check check = {.out = buf_new(ANSWER_BYTES)};
    struct span text = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a draft of an agreement", err);

    buf_add_text(&check.out, "{\"items\":[");
    if (rc == 0)
        rc = look(core, ask->arena, text, &check, err);
    if (rc != 0) {
        buf_free(&check.out);
        return rc;
    }
    buf_add_text(&check.out, "],\"next\":null");
    told_number(&check.out, "errors", check.counts[LINT_ERROR]);
    told_number(&check.out, "warnings", check.counts[LINT_WARNING]);
    told_number(&check.out, "hints", check.counts[LINT_HINT]);
    buf_add_char(&check.out, '}');
    return node_answer(core, ask, &check.out, err);
}
