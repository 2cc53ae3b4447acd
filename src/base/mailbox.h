/* mailbox.h: is this an address that mail can go to, and where do answers go? */
#ifndef COMITY_BASE_MAILBOX_H
#define COMITY_BASE_MAILBOX_H

#include "base/str.h"

enum {
    MAIL_ADDRESS_BYTES = 254, /* RFC 5321, 4.5.3.1.3, without < and > */
    MAIL_BATCH_BYTES = 36,    /* a UUID's */
    MAIL_REPLY_BYTES = MAIL_ADDRESS_BYTES + MAIL_BATCH_BYTES + 1,
};

/* Can mail go to (or come from) ADDRESS, without anything in it that a header or an SMTP command
 * could take for more? A dot-atom, '@', and a domain of LDH labels: RFC 5322, 3.4.1 without quoted
 * strings, comments and literals. */
bool mail_is_address(struct span address);
/* REPLY, with BATCH (MAIL_BATCH_BYTES at most) where it says BATCH: in OUT, or as it is; n 0: too
 * long. */
struct span mail_reply(struct span reply, struct span batch, char out[MAIL_REPLY_BYTES]);

#endif
