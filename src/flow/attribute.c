#include "flow/attribute.h"

#include "model/domain.h"
#include "model/special.h"

static const struct cctld {
    struct span name;
    struct span economy;
} cctlds[] = {
#define CCTLD(name, economy) {{name, sizeof(name) - 1}, {economy, sizeof(economy) - 1}},
#include "tables/cctld.def"
#undef CCTLD
};

/* The economy of a top-level domain: its two letters, or what the table says. */
static struct economy
economy_of_tld(struct span tld)
{
    for (size_t i = 0; i < sizeof cctlds / sizeof cctlds[0]; i++)
        if (span_equal_nocase(cctlds[i].name, tld))
            return economy_find(cctlds[i].economy);
    return economy_find(tld);
}

static struct span
last_label(struct span name)
{
    size_t at;

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    for (at = name.n; at > 0 && name.p[at - 1] != '.'; at--)
        ;
    return (struct span){name.p + at, name.n - at};
}

static struct economy
economy_of_name(struct span name)
{
    struct span tld = last_label(name);
    char ascii[DOMAIN_BYTES];
    size_t n;

    if (tld.n == 0 || tld.n == name.n)
        return (struct economy){0};
    if (domain_is_ascii(tld))
        return economy_of_tld(tld);
    if (domain_normalise(tld, ascii, &n, NULL) != 0)
        return (struct economy){0};
    return economy_of_tld((struct span){ascii, n});
}

/* Rule 1: what a team registered. */
static struct team_id
by_constituency(const struct roster *roster, const struct address *address, uint32_t asn,
    struct span name, struct attribution *out)
{
    struct team_id team = {0};

    if (address->family != 0) {
        team = roster_by_address(roster, address, &out->prefix, &out->other_teams);
        out->rule = ATTRIBUTION_RULE_PREFIX;
        if (team.index != 0 || special_word(address) != NULL)
            return team;
    }
    if (asn != 0) {
        team = roster_by_asn(roster, asn, &out->other_teams);
        out->rule = ATTRIBUTION_RULE_ASN;
    }
    if (team.index == 0 && name.n > 0) {
        team = roster_by_domain(roster, name, &out->domain, &out->other_teams);
        out->rule = ATTRIBUTION_RULE_DOMAIN;
    }
    return team;
}

/* Rules 2 and 3: whose economy it is, and what says so. */
static enum attribution_rule
find_economy(const struct world *world, const struct endpoint *endpoint, bool addressed,
    bool special, struct attribution *out)
{
    if (out->geo.economy.index != 0) {
        out->economy = out->geo.economy;
        return ATTRIBUTION_RULE_ECONOMY;
    }
    if (special)
        return ATTRIBUTION_RULE_NONE;
    out->economy = out->geo.asn_economy;
    if (out->geo.asn == 0 && endpoint->asn != 0 && world->geo != NULL)
        out->economy = geo_asn_economy(world->geo, endpoint->asn);
    if (out->economy.index != 0)
        return ATTRIBUTION_RULE_ASN_ECONOMY;
    if (addressed || endpoint->name.n == 0)
        return ATTRIBUTION_RULE_NONE;
    out->economy = economy_of_name(endpoint->name);
    return out->economy.index != 0 ? ATTRIBUTION_RULE_CCTLD : ATTRIBUTION_RULE_NONE;
}

void
attribute_endpoint(
    const struct world *world, const struct endpoint *endpoint, struct attribution *out)
{
    const struct address *address = endpoint->ip.family != 0 ? &endpoint->ip : &endpoint->network;
    bool addressed = address->family != 0;
    bool special = addressed && special_word(address) != NULL;
    enum attribution_rule rule;

    *out = (struct attribution){.feed_economy = endpoint->geo, .feed_asn = endpoint->asn};
    if (!addressed && endpoint->asn == 0 && endpoint->name.n == 0)
        return;
    if (addressed && !special && world->geo != NULL)
        out->geo = geo_find(world->geo, address);
    rule = find_economy(world, endpoint, addressed, special, out);
    out->team = by_constituency(world->roster, address,
        out->geo.asn != 0 ? out->geo.asn : endpoint->asn, endpoint->name, out);
    if (out->team.index != 0)
        return;
    out->rule = ATTRIBUTION_RULE_NONE;
    if (rule == ATTRIBUTION_RULE_NONE)
        return;
    out->team = roster_by_economy(world->roster, out->economy, &out->other_teams);
    if (out->team.index != 0)
        out->rule = (uint8_t)rule;
}

void
attribute_report(
    const struct world *world, const struct report *report, struct attribution_pair *out)
{
    const struct team_id *source = &out->source.team;
    const struct team_id *destination = &out->destination.team;

    attribute_endpoint(world, &report->source, &out->source);
    attribute_endpoint(world, &report->destination, &out->destination);
    out->recipients[0] = out->recipients[1] = (struct team_id){0};
    out->recipient_count = 0;
    if (source->index != 0)
        out->recipients[out->recipient_count++] = *source;
    if (destination->index != 0 && destination->index != source->index)
        out->recipients[out->recipient_count++] = *destination;
}

bool
attribution_disagrees(const struct attribution *attribution)
{
    const uint16_t evidence[] = {attribution->geo.economy.index, attribution->geo.asn_economy.index,
        attribution->feed_economy.index};
    uint16_t first = 0;

    for (size_t i = 0; i < sizeof evidence / sizeof evidence[0]; i++) {
        if (evidence[i] != 0 && first != 0 && evidence[i] != first)
            return true;
        if (first == 0)
            first = evidence[i];
    }
    return false;
}
