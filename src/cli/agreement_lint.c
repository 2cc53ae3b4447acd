/* comity agreement lint: every fault of an agreement, and what in it cannot be meant. */
#include "flow/agreement_lint.h"

#include "cli/agreement.h"
#include "cli/agreement_desk.h"
#include "cli/cli.h"
#include "cli/shown.h"
#include "flow/doc.h"
#include "fmt/json.h"

#include <stdio.h>

enum { OUT_BYTES = 64 * 1024 * 1024, COLUMNS = 1000 };

static const char usage[] =
    "usage: comity agreement lint [OPTIONS] FILE|FOLDER|-...\n\n"
    "Every fault of form that breaks an agreement, each with its place and what would be right, "
    "and\n"
    "what can hardly be meant: teams that the directory does not have, clauses that never match, "
    "are\n"
    "shadowed by others or made void by a law or a provider's conditions, dates in the past.\n"
    "Errors break the document; warnings say that it does not do what it seems to; hints are good "
    "to\n"
    "know. The exit status is 1 if there are errors.\n\n"
    "  --strict             warnings count as errors for the exit status\n"
    "  --json               one JSON object a line for each finding\n";

struct lint {
    struct desk desk;
    struct agreement_set set;
    struct buf out;
    bool json;
    bool strict;
    size_t counts[LINT_LEVEL_COUNT];
};

struct finding { /* one line */
    enum lint_level level;
    const char *what;
    struct span file;
    struct span agreement; /* n 0: not known */
    struct span clause;
    const char *key;
    struct span text;
};

static void
json_text(struct buf *out, const char *key, struct span text)
{
    buf_format(out, ",\"%s\":", key);
    if (text.n > 0)
        json_add_string(out, text);
    else
        buf_add_text(out, "null");
}

static void
print(struct lint *lint, const struct finding *f)
{
    static const char *const levels[LINT_LEVEL_COUNT] = {"error", "warning", "hint"};
    struct buf *out = &lint->out;

    lint->counts[f->level]++;
    if (lint->json) {
        buf_format(out, "{\"level\":\"%s\",\"finding\":\"%s\"", levels[f->level], f->what);
        json_text(out, "file", f->file);
        json_text(out, "agreement", f->agreement);
        json_text(out, "clause", f->clause);
        json_text(out, "key", span_of(f->key));
        json_text(out, "message", f->text);
        buf_add_text(out, "}\n");
        return;
    }
    buf_format(out, "%-8s%-22s", levels[f->level], f->what);
    shown_add(out, f->file, COLUMNS);
    if (f->clause.n > 0) {
        buf_add_text(out, ", clause ");
        shown_add(out, f->clause, COLUMNS);
    }
    buf_format(out, "%s%s: ", f->key[0] != '\0' ? ", " : "", f->key);
    shown_add(out, f->text, COLUMNS);
    buf_add_char(out, '\n');
}

/* PLACE is "clause 3.1", or "" for the document. */
static void
hear(void *ctx, struct span file, const char *place, const char *key, struct span words)
{
    struct span clause = span_of(place);
    struct span prefix = SPAN("clause ");

    if (span_starts(clause, prefix))
        clause = (struct span){clause.p + prefix.n, clause.n - prefix.n};
    const struct finding f = {LINT_ERROR, "schema", file, {"", 0}, clause, key, words};
    print(ctx, &f);
}

static void
tell(void *ctx, const struct lint_finding *found)
{
    const struct finding f = {found->level, found->what, found->agreement->file,
        found->agreement->id, found->clause != NULL ? found->clause->id : (struct span){"", 0},
        found->key, found->text};

    print(ctx, &f);
}

static int
check(struct lint *lint, struct err *err)
{
    const struct doc_listener listener = {hear, lint};
    const struct desk_options *o = &lint->desk.options;
    struct parties parties;
    int rc =
        agreements_check(lint->desk.arena, o->files, o->file_count, &listener, &lint->set, err);

    const struct agreement_set *const sets[] = {&lint->set, &lint->desk.with};
    if (rc == 0)
        rc = parties_gather(lint->desk.arena, lint->desk.roster, sets, 2, &parties, err);
    if (rc != 0)
        return rc;
    const struct lint_question question = {
        &lint->set, &lint->desk.with, &parties, lint->desk.at_us};
    return agreement_lint_find(lint->desk.arena, &question, tell, lint, err);
}

static int
parse(struct lint *lint, struct desk_options *options, int argc, char **argv, struct err *err)
{
    for (int i = 2; i < argc; i++) {
        int rc = 0;
        if (strcmp(argv[i], "--strict") == 0)
            rc = lint->strict = true;
        else
            rc = desk_option(options, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity agreement lint --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return options->file_count > 0
        ? 0
        : err_set(err, ERR_USAGE, "name the agreements (files or folders) to check");
}

static const char *
plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void
print_sum(struct lint *lint)
{
    const size_t *n = lint->counts;

    if (!lint->json)
        buf_format(&lint->out, "%zu agreement%s: %zu error%s, %zu warning%s, %zu hint%s\n",
            lint->set.count, plural(lint->set.count), n[LINT_ERROR], plural(n[LINT_ERROR]),
            n[LINT_WARNING], plural(n[LINT_WARNING]), n[LINT_HINT], plural(n[LINT_HINT]));
}

int
agreement_lint(int argc, char **argv)
{
    struct lint lint = {.out = buf_new(OUT_BYTES)};
    struct desk_options options = {.sandbox = true};
    struct err err = {0};

    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            (void)printf("%s%s", usage, desk_help);
            return EXIT_DONE;
        }
    int rc = parse(&lint, &options, argc, argv, &err);
    lint.json = options.json;
    if (rc == 0)
        rc = desk_open(&lint.desk, &options, &err);
    if (rc == 0)
        rc = check(&lint, &err);
    if (rc == 0) {
        print_sum(&lint);
        rc = setup_print(&lint.out, "the answer", &err);
    }
    bool bad = lint.counts[LINT_ERROR] > 0 || (lint.strict && lint.counts[LINT_WARNING] > 0);
    buf_free(&lint.out);
    desk_close(&lint.desk);
    return rc != 0 ? setup_fail(&err) : bad ? EXIT_REJECTED : EXIT_DONE;
}
