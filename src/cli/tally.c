#include "cli/tally.h"

#include "fmt/json.h"

#include <stdlib.h>

int
tally_init(struct tally *tally, size_t team_count, struct err *err)
{
    *tally = (struct tally){.count = team_count + 1};
    tally->teams = calloc(tally->count, sizeof *tally->teams);
    return tally->teams != NULL
        ? 0
        : err_set(err, ERR_NO_MEMORY, "no memory for %zu teams", team_count);
}

void
tally_free(struct tally *tally)
{
    free(tally->teams);
}

static void
add_why(struct tally_team *team, const struct verdict *verdict)
{
    uint32_t clause = verdict->clause_count > 0 ? verdict->clauses[0] + 1 : 0;

    for (size_t i = 0; i < TALLY_WHYS; i++) {
        struct tally_why *why = &team->whys[i];
        if (why->count == 0)
            *why = (struct tally_why){0, clause, verdict->effect, verdict->reason};
        if (why->clause == clause && why->effect == verdict->effect
            && why->reason == verdict->reason) {
            why->count++;
            return;
        }
    }
    team->others++;
}

static void
add_outcome(struct tally *tally, const struct flow_outcome *outcome)
{
    struct tally_team *team = &tally->teams[outcome->recipient.index];

    team->reports++;
    if (outcome->recipient.index == 0)
        return;
    if (outcome->verdict.effect == EFFECT_RELEASE)
        team->released++;
    else if (outcome->verdict.effect == EFFECT_HOLD)
        team->held++;
    else
        team->withheld++;
    add_why(team, &outcome->verdict);
}

void
tally_add(struct tally *tally, const struct flow_result *result)
{
    const struct attribution_pair *pair = &result->attribution;
    struct economy economy =
        pair->source.economy.index != 0 ? pair->source.economy : pair->destination.economy;

    tally->economies[economy.index]++;
    for (uint8_t i = 0; i < result->outcome_count; i++) {
        if (result->outcomes[i].recipient.index == 0)
            tally->nobody[economy.index]++;
        add_outcome(tally, &result->outcomes[i]);
    }
}

static const struct tally *sorted; /* qsort has no context; only set around it */

static int
by_reports(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    uint64_t m = sorted->teams[x].reports;
    uint64_t n = sorted->teams[y].reports;

    return m != n ? (m < n ? 1 : -1) : x < y ? -1 : x > y;
}

/* Teams that got something, the most first. Caller frees; NULL when out of memory. */
static uint32_t *
sort_teams(const struct tally *tally, size_t *count)
{
    uint32_t *order = malloc(tally->count * sizeof *order);

    *count = 0;
    if (order == NULL)
        return NULL;
    for (uint32_t i = 1; i < tally->count; i++)
        if (tally->teams[i].reports > 0)
            order[(*count)++] = i;
    sorted = tally;
    qsort(order, *count, sizeof *order, by_reports);
    sorted = NULL;
    return order;
}

static void
add_economies(const struct team *team, struct buf *out)
{
    char code[3];

    for (size_t i = 0; i < team->economy_count; i++) {
        economy_code(team->economies[i], code);
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_text(out, code);
    }
}

/* An agreement by its file's name without folder and ".json": an id of 45 characters helps
 * nobody in a table. */
static struct span
short_name(const struct agreement *agreement)
{
    struct span name = agreement->file;
    const char *slash = name.n == 0 ? NULL : memrchr(name.p, '/', name.n);

    if (slash != NULL)
        name = (struct span){slash + 1, (size_t)(name.p + name.n - slash - 1)};
    if (span_ends(name, SPAN(".json")))
        name.n -= SPAN(".json").n;
    return name;
}

static void
add_reason(const struct tally_why *why, const struct job *job, struct buf *out)
{
    if (why->clause == 0) {
        buf_add_text(out, reason_word((enum reason)why->reason));
        return;
    }
    if (why->reason != REASON_CLAUSE)
        buf_format(out, "%s: ", reason_word((enum reason)why->reason));
    buf_format(out, "%.*s#%.*s",
        SPAN_ARGS(short_name(policy_agreement(job->basis.policy, why->clause - 1))),
        SPAN_ARGS(policy_clause(job->basis.policy, why->clause - 1)->id));
}

