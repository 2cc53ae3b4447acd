/* What the courier is to hand to the SMTP server, and what the server said. */
#include "base/conf.h"
#include "base/hash.h"
#include "core/collections.h"
#include "core/mail_private.h"
#include "sys/clock.h"

enum { HEAD_BYTES = 4096, DOUBLED_MAX = 20 };
static const int64_t ms_us = 1000;
/* What was not taken for so long is made anew, of what may still be told. */
static const int64_t anew_us = (int64_t)24 * 3600 * 1000000;

/* ---- MAIL_NEXT ---- */

static int
answer_mail(struct core *core, struct ask *ask, const struct store_mail_out *mail,
    struct span message, struct err *err)
{
    struct buf head = buf_new(HEAD_BYTES);
    const struct mail_parcel parcel = {.number = mail->number,
        .bytes = (uint32_t)message.n,
        .from = conf_text(core->options.conf, CONF_MAIL_FROM),
        .to = mail->address};

    mail_parcel_add(&head, &parcel);
    int rc = buf_check(&head, "a mail", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&head), message.n > 0, err);
    buf_free(&head);
    while (rc == 0 && message.n > 0) {
        struct span part = {message.p, message.n < MAIL_PART_BYTES ? message.n : MAIL_PART_BYTES};
        message = (struct span){message.p + part.n, message.n - part.n};
        rc = core_answer(core, ask, part, message.n > 0, err);
    }
    return rc;
}

int
core_mail_next(struct core *core, struct ask *ask, struct err *err)
{
    static const struct store_mail_out none;
    struct mailing *m = core->mailing;
    struct span message = SPAN("");
    int rc = wire_end(&ask->in, "a question for a mail", err);
    const struct store_mail_out *mail = rc == 0 ? mail_to_send(m, clock_now_us()) : NULL;

    if (mail != NULL)
        rc = store_mail_message(core->store, m->work, mail->number, &message, err);
    if (rc == 0)
        rc = answer_mail(core, ask, mail == NULL ? &none : mail, message, err);
    m->sending = rc == 0 && mail != NULL ? mail->number : m->sending;
    arena_reset(m->work);
    return rc;
}

/* ---- MAIL_SENT ---- */

/* Twice as long each time, with a random part, so that not all come back together. */
static int64_t
pause_us(const struct core *core, uint32_t tries)
{
    int64_t first = conf_number(core->options.conf, CONF_COURIER_RETRY_FIRST) * ms_us;
    int64_t most = conf_number(core->options.conf, CONF_COURIER_RETRY_MOST) * ms_us;
    uint32_t random;

    for (uint32_t i = 1; i < tries && i < DOUBLED_MAX && first < most; i++)
        first *= 2;
    first = first < most ? first : most;
    hash_random(&random, sizeof random);
    return first - (int64_t)(random % 1024) * (first / 4096);
}

static int
not_taken(struct core *core, struct store_mail_out *mail, const struct mail_sent *sent,
    int64_t now_us, struct err *err)
{
    struct span team = store_team_id(core->store, mail->team);
    bool refused = sent->outcome == MAIL_REFUSED;

    if (!refused && now_us - mail->made_us > anew_us)
        return store_mail_withdraw(core->store, mail->team, err);
    mail->tries++;
    mail->state = refused ? MAIL_OUT_STUCK : MAIL_OUT_READY;
    mail->again_us = refused ? 0 : now_us + pause_us(core, mail->tries);
    mail->code = sent->code;
    mail->why = sent->why;
    if (refused || mail->tries == 1)
        core_tell(core, "mail to %.*s %s: %.*s", SPAN_ARGS(team),
            refused ? "was refused for good, and no other goes before that is mended"
                    : "was not taken and is tried again",
            SPAN_ARGS(sent->why));
    return store_mail_out_put(core->store, mail, err);
}

/* The server has it: as far as mail goes, it is delivered. */
static int
taken(struct core *core, struct store_mail_out *mail, const struct mail_sent *sent, int64_t now_us,
    struct err *err)
{
    mail->state = MAIL_OUT_GONE;
    mail->again_us = 0;
    mail->sent_us = now_us;
    mail->code = sent->code;
    mail->why = sent->why;
    int rc = store_mail_out_put(core->store, mail, err);
    if (rc == 0 && mail->through_us > 0)
        rc = store_fetched(core->store, mail->collection, mail->through_us, false, err);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

int
core_mail_sent(struct core *core, struct ask *ask, struct err *err)
{
    struct mailing *m = core->mailing;
    struct mail_sent sent;
    int64_t now = clock_now_us();
    int rc = mail_sent_take((struct span){ask->in.p, ask->in.n}, &sent, err);
    struct store_mail_out *mail = rc == 0 ? mail_out_find(m, sent.number) : NULL;

    if (rc == 0 && m->sending == sent.number)
        m->sending = 0;
    if (rc != 0 || mail == NULL) /* its team was removed */
        return rc != 0 ? rc : core_answer(core, ask, SPAN(""), false, err);
    rc = core_begin(core, err);
    if (rc == 0)
        rc = sent.outcome == MAIL_OK ? taken(core, mail, &sent, now, err)
                                     : not_taken(core, mail, &sent, now, err);
    if (rc == 0)
        rc = mail_again(core, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}
