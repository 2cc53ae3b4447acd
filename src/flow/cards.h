/* cards.h: which teams' signed cards does this node keep, and which wait for its operator?
 *
 * In the data folder, cards/TEAM.json is a card that was accepted, with `accepted` (whose word that
 * was); cards/waiting/TEAM.PRINT.json one that waits, by team and key. Keys that a team has given
 * up stay in keys/TEAM.pub, "until" then, as agreements signed before stay signed. Every file is
 * whole or not there. Who writes holds the register's lock (REGISTRY_WRITE, or cards_lock).
 */
#ifndef COMITY_FLOW_CARDS_H
#define COMITY_FLOW_CARDS_H

#include "flow/card_accept.h"

#include <dirent.h>

enum { CARDS_WAITING_MAX = 256, CARDS_WAITING_TEAM_MAX = 4, CARDS_PATH_BYTES = 4096 };

/* A card as it is read from a file or a message: who the team is, and its signature. */
struct cards_read {
    struct team team; /* at CARD_ANY_TIME */
    struct card_signed card;
};
/* TEXT is to be one signed card. Everything of OUT in ARENA. ERR_BAD_CARD, ERR_LIMIT. */
MUST_USE int cards_read(
    struct arena *arena, struct span text, struct cards_read *out, struct err *err);
/* From a file; ERR_NOT_FOUND, ERR_IO too. */
MUST_USE int cards_read_file(
    struct arena *arena, const char *path, struct cards_read *out, struct err *err);

/* Until *FD is closed nobody else changes HOME's register or cards. ERR_IO. */
MUST_USE int cards_lock(const char *home, int *fd, struct err *err);

/* HOME/cards; ERR_LIMIT. */
MUST_USE int cards_folder(const char *home, char out[CARDS_PATH_BYTES], struct err *err);
/* TEAM's accepted card: 1; 0: there is none. ERR_IO, ERR_BAD_CARD (damaged). */
int cards_find(const char *home, struct span team, struct arena *arena, struct cards_read *out,
    struct err *err);
/* CARD is TEAM's from now on, as CARD's `accepted` says, whose time is now. What RING (may be
 * NULL) and the card before knew as its keys and is not among its keys any more was until now;
 * what waited of the team and is not newer waits no more. ERR_IO, ERR_LIMIT. */
MUST_USE int cards_keep(
    const char *home, const struct cards_read *card, const struct keyring *ring, struct err *err);
/* The one of CARD's team and key that waits: 1; 0: there is none. ERR_IO. */
int cards_find_waiting(const char *home, const struct card_signed *card, struct arena *arena,
    struct cards_read *out, struct err *err);
/* It waits; `accepted` says since when and from whom. One of the same team and key gives way to it.
 * ERR_BAD_CARD: too many wait. ERR_IO. */
MUST_USE int cards_wait(const char *home, const struct cards_read *card, struct err *err);
/* Those that wait, one after the other, in order of their files' names. */
struct cards_waiting {
    char folder[CARDS_PATH_BYTES];
    struct dirent **names;
    int count;
    int at;
};
/* ERR_IO, ERR_LIMIT. Owner: the caller, also after an error, until cards_waiting_close. */
MUST_USE int cards_waiting_open(const char *home, struct cards_waiting *out, struct err *err);
/* The next one, in ARENA: 1; 0: there are no more. ERR_BAD_CARD: this one cannot be read; the next
 * may be asked for. ERR_IO, ERR_LIMIT. */
int cards_waiting_next(
    struct cards_waiting *waiting, struct arena *arena, struct cards_read *out, struct err *err);
/* Only those of TEAM, from the first on. */
void cards_waiting_only(struct cards_waiting *waiting, struct span team);
void cards_waiting_close(struct cards_waiting *waiting);
/* How many wait, by their files' names. ERR_IO, ERR_LIMIT. */
MUST_USE int cards_waiting_count(const char *home, uint64_t *out, struct err *err);
/* CARD waits no more. */
MUST_USE int cards_drop(const char *home, const struct cards_read *card, struct err *err);
/* TEAM's accepted card is no more; what the directory says of it counts. ERR_NOT_FOUND. */
MUST_USE int cards_forget(const char *home, struct span team, struct err *err);

/* The operator says that TEXT, a signed card, is its team's: whatever key was known before, it is
 * kept, durably. For who holds no lock. Texts of OUT in ARENA. ERR_BAD_CARD says what is wrong with
 * it; ERR_EXISTS: a newer one, or another of the same version, is known. ERR_IO, ERR_LIMIT. */
MUST_USE int cards_accept_operator(const char *home, struct arena *arena, struct span text,
    int64_t now_us, struct card_signed *out, struct err *err);
/* The same for who holds the lock, of a card that was read. */
MUST_USE int cards_accept(const char *home, struct arena *arena, struct cards_read *card,
    const struct keyring *ring, int64_t now_us, struct err *err);

/* ERR_USAGE: CARD is OWN's, this node's team: publishing signs that one. */
MUST_USE int cards_check_other(const struct cards_read *card, struct span own, struct err *err);
/* OWN, whose key is KEY, vouches for CARD's key, and accepts CARD with that; the very card that was
 * accepted already stays as it was accepted. For who holds the lock. Errors: cards_check_other's,
 * card_sign_vouch's, cards_accept's. */
MUST_USE int cards_vouch(const char *home, struct arena *arena, struct cards_read *card,
    struct span own, const struct agreement_key *key, const struct keyring *ring, int64_t now_us,
    struct err *err);

/* What a card is judged by; all of it is borrowed. */
struct cards_world {
    const char *home;
    const struct keyring *ring;
    const struct roster *roster;
    struct span own; /* this node's team; n 0: not known */
    int64_t now_us;
};
/* Is CARD believed (card_accept)? What was said for its key before, here, is put among its vouches.
 * *KNOWN is the card that was accepted, where there is one. Errors: of this machine alone. */
MUST_USE int cards_judge(const struct cards_world *world, struct arena *arena,
    struct cards_read *card, struct cards_read *known, struct card_judgement *out, struct err *err);
/* What it claims more than was known of its team (card_claims.h), one by one. Errors: of this
 * machine alone. */
MUST_USE int cards_claims(const struct cards_world *world, struct arena *arena,
    const struct cards_read *card, card_claims_told *tell, void *ctx, struct err *err);

/* "accepted by the operator", "vouched for by a.test and b.test", ... */
void cards_word(struct buf *out, const struct card_acceptance *accepted);

#endif
