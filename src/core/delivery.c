#include "core/delivery.h"

#include "base/hash.h"
#include "core/logbook.h"
#include "core/receipts.h"
#include "fmt/items.h"
#include "fmt/stix_batch.h"
#include "store/receipt.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ITEM_BYTES = 64 * 1024 * 1024,
    PLACES_BYTES = 2 * STORE_BATCH_REPORTS,
    URN_BYTES = 64,
    /* Of an entry: what a clause takes beside its ids, what a byte of them may become, and how much
     * all clauses may take, so that every entry can be written. */
    CLAUSE_BYTES = 200,
    ESCAPED_BYTES = 6,
    CLAUSES_BYTES = LEDGER_ENTRY_MAX - 8192,
};

struct delivery {
    uint64_t batch;
    uint32_t team;
    size_t clause_bytes;
    size_t clause_count;
    struct ledger_clause clauses[LEDGER_ENTRY_CLAUSES];
    struct merkle_tree tree;
    struct items_salt salt;
    char id[URN_BYTES];
    struct buf places;
    struct buf canonical;
    struct json *parser;
    uint64_t entry; /* index */
    int64_t made_us;
};

struct delivery *
delivery_new(void)
{
    struct delivery *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->places = buf_new(PLACES_BYTES);
    d->canonical = buf_new(ITEMS_BYTES_MAX);
    d->parser = json_new(ITEM_BYTES);
    if (d->parser != NULL)
        return d;
    delivery_free(d);
    return NULL;
}

void
delivery_free(struct delivery *d)
{
    if (d == NULL)
        return;
    buf_free(&d->places);
    buf_free(&d->canonical);
    json_free(d->parser);
    explicit_bzero(&d->salt, sizeof d->salt);
    free(d);
}

