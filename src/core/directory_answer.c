/* Core's answers about teams and agreements, as JSON. */
#include "core/cards.h"
#include "core/cards_answer.h"
#include "core/directory.h"
#include "core/state.h"
#include "core/told.h"
#include "flow/abroad.h"
#include "sys/clock.h"

#include <stdio.h>

enum { ANSWER_BYTES = CHANNEL_BODY_MAX, ENOUGH_BYTES = 2 << 20, PLACE_BYTES = 24 };

static bool
is_partner(const struct ask *ask)
{
    return ask->asker.kind == PRINCIPAL_PARTNER;
}

/* Where a list goes on: a position, as `next` said it. */
static int
take_next(struct span next, size_t *from, struct err *err)
{
    uint64_t value = 0;

    if (next.n > 0 && !span_u64(next, &value))
        return err_set_field(err, ERR_BAD_VALUE, "next", 4, "next: it is none that was given");
    *from = (size_t)value;
    return 0;
}

static void
add_next(struct buf *out, size_t at, size_t count)
{
    char text[PLACE_BYTES];

    buf_add_char(out, ']');
    (void)snprintf(text, sizeof text, "%zu", at);
    told_word(out, "next", at < count ? text : NULL);
    buf_add_char(out, '}');
}

static int
answer(struct core *core, const struct ask *ask, struct buf *out, int rc, struct err *err)
{
    if (rc == 0)
        rc = buf_check(out, "an answer", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(out), false, err);
    buf_free(out);
    return rc;
}

/* ---- teams ---- */

/* An object that its caller closes. */
static void
add_team(const struct cards_world *world, const struct team *team, bool card, struct buf *out)
{
    size_t at = 0;

    buf_add_char(out, '{');
    told_text(out, "id", team->id);
    told_text(out, "name", team->name);
    told_text(out, "full_name", team->full_name);
    told_text(out, "kind", team->kind);
    told_open(out, "economies", '[');
    for (size_t i = 0; i < team->economy_count; i++) {
        char code[3];
        economy_code(team->economies[i], code);
        told_item(out);
        told_value(out, span_of(code));
    }
    buf_add_char(out, ']');
    told_flag(out, "verified", team->verified);
    told_text(out, "word", team->word);
    told_word(out, "channel",
        team->channels.encrypted ? "encrypted"
            : team->channels.any ? "open"
                                 : "none");
    told_word(out, "key",
        team->word.n > 0                                                      ? "signed"
            : keyring_next(world->ring, team->id, world->now_us, &at) != NULL ? "known"
                                                                              : "none");
    told_text(out, "site", team->site);
    told_text(out, "source", team->source);
    told_open(out, "constituency", '{');
    told_number(out, "prefixes", team->prefix_count);
    told_number(out, "asns", team->asn_count);
    told_number(out, "domains", team->domain_count);
    buf_add_char(out, '}');
    if (card && team->card.n > 0) {
        told_name(out, "card");
        buf_add_span(out, team->card);
    }
}

static bool
team_matches(const struct team *team, struct span text, struct economy economy)
{
    bool of = economy.index == 0;

    for (size_t i = 0; !of && i < team->economy_count; i++)
        of = team->economies[i].index == economy.index;
    return of
        && (text.n == 0 || span_holds_nocase(team->id, text) || span_holds_nocase(team->name, text)
            || span_holds_nocase(team->full_name, text));
}

static void
add_teams(const struct cards_world *world, struct span text, struct economy economy, size_t from,
    uint32_t limit, struct buf *out)
{
    size_t count = roster_count(world->roster);
    size_t i = from;
    uint32_t added = 0;

    buf_add_char(out, '{');
    told_open(out, "items", '[');
    for (; i < count && added < limit && out->n < ENOUGH_BYTES; i++) {
        const struct team *team = roster_team(world->roster, (struct team_id){(uint32_t)i + 1});
        if (!team_matches(team, text, economy))
            continue;
        told_item(out);
        add_team(world, team, false, out);
        buf_add_char(out, '}');
        added++;
    }
    add_next(out, i, count);
}

int
core_teams(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct span text = wire_text(&ask->in);
    struct economy economy = {wire_u16(&ask->in)};
    uint32_t limit = wire_u32(&ask->in);
    struct span next = wire_text(&ask->in);
    struct cards_world world;
    struct err ignored;
    size_t from = 0;
    int rc = wire_end(&ask->in, "a question for teams", err);

    if (rc == 0)
        rc = take_next(next, &from, err);
    /* While a key's file cannot be read, what was known before is told. */
    (void)!cards_here(core, clock_now_us(), &world, &ignored);
    if (rc == 0)
        add_teams(&world, text, economy, from, limit, &out);
    return answer(core, ask, &out, rc, err);
}

