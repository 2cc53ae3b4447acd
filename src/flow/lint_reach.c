#include "flow/agreements.h"
#include "flow/change.h"
#include "flow/lint_private.h"
#include "flow/nearmiss.h"

#include <stdlib.h>

enum { MADE_BY_MAX = 3, NAMES_BYTES = 512 };

/* Clauses to be named, each once. */
struct made_by {
    uint32_t clauses[MADE_BY_MAX];
    size_t count;
    bool more;
};

struct reach {
    struct linting *lint;
    struct cells cells;
    struct agreement_set all; /* CHECKED first, none suspended */
    struct policy *policy;
    bool asked;                /* false: they tell too much apart */
    struct policy_team *teams; /* given every channel: that is the cards' matter */
    uint32_t *providers;
    int64_t moments[AGREEMENT_LINT_MOMENTS_MAX];
    size_t moment_count;
    uint32_t clause; /* at hand */
};

/* What a clause was seen to do. */
struct seen_clause {
    bool matched;
    bool mattered;  /* without it, something would be otherwise */
    bool free;      /* somewhere no ceiling is stricter than it */
    bool held;      /* a ceiling holds what it releases */
    bool withheld;  /* ... withholds */
    bool otherwise; /* without it, something else lets something go */
    struct made_by instead;
    struct made_by ceilings;
};

static void
add_clause(struct made_by *made_by, uint32_t clause)
{
    for (size_t i = 0; i < made_by->count; i++)
        if (made_by->clauses[i] == clause)
            return;
    if (made_by->count < MADE_BY_MAX)
        made_by->clauses[made_by->count++] = clause;
    else
        made_by->more = true;
}

static bool
is_ceiling(const struct agreement *agreement)
{
    return agreement->kind == AGREEMENT_LAW || agreement->kind == AGREEMENT_FEED;
}

/* ---- one question, with the clause and without ---- */

static void
see_ceiling(
    struct reach *r, const struct verdict *v, const struct clause *own, struct seen_clause *seen)
{
    bool part = v->clause_count > VERDICT_CLAUSES_MAX;

    for (size_t i = 0; i < v->clause_count && i < VERDICT_CLAUSES_MAX; i++)
        part = part || v->clauses[i] == r->clause;
    /* What no clause of its level could let go says nothing of ceilings. */
    if (!part || v->reason == REASON_RED_NEEDS_PERSON || v->reason == REASON_UNKNOWN_PROVIDER)
        return;
    if (v->reason != REASON_CEILING || v->effect >= own->effect) {
        seen->free = true;
        return;
    }
    seen->withheld = seen->withheld || v->effect == EFFECT_WITHHOLD;
    seen->held = seen->held || v->effect == EFFECT_HOLD;
    for (size_t i = 0; i < v->clause_count && i < VERDICT_CLAUSES_MAX; i++)
        if (is_ceiling(policy_agreement(r->policy, v->clauses[i]))
            && policy_clause(r->policy, v->clauses[i])->effect <= v->effect)
            add_clause(&seen->ceilings, v->clauses[i]);
}

static void
see_question(struct reach *r, const struct decide_input *input, const struct clause *own,
    struct seen_clause *seen)
{
    struct verdict with;
    struct verdict without;

    if (!policy_covers(r->policy, r->clause, input))
        return;
    seen->matched = true;
    decide(r->policy, input, &with);
    policy_mute(r->policy, r->clause, true);
    decide(r->policy, input, &without);
    policy_mute(r->policy, r->clause, false);
    seen->mattered = seen->mattered || change_of(&with, &without) != CHANGE_NONE;
    seen->otherwise = seen->otherwise || without.effect != EFFECT_WITHHOLD;
    for (size_t i = 0; i < without.clause_count && i < VERDICT_CLAUSES_MAX; i++)
        if (is_ceiling(policy_agreement(r->policy, without.clauses[i]))
            == is_ceiling(r->lint->agreement))
            add_clause(&seen->instead, without.clauses[i]);
    see_ceiling(r, &with, own, seen);
}

static bool
is_settled(const struct seen_clause *seen)
{
    return seen->mattered && seen->free;
}

static void
see_pair(
    struct reach *r, struct decide_input *input, const struct clause *own, struct seen_clause *seen)
{
    for (size_t k = 0; k < r->cells.class_groups && !is_settled(seen); k++) {
        input->classification = (uint8_t)cells_class(&r->cells, k);
        if ((own->classifications >> input->classification & 1) == 0)
            continue;
        for (size_t p = 0; p < r->cells.provider_groups; p++) {
            /* Who names no provider is withheld as soon as a clause depends on it. */
            if (p == CELLS_NOT_NAMED && own->provider_count > 0)
                continue;
            input->provider = r->providers[p];
            for (uint8_t t = TLP_CLEAR; t <= own->tlp_max && !is_settled(seen); t++) {
                input->tlp = t;
                see_question(r, input, own, seen);
            }
        }
    }
}

