#include "fmt/stix_receipt.h"

#include "base/time.h"
#include "fmt/stix_batch.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"

#define DEFINED "2026-01-01T00:00:00.000Z"

/* Of one batch one recipient has one receipt, whatever it says. */
static void
name(struct stix_id *out, const struct stix_receipt *receipt)
{
    struct buf text = buf_new(4096);

    buf_format(&text, "receipt %.*s %.*s", SPAN_ARGS(receipt->batch), SPAN_ARGS(receipt->origin));
    stix_id_make(out, STIX_RECEIPT_TYPE, STIX_ID_OWN, buf_span(&text));
    buf_free(&text);
}

void
stix_receipt_write(struct buf *out, const struct stix_receipt *receipt)
{
    struct stix_id origin;
    struct stix_id id;
    char made[TIME_TEXT_BYTES];
    char said[TIME_TEXT_BYTES];
    int made_n = (int)time_format_ms(receipt->made_us, made);
    int said_n = (int)time_format_ms(receipt->said_us, said);

    name(&id, receipt);
    stix_id_make(&origin, "identity", STIX_ID_OWN, receipt->origin);
    buf_format(out,
        ",\n{\"type\":\"" STIX_RECEIPT_TYPE "\",\"spec_version\":\"2.1\",\"id\":\"%.*s\","
        "\"created_by_ref\":\"%.*s\",\"created\":\"%.*s\",\"modified\":\"%.*s\",",
        (int)id.n, id.text, (int)origin.n, origin.text, made_n, made, said_n, said);
    buf_format(out,
        "\"extensions\":{\"" STIX_COMITY_RECEIPT "\":{\"extension_type\":\"new-sdo\"}},"
        "\"batch_ref\":\"" STIX_BATCH_TYPE "--%.*s\",\"stored\":%llu,\"duplicate\":%llu,"
        "\"rejected\":%llu,\"note\":",
        SPAN_ARGS(receipt->batch), (unsigned long long)receipt->stored,
        (unsigned long long)receipt->duplicate, (unsigned long long)receipt->rejected);
    json_add_string(out, receipt->note);
    buf_add_char(out, '}');
}

void
stix_receipt_write_definition(struct buf *out)
{
    buf_add_text(out,
        ",\n{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":"
        "\"" STIX_COMITY_RECEIPT "\",\"created_by_ref\":\"" STIX_COMITY_IDENTITY
        "\",\"created\":\"" DEFINED "\",\"modified\":\"" DEFINED
        "\",\"name\":\"Comity receipt\",\"description\":\"What a "
        "recipient says, and signed, of a batch that it got.\","
        "\"schema\":\"comity-receipt.json, in share/schema of Comity\",\"version\":\"1.0.0\","
        "\"extension_types\":[\"new-sdo\"]}");
}

/* Not given: 0. */
static int
read_count(struct json_value object, const char *member, uint64_t *out, struct err *err)
{
    struct json_value v;

    *out = 0;
    if (!json_get(object, member, &v))
        return 0;
    if (json_type(v) != JSON_INT || json_int(v) < 0 || json_int(v) > UINT32_MAX)
        return err_set_field(err, ERR_BAD_NUMBER, member, strlen(member),
            "%s: a number of reports is wanted", member);
    *out = (uint64_t)json_int(v);
    return 0;
}

int
stix_receipt_read(struct json_value object, struct stix_receipt *out, struct err *err)
{
    struct json_value v;

    *out = (struct stix_receipt){.made_us = 0};
    if (!json_get(object, "note", &v))
        return err_set_field(err, ERR_MISSING_FIELD, "note", 4, "note: the member is required");
    if (json_type(v) != JSON_STRING)
        return err_set_field(err, ERR_BAD_TYPE, "note", 4, "note: a text is wanted");
    out->note = json_string(v);
    int rc = read_count(object, "stored", &out->stored, err);
    if (rc == 0)
        rc = read_count(object, "duplicate", &out->duplicate, err);
    return rc == 0 ? read_count(object, "rejected", &out->rejected, err) : rc;
}
