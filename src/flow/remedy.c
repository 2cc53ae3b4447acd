#include "flow/remedy.h"

#include "flow/nearmiss.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX, SCRATCH_BYTES = 256 << 20 };

struct search {
    struct arena *arena;
    struct arena *scratch; /* of one trial */
    const struct remedy_question *q;
    const struct blocked_kind *kinds;
    size_t kind_count;
    struct policy *policy; /* as it is */
    struct remedies *out;
    size_t words; /* of a set of recipients */
};

/* ---- rows ---- */

static bool
same_remedy(const struct remedy *a, const struct remedy *b)
{
    return a->kind == b->kind && a->tlp == b->tlp && a->classification == b->classification
        && a->reason == b->reason && a->agreement == b->agreement && a->clause == b->clause
        && a->recipient == b->recipient && span_equal_nocase(a->provider, b->provider);
}

/* The row of this change; a new one if it was not met before. */
static int
find_row(struct search *s, const struct remedy *remedy, struct remedy **out, struct err *err)
{
    for (size_t i = 0; i < s->out->count; i++)
        if (same_remedy(&s->out->rows[i], remedy)) {
            *out = &s->out->rows[i];
            return 0;
        }
    if (s->out->count == REMEDY_MAX)
        return err_set(err, ERR_LIMIT,
            "more than %d changes would free something; ask about fewer "
            "reports",
            REMEDY_MAX);
    *out = &s->out->rows[s->out->count++];
    **out = *remedy;
    (*out)->recipients = arena_zalloc(s->arena, s->words, sizeof(uint64_t));
    return (*out)->recipients != NULL ? 0 : arena_full(err, "what would free it");
}

/* The first change that is noted for a kind answers for it. */
static int
note(struct search *s, const struct remedy *remedy, const struct blocked_kind *kind, bool *answered,
    struct err *err)
{
    struct remedy *row = NULL;
    int rc = find_row(s, remedy, &row, err);

    if (rc != 0 || *answered)
        return rc;
    *answered = true;
    row->recipients[kind->recipient / 64] |= (uint64_t)1 << kind->recipient % 64;
    if (kind->effect == EFFECT_HOLD)
        row->held += kind->count;
    else
        row->withheld += kind->count;
    return 0;
}

/* ---- what comes to mind ---- */

static struct remedy
plain(enum remedy_kind kind)
{
    return (struct remedy){.kind = (uint8_t)kind, .agreement = NONE};
}

static struct remedy
about_clause(const struct search *s, enum remedy_kind kind, const struct agreement *agreement,
    const struct clause *clause)
{
    struct remedy remedy = plain(kind);

    remedy.agreement = (uint32_t)(agreement - s->q->agreements->agreements);
    remedy.clause = (uint32_t)(clause - agreement->clauses);
    return remedy;
}

/* A clause that lacks just one thing; false if nobody would widen it so. */
static bool
widen(const struct search *s, const struct nearmiss *near, const struct blocked_kind *kind,
    enum tlp tlp, struct remedy *out)
{
    bool bilateral = near->agreement->kind == AGREEMENT_BILATERAL;

    *out = about_clause(s, REMEDY_OTHER, near->agreement, near->clause);
    switch (near->lacks) {
    case NEARMISS_TLP:
        out->kind = REMEDY_TLP;
        out->tlp = (uint8_t)tlp;
        return tlp != TLP_RED;
    case NEARMISS_CLASSIFICATION:
        out->kind = REMEDY_CLASSIFICATION;
        out->classification = kind->classification;
        return true;
    case NEARMISS_PROVIDER:
        out->kind = REMEDY_PROVIDER;
        out->provider = kind->provider;
        return true;
    case NEARMISS_FROM:
        out->kind = REMEDY_FROM;
        return !bilateral && s->q->origin.index != 0;
    case NEARMISS_TO:
        out->kind = REMEDY_TO;
        out->recipient = kind->recipient;
        return !bilateral;
    case NEARMISS_SUSPENDED:
    case NEARMISS_NOT_YET:
    case NEARMISS_ENDED:
        out->kind = near->lacks == NEARMISS_SUSPENDED ? REMEDY_RESUME : REMEDY_DATES;
        out->clause = 0;
        return true;
    default:
        return false;
    }
}

