#include "fmt/stix_observe.h"

#include "fmt/json.h"

/* One end of a connection: what it is called in STIX. */
struct end {
    const struct stix_id *id; /* its address, else its name; NULL: nothing */
    const char *family;       /* "ipv4", "ipv6"; NULL: a name */
};

struct span
stix_observe_text(const struct stix_writing *w, enum field_id id)
{
    const struct field *field = redacted_get(w->redacted, id);

    if (field == NULL || field->type != VALUE_TEXT)
        return (struct span){NULL, 0};
    return (struct span){field->s, field->n};
}

/* A number's value, or -1. */
static int64_t
number_of(const struct stix_writing *w, enum field_id id)
{
    const struct field *field = redacted_get(w->redacted, id);

    return field == NULL || field->type != VALUE_INT ? -1 : field->i;
}

/* Begin an observable of TYPE whose id is made of the canonical JSON behind START in the
 * buffer, which is taken off again. NULL: it is there already. */
static const struct stix_id *
begin_sco(struct stix_writing *w, const char *type, size_t start)
{
    struct stix_id *id = &w->refs[w->ref_count];

    if (w->out->full || w->ref_count == STIX_OBSERVE_MAX)
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

/* {"value": ...}, also as "account_login". No observable says more than what makes its id, so that
 * one id always names one and the same object. */
static const struct stix_id *
value_sco(struct stix_writing *w, const char *type, const char *member, struct span value)
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
    buf_add_char(w->out, '}');
    return id;
}

static const struct stix_id *
asn_sco(struct stix_writing *w, int64_t number)
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
address_sco(struct stix_writing *w, enum field_id ip, enum field_id network, const char **family)
{
    enum field_id which = redacted_get(w->redacted, ip) != NULL ? ip : network;
    struct span text = stix_observe_text(w, which);
    struct address address;

    if (text.n == 0 || prefix_parse(text, &address, NULL) != 0)
        return NULL;
    w->said[which] = true;
    *family = address.family == 4 ? "ipv4" : "ipv6";
    return value_sco(w, address.family == 4 ? "ipv4-addr" : "ipv6-addr", "value", text);
}

static bool
same_field(const struct stix_writing *w, enum field_id a, enum field_id b)
{
    struct span text = stix_observe_text(w, a);

    return text.n > 0 && span_equal(text, stix_observe_text(w, b));
}

static const struct stix_id *
name_sco(struct stix_writing *w, enum field_id id)
{
    struct span text = stix_observe_text(w, id);
    const struct stix_id *sco = text.n == 0 ? NULL : value_sco(w, "domain-name", "value", text);

    w->said[id] = sco != NULL;
    return sco;
}

static struct end
source_end(struct stix_writing *w)
{
    struct end end = {NULL, NULL};
    int64_t number = number_of(w, FIELD_SOURCE_ASN);

    if (number >= 0)
        w->said[FIELD_SOURCE_ASN] = asn_sco(w, number) != NULL;
    end.id = address_sco(w, FIELD_SOURCE_IP, FIELD_SOURCE_NETWORK, &end.family);
    const struct stix_id *name = name_sco(w, FIELD_SOURCE_FQDN);
    if (end.id == NULL)
        end.id = name;
    return end;
}

/* What both ends share is said once, as the source's; the extension says it of the destination,
 * and so it does of a destination's name beside its address. */
static struct end
destination_end(struct stix_writing *w)
{
    struct end end = {NULL, NULL};

    if (same_field(w, FIELD_SOURCE_IP, FIELD_DESTINATION_IP)
        || same_field(w, FIELD_SOURCE_NETWORK, FIELD_DESTINATION_NETWORK))
        return end;
    end.id = address_sco(w, FIELD_DESTINATION_IP, FIELD_DESTINATION_NETWORK, &end.family);
    if (end.id == NULL && !same_field(w, FIELD_SOURCE_FQDN, FIELD_DESTINATION_FQDN))
        end.id = name_sco(w, FIELD_DESTINATION_FQDN);
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
protocol_of(struct stix_writing *w, enum field_id id)
{
    static const char lower_layers[] = "ip ipv4 ipv6 tcp udp icmp sctp ipv6-icmp";
    struct span word = stix_observe_text(w, id);
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
traffic_sco(struct stix_writing *w, struct end src, struct end dst)
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
add_hashes(struct stix_writing *w, size_t count)
{
    size_t n = 0;
    bool first = true;

    ADD(w->out, "\"hashes\":{");
    for (size_t i = 0; i < 3 && n < count; i++) {
        struct span text = stix_observe_text(w, hashes[i].field);
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
file_sco(struct stix_writing *w)
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
account_sco(struct stix_writing *w)
{
    struct span text = stix_observe_text(w, FIELD_SOURCE_ACCOUNT);
    const struct stix_id *id;

    if (text.n == 0)
        return;
    if (memchr(text.p, '@', text.n) != NULL)
        id = value_sco(w, "email-addr", "value", text);
    else
        id = value_sco(w, "user-account", "account_login", text);
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

void
stix_observe(struct stix_writing *w)
{
    struct end src = source_end(w);
    struct end dst = destination_end(w);
    struct span url = stix_observe_text(w, FIELD_SOURCE_URL);

    traffic_sco(w, src, dst);
    if (url.n > 0 && is_uri(url))
        w->said[FIELD_SOURCE_URL] = value_sco(w, "url", "value", url) != NULL;
    account_sco(w);
    file_sco(w);
}
