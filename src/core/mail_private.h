/* mail_private.h: what do the files core/mail*.c share?
 */
#ifndef COMITY_CORE_MAIL_PRIVATE_H
#define COMITY_CORE_MAIL_PRIVATE_H

#include "core/mail.h"
#include "core/state.h"
#include "model/mail.h"
#include "store/mail.h"

enum { MAIL_UUID_BYTES = 37, MAIL_ID_BYTES = MAIL_UUID_BYTES + 1 + MAIL_ADDRESS_BYTES };

/* Who waits for what the mailer says. */
struct mail_asker {
    bool waits;
    enum door door;
    uint32_t generation;
    uint64_t tag;
};

/* What the mailer has in hand. */
struct mail_job {
    bool open; /* it was taken */
    uint64_t number;
    uint8_t what; /* enum mail_what */
    uint32_t team;
    uint32_t collection;
    int64_t from_us;
    int64_t through_us;
    uint32_t reports;
    uint64_t raw_bytes;
    bool several; /* deliveries */
    bool encrypted;
    char batch[MAIL_UUID_BYTES];
    char message_id[MAIL_ID_BYTES];
    struct buf address;
    struct buf message; /* as far as it has come */
};

/* What an operator asked for that the mailer must see first: one at a time. */
struct mail_wish {
    uint8_t what; /* MAIL_NOTHING, MAIL_TRIAL, MAIL_KEY */
    struct mail_asker asker;
    struct store_mail mail; /* MAIL_KEY: as it is to be; TRIAL: the team */
    struct buf texts;       /* what MAIL's are in */
};

struct mailing {
    struct core *core;
    struct arena *rows; /* what was read last */
    struct store_mail *list;
    size_t count;
    struct store_mail_out *outs; /* that have not gone */
    size_t out_count;
    bool on;
    struct arena *work;
    struct buf objects;
    struct loop_timer timer;
    uint64_t numbers;
    struct mail_job job;
    struct mail_wish wish;
    bool changed;     /* rows were, since the last commit */
    uint64_t durable; /* mails up to this number are */
    uint64_t sending; /* the mail that the courier has; 0: none */
    /* The last team whose mail was too large under that setting, and of how many bytes of objects
     * it is made now. */
    uint32_t less_team;
    uint64_t less_bytes;
    int64_t less_of;
    uint64_t rested; /* store_appends, when all was looked at */
    bool resting;
    int64_t expired_us; /* ticks, when old ones were last forgotten */
    int64_t waits_us;   /* ticks, since when something waits for mail at once; 0: nothing does */
};

/* ---- mail.c ---- */

/* Rows are read from the store again, as they stand in the transaction. */
MUST_USE int mail_again(struct core *core, struct err *err);
/* NULL: none; the same below. Until the next mail_again. */
struct store_mail *mail_find(const struct mailing *mailing, uint32_t team);
struct store_mail_out *mail_out_of(const struct mailing *mailing, uint32_t team);
struct store_mail_out *mail_out_find(const struct mailing *mailing, uint64_t number);
/* When the next digest is made. */
int64_t mail_next_digest(const struct core *core, int64_t now_us);
/* No mail can be made for it until somebody changes something; in an open transaction. */
MUST_USE int mail_stop(
    struct core *core, const struct store_mail *mail, struct span why, struct err *err);
/* The first team from place *AT of the list whose mail is to be made now; *OUT NULL: none. *AT is
 * where to go on. */
MUST_USE int mail_due(
    struct core *core, size_t *at, const struct store_mail **out, struct err *err);
/* All were looked at and none has something: at once nothing is to be done until there is more. */
void mail_rest(struct core *core);
/* Is one to be sent now? */
const struct store_mail_out *mail_to_send(const struct mailing *mailing, int64_t now_us);
/* Tell mailer and courier that there is something for them. */
void mail_say(struct core *core);

/* ---- mail_make.c ---- */

/* Nothing is in hand any more, and who waited for it is told WHY (NULL: told already). */
void mail_job_end(struct core *core, const struct err *why);

/* ---- mail_thread.c ---- */

/* The Message-IDs of the mails to TEAM that had what the gathered objects recall, with spaces
 * between, as many as OUT has room for. */
MUST_USE int mail_references(struct core *core, uint32_t team, struct buf *out, struct err *err);

/* ---- mail_answer.c ---- */

/* The wish is over: WHY NULL: it went well. */
void mail_wish_end(struct core *core, const struct err *why);
/* The mailer looked at the key: keep the row. */
MUST_USE int mail_wish_keep(struct core *core, struct span fingerprint, struct err *err);
/* The mailer made the message that was to be seen. */
MUST_USE int mail_wish_show(struct core *core, struct span message, struct err *err);

#endif