static void
see_clause(struct reach *r, const struct clause *own, struct seen_clause *seen)
{
    struct decide_input input = {.clock_trusted = true};

    for (size_t m = 0; m < r->moment_count; m++) {
        input.at_us = r->moments[m];
        for (size_t from = 0; from < r->cells.team_groups; from++)
            for (size_t to = 1; to < r->cells.team_groups && !is_settled(seen); to++)
                if (cells_pair(&r->cells, from, to, &input.origin, &input.recipient)
                    && policy_between(r->policy, r->clause, input.origin, input.recipient))
                    see_pair(r, &input, own, seen);
    }
}

/* ---- saying it ---- */

static void
name_clauses(const struct reach *r, const struct made_by *made_by, char out[NAMES_BYTES])
{
    struct buf text = buf_new(NAMES_BYTES);

    for (size_t i = 0; i < made_by->count; i++) {
        const struct agreement *a = policy_agreement(r->policy, made_by->clauses[i]);
        const struct clause *c = policy_clause(r->policy, made_by->clauses[i]);
        bool here = a->id.n > 0 && span_equal(a->id, r->lint->agreement->id);
        buf_format(&text, "%sclause %.*s", i > 0 ? ", " : "", SPAN_ARGS(c->id));
        if (!here)
            buf_format(&text, " of \"%.*s%s\"", (int)(a->title.n > 60 ? 60 : a->title.n),
                a->title.p, a->title.n > 60 ? "..." : "");
    }
    if (made_by->more)
        buf_add_text(&text, " and others");
    size_t n = text.n < NAMES_BYTES ? text.n : NAMES_BYTES - 1;
    if (n > 0)
        memcpy(out, text.p, n);
    out[n] = '\0';
    buf_free(&text);
}

static bool
covers_some(const struct reach *r, const struct party_pattern *pattern)
{
    bool found = false;

    for (size_t i = 0; !found && i < r->lint->q->parties->count; i++)
        found = nearmiss_covers(r->lint->agreement, pattern, &r->teams[i]);
    return found;
}

static void
say_never(struct reach *r)
{
    struct linting *lint = r->lint;
    const struct clause *c = lint->clause;
    enum lint_level level = is_ceiling(lint->agreement) ? LINT_HINT : LINT_WARNING;

    if (!covers_some(r, &c->from) && c->from.type != PARTY_ANY)
        lint_say(lint, level, "never-matches", "from",
            "it never matches: `from` covers no team of the directory");
    else if (!covers_some(r, &c->to))
        lint_say(lint, level, "never-matches", "to",
            "it never matches: `to` covers no team of the directory");
    else if (c->provider_count > 0)
        lint_say(lint, level, "never-matches", "tlp_max",
            "it never matches: its providers' conditions make every report of theirs stricter than "
            "%s; raise tlp_max",
            tlp_label((enum tlp)c->tlp_max));
    else
        lint_say(lint, level, "never-matches", "",
            "it never matches: there are no two teams of which one is covered by `from` and the "
            "other by `to`");
}

static void
say_void(struct reach *r, const struct seen_clause *seen)
{
    char names[NAMES_BYTES];
    const char *effect = effect_word((enum effect)r->lint->clause->effect);

    name_clauses(r, &seen->ceilings, names);
    if (!seen->held)
        lint_say(r->lint, LINT_WARNING, "void-by-ceiling", "effect",
            "it says %s, and a ceiling withholds all that it covers: %s; take it out or change "
            "what "
            "it covers",
            effect, names);
    else
        lint_say(r->lint, LINT_HINT, "held-by-ceiling", "effect",
            "it says %s, and a ceiling is stricter for all that it covers: %s", effect, names);
}

static void
say_idle(struct reach *r, const struct seen_clause *seen)
{
    char names[NAMES_BYTES];

    name_clauses(r, &seen->instead, names);
    if (is_ceiling(r->lint->agreement))
        lint_say(r->lint, LINT_HINT, "no-effect", "",
            "beside the agreements that were read it changes nothing");
    else if (!seen->otherwise && r->lint->clause->effect == EFFECT_WITHHOLD)
        lint_say(r->lint, LINT_HINT, "no-effect", "effect",
            "it withholds what nothing else would let go");
    else
        lint_say(r->lint, LINT_WARNING, "shadowed", "",
            "all that it covers is decided the same without it, by %s; take it out, or see whether "
            "it was to say something else",
            names[0] != '\0' ? names : "no clause");
}

/* ---- all clauses ---- */

static void
check_clause(struct reach *r, size_t agreement, size_t clause)
{
    struct linting *lint = r->lint;
    struct seen_clause seen = {0};

    lint->clause = &lint->agreement->clauses[clause];
    r->clause = policy_index(r->policy, agreement, clause);
    if (r->clause == UINT32_MAX)
        return;
    see_clause(r, lint->clause, &seen);
    if (!seen.matched)
        say_never(r);
    else if (!seen.free && (seen.held || seen.withheld))
        say_void(r, &seen);
    else if (!seen.mattered) {
        say_idle(r, &seen);
        /* Of two that say the same, only the later is too much. */
        policy_mute(r->policy, r->clause, true);
    }
}

