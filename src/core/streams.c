#include "core/streams.h"

#include "core/correction.h"

struct stream *
streams_find(struct streams *streams, enum door door, uint64_t tag)
{
    for (size_t i = 0; streams->open > 0 && i < STREAMS_MAX; i++) {
        struct stream *s = &streams->all[i];
        if (s->open && s->tag == tag && s->door == door)
            return s;
    }
    return NULL;
}

struct stream *
streams_place(struct streams *streams)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (!streams->all[i].open)
            return &streams->all[i];
    return NULL;
}

bool
streams_full(const struct streams *streams, enum door door)
{
    size_t count = 0;

    for (size_t i = 0; i < STREAMS_MAX; i++)
        count += streams->all[i].open && streams->all[i].door == door;
    return count >= STREAMS_MAX / 2;
}

void
streams_open(struct streams *streams, struct stream *stream, const struct ask *ask, bool counted)
{
    *stream = (struct stream){.open = true,
        .door = ask->door,
        .tag = ask->tag,
        .kind = ask->asker.kind,
        .counted = counted,
        .counts = buf_new(STREAM_TOLD_BYTES)};
    if (ask->asker.team.n > 0)
        memcpy(stream->team, ask->asker.team.p, ask->asker.team.n);
    streams->open++;
}

void
streams_close(struct streams *streams, struct stream *stream)
{
    streams->open--;
    buf_free(&stream->counts);
    correction_free(stream->correction);
    *stream = (struct stream){0};
}

int
streams_count(struct stream *stream, const struct totals *before, struct err *err)
{
    const struct totals *now = &stream->totals;
    const struct intake_counts counts = {(uint32_t)(now->stored - before->stored),
        (uint32_t)(now->duplicate - before->duplicate),
        (uint32_t)(now->rejected - before->rejected)};

    if (!stream->counted)
        return 0;
    if (++stream->messages > INTAKE_COUNTED_MOST)
        return err_set(err, ERR_LIMIT, "a stream of more than %d messages", INTAKE_COUNTED_MOST);
    intake_counts_add(&stream->counts, &counts);
    return buf_check(&stream->counts, "the counts of a stream", err);
}

void
streams_tell(struct buf *out, const struct stream *stream)
{
    totals_add(out, &stream->totals);
    if (!stream->counted)
        return;
    wire_add_u32(out, stream->messages);
    buf_add_span(out, buf_span(&stream->counts));
}
