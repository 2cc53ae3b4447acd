#include "flow/card.h"

#include "base/time.h"
#include "flow/card_key.h"
#include "model/domain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CARD_ID_MAX = 64, CARD_TEXT_MAX = 4096, CARD_BYTES_MAX = 8 * 1024 * 1024 };

const char *const card_kinds[] = {"national", "coordination-center", "government", "military",
    "regional", "sector", "research", "finance", "energy", "health", "isp", "service-provider",
    "commercial", "vendor", "cna-cert", "ngo", "other", NULL};

static const char *const channel_types[] = {
    "email", "taxii", "https", "comity", "misp", "other", NULL};

struct reading {
    struct arena *arena;
    struct team *team;
    struct team_scope *scopes; /* the team's own, to be completed */
    int64_t now_us;
    struct err *err;
};

/* The place in the card, for messages: "constituency.prefixes[3]". */
struct place {
    char text[ERR_FIELD_BYTES];
};

static struct place __attribute__((format(printf, 1, 2))) place(const char *format, ...)
{
    struct place at;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(at.text, sizeof at.text, format, args);
    va_end(args);
    return at;
}

#define WRONG(r, at, ...) err_set_field((r)->err, ERR_BAD_CONFIG, (at), strlen(at), __VA_ARGS__)

static int
copy(struct reading *r, struct span text, struct span *out)
{
    char *p = arena_copy(r->arena, text.p, text.n);

    if (p == NULL)
        return arena_full(r->err, "reading team cards");
    *out = (struct span){p, text.n};
    return 0;
}

static int
text_of(struct reading *r, struct json_value v, const char *at, struct span *out)
{
    struct span text;

    if (json_type(v) != JSON_STRING)
        return WRONG(r, at, "must be a text in quotes");
    text = json_string(v);
    if (text.n == 0 || text.n > CARD_TEXT_MAX || memchr(text.p, '\0', text.n) != NULL)
        return WRONG(r, at,
            "must be a text of 1 to %d bytes without NUL; leave the member out if not known",
            CARD_TEXT_MAX);
    *out = text;
    return 0;
}

static int
kept_text(struct reading *r, struct json_value v, const char *at, struct span *out)
{
    struct span text = {0};
    int rc = text_of(r, v, at, &text);

    return rc != 0 ? rc : copy(r, text, out);
}

static int
truth_of(struct reading *r, struct json_value v, const char *at, bool *out)
{
    enum json_type type = json_type(v);

    if (type != JSON_TRUE && type != JSON_FALSE)
        return WRONG(r, at, "must be true or false");
    *out = type == JSON_TRUE;
    return 0;
}

static bool
among(struct span word, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (span_equal(word, span_of(words[i])))
            return true;
    return false;
}

static bool
is_id(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9')
            && (i == 0 || (c != '-' && c != '.' && c != '_')))
            return false;
    }
    return s.n > 0 && s.n <= CARD_ID_MAX;
}

static int
read_id(struct reading *r, struct json_value v, const char *at)
{
    int rc = kept_text(r, v, at, &r->team->id);

    if (rc == 0 && !is_id(r->team->id))
        return WRONG(r, at,
            "\"%.*s\" is no team id: up to %d letters, digits, '-', '.', '_', a letter or digit "
            "first",
            SPAN_ARGS(r->team->id), CARD_ID_MAX);
    return rc;
}

#define TEXT_MEMBER(name)                                                                          \
    static int read_##name(struct reading *r, struct json_value v, const char *at)                 \
    {                                                                                              \
        return kept_text(r, v, at, &r->team->name);                                                \
    }
TEXT_MEMBER(name)
TEXT_MEMBER(full_name)
TEXT_MEMBER(source)

static int
read_kind(struct reading *r, struct json_value v, const char *at)
{
    int rc = kept_text(r, v, at, &r->team->kind);

    if (rc == 0 && !among(r->team->kind, card_kinds))
        return WRONG(r, at,
            "\"%.*s\" is no kind of team; national, government, research, finance, isp, vendor, "
            "other ... are (doc/team-card.md has all)",
            SPAN_ARGS(r->team->kind));
    return rc;
}

static int
read_site(struct reading *r, struct json_value v, const char *at)
{
    int rc = kept_text(r, v, at, &r->team->site);

    if (rc == 0 && !span_starts(r->team->site, SPAN("https://"))
        && !span_starts(r->team->site, SPAN("http://")))
        return WRONG(
            r, at, "\"%.*s\" must begin with https:// or http://", SPAN_ARGS(r->team->site));
    return rc;
}

static int
read_verified(struct reading *r, struct json_value v, const char *at)
{
    return truth_of(r, v, at, &r->team->verified);
}

