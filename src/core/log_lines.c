/* Which lines of the log are asked for? */
#include "core/node.h"
#include "core/roles.h"
#include "core/state.h"
#include "core/told.h"

#include <stdio.h>

enum { ANSWER_BYTES = 16 * 1024 * 1024, NUMBER_BYTES = 24 };

struct line_asked {
    enum log_level least;
    struct span role;
    struct span text;
    uint64_t after;
    uint64_t before; /* UINT64_MAX: from the newest */
    uint32_t limit;
};

struct found {
    uint64_t number;
    unsigned row;
    struct logline line;
};

/* The newest of what fits, in a ring of LIMIT + 1: one more says that there are others. */
struct ring {
    struct found *at;
    size_t size;
    size_t count; /* all that fit, also those that were pushed out */
};

static int
read_level(struct span word, enum log_level *out, struct err *err)
{
    *out = LOG_LEVEL_DEBUG;
    if (word.n == 0)
        return 0;
    for (int i = 0; i < LOG_LEVELS; i++)
        if (span_equal(word, span_of(log_level_words[i]))) {
            *out = (enum log_level)i;
            return 0;
        }
    return err_set_field(err, ERR_BAD_VALUE, "level", 5,
        "\"%.*s\" is not one of debug, info, warning, error", SPAN_ARGS(word));
}

static int
read_role(struct span word, struct err *err)
{
    bool known = word.n == 0;

    for (unsigned i = 0; i <= ROLE_ROWS; i++)
        known = known || span_equal(word, span_of(roles_word(i)));
    return known ? 0
                 : err_set_field(err, ERR_BAD_VALUE, "role", 4,
                     "\"%.*s\" is no role; `comity status --json` lists them", SPAN_ARGS(word));
}

static int
read_asked(struct wire_in *in, struct line_asked *out, struct err *err)
{
    struct span level = wire_text(in);

    out->role = wire_text(in);
    out->text = wire_text(in);
    out->after = wire_u64(in);
    out->limit = wire_u32(in);
    struct span next = wire_text(in);
    out->before = UINT64_MAX;
    int rc = wire_end(in, "a question for log lines", err);
    if (rc == 0)
        rc = read_level(level, &out->least, err);
    if (rc == 0)
        rc = read_role(out->role, err);
    if (rc == 0 && next.n > 0 && !span_u64(next, &out->before))
        rc = err_set_field(err, ERR_BAD_VALUE, "next", 4, "next: it is none that was given");
    return rc;
}

static bool
fits(const struct line_asked *asked, const struct found *one)
{
    return one->line.level >= asked->least && one->number > asked->after
        && one->number < asked->before
        && (asked->role.n == 0 || span_equal(asked->role, span_of(roles_word(one->row))))
        && (asked->text.n == 0 || span_holds_nocase(one->line.event, asked->text)
            || span_holds_nocase(one->line.pairs, asked->text));
}

static void
find(const struct roles *roles, const struct line_asked *asked, struct ring *ring)
{
    uint64_t after = asked->after < LOGLINES_BATCH_LINES ? 0 : asked->after - LOGLINES_BATCH_LINES;
    struct loglines_batch batch;

    while (loglines_next(roles->lines, after, &batch)) {
        struct wire_in in = wire_in(batch.body);
        struct found one = {.number = batch.number, .row = batch.row};
        (void)wire_u8(&in);
        for (; logline_next(&in, &one.line); one.number++)
            if (fits(asked, &one))
                ring->at[ring->count++ % ring->size] = one;
        after = batch.number;
    }
}

static void
tell(const struct found *one, struct buf *out)
{
    told_item(out);
    buf_add_char(out, '{');
    told_number(out, "number", one->number);
    told_time(out, "time", one->line.at_us);
    told_word(out, "level", log_level_words[one->line.level]);
    told_word(out, "role", roles_word(one->row));
    told_text(out, "event", one->line.event);
    told_text(out, "text", one->line.pairs);
    buf_add_char(out, '}');
}

static void
tell_all(const struct ring *ring, uint32_t limit, struct buf *out)
{
    size_t shown = ring->count < limit ? ring->count : limit;
    char next[NUMBER_BYTES] = "";

    buf_add_text(out, "{\"items\":[");
    for (size_t i = 1; i <= shown; i++)
        tell(&ring->at[(ring->count - i) % ring->size], out);
    buf_add_char(out, ']');
    if (ring->count > limit)
        (void)snprintf(next, sizeof next, "%llu",
            (unsigned long long)ring->at[(ring->count - shown) % ring->size].number);
    told_text(out, "next", span_of(next));
    buf_add_char(out, '}');
}

int
core_log_lines(struct core *core, struct ask *ask, struct err *err)
{
    struct line_asked asked;
    struct buf out = buf_new(ANSWER_BYTES);
    struct ring ring = {0};
    int rc = read_asked(&ask->in, &asked, err);

    if (rc == 0) {
        ring.size = (size_t)asked.limit + 1;
        ring.at = arena_zalloc(ask->arena, ring.size, sizeof *ring.at);
        rc = ring.at == NULL ? arena_full(err, "log lines") : 0;
    }
    if (rc != 0)
        return rc;
    find(&core->roles, &asked, &ring);
    tell_all(&ring, asked.limit, &out);
    return node_answer(core, ask, &out, err);
}
