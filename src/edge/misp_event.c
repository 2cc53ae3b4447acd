#include "edge/misp_event.h"
#include "base/hash.h"
#include "base/time.h"
#include "fmt/json.h"
#include "fmt/reader.h"
#include "fmt/stix_id.h"

#include <nettle/md5.h>
#include <stdlib.h>

enum { KEY_BYTES = 8192, VALUES_MAX = 200000, VALUES_BYTES = 64 << 20 };
#define UUID_SEED UINT64_C(0x636f6d6974790003)
#define SECOND_US INT64_C(1000000)

/* ---- UUIDs of events (RFC 9562, section 5.8) ---- */

static void
put_hex(char **at, uint64_t value, int digits)
{
    static const char hex[] = "0123456789abcdef";

    for (int i = digits - 1; i >= 0; i--)
        *(*at)++ = hex[value >> (4 * i) & 15];
}

void
misp_event_uuid(struct span collection, int64_t first_us, char out[MISP_UUID_BYTES])
{
    uint64_t first = (uint64_t)first_us & ((UINT64_C(1) << 60) - 1);
    uint64_t mark = hash_bytes(collection.p, collection.n, first ^ UUID_SEED);

    put_hex(&out, first >> 28, 8);
    *out++ = '-';
    put_hex(&out, first >> 12, 4);
    *out++ = '-';
    put_hex(&out, 0x8000 | (first & 0xfff), 4);
    *out++ = '-';
    put_hex(&out, 0x8000 | (mark >> 48 & 0x3fff), 4);
    *out++ = '-';
    put_hex(&out, mark & 0xffffffffffff, 12);
}

bool
misp_event_first(struct span uuid, struct span collection, int64_t *first_us)
{
    static const uint8_t digits[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17};
    char own[MISP_UUID_BYTES];
    uint64_t first = 0;

    if (uuid.n != MISP_UUID_BYTES || uuid.p[14] != '8')
        return false;
    for (size_t i = 0; i < sizeof digits; i++) {
        char c = uuid.p[digits[i]];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
            : c >= 'a' && c <= 'f'            ? (unsigned)(c - 'a' + 10)
            : c >= 'A' && c <= 'F'            ? (unsigned)(c - 'A' + 10)
                                              : 16;
        if (digit > 15)
            return false;
        first = first << 4 | digit;
    }
    *first_us = (int64_t)first;
    if (collection.n == 0)
        return true;
    misp_event_uuid(collection, *first_us, own);
    return span_equal_nocase(uuid, (struct span){own, sizeof own});
}

/* ---- the head ---- */

static void
add_text(struct buf *out, const char *name, struct span text)
{
    buf_format(out, "\"%s\":", name);
    json_add_string(out, text);
}

static void
add_date(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];

    (void)time_format_us(us, text);
    buf_add(out, text, 10);
}

void
misp_event_head(struct buf *out, const struct feed_about *about, int64_t first_us, int64_t last_us)
{
    char uuid[STIX_UUID_BYTES];

    stix_id_uuid(STIX_ID_OWN, about->origin, uuid);
    buf_add_text(out, "\"Orgc\":{");
    add_text(out, "name", about->origin_name);
    buf_format(out, ",\"uuid\":\"%.*s\"},\"info\":\"Reports for ", (int)sizeof uuid, uuid);
    buf_add_span(out, about->team); /* letters, digits, '-', '.', '_' */
    buf_add_text(out, " of ");
    add_date(out, first_us);
    buf_add_text(out, "\",\"date\":\"");
    add_date(out, first_us);
    /* As MISP writes them: numbers as texts; undefined threat, complete analysis. */
    buf_format(out, "\",\"analysis\":\"2\",\"threat_level_id\":\"4\",\"timestamp\":\"%lld\"",
        (long long)(last_us / SECOND_US));
}

/* ---- values of reports ---- */

static const struct {
    enum field_id field;
    const char *type;
    const char *category;
    const char *what;
} mapped[] = {
#define MISP(field, type, category, what) {FIELD_##field, type, category, what},
#include "tables/misp.def"
#undef MISP
};
enum { MAPPED = sizeof mapped / sizeof mapped[0] };

struct writing {
    const struct misp_event *event;
    char uuid[MISP_UUID_BYTES];
    struct buf *out;
    struct table *seen; /* type and value */
    struct arena *keys;
    uint64_t count;
    enum tlp strictest;
    bool deleting; /* the second time: what was taken back */
    bool (*put)(struct writing *w, const struct report *report, size_t i, struct span value);
};

