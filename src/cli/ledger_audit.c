/* comity ledger audit: is this log what its checkpoint says, and has it one history only? */
#include "flow/ledger_audit.h"

#include "base/base64.h"
#include "cli/cli.h"
#include "cli/ledger.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "flow/doc.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20, OUT_BYTES_MAX = 1 << 26, SHOWN_MAX = 400, FINDINGS_SHOWN = 1000 };

static const char help[] =
    "comity ledger audit: recompute all of a log; find what does not fit, and two histories\n\n"
    "usage: comity ledger audit [OPTIONS] FOLDER\n"
    "       comity ledger audit [OPTIONS] --home DIR\n\n"
    "  --key VKEY       the log's key: its checkpoint must be signed by it (repeatable, for a log\n"
    "                   that changes its key)\n"
    "  --witness VKEY   a witness whose cosignature is expected (repeatable)\n"
    "  --against FILE   another checkpoint of this log, older or from somebody else: this log "
    "must\n"
    "                   continue it (repeatable)\n"
    "  --json           one object: whole, findings, evidence, counts\n"
    "  --no-sandbox     work even where the kernel has no sandbox\n\n"
    "Entries, tiles and root are recomputed. Two checkpoints that cannot be of one history are\n"
    "printed whole: if one key signed both, they prove it to anybody.\n"
    "Exit status 1 if there is any finding.\n";

static const char *const words[LEDGER_FINDING_TYPES] = {
    "signature", "witness", "resource", "entry", "root", "against", "behind", "two-histories"};

struct printer {
    bool json;
    struct buf findings;
    struct buf evidence;
    size_t count;
    size_t left_out;
};

static void
add_evidence(struct printer *p, const struct ledger_finding *f)
{
    if (p->json) {
        buf_format(&p->evidence, "%s{\"proof\":%s,\"checkpoints\":[", p->evidence.n > 0 ? "," : "",
            f->signed_by_one_key ? "true" : "false");
        json_add_string(&p->evidence, f->notes[0]);
        buf_add_char(&p->evidence, ',');
        json_add_string(&p->evidence, f->notes[1]);
        buf_add_text(&p->evidence, "]}");
        return;
    }
    buf_add_text(&p->evidence,
        f->signed_by_one_key
            ? "\nTWO HISTORIES: one key signed both of these checkpoints; keep them, they prove "
              "it\n"
            : "\nTwo histories, if the log signed both of these checkpoints (no key given signed "
              "both)\n");
    for (int i = 0; i < 2; i++) {
        buf_add_text(&p->evidence, "----\n");
        buf_add_span(&p->evidence, f->notes[i]);
    }
    buf_add_text(&p->evidence, "----\n");
}

static void
found(void *ctx, const struct ledger_finding *f)
{
    struct printer *p = ctx;

    if (f->type == LEDGER_FINDING_TWO)
        add_evidence(p, f);
    if (++p->count > FINDINGS_SHOWN) {
        p->left_out++;
        return;
    }
    if (p->json) {
        buf_format(&p->findings, "%s{\"finding\":\"%s\",\"text\":", p->findings.n > 0 ? "," : "",
            words[f->type]);
        json_add_string(&p->findings, span_of(f->text));
        buf_add_char(&p->findings, '}');
        return;
    }
    buf_format(&p->findings, "%-14s", words[f->type]);
    shown_add(&p->findings, span_of(f->text), SHOWN_MAX);
    buf_add_char(&p->findings, '\n');
}

static void
add_answer_json(struct buf *out, const struct printer *p, const struct ledger_audit_answer *a)
{
    buf_add_text(out, "{\"log\":");
    json_add_string(out, a->checkpoint.origin);
    buf_format(out, ",\"size\":%llu,\"root\":\"", (unsigned long long)a->checkpoint.size);
    base64_add(out, a->checkpoint.root.bytes, sizeof a->checkpoint.root.bytes);
    buf_format(out, "\",\"whole\":%s,\"signed_by\":%zu,\"witnesses\":%zu,\"continues\":%zu",
        a->whole ? "true" : "false", a->signed_by, a->seen_by, a->continued);
    for (int kind = 0; kind < LEDGER_KIND_COUNT; kind++)
        buf_format(out, "%s\"%s\":%llu", kind == 0 ? ",\"entries\":{" : ",",
            ledger_kind_word((enum ledger_kind)kind), (unsigned long long)a->kinds[kind]);
    buf_add_text(out, "},\"findings\":[");
    buf_add_span(out, buf_span(&p->findings));
    buf_format(out, "],\"findings_left_out\":%zu,\"evidence\":[", p->left_out);
    buf_add_span(out, buf_span(&p->evidence));
    buf_add_text(out, "]}\n");
}

