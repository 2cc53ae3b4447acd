#include "fmt/stix_map.h"

#include "fmt/input.h"

int
stix_map_text(struct report *report, enum field_id id, struct span text, struct err *err)
{
    const struct field *old = report_get(report, id);

    if (text.n == 0)
        return 0;
    if (old == NULL)
        return report_add_text(report, id, text, err);
    return old->type == VALUE_TEXT && span_equal((struct span){old->s, old->n}, text)
        ? 0
        : STIX_MAP_WHOLE;
}

int
stix_map_int(struct report *report, enum field_id id, int64_t value, struct err *err)
{
    const struct field *old = report_get(report, id);

    if (old == NULL)
        return report_add_int(report, id, value, err);
    return old->type == VALUE_INT && old->i == value ? 0 : STIX_MAP_WHOLE;
}

static int
json_field(struct arena *scratch, struct field *field, struct json_value value, struct err *err)
{
    struct buf text = buf_new(INPUT_LINE_MAX);

    json_add_value(&text, value);
    int rc = buf_check(&text, "a nested value", err);
    field->type = VALUE_JSON;
    field->n = (uint32_t)text.n;
    field->s = rc == 0 ? arena_copy(scratch, text.p, text.n) : NULL;
    buf_free(&text);
    return rc == 0 && field->s == NULL ? arena_full(err, "an object's nested values") : rc;
}

static int
fill_field(struct arena *scratch, struct field *field, struct json_value value, struct err *err)
{
    struct span text;

    switch (json_type(value)) {
    case JSON_STRING:
        text = json_string(value);
        field->type = VALUE_TEXT;
        field->s = text.p;
        field->n = (uint32_t)text.n;
        return 0;
    case JSON_INT:
        field->type = VALUE_INT;
        field->i = json_int(value);
        return 0;
    case JSON_UINT:
        field->type = VALUE_UINT;
        field->u = json_uint(value);
        return 0;
    case JSON_FLOAT:
        field->type = VALUE_FLOAT;
        field->d = json_float(value);
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        field->type = VALUE_BOOL;
        field->b = json_type(value) == JSON_TRUE;
        return 0;
    default:
        return json_field(scratch, field, value, err);
    }
}

static bool
same_value(const struct field *a, const struct field *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == VALUE_TEXT || a->type == VALUE_JSON)
        return span_equal((struct span){a->s, a->n}, (struct span){b->s, b->n});
    return a->type == VALUE_BOOL ? a->b == b->b : a->u == b->u;
}

int
stix_map_value(struct report *report, struct arena *scratch, struct span name,
    struct json_value value, struct err *err)
{
    struct field field = {
        .id = (uint16_t)field_find(name), .class = FIELD_CLASS_TEXT, .name = name};
    int rc = fill_field(scratch, &field, value, err);

    if (rc != 0)
        return rc;
    if (field.id != FIELD_OTHER && report_get(report, (enum field_id)field.id) != NULL)
        return same_value(report_get(report, (enum field_id)field.id), &field) ? 0 : STIX_MAP_WHOLE;
    return report_add(report, &field, err);
}

struct span
stix_map_name(struct arena *scratch, const char *prefix, struct span name)
{
    size_t n = strlen(prefix);
    char *out = arena_alloc(scratch, n + name.n);

    if (out == NULL)
        return (struct span){NULL, 0};
    memcpy(out, prefix, n);
    if (name.n > 0)
        memcpy(out + n, name.p, name.n);
    return (struct span){out, n + name.n};
}

int
stix_map_address(struct report *report, bool destination, struct span text, struct err *err)
{
    const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
    struct span bits = {NULL, 0};

    if (slash != NULL)
        bits = (struct span){slash, (size_t)(text.p + text.n - slash)};
    bool v6 = text.n > 0 && memchr(text.p, ':', text.n) != NULL;
    if (span_equal(bits, v6 ? SPAN("/128") : SPAN("/32"))) {
        text.n -= bits.n;
        bits.n = 0;
    }
    if (bits.n > 0)
        return stix_map_text(
            report, destination ? FIELD_DESTINATION_NETWORK : FIELD_SOURCE_NETWORK, text, err);
    return stix_map_text(report, destination ? FIELD_DESTINATION_IP : FIELD_SOURCE_IP, text, err);
}

static struct stix_sco *
find(const struct stix_map_scos *scos, struct span id)
{
    for (size_t i = 0; id.n > 0 && i < scos->count; i++)
        if (span_equal(scos->at[i]->id, id))
            return scos->at[i];
    return NULL;
}

