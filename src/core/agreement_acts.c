/* What this node's people do to agreements while it runs: propose, sign, suspend, resume, end,
 * refuse. Inputs stand in tables/inputs.def; the answer is the agreement as it stands then. */
#include "core/directory.h"
#include "core/register.h"
#include "core/state.h"
#include "flow/agreements.h"

#include <string.h>

enum { ANSWER_BYTES = CHANNEL_BODY_MAX };

/* ---- what follows from each ---- */

/* What was done, once the register is closed again: it is read anew then. */
struct done {
    uint8_t type; /* enum journal_type */
    struct span id;
    struct span title;
    char line[AGREEMENT_SIGN_HEX]; /* the hash of the journal's last line */
};

/* Copies, and closes DESK; RC and ERR as they are. */
static int
leave(struct register_desk *desk, struct arena *arena, const struct agreement *a, uint8_t type,
    int rc, struct done *out, struct err *err)
{
    *out = (struct done){.type = type};
    if (rc == 0) {
        out->id = (struct span){arena_copy(arena, a->id.p, a->id.n), a->id.n};
        out->title = (struct span){arena_copy(arena, a->title.p, a->title.n), a->title.n};
        memcpy(out->line, desk->registry->journal.head, sizeof out->line);
        rc = out->id.p == NULL || out->title.p == NULL ? arena_full(err, "an answer") : 0;
    }
    register_close(desk);
    return rc;
}

static void
tell(struct core *core, const struct ask *ask, const struct done *done)
{
    const struct register_news news = {.agreement = done->id,
        .title = done->title,
        .team = register_own(core),
        .account = ask->asker.name,
        .event = journal_words[done->type]};

    register_tell(core, &news);
}

static int
answer(struct core *core, const struct ask *ask, struct span id, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    int rc = register_renew(core, err);

    if (rc == 0)
        rc = directory_tell_agreement(core, ask->arena, id, &out, err);
    if (rc == 0)
        rc = buf_check(&out, "an answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

/* The files are changed and durable already; what the store has of it is in this transaction. Who
 * did it stays here: the journal's line goes to the other parties, and names the team alone. */
static int
finish(struct core *core, const struct ask *ask, const struct done *done, struct err *err)
{
    char name[DIRECTORY_ACCOUNT_BYTES];
    int rc = core_begin(core, err);

    directory_account_name(span_of(done->line), name);
    if (rc == 0)
        rc = store_set(core->store, name, ask->asker.name, err);
    if (rc == 0)
        rc = answer(core, ask, done->id, err);
    if (rc == 0)
        tell(core, ask, done);
    return rc;
}

/* ---- propose ---- */

static int
read_draft(struct arena *arena, struct span text, struct agreement *out, struct err *err)
{
    struct agreement_set set = {0};
    int rc = agreements_check_text(arena, text, NULL, &set, err);

    if (rc == 0 && set.count != 1)
        rc = err_set_field(
            err, ERR_BAD_AGREEMENT, "document", 8, "name one agreement, not %zu", set.count);
    if (rc == 0 && set.agreements[0].broken)
        rc = err_set_field(err, ERR_BAD_AGREEMENT, "document", 8,
            "%.*s; what is wrong with it can be asked of /api/v1/agreements/check",
            SPAN_ARGS(set.agreements[0].why));
    if (rc == 0)
        *out = set.agreements[0];
    return rc;
}

int
core_agreement_propose(struct core *core, struct ask *ask, struct err *err)
{
    struct register_desk desk = {0};
    struct done done;
    struct agreement_taken taken;
    struct agreement draft;
    struct span text = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a proposal", err);

    if (rc == 0)
        rc = read_draft(ask->arena, text, &draft, err);
    if (rc == 0)
        rc = register_open(core, &desk, err);
    if (rc == 0)
        rc = agreement_life_take(
            desk.registry, ask->arena, &draft, true, desk.now_us, &desk.key, &taken, err);
    rc = leave(&desk, ask->arena, &draft, JOURNAL_PROPOSED, rc, &done, err);
    return rc == 0 ? finish(core, ask, &done, err) : rc;
}

/* ---- sign, suspend, resume, end, refuse ---- */

/* The register open, and the place of the agreement ID in it. */
static int
open_at(struct core *core, struct span id, struct register_desk *desk, size_t *at, struct err *err)
{
    int rc = register_open(core, desk, err);

    *at = rc == 0 ? registry_find(desk->registry, id) : 0;
    if (rc == 0 && *at == desk->registry->count)
        rc = err_set(err, ERR_NOT_FOUND, "the register has no such agreement");
    return rc;
}

static int
check_text(const struct agreement *a, struct span read, struct err *err)
{
    char digest[AGREEMENT_SIGN_HEX];

    agreement_sign_digest(a->text, digest);
    return span_equal_nocase(read, span_of(digest))
        ? 0
        : err_set_field(err, ERR_CONFLICT, "sha256", 6,
            "the text under this id is another one: its SHA-256 is %s", digest);
}

int
core_agreement_sign(struct core *core, struct ask *ask, struct err *err)
{
    struct register_desk desk = {0};
    struct done done;
    struct agreement_taken taken;
    struct span id = wire_text(&ask->in);
    struct span read = wire_text(&ask->in);
    size_t at = 0;
    int rc = wire_end(&ask->in, "a signature", err);

    if (rc == 0)
        rc = open_at(core, id, &desk, &at, err);
    if (rc == 0)
        rc = check_text(&desk.registry->agreements[at], read, err);
    if (rc == 0 && agreement_sign_has(&desk.registry->agreements[at], span_of(desk.registry->team)))
        rc = err_set(err, ERR_EXISTS, "this team has signed it already");
    if (rc == 0)
        rc = agreement_life_take(desk.registry, ask->arena, &desk.registry->agreements[at], false,
            desk.now_us, &desk.key, &taken, err);
    rc = leave(&desk, ask->arena, &taken.a, JOURNAL_SIGNED, rc, &done, err);
    return rc == 0 ? finish(core, ask, &done, err) : rc;
}

static int
read_change(struct ask *ask, struct agreement_change *out, struct span *id, struct err *err)
{
    *out = (struct agreement_change){.type = wire_u8(&ask->in)};
    *id = wire_text(&ask->in);
    if (out->type != JOURNAL_REFUSED)
        out->at_us = wire_i64(&ask->in);
    out->reason = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a change of an agreement", err);
    if (rc == 0 && (out->type < JOURNAL_SUSPENDED || out->type >= JOURNAL_TYPE_COUNT))
        rc = err_set(err, ERR_INTERNAL, "there is no such change of an agreement");
    return rc;
}

int
core_agreement_change(struct core *core, struct ask *ask, struct err *err)
{
    struct register_desk desk = {0};
    struct done done;
    struct agreement_change change;
    struct span id;
    size_t at = 0;
    int rc = read_change(ask, &change, &id, err);

    if (rc == 0)
        rc = open_at(core, id, &desk, &at, err);
    change.now_us = desk.now_us;
    change.at_us = change.at_us == 0 ? desk.now_us : change.at_us;
    if (rc == 0)
        rc = agreement_life_change(desk.registry, at, &change, &desk.key, err);
    const struct agreement *a = rc == 0 ? &desk.registry->agreements[at] : NULL;
    rc = leave(&desk, ask->arena, a, change.type, rc, &done, err);
    return rc == 0 ? finish(core, ask, &done, err) : rc;
}