/* Is that the first attribute of this type with this value? Beyond what is kept: yes. */
static bool
is_new(struct writing *w, size_t i, struct span value, struct span *key)
{
    size_t n = strlen(mapped[i].type);
    char *text = value.n > KEY_BYTES ? NULL : arena_alloc(w->keys, n + 1 + value.n);
    uint32_t index;
    struct err err;

    *key = value;
    if (text == NULL)
        return true;
    memcpy(text, mapped[i].type, n);
    text[n] = ' ';
    memcpy(text + n + 1, value.p, value.n);
    *key = (struct span){text, n + 1 + value.n};
    if (table_find(w->seen, *key) >= 0)
        return false;
    (void)!table_add(w->seen, *key, &index, &err); /* full: some come twice */
    return true;
}

static const char *const tlp_colours[TLP_COUNT] = {
    [TLP_UNKNOWN] = "#cccccc",
    [TLP_CLEAR] = "#ffffff",
    [TLP_GREEN] = "#33ff00",
    [TLP_AMBER] = "#ffc000",
    [TLP_AMBER_STRICT] = "#ffc000",
    [TLP_RED] = "#ff2b2b",
};

static void
add_tlp(struct buf *out, enum tlp tlp)
{
    buf_format(out, "{\"name\":\"tlp:%s\",\"colour\":\"%s\",\"exportable\":true,\"local\":false}",
        tlp_word(tlp), tlp_colours[tlp]);
}

static void
add_tags(struct buf *out, const struct report *report)
{
    enum classification c = (enum classification)report->classification;

    buf_add_text(out, "\"Tag\":[");
    if (report->tlp != TLP_UNKNOWN)
        add_tlp(out, (enum tlp)report->tlp);
    if (c != CLASSIFICATION_UNKNOWN) {
        buf_add_text(out, report->tlp != TLP_UNKNOWN ? "," : "");
        buf_format(out,
            "{\"name\":\"rsit:%s=\\\"%s\\\"\",\"colour\":\"#5b6f8f\",\"exportable\":true,"
            "\"local\":false}",
            classification_taxonomy(c), classification_type(c));
    }
    buf_add_char(out, ']');
}

static void
add_comment(struct buf *out, const struct report *report, size_t i)
{
    struct buf text = buf_new(2048);
    struct span malware = report_text(report, FIELD_MALWARE_NAME);
    struct span provider = report->provider;

    buf_add_text(&text, mapped[i].what);
    if (report->classification != CLASSIFICATION_UNKNOWN)
        buf_format(&text, ", %s", classification_type((enum classification)report->classification));
    if (malware.n > 0)
        buf_format(&text, ", %.*s", SPAN_ARGS(malware));
    if (provider.n > 0)
        buf_format(&text, ", by %.*s", SPAN_ARGS(provider));
    add_text(out, "comment", buf_span(&text));
    buf_free(&text);
}

static void
add_seen(struct buf *out, const struct report *report)
{
    char text[TIME_TEXT_BYTES];

    if (report->time_us == 0)
        return;
    size_t n = time_format(report->time_us, "+00:00", text);
    buf_format(out, ",\"first_seen\":\"%.*s\",\"last_seen\":\"%.*s\"", (int)n, text, (int)n, text);
}

/* The event's own time moves on, so that those who have it fetch it again. */
static int64_t
changed_us(const struct misp_event *event)
{
    return event->changed_us > event->last_us ? event->changed_us : event->last_us;
}

static bool
put_attribute(struct writing *w, const struct report *report, size_t i, struct span value)
{
    struct buf *out = w->out;
    struct span key;
    char uuid[STIX_UUID_BYTES];

    if (!is_new(w, i, value, &key))
        return false;
    struct buf name = buf_new(KEY_BYTES * 2);
    buf_add(&name, w->uuid, sizeof w->uuid);
    buf_add_span(&name, key);
    stix_id_uuid(STIX_ID_OWN, buf_span(&name), uuid);
    buf_free(&name);
    buf_add_text(out, w->count++ == 0 ? "{" : ",{");
    buf_format(out,
        "\"uuid\":\"%.*s\",\"type\":\"%s\",\"category\":\"%s\",\"to_ids\":false,"
        "\"distribution\":\"5\",\"timestamp\":\"%lld\",\"deleted\":%s,"
        "\"disable_correlation\":false,",
        (int)sizeof uuid, uuid, mapped[i].type, mapped[i].category,
        (long long)((w->deleting ? changed_us(w->event) : w->event->last_us) / SECOND_US),
        w->deleting ? "true" : "false");
    add_text(out, "value", value);
    buf_add_char(out, ',');
    add_comment(out, report, i);
    add_seen(out, report);
    buf_add_char(out, ',');
    add_tags(out, report);
    buf_add_char(out, '}');
    return true;
}

