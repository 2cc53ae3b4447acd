#include "core/window.h"

#include "base/hash.h"
#include "core/id.h"

static void
add_digests(void *ctx, const uint64_t *digests, size_t count)
{
    struct seen *seen = ctx;

    for (size_t i = 0; i < count; i++)
        (void)seen_add(seen, digests[i]);
}

int
window_read(struct store *store, uint64_t reports, struct seen **out, struct err *err)
{
    *out = seen_new(reports > 0 ? reports : 1);
    if (*out == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a window of %llu reports",
            (unsigned long long)reports);
    return store_digests(store, reports, add_digests, *out, err);
}

/* As that of a report that says nothing but its id; false: it brings none. */
static bool
digest_of_id(const struct report *report, uint64_t *digest)
{
    const struct field *given = report_other(report, SPAN(REPORT_ID_NAME));
    char id[ID_TEXT_BYTES];
    uint64_t part;
    uint32_t number;

    if (given == NULL || given->type != VALUE_TEXT
        || !id_plain((struct span){given->s, given->n}, id))
        return false;
    const struct field alone = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .name = given->name,
        .s = id,
        .n = ID_TEXT_BYTES - 1};
    (void)report_digest_part(&alone, &part, &number);
    *digest = report_digest_of(part, number);
    return true;
}

uint64_t
window_digest(const struct report *report, uint32_t partner)
{
    uint64_t digest;

    if (!digest_of_id(report, &digest))
        digest = report_digest(report);

    return partner == 0 ? digest : hash_fold(digest, partner, UINT64_MAX);
}

uint64_t
window_id_digest(const struct report *report, uint32_t partner)
{
    uint64_t digest;

    return partner != 0 && digest_of_id(report, &digest) ? digest : 0;
}