static int
read_text(struct reading *r, struct json_value v, const char *at)
{
    struct span ignored;

    return text_of(r, v, at, &ignored);
}

/* Number of items; ERR_BAD_CONFIG if V is no array. */
static int
array_of(
    struct reading *r, struct json_value v, const char *at, size_t size, size_t *count, void *out)
{
    struct json_iter it;
    struct json_value item;
    struct span key;
    void *items;

    if (json_type(v) != JSON_ARRAY)
        return WRONG(r, at, "must be an array in []");
    *count = 0;
    for (it = json_iter(v); json_next(&it, &key, &item);)
        (*count)++;
    items = arena_zalloc(r->arena, *count + 1, size);
    if (items == NULL)
        return arena_full(r->err, "reading team cards");
    memcpy(out, &items, sizeof items);
    return 0;
}

/* A table of an object's members and what reads each. */
struct member {
    const char *name;
    int (*read)(struct reading *r, struct json_value v, const char *at);
    bool required;
};

static int
read_object(struct reading *r, struct json_value v, const char *at, const struct member *members)
{
    const char *dot = at[0] == '\0' ? "" : ".";
    struct json_iter it;
    struct json_value item;
    struct span key;

    if (json_type(v) != JSON_OBJECT)
        return WRONG(r, at, "must be an object in {}");
    for (it = json_iter(v); json_next(&it, &key, &item);) {
        const struct member *m = members;
        struct place inner = place("%s%s%.*s", at, dot, SPAN_ARGS(key));
        while (m->name != NULL && !span_equal(key, span_of(m->name)))
            m++;
        if (m->name == NULL && !span_starts(key, SPAN("x_")))
            return WRONG(
                r, inner.text, "no member of a team card is called so; own members begin with x_");
        int rc = m->name == NULL ? 0 : m->read(r, item, inner.text);
        if (rc != 0)
            return rc;
    }
    for (const struct member *m = members; m->name != NULL; m++)
        if (m->required && !json_get(v, m->name, &item)) {
            struct place inner = place("%s%s%s", at, dot, m->name);
            return WRONG(r, inner.text, "is missing");
        }
    return 0;
}

static int
read_prefixes(struct reading *r, struct json_value v, const char *at)
{
    struct address *prefixes = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = array_of(r, v, at, sizeof *prefixes, &count, &prefixes);

    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct place inner = place("%s[%zu]", at, i);
        struct err why;
        if (json_type(item) != JSON_STRING)
            return WRONG(r, inner.text, "must be a prefix in quotes, such as \"192.0.2.0/24\"");
        if (prefix_parse(json_string(item), &prefixes[i], &why) != 0)
            return WRONG(r, inner.text, "%s", why.msg);
    }
    r->team->prefixes = prefixes;
    r->team->prefix_count = count;
    return 0;
}

static int
read_asns(struct reading *r, struct json_value v, const char *at)
{
    uint32_t *asns = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = array_of(r, v, at, sizeof *asns, &count, &asns);

    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct place inner = place("%s[%zu]", at, i);
        if (json_type(item) != JSON_INT || json_int(item) < 1 || json_int(item) > UINT32_MAX)
            return WRONG(r, inner.text,
                "must be an AS number from 1 to 4294967295, without quotes and without AS");
        asns[i] = (uint32_t)json_int(item);
    }
    r->team->asns = asns;
    r->team->asn_count = count;
    return 0;
}

static int
read_domain(struct reading *r, struct json_value v, const char *at, struct span *out)
{
    char name[DOMAIN_BYTES];
    struct span text = {0};
    struct err why;
    size_t n;
    int rc = text_of(r, v, at, &text);

    if (rc != 0)
        return rc;
    if (text.p[0] == '*' || text.p[0] == '.')
        return WRONG(r, at,
            "\"%.*s\" must be written without \"*\" and dot in front: subdomains are meant anyway",
            SPAN_ARGS(text));
    if (domain_normalise(text, name, &n, &why) != 0)
        return WRONG(r, at, "%s", why.msg);
    return copy(r, (struct span){name, n}, out);
}

static int
read_domains(struct reading *r, struct json_value v, const char *at)
{
    struct span *domains = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = array_of(r, v, at, sizeof *domains, &count, &domains);

    it = rc == 0 ? json_iter(v) : (struct json_iter){0};
    for (size_t i = 0; rc == 0 && json_next(&it, &key, &item); i++) {
        struct place inner = place("%s[%zu]", at, i);
        rc = read_domain(r, item, inner.text, &domains[i]);
    }
    r->team->domains = domains;
    r->team->domain_count = rc == 0 ? count : 0;
    return rc;
}

