/* What people are told about mails, and what they change: rows MAILS to MAIL_TRY of messages.def.
 */
#include "base/base64.h"
#include "core/mail_private.h"
#include "core/node.h"
#include "core/told.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 32 * 1024 * 1024, SHOWN_BYTES = 2 * MAIL_BYTES, MAILS_TOLD = 100 };

static const char *const states[] = {"ready", "accepted", "refused"};

/* ---- what there is ---- */

/* None goes to the team before somebody mends what it says. */
static struct span
why_stopped(const struct store_mail *mail, const struct store_mail_out *unsent)
{
    return mail->why.n == 0 && unsent != NULL && unsent->state == MAIL_OUT_STUCK ? unsent->why
                                                                                 : mail->why;
}

struct mail_counts {
    uint64_t waiting;
    uint64_t late;
    uint64_t stopped;
};

static struct mail_counts
count_mails(const struct mailing *m)
{
    struct mail_counts counts = {0};

    for (size_t i = 0; i < m->out_count; i++) {
        counts.waiting += m->outs[i].state == MAIL_OUT_READY;
        counts.late += m->outs[i].state == MAIL_OUT_READY && m->outs[i].tries > 0;
    }
    for (size_t i = 0; i < m->count; i++)
        counts.stopped += why_stopped(&m->list[i], mail_out_of(m, m->list[i].team)).n > 0;
    return counts;
}

void
mail_tell_counts(const struct core *core, struct buf *out)
{
    const struct mail_counts counts = count_mails(core->mailing);

    told_flag(out, "mail", core->mailing->on);
    told_number(out, "mailed_teams", core->mailing->count);
    told_number(out, "mails_waiting", counts.waiting);
    told_number(out, "mails_late", counts.late);
    told_number(out, "mails_stopped", counts.stopped);
}

void
mail_tell_metrics(const struct core *core, struct buf *out)
{
    const struct mail_counts counts = count_mails(core->mailing);

    node_gauge(out, "comity_mailed_teams", "Teams that get mail.", core->mailing->count);
    node_gauge(out, "comity_mails_waiting", "Mails that wait for the SMTP server.", counts.waiting);
    node_gauge(out, "comity_mails_late", "Of those: tried, and not taken.", counts.late);
    node_gauge(out, "comity_mails_stopped",
        "Teams to which no mail goes until somebody mends something.", counts.stopped);
}

static void
tell_mail(const struct store_mail_out *mail, struct buf *out)
{
    told_item(out);
    buf_add_char(out, '{');
    told_text(out, "batch", mail->batch);
    told_text(out, "message_id", mail->message_id);
    told_word(out, "state", states[mail->state]);
    told_text(out, "address", mail->address);
    told_number(out, "reports", mail->reports);
    told_number(out, "bytes", mail->bytes);
    told_flag(out, "encrypted", mail->encrypted);
    told_time(out, "made", mail->made_us);
    told_time(out, "accepted", mail->sent_us);
    told_time(out, "next", mail->again_us);
    told_number(out, "tries", mail->tries);
    told_number_or_null(out, "code", mail->code);
    told_text(out, "said", mail->why);
    buf_add_char(out, '}');
}

static void
tell_row(struct core *core, const struct store_mail *mail, struct buf *out)
{
    const struct store_mail_out *unsent = mail_out_of(core->mailing, mail->team);

    told_text(out, "team", store_team_id(core->store, mail->team));
    told_text(out, "address", mail->address);
    told_word(out, "when", mail->digest ? "daily" : "at-once");
    told_text(out, "fingerprint", mail->fingerprint);
    told_time(out, "added", mail->added_us);
    told_text(out, "added_by", mail->added_by);
    told_time(out, "next", mail->next_us);
    told_text(out, "stopped", why_stopped(mail, unsent));
    told_word(out, "unsent", unsent == NULL ? NULL : states[unsent->state]);
}

static int
tell_mails_of(
    struct core *core, const struct ask *ask, uint32_t team, struct buf *out, struct err *err)
{
    struct store_mail_out *mails = NULL;
    size_t count = 0;
    int rc = store_mail_outs_of(core->store, ask->arena, team, MAILS_TOLD, &mails, &count, err);

    told_open(out, "mails", '[');
    for (size_t i = 0; i < count; i++)
        tell_mail(&mails[i], out);
    buf_add_char(out, ']');
    return rc;
}

