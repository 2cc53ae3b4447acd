#include "flow/card.h"

#include "base/time.h"
#include "flow/card_fields.h"
#include "flow/card_key.h"
#include "flow/card_sign.h"
#include "model/domain.h"

enum { CARD_BYTES_MAX = 8 * 1024 * 1024 };

const char *const card_kinds[] = {"national", "coordination-center", "government", "military",
    "regional", "sector", "research", "finance", "energy", "health", "isp", "service-provider",
    "commercial", "vendor", "cna-cert", "ngo", "other", NULL};

static const char *const channel_types[] = {
    "email", "taxii", "https", "comity", "misp", "other", NULL};

static int
read_id(struct card_reading *r, struct json_value v, const char *at)
{
    int rc = card_fields_kept(r, v, at, &r->team->id);

    if (rc == 0 && !card_fields_is_id(r->team->id))
        return CARD_WRONG(r, at,
            "\"%.*s\" is no team id: up to %d letters, digits, '-', '.', '_', a letter or digit "
            "first",
            SPAN_ARGS(r->team->id), CARD_ID_MAX);
    return rc;
}

#define TEXT_MEMBER(name)                                                                          \
    static int read_##name(struct card_reading *r, struct json_value v, const char *at)            \
    {                                                                                              \
        return card_fields_kept(r, v, at, &r->team->name);                                         \
    }
TEXT_MEMBER(name)
TEXT_MEMBER(full_name)
TEXT_MEMBER(source)

static int
read_kind(struct card_reading *r, struct json_value v, const char *at)
{
    int rc = card_fields_kept(r, v, at, &r->team->kind);

    if (rc == 0 && !card_fields_among(r->team->kind, card_kinds))
        return CARD_WRONG(r, at,
            "\"%.*s\" is no kind of team; national, government, research, finance, isp, vendor, "
            "other ... are (doc/team-card.md has all)",
            SPAN_ARGS(r->team->kind));
    return rc;
}

static int
read_site(struct card_reading *r, struct json_value v, const char *at)
{
    int rc = card_fields_kept(r, v, at, &r->team->site);

    if (rc == 0 && !span_starts(r->team->site, SPAN("https://"))
        && !span_starts(r->team->site, SPAN("http://")))
        return CARD_WRONG(
            r, at, "\"%.*s\" must begin with https:// or http://", SPAN_ARGS(r->team->site));
    return rc;
}

static int
read_verified(struct card_reading *r, struct json_value v, const char *at)
{
    return card_fields_truth(r, v, at, &r->team->verified);
}

static int
read_prefixes(struct card_reading *r, struct json_value v, const char *at)
{
    struct address *prefixes = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = card_fields_array(r, v, at, sizeof *prefixes, &count, &prefixes);

    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct card_place inner = card_fields_place("%s[%zu]", at, i);
        struct err why;
        if (json_type(item) != JSON_STRING)
            return CARD_WRONG(
                r, inner.text, "must be a prefix in quotes, such as \"192.0.2.0/24\"");
        if (prefix_parse(json_string(item), &prefixes[i], &why) != 0)
            return CARD_WRONG(r, inner.text, "%s", why.msg);
    }
    r->team->prefixes = prefixes;
    r->team->prefix_count = count;
    return 0;
}

static int
read_asns(struct card_reading *r, struct json_value v, const char *at)
{
    uint32_t *asns = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = card_fields_array(r, v, at, sizeof *asns, &count, &asns);

    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct card_place inner = card_fields_place("%s[%zu]", at, i);
        if (json_type(item) != JSON_INT || json_int(item) < 1 || json_int(item) > UINT32_MAX)
            return CARD_WRONG(r, inner.text,
                "must be an AS number from 1 to 4294967295, without quotes and without AS");
        asns[i] = (uint32_t)json_int(item);
    }
    r->team->asns = asns;
    r->team->asn_count = count;
    return 0;
}

