#include "core/directory.h"
#include "base/hash.h"
#include "core/collections.h"
#include "core/state.h"
#include "fmt/json.h"
#include "fmt/stix_check.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHOWN_BYTES = 1 << 20, /* objects that are appended at once */
    NAME_BYTES = 256,
    EVENTS_SHOWN = 200, /* of an agreement: the own team's, and as many of others */
    SHOWN_MAX = 400000
};
#define DEFINED "2026-01-01T00:00:00.000Z"

/* Definitions of what cards and agreements are as STIX. */
static const char definitions[] =
    "{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" STIX_COMITY_CARD
    "\",\"created_by_ref\":\"" STIX_COMITY_IDENTITY "\",\"created\":\"" DEFINED
    "\",\"modified\":\"" DEFINED
    "\",\"name\":\"CSIRT card\",\"description\":\"A team's card with the contents of RFC 2350, "
    "beside its identity.\",\"schema\":\"team-card.md, in doc of Comity\",\"version\":\"1.0.0\","
    "\"extension_types\":[\"property-extension\"]},"
    "{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" STIX_COMITY_AGREEMENT
    "\",\"created_by_ref\":\"" STIX_COMITY_IDENTITY "\",\"created\":\"" DEFINED
    "\",\"modified\":\"" DEFINED
    "\",\"name\":\"CSIRT agreement\",\"description\":\"What teams agreed to tell one another.\","
    "\"schema\":\"agreement.json, in share/schema of Comity\",\"version\":\"1.0.0\","
    "\"extension_types\":[\"new-sdo\"]}";

/* One round of showing what is known. */
struct showing {
    struct core *core;
    int64_t now_us;
    struct table *seen; /* documents that were shown in this round */
    struct arena *arena;
    struct buf text; /* objects for the collection TO */
    uint32_t to;
    int rc;
    struct err *err;
};

static void
flush(struct showing *s)
{
    if (s->text.n > 0 && s->rc == 0) {
        buf_add_char(&s->text, ']');
        s->rc = buf_check(&s->text, "objects of the directory", s->err);
        if (s->rc == 0)
            s->rc = collections_append_json(
                s->core->collections, s->to, buf_span(&s->text), s->now_us, s->err);
    }
    s->text.n = 0;
}

/* REST: the object's members behind `modified`. */
static void
append(struct showing *s, uint32_t to, struct span id, struct span rest, bool revoked)
{
    const char *end = memchr(id.p, '-', id.n);

    if (to != s->to || s->text.n > SHOWN_BYTES)
        flush(s);
    s->to = to;
    while (end != NULL && end[1] != '-')
        end = memchr(end + 1, '-', id.n - (size_t)(end + 1 - id.p));
    size_t type = end == NULL ? 0 : (size_t)(end - id.p);
    buf_format(&s->text, "%s{\"type\":\"%.*s\",\"spec_version\":\"2.1\",\"id\":\"%.*s\",",
        s->text.n == 0 ? "[" : ",", (int)type, id.p, (int)id.n, id.p);
    buf_add_text(&s->text, "\"created\":\"" DEFINED "\",\"modified\":\"");
    stix_check_add_time(&s->text, s->now_us);
    buf_add_text(&s->text, revoked ? "\",\"revoked\":true," : "\",");
    buf_add_span(&s->text, rest);
    buf_add_char(&s->text, '}');
}

/* What was shown stands in the store's documents, so that only changes become versions. */
static void
show(struct showing *s, uint32_t to, struct span id, struct span rest)
{
    char name[NAME_BYTES];
    int n = snprintf(name, sizeof name, "%u %.*s", to, (int)(id.n > 150 ? 150 : id.n), id.p);
    const char *key = arena_copy(s->arena, name, (size_t)n);
    struct store_document document = {SPAN("shown"), {key, (size_t)n}, s->now_us, rest};
    uint32_t index;
    bool new = false;

    if (s->rc == 0 && key == NULL)
        s->rc = arena_full(s->err, "the directory");
    if (s->rc == 0)
        s->rc = table_add(s->seen, document.id, &index, s->err);
    if (s->rc == 0)
        s->rc = store_document_put(s->core->store, &document, &new, s->err);
    if (s->rc == 0 && new)
        append(s, to, id, rest, false);
}

/* ---- cards ---- */

static void
add_text(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    buf_format(out, "\"%s\":", name);
    json_add_string(out, text);
    buf_add_char(out, ',');
}

