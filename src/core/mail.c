#include "core/mail_private.h"

#include "base/conf.h"
#include "core/intake.h"
#include "store/link.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    ROWS_BYTES = 64 * 1024 * 1024,
    WORK_BYTES = 256 * 1024 * 1024,
    TICK_US = 1000000,
    PATIENCE_US = 60 * 1000000, /* what is to go at once waits so long for what comes with it */
    EXPIRE_US = 3600 * (int64_t)1000000,
};
static const int64_t day_us = (int64_t)24 * 3600 * 1000000;
static const int64_t minute_us = (int64_t)60 * 1000000;

/* ---- rows ---- */

int
mail_again(struct core *core, struct err *err)
{
    struct mailing *m = core->mailing;

    arena_reset(m->rows);
    m->changed = true;
    m->resting = false;
    m->count = m->out_count = 0;
    int rc = store_mails(core->store, m->rows, &m->list, &m->count, err);
    return rc == 0 ? store_mail_outs(core->store, m->rows, &m->outs, &m->out_count, err) : rc;
}

struct store_mail *
mail_find(const struct mailing *m, uint32_t team)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i].team == team)
            return &m->list[i];
    return NULL;
}

struct store_mail_out *
mail_out_of(const struct mailing *m, uint32_t team)
{
    for (size_t i = 0; i < m->out_count; i++)
        if (m->outs[i].team == team)
            return &m->outs[i];
    return NULL;
}

struct store_mail_out *
mail_out_find(const struct mailing *m, uint64_t number)
{
    for (size_t i = 0; i < m->out_count; i++)
        if (m->outs[i].number == number)
            return &m->outs[i];
    return NULL;
}

/* NULL: it is not mailed. */
static const struct store_mail *
goes_to(const struct core *core, struct span team)
{
    const struct mailing *m = core->mailing;

    for (size_t i = 0; m->on && i < m->count; i++)
        if (span_equal(store_team_id(core->store, m->list[i].team), team))
            return &m->list[i];
    return NULL;
}

bool
mail_goes_to(const struct core *core, struct span team)
{
    return goes_to(core, team) != NULL;
}

void
mail_channels(void *ctx, const struct team *team, struct team_channels *channels)
{
    const struct store_mail *mail = goes_to(ctx, team->id);

    if (mail == NULL)
        return;
    channels->any = true;
    channels->encrypted = mail->fingerprint.n > 0;
}

int
mail_stop(struct core *core, const struct store_mail *mail, struct span why, struct err *err)
{
    struct store_mail stopped = *mail;

    core_tell(core, "no mail goes to %.*s any more: %.*s",
        SPAN_ARGS(store_team_id(core->store, mail->team)), SPAN_ARGS(why));
    stopped.why = why;
    int rc = store_mail_put(core->store, &stopped, err);
    return rc == 0 ? mail_again(core, err) : rc;
}

/* ---- when ---- */

int64_t
mail_next_digest(const struct core *core, int64_t now_us)
{
    int64_t at_us = conf_number(core->options.conf, CONF_MAIL_DAILY_AT) * minute_us;
    int64_t next_us = now_us - now_us % day_us + at_us;

    return next_us > now_us ? next_us : next_us + day_us;
}

/* A digest that is more than a day ahead was put off by a clock that was wrong. */
static bool
is_digest_due(const struct store_mail *mail, int64_t now_us)
{
    return mail->next_us <= now_us || mail->next_us > now_us + day_us;
}

/* What is still to be written out goes with the same mail, if it does not take too long. */
static bool
may_go_at_once(struct core *core)
{
    struct mailing *m = core->mailing;
    int64_t ticks = clock_ticks_us();

    if (m->waits_us == 0)
        m->waits_us = ticks;
    return core->intake == NULL || intake_due(core->intake) == 0
        || ticks - m->waits_us > PATIENCE_US;
}

static bool
has(const uint32_t *teams, size_t count, uint32_t team)
{
    for (size_t i = 0; i < count; i++)
        if (teams[i] == team)
            return true;
    return false;
}

int
mail_due(struct core *core, size_t *at, const struct store_mail **out, struct err *err)
{
    struct mailing *m = core->mailing;
    int64_t now = clock_now_us();
    uint32_t *waiting = NULL;
    size_t count = 0;
    bool at_once = false;
    int rc = 0;

    *out = NULL;
    if (!m->resting || m->rested != store_appends(core->store)) {
        m->resting = false;
        rc = store_waiting(core->store, m->work, &waiting, &count, err);
    }
    while (rc == 0 && *out == NULL && *at < m->count) {
        const struct store_mail *mail = &m->list[(*at)++];
        bool waits = has(waiting, count, mail->team);
        if (mail->why.n > 0 || mail_out_of(m, mail->team) != NULL)
            continue;
        at_once = at_once || (waits && !mail->digest);
        if (mail->digest ? is_digest_due(mail, now) : waits && may_go_at_once(core))
            *out = mail;
    }
    if (!at_once)
        m->waits_us = 0;
    arena_reset(m->work);
    return rc;
}

