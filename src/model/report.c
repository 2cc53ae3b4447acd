#include "model/report.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "model/domain.h"
#include "model/url.h"

#include <math.h>

const struct field_row field_rows[FIELD_COUNT] = {
#define FIELD(name, idf, type, class)                                                              \
    [FIELD_##name] = {{idf, sizeof(idf) - 1}, FIELD_TYPE_##type, FIELD_CLASS_##class},
#include "tables/fields.def"
#undef FIELD
};

/* A perfect hash of the names: checked by test, found by trying multipliers. */
enum { SLOTS = 512 };

static uint32_t
slot_of(struct span name)
{
    uint64_t head = 0;
    uint64_t tail = 0;
    size_t n = name.n < 8 ? name.n : 8;

    memcpy(&head, name.p, n);
    memcpy(&tail, name.p + name.n - n, n);
    uint64_t mix =
        (head ^ (tail << 7) ^ (tail >> 3)) * 0x9e3779b97f4a7c15u + name.n * 0xff51afd7ed558ccdu;
    return (uint32_t)((mix ^ mix >> 29) * 0xbf58476d1ce4e5b9u >> 55);
}

static uint16_t slots[SLOTS]; /* field + 1; linear probing */

__attribute__((constructor)) static void
fill_slots(void)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        uint32_t at = slot_of(field_rows[i].name);
        while (slots[at] != 0)
            at = (at + 1) % SLOTS;
        slots[at] = (uint16_t)(i + 1);
    }
}

enum field_id
field_find(struct span name)
{
    if (name.n < 3)
        return FIELD_OTHER;
    for (uint32_t at = slot_of(name); slots[at] != 0; at = (at + 1) % SLOTS)
        if (span_equal(field_rows[slots[at] - 1].name, name))
            return (enum field_id)(slots[at] - 1);
    return FIELD_OTHER;
}

struct span
field_name(enum field_id id)
{
    return field_rows[id].name;
}

enum field_type
field_type(enum field_id id)
{
    return (enum field_type)field_rows[id].type;
}

enum field_class
field_class(enum field_id id)
{
    return (enum field_class)field_rows[id].class;
}

void
report_reset(struct report *report, struct field *fields, uint32_t room)
{
    mem_clear(report, sizeof *report);
    report->fields = fields;
    report->room = room;
}

int
report_add_failed(const struct report *report, const struct field *field, struct err *err)
{
    if (report->count >= report->room)
        return err_set(err, ERR_LIMIT, "more than %u fields in one report", report->room);
    return err_set_field(err, ERR_DUPLICATE_KEY, field->name.p, field->name.n,
        "the field is named twice; name it once");
}

int
report_add_text(struct report *report, enum field_id id, struct span text, struct err *err)
{
    struct field field = {.id = (uint16_t)id,
        .type = VALUE_TEXT,
        .n = (uint32_t)text.n,
        .s = text.p,
        .name = field_rows[id].name};

    return report_add(report, &field, err);
}

int
report_add_int(struct report *report, enum field_id id, int64_t value, struct err *err)
{
    struct field field = {
        .id = (uint16_t)id, .type = VALUE_INT, .i = value, .name = field_rows[id].name};

    return report_add(report, &field, err);
}

struct span
report_text(const struct report *report, enum field_id id)
{
    const struct field *field = report_get(report, id);

    if (field == NULL || field->type != VALUE_TEXT)
        return (struct span){NULL, 0};
    return (struct span){field->s, field->n};
}

/* Run a check on the text of a field and name the field if it fails. */
static int
fail_field(const struct field *field, int rc, struct err *err)
{
    if (rc != 0 && err != NULL) {
        struct err inner = *err;
        return err_set_field(err, (enum err_code)rc, field->name.p, field->name.n, "%s", inner.msg);
    }
    return rc;
}

static int
wrong_type(const struct field *field, const char *wanted, struct err *err)
{
    return err_set_field(
        err, ERR_BAD_TYPE, field->name.p, field->name.n, "this field must be %s", wanted);
}

