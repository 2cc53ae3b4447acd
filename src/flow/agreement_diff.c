#include "flow/agreement_diff.h"

enum { SHOWN_MEMBERS = 6, WHAT_BYTES = 1 << 20 };

struct comparison {
    struct arena *arena;
    struct policy *before;
    struct policy *after;
    int64_t at_us;
    struct agreement_diff *diff;
    uint32_t *before_provider; /* each policy's index of each group's first name */
    uint32_t *after_provider;
    size_t words; /* of a set of senders */
    size_t room;
    size_t begun;  /* the first row of the recipient at hand */
    uint32_t last; /* pair met last: answers come in runs */
};

/* ---- answers that differ ---- */

static bool
is_pair(const struct agreement_diff_pair *pair, const struct verdict *a, const struct verdict *b)
{
    return pair->before.effect == a->effect && pair->after.effect == b->effect
        && change_of(&pair->before, a) == CHANGE_NONE && change_of(&pair->after, b) == CHANGE_NONE;
}

static int
find_pair(struct comparison *c, struct verdict before, struct verdict after, uint32_t *out,
    struct err *err)
{
    struct agreement_diff *d = c->diff;

    change_strip(&before, &after);
    if (c->last < d->pair_count && is_pair(&d->pairs[c->last], &before, &after)) {
        *out = c->last;
        return 0;
    }
    for (size_t i = 0; i < d->pair_count; i++)
        if (is_pair(&d->pairs[i], &before, &after)) {
            *out = c->last = (uint32_t)i;
            return 0;
        }
    if (d->pair_count == AGREEMENT_DIFF_PAIRS_MAX)
        return err_set(
            err, ERR_LIMIT, "the agreements differ in more than %d ways", AGREEMENT_DIFF_PAIRS_MAX);
    d->pairs[d->pair_count] = (struct agreement_diff_pair){before, after};
    *out = c->last = (uint32_t)d->pair_count++;
    return 0;
}

/* ---- rows ---- */

static int
add_row(struct comparison *c, const struct agreement_diff_row *row, struct err *err)
{
    struct agreement_diff *d = c->diff;

    if (d->row_count == c->room)
        return err_set(err, ERR_LIMIT,
            "the agreements differ in more than %zu sentences; compare "
            "fewer at a time",
            c->room);
    d->rows[d->row_count++] = *row;
    return 0;
}

/* Into a row that says the same of other classifications of the same sender and provider. */
static int
add_answer(
    struct comparison *c, size_t begun, const struct agreement_diff_row *new, struct err *err)
{
    struct agreement_diff *d = c->diff;

    for (size_t i = begun; i < d->row_count; i++)
        if (d->rows[i].pair == new->pair && d->rows[i].tlps == new->tlps) {
            d->rows[i].classes |= new->classes;
            return 0;
        }
    return add_row(c, new, err);
}

