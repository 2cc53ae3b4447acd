/* mail.h: which teams get mail, and which mails are on their way?
 *
 * A row for each team that the operator named, and one for each mail that was made: exactly the
 * bytes that leave, until they have left. Errors: as all of the store's. doc/store-schema.md has
 * the tables.
 */
#ifndef COMITY_STORE_MAIL_H
#define COMITY_STORE_MAIL_H

#include "store/store.h"

enum { STORE_MAIL_WHY_BYTES = 500 };

struct store_mail {
    uint32_t team;
    bool digest;             /* one a day; else at once */
    struct span address;     /* whom it goes to */
    struct span key;         /* OpenPGP, as it was given; n 0: none */
    struct span fingerprint; /* of it */
    int64_t next_us;         /* when the next digest is made; at once: 0 */
    int64_t added_us;
    struct span added_by;
    struct span why; /* no mail can be made, because; n 0: it can */
};
/* By team. */
MUST_USE int store_mails(struct store *store, struct arena *arena, struct store_mail **out,
    size_t *count, struct err *err);
/* One more, or new values for one that is there. WHY is cut to STORE_MAIL_WHY_BYTES. */
MUST_USE int store_mail_put(struct store *store, const struct store_mail *mail, struct err *err);
/* Its mails too. ERR_NOT_FOUND. */
MUST_USE int store_mail_remove(struct store *store, uint32_t team, struct err *err);

enum store_mail_state {
    MAIL_OUT_READY,
    MAIL_OUT_GONE,
    MAIL_OUT_STUCK
}; /* to be sent; accepted; never */
struct store_mail_out {
    uint64_t number; /* given by store_mail_out_add */
    uint32_t team;
    uint8_t state; /* enum store_mail_state */
    bool encrypted;
    struct span address;    /* whom it goes to */
    struct span batch;      /* a UUID */
    struct span message_id; /* without < and > */
    uint32_t collection;    /* what it holds was added there, */
    int64_t from_us;        /* after this, */
    int64_t through_us;     /* until this */
    uint32_t reports;
    uint32_t bytes; /* of the message */
    int64_t made_us;
    int64_t again_us; /* MAIL_OUT_READY: when it is tried next */
    int64_t sent_us;  /* MAIL_OUT_GONE: when it was accepted */
    uint32_t tries;   /* that failed */
    uint16_t code;    /* what the server said last (RFC 5321, 4.2); 0: nothing */
    struct span why;  /* and in words */
};
MUST_USE int store_mail_out_add(
    struct store *store, struct store_mail_out *mail, struct span message, struct err *err);
/* New state, times, tries, code and why; the message of one that is MAIL_OUT_GONE goes. */
MUST_USE int store_mail_out_put(
    struct store *store, const struct store_mail_out *mail, struct err *err);
/* All that have not gone, by number. */
MUST_USE int store_mail_outs(struct store *store, struct arena *arena, struct store_mail_out **out,
    size_t *count, struct err *err);
/* At most LIMIT of a team, the newest first. */
MUST_USE int store_mail_outs_of(struct store *store, struct arena *arena, uint32_t team,
    uint32_t limit, struct store_mail_out **out, size_t *count, struct err *err);
/* ERR_NOT_FOUND: it has gone, or was never there. */
MUST_USE int store_mail_message(struct store *store, struct arena *arena, uint64_t number,
    struct span *message, struct err *err);
/* Those of a team that have not gone are forgotten: what they hold is made into mails anew. */
MUST_USE int store_mail_withdraw(struct store *store, uint32_t team, struct err *err);
/* The Message-ID of the mail that has gone with what was added at ADDED_US; n 0: none has. */
MUST_USE int store_mail_with(struct store *store, struct arena *arena, uint32_t team,
    int64_t added_us, struct span *message_id, struct err *err);
/* Those that have gone before BEFORE_US are forgotten. */
MUST_USE int store_mail_expire(struct store *store, int64_t before_us, struct err *err);

/* Which batches did what was added to COLLECTION after AFTER_US, until THROUGH_US, come from? */
MUST_USE int store_mail_batches(struct store *store, struct arena *arena, uint32_t collection,
    int64_t after_us, int64_t through_us, uint64_t **out, size_t *count, struct err *err);
/* Until when has its recipient what was added to COLLECTION? */
MUST_USE int store_mail_mark(
    struct store *store, uint32_t collection, int64_t *fetched_us, struct err *err);

#endif
