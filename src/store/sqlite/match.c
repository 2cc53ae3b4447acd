#include "store/sqlite/match.h"

#include "store/filter.h"

static int
keys_of(uint64_t (*key)(struct span), const struct span *texts, size_t count, struct arena *arena,
    uint64_t **out, struct err *err)
{
    *out = count == 0 ? NULL : arena_alloc(arena, count * sizeof **out);
    if (count > 0 && *out == NULL)
        return arena_full(err, "a page is asked for");
    for (size_t i = 0; i < count; i++)
        (*out)[i] = key(texts[i]);
    return 0;
}

int
match_begin(
    struct match *match, const struct store_page_query *query, struct arena *arena, struct err *err)
{
    match->query = query;
    match->versions = query->versions == 0 ? VERSIONS_LAST : query->versions;
    int rc = keys_of(piece_key_id, query->ids, query->id_count, arena, &match->id_keys, err);
    if (rc == 0)
        rc =
            keys_of(piece_key_type, query->types, query->type_count, arena, &match->type_keys, err);
    return rc;
}

static bool
may_hold_any(struct span filter, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (filter_may_hold(filter, keys[i]))
            return true;
    return count == 0;
}

bool
match_piece(const struct match *match, bool lasts, struct span filter)
{
    if (match->versions == VERSIONS_LAST && !lasts)
        return false;
    return may_hold_any(filter, match->type_keys, match->query->type_count)
        && may_hold_any(filter, match->id_keys, match->query->id_count);
}

static bool
version_matches(const struct match *match, const struct entry *entry)
{
    if ((match->versions & VERSIONS_ALL) != 0
        || ((match->versions & VERSIONS_LAST) != 0 && (entry->flags & ENTRY_LAST) != 0)
        || ((match->versions & VERSIONS_FIRST) != 0 && (entry->flags & ENTRY_FIRST) != 0))
        return true;
    if ((match->versions & VERSIONS_NAMED) != 0)
        for (size_t i = 0; i < match->query->named_count; i++)
            if (match->query->named_us[i] == entry->version_us)
                return true;
    return false;
}

static bool
one_of(const struct span *texts, size_t count, struct span text)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(texts[i], text))
            return true;
    return count == 0;
}

static bool
spec_matches(const struct store_page_query *query, uint8_t spec)
{
    for (size_t i = 0; i < query->spec_count; i++)
        if (query->specs[i] == spec)
            return true;
    return query->spec_count == 0;
}

bool
match_entry(const struct match *match, const struct entries *entries, const struct entry *entry)
{
    const struct store_page_query *query = match->query;
    char id[STORE_ID_BYTES];

    if (!version_matches(match, entry) || !spec_matches(query, entry->spec)
        || !one_of(query->types, query->type_count, entries_type(entries, entry)))
        return false;
    if (query->id_count == 0)
        return true;
    size_t n = entries_id(entries, entry, id);
    return one_of(query->ids, query->id_count, (struct span){id, n});
}