int
core_mails(struct core *core, struct ask *ask, struct err *err)
{
    struct mailing *m = core->mailing;
    struct buf out = buf_new(ANSWER_BYTES);
    struct span team = wire_text(&ask->in);
    size_t told = 0;
    int rc = wire_end(&ask->in, "a question for mails", err);

    buf_add_char(&out, '{');
    told_flag(&out, "on", m->on);
    told_open(&out, "items", '[');
    for (size_t i = 0; rc == 0 && i < m->count; i++) {
        if (team.n > 0 && !span_equal(store_team_id(core->store, m->list[i].team), team))
            continue;
        told++;
        told_item(&out);
        buf_add_char(&out, '{');
        tell_row(core, &m->list[i], &out);
        if (team.n > 0)
            rc = tell_mails_of(core, ask, m->list[i].team, &out, err);
        buf_add_char(&out, '}');
    }
    buf_add_text(&out, "],\"next\":null}");
    if (rc == 0 && team.n > 0 && told == 0)
        rc = err_set(err, ERR_NOT_FOUND, "%.*s gets no mail", SPAN_ARGS(team));
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

/* ---- changes ---- */

static int
field_error(struct err *err, const char *field, const char *words)
{
    return err_set_field(err, ERR_BAD_VALUE, field, strlen(field), "%s", words);
}

/* A mail that is on its way just now is not taken back. */
static int
check_quiet(const struct core *core, uint32_t team, struct err *err)
{
    const struct store_mail_out *out = mail_out_of(core->mailing, team);

    return out != NULL && core->mailing->sending == out->number
        ? err_set(err, ERR_BUSY, "a mail to this team is being sent just now; try again")
        : 0;
}

/* What was made and has not gone is made anew; verdicts depend on whether a key is known. */
static int
put(struct core *core, const struct store_mail *mail, struct err *err)
{
    int rc = store_mail_withdraw(core->store, mail->team, err);

    if (rc == 0)
        rc = store_mail_put(core->store, mail, err);
    if (rc == 0)
        rc = mail_again(core, err);
    return rc == 0 ? knowledge_read(core, err) : rc;
}

static int
answer_row(struct core *core, const struct ask *ask, uint32_t team, struct err *err)
{
    const struct store_mail *mail = mail_find(core->mailing, team);
    struct buf out = buf_new(ANSWER_BYTES);

    buf_add_char(&out, '{');
    if (mail != NULL)
        tell_row(core, mail, &out);
    buf_add_char(&out, '}');
    int rc = buf_check(&out, "the answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

/* As it is asked for; its texts are the question's. */
static int
take_row(
    struct core *core, struct ask *ask, struct store_mail *mail, struct span *key, struct err *err)
{
    struct span id = wire_text(&ask->in);
    struct span address = wire_text(&ask->in);
    struct span when = wire_text(&ask->in);
    *key = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a team that gets mail", err);
    int64_t now = clock_now_us();

    if (rc != 0)
        return rc;
    if (roster_find(core->roster, id).index == 0)
        return err_set(
            err, ERR_NOT_FOUND, "no team of the directory is called %.*s", SPAN_ARGS(id));
    if (!mail_is_address(address))
        return field_error(err, "address", "an address such as abuse@south.test, without a name");
    bool digest = span_equal(when, SPAN("daily"));
    if (!digest && !span_equal(when, SPAN("at-once")))
        return field_error(err, "when", "daily or at-once");
    *mail = (struct store_mail){.digest = digest,
        .address = address,
        .next_us = digest ? mail_next_digest(core, now) : 0,
        .added_us = now,
        .added_by = ask->asker.name};
    return store_team(core->store, id, &mail->team, err);
}

static bool
wish_free(const struct mailing *m, struct err *err)
{
    if (m->wish.what != MAIL_NOTHING)
        (void)err_set(err, ERR_BUSY, "another key or mail is being looked at; try again");
    return m->wish.what == MAIL_NOTHING;
}

static void
begin_wish(struct core *core, const struct ask *ask, uint8_t what, const struct store_mail *mail)
{
    struct mail_wish *wish = &core->mailing->wish;
    struct span *texts[] = {&wish->mail.address, &wish->mail.added_by, &wish->mail.key};

    wish->what = what;
    wish->asker = (struct mail_asker){true, ask->door, core->generations[ask->door], ask->tag};
    wish->mail = *mail;
    wish->texts.n = 0;
    for (size_t i = 0; i < 3; i++)
        buf_add_span(&wish->texts, *texts[i]);
    const char *at = wish->texts.p;
    for (size_t i = 0; i < 3; at += texts[i++]->n)
        texts[i]->p = at;
    mail_say(core);
}

/* Its own key stays, unless another is given. */
static int
set_at_once(
    struct core *core, const struct ask *ask, const struct store_mail *given, struct err *err)
{
    struct store_mail mail = *given;
    const struct store_mail *known = mail_find(core->mailing, mail.team);
    struct buf key = buf_new(MAIL_KEY_BYTES);
    char fingerprint[MAIL_FINGERPRINT_BYTES + 1] = "";

    if (known != NULL && known->fingerprint.n <= MAIL_FINGERPRINT_BYTES) {
        buf_add_span(&key, known->key); /* the rows are read anew on the way */
        memcpy(fingerprint, known->fingerprint.p, known->fingerprint.n);
    }
    mail.key = key.n > 0 ? buf_span(&key) : SPAN("");
    mail.fingerprint = span_of(fingerprint);
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = put(core, &mail, err);
    if (rc == 0)
        rc = answer_row(core, ask, mail.team, err);
    buf_free(&key);
    return rc;
}

int
core_mail_set(struct core *core, struct ask *ask, struct err *err)
{
    struct mailing *m = core->mailing;
    struct store_mail mail;
    struct span key;
    size_t n = 0;
    int rc = take_row(core, ask, &mail, &key, err);

    if (rc == 0)
        rc = check_quiet(core, mail.team, err);
    if (rc != 0 || key.n == 0)
        return rc != 0 ? rc : set_at_once(core, ask, &mail, err);
    if (!m->on)
        return err_set(err, ERR_NOT_ALLOWED,
            "a key is looked at by the process that makes mails, which runs when mail is on");
    if (!wish_free(m, err))
        return (int)err->code;
    char *bytes = arena_alloc(ask->arena, MAIL_KEY_BYTES);
    if (bytes == NULL)
        return arena_full(err, "a key");
    if (!base64_read(key, bytes, MAIL_KEY_BYTES, &n) || n == 0)
        return field_error(err, "key", "base64 of an OpenPGP key's file, of at most 256 KiB");
    mail.key = (struct span){bytes, n};
    begin_wish(core, ask, MAIL_KEY, &mail);
    return 0;
}

int
core_mail_remove(struct core *core, struct ask *ask, struct err *err)
{
    struct span id = wire_text(&ask->in);
    uint32_t team = 0;
    int rc = wire_end(&ask->in, "a team that gets no mail any more", err);

    for (size_t i = 0; rc == 0 && i < core->mailing->count; i++)
        if (span_equal(store_team_id(core->store, core->mailing->list[i].team), id))
            team = core->mailing->list[i].team;
    if (rc == 0 && team == 0)
        rc = err_set(err, ERR_NOT_FOUND, "%.*s gets no mail", SPAN_ARGS(id));
    if (rc == 0)
        rc = check_quiet(core, team, err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = store_mail_remove(core->store, team, err);
    if (rc == 0)
        rc = mail_again(core, err);
    if (rc == 0)
        rc = knowledge_read(core, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}

int
core_mail_try(struct core *core, struct ask *ask, struct err *err)
{
    struct mailing *m = core->mailing;
    struct span id = wire_text(&ask->in);
    const struct store_mail *mail = NULL;
    int rc = wire_end(&ask->in, "a mail to be looked at", err);

    for (size_t i = 0; rc == 0 && i < m->count; i++)
        if (span_equal(store_team_id(core->store, m->list[i].team), id))
            mail = &m->list[i];
    if (rc == 0 && mail == NULL)
        rc = err_set(err, ERR_NOT_FOUND, "%.*s gets no mail", SPAN_ARGS(id));
    if (rc == 0 && !m->on)
        rc = err_set(err, ERR_NOT_ALLOWED, "mails are made when mail is on");
    if (rc != 0 || !wish_free(m, err))
        return (int)err->code;
    const struct store_mail wish = {.team = mail->team};
    begin_wish(core, ask, MAIL_TRIAL, &wish);
    return 0;
}

/* ---- what the mailer said ---- */

static bool
is_there(const struct core *core, const struct mail_asker *asker)
{
    return asker->waits && core->channels[asker->door] != NULL
        && core->generations[asker->door] == asker->generation;
}

void
mail_wish_end(struct core *core, const struct err *why)
{
    struct mail_wish *wish = &core->mailing->wish;

    if (why != NULL && is_there(core, &wish->asker))
        core_refuse(core, wish->asker.door, wish->asker.tag, why);
    wish->what = MAIL_NOTHING;
    wish->asker.waits = false;
}

int
mail_wish_keep(struct core *core, struct span fingerprint, struct err *err)
{
    struct mail_wish *wish = &core->mailing->wish;
    struct ask ask = {.door = wish->asker.door, .tag = wish->asker.tag};
    struct store_mail mail = wish->mail;
    int rc = check_quiet(core, mail.team, err);

    mail.fingerprint = fingerprint;
    if (rc == 0)
        rc = put(core, &mail, err);
    if (rc == 0 && is_there(core, &wish->asker))
        rc = answer_row(core, &ask, mail.team, err);
    if (rc == 0)
        mail_wish_end(core, NULL);
    return rc;
}

int
mail_wish_show(struct core *core, struct span message, struct err *err)
{
    struct mail_wish *wish = &core->mailing->wish;
    struct buf out = buf_new(SHOWN_BYTES);
    int rc = 0;

    buf_add_text(&out, "{\"message\":");
    told_value(&out, message);
    buf_add_char(&out, '}');
    rc = buf_check(&out, "a mail to be looked at", err);
    struct span rest = buf_span(&out);
    while (rc == 0 && rest.n > 0 && is_there(core, &wish->asker)) {
        struct span part = {rest.p, rest.n < MAIL_PART_BYTES ? rest.n : MAIL_PART_BYTES};
        rest = (struct span){rest.p + part.n, rest.n - part.n};
        rc = core_say(
            core, wish->asker.door, MESSAGE_ANSWER, wish->asker.tag, part, rest.n > 0, err);
    }
    buf_free(&out);
    if (rc == 0)
        mail_wish_end(core, NULL);
    return rc;
}
