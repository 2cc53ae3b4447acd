/* auth.h: who asks this, and is it really they?
 *
 * Passwords are Argon2id in one worker thread with a short queue, so that the loop never waits for
 * one; what was verified is remembered for some minutes under a keyed hash, and forgotten at once
 * when the account changes. Attempts are limited for each account and each peer.
 */
#ifndef COMITY_CORE_AUTH_H
#define COMITY_CORE_AUTH_H

#include "core/core.h"

struct auth;

enum { AUTH_LATER = 1 };

/* CORE has its store and loop. Makes the account `operator` in a store that has none, and tells the
 * operator its one-time password. Owner: the caller. */
MUST_USE int auth_new(struct core *core, struct auth **out, struct err *err);
void auth_free(struct auth *auth);

/* Who is behind CALLER, who came in by DOOR? The texts of OUT live until the next question.
 * AUTH_LATER: MESSAGE was copied and will be asked again (core_ask_again) when the password was
 * looked at. Errors: ERR_NOT_SIGNED_IN, ERR_NOT_ALLOWED (not by this door), ERR_TOO_MANY, ERR_BUSY,
 * and the store's. */
MUST_USE int auth_who(struct core *core, enum door door, const struct caller *caller,
    const struct channel_message *message, struct asker *out, struct err *err);
/* May OUT ask what its ROW says: right, and the proof of a session that changes something?
 * ERR_NOT_SIGNED_IN, ERR_NOT_ALLOWED. */
struct message_row;
MUST_USE int auth_may(struct core *core, const struct asker *asker, const struct caller *caller,
    const struct message_row *row, struct err *err);
/* The door's channel has gone: its questions are forgotten. */
void auth_gone(struct core *core, enum door door);

#endif
