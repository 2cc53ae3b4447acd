#include "core/register.h"

#include "base/log.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

#include <string.h>

enum { EVENT_BYTES = 8 * 1024 };

struct span
register_own(const struct core *core)
{
    const struct registry *registry = core->basis.registry;

    if (registry != NULL && registry->team[0] != '\0')
        return span_of(registry->team);
    return core->options.team != NULL ? span_of(core->options.team) : (struct span){"", 0};
}

static int
look_at_clock(struct register_desk *desk, struct err *err)
{
    bool trusted;

    desk->now_us = clock_now_us();
    int rc = registry_see(desk->registry, desk->now_us, &trusted, err);
    if (rc == 0 && !trusted)
        rc = err_set(err, ERR_CLOCK,
            "the clock is behind a time that was seen already; no agreement and no card is changed "
            "until it is right (`comity agreement clock`)");
    return rc;
}

int
register_key(struct core *core, struct register_desk *desk, struct err *err)
{
    bool made = false;
    int rc = 0;

    if (desk->registry->team[0] == '\0' && core->options.team != NULL)
        rc = registry_name(desk->registry, core->options.team, err);
    if (rc == 0)
        rc = registry_key(desk->registry, &desk->key, &made, err);
    if (rc == 0 && made)
        core_tell(core,
            "a signing key was made for %s: keep the file `key` of the data folder secret, and a "
            "copy of it",
            desk->registry->team);
    return rc;
}

int
register_open_cards(struct core *core, struct register_desk *desk, struct err *err)
{
    *desk = (struct register_desk){0};
    int rc = registry_open(core->options.home, REGISTRY_WRITE, core->roster, &desk->registry, err);
    return rc == 0 ? look_at_clock(desk, err) : rc;
}

int
register_open(struct core *core, struct register_desk *desk, struct err *err)
{
    *desk = (struct register_desk){0};
    if (core->options.agreements != NULL)
        return err_set(err, ERR_USAGE,
            "this node judges by agreements that its operator names (setting `agreements`), and "
            "not by its register: nothing is changed there");
    int rc = register_open_cards(core, desk, err);
    return rc == 0 ? register_key(core, desk, err) : rc;
}

void
register_close(struct register_desk *desk)
{
    registry_close(desk->registry);
    explicit_bzero(desk, sizeof *desk);
}

int
register_renew(struct core *core, struct err *err)
{
    knowledge_renew(core);
    if (core->stale.code == 0)
        return 0;
    *err = core->stale;
    return err->code;
}

void
register_tell(struct core *core, const struct register_news *news)
{
    struct buf json = buf_new(EVENT_BYTES);
    bool refused = news->why != NULL;

    log_write(refused ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
        refused ? "agreement not taken in" : "agreement changed",
        LOG_PAIRS(log_text("agreement", news->agreement), log_word("what", news->event),
            log_text("team", news->team), log_text("account", news->account),
            log_word("why", news->why == NULL ? "" : news->why)));
    buf_add_char(&json, '{');
    told_text(&json, "agreement", news->agreement);
    told_text(&json, "title", news->title);
    told_word(&json, "event", news->event);
    told_text(&json, "team", news->team);
    told_text(&json, "account", news->account);
    told_word(&json, "why", news->why);
    buf_add_char(&json, '}');
    if (!json.full)
        events_tell(core, "agreement", buf_span(&json));
    buf_free(&json);
}
