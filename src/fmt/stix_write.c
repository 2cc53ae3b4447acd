/* STIX 2.1: each report as observables and one observed-data, or a note when no observable is
 * left. What observables cannot say stands in Comity's property extension, so that reading
 * it back gives the same report. */
#include "base/time.h"
#include "fmt/json.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"
#include "fmt/writer.h"

/* 2026-01-01: created when the report's own time may not say it. */
#define DEFINED_US INT64_C(1767225600000000)

enum { REFS_MAX = 16 };

/* One end of a connection: what it is called in STIX. */
struct end {
    const struct stix_id *id; /* its address, else its name; NULL: nothing */
    const char *family;       /* "ipv4", "ipv6"; NULL: a name */
};

struct writing {
    struct buf *out;
    const struct redacted *redacted;
    struct stix_id refs[REFS_MAX];
    size_t ref_count;
    bool said[FIELD_COUNT]; /* fields that need not stand in the extension */
};

static struct span
value_of(const struct writing *w, enum field_id id)
{
    const struct field *field = redacted_get(w->redacted, id);

    if (field == NULL || field->type != VALUE_TEXT)
        return (struct span){NULL, 0};
    return (struct span){field->s, field->n};
}

/* A number's value, or -1. */
static int64_t
number_of(const struct writing *w, enum field_id id)
{
    const struct field *field = redacted_get(w->redacted, id);

    return field == NULL || field->type != VALUE_INT ? -1 : field->i;
}

#define ADD(out, literal) buf_add((out), "" literal, sizeof(literal) - 1)

/* Begin an observable of TYPE whose id is made of the canonical JSON behind START in the
 * buffer, which is taken off again. NULL: it is there already. */
static const struct stix_id *
begin_sco(struct writing *w, const char *type, size_t start)
{
    struct stix_id *id = &w->refs[w->ref_count];

    if (w->out->full || w->ref_count == REFS_MAX)
        return NULL;
    stix_id_make(id, type, STIX_ID_OBSERVABLE, (struct span){w->out->p + start, w->out->n - start});
    w->out->n = start;
    w->ref_count++;
    ADD(w->out, ",\n{\"type\":\"");
    buf_add_text(w->out, type);
    ADD(w->out, "\",\"spec_version\":\"2.1\",\"id\":\"");
    buf_add(w->out, id->text, id->n);
    ADD(w->out, "\",");
    return id;
}

static void
add_ref(struct buf *out, const struct stix_id *id)
{
    buf_add_char(out, '"');
    buf_add(out, id->text, id->n);
    buf_add_char(out, '"');
}

/* {"value": ...}, also as "account_login"; REFS_NAME and REF may be NULL. */
static const struct stix_id *
value_sco(struct writing *w, const char *type, const char *member, struct span value,
    const char *refs_name, const struct stix_id *ref)
{
    size_t start = w->out->n;

    ADD(w->out, "{\"");
    buf_add_text(w->out, member);
    ADD(w->out, "\":");
    json_add_string(w->out, value);
    buf_add_char(w->out, '}');
    const struct stix_id *id = begin_sco(w, type, start);
    if (id == NULL)
        return NULL;
    buf_add_char(w->out, '"');
    buf_add_text(w->out, member);
    ADD(w->out, "\":");
    json_add_string(w->out, value);
    if (ref != NULL) {
        ADD(w->out, ",\"");
        buf_add_text(w->out, refs_name);
        ADD(w->out, "\":[");
        add_ref(w->out, ref);
        buf_add_char(w->out, ']');
    }
    buf_add_char(w->out, '}');
    return id;
}

static const struct stix_id *
asn_sco(struct writing *w, int64_t number)
{
    size_t start = w->out->n;

    ADD(w->out, "{\"number\":");
    buf_add_i64(w->out, number);
    buf_add_char(w->out, '}');
    const struct stix_id *id = begin_sco(w, "autonomous-system", start);
    if (id == NULL)
        return NULL;
    ADD(w->out, "\"number\":");
    buf_add_i64(w->out, number);
    buf_add_char(w->out, '}');
    return id;
}