static int
want_clause(struct search *s, const struct blocked_kind *kind, bool *answered, struct err *err)
{
    const struct remedy_question *q = s->q;
    const struct nearmiss_question question = {
        .origin = q->origin.index == 0 ? NULL : &q->teams[q->origin.index - 1],
        .recipient = &q->teams[kind->recipient - 1],
        .classification = (enum classification)kind->classification,
        .tlp = nearmiss_tlp(q->agreements, (enum tlp)kind->tlp, kind->provider),
        .provider = kind->provider,
        .at_us = q->at_us};
    struct nearmiss near[REMEDY_NEAR];
    struct remedy remedy;
    int rc = 0;

    if (question.tlp == TLP_RED) {
        remedy = plain(REMEDY_PERSON);
        return note(s, &remedy, kind, answered, err);
    }
    size_t count = nearmiss_find(q->agreements, &question, near, REMEDY_NEAR);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (widen(s, &near[i], kind, question.tlp, &remedy))
            rc = note(s, &remedy, kind, answered, err);
    remedy = plain(REMEDY_AGREE);
    remedy.recipient = kind->recipient;
    remedy.tlp = (uint8_t)question.tlp;
    return rc == 0 && !*answered ? note(s, &remedy, kind, answered, err) : rc;
}

static struct decide_input
input_of(const struct search *s, const struct policy *policy, const struct blocked_kind *kind)
{
    return (struct decide_input){.origin = s->q->origin,
        .recipient = {kind->recipient},
        .provider = policy_provider(policy, kind->provider),
        .classification = kind->classification,
        .tlp = kind->tlp,
        .clock_trusted = true,
        .at_us = s->q->at_us};
}

/* Clauses that made the verdict and are themselves as strict as it; ceilings or the level's. */
static int
want_laxer(struct search *s, const struct blocked_kind *kind, bool ceiling, bool *answered,
    struct err *err)
{
    const struct decide_input input = input_of(s, s->policy, kind);
    struct verdict v;
    int rc = 0;

    decide(s->policy, &input, &v);
    for (size_t i = 0; rc == 0 && i < v.clause_count && i < VERDICT_CLAUSES_MAX; i++) {
        const struct agreement *a = policy_agreement(s->policy, v.clauses[i]);
        const struct clause *clause = policy_clause(s->policy, v.clauses[i]);
        if (clause->effect > v.effect
            || (a->kind == AGREEMENT_LAW || a->kind == AGREEMENT_FEED) != ceiling)
            continue;
        struct remedy remedy = about_clause(s, ceiling ? REMEDY_CEILING : REMEDY_EFFECT, a, clause);
        rc = note(s, &remedy, kind, answered, err);
    }
    return rc;
}

static int
want_mended(struct search *s, const struct blocked_kind *kind, bool *answered, struct err *err)
{
    const struct decide_input input = input_of(s, s->policy, kind);
    struct remedy remedy = plain(REMEDY_MEND);
    struct verdict v;

    decide(s->policy, &input, &v);
    if (v.clause_count > 0)
        remedy.agreement =
            (uint32_t)(policy_agreement(s->policy, v.clauses[0]) - s->q->agreements->agreements);
    return note(s, &remedy, kind, answered, err);
}

static int
want_other(struct search *s, const struct blocked_kind *kind, bool *answered, struct err *err)
{
    static const struct {
        enum reason reason;
        enum remedy_kind kind;
        bool recipient;
    } by_reason[] = {
        {REASON_NO_ENCRYPTED_CHANNEL, REMEDY_ENCRYPTED, true},
        {REASON_NO_RECEIPT_CHANNEL, REMEDY_RECEIPT, true},
        {REASON_RED_NEEDS_PERSON, REMEDY_PERSON, false},
        {REASON_UNKNOWN_TLP, REMEDY_LABEL, false},
        {REASON_UNKNOWN_CLASSIFICATION, REMEDY_CLASSIFY, false},
        {REASON_UNKNOWN_PROVIDER, REMEDY_NAME, false},
    };
    struct remedy remedy = plain(REMEDY_OTHER);

    remedy.reason = kind->reason;
    for (size_t i = 0; i < sizeof by_reason / sizeof by_reason[0]; i++)
        if (kind->reason == by_reason[i].reason) {
            remedy = plain(by_reason[i].kind);
            remedy.recipient = by_reason[i].recipient ? kind->recipient : 0;
        }
    return note(s, &remedy, kind, answered, err);
}

