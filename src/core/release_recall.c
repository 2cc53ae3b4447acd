/* That a report is taken back, as its recipient gets it: a delivery of its own. */
#include "core/collections.h"
#include "core/release_private.h"
#include "fmt/writer.h"
#include "store/recall.h"
#include "sys/clock.h"

enum { ID_BYTES = 64 };

/* When the object that is taken back was added; 0: it is not there any more. */
static int
find_object(struct core *core, const struct unpacked *batch, const struct task *task,
    struct span text, int64_t *added_us, uint32_t *collection, struct err *err)
{
    static const struct span name = {"\"id\":\"", 6};
    const char *at = memmem(text.p, text.n, name.p, name.n);
    struct store_page page = {0};

    *added_us = 0;
    int rc = collections_of_team(core->collections, task->team, clock_now_us(), collection, err);
    if (rc != 0 || at == NULL)
        return rc;
    const char *begin = at + name.n;
    const char *end = memchr(begin, '"', (size_t)(text.p + text.n - begin));
    const struct span id = {begin, end == NULL ? 0 : (size_t)(end - begin)};
    const struct store_page_query query = {.collection = *collection,
        .after_us = batch->row.received_us - 1,
        .limit = 1,
        .ids = &id,
        .id_count = 1,
        .versions = VERSIONS_ALL,
        .rows_only = true};
    rc = store_page(core->store, core->arena, &query, &page, err);
    if (rc == 0 && page.row_count > 0)
        *added_us = page.rows[0].added_us;
    return rc;
}

int
release_recall(struct core *core, const struct unpacked *batch, const struct task *task, bool held,
    const struct stix_recall *recall, struct err *err)
{
    struct release *release = core->release;
    uint32_t collection = 0;
    int64_t added_us = 0;

    release_begin(release, batch, task, held);
    release->parcel.recall = true;
    int rc = release_one(core, release, batch, task, recall, err);
    if (rc == 0)
        rc = find_object(core, batch, task, buf_span(&release->text), &added_us, &collection, err);
    if (rc == 0)
        rc = release_finish(core, release, batch, err);
    else
        release_drop(release);
    const struct store_superseded superseded = {added_us, release->parcel.first_us, recall->at_us};
    return rc == 0 && added_us != 0 ? store_supersede(core->store, collection, &superseded, err)
                                    : rc;
}
