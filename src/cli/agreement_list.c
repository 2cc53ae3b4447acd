/* comity agreement list, show, export: what the register holds. */
#include "base/time.h"
#include "cli/agreement.h"
#include "cli/agreement_register.h"
#include "cli/cli.h"
#include "cli/shown.h"
#include "flow/abroad.h"
#include "fmt/json.h"

#include <stdio.h>

enum { TITLE_COLUMNS = 60, LINE_COLUMNS = 4000 };

static const char list_usage[] =
    "comity agreement list: all agreements of the register, and how each stands\n\n"
    "usage: comity agreement list [--json] [--home FOLDER] [--teams PATH]\n\n"
    "  --json          an object a line: id, kind, title, standing, valid_from, valid_until, "
    "abroad\n\n"
    "`abroad` is how it stands at the other parties' nodes, as far as they said.\n";
static const char show_usage[] =
    "comity agreement show: one agreement, who signed it, and what became of it\n\n"
    "usage: comity agreement show [--json] [--home FOLDER] [--teams PATH] ID|FILE\n\n"
    "  --json          one object, with the document itself\n\n"
    "ID may be its beginning, without urn:uuid:.\n";
static const char export_usage[] =
    "comity agreement export: the document with its signatures, to be sent to the other parties\n\n"
    "usage: comity agreement export [--home FOLDER] [--teams PATH] ID > FILE\n\n"
    "It is in the form of RFC 8785, over which it is signed.\n";

static const char *const kinds[] = {"bilateral", "multilateral", "baseline", "law", "feed"};
static const char *const marks[] = {
    "not checked", "by a key that is not known to be theirs", "signed", "wrong"};

static void
add_time(struct buf *out, int64_t us, bool json)
{
    char text[TIME_TEXT_BYTES];

    if (us == INT64_MAX || us == INT64_MIN) {
        buf_add_text(out, json ? "null" : "open");
        return;
    }
    (void)time_format(us, "Z", text);
    buf_format(out, json ? "\"%s\"" : "%s", text);
}

static void
add_member(struct buf *out, const char *key, struct span text)
{
    buf_format(out, ",\"%s\":", key);
    json_add_string(out, text);
}

static void
add_json_head(const struct agreement_register *r, size_t i, struct buf *out)
{
    const struct agreement *a = &r->registry->agreements[i];
    enum standing standing = registry_standing(r->registry, i, r->now_us);

    buf_add_text(out, "{\"id\":");
    json_add_string(out, a->id);
    add_member(out, "kind", span_of(kinds[a->kind]));
    add_member(out, "title", a->title);
    add_member(out, "standing", span_of(standing_words[standing]));
    buf_add_text(out, ",\"valid_from\":");
    add_time(out, a->valid_from_us, true);
    buf_add_text(out, ",\"valid_until\":");
    add_time(out, a->valid_until_us, true);
    if (a->broken)
        add_member(out, "why", a->why);
}

/* "south.test says: in force, with 2 signatures, since ..." */
static void
add_said(const struct abroad *said, const char *before, bool json, struct buf *out)
{
    if (json) {
        buf_add_text(out, "{\"team\":");
        json_add_string(out, said->team);
        add_member(out, "standing", said->standing);
        buf_format(out, ",\"signatures\":%llu,\"since\":", (unsigned long long)said->signatures);
        add_time(out, said->time_us, true);
        buf_add_char(out, '}');
        return;
    }
    buf_format(out, "%s%.*s says: %.*s, with %llu signature%s, since ", before,
        SPAN_ARGS(said->team), SPAN_ARGS(said->standing), (unsigned long long)said->signatures,
        said->signatures == 1 ? "" : "s");
    add_time(out, said->time_us, false);
    buf_add_char(out, '\n');
}

/* How it stands elsewhere. */
static int
add_abroad(struct agreement_register *r, size_t i, const char *before, bool json, struct buf *out,
    struct err *err)
{
    struct abroad *said;
    size_t count;
    int rc =
        abroad_read(r->arena, r->registry->home, r->registry->agreements[i].id, &said, &count, err);

