/* mail_mime.h: which bytes is this mail?
 *
 * RFC 5322 and MIME by GMime; signed, and encrypted where a key is known, as RFC 3156 has it. Lines
 * end with CRLF, all bytes are ASCII. No value that comes from elsewhere can end a header:
 * addresses are checked, texts are encoded (RFC 2047).
 */
#ifndef COMITY_EDGE_MAIL_MIME_H
#define COMITY_EDGE_MAIL_MIME_H

#include "edge/mail_bundle.h"

struct mail_pgp;

void mail_mime_begin(void);
/* TASK's mail in OUT, with what BUNDLE says and the table CSV (n 0: none). PGP NULL: it is neither
 * signed nor encrypted (tests). ERR_BAD_VALUE: an address that is none; ERR_IO: gpg could not do
 * it, and says why; ERR_LIMIT: larger than TASK allows. */
MUST_USE int mail_mime(const struct mail_task *task, const struct mail_bundle *bundle,
    struct span csv, struct mail_pgp *pgp, struct buf *out, struct err *err);

#endif
