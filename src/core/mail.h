/* mail.h: which teams without a node are mailed what was released to them, and when?
 *
 * A team's queue is its collection behind what it has got. When its mail is due, whole deliveries
 * go to the mailer as one task; the message that it makes is kept in the store until the courier
 * has handed it to the SMTP server. doc/mail.md says how it looks from outside.
 */
#ifndef COMITY_CORE_MAIL_H
#define COMITY_CORE_MAIL_H

#include "core/core.h"
#include "model/team.h"

struct mailing;

/* CORE has its store. Owner: the caller, until mail_free, also after an error. */
MUST_USE int mail_new(struct core *core, struct mailing **out, struct err *err);
void mail_free(struct mailing *mailing);
/* What was changed is durable: mailer and courier may hear of it. */
void mail_committed(struct core *core);
/* Nothing since core_begin was kept. */
void mail_lost(struct core *core);
/* Nobody is behind DOOR any more: what it had in hand is for its successor. */
void mail_gone(struct core *core, enum door door);
/* Is TEAM mailed? Not while the setting `mail` is off. */
bool mail_goes_to(const struct core *core, struct span team);
/* CTX is core. A team that is mailed has another channel, which is an encrypted one if its key is
 * known; without a key, what requires an encrypted channel cannot be mailed. */
void mail_channels(void *ctx, const struct team *team, struct team_channels *channels);
/* Members of the status, and lines for Prometheus: how many teams are mailed, how many mails wait
 * for the SMTP server, how many of those it has not taken when it was asked, and to how many teams
 * no mail goes until somebody mends something. */
void mail_tell_counts(const struct core *core, struct buf *out);
void mail_tell_metrics(const struct core *core, struct buf *out);

#endif
