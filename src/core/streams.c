#include "core/streams.h"

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
streams_open(struct streams *streams, struct stream *stream, const struct ask *ask)
{
    *stream =
        (struct stream){.open = true, .door = ask->door, .tag = ask->tag, .kind = ask->asker.kind};
    if (ask->asker.team.n > 0)
        memcpy(stream->team, ask->asker.team.p, ask->asker.team.n);
    streams->open++;
}

void
streams_close(struct streams *streams, struct stream *stream)
{
    streams->open--;
    *stream = (struct stream){0};
}
