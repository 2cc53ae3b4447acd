#include "core/peers.h"

#include "base/log.h"
#include "base/time.h"
#include "core/auth.h"
#include "core/directory.h"
#include "core/links_told.h"
#include "core/node.h"
#include "core/told.h"
#include "flow/cards.h"
#include "fmt/json.h"
#include "sys/clock.h"

#include <stdio.h>

enum { ANSWER_BYTES = 64 * 1024 * 1024, CARD_BYTES = 256 * 1024, NOT_GIVEN = 2 };

/* What was said of a node, and what it is to be. */
struct adding {
    struct core *core;
    struct span team;
    struct span url;
    struct span pin;
    char pin_text[LINK_PIN_BYTES];
    uint8_t wanted[STORE_LINK_WAYS]; /* 0, 1, NOT_GIVEN */
    int64_t card_us;                 /* as struct store_link has it */
    bool is_signed;                  /* the card is the team's own word */
    struct span by;                  /* the operator; n 0: the node said so itself */
    const struct store_link *was;    /* NULL: a new one */
    struct store_principal account;
    char name[PEOPLE_NAME_BYTES + 8];
};

static int
bad(struct err *err, enum err_code code, const char *field, const char *words)
{
    return err_set_field(err, code, field, strlen(field), "%s", words);
}

static struct span
text_of(struct json_value object, const char *name)
{
    struct json_value value;

    return json_get(object, name, &value) && json_type(value) == JSON_STRING
        ? json_string(value)
        : (struct span){NULL, 0};
}

/* ---- what was said ---- */

static void
tidy(struct adding *a)
{
    if (a->url.n > 0 && a->url.p[a->url.n - 1] == '/')
        a->url.n--;
    for (size_t i = 0; i < a->pin.n && i < sizeof a->pin_text; i++)
        a->pin_text[i] =
            (char)(a->pin.p[i] | (a->pin.p[i] >= 'A' && a->pin.p[i] <= 'F' ? 0x20 : 0));
    if (a->pin.n <= sizeof a->pin_text)
        a->pin.p = a->pin_text;
}

/* Is the card signed, and so the team's own word? Then *VERSION_US is which one. */
static bool
is_signed(struct json_value card, int64_t *version_us)
{
    struct json_value signature;

    return json_get(card, "signature", &signature)
        && time_parse(text_of(card, "version"), version_us, NULL) == 0;
}

static void
take_node(struct adding *a, struct json_value card)
{
    bool said = a->url.n > 0 || a->pin.n > 0;
    struct json_value node;

    if (json_get(card, "node", &node) && json_type(node) == JSON_OBJECT) {
        if (a->url.n == 0)
            a->url = text_of(node, "url");
        if (a->pin.n == 0)
            a->pin = text_of(node, "certificate");
    }
    a->is_signed = is_signed(card, &a->card_us);
    if (said || !a->is_signed)
        a->card_us = INT64_MAX;
}

/* What stands in the card counts where nothing else was said. */
static int
take_card(struct adding *a, struct json *parser, struct span card, struct err *err)
{
    struct json_value root;
    int rc = json_parse_copy(parser, card, &root, err);

    if (rc != 0 || json_type(root) != JSON_OBJECT)
        return bad(err, ERR_BAD_CONFIG, "card", "it must be a team card, a JSON object");
    a->team = text_of(root, "id");
    take_node(a, root);
    tidy(a);
    a->was = links_by_id(a->core, a->team);
    return people_is_name(a->team)
        ? 0
        : bad(err, ERR_BAD_CONFIG, "card", "the card has no \"id\", a team's");
}

static int
check_node(const struct adding *a, struct err *err)
{
    if (a->url.n == 0)
        return bad(err, ERR_MISSING_FIELD, "url",
            "the card names no node: say where its partners' door is, https://host:port");
    if (!link_url_is(a->url))
        return bad(err, ERR_BAD_VALUE, "url",
            "it must be https://host or https://host:port, with nothing behind");
    return a->pin.n == 0 || link_pin_is(a->pin)
        ? 0
        : bad(err, ERR_BAD_VALUE, "pin",
            "it is the SHA-256 of the node's certificate: 64 hexadecimal digits");
}

static int
check_team(const struct adding *a, struct err *err)
{
    struct core *core = a->core;

    if (span_equal(a->team, knowledge_own_id(core)))
        return bad(err, ERR_BAD_VALUE, "card", "that is this node's own team");
    if (!a->is_signed && roster_find(core->roster, a->team).index == 0)
        return err_set_field(err, ERR_NOT_FOUND, "card", 4,
            "the directory has no team %.*s, and this card is not signed; `comity team list` has "
            "them all",
            SPAN_ARGS(a->team));
    return a->was == NULL && core->links->count >= LINKS_MAX
        ? err_set(err, ERR_LIMIT, "there are %d links already", LINKS_MAX)
        : 0;
}

/* ---- its account ---- */

/* Made by this file, for this team: it has no password. */
static bool
is_nodes(const struct store_principal *p, struct span team)
{
    return p->kind == PRINCIPAL_PARTNER && p->password.n == 0 && span_equal(p->team, team);
}

