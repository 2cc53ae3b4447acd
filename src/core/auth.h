/* auth.h: who asks this, and is it really they?
 *
 * Passwords are looked at by one thread (core/hasher.h); what was verified is remembered for some
 * minutes under a keyed hash, and forgotten at once when an account changes. An account that is not
 * there takes as long as a wrong password. Attempts are limited for each account and each address
 * (core/attempts.h). Tokens and sessions are random, and only their hashes are kept.
 *
 * What core answers about accounts is in core/accounts.c.
 */
#ifndef COMITY_CORE_AUTH_H
#define COMITY_CORE_AUTH_H

#include "core/core.h"
#include "core/people.h"

struct auth;
struct message_row;

enum {
    AUTH_LATER = 1,        /* no answer yet: the question is asked again when a password was seen */
    AUTH_TOKEN_BYTES = 40, /* letters and digits: MISP's clients take nothing else for a key */
    AUTH_MADE_BYTES = 20,  /* a password that the node makes */
    AUTH_PROOF_BYTES = 64,
};

/* CORE has its store and loop. Makes the account `operator` in a store that has none; auth_welcome
 * tells its one-time password when that is durable. Owner: the caller, also after an error. */
MUST_USE int auth_new(struct core *core, struct auth **out, struct err *err);
void auth_free(struct auth *auth);
void auth_welcome(struct auth *auth);
struct people *auth_people(struct auth *auth);

/* Who is behind ASK's caller? Fills ask.asker, whose texts live until the next question.
 * AUTH_LATER: ask.message was copied. Errors: ERR_NOT_SIGNED_IN, ERR_NOT_ALLOWED (not by this
 * door), ERR_TOO_MANY, ERR_BUSY, and the store's. */
MUST_USE int auth_who(struct core *core, struct ask *ask, struct err *err);
/* May the asker ask that: right, door, a session's proof, a password that must be changed first?
 * ERR_NOT_SIGNED_IN, ERR_NOT_ALLOWED. */
MUST_USE int auth_may(
    struct core *core, const struct ask *ask, const struct message_row *row, struct err *err);

/* For the answers about accounts: have the thread VERIFY a password against a hash and hash a NEW
 * one, then ask ASK's question again with ask.result. MADE (n 0: none) is kept for it. AUTH_LATER,
 * ERR_BUSY, ERR_LIMIT. */
struct auth_work {
    bool verify;
    struct span hash;
    struct span password;
    struct span new;
    struct span made;
};
struct auth_result {
    bool right;
    struct span hash;
    struct span made;
};
MUST_USE int auth_hash(
    struct core *core, const struct ask *ask, const struct auth_work *work, struct err *err);
/* A wrong `current` password counts as an attempt. */
void auth_was_wrong(struct core *core, const struct ask *ask, struct span name);
/* ... and may be tried: ERR_TOO_MANY. */
MUST_USE int auth_may_try(
    struct core *core, const struct ask *ask, struct span name, struct err *err);

/* AUTH_TOKEN_BYTES random letters and digits, and a NUL; how it is kept. */
void auth_make_token(char out[AUTH_TOKEN_BYTES + 1]);
void auth_token_hash(struct span token, uint8_t out[32]);
/* AUTH_MADE_BYTES that people can type, and a NUL. */
void auth_make_password(char out[AUTH_MADE_BYTES + 1]);
/* What the page of this session must send as X-CSRF-Token, and a NUL. */
void auth_proof(const struct core *core, struct span session, char out[AUTH_PROOF_BYTES + 1]);

/* An account has changed: nothing that was verified before counts. */
void auth_forget(struct core *core);
/* A transaction was taken back. */
void auth_lost(struct core *core);
/* The door's channel has gone: its questions are forgotten. */
void auth_gone(struct core *core, enum door door);

#endif
