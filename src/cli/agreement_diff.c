/* comity agreement diff: what the one agreement does and the other does not, in words. */
#include "flow/agreement_diff.h"

#include "cli/agreement.h"
#include "cli/agreement_desk.h"
#include "cli/cli.h"
#include "cli/shown.h"
#include "flow/document_diff.h"
#include "fmt/json.h"

#include <stdio.h>

enum { OUT_BYTES = 64 * 1024 * 1024, LINE_BYTES = 1 << 20 };

static const char usage[] =
    "usage: comity agreement diff [OPTIONS] A B\n\n"
    "Say in words, for each team that is told, what it would get under B and does not under A, or\n"
    "the other way round. Not the texts are compared but what they do, each taken as in force and\n"
    "every channel as known; dates, parties and clauses that changed are listed first. \"-\" is\n"
    "standard input.\n\n"
    "  --json               one JSON object\n";

struct difference {
    struct desk desk;
    struct agreement_set before;
    struct agreement_set after;
    struct agreement_diff diff;
    struct buf out;
    bool json;
    size_t told; /* of the documents */
};

/* ---- the two sides ---- */

static int
refuse_broken(const struct agreement_set *set, struct err *err)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->agreements[i].broken)
            return err_set(err, ERR_BAD_AGREEMENT,
                "%.*s; it cannot be compared, and `comity agreement lint` lists all its faults",
                SPAN_ARGS(set->agreements[i].why));
    return 0;
}

static int
load(struct difference *d, struct err *err)
{
    const struct desk_options *o = &d->desk.options;
    int rc = agreements_load(d->desk.arena, &o->files[0], 1, &d->before, err);

    if (rc == 0)
        rc = agreements_load(d->desk.arena, &o->files[1], 1, &d->after, err);
    if (rc == 0)
        rc = refuse_broken(&d->before, err);
    return rc == 0 ? refuse_broken(&d->after, err) : rc;
}

/* SIDE in force, and what holds beside it. */
static int
whole(struct difference *d, const struct agreement_set *side, const struct agreement_set *with,
    struct agreement_set *out, struct err *err)
{
    struct agreement_set undated;
    int rc = agreements_undated(d->desk.arena, side, &undated, err);

    return rc == 0 ? agreements_join(d->desk.arena, with, &undated, out, err) : rc;
}

static int
judge(struct difference *d, struct err *err)
{
    struct arena *arena = d->desk.arena;
    struct agreement_set with;
    struct agreement_set before;
    struct agreement_set after;
    struct parties parties;
    int rc = agreements_without(arena, &d->desk.with, &d->before, &with, err);

    if (rc == 0)
        rc = agreements_without(arena, &with, &d->after, &with, err);
    if (rc == 0)
        rc = whole(d, &d->before, &with, &before, err);
    if (rc == 0)
        rc = whole(d, &d->after, &with, &after, err);
    if (rc != 0)
        return rc;
    const struct agreement_set *const sets[] = {&before, &after};
    rc = parties_gather(arena, d->desk.roster, sets, 2, &parties, err);
    for (size_t i = 0; rc == 0 && i < parties.count; i++)
        parties.teams[i].channels = (struct team_channels){true, true, true};
    return rc != 0 ? rc
                   : agreement_diff_make(arena, &before, &after, parties.teams, parties.count,
                       d->desk.at_us, &d->diff, err);
}

/* ---- documents ---- */

static void
tell_json(void *ctx, const char *key, struct span before, struct span after)
{
    struct difference *d = ctx;

    buf_format(&d->out, "%s{\"key\":\"%s\",\"before\":", d->told++ > 0 ? "," : "", key);
    if (before.n > 0)
        json_add_string(&d->out, before);
    else
        buf_add_text(&d->out, "null");
    buf_add_text(&d->out, ",\"after\":");
    if (after.n > 0)
        json_add_string(&d->out, after);
    else
        buf_add_text(&d->out, "null");
    buf_add_char(&d->out, '}');
}

