/* What waits for a person, and what they decided. */
#include "core/counts.h"
#include "core/node.h"
#include "core/release.h"
#include "core/reports.h"
#include "core/told.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_BYTES = 48 * 1024 * 1024,
    LIST_US = 50000, /* then the list ends early, and says where to go on */
    PAGE = 256,
    NUMBERS_MAX = 1000,
    DAY_S = 86400,
};

static const char *const states[] = {"waiting", "released", "refused"};

/* ---- list ---- */

struct listing {
    enum store_held_state state;
    struct span team;
    uint32_t limit;
    uint64_t after;
    uint32_t told;
    bool more;
    int64_t end_us; /* ticks */
};

static void
tell_item(struct core *core, const struct store_held *held, const struct read_report *read,
    struct buf *out)
{
    enum classification class = (enum classification)read->report->classification;

    told_item(out);
    buf_add_char(out, '{');
    told_number(out, "number", held->number);
    told_text(out, "report", span_of(read->id));
    told_text(out, "team", store_team_id(core->store, held->team));
    told_word(out, "reason", reason_word((enum reason)held->reason));
    told_word(out, "reason_text", reason_text((enum reason)held->reason));
    told_time(out, "since", held->since_us);
    told_word(out, "state", states[held->state]);
    told_time(out, "decided", held->decided_us);
    told_text(out, "by", held->by);
    told_text(out, "why", held->why);
    told_word(
        out, "classification", class != CLASSIFICATION_UNKNOWN ? classification_type(class) : NULL);
    told_text(out, "provider", read->report->provider);
    reading_tell_sides(core, read, out);
    buf_add_char(out, '}');
}

/* One whose report's time is over is told no more: nothing is left to decide on. */
static int
list_one(struct core *core, struct listing *list, const struct store_held *held, struct buf *out,
    struct err *err)
{
    struct reading *reading = reports_reading(core);
    struct read_report read;

    list->after = held->number;
    if (list->team.n > 0 && !span_equal(list->team, store_team_id(core->store, held->team)))
        return 0;
    int rc = reading_open(reading, core, held->batch, err);
    if (rc == ERR_NOT_FOUND || (rc == 0 && held->place >= reading_count(reading)))
        return 0;
    if (rc == 0)
        rc = reading_get(reading, core, held->place, &read, err);
    if (rc != 0)
        return rc;
    tell_item(core, held, &read, out);
    list->told++;
    return 0;
}

static int
list_all(struct core *core, struct ask *ask, struct listing *list, struct buf *out, struct err *err)
{
    struct store_held *held;
    size_t count = PAGE;
    int rc = 0;

    list->end_us = clock_ticks_us() + LIST_US;
    while (rc == 0 && count == PAGE) {
        rc = store_held_list(
            core->store, ask->arena, list->state, list->after, PAGE, &held, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++) {
            if (list->told >= list->limit || clock_ticks_us() > list->end_us) {
                list->more = true;
                return 0;
            }
            rc = list_one(core, list, &held[i], out, err);
        }
    }
    return rc;
}

static int
read_listing(struct ask *ask, struct listing *list, struct err *err)
{
    list->state = (enum store_held_state)wire_u8(&ask->in);
    list->team = wire_text(&ask->in);
    list->limit = wire_u32(&ask->in);
    struct span next = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for what is held", err);

    if (rc == 0 && list->state > HELD_REFUSED)
        rc = err_set(err, ERR_INTERNAL, "a question for what is held has no such state");
    if (rc == 0 && next.n > 0 && !span_u64(next, &list->after))
        rc = err_set_field(err, ERR_BAD_VALUE, "next", 4,
            "\"%.*s\" is no `next`: give what the last answer said", SPAN_ARGS(next));
    return rc;
}

int
core_held(struct core *core, struct ask *ask, struct err *err)
{
    struct listing list = {0};
    struct buf out = buf_new(ANSWER_BYTES);
    char next[24] = "";
    uint64_t waiting = 0;

    int rc = read_listing(ask, &list, err);
    buf_add_text(&out, "{\"items\":[");
    if (rc == 0)
        rc = list_all(core, ask, &list, &out, err);
    if (rc == 0)
        rc = store_held_count(core->store, &waiting, err);
    if (rc != 0) {
        buf_free(&out);
        return rc;
    }
    if (list.more)
        (void)snprintf(next, sizeof next, "%llu", (unsigned long long)list.after);
    buf_add_char(&out, ']');
    told_text(&out, "next", span_of(next));
    told_number(&out, "waiting", waiting);
    buf_add_char(&out, '}');
    return node_answer(core, ask, &out, err);
}

/* ---- decisions ---- */

struct deciding {
    bool release;
    bool many; /* what could not be decided is told beside what was, not refused */
    uint32_t count;
    const char *numbers; /* u64 each */
    struct span why;
    struct buf decided;
    struct buf conflicts;
    struct buf missing;
    uint32_t decided_count;
};

