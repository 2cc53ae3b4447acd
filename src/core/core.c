#include "base/hash.h"
#include "base/log.h"
#include "base/refusal.h"
#include "core/agreement_simulate.h"
#include "core/auth.h"
#include "core/collections.h"
#include "core/directory.h"
#include "core/incoming.h"
#include "core/intake.h"
#include "core/links.h"
#include "core/logbook.h"
#include "core/mail.h"
#include "core/node.h"
#include "core/partner_keys.h"
#include "core/peers.h"
#include "core/receipts.h"
#include "core/release.h"
#include "core/reports.h"
#include "core/rows.h"
#include "core/state.h"
#include "core/waiting.h"
#include "core/witness.h"
#include "sys/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ASK_BYTES = 128 * 1024 * 1024,        /* what one answer may take */
    ASK_KEPT_BYTES = 4 * 1024 * 1024,     /* beyond it memory is given back */
    QUEUE_BYTES = 64 * 1024 * 1024,       /* to one door */
    QUEUE_ENOUGH_BYTES = 8 * 1024 * 1024, /* then its questions wait */
    SAID_BYTES = 1024
};

void
core_tell(const struct core *core, const char *format, ...)
{
    char line[SAID_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)core;
    log_warning(line, log_word("of", "core"));
}

/* ---- answers ---- */

int
core_say(struct core *core, enum door door, uint16_t type, uint64_t tag, struct span body,
    bool more, struct err *err)
{
    struct channel *channel = core->channels[door];
    const struct channel_message message = {
        .type = type, .flags = more ? CHANNEL_MORE : 0, .tag = tag, .fd = -1};

    if (channel == NULL)
        return err_set(err, ERR_IO, "nobody is behind that door");
    int rc = channel_send(channel, &message, &body, 1, err);
    if (rc == 0 && channel_queued(channel) > QUEUE_ENOUGH_BYTES)
        channel_pause(channel, true);
    return rc;
}

void
core_refuse(struct core *core, enum door door, uint64_t tag, const struct err *why)
{
    struct buf body = buf_new(4 * SAID_BYTES);
    struct err err = {0};

    refusal_add(&body, why);
    if (core_say(core, door, MESSAGE_REFUSAL, tag, buf_span(&body), false, &err) != 0
        && core->channels[door] != NULL)
        core_tell(core, "a refusal could not be said: %s", err.msg);
    buf_free(&body);
}

int
core_answer(struct core *core, const struct ask *ask, struct span body, bool more, struct err *err)
{
    return core_say(core, ask->door, MESSAGE_ANSWER, ask->tag, body, more, err);
}

int
core_answer_durable(struct core *core, const struct ask *ask, struct span body, struct err *err)
{
    const struct waiting_answer answer = {ask->door, core->generations[ask->door], ask->tag, body};

    return waiting_add(core->waiting, &answer, err);
}

/* ---- transactions ---- */

int
core_begin(struct core *core, struct err *err)
{
    int rc = store_begin(core->store, err);

    core->begun = core->begun || rc == 0;
    return rc;
}

/* WHY is NULL: it went well. */
static void
answer_all(struct core *core, const struct err *why)
{
    struct err err = {0};

    for (size_t i = 0; i < waiting_count(core->waiting); i++) {
        const struct waiting_answer answer = waiting_get(core->waiting, i);
        if (answer.generation != core->generations[answer.door])
            continue;
        if (why != NULL)
            core_refuse(core, answer.door, answer.tag, why);
        else if (core_say(core, answer.door, MESSAGE_ANSWER, answer.tag, answer.body, false, &err)
                != 0
            && core->channels[answer.door] != NULL)
            core_tell(core, "an answer could not be said: %s", err.msg);
    }
    waiting_clear(core->waiting);
}

