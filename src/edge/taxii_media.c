#include "edge/taxii_media.h"

static struct span
unquoted(struct span s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return (struct span){s.p + 1, s.n - 2};
    return s;
}

/* 0, 0.0, 0.00 or 0.000 */
static bool
is_zero(struct span q)
{
    if (q.n == 0 || q.p[0] != '0' || (q.n > 1 && q.p[1] != '.'))
        return false;
    for (size_t i = 2; i < q.n; i++)
        if (q.p[i] != '0')
            return false;
    return true;
}

static enum taxii_media
kind_of(struct span type)
{
    static const struct {
        const char *name;
        enum taxii_media media;
    } known[] = {
        {"application/taxii+json", MEDIA_TAXII},
        {"application/stix+json", MEDIA_STIX},
        {"application/vnd.oasis.stix+json", MEDIA_STIX},
        {"*/*", MEDIA_RANGE},
        {"application/*", MEDIA_RANGE},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_equal_nocase(type, span_of(known[i].name)))
            return known[i].media;
    return MEDIA_OTHER;
}

enum taxii_media
taxii_media(struct span text, bool *refused)
{
    struct span rest = text;
    struct span part;
    enum taxii_media media;

    *refused = false;
    if (!span_next(&rest, ';', &part))
        return MEDIA_OTHER;
    media = kind_of(span_trim(part));
    while (span_next(&rest, ';', &part)) {
        struct span value = span_trim(part);
        struct span name;
        if (!span_next(&value, '=', &name))
            continue;
        name = span_trim(name);
        value = unquoted(span_trim(value));
        if (span_equal_nocase(name, SPAN("q")))
            *refused = is_zero(value);
        else if (media != MEDIA_RANGE && span_equal_nocase(name, SPAN("version"))
            && !span_equal(value, SPAN("2.1")))
            media = MEDIA_OTHER;
    }
    return media;
}

bool
taxii_media_accepted(struct span accept)
{
    struct span part;
    bool by_range = false;

    while (span_next(&accept, ',', &part)) {
        bool refused;
        enum taxii_media media = taxii_media(span_trim(part), &refused);
        if (media == MEDIA_TAXII)
            return !refused;
        if (media == MEDIA_RANGE && !refused)
            by_range = true;
    }
    return by_range;
}
