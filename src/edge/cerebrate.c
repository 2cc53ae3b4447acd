/* The directory as a Cerebrate shows it: teams are organisations, agreements sharing groups. */
#include "base/hash.h"
#include "edge/ask.h"
#include "edge/misp.h"
#include "fmt/json.h"
#include "fmt/stix_id.h"

#include <stdlib.h>

enum { ANSWER_MAX = 32 << 20, PARSED_MAX = 8 << 20, LIMIT = 1000, NEXT_BYTES = 64 };

/* Cerebrate numbers what it has; here the number follows from the UUID. */
static uint32_t
number_of(const char uuid[STIX_UUID_BYTES])
{
    return (uint32_t)(hash_bytes(uuid, STIX_UUID_BYTES, 0) & 0x7fffffff);
}

struct organisation {
    struct span id; /* the team's */
    struct span name;
    struct span economy;
    struct span kind;
    char uuid[STIX_UUID_BYTES];
};
struct group {
    struct span id;
    struct span title;
    struct span standing;
    struct span *parties;
    size_t party_count;
    char uuid[STIX_UUID_BYTES];
};

struct shown {
    bool groups;         /* sharing groups are wanted, else organisations */
    struct span one;     /* the number or UUID that was asked for; n 0: all */
    struct arena *arena; /* outlives core's answers */
    struct json *json;
    struct organisation *organisations;
    struct group *list;
    size_t organisation_count;
    size_t organisation_room;
    size_t count;
    size_t room;
    char next[NEXT_BYTES];
};

static void
shown_free(void *ctx)
{
    struct shown *s = ctx;

    arena_free(s->arena);
    json_free(s->json);
    free(s->organisations);
    free(s->list);
    free(s);
}

/* ---- what core tells ---- */

static struct span
text_of(struct shown *s, struct json_value item, const char *name)
{
    struct json_value v;
    struct span text;

    if (!json_get(item, name, &v) || json_type(v) != JSON_STRING)
        return (struct span){"", 0};
    text = json_string(v);
    const char *copy = arena_copy(s->arena, text.p, text.n);
    return copy == NULL ? (struct span){"", 0} : (struct span){copy, text.n};
}

static bool
grow(void **list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    void *grown = realloc(*list, (*room + 1024) * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *room += 1024;
    return true;
}

static bool
add_organisation(struct shown *s, struct json_value item)
{
    struct json_value economies;
    struct json_value first;
    struct span key;

    if (!grow((void **)&s->organisations, s->organisation_count, &s->organisation_room,
            sizeof *s->organisations))
        return false;
    struct organisation *o = &s->organisations[s->organisation_count++];
    *o = (struct organisation){.id = text_of(s, item, "id"),
        .name = text_of(s, item, "name"),
        .kind = text_of(s, item, "kind")};
    stix_id_uuid(STIX_ID_OWN, o->id, o->uuid);
    if (json_get(item, "economies", &economies) && json_type(economies) == JSON_ARRAY) {
        struct json_iter it = json_iter(economies);
        if (json_next(&it, &key, &first) && json_type(first) == JSON_STRING) {
            struct span code = json_string(first);
            o->economy = (struct span){arena_copy(s->arena, code.p, code.n), code.n};
        }
    }
    return true;
}

static void
take_parties(struct shown *s, struct json_value item, struct group *g)
{
    struct json_value list;
    struct json_value party;
    struct span key;
    size_t n = 0;

    if (!json_get(item, "parties", &list) || json_type(list) != JSON_ARRAY)
        return;
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &party);)
        n++;
    g->parties = arena_zalloc(s->arena, n + 1, sizeof *g->parties);
    if (g->parties == NULL)
        return;
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &party);)
        if (json_type(party) == JSON_STRING) {
            struct span text = json_string(party);
            const char *copy = arena_copy(s->arena, text.p, text.n);
            g->parties[g->party_count++] = (struct span){copy, copy == NULL ? 0 : text.n};
        }
}