static bool
add_moment(struct reach *r, const struct agreement *a, int64_t us)
{
    if (us < a->valid_from_us || us >= a->valid_until_us || us < r->lint->q->at_us)
        return true;
    for (size_t i = 0; i < r->moment_count; i++)
        if (r->moments[i] == us)
            return true;
    if (r->moment_count == AGREEMENT_LINT_MOMENTS_MAX)
        return false;
    r->moments[r->moment_count++] = us;
    return true;
}

/* Whenever one begins or ends while this is in force, what it does may be otherwise. */
static bool
set_moments(struct reach *r, const struct agreement *a)
{
    bool all = true;

    r->moment_count = 0;
    all = add_moment(r, a, r->lint->q->at_us) && add_moment(r, a, a->valid_from_us);
    for (size_t i = 0; all && i < r->all.count; i++)
        all = add_moment(r, a, r->all.agreements[i].valid_from_us)
            && add_moment(r, a, r->all.agreements[i].valid_until_us);
    return all;
}

static void
check_agreement(struct reach *r, size_t agreement)
{
    const struct agreement *a = &r->lint->q->checked->agreements[agreement];

    r->lint->agreement = a;
    r->lint->clause = NULL;
    if (a->broken || a->valid_until_us <= r->lint->q->at_us)
        return;
    if (!set_moments(r, a)) {
        lint_say(r->lint, LINT_HINT, "not-checked", "",
            "the agreements begin and end at more than %d moments, so whether clauses are shadowed "
            "was not looked at; check it beside fewer",
            AGREEMENT_LINT_MOMENTS_MAX);
        return;
    }
    for (size_t c = a->clause_count; c > 0; c--)
        check_clause(r, agreement, c - 1);
}

static int
gather(struct reach *r, struct err *err)
{
    const struct lint_question *q = r->lint->q;
    struct agreement_set rest;
    int rc = agreements_without(r->lint->arena, q->with, q->checked, &rest, err);

    if (rc == 0)
        rc = agreements_join(r->lint->arena, q->checked, &rest, &r->all, err);
    r->teams = arena_zalloc(r->lint->arena, q->parties->count + 1, sizeof *r->teams);
    if (rc == 0 && r->teams == NULL)
        rc = arena_full(err, "the teams");
    if (rc != 0)
        return rc;
    struct agreement *rows = (struct agreement *)(uintptr_t)r->all.agreements; /* our own copy */
    for (size_t i = 0; i < q->checked->count; i++)
        rows[i].suspended = false;
    for (size_t i = 0; i < q->parties->count; i++) {
        r->teams[i] = q->parties->teams[i];
        r->teams[i].channels = (struct team_channels){true, true, true};
    }
    return 0;
}

/* A broken agreement withholds all it may cover and would make every clause look idle. */
static void
leave_out_broken(struct reach *r)
{
    struct agreement *rows = (struct agreement *)(uintptr_t)r->all.agreements;

    for (size_t i = 0; i < r->all.count; i++)
        if (rows[i].broken)
            rows[i].suspended = true;
}

/* What was found without asking is still worth telling. */
static void
say_too_many(struct reach *r, const char *why)
{
    r->lint->clause = NULL;
    for (size_t i = 0; i < r->lint->q->checked->count; i++) {
        r->lint->agreement = &r->lint->q->checked->agreements[i];
        if (!r->lint->agreement->broken)
            lint_say(r->lint, LINT_HINT, "not-checked", "",
                "whether clauses match, are shadowed or void was not looked at: %s", why);
    }
}

static int
prepare(struct reach *r, struct err *err)
{
    const struct parties *parties = r->lint->q->parties;
    const struct agreement_set *const sets[] = {&r->all};
    int rc = gather(r, err);

    if (rc != 0)
        return rc;
    leave_out_broken(r);
    rc = cells_make(r->lint->arena, sets, 1, r->teams, parties->count, &r->cells, err);
    if (rc == ERR_LIMIT) {
        say_too_many(r, err->msg);
        return 0;
    }
    r->asked = rc == 0;
    if (rc == 0)
        rc = policy_compile(&r->all, r->teams, parties->count, &r->policy, err);
    if (rc != 0)
        return rc;
    r->providers = arena_zalloc(r->lint->arena, r->cells.provider_groups, sizeof *r->providers);
    if (r->providers == NULL)
        return arena_full(err, "the providers");
    for (size_t p = 0; p < r->cells.provider_groups; p++)
        r->providers[p] = policy_provider(r->policy, r->cells.providers[p].names[0]);
    return 0;
}

int
lint_reach(struct linting *lint, struct err *err)
{
    struct reach r = {.lint = lint};
    int rc = prepare(&r, err);

    for (size_t i = 0; rc == 0 && r.asked && i < lint->q->checked->count; i++)
        check_agreement(&r, i);
    policy_free(r.policy);
    return rc;
}
