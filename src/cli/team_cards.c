/* comity team vouch, accept, refuse, and what waits: other teams' signed cards. */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/shown.h"
#include "cli/team.h"
#include "cli/team_desk.h"
#include "fmt/json.h"

#include <sodium.h>
#include <stdio.h>

enum { OUT_BYTES = 1 << 22, COLUMNS = 100 };

/* ---- the operator's word ---- */

static void
tell(const struct cards_read *card, const char *what)
{
    char print[CARD_PRINT_BYTES];

    card_sign_print(card->card.key, print);
    (void)printf("%.*s %s: version %.*s, key %s, node %.*s\n", SPAN_ARGS(card->card.id), what,
        SPAN_ARGS(card->card.version), print, SPAN_ARGS(card->card.node.url));
}

static int
vouch(struct team_desk *desk, struct err *err)
{
    struct agreement_key key = {{0}, {0}};
    struct cards_read card;
    int rc = team_desk_meant(desk, &card, err);

    if (rc == 0)
        rc = team_desk_key(desk, &key, err);
    if (rc == 0)
        rc = cards_vouch(desk->home, desk->arena, &card, span_of(desk->registry->team), &key,
            desk->registry->ring, desk->now_us, err);
    sodium_memzero(&key, sizeof key);
    if (rc == 0)
        rc = team_desk_write(desk, &card.card, err);
    if (rc == 0)
        tell(&card, "is vouched for");
    return rc;
}

static int
accept(struct team_desk *desk, struct err *err)
{
    struct cards_read card;
    int rc = team_desk_meant(desk, &card, err);

    if (rc == 0)
        rc = cards_check_other(&card, span_of(desk->registry->team), err);
    if (rc == 0)
        rc = cards_accept(desk->home, desk->arena, &card, desk->registry->ring, desk->now_us, err);
    if (rc == 0)
        tell(&card, "is accepted");
    return rc;
}

static int
drop_all(struct team_desk *desk, size_t *dropped, struct err *err)
{
    struct cards_waiting waiting;
    struct cards_read one;
    int rc = cards_waiting_open(desk->home, &waiting, err);

    for (bool more = rc == 0; more; more = rc == 1 || rc == ERR_BAD_CARD) {
        rc = cards_waiting_next(&waiting, desk->arena, &one, err);
        if (rc != 1 || !span_equal(one.card.id, span_of(desk->word)))
            continue;
        int gone = cards_drop(desk->home, &one, err);
        if (gone != 0) {
            rc = gone;
            break;
        }
        tell(&one, "is refused");
        (*dropped)++;
    }
    cards_waiting_close(&waiting);
    return rc;
}

/* All that wait of the team; if none does, the one that was accepted. */
static int
refuse(struct team_desk *desk, struct err *err)
{
    size_t refused = 0;
    int rc = drop_all(desk, &refused, err);

    if (rc != 0 || refused > 0)
        return rc;
    if (span_equal(span_of(desk->word), span_of(desk->registry->team)))
        return err_set(err, ERR_USAGE, "that is this team's own card");
    rc = cards_forget(desk->home, span_of(desk->word), err);
    if (rc == 0)
        (void)printf(
            "%s: its card counts no more; what the directory says of it does\n", desk->word);
    return rc;
}

/* One that waits, by its file. */
static int
refuse_file(struct team_desk *desk, struct cards_read *card, struct err *err)
{
    struct cards_read waiting;
    int rc = cards_find_waiting(desk->home, &card->card, desk->arena, &waiting, err);

    if (rc == 0)
        return err_set(
            err, ERR_NOT_FOUND, "no card of %.*s by that key waits", SPAN_ARGS(card->card.id));
    if (rc == 1)
        rc = cards_drop(desk->home, &waiting, err);
    if (rc == 0)
        tell(&waiting, "is refused");
    return rc;
}

static int
refuse_either(struct team_desk *desk, struct err *err)
{
    struct cards_read card;
    struct err why = {0};
    int rc = cards_read_file(desk->arena, desk->word, &card, &why);

    if (rc == 0)
        return refuse_file(desk, &card, err);
    if (rc == ERR_NOT_FOUND)
        return refuse(desk, err);
    *err = why;
    return rc;
}

/* ---- what waits ---- */

