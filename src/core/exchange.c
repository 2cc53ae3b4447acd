#include "core/exchange.h"

#include "core/agreements_in.h"
#include "core/cards.h"
#include "core/feedback.h"
#include "core/recall.h"
#include "core/receipts.h"
#include "fmt/stix_batch.h"
#include "fmt/stix_receipt.h"

/* One row a type; doc/federation.md says where each is dealt with. */
static const struct {
    const char *type;
    int (*take)(struct core *core, const struct exchange_object *object, struct err *err);
} rows[] = {
    {"csirt-agreement", exchange_agreement},
    {"identity", exchange_identity},
    {STIX_BATCH_TYPE, exchange_batch},
    {STIX_RECEIPT_TYPE, exchange_receipt},
    {"note", exchange_recall},
    {"observed-data", exchange_recall},
    {"opinion", exchange_feedback},
    {"sighting", exchange_feedback},
    {"", NULL},
};

int
exchange_take(void *ctx, const struct exchange_object *object, struct err *err)
{
    struct json_value type;
    struct span word = json_get(object->json, "type", &type) ? json_string(type) : SPAN("");

    for (size_t i = 0; rows[i].take != NULL; i++)
        if (span_equal(word, span_of(rows[i].type)))
            return rows[i].take(ctx, object, err);
    return 0;
}