static void
add_whys(const struct tally_team *team, const struct job *job, struct buf *out)
{
    for (size_t i = 0; i < TALLY_WHYS && team->whys[i].count > 0; i++) {
        if (i > 0)
            buf_add_text(out, "; ");
        buf_format(out, "%s %llu: ", effect_word((enum effect)team->whys[i].effect),
            (unsigned long long)team->whys[i].count);
        add_reason(&team->whys[i], job, out);
    }
    if (team->others > 0)
        buf_format(out, "; %llu others", (unsigned long long)team->others);
}

static void
print_team(const struct tally *tally, const struct job *job, uint32_t index, struct buf *out)
{
    const struct tally_team *t = &tally->teams[index];
    const struct team *team = roster_team(job->setup.roster, (struct team_id){index});
    struct buf economies = buf_new(64);

    add_economies(team, &economies);
    buf_format(out, "%-24.*s %-8.*s %9llu %9llu %9llu %9llu  ", (int)team->id.n, team->id.p,
        (int)economies.n, economies.p == NULL ? "" : economies.p, (unsigned long long)t->reports,
        (unsigned long long)t->released, (unsigned long long)t->held,
        (unsigned long long)t->withheld);
    add_whys(t, job, out);
    buf_add_text(out, team->verified ? "\n" : " [unverified]\n");
    buf_free(&economies);
}

static void
print_nobody(const struct tally *tally, struct buf *out)
{
    char code[3];
    size_t economies = 0;
    bool last[ECONOMY_COUNT] = {false};

    if (tally->teams[0].reports == 0)
        return;
    for (size_t i = 1; i < ECONOMY_COUNT; i++)
        economies += tally->nobody[i] > 0;
    buf_format(out, "%-24s %-8s %9llu %9s %9s %9s  unattributed: no team answers", "(nobody)", "",
        (unsigned long long)tally->teams[0].reports, "-", "-", "-");
    for (int shown = 0; shown < 8; shown++) {
        size_t best = 0;
        for (size_t i = 1; i < ECONOMY_COUNT; i++)
            if (!last[i] && tally->nobody[i] > 0
                && (best == 0 || tally->nobody[i] > tally->nobody[best]))
                best = i;
        if (best == 0)
            break;
        last[best] = true;
        economy_code((struct economy){(uint16_t)best}, code);
        buf_format(out, "%s %s %llu", shown == 0 ? " in" : ",", code,
            (unsigned long long)tally->nobody[best]);
    }
    buf_format(out, "%s\n", economies > 8 ? ", ..." : "");
}

static void
print_balance(const struct totals *c, size_t economies, struct buf *out)
{
    buf_format(out,
        "\nreceived %llu = stored %llu + rejected %llu + duplicate %llu, in %zu economies\n"
        "recipients %llu = released %llu + held %llu + withheld %llu + unattributed %llu\n",
        (unsigned long long)c->received, (unsigned long long)c->stored,
        (unsigned long long)c->rejected, (unsigned long long)c->duplicate, economies,
        (unsigned long long)c->outcomes, (unsigned long long)c->released,
        (unsigned long long)c->held, (unsigned long long)c->withheld,
        (unsigned long long)c->unattributed);
    if (!totals_balance(c))
        buf_add_text(
            out, "the counts do not add up: this is a fault of Comity's, please report it\n");
}

static size_t
economy_count(const struct tally *tally)
{
    size_t count = 0;

    for (size_t i = 1; i < ECONOMY_COUNT; i++)
        count += tally->economies[i] > 0;
    return count;
}

/* A table that adds up must not hide that some of the input is not in it. */
static void
print_failures(const struct job *job, struct buf *out)
{
    unsigned long long failed = job->failed_files;

    if (failed == 0)
        return;
    buf_format(out, "\ninputs that failed: %llu of %zu\n", failed, job->file_count);
    buf_add_span(out, buf_span(&job->failures));
    if (failed > JOB_FAILURES_SHOWN)
        buf_format(out, "  and %llu more, told above\n", failed - JOB_FAILURES_SHOWN);
}