static void
tell_text(void *ctx, const char *key, struct span before, struct span after)
{
    struct difference *d = ctx;
    struct span name = before.n > 0 ? before : after;

    buf_format(
        &d->out, "%s  %s ", d->told++ == 0 ? "what the documents say of themselves\n" : "", key);
    shown_add(&d->out, name, LINE_BYTES);
    if (before.n == 0)
        buf_add_text(&d->out, " is new");
    else if (after.n == 0)
        buf_add_text(&d->out, " is gone");
    else if (strcmp(key, "clause") == 0)
        buf_add_text(&d->out, " is worded otherwise");
    else {
        buf_add_text(&d->out, " becomes ");
        shown_add(&d->out, after, LINE_BYTES);
    }
    buf_add_char(&d->out, '\n');
}

/* One agreement against one, else those of one id. */
static const struct agreement *
counterpart(const struct difference *d, const struct agreement *a)
{
    if (d->before.count == 1 && d->after.count == 1)
        return &d->after.agreements[0];
    for (size_t i = 0; i < d->after.count; i++)
        if (span_equal(d->after.agreements[i].id, a->id))
            return &d->after.agreements[i];
    return NULL;
}

static void
tell_documents(struct difference *d)
{
    document_diff_tell *tell = d->json ? tell_json : tell_text;
    const struct span none = {"", 0};

    for (size_t i = 0; i < d->before.count; i++) {
        const struct agreement *other = counterpart(d, &d->before.agreements[i]);
        if (other != NULL)
            document_diff(&d->before.agreements[i], other, tell, d);
        else
            tell(d, "agreement", d->before.agreements[i].id, none);
    }
    for (size_t i = 0; i < d->after.count && d->before.count + d->after.count != 2; i++) {
        bool met = false;
        for (size_t k = 0; k < d->before.count; k++)
            met = met || span_equal(d->before.agreements[k].id, d->after.agreements[i].id);
        if (!met)
            tell(d, "agreement", none, d->after.agreements[i].id);
    }
}

/* ---- effects ---- */

static enum change
direction(const struct difference *d, const struct agreement_diff_row *row)
{
    const struct agreement_diff_pair *pair = &d->diff.pairs[row->pair];

    return change_of(&pair->before, &pair->after);
}

static void
print_effects(struct difference *d)
{
    static const char marks[CHANGE_COUNT] = {' ', '+', '-', '~'};
    struct buf line = buf_new(LINE_BYTES);

    for (size_t i = 0; i < d->diff.row_count; i++) {
        const struct agreement_diff_row *row = &d->diff.rows[i];
        if (i == 0 || row->recipient != d->diff.rows[i - 1].recipient) {
            line.n = 0;
            agreement_diff_recipients(&d->diff, row->recipient, &line);
            buf_add_text(&d->out, i == 0 && d->told == 0 ? "" : "\n");
            shown_add(&d->out, buf_span(&line), LINE_BYTES);
            buf_add_char(&d->out, '\n');
        }
        line.n = 0;
        agreement_diff_sentence(&d->diff, row, &line);
        buf_format(&d->out, "  %c ", marks[direction(d, row)]);
        shown_add(&d->out, buf_span(&line), LINE_BYTES);
        buf_add_text(&d->out, ".\n");
    }
    buf_free(&line);
    if (d->diff.row_count == 0)
        buf_format(&d->out,
            "%sidentical in effect: while in force, both let the same go to the "
            "same teams under the same terms\n",
            d->told > 0 ? "\n" : "");
}

static void
json_teams(const struct difference *d, size_t group, const char **between, struct buf *out)
{
    const struct cells_teams *g = &d->diff.cells.teams[group];

    for (size_t i = 0; i < g->count; i++) {
        buf_add_text(out, *between);
        if (g->members[i] == 0)
            buf_add_text(out, "null");
        else
            json_add_string(out, d->diff.teams[g->members[i] - 1].id);
        *between = ",";
    }
}

