/* A partner's MISP feed: which events it has, and one event's objects (model/feed.h). */
#include "core/collections.h"
#include "core/directory.h"
#include "core/id.h"
#include "core/state.h"
#include "model/feed.h"
#include "store/recall.h"

enum { ANSWER_BYTES = CHANNEL_BODY_MAX, PAGES_MAX = 20, PAGE_ROWS = 1000 };

/* The asker's own collection. */
static const struct store_collection *
feed_of(struct core *core, struct ask *ask, struct feed_about *about, struct err *err)
{
    const struct store_collection *own = NULL;
    unsigned may;

    if (ask->asker.kind == PRINCIPAL_PARTNER && directory_know(core, ask->asker.team, err) != 0)
        return NULL;
    const struct span id = collections_team_id(core->collections, &ask->asker);
    own = collections_find(core->collections, id, &ask->asker, &may);
    if (own == NULL) {
        (void)err_set(err, ERR_NOT_FOUND,
            "a feed is a partner's: only who signs in for a team of the directory has one");
        return NULL;
    }
    *about = (struct feed_about){.collection = own->id,
        .team = ask->asker.team,
        .origin = knowledge_team_id(core, core->team)};
    about->origin_name =
        core->team.index != 0 ? roster_team(core->roster, core->team)->name : SPAN("unknown");
    return own;
}

/* What the collection holds now; the list in memory is of when it was made. */
static int
look(struct core *core, struct feed_about *about, struct err *err)
{
    struct store_collection *list;
    size_t count;
    int rc = store_collections(core->store, core->arena, &list, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (span_equal(list[i].id, about->collection)) {
            about->objects = list[i].objects;
            about->last_us = list[i].last_us;
        }
    return rc;
}

/* Does an event end behind row I of PAGE? Behind the last row only the rule for all can say so. */
static bool
ends(const struct store_page *page, size_t i)
{
    const struct store_page_row *row = &page->rows[i];

    if (feed_ends_behind(row->id, row->added_us))
        return true;
    return i + 1 < page->row_count
        && feed_day(page->rows[i + 1].added_us) != feed_day(row->added_us);
}

/* ---- what was taken back of it ---- */

struct superseded {
    struct store_superseded *list;
    size_t count;
};

static int
look_superseded(struct core *core, uint32_t collection, const struct store_page *page,
    struct superseded *out, struct err *err)
{
    *out = (struct superseded){NULL, 0};
    return page->row_count == 0
        ? 0
        : store_superseded_list(core->store, core->arena, collection, page->rows[0].added_us,
            page->rows[page->row_count - 1].added_us, &out->list, &out->count, err);
}

/* When; 0: it was not. */
static int64_t
recalled_us(const struct superseded *s, int64_t added_us)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].added_us == added_us)
            return s->list[i].at_us;
    return 0;
}

/* Is the object that was added then the one that takes another back? */
static bool
is_recall(const struct superseded *s, int64_t added_us)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].by_us == added_us)
            return true;
    return false;
}

/* ---- the manifest ---- */

struct cutting {
    struct feed_manifest *m;
    struct feed_event open; /* objects 0: none is */
    bool reports;           /* it has some: MISP wants no empty event */
};

static void
close_event(struct cutting *c)
{
    if (c->open.objects > 0 && c->reports)
        c->m->events[c->m->count++] = c->open;
    c->open.objects = 0;
    c->reports = false;
}

static bool
is_report(struct span id)
{
    return span_starts(id, SPAN("observed-data--")) || span_starts(id, SPAN("note--"));
}

static void
cut(struct cutting *c, const struct store_page *page, const struct superseded *superseded)
{
    for (size_t i = 0; i < page->row_count && c->m->count < FEED_EVENTS_MAX; i++) {
        const struct store_page_row *row = &page->rows[i];
        if (c->open.objects > 0 && feed_day(row->added_us) != feed_day(c->open.last_us))
            close_event(c);
        if (c->m->count == FEED_EVENTS_MAX)
            break;
        int64_t changed = recalled_us(superseded, row->added_us);
        if (c->open.objects++ == 0)
            c->open = (struct feed_event){.first_us = row->added_us, .objects = 1};
        c->open.last_us = row->added_us;
        c->open.changed_us = changed > c->open.changed_us ? changed : c->open.changed_us;
        c->reports = c->reports || (is_report(row->id) && !is_recall(superseded, row->added_us));
        if (feed_ends_behind(row->id, row->added_us))
            close_event(c);
    }
}

/* Some pages a question, so that core has time for others: an event that is open at the end is
 * begun anew with the next one. */
static int
cut_pages(struct core *core, struct store_page_query *query, struct cutting *c, struct err *err)
{
    struct store_page page = {.more = true};
    struct superseded superseded;
    int rc = 0;

    for (int n = 0; rc == 0 && page.more && c->m->count < FEED_EVENTS_MAX
         && (n < PAGES_MAX || c->m->count == 0);
         n++) {
        rc = store_page(core->store, core->arena, query, &page, err);
        if (rc == 0)
            rc = look_superseded(core, query->collection, &page, &superseded, err);
        if (rc == 0)
            cut(c, &page, &superseded);
        if (rc == 0 && page.row_count > 0)
            query->after_us = page.rows[page.row_count - 1].added_us;
    }
    c->m->more = page.more || c->m->count == FEED_EVENTS_MAX;
    if (!c->m->more)
        close_event(c);
    if (c->m->count > 0)
        c->m->resume_us = c->m->events[c->m->count - 1].last_us;
    return rc;
}

