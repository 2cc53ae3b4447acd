/* keyring.h: which keys are known to be this team's?
 *
 * From the team's card, if it is verified, and from a folder of files TEAM-ID.pub (base64, a line a
 * key), which the operator fills. A key that the team has given up has "until TIME" behind it, and
 * counts for what was signed before. Nothing else is believed.
 */
#ifndef COMITY_FLOW_KEYRING_H
#define COMITY_FLOW_KEYRING_H

#include "flow/card_key.h"
#include "flow/roster.h"

struct keyring;

struct keyring *keyring_new(void);
void keyring_free(struct keyring *ring);
MUST_USE int keyring_add(
    struct keyring *ring, struct span team, const struct card_key *key, struct err *err);
/* All keys of verified cards. */
MUST_USE int keyring_add_roster(struct keyring *ring, const struct roster *roster, struct err *err);
/* All files *.pub of FOLDER; one that is not there holds none. Lines that begin with # are for
 * people. Errors: ERR_IO; ERR_BAD_CONFIG names the file with a line that is no key. */
MUST_USE int keyring_add_folder(struct keyring *ring, const char *folder, struct err *err);

size_t keyring_count(const struct keyring *ring);
/* Two rings of the same keys, read in the same order, have the same; a NULL ring has 0. */
uint64_t keyring_digest(const struct keyring *ring);
/* Was KEY this team's at AT_US? A NULL ring knows none. */
bool keyring_knows(
    const struct keyring *ring, struct span team, const uint8_t key[CARD_KEY_BYTES], int64_t at_us);
/* Was it once, and is it at AT_US no more? */
bool keyring_ended(
    const struct keyring *ring, struct span team, const uint8_t key[CARD_KEY_BYTES], int64_t at_us);
/* One by one the keys that are TEAM's at AT_US: *AT begins with 0. NULL: no more. Some may come
 * twice. */
const uint8_t *keyring_next(
    const struct keyring *ring, struct span team, int64_t at_us, size_t *at);
/* The same, with those that it has given up. */
const struct card_key *keyring_each(const struct keyring *ring, struct span team, size_t *at);
/* A line of a team's file: 1 with *OUT filled; 0: it is for people. ERR_BAD_CONFIG. */
int keyring_line(struct span line, struct card_key *out, struct err *err);

#endif