static void
json_senders(struct difference *d, const struct agreement_diff_row *row)
{
    const char *between = "";

    if (agreement_diff_any_sender(&d->diff, row)) {
        buf_add_text(&d->out, "\"*\"");
        return;
    }
    buf_add_char(&d->out, '[');
    for (size_t g = 0; g < d->diff.cells.team_groups; g++)
        if ((row->senders[g / 64] >> g % 64 & 1) != 0)
            json_teams(d, g, &between, &d->out);
    buf_add_char(&d->out, ']');
}

static void
json_providers(struct difference *d, const struct agreement_diff_row *row)
{
    const char *between = "";

    buf_format(&d->out, "{\"unnamed\":%s,\"others\":%s,\"named\":[",
        (row->providers & 1) != 0 ? "true" : "false",
        (row->providers >> CELLS_OTHERS & 1) != 0 ? "true" : "false");
    for (size_t g = CELLS_NAMED; g < d->diff.cells.provider_groups; g++)
        for (size_t i = 0; (row->providers >> g & 1) != 0 && i < d->diff.cells.providers[g].count;
             i++) {
            buf_add_text(&d->out, between);
            json_add_string(&d->out, d->diff.cells.providers[g].names[i]);
            between = ",";
        }
    buf_add_text(&d->out, "]}");
}

static void
json_row(struct difference *d, const struct agreement_diff_row *row)
{
    const struct agreement_diff_pair *pair = &d->diff.pairs[row->pair];
    const char *between = "";
    struct buf line = buf_new(LINE_BYTES);

    buf_format(&d->out, "{\"direction\":\"%s\",\"recipients\":[", change_word(direction(d, row)));
    json_teams(d, row->recipient, &between, &d->out);
    buf_add_text(&d->out, "],\"senders\":");
    json_senders(d, row);
    buf_add_text(&d->out, ",\"providers\":");
    json_providers(d, row);
    buf_add_text(&d->out, ",\"classification\":");
    change_json_classes(row->classes, &d->out);
    buf_add_text(&d->out, ",\"tlp\":[");
    between = "";
    for (int t = TLP_CLEAR; t < TLP_COUNT; t++)
        if ((row->tlps >> t & 1) != 0) {
            buf_format(&d->out, "%s\"%s\"", between, tlp_word((enum tlp)t));
            between = ",";
        }
    buf_add_text(&d->out, "],");
    change_json(&pair->before, &pair->after, &d->out);
    buf_add_text(&d->out, ",\"text\":");
    agreement_diff_sentence(&d->diff, row, &line);
    json_add_string(&d->out, buf_span(&line));
    buf_add_char(&d->out, '}');
    buf_free(&line);
}

static void
print(struct difference *d)
{
    if (!d->json) {
        tell_documents(d);
        print_effects(d);
        return;
    }
    buf_format(
        &d->out, "{\"identical\":%s,\"documents\":[", d->diff.row_count == 0 ? "true" : "false");
    tell_documents(d);
    buf_add_text(&d->out, "],\"changes\":[");
    for (size_t i = 0; i < d->diff.row_count; i++) {
        buf_add_text(&d->out, i > 0 ? "," : "");
        json_row(d, &d->diff.rows[i]);
    }
    buf_add_text(&d->out, "]}\n");
}

static int
parse(struct desk_options *options, int argc, char **argv, struct err *err)
{
    for (int i = 2; i < argc; i++) {
        int rc = desk_option(options, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity agreement diff --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return options->file_count == 2
        ? 0
        : err_set(err, ERR_USAGE, "name two agreements (files or folders) to compare");
}

int
agreement_diff(int argc, char **argv)
{
    struct difference d = {.out = buf_new(OUT_BYTES)};
    struct desk_options options = {.sandbox = true};
    struct err err = {0};

    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            (void)printf("%s%s", usage, desk_help);
            return EXIT_DONE;
        }
    int rc = parse(&options, argc, argv, &err);
    d.json = options.json;
    if (rc == 0)
        rc = desk_open(&d.desk, &options, &err);
    if (rc == 0)
        rc = load(&d, &err);
    if (rc == 0)
        rc = judge(&d, &err);
    if (rc == 0) {
        print(&d);
        rc = setup_print(&d.out, "the answer", &err);
    }
    buf_free(&d.out);
    desk_close(&d.desk);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