/* What is told of one classification: as many rows as answers, each with its labels. */
static int
compare_class(struct comparison *c, struct decide_input *input, size_t provider, size_t class,
    size_t begun, struct err *err)
{
    struct agreement_diff_row rows[TLP_COUNT];
    struct verdict before;
    struct verdict after;
    size_t n = 0;

    input->classification = (uint8_t)cells_class(&c->diff->cells, class);
    for (int t = TLP_CLEAR; t < TLP_COUNT; t++) {
        uint32_t pair = 0;
        size_t i = 0;
        input->tlp = (uint8_t)t;
        input->provider = c->before_provider[provider];
        decide(c->before, input, &before);
        input->provider = c->after_provider[provider];
        decide(c->after, input, &after);
        if (change_of(&before, &after) == CHANGE_NONE)
            continue;
        int rc = find_pair(c, before, after, &pair, err);
        if (rc != 0)
            return rc;
        while (i < n && rows[i].pair != pair)
            i++;
        if (i == n)
            rows[n++] =
                (struct agreement_diff_row){.pair = pair, .classes = c->diff->cells.classes[class]};
        rows[i].tlps |= (uint8_t)(1u << t);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_answer(c, begun, &rows[i], err);
    return rc;
}

/* Rows from BEGUN on say one thing each; those before, from FIRST on, may say it of another
 * provider (or sender): then they take it in, and the row is dropped. */
static void
fold_rows(struct comparison *c, size_t first, size_t begun, bool senders)
{
    struct agreement_diff *d = c->diff;
    size_t kept = begun;

    for (size_t i = begun; i < d->row_count; i++) {
        struct agreement_diff_row *new = &d->rows[i];
        size_t k = first;
        while (k < begun
            && (d->rows[k].pair != new->pair || d->rows[k].tlps != new->tlps
                || d->rows[k].classes != new->classes
                || (senders && d->rows[k].providers != new->providers)))
            k++;
        if (k == begun) {
            d->rows[kept++] = *new;
            continue;
        }
        d->rows[k].providers |= new->providers;
        for (size_t w = 0; senders && w < c->words; w++)
            d->rows[k].senders[w] |= new->senders[w];
    }
    d->row_count = kept;
}

static int
compare_pair(struct comparison *c, size_t from, size_t to, struct err *err)
{
    struct agreement_diff *d = c->diff;
    struct decide_input input = {.clock_trusted = true, .at_us = c->at_us};
    size_t first = d->row_count;
    int rc = 0;

    if (!cells_pair(&d->cells, from, to, &input.origin, &input.recipient))
        return 0;
    for (size_t p = 0; rc == 0 && p < d->cells.provider_groups; p++) {
        size_t begun = d->row_count;
        for (size_t k = 0; rc == 0 && k < d->cells.class_groups; k++)
            rc = compare_class(c, &input, p, k, begun, err);
        for (size_t i = begun; i < d->row_count; i++)
            d->rows[i].providers = (uint64_t)1 << p;
        fold_rows(c, first, begun, false);
    }
    for (size_t i = first; rc == 0 && i < d->row_count; i++) {
        d->rows[i].recipient = (uint32_t)to;
        d->rows[i].senders = arena_zalloc(c->arena, c->words, sizeof(uint64_t));
        if (d->rows[i].senders == NULL)
            return arena_full(err, "the comparison of agreements");
        d->rows[i].senders[from / 64] |= (uint64_t)1 << from % 64;
    }
    if (rc == 0)
        fold_rows(c, c->begun, first, true);
    return rc;
}

/* More first, then less, then what only differs; inside that the most classifications first. */
static void
sort_rows(struct agreement_diff *d, size_t from)
{
    for (size_t i = from + 1; i < d->row_count; i++) {
        struct agreement_diff_row row = d->rows[i];
        enum change change = change_of(&d->pairs[row.pair].before, &d->pairs[row.pair].after);
        size_t k = i;
        while (k > from) {
            const struct agreement_diff_pair *p = &d->pairs[d->rows[k - 1].pair];
            enum change other = change_of(&p->before, &p->after);
            if (other < change
                || (other == change
                    && __builtin_popcountll(d->rows[k - 1].classes)
                        >= __builtin_popcountll(row.classes)))
                break;
            d->rows[k] = d->rows[k - 1];
            k--;
        }
        d->rows[k] = row;
    }
}

/* ---- both sets ---- */

static int
prepare(struct comparison *c, struct err *err)
{
    struct agreement_diff *d = c->diff;
    size_t providers = d->cells.provider_groups;

    c->words = d->cells.team_groups / 64 + 1;
    c->room = AGREEMENT_DIFF_ROWS_MAX;
    c->last = UINT32_MAX;
    d->rows = arena_zalloc(c->arena, c->room, sizeof *d->rows);
    d->pairs = arena_zalloc(c->arena, AGREEMENT_DIFF_PAIRS_MAX, sizeof *d->pairs);
    c->before_provider = arena_zalloc(c->arena, providers, sizeof *c->before_provider);
    c->after_provider = arena_zalloc(c->arena, providers, sizeof *c->after_provider);
    if (d->rows == NULL || d->pairs == NULL || c->before_provider == NULL
        || c->after_provider == NULL)
        return arena_full(err, "the comparison of agreements");
    for (size_t p = 0; p < providers; p++) {
        c->before_provider[p] = policy_provider(c->before, d->cells.providers[p].names[0]);
        c->after_provider[p] = policy_provider(c->after, d->cells.providers[p].names[0]);
    }
    return 0;
}

static int
compare(struct comparison *c, struct err *err)
{
    size_t groups = c->diff->cells.team_groups;
    int rc = prepare(c, err);

    for (size_t to = 1; rc == 0 && to < groups; to++) {
        c->begun = c->diff->row_count;
        for (size_t from = 0; rc == 0 && from < groups; from++)
            rc = compare_pair(c, from, to, err);
        sort_rows(c->diff, c->begun);
    }
    return rc;
}

int
agreement_diff_make(struct arena *arena, const struct agreement_set *before,
    const struct agreement_set *after, const struct policy_team *teams, size_t team_count,
    int64_t at_us, struct agreement_diff *out, struct err *err)
{
    const struct agreement_set *const sets[] = {before, after};
    struct comparison c = {.arena = arena, .at_us = at_us, .diff = out};

    *out = (struct agreement_diff){.teams = teams};
    int rc = cells_make(arena, sets, 2, teams, team_count, &out->cells, err);
    if (rc == 0)
        rc = policy_compile(before, teams, team_count, &c.before, err);
    if (rc == 0)
        rc = policy_compile(after, teams, team_count, &c.after, err);
    if (rc == 0)
        rc = compare(&c, err);
    policy_free(c.before);
    policy_free(c.after);
    return rc;
}

/* ---- words ---- */

static void
add_member(const struct agreement_diff *diff, uint32_t member, size_t *count, struct buf *out)
{
    if ((*count)++ >= SHOWN_MEMBERS)
        return;
    buf_add_text(out, *count > 1 ? ", " : "");
    if (member == 0)
        buf_add_text(out, "senders outside the directory");
    else
        buf_add_span(out, diff->teams[member - 1].id);
}

static void
add_others(size_t count, struct buf *out)
{
    if (count > SHOWN_MEMBERS)
        buf_format(out, " and %zu others", count - SHOWN_MEMBERS);
}

void
agreement_diff_recipients(const struct agreement_diff *diff, size_t group, struct buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < diff->cells.teams[group].count; i++)
        add_member(diff, diff->cells.teams[group].members[i], &count, out);
    add_others(count, out);
}