    if (json)
        buf_add_text(out, ",\"abroad\":[");
    for (size_t k = 0; rc == 0 && k < count; k++) {
        buf_add_text(out, json && k > 0 ? "," : "");
        add_said(&said[k], before, json, out);
    }
    if (json)
        buf_add_char(out, ']');
    return rc;
}

static void
add_line(const struct agreement_register *r, size_t i, struct buf *out)
{
    const struct agreement *a = &r->registry->agreements[i];

    shown_add(out, a->id.n > 0 ? a->id : a->file, LINE_COLUMNS);
    buf_format(out, "  %-12s  ", kinds[a->kind]);
    shown_add(out, a->title, TITLE_COLUMNS);
    buf_add_text(out, "\n    ");
    agreement_add_standing(r, i, out);
    buf_add_char(out, '\n');
}

/* The register open for reading, with WORDS arguments. */
static int
begin(struct agreement_register *r, int argc, char **argv, size_t words, const char *usage,
    struct agreement_wanted *wanted, struct err *err)
{
    int rc = agreement_options(argc, argv, AGREEMENT_JSON, usage, wanted, err);

    *r = (struct agreement_register){0};
    if (rc != 0)
        return rc;
    if (wanted->word_count != words)
        return err_set(err, ERR_USAGE, "%s takes %s; `comity agreement %s --help` says more",
            argv[1], words == 0 ? "no arguments" : "one agreement", argv[1]);
    return agreement_register_open(r, wanted, REGISTRY_READ, err);
}

static int
finish(struct agreement_register *r, int rc, const struct err *err)
{
    agreement_register_close(r);
    return rc < 0 ? setup_fail(err) : EXIT_DONE;
}

int
agreement_list(int argc, char **argv)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct buf out = buf_new(AGREEMENT_OUT_BYTES_MAX);
    struct err err = {0};
    int rc = begin(&r, argc, argv, 0, list_usage, &wanted, &err);

    for (size_t i = 0; rc == 0 && i < r.registry->count; i++) {
        if (wanted.json)
            add_json_head(&r, i, &out);
        else
            add_line(&r, i, &out);
        rc = add_abroad(&r, i, "    ", wanted.json, &out, &err);
        buf_add_text(&out, wanted.json ? "}\n" : "");
    }
    if (rc == 0 && r.registry->count == 0 && !wanted.json)
        (void)fprintf(
            stderr, "comity: the register in %s holds no agreement yet\n", r.registry->home);
    if (rc == 0)
        rc = agreement_print(&out, &err);
    else
        buf_free(&out);
    return finish(&r, rc, &err);
}

/* ---- show ---- */

static void
add_signatures(const struct agreement *a, bool json, struct buf *out)
{
    for (size_t i = 0; i < a->signature_count; i++) {
        const struct agreement_signature *s = &a->signatures[i];
        if (json) {
            buf_add_text(out, i > 0 ? ",{\"party\":" : "{\"party\":");
            json_add_string(out, s->party);
            add_member(out, "signed_at", s->signed_at);
            add_member(out, "is", span_of(marks[s->mark]));
            buf_add_char(out, '}');
            continue;
        }
        buf_format(out, "  %-20.*s %.*s  %s\n", SPAN_ARGS(s->party), SPAN_ARGS(s->signed_at),
            marks[s->mark]);
    }
}

static void
add_events(const struct journal_event *event, bool json, struct buf *out)
{
    for (const char *before = ""; event != NULL; event = event->next, before = ",") {
        const char *word = journal_words[event->type];
        if (json) {
            buf_format(out, "%s{\"event\":\"%s\"", before, word);
            add_member(out, "by", event->by);
            buf_add_text(out, ",\"time\":");
            add_time(out, event->time_us, true);
            buf_add_text(out, ",\"at\":");
            add_time(out, event->at_us, true);
            add_member(out, "party", event->party);
            add_member(out, "reason", event->reason);
            buf_add_char(out, '}');
            continue;
        }
        buf_add_text(out, "  ");
        add_time(out, event->at_us, false);
        buf_format(out, "  %s by %.*s", word, SPAN_ARGS(journal_doer(event)));
        if (event->reason.n > 0) {
            buf_add_text(out, ": ");
            shown_add(out, event->reason, LINE_COLUMNS);
        }
        buf_add_char(out, '\n');
    }
}