void
mail_rest(struct core *core)
{
    core->mailing->resting = true;
    core->mailing->rested = store_appends(core->store);
}

const struct store_mail_out *
mail_to_send(const struct mailing *m, int64_t now_us)
{
    const struct store_mail_out *first = NULL;

    for (size_t i = 0; m->on && m->sending == 0 && i < m->out_count; i++) {
        const struct store_mail_out *out = &m->outs[i];
        bool late = out->again_us > now_us + 8 * day_us; /* by a clock that was wrong */
        if (out->state == MAIL_OUT_READY && out->number <= m->durable
            && (late || out->again_us <= now_us)
            && (first == NULL || out->again_us < first->again_us))
            first = out;
    }
    return first;
}

static void
say(struct core *core, enum door door, uint16_t type)
{
    struct err err;

    /* Who does not hear it asks when it comes back. */
    if (core->channels[door] != NULL && core_say(core, door, type, 0, SPAN(""), false, &err) != 0)
        core_tell(core, "that mail waits could not be said: %s", err.msg);
}

void
mail_say(struct core *core)
{
    struct mailing *m = core->mailing;
    const struct store_mail *due = NULL;
    size_t at = 0;
    struct err err = {0};

    if (!m->on || core->stopping)
        return;
    if (!m->job.open) {
        if (m->wish.what == MAIL_NOTHING && mail_due(core, &at, &due, &err) != 0)
            core_tell(core, "it cannot be found out whose mail is due: %s", err.msg);
        if (m->wish.what != MAIL_NOTHING || due != NULL)
            say(core, DOOR_MAILER, MESSAGE_MAIL_WAITS);
    }
    if (mail_to_send(m, clock_now_us()) != NULL)
        say(core, DOOR_COURIER, MESSAGE_MAIL_READY);
}

/* ---- the clock ---- */

/* Mails that have gone are remembered as long as what was in them may be asked about. */
static void
forget_old(struct core *core)
{
    int64_t keep_us = core->options.keep_pieces_us;
    int64_t ticks = clock_ticks_us();
    struct err err = {0};

    if (keep_us == 0 || ticks - core->mailing->expired_us < EXPIRE_US)
        return;
    core->mailing->expired_us = ticks;
    int rc = core_begin(core, &err);
    if (rc == 0)
        rc = store_mail_expire(core->store, clock_now_us() - keep_us, &err);
    if (rc != 0)
        core_lose(core, &err);
}

static void
on_tick(void *ctx)
{
    struct core *core = ctx;
    struct err err = {0};

    mail_say(core);
    forget_old(core);
    if (loop_timer_set(core->loop, &core->mailing->timer, clock_ticks_us() + TICK_US, &err) != 0)
        core_tell(core, "no mail is made any more: %s", err.msg);
}

/* ---- life ---- */

void
mail_committed(struct core *core)
{
    struct mailing *m = core->mailing;

    if (m == NULL || !m->changed)
        return;
    m->changed = false;
    for (size_t i = 0; i < m->out_count; i++)
        if (m->outs[i].number > m->durable)
            m->durable = m->outs[i].number;
    mail_say(core);
}

void
mail_lost(struct core *core)
{
    struct mailing *m = core->mailing;
    struct err err = {0};

    if (m != NULL && mail_again(core, &err) != 0)
        core_tell(core, "it cannot be read who gets mail: %s", err.msg);
}

void
mail_gone(struct core *core, enum door door)
{
    struct mailing *m = core->mailing;
    struct err why = {0};

    if (m == NULL)
        return;
    if (door == DOOR_COURIER)
        m->sending = 0;
    if (door == DOOR_MAILER && m->job.open) {
        (void)err_set(&why, ERR_BUSY, "the process that makes mails was lost; try again");
        mail_job_end(core, &why);
    }
}

int
mail_new(struct core *core, struct mailing **out, struct err *err)
{
    struct mailing *m = calloc(1, sizeof *m);

    *out = m;
    if (m == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for mails");
    m->core = core;
    m->on = core->options.conf != NULL && conf_bool(core->options.conf, CONF_MAIL);
    m->rows = arena_new(ROWS_BYTES);
    m->work = arena_new(WORK_BYTES);
    m->objects = buf_new(MAIL_RAW_BYTES);
    m->job.message = buf_new(MAIL_BYTES);
    m->job.address = buf_new(MAIL_ADDRESS_BYTES);
    m->wish.texts = buf_new(2 * MAIL_KEY_BYTES);
    m->timer = (struct loop_timer){.due = on_tick, .ctx = core};
    if (m->rows == NULL || m->work == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for mails");
    int rc = mail_again(core, err);
    if (rc == 0 && m->on)
        rc = loop_timer_set(core->loop, &m->timer, clock_ticks_us() + TICK_US, err);
    return rc;
}

void
mail_free(struct mailing *m)
{
    if (m == NULL)
        return;
    loop_timer_stop(m->core->loop, &m->timer);
    arena_free(m->rows);
    arena_free(m->work);
    buf_free(&m->objects);
    buf_free(&m->job.message);
    buf_free(&m->job.address);
    buf_free(&m->wish.texts);
    free(m);
}
