/* mail.h: what do core, mailer and courier say to each other about mails to teams without a node?
 *
 * Core decides what goes and when, the mailer makes the message (tables/messages.def, M), core
 * keeps it until the courier (C) has handed it to the SMTP server. Texts that are taken borrow from
 * the message. All `_take` functions: ERR_INTERNAL (only a broken role sends such bytes).
 *
 *   MAIL_TAKE    nothing; answer: struct mail_task, then, in parts (MORE), its STIX objects with
 *                commas between them; what MAIL_NOTHING: no task
 *   MAIL_PIECE   number u64, bytes: the message so far; answered at once
 *   MAIL_MADE    struct mail_made; answered when durable
 *   MAIL_NEXT    nothing; answer: struct mail_parcel, then, in parts, the message as it leaves;
 *                number 0: none is to be sent now
 *   MAIL_SENT    struct mail_sent; answered when durable
 *   said by core: MAIL_WAITS (MAIL_TAKE would give something), MAIL_READY (MAIL_NEXT would)
 */
#ifndef COMITY_MODEL_MAIL_H
#define COMITY_MODEL_MAIL_H

#include "base/mailbox.h"
#include "base/mem.h"
#include "base/wire.h"

enum {
    MAIL_PART_BYTES = 1024 * 1024,     /* of one message between roles */
    MAIL_RAW_BYTES = 64 * 1024 * 1024, /* objects of one mail, before they are packed */
    MAIL_BYTES = 64 * 1024 * 1024,     /* a message as it leaves */
    MAIL_KEY_BYTES = 256 * 1024,       /* an OpenPGP key, as text */
    MAIL_REFERENCES_MAX = 20,          /* mails that one takes up again */
    MAIL_FINGERPRINT_BYTES = 40,
};

enum mail_what {
    MAIL_NOTHING,
    MAIL_REPORTS, /* make a mail of the objects */
    MAIL_TRIAL,   /* the same, for the operator's eyes; there may be none */
    MAIL_KEY,     /* is `key` one that can be encrypted to? */
};

struct mail_task {
    uint64_t number; /* to be said in MAIL_PIECE and MAIL_MADE */
    uint8_t what;    /* enum mail_what */
    bool digest;
    int64_t date_us;
    uint64_t max_bytes; /* a message that is larger is not made */
    struct span from;   /* addresses */
    struct span to;
    struct span reply;
    struct span own;         /* this team's id, */
    struct span own_name;    /* and its name */
    struct span team;        /* the recipient's id, */
    struct span name;        /* and its name */
    struct span batch;       /* a UUID */
    struct span message_id;  /* without < and > */
    struct span references;  /* the same, of earlier mails, with spaces between; n 0: none */
    struct span sign_key;    /* as gpg takes it */
    struct span key;         /* the recipient's, as it was given; n 0: none */
    struct span fingerprint; /* of it; MAIL_KEY: n 0 */
};
void mail_task_add(struct buf *out, const struct mail_task *task);
MUST_USE int mail_task_take(struct span body, struct mail_task *out, struct err *err);

enum mail_outcome {
    MAIL_OK,        /* made; or accepted by the server */
    MAIL_TOO_LARGE, /* made of fewer objects it may fit */
    MAIL_LATER,     /* not now */
    MAIL_REFUSED,   /* never, as it is */
};
struct mail_made {
    uint64_t number;
    uint8_t outcome;  /* enum mail_outcome */
    struct span text; /* MAIL_KEY: the fingerprint; else, where it was not made, why */
};
void mail_made_add(struct buf *out, const struct mail_made *made);
MUST_USE int mail_made_take(struct span body, struct mail_made *out, struct err *err);

struct mail_parcel {
    uint64_t number;  /* to be said in MAIL_SENT; 0: nothing is to be sent */
    uint32_t bytes;   /* of the message */
    struct span from; /* the envelope's (RFC 5321, 3.3) */
    struct span to;
};
void mail_parcel_add(struct buf *out, const struct mail_parcel *parcel);
MUST_USE int mail_parcel_take(struct span body, struct mail_parcel *out, struct err *err);

struct mail_sent {
    uint64_t number;
    uint8_t outcome; /* MAIL_OK, MAIL_LATER, MAIL_REFUSED */
    uint16_t code;   /* the server's reply (RFC 5321, 4.2); 0: there was none */
    struct span why; /* for people, a line */
};
void mail_sent_add(struct buf *out, const struct mail_sent *sent);
MUST_USE int mail_sent_take(struct span body, struct mail_sent *out, struct err *err);

#endif
