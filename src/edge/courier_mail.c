/* The courier's job of mail: one at a time is taken from core, handed to the SMTP server, and what
 * the server said is told back. Core decides what is tried again, and when. */
#include "base/conf.h"
#include "base/log.h"
#include "edge/courier.h"
#include "edge/smtp_out.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { HEAD_BYTES = 4096, AGAIN_US = 5 * 1000 * 1000, SAID_BYTES = 4096 };

struct job {
    struct courier *courier;
    struct smtp_out *smtp;
    bool asking;
    bool begun; /* the first part of the answer is there */
    bool telling;
    uint64_t tag;
    uint64_t number; /* of the mail */
    struct buf head;
    struct buf message;
    struct buf sent; /* what is to be told */
    struct loop_timer again;
};

static void next(struct job *job);

static void
later(struct job *job)
{
    struct err err;

    (void)!loop_timer_set(
        job->courier->start->loop, &job->again, clock_ticks_us() + AGAIN_US, &err);
}

/* ---- telling ---- */

static void tell(struct job *job);

static void
on_told(void *ctx, struct span body, bool more, const struct err *why)
{
    struct job *job = ctx;

    (void)body;
    if (more)
        return;
    job->telling = false;
    job->tag = 0;
    if (why == NULL) {
        job->sent.n = 0;
        next(job);
        return;
    }
    /* Core must hear it before it hands out anything, or the same mail goes again. */
    log_warning_of("what became of a mail was not noted", why);
    if (talks_connected(job->courier->talks))
        later(job);
}

static void
tell(struct job *job)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct talk talk = {.ctx = job, .answered = on_told};
    struct err err = {0};

    job->telling = talk_begin(job->courier->talks, MESSAGE_MAIL_SENT, &nobody, buf_span(&job->sent),
                       &talk, &job->tag, &err)
        == 0;
    if (!job->telling) {
        log_warning_of("what became of a mail cannot be told", &err);
        later(job);
    }
}

static void
over(struct job *job, const struct mail_sent *sent)
{
    struct mail_sent told = *sent;

    told.number = job->number;
    buf_free(&job->message);
    job->message = buf_new(MAIL_BYTES);
    job->sent.n = 0;
    mail_sent_add(&job->sent, &told);
    tell(job);
}

static void
on_done(void *ctx, const struct mail_sent *sent)
{
    over(ctx, sent);
}

/* ---- sending ---- */

static void
send_it(struct job *job)
{
    const struct role_start *start = job->courier->start;
    struct mail_parcel parcel;
    struct err err = {0};
    int rc = mail_parcel_take(buf_span(&job->head), &parcel, &err);

    if (rc == 0 && parcel.number == 0)
        return;
    job->number = parcel.number;
    if (rc == 0 && parcel.bytes != job->message.n)
        rc = err_set(&err, ERR_INTERNAL, "a mail did not come whole");
    if (rc == 0) {
        const struct smtp_mail mail = {.server = conf_text(start->conf, CONF_MAIL_SMTP),
            .user = conf_text(start->conf, CONF_MAIL_USER),
            .password = start->mail_password,
            .from = parcel.from,
            .to = parcel.to,
            .message = buf_span(&job->message)};
        rc = smtp_out_begin(job->smtp, &mail, on_done, job, &err);
    }
    if (rc == 0)
        return;
    const struct mail_sent sent = {.outcome = MAIL_LATER, .why = span_of(err.msg)};
    over(job, &sent);
}

static void
on_next(void *ctx, struct span body, bool more, const struct err *why)
{
    struct job *job = ctx;

    if (why == NULL)
        buf_add_span(job->begun ? &job->message : &job->head, body);
    job->begun = true;
    if (more)
        return;
    job->asking = false;
    job->tag = 0;
    if (why == NULL)
        send_it(job);
    else if (talks_connected(job->courier->talks))
        later(job);
}

/* Ask for the next, unless one is in hand. */
static void
next(struct job *job)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct talk talk = {.ctx = job, .answered = on_next};
    struct err err = {0};

    if (job->asking || job->telling || smtp_out_busy(job->smtp)
        || (job->courier->stopping && job->sent.n == 0)
        || !conf_bool(job->courier->start->conf, CONF_MAIL)
        || !talks_connected(job->courier->talks))
        return;
    if (job->sent.n > 0) {
        tell(job);
        return;
    }
    job->begun = false;
    job->head.n = job->message.n = 0;
    job->asking = talk_begin(job->courier->talks, MESSAGE_MAIL_NEXT, &nobody, SPAN(""), &talk,
                      &job->tag, &err)
        == 0;
    if (!job->asking)
        later(job);
}

static void
on_again(void *ctx)
{
    next(ctx);
}

/* ---- the job ---- */

static void
changed(void *ctx)
{
    next(ctx);
}

static bool
said(void *ctx, const struct channel_message *message)
{
    if (message->type != MESSAGE_MAIL_READY)
        return false;
    next(ctx);
    return true;
}

static bool
busy(const void *ctx)
{
    const struct job *job = ctx;

    return smtp_out_busy(job->smtp) || job->telling;
}

static int
open_job(struct courier *courier, void **ctx, struct err *err)
{
    struct job *job = calloc(1, sizeof *job);

    *ctx = job;
    if (job == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to send mails");
    job->courier = courier;
    job->head = buf_new(HEAD_BYTES);
    job->sent = buf_new(SAID_BYTES);
    job->message = buf_new(MAIL_BYTES);
    job->again = (struct loop_timer){.due = on_again, .ctx = job};
    return smtp_out_new(courier->start->loop, courier->ca,
        conf_text(courier->start->conf, CONF_COURIER_DNS), &job->smtp, err);
}

static void
close_job(void *ctx)
{
    struct job *job = ctx;

    smtp_out_free(job->smtp);
    loop_timer_stop(job->courier->start->loop, &job->again);
    buf_free(&job->head);
    buf_free(&job->sent);
    buf_free(&job->message);
    free(job);
}

const struct courier_job courier_mail = {.name = "mail",
    .open = open_job,
    .close = close_job,
    .changed = changed,
    .busy = busy,
    .said = said};
