/* A partner's log that has shown two histories: kept, and told to whoever asks for the evidence. */
#include "core/witness_private.h"

#include "core/node.h"
#include "core/partner_keys.h"
#include "core/told.h"
#include "fmt/lines.h"
#include "sys/clock.h"

enum { HASHES_BYTES = 4096, KEPT_BYTES = FORK_BYTES_MAX + HASHES_BYTES, ANSWER_BYTES = 8 << 20 };

static bool
is_other(struct span note, const struct checkpoint *checkpoint)
{
    struct note parts;
    struct checkpoint known;

    return note.n > 0 && checkpoint_read_note(note, &parts, &known, NULL) == 0
        && known.size == checkpoint->size && !merkle_equal(&known.root, &checkpoint->root);
}

struct span
witness_contradicted(const struct witnessed *log, const struct checkpoint *checkpoint)
{
    const struct span known[] = {log->note, log->shown, log->doubt};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_other(known[i], checkpoint))
            return known[i];
    return (struct span){NULL, 0};
}

int
witness_keep_fork(
    struct core *core, const struct witnessed *log, const struct fork *fork, struct err *err)
{
    struct buf hashes = buf_new(HASHES_BYTES);
    struct buf kept = buf_new(KEPT_BYTES);

    lines_add_hashes(&hashes, &fork->prefix);
    wire_add_i64(&kept, clock_now_us());
    wire_add_text(&kept, fork->notes[0]);
    wire_add_text(&kept, fork->notes[1]);
    wire_add_text(&kept, buf_span(&hashes));
    int rc = buf_check(&kept, "two checkpoints that are not of one history", err);
    if (rc == 0)
        rc = witness_set(core, "fork", log->origin, buf_span(&kept), err);
    if (rc == 0)
        witness_say(core, log->team, "a partner's log has two histories", log->origin);
    buf_free(&kept);
    buf_free(&hashes);
    return rc;
}

/* As witness_keep_fork wrote it; of two of one size there may be no hashes behind the notes. */
static int
take_fork(struct span kept, int64_t *found_us, struct fork *out, struct err *err)
{
    struct wire_in in = wire_in(kept);

    *found_us = wire_i64(&in);
    out->notes[0] = wire_text(&in);
    out->notes[1] = wire_text(&in);
    struct span hashes = in.n > 0 ? wire_text(&in) : SPAN("");
    if (wire_end(&in, "two checkpoints that were kept", err) != 0
        || !lines_hashes(&hashes, MERKLE_PROOF_MAX, &out->prefix))
        return err_set(err, ERR_BAD_STORE, "the evidence that was kept is damaged");
    return 0;
}

bool
witness_fork_is(struct span kept, const struct note_key *key)
{
    struct checkpoint checkpoint;
    struct note note;
    struct fork fork;
    int64_t found_us;

    return kept.n > 0 && take_fork(kept, &found_us, &fork, NULL) == 0
        && checkpoint_read_note(fork.notes[1], &note, &checkpoint, NULL) == 0
        && checkpoint_check(&note, &checkpoint, key) == NOTE_GOOD;
}

static int
tell_evidence(struct span team, const struct note_key *key, struct span kept, struct buf *out,
    struct err *err)
{
    struct buf evidence = buf_new(FORK_BYTES_MAX);
    struct fork fork;
    int64_t found_us;
    int rc = take_fork(kept, &found_us, &fork, err);

    if (rc == 0)
        rc = fork_write(&evidence, &fork, err);
    buf_add_char(out, '{');
    told_text(out, "team", team);
    told_text(out, "log", key->name);
    told_time(out, "found", found_us);
    told_text(out, "evidence", buf_span(&evidence));
    buf_add_char(out, '}');
    buf_free(&evidence);
    return rc == 0 ? buf_check(out, "the evidence", err) : rc;
}

/* Also of a team that there is no link to any more: what it signed stays. */
int
core_peer_evidence(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct span team = wire_text(&ask->in);
    struct span kept = {NULL, 0};
    const struct note_key *key = NULL;
    int rc = wire_end(&ask->in, "a question for evidence", err);

    if (rc == 0)
        key = partner_key(core, team, NOTE_USE_LOG);
    if (rc == 0 && key != NULL)
        rc = witness_get(core, ask->arena, "fork", key->name, &kept, err);
    if (rc == 0 && kept.n == 0)
        rc = err_set(err, ERR_NOT_FOUND, "no two histories are known of the ledger of %.*s",
            SPAN_ARGS(team));
    if (rc == 0)
        rc = tell_evidence(team, key, kept, &out, err);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
