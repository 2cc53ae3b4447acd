#include "cli/verify_told.h"

#include "base/base64.h"
#include "base/time.h"
#include "cli/shown.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BYTES = 1 << 20, LINE_BYTES = 1024, SHOWN_MAX = 400 };

static const char *const words[] = {"PROVEN", "NOT PROVEN", "NOT PROVEN", "FALSE"};
static const char *const states[] = {"proven", "not-proven", "not-proven", "false"};

void
told_new(struct told *told)
{
    *told = (struct told){
        buf_new(TEXT_BYTES), buf_new(TEXT_BYTES), buf_new(TEXT_BYTES), buf_new(TEXT_BYTES), {0}};
}

void
told_free(struct told *told)
{
    buf_free(&told->lines);
    buf_free(&told->list);
    buf_free(&told->about);
    buf_free(&told->members);
}

void
told_add(struct told *told, enum told_state state, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_format(&told->lines, "%-12s", words[state]);
    shown_add(&told->lines, span_of(line), SHOWN_MAX);
    buf_add_char(&told->lines, '\n');
    buf_format(&told->list,
        "%s{\"state\":\"%s\",\"asked\":%s,\"text\":", told->list.n > 0 ? "," : "", states[state],
        state == TOLD_BESIDE ? "false" : "true");
    json_add_string(&told->list, span_of(line));
    buf_add_char(&told->list, '}');
    told->counts[state]++;
}

static void
member(struct told *told, const char *name, struct span text)
{
    buf_format(&told->members, ",\"%s\":", name);
    json_add_string(&told->members, text);
}

static void
shown(struct told *told, const char *before, struct span text)
{
    buf_add_text(&told->about, before);
    shown_add(&told->about, text, SHOWN_MAX);
}

static void
about_batch(struct told *told, const struct ledger_entry *e)
{
    shown(told, e->kind == LEDGER_KIND_DECISION ? "A person's decision: " : "A delivery: ",
        e->kind == LEDGER_KIND_DECISION ? span_of(ledger_decision_word(e->decision))
                                        : span_of("released"));
    shown(told, ", from ", e->from);
    shown(told, " to ", e->to);
    buf_format(&told->about, ", %llu items, batch ", (unsigned long long)e->items);
    shown(told, "", e->id);
    for (size_t i = 0; i < e->clause_count; i++) {
        shown(told, ",\n  under agreement ", e->clauses[i].agreement);
        shown(told, ", clause ", e->clauses[i].clause);
    }
}

void
told_proof(
    struct told *told, const struct ledger_proof *proof, const struct ledger_proof_answer *answer)
{
    const struct ledger_entry *e = &answer->entry;
    char time[TIME_TEXT_BYTES];

    (void)time_format(e->time_us, "Z", time);
    if (e->kind == LEDGER_KIND_UNKNOWN)
        buf_format(&told->about, "An entry of version %llu, which this Comity cannot read",
            (unsigned long long)e->version);
    else if (e->kind == LEDGER_KIND_AGREEMENT) {
        shown(told, "An agreement was ", span_of(ledger_event_word(e->event)));
        shown(told, " by ", e->by);
        shown(told, ": ", e->agreement);
    } else
        about_batch(told, e);
    buf_format(&told->about, "%s%s.\n\n", e->kind == LEDGER_KIND_UNKNOWN ? "" : "; the log says ",
        e->kind == LEDGER_KIND_UNKNOWN ? "" : time);
    member(told, "log", answer->checkpoint.origin);
    buf_format(&told->members, ",\"index\":%llu,\"size\":%llu,\"root\":\"",
        (unsigned long long)proof->log.index, (unsigned long long)answer->checkpoint.size);
    base64_add(&told->members, answer->checkpoint.root.bytes, MERKLE_HASH_BYTES);
    buf_add_text(&told->members, "\",\"entry\":");
    buf_add_span(&told->members, proof->entry);
}

void
told_receipt(struct told *told, const struct receipt *receipt)
{
    char time[TIME_TEXT_BYTES];
    size_t n = time_format(receipt->time_us, "Z", time);

    shown(told, "A receipt of the batch ", receipt->batch);
    buf_format(&told->about, ", %llu items, at %s; its root is ",
        (unsigned long long)receipt->count, time);
    base64_add(&told->about, receipt->root.bytes, sizeof receipt->root.bytes);
    buf_add_text(&told->about, ".\n\n");
    member(told, "batch", receipt->batch);
    buf_format(&told->members, ",\"count\":%llu,\"root\":\"", (unsigned long long)receipt->count);
    base64_add(&told->members, receipt->root.bytes, sizeof receipt->root.bytes);
    buf_add_char(&told->members, '"');
    member(told, "time", (struct span){time, n});
}

static void
fork_side(struct told *told, const struct fork_side *side)
{
    const struct checkpoint *c = &side->checkpoint;

    buf_format(&told->about, "\n  %llu entries, root ", (unsigned long long)c->size);
    base64_add(&told->about, c->root.bytes, sizeof c->root.bytes);
    buf_format(&told->members, "{\"size\":%llu,\"root\":\"", (unsigned long long)c->size);
    base64_add(&told->members, c->root.bytes, sizeof c->root.bytes);
    buf_add_text(&told->members, "\"}");
}

void
told_fork(struct told *told, const struct fork_side sides[2], const struct merkle_hash *before)
{
    const struct checkpoint *smaller = &sides[0].checkpoint;

    shown(told, "Two checkpoints of the log ", smaller->origin);
    buf_add_char(&told->about, ':');
    member(told, "log", smaller->origin);
    buf_add_text(&told->members, ",\"checkpoints\":[");
    fork_side(told, &sides[0]);
    buf_add_char(&told->members, ',');
    fork_side(told, &sides[1]);
    buf_format(&told->about, "\nand the root over the first %llu entries of the second is ",
        (unsigned long long)smaller->size);
    base64_add(&told->about, before->bytes, sizeof before->bytes);
    buf_add_text(&told->about, ".\n\n");
    buf_add_text(&told->members, "],\"before\":\"");
    base64_add(&told->members, before->bytes, sizeof before->bytes);
    buf_add_char(&told->members, '"');
}

bool
told_all_proven(const struct told *told)
{
    return told->counts[TOLD_PROVEN] > 0 && told->counts[TOLD_MISSING] == 0
        && told->counts[TOLD_FALSE] == 0;
}

int
told_print(const struct told *told, bool json, struct err *err)
{
    int rc = buf_check(&told->list, "what is said", err);

    if (rc == 0)
        rc = buf_check(&told->members, "what is said", err);
    if (rc != 0)
        return rc;
    if (json)
        (void)printf("{\"proven\":%s,\"statements\":[%.*s]%.*s}\n",
            told_all_proven(told) ? "true" : "false", (int)told->list.n, told->list.p,
            (int)told->members.n, told->members.p);
    else
        (void)printf(
            "%.*s%.*s", (int)told->about.n, told->about.p, (int)told->lines.n, told->lines.p);
    return ferror(stdout) != 0 ? err_set(err, ERR_IO, "standard output cannot be written") : 0;
}