static int
want(struct search *s, const struct blocked_kind *kind, struct err *err)
{
    bool answered = false;
    int rc = 0;

    switch ((enum reason)kind->reason) {
    case REASON_NO_CLAUSE:
        rc = want_clause(s, kind, &answered, err);
        break;
    case REASON_CLAUSE:
    case REASON_CEILING:
        rc = want_laxer(s, kind, kind->reason == REASON_CEILING, &answered, err);
        break;
    case REASON_BAD_AGREEMENT:
        rc = want_mended(s, kind, &answered, err);
        break;
    default:
        break;
    }
    return rc == 0 && !answered ? want_other(s, kind, &answered, err) : rc;
}

/* ---- trying it ---- */

static void
change_clause(const struct remedy *r, const struct remedy_question *q, struct clause *clause,
    struct span *provider)
{
    switch ((enum remedy_kind)r->kind) {
    case REMEDY_TLP:
        clause->tlp_max = r->tlp;
        break;
    case REMEDY_CLASSIFICATION:
        clause->classifications |= (uint64_t)1 << r->classification;
        break;
    case REMEDY_PROVIDER:
        *provider = r->provider;
        clause->providers = provider;
        clause->provider_count = 1;
        break;
    case REMEDY_FROM:
        clause->from =
            (struct party_pattern){.type = PARTY_TEAM, .team = q->teams[q->origin.index - 1].id};
        break;
    case REMEDY_TO:
        clause->to =
            (struct party_pattern){.type = PARTY_TEAM, .team = q->teams[r->recipient - 1].id};
        break;
    case REMEDY_EFFECT:
    case REMEDY_CEILING:
        clause->effect = EFFECT_RELEASE;
        break;
    default:
        break;
    }
}

/* The agreement that is changed, as it would be. */
static int
change_agreement(struct search *s, const struct remedy *r, struct agreement *a, struct err *err)
{
    struct clause *clauses = arena_zalloc(s->scratch, a->clause_count + 1, sizeof *clauses);
    struct span *provider = arena_zalloc(s->scratch, 1, sizeof *provider);

    if (clauses == NULL || provider == NULL)
        return arena_full(err, "a trial");
    memcpy(clauses, a->clauses, a->clause_count * sizeof *clauses);
    a->clauses = clauses;
    if (r->kind == REMEDY_RESUME)
        a->suspended = false;
    else if (r->kind == REMEDY_DATES) {
        a->valid_from_us = INT64_MIN;
        a->valid_until_us = INT64_MAX;
    } else
        change_clause(r, s->q, &clauses[r->clause], provider);
    return 0;
}

/* A clause of its own for this recipient: everything, up to the label. */
static int
add_agreement(struct search *s, const struct remedy *r, struct agreement *a, struct err *err)
{
    struct clause *clause = arena_zalloc(s->scratch, 1, sizeof *clause);

    if (clause == NULL)
        return arena_full(err, "a trial");
    *clause = (struct clause){.to = {.type = PARTY_TEAM, .team = s->q->teams[r->recipient - 1].id},
        .classifications = UINT64_MAX,
        .tlp_max = r->tlp,
        .effect = EFFECT_RELEASE};
    *a = (struct agreement){.kind = AGREEMENT_BILATERAL,
        .valid_from_us = INT64_MIN,
        .valid_until_us = INT64_MAX,
        .clauses = clause,
        .clause_count = 1};
    return 0;
}

static int
change_world(struct search *s, const struct remedy *r, struct agreement_set *set,
    struct policy_team **teams, struct err *err)
{
    size_t count = s->q->agreements->count;
    struct agreement *rows = arena_zalloc(s->scratch, count + 1, sizeof *rows);

    *teams = arena_zalloc(s->scratch, s->q->team_count + 1, sizeof **teams);
    if (rows == NULL || *teams == NULL)
        return arena_full(err, "a trial");
    if (count > 0)
        memcpy(rows, s->q->agreements->agreements, count * sizeof *rows);
    memcpy(*teams, s->q->teams, s->q->team_count * sizeof **teams);
    *set = (struct agreement_set){rows, count};
    if (r->kind == REMEDY_ENCRYPTED)
        (*teams)[r->recipient - 1].channels.encrypted = true;
    if (r->kind == REMEDY_RECEIPT)
        (*teams)[r->recipient - 1].channels.receipt = true;
    if (r->kind == REMEDY_AGREE) {
        set->count++;
        return add_agreement(s, r, &rows[count], err);
    }
    return r->agreement == NONE ? 0 : change_agreement(s, r, &rows[r->agreement], err);
}