/* A new account is called as the team is, or nearly so: both may have as many bytes. */
static int
name_account(struct adding *a, struct err *err)
{
    static const char *const behind[] = {"", "-node"};
    const struct people *people = auth_people(a->core->auth);

    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        size_t room = PEOPLE_NAME_BYTES - strlen(behind[i]);
        size_t n = a->team.n < room ? a->team.n : room;
        (void)snprintf(a->name, sizeof a->name, "%.*s%s", (int)n, a->team.p, behind[i]);
        const struct store_principal *there = people_by_name(people, span_of(a->name));
        if (there != NULL && is_nodes(there, a->team))
            a->account = *there;
        else if (there == NULL)
            a->account = (struct store_principal){.name = span_of(a->name)};
        if ((there == NULL || a->account.number != 0) && people_is_name(span_of(a->name)))
            return 0;
    }
    return err_set(err, ERR_EXISTS,
        "%.*s and %s are others' accounts already; give one of them the "
        "node's certificate",
        SPAN_ARGS(a->team), a->name);
}

/* The link's own, or one that has the certificate already, or a new one. */
static int
find_account(struct adding *a, struct err *err)
{
    const struct people *people = auth_people(a->core->auth);
    const struct store_principal *holder = people_by_certificate(people, a->pin);
    const struct store_principal *own =
        a->was == NULL ? NULL : people_by_number(people, a->was->principal);

    if (own == NULL)
        own = holder;
    if (holder != NULL && (holder != own || !span_equal(holder->team, a->team)))
        return bad(err, ERR_EXISTS, "pin", "another account has this certificate already");
    if (own == NULL)
        return name_account(a, err);
    a->account = *own;
    return 0;
}

static int
keep_account(struct adding *a, int64_t now_us, struct err *err)
{
    struct store_principal *p = &a->account;

    p->kind = PRINCIPAL_PARTNER;
    p->team = a->team;
    if (a->pin.n > 0)
        p->certificate = a->pin; /* where a CA vouches for the node, what it shows here stays its */
    p->disabled = p->disabled && a->by.n == 0; /* only a person lets it in again */
    if (p->number == 0)
        p->created_us = now_us;
    auth_forget(a->core);
    return people_put(auth_people(a->core->auth), p, err);
}

/* ---- the link ---- */

static uint8_t
flags_of(const struct adding *a)
{
    static const uint8_t flags[STORE_LINK_WAYS] = {LINK_PUSH, LINK_POLL, LINK_WITNESS};
    uint8_t out = 0;

    for (size_t i = 0; i < STORE_LINK_WAYS; i++) {
        bool before = a->was == NULL || (a->was->flags & flags[i]) != 0;
        if (a->wanted[i] == NOT_GIVEN ? before : a->wanted[i] != 0)
            out |= flags[i];
    }
    return out;
}

static int
keep_link(struct adding *a, struct err *err)
{
    struct core *core = a->core;
    int64_t now = clock_now_us();
    struct store_link link = {.polled_us = {INT64_MIN, INT64_MIN}, .added_us = now};
    int rc = store_team(core->store, a->team, &link.team, err);

    if (a->was != NULL)
        link = *a->was;
    else
        link.added_by = a->by;
    link.flags = flags_of(a);
    link.url = a->url;
    link.pin = a->pin;
    link.card_us = a->card_us;
    if (rc == 0)
        rc = keep_account(a, now, err);
    link.principal = a->account.number;
    if (rc == 0)
        rc = directory_know(core, a->team, err);
    if (rc == 0)
        rc = store_link_put(core->store, &link, err);
    if (rc == 0)
        rc = links_again(core, err);
    core->links->changed = core->links->look = true;
    return rc;
}

static const struct store_queue *
queue_of(const struct store_queue *queues, size_t count, uint32_t team)
{
    for (size_t i = 0; i < count; i++)
        if (queues[i].team == team)
            return &queues[i];
    return NULL;
}

/* One link, or all of them (LINK NULL). */
static int
tell(struct core *core, struct ask *ask, const struct store_link *link, struct buf *out,
    struct err *err)
{
    const struct links *links = core->links;
    struct store_queue *queues;
    size_t count;
    int rc = store_queues(core->store, ask->arena, &queues, &count, err);

    if (rc == 0 && link != NULL)
        links_tell_peer(core, link, queue_of(queues, count, link->team), out);
    for (size_t i = 0; rc == 0 && link == NULL && i < links->count; i++) {
        const struct store_link *one = &links->list[i];
        told_item(out);
        links_tell_peer(core, one, queue_of(queues, count, one->team), out);
    }
    return rc;
}

/* The operator's word on a signed card needs nobody else's (doc/federation.md, "Cards"). */
static int
accept_card(struct adding *a, struct arena *arena, struct span card, struct err *err)
{
    struct core *core = a->core;
    struct card_signed accepted;
    int rc = cards_accept_operator(core->options.home, arena, card, clock_now_us(), &accepted, err);

    if (rc != 0)
        return rc;
    core->register_state = 0; /* so that it is read anew, whatever the files' times say */
    knowledge_renew(core);
    if (core->stale.code != 0)
        *err = core->stale;
    a->was = links_by_id(core, a->team);
    return core->stale.code != 0 ? (int)core->stale.code : find_account(a, err);
}