static bool
has_sender(const struct agreement_diff_row *row, size_t group)
{
    return (row->senders[group / 64] >> group % 64 & 1) != 0;
}

/* Could this group send to the row's recipient at all? */
static bool
can_send(const struct agreement_diff *diff, const struct agreement_diff_row *row, size_t group)
{
    struct team_id origin;
    struct team_id recipient;

    return cells_pair(&diff->cells, group, row->recipient, &origin, &recipient);
}

/* Teams in groups that send (SENDING) or could and do not. */
static size_t
count_senders(const struct agreement_diff *diff, const struct agreement_diff_row *row, bool sending)
{
    size_t count = 0;

    for (size_t g = 0; g < diff->cells.team_groups; g++)
        if (can_send(diff, row, g) && has_sender(row, g) == sending)
            count += diff->cells.teams[g].count;
    return count;
}

bool
agreement_diff_any_sender(const struct agreement_diff *diff, const struct agreement_diff_row *row)
{
    return count_senders(diff, row, false) == 0;
}

/* Only the recipients themselves? */
static bool
one_another(const struct agreement_diff *diff, const struct agreement_diff_row *row)
{
    for (size_t g = 0; g < diff->cells.team_groups; g++)
        if (has_sender(row, g) != (g == row->recipient))
            return false;
    return true;
}

/* Those outside the directory last. */
static void
add_senders(
    const struct agreement_diff *diff, const struct agreement_diff_row *row, struct buf *out)
{
    size_t without = count_senders(diff, row, false);
    bool named = without >= count_senders(diff, row, true);
    size_t count = 0;

    if (without == 0)
        return;
    if (one_another(diff, row)) {
        buf_add_text(out, " from one another");
        return;
    }
    buf_add_text(out, named ? " from " : " from anybody but ");
    for (size_t k = 1; k <= diff->cells.team_groups; k++) {
        size_t g = k % diff->cells.team_groups;
        for (size_t i = 0; can_send(diff, row, g) && has_sender(row, g) == named
             && i < diff->cells.teams[g].count;
             i++)
            add_member(diff, diff->cells.teams[g].members[i], &count, out);
    }
    add_others(count, out);
}

static void
add_names(const struct agreement_diff *diff, uint64_t groups, struct buf *out)
{
    const char *between = "";

    for (size_t g = CELLS_NAMED; g < diff->cells.provider_groups; g++)
        for (size_t i = 0; (groups >> g & 1) != 0 && i < diff->cells.providers[g].count; i++) {
            buf_add_text(out, between);
            buf_add_span(out, diff->cells.providers[g].names[i]);
            between = ", ";
        }
}

static void
add_providers(
    const struct agreement_diff *diff, const struct agreement_diff_row *row, struct buf *out)
{
    size_t groups = diff->cells.provider_groups;
    uint64_t all = groups == 64 ? ~(uint64_t)0 : ((uint64_t)1 << groups) - 1;
    uint64_t others = all & ~row->providers & ~(uint64_t)1;
    bool unnamed = (row->providers & 1) != 0;

    if (row->providers == all)
        return;
    if (row->providers == 1) {
        buf_add_text(out, " that name no provider");
    } else if ((row->providers >> CELLS_OTHERS & 1) != 0) {
        buf_add_text(
            out, others == 0 ? " of any provider that they name" : " of any provider but ");
        add_names(diff, others, out);
        buf_add_text(out, unnamed || others == 0 ? "" : ", if they name it");
    } else {
        buf_add_text(out, " of ");
        add_names(diff, row->providers, out);
        buf_add_text(out, unnamed ? " or that name no provider" : "");
    }
}

void
agreement_diff_sentence(
    const struct agreement_diff *diff, const struct agreement_diff_row *row, struct buf *out)
{
    struct buf what = buf_new(WHAT_BYTES);

    change_add_classes(row->classes, &what);
    change_add_tlps(row->tlps, &what);
    add_senders(diff, row, &what);
    add_providers(diff, row, &what);
    change_add_words(
        &diff->pairs[row->pair].before, &diff->pairs[row->pair].after, buf_span(&what), out);
    buf_free(&what);
}
