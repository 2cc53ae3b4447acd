#include "cli/agreement_simulated.h"

#include "cli/shown.h"
#include "fmt/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 400, LINE_BYTES = 4096 };

static const enum change told_changes[] = {CHANGE_MORE, CHANGE_LESS, CHANGE_TERMS};
enum { TOLD = sizeof told_changes / sizeof told_changes[0] };

int
simulated_init(struct simulated *s, size_t team_count, struct err *err)
{
    s->count = team_count + 1;
    s->teams = calloc(s->count, sizeof *s->teams);
    return s->teams != NULL ? 0
                            : err_set(err, ERR_NO_MEMORY, "no memory for %zu teams", team_count);
}

void
simulated_free(struct simulated *s)
{
    for (size_t i = 0; s->teams != NULL && i < s->count; i++)
        free(s->teams[i].examples);
    free(s->teams);
}

/* ---- counting ---- */

static void
add_example(struct simulated *s, struct simulated_team *team, enum change change,
    const struct flow_result *result, const struct verdict *before, const struct verdict *after)
{
    uint64_t met = team->changes[change] - 1;

    if (met >= SIMULATED_EXAMPLES)
        return;
    if (team->examples == NULL)
        team->examples = calloc((size_t)CHANGE_COUNT * SIMULATED_EXAMPLES, sizeof *team->examples);
    s->lost = s->lost || team->examples == NULL;
    if (team->examples == NULL)
        return;
    team->examples[(size_t)change * SIMULATED_EXAMPLES + met] =
        (struct simulated_example){.file = s->job->file,
            .line = result->report->line,
            .classification = (uint8_t)result->report->classification,
            .tlp = (uint8_t)result->tlp,
            .before = *before,
            .after = *after};
}

static void
count(struct simulated_team *team, const struct verdict *before, const struct verdict *after,
    enum change change)
{
    team->reports++;
    team->before[before->effect]++;
    team->after[after->effect]++;
    team->changes[change]++;
}

void
simulated_add(
    struct simulated *s, const struct flow_result *result, const struct flow_outcome *outcome)
{
    struct simulated_team *team = &s->teams[outcome->recipient.index];
    struct verdict after;

    if (outcome->recipient.index == 0) {
        team->reports++;
        return;
    }
    flow_judge(s->job->flow, s->after, outcome->recipient, &after);
    enum change change = change_of(&outcome->verdict, &after);
    count(team, &outcome->verdict, &after, change);
    count(&s->total, &outcome->verdict, &after, change);
    if (change != CHANGE_NONE)
        add_example(s, team, change, result, &outcome->verdict, &after);
}

/* ---- telling ---- */

static uint64_t
changed(const struct simulated_team *team)
{
    return team->changes[CHANGE_MORE] + team->changes[CHANGE_LESS] + team->changes[CHANGE_TERMS];
}

static const struct simulated *sorted; /* qsort has no context; only set around it */

static int
by_change(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    uint64_t m = changed(&sorted->teams[x]);
    uint64_t n = changed(&sorted->teams[y]);

    return m != n ? (m < n ? 1 : -1) : x < y ? -1 : x > y;
}

/* Teams with reports, the most changed first. Caller frees; NULL when out of memory. */
static uint32_t *
sort_teams(const struct simulated *s, size_t *n)
{
    uint32_t *order = malloc(s->count * sizeof *order);

    *n = 0;
    if (order == NULL)
        return NULL;
    for (uint32_t i = 1; i < s->count; i++)
        if (s->teams[i].reports > 0)
            order[(*n)++] = i;
    sorted = s;
    qsort(order, *n, sizeof *order, by_change);
    sorted = NULL;
    return order;
}

static const struct simulated_example *
example(const struct simulated_team *team, enum change change, size_t i)
{
    if (team->examples == NULL || i >= SIMULATED_EXAMPLES || i >= team->changes[change])
        return NULL;
    return &team->examples[(size_t)change * SIMULATED_EXAMPLES + i];
}

static void
add_report(const struct simulated_example *e, struct buf *out)
{
    enum classification c = (enum classification)e->classification;

    if (c == CLASSIFICATION_UNKNOWN)
        buf_add_text(out, "a report of no known classification");
    else
        buf_format(out, "%s.%s", classification_taxonomy(c), classification_type(c));
    if (e->tlp != TLP_UNKNOWN && e->tlp < TLP_COUNT)
        buf_format(out, " %s", tlp_label((enum tlp)e->tlp));
}

