/* How do attempts to reach a link go, and when is it lost? */
#include "base/log.h"
#include "core/links_private.h"
#include "core/node.h"
#include "core/told.h"
#include "sys/clock.h"

enum { EVENT_BYTES = 4096 };

static void
tell_event(
    struct core *core, uint32_t team, enum link_flag flag, const char *state, struct span why)
{
    struct buf json = buf_new(EVENT_BYTES);

    buf_add_char(&json, '{');
    told_text(&json, "team", store_team_id(core->store, team));
    told_word(&json, "way", link_way_word(flag));
    told_word(&json, "state", state);
    told_text(&json, "why", why);
    buf_add_char(&json, '}');
    events_tell(core, "link", buf_span(&json));
    buf_free(&json);
}

static int
put(struct core *core, uint32_t team, enum link_flag flag, const struct store_link_way *way,
    struct err *err)
{
    int rc = store_link_way_put(core->store, team, flag, way, err);

    return rc == 0 ? links_again(core, err) : rc;
}

int
links_worked(struct core *core, const struct store_link *link, enum link_flag flag, struct err *err)
{
    const struct store_link_way *was = &link->ways[store_link_way_of(flag)];
    const struct store_link_way way = {.ok_us = clock_now_us()};

    if (was->lost) {
        log_info("link is back", log_text("team", store_team_id(core->store, link->team)),
            log_word("way", link_way_word(flag)), log_number("failures", was->failures));
        tell_event(core, link->team, flag, "back", SPAN(""));
    }
    return put(core, link->team, flag, &way, err);
}

static void
tell_lost(struct core *core, uint32_t team, enum link_flag flag, const struct store_link_way *way)
{
    log_error("link is lost: it is tried still, and what waits for it is kept",
        log_text("team", store_team_id(core->store, team)), log_word("way", link_way_word(flag)),
        log_number("failures", way->failures), log_text("why", way->why));
    tell_event(core, team, flag, "lost", way->why);
}

/* Of whole characters; what the other node says may be anything. */
static struct span
short_text(struct span text)
{
    if (text.n > STORE_LINK_WHY_BYTES)
        for (text.n = STORE_LINK_WHY_BYTES; text.n > 0 && (text.p[text.n] & 0xc0) == 0x80;)
            text.n--;
    return span_is_utf8(text) ? text : SPAN("(not UTF-8)");
}

int
links_failed(struct core *core, const struct store_link *link, const struct link_failure *failure,
    struct err *err)
{
    enum link_flag flag = (enum link_flag)failure->flag;
    struct store_link_way way = link->ways[store_link_way_of(flag)];
    int64_t now = clock_now_us();
    bool lost = way.lost;

    way.failing_us = way.failing_us == 0 || way.failing_us > now ? now : way.failing_us;
    way.again_us = failure->again_us;
    way.failures += way.failures < UINT32_MAX;
    way.status = failure->status;
    way.refused = failure->refused;
    way.lost = now - way.failing_us >= core->options.link_give_up_us;
    way.why = short_text(failure->why);
    if (way.lost && !lost)
        tell_lost(core, link->team, flag, &way);
    return put(core, link->team, flag, &way, err);
}