static void
add_marking(struct buf *out, enum tlp tlp)
{
    buf_format(out, "\"object_marking_refs\":[\"%s\"],", stix_words_marking(tlp));
}

static void
show_card(struct showing *s, uint32_t to, const struct team *team)
{
    struct buf rest = buf_new(PAGE_OBJECT_MAX / 2);
    struct stix_id id;

    stix_id_make(&id, "identity", STIX_ID_OWN, team->id);
    add_text(&rest, "name", team->name);
    add_text(&rest, "description", team->full_name);
    add_text(&rest, "contact_information", team->site);
    buf_add_text(&rest, "\"identity_class\":\"organization\",");
    add_marking(&rest, TLP_GREEN);
    buf_add_text(&rest,
        "\"extensions\":{\"" STIX_COMITY_CARD
        "\":{\"extension_type\":\"property-extension\",\"card\":");
    buf_add_span(&rest, team->card);
    buf_add_text(&rest, "}}");
    if (s->rc == 0)
        s->rc = buf_check(&rest, "a team's card", s->err);
    show(s, to, (struct span){id.text, id.n}, buf_span(&rest));
    buf_free(&rest);
}

/* ---- agreements ---- */

static void
agreement_id(const struct agreement *a, struct stix_id *id)
{
    static const char prefix[] = "urn:uuid:";
    size_t n = sizeof prefix - 1;

    stix_id_make(id, "csirt-agreement", STIX_ID_OWN, a->id);
    if (a->id.n == n + STIX_UUID_BYTES && span_starts(a->id, span_of(prefix)))
        memcpy(id->text + id->n - STIX_UUID_BYTES, a->id.p + n, STIX_UUID_BYTES);
}

static const char *
standing_of(const struct showing *s, const struct agreement *a)
{
    const struct registry *registry = s->core->basis.registry;
    size_t i = registry == NULL ? 0 : registry_find(registry, a->id);

    if (registry != NULL && i < registry->count)
        return standing_words[registry_standing(registry, i, s->now_us)];
    return standing_words[standing_at(a, NULL, s->now_us)];
}

/* Whose it is, if it is an event that others are shown; n 0: it is none. Proposals and signatures
 * are seen in the document. */
static struct span
shown_doer(const struct journal_event *event)
{
    if (event->told.n > 0)
        return event->party;
    return event->party.n == 0 && event->type != JOURNAL_PROPOSED && event->type != JOURNAL_SIGNED
        ? event->by
        : (struct span){"", 0};
}

/* Of each party the newest: the own team's EVENTS_SHOWN, and as many of all the others. */
struct events_shown {
    const struct agreement *a;
    size_t own;   /* party */
    size_t *left; /* by party: how many are still to come */
    size_t each;  /* of each other party at most */
    size_t others;
};

/* a->party_count: it is none. */
static size_t
party_at(const struct agreement *a, struct span team)
{
    size_t i = 0;

    while (i < a->party_count && (team.n == 0 || !span_equal(a->parties[i], team)))
        i++;
    return i;
}

static bool
count_events(struct events_shown *shown, const struct journal_event *events)
{
    bool any = false;

    for (const struct journal_event *e = events; e != NULL; e = e->next) {
        size_t i = party_at(shown->a, shown_doer(e));
        if (i == shown->a->party_count)
            continue;
        any = true;
        if (shown->left[i]++ < shown->each && i != shown->own)
            shown->others++;
    }
    return any;
}

static bool
takes_event(struct events_shown *shown, const struct journal_event *e)
{
    size_t i = party_at(shown->a, shown_doer(e));

    if (i == shown->a->party_count)
        return false;
    if (i == shown->own)
        return shown->left[i]-- <= EVENTS_SHOWN;
    return shown->left[i]-- <= shown->each && shown->others-- <= EVENTS_SHOWN;
}

/* What was done to it since, by this team and by the others as far as it was told: each line stands
 * alone, and who exchanges with one party alone hears of all of them. */