static int
add(struct adding *a, struct ask *ask, struct err *err)
{
    struct core *core = a->core;
    struct buf out = buf_new(ANSWER_BYTES);
    int rc = core_begin(core, err);

    if (rc == 0)
        rc = keep_link(a, err);
    if (rc == 0)
        rc = tell(core, ask, links_by_id(core, a->team), &out, err);
    if (rc == 0)
        rc = buf_check(&out, "the answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

int
core_peer_add(struct core *core, struct ask *ask, struct err *err)
{
    struct adding a = {.core = core, .by = ask->asker.name};
    struct json *parser = json_new(CARD_BYTES);
    struct span card = wire_text(&ask->in);

    a.url = wire_text(&ask->in);
    a.pin = wire_text(&ask->in);
    for (size_t i = 0; i < STORE_LINK_WAYS; i++)
        a.wanted[i] = wire_u8(&ask->in);
    int rc = wire_end(&ask->in, "a new link", err);
    if (rc == 0 && parser == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read a card");
    if (rc == 0)
        rc = take_card(&a, parser, card, err);
    if (rc == 0)
        rc = check_node(&a, err);
    if (rc == 0)
        rc = check_team(&a, err);
    if (rc == 0)
        rc = find_account(&a, err);
    if (rc == 0 && a.is_signed)
        rc = accept_card(&a, ask->arena, card, err);
    if (rc == 0)
        rc = add(&a, ask, err);
    json_free(parser);
    return rc;
}

/* ---- what a newer card says ---- */

static int
follow(struct core *core, const struct store_link *link, struct json_value card, struct err *err)
{
    struct adding a = {.core = core,
        .team = store_team_id(core->store, link->team),
        .wanted = {NOT_GIVEN, NOT_GIVEN, NOT_GIVEN},
        .was = link};
    int rc;

    take_node(&a, card);
    tidy(&a);
    if (!a.is_signed || a.card_us <= link->card_us || a.url.n == 0)
        return 0;
    rc = check_node(&a, err);
    if (rc == 0)
        rc = find_account(&a, err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = keep_link(&a, err);
    if (rc == 0)
        log_info("link follows its team's card", log_text("team", a.team), log_text("url", a.url),
            log_text("certificate", a.pin));
    return rc;
}

void
peers_follow(struct core *core)
{
    struct json *parser = json_new(CARD_BYTES);
    struct err err = {0};

    if (parser == NULL)
        core_tell(core, "no memory to read cards, which links would follow");
    for (size_t i = 0; parser != NULL && core->links != NULL && i < core->links->count; i++) {
        const struct store_link *link = &core->links->list[i];
        struct span id = store_team_id(core->store, link->team);
        struct team_id team = roster_find(core->roster, id);
        struct span card = team.index == 0 ? SPAN("") : roster_team(core->roster, team)->card;
        struct json_value root;
        if (link->card_us == INT64_MAX || card.n == 0
            || json_parse_copy(parser, card, &root, &err) != 0)
            continue;
        if (follow(core, link, root, &err) != 0)
            log_warning_of("link cannot follow its team's card", &err, log_text("team", id));
    }
    json_free(parser);
}

/* ---- looking, and ending ---- */

static int
find(struct core *core, struct ask *ask, struct store_link **out, struct err *err)
{
    struct span team = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a link's team", err);

    *out = rc == 0 ? links_by_id(core, team) : NULL;
    if (rc == 0 && *out == NULL)
        rc = err_set_field(err, ERR_NOT_FOUND, "team", 4,
            "there is no link to %.*s; `comity peer list` has them all", SPAN_ARGS(team));
    return rc;
}

int
core_peers(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    int rc = wire_end(&ask->in, "a question for links", err);

    buf_add_text(&out, "{\"items\":[");
    if (rc == 0)
        rc = tell(core, ask, NULL, &out, err);
    buf_add_text(&out, "],\"next\":null}");
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

int
core_peer(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct store_link *link;
    int rc = find(core, ask, &link, err);

    if (rc == 0)
        rc = tell(core, ask, link, &out, err);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

/* Its account can do nothing any more, but what it did is still somebody's. */
static int
disable_account(struct core *core, uint32_t principal, struct err *err)
{
    const struct store_principal *p = people_by_number(auth_people(core->auth), principal);

    if (p == NULL)
        return 0;
    struct store_principal off = *p;
    off.disabled = true;
    auth_forget(core);
    return people_put(auth_people(core->auth), &off, err);
}

int
core_peer_remove(struct core *core, struct ask *ask, struct err *err)
{
    struct store_link *link;
    int rc = find(core, ask, &link, err);

    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = disable_account(core, link->principal, err);
    if (rc == 0)
        rc = store_link_remove(core->store, link->team, err);
    if (rc == 0)
        rc = links_again(core, err);
    core->links->changed = core->links->changed || rc == 0;
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}