static int
count_freed(struct search *s, const struct policy *policy, struct remedy *r, struct err *err)
{
    uint64_t *met = arena_zalloc(s->scratch, s->words, sizeof *met);

    if (met == NULL)
        return arena_full(err, "a trial");
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct decide_input input = input_of(s, policy, &s->kinds[i]);
        struct verdict v;
        decide(policy, &input, &v);
        if (v.effect != EFFECT_RELEASE)
            continue;
        r->frees += s->kinds[i].count;
        met[input.recipient.index / 64] |= (uint64_t)1 << input.recipient.index % 64;
    }
    for (size_t w = 0; w < s->words; w++)
        r->freed_recipients += (uint32_t)__builtin_popcountll(met[w]);
    return 0;
}

/* What hangs on the reports themselves, or on what a broken text was to say, cannot be tried. */
static bool
can_try(const struct remedy *r)
{
    return r->kind < REMEDY_PERSON;
}

static int
try_one(struct search *s, struct remedy *r, struct err *err)
{
    struct agreement_set set;
    struct policy_team *teams;
    struct policy *policy = NULL;

    if (!can_try(r))
        return 0;
    arena_reset(s->scratch);
    int rc = change_world(s, r, &set, &teams, err);
    if (rc == 0)
        rc = policy_compile(&set, teams, s->q->team_count, &policy, err);
    if (rc == 0)
        rc = count_freed(s, policy, r, err);
    r->tried = rc == 0;
    policy_free(policy);
    return rc;
}

/* ---- order ---- */

static int
by_gain(const void *a, const void *b)
{
    const struct remedy *x = a;
    const struct remedy *y = b;
    uint64_t m = x->withheld + x->held;
    uint64_t n = y->withheld + y->held;

    if (x->frees != y->frees)
        return x->frees < y->frees ? 1 : -1;
    if (m != n)
        return m < n ? 1 : -1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->recipient < y->recipient ? -1 : x->recipient > y->recipient;
}

/* Changes that answer for nothing and free nothing are not worth a line. */
static void
drop_idle(struct remedies *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < out->count; i++)
        if (out->rows[i].frees > 0 || out->rows[i].held > 0 || out->rows[i].withheld > 0)
            out->rows[kept++] = out->rows[i];
    out->count = kept;
}

static int
search(struct search *s, struct err *err)
{
    int rc = policy_compile(s->q->agreements, s->q->teams, s->q->team_count, &s->policy, err);

    for (size_t i = 0; rc == 0 && i < s->kind_count; i++)
        rc = want(s, &s->kinds[i], err);
    for (size_t i = 0; rc == 0 && i < s->out->count; i++)
        rc = try_one(s, &s->out->rows[i], err);
    policy_free(s->policy);
    return rc;
}

int
remedies_find(struct arena *arena, const struct blocked *blocked,
    const struct remedy_question *question, struct remedies *out, struct err *err)
{
    struct search s = {.arena = arena,
        .scratch = arena_new(SCRATCH_BYTES),
        .q = question,
        .out = out,
        .words = question->team_count / 64 + 1};

    s.kinds = blocked_kinds(blocked, &s.kind_count);
    *out = (struct remedies){arena_zalloc(arena, REMEDY_MAX, sizeof(struct remedy)), 0};
    int rc = s.scratch == NULL ? err_set(err, ERR_NO_MEMORY, "no memory to look for changes")
        : out->rows == NULL    ? arena_full(err, "what would free it")
                               : search(&s, err);
    arena_free(s.scratch);
    if (rc != 0)
        return rc;
    drop_idle(out);
    qsort(out->rows, out->count, sizeof *out->rows, by_gain);
    return 0;
}

uint32_t
remedy_recipients(const struct remedy *remedy, const struct remedy_question *question)
{
    uint32_t count = 0;

    for (size_t w = 0; w < question->team_count / 64 + 1; w++)
        count += (uint32_t)__builtin_popcountll(remedy->recipients[w]);
    return count;
}
