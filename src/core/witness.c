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
    OK = 200,
    BAD = 400,
    UNKNOWN = 404,
    INCONSISTENT = 422,
};

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
witness_say(struct core *core, struct span team, const char *what, struct span why)
{
    struct buf json = buf_new(EVENT_BYTES);

    if (pace_may(&core->witness->histories, "more was to be said of partners' logs")) {
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

static void
value_name(const char *kind, struct span what, char out[WITNESS_NAME_BYTES])
{
    (void)snprintf(out, WITNESS_NAME_BYTES, "%s.%.*s", kind, SPAN_ARGS(what));
}

int
witness_get(struct core *core, struct arena *arena, const char *kind, struct span what,
    struct span *out, struct err *err)
{
    char name[WITNESS_NAME_BYTES];

    value_name(kind, what, name);
    return store_get(core->store, arena, name, out, err);
}

int
witness_set(
    struct core *core, const char *kind, struct span what, struct span value, struct err *err)
{
    char name[WITNESS_NAME_BYTES];
    int rc = core_begin(core, err);

    value_name(kind, what, name);
    return rc == 0 ? store_set(core->store, name, value, err) : rc;
}

/* A team that lost its node's key begins a log anew, of the same name and under another key: that
 * is another log, and what the old key signed says nothing of it. */
static int
get_own(struct core *core, struct arena *arena, const char *kind, const struct witnessed *log,
    struct span *out, struct err *err)
{
    struct note note;
    struct checkpoint checkpoint;
    int rc = witness_get(core, arena, kind, log->origin, out, err);

    if (rc == 0 && out->n > 0 && checkpoint_read_note(*out, &note, &checkpoint, NULL) == 0
        && checkpoint_check(&note, &checkpoint, log->key) != NOTE_GOOD)
        *out = (struct span){NULL, 0};
    return rc;
}

int
witness_read_log(struct core *core, struct arena *arena, struct witnessed *out, struct err *err)
{
    struct span fork = {NULL, 0};
    int rc = get_own(core, arena, "witnessed", out, &out->note, err);

    if (rc == 0)
        rc = read_known(out->note, &out->known, err);
    if (rc == 0)
        rc = get_own(core, arena, "shown", out, &out->shown, err);
    if (rc == 0)
        rc = get_own(core, arena, "doubt", out, &out->doubt, err);
    if (rc == 0)
        rc = witness_get(core, arena, "fork", out->origin, &fork, err);
    out->forked = rc == 0 && witness_fork_is(fork, out->key);
    return rc;
}

/* Only of those there is a link to: a witness is asked by whom it knows. */
static int
find_log(struct core *core, struct arena *arena, struct span origin, struct witnessed *out,
    struct err *err)
{
    const struct links *links = core->links;

    *out = (struct witnessed){.origin = origin};
    for (size_t i = 0; out->key == NULL && i < links->count; i++) {
        if ((links->list[i].flags & LINK_WITNESS) == 0)
            continue;
        out->team = store_team_id(core->store, links->list[i].team);
        const struct note_key *key = partner_key(core, out->team, NOTE_USE_LOG);
        if (key != NULL && span_equal(key->name, origin))
            out->key = key;
    }
    return out->key == NULL ? 0 : witness_read_log(core, arena, out, err);
}

/* ---- add-checkpoint ---- */

/* It signed OTHER, and cannot show how that goes on from what was cosigned. Anybody could have sent
 * that with a wrong proof, so it stands until the log's own tiles were looked at; and until then no
 * other checkpoint takes its place. */
int
witness_doubt(struct core *core, const struct witnessed *log, struct span other, struct err *err)
{
    int rc = log->doubt.n > 0 ? 0 : witness_set(core, "doubt", log->origin, other, err);

    if (rc == 0)
        witness_say(core, log->team, "a partner's log is not proven to go on from what it was",
            log->origin);
    return rc;
}

/* Its own proof may show already that its tree is another one; else its tiles will. */
static int
not_consistent(struct core *core, const struct witnessed *log,
    const struct witness_request *request, struct span note, struct err *err)
{
    struct fork_side sides[2];
    const struct fork fork = {{log->note, note}, request->proof};
    struct merkle_hash before;

    if (fork_sides(&fork, sides, NULL) == 0 && fork_judge(&fork, sides, &before) == FORK_TWO)
        return witness_keep_fork(core, log, &fork, err);
    return witness_doubt(core, log, note, err);
}

/* The status; NOTE is the request's checkpoint, whole. */
static int
judge(struct core *core, const struct witnessed *log, const struct witness_request *request,
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
    const struct fork fork = {
        {witness_contradicted(log, &request->checkpoint), note}, {.count = 0}};
    if (fork.notes[0].n > 0) {
        *status = INCONSISTENT;
        return witness_keep_fork(core, log, &fork, err);
    }
    if (*status == INCONSISTENT)
        return not_consistent(core, log, request, note, err);
    return *status == OK ? witness_set(core, "witnessed", log->origin, note, err) : 0;
}

static int
add(struct core *core, struct arena *arena, struct span body, unsigned *status, struct buf *out,
    struct err *err)
{
    struct witness_request request;
    struct witnessed log;

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
