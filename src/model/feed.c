#include "model/feed.h"
#include "base/hash.h"

enum { REPORTS_AN_EVENT = 500 };
#define DAY_US (INT64_C(86400) * 1000000)
#define CUT_SEED UINT64_C(0x636f6d6974790002)

int64_t
feed_day(int64_t us)
{
    return us / DAY_US - (us % DAY_US < 0 ? 1 : 0);
}

bool
feed_ends_behind(struct span id, int64_t added_us)
{
    if (!span_starts(id, SPAN("observed-data--")) && !span_starts(id, SPAN("note--")))
        return false;
    return hash_fold((uint64_t)added_us, CUT_SEED, CUT_SEED) % REPORTS_AN_EVENT == 0;
}

static void
add_about(struct buf *out, const struct feed_about *about)
{
    wire_add_text(out, about->collection);
    wire_add_text(out, about->team);
    wire_add_text(out, about->origin);
    wire_add_text(out, about->origin_name);
    wire_add_u64(out, about->objects);
    wire_add_i64(out, about->last_us);
}

static void
take_about(struct wire_in *in, struct feed_about *about)
{
    about->collection = wire_text(in);
    about->team = wire_text(in);
    about->origin = wire_text(in);
    about->origin_name = wire_text(in);
    about->objects = wire_u64(in);
    about->last_us = wire_i64(in);
}

void
feed_manifest_add(struct buf *out, const struct feed_manifest *m)
{
    add_about(out, &m->about);
    wire_add_u8(out, m->more ? 1 : 0);
    wire_add_i64(out, m->resume_us);
    wire_add_u32(out, (uint32_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        wire_add_i64(out, m->events[i].first_us);
        wire_add_i64(out, m->events[i].last_us);
        wire_add_i64(out, m->events[i].changed_us);
        wire_add_u32(out, m->events[i].objects);
    }
}

int
feed_manifest_take(struct arena *arena, struct span body, struct feed_manifest *m, struct err *err)
{
    struct wire_in in = wire_in(body);

    take_about(&in, &m->about);
    m->more = wire_u8(&in) != 0;
    m->resume_us = wire_i64(&in);
    m->count = wire_u32(&in);
    if (m->count > FEED_EVENTS_MAX)
        in.bad = true;
    m->events = in.bad ? NULL : arena_zalloc(arena, m->count + 1, sizeof *m->events);
    if (m->events == NULL)
        m->count = 0;
    for (size_t i = 0; i < m->count; i++) {
        m->events[i].first_us = wire_i64(&in);
        m->events[i].last_us = wire_i64(&in);
        m->events[i].changed_us = wire_i64(&in);
        m->events[i].objects = wire_u32(&in);
    }
    return wire_end(&in, "a feed's events", err);
}

void
feed_part_add(struct buf *out, const struct feed_part *part)
{
    add_about(out, &part->about);
    wire_add_u8(out, part->last ? 1 : 0);
    wire_add_i64(out, part->changed_us);
    wire_add_u32(out, (uint32_t)part->recalled_count);
    for (size_t i = 0; i < part->recalled_count; i++)
        wire_add_text(out, part->recalled[i]);
    page_add(out, &part->page);
}

int
feed_part_take(struct arena *arena, struct span body, struct feed_part *part, struct err *err)
{
    struct wire_in in = wire_in(body);

    take_about(&in, &part->about);
    part->last = wire_u8(&in) != 0;
    part->changed_us = wire_i64(&in);
    part->recalled_count = wire_u32(&in);
    if (part->recalled_count > FEED_RECALLED_MAX)
        in.bad = true;
    part->recalled =
        in.bad ? NULL : arena_zalloc(arena, part->recalled_count + 1, sizeof *part->recalled);
    if (part->recalled == NULL)
        part->recalled_count = 0;
    for (size_t i = 0; i < part->recalled_count; i++)
        part->recalled[i] = wire_text(&in);
    if (in.bad)
        return wire_end(&in, "a part of an event", err);
    return page_take(arena, (struct span){in.p, in.n}, &part->page, err);
}
