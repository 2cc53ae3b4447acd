#include "cli/flow_told.h"

#include "cli/shown.h"
#include "fmt/json.h"

enum { COLUMNS = 400, LINE_BYTES = 8192, SHOWN_ROWS = 40, SHOWN_ECONOMIES = 8 };

typedef unsigned long long number;

void
flow_told_see(struct flow_told *told, const struct flow_result *result)
{
    const struct attribution_pair *pair = &result->attribution;
    struct economy economy =
        pair->source.economy.index != 0 ? pair->source.economy : pair->destination.economy;

    for (uint8_t i = 0; i < result->outcome_count; i++)
        if (result->outcomes[i].recipient.index == 0)
            told->nobody[economy.index]++;
}

static uint64_t
blocked_sum(const struct flow_told *told)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < told->remedies.count; i++)
        sum += told->remedies.rows[i].held + told->remedies.rows[i].withheld;
    return sum;
}

static void
print_row(const struct flow_told *told, const struct remedy *r, struct buf *out)
{
    struct buf line = buf_new(LINE_BYTES);
    uint32_t teams = remedy_recipients(r, &told->question);

    remedy_add_words(r, &told->question, &line);
    if (r->tried)
        buf_format(out, "%9llu %5u", (number)r->frees, r->freed_recipients);
    else
        buf_format(out, "%9s %5s", "?", "?");
    buf_format(out, " %9llu %9llu %5u  ", (number)r->withheld, (number)r->held, teams);
    shown_add(out, buf_span(&line), COLUMNS);
    buf_add_char(out, '\n');
    buf_free(&line);
}

/* The economies in which a card is wanted most. */
static void
print_nobody(const struct flow_told *told, struct buf *out)
{
    bool last[ECONOMY_COUNT] = {false};
    uint64_t sum = flow_counts(told->job->flow)->unattributed;
    char code[3];

    if (sum == 0)
        return;
    buf_format(out, "\n%llu reports have no recipient, for want of a team's card", (number)sum);
    for (int shown = 0; shown < SHOWN_ECONOMIES; shown++) {
        size_t best = 0;
        for (size_t i = 1; i < ECONOMY_COUNT; i++)
            if (!last[i] && told->nobody[i] > told->nobody[best] * (best != 0))
                best = i;
        if (best == 0)
            break;
        last[best] = true;
        economy_code((struct economy){(uint16_t)best}, code);
        buf_format(out, "%s %s %llu", shown == 0 ? ":" : ",", code, (number)told->nobody[best]);
    }
    if (told->nobody[0] > 0)
        buf_format(out, "; %llu of no known economy", (number)told->nobody[0]);
    buf_add_char(out, '\n');
}

void
flow_told_print(const struct flow_told *told, struct buf *out)
{
    const struct totals *c = flow_counts(told->job->flow);
    size_t rows = told->remedies.count;

    buf_format(out, "%15s %25s\n%9s %5s %9s %9s %5s  %s\n", "would free", "blocked by it",
        "reports", "teams", "withheld", "held", "teams", "what is in the way: and the one change");
    for (size_t i = 0; i < rows && (told->all || i < SHOWN_ROWS); i++)
        print_row(told, &told->remedies.rows[i], out);
    if (!told->all && rows > SHOWN_ROWS)
        buf_format(out, "and %zu lines more, with --all\n", rows - SHOWN_ROWS);
    if (rows == 0)
        buf_add_text(out, "nothing is blocked\n");
    print_nobody(told, out);
    buf_format(out,
        "\nrecipients %llu = released %llu + held %llu + withheld %llu + unattributed %llu\n",
        (number)c->outcomes, (number)c->released, (number)c->held, (number)c->withheld,
        (number)c->unattributed);
    if (blocked_sum(told) != c->held + c->withheld)
        buf_add_text(
            out, "the counts do not add up: this is a fault of Comity's, please report it\n");
}

/* ---- for programs ---- */

static void
json_clause(const struct flow_told *told, const struct remedy *r, struct buf *out)
{
    if (r->agreement == UINT32_MAX)
        return;
    const struct agreement *a = &told->question.agreements->agreements[r->agreement];
    bool whole = r->kind == REMEDY_RESUME || r->kind == REMEDY_DATES || r->kind == REMEDY_MEND;

    buf_add_text(out, ",\"agreement\":");
    json_add_string(out, a->id);
    if (whole)
        return;
    buf_add_text(out, ",\"clause\":");
    json_add_string(out, a->clauses[r->clause].id);
}

static void
json_teams(const struct flow_told *told, const struct remedy *r, struct buf *out)
{
    const char *between = "";

    buf_add_text(out, ",\"teams\":[");
    for (uint32_t t = 1; t <= told->question.team_count; t++)
        if ((r->recipients[t / 64] >> t % 64 & 1) != 0) {
            buf_add_text(out, between);
            json_add_string(out, told->question.teams[t - 1].id);
            between = ",";
        }
    buf_add_char(out, ']');
}

static void
json_row(const struct flow_told *told, const struct remedy *r, struct buf *out)
{
    struct buf line = buf_new(LINE_BYTES);

    remedy_add_words(r, &told->question, &line);
    buf_format(out, "{\"way\":\"%s\",\"withheld\":%llu,\"held\":%llu,\"frees\":",
        remedy_word((enum remedy_kind)r->kind), (number)r->withheld, (number)r->held);
    if (r->tried)
        buf_format(out, "%llu,\"frees_teams\":%u", (number)r->frees, r->freed_recipients);
    else
        buf_add_text(out, "null,\"frees_teams\":null");
    json_clause(told, r, out);
    if (r->kind == REMEDY_TLP || r->kind == REMEDY_AGREE)
        buf_format(out, ",\"tlp\":\"%s\"", tlp_word((enum tlp)r->tlp));
    if (r->recipient != 0) {
        buf_add_text(out, ",\"recipient\":");
        json_add_string(out, told->question.teams[r->recipient - 1].id);
    }
    json_teams(told, r, out);
    buf_add_text(out, ",\"text\":");
    json_add_string(out, buf_span(&line));
    buf_add_char(out, '}');
    buf_free(&line);
}

void
flow_told_json(const struct flow_told *told, struct buf *out)
{
    const struct totals *c = flow_counts(told->job->flow);
    const char *between = "";
    char code[3];

    buf_format(out,
        "{\"received\":%llu,\"recipients\":%llu,\"released\":%llu,\"held\":%llu,\"withheld\":%llu,"
        "\"unattributed\":%llu,\"balanced\":%s,\"blocked\":[",
        (number)c->received, (number)c->outcomes, (number)c->released, (number)c->held,
        (number)c->withheld, (number)c->unattributed,
        blocked_sum(told) == c->held + c->withheld ? "true" : "false");
    for (size_t i = 0; i < told->remedies.count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        json_row(told, &told->remedies.rows[i], out);
    }
    buf_add_text(out, "],\"unattributed_economies\":{");
    for (size_t i = 0; i < ECONOMY_COUNT; i++) {
        if (told->nobody[i] == 0)
            continue;
        economy_code((struct economy){(uint16_t)i}, code);
        buf_format(
            out, "%s\"%s\":%llu", between, i == 0 ? "unknown" : code, (number)told->nobody[i]);
        between = ",";
    }
    buf_add_text(out, "}}\n");
}
