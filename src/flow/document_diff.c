#include "flow/document_diff.h"

#include "base/time.h"

struct telling {
    document_diff_tell *tell;
    void *ctx;
};

static void
tell_text(const struct telling *t, const char *key, struct span before, struct span after)
{
    if (!span_equal(before, after))
        t->tell(t->ctx, key, before, after);
}

static struct span
date(int64_t us, char text[TIME_TEXT_BYTES])
{
    if (us == INT64_MAX || us == INT64_MIN)
        return SPAN("open");
    return (struct span){text, time_format(us, "Z", text)};
}

static void
tell_dates(const struct telling *t, const struct agreement *a, const struct agreement *b)
{
    char before[TIME_TEXT_BYTES];
    char after[TIME_TEXT_BYTES];

    tell_text(t, "valid_from", date(a->valid_from_us, before), date(b->valid_from_us, after));
    tell_text(t, "valid_until", date(a->valid_until_us, before), date(b->valid_until_us, after));
    if (a->suspended != b->suspended)
        t->tell(t->ctx, "suspended", a->suspended ? SPAN("true") : SPAN("false"),
            b->suspended ? SPAN("true") : SPAN("false"));
}

static void
tell_parties(const struct telling *t, const struct agreement *a, const struct agreement *b)
{
    const struct span none = {"", 0};

    for (size_t i = 0; i < a->party_count; i++)
        if (!agreement_has_party(b, a->parties[i]))
            t->tell(t->ctx, "parties", a->parties[i], none);
    for (size_t i = 0; i < b->party_count; i++)
        if (!agreement_has_party(a, b->parties[i]))
            t->tell(t->ctx, "parties", none, b->parties[i]);
}

static bool
same_pattern(const struct party_pattern *a, const struct party_pattern *b)
{
    return a->type == b->type && a->economy.index == b->economy.index
        && span_equal(a->team, b->team);
}

static bool
same_providers(const struct clause *a, const struct clause *b)
{
    if (a->provider_count != b->provider_count)
        return false;
    for (size_t i = 0; i < a->provider_count; i++)
        if (!span_equal_nocase(a->providers[i], b->providers[i]))
            return false;
    return true;
}

static bool
same_clause(const struct clause *a, const struct clause *b)
{
    return same_pattern(&a->from, &b->from) && same_pattern(&a->to, &b->to)
        && a->classifications == b->classifications && a->tlp_max == b->tlp_max
        && same_providers(a, b) && a->effect == b->effect
        && memcmp(a->treatment, b->treatment, sizeof a->treatment) == 0
        && a->require_encrypted == b->require_encrypted && a->require_receipt == b->require_receipt
        && a->retention_days == b->retention_days && a->onward == b->onward
        && span_equal(a->note, b->note);
}

static const struct clause *
find_clause(const struct agreement *agreement, struct span id)
{
    for (size_t i = 0; i < agreement->clause_count; i++)
        if (span_equal(agreement->clauses[i].id, id))
            return &agreement->clauses[i];
    return NULL;
}

static void
tell_clauses(const struct telling *t, const struct agreement *a, const struct agreement *b)
{
    const struct span none = {"", 0};

    for (size_t i = 0; i < a->clause_count; i++) {
        const struct clause *other = find_clause(b, a->clauses[i].id);
        if (other == NULL)
            t->tell(t->ctx, "clause", a->clauses[i].id, none);
        else if (!same_clause(&a->clauses[i], other))
            t->tell(t->ctx, "clause", a->clauses[i].id, other->id);
    }
    for (size_t i = 0; i < b->clause_count; i++)
        if (find_clause(a, b->clauses[i].id) == NULL)
            t->tell(t->ctx, "clause", none, b->clauses[i].id);
}

void
document_diff(const struct agreement *before, const struct agreement *after,
    document_diff_tell *tell, void *ctx)
{
    static const char *const kinds[AGREEMENT_KIND_COUNT] = {
        "bilateral", "multilateral", "baseline", "law", "provider's conditions"};
    const struct telling t = {tell, ctx};
    char was[3];
    char is[3];

    tell_text(&t, "id", before->id, after->id);
    tell_text(&t, "title", before->title, after->title);
    tell_text(&t, "kind", span_of(kinds[before->kind]), span_of(kinds[after->kind]));
    economy_code(before->economy, was);
    economy_code(after->economy, is);
    tell_text(&t, "economy", span_of(was), span_of(is));
    tell_dates(&t, before, after);
    tell_parties(&t, before, after);
    tell_clauses(&t, before, after);
}