/* Which observables are which end of the connection, if there is one. */
struct ends {
    const struct stix_sco *traffic;
    const struct stix_sco *src;
    const struct stix_sco *dst;
};

static int
map_protocols(struct report *report, const struct stix_sco *traffic, struct err *err)
{
    static const struct span network[] = {{"ipv4", 4}, {"ipv6", 4}, {"ip", 2}};
    static const struct span transport[] = {
        {"tcp", 3}, {"udp", 3}, {"icmp", 4}, {"sctp", 4}, {"ipv6-icmp", 9}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < 4 && traffic->protocols[i].n > 0; i++) {
        struct span word = traffic->protocols[i];
        bool is_transport = false;
        bool is_network = false;
        for (size_t k = 0; k < sizeof transport / sizeof transport[0]; k++)
            is_transport = is_transport || span_equal_nocase(word, transport[k]);
        for (size_t k = 0; k < sizeof network / sizeof network[0]; k++)
            is_network = is_network || span_equal_nocase(word, network[k]);
        if (!is_network)
            rc = stix_map_text(report,
                is_transport ? FIELD_PROTOCOL_TRANSPORT : FIELD_PROTOCOL_APPLICATION, word, err);
    }
    return rc;
}

static int
map_traffic(struct report *report, const struct stix_sco *traffic, struct err *err)
{
    int rc = map_protocols(report, traffic, err);

    if (rc == 0 && traffic->src_port >= 0)
        rc = stix_map_int(report, FIELD_SOURCE_PORT, traffic->src_port, err);
    if (rc == 0 && traffic->dst_port >= 0)
        rc = stix_map_int(report, FIELD_DESTINATION_PORT, traffic->dst_port, err);
    return rc;
}

static int
map_file(struct report *report, const struct stix_sco *file, struct err *err)
{
    static const enum field_id fields[SCO_HASHES] = {
        FIELD_MALWARE_MD5, FIELD_MALWARE_SHA1, FIELD_MALWARE_SHA256, FIELD_MALWARE_HASH};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < SCO_HASHES; i++)
        rc = stix_map_text(report, fields[i], file->hashes[i], err);
    return rc;
}

/* A name beside the address that it resolves to belongs to that end. */
static bool
is_destination(
    const struct ends *ends, const struct stix_map_scos *scos, const struct stix_sco *sco)
{
    if (ends->dst == NULL)
        return false;
    if (sco == ends->dst)
        return true;
    if (sco->type == SCO_DOMAIN)
        return find(scos, sco->src) == ends->dst;
    return sco->type == SCO_ASN && find(scos, ends->dst->src) == sco
        && !(ends->src != NULL && find(scos, ends->src->src) == sco);
}

static int
map_other(struct report *report, struct span name, struct span value, struct err *err)
{
    struct field field = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .class = FIELD_CLASS_DEVICE,
        .name = name,
        .s = value.p,
        .n = (uint32_t)value.n};

    for (uint32_t i = 0; i < report->count; i++)
        if (span_equal(report->fields[i].name, name))
            return STIX_MAP_WHOLE;
    return value.n == 0 ? 0 : report_add(report, &field, err);
}

static int
map_sco(struct report *report, const struct stix_sco *sco, bool destination, struct err *err)
{
    switch (sco->type) {
    case SCO_ADDRESS:
        return stix_map_address(report, destination, sco->value, err);
    case SCO_DOMAIN:
        return stix_map_text(
            report, destination ? FIELD_DESTINATION_FQDN : FIELD_SOURCE_FQDN, sco->value, err);
    case SCO_URL:
        return stix_map_text(report, FIELD_SOURCE_URL, sco->value, err);
    case SCO_ASN:
        return stix_map_int(
            report, destination ? FIELD_DESTINATION_ASN : FIELD_SOURCE_ASN, sco->number, err);
    case SCO_EMAIL:
    case SCO_ACCOUNT:
        return stix_map_text(report, FIELD_SOURCE_ACCOUNT, sco->value, err);
    case SCO_MAC:
        return map_other(report, SPAN("extra.mac_address"), sco->value, err);
    case SCO_FILE: {
        int rc = map_file(report, sco, err);
        return rc != 0 ? rc : map_other(report, SPAN("extra.file_name"), sco->value, err);
    }
    case SCO_TRAFFIC:
        return map_traffic(report, sco, err);
    default:
        return STIX_MAP_WHOLE;
    }
}