static void
add_events(struct showing *s, struct buf *out, const struct agreement *a,
    const struct journal_event *events)
{
    struct events_shown shown = {.a = a,
        .own = party_at(
            a, span_of(s->core->basis.registry == NULL ? "" : s->core->basis.registry->team)),
        .left = arena_zalloc(s->arena, a->party_count + 1, sizeof *shown.left),
        .each = EVENTS_SHOWN / (a->party_count + 1) + 1};
    const char *before = "";

    if (shown.left == NULL && s->rc == 0)
        s->rc = arena_full(s->err, "an agreement's events");
    if (s->rc != 0 || !count_events(&shown, events))
        return; /* an empty list is none (STIX 2.1, section 2.12) */
    buf_add_text(out, ",\"events\":[");
    for (const struct journal_event *e = events; e != NULL; e = e->next) {
        if (!takes_event(&shown, e))
            continue;
        buf_add_text(out, before);
        buf_add_span(out, e->told.n > 0 ? e->told : e->text);
        before = ",";
    }
    buf_add_char(out, ']');
}

/* The object's members behind `modified`. False: it cannot be shown. */
static bool
tell_agreement(struct showing *s, struct buf *rest, const struct agreement *a,
    const struct journal_event *events, enum tlp tlp)
{
    add_text(rest, "name", a->title);
    add_text(rest, "standing", span_of(standing_of(s, a)));
    add_marking(rest, tlp);
    buf_add_text(rest, "\"agreement\":");
    int rc = agreement_sign_document(a, rest, s->err);
    add_events(s, rest, a, events);
    buf_add_text(
        rest, ",\"extensions\":{\"" STIX_COMITY_AGREEMENT "\":{\"extension_type\":\"new-sdo\"}}");
    if (rc == ERR_LIMIT || rest->full)
        core_tell(s->core,
            "the agreement %.*s is too long to be shown to partners: send it to them",
            SPAN_ARGS(a->id));
    else if (s->rc == 0)
        s->rc = rc;
    return s->rc == 0 && rc == 0 && !rest->full;
}

static void
show_to_all(struct showing *s, uint32_t directory, const struct agreement *a)
{
    struct buf rest = buf_new(PAGE_OBJECT_MAX);
    struct stix_id id;

    agreement_id(a, &id);
    if (tell_agreement(s, &rest, a, NULL, TLP_GREEN))
        show(s, directory, (struct span){id.text, id.n}, buf_span(&rest));
    buf_free(&rest);
}

static void
show_to_party(struct showing *s, struct span party, struct span id, struct span rest)
{
    struct team_id team = roster_find(s->core->roster, party);
    uint32_t number;
    uint32_t to;

    if (team.index == 0 || team.index == s->core->team.index)
        return;
    s->rc = knowledge_team_number(s->core, team, &number, s->err);
    if (s->rc == 0)
        s->rc = collections_of_team(s->core->collections, number, s->now_us, &to, s->err);
    if (s->rc == 0)
        show(s, to, id, rest);
}

/* To its parties, each in its own collection: who has agreed with whom is theirs to tell. */
static void
show_to_parties(struct showing *s, const struct agreement *a, const struct journal_event *events)
{
    struct buf rest = buf_new(PAGE_OBJECT_MAX);
    struct stix_id id;

    agreement_id(a, &id);
    bool told = tell_agreement(s, &rest, a, events, TLP_AMBER);
    for (size_t i = 0; told && s->rc == 0 && i < a->party_count; i++)
        show_to_party(s, a->parties[i], (struct span){id.text, id.n}, buf_span(&rest));
    buf_free(&rest);
}

/* What the own team signed, or refused: that others proposed something is theirs to show. */
static bool
is_shown(const struct registry *registry, size_t i)
{
    const struct agreement *a = &registry->agreements[i];
    struct span own = span_of(registry->team);

    if (a->broken || a->party_count == 0)
        return false;
    for (const struct journal_event *e = registry->events[i]; e != NULL; e = e->next)
        if (e->type == JOURNAL_REFUSED && e->party.n == 0)
            return true;
    return agreement_sign_has(a, own);
}

static void
show_agreements(struct showing *s, uint32_t directory)
{
    const struct agreement_set *set = &s->core->basis.agreements;
    const struct registry *registry = s->core->basis.registry;

    for (size_t i = 0; s->rc == 0 && i < set->count; i++) {
        const struct agreement *a = &set->agreements[i];
        if (a->broken || a->kind == AGREEMENT_FEED || a->text.n == 0)
            continue;
        if (a->kind == AGREEMENT_BASELINE || a->kind == AGREEMENT_LAW)
            show_to_all(s, directory, a);
        else if (registry == NULL)
            show_to_parties(s, a, NULL);
    }
    for (size_t i = 0; registry != NULL && s->rc == 0 && i < registry->count; i++)
        if (is_shown(registry, i))
            show_to_parties(s, &registry->agreements[i], registry->events[i]);
}

