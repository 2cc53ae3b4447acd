#include "flow/agreement_lint.h"

#include "base/time.h"
#include "flow/basis.h"
#include "flow/lint_private.h"
#include "flow/nearmiss.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BYTES = 1024 };

void
lint_say(struct linting *lint, enum lint_level level, const char *what, const char *key,
    const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct lint_finding finding = {
        level, what, lint->agreement, lint->clause, key, span_of(text)};
    lint->tell(lint->ctx, &finding);
}

/* ---- the agreement ---- */

static void
check_dates(struct linting *lint)
{
    const struct agreement *a = lint->agreement;
    char date[TIME_TEXT_BYTES];

    if (a->valid_until_us <= lint->q->at_us) {
        (void)time_format(a->valid_until_us, "Z", date);
        lint_say(lint, LINT_WARNING, "ended", "valid_until",
            "it ended at %s: nothing crosses under it any more; set a later date or leave it out",
            date);
    } else if (a->valid_from_us > lint->q->at_us) {
        (void)time_format(a->valid_from_us, "Z", date);
        lint_say(lint, LINT_HINT, "not-yet", "valid_from", "it is in force only from %s on", date);
    }
    if (a->suspended)
        lint_say(
            lint, LINT_HINT, "suspended", "suspended", "it is suspended: nothing crosses under it");
}

static void
check_team(struct linting *lint, const char *key, struct span team)
{
    if (strcmp(key, "to") == 0 && span_equal(team, SPAN(BASIS_COMMUNITY)))
        return;
    if (!parties_knows(lint->q->parties, team))
        lint_say(lint, LINT_WARNING, "unknown-team", key,
            "no team of the directory has the id %.*s; `comity team list` shows all ids",
            SPAN_ARGS(team));
}

/* A party that no clause names tells and is told nothing: it may be a slip of the pen. */
static void
check_parties(struct linting *lint)
{
    const struct agreement *a = lint->agreement;

    for (size_t p = 0; p < a->party_count; p++) {
        const struct policy_team team = {.id = a->parties[p]};
        bool named = false;
        for (size_t i = 0; i < lint->q->parties->count; i++)
            if (span_equal(lint->q->parties->teams[i].id, team.id)) {
                const struct policy_team *t = &lint->q->parties->teams[i];
                for (size_t c = 0; c < a->clause_count; c++)
                    named = named || nearmiss_covers(a, &a->clauses[c].from, t)
                        || nearmiss_covers(a, &a->clauses[c].to, t);
            }
        check_team(lint, "parties", a->parties[p]);
        if (!named)
            lint_say(lint, LINT_WARNING, "idle-party", "parties",
                "no clause covers %.*s, neither as sender nor as recipient", SPAN_ARGS(team.id));
    }
}

static void
check_economy(struct linting *lint)
{
    const struct agreement *a = lint->agreement;
    const struct party_pattern home = {.type = PARTY_ECONOMY, .economy = a->economy};
    char code[3];

    if (a->kind != AGREEMENT_LAW)
        return;
    for (size_t i = 0; i < lint->q->parties->known; i++)
        if (nearmiss_covers(a, &home, &lint->q->parties->teams[i]))
            return;
    economy_code(a->economy, code);
    lint_say(lint, LINT_HINT, "no-origin", "economy", "no team of the directory is of %s", code);
}

/* ---- a clause ---- */

static void
check_pattern(struct linting *lint, const char *key, const struct party_pattern *pattern)
{
    const struct agreement *a = lint->agreement;
    bool among = a->kind == AGREEMENT_BILATERAL || a->kind == AGREEMENT_MULTILATERAL;

    if (pattern->type == PARTY_TEAM && !agreement_has_party(a, pattern->team))
        check_team(lint, key, pattern->team);
    if (a->kind == AGREEMENT_BILATERAL
        && (pattern->type == PARTY_ANY || pattern->type == PARTY_ECONOMY))
        lint_say(lint, LINT_WARNING, "beyond-parties", key,
            "it covers teams that are no party, and a bilateral agreement is between two; write "
            "\"party\" or a party's id");
    if (among && pattern->type == PARTY_TEAM && !agreement_has_party(a, pattern->team))
        lint_say(lint, LINT_WARNING, "beyond-parties", key, "%.*s is no party of the agreement",
            SPAN_ARGS(pattern->team));
}