static int
number_of(struct field *field, int64_t max, struct err *err)
{
    uint64_t value;

    if (field->type == VALUE_TEXT && span_u64((struct span){field->s, field->n}, &value)) {
        field->type = value <= INT64_MAX ? VALUE_INT : VALUE_UINT;
        field->u = value;
        field->n = 0;
    }
    if (field->type != VALUE_INT && field->type != VALUE_UINT)
        return wrong_type(field, "a whole number", err);
    if (field->type == VALUE_UINT || field->i < 0 || field->i > max)
        return err_set_field(err, ERR_BAD_NUMBER, field->name.p, field->name.n,
            "the number is outside 0 to %lld", (long long)max);
    return 0;
}

/* One side's parsed members. */
static struct endpoint *
side_of(struct report *report, uint16_t id)
{
    if (id >= FIELD_SOURCE_ABUSE_CONTACT && id <= FIELD_SOURCE_URLPATH)
        return &report->source;
    return id >= FIELD_DESTINATION_ABUSE_CONTACT && id <= FIELD_DESTINATION_URLPATH
        ? &report->destination
        : NULL;
}

static int
check_time(struct report *report, const struct field *field, struct err *err)
{
    int64_t us = 0;
    int rc = time_parse((struct span){field->s, field->n}, &us, err);

    if (rc == 0
        && (field->id == FIELD_TIME_SOURCE
            || (field->id == FIELD_TIME_OBSERVATION && report->at[FIELD_TIME_SOURCE] == 0)))
        report->time_us = us;
    return fail_field(field, rc, err);
}

static int
check_address(struct report *report, const struct field *field, struct err *err)
{
    struct address address;
    struct span text = {field->s, field->n};
    int rc = field_type(field->id) == FIELD_TYPE_IP ? address_parse(text, &address, err)
                                                    : prefix_parse(text, &address, err);
    struct endpoint *side = side_of(report, field->id);

    if (rc != 0)
        return fail_field(field, rc, err);
    if (field->id == FIELD_SOURCE_IP || field->id == FIELD_DESTINATION_IP)
        side->ip = address;
    else if (field->id == FIELD_SOURCE_NETWORK || field->id == FIELD_DESTINATION_NETWORK)
        side->network = address;
    return 0;
}

static int
check_asn(struct report *report, struct field *field, struct err *err)
{
    int rc = number_of(field, UINT32_MAX, err);

    if (rc == 0)
        side_of(report, field->id)->asn = (uint32_t)field->i;
    return rc;
}

static int
check_economy(struct report *report, const struct field *field, struct err *err)
{
    struct span text = {field->s, field->n};
    struct economy economy = economy_find(text);

    side_of(report, field->id)->geo = economy;
    return economy.index != 0 ? 0
                              : err_set_field(err, ERR_BAD_VALUE, field->name.p, field->name.n,
                                  "\"%.*s\" is no two-letter economy code", SPAN_ARGS(text));
}

static int
check_name(const struct field *field, struct err *err)
{
    struct span text = {field->s, field->n};
    struct span name = {text.p, text.n - (text.p[text.n - 1] == '.')};
    struct address address;

    if ((domain_look(name) & DOMAIN_SOUND) == 0)
        return err_set_field(err, ERR_BAD_NAME, field->name.p, field->name.n,
            "\"%.*s\" is no domain name", SPAN_ARGS(text));
    /* What is told of names must not be told of addresses by this door. */
    if ((unsigned)(name.p[name.n - 1] - '0') <= 9 && address_parse(name, &address, NULL) == 0)
        return err_set_field(err, ERR_BAD_NAME, field->name.p, field->name.n,
            "\"%.*s\" is an address and no name; there are fields for addresses", SPAN_ARGS(text));
    return 0;
}