static void
print_example(const struct simulated_example *e, struct buf *out)
{
    struct buf line = buf_new(LINE_BYTES);
    struct buf what = buf_new(LINE_BYTES);

    add_report(e, &what);
    buf_format(&line, "%s:%llu: ", e->file, (unsigned long long)e->line);
    change_add_words(&e->before, &e->after, buf_span(&what), &line);
    buf_add_text(out, "      ");
    shown_add(out, buf_span(&line), COLUMNS);
    buf_add_char(out, '\n');
    buf_free(&line);
    buf_free(&what);
}

static void
print_team(const struct simulated *s, uint32_t index, struct buf *out)
{
    static const char *const words[CHANGE_COUNT] = {
        [CHANGE_MORE] = "more would cross",
        [CHANGE_LESS] = "less would cross",
        [CHANGE_TERMS] = "on other terms",
    };
    const struct simulated_team *t = &s->teams[index];
    const struct team *team = roster_team(s->job->setup.roster, (struct team_id){index});

    buf_format(out, "\n%.*s: %llu of %llu reports would change\n", SPAN_ARGS(team->id),
        (unsigned long long)changed(t), (unsigned long long)t->reports);
    for (size_t k = 0; k < TOLD; k++) {
        const struct simulated_example *e;
        if (t->changes[told_changes[k]] == 0)
            continue;
        buf_format(out, "  %9llu %s, such as\n", (unsigned long long)t->changes[told_changes[k]],
            words[told_changes[k]]);
        for (size_t i = 0; (e = example(t, told_changes[k], i)) != NULL; i++)
            print_example(e, out);
    }
}

static void
print_row(const char *name, const struct simulated_team *t, struct buf *out)
{
    buf_format(out, "%-24s %9llu %9llu %9llu %9llu %9llu %9llu %9llu %9llu %9llu\n", name,
        (unsigned long long)t->before[EFFECT_RELEASE], (unsigned long long)t->before[EFFECT_HOLD],
        (unsigned long long)t->before[EFFECT_WITHHOLD],
        (unsigned long long)t->after[EFFECT_RELEASE], (unsigned long long)t->after[EFFECT_HOLD],
        (unsigned long long)t->after[EFFECT_WITHHOLD], (unsigned long long)t->changes[CHANGE_MORE],
        (unsigned long long)t->changes[CHANGE_LESS], (unsigned long long)t->changes[CHANGE_TERMS]);
}

static void
print_draft(const struct simulated *s, struct buf *out)
{
    for (size_t i = 0; i < s->draft.count; i++) {
        buf_add_text(out, "draft: ");
        shown_add(out, s->draft.agreements[i].title, COLUMNS);
        buf_add_text(out, " (");
        shown_add(out, s->draft.agreements[i].id, COLUMNS);
        buf_add_text(out, ")\n");
    }
    if (s->replaced == 0)
        buf_add_text(out, "beside the agreements of today; none of them has its id\n");
    else
        buf_format(out, "in the place of %zu agreement%s of today\n", s->replaced,
            s->replaced == 1 ? "" : "s");
}

static void
print_sum(const struct simulated *s, struct buf *out)
{
    const struct totals *c = flow_counts(s->job->flow);

    buf_format(out,
        "\nreceived %llu = stored %llu + rejected %llu + duplicate %llu\n"
        "recipients %llu = more %llu + less %llu + on other terms %llu + the same %llu + "
        "unattributed %llu\n",
        (unsigned long long)c->received, (unsigned long long)c->stored,
        (unsigned long long)c->rejected, (unsigned long long)c->duplicate,
        (unsigned long long)c->outcomes, (unsigned long long)s->total.changes[CHANGE_MORE],
        (unsigned long long)s->total.changes[CHANGE_LESS],
        (unsigned long long)s->total.changes[CHANGE_TERMS],
        (unsigned long long)s->total.changes[CHANGE_NONE], (unsigned long long)c->unattributed);
    if (s->lost)
        buf_add_text(out, "there was no memory for some of the examples\n");
}

