#include "core/evidence.h"

#include "core/told.h"

/* The first address of the prefix of BITS over ADDRESS. */
static struct address
prefix_over(struct address address, uint8_t bits)
{
    address.bits = bits;
    if (address.family == 4) {
        address.low = bits == 0 ? 0 : (uint32_t)(address.low >> (32 - bits) << (32 - bits));
        return address;
    }
    if (bits <= 64) {
        address.high = bits == 0 ? 0 : address.high >> (64 - bits) << (64 - bits);
        address.low = 0;
    } else if (bits < 128) {
        address.low = address.low >> (128 - bits) << (128 - bits);
    }
    return address;
}

size_t
evidence_prefix(const struct endpoint *endpoint, const struct attribution *attribution,
    char out[ADDRESS_TEXT_BYTES])
{
    struct address address = endpoint->ip.family != 0 ? endpoint->ip : endpoint->network;

    out[0] = '\0';
    if (attribution->rule == ATTRIBUTION_RULE_PREFIX && attribution->prefix.family != 0)
        return address_format(&attribution->prefix, out);
    if (address.family == 6 && address.high == 0 && address.low >> 32 == 0xffff)
        address = (struct address){.low = (uint32_t)address.low, .family = 4, .bits = 32};
    uint8_t bits = attribution->geo.bits;
    if (address.family == 0 || bits == 0 || bits > (address.family == 4 ? 32 : 128))
        return 0;
    address = prefix_over(address, bits);
    return address_format(&address, out);
}

void
evidence_members(const struct core *core, const struct endpoint *endpoint,
    const struct attribution *attribution, struct span team, struct buf *out)
{
    uint32_t asn = attribution->geo.asn != 0 ? attribution->geo.asn : attribution->feed_asn;
    struct economy of_asn = attribution->geo.asn_economy;
    char prefix[ADDRESS_TEXT_BYTES];
    size_t n = evidence_prefix(endpoint, attribution, prefix);

    if (of_asn.index == 0 && attribution->geo.asn == 0 && asn != 0 && core->geo != NULL)
        of_asn = geo_asn_economy(core->geo, asn);
    told_text(out, "prefix", (struct span){prefix, n});
    told_number_or_null(out, "asn", asn);
    told_text(
        out, "as_name", asn == 0 || core->geo == NULL ? SPAN("") : geo_asn_name(core->geo, asn));
    told_economy(out, "registry_economy", attribution->geo.economy);
    told_economy(out, "asn_economy", of_asn);
    told_economy(out, "feed_economy", attribution->feed_economy);
    told_economy(out, "economy", attribution->economy);
    told_flag(out, "disagrees", attribution_disagrees(attribution));
    told_word(out, "rule", attribution_rule_word((enum attribution_rule)attribution->rule));
    told_word(out, "rule_text", attribution_rule_text((enum attribution_rule)attribution->rule));
    told_text(out, "registered_domain",
        attribution->rule == ATTRIBUTION_RULE_DOMAIN ? attribution->domain : SPAN(""));
    told_number(out, "other_teams", attribution->other_teams);
    told_text(out, "team", team);
}
