#include "core/search.h"

#include "base/hash.h"
#include "core/id.h"
#include "model/domain.h"

#include <libpsl.h>
#include <stdlib.h>

enum { SLOTS_FIRST = 4096, MEMO_SLOTS = 1024 };

/* What a key is of: its seed. For life, as keys lie in stores. */
enum search_kind {
    KIND_ADDRESS = 1,
    KIND_NETWORK = 2, /* /24 and /48 */
    KIND_DOMAIN = 3,  /* registrable */
    KIND_ASN = 4,
    KIND_ECONOMY = 5,
    KIND_CLASSIFICATION = 6,
    KIND_PROVIDER = 7,
    KIND_TEAM = 8,
    KIND_EFFECT = 9,
    KIND_TEAM_EFFECT = 10,  /* what is asked for together and is seldom so: */
    KIND_ECONOMY_TEAM = 11, /* else every batch of a large store would be opened in vain */
    KIND_ID = 12,           /* that another node gave */
    KIND_SENDER = 13,       /* since version 4 of the store */
};

struct memo {
    uint64_t name;
    uint64_t domain; /* key; 0: the name has none */
};

struct search_set {
    uint64_t *keys;  /* in order of arrival */
    uint32_t *slots; /* position + 1 in keys */
    size_t count;
    size_t mask;
    struct memo memo[MEMO_SLOTS]; /* the list of suffixes is slow, and names come again */
};

/* ---- keys ---- */

static uint64_t
key_of(enum search_kind kind, const void *p, size_t n)
{
    uint64_t key = hash_bytes(p, n, (uint64_t)kind);

    return key != 0 ? key : 1;
}

static uint64_t
key_of_number(enum search_kind kind, uint64_t number)
{
    return key_of(kind, &number, sizeof number);
}

static uint64_t
key_of_pair(enum search_kind kind, uint64_t team_key, uint64_t number)
{
    const uint64_t words[2] = {team_key, number};

    return key_of(kind, words, sizeof words);
}

/* IPv4 inside of IPv6 is found as IPv4. */
static struct address
plain(struct address address)
{
    if (address.family == 6 && address.high == 0 && address.low >> 32 == 0xffff
        && (address.bits == 0 || address.bits >= 96))
        return (struct address){.low = address.low & 0xffffffff,
            .family = 4,
            .bits = (uint8_t)(address.bits == 0 ? 32 : address.bits - 96)};
    return address;
}

static uint64_t
key_of_address(const struct address *address)
{
    uint64_t words[3] = {address->high, address->low, address->family};

    return key_of(KIND_ADDRESS, words, sizeof words);
}

static uint64_t
key_of_network(const struct address *address)
{
    uint64_t words[3] = {address->high & ~(uint64_t)0xffff, 0, address->family};

    if (address->family == 4)
        words[1] = address->low & ~(uint64_t)0xff;
    return key_of(KIND_NETWORK, words, sizeof words);
}

/* NAME is normalised and ends with NUL. 0: a public suffix, under which nobody has registered. */
static uint64_t
key_of_domain(const char *name)
{
    const char *domain = psl_registrable_domain(psl_builtin(), name);

    return domain == NULL ? 0 : key_of(KIND_DOMAIN, domain, strlen(domain));
}

static uint64_t
key_of_text(enum search_kind kind, struct span text)
{
    char room[256];
    size_t n = text.n < sizeof room ? text.n : sizeof room;

    for (size_t i = 0; i < n; i++)
        room[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]);
    return key_of(kind, room, n);
}

/* ---- a batch's set ---- */

struct search_set *
search_set_new(void)
{
    struct search_set *set = calloc(1, sizeof *set);

    if (set == NULL)
        return NULL;
    set->mask = SLOTS_FIRST - 1;
    set->slots = calloc(SLOTS_FIRST, sizeof *set->slots);
    set->keys = calloc(SLOTS_FIRST / 2, sizeof *set->keys);
    if (set->slots != NULL && set->keys != NULL)
        return set;
    search_set_free(set);
    return NULL;
}

void
search_set_free(struct search_set *set)
{
    if (set == NULL)
        return;
    free(set->slots);
    free(set->keys);
    free(set);
}

void
search_set_reset(struct search_set *set)
{
    memset(set->slots, 0, (set->mask + 1) * sizeof *set->slots);
    set->count = 0;
}

const uint64_t *
search_set_keys(const struct search_set *set, size_t *count)
{
    *count = set->count;
    return set->keys;
}