void
simulated_print(const struct simulated *s, struct buf *out)
{
    size_t n = 0;
    uint32_t *order = sort_teams(s, &n);
    char name[32];

    print_draft(s, out);
    buf_format(out, "\n%-24s %29s %29s %29s\n%-24s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "",
        "today", "under the draft", "difference", "team", "released", "held", "withheld",
        "released", "held", "withheld", "more", "less", "terms");
    for (size_t i = 0; order != NULL && i < n && changed(&s->teams[order[i]]) > 0; i++) {
        struct span id = roster_team(s->job->setup.roster, (struct team_id){order[i]})->id;
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(id));
        print_row(name, &s->teams[order[i]], out);
    }
    print_row("(all teams)", &s->total, out);
    for (size_t i = 0; order != NULL && i < n && changed(&s->teams[order[i]]) > 0; i++)
        print_team(s, order[i], out);
    if (changed(&s->total) == 0)
        buf_add_text(out, "\nnothing would change for these reports\n");
    print_sum(s, out);
    free(order);
}

/* ---- for programs ---- */

static void
json_effects(const char *name, const uint64_t counts[EFFECT_COUNT], struct buf *out)
{
    buf_format(out, "\"%s\":{\"released\":%llu,\"held\":%llu,\"withheld\":%llu}", name,
        (unsigned long long)counts[EFFECT_RELEASE], (unsigned long long)counts[EFFECT_HOLD],
        (unsigned long long)counts[EFFECT_WITHHOLD]);
}

static void
json_counts(const struct simulated_team *t, struct buf *out)
{
    json_effects("before", t->before, out);
    buf_add_char(out, ',');
    json_effects("after", t->after, out);
    buf_format(out, ",\"more\":%llu,\"less\":%llu,\"different\":%llu,\"same\":%llu",
        (unsigned long long)t->changes[CHANGE_MORE], (unsigned long long)t->changes[CHANGE_LESS],
        (unsigned long long)t->changes[CHANGE_TERMS], (unsigned long long)t->changes[CHANGE_NONE]);
}

static void
json_example(const struct simulated_example *e, enum change change, struct buf *out)
{
    enum classification c = (enum classification)e->classification;

    buf_format(out, "{\"direction\":\"%s\",\"file\":", change_word(change));
    json_add_string(out, span_of(e->file));
    buf_format(out, ",\"line\":%llu,\"classification\":", (unsigned long long)e->line);
    if (c == CLASSIFICATION_UNKNOWN)
        buf_add_text(out, "null");
    else
        buf_format(out, "\"%s.%s\"", classification_taxonomy(c), classification_type(c));
    buf_format(out, ",\"tlp\":\"%s\",\"reason_before\":\"%s\",\"reason_after\":\"%s\",",
        tlp_word(e->tlp < TLP_COUNT ? (enum tlp)e->tlp : TLP_UNKNOWN),
        reason_word((enum reason)e->before.reason), reason_word((enum reason)e->after.reason));
    change_json(&e->before, &e->after, out);
    buf_add_char(out, '}');
}

static void
json_team(const struct simulated *s, uint32_t index, struct buf *out)
{
    const struct simulated_team *t = &s->teams[index];
    const struct simulated_example *e;
    const char *between = "";

    buf_add_text(out, "{\"team\":");
    json_add_string(out, roster_team(s->job->setup.roster, (struct team_id){index})->id);
    buf_format(out, ",\"reports\":%llu,", (unsigned long long)t->reports);
    json_counts(t, out);
    buf_add_text(out, ",\"examples\":[");
    for (size_t k = 0; k < TOLD; k++)
        for (size_t i = 0; (e = example(t, told_changes[k], i)) != NULL; i++) {
            buf_add_text(out, between);
            json_example(e, told_changes[k], out);
            between = ",";
        }
    buf_add_text(out, "]}");
}

void
simulated_json(const struct simulated *s, struct buf *out)
{
    const struct totals *c = flow_counts(s->job->flow);
    size_t n = 0;
    uint32_t *order = sort_teams(s, &n);

    buf_add_text(out, "{\"draft\":[");
    for (size_t i = 0; i < s->draft.count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        json_add_string(out, s->draft.agreements[i].id);
    }
    buf_format(out,
        "],\"replaced\":%zu,\"in_force\":%s,\"received\":%llu,\"stored\":%llu,\"rejected\":%llu,"
        "\"duplicate\":%llu,\"recipients\":%llu,\"unattributed\":%llu,",
        s->replaced, s->dated ? "false" : "true", (unsigned long long)c->received,
        (unsigned long long)c->stored, (unsigned long long)c->rejected,
        (unsigned long long)c->duplicate, (unsigned long long)c->outcomes,
        (unsigned long long)c->unattributed);
    json_counts(&s->total, out);
    buf_add_text(out, ",\"teams\":[");
    for (size_t i = 0; order != NULL && i < n; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        json_team(s, order[i], out);
    }
    buf_add_text(out, "]}\n");
    free(order);
}