static int
read_domain(struct card_reading *r, struct json_value v, const char *at, struct span *out)
{
    char name[DOMAIN_BYTES];
    struct span text = {0};
    struct err why;
    size_t n;
    int rc = card_fields_text(r, v, at, &text);

    if (rc != 0)
        return rc;
    if (text.p[0] == '*' || text.p[0] == '.')
        return CARD_WRONG(r, at,
            "\"%.*s\" must be written without \"*\" and dot in front: subdomains are meant anyway",
            SPAN_ARGS(text));
    if (domain_normalise(text, name, &n, &why) != 0)
        return CARD_WRONG(r, at, "%s", why.msg);
    return card_fields_copy(r, (struct span){name, n}, out);
}

static int
read_domains(struct card_reading *r, struct json_value v, const char *at)
{
    struct span *domains = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    int rc = card_fields_array(r, v, at, sizeof *domains, &count, &domains);

    it = rc == 0 ? json_iter(v) : (struct json_iter){0};
    for (size_t i = 0; rc == 0 && json_next(&it, &key, &item); i++) {
        struct card_place inner = card_fields_place("%s[%zu]", at, i);
        rc = read_domain(r, item, inner.text, &domains[i]);
    }
    r->team->domains = domains;
    r->team->domain_count = rc == 0 ? count : 0;
    return rc;
}

static int
read_constituency(struct card_reading *r, struct json_value v, const char *at)
{
    static const struct card_member members[] = {{"prefixes", read_prefixes, false},
        {"asns", read_asns, false}, {"domains", read_domains, false},
        {"description", card_fields_any_text, false}, {NULL, NULL, false}};

    return card_fields_object(r, v, at, members);
}

static int
read_instant(
    struct card_reading *r, struct json_value v, const char *name, const char *at, int64_t *out)
{
    struct card_place inner = card_fields_place("%s.%s", at, name);
    struct json_value item;
    struct span text = {0};
    struct err why;
    int rc;

    if (!json_get(v, name, &item) || json_type(item) == JSON_NULL)
        return 0;
    rc = card_fields_text(r, item, inner.text, &text);
    if (rc == 0 && time_parse(text, out, &why) != 0)
        return CARD_WRONG(r, inner.text, "%s", why.msg);
    return rc;
}

static int
read_rank(struct card_reading *r, struct json_value v, const char *at, uint16_t *out)
{
    struct card_place inner = card_fields_place("%s.rank", at);
    struct json_value item;

    *out = TEAM_RANK_DEFAULT;
    if (!json_get(v, "rank", &item))
        return 0;
    if (json_type(item) != JSON_INT || json_int(item) < 1 || json_int(item) > 1000)
        return CARD_WRONG(r, inner.text, "must be a number from 1 (first) to 1000");
    *out = (uint16_t)json_int(item);
    return 0;
}

static int
read_scope(struct card_reading *r, struct json_value v, const char *at, struct team_scope *scope)
{
    struct card_place inner = card_fields_place("%s.scope", at);
    struct json_value item;
    int rc;

    if (!json_get(v, "scope", &item))
        return 0;
    rc = card_fields_kept(r, item, inner.text, &scope->word);
    if (rc == 0 && !card_fields_is_id(scope->word))
        return CARD_WRONG(
            r, inner.text, "must be one word: all, government, research, finance ...");
    return rc;
}

static int
read_claim(struct card_reading *r, struct json_value v, const char *at, struct economy *economy,
    struct team_scope *scope, bool *valid)
{
    static const struct card_member members[] = {{"economy", card_fields_any, true},
        {"scope", card_fields_any, false}, {"rank", card_fields_any, false},
        {"valid_from", card_fields_any, false}, {"valid_until", card_fields_any, false},
        {NULL, NULL, false}};
    int64_t from_us = INT64_MIN;
    int64_t until_us = INT64_MAX;
    struct json_value code = v;
    struct span text = {0};
    int rc = 0;

