/* As a recipient: what this node says of the batches that came. */
#include "core/collections.h"
#include "core/links.h"
#include "core/receipts_private.h"
#include "fmt/receipt.h"
#include "fmt/stix_batch.h"
#include "fmt/stix_receipt.h"

#include <stdio.h>

enum { TEXT_BYTES = 64 * 1024, URN_BYTES = 64 };

/* The UUID of a comity-batch object. */
static struct span
uuid_of(const struct exchange_object *object)
{
    struct span id = object->page->id;
    const size_t before = sizeof STIX_BATCH_TYPE - 1 + 2;

    return (struct span){id.p + before, id.n - before};
}

/* Does NOTE, which this node signed, say what is so now? */
static bool
says(struct span note, const struct page_batch *batch)
{
    struct note read;
    struct receipt receipt;

    return note_read(note, &read, NULL) == 0 && receipt_read(read.text, &receipt, NULL) == 0
        && receipt.count == batch->items && merkle_equal(&receipt.root, &batch->root);
}

static int
sign(struct core *core, const struct exchange_object *object, struct buf *out, struct err *err)
{
    struct span uuid = uuid_of(object);
    char urn[URN_BYTES];
    int n = snprintf(urn, sizeof urn, STIX_BATCH_URN "%.*s", SPAN_ARGS(uuid));
    const struct receipt receipt = {.batch = {urn, (size_t)n},
        .root = object->page->batch->root,
        .count = object->page->batch->items,
        .time_us = object->now_us};

    return receipt_sign(out, &receipt, receipts_signer(core), err);
}

/* Into the sender's collection: as any other object, it goes by push or by poll. */
static int
put(struct core *core, const struct store_receipt_given *given, int64_t now_us, struct err *err)
{
    const struct stix_receipt receipt = {.batch = given->id,
        .origin = knowledge_own_id(core),
        .note = given->note,
        .stored = given->stored,
        .duplicate = given->duplicate,
        .rejected = given->rejected,
        .made_us = given->came_us,
        .said_us = now_us > given->came_us ? now_us : given->came_us};
    struct buf text = buf_new(TEXT_BYTES);
    uint32_t collection;
    int rc = collections_of_team(core->collections, given->team, now_us, &collection, err);

    stix_receipt_write_definition(&text); /* in collections that are older, it is not there yet */
    stix_receipt_write(&text, &receipt);
    buf_add_char(&text, ']');
    if (rc == 0)
        rc = buf_check(&text, "a receipt", err);
    if (rc == 0) {
        text.p[0] = '['; /* for the first comma */
        rc = collections_append_json(core->collections, collection, buf_span(&text), now_us, err);
    }
    buf_free(&text);
    return rc;
}

static int
give(struct core *core, const struct exchange_object *object, struct store_receipt_given *given,
    struct err *err)
{
    const struct page_batch *batch = object->page->batch;
    struct buf note = buf_new(TEXT_BYTES);
    int rc = sign(core, object, &note, err);

    given->came_us = object->now_us;
    given->stored = batch->stored;
    given->duplicate = batch->duplicate;
    given->rejected = batch->rejected;
    given->note = buf_span(&note);
    if (rc == 0)
        rc = store_receipt_given_put(core->store, given, err);
    if (rc == 0)
        rc = receipts_count(core, STAT_RECEIPT_GIVEN, given->team, object->now_us, err);
    if (rc == 0)
        rc = put(core, given, object->now_us, err);
    buf_free(&note);
    return rc;
}

/* Its reports are durable: the front says INTAKE_CLOSE before it hands in other objects. */
int
exchange_batch(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct store_receipt_given given;
    uint32_t team;

    if (links_account(core, object->team) == 0)
        return 0;
    if (object->page->batch == NULL)
        return err_set_field(err, ERR_BAD_VALUE, "salt", 4,
            "salt: 32 bytes in base64 are wanted; without them the batch cannot be checked");
    int rc = store_team(core->store, object->team, &team, err);
    if (rc == 0)
        rc =
            store_receipt_given_get(core->store, object->arena, team, uuid_of(object), &given, err);
    if (rc == 0 && says(given.note, object->page->batch))
        rc = put(core, &given, object->now_us, err); /* who sends it again has not seen it */
    else if (rc == 0 || rc == ERR_NOT_FOUND)
        rc = give(core, object, &given, err);
    return rc == 0 ? 1 : rc;
}