int
core_team(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct span id = wire_text(&ask->in);
    struct team_id team = roster_find(core->roster, id);
    struct cards_world world;
    int rc = wire_end(&ask->in, "a question for a team", err);

    if (rc == 0 && team.index == 0)
        rc = err_set(err, ERR_NOT_FOUND, "no team has the id %.*s", SPAN_ARGS(id));
    if (rc == 0)
        rc = cards_here(core, clock_now_us(), &world, err);
    if (rc == 0) {
        add_team(&world, roster_team(core->roster, team), true, &out);
        if (!is_partner(ask))
            rc = cards_tell_team(core, ask->arena, roster_team(core->roster, team), &out, err);
        buf_add_char(&out, '}');
    }
    return answer(core, ask, &out, rc, err);
}

/* ---- agreements ---- */

static const char *const kinds[AGREEMENT_KIND_COUNT] = {
    [AGREEMENT_BILATERAL] = "bilateral",
    [AGREEMENT_MULTILATERAL] = "multilateral",
    [AGREEMENT_BASELINE] = "baseline",
    [AGREEMENT_LAW] = "law",
    [AGREEMENT_FEED] = "feed",
};

/* A partner sees what it is a party of, and what holds for everybody. */
static bool
may_see(const struct ask *ask, const struct agreement *a)
{
    return a->kind != AGREEMENT_FEED
        && (!is_partner(ask) || a->kind == AGREEMENT_BASELINE || a->kind == AGREEMENT_LAW
            || agreement_has_party(a, ask->asker.team));
}

static const char *
standing(const struct core *core, const struct agreement *a)
{
    const struct registry *registry = core->basis.registry;
    size_t i = registry == NULL ? 0 : registry_find(registry, a->id);
    int64_t now = clock_now_us();

    if (a->broken)
        return standing_words[STANDING_BROKEN];
    if (registry != NULL && i < registry->count)
        return standing_words[registry_standing(registry, i, now)];
    /* Of a folder that the operator named: who named it vouches in the signatures' stead. */
    struct agreement vouched = *a;
    vouched.signed_by_all = true;
    return standing_words[standing_at(&vouched, NULL, now)];
}

static const char *const marks[] = {"unchecked", "unknown-key", "good", "wrong"};

