/* As a sender: what recipients say of our batches. */
#include "core/receipts.h"

#include "base/log.h"
#include "core/counts.h"
#include "core/node.h"
#include "core/partner_keys.h"
#include "core/receipts_private.h"
#include "core/told.h"
#include "flow/nodekey.h"
#include "fmt/ledger_proof.h"
#include "fmt/receipt.h"
#include "fmt/stix_batch.h"
#include "fmt/stix_receipt.h"
#include "sys/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ENTRY_BYTES = 4 * 1024 * 1024,
};
static const int64_t day_us = INT64_C(86400000000);

static const char *const state_words[STORE_RECEIPT_STATES] = {
    [STORE_RECEIPT_UNASKED] = "none",
    [STORE_RECEIPT_OPEN] = "open",
    [STORE_RECEIPT_RIGHT] = "right",
    [STORE_RECEIPT_DIFFERS] = "differs",
};

const char *
receipts_state_word(enum store_receipt_state state)
{
    return state < STORE_RECEIPT_STATES ? state_words[state] : "none";
}

/* ---- keys ---- */

const struct note_key *
receipts_key(struct core *core, struct span team)
{
    return partner_key(core, team, NOTE_USE_RECEIPT);
}

bool
receipts_by(void *ctx, uint32_t team)
{
    struct core *core = ctx;

    return receipts_key(core, store_team_id(core->store, team)) != NULL;
}

const struct note_signer *
receipts_signer(const struct core *core)
{
    return &core->receipts->signer;
}

/* ---- life ---- */

