/* mail_pgp.h: who signs, and who alone can read?
 *
 * OpenPGP by GnuPG, which gpgme runs: its keys lie in the folder that is given, with the agent's
 * socket. A recipient is known by the fingerprint that core keeps, whatever else is in the folder.
 */
#ifndef COMITY_EDGE_MAIL_PGP_H
#define COMITY_EDGE_MAIL_PGP_H

#include "model/mail.h"

struct mail_pgp;
typedef struct _GMimeObject GMimeObject;

/* FOLDER is there. ERR_NOT_FOUND: no gpg is installed. Owner: the caller. */
MUST_USE int mail_pgp_new(const char *folder, struct mail_pgp **out, struct err *err);
/* The agent that gpg started ends, too. */
void mail_pgp_free(struct mail_pgp *pgp);

/* KEY's one certificate goes into the folder; its FINGERPRINT. ERR_BAD_VALUE: it is none, is a
 * secret key, has expired, or cannot be encrypted to. */
MUST_USE int mail_pgp_key(struct mail_pgp *pgp, struct span key,
    char fingerprint[MAIL_FINGERPRINT_BYTES + 1], struct err *err);

/* INNER, signed by TASK's sign_key, and encrypted if it has a fingerprint (RFC 3156, sections 5 and
 * 6.2); *OUT is the caller's. ERR_BAD_VALUE, ERR_IO: with gpg's reason. */
MUST_USE int mail_pgp_seal(struct mail_pgp *pgp, const struct mail_task *task, GMimeObject *inner,
    GMimeObject **out, struct err *err);

#endif