    *scope = (struct team_scope){.rank = TEAM_RANK_DEFAULT};
    if (json_type(v) != JSON_STRING) {
        rc = card_fields_object(r, v, at, members);
        if (rc == 0 && !json_get(v, "economy", &code))
            rc = CARD_WRONG(r, at, "the member economy is missing");
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
        rc = card_fields_text(r, code, at, &text);
    if (rc != 0)
        return rc;
    *economy = economy_find(text);
    if (economy->index == 0)
        return CARD_WRONG(r, at,
            "\"%.*s\" is no economy; write two letters of ISO 3166-1, such as \"FI\"",
            SPAN_ARGS(text));
    *valid = r->now_us == CARD_ANY_TIME || (from_us <= r->now_us && r->now_us < until_us);
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
read_economies(struct card_reading *r, struct json_value v, const char *at)
{
    struct economy *economies = NULL;
    struct team_scope *scopes = NULL;
    struct json_iter it;
    struct json_value item;
    struct span key;
    size_t count;
    size_t kept = 0;
    int rc = card_fields_array(r, v, at, sizeof *economies, &count, &economies);

    if (rc == 0)
        rc = card_fields_array(r, v, at, sizeof *scopes, &count, &scopes);
    if (rc != 0)
        return rc;
    it = json_iter(v);
    for (size_t i = 0; json_next(&it, &key, &item); i++) {
        struct card_place inner = card_fields_place("%s[%zu]", at, i);
        bool valid = false;
        rc = read_claim(r, item, inner.text, &economies[kept], &scopes[kept], &valid);
        if (rc != 0)
            return rc;
        if (valid && r->now_us != CARD_ANY_TIME && named_before(economies, kept, economies[kept]))
            return CARD_WRONG(r, inner.text, "the economy is named twice; name it once");
        kept += valid;
    }
    r->team->economies = economies;
    r->team->scopes = r->scopes = scopes;
    r->team->economy_count = kept;
    return 0;
}

static int
read_channel(struct card_reading *r, struct json_value v, const char *at)
{
    static const struct card_member members[] = {{"type", card_fields_any_text, true},
        {"address", card_fields_any_text, true}, {"encrypted", card_fields_any, false},
        {"receipt", card_fields_any, false}, {"note", card_fields_any_text, false},
        {NULL, NULL, false}};
    struct team_channels *known = &r->team->channels;
    struct json_value item;
    bool encrypted;
    bool receipt = false;
    int rc = card_fields_object(r, v, at, members);

    if (rc != 0)
        return rc;
    if (!json_get(v, "type", &item) || !card_fields_among(json_string(item), channel_types))
        return CARD_WRONG(r, at, "the type must be email, taxii, https, comity, misp or other");
    encrypted = json_get(v, "address", &item) && span_starts(json_string(item), SPAN("https://"));
    if (json_get(v, "encrypted", &item))
        rc = card_fields_truth(r, item, at, &encrypted);
    if (rc == 0 && json_get(v, "receipt", &item))
        rc = card_fields_truth(r, item, at, &receipt);
    known->any = true;
    known->encrypted = known->encrypted || encrypted;
    known->receipt = known->receipt || receipt;
    return rc;
}

static int
read_key(struct card_reading *r, struct json_value v, const char *at)
{
    static const struct card_member members[] = {{"type", card_fields_any_text, true},
        {"id", card_fields_any_text, false}, {"fingerprint", card_fields_any_text, false},
        {"key", card_fields_any, false}, {"expires", card_fields_any_text, false},
        {NULL, NULL, false}};

    struct card_key key;
    struct err why;
    int rc = card_fields_object(r, v, at, members);

    if (rc == 0 && card_key_read(v, &key, &why) < 0)
        return CARD_WRONG(r, at, "%s", why.msg);
    return rc;
}

#define LIST_MEMBER(names, name)                                                                   \
    static int read_##names(struct card_reading *r, struct json_value v, const char *at)           \
    {                                                                                              \
        return card_fields_each(r, v, at, read_##name);                                            \
    }
LIST_MEMBER(channels, channel)
LIST_MEMBER(keys, key)

static int
read_texts(struct card_reading *r, struct json_value v, const char *at)
{
    return card_fields_each(r, v, at, card_fields_any_text);
}

static const struct card_member card_members[] = {
    {"id", read_id, true},
    {"name", read_name, true},
    {"full_name", read_full_name, false},
    {"kind", read_kind, true},
    {"economies", read_economies, true},
    {"constituency", read_constituency, false},
    {"channels", read_channels, false},
    {"keys", read_keys, false},
    {"hours", card_fields_any_text, false},
    {"timezone", card_fields_any_text, false},
    {"site", read_site, false},
    {"established", card_fields_any_text, false},
    {"memberships", read_texts, false},
    {"source", read_source, true},
    {"source_date", card_fields_any_text, false},
    {"verified", read_verified, true},
    {"note", card_fields_any_text, false},
    {"version", card_fields_any_text, false},
    {"node", card_fields_any, false}, /* the rest is card_sign.h's, where there is a signature */
    {"signature", card_fields_any, false},
    {"vouches", card_fields_any, false},
    {"accepted", card_fields_any, false},
    {NULL, NULL, false},
};

/* Where the card gives no scope the kind does: a national team answers for all. */
static void
fill_scopes(const struct card_reading *r)
{
    for (size_t i = 0; i < r->team->economy_count; i++) {
        if (r->scopes[i].word.n == 0)
            r->scopes[i].word = team_kind_whole(r->team->kind) ? SPAN("all") : r->team->kind;
        r->scopes[i].whole = span_equal(r->scopes[i].word, SPAN("all"));
    }
}

/* `accepted` is the data folder's own, and nobody else's to read. */
static int
keep_card(struct card_reading *r, struct json_value value)
{
    struct buf text = buf_new(CARD_BYTES_MAX);
    struct json_value item;
    struct span key;

    buf_add_char(&text, '{');
    for (struct json_iter it = json_iter(value); json_next(&it, &key, &item);) {
        if (span_equal(key, SPAN("accepted")))
            continue;
        if (text.n > 1)
            buf_add_char(&text, ',');
        json_add_string(&text, key);
        buf_add_char(&text, ':');
        json_add_value(&text, item);
    }
    buf_add_char(&text, '}');
    int rc = buf_check(&text, "a team card", r->err);
    if (rc == 0)
        rc = card_fields_copy(r, buf_span(&text), &r->team->card);
    buf_free(&text);
    return rc;
}

/* A card that says it is signed must be. */
static int
check_signature(const struct card_reading *r, struct json_value value, struct card_signed *card)
{
    struct err why = {0};
    int rc = card_sign_read(r->arena, value, card, &why);

    if (rc == ERR_BAD_CARD)
        return CARD_WRONG(r, "signature", "%s", why.msg);
    if (rc < 0)
        *r->err = why;
    return rc < 0 ? rc : 0;
}

int
card_read_signed(struct arena *arena, struct json_value value, int64_t now_us, struct team *out,
    struct card_signed *card, struct err *err)
{
    struct err own = {0};
    struct card_reading r = {arena, out, NULL, now_us, err != NULL ? err : &own};
    int rc = json_check_duplicates(value, r.err);

    *out = (struct team){0};
    if (rc == 0)
        rc = card_fields_object(&r, value, "", card_members);
    if (rc == 0)
        rc = check_signature(&r, value, card);
    if (rc == 0)
        fill_scopes(&r);
    return rc == 0 ? keep_card(&r, value) : rc;
}

int
card_read(
    struct arena *arena, struct json_value value, int64_t now_us, struct team *out, struct err *err)
{
    struct card_signed card;

    return card_read_signed(arena, value, now_us, out, &card, err);
}
