#include "flow/agreement_life.h"

static struct span
own(const struct registry *registry)
{
    return span_of(registry->team);
}

/* ---- what is there already ---- */

static bool
is_journaled(const struct journal_event *events, struct span party)
{
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_SIGNED && span_equal(events->party, party))
            return true;
    return false;
}

/* Of a run that was cut off between document and journal, the journal's lines are still to be
 * written. */
static void
take_kept(
    struct agreement_taken *t, const struct agreement *here, const struct journal_event *events)
{
    for (int journaled = 1; journaled >= 0; journaled--) {
        for (size_t i = 0; i < here->signature_count; i++)
            if (is_journaled(events, here->signatures[i].party) == (journaled == 1))
                t->rows[t->a.signature_count++] = here->signatures[i];
        t->kept = journaled == 1 ? t->a.signature_count : t->kept;
    }
}

/* Only the same text is the same agreement. */
static int
check_same(const struct registry *registry, const struct agreement_taken *t, struct err *err)
{
    const struct agreement *here = &registry->agreements[t->at];
    char kept[AGREEMENT_SIGN_HEX];

    agreement_sign_digest(here->text, kept);
    if (here->text.n == 0 || strcmp(kept, t->digest) != 0)
        return err_set(err, ERR_EXISTS,
            "the register has another text under the id %.*s; a changed text is a new agreement, "
            "with a new id (`comity agreement diff` shows what differs)",
            SPAN_ARGS(t->a.id));
    return here->broken && registry->events[t->at] != NULL
        ? err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)here->why.n, here->why.p)
        : 0;
}

int
agreement_life_kept(const struct registry *registry, struct arena *arena,
    const struct agreement *document, struct agreement_taken *out, struct err *err)
{
    size_t at = registry_find(registry, document->id);
    int rc = 0;

    *out = (struct agreement_taken){.a = *document, .at = at};
    agreement_sign_digest(document->text, out->digest);
    if (at < registry->count)
        rc = check_same(registry, out, err);
    if (rc != 0)
        return rc;
    const struct agreement *here =
        at < registry->count && registry->events[at] != NULL ? &registry->agreements[at] : NULL;
    out->room = document->signature_count + (here != NULL ? here->signature_count : 0) + 1;
    out->rows = arena_zalloc(arena, out->room, sizeof *out->rows);
    if (out->rows == NULL)
        return arena_full(err, "the signatures");
    out->a.signature_count = 0;
    out->a.signatures = out->rows;
    if (here != NULL)
        take_kept(out, here, registry->events[at]);
    return 0;
}

bool
agreement_life_has(const struct agreement_taken *t, const struct agreement_signature *signature)
{
    for (size_t i = 0; i < t->a.signature_count; i++)
        if (span_equal(t->rows[i].party, signature->party)
            && memcmp(t->rows[i].key, signature->key, sizeof signature->key) == 0)
            return true;
    return false;
}

struct journal_event *
agreement_life_events(const struct registry *registry, struct arena *arena,
    const struct agreement_taken *taken, int64_t now_us, size_t more, size_t *count)
{
    size_t most = taken->a.signature_count - taken->kept + more;
    struct journal_event *events = arena_zalloc(arena, most + 1, sizeof *events);

    *count = 0;
    for (size_t i = taken->kept; events != NULL && i < taken->a.signature_count; i++)
        events[(*count)++] = (struct journal_event){.type = JOURNAL_SIGNED,
            .agreement = taken->a.id,
            .digest = span_of(taken->digest),
            .by = own(registry),
            .party = taken->rows[i].party,
            .time_us = now_us,
            .at_us = now_us};
    return events;
}

/* ---- proposing and signing ---- */

int
agreement_life_fits(
    const struct registry *registry, const struct agreement *a, int64_t now_us, struct err *err)
{
    if (a->suspended)
        return err_set(err, ERR_BAD_AGREEMENT,
            "it says \"suspended\": true; leave that out, and suspend it once it is signed");
    if (a->valid_until_us <= now_us)
        return err_set(err, ERR_BAD_AGREEMENT, "its valid_until is past: it could never hold");
    if (a->party_count > 0 && own(registry).n > 0 && !agreement_has_party(a, own(registry)))
        return err_set(err, ERR_USAGE, "%s is none of its parties, and so has nothing to sign",
            registry->team);
    return 0;
}

static int
check_open(
    const struct registry *registry, const struct agreement_taken *t, bool propose, struct err *err)
{
    const struct journal_event *events = t->at < registry->count ? registry->events[t->at] : NULL;

    if (standing_ended(events, INT64_MAX) != NULL)
        return err_set(err, ERR_EXISTS, "it has ended or is to end, for good; write a new one");
    if (propose && events != NULL)
        return err_set(err, ERR_EXISTS,
            "it was proposed or signed here already; `comity agreement sign` takes in a partner's "
            "signature");
    return 0;
}

