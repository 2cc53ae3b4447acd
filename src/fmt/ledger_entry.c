#include "fmt/ledger_entry.h"

#include "base/base64.h"
#include "base/time.h"
#include "fmt/jcs.h"

#include <sodium.h>

static const char *const kinds[] = {
    "unknown",
#define LEDGER_KIND(name, word, text) word,
#include "tables/ledger.def"
#undef LEDGER_KIND
};
static const char *const events[] = {
#define LEDGER_EVENT(name, word) word,
#include "tables/ledger.def"
#undef LEDGER_EVENT
};
static const char *const decisions[] = {
#define LEDGER_DECISION(name, word) word,
#include "tables/ledger.def"
#undef LEDGER_DECISION
};

const char *
ledger_kind_word(enum ledger_kind kind)
{
    return kinds[kind];
}

const char *
ledger_event_word(enum ledger_event event)
{
    return events[event];
}

const char *
ledger_decision_word(enum ledger_decision decision)
{
    return decisions[decision];
}

/* ---- what may be written ---- */

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_ENTRY, "no entry of a ledger: %s", what);
}

static bool
text_is(struct span text)
{
    return text.n > 0 && text.n <= LEDGER_ENTRY_TEXT_MAX && span_is_utf8(text);
}

static bool
counts_are(const uint64_t *counts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (counts[i] > LEDGER_COUNT_MAX)
            return false;
    return true;
}

static int
check_clauses(const struct ledger_entry *e, struct err *err)
{
    if (e->clause_count > LEDGER_ENTRY_CLAUSES)
        return bad(err, "more clauses than an entry has");
    for (size_t i = 0; i < e->clause_count; i++) {
        const struct ledger_clause *c = &e->clauses[i];
        if (!text_is(c->agreement) || !text_is(c->clause))
            return bad(err, "ids of agreement and clause are texts of 1 to 255 bytes");
        if (!counts_are(c->effects, EFFECT_COUNT) || !counts_are(c->treatments, TREATMENT_COUNT))
            return bad(err, "counts are below 2^53");
    }
    return 0;
}

static int
check(const struct ledger_entry *e, struct err *err)
{
    if (e->version != LEDGER_ENTRY_VERSION || e->kind == LEDGER_KIND_UNKNOWN
        || e->kind >= LEDGER_KIND_COUNT || e->event >= LEDGER_EVENT_COUNT
        || e->decision >= LEDGER_DECISION_COUNT)
        return bad(err, "its version or kind is not known");
    if (e->kind == LEDGER_KIND_AGREEMENT)
        return text_is(e->agreement) && text_is(e->by)
            ? 0
            : bad(err, "agreement and team are texts of 1 to 255 bytes");
    if (!text_is(e->id) || !text_is(e->from) || !text_is(e->to) || e->items > LEDGER_COUNT_MAX)
        return bad(err, "batch and teams are texts of 1 to 255 bytes, items below 2^53");
    return check_clauses(e, err);
}

/* ---- writing: members stand in the order that RFC 8785 wants ---- */

static void
add_string(struct buf *out, const char *before, struct span text)
{
    buf_add_text(out, before);
    jcs_add_string(out, text);
}

static void
add_time(struct buf *out, const char *before, int64_t time_us)
{
    char text[TIME_TEXT_BYTES];

    add_string(out, before, (struct span){text, time_format(time_us, "Z", text)});
}

static void
add_count(struct buf *out, const char *before, uint64_t count)
{
    buf_add_text(out, before);
    buf_add_u64(out, count);
}

static void
add_clause(struct buf *out, const struct ledger_clause *c)
{
    add_string(out, "{\"agreement\":", c->agreement);
    add_string(out, ",\"clause\":", c->clause);
    add_count(out, ",\"effects\":{\"hold\":", c->effects[EFFECT_HOLD]);
    add_count(out, ",\"release\":", c->effects[EFFECT_RELEASE]);
    add_count(out, ",\"withhold\":", c->effects[EFFECT_WITHHOLD]);
    add_count(out, "},\"treatments\":{\"generalise\":", c->treatments[TREATMENT_GENERALISE]);
    add_count(out, ",\"keep\":", c->treatments[TREATMENT_KEEP]);
    add_count(out, ",\"pseudonymise\":", c->treatments[TREATMENT_PSEUDONYMISE]);
    add_count(out, ",\"remove\":", c->treatments[TREATMENT_REMOVE]);
    buf_add_text(out, "}}");
}

static void
add_batch(struct buf *out, const struct ledger_entry *e)
{
    buf_add_text(out, "{\"clauses\":[");
    for (size_t i = 0; i < e->clause_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_clause(out, &e->clauses[i]);
    }
    buf_add_char(out, ']');
    if (e->kind == LEDGER_KIND_DECISION)
        add_string(out, ",\"decision\":", span_of(decisions[e->decision]));
    add_string(out, ",\"from\":", e->from);
    add_string(out, ",\"id\":", e->id);
    add_count(out, ",\"items\":", e->items);
    buf_add_text(out, ",\"items_root\":\"");
    base64_add(out, e->items_root.bytes, sizeof e->items_root.bytes);
    add_string(out, "\",\"kind\":", span_of(kinds[e->kind]));
    add_time(out, ",\"time\":", e->time_us);
    add_string(out, ",\"to\":", e->to);
}

static void
add_agreement(struct buf *out, const struct ledger_entry *e)
{
    char hex[2 * LEDGER_DIGEST_BYTES + 1];

    (void)sodium_bin2hex(hex, sizeof hex, e->document, sizeof e->document);
    add_string(out, "{\"agreement\":", e->agreement);
    add_string(out, ",\"by\":", e->by);
    add_string(out, ",\"document\":", span_of(hex));
    add_string(out, ",\"event\":", span_of(events[e->event]));
    add_string(out, ",\"kind\":", span_of(kinds[e->kind]));
    add_time(out, ",\"since\":", e->since_us);
    add_time(out, ",\"time\":", e->time_us);
}

int
ledger_entry_write(struct buf *out, const struct ledger_entry *e, struct err *err)
{
    size_t begin = out->n;
    int rc = check(e, err);

    if (rc != 0)
        return rc;
    if (e->kind == LEDGER_KIND_AGREEMENT)
        add_agreement(out, e);
    else
        add_batch(out, e);
    add_count(out, ",\"v\":", e->version);
    buf_add_char(out, '}');
    if (out->n - begin > LEDGER_ENTRY_MAX)
        return err_set(err, ERR_LIMIT, "an entry of more than %d bytes", LEDGER_ENTRY_MAX);
    return buf_check(out, "the entry", err);
}