/* A UUID of version 4 (RFC 9562, section 5.4): batches are not counted aloud. */
static void
name_batch(struct delivery *d)
{
    uint8_t u[16];

    hash_random(u, sizeof u);
    u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
    u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
    (void)snprintf(d->id, sizeof d->id,
        "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
        u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

void
delivery_begin(struct delivery *d, uint64_t batch, uint32_t team)
{
    d->batch = batch;
    d->team = team;
    d->clause_bytes = 0;
    d->clause_count = 0;
    d->tree.size = 0;
    d->places.n = 0;
    hash_random(d->salt.bytes, sizeof d->salt.bytes);
    name_batch(d);
}

uint64_t
delivery_items(const struct delivery *d)
{
    return d->tree.size;
}

/* ---- clauses ---- */

/* As an entry may have it: 1 to 255 bytes, of whole characters. */
static struct span
as_text(struct span text)
{
    if (text.n == 0)
        return SPAN("-");
    if (text.n > LEDGER_ENTRY_TEXT_MAX)
        text.n = LEDGER_ENTRY_TEXT_MAX;
    while (text.n > 1 && !span_is_utf8(text))
        text.n--;
    return span_is_utf8(text) ? text : SPAN("-");
}

static struct ledger_clause *
find_clause(struct delivery *d, const struct outcome_clause *clause)
{
    for (size_t i = 0; i < d->clause_count; i++)
        if (span_equal(d->clauses[i].clause, clause->clause)
            && span_equal(d->clauses[i].agreement, clause->agreement))
            return &d->clauses[i];
    return NULL;
}

static size_t
bytes_of(const struct outcome_clause *clause)
{
    size_t n = as_text(clause->agreement).n + as_text(clause->clause).n;

    return CLAUSE_BYTES + ESCAPED_BYTES * n;
}

bool
delivery_fits(const struct delivery *d, const struct outcome_verdict *verdict)
{
    size_t bytes = d->clause_bytes;

    if (d->clause_count + verdict->clause_count > LEDGER_ENTRY_CLAUSES)
        return false;
    for (uint8_t i = 0; i < verdict->clause_count; i++)
        bytes += bytes_of(&verdict->clauses[i]);
    return bytes <= CLAUSES_BYTES;
}

void
delivery_count(struct delivery *d, const struct outcome_verdict *verdict, enum effect effect,
    unsigned treatments)
{
    for (uint8_t i = 0; i < verdict->clause_count; i++) {
        const struct outcome_clause *clause = &verdict->clauses[i];
        struct ledger_clause *at = find_clause(d, clause);
        if (at == NULL) {
            at = &d->clauses[d->clause_count++];
            *at = (struct ledger_clause){.agreement = clause->agreement, .clause = clause->clause};
            d->clause_bytes += bytes_of(clause);
        }
        at->effects[effect]++;
        for (unsigned t = 0; effect == EFFECT_RELEASE && t < TREATMENT_COUNT; t++)
            at->treatments[t] += treatments >> t & 1;
    }
}

/* ---- items ---- */

int
delivery_item(struct delivery *d, uint32_t place, struct span item, struct err *err)
{
    const char number[2] = {(char)(place & 0xff), (char)(place >> 8)};
    struct merkle_hash made[MERKLE_LEVELS];
    struct merkle_hash leaf;
    struct items_salt salt;

    d->canonical.n = 0;
    int rc = items_canonical_with(d->parser, item, &d->canonical, err);
    if (rc != 0)
        return rc;
    items_salt_of(&d->salt, d->tree.size, &salt);
    items_leaf(&salt, buf_span(&d->canonical), &leaf);
    (void)merkle_add(&d->tree, &leaf, made);
    buf_add(&d->places, number, sizeof number);
    return buf_check(&d->places, "the items of a batch", err);
}

/* ---- recording ---- */

static void
tell_recipient(
    struct core *core, const struct delivery *d, const struct ledger_entry *entry, struct buf *text)
{
    const struct stix_batch batch = {.id = span_of(d->id),
        .origin = knowledge_own_id(core),
        .log = logbook_origin(core->logbook),
        .entry = d->entry,
        .items = entry->items,
        .items_root = entry->items_root,
        .salt = d->salt,
        .made_us = entry->time_us};

    stix_batch_write(text, &batch);
}

int
delivery_record(struct core *core, struct delivery *d, enum ledger_kind kind,
    enum ledger_decision decision, struct buf *text, struct err *err)
{
    struct ledger_entry entry = {.version = LEDGER_ENTRY_VERSION,
        .kind = (uint8_t)kind,
        .time_us = clock_now_us(),
        .id = span_of(d->id),
        .from = as_text(knowledge_own_id(core)),
        .to = as_text(store_team_id(core->store, d->team)),
        .clauses = d->clauses,
        .clause_count = d->clause_count,
        .items = d->tree.size,
        .decision = (uint8_t)decision};

    for (size_t i = 0; i < d->clause_count; i++) {
        d->clauses[i].agreement = as_text(d->clauses[i].agreement);
        d->clauses[i].clause = as_text(d->clauses[i].clause);
    }
    merkle_root(&d->tree, &entry.items_root);
    d->made_us = entry.time_us;
    int rc = logbook_append(core, &entry, &d->entry, err);
    if (rc == 0 && text != NULL && entry.items > 0)
        tell_recipient(core, d, &entry, text);
    return rc;
}

int
delivery_keep(struct core *core, const struct delivery *d, uint32_t collection, int64_t first_us,
    int64_t last_us, struct err *err)
{
    struct store_delivery kept = {.entry = d->entry,
        .batch = d->batch,
        .team = d->team,
        .collection = collection,
        .first_us = first_us,
        .last_us = last_us,
        .places = buf_span(&d->places)};

    memcpy(kept.salt, d->salt.bytes, sizeof kept.salt);
    int rc = store_delivery_add(core->store, &kept, err);
    if (rc != 0 || collection == 0)
        return rc;
    const struct store_receipt receipt = {.entry = d->entry,
        .id = {d->id + sizeof STIX_BATCH_URN - 1, STORE_RECEIPT_ID_BYTES},
        .batch = d->batch,
        .team = d->team,
        .items = d->tree.size,
        .made_us = d->made_us,
        .state = receipts_by(core, d->team) ? STORE_RECEIPT_OPEN : STORE_RECEIPT_UNASKED};
    return store_receipt_add(core->store, &receipt, err);
}
