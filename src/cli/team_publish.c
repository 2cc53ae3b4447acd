/* comity team publish, rekey: this team's own card, signed. */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/own_tls.h"
#include "cli/team.h"
#include "cli/team_desk.h"
#include "edge/tls_own.h"
#include "flow/card_publish.h"
#include "fmt/note.h"
#include "store/store.h"
#include "sys/file.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { PEM_BYTES = 1 << 20 };

/* What is being made. */
struct publishing {
    struct team_desk desk;
    struct agreement_key key;
    struct agreement_key previous;
    bool has_previous; /* it signs too */
    struct card_publish card;
    struct buf said;         /* --card FILE */
    char pin[TLS_PIN_BYTES]; /* "": the doors show no certificate */
    bool asked;              /* a node that runs has said it */
    char origin[NOTE_NAME_MAX + 1];
};

/* ---- what the node shows ---- */

/* A node that runs knows by which certificate others meet it, whatever it was told at its start.
 * Asked before anything is locked: it may want the same lock to answer. */
static void
ask_node(struct publishing *p)
{
    struct node node = {.home = p->desk.home_given};
    struct json_value root;
    struct err none;

    if (node_open(&node, &none) == 0
        && node_ask(&node, "POST", "/api/v1/card/check", SPAN("{}"), &root, &none) == 0) {
        struct span pin = node_text(root, "certificate");
        p->asked = true;
        (void)snprintf(p->pin, sizeof p->pin, "%.*s", SPAN_ARGS(pin));
    }
    node_close(&node);
}

static int
find_pin(struct publishing *p, struct err *err)
{
    if (p->asked || !conf_bool(p->desk.conf, CONF_TLS))
        return 0;
    struct buf certificate = buf_new(PEM_BYTES);
    struct buf key = buf_new(PEM_BYTES);
    struct span path = conf_text(p->desk.conf, CONF_TLS_CERTIFICATE);
    int rc = path.n > 0 ? file_read(path.p, &certificate, err)
                        : own_tls(p->desk.home, &certificate, &key, err);

    if (rc == 0)
        rc = tls_pin(buf_span(&certificate), p->pin, err);
    if (key.p != NULL)
        sodium_memzero(key.p, key.n);
    buf_free(&key);
    buf_free(&certificate);
    return rc;
}

/* The log's name was fixed when it began. A node that has begun has its key: another would be no
 * one's. */
static int
find_origin(struct publishing *p, struct err *err)
{
    char path[SETUP_PATH_BYTES + 16];
    struct store *store = NULL;
    struct span origin = {NULL, 0};
    int rc = 0;

    (void)snprintf(path, sizeof path, "%s/node.db", p->desk.home);
    bool begun = access(path, F_OK) == 0;
    if (begun)
        rc = store_open(p->desk.home, STORE_READ, &store, err);
    if (rc == 0 && begun)
        rc = store_get(store, p->desk.arena, "ledger-origin", &origin, err);
    if (store != NULL)
        store_close(store);
    if (rc == 0 && origin.n > 0)
        (void)snprintf(p->origin, sizeof p->origin, "%.*s", (int)origin.n, origin.p);
    else
        (void)snprintf(p->origin, sizeof p->origin, "%s/log", p->desk.registry->team);
    p->card.origin = span_of(p->origin);
    p->card.make = !begun;
    return rc;
}

/* ---- who the team is ---- */

/* What the directory says of it, without the signed cards that stand in front of that. */
static int
read_directory(const struct publishing *p, struct buf *out, struct err *err)
{
    struct roster *bare = NULL;
    struct err why;
    int rc = roster_load(p->desk.teams_path, NULL, NULL, NULL, &bare, &why);

    if (rc == 0) {
        struct team_id id = roster_find(bare, span_of(p->desk.registry->team));
        buf_add_span(out, id.index == 0 ? SPAN("") : roster_team(bare, id)->card);
        rc = buf_check(out, "the card", err);
    } else if (rc == ERR_NOT_FOUND) {
        rc = 0;
    } else {
        *err = why;
    }
    roster_free(bare);
    return rc;
}

/* Who changed the card in the directory may have meant it to be signed. */
static void
tell_directory(const struct publishing *p)
{
    struct card_publish other = p->card;
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    struct err none;

    if (p->card.said.n > 0 || !p->card.has_known || read_directory(p, &text, &none) != 0
        || text.n == 0) {
        buf_free(&text);
        return;
    }
    other.said = buf_span(&text);
    if (card_publish_open(&other, &none) == 0 && !card_publish_unchanged(&other, p->key.public))
        (void)fprintf(stderr,
            "comity: the card of %s in %s says something else; with --card FILE, or --teams and "
            "that folder, it is what is signed\n",
            p->desk.registry->team, p->desk.teams_path);
    card_publish_close(&other);
    buf_free(&text);
}

/* ---- the commands ---- */

static int
print(const struct cards_read *card, struct err *err)
{
    struct buf out = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = card_sign_document(&out, &card->card, false, false, err);

    buf_add_char(&out, '\n');
    if (rc == 0)
        rc = setup_print(&out, "the card", err);
    buf_free(&out);
    return rc;
}