static bool
add_group(struct shown *s, struct json_value item)
{
    if (!grow((void **)&s->list, s->count, &s->room, sizeof *s->list))
        return false;
    struct group *g = &s->list[s->count++];
    *g = (struct group){.id = text_of(s, item, "id"),
        .title = text_of(s, item, "title"),
        .standing = text_of(s, item, "standing")};
    take_parties(s, item, g);
    if (g->party_count == 0)
        s->count--; /* laws and baselines are nobody's group */
    stix_id_uuid(STIX_ID_OWN, g->id, g->uuid);
    if (g->id.n == 9 + STIX_UUID_BYTES && span_starts(g->id, SPAN("urn:uuid:")))
        memcpy(g->uuid, g->id.p + 9, STIX_UUID_BYTES);
    return true;
}

/* ---- what is answered ---- */

static void
add_text(struct buf *out, const char *name, struct span text)
{
    buf_format(out, ",\"%s\":", name);
    json_add_string(out, text);
}

static void
open_object(struct buf *out, const char uuid[STIX_UUID_BYTES])
{
    buf_format(out, "{\"id\":%u,\"uuid\":\"%.*s\"", number_of(uuid), STIX_UUID_BYTES, uuid);
}

static void
put_organisation(struct buf *out, const struct organisation *o, bool member)
{
    open_object(out, o->uuid);
    add_text(out, "name", o->name.n > 0 ? o->name : o->id);
    add_text(out, "nationality", o->economy);
    add_text(out, "sector", SPAN("CSIRT"));
    add_text(out, "type", o->kind);
    if (member)
        buf_add_text(out, ",\"_joinData\":{\"extend\":false}");
    buf_add_char(out, '}');
}

static const struct organisation *
find_organisation(const struct shown *s, struct span team)
{
    for (size_t i = 0; i < s->organisation_count; i++)
        if (span_equal(s->organisations[i].id, team))
            return &s->organisations[i];
    return NULL;
}

static void
put_group(struct buf *out, const struct shown *s, const struct group *g)
{
    bool first = true;
    const struct organisation *owner = NULL;

    open_object(out, g->uuid);
    add_text(out, "name", g->title.n > 0 ? g->title : g->id);
    add_text(out, "releasability", SPAN("The parties of the agreement"));
    add_text(out, "description", g->standing);
    buf_format(out, ",\"active\":%s", span_equal(g->standing, SPAN("in force")) ? "true" : "false");
    buf_add_text(out, ",\"sharing_group_orgs\":[");
    for (size_t i = 0; i < g->party_count; i++) {
        const struct organisation *o = find_organisation(s, g->parties[i]);
        if (o == NULL)
            continue;
        buf_add_text(out, first ? "" : ",");
        first = false;
        put_organisation(out, o, true);
        owner = owner == NULL ? o : owner;
    }
    buf_add_char(out, ']');
    if (owner != NULL) {
        buf_add_text(out, ",\"organisation\":");
        put_organisation(out, owner, false);
    }
    buf_add_char(out, '}');
}

static bool
is_wanted(const struct shown *s, const char uuid[STIX_UUID_BYTES])
{
    uint64_t number;

    if (s->one.n == 0 || span_equal_nocase(s->one, (struct span){uuid, STIX_UUID_BYTES}))
        return true;
    return span_u64(s->one, &number) && number == number_of(uuid);
}

static int
answer(struct request *request, struct shown *s, struct err *err)
{
    struct buf out = buf_new(ANSWER_MAX);
    size_t count = 0;

    buf_add_text(&out, s->one.n == 0 ? "[" : "");
    for (size_t i = 0; i < (s->groups ? s->count : s->organisation_count); i++) {
        if (!is_wanted(s, s->groups ? s->list[i].uuid : s->organisations[i].uuid))
            continue;
        buf_add_text(&out, count++ == 0 ? "" : ",");
        if (s->groups)
            put_group(&out, s, &s->list[i]);
        else
            put_organisation(&out, &s->organisations[i], false);
        if (s->one.n > 0)
            break;
    }
    buf_add_text(&out, s->one.n == 0 ? "]" : "");
    int rc = buf_check(&out, "the directory", err);
    if (rc == 0 && s->one.n > 0 && count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "the directory has no such entry");
    if (rc == 0)
        return request_answer_owned(request, 200, "application/json", &out, err);
    buf_free(&out);
    return rc;
}