static int
read_deciding(struct ask *ask, struct deciding *d, struct err *err)
{
    uint8_t how = wire_u8(&ask->in);
    d->release = (how & 1) != 0;
    d->many = (how & 2) != 0;
    d->count = wire_u32(&ask->in);
    if (d->count == 0 || d->count > NUMBERS_MAX)
        return err_set(err, ERR_INTERNAL, "a decision names %u items", d->count);
    d->numbers = wire_bytes(&ask->in, d->count * sizeof(uint64_t)).p;
    d->why = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a decision", err);
    if (rc == 0 && span_trim(d->why).n == 0)
        rc = err_set_field(err, ERR_MISSING_FIELD, "reason", 6, "say why: it is kept");
    return rc;
}

static void
note(struct buf *list, uint64_t number)
{
    buf_add_text(list, list->n > 0 ? "," : "");
    buf_add_u64(list, number);
}

static int
decide_one(
    struct core *core, const struct ask *ask, struct deciding *d, uint64_t number, struct err *err)
{
    struct store_held held;
    int rc = store_held_get(core->store, ask->arena, number, &held, err);

    if (rc == ERR_NOT_FOUND) {
        note(&d->missing, number);
        return 0;
    }
    if (rc != 0)
        return rc;
    held.state = d->release ? HELD_RELEASED : HELD_REFUSED;
    held.decided_us = clock_now_us();
    held.by = ask->asker.name;
    held.why = d->why;
    rc = store_held_decide(core->store, &held, err);
    if (rc == ERR_EXISTS) {
        note(&d->conflicts, number);
        return 0;
    }
    if (rc == 0) {
        rc = d->release ? release_held(core, &held, err) : release_refused(core, &held, err);
        if (rc != 0)
            core_lose(core, err); /* no decision without what follows from it */
    }
    if (rc == 0) {
        note(&d->decided, number);
        d->decided_count++;
    }
    return rc;
}

static int
count(struct core *core, const struct deciding *d, struct err *err)
{
    const struct store_count one = {.day = (uint32_t)(clock_now_us() / 1000000 / DAY_S),
        .name = d->release ? STAT_HELD_RELEASED : STAT_HELD_REFUSED,
        .value = d->decided_count};

    return d->decided_count == 0 ? 0 : store_count_add(core->store, &one, 1, err);
}

static int
decide_all(struct core *core, const struct ask *ask, struct deciding *d, struct err *err)
{
    int rc = core_begin(core, err);

    for (uint32_t i = 0; rc == 0 && i < d->count; i++) {
        struct wire_in in = wire_in((struct span){d->numbers + i * sizeof(uint64_t), 8});
        rc = decide_one(core, ask, d, wire_u64(&in), err);
    }
    return rc == 0 ? count(core, d, err) : rc;
}

/* Of one alone, what could not be done is the answer. */
static int
check_single(const struct deciding *d, struct err *err)
{
    if (d->many || d->decided_count > 0)
        return 0;
    if (d->conflicts.n > 0)
        return err_set_field(err, ERR_CONFLICT, "number", 6,
            "%.*s was decided meanwhile, by somebody who was faster", (int)d->conflicts.n,
            d->conflicts.p);
    return err_set_field(err, ERR_NOT_FOUND, "number", 6, "nothing held has the number %.*s",
        (int)d->missing.n, d->missing.p);
}

static void
free_deciding(struct deciding *d)
{
    buf_free(&d->decided);
    buf_free(&d->conflicts);
    buf_free(&d->missing);
}

static int
answer_deciding(struct core *core, const struct ask *ask, const struct deciding *d, struct err *err)
{
    struct buf out = buf_new(NUMBERS_MAX * 64);

    buf_format(&out, "{\"decided\":[%.*s],\"conflicts\":[%.*s],\"missing\":[%.*s]}",
        (int)d->decided.n, d->decided.n > 0 ? d->decided.p : "", (int)d->conflicts.n,
        d->conflicts.n > 0 ? d->conflicts.p : "", (int)d->missing.n,
        d->missing.n > 0 ? d->missing.p : "");
    int rc = buf_check(&out, "the answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    if (rc == 0 && d->decided_count > 0)
        events_tell(core, d->release ? "let-go" : "kept-back", buf_span(&out));
    buf_free(&out);
    return rc;
}

int
core_held_decide(struct core *core, struct ask *ask, struct err *err)
{
    struct deciding d = {.decided = buf_new(NUMBERS_MAX * 21),
        .conflicts = buf_new(NUMBERS_MAX * 21),
        .missing = buf_new(NUMBERS_MAX * 21)};
    int rc = read_deciding(ask, &d, err);

    if (rc == 0)
        rc = decide_all(core, ask, &d, err);
    if (rc == 0)
        rc = check_single(&d, err);
    if (rc == 0)
        rc = answer_deciding(core, ask, &d, err);
    free_deciding(&d);
    return rc;
}