/* Nothing since core_begin is kept: nobody may believe that it is. */
void
core_lose(struct core *core, const struct err *why)
{
    core_tell(core, "nothing of the last changes was kept: %s", why->msg);
    store_rollback(core->store);
    struct err err = {0};
    if (core->collections != NULL && collections_again(core->collections, &err) != 0)
        core_tell(core, "collections cannot be read: %s", err.msg);
    logbook_lost(core);
    core->begun = false;
    auth_lost(core);
    links_lost(core);
    incoming_lost(core);
    mail_lost(core);
    intake_lost(core, why);
    answer_all(core, why);
}

int
core_commit(struct core *core, struct err *err)
{
    int rc = intake_seal(core, err);

    if (rc == 0)
        rc = logbook_seal(core, err);
    if (rc == 0 && core->begun && !store_changing(core->store))
        rc = err_set(err, ERR_IO, "the store lost a transaction");
    else if (rc == 0 && core->begun)
        rc = store_commit(core->store, err);
    if (rc != 0) {
        core_lose(core, err);
        return rc;
    }
    core->begun = false;
    core->commits++;
    logbook_committed(core);
    intake_committed(core);
    incoming_committed(core);
    mail_committed(core);
    answer_all(core, NULL);
    links_committed(core);
    return 0;
}

static void
after_round(void *ctx)
{
    struct core *core = ctx;
    struct err err = {0};

    store_looked(core->store);
    if (waiting_count(core->waiting) == 0 && (!core->begun || intake_waits(core->intake)))
        return;
    if (core_commit(core, &err) != 0)
        core->commits_failed++;
}

/* ---- questions ---- */

static int
answer(struct core *core, struct ask *ask, const struct message_row *row, struct err *err)
{
    int rc = auth_may(core, ask, row, err);

    if (rc == 0)
        rc = row->answer(core, ask, err);
    if (arena_used(core->arena) > ASK_KEPT_BYTES) {
        arena_free(core->arena);
        core->arena = arena_new(ASK_BYTES);
        if (core->arena == NULL)
            abort();
    }
    arena_reset(core->arena);
    return rc;
}

static int
look(struct core *core, enum door door, const struct channel_message *message, struct ask *ask,
    const struct message_row **row, struct err *err)
{
    *row = rows_find(message->type);
    if (*row == NULL)
        return err_set(err, ERR_INTERNAL, "a role asks what nobody answers (%u)", message->type);
    if (!rows_lets_in(*row, door))
        return err_set(err, ERR_NOT_ALLOWED, "that is not asked through this door");
    *ask = (struct ask){.door = door,
        .channel = core->channels[door],
        .tag = message->tag,
        .type = message->type,
        .in = wire_in(message->body),
        .arena = core->arena,
        .message = message};
    if (door == DOOR_PARENT)
        return 0; /* nobody is behind it but the parent itself */
    caller_take(&ask->in, &ask->caller);
    if (message->type == MESSAGE_SIGN_IN) { /* shows who it is in its body */
        ask->caller.scheme = CALLER_PASSWORD;
        ask->caller.user = wire_text(&ask->in);
        ask->caller.secret = wire_text(&ask->in);
    }
    return ask->in.bad ? err_set(err, ERR_INTERNAL, "a question does not say who asks") : 0;
}

/* What follows INTAKE_OPEN is asked by who opened the stream. */
static bool
is_of_stream(uint16_t type)
{
    return type == MESSAGE_INTAKE_RECORDS || type == MESSAGE_INTAKE_CLOSE
        || type == MESSAGE_INTAKE_ABORT;
}

/* What needs no right is answered to who has no session any more, too. */
static int
who(struct core *core, struct ask *ask, const struct message_row *row, struct err *err)
{
    uint8_t scheme = ask->caller.scheme;
    int rc = auth_who(core, ask, err);

    if (rc != ERR_NOT_SIGNED_IN || row->right != RIGHT_NONE
        || (scheme != CALLER_SESSION && scheme != CALLER_CERTIFICATE))
        return rc;
    ask->asker = (struct asker){.kind = PRINCIPAL_NOBODY};
    return 0;
}

/* 0, AUTH_LATER, or an error that the asker is to be told. */
static int
ask_it(struct core *core, struct ask *ask, const struct message_row *row, const struct asker *asker,
    struct err *err)
{
    int rc = 0;

