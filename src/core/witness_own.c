/* This node's own log, before its partners as witnesses. */
#include "core/witness_private.h"

#include "core/links_private.h"
#include "core/logbook.h"
#include "core/partner_keys.h"
#include "core/told.h"
#include "fmt/witness.h"
#include "store/tiles.h"

#include <stdio.h>

enum { NOTE_ROOM = NOTE_BYTES_MAX, BODY_ROOM = WITNESS_BODY_MAX, OK = 200, CONFLICT = 409 };

/* ---- how far a witness has seen ---- */

static int
seen_by(struct core *core, struct arena *arena, struct span team, uint64_t *size, struct err *err)
{
    struct span text;
    int rc = witness_get(core, arena, "witness", team, &text, err);

    *size = 0;
    if (rc == 0 && text.n > 0 && !span_u64(text, size))
        rc =
            err_set(err, ERR_BAD_STORE, "the store's \"witness.%.*s\" is damaged", SPAN_ARGS(team));
    return rc;
}

static int
set_seen(struct core *core, struct span team, uint64_t size, struct err *err)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)size);

    return witness_set(core, "witness", team, (struct span){text, (size_t)n}, err);
}

/* ---- asking ---- */

static int
request(struct core *core, uint64_t old, uint64_t size, struct buf *out, struct err *err)
{
    struct tiles *tiles = tiles_new(logbook_resources(core->logbook), size);
    struct buf note = buf_new(NOTE_ROOM);
    struct merkle_proof proof = {0};

    if (tiles == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tiles of the log");
    const struct merkle_source source = tiles_source(tiles);
    int rc = merkle_consist(&source, old, size, &proof, err);
    if (rc == 0)
        rc = logbook_note_at(core->logbook, size, &note, err);
    if (rc == 0)
        rc = witness_ask(out, old, &proof, buf_span(&note), err);
    tiles_free(tiles);
    buf_free(&note);
    return rc;
}

int
core_witness_take(struct core *core, struct ask *ask, struct err *err)
{
    struct buf body = buf_new(BODY_ROOM);
    struct buf answer = buf_new(BODY_ROOM + 64);
    uint32_t team = wire_u32(&ask->in);
    struct span id = store_team_id(core->store, team);
    uint64_t size = logbook_published(core->logbook);
    uint64_t old = 0;
    int rc = wire_end(&ask->in, "a question for a witness", err);

    if (rc == 0)
        rc = seen_by(core, ask->arena, id, &old, err);
    if (rc == 0 && old > size)
        witness_say(core, id, "a witness has seen more of this node's log than there is",
            SPAN("was the store put back from an older copy?"));
    else if (rc == 0 && old < size && partner_key(core, id, NOTE_USE_WITNESS) != NULL)
        rc = request(core, old, size, &body, err);
    wire_add_u64(&answer, size);
    wire_add_text(&answer, buf_span(&body));
    if (rc == 0)
        rc = buf_check(&answer, "a request to a witness", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&answer), false, err);
    buf_free(&body);
    buf_free(&answer);
    return rc;
}

/* ---- what it said ---- */

/* Beside those of other witnesses for the same size; a newer one takes the place of older ones. */
static int
keep(struct core *core, struct span team, uint64_t size, struct span said, struct err *err)
{
    struct buf note = buf_new(NOTE_ROOM);
    struct checkpoint checkpoint;
    struct note parts;
    size_t taken = 0;
    uint64_t had = 0;
    struct resources *resources = logbook_resources(core->logbook);
    int rc = resources->get(resources->ctx, RESOURCES_COSIGNED, &note, err);

    if (rc == 0)
        rc = checkpoint_read_note(buf_span(&note), &parts, &checkpoint, err);
    had = rc == 0 ? checkpoint.size : 0;
    rc = rc == ERR_NOT_FOUND ? 0 : rc;
    if (rc == 0 && had != size) {
        note.n = 0;
        rc = logbook_note_at(core->logbook, size, &note, err);
    }
    if (rc == 0)
        rc = witness_take(&note, said, partner_key(core, team, NOTE_USE_WITNESS), 1, &taken, err);
    if (rc == 0 && taken == 0)
        rc = err_set(err, ERR_BAD_NOTE, "its answer has no cosignature by the key on its card");
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0 && size >= had)
        rc = resources->put(resources->ctx, RESOURCES_COSIGNED, buf_span(&note), err);
    buf_free(&note);
    return rc == 0 ? set_seen(core, team, size, err) : rc;
}

/* It has seen another size than was thought: from there on, once more. */
static int
take_size(struct core *core, struct span team, struct span said, bool *again, struct err *err)
{
    uint64_t size;

    if (!span_u64(span_trim(said), &size))
        return err_set(err, ERR_BAD_ANSWER, "the witness does not say which size it has seen");
    if (size > logbook_published(core->logbook))
        witness_say(core, team, "a witness has seen more of this node's log than there is",
            SPAN("was the store put back from an older copy?"));
    *again = size < logbook_published(core->logbook);
    return set_seen(core, team, size, err);
}

int
core_witness_told(struct core *core, struct ask *ask, struct err *err)
{
    uint32_t team = wire_u32(&ask->in);
    uint64_t size = wire_u64(&ask->in);
    uint16_t status = wire_u16(&ask->in);
    struct span said = wire_text(&ask->in);
    struct span id = store_team_id(core->store, team);
    const struct store_link *link = links_find(core->links, team);
    bool again = false;
    int rc = wire_end(&ask->in, "what a witness said", err);

    if (rc == 0 && (link == NULL || partner_key(core, id, NOTE_USE_WITNESS) == NULL))
        rc = err_set(err, ERR_NOT_FOUND, "there is no such witness");
    if (rc == 0 && status == OK)
        rc = keep(core, id, size, said, err);
    else if (rc == 0 && status == CONFLICT)
        rc = take_size(core, id, said, &again, err);
    if (rc == 0 && status == OK)
        rc = links_worked(core, link, LINK_WITNESS, err);
    const char answer = again ? 1 : 0;
    return rc == 0 ? core_answer_durable(core, ask, (struct span){&answer, 1}, err) : rc;
}

/* ---- as people see it ---- */

static void
tell_log(struct core *core, struct span team, struct buf *out)
{
    struct witnessed log = {.team = team, .key = partner_key(core, team, NOTE_USE_LOG)};
    struct err err;

    if (log.key != NULL) {
        log.origin = log.key->name;
        if (witness_read_log(core, core->arena, &log, &err) != 0)
            log.known.size = 0;
    }
    told_text(out, "log", log.origin);
    told_number(out, "size", log.known.size);
    told_flag(out, "two_histories", log.forked);
    told_flag(out, "doubted", log.doubt.n > 0 && !log.forked);
}

void
witness_tell(struct core *core, struct span team, struct buf *out)
{
    uint64_t seen = 0;
    struct err err;

    if (seen_by(core, core->arena, team, &seen, &err) != 0)
        seen = 0;
    told_open(out, "witnessed", '{');
    tell_log(core, team, out);
    told_number(out, "seen_of_ours", seen);
    buf_add_char(out, '}');
}
