#include "fmt/items.h"

#include "fmt/jcs.h"

#include <nettle/hmac.h>

static const char salt_label[] = "comity-item-salt-v1\n";

void
items_salt_of(const struct items_salt *batch, uint64_t index, struct items_salt *out)
{
    struct hmac_sha256_ctx hmac;
    uint8_t number[8];

    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(index >> (56 - 8 * i));
    hmac_sha256_set_key(&hmac, sizeof batch->bytes, batch->bytes);
    hmac_sha256_update(&hmac, sizeof salt_label - 1, (const uint8_t *)salt_label);
    hmac_sha256_update(&hmac, sizeof number, number);
    hmac_sha256_digest(&hmac, sizeof out->bytes, out->bytes);
}

int
items_canonical(struct span item, struct buf *out, struct err *err)
{
    struct json *parser = json_new(item.n + 1);
    int rc = parser == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for an item")
                            : items_canonical_with(parser, item, out, err);

    json_free(parser);
    return rc;
}

int
items_canonical_with(struct json *parser, struct span item, struct buf *out, struct err *err)
{
    struct json_value root;
    size_t begin = out->n;

    if (item.n > ITEMS_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "an item of more than %d bytes", ITEMS_BYTES_MAX);
    int rc = json_parse_copy(parser, item, &root, NULL);
    if (rc == 0)
        rc = jcs_add(out, root, NULL);
    if (rc != 0 && !out->full) {
        out->n = begin;
        if (item.n > 0 && item.p[item.n - 1] == '\n')
            item.n--;
        buf_add_span(out, item);
    }
    return buf_check(out, "an item", err);
}

int
items_canonical_value(struct json_value item, struct buf *out, struct err *err)
{
    size_t begin = out->n;

    if (jcs_add(out, item, NULL) != 0 && !out->full) {
        out->n = begin;
        json_add_value(out, item);
    }
    return buf_check(out, "an item", err);
}

void
items_leaf(const struct items_salt *salt, struct span canonical, struct merkle_hash *out)
{
    const struct span parts[] = {{(const char *)salt->bytes, sizeof salt->bytes}, canonical};
    struct merkle_hash commitment;

    merkle_digest(parts, 2, &commitment);
    merkle_leaf((struct span){(const char *)commitment.bytes, sizeof commitment.bytes}, out);
}