/* Fields whose value is text with a form of its own. */
static int
check_form(struct report *report, struct field *field, enum field_type type, struct err *err)
{
    switch (type) {
    case FIELD_TYPE_IP:
    case FIELD_TYPE_PREFIX:
        return check_address(report, field, err);
    case FIELD_TYPE_TIME:
        return check_time(report, field, err);
    case FIELD_TYPE_ECONOMY:
        return check_economy(report, field, err);
    case FIELD_TYPE_NAME:
        return check_name(field, err);
    case FIELD_TYPE_TLP:
        report->tlp = (uint8_t)tlp_find((struct span){field->s, field->n});
        report->tlp_given = true;
        return 0;
    default:
        return 0;
    }
}

/* Most fields: some text, or a number that is in its range. */
static inline bool
is_usual(const struct field *field)
{
    enum field_type type = (enum field_type)field_rows[field->id].type;

    return (type == FIELD_TYPE_TEXT && field->type == VALUE_TEXT && field->n > 0)
        || (type == FIELD_TYPE_PORT && field->type == VALUE_INT && field->u <= UINT16_MAX);
}

static int
check_value(struct report *report, struct field *field, struct err *err)
{
    enum field_type type = (enum field_type)field_rows[field->id].type;

    switch (type) {
    case FIELD_TYPE_JSON:
        return 0;
    case FIELD_TYPE_PORT:
        return number_of(field, UINT16_MAX, err);
    case FIELD_TYPE_INT:
        return number_of(field, INT64_MAX, err);
    case FIELD_TYPE_ASN:
        return check_asn(report, field, err);
    case FIELD_TYPE_FLOAT:
    case FIELD_TYPE_BOOL:
        return field->type == VALUE_TEXT || field->type == VALUE_JSON
            ? wrong_type(field, "a number or truth value", err)
            : 0;
    default:
        break;
    }
    if (field->type != VALUE_TEXT)
        return wrong_type(field, "text", err);
    if (field->n == 0)
        return err_set_field(err, ERR_MISSING_FIELD, field->name.p, field->name.n,
            "the field is empty; leave it out instead");
    return type == FIELD_TYPE_TEXT ? 0 : check_form(report, field, type, err);
}

static void
fill_name(const struct report *report, struct endpoint *side, enum field_id fqdn,
    enum field_id reverse, enum field_id url)
{
    struct address literal;

    if ((report->at[fqdn] | report->at[reverse] | report->at[url]) == 0)
        return;
    side->name = report_text(report, fqdn);
    if (side->name.n == 0)
        side->name = report_text(report, reverse);
    if (side->name.n > 0)
        return;
    struct url parts;
    if (!url_split(report_text(report, url), &parts) || parts.host.n == 0)
        return;
    struct span host = parts.host;
    bool bracketed = host.n > 2 && host.p[0] == '[';
    if (bracketed)
        host = (struct span){host.p + 1, host.n - 2};
    bool address = address_parse(host, &literal, NULL) == 0;
    if (!address && !bracketed)
        side->name = host;
    if (address && side->ip.family == 0)
        side->ip = literal;
}

/* Names outside the table may not repeat either. */
enum { OTHERS_BITS = 1024 };

static int
check_others(const struct report *report, struct err *err)
{
    uint64_t seen[OTHERS_BITS / 64] = {0};

    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *a = &report->fields[i];
        if (a->id != FIELD_OTHER)
            continue;
        /* A filter by length and three letters; only what falls together is compared. */
        uint64_t bit = (a->name.n * 131 + (unsigned char)a->name.p[a->name.n - 1] * 37u
                           + (unsigned char)a->name.p[a->name.n / 2] * 7u
                           + (unsigned char)a->name.p[a->name.n * 3 / 4])
            % OTHERS_BITS;
        bool maybe = (seen[bit >> 6] >> (bit & 63) & 1) != 0;
        seen[bit >> 6] |= (uint64_t)1 << (bit & 63);
        for (uint32_t j = 0; maybe && j < i; j++)
            if (report->fields[j].id == FIELD_OTHER && span_equal(report->fields[j].name, a->name))
                return err_set_field(err, ERR_DUPLICATE_KEY, a->name.p, a->name.n,
                    "the field is named twice; name it once");
    }
    return 0;
}

