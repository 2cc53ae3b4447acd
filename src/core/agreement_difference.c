/* What would each team get otherwise under this agreement than under that one? As `comity agreement
 * diff`, of what the register holds or waits in it, beside all that is judged by. */
#include "core/directory.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "flow/agreement_diff.h"
#include "flow/document_diff.h"
#include "flow/parties.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 16 * 1024 * 1024, LINE_BYTES = 1 << 20 };

struct difference {
    struct core *core;
    struct arena *arena;
    const struct agreement *before; /* NULL: there is none */
    const struct agreement *after;
    struct agreement_diff diff;
    struct buf out;
};

/* ---- which two ---- */

static bool
same_parties(const struct agreement *a, const struct agreement *b)
{
    if (a->kind != b->kind || a->party_count != b->party_count)
        return false;
    for (size_t i = 0; i < a->party_count; i++)
        if (!agreement_has_party(b, a->parties[i]))
            return false;
    return true;
}

/* What a draft is there to replace: the one of its kind that the same teams have in force. */
static const struct agreement *
find_counterpart(const struct core *core, const struct agreement *after)
{
    const struct agreement_set *set = &core->basis.agreements;
    int64_t now = clock_now_us();
    const struct agreement *found = NULL;

    for (size_t i = 0; i < set->count; i++) {
        const struct agreement *a = &set->agreements[i];
        if (a->broken || a->suspended || a->valid_from_us > now || a->valid_until_us <= now
            || span_equal(a->id, after->id) || !same_parties(a, after))
            continue;
        if (found == NULL || a->valid_from_us > found->valid_from_us)
            found = a;
    }
    return found;
}

static int
find_both(struct difference *d, struct span id, struct span from, struct err *err)
{
    d->after = directory_find_agreement(d->core, id);
    if (d->after == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no such agreement");
    d->before =
        from.n > 0 ? directory_find_agreement(d->core, from) : find_counterpart(d->core, d->after);
    if (from.n > 0 && d->before == NULL)
        return err_set_field(err, ERR_NOT_FOUND, "from", 4, "there is no such agreement");
    if (d->after->broken || (d->before != NULL && d->before->broken))
        return err_set(err, ERR_BAD_AGREEMENT, "what is broken cannot be compared");
    return 0;
}

/* ---- what they do ---- */

static int
beside(struct difference *d, const struct agreement_set *side, const struct agreement_set *rest,
    struct agreement_set *out, struct err *err)
{
    struct agreement_set undated;
    int rc = agreements_undated(d->arena, side, &undated, err);

    return rc == 0 ? agreements_join(d->arena, rest, &undated, out, err) : rc;
}

static int
judge(struct difference *d, struct err *err)
{
    const struct agreement_set after = {d->after, 1};
    const struct agreement_set before = {d->before, d->before != NULL};
    struct agreement_set sides[2];
    struct agreement_set rest;
    struct parties parties;
    int rc = agreements_without(d->arena, &d->core->basis.agreements, &after, &rest, err);

    if (rc == 0)
        rc = agreements_without(d->arena, &rest, &before, &rest, err);
    if (rc == 0)
        rc = beside(d, &before, &rest, &sides[0], err);
    if (rc == 0)
        rc = beside(d, &after, &rest, &sides[1], err);
    const struct agreement_set *const both[] = {&sides[0], &sides[1]};
    if (rc == 0)
        rc = parties_gather(d->arena, d->core->roster, both, 2, &parties, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < parties.count; i++)
        parties.teams[i].channels = (struct team_channels){true, true, true};
    return agreement_diff_make(d->arena, &sides[0], &sides[1], parties.teams, parties.count,
        clock_now_us(), &d->diff, err);
}

/* ---- the answer ---- */

static void
tell_document(void *ctx, const char *key, struct span before, struct span after)
{
    struct difference *d = ctx;

    told_item(&d->out);
    buf_add_char(&d->out, '{');
    told_word(&d->out, "key", key);
    told_text(&d->out, "before", before);
    told_text(&d->out, "after", after);
    buf_add_char(&d->out, '}');
}

static void
tell_row(struct difference *d, const struct agreement_diff_row *row, struct buf *line)
{
    const struct agreement_diff_pair *pair = &d->diff.pairs[row->pair];

    told_item(&d->out);
    buf_add_char(&d->out, '{');
    told_word(&d->out, "direction", change_word(change_of(&pair->before, &pair->after)));
    line->n = 0;
    agreement_diff_recipients(&d->diff, row->recipient, line);
    told_text(&d->out, "recipients", buf_span(line));
    line->n = 0;
    agreement_diff_sentence(&d->diff, row, line);
    told_text(&d->out, "text", buf_span(line));
    buf_add_char(&d->out, '}');
}

static void
tell(struct difference *d)
{
    struct buf line = buf_new(LINE_BYTES);

    buf_add_char(&d->out, '{');
    told_text(&d->out, "from", d->before != NULL ? d->before->id : (struct span){NULL, 0});
    told_flag(&d->out, "identical", d->diff.row_count == 0);
    told_open(&d->out, "documents", '[');
    if (d->before != NULL)
        document_diff(d->before, d->after, tell_document, d);
    buf_add_char(&d->out, ']');
    told_open(&d->out, "changes", '[');
    for (size_t i = 0; i < d->diff.row_count; i++)
        tell_row(d, &d->diff.rows[i], &line);
    buf_add_text(&d->out, "]}");
    buf_free(&line);
}

int
core_agreement_difference(struct core *core, struct ask *ask, struct err *err)
{
    struct difference d = {.core = core, .arena = ask->arena, .out = buf_new(ANSWER_BYTES)};
    struct span id = wire_text(&ask->in);
    struct span from = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for a difference", err);

    if (rc == 0)
        rc = find_both(&d, id, from, err);
    if (rc == 0)
        rc = judge(&d, err);
    if (rc == 0) {
        tell(&d);
        return node_answer(core, ask, &d.out, err);
    }
    buf_free(&d.out);
    return rc;
}
