#include "core/figures.h"

#include "base/time.h"
#include "core/counts.h"
#include "core/links_told.h"
#include "core/mail.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 64 * 1024 * 1024, DAYS_DEFAULT = 30 };
#define DAY_US ((int64_t)86400 * 1000000)

static const char *
word_of(uint16_t number)
{
    switch (number) {
#define STAT(name, number, word, text)                                                             \
    case number:                                                                                   \
        return word;
#include "tables/stats.def"
#undef STAT
    default:
        return NULL; /* of another version */
    }
}

bool
figures_balance(const uint64_t totals[FIGURES_NUMBERS])
{
    return totals[STAT_RECEIVED]
        == totals[STAT_STORED] + totals[STAT_REJECTED] + totals[STAT_DUPLICATE]
        && totals[STAT_OUTCOMES]
        == totals[STAT_RELEASED] + totals[STAT_HELD] + totals[STAT_WITHHELD]
            + totals[STAT_UNATTRIBUTED];
}

/* ---- outbox ---- */

bool
figures_own(const struct core *core, uint32_t team)
{
    return span_equal(store_team_id(core->store, team), knowledge_own_id(core));
}

int
figures_way(struct core *core, struct arena *arena, struct figures_way *out, struct err *err)
{
    struct store_queue *queues;
    size_t count;
    int rc = store_queues(core->store, arena, &queues, &count, err);

    *out = (struct figures_way){0};
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct store_queue *queue = &queues[i];
        out->due += queue->due;
        if (figures_own(core, queue->team)) {
            out->own += queue->waiting;
            continue;
        }
        out->waiting += queue->waiting;
        out->delivered += queue->delivered;
        out->failed += queue->failed;
        if (queue->oldest_us != 0 && (out->oldest_us == 0 || queue->oldest_us < out->oldest_us))
            out->oldest_us = queue->oldest_us;
    }
    return rc;
}

/* How it gets what is its own. Our own people have it here. */
static const char *
way_of(const struct core *core, const struct store_queue *queue, struct span id)
{
    const struct store_link *link = links_find(core->links, queue->team);

    if (figures_own(core, queue->team))
        return "own";
    if (link != NULL && (link->flags & LINK_PUSH) != 0)
        return "node";
    return mail_goes_to(core, id) ? "mail" : "fetches";
}

static void
add_queue(struct core *core, const struct store_queue *queue, struct buf *out)
{
    struct span id = store_team_id(core->store, queue->team);
    struct team_id team = roster_find(core->roster, id);

    told_item(out);
    buf_add_char(out, '{');
    told_text(out, "team", id);
    told_text(out, "name", team.index == 0 ? SPAN("") : roster_team(core->roster, team)->name);
    told_number(out, "due", queue->due);
    told_number(out, "waiting", queue->waiting);
    told_number(out, "delivered", queue->delivered);
    told_number(out, "failed", queue->failed);
    told_time(out, "oldest", queue->oldest_us);
    told_word(out, "way", way_of(core, queue, id));
    links_tell_push(core, queue->team, out);
    buf_add_char(out, '}');
}

int
core_outbox(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct store_queue *queues;
    size_t count;
    int rc = store_queues(core->store, ask->arena, &queues, &count, err);

    if (rc != 0)
        return rc;
    buf_add_text(&out, "{\"items\":[");
    for (size_t i = 0; i < count; i++)
        add_queue(core, &queues[i], &out);
    buf_add_text(&out, "],\"next\":null}");
    return node_answer(core, ask, &out, err);
}

/* ---- statistics ---- */

void
figures_tell_day(struct buf *out, uint32_t day)
{
    char text[TIME_TEXT_BYTES];

    (void)time_format_us((int64_t)day * DAY_US, text);
    told_text(out, "day", (struct span){text, day == 0 ? 0 : 10});
}

static void
add_count(struct core *core, const struct store_count *count, struct buf *out)
{
    enum classification class = (enum classification)count->classification;
    bool classed = class > CLASSIFICATION_UNKNOWN && class < CLASSIFICATION_COUNT;

    told_item(out);
    buf_add_char(out, '{');
    figures_tell_day(out, count->day);
    told_text(out, "team", count->team == 0 ? SPAN("") : store_team_id(core->store, count->team));
    told_word(out, "classification", classed ? classification_type(class) : NULL);
    told_word(out, "name", word_of(count->name));
    told_number(out, "count", count->value);
    buf_add_char(out, '}');
}