    if (is_of_stream(ask->type)) {
        if (!intake_asker(core->intake, ask->door, ask->tag, &ask->asker))
            return 0; /* it was refused meanwhile */
    } else if (asker != NULL) {
        ask->asker = *asker;
    } else if (ask->door != DOOR_PARENT) {
        rc = who(core, ask, row, err);
    }
    return rc == 0 ? answer(core, ask, row, err) : rc;
}

void
core_ask_again(struct core *core, enum door door, const struct channel_message *message,
    const struct asker *asker, const struct auth_result *result)
{
    const struct message_row *row;
    struct ask ask;
    struct err err = {0};
    int rc = look(core, door, message, &ask, &row, &err);

    if (rc == 0) {
        ask.result = result;
        rc = ask_it(core, &ask, row, asker, &err);
    }
    if (rc != 0 && rc != AUTH_LATER)
        core_refuse(core, door, message->tag, &err);
    if (core->begun && !store_changing(core->store)) {
        if (err.code == 0)
            (void)err_set(&err, ERR_IO, "the store lost a transaction");
        core_lose(core, &err);
    }
}

/* ---- doors ---- */

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    const struct door_end *end = ctx;

    (void)channel;
    if (message->fd >= 0)
        (void)close(message->fd); /* nobody has one to give */
    store_look(end->core->store);
    core_ask_again(end->core, end->door, message, NULL, NULL);
}

static void
disconnect(struct core *core, enum door door)
{
    struct channel *channel = core->channels[door];

    core->channels[door] = NULL;
    core->generations[door]++;
    auth_gone(core, door);
    intake_gone(core, door);
    if (door == DOOR_LOCAL)
        incoming_gone(core);
    events_gone(core, door);
    reports_gone(core, door);
    simulation_gone(core, door);
    mail_gone(core, door);
    channel_free(channel);
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    const struct door_end *end = ctx;

    (void)channel;
    (void)why;
    disconnect(end->core, end->door);
    if (end->door == DOOR_PARENT)
        loop_stop(end->core->loop); /* without the parent there is no node */
}

static void
on_drained(void *ctx, struct channel *channel)
{
    (void)ctx;
    channel_pause(channel, false);
}

int
core_connect(struct core *core, enum door door, int fd, struct err *err)
{
    struct door_end *end = &core->ends[door];
    const struct channel_events events = {
        .ctx = end, .message = on_message, .closed = on_closed, .drained = on_drained};

    if (core->channels[door] != NULL)
        disconnect(core, door);
    *end = (struct door_end){core, door};
    return channel_new(core->loop, fd, QUEUE_BYTES, &events, &core->channels[door], err);
}

/* ---- the parent's words ---- */

int
core_settings(struct core *core, struct err *err)
{
    struct geo *geo = core->geo;

    core->geo = NULL; /* so that it is opened anew, too */
    int rc = knowledge_read(core, err);
    if (rc == 0) {
        geo_close(geo);
        core->stale = (struct err){0};
        return core_commit(core, err);
    }
    geo_close(core->geo);
    core->geo = geo;
    return rc;
}

void
core_stop(struct core *core)
{
    core->stopping = true;
    loop_stop(core->loop);
}

/* ---- life ---- */

/* N bytes for life, made at the first start. */
static int
load_secret(struct core *core, const char *name, uint8_t *bytes, size_t n, struct err *err)
{
    struct span value;
    int rc = store_get(core->store, core->arena, name, &value, err);

    if (rc == 0 && value.n == n) {
        memcpy(bytes, value.p, n);
        return 0;
    }
    if (rc == 0 && value.n != 0)
        rc = err_set(err, ERR_BAD_STORE, "the store's \"%s\" is damaged", name);
    if (rc != 0)
        return rc;
    hash_random(bytes, n);
    rc = core_begin(core, err);
    return rc == 0 ? store_set(core->store, name, (struct span){(const char *)bytes, n}, err) : rc;
}

