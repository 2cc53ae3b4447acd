/* What people are told of deliveries and their receipts. */
#include "core/links.h"
#include "core/node.h"
#include "core/receipts_private.h"
#include "core/told.h"
#include "flow/ledger_delivered.h"
#include "fmt/stix_batch.h"

#include <stdio.h>

enum { ANSWER_BYTES = 16 * 1024 * 1024, URN_BYTES = 64, SIGNER_BYTES = 512 };

const char *
receipts_reach_word(const struct core *core, uint32_t team, enum store_receipt_reach reach)
{
    switch (reach) {
    case STORE_REACH_TAKEN:
        return links_account(core, store_team_id(core->store, team)) != 0 ? "sent" : "fetched";
    case STORE_REACH_RECEIPT:
        return "receipt";
    case STORE_REACH_FAILED:
        return "failed";
    case STORE_REACH_WAITS:
        break;
    }
    return "waiting";
}

void
receipts_signer_text(struct buf *out, struct span note)
{
    struct note read;

    if (note.n > 0 && note_read(note, &read, NULL) == 0 && read.count > 0)
        buf_format(out, "%.*s+%08x", SPAN_ARGS(read.lines[0].name), read.lines[0].id);
}

static void
tell_batch(const struct store_receipt *r, struct buf *out)
{
    char urn[URN_BYTES];
    int n = snprintf(urn, sizeof urn, STIX_BATCH_URN "%.*s", SPAN_ARGS(r->id));

    told_text(out, "batch", (struct span){urn, (size_t)n});
}

/* The members of a Receipt (share/openapi/schemas.json). */
static int
tell(struct core *core, const struct store_receipt *r, struct buf *out, struct err *err)
{
    struct buf signer = buf_new(SIGNER_BYTES);
    enum store_receipt_reach reach;
    bool came = r->note.n > 0;
    int rc = store_receipt_reached(core->store, r, &reach, err);

    if (rc != 0)
        return rc;
    receipts_signer_text(&signer, r->note);
    buf_add_char(out, '{');
    tell_batch(r, out);
    told_number(out, "entry", r->entry);
    told_text(out, "team", store_team_id(core->store, r->team));
    told_number(out, "items", r->items);
    told_time(out, "written_out", r->made_us);
    told_word(out, "delivered", receipts_reach_word(core, r->team, reach));
    told_number(out, "failed", r->failed);
    told_word(out, "state", receipts_state_word((enum store_receipt_state)r->state));
    told_time(out, "came", r->came_us);
    told_text(out, "signed_by", buf_span(&signer));
    told_number(out, "stored", r->stored);
    told_number(out, "duplicate", r->duplicate);
    told_number(out, "rejected", r->rejected);
    told_text(out, "note", came ? r->note : SPAN(""));
    buf_add_char(out, '}');
    buf_free(&signer);
    return 0;
}

/* ---- one report's ---- */

static void
tell_receipt(const struct store_receipt *r, struct buf *out)
{
    struct buf signer = buf_new(SIGNER_BYTES);
    struct buf why = buf_new(SIGNER_BYTES);

    receipts_signer_text(&signer, r->note);
    buf_format(&why, "stored %llu, duplicate %llu, rejected %llu", (unsigned long long)r->stored,
        (unsigned long long)r->duplicate, (unsigned long long)r->rejected);
    told_step(out, r->came_us, r->state == STORE_RECEIPT_RIGHT ? "receipt" : "receipt-differs",
        buf_span(&signer), buf_span(&why));
    buf_free(&signer);
    buf_free(&why);
}

/* The step that leads to the delivery. */
static void
tell_written_out(const struct store_receipt *r, struct buf *out)
{
    told_item(out);
    buf_add_char(out, '{');
    told_time(out, "at", r->made_us);
    told_word(out, "what", "written-out");
    tell_batch(r, out);
    told_number(out, "entry", r->entry);
    buf_add_char(out, '}');
}

static int
tell_delivery(
    struct core *core, struct arena *arena, uint64_t entry, struct buf *out, struct err *err)
{
    struct store_receipt r;
    enum store_receipt_reach reach = STORE_REACH_WAITS;
    int rc = store_receipt_by_entry(core->store, arena, entry, &r, err);