static void
add_totals(const struct store_count *counts, size_t count, struct buf *out)
{
    uint64_t totals[FIGURES_NUMBERS] = {0};

    for (size_t i = 0; i < count; i++)
        if (counts[i].name < FIGURES_NUMBERS)
            totals[counts[i].name] += counts[i].value;
    told_open(out, "totals", '{');
#define STAT(name, number, word, text) told_number(out, word, totals[number]);
#include "tables/stats.def"
#undef STAT
    buf_add_char(out, '}');
    told_flag(out, "balanced", figures_balance(totals));
}

uint32_t
figures_day(int64_t us)
{
    return us < 0 ? 0 : (uint32_t)(us / DAY_US);
}

void
figures_days(struct wire_in *in, uint32_t *first, uint32_t *last)
{
    int64_t now = clock_now_us();
    int64_t since = wire_i64(in);
    int64_t until = wire_i64(in);

    *first = figures_day(since != 0 ? since : now - DAYS_DEFAULT * DAY_US);
    *last = figures_day(until != 0 ? until : now) + 1;
}

struct asked {
    uint32_t first; /* days */
    uint32_t last;
    enum by { BY_ALL, BY_DAY, BY_CLASSIFICATION, BY_TEAM } by;
};

static int
read_by(struct span word, enum by *out, struct err *err)
{
    static const char *const words[] = {"", "day", "classification", "team"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_equal(word, span_of(words[i]))) {
            *out = (enum by)i;
            return 0;
        }
    return err_set_field(err, ERR_BAD_VALUE, "by", 2,
        "counts are summed by day, classification or team, not by \"%.*s\"", SPAN_ARGS(word));
}

static int
add_teams(struct core *core, struct arena *arena, const struct asked *asked, uint16_t name,
    struct buf *out, struct err *err)
{
    uint64_t *sums;
    size_t count;
    int rc =
        store_count_teams(core->store, arena, name, asked->first, asked->last, &sums, &count, err);

    for (size_t team = 1; rc == 0 && team < count; team++) {
        const struct store_count sum = {.team = (uint32_t)team, .name = name, .value = sums[team]};
        if (sum.value > 0)
            add_count(core, &sum, out);
    }
    return rc;
}

static int
add_all_teams(struct core *core, struct arena *arena, const struct asked *asked, struct buf *out,
    struct err *err)
{
    static const uint16_t names[] = {
#define STAT(name, number, word, text) number,
#include "tables/stats.def"
#undef STAT
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof names[0]; i++)
        rc = add_teams(core, arena, asked, names[i], out, err);
    return rc;
}

/* By team, the sums by classification serve for the totals alone. */
static int
read_counts(struct core *core, struct arena *arena, const struct asked *asked,
    struct store_count **counts, size_t *count, struct err *err)
{
    if (asked->by == BY_ALL)
        return store_count_list(core->store, arena, asked->first, asked->last, counts, count, err);
    return store_count_sums(core->store, arena,
        asked->by == BY_DAY ? STORE_COUNT_BY_DAY : STORE_COUNT_BY_CLASSIFICATION, asked->first,
        asked->last, counts, count, err);
}

int
core_statistics(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct asked asked = {.by = BY_ALL};
    struct store_count *counts = NULL;
    size_t count = 0;

    figures_days(&ask->in, &asked.first, &asked.last);
    int rc = read_by(wire_text(&ask->in), &asked.by, err);
    if (rc == 0)
        rc = read_counts(core, ask->arena, &asked, &counts, &count, err);
    if (rc != 0)
        return rc;
    buf_add_text(&out, "{\"items\":[");
    if (asked.by == BY_TEAM)
        rc = add_all_teams(core, ask->arena, &asked, &out, err);
    for (size_t i = 0; asked.by != BY_TEAM && i < count; i++)
        if (word_of(counts[i].name) != NULL)
            add_count(core, &counts[i], &out);
    buf_add_text(&out, "],\"next\":null");
    add_totals(counts, count, &out);
    buf_add_char(&out, '}');
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