static int
merge(const struct registry *registry, struct agreement_taken *t, const struct agreement *document,
    struct err *err)
{
    for (size_t i = 0; i < document->signature_count; i++) {
        struct agreement_signature signature = document->signatures[i];
        signature.mark = (uint8_t)agreement_sign_mark(&t->a, &signature, registry->ring);
        if (signature.mark == MARK_WRONG)
            return err_set(err, ERR_BAD_AGREEMENT,
                "the signature of %.*s in it is wrong: it was not made over this text; nothing was "
                "taken in",
                SPAN_ARGS(signature.party));
        if (!agreement_life_has(t, &signature))
            t->rows[t->a.signature_count++] = signature;
    }
    return 0;
}

static int
record(struct registry *registry, struct arena *arena, const struct agreement_taken *t,
    bool propose, int64_t now_us, const struct agreement_key *key, struct err *err)
{
    size_t count;
    struct journal_event *events = agreement_life_events(registry, arena, t, now_us, 1, &count);

    if (events == NULL)
        return arena_full(err, "events");
    if (propose) {
        memmove(events + 1, events, count++ * sizeof *events);
        events[0] = (struct journal_event){.type = JOURNAL_PROPOSED,
            .agreement = t->a.id,
            .digest = span_of(t->digest),
            .by = own(registry),
            .time_us = now_us,
            .at_us = now_us};
    }
    return registry_add(registry, events, count, key, err);
}

int
agreement_life_take(struct registry *registry, struct arena *arena,
    const struct agreement *document, bool propose, int64_t now_us, const struct agreement_key *key,
    struct agreement_taken *out, struct err *err)
{
    int rc = agreement_life_fits(registry, document, now_us, err);

    if (rc == 0)
        rc = agreement_life_kept(registry, arena, document, out, err);
    if (rc == 0)
        rc = check_open(registry, out, propose, err);
    if (rc == 0)
        rc = merge(registry, out, document, err);
    if (rc == 0 && !agreement_sign_has(&out->a, own(registry)))
        rc = agreement_sign(
            arena, &out->a, own(registry), now_us, key, &out->rows[out->a.signature_count++], err);
    if (rc == 0 && out->kept < out->a.signature_count)
        rc = registry_keep(registry, &out->a, err);
    return rc == 0 ? record(registry, arena, out, propose, now_us, key, err) : rc;
}

/* ---- suspending, resuming, ending, refusing ---- */

/* What this team itself said last: others' suspensions are theirs to lift. */
static int
may_pause(const struct registry *registry, const struct journal_event *events,
    const struct agreement_change *change, struct err *err)
{
    bool suspended = standing_suspended_by(events, own(registry), change->at_us) != NULL;
    const struct journal_event *others = standing_suspended(events, change->at_us);

    if (change->type == JOURNAL_SUSPENDED && suspended)
        return err_set(err, ERR_EXISTS, "it is suspended already then");
    if (change->type == JOURNAL_RESUMED && !suspended)
        return others != NULL
            ? err_set(err, ERR_EXISTS, "%.*s suspended it, and only they can resume it",
                SPAN_ARGS(journal_doer(others)))
            : err_set(err, ERR_EXISTS, "it is not suspended then");
    return 0;
}

static int
may_refuse(const struct registry *registry, const struct agreement *a,
    const struct journal_event *events, struct err *err)
{
    if (agreement_sign_has(a, own(registry)))
        return err_set(err, ERR_EXISTS, "you have signed it; `comity agreement end` ends it");
    if (a->party_count == 0)
        return err_set(err, ERR_USAGE, "nobody proposed it to you: it has no parties");
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_REFUSED && span_equal(journal_doer(events), own(registry)))
            return err_set(err, ERR_EXISTS, "it is refused already");
    return 0;
}

int
agreement_life_may(const struct registry *registry, size_t i, const struct agreement_change *change,
    struct err *err)
{
    const struct agreement *a = &registry->agreements[i];
    const struct journal_event *events = registry->events[i];

    if (change->reason.n > JOURNAL_REASON_MAX)
        return err_set(err, ERR_USAGE, "the reason may have %d bytes", JOURNAL_REASON_MAX);
    if (change->at_us < change->now_us)
        return err_set(err, ERR_USAGE,
            "that instant is past; what was decided since cannot be made otherwise");
    if (events == NULL)
        return err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)a->why.n, a->why.p);
    if (standing_ended(events, INT64_MAX) != NULL)
        return err_set(err, ERR_EXISTS, "it has ended, or its end is set: that is final");
    return change->type == JOURNAL_REFUSED ? may_refuse(registry, a, events, err)
                                           : may_pause(registry, events, change, err);
}

int
agreement_life_change(struct registry *registry, size_t i, const struct agreement_change *change,
    const struct agreement_key *key, struct err *err)
{
    const struct agreement *a = &registry->agreements[i];
    char digest[AGREEMENT_SIGN_HEX];
    int rc = agreement_life_may(registry, i, change, err);

    agreement_sign_digest(a->text, digest);
    const struct journal_event event = {.type = change->type,
        .agreement = a->id,
        .digest = span_of(digest),
        .by = own(registry),
        .reason = change->reason,
        .time_us = change->now_us,
        .at_us = change->at_us};
    return rc == 0 ? registry_add(registry, &event, 1, key, err) : rc;
}
