/* What a partner's log shows now: does it go on from all that is known of it? The courier fetches,
 * core says what and judges; what was fetched is believed only as far as the checkpoint's root
 * follows from it. */
#include "core/witness_private.h"

#include "core/links_private.h"
#include "core/partner_keys.h"
#include "store/tiles.h"

#include <stdio.h>

enum { FETCHED_MAX = 32, ANSWER_BYTES = 1024 };

struct fetched {
    struct span path;
    struct span bytes; /* n 0: it is not there */
};
struct look {
    struct core *core;
    struct witnessed log;
    struct span text; /* the checkpoint that it shows */
    struct note note;
    struct checkpoint checkpoint;
    struct fetched fetched[FETCHED_MAX];
    size_t count;
    char wanted[TILE_PATH_BYTES]; /* to be fetched, too; "": nothing */
    bool still; /* nothing of it was cosigned since the last look: it is not asking for that */
    bool loose; /* its tiles do not give its root */
    bool open;  /* something is not compared yet */
};

/* ---- what was fetched, as a log's resources ---- */

static int
get(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct look *l = ctx;

    for (size_t i = 0; i < l->count; i++)
        if (l->fetched[i].bytes.n > 0 && span_equal(l->fetched[i].path, span_of(path))) {
            buf_add_span(out, l->fetched[i].bytes);
            return buf_check(out, path, err);
        }
    bool tried = l->wanted[0] != '\0' || l->count == FETCHED_MAX;
    for (size_t i = 0; i < l->count; i++)
        tried = tried || span_equal(l->fetched[i].path, span_of(path));
    if (!tried)
        (void)snprintf(l->wanted, sizeof l->wanted, "%s", path);
    return err_set(err, ERR_NOT_FOUND, "no %s", path);
}

/* ---- one known checkpoint against the one that is shown ---- */