static void
add_answer(struct buf *out, const struct ledger_wanted *w, const struct printer *p,
    const struct ledger_audit_answer *a)
{
    shown_add(out, a->checkpoint.origin, SHOWN_MAX);
    buf_format(out, ": %llu entries", (unsigned long long)a->checkpoint.size);
    for (int kind = 1; kind < LEDGER_KIND_COUNT; kind++)
        buf_format(out, "%s%llu %s", kind == 1 ? " (" : ", ", (unsigned long long)a->kinds[kind],
            ledger_kind_word((enum ledger_kind)kind));
    buf_format(out, ")\n%s\n",
        a->whole ? "The entries give the checkpoint's root."
                 : "It is not shown that the entries give the checkpoint's root.");
    if (w->keys.count == 0)
        buf_add_text(out, "Who signed was not checked: no key was given (--key).\n");
    else
        buf_format(out, "Signed by %zu of the %zu keys given.\n", a->signed_by, w->keys.count);
    if (w->witnesses.count > 0)
        buf_format(
            out, "Cosigned by %zu of the %zu witnesses given.\n", a->seen_by, w->witnesses.count);
    if (w->against_count > 0)
        buf_format(out, "It continues %zu of the %zu checkpoints given.\n", a->continued,
            w->against_count);
    buf_add_span(out, buf_span(&p->findings));
    if (p->left_out > 0)
        buf_format(out, "and %zu more findings\n", p->left_out);
    buf_add_span(out, buf_span(&p->evidence));
    if (p->count == 0)
        buf_add_text(out, "Nothing was found wrong.\n");
}

static int
print(const struct ledger_wanted *w, const struct printer *p, const struct ledger_audit_answer *a,
    struct err *err)
{
    struct buf out = buf_new(OUT_BYTES_MAX);

    if (w->json)
        add_answer_json(&out, p, a);
    else
        add_answer(&out, w, p, a);
    int rc = setup_print(&out, "the findings", err);
    buf_free(&out);
    return rc;
}

static int
audit(const struct ledger_wanted *w, struct arena *arena, struct printer *p, struct err *err)
{
    static struct ledger_audit_answer answer;
    struct ledger_copy copy = {.store = NULL};
    struct span older[LEDGER_AGAINST_MAX];
    int rc = ledger_open_copy(w, &copy, err);

    for (size_t i = 0; rc == 0 && i < w->against_count; i++)
        rc = doc_file(arena, w->against[i], &older[i], err);
    if (rc == 0) {
        struct ledger_audit_question question = {.resources = &copy.resources,
            .keys = w->keys.keys,
            .key_count = w->keys.count,
            .witnesses = w->witnesses.keys,
            .witness_count = w->witnesses.count,
            .older = older,
            .older_count = w->against_count,
            .found = found,
            .ctx = p};
        rc = ledger_audit_run(&question, &answer, err);
    }
    if (rc == 0)
        rc = print(w, p, &answer, err);
    buf_free(&answer.bytes);
    ledger_close_copy(&copy);
    return rc;
}

int
ledger_audit(int argc, char **argv)
{
    struct ledger_wanted wanted;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct printer p = {.findings = buf_new(OUT_BYTES_MAX), .evidence = buf_new(OUT_BYTES_MAX)};
    struct err err = {0};
    int rc =
        ledger_options(argc, argv, LEDGER_TAKES_KEYS | LEDGER_TAKES_AGAINST, help, &wanted, &err);

    if (rc == 0) {
        p.json = wanted.json;
        rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                           : audit(&wanted, arena, &p, &err);
    } else if (rc > 0) {
        arena_free(arena);
        return EXIT_DONE;
    }
    buf_free(&p.findings);
    buf_free(&p.evidence);
    arena_free(arena);
    return rc != 0 ? setup_fail(&err) : p.count > 0 ? EXIT_REJECTED : EXIT_DONE;
}
