/* hasher.h: is this the password, without anybody waiting for the answer?
 *
 * Argon2id takes tens of milliseconds and MiB of memory by design. One thread does it, one password
 * after the other, and gives the memory back; what waits is bounded.
 */
#ifndef COMITY_CORE_HASHER_H
#define COMITY_CORE_HASHER_H

#include "base/str.h"
#include "sys/loop.h"

enum { HASHER_QUEUE = 32, HASHER_PASSWORD_BYTES = 1024, HASHER_TEXT_BYTES = 128 };

struct hasher;

/* What is to be done: VERIFY a password against a hash, if there is one, and if that is right (or
 * not asked) hash NEW. Texts are copied, and wiped when they were used. */
struct hasher_work {
    bool verify;
    struct span hash;     /* n 0: of an account that is not there: takes as long, and is wrong */
    struct span password; /* to be verified */
    struct span new;      /* n 0: nothing to be hashed */
};
struct hasher_result {
    bool right;                   /* or not asked */
    char hash[HASHER_TEXT_BYTES]; /* of NEW; "": there is none, as the machine had no memory */
};
/* DONE is called from LOOP with what hasher_add returned in TICKET. */
typedef void hasher_done(void *ctx, uint64_t ticket, const struct hasher_result *result);

/* The thread is started with the first work. ERR_IO, ERR_NO_MEMORY. Owner: the caller. */
MUST_USE int hasher_new(
    struct loop *loop, hasher_done *done, void *ctx, struct hasher **out, struct err *err);
/* Waits for the password that is being hashed; DONE is called no more. */
void hasher_free(struct hasher *hasher);
/* ERR_BUSY when HASHER_QUEUE wait; ERR_LIMIT for a password longer than HASHER_PASSWORD_BYTES. */
MUST_USE int hasher_add(
    struct hasher *hasher, const struct hasher_work *work, uint64_t *ticket, struct err *err);

/* At once, waiting for it: for a node that starts. "" when there is no memory. */
void hasher_now(struct span password, char out[HASHER_TEXT_BYTES]);

#endif
