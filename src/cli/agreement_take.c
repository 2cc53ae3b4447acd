#include "cli/agreement_take.h"

#include <stdio.h>
#include <stdlib.h>

struct taking {
    struct agreement_register *r;
    struct agreement a; /* as it will be kept */
    struct agreement_signature
        *rows;   /* of it: those that the journal names first, then the others */
    size_t kept; /* how many the journal names */
    size_t at;   /* its place in the register; count: it is new there */
    char digest[AGREEMENT_SIGN_HEX];
    struct agreement_key key;
};

static struct span
own(const struct taking *t)
{
    return span_of(t->r->registry->team);
}

static int
check_fit(const struct taking *t, struct err *err)
{
    const struct agreement *a = &t->a;

    if (a->suspended)
        return err_set(err, ERR_BAD_AGREEMENT,
            "it says \"suspended\": true; leave that out, and suspend it once it is signed");
    if (a->valid_until_us <= t->r->now_us)
        return err_set(err, ERR_BAD_AGREEMENT, "its valid_until is past: it could never hold");
    if (a->party_count > 0 && own(t).n > 0 && !agreement_has_party(a, own(t)))
        return err_set(err, ERR_USAGE, "%s is none of its parties, and so has nothing to sign",
            t->r->registry->team);
    return 0;
}

/* What is here of it already; only the same text is the same agreement. */
static int
find_kept(struct taking *t, bool propose, struct err *err)
{
    const struct registry *registry = t->r->registry;
    char kept[AGREEMENT_SIGN_HEX];

    agreement_sign_digest(t->a.text, t->digest);
    t->at = registry_find(registry, t->a.id);
    if (t->at == registry->count)
        return 0;
    const struct agreement *here = &registry->agreements[t->at];
    agreement_sign_digest(here->text, kept);
    if (here->text.n == 0 || strcmp(kept, t->digest) != 0)
        return err_set(err, ERR_EXISTS,
            "the register has another text under the id %.*s; a changed text is a new agreement, "
            "with a new id (`comity agreement diff` shows what differs)",
            SPAN_ARGS(t->a.id));
    if (here->broken && registry->events[t->at] != NULL)
        return err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)here->why.n, here->why.p);
    if (standing_ended(registry->events[t->at], INT64_MAX) != NULL)
        return err_set(err, ERR_EXISTS, "it has ended or is to end, for good; write a new one");
    if (propose && registry->events[t->at] != NULL)
        return err_set(err, ERR_EXISTS,
            "it was proposed or signed here already; `comity agreement sign` takes in a partner's "
            "signature");
    return 0;
}

static bool
has_signature(const struct taking *t, const struct agreement_signature *signature)
{
    for (size_t i = 0; i < t->a.signature_count; i++)
        if (span_equal(t->rows[i].party, signature->party)
            && memcmp(t->rows[i].key, signature->key, sizeof signature->key) == 0)
            return true;
    return false;
}

static bool
is_journaled(const struct journal_event *events, struct span party)
{
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_SIGNED && span_equal(events->party, party))
            return true;
    return false;
}

/* The document is written before the journal's lines: of a run that was cut off between the two,
 * the lines are still to be written. */
static void
take_kept(struct taking *t, const struct agreement *here, const struct journal_event *events)
{
    for (int journaled = 1; journaled >= 0; journaled--) {
        for (size_t i = 0; i < here->signature_count; i++)
            if (is_journaled(events, here->signatures[i].party) == (journaled == 1))
                t->rows[t->a.signature_count++] = here->signatures[i];
        t->kept = journaled == 1 ? t->a.signature_count : t->kept;
    }
}

