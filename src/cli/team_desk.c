#include "cli/team_desk.h"

#include "cli/home.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>
#include <sys/stat.h>

enum { ARENA_BYTES = 256 << 20, CONF_BYTES = 1 << 20, LIST_BYTES = 400 };

/* ---- options ---- */

static int
valued(struct team_desk *desk, int argc, char **argv, int *i, unsigned takes, struct err *err)
{
    const struct setup_valued known[] = {{"home", 0, &desk->home_given}, {"teams", 0, &desk->teams},
        {"as", 0, &desk->as}, {"url", TEAM_TAKES_URL, &desk->url},
        {"card", TEAM_TAKES_CARD, &desk->card}, {"output", TEAM_TAKES_OUT, &desk->out}};

    return setup_valued(argc, argv, i, takes, known, sizeof known / sizeof known[0], err);
}

static int
one_option(struct team_desk *desk, int argc, char **argv, int *i, unsigned takes, struct err *err)
{
    if ((takes & TEAM_TAKES_LOST) != 0 && strcmp(argv[*i], "--lost") == 0) {
        desk->lost = true;
        return 0;
    }
    if ((takes & TEAM_TAKES_JSON) != 0 && strcmp(argv[*i], "--json") == 0) {
        desk->json = true;
        return 0;
    }
    if ((takes & TEAM_TAKES_OUT) != 0 && strcmp(argv[*i], "-o") == 0 && *i + 1 < argc) {
        desk->out = argv[++*i];
        return 0;
    }
    int rc = valued(desk, argc, argv, i, takes, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return err_set(err, ERR_USAGE, "%s has no option \"%s\"; `comity team --help` lists them",
        argv[0], argv[*i]);
}

int
team_desk_options(struct team_desk *desk, int argc, char **argv, unsigned takes, struct err *err)
{
    int rc = 0;

    for (int i = 1; rc == 0 && i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            rc = one_option(desk, argc, argv, &i, takes, err);
        else if ((takes & TEAM_TAKES_WORD) == 0 || desk->word != NULL)
            rc = err_set(err, ERR_USAGE, "%s: \"%s\" is one argument too many", argv[0], argv[i]);
        else
            desk->word = argv[i];
    }
    if (rc == 0 && (takes & TEAM_TAKES_WORD) != 0 && desk->word == NULL)
        rc = err_set(err, ERR_USAGE, "%s needs a team's id, or the file of its card", argv[0]);
    return rc;
}

/* ---- opening ---- */

/* What the node is told at its start is not known here: only what stands in its file. */
static int
read_settings(struct team_desk *desk, struct err *err)
{
    char path[SETUP_PATH_BYTES];
    struct buf text = buf_new(CONF_BYTES);

    desk->conf = conf_new();
    if (desk->conf == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    home_config(desk->home, path);
    int rc = path[0] == '\0' ? 0 : file_read(path, &text, err);
    if (rc == 0 && path[0] != '\0')
        rc = conf_read(desk->conf, buf_span(&text), NULL, NULL, err);
    buf_free(&text);
    return rc;
}

static int
name_team(struct team_desk *desk, struct err *err)
{
    struct span set = conf_text(desk->conf, CONF_TEAM);

    if (desk->as != NULL)
        return registry_name(desk->registry, desk->as, err);
    return desk->registry->team[0] == '\0' && set.n > 0 ? registry_name(desk->registry, set.p, err)
                                                        : 0;
}

static int
look_at_clock(struct team_desk *desk, struct err *err)
{
    bool trusted = true;

    desk->now_us = clock_now_us();
    int rc = registry_see(desk->registry, desk->now_us, &trusted, err);
    if (rc == 0 && !trusted)
        rc = err_set(err, ERR_CLOCK,
            "the clock is behind a time that was seen already; nothing is signed until it is right "
            "(see `comity agreement clock --help`)");
    return rc;
}

int
team_desk_open(struct team_desk *desk, struct err *err)
{
    int rc = home_path(desk->home_given, desk->home, err);

    desk->arena = arena_new(ARENA_BYTES);
    if (rc == 0 && desk->arena == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to begin");
    if (rc == 0)
        rc = read_settings(desk, err);
    struct span set = rc == 0 ? conf_text(desk->conf, CONF_TEAMS) : SPAN("");
    if (rc == 0)
        rc = setup_teams_path(
            desk->teams == NULL && set.n > 0 ? set.p : desk->teams, desk->teams_path, err);
    if (rc == 0)
        rc = home_roster(desk->home, desk->teams_path, NULL, NULL, &desk->roster, err);
    if (rc == 0)
        rc = registry_open(desk->home, REGISTRY_WRITE, desk->roster, &desk->registry, err);
    if (rc == 0)
        rc = name_team(desk, err);
    return rc == 0 ? look_at_clock(desk, err) : rc;
}

void
team_desk_close(struct team_desk *desk)
{
    registry_close(desk->registry);
    roster_free(desk->roster);
    conf_free(desk->conf);
    arena_free(desk->arena);
}

int
team_desk_key(struct team_desk *desk, struct agreement_key *out, struct err *err)
{
    char print[CARD_PRINT_BYTES];
    bool made = false;
    int rc = registry_key(desk->registry, out, &made, err);

    if (rc != 0 || !made)
        return rc;
    card_sign_print(out->public, print);
    (void)fprintf(stderr,
        "comity: a signing key was made for %s, in %s/key: keep it secret, and a copy of it\n"
        "comity: its fingerprint is %s: tell it your partners, by a way that they trust\n",
        desk->registry->team, desk->home, print);
    return 0;
}

/* ---- which card ---- */

static int
find_waiting(struct team_desk *desk, struct cards_read *out, struct err *err)
{
    struct buf prints = buf_new(LIST_BYTES);
    struct cards_waiting waiting;
    struct cards_read one;
    char print[CARD_PRINT_BYTES];
    size_t found = 0;
    int rc = cards_waiting_open(desk->home, &waiting, err);

    cards_waiting_only(&waiting, span_of(desk->word));
    for (bool more = rc == 0; more; more = rc == 1 || rc == ERR_BAD_CARD) {
        rc = cards_waiting_next(&waiting, desk->arena, &one, err);
        if (rc != 1 || !span_equal(one.card.id, span_of(desk->word)))
            continue;
        card_sign_print(one.card.key, print);
        buf_format(&prints, "%s%s", found++ > 0 ? ", " : "", print);
        *out = one;
    }
    cards_waiting_close(&waiting);
    if (rc == 0 && found > 1)
        rc = err_set(err, ERR_USAGE,
            "%zu cards of %s wait, by different keys (%.*s): name a file, "
            "%s/cards/waiting/%s.KEY.json",
            found, desk->word, (int)prints.n, prints.p, desk->home, desk->word);
    buf_free(&prints);
    return rc == 0 ? (int)found : rc;
}

int
team_desk_meant(struct team_desk *desk, struct cards_read *out, struct err *err)
{
    struct stat about;

    if (stat(desk->word, &about) == 0 && !S_ISDIR(about.st_mode))
        return cards_read_file(desk->arena, desk->word, out, err);
    int rc = find_waiting(desk, out, err);
    if (rc == 0)
        rc = cards_find(desk->home, span_of(desk->word), desk->arena, out, err);
    if (rc == 0)
        return err_set(err, ERR_NOT_FOUND,
            "%s is no file, and no signed card of a team of that id was accepted or waits; `comity "
            "team waiting` lists those that do",
            desk->word);
    return rc == 1 ? 0 : rc;
}

int
team_desk_write(const struct team_desk *desk, const struct card_signed *card, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);

    if (desk->out == NULL)
        return 0;
    int rc = card_sign_document(&text, card, false, false, err);
    buf_add_char(&text, '\n');
    if (rc == 0)
        rc = buf_check(&text, "the card", err);
    const struct span whole = buf_span(&text);
    if (rc == 0)
        rc = file_write_atomic(desk->out, &whole, 1, 0644, err);
    buf_free(&text);
    return rc;
}

struct cards_world
team_desk_world(const struct team_desk *desk)
{
    return (struct cards_world){.home = desk->home,
        .ring = desk->registry->ring,
        .roster = desk->roster,
        .own = span_of(desk->registry->team),
        .now_us = desk->now_us};
}