int
core_misp_manifest(struct core *core, struct ask *ask, struct err *err)
{
    struct feed_manifest m = {.resume_us = wire_i64(&ask->in)};
    struct cutting c = {.m = &m};
    int rc = wire_end(&ask->in, "a question for a feed", err);
    const struct store_collection *own = rc == 0 ? feed_of(core, ask, &m.about, err) : NULL;

    if (own == NULL)
        return (int)err->code;
    struct store_page_query query = {.collection = own->number,
        .after_us = m.resume_us,
        .limit = PAGE_ROWS,
        .versions = VERSIONS_ALL,
        .rows_only = true};
    m.events = arena_zalloc(ask->arena, FEED_EVENTS_MAX + 1, sizeof *m.events);
    if (m.events == NULL)
        return arena_full(err, "a feed");
    rc = look(core, &m.about, err);
    if (rc == 0)
        rc = cut_pages(core, &query, &c, err);
    struct buf answer = buf_new(ANSWER_BYTES);
    feed_manifest_add(&answer, &m);
    if (rc == 0)
        rc = buf_check(&answer, "a feed", err);
    if (rc == 0)
        rc = core->begun ? core_answer_durable(core, ask, buf_span(&answer), err)
                         : core_answer(core, ask, buf_span(&answer), false, err);
    buf_free(&answer);
    return rc;
}

/* ---- one event ---- */

/* Which reports among the first N rows were taken back. */
static int
take_recalled(struct core *core, uint32_t collection, const struct store_page *page, size_t n,
    struct feed_part *part, struct err *err)
{
    struct superseded superseded;
    int rc = look_superseded(core, collection, page, &superseded, err);

    part->recalled = arena_zalloc(core->arena, n + 1, sizeof *part->recalled);
    if (rc == 0 && part->recalled == NULL)
        return arena_full(err, "an event");
    for (size_t i = 0; rc == 0 && i < n && part->recalled_count < FEED_RECALLED_MAX; i++) {
        int64_t changed = recalled_us(&superseded, page->rows[i].added_us);
        struct span id = page->rows[i].id;
        char *plain = changed == 0 ? NULL : arena_alloc(core->arena, ID_TEXT_BYTES);
        if (plain == NULL || id.n < ID_TEXT_BYTES - 1
            || !id_plain(
                (struct span){id.p + id.n - (ID_TEXT_BYTES - 1), ID_TEXT_BYTES - 1}, plain))
            continue;
        part->recalled[part->recalled_count++] = (struct span){plain, ID_TEXT_BYTES - 1};
        part->changed_us = changed > part->changed_us ? changed : part->changed_us;
    }
    return rc;
}

/* How many rows of the page belong to the event that begins with it, and whether it ends there. */
static int
measure(struct core *core, uint32_t collection, struct page_question *q, struct feed_part *part,
    int64_t *end_us, struct err *err)
{
    const struct store_page_query query = {.collection = collection,
        .after_us = q->after_us,
        .limit = PAGE_ROWS,
        .versions = VERSIONS_ALL,
        .rows_only = true};
    struct store_page page;
    int rc = store_page(core->store, core->arena, &query, &page, err);
    size_t n = 0;

    if (rc != 0)
        return rc;
    part->last = false;
    /* The last row is looked at with the next page, when it is known what follows it. */
    size_t known = page.row_count - (page.more ? 1 : 0);
    while (n < known && !part->last)
        part->last = ends(&page, n++);
    part->last = part->last || !page.more;
    if (n == 0)
        return err_set(err, ERR_NOT_FOUND, "the feed has no such event");
    q->limit = (uint32_t)n;
    *end_us = page.rows[n - 1].added_us;
    return take_recalled(core, collection, &page, n, part, err);
}

int
core_misp_event(struct core *core, struct ask *ask, struct err *err)
{
    struct feed_part part = {0};
    struct page_question q = {.what = PAGE_OBJECTS, .filter = {.all = true}};
    const struct store_collection *own;
    int64_t end_us = 0;
    struct buf page = buf_new(ANSWER_BYTES);
    struct buf answer = buf_new(ANSWER_BYTES);

    q.after_us = wire_i64(&ask->in);
    q.no_bodies = wire_u8(&ask->in) != 0;
    int rc = wire_end(&ask->in, "a question for an event", err);

    if (rc == 0 && (own = feed_of(core, ask, &part.about, err)) == NULL)
        rc = (int)err->code;
    if (rc == 0) {
        q.collection = own->id;
        rc = measure(core, own->number, &q, &part, &end_us, err);
    }
    if (rc == 0)
        rc = collections_page(core->collections, &ask->asker, &q, ask->arena, &page, err);
    if (rc == 0)
        rc = page_take(ask->arena, buf_span(&page), &part.page, err);
    /* Where fewer fitted a message than were wanted, the event goes on. */
    if (rc == 0 && part.page.last_us < end_us)
        part.last = false;
    feed_part_add(&answer, &part);
    if (rc == 0)
        rc = buf_check(&answer, "an event", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&answer), false, err);
    buf_free(&page);
    buf_free(&answer);
    return rc;
}
