#include "flow/card_claims.h"

#include <stdarg.h>
#include <stdio.h>

/* The widest blocks that registries give to one holder. */
enum { WIDEST_V4 = 8, WIDEST_V6 = 16 };

struct comparing {
    const struct team *known;
    const struct roster *roster;
    const struct team *team;
    char *what;
    card_claims_told *tell; /* NULL: the first is enough */
    void *ctx;
};

__attribute__((format(printf, 2, 3))) static bool
more(const struct comparing *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(c->what, CARD_CLAIM_BYTES, format, args);
    va_end(args);
    if (c->tell == NULL)
        return true;
    c->tell(c->ctx, c->what);
    return false; /* go on */
}

/* Does another team answer for it? */
static bool
others(const struct comparing *c, struct team_id team, const char *what)
{
    if (team.index == 0)
        return false;
    struct span id = roster_team(c->roster, team)->id;
    return !span_equal(id, c->team->id)
        && more(c, "%s, which %.*s answers for", what, SPAN_ARGS(id));
}

/* ---- economies ---- */

static bool
economy_more(const struct comparing *c, size_t i)
{
    const struct team_scope *scope = &c->team->scopes[i];
    char code[3];
    uint8_t count;

    economy_code(c->team->economies[i], code);
    if (c->known == NULL)
        return scope->whole
            && others(c, roster_by_economy(c->roster, c->team->economies[i], &count), code);
    for (size_t k = 0; k < c->known->economy_count; k++) {
        const struct team_scope *was = &c->known->scopes[k];
        if (c->known->economies[k].index == c->team->economies[i].index
            && (was->whole || !scope->whole) && was->rank <= scope->rank)
            return false;
    }
    return more(c, "%s%s", code, scope->whole ? " as a whole" : "");
}

/* ---- networks, AS numbers, domains ---- */

/* Lists are mostly alike, so it is looked for behind the last one that was found. */
static bool
prefix_known(const struct team *known, const struct address *prefix, size_t *at)
{
    for (size_t i = 0; i < known->prefix_count; i++) {
        size_t k = (*at + i) % known->prefix_count;
        if (address_in(prefix, &known->prefixes[k])) {
            *at = k + 1;
            return true;
        }
    }
    return false;
}

static bool
prefix_more(const struct comparing *c, const struct address *prefix, size_t *at)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address matched;
    uint8_t count;

    if (c->known != NULL && prefix_known(c->known, prefix, at))
        return false;
    (void)address_format(prefix, text);
    if (c->known != NULL)
        return more(c, "%s", text);
    if (prefix->bits < (prefix->family == 4 ? WIDEST_V4 : WIDEST_V6))
        return more(c, "%s, which is wider than any one team's", text);
    return others(c, roster_by_address(c->roster, prefix, &matched, &count), text);
}

static bool
asn_more(const struct comparing *c, uint32_t asn)
{
    char text[16];
    uint8_t count;

    (void)snprintf(text, sizeof text, "AS%u", asn);
    if (c->known == NULL)
        return others(c, roster_by_asn(c->roster, asn, &count), text);
    for (size_t i = 0; i < c->known->asn_count; i++)
        if (c->known->asns[i] == asn)
            return false;
    return more(c, "%s", text);
}

static bool
below(struct span name, struct span domain)
{
    return span_equal(name, domain)
        || (name.n > domain.n && span_ends(name, domain) && name.p[name.n - domain.n - 1] == '.');
}

static bool
domain_more(const struct comparing *c, struct span domain)
{
    char text[CARD_CLAIM_BYTES / 2];
    struct span matched;
    uint8_t count;

    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(domain));
    if (c->known == NULL)
        return others(c, roster_by_domain(c->roster, domain, &matched, &count), text);
    for (size_t i = 0; i < c->known->domain_count; i++)
        if (below(domain, c->known->domains[i]))
            return false;
    return more(c, "%s", text);
}

/* ---- all of it ---- */

/* The kind says who comes first for an economy. */
static bool
kind_more(const struct comparing *c)
{
    return c->known != NULL && team_kind_whole(c->team->kind)
        && !span_equal(c->team->kind, c->known->kind)
        && more(c, "to be of kind %.*s", SPAN_ARGS(c->team->kind));
}

static bool
any_more(const struct comparing *c)
{
    const struct team *team = c->team;
    size_t at = 0;

    if (kind_more(c))
        return true;
    for (size_t i = 0; i < team->economy_count; i++)
        if (economy_more(c, i))
            return true;
    for (size_t i = 0; i < team->prefix_count; i++)
        if (prefix_more(c, &team->prefixes[i], &at))
            return true;
    for (size_t i = 0; i < team->asn_count; i++)
        if (asn_more(c, team->asns[i]))
            return true;
    for (size_t i = 0; i < team->domain_count; i++)
        if (domain_more(c, team->domains[i]))
            return true;
    return false;
}

bool
card_claims_more(const struct team *known, const struct roster *roster, const struct team *team,
    char what[CARD_CLAIM_BYTES])
{
    const struct comparing c = {.known = known, .roster = roster, .team = team, .what = what};

    return any_more(&c);
}

void
card_claims_each(const struct team *known, const struct roster *roster, const struct team *team,
    card_claims_told *tell, void *ctx)
{
    char what[CARD_CLAIM_BYTES];
    const struct comparing c = {known, roster, team, what, tell, ctx};

    (void)any_more(&c);
}