static void
add_row(struct buf *out, const struct cards_read *card, const struct card_judgement *j)
{
    char since[TIME_TEXT_BYTES];
    char print[CARD_PRINT_BYTES];
    struct span from = card->card.accepted.from;

    (void)time_format(card->card.accepted.time_us, "Z", since);
    card_sign_print(card->card.key, print);
    buf_format(out, "%.*s\n  key         %s\n  version     %.*s\n  node        %.*s\n",
        SPAN_ARGS(card->card.id), print, SPAN_ARGS(card->card.version),
        SPAN_ARGS(card->card.node.url));
    buf_format(out, "  since       %s%s%.*s\n  because     ", since, from.n > 0 ? ", from " : "",
        SPAN_ARGS(from));
    shown_add(out, span_of(j->why), sizeof j->why); /* what to do hangs on its end */
    for (size_t i = 0; i < j->sponsor_count; i++)
        buf_format(out, "%s%.*s", i == 0 ? "\n  vouched by  " : ", ", SPAN_ARGS(j->sponsors[i]));
    buf_add_char(out, '\n');
}

static void
add_member(struct buf *out, const char *name, struct span text)
{
    buf_format(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
    json_add_string(out, text);
}

static void
add_json(struct buf *out, const struct cards_read *card, const struct card_judgement *j)
{
    char since[TIME_TEXT_BYTES];
    char print[CARD_PRINT_BYTES];

    (void)time_format_us(card->card.accepted.time_us, since);
    card_sign_print(card->card.key, print);
    buf_add_char(out, '{');
    add_member(out, "team", card->card.id);
    add_member(out, "key", span_of(print));
    add_member(out, "version", card->card.version);
    add_member(out, "url", card->card.node.url);
    add_member(out, "since", span_of(since));
    if (card->card.accepted.from.n > 0)
        add_member(out, "from", card->card.accepted.from);
    add_member(out, "why", span_of(j->why));
    buf_add_text(out, ",\"sponsors\":[");
    for (size_t i = 0; i < j->sponsor_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_add_string(out, j->sponsors[i]);
    }
    buf_add_text(out, "]}\n");
}

static int
add_waiting(struct team_desk *desk, struct buf *out, size_t *count, struct err *err)
{
    const struct cards_world world = team_desk_world(desk);
    struct cards_waiting waiting;
    struct card_judgement judgement;
    struct cards_read known;
    struct cards_read one;
    int rc = cards_waiting_open(desk->home, &waiting, err);

    for (bool more = rc == 0; more; more = rc == 1 || rc == ERR_BAD_CARD) {
        arena_reset(desk->arena);
        rc = cards_waiting_next(&waiting, desk->arena, &one, err);
        if (rc == ERR_BAD_CARD)
            (void)fprintf(stderr, "comity: %s\n", err->msg);
        if (rc != 1)
            continue;
        int judged = cards_judge(&world, desk->arena, &one, &known, &judgement, err);
        if (judged != 0) {
            rc = judged;
            break;
        }
        (desk->json ? add_json : add_row)(out, &one, &judgement);
        (*count)++;
    }
    cards_waiting_close(&waiting);
    return rc;
}

static int
list_waiting(struct team_desk *desk, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    size_t count = 0;
    int rc = add_waiting(desk, &out, &count, err);

    if (rc == 0 && !desk->json)
        buf_format(&out, "%zu card%s wait%s for the operator: `comity team accept` or `refuse`\n",
            count, count == 1 ? "" : "s", count == 1 ? "s" : "");
    if (rc == 0)
        rc = setup_print(&out, "the cards that wait", err);
    buf_free(&out);
    return rc;
}

/* ---- the commands ---- */

static int
run(int argc, char **argv, unsigned takes, int (*work)(struct team_desk *desk, struct err *err))
{
    struct team_desk desk = {.home_given = NULL};
    struct err err = {0};
    int rc = team_desk_options(&desk, argc, argv, takes, &err);

    if (rc == 0)
        rc = team_desk_open(&desk, &err);
    if (rc == 0)
        rc = work(&desk, &err);
    team_desk_close(&desk);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}

int
team_vouch(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_WORD | TEAM_TAKES_OUT, vouch);
}

int
team_accept(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_WORD, accept);
}

int
team_refuse(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_WORD, refuse_either);
}

int
team_waiting(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_JSON, list_waiting);
}