int
receipts_new(struct core *core, struct receipts **out, struct err *err)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    uint8_t seed[NOTE_SEED_BYTES];

    *out = receipts;
    if (receipts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for receipts");
    nodekey_name(logbook_origin(core->logbook), NOTE_USE_RECEIPT, receipts->name);
    int rc = nodekey_read(core->options.home, false, seed, err);
    if (rc == 0)
        rc = note_signer_derive(
            span_of(receipts->name), NOTE_USE_RECEIPT, seed, &receipts->signer, err);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

void
receipts_free(struct receipts *receipts)
{
    if (receipts == NULL)
        return;
    sodium_memzero(&receipts->signer, sizeof receipts->signer);
    free(receipts);
}

int
receipts_count(struct core *core, enum stat stat, uint32_t team, int64_t now_us, struct err *err)
{
    const struct store_count count = {
        .day = (uint32_t)(now_us / day_us), .team = team, .name = (uint16_t)stat, .value = 1};

    return store_count_add(core->store, &count, 1, err);
}

/* ---- what is said of it ---- */

/* People must hear of it; nobody may fill the log with it. */
static void
tell_people(
    struct core *core, struct span team, struct span batch, const char *what, const char *why)
{
    struct buf json = buf_new(4096);

    if (pace_may(&core->receipts->not_right, "more receipts were not right")) {
        log_warning("a receipt is not right", log_text("team", team), log_text("batch", batch),
            log_word("what", what), log_word("why", why));
        buf_add_char(&json, '{');
        told_text(&json, "team", team);
        told_text(&json, "batch", batch);
        told_word(&json, "state", what);
        told_word(&json, "why", why);
        buf_add_char(&json, '}');
        if (!json.full)
            events_tell(core, "receipt", buf_span(&json));
    }
    buf_free(&json);
}

/* ---- is it right? ---- */

/* What came, taken apart. */
struct coming {
    struct stix_receipt object;
    struct note note;
    struct receipt receipt;
    struct span batch; /* its UUID; n 0: it names none */
    const struct note_key *key;
    struct store_receipt row;
};

static int
read_note(struct coming *c, const struct exchange_object *object, struct err *err)
{
    int rc = stix_receipt_read(object->json, &c->object, err);

    if (rc == 0 && c->object.note.n > LEDGER_PROOF_RECEIPT_MAX)
        rc = err_set_field(
            err, ERR_LIMIT, "note", 4, "note: at most %d bytes are kept", LEDGER_PROOF_RECEIPT_MAX);
    if (rc == 0)
        rc = note_read(c->object.note, &c->note, err);
    if (rc == 0)
        rc = receipt_read(c->note.text, &c->receipt, err);
    if (rc != 0)
        return rc;
    struct span id = c->receipt.batch;
    if (!span_starts(id, SPAN(STIX_BATCH_URN))
        || id.n != sizeof STIX_BATCH_URN - 1 + STORE_RECEIPT_ID_BYTES)
        return err_set_field(err, ERR_BAD_NOTE, "note", 4, "note: its batch is no urn:uuid:");
    c->batch = (struct span){id.p + sizeof STIX_BATCH_URN - 1, STORE_RECEIPT_ID_BYTES};
    return 0;
}

static int
check_signature(
    struct core *core, struct coming *c, const struct exchange_object *object, struct err *err)
{
    c->key = receipts_key(core, object->team);
    if (c->key == NULL)
        return err_set_field(err, ERR_NOT_ALLOWED, "note", 4,
            "note: the card of %.*s names no key for receipts", SPAN_ARGS(object->team));
    if (note_check(&c->note, c->key, NULL) == NOTE_GOOD)
        return 0;
    return err_set_field(err, ERR_BAD_NOTE, "note", 4,
        "note: it is not signed by %.*s with the key %08x", SPAN_ARGS(c->key->name), c->key->id);
}

/* A batch that went to somebody else is as unknown as any: nothing is told of it. */
static int
find(struct core *core, struct coming *c, const struct exchange_object *object, struct err *err)
{
    int rc = store_receipt_by_id(core->store, object->arena, c->batch, &c->row, err);

    if (rc == 0 && !span_equal(store_team_id(core->store, c->row.team), object->team))
        rc = ERR_NOT_FOUND;
    return rc == ERR_NOT_FOUND ? err_set_field(err, ERR_BAD_VALUE, "note", 4,
               "note: no batch %.*s was delivered to you", SPAN_ARGS(c->batch))
                               : rc;
}

/* WHY says what is not so; "" if all is. */
static int
compare(struct core *core, struct coming *c, struct arena *arena, char why[ERR_MSG_BYTES],
    struct err *err)
{
    struct json *json = json_new(LEDGER_ENTRY_MAX);
    struct ledger_entry entry;
    struct span bytes;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a receipt")
                          : store_receipt_record(core->store, arena, c->row.entry, &bytes, err);

    if (rc == 0)
        rc = ledger_entry_read(arena, json, bytes, &entry, err);
    json_free(json);
    why[0] = '\0';
    if (rc == 0 && entry.items != c->receipt.count)
        (void)snprintf(why, ERR_MSG_BYTES, "%llu items came, and %llu were delivered",
            (unsigned long long)c->receipt.count, (unsigned long long)entry.items);
    else if (rc == 0 && !merkle_equal(&entry.items_root, &c->receipt.root))
        (void)snprintf(why, ERR_MSG_BYTES, "other items came than were delivered");
    return rc;
}

/* ---- keeping it ---- */

static int
keep(struct core *core, const struct coming *c, enum store_receipt_state state, int64_t now_us,
    struct err *err)
{
    struct store_receipt row = c->row;
    enum stat stat = state == STORE_RECEIPT_RIGHT ? STAT_RECEIPT_RIGHT : STAT_RECEIPT_DIFFERS;

    row.state = (uint8_t)state;
    row.came_us = now_us;
    row.stored = c->object.stored;
    row.duplicate = c->object.duplicate;
    row.rejected = c->object.rejected;
    row.note = c->object.note;
    int rc = receipts_count(core, stat, row.team, now_us, err);
    /* What was right once stays so; that something else is said now is told all the same. */
    return rc == 0 && c->row.state != STORE_RECEIPT_RIGHT
        ? store_receipt_take(core->store, &row, err)
        : rc;
}

static int
take(struct core *core, struct coming *c, const struct exchange_object *object, struct err *err)
{
    char why[ERR_MSG_BYTES];
    int rc = compare(core, c, object->arena, why, err);

    if (rc != 0)
        return rc;
    bool right = why[0] == '\0';
    if (right ? c->row.state == STORE_RECEIPT_RIGHT : span_equal(c->row.note, c->object.note))
        return 1; /* it was said before */
    rc = keep(core, c, right ? STORE_RECEIPT_RIGHT : STORE_RECEIPT_DIFFERS, object->now_us, err);
    if (rc == 0 && !right)
        tell_people(core, object->team, c->batch, "differs", why);
    return rc == 0 ? 1 : rc;
}

/* It is the sender's to hear; the transaction goes on. */
static int
refuse(struct core *core, const struct coming *c, const struct exchange_object *object, int rc,
    const struct err *why, struct err *err)
{
    uint32_t team;

    tell_people(core, object->team, c->batch, "refused", why->msg);
    int counted = store_team(core->store, object->team, &team, err);
    if (counted == 0)
        counted = receipts_count(core, STAT_RECEIPT_REFUSED, team, object->now_us, err);
    if (counted != 0)
        return counted;
    *err = *why;
    return rc;
}

int
exchange_receipt(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct coming c = {.key = NULL};
    struct err why = {0};
    int rc = read_note(&c, object, &why);

    if (rc == 0)
        rc = check_signature(core, &c, object, &why);
    if (rc == 0)
        rc = find(core, &c, object, &why);
    if (rc != 0 && (err_is_senders(rc) || rc == ERR_NOT_ALLOWED))
        return refuse(core, &c, object, rc, &why, err);
    if (rc != 0) {
        *err = why;
        return rc;
    }
    return take(core, &c, object, err);
}