void
tally_print(const struct tally *tally, const struct job *job, struct buf *out)
{
    size_t count = 0;
    uint32_t *order = sort_teams(tally, &count);

    buf_format(out, "%-24s %-8s %9s %9s %9s %9s  %s\n", "team", "economy", "reports", "released",
        "held", "withheld", "why");
    for (size_t i = 0; order != NULL && i < count; i++)
        print_team(tally, job, order[i], out);
    print_nobody(tally, out);
    print_balance(flow_counts(job->flow), economy_count(tally), out);
    print_failures(job, out);
    free(order);
}

static void
json_why(const struct tally_why *why, const struct job *job, struct buf *out)
{
    buf_format(out, "{\"effect\":\"%s\",\"reason\":\"%s\",\"count\":%llu",
        effect_word((enum effect)why->effect), reason_word((enum reason)why->reason),
        (unsigned long long)why->count);
    if (why->clause != 0) {
        struct buf name = buf_new(4096);
        job_clause_name(job, why->clause - 1, &name);
        buf_add_text(out, ",\"clause\":");
        json_add_string(out, buf_span(&name));
        buf_free(&name);
    }
    buf_add_char(out, '}');
}

static void
json_team(const struct tally *tally, const struct job *job, uint32_t index, struct buf *out)
{
    const struct tally_team *t = &tally->teams[index];
    const struct team *team = roster_team(job->setup.roster, (struct team_id){index});
    char code[3];

    buf_add_text(out, "{\"team\":");
    json_add_string(out, team->id);
    buf_add_text(out, ",\"name\":");
    json_add_string(out, team->name);
    buf_format(out, ",\"verified\":%s,\"economies\":[", team->verified ? "true" : "false");
    for (size_t i = 0; i < team->economy_count; i++) {
        economy_code(team->economies[i], code);
        buf_format(out, "%s\"%s\"", i > 0 ? "," : "", code);
    }
    buf_format(out,
        "],\"reports\":%llu,\"released\":%llu,\"held\":%llu,\"withheld\":%llu,\"why\":[",
        (unsigned long long)t->reports, (unsigned long long)t->released,
        (unsigned long long)t->held, (unsigned long long)t->withheld);
    for (size_t i = 0; i < TALLY_WHYS && t->whys[i].count > 0; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_why(&t->whys[i], job, out);
    }
    buf_add_text(out, "]}");
}

static void
json_economies(const uint64_t *counts, struct buf *out)
{
    char code[3];
    bool first = true;

    buf_add_char(out, '{');
    for (size_t i = 0; i < ECONOMY_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        economy_code((struct economy){(uint16_t)i}, code);
        buf_format(out, "%s\"%s\":%llu", first ? "" : ",", i == 0 ? "unknown" : code,
            (unsigned long long)counts[i]);
        first = false;
    }
    buf_add_char(out, '}');
}

void
tally_json(const struct tally *tally, const struct job *job, struct buf *out)
{
    const struct totals *c = flow_counts(job->flow);
    size_t count = 0;
    uint32_t *order = sort_teams(tally, &count);

    buf_format(out,
        "{\"received\":%llu,\"stored\":%llu,\"rejected\":%llu,\"duplicate\":%llu,\"recipients\":%"
        "llu,\"released\":%llu,"
        "\"held\":%llu,\"withheld\":%llu,\"unattributed\":%llu,\"balanced\":%s,\"failed_files\":%"
        "llu,\"teams\":[",
        (unsigned long long)c->received, (unsigned long long)c->stored,
        (unsigned long long)c->rejected, (unsigned long long)c->duplicate,
        (unsigned long long)c->outcomes, (unsigned long long)c->released,
        (unsigned long long)c->held, (unsigned long long)c->withheld,
        (unsigned long long)c->unattributed, totals_balance(c) ? "true" : "false",
        (unsigned long long)job->failed_files);
    for (size_t i = 0; order != NULL && i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_team(tally, job, order[i], out);
    }
    buf_add_text(out, "],\"economies\":");
    json_economies(tally->economies, out);
    buf_add_text(out, ",\"unattributed_economies\":");
    json_economies(tally->nobody, out);
    buf_add_text(out, "}\n");
    free(order);
}