int
stix_map_scos(struct report *report, const struct stix_map_scos *scos, struct err *err)
{
    struct ends ends = {NULL, NULL, NULL};
    int rc = 0;

    for (size_t i = 0; i < scos->count; i++) {
        const struct stix_sco *sco = scos->at[i];
        if (sco->more || (sco->type == SCO_TRAFFIC && ends.traffic != NULL))
            return STIX_MAP_WHOLE;
        if (sco->type == SCO_TRAFFIC)
            ends = (struct ends){sco, find(scos, sco->src), find(scos, sco->dst)};
    }
    for (size_t i = 0; rc == 0 && i < scos->count; i++)
        rc = map_sco(report, scos->at[i], is_destination(&ends, scos, scos->at[i]), err);
    return rc;
}

static const struct {
    struct span path;
    enum field_id field;
    bool is_number;
} paths[] = {
#define PATH(text, field, number) {{text, sizeof(text) - 1}, FIELD_##field, number},
    PATH("domain-name:value", SOURCE_FQDN, false) PATH("hostname:value", SOURCE_FQDN, false) PATH(
        "url:value", SOURCE_URL, false) PATH("email-addr:value", SOURCE_ACCOUNT, false)
        PATH("email-message:from_ref.value", SOURCE_ACCOUNT, false) PATH(
            "email-message:sender_ref.value", SOURCE_ACCOUNT, false)
            PATH("user-account:account_login", SOURCE_ACCOUNT, false) PATH(
                "file:hashes.MD5", MALWARE_MD5, false) PATH("file:hashes.md5", MALWARE_MD5, false)
                PATH("file:hashes.SHA-1", MALWARE_SHA1, false) PATH("file:hashes.SHA1",
                    MALWARE_SHA1, false) PATH("file:hashes.sha1", MALWARE_SHA1, false)
                    PATH("file:hashes.SHA-256", MALWARE_SHA256, false) PATH("file:hashes.SHA256",
                        MALWARE_SHA256, false) PATH("file:hashes.sha256", MALWARE_SHA256, false)
                        PATH("file:hashes.SHA-512", MALWARE_HASH, false) PATH("file:hashes.SHA512",
                            MALWARE_HASH, false) PATH("autonomous-system:number", SOURCE_ASN, true)
                            PATH("network-traffic:src_port", SOURCE_PORT, true)
                                PATH("network-traffic:dst_port", DESTINATION_PORT, true)
#undef PATH
};

static int
map_number(struct report *report, enum field_id id, struct span text, struct err *err)
{
    uint64_t value;

    if (span_u64(text, &value) && value <= INT64_MAX)
        return stix_map_int(report, id, (int64_t)value, err);
    return err_set_field(err, ERR_BAD_NUMBER, "pattern", 7,
        "\"%.*s\" in the pattern must be a whole number", SPAN_ARGS(text));
}

static int
map_term(struct report *report, const struct pattern_term *term, struct err *err)
{
    struct span path = term->path;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (span_equal(path, paths[i].path))
            return paths[i].is_number ? map_number(report, paths[i].field, term->text, err)
                                      : stix_map_text(report, paths[i].field, term->text, err);
    if (span_equal(path, SPAN("ipv4-addr:value")) || span_equal(path, SPAN("ipv6-addr:value"))
        || span_equal(path, SPAN("network-traffic:src_ref.value")))
        return stix_map_address(report, false, term->text, err);
    if (span_equal(path, SPAN("network-traffic:dst_ref.value"))) {
        struct address address;
        return prefix_parse(term->text, &address, NULL) == 0
            ? stix_map_address(report, true, term->text, err)
            : stix_map_text(report, FIELD_DESTINATION_FQDN, term->text, err);
    }
    if (span_equal(path, SPAN("network-traffic:dst_ref.type"))
        || span_equal(path, SPAN("network-traffic:src_ref.type")))
        return 0;
    return span_equal(path, SPAN("file:name"))
        ? map_other(report, SPAN("extra.file_name"), term->text, err)
        : STIX_MAP_WHOLE;
}

int
stix_map_choice(struct report *report, const struct pattern_choice *choice, struct err *err)
{
    int rc = 0;

    for (const struct pattern_term *term = choice->terms; rc == 0 && term != NULL;
         term = term->next)
        rc = map_term(report, term, err);
    return rc;
}