static bool
put_hash(struct writing *w, const struct report *report, size_t i, struct span value)
{
    struct span key;
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    char text[2 * MD5_DIGEST_SIZE];
    char *at = text;

    (void)report;
    if (!is_new(w, i, value, &key))
        return false;
    md5_init(&md5);
    md5_update(&md5, value.n, (const uint8_t *)value.p);
    md5_digest(&md5, sizeof digest, digest);
    for (size_t k = 0; k < sizeof digest; k++)
        put_hex(&at, digest[k], 2);
    buf_add(w->out, text, sizeof text);
    buf_add_char(w->out, ',');
    buf_add(w->out, w->uuid, sizeof w->uuid);
    buf_add_char(w->out, '\n');
    return true;
}

static bool
is_recalled(const struct misp_event *event, const struct report *report)
{
    const struct field *id = report_other(report, SPAN(REPORT_ID_NAME));

    return event->recalled != NULL && id != NULL && id->type == VALUE_TEXT
        && table_find(event->recalled, (struct span){id->s, id->n}) >= 0;
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct writing *w = ctx;

    if (is_recalled(w->event, report) != w->deleting)
        return 0;
    for (size_t i = 0; i < MAPPED; i++) {
        const struct field *field = report_get(report, mapped[i].field);
        if (field != NULL && field->type == VALUE_TEXT && field->n > 0)
            (void)w->put(w, report, i, (struct span){field->s, field->n});
    }
    if (report->tlp > w->strictest)
        w->strictest = (enum tlp)report->tlp;
    return buf_check(w->out, "an event", err);
}

/* What this node released it can read; anything else is no report of the feed. */
static int
read_once(struct writing *w, struct err *err)
{
    const struct reader_sink sink = {.ctx = w, .report = on_report, .reject = reader_pass_over};
    const struct reader_options options = {.share_dir = ""};
    struct input *input = NULL;
    int rc = input_open_bytes(w->event->objects, "event", &input, err);

    if (rc == 0)
        rc = stix_read(input, &options, &sink, err);
    input_close(input);
    return rc;
}

/* What was taken back comes last: what another report says too stays. */
static int
read_all(struct writing *w, bool deleted_too, struct err *err)
{
    int rc = 0;

    w->seen = table_new(VALUES_MAX);
    w->keys = arena_new(VALUES_BYTES);
    misp_event_uuid(w->event->about.collection, w->event->first_us, w->uuid);
    if (w->seen == NULL || w->keys == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for an event");
    if (rc == 0)
        rc = read_once(w, err);
    w->deleting = deleted_too && w->event->recalled != NULL;
    if (rc == 0 && w->deleting)
        rc = read_once(w, err);
    table_free(w->seen);
    arena_free(w->keys);
    return rc;
}

int
misp_event_write(struct buf *out, const struct misp_event *event, struct err *err)
{
    struct writing w = {.event = event, .out = out, .put = put_attribute};

    misp_event_uuid(event->about.collection, event->first_us, w.uuid);
    buf_format(out, "{\"Event\":{\"uuid\":\"%.*s\",", (int)sizeof w.uuid, w.uuid);
    misp_event_head(out, &event->about, event->first_us, changed_us(event));
    buf_format(out,
        ",\"publish_timestamp\":\"%lld\",\"published\":true,\"distribution\":\"0\",\"Attribute\":[",
        (long long)(changed_us(event) / SECOND_US));
    int rc = read_all(&w, true, err);
    buf_add_text(out, "],\"Object\":[],\"EventReport\":[],\"Tag\":[");
    if (w.strictest != TLP_UNKNOWN)
        add_tlp(out, w.strictest);
    buf_add_text(out, "]}}");
    return rc == 0 ? buf_check(out, "an event", err) : rc;
}

int
misp_event_hashes(struct buf *out, const struct misp_event *event, struct err *err)
{
    struct writing w = {.event = event, .out = out, .put = put_hash};

    return read_all(&w, false, err);
}