static int
read_constituency(struct reading *r, struct json_value v, const char *at)
{
    static const struct member members[] = {{"prefixes", read_prefixes, false},
        {"asns", read_asns, false}, {"domains", read_domains, false},
        {"description", read_text, false}, {NULL, NULL, false}};

    struct card_key key;
    struct err why;
    int rc = read_object(r, v, at, members);

    if (rc == 0 && card_key_read(v, &key, &why) < 0)
        return WRONG(r, at, "%s", why.msg);
    return rc;
}

static int
read_instant(struct reading *r, struct json_value v, const char *name, const char *at, int64_t *out)
{
    struct place inner = place("%s.%s", at, name);
    struct json_value item;
    struct span text = {0};
    struct err why;
    int rc;

    if (!json_get(v, name, &item) || json_type(item) == JSON_NULL)
        return 0;
    rc = text_of(r, item, inner.text, &text);
    if (rc == 0 && time_parse(text, out, &why) != 0)
        return WRONG(r, inner.text, "%s", why.msg);
    return rc;
}

static int
read_rank(struct reading *r, struct json_value v, const char *at, uint16_t *out)
{
    struct place inner = place("%s.rank", at);
    struct json_value item;

    *out = TEAM_RANK_DEFAULT;
    if (!json_get(v, "rank", &item))
        return 0;
    if (json_type(item) != JSON_INT || json_int(item) < 1 || json_int(item) > 1000)
        return WRONG(r, inner.text, "must be a number from 1 (first) to 1000");
    *out = (uint16_t)json_int(item);
    return 0;
}

static int
read_scope(struct reading *r, struct json_value v, const char *at, struct team_scope *scope)
{
    struct place inner = place("%s.scope", at);
    struct json_value item;
    int rc;

    if (!json_get(v, "scope", &item))
        return 0;
    rc = kept_text(r, item, inner.text, &scope->word);
    if (rc == 0 && !is_id(scope->word))
        return WRONG(r, inner.text, "must be one word: all, government, research, finance ...");
    return rc;
}

static int
accept_any(struct reading *r, struct json_value v, const char *at)
{
    return (void)r, (void)v, (void)at, 0;
}

static int
read_claim(struct reading *r, struct json_value v, const char *at, struct economy *economy,
    struct team_scope *scope, bool *valid)
{
    static const struct member members[] = {{"economy", accept_any, true},
        {"scope", accept_any, false}, {"rank", accept_any, false},
        {"valid_from", accept_any, false}, {"valid_until", accept_any, false}, {NULL, NULL, false}};
    int64_t from_us = INT64_MIN;
    int64_t until_us = INT64_MAX;
    struct json_value code = v;
    struct span text = {0};
    int rc = 0;

    *scope = (struct team_scope){.rank = TEAM_RANK_DEFAULT};
    if (json_type(v) != JSON_STRING) {
        rc = read_object(r, v, at, members);
        if (rc == 0 && !json_get(v, "economy", &code))
            rc = WRONG(r, at, "the member economy is missing");
        if (rc == 0)
            rc = read_scope(r, v, at, scope);
        if (rc == 0)
            rc = read_rank(r, v, at, &scope->rank);
        if (rc == 0)
            rc = read_instant(r, v, "valid_from", at, &from_us);
        if (rc == 0)
            rc = read_instant(r, v, "valid_until", at, &until_us);
    }
    if (rc == 0)
        rc = text_of(r, code, at, &text);
    if (rc != 0)
        return rc;
    *economy = economy_find(text);
    if (economy->index == 0)
        return WRONG(r, at,
            "\"%.*s\" is no economy; write two letters of ISO 3166-1, such as \"FI\"",
            SPAN_ARGS(text));
    *valid = from_us <= r->now_us && r->now_us < until_us;
    return 0;
}

static bool
named_before(const struct economy *economies, size_t count, struct economy economy)
{
    for (size_t i = 0; i < count; i++)
        if (economies[i].index == economy.index)
            return true;
    return false;
}

static int
read_economies(struct reading *r, struct json_value v, const char *at)
{
    struct economy *economies = NULL;
    struct team_scope *scopes = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    size_t kept = 0;
    int rc = array_of(r, v, at, sizeof *economies, &count, &economies);

    if (rc == 0)
        rc = array_of(r, v, at, sizeof *scopes, &count, &scopes);
    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct place inner = place("%s[%zu]", at, i);
        bool valid = false;
        rc = read_claim(r, item, inner.text, &economies[kept], &scopes[kept], &valid);
        if (rc != 0)
            return rc;
        if (valid && named_before(economies, kept, economies[kept]))
            return WRONG(r, inner.text, "the economy is named twice; name it once");
        kept += valid;
    }
    r->team->economies = economies;
    r->team->scopes = r->scopes = scopes;
    r->team->economy_count = kept;
    return 0;
}