static void
check_red(struct linting *lint)
{
    const struct clause *clause = lint->clause;
    uint8_t kind = lint->agreement->kind;

    if (clause->tlp_max == TLP_RED && clause->effect != EFFECT_WITHHOLD
        && (kind == AGREEMENT_MULTILATERAL || kind == AGREEMENT_BASELINE))
        lint_say(lint, LINT_WARNING, "red-outside-bilateral", "tlp_max",
            "TLP:RED leaves only under a bilateral clause, so it is withheld here; write "
            "\"amber+strict\"");
}

/* Evidence for each field class: the classifications that never hold it, and how many report types
 * were looked at. */
static const struct {
    uint8_t classification;
    uint8_t field_class;
    unsigned types;
} never_carried[] = {
#define NEVER_CARRIED(classification, field_class, types)                                          \
    {CLASSIFICATION_##classification, FIELD_CLASS_##field_class, types},
#include "tables/never_carried.def"
#undef NEVER_CARRIED
};

static void
check_carried(struct linting *lint, enum field_class class)
{
    const size_t rows = sizeof never_carried / sizeof never_carried[0];
    uint64_t never = 0;
    unsigned types = 0;

    if (lint->clause->treatment[class] == TREATMENT_KEEP)
        return;
    for (size_t i = 0; i < rows; i++)
        if (never_carried[i].field_class == class
            && (lint->clause->classifications >> never_carried[i].classification & 1) != 0) {
            never |= (uint64_t)1 << never_carried[i].classification;
            types += never_carried[i].types;
        }
    if (types == 0 || (lint->clause->classifications & ~never) != 0)
        return;
    lint_say(lint, LINT_HINT, "never-carried", "treatment",
        "none of the %u known types of such reports holds a field of class %s; the treatment does "
        "no harm and will hardly show",
        types, field_class_word(class));
}

/* Nobody of those who are told could be told at once. */
static void
check_channels(struct linting *lint)
{
    const struct clause *clause = lint->clause;
    size_t covered = 0;
    size_t able = 0;

    if (clause->effect != EFFECT_RELEASE || !(clause->require_encrypted || clause->require_receipt))
        return;
    for (size_t i = 0; i < lint->q->parties->known; i++) {
        const struct policy_team *team = &lint->q->parties->teams[i];
        if (!nearmiss_covers(lint->agreement, &clause->to, team))
            continue;
        covered++;
        able += (!clause->require_encrypted || team->channels.encrypted)
            && (!clause->require_receipt || team->channels.receipt);
    }
    if (covered > 0 && able == 0)
        lint_say(lint, LINT_HINT, "no-channel", "require",
            "no recipient's card has such a channel, so every report would be held; put it on the "
            "card");
}

static void
check_clause(struct linting *lint)
{
    check_pattern(lint, "from", &lint->clause->from);
    check_pattern(lint, "to", &lint->clause->to);
    check_red(lint);
    check_channels(lint);
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        check_carried(lint, (enum field_class)c);
}

int
agreement_lint_find(struct arena *arena, const struct lint_question *question,
    agreement_lint_tell *tell, void *ctx, struct err *err)
{
    struct linting lint = {.arena = arena, .q = question, .tell = tell, .ctx = ctx};

    for (size_t i = 0; i < question->checked->count; i++) {
        lint.agreement = &question->checked->agreements[i];
        lint.clause = NULL;
        if (lint.agreement->broken)
            continue;
        check_dates(&lint);
        check_parties(&lint);
        check_economy(&lint);
        if (lint.agreement->clause_count == 0)
            lint_say(&lint, LINT_WARNING, "no-clause", "clauses",
                "it has no clause, so it does "
                "nothing");
        for (size_t c = 0; c < lint.agreement->clause_count; c++) {
            lint.clause = &lint.agreement->clauses[c];
            check_clause(&lint);
        }
    }
    return lint_reach(&lint, err);
}