static int
merge(struct taking *t, const struct agreement *document, struct err *err)
{
    const struct registry *registry = t->r->registry;
    const struct agreement *here = t->at < registry->count && registry->events[t->at] != NULL
        ? &registry->agreements[t->at]
        : NULL;
    size_t most = document->signature_count + (here != NULL ? here->signature_count : 0) + 1;

    t->rows = arena_zalloc(t->r->arena, most, sizeof *t->rows);
    if (t->rows == NULL)
        return arena_full(err, "the signatures");
    t->a.signature_count = 0;
    if (here != NULL)
        take_kept(t, here, registry->events[t->at]);
    for (size_t i = 0; i < document->signature_count; i++) {
        struct agreement_signature signature = document->signatures[i];
        signature.mark = (uint8_t)agreement_sign_mark(&t->a, &signature, registry->ring);
        if (signature.mark == MARK_WRONG)
            return err_set(err, ERR_BAD_AGREEMENT,
                "the signature of %.*s in it is wrong: it was not made over this text; nothing was "
                "taken in",
                SPAN_ARGS(signature.party));
        if (!has_signature(t, &signature))
            t->rows[t->a.signature_count++] = signature;
    }
    t->a.signatures = t->rows;
    return 0;
}

static int
add_own(struct taking *t, struct err *err)
{
    if (agreement_sign_has(&t->a, own(t)))
        return 0;
    return agreement_sign(
        t->r->arena, &t->a, own(t), t->r->now_us, &t->key, &t->rows[t->a.signature_count++], err);
}

static int
record(struct taking *t, bool propose, struct err *err)
{
    struct journal_event event = {.type = JOURNAL_PROPOSED,
        .agreement = t->a.id,
        .digest = span_of(t->digest),
        .by = own(t),
        .time_us = t->r->now_us,
        .at_us = t->r->now_us};
    int rc = propose ? registry_add(t->r->registry, &event, &t->key, err) : 0;

    event.type = JOURNAL_SIGNED;
    for (size_t i = t->kept; rc == 0 && i < t->a.signature_count; i++) {
        event.party = t->rows[i].party;
        rc = registry_add(t->r->registry, &event, &t->key, err);
    }
    return rc;
}

static void
tell(const struct taking *t)
{
    const struct agreement *a = &t->a;
    const char *before = "; it waits for ";

    (void)printf("%.*s: ", SPAN_ARGS(a->id));
    if (t->kept == a->signature_count)
        (void)printf("nothing new");
    for (size_t i = t->kept; i < a->signature_count; i++)
        (void)printf("%ssigned by %.*s%s", i > t->kept ? ", " : "", SPAN_ARGS(t->rows[i].party),
            t->rows[i].mark == MARK_UNKNOWN ? " with a key that is not known" : "");
    for (size_t i = 0; i < a->party_count; i++)
        if (!agreement_sign_has(a, a->parties[i])) {
            (void)printf("%s%.*s", before, SPAN_ARGS(a->parties[i]));
            before = ", ";
        }
    (void)puts(before[0] == ';' ? "; signed by all" : "");
    for (size_t i = 0; i < a->signature_count; i++)
        if (t->rows[i].mark == MARK_UNKNOWN) {
            char key[AGREEMENT_SIGN_BASE64_BYTES];
            agreement_sign_base64(t->rows[i].key, sizeof t->rows[i].key, key);
            (void)fprintf(stderr,
                "comity: the signature of %.*s counts as none: its key is not known to be theirs. "
                "Ask them by another way whether it is %s, then: comity agreement key --trust "
                "%.*s %s\n",
                SPAN_ARGS(t->rows[i].party), key, SPAN_ARGS(t->rows[i].party), key);
        }
}

int
agreement_take(
    struct agreement_register *r, const struct agreement *document, bool propose, struct err *err)
{
    struct taking t = {.r = r, .a = *document};
    int rc = check_fit(&t, err);

    if (rc == 0)
        rc = agreement_own_key(r, &t.key, err);
    if (rc == 0)
        rc = find_kept(&t, propose, err);
    if (rc == 0)
        rc = merge(&t, document, err);
    if (rc == 0)
        rc = add_own(&t, err);
    if (rc == 0 && t.kept < t.a.signature_count)
        rc = registry_keep(r->registry, &t.a, err);
    if (rc == 0)
        rc = record(&t, propose, err);
    if (rc == 0)
        tell(&t);
    explicit_bzero(&t.key, sizeof t.key);
    return rc;
}
