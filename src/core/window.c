#include "core/window.h"

#include "base/hash.h"

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

uint64_t
window_digest(const struct report *report, uint32_t partner)
{
    uint64_t digest = report_digest(report);

    return partner == 0 ? digest : hash_fold(digest, partner, UINT64_MAX);
}