static int
read_channel(struct reading *r, struct json_value v, const char *at)
{
    static const struct member members[] = {{"type", read_text, true}, {"address", read_text, true},
        {"encrypted", accept_any, false}, {"receipt", accept_any, false},
        {"note", read_text, false}, {NULL, NULL, false}};
    struct team_channels *known = &r->team->channels;
    struct json_value item;
    bool encrypted;
    bool receipt = false;
    int rc = read_object(r, v, at, members);

    if (rc != 0)
        return rc;
    if (!json_get(v, "type", &item) || !among(json_string(item), channel_types))
        return WRONG(r, at, "the type must be email, taxii, https, comity, misp or other");
    encrypted = json_get(v, "address", &item) && span_starts(json_string(item), SPAN("https://"));
    if (json_get(v, "encrypted", &item))
        rc = truth_of(r, item, at, &encrypted);
    if (rc == 0 && json_get(v, "receipt", &item))
        rc = truth_of(r, item, at, &receipt);
    known->any = true;
    known->encrypted = known->encrypted || encrypted;
    known->receipt = known->receipt || receipt;
    return rc;
}

static int
read_key(struct reading *r, struct json_value v, const char *at)
{
    static const struct member members[] = {{"type", read_text, true}, {"id", read_text, false},
        {"fingerprint", read_text, false}, {"key", accept_any, false},
        {"expires", read_text, false}, {NULL, NULL, false}};

    struct card_key key;
    struct err why;
    int rc = read_object(r, v, at, members);

    if (rc == 0 && card_key_read(v, &key, &why) < 0)
        return WRONG(r, at, "%s", why.msg);
    return rc;
}

static int
read_each(struct reading *r, struct json_value v, const char *at,
    int (*read)(struct reading *r, struct json_value v, const char *at))
{
    struct json_iter it;
    struct json_value item;
    struct span key;
    int rc = 0;

    if (json_type(v) != JSON_ARRAY)
        return WRONG(r, at, "must be an array in []");
    it = json_iter(v);
    for (size_t i = 0; rc == 0 && json_next(&it, &key, &item); i++) {
        struct place inner = place("%s[%zu]", at, i);
        rc = read(r, item, inner.text);
    }
    return rc;
}

#define LIST_MEMBER(names, name)                                                                   \
    static int read_##names(struct reading *r, struct json_value v, const char *at)                \
    {                                                                                              \
        return read_each(r, v, at, read_##name);                                                   \
    }
LIST_MEMBER(channels, channel)
LIST_MEMBER(texts, text)
LIST_MEMBER(keys, key)

static const struct member card_members[] = {
    {"id", read_id, true},
    {"name", read_name, true},
    {"full_name", read_full_name, false},
    {"kind", read_kind, true},
    {"economies", read_economies, true},
    {"constituency", read_constituency, false},
    {"channels", read_channels, false},
    {"keys", read_keys, false},
    {"hours", read_text, false},
    {"timezone", read_text, false},
    {"site", read_site, false},
    {"established", read_text, false},
    {"memberships", read_texts, false},
    {"source", read_source, true},
    {"source_date", read_text, false},
    {"verified", read_verified, true},
    {"note", read_text, false},
    {NULL, NULL, false},
};

/* Where the card gives no scope the kind does: a national team answers for all. */
static void
fill_scopes(const struct reading *r)
{
    for (size_t i = 0; i < r->team->economy_count; i++) {
        if (r->scopes[i].word.n == 0)
            r->scopes[i].word = team_kind_whole(r->team->kind) ? SPAN("all") : r->team->kind;
        r->scopes[i].whole = span_equal(r->scopes[i].word, SPAN("all"));
    }
}

int
card_read(
    struct arena *arena, struct json_value value, int64_t now_us, struct team *out, struct err *err)
{
    struct reading r = {arena, out, NULL, now_us, err};
    struct buf text = buf_new(CARD_BYTES_MAX);
    int rc = json_check_duplicates(value, err);

    *out = (struct team){0};
    if (rc == 0)
        rc = read_object(&r, value, "", card_members);
    if (rc == 0) {
        fill_scopes(&r);
        json_add_value(&text, value);
        rc = buf_check(&text, "a team card", err);
    }
    if (rc == 0)
        rc = copy(&r, buf_span(&text), &out->card);
    buf_free(&text);
    return rc;
}
