/* team_desk.h: what do the commands share that sign, accept and refuse team cards?
 *
 * Their options, and the data folder opened for writing: its register (who this is, and the key),
 * its cards, the directory.
 */
#ifndef COMITY_CLI_TEAM_DESK_H
#define COMITY_CLI_TEAM_DESK_H

#include "base/conf.h"
#include "cli/setup.h"
#include "flow/cards.h"
#include "flow/registry.h"

struct team_desk {
    /* what was asked for */
    const char *home_given;
    const char *teams;
    const char *as;
    const char *url;
    const char *card;
    const char *out;
    const char *word; /* TEAM or FILE; NULL: none */
    bool lost;
    bool json;

    /* what lies there */
    char home[SETUP_PATH_BYTES];
    char teams_path[SETUP_PATH_BYTES]; /* of the directory */
    struct arena *arena;
    struct conf *conf; /* the node's settings */
    struct roster *roster;
    struct registry *registry;
    int64_t now_us;
};

/* Which options a command has, besides --home, --teams and --as. */
enum team_takes {
    TEAM_TAKES_URL = 1,
    TEAM_TAKES_CARD = 2,
    TEAM_TAKES_OUT = 4,
    TEAM_TAKES_LOST = 8,
    TEAM_TAKES_WORD = 16, /* one word, and it must be there */
    TEAM_TAKES_JSON = 32
};
/* argv[0] is the command's name. ERR_USAGE. */
MUST_USE int team_desk_options(
    struct team_desk *desk, int argc, char **argv, unsigned takes, struct err *err);
/* Owner: the caller, also after an error, until team_desk_close. ERR_CLOCK: the clock is behind a
 * time that was seen, and nothing is signed. */
MUST_USE int team_desk_open(struct team_desk *desk, struct err *err);
void team_desk_close(struct team_desk *desk);

/* This team's key, made loudly if there was none. */
MUST_USE int team_desk_key(struct team_desk *desk, struct agreement_key *out, struct err *err);
/* The card that the word means: a file's, the one that waits, or the one that was accepted.
 * ERR_NOT_FOUND; ERR_USAGE when several wait. */
MUST_USE int team_desk_meant(struct team_desk *desk, struct cards_read *out, struct err *err);
/* CARD, as others get it, to --output if that was said. ERR_IO. */
MUST_USE int team_desk_write(
    const struct team_desk *desk, const struct card_signed *card, struct err *err);
/* By what cards are judged at this desk. */
struct cards_world team_desk_world(const struct team_desk *desk);

#endif
