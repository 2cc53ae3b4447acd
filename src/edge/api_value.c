#include "edge/api_value.h"

#include "base/messages.h"
#include "base/time.h"
#include "base/wire.h"
#include "model/address.h"
#include "model/domain.h"
#include "model/words.h"

#include <stdlib.h>

/* Fail with a message that names what was given. */
static int
fail(const struct api_input *input, enum err_code code, struct span text, const char *right,
    struct err *err)
{
    return err_set_field(
        err, code, input->name, strlen(input->name), "\"%.*s\" is not %s", SPAN_ARGS(text), right);
}

/* What another module found wrong is this input's. */
static int
name_field(const struct api_input *input, int rc, struct err *err)
{
    char msg[ERR_MSG_BYTES];

    if (rc == 0)
        return 0;
    memcpy(msg, err->msg, sizeof msg);
    msg[sizeof msg - 1] = '\0';
    return err_set_field(err, (enum err_code)rc, input->name, strlen(input->name), "%s", msg);
}

static size_t
characters(struct span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

/* Text for people: controls in it would only deceive who reads it. */
static bool
has_control(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    return false;
}

static int
add_text(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    size_t n = strlen(input->name);

    if (!span_is_utf8(text))
        return err_set_field(err, ERR_BAD_UTF8, input->name, n, "not valid UTF-8");
    if (characters(text) > input->most)
        return err_set_field(err, ERR_LIMIT, input->name, n, "%zu characters; at most %u",
            characters(text), input->most);
    if (input->type != API_TYPE_SECRET && has_control(text))
        return err_set_field(
            err, ERR_BAD_VALUE, input->name, n, "control characters cannot be in it");
    wire_add_text(out, text);
    return 0;
}

static int
add_address(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    struct address address = {0};
    int rc = text.n == 0 ? 0 : prefix_parse(text, &address, err);

    wire_add_u8(out, address.family);
    wire_add_u8(out, address.bits);
    wire_add_u64(out, address.high);
    wire_add_u64(out, address.low);
    return name_field(input, rc, err);
}

static int
add_name(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    char name[DOMAIN_BYTES];
    size_t n = 0;
    int rc = text.n == 0 ? 0 : domain_normalise(text, name, &n, err);

    wire_add_text(out, (struct span){name, rc == 0 ? n : 0});
    return name_field(input, rc, err);
}

static int
add_asn(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    uint64_t asn = 0;
    struct span digits = text;

    if (text.n > 2 && span_equal_nocase((struct span){text.p, 2}, SPAN("AS")))
        digits = (struct span){text.p + 2, text.n - 2};
    if (text.n > 0 && (!span_u64(digits, &asn) || asn == 0 || asn > UINT32_MAX))
        return fail(input, ERR_BAD_NUMBER, text, "an ASN, such as 64496 or AS64496", err);
    wire_add_u32(out, (uint32_t)asn);
    return 0;
}

static int
add_economy(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    struct economy economy = economy_find(text);

    if (text.n > 0 && economy.index == 0)
        return fail(input, ERR_BAD_VALUE, text, "an economy's two letters, such as FI", err);
    wire_add_u16(out, economy.index);
    return 0;
}

static int
add_class(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    enum classification class = classification_find(text);

    if (text.n > 0 && class == CLASSIFICATION_UNKNOWN)
        return fail(input, ERR_UNKNOWN_CLASS, text,
            "a type of the reference taxonomy, such as scanner", err);
    wire_add_u16(out, (uint16_t) class);
    return 0;
}

static int
add_effect(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    int effect = text.n == 0 ? -1 : effect_find(text);

    if (text.n > 0 && effect < 0)
        return fail(input, ERR_BAD_VALUE, text, "one of release, hold, withhold", err);
    wire_add_u8(out, (uint8_t)(effect + 1));
    return 0;
}

static int
add_kind(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    static const char *const words[] = {
        "",
#define PRINCIPAL(name, word, column, text) word,
#include "tables/principals.def"
#undef PRINCIPAL
    };

    for (unsigned i = 0; i < PRINCIPAL_KIND_COUNT; i++)
        if (span_equal(text, span_of(words[i]))) {
            wire_add_u8(out, (uint8_t)i);
            return 0;
        }
    return fail(
        input, ERR_BAD_VALUE, text, "one of operator, officer, analyst, reader, partner", err);
}

static int
add_state(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    static const char *const words[] = {"waiting", "released", "refused"};

    for (unsigned i = 0; i < 3; i++)
        if (span_equal(text, span_of(words[i])) || text.n == 0) {
            wire_add_u8(out, (uint8_t)i);
            return 0;
        }
    return fail(input, ERR_BAD_VALUE, text, "one of waiting, released, refused", err);
}

static int
add_time(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    int64_t us = 0;
    int rc = text.n == 0 ? 0 : time_parse(text, &us, err);

    wire_add_i64(out, us);
    return name_field(input, rc, err);
}

static int
add_flag(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    bool yes = span_equal(text, SPAN("true"));

    if (text.n > 0 && !yes && !span_equal(text, SPAN("false")))
        return fail(input, ERR_BAD_VALUE, text, "true or false", err);
    wire_add_u8(out, text.n == 0 ? 2 : yes);
    return 0;
}

static int
add_number(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    uint64_t number = 0;

    if (text.n > 0 && (!span_u64(text, &number) || number == 0 || number > INT64_MAX))
        return fail(input, ERR_BAD_NUMBER, text, "a number from 1", err);
    if (input->type == API_TYPE_NUMBERS)
        wire_add_u32(out, 1);
    wire_add_u64(out, number);
    return 0;
}

static int
add_limit(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    uint64_t limit = API_LIMIT_DEFAULT;

    if (text.n > 0 && (!span_u64(text, &limit) || limit == 0 || limit > input->most))
        return err_set_field(err, ERR_BAD_NUMBER, input->name, strlen(input->name),
            "\"%.*s\" is not a number from 1 to %u", SPAN_ARGS(text), input->most);
    wire_add_u32(out, (uint32_t)limit);
    return 0;
}

static int
add_constant(const struct api_input *input, struct span text, struct buf *out, struct err *err)
{
    (void)text;
    (void)err;
    wire_add_u8(out, (uint8_t)input->most);
    return 0;
}

static int (*const adders[API_TYPE_COUNT])(
    const struct api_input *, struct span, struct buf *, struct err *) = {
    [API_TYPE_TEXT] = add_text,
    [API_TYPE_SECRET] = add_text,
    [API_TYPE_ADDRESS] = add_address,
    [API_TYPE_NAME] = add_name,
    [API_TYPE_ASN] = add_asn,
    [API_TYPE_ECONOMY] = add_economy,
    [API_TYPE_CLASS] = add_class,
    [API_TYPE_EFFECT] = add_effect,
    [API_TYPE_KIND] = add_kind,
    [API_TYPE_STATE] = add_state,
    [API_TYPE_TIME] = add_time,
    [API_TYPE_FLAG] = add_flag,
    [API_TYPE_NUMBER] = add_number,
    [API_TYPE_NUMBERS] = add_number,
    [API_TYPE_LIMIT] = add_limit,
    [API_TYPE_CURSOR] = add_text,
    [API_TYPE_CONSTANT] = add_constant,
};

/* ---- members of the body ---- */

static int
bad_type(const struct api_input *input, const char *right, struct err *err)
{
    return err_set_field(err, ERR_BAD_TYPE, input->name, strlen(input->name), "must be %s", right);
}

static int
add_list(const struct api_input *input, struct json_value list, struct buf *out, struct err *err)
{
    struct buf numbers = buf_new((size_t)input->most * sizeof(uint64_t));
    struct json_value item;
    struct span key;
    uint32_t count = 0;
    int rc = 0;

    if (json_type(list) != JSON_ARRAY)
        return bad_type(input, "an array of numbers", err);
    struct json_iter it = json_iter(list);
    while (rc == 0 && json_next(&it, &key, &item)) {
        if (json_type(item) != JSON_INT || json_int(item) <= 0)
            rc = bad_type(input, "an array of numbers from 1", err);
        else if (++count > input->most)
            rc = err_set_field(err, ERR_LIMIT, input->name, strlen(input->name),
                "more than %u numbers", input->most);
        else
            wire_add_u64(&numbers, (uint64_t)json_int(item));
    }
    if (rc == 0 && count == 0)
        rc = err_set_field(
            err, ERR_MISSING_FIELD, input->name, strlen(input->name), "name one at least");
    wire_add_u32(out, count);
    buf_add(out, numbers.p, numbers.n);
    buf_free(&numbers);
    return rc;
}

static int
add_member(const struct api_input *input, struct json_value value, struct buf *out, struct err *err)
{
    enum json_type type = json_type(value);

    if (input->type == API_TYPE_NUMBERS)
        return add_list(input, value, out, err);
    if (input->type == API_TYPE_FLAG && (type == JSON_TRUE || type == JSON_FALSE))
        return add_flag(input, type == JSON_TRUE ? SPAN("true") : SPAN("false"), out, err);
    if (input->type == API_TYPE_FLAG)
        return bad_type(input, "true or false", err);
    if (input->type == API_TYPE_NUMBER && (type != JSON_INT || json_int(value) <= 0))
        return bad_type(input, "a number from 1", err);
    if (input->type == API_TYPE_NUMBER) {
        wire_add_u64(out, (uint64_t)json_int(value));
        return 0;
    }
    if (type != JSON_STRING)
        return bad_type(input, "a text", err);
    if (input->required && json_string(value).n == 0)
        return err_set_field(
            err, ERR_MISSING_FIELD, input->name, strlen(input->name), "must not be empty");
    return adders[input->type](input, json_string(value), out, err);
}

int
api_value(
    const struct api_input *input, const struct api_given *given, struct buf *out, struct err *err)
{
    bool null = given->json && json_type(given->value) == JSON_NULL;

    if (given->is && given->json && !null)
        return add_member(input, given->value, out, err);
    struct span text = given->is && !null ? given->text : (struct span){NULL, 0};
    if (input->required && text.n == 0 && input->type != API_TYPE_CONSTANT)
        return err_set_field(
            err, ERR_MISSING_FIELD, input->name, strlen(input->name), "must be given");
    return adders[input->type](input, text, out, err);
}