static int
add_json(struct agreement_register *r, size_t i, struct buf *out, struct err *err)
{
    const struct agreement *a = &r->registry->agreements[i];

    add_json_head(r, i, out);
    buf_add_text(out, ",\"signatures\":[");
    add_signatures(a, true, out);
    buf_add_text(out, "],\"events\":[");
    add_events(r->registry->events[i], true, out);
    buf_add_char(out, ']');
    int rc = add_abroad(r, i, "", true, out, err);
    buf_add_text(out, ",\"document\":");
    if (rc == 0 && a->text.n > 0)
        rc = agreement_sign_document(a, out, err);
    while (out->n > 0 && out->p[out->n - 1] == '\n')
        out->n--;
    buf_add_text(out, a->text.n > 0 ? "}\n" : "null}\n");
    return rc;
}

static int
add_people(struct agreement_register *r, size_t i, struct buf *out, struct err *err)
{
    const struct agreement *a = &r->registry->agreements[i];

    shown_add(out, a->title, LINE_COLUMNS);
    buf_format(out, "\n%.*s, %s", SPAN_ARGS(a->id), kinds[a->kind]);
    for (size_t k = 0; k < a->party_count; k++)
        buf_format(out, "%s%.*s", k == 0 ? " of " : ", ", SPAN_ARGS(a->parties[k]));
    buf_add_text(out, "\nvalid from ");
    add_time(out, a->valid_from_us, false);
    buf_add_text(out, " until ");
    add_time(out, a->valid_until_us, false);
    buf_format(out, "\n%zu clauses; ", a->clause_count);
    agreement_add_standing(r, i, out);
    buf_add_text(out, a->signature_count > 0 ? "\n\nsigned by\n" : "\n\nsigned by nobody\n");
    add_signatures(a, false, out);
    buf_add_text(out, "\nwhat happened\n");
    add_events(r->registry->events[i], false, out);
    return add_abroad(r, i, "\n  ", false, out, err);
}

int
agreement_show(int argc, char **argv)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct buf out = buf_new(AGREEMENT_OUT_BYTES_MAX);
    struct err err = {0};
    size_t i = 0;
    int rc = begin(&r, argc, argv, 1, show_usage, &wanted, &err);

    if (rc == 0)
        rc = agreement_meant(&r, wanted.words[0], &i, &err);
    if (rc == 0 && wanted.json)
        rc = add_json(&r, i, &out, &err);
    else if (rc == 0)
        rc = add_people(&r, i, &out, &err);
    if (rc == 0)
        rc = agreement_print(&out, &err);
    else
        buf_free(&out);
    return finish(&r, rc, &err);
}

int
agreement_export(int argc, char **argv)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct buf out = buf_new(AGREEMENT_OUT_BYTES_MAX);
    struct err err = {0};
    size_t i = 0;
    int rc = begin(&r, argc, argv, 1, export_usage, &wanted, &err);

    if (rc == 0)
        rc = agreement_meant(&r, wanted.words[0], &i, &err);
    if (rc == 0 && r.registry->agreements[i].broken)
        rc = err_set(&err, ERR_BAD_AGREEMENT, "%.*s", (int)r.registry->agreements[i].why.n,
            r.registry->agreements[i].why.p);
    if (rc == 0)
        rc = agreement_sign_document(&r.registry->agreements[i], &out, &err);
    if (rc == 0)
        rc = agreement_print(&out, &err);
    else
        buf_free(&out);
    return finish(&r, rc, &err);
}
