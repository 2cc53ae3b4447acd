/* mail_text.h: what does a mail say to the people who read it?
 */
#ifndef COMITY_EDGE_MAIL_TEXT_H
#define COMITY_EDGE_MAIL_TEXT_H

#include "edge/mail_bundle.h"

/* One line: TLP, team, what it is, batch; no control characters, whatever names hold. */
void mail_subject(struct buf *out, const struct mail_task *task, const struct mail_bundle *bundle);
/* Plain text, lines of at most 78 characters where words allow, LF behind each. TABLE and BUNDLE
 * name the attachments; TABLE NULL: there are none. */
void mail_text(struct buf *out, const struct mail_task *task, const struct mail_bundle *bundle,
    const char *table, const char *stix);

#endif