static uint32_t *
slot_of(const struct search_set *set, uint64_t key)
{
    size_t at = (size_t)(key ^ key >> 32) & set->mask;

    while (set->slots[at] != 0 && set->keys[set->slots[at] - 1] != key)
        at = (at + 1) & set->mask;
    return &set->slots[at];
}

/* Twice the room. */
static int
grow(struct search_set *set, struct err *err)
{
    size_t size = (set->mask + 1) * 2;
    uint32_t *slots = calloc(size, sizeof *slots);
    uint64_t *keys = slots == NULL ? NULL : realloc(set->keys, size / 2 * sizeof *keys);

    if (keys == NULL) {
        free(slots);
        return err_set(err, ERR_NO_MEMORY, "no memory for a batch's search keys");
    }
    free(set->slots);
    set->slots = slots;
    set->keys = keys;
    set->mask = size - 1;
    for (size_t i = 0; i < set->count; i++)
        *slot_of(set, keys[i]) = (uint32_t)i + 1;
    return 0;
}

static void
add(struct search_set *set, uint64_t key)
{
    uint32_t *slot = slot_of(set, key);

    if (*slot != 0)
        return;
    set->keys[set->count++] = key;
    *slot = (uint32_t)set->count;
}

static void
add_address(struct search_set *set, const struct address *given)
{
    struct address address = plain(*given);

    if (address.family == 0)
        return;
    add(set, key_of_address(&address));
    add(set, key_of_network(&address));
}

static void
add_name(struct search_set *set, struct span name)
{
    char room[DOMAIN_BYTES];
    size_t n;

    if (name.n == 0)
        return;
    uint64_t hash = hash_bytes(name.p, name.n, 0) | 1;
    struct memo *memo = &set->memo[hash >> 32 & (MEMO_SLOTS - 1)];
    if (memo->name != hash) {
        bool named = domain_normalise(name, room, &n, NULL) == 0;
        *memo = (struct memo){hash, named ? key_of_domain(room) : 0};
    }
    if (memo->domain != 0)
        add(set, memo->domain);
}

static void
add_side(struct search_set *set, const struct endpoint *side, uint32_t asn, struct economy economy)
{
    add_address(set, side->ip.family != 0 ? &side->ip : &side->network);
    add_name(set, side->name);
    if (side->asn != 0)
        add(set, key_of_number(KIND_ASN, side->asn));
    if (asn != 0)
        add(set, key_of_number(KIND_ASN, asn));
    if (economy.index != 0)
        add(set, key_of_number(KIND_ECONOMY, economy.index));
}

static void
add_outcome(
    struct search_set *set, const struct search_facts *facts, const struct search_outcome *outcome)
{
    uint64_t team = key_of(KIND_TEAM, outcome->team.p, outcome->team.n);

    add(set, team);
    add(set, key_of_number(KIND_EFFECT, outcome->effect));
    add(set, key_of_pair(KIND_TEAM_EFFECT, team, outcome->effect));
    for (int side = 0; side < 2; side++)
        if (facts->economies[side].index != 0)
            add(set, key_of_pair(KIND_ECONOMY_TEAM, team, facts->economies[side].index));
}

/* The id that another node gave REPORT; n 0: none. ROOM has ID_TEXT_BYTES. */
static struct span
given_id(const struct report *report, char *room)
{
    const struct field *given = report_other(report, SPAN(REPORT_ID_NAME));
    bool is_id = given != NULL && given->type == VALUE_TEXT
        && id_plain((struct span){given->s, given->n}, room);

    return (struct span){room, is_id ? ID_TEXT_BYTES - 1 : 0};
}

enum { REPORT_KEYS_MAX = 2 * 6 + 4 + 5 * SEARCH_OUTCOMES_MAX };

int
search_set_add(struct search_set *set, const struct report *report,
    const struct search_facts *facts, struct err *err)
{
    while (set->count + REPORT_KEYS_MAX > (set->mask + 1) / 2) {
        int rc = grow(set, err);
        if (rc != 0)
            return rc;
    }
    add_side(set, &report->source, facts->asns[0], facts->economies[0]);
    add_side(set, &report->destination, facts->asns[1], facts->economies[1]);
    add(set, key_of_number(KIND_CLASSIFICATION, report->classification));
    if (report->provider.n > 0)
        add(set, key_of_text(KIND_PROVIDER, report->provider));
    for (uint32_t i = 0; i < facts->outcome_count; i++)
        add_outcome(set, facts, &facts->outcomes[i]);
    char room[ID_TEXT_BYTES];
    struct span id = given_id(report, room);
    if (id.n > 0)
        add(set, key_of(KIND_ID, id.p, id.n));
    if (facts->sender.n > 0)
        add(set, key_of(KIND_SENDER, facts->sender.p, facts->sender.n));
    return 0;
}