static void
add_signatures(struct buf *out, const struct agreement *a)
{
    told_open(out, "signatures", '[');
    for (size_t i = 0; i < a->signature_count; i++) {
        told_item(out);
        buf_add_char(out, '{');
        told_text(out, "party", a->signatures[i].party);
        told_text(out, "signed_at", a->signatures[i].signed_at);
        told_word(out, "is", marks[a->signatures[i].mark]);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void
directory_account_name(struct span hash, char out[DIRECTORY_ACCOUNT_BYTES])
{
    (void)snprintf(
        out, DIRECTORY_ACCOUNT_BYTES, "agreed.%.*s", (int)(hash.n > 64 ? 64 : hash.n), hash.p);
}

static int
add_event(struct buf *out, struct core *core, struct arena *arena,
    const struct journal_event *event, struct err *err)
{
    char hash[AGREEMENT_SIGN_HEX];
    char name[DIRECTORY_ACCOUNT_BYTES];
    struct span account;

    agreement_sign_digest(event->text, hash);
    directory_account_name(span_of(hash), name);
    int rc = store_get(core->store, arena, name, &account, err);
    if (rc != 0)
        return rc;
    told_item(out);
    buf_add_char(out, '{');
    told_word(out, "event", journal_words[event->type]);
    told_text(out, "team", journal_doer(event));
    told_text(out, "account", account);
    told_time(out, "time", event->time_us);
    told_time(out, "at", event->at_us);
    told_text(out, "reason", event->reason);
    buf_add_char(out, '}');
    return 0;
}

static int
add_abroad(struct buf *out, const struct core *core, struct arena *arena, const struct agreement *a,
    struct err *err)
{
    struct abroad *said;
    size_t count;
    int rc = abroad_read(arena, core->options.home, a->id, &said, &count, err);

    told_open(out, "abroad", '[');
    for (size_t i = 0; rc == 0 && i < count; i++) {
        told_item(out);
        buf_add_char(out, '{');
        told_text(out, "team", said[i].team);
        told_text(out, "standing", said[i].standing);
        told_number(out, "signatures", said[i].signatures);
        told_time(out, "since", said[i].time_us);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
    return rc;
}

/* Who signed, what happened, and how it stands elsewhere; for this node's people. */
static int
add_history(struct buf *out, struct core *core, struct arena *arena, const struct agreement *a,
    struct err *err)
{
    const struct registry *registry = core->basis.registry;
    size_t i = registry == NULL ? 0 : registry_find(registry, a->id);
    char digest[AGREEMENT_SIGN_HEX];
    int rc = 0;

    agreement_sign_digest(a->text, digest);
    told_word(out, "sha256", digest);
    add_signatures(out, a);
    told_open(out, "events", '[');
    if (registry != NULL && i < registry->count)
        for (const struct journal_event *e = registry->events[i]; rc == 0 && e != NULL; e = e->next)
            rc = add_event(out, core, arena, e, err);
    buf_add_char(out, ']');
    return rc == 0 ? add_abroad(out, core, arena, a, err) : rc;
}

/* An object that its caller closes. */
static void
add_agreement(struct buf *out, const struct core *core, const struct agreement *a)
{
    buf_add_char(out, '{');
    told_text(out, "id", a->id);
    told_text(out, "title", a->title);
    told_word(out, "kind", kinds[a->kind]);
    told_open(out, "parties", '[');
    for (size_t i = 0; i < a->party_count; i++) {
        told_item(out);
        told_value(out, a->parties[i]);
    }
    buf_add_char(out, ']');
    told_time(out, "valid_from", a->valid_from_us);
    told_time(out, "valid_until", a->valid_until_us == INT64_MAX ? 0 : a->valid_until_us);
    told_word(out, "standing", standing(core, a));
    told_flag(out, "signed_by_all", a->signed_by_all);
    told_text(out, "why", a->why);
    told_number(out, "clauses", a->clause_count);
}

/* What is judged by, then what waits in the register for signatures; NULL: no more. */
static const struct agreement *
nth(const struct core *core, size_t n)
{
    const struct agreement_set *set = &core->basis.agreements;
    const struct registry *registry = core->basis.registry;

    if (n < set->count)
        return &set->agreements[n];
    n -= set->count;
    for (size_t i = 0; registry != NULL && i < registry->count; i++)
        if (!registry->agreements[i].broken && !registry->agreements[i].signed_by_all && n-- == 0)
            return &registry->agreements[i];
    return NULL;
}

/* How many nth() knows. */
static size_t
count_all(const struct core *core)
{
    const struct registry *registry = core->basis.registry;
    size_t count = core->basis.agreements.count;

    for (size_t i = 0; registry != NULL && i < registry->count; i++)
        count += !registry->agreements[i].broken && !registry->agreements[i].signed_by_all;
    return count;
}

static void
add_agreements(const struct core *core, const struct ask *ask, struct span team, size_t from,
    uint32_t limit, struct buf *out)
{
    /* What waits is between those who propose and this team. */
    size_t count = is_partner(ask) ? core->basis.agreements.count : count_all(core);
    size_t i = from;
    uint32_t added = 0;

    buf_add_char(out, '{');
    told_open(out, "items", '[');
    for (; i < count && added < limit && out->n < ENOUGH_BYTES; i++) {
        const struct agreement *a = nth(core, i);
        if (!may_see(ask, a) || (team.n > 0 && !agreement_has_party(a, team)))
            continue;
        told_item(out);
        add_agreement(out, core, a);
        buf_add_char(out, '}');
        added++;
    }
    add_next(out, i, count);
}

int
core_agreements(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct span team = wire_text(&ask->in);
    uint32_t limit = wire_u32(&ask->in);
    struct span next = wire_text(&ask->in);
    size_t from = 0;
    int rc = wire_end(&ask->in, "a question for agreements", err);

    if (rc == 0)
        rc = take_next(next, &from, err);
    if (rc == 0)
        add_agreements(core, ask, team, from, limit, &out);
    return answer(core, ask, &out, rc, err);
}

/* NULL: there is none, or ASK's partner may not know of it. */
static const struct agreement *
find(const struct core *core, const struct ask *ask, struct span id)
{
    size_t count = ask != NULL && is_partner(ask) ? core->basis.agreements.count : count_all(core);

    for (size_t i = 0; i < count; i++) {
        const struct agreement *a = nth(core, i);
        if (span_equal(a->id, id) && (ask == NULL || may_see(ask, a)))
            return a;
    }
    return NULL;
}

int
core_agreement(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct span id = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for an agreement", err);
    const struct agreement *a = find(core, ask, id);

    if (rc == 0 && a == NULL)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such agreement");
    if (rc == 0) {
        add_agreement(&out, core, a);
        rc = is_partner(ask) ? 0 : add_history(&out, core, ask->arena, a, err);
    }
    if (rc == 0 && a->text.n > 0) {
        told_name(&out, "document");
        buf_add_span(&out, a->text);
    }
    buf_add_char(&out, '}');
    return answer(core, ask, &out, rc, err);
}

const struct agreement *
directory_find_agreement(const struct core *core, struct span id)
{
    return find(core, NULL, id);
}

int
directory_tell_agreement(
    struct core *core, struct arena *arena, struct span id, struct buf *out, struct err *err)
{
    const struct agreement *a = find(core, NULL, id);

    if (a == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no such agreement");
    add_agreement(out, core, a);
    int rc = add_history(out, core, arena, a, err);
    buf_add_char(out, '}');
    return rc;
}
