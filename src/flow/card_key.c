#include "flow/card_key.h"

#include "base/base64.h"
#include "base/time.h"

#include <sodium.h>

int
card_key_parse(struct span text, uint8_t out[CARD_KEY_BYTES], struct err *err)
{
    if (!base64_exact(text, out, CARD_KEY_BYTES) || crypto_core_ed25519_is_valid_point(out) != 1)
        return err_set(err, ERR_BAD_CONFIG,
            "\"%.*s\" is no Ed25519 key: it is the base64 of 32 bytes, 44 characters; "
            "`comity agreement key` shows a team its own",
            SPAN_ARGS(text));
    return 0;
}

int
card_key_read(struct json_value item, struct card_key *out, struct err *err)
{
    struct json_value value;
    struct err why;
    int rc;

    *out = (struct card_key){.until_us = INT64_MAX};
    if (!json_get(item, "type", &value) || json_type(value) != JSON_STRING
        || !span_equal(json_string(value), SPAN("ed25519")))
        return 0;
    if (!json_get(item, "key", &value) || json_type(value) != JSON_STRING)
        return err_set(err, ERR_BAD_CONFIG, "a key of type ed25519 has its base64 as \"key\"");
    rc = card_key_parse(json_string(value), out->bytes, err);
    if (rc == 0 && json_get(item, "expires", &value)
        && (json_type(value) != JSON_STRING
            || time_parse(json_string(value), &out->until_us, &why) != 0))
        rc = err_set(err, ERR_BAD_CONFIG, "expires must be a date and time, in quotes");
    return rc == 0 ? 1 : rc;
}

bool
card_key_named(struct json_value card, const uint8_t key[CARD_KEY_BYTES])
{
    struct json_value list;
    struct json_value item;
    struct card_key one;
    struct span none;
    struct err why;

    if (!json_get(card, "keys", &list) || json_type(list) != JSON_ARRAY)
        return false;
    for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);)
        if (card_key_read(item, &one, &why) == 1 && one.until_us == INT64_MAX
            && memcmp(one.bytes, key, CARD_KEY_BYTES) == 0)
            return true;
    return false;
}
