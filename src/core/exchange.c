#include "core/exchange.h"

#include "core/cards.h"

/* One row a type; doc/federation.md says where each is dealt with. */
static const struct {
    const char *type;
    int (*take)(struct core *core, const struct exchange_object *object, struct err *err);
} rows[] = {{"identity", exchange_identity}, {"", NULL}};

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