static const struct stix_id *
address_sco(struct writing *w, enum field_id ip, enum field_id network, const struct stix_id *asn,
    const char **family)
{
    enum field_id which = redacted_get(w->redacted, ip) != NULL ? ip : network;
    struct span text = value_of(w, which);
    struct address address;

    if (text.n == 0 || prefix_parse(text, &address, NULL) != 0)
        return NULL;
    w->said[which] = true;
    *family = address.family == 4 ? "ipv4" : "ipv6";
    return value_sco(
        w, address.family == 4 ? "ipv4-addr" : "ipv6-addr", "value", text, "belongs_to_refs", asn);
}

static bool
same_field(const struct writing *w, enum field_id a, enum field_id b)
{
    struct span text = value_of(w, a);

    return text.n > 0 && span_equal(text, value_of(w, b));
}

static struct end
source_end(struct writing *w)
{
    struct end end = {NULL, NULL};
    const struct stix_id *asn = NULL;
    const struct stix_id *name = NULL;
    int64_t number = number_of(w, FIELD_SOURCE_ASN);

    if (number >= 0)
        asn = asn_sco(w, number);
    w->said[FIELD_SOURCE_ASN] = asn != NULL;
    end.id = address_sco(w, FIELD_SOURCE_IP, FIELD_SOURCE_NETWORK, asn, &end.family);
    if (value_of(w, FIELD_SOURCE_FQDN).n > 0)
        name = value_sco(
            w, "domain-name", "value", value_of(w, FIELD_SOURCE_FQDN), "resolves_to_refs", end.id);
    w->said[FIELD_SOURCE_FQDN] = name != NULL;
    if (end.id == NULL)
        end.id = name;
    return end;
}

/* What both ends share is said once, as the source's; the extension says it of the destination. */
static struct end
destination_end(struct writing *w)
{
    struct end end = {NULL, NULL};
    const struct stix_id *name = NULL;
    bool own_address = !same_field(w, FIELD_SOURCE_IP, FIELD_DESTINATION_IP)
        && !same_field(w, FIELD_SOURCE_NETWORK, FIELD_DESTINATION_NETWORK);

    if (own_address)
        end.id = address_sco(w, FIELD_DESTINATION_IP, FIELD_DESTINATION_NETWORK, NULL, &end.family);
    if (own_address && value_of(w, FIELD_DESTINATION_FQDN).n > 0
        && !same_field(w, FIELD_SOURCE_FQDN, FIELD_DESTINATION_FQDN))
        name = value_sco(w, "domain-name", "value", value_of(w, FIELD_DESTINATION_FQDN),
            "resolves_to_refs", end.id);
    w->said[FIELD_DESTINATION_FQDN] = name != NULL;
    if (end.id == NULL)
        end.id = name;
    return end;
}

static bool
is_one_of(struct span word, const char *words)
{
    struct span rest = span_of(words);
    struct span one;

    while (span_next(&rest, ' ', &one))
        if (span_equal(one, word))
            return true;
    return false;
}

/* STIX wants lower case names; what is none goes into the extension. */
static struct span
protocol_of(struct writing *w, enum field_id id)
{
    static const char lower_layers[] = "ip ipv4 ipv6 tcp udp icmp sctp ipv6-icmp";
    struct span word = value_of(w, id);
    bool application = id == FIELD_PROTOCOL_APPLICATION;

    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
            return (struct span){NULL, 0};
    }
    if (is_one_of(word, application ? lower_layers : "tcp udp icmp sctp ipv6-icmp") == application)
        return (struct span){NULL, 0};
    w->said[id] = word.n > 0;
    return word;
}

struct traffic {
    struct end src;
    struct end dst;
    struct span transport;
    struct span application;
    int64_t src_port;
    int64_t dst_port;
};

static void
comma(struct buf *out, bool *first)
{
    if (!*first)
        buf_add_char(out, ',');
    *first = false;
}

static void
add_protocols(struct buf *out, const struct traffic *t)
{
    const char *family = t->src.family != NULL ? t->src.family : t->dst.family;
    bool first = true;

    ADD(out, "\"protocols\":[");
    if (family != NULL || (t->transport.n == 0 && t->application.n == 0)) {
        first = false;
        json_add_string(out, span_of(family != NULL ? family : "ip"));
    }
    if (t->transport.n > 0) {
        comma(out, &first);
        json_add_string(out, t->transport);
    }
    if (t->application.n > 0) {
        comma(out, &first);
        json_add_string(out, t->application);
    }
    buf_add_char(out, ']');
}

