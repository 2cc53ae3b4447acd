/* As a witness: what partners' logs show. */
#include "core/witness_private.h"

#include "base/log.h"
#include "core/links_private.h"
#include "core/logbook.h"
#include "core/node.h"
#include "core/partner_keys.h"
#include "core/told.h"
#include "flow/nodekey.h"
#include "fmt/witness.h"
#include "sys/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_BYTES = 64 * 1024,
    EVENT_BYTES = 4096,
    FORK_BYTES = 3 * NOTE_BYTES_MAX,
    LOUD_MOST = 10, /* lines about histories in a minute */
    OK = 200,
    BAD = 400,
    UNKNOWN = 404,
    INCONSISTENT = 422,
};
static const int64_t minute_us = INT64_C(60000000);

/* ---- life ---- */

int
witness_new(struct core *core, struct witness **out, struct err *err)
{
    struct witness *witness = calloc(1, sizeof *witness);
    uint8_t seed[NOTE_SEED_BYTES];

    *out = witness;
    if (witness == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to witness logs");
    nodekey_name(logbook_origin(core->logbook), NOTE_USE_WITNESS, witness->name);
    int rc = nodekey_read(core->options.home, false, seed, err);
    if (rc == 0)
        rc = note_signer_derive(
            span_of(witness->name), NOTE_USE_WITNESS, seed, &witness->signer, err);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

void
witness_free(struct witness *witness)
{
    if (witness == NULL)
        return;
    sodium_memzero(&witness->signer, sizeof witness->signer);
    free(witness);
}

void
witness_value(const char *kind, struct span what, char out[WITNESS_NAME_BYTES])
{
    (void)snprintf(out, WITNESS_NAME_BYTES, "%s.%.*s", kind, SPAN_ARGS(what));
}

void
witness_say(struct core *core, struct span team, const char *what, struct span why)
{
    struct witness *witness = core->witness;
    struct buf json = buf_new(EVENT_BYTES);
    int64_t now = clock_ticks_us();

    if (witness->loud_us == 0 || now - witness->loud_us >= minute_us) {
        witness->loud_us = now;
        witness->loud = 0;
    }
    if (witness->loud++ < LOUD_MOST) {
        log_error(what, log_text("team", team), log_text("why", why));
        buf_add_char(&json, '{');
        told_text(&json, "team", team);
        told_word(&json, "what", what);
        told_text(&json, "why", why);
        buf_add_char(&json, '}');
        if (!json.full)
            events_tell(core, "history", buf_span(&json));
    }
    buf_free(&json);
}

/* ---- what is known of a log ---- */

struct log {
    struct span team;
    const struct note_key *key; /* NULL: no link's log is called so */
    struct span origin;
    struct span note; /* the newest that was cosigned; n 0: none */
    struct witness_known known;
    bool forked;
};

/* NOTE is one of the log's that was checked before. */
static int
read_known(struct span note, struct witness_known *out, struct err *err)
{
    struct note parts;
    struct checkpoint checkpoint;

    *out = (struct witness_known){0};
    if (note.n == 0)
        return 0;
    if (checkpoint_read_note(note, &parts, &checkpoint, err) != 0)
        return err_set(err, ERR_BAD_STORE, "a checkpoint that was cosigned is damaged");
    *out = (struct witness_known){checkpoint.size, checkpoint.root};
    return 0;
}

static int
read_log(struct core *core, struct arena *arena, struct log *out, struct err *err)
{
    char name[WITNESS_NAME_BYTES];
    struct span fork = {NULL, 0};

    witness_value("witnessed", out->origin, name);
    int rc = store_get(core->store, arena, name, &out->note, err);
    if (rc == 0)
        rc = read_known(out->note, &out->known, err);
    witness_value("fork", out->origin, name);
    if (rc == 0)
        rc = store_get(core->store, arena, name, &fork, err);
    out->forked = fork.n > 0;
    return rc;
}

/* Only of those there is a link to: a witness is asked by whom it knows. */
static int
find_log(
    struct core *core, struct arena *arena, struct span origin, struct log *out, struct err *err)
{
    const struct links *links = core->links;

    *out = (struct log){.origin = origin};
    for (size_t i = 0; out->key == NULL && i < links->count; i++) {
        if ((links->list[i].flags & LINK_WITNESS) == 0)
            continue;
        out->team = store_team_id(core->store, links->list[i].team);
        const struct note_key *key = partner_key(core, out->team, NOTE_USE_LOG);
        if (key != NULL && span_equal(key->name, origin))
            out->key = key;
    }
    return out->key == NULL ? 0 : read_log(core, arena, out, err);
}

/* ---- two histories ---- */

/* The log signed both, and both are of one size: kept as they are, and nothing of it is cosigned
 * any more. */
static int
keep_fork(struct core *core, const struct log *log, struct span other, struct err *err)
{
    struct buf both = buf_new(FORK_BYTES);
    char name[WITNESS_NAME_BYTES];

    wire_add_i64(&both, clock_now_us());
    wire_add_text(&both, log->note);
    wire_add_text(&both, other);
    witness_value("fork", log->origin, name);
    int rc = buf_check(&both, "two checkpoints of one size", err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = store_set(core->store, name, buf_span(&both), err);
    if (rc == 0)
        witness_say(core, log->team, "a partner's log has two histories", log->origin);
    buf_free(&both);
    return rc;
}

static bool
is_fork(const struct log *log, const struct checkpoint *checkpoint)
{
    return log->known.size > 0 && checkpoint->size == log->known.size
        && !merkle_equal(&checkpoint->root, &log->known.root);
}

/* ---- add-checkpoint ---- */

/* It signed OTHER, and cannot show how that goes on from what was cosigned. Anybody could have sent
 * that with a wrong proof, so it stands until a right one comes. */
static int
doubt(struct core *core, const struct log *log, struct span other, struct err *err)
{
    char name[WITNESS_NAME_BYTES];
    int rc = core_begin(core, err);

    witness_value("doubt", log->origin, name);
    if (rc == 0)
        rc = store_set(core->store, name, other, err);
    if (rc == 0)
        witness_say(core, log->team, "a partner's log is not proven to go on from what it was",
            log->origin);
    return rc;
}

static int
keep_cosigned(struct core *core, const struct log *log, struct span note, struct err *err)
{
    char name[WITNESS_NAME_BYTES];
    int rc = core_begin(core, err);

    witness_value("witnessed", log->origin, name);
    if (rc == 0)
        rc = store_set(core->store, name, note, err);
    witness_value("doubt", log->origin, name);
    return rc == 0 ? store_set(core->store, name, SPAN(""), err) : rc;
}

/* The status; NOTE is the request's checkpoint, whole. */
static int
judge(struct core *core, const struct log *log, const struct witness_request *request,
    struct span note, unsigned *status, struct err *err)
{
    static const unsigned forbidden = 403;

    *status = (unsigned)witness_judge(request, log->key, log->key != NULL ? 1 : 0, &log->known);
    if (*status == UNKNOWN || *status == forbidden)
        return 0;
    if (log->forked) {
        *status = INCONSISTENT;
        return 0;
    }
    if (is_fork(log, &request->checkpoint)) {
        *status = INCONSISTENT;
        return keep_fork(core, log, note, err);
    }
    if (*status == INCONSISTENT)
        return doubt(core, log, note, err);
    return *status == OK ? keep_cosigned(core, log, note, err) : 0;
}

static int
add(struct core *core, struct arena *arena, struct span body, unsigned *status, struct buf *out,
    struct err *err)
{
    struct witness_request request;
    struct log log;

    if (witness_read(body, &request, err) != 0) {
        *status = BAD;
        buf_format(out, "%s\n", err->msg);
        return 0;
    }
    /* The request's last part, from the text to the last signature. */
    struct span note = {request.note.text.p, (size_t)(body.p + body.n - request.note.text.p)};
    int rc = find_log(core, arena, request.checkpoint.origin, &log, err);
    if (rc == 0)
        rc = judge(core, &log, &request, note, status, err);
    return rc == 0 ? witness_answer(out, (int)*status, &request, &log.known, &core->witness->signer,
               (uint64_t)(clock_now_us() / 1000000), err)
                   : rc;
}

int
core_witness_add(struct core *core, struct ask *ask, struct err *err)
{
    struct buf text = buf_new(ANSWER_BYTES);
    struct buf answer = buf_new(ANSWER_BYTES + 16);
    struct span body = wire_text(&ask->in);
    unsigned status = 0;
    int rc = wire_end(&ask->in, "a request to the witness", err);

    if (rc == 0)
        rc = add(core, ask->arena, body, &status, &text, err);
    wire_add_u16(&answer, (uint16_t)status);
    wire_add_text(&answer, buf_span(&text));
    if (rc == 0)
        rc = buf_check(&answer, "the witness' answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&answer), err);
    buf_free(&text);
    buf_free(&answer);
    return rc;
}

/* ---- what a log shows now ---- */

/* A log never shrinks, and has one root for each size. */
static int
compare(struct core *core, const struct log *log, struct span note,
    const struct checkpoint *checkpoint, struct err *err)
{
    if (log->forked)
        return 0;
    if (is_fork(log, checkpoint))
        return keep_fork(core, log, note, err);
    if (checkpoint->size < log->known.size)
        witness_say(core, log->team, "a partner's log is shorter than what it showed", log->origin);
    return 0;
}

int
core_witness_seen(struct core *core, struct ask *ask, struct err *err)
{
    uint32_t team = wire_u32(&ask->in);
    struct span text = wire_text(&ask->in);
    struct checkpoint checkpoint;
    struct note note;
    struct log log = {.team = store_team_id(core->store, team)};
    int rc = wire_end(&ask->in, "a partner's checkpoint", err);

    if (rc == 0)
        rc = checkpoint_read_note(text, &note, &checkpoint, err);
    if (rc == 0) {
        log.key = partner_key(core, log.team, NOTE_USE_LOG);
        log.origin = checkpoint.origin;
        if (log.key != NULL && checkpoint_check(&note, &checkpoint, log.key) != NOTE_GOOD)
            rc = err_set(err, ERR_BAD_NOTE, "the checkpoint is not signed by the log's key");
    }
    if (rc == 0 && log.key != NULL)
        rc = read_log(core, ask->arena, &log, err);
    if (rc == 0 && log.key != NULL)
        rc = compare(core, &log, text, &checkpoint, err);
    const struct store_link *link = links_find(core->links, team);
    if (rc == 0 && link != NULL)
        rc = core_begin(core, err);
    if (rc == 0 && link != NULL)
        rc = links_worked(core, link, LINK_WITNESS, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}