/* ---- what is gone ---- */

static void
revoke(struct showing *s, const struct store_document *document)
{
    struct store_document gone = {document->kind, document->id, s->now_us, SPAN("-")};
    struct span id = document->id;
    struct span number;
    uint64_t to;
    bool new;

    if (!span_next(&id, ' ', &number) || !span_u64(number, &to))
        return;
    s->rc = store_document_put(s->core->store, &gone, &new, s->err);
    if (s->rc == 0)
        append(s, (uint32_t)to, id, document->text, true);
}

static void
revoke_gone(struct showing *s)
{
    struct store_document *list;
    size_t count = 0;

    if (s->rc == 0)
        s->rc = store_documents(s->core->store, s->arena, SPAN("shown"), &list, &count, s->err);
    for (size_t i = 0; s->rc == 0 && i < count; i++)
        if (!span_equal(list[i].text, SPAN("-")) && table_find(s->seen, list[i].id) < 0)
            revoke(s, &list[i]);
}

/* ---- all of it ---- */

static void
show_all(struct showing *s)
{
    uint32_t directory = collections_the(s->core->collections, COLLECTION_DIRECTORY);

    for (uint32_t i = 1; s->rc == 0 && i <= roster_count(s->core->roster); i++) {
        const struct team *team = roster_team(s->core->roster, (struct team_id){i});
        if (team->card.n > 0)
            show_card(s, directory, team);
    }
    show_agreements(s, directory);
    revoke_gone(s);
    flush(s);
}

int
directory_show(struct core *core, struct err *err)
{
    struct showing s = {.core = core, .now_us = clock_now_us(), .err = err};

    if (core->collections == NULL)
        return 0;
    s.seen = table_new(SHOWN_MAX);
    s.arena = arena_new((size_t)256 << 20);
    s.text = buf_new(4 * SHOWN_BYTES);
    if (s.seen == NULL || s.arena == NULL)
        s.rc = err_set(err, ERR_NO_MEMORY, "no memory to show the directory");
    else
        show_all(&s);
    buf_free(&s.text);
    arena_free(s.arena);
    table_free(s.seen);
    return s.rc;
}

/* The definitions are there once, in front of what refers to them. */
static int
show_definitions(struct core *core, struct err *err)
{
    const struct store_document document = {
        SPAN("definitions"), SPAN("directory"), clock_now_us(), span_of(definitions)};
    struct buf text = buf_new(sizeof definitions + 16);
    bool new = false;
    int rc = store_document_put(core->store, &document, &new, err);

    buf_format(&text, "[%s]", definitions);
    if (rc == 0 && new)
        rc = collections_append_json(core->collections,
            collections_the(core->collections, COLLECTION_DIRECTORY), buf_span(&text),
            clock_now_us(), err);
    buf_free(&text);
    return rc;
}

int
directory_open(struct core *core, struct err *err)
{
    struct span origin = knowledge_own_id(core);
    int rc = core_begin(core, err);

    if (rc == 0)
        rc = collections_open(
            core->store, span_of(core->node_id), origin, clock_now_us(), &core->collections, err);
    if (rc == 0)
        rc = show_definitions(core, err);
    return rc == 0 ? directory_show(core, err) : rc;
}

int
directory_know(struct core *core, struct span team, struct err *err)
{
    struct team_id id = roster_find(core->roster, team);
    uint32_t number;
    uint32_t collection;
    struct asker asker = {.kind = PRINCIPAL_PARTNER, .team = team};

    if (id.index == 0 || collections_has_team(core->collections, &asker))
        return 0;
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = knowledge_team_number(core, id, &number, err);
    return rc == 0
        ? collections_of_team(core->collections, number, clock_now_us(), &collection, err)
        : rc;
}

struct span
directory_owner(void *ctx, struct span identity)
{
    const struct core *core = ctx;
    struct stix_id id;

    for (uint32_t i = 1; i <= roster_count(core->roster); i++) {
        const struct team *team = roster_team(core->roster, (struct team_id){i});
        stix_id_make(&id, "identity", STIX_ID_OWN, team->id);
        if (span_equal_nocase(identity, (struct span){id.text, id.n}))
            return team->id;
    }
    return (struct span){NULL, 0};
}