/* Ids that were given must be read by every later start, and digests that were kept found again. */
static int
load_identity(struct core *core, struct err *err)
{
    uint8_t node[16];
    uint64_t seed;
    int rc = load_secret(core, "id-key", core->id_key.bytes, sizeof core->id_key.bytes, err);

    if (rc == 0)
        rc = load_secret(core, "digest-seed", (uint8_t *)&seed, sizeof seed, err);
    if (rc == 0)
        rc = load_secret(core, "node-id", node, sizeof node, err);
    if (rc != 0)
        return rc;
    report_digest_seed(seed);
    node[6] = (uint8_t)((node[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    node[8] = (uint8_t)((node[8] & 0x3f) | 0x80);
    (void)snprintf(core->node_id, sizeof core->node_id,
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", node[0], node[1],
        node[2], node[3], node[4], node[5], node[6], node[7], node[8], node[9], node[10], node[11],
        node[12], node[13], node[14], node[15]);
    return 0;
}

static int
load(struct core *core, struct err *err)
{
    int rc = load_identity(core, err);

    if (rc == 0)
        rc = mail_new(core, &core->mailing, err);
    if (rc == 0)
        rc = knowledge_read(core, err);
    if (rc == 0)
        rc = logbook_new(core, err);
    if (rc == 0 && (core->partner_keys = partner_keys_new()) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for partners' keys");
    if (rc == 0)
        rc = receipts_new(core, &core->receipts, err);
    if (rc == 0)
        rc = witness_new(core, &core->witness, err);
    if (rc == 0)
        rc = logbook_events(core, err);
    if (rc == 0)
        rc = auth_new(core, &core->auth, err);
    if (rc == 0)
        rc = directory_open(core, err);
    if (rc == 0)
        rc = links_new(core, &core->links, err);
    if (rc == 0)
        peers_follow(core); /* cards that came while the node was down */
    if (rc == 0)
        rc = roles_open(&core->roles, err);
    if (rc == 0 && (core->events = events_new(core)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for listeners");
    if (rc == 0 && (core->reports = reports_new(core)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for searches");
    if (rc == 0 && (core->simulation = simulation_new(core)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for simulations");
    if (rc == 0)
        rc = core_commit(core, err);
    if (rc == 0)
        auth_welcome(core->auth);
    if (rc == 0)
        rc = intake_new(core, &core->intake, err);
    if (rc == 0)
        rc = release_new(core, &core->release, err);
    return rc == 0 ? incoming_new(core, &core->incoming, err) : rc;
}

int
core_open(struct core *core, struct loop *loop, const struct core_options *options, struct err *err)
{
    *core = (struct core){.options = *options,
        .loop = loop,
        .arena = arena_new(ASK_BYTES),
        .waiting = waiting_new(),
        .started_us = clock_now_us()};
    if (core->arena == NULL || core->waiting == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to begin");
    int rc = store_open(options->home, STORE_CREATE, &core->store, err);
    if (rc == 0 && options->store_cache > 0)
        rc = store_cache(core->store, options->store_cache, err);
    if (rc == 0)
        rc = load(core, err);
    arena_reset(core->arena);
    if (rc == 0)
        loop_after(loop, after_round, core);
    return rc;
}

void
core_close(struct core *core)
{
    for (int d = 0; d < DOOR_COUNT; d++)
        channel_free(core->channels[d]);
    auth_free(core->auth);
    incoming_free(core->incoming);
    release_free(core->release);
    logbook_free(core->logbook);
    receipts_free(core->receipts);
    witness_free(core->witness);
    partner_keys_free(core->partner_keys);
    intake_free(core->intake);
    collections_free(core->collections);
    links_free(core->links);
    events_free(core->events);
    roles_close(&core->roles);
    simulation_free(core->simulation);
    mail_free(core->mailing);
    reports_free(core->reports);
    knowledge_free(core);
    keyring_free(core->ring);
    if (core->store != NULL)
        store_close(core->store);
    waiting_free(core->waiting);
    arena_free(core->arena);
    *core = (struct core){0};
}
