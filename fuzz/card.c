/* Team cards: what is read well makes a roster that can be asked. */
#include "fuzz.h"

#include "flow/card.h"
#include "flow/roster.h"

static void
ask(const struct team *team)
{
    struct roster *roster;
    struct span matched;
    struct address prefix;
    uint8_t others;

    if (roster_build(team, 1, &roster, NULL) != 0)
        return;
    for (size_t i = 0; i < team->prefix_count; i++)
        MUST(roster_by_address(roster, &team->prefixes[i], &prefix, &others).index == 1);
    for (size_t i = 0; i < team->domain_count; i++)
        MUST(roster_by_domain(roster, team->domains[i], &matched, &others).index == 1);
    for (size_t i = 0; i < team->asn_count; i++)
        MUST(roster_by_asn(roster, team->asns[i], &others).index == 1);
    MUST(roster_find(roster, team->id).index == 1);
    roster_free(roster);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct json *json = json_new((size_t)4 << 20);
    struct json_value root;
    struct err err = {0};
    struct team team;

    MUST(arena != NULL && json != NULL);
    if (json_parse_copy(json, (struct span){(const char *)data, size}, &root, NULL) == 0) {
        int rc = card_read(arena, root, INT64_C(1767225600000000), &team, &err);
        MUST(rc == 0 || err.msg[0] != '\0');
        if (rc == 0)
            ask(&team);
    }
    json_free(json);
    arena_free(arena);
    return 0;
}
