/* geo_ask.h: do all the ways to ask the table give one answer? For its tests; after cmocka.h. */
#ifndef COMITY_TESTS_GEO_ASK_H
#define COMITY_TESTS_GEO_ASK_H

#include "geo/geo.h"

static inline bool
same(struct geo_answer a, struct geo_answer b)
{
    return a.asn == b.asn && a.economy.index == b.economy.index
        && a.asn_economy.index == b.asn_economy.index && a.bits == b.bits;
}

/* By all of the ways there are to ask. */
static inline struct geo_answer
ask(const struct geo *geo, const struct address *a)
{
    struct geo_answer one = geo_find(geo, a);
    struct geo_answer many;

    geo_prefetch(geo, a);
    geo_find6(geo, a, 1, &many);
    assert_true(same(one, many));
    if (a->family == 4) {
        geo_find4(geo, &(uint32_t){(uint32_t)a->low}, 1, &many);
        assert_true(same(one, many));
    }
    return one;
}

static inline uint64_t
rnd(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

#endif