/* ---- asking ---- */

static int ask_some(struct request *request, struct shown *s, bool groups, struct err *err);

static int
take_list(struct shown *s, struct span body, bool groups, struct err *err)
{
    struct json_value root;
    struct json_value items;
    struct json_value item;
    struct span key;
    int rc = json_parse_copy(s->json, body, &root, err);

    s->next[0] = '\0';
    if (rc != 0 || !json_get(root, "items", &items) || json_type(items) != JSON_ARRAY)
        return rc != 0 ? rc : err_set(err, ERR_INTERNAL, "core's answer has no items");
    for (struct json_iter it = json_iter(items); json_next(&it, &key, &item);)
        if (!(groups ? add_group(s, item) : add_organisation(s, item)))
            return err_set(err, ERR_NO_MEMORY, "no memory for the directory");
    struct span next = text_of(s, root, "next");
    if (next.n > 0 && next.n < sizeof s->next) {
        memcpy(s->next, next.p, next.n);
        s->next[next.n] = '\0';
    }
    return 0;
}

static int
take(struct request *request, struct shown *s, struct span body, bool groups, struct err *err)
{
    int rc = take_list(s, body, groups, err);
    if (rc != 0)
        return rc;
    if (s->next[0] != '\0')
        return ask_some(request, s, groups, err);
    return s->groups && !groups ? ask_some(request, s, true, err) : answer(request, s, err);
}

static int
on_teams(struct request *request, void *ctx, struct span body, struct err *err)
{
    return take(request, ctx, body, false, err);
}

static int
on_agreements(struct request *request, void *ctx, struct span body, struct err *err)
{
    return take(request, ctx, body, true, err);
}

/* As tables/inputs.def has the two questions. */
static int
ask_some(struct request *request, struct shown *s, bool groups, struct err *err)
{
    struct buf question = buf_new(256);

    wire_add_text(&question, SPAN(""));
    if (!groups)
        wire_add_u16(&question, 0);
    wire_add_u32(&question, LIMIT);
    wire_add_text(&question, span_of(s->next));
    s->next[0] = '\0';
    int rc = ask_whole(request, groups ? MESSAGE_AGREEMENTS : MESSAGE_TEAMS, buf_span(&question),
        groups ? on_agreements : on_teams, s, err);
    buf_free(&question);
    return rc;
}

static int
show(struct request *request, bool groups, struct err *err)
{
    struct shown *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the directory");
    s->groups = groups;
    s->one = request_segment(request, "id");
    s->arena = arena_new(ANSWER_MAX);
    s->json = json_new(PARSED_MAX);
    int rc = s->arena == NULL || s->json == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory for the directory")
        : request_on_end(request, shown_free, s, err);
    if (rc != 0) {
        shown_free(s);
        return rc;
    }
    return ask_some(request, s, false, err);
}

static int
organisations(struct request *request, struct err *err)
{
    return show(request, false, err);
}

static int
groups(struct request *request, struct err *err)
{
    return show(request, true, err);
}

static const struct route organisation_routes[] = {
    {"GET", "/organisations/index", BODY_NONE, 0, true, organisations},
    {"GET", "/organisations/view/{id}", BODY_NONE, 0, true, organisations},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
static const struct route group_routes[] = {
    {"GET", "/sharingGroups/index", BODY_NONE, 0, true, groups},
    {"GET", "/sharingGroups/view/{id}", BODY_NONE, 0, true, groups},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
const struct route_family cerebrate_organisations_family = {
    "cerebrate", "/organisations/", organisation_routes, NULL, false};
const struct route_family cerebrate_groups_family = {
    "cerebrate", "/sharingGroups/", group_routes, NULL, false};