/* ---- a query ---- */

static size_t
address_keys(const struct search_query *query, uint64_t *keys)
{
    struct address address = plain(query->address);
    bool four = address.family == 4;

    if (address.family == 0 || address.bits < (four ? 24 : 48))
        return 0;
    keys[0] =
        address.bits == (four ? 32 : 128) ? key_of_address(&address) : key_of_network(&address);
    return 1;
}

/* Nobody's team is "". */
static size_t
team_keys(const struct search_query *query, uint64_t *keys)
{
    uint64_t team = key_of(KIND_TEAM, query->team.p, query->team.n);
    size_t n = 0;

    keys[n++] = team;
    if (query->effect_given)
        keys[n++] = key_of_pair(KIND_TEAM_EFFECT, team, query->effect);
    if (query->economy.index != 0)
        keys[n++] = key_of_pair(KIND_ECONOMY_TEAM, team, query->economy.index);
    return n;
}

size_t
search_query_keys(const struct search_query *query, uint64_t keys[SEARCH_QUERY_KEYS_MAX])
{
    size_t n = address_keys(query, keys);
    char room[DOMAIN_BYTES];

    if (query->name.n > 0 && query->name.n < sizeof room) {
        memcpy(room, query->name.p, query->name.n);
        room[query->name.n] = '\0';
        keys[n] = key_of_domain(room);
        n += keys[n] != 0;
    }
    if (query->team.n > 0 || query->unattributed)
        n += team_keys(query, keys + n);
    if (query->provider.n > 0)
        keys[n++] = key_of_text(KIND_PROVIDER, query->provider);
    if (query->asn != 0)
        keys[n++] = key_of_number(KIND_ASN, query->asn);
    if (query->economy.index != 0)
        keys[n++] = key_of_number(KIND_ECONOMY, query->economy.index);
    if (query->classification != 0)
        keys[n++] = key_of_number(KIND_CLASSIFICATION, query->classification);
    if (query->effect_given)
        keys[n++] = key_of_number(KIND_EFFECT, query->effect);
    if (query->id.n > 0)
        keys[n++] = key_of(KIND_ID, query->id.p, query->id.n);
    if (query->sender.n > 0)
        keys[n++] = key_of(KIND_SENDER, query->sender.p, query->sender.n);
    return n;
}

static bool
side_at(const struct search_query *query, const struct endpoint *side)
{
    struct address address = plain(side->ip.family != 0 ? side->ip : side->network);
    struct address prefix = plain(query->address);

    return address.family == prefix.family && address_in(&address, &prefix);
}

static bool
side_named(const struct search_query *query, const struct endpoint *side)
{
    char room[DOMAIN_BYTES];
    size_t n;

    if (side->name.n == 0 || domain_normalise(side->name, room, &n, NULL) != 0)
        return false;
    struct span name = {room, n};
    return span_ends(name, query->name)
        && (n == query->name.n || room[n - query->name.n - 1] == '.');
}

static bool
for_whom(const struct search_query *query, const struct search_facts *facts)
{
    bool team_counts = query->team.n > 0 || query->unattributed;

    for (uint32_t i = 0; i < facts->outcome_count; i++) {
        const struct search_outcome *outcome = &facts->outcomes[i];
        if ((!team_counts || span_equal(outcome->team, query->team))
            && (!query->effect_given || outcome->effect == query->effect))
            return true;
    }
    return facts->outcome_count == 0 && !team_counts && !query->effect_given;
}

bool
search_matches(
    const struct search_query *query, const struct report *report, const struct search_facts *facts)
{
    const struct endpoint *a = &report->source;
    const struct endpoint *b = &report->destination;
    char room[ID_TEXT_BYTES];

    if (query->id.n > 0 && !span_equal(given_id(report, room), query->id))
        return false;
    if (query->sender.n > 0 && !span_equal(query->sender, facts->sender))
        return false;
    if (query->classification != 0 && query->classification != report->classification)
        return false;
    if (query->address.family != 0 && !side_at(query, a) && !side_at(query, b))
        return false;
    if (query->name.n > 0 && !side_named(query, a) && !side_named(query, b))
        return false;
    if (query->provider.n > 0 && !span_equal_nocase(query->provider, report->provider))
        return false;
    if (query->asn != 0 && query->asn != a->asn && query->asn != b->asn
        && query->asn != facts->asns[0] && query->asn != facts->asns[1])
        return false;
    if (query->economy.index != 0 && query->economy.index != facts->economies[0].index
        && query->economy.index != facts->economies[1].index)
        return false;
    return for_whom(query, facts);
}
