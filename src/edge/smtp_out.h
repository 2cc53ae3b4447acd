/* smtp_out.h: does this server take this mail?
 *
 * RFC 5321 by libcurl's multi interface in the process's loop, one mail at a time, bounded in time.
 * The server's name is looked up by a resolver of its own (resolve.h), "localhost" by nobody.
 * smtp:// begins TLS by STARTTLS (RFC 3207) and goes no further without, unless the server is this
 * machine; smtps:// begins with it. The server is believed if a CA vouches for its name.
 */
#ifndef COMITY_EDGE_SMTP_OUT_H
#define COMITY_EDGE_SMTP_OUT_H

#include "edge/http_file.h"
#include "model/mail.h"
#include "sys/loop.h"

struct smtp_out;

/* CA: PEM, n 0: nobody vouches. DNS: who is asked for names (resolver_new). Before the walls are
 * up. ERR_IO, ERR_NO_MEMORY, ERR_BAD_CONFIG. Owner: the caller, also after an error. */
MUST_USE int smtp_out_new(
    struct loop *loop, struct span ca, struct span dns, struct smtp_out **out, struct err *err);
/* What is being sent is broken off; nobody is told. */
void smtp_out_free(struct smtp_out *smtp);
void smtp_out_stop(struct smtp_out *smtp);
bool smtp_out_busy(const struct smtp_out *smtp);

struct smtp_mail {
    struct span server; /* as mail.smtp has it */
    struct span user;   /* n 0: it does not sign in */
    struct span password;
    struct span from;
    struct span to;
    struct span message; /* borrowed until it is over */
};
/* Outcome MAIL_OK: the server answered 250 to all of it; MAIL_LATER, MAIL_REFUSED: it did not, or
 * could not be asked. SENT's number is 0; it is borrowed. */
typedef void smtp_done(void *ctx, const struct mail_sent *sent);
/* All but the message is copied. DONE is called once, later. ERR_BAD_NAME: no such server can be
 * meant; ERR_INTERNAL: busy; ERR_LIMIT: too many names are looked for; ERR_NO_MEMORY. */
MUST_USE int smtp_out_begin(struct smtp_out *smtp, const struct smtp_mail *mail, smtp_done *done,
    void *ctx, struct err *err);

#endif