static int
prove(struct look *l, struct span known, const struct checkpoint *smaller, struct err *err)
{
    struct fork_side sides[2];
    const struct resources resources = {get, NULL, NULL, l};
    struct tiles *tiles = tiles_new(&resources, l->checkpoint.size);
    struct fork fork = {.notes = {known, l->text}};
    struct merkle_hash before;

    if (tiles == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tiles of a log");
    const struct merkle_source source = tiles_source(tiles);
    int rc = merkle_prefix(&source, smaller->size, l->checkpoint.size, &fork.prefix, NULL);
    tiles_free(tiles);
    if (l->wanted[0] != '\0')
        return 0;
    enum fork_shown shown = FORK_LOOSE;
    if (rc == 0)
        rc = fork_sides(&fork, sides, err);
    if (rc == 0)
        shown = fork_judge(&fork, sides, &before);
    l->loose = l->loose || shown == FORK_LOOSE;
    l->log.forked = shown == FORK_TWO;
    return shown == FORK_TWO ? witness_keep_fork(l->core, &l->log, &fork, err) : 0;
}

static int
hold_against(struct look *l, struct span known, bool wanted, struct err *err)
{
    struct note note;
    struct checkpoint checkpoint;

    if (known.n == 0 || l->log.forked || l->wanted[0] != '\0' || l->loose)
        return 0;
    int rc = checkpoint_read_note(known, &note, &checkpoint, err);
    if (rc != 0)
        return err_set(err, ERR_BAD_STORE, "a checkpoint that was kept is damaged");
    bool ahead = checkpoint.size > 0 && checkpoint.size < l->checkpoint.size;
    l->open = l->open || checkpoint.size > l->checkpoint.size || (ahead && !wanted);
    return ahead && wanted ? prove(l, known, &checkpoint, err) : 0;
}

/* ---- what follows ---- */

/* All that is known is of one history with what it shows. */
static int
settled(struct look *l, struct err *err)
{
    bool newer = l->still && l->checkpoint.size > l->log.known.size;
    struct span shown = newer ? l->text : SPAN("");
    int rc = 0;

    if (l->log.doubt.n > 0)
        rc = witness_set(l->core, "doubt", l->log.origin, SPAN(""), err);
    if (rc == 0 && !span_equal(shown, l->log.shown))
        rc = witness_set(l->core, "shown", l->log.origin, shown, err);
    return rc;
}

static int
look(struct look *l, struct err *err)
{
    const struct witnessed *log = &l->log;
    const struct fork fork = {{witness_contradicted(log, &l->checkpoint), l->text}, {.count = 0}};
    /* As long as it asks for cosignatures, it proves with each that it goes on. */
    bool wanted = l->still || log->doubt.n > 0 || log->shown.n > 0;

    if (fork.notes[0].n > 0)
        return witness_keep_fork(l->core, log, &fork, err);
    if (l->checkpoint.size < log->known.size)
        witness_say(
            l->core, log->team, "a partner's log is shorter than what it showed", log->origin);
    int rc = hold_against(l, log->doubt, wanted, err);
    if (rc == 0)
        rc = hold_against(l, log->note, wanted, err);
    if (rc == 0)
        rc = hold_against(l, log->shown, wanted, err);
    if (rc == 0 && l->loose)
        return witness_doubt(l->core, log, l->text, err);
    return rc != 0 || log->forked || l->wanted[0] != '\0' || l->open ? rc : settled(l, err);
}

/* ---- the question ---- */

static int
take(struct look *l, struct ask *ask, uint32_t *team, struct err *err)
{
    struct wire_in *in = &ask->in;

    *team = wire_u32(in);
    l->log.team = store_team_id(l->core->store, *team);
    uint64_t cosigned = wire_u64(in);
    l->text = wire_text(in);
    uint32_t count = wire_u32(in);
    if (count > FETCHED_MAX)
        return err_set(err, ERR_LIMIT, "more of a log than was asked for");
    for (l->count = 0; l->count < count; l->count++) {
        struct fetched *f = &l->fetched[l->count];
        f->path = wire_text(in);
        f->bytes = wire_text(in);
    }
    int rc = wire_end(in, "a partner's checkpoint", err);
    if (rc == 0)
        rc = checkpoint_read_note(l->text, &l->note, &l->checkpoint, err);
    l->log.key = rc == 0 ? partner_key(l->core, l->log.team, NOTE_USE_LOG) : NULL;
    l->log.origin = l->checkpoint.origin;
    if (l->log.key == NULL)
        return rc;
    if (checkpoint_check(&l->note, &l->checkpoint, l->log.key) != NOTE_GOOD)
        return err_set(err, ERR_BAD_NOTE, "the checkpoint is not signed by the log's key");
    rc = witness_read_log(l->core, ask->arena, &l->log, err);
    l->still = l->log.known.size == cosigned;
    return rc;
}

static int
answer(struct core *core, struct ask *ask, const struct look *l, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);

    wire_add_u64(&out, l->log.known.size);
    wire_add_text(&out, span_of(l->wanted));
    wire_add_text(
        &out, l->loose ? SPAN("its log's tiles do not give the root of its checkpoint") : SPAN(""));
    int rc = buf_check(&out, "what a log must show", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

int
core_witness_seen(struct core *core, struct ask *ask, struct err *err)
{
    struct look l = {.core = core};
    uint32_t team;
    int rc = take(&l, ask, &team, err);
    if (rc == 0 && l.log.key != NULL && !l.log.forked)
        rc = look(&l, err);
    const struct store_link *link = links_find(core->links, team);
    bool worked = link != NULL && l.wanted[0] == '\0' && !l.loose;
    if (rc == 0 && worked)
        rc = core_begin(core, err);
    if (rc == 0 && worked)
        rc = links_worked(core, link, LINK_WITNESS, err);
    return rc == 0 ? answer(core, ask, &l, err) : rc;
}
