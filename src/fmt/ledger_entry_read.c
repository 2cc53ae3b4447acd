#include "base/base64.h"
#include "base/time.h"
#include "fmt/ledger_entry.h"

#include <sodium.h>

/* What is read leniently here is written again and compared: that decides. */

static bool
get_text(struct arena *arena, struct json_value v, const char *key, struct span *out)
{
    struct json_value item;

    *out = (struct span){NULL, 0};
    if (!json_get(v, key, &item) || json_type(item) != JSON_STRING)
        return false;
    struct span text = json_string(item);
    *out = (struct span){arena_copy(arena, text.p, text.n), text.n};
    return out->p != NULL;
}

static uint64_t
get_count(struct json_value v, const char *key)
{
    struct json_value item;

    if (!json_get(v, key, &item))
        return 0;
    return json_type(item) == JSON_INT && json_int(item) >= 0 ? (uint64_t)json_int(item)
        : json_type(item) == JSON_UINT                        ? json_uint(item)
                                                              : 0;
}

static int64_t
get_time(struct json_value v, const char *key)
{
    struct json_value item;
    int64_t us = 0;

    if (!json_get(v, key, &item) || json_type(item) != JSON_STRING
        || time_parse(json_string(item), &us, NULL) != 0)
        return 0;
    return us;
}

static uint8_t
get_word(struct json_value v, const char *key, size_t count, const char *(*word)(unsigned))
{
    struct json_value item;

    if (json_get(v, key, &item) && json_type(item) == JSON_STRING)
        for (unsigned i = 0; i < count; i++)
            if (span_equal(json_string(item), span_of(word(i))))
                return (uint8_t)i;
    return 0;
}

static const char *
kind_word(unsigned i)
{
    return ledger_kind_word((enum ledger_kind)i);
}

static const char *
event_word(unsigned i)
{
    return ledger_event_word((enum ledger_event)i);
}

static const char *
decision_word(unsigned i)
{
    return ledger_decision_word((enum ledger_decision)i);
}

static void
read_clause(struct arena *arena, struct json_value v, struct ledger_clause *out)
{
    struct json_value counts;

    if (json_type(v) != JSON_OBJECT)
        return;
    (void)get_text(arena, v, "agreement", &out->agreement);
    (void)get_text(arena, v, "clause", &out->clause);
    if (json_get(v, "effects", &counts))
        for (int i = 0; i < EFFECT_COUNT; i++)
            out->effects[i] = get_count(counts, effect_word((enum effect)i));
    if (json_get(v, "treatments", &counts))
        for (int i = 0; i < TREATMENT_COUNT; i++)
            out->treatments[i] = get_count(counts, treatment_word((enum treatment)i));
}

static int
read_clauses(struct arena *arena, struct json_value v, struct ledger_entry *out, struct err *err)
{
    struct json_value list;
    struct json_value item;
    struct span key;

    if (!json_get(v, "clauses", &list) || json_type(list) != JSON_ARRAY)
        return 0;
    struct ledger_clause *clauses = arena_zalloc(arena, LEDGER_ENTRY_CLAUSES, sizeof *clauses);
    if (clauses == NULL)
        return arena_full(err, "the clauses of an entry");
    struct json_iter it = json_iter(list);
    while (out->clause_count < LEDGER_ENTRY_CLAUSES && json_next(&it, &key, &item))
        read_clause(arena, item, &clauses[out->clause_count++]);
    out->clauses = clauses;
    return 0;
}

static int
read_batch(struct arena *arena, struct json_value v, struct ledger_entry *out, struct err *err)
{
    struct json_value root;

    (void)get_text(arena, v, "id", &out->id);
    (void)get_text(arena, v, "from", &out->from);
    (void)get_text(arena, v, "to", &out->to);
    out->items = get_count(v, "items");
    out->decision = get_word(v, "decision", LEDGER_DECISION_COUNT, decision_word);
    if (json_get(v, "items_root", &root) && json_type(root) == JSON_STRING)
        (void)base64_exact(json_string(root), out->items_root.bytes, sizeof out->items_root.bytes);
    return read_clauses(arena, v, out, err);
}

static void
read_agreement(struct arena *arena, struct json_value v, struct ledger_entry *out)
{
    struct json_value hex;
    size_t n;

    (void)get_text(arena, v, "agreement", &out->agreement);
    (void)get_text(arena, v, "by", &out->by);
    out->event = get_word(v, "event", LEDGER_EVENT_COUNT, event_word);
    out->since_us = get_time(v, "since");
    if (json_get(v, "document", &hex) && json_type(hex) == JSON_STRING)
        (void)sodium_hex2bin(out->document, sizeof out->document, json_string(hex).p,
            json_string(hex).n, NULL, &n, NULL);
}

static int
compare(const struct ledger_entry *e, struct span bytes, struct err *err)
{
    struct buf again = buf_new(2 * LEDGER_ENTRY_MAX);
    int rc = ledger_entry_write(&again, e, err);

    if (rc == 0 && !span_equal(buf_span(&again), bytes))
        rc = err_set(err, ERR_BAD_ENTRY,
            "no entry of a ledger: not in the one form that doc/ledger-format.md has for it");
    buf_free(&again);
    return rc == ERR_LIMIT ? ERR_BAD_ENTRY : rc;
}

int
ledger_entry_read(struct arena *arena, struct json *json, struct span bytes,
    struct ledger_entry *out, struct err *err)
{
    struct json_value v;
    struct err why;
    int rc = 0;

    *out = (struct ledger_entry){.version = 0};
    if (bytes.n > LEDGER_ENTRY_MAX || json_parse_copy(json, bytes, &v, &why) != 0
        || json_type(v) != JSON_OBJECT)
        return err_set(err, ERR_BAD_ENTRY, "no entry of a ledger: it is one JSON object");
    out->version = get_count(v, "v");
    if (out->version > LEDGER_ENTRY_VERSION)
        return 0;
    out->kind = get_word(v, "kind", LEDGER_KIND_COUNT, kind_word);
    out->time_us = get_time(v, "time");
    if (out->kind == LEDGER_KIND_AGREEMENT)
        read_agreement(arena, v, out);
    else
        rc = read_batch(arena, v, out, err);
    return rc != 0 ? rc : compare(out, bytes, err);
}