    if (rc == 0)
        rc = store_receipt_reached(core->store, &r, &reach, err);
    if (rc != 0)
        return rc;
    tell_written_out(&r, out);
    if (reach == STORE_REACH_TAKEN || reach == STORE_REACH_FAILED)
        told_step(out, 0, receipts_reach_word(core, r.team, reach), SPAN(""), SPAN(""));
    if (r.note.n > 0)
        tell_receipt(&r, out);
    return 0;
}

int
receipts_tell_steps(struct core *core, struct arena *arena, uint64_t batch, uint32_t place,
    uint32_t team, struct buf *out, bool *told, struct err *err)
{
    struct store_delivery *list;
    uint64_t index;
    size_t count;
    int rc = store_deliveries(core->store, arena, batch, &list, &count, err);

    *told = false;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (list[i].team != team || list[i].collection == 0
            || !ledger_delivered_index(&list[i], place, &index))
            continue;
        rc = tell_delivery(core, arena, list[i].entry, out, err);
        *told = true;
    }
    return rc;
}

/* ---- all that match ---- */

static int
read_query(struct core *core, struct ask *ask, struct store_receipt_query *query, bool *nobody,
    struct err *err)
{
    struct span team = wire_text(&ask->in);

    query->since_us = wire_i64(&ask->in);
    query->open = wire_u8(&ask->in) == 1;
    query->limit = wire_u32(&ask->in);
    query->before = UINT64_MAX;
    struct span next = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for receipts", err);
    if (rc == 0 && next.n > 0 && !span_u64(next, &query->before))
        rc = err_set_field(err, ERR_BAD_VALUE, "next", 4,
            "\"%.*s\" is no `next`: give what the last answer said", SPAN_ARGS(next));
    *nobody = team.n > 0 && roster_find(core->roster, team).index == 0;
    return rc == 0 && team.n > 0 && !*nobody ? store_team(core->store, team, &query->team, err)
                                             : rc;
}

/* One more than was asked for says that there are more. */
static int
list(struct core *core, struct ask *ask, struct store_receipt_query *query, bool nobody,
    struct buf *out, struct err *err)
{
    struct store_receipt *all = NULL;
    char next[24] = "";
    size_t count = 0;
    uint32_t limit = query->limit;

    query->limit++;
    int rc = nobody ? 0 : store_receipts(core->store, ask->arena, query, &all, &count, err);
    for (size_t i = 0; rc == 0 && i < count && i < limit; i++) {
        told_item(out);
        rc = tell(core, &all[i], out, err);
    }
    if (rc == 0 && count > limit)
        (void)snprintf(next, sizeof next, "%llu", (unsigned long long)all[limit - 1].entry);
    buf_add_char(out, ']');
    told_text(out, "next", span_of(next));
    return rc;
}

int
core_receipts(struct core *core, struct ask *ask, struct err *err)
{
    struct store_receipt_query query = {0};
    struct buf out = buf_new(ANSWER_BYTES);
    uint64_t open = 0;
    int64_t oldest_us = 0;
    bool nobody;
    int rc = read_query(core, ask, &query, &nobody, err);

    buf_add_text(&out, "{\"items\":[");
    if (rc == 0)
        rc = list(core, ask, &query, nobody, &out, err);
    if (rc == 0)
        rc = store_receipts_open(core->store, &open, &oldest_us, err);
    told_number(&out, "open", open);
    told_time(&out, "oldest_open", oldest_us);
    buf_add_char(&out, '}');
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

int
receipts_find(struct core *core, struct arena *arena, struct span batch, struct store_receipt *out,
    struct err *err)
{
    if (span_starts(batch, SPAN(STIX_BATCH_URN)))
        batch = (struct span){
            batch.p + sizeof STIX_BATCH_URN - 1, batch.n - (sizeof STIX_BATCH_URN - 1)};
    return store_receipt_by_id(core->store, arena, batch, out, err);
}

int
core_receipt(struct core *core, struct ask *ask, struct err *err)
{
    struct span batch = wire_text(&ask->in);
    struct buf out = buf_new(ANSWER_BYTES);
    struct store_receipt receipt;
    int rc = wire_end(&ask->in, "a question for a receipt", err);

    if (rc == 0)
        rc = receipts_find(core, ask->arena, batch, &receipt, err);
    if (rc == 0)
        rc = tell(core, &receipt, &out, err);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