/* The members in canonical order, without braces: they are the object's too. */
static void
add_traffic(struct buf *out, const struct traffic *t)
{
    if (t->dst_port >= 0) {
        ADD(out, "\"dst_port\":");
        buf_add_i64(out, t->dst_port);
        buf_add_char(out, ',');
    }
    if (t->dst.id != NULL) {
        ADD(out, "\"dst_ref\":");
        add_ref(out, t->dst.id);
        buf_add_char(out, ',');
    }
    add_protocols(out, t);
    if (t->src_port >= 0) {
        ADD(out, ",\"src_port\":");
        buf_add_i64(out, t->src_port);
    }
    if (t->src.id != NULL) {
        ADD(out, ",\"src_ref\":");
        add_ref(out, t->src.id);
    }
}

static void
traffic_sco(struct writing *w, struct end src, struct end dst)
{
    struct traffic t = {.src = src, .dst = dst};

    t.src_port = number_of(w, FIELD_SOURCE_PORT);
    t.dst_port = number_of(w, FIELD_DESTINATION_PORT);
    if ((src.id == NULL && dst.id == NULL)
        || (dst.id == NULL && t.src_port < 0 && t.dst_port < 0
            && redacted_get(w->redacted, FIELD_PROTOCOL_TRANSPORT) == NULL))
        return;
    t.transport = protocol_of(w, FIELD_PROTOCOL_TRANSPORT);
    t.application = protocol_of(w, FIELD_PROTOCOL_APPLICATION);
    size_t start = w->out->n;
    buf_add_char(w->out, '{');
    add_traffic(w->out, &t);
    buf_add_char(w->out, '}');
    if (begin_sco(w, "network-traffic", start) == NULL)
        return;
    w->said[FIELD_SOURCE_PORT] = t.src_port >= 0;
    w->said[FIELD_DESTINATION_PORT] = t.dst_port >= 0;
    add_traffic(w->out, &t);
    buf_add_char(w->out, '}');
}

static bool
is_hash(struct span text, size_t digits)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned)(text.p[i] - '0') > 9 && (unsigned)((text.p[i] | 0x20) - 'a') > 5)
            return false;
    return text.n == digits;
}

static const struct {
    enum field_id field;
    const char *name;
    size_t digits;
} hashes[] = {{FIELD_MALWARE_MD5, "MD5", 32}, {FIELD_MALWARE_SHA1, "SHA-1", 40},
    {FIELD_MALWARE_SHA256, "SHA-256", 64}};

/* "hashes":{...} of the first COUNT that there are. */
static size_t
add_hashes(struct writing *w, size_t count)
{
    size_t n = 0;
    bool first = true;

    ADD(w->out, "\"hashes\":{");
    for (size_t i = 0; i < 3 && n < count; i++) {
        struct span text = value_of(w, hashes[i].field);
        if (!is_hash(text, hashes[i].digits))
            continue;
        comma(w->out, &first);
        json_add_string(w->out, span_of(hashes[i].name));
        buf_add_char(w->out, ':');
        json_add_string(w->out, text);
        w->said[hashes[i].field] = true;
        n++;
    }
    ADD(w->out, "}}");
    return n;
}

/* A file's id comes from one hash alone, by section 6.7's order of preference. */
static void
file_sco(struct writing *w)
{
    size_t start = w->out->n;

    buf_add_char(w->out, '{');
    if (add_hashes(w, 1) == 0) {
        w->out->n = start;
        return;
    }
    if (begin_sco(w, "file", start) != NULL)
        (void)add_hashes(w, 3);
}

static void
account_sco(struct writing *w)
{
    struct span text = value_of(w, FIELD_SOURCE_ACCOUNT);
    const struct stix_id *id;

    if (text.n == 0)
        return;
    if (memchr(text.p, '@', text.n) != NULL)
        id = value_sco(w, "email-addr", "value", text, NULL, NULL);
    else
        id = value_sco(w, "user-account", "account_login", text, NULL, NULL);
    w->said[FIELD_SOURCE_ACCOUNT] = id != NULL;
}