static void
tell(const struct publishing *p, const struct cards_read *card, const char *what)
{
    char print_text[CARD_PRINT_BYTES];

    card_sign_print(card->card.key, print_text);
    (void)fprintf(stderr,
        "comity: the card of %s %s: version %.*s, key %s, node %.*s, vouched for by %zu\n",
        p->desk.registry->team, what, SPAN_ARGS(card->card.version), print_text,
        SPAN_ARGS(card->card.node.url), card->card.vouch_count);
}

static int
prepare(struct publishing *p, struct err *err)
{
    struct team_desk *desk = &p->desk;
    struct team_id id = roster_find(desk->roster, span_of(desk->registry->team));
    int rc = 0;

    p->said = buf_new(CARD_SIGNED_BYTES_MAX);
    if (desk->card != NULL)
        rc = file_read(desk->card, &p->said, err);
    else if (desk->teams != NULL)
        rc = read_directory(p, &p->said, err);
    if (rc == 0)
        rc = find_pin(p, err);
    if (rc == 0)
        rc = find_origin(p, err);
    p->card.home = desk->home;
    p->card.arena = desk->arena;
    p->card.team = span_of(desk->registry->team);
    p->card.url = desk->url == NULL ? SPAN("") : span_of(desk->url);
    p->card.pin = span_of(p->pin);
    p->card.said = buf_span(&p->said);
    p->card.directory = id.index == 0 ? SPAN("") : roster_team(desk->roster, id)->card;
    p->card.now_us = desk->now_us;
    return rc == 0 ? card_publish_open(&p->card, err) : rc;
}

static int
publish(struct publishing *p, struct err *err)
{
    struct cards_read card;
    int rc = team_desk_key(&p->desk, &p->key, err);

    if (rc == 0)
        rc = prepare(p, err);
    if (rc == 0)
        rc = card_publish_check_key(&p->card, p->key.public, err);
    if (rc != 0)
        return rc;
    bool same = card_publish_unchanged(&p->card, p->key.public);
    card = p->card.known;
    if (!same)
        rc = card_publish_make(&p->card, &p->key, NULL, &card, err);
    if (rc == 0 && !same)
        rc = cards_keep(p->desk.home, &card, p->desk.registry->ring, err);
    if (rc == 0)
        rc = team_desk_write(&p->desk, &card.card, err);
    if (rc == 0) {
        tell(p, &card, same ? "stays as it is" : "is signed");
        tell_directory(p);
    }
    return rc == 0 ? print(&card, err) : rc;
}

static int
find_previous(struct publishing *p, struct err *err)
{
    if (p->desk.lost)
        return 0;
    int rc = team_desk_key(&p->desk, &p->previous, err);
    p->key = p->previous;
    if (rc == 0)
        rc = card_publish_check_key(&p->card, p->key.public, err);
    p->has_previous = rc == 0;
    return rc;
}

static int
rekey(struct publishing *p, struct err *err)
{
    struct cards_read card;
    int rc = prepare(p, err);

    if (rc == 0)
        rc = find_previous(p, err);
    if (rc == 0)
        rc = registry_rekey_begin(p->desk.registry, &p->key, err);
    if (rc == 0)
        rc =
            card_publish_make(&p->card, &p->key, p->has_previous ? &p->previous : NULL, &card, err);
    if (rc == 0)
        rc = cards_keep(p->desk.home, &card, p->desk.registry->ring, err);
    if (rc == 0)
        rc = registry_rekey_end(p->desk.registry, err);
    if (rc == 0)
        rc = team_desk_write(&p->desk, &card.card, err);
    if (rc != 0)
        return rc;
    tell(p, &card, p->desk.lost ? "has a new key" : "has a new key, which the old one signed");
    if (p->desk.lost)
        (void)fprintf(stderr,
            "comity: others take the new key only when two teams that they know vouch for it: send "
            "them the card, and have them run `comity team vouch FILE`\n");
    return print(&card, err);
}

static int
run(int argc, char **argv, unsigned takes, int (*work)(struct publishing *p, struct err *err))
{
    struct publishing p = {.has_previous = false};
    struct err err = {0};
    int rc = team_desk_options(&p.desk, argc, argv, takes, &err);

    if (rc == 0) {
        ask_node(&p);
        rc = team_desk_open(&p.desk, &err);
    }
    if (rc == 0)
        rc = work(&p, &err);
    sodium_memzero(&p.key, sizeof p.key);
    sodium_memzero(&p.previous, sizeof p.previous);
    card_publish_close(&p.card);
    buf_free(&p.said);
    team_desk_close(&p.desk);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}

int
team_publish(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_URL | TEAM_TAKES_CARD | TEAM_TAKES_OUT, publish);
}

int
team_rekey(int argc, char **argv)
{
    return run(
        argc, argv, TEAM_TAKES_URL | TEAM_TAKES_CARD | TEAM_TAKES_OUT | TEAM_TAKES_LOST, rekey);
}
