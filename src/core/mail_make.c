/* What goes into a team's next mail, and what becomes of making it. */
#include "base/conf.h"
#include "base/hash.h"
#include "core/mail_private.h"
#include "core/unpacked.h"
#include "store/link.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    HEAD_BYTES = 1024 * 1024,
    DELIVERY_BYTES = 3 * 1024 * 1024, /* each has fewer */
    RAW_TIMES = 4,                    /* as little as packing spares */
};

#define BATCH_END "comity-batch"
#define REVOKED "\"revoked\":true"
#define BATCH_ID "\"id\":\"" BATCH_END "--"

static struct span
setting(const struct core *core, enum conf_option option)
{
    return conf_text(core->options.conf, option);
}

void
mail_job_end(struct core *core, const struct err *why)
{
    struct mail_job *job = &core->mailing->job;

    if (job->what == MAIL_TRIAL || job->what == MAIL_KEY)
        mail_wish_end(core, why);
    job->open = false;
    job->what = MAIL_NOTHING;
    buf_free(&job->message);
    job->message = buf_new(MAIL_BYTES);
}

/* ---- what the mail is called ---- */

static void
make_uuid(char out[MAIL_UUID_BYTES])
{
    uint8_t u[16];

    hash_random(u, sizeof u);
    u[6] = (uint8_t)((u[6] & 0x0f) | 0x40); /* RFC 9562, section 5.4 */
    u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
    (void)snprintf(out, MAIL_UUID_BYTES,
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
        u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

/* The delivery's own, if there is one delivery; else the mail gets one. No string of the objects
 * can hold a quote that is not escaped. */
static void
name_mail(struct core *core)
{
    struct mailing *m = core->mailing;
    struct span rest = buf_span(&m->objects);
    struct span from = setting(core, CONF_MAIL_FROM);
    const char *first =
        rest.n == 0 ? NULL : memmem(rest.p, rest.n, SPAN(BATCH_ID).p, SPAN(BATCH_ID).n);
    const char *second = NULL;

    make_uuid(m->job.batch);
    m->job.several = false;
    if (first != NULL) {
        first += SPAN(BATCH_ID).n;
        rest = (struct span){first, (size_t)(rest.p + rest.n - first)};
        second = memmem(rest.p, rest.n, SPAN(BATCH_ID).p, SPAN(BATCH_ID).n);
        m->job.several = second != NULL;
        if (second == NULL && rest.n >= MAIL_UUID_BYTES - 1)
            memcpy(m->job.batch, first, MAIL_UUID_BYTES - 1);
    }
    const char *at = from.n == 0 ? NULL : memchr(from.p, '@', from.n);
    (void)snprintf(m->job.message_id, sizeof m->job.message_id, "%s.%llx%s", m->job.batch,
        (unsigned long long)m->job.through_us, at != NULL ? at : "@localhost");
}

/* mail.reply, with the batch where it says BATCH. */
static struct span
reply_address(const struct core *core, char out[MAIL_REPLY_BYTES])
{
    struct span reply = setting(core, CONF_MAIL_REPLY);

    return reply.n == 0 ? setting(core, CONF_MAIL_FROM)
                        : mail_reply(reply, span_of(core->mailing->job.batch), out);
}

static struct span
name_of(const struct core *core, struct span id)
{
    struct team_id team = roster_find(core->roster, id);
    struct span name = team.index == 0 ? id : roster_team(core->roster, team)->name;

    return name.n > 0 ? name : id;
}

/* ---- what may go ---- */

/* Was something of BATCH released to TEAM on condition of an encrypted channel? What a person let
 * go although none was known goes as that person decided. */
static int
needs_encryption(struct core *core, uint64_t batch, uint32_t team, bool *needs, struct err *err)
{
    struct unpacked unpacked;
    struct outcome_report report;
    int rc = unpacked_read(core, core->mailing->work, batch, &unpacked, err);

    if (rc == ERR_NOT_FOUND) /* its time is over */
        return 0;
    for (uint32_t place = 0; rc == 0 && place < unpacked.outcomes.count; place++) {
        outcome_get(&unpacked.outcomes, place, &report);
        for (uint8_t i = 0; i < report.count; i++) {
            const struct verdict *v = &unpacked.outcomes.verdicts[report.ones[i].verdict].verdict;
            *needs = *needs
                || (report.ones[i].team == team && v->effect == EFFECT_RELEASE
                    && v->require_encrypted);
        }
    }
    return rc;
}

/* Only what was released before the team was mailed without a key can be in the way: since then
 * such reports are held. */
static int
check_plain(struct core *core, const struct store_mail *mail, const struct store_parcel *parcel,
    int64_t from_us, bool *needs, struct err *err)
{
    struct arena *arena = arena_new(1024 * 1024);
    uint64_t *batches = NULL;
    size_t count = 0;

    *needs = false;
    if (arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a mail");
    int rc = mail->fingerprint.n > 0 ? 0
                                     : store_mail_batches(core->store, arena, parcel->collection,
                                         from_us, parcel->through_us, &batches, &count, err);
    for (size_t i = 0; rc == 0 && !*needs && i < count; i++)
        rc = needs_encryption(core, batches[i], mail->team, needs, err);
    arena_free(arena);
    return rc;
}

/* As many whole deliveries as may become a message that is small enough. */
static int
gather(
    struct core *core, const struct store_mail *mail, struct store_parcel *parcel, struct err *err)
{
    struct mailing *m = core->mailing;
    int64_t max_bytes = conf_number(core->options.conf, CONF_MAIL_MAX_BYTES);
    uint64_t most = RAW_TIMES * (uint64_t)max_bytes;

    most = most > DELIVERY_BYTES ? most : DELIVERY_BYTES;
    if (m->less_team == mail->team && m->less_of == max_bytes)
        most = m->less_bytes;
    const struct store_parcel_query query = {.team = mail->team,
        .end = SPAN(BATCH_END),
        .max_bytes = most < MAIL_RAW_BYTES ? most : MAIL_RAW_BYTES};
    m->objects.n = 0;
    int rc = store_parcel(core->store, m->work, &query, &m->objects, parcel, err);
    arena_reset(m->work);
    m->job.raw_bytes = m->objects.n;
    return rc;
}

static bool
has_recalls(const struct core *core)
{
    struct span objects = buf_span(&core->mailing->objects);

    return objects.n > 0 && memmem(objects.p, objects.n, REVOKED, sizeof REVOKED - 1) != NULL;
}

/* People are told of reports, and of what is recalled; all else goes with the next of these. */
static bool
is_worth(const struct core *core, const struct store_parcel *parcel)
{
    return parcel->reports > 0 || has_recalls(core);
}

static int
put_off(struct core *core, const struct store_mail *mail, struct err *err)
{
    struct store_mail later = *mail;

    if (!mail->digest)
        return 0;
    later.next_us = mail_next_digest(core, clock_now_us());
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = store_mail_put(core->store, &later, err);
    return rc == 0 ? mail_again(core, err) : rc;
}

/* *READY: MAIL's objects are gathered. Else it has none, or cannot go, which is noted. */
static int
prepare(struct core *core, const struct store_mail *mail, bool trial, bool *ready, struct err *err)
{
    struct mail_job *job = &core->mailing->job;
    struct store_parcel parcel;
    bool needs = false;
    int rc = gather(core, mail, &parcel, err);

    *ready = trial;
    if (rc == 0 && !parcel.too_large && !is_worth(core, &parcel))
        return trial ? 0 : put_off(core, mail, err);
    if (rc == 0)
        rc = store_mail_mark(core->store, parcel.collection, &job->from_us, err);
    if (rc == 0)
        rc = check_plain(core, mail, &parcel, job->from_us, &needs, err);
    if (rc != 0)
        return rc;
    struct span why = parcel.too_large
        ? SPAN("one delivery alone is too large for a mail: raise mail.max-bytes")
        : SPAN("what waits may only go over an encrypted channel: give the team's key");
    if (parcel.too_large || needs) {
        if (trial)
            return err_set(err, ERR_NOT_ALLOWED, "%s", why.p);
        rc = core_begin(core, err);
        return rc == 0 ? mail_stop(core, mail, why, err) : rc;
    }
    job->collection = parcel.collection;
    job->through_us = parcel.through_us;
    job->reports = parcel.reports;
    *ready = true;
    return 0;
}

/* ---- MAIL_TAKE ---- */

static int
answer_nothing(struct core *core, struct ask *ask, struct err *err)
{
    struct buf head = buf_new(HEAD_BYTES);

    mail_task_add(&head, &(struct mail_task){.what = MAIL_NOTHING});
    int rc = core_answer(core, ask, buf_span(&head), false, err);
    buf_free(&head);
    return rc;
}

static int
answer_task(struct core *core, struct ask *ask, const struct mail_task *task, struct err *err)
{
    struct span rest = task->what == MAIL_KEY ? SPAN("") : buf_span(&core->mailing->objects);
    struct buf head = buf_new(HEAD_BYTES);

    mail_task_add(&head, task);
    int rc = buf_check(&head, "a mail to be made", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&head), rest.n > 0, err);
    buf_free(&head);
    while (rc == 0 && rest.n > 0) {
        struct span part = {rest.p, rest.n < MAIL_PART_BYTES ? rest.n : MAIL_PART_BYTES};
        rest = (struct span){rest.p + part.n, rest.n - part.n};
        rc = core_answer(core, ask, part, rest.n > 0, err);
    }
    if (core->mailing->objects.size > MAIL_PART_BYTES)
        buf_free(&core->mailing->objects);
    return rc;
}

static int
hand_out(struct core *core, struct ask *ask, uint8_t what, const struct store_mail *mail,
    struct err *err)
{
    struct mail_job *job = &core->mailing->job;
    struct buf references = buf_new(MAIL_REFERENCES_MAX * MAIL_ID_BYTES);
    char reply[MAIL_REPLY_BYTES];
    int rc = has_recalls(core) ? mail_references(core, mail->team, &references, err) : 0;

    if (rc != 0) {
        buf_free(&references);
        return rc;
    }
    job->open = true;
    job->number = ++core->mailing->numbers;
    job->what = what;
    job->team = mail->team;
    job->encrypted = mail->key.n > 0;
    job->message.n = job->address.n = 0;
    buf_add_span(&job->address, mail->address);
    name_mail(core);
    struct span id = store_team_id(core->store, mail->team);
    const struct mail_task task = {.number = job->number,
        .what = what,
        .digest = mail->digest,
        .date_us = clock_now_us(),
        .max_bytes = (uint64_t)conf_number(core->options.conf, CONF_MAIL_MAX_BYTES),
        .from = setting(core, CONF_MAIL_FROM),
        .to = mail->address,
        .reply = reply_address(core, reply),
        .own = knowledge_own_id(core),
        .own_name = name_of(core, knowledge_own_id(core)),
        .team = id,
        .name = name_of(core, id),
        .batch = span_of(job->batch),
        .message_id = span_of(job->message_id),
        .references = references.n > 0 ? buf_span(&references) : SPAN(""),
        .sign_key = setting(core, CONF_MAIL_SIGN_KEY),
        .key = mail->key,
        .fingerprint = mail->fingerprint};
    rc = answer_task(core, ask, &task, err);
    buf_free(&references);
    return rc;
}

/* What people wait for goes first. *MAIL NULL: nothing is to be made. */
static int
choose(struct core *core, uint8_t *what, const struct store_mail **mail, struct err *err)
{
    struct mailing *m = core->mailing;
    bool ready = false;
    int rc = 0;

    m->job.collection = m->job.reports = 0;
    m->job.from_us = m->job.through_us = 0;
    m->objects.n = 0;
    *what = m->wish.what;
    *mail = *what == MAIL_KEY ? &m->wish.mail
        : *what == MAIL_TRIAL ? mail_find(m, m->wish.mail.team)
                              : NULL;
    if (*mail != NULL && *what == MAIL_TRIAL)
        rc = prepare(core, *mail, true, &ready, err);
    if (*what != MAIL_NOTHING) {
        if (*mail == NULL)
            rc = err_set(err, ERR_NOT_FOUND, "this team gets no mail any more");
        if (rc != 0)
            mail_wish_end(core, err);
        *mail = rc == 0 ? *mail : NULL;
        return 0;
    }
    *what = MAIL_REPORTS;
    for (size_t at = 0; rc == 0 && !ready;) {
        rc = mail_due(core, &at, mail, err);
        if (rc == 0 && *mail == NULL)
            mail_rest(core);
        if (rc != 0 || *mail == NULL)
            return rc;
        rc = prepare(core, *mail, false, &ready, err);
    }
    return rc;
}

int
core_mail_take(struct core *core, struct ask *ask, struct err *err)
{
    struct mailing *m = core->mailing;
    const struct store_mail *mail = NULL;
    uint8_t what = MAIL_NOTHING;
    int rc = wire_end(&ask->in, "a question for a mail", err);

    if (rc == 0 && m->on && !m->job.open)
        rc = choose(core, &what, &mail, err);
    if (rc != 0)
        return rc;
    return mail == NULL ? answer_nothing(core, ask, err) : hand_out(core, ask, what, mail, err);
}

/* ---- MAIL_PIECE, MAIL_MADE ---- */

int
core_mail_piece(struct core *core, struct ask *ask, struct err *err)
{
    struct mail_job *job = &core->mailing->job;
    uint64_t number = wire_u64(&ask->in);
    struct span bytes = wire_bytes(&ask->in, ask->in.n);
    int rc = wire_end(&ask->in, "a part of a mail", err);

    if (rc == 0 && job->open && job->number == number)
        buf_add_span(&job->message, bytes);
    return rc == 0 ? core_answer(core, ask, SPAN(""), false, err) : rc;
}

/* It waits for the courier from now on. */
static int
keep(struct core *core, struct err *err)
{
    struct mail_job *job = &core->mailing->job;
    int64_t now = clock_now_us();
    struct store_mail_out out = {.team = job->team,
        .state = MAIL_OUT_READY,
        .encrypted = job->encrypted,
        .address = buf_span(&job->address),
        .batch = span_of(job->batch),
        .message_id = span_of(job->message_id),
        .collection = job->collection,
        .from_us = job->from_us,
        .through_us = job->through_us,
        .reports = job->reports,
        .made_us = now,
        .again_us = now};
    int rc = buf_check(&job->message, "a mail", err);

    if (rc == 0)
        rc = store_mail_out_add(core->store, &out, buf_span(&job->message), err);
    return rc == 0 ? mail_again(core, err) : rc;
}

/* Half of it may fit, or one delivery less; one alone never will. */
static int
too_large(struct core *core, const struct store_mail *mail, struct err *err)
{
    struct mailing *m = core->mailing;
    uint64_t raw = m->job.raw_bytes;

    if (!m->job.several)
        return mail_stop(core, mail,
            SPAN("one delivery alone is too large for a mail: raise mail.max-bytes"), err);
    m->less_team = mail->team;
    m->less_bytes = raw / 2 >= DELIVERY_BYTES ? raw / 2 : raw - 1;
    m->less_of = conf_number(core->options.conf, CONF_MAIL_MAX_BYTES);
    return 0;
}

/* The team may have been removed, or changed, meanwhile: then it is made anew, or not. */
static int
settle(struct core *core, const struct mail_made *made, struct err *err)
{
    struct mailing *m = core->mailing;
    const struct mail_job *job = &m->job;
    const struct store_mail *mail = mail_find(m, job->team);

    if (mail == NULL || !span_equal(mail->address, buf_span(&job->address))
        || (mail->key.n > 0) != job->encrypted || mail_out_of(m, job->team) != NULL)
        return 0;
    if (made->outcome == MAIL_TOO_LARGE)
        return too_large(core, mail, err);
    if (made->outcome == MAIL_LATER)
        return 0;
    return made->outcome == MAIL_OK ? keep(core, err) : mail_stop(core, mail, made->text, err);
}

static int
settle_wish(struct core *core, const struct mail_made *made, struct err *err)
{
    struct mail_job *job = &core->mailing->job;

    if (made->outcome != MAIL_OK)
        return err_set(err, made->outcome == MAIL_LATER ? ERR_BUSY : ERR_BAD_VALUE, "%.*s",
            SPAN_ARGS(made->text));
    return job->what == MAIL_KEY ? mail_wish_keep(core, made->text, err)
                                 : mail_wish_show(core, buf_span(&job->message), err);
}

int
core_mail_made(struct core *core, struct ask *ask, struct err *err)
{
    struct mail_job *job = &core->mailing->job;
    struct mail_made made;
    struct err why = {0};
    int rc = mail_made_take((struct span){ask->in.p, ask->in.n}, &made, err);

    if (rc != 0 || !job->open || job->number != made.number)
        return rc == 0 ? core_answer(core, ask, SPAN(""), false, err) : rc;
    rc = core_begin(core, err);
    if (rc != 0)
        return rc;
    if (job->what == MAIL_REPORTS)
        rc = settle(core, &made, err);
    else if (settle_wish(core, &made, &why) != 0)
        mail_wish_end(core, &why);
    mail_job_end(core, NULL);
    core->mailing->changed = true;
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}