/* RFC 3986's characters? What feeds call URLs often is none; then the extension says it. */
static bool
is_uri(struct span s)
{
    static const char others[] = "-._~:/?#@!$&'()*+,;=%";

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (unsigned)((c | 0x20) - 'a') < 26 || (unsigned)(c - '0') < 10;
        if (!letter && (c == '\0' || strchr(others, c) == NULL))
            return false;
        if (c == '%' && (s.n - i < 3 || !is_hash((struct span){s.p + i + 1, 2}, 2)))
            return false;
    }
    return memchr(s.p, ':', s.n) != NULL;
}

static void
observables(struct writing *w)
{
    struct end src = source_end(w);
    struct end dst = destination_end(w);
    struct span url = value_of(w, FIELD_SOURCE_URL);

    traffic_sco(w, src, dst);
    if (url.n > 0 && is_uri(url))
        w->said[FIELD_SOURCE_URL] = value_sco(w, "url", "value", url, NULL, NULL) != NULL;
    account_sco(w);
    file_sco(w);
}

static void
add_value(struct buf *out, const struct field *field)
{
    switch (field->type) {
    case VALUE_TEXT:
        json_add_string(out, (struct span){field->s, field->n});
        break;
    case VALUE_INT:
        buf_add_i64(out, field->i);
        break;
    case VALUE_UINT:
        buf_add_u64(out, field->u);
        break;
    case VALUE_FLOAT:
        json_add_float(out, field->d);
        break;
    case VALUE_BOOL:
        buf_add_text(out, field->b ? "true" : "false");
        break;
    default:
        buf_add(out, field->s, field->n);
    }
}

static void
add_member(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    ADD(out, ",\"");
    buf_add_text(out, name);
    ADD(out, "\":");
    json_add_string(out, text);
}

static void
add_class(const struct writing *w)
{
    enum classification c = redacted_classification(w->redacted);

    ADD(w->out, ",\"classification\":{\"type\":");
    struct span type = value_of(w, FIELD_CLASSIFICATION_TYPE);
    json_add_string(w->out, type.n > 0 ? type : span_of(classification_type(c)));
    add_member(w->out, "taxonomy", value_of(w, FIELD_CLASSIFICATION_TAXONOMY));
    add_member(w->out, "identifier", value_of(w, FIELD_CLASSIFICATION_IDENTIFIER));
    buf_add_char(w->out, '}');
    add_member(w->out, "provider", value_of(w, FIELD_FEED_PROVIDER));
}

/* Fields that no observable said. */
static void
add_fields(struct writing *w)
{
    bool first = true;

    for (size_t i = 0; i < redacted_count(w->redacted); i++) {
        const struct field *field = redacted_field(w->redacted, i);
        if (field->id != FIELD_OTHER && w->said[field->id])
            continue;
        if (first)
            ADD(w->out, ",\"fields\":[");
        comma(w->out, &first);
        ADD(w->out, "{\"name\":");
        json_add_string(w->out, field->name);
        ADD(w->out, ",\"value\":");
        add_value(w->out, field);
        buf_add_char(w->out, '}');
    }
    if (!first)
        buf_add_char(w->out, ']');
}

static void
add_treatments(const struct writing *w)
{
    bool first = true;

    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment treatment = redacted_treatment(w->redacted, (enum field_class)c);
        if (treatment == TREATMENT_KEEP)
            continue;
        if (first)
            ADD(w->out, ",\"treatments\":{");
        comma(w->out, &first);
        json_add_string(w->out, span_of(field_class_word((enum field_class)c)));
        buf_add_char(w->out, ':');
        json_add_string(w->out, span_of(treatment_word(treatment)));
    }
    if (!first)
        buf_add_char(w->out, '}');
    if (redacted_removed(w->redacted) > 0) {
        ADD(w->out, ",\"removed_fields\":");
        buf_add_u64(w->out, redacted_removed(w->redacted));
    }
}

static void
add_note(struct buf *out, const struct release_note *note)
{
    char code[3];

    if (note->rule != NULL) {
        ADD(out, ",\"attribution\":{\"rule\":");
        json_add_string(out, span_of(note->rule));
        if (note->asn != 0) {
            ADD(out, ",\"asn\":");
            buf_add_u64(out, note->asn);
        }
        economy_code(note->economy, code);
        add_member(out, "economy", span_of(code));
        buf_add_char(out, '}');
    }
    for (size_t i = 0; i < note->clause_count; i++) {
        buf_add_text(out, i == 0 ? ",\"clauses\":[" : ",");
        json_add_string(out, note->clauses[i]);
    }
    if (note->clause_count > 0)
        buf_add_char(out, ']');
}