int
report_finish(struct report *report, struct err *err)
{
    uint32_t others = 0;

    if (report->count == 0)
        return err_set(err, ERR_MISSING_FIELD, "the record has no field at all");
    for (uint32_t i = 0; i < report->count; i++) {
        struct field *field = &report->fields[i];
        if (field->id == FIELD_OTHER) {
            if (field->name.n == 0)
                return err_set(err, ERR_BAD_NAME, "a field has an empty name");
            others++;
        } else if (!is_usual(field)) {
            int rc = check_value(report, field, err);
            if (rc != 0)
                return rc;
        }
    }
    if (others > 1 && !report->names_differ) {
        int rc = check_others(report, err);
        if (rc != 0)
            return rc;
    }
    report->classification =
        (uint8_t)classification_find(report_text(report, FIELD_CLASSIFICATION_TYPE));
    report->provider = report_text(report, FIELD_FEED_PROVIDER);
    if (report->provider.n == 0)
        report->provider = report_text(report, FIELD_FEED_NAME);
    fill_name(
        report, &report->source, FIELD_SOURCE_FQDN, FIELD_SOURCE_REVERSE_DNS, FIELD_SOURCE_URL);
    fill_name(report, &report->destination, FIELD_DESTINATION_FQDN, FIELD_DESTINATION_REVERSE_DNS,
        FIELD_DESTINATION_URL);
    return 0;
}

static bool has_digest_secret; /* report_digest_seed was called */
static uint64_t digest_secret;

void
report_digest_seed(uint64_t secret)
{
    digest_secret = secret;
    has_digest_secret = true;
}

static inline uint64_t
digest_seed(void)
{
    return has_digest_secret ? digest_secret : hash_secret();
}

/* What a field adds to the digest. A sum of these does not depend on their order. */
static inline uint64_t
digest_field(const struct field *field, uint64_t seed)
{
    uint64_t k = seed + (field->id + 1u) * 0xbf58476d1ce4e5b9u + ((uint64_t)field->type << 56);

    if (field->id == FIELD_OTHER)
        k += hash_short(field->name.p, field->name.n, seed);
    if (field->type == VALUE_TEXT || field->type == VALUE_JSON)
        return hash_short(field->s, field->n, k);
    return hash_fold(field->type == VALUE_BOOL ? (uint64_t)field->b : field->u, 0, k);
}

/* Says when or how the report came, not what it claims. */
static inline bool
is_of_the_way(enum field_id id)
{
    return id == FIELD_TIME_OBSERVATION || id == FIELD_RAW || id == FIELD_EVENT_HASH;
}

uint64_t
report_digest_of(uint64_t sum, uint32_t number)
{
    return hash_fold(sum, number, digest_seed());
}

bool
report_digest_part(const struct field *field, uint64_t *part, uint32_t *number)
{
    bool claim = !is_of_the_way((enum field_id)field->id);

    *number = claim;
    *part = claim ? digest_field(field, digest_seed()) : 0;
    if (field->id == FIELD_OTHER || field->type != VALUE_TEXT)
        return true;
    /* Texts that are to be numbers become such. */
    enum field_type type = (enum field_type)field_rows[field->id].type;
    return type != FIELD_TYPE_PORT && type != FIELD_TYPE_INT && type != FIELD_TYPE_ASN;
}

uint64_t
report_digest(const struct report *report)
{
    const uint64_t seed = digest_seed();
    uint64_t sum = 0;
    uint32_t number = 0;

    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        if (is_of_the_way((enum field_id)field->id))
            continue;
        sum += digest_field(field, seed);
        number++;
    }
    return report_digest_of(sum, number);
}