static const char *
time_word(const struct redacted *redacted)
{
    if (redacted_time_us(redacted) == 0)
        return "none";
    return redacted_get(redacted, FIELD_TIME_SOURCE) != NULL ? "source" : "observation";
}

static void
add_extension(struct writing *w, const struct release_note *note)
{
    ADD(w->out,
        ",\"extensions\":{\"" STIX_COMITY_EXTENSION "\":{\"extension_type\":\"property-extension\","
        "\"time\":\"");
    buf_add_text(w->out, time_word(w->redacted));
    buf_add_char(w->out, '"');
    add_class(w);
    add_fields(w);
    add_treatments(w);
    add_note(w->out, note);
    ADD(w->out, "}}}");
}

static void
add_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    size_t n = us % 1000 == 0 ? time_format_ms(us, text) : time_format(us, "Z", text);

    ADD(out, "\"");
    buf_add_text(out, name);
    ADD(out, "\":\"");
    buf_add(out, text, n);
    ADD(out, "\",");
}

static void
origin_id(const struct release_note *note, struct stix_id *id)
{
    stix_id_make(id, "identity", STIX_ID_OWN, note->origin);
}

/* Author, times, observables and marking; the part behind BODY makes the id. */
static size_t
add_head(struct writing *w, const struct release_note *note, const struct stix_id *origin)
{
    int64_t us = redacted_time_us(w->redacted);
    int64_t created = us == 0 || us > note->made_us ? DEFINED_US : us;

    add_time(w->out, "created", created);
    add_time(w->out, "modified", note->made_us > created ? note->made_us : created);
    if (us == 0 && w->ref_count > 0) {
        add_time(w->out, "first_observed", note->made_us);
        add_time(w->out, "last_observed", note->made_us);
    }
    size_t body = w->out->n;
    ADD(w->out, "\"created_by_ref\":");
    add_ref(w->out, origin);
    buf_add_char(w->out, ',');
    if (us != 0 && w->ref_count > 0) {
        add_time(w->out, "first_observed", us);
        add_time(w->out, "last_observed", us);
    }
    return body;
}

static void
add_refs(struct writing *w, const struct stix_id *origin)
{
    const char *marking = stix_words_marking(redacted_tlp(w->redacted));

    if (w->ref_count == 0)
        ADD(w->out,
            "\"content\":\"A report of which no observable may be told.\",\"object_refs\":[");
    else
        ADD(w->out, "\"number_observed\":1,\"object_refs\":[");
    if (w->ref_count == 0)
        add_ref(w->out, origin);
    for (size_t i = 0; i < w->ref_count; i++) {
        if (i > 0)
            buf_add_char(w->out, ',');
        add_ref(w->out, &w->refs[i]);
    }
    buf_add_char(w->out, ']');
    if (marking != NULL) {
        ADD(w->out, ",\"object_marking_refs\":[\"");
        buf_add_text(w->out, marking);
        ADD(w->out, "\"]");
    }
}

void
stix_write(struct buf *out, const struct redacted *redacted, const struct release_note *note)
{
    struct writing w = {.out = out, .redacted = redacted};
    struct stix_id origin;

    w.said[FIELD_CLASSIFICATION_TYPE] = w.said[FIELD_CLASSIFICATION_TAXONOMY] = true;
    w.said[FIELD_CLASSIFICATION_IDENTIFIER] = w.said[FIELD_FEED_PROVIDER] = true;
    w.said[FIELD_TLP] = w.said[FIELD_TIME_SOURCE] = true;
    origin_id(note, &origin);
    observables(&w);
    buf_add_text(out,
        w.ref_count > 0
            ? ",\n{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"observed-data--"
            : ",\n{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--");
    size_t at = out->n;
    buf_add(out, "00000000-0000-0000-0000-000000000000\",", STIX_UUID_BYTES + 2);
    size_t body = add_head(&w, note, &origin);
    add_refs(&w, &origin);
    add_extension(&w, note);
    if (!out->full)
        stix_id_uuid(STIX_ID_OWN, (struct span){out->p + body, out->n - body}, out->p + at);
}
