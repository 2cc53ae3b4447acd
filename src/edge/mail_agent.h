/* mail_agent.h: who holds the secret keys for gpg, and for how long?
 *
 * gpg-agent, one for each folder of keys, listens there for whoever may go there. This one lives
 * as long as who began it does, however that ends.
 */
#ifndef COMITY_EDGE_MAIL_AGENT_H
#define COMITY_EDGE_MAIL_AGENT_H

#include <sys/types.h>

struct mail_agent {
    int hold;     /* a pipe's end; the agent stays as long as this process has it. -1: none */
    pid_t holder; /* reads the other end; the agent ends with it. 0: there is none */
};

/* gpgme finds FOLDER by GNUPGHOME already. An agent that is there is ended first: it may be one
 * that nobody holds. Where none can be started gpg starts its own. */
void mail_agent_begin(struct mail_agent *agent, const char *folder);
/* Also of one that gpg started itself. AGENT may be {.hold = -1}. Waits for a second at most for
 * each of: its answer, its end. */
void mail_agent_end(struct mail_agent *agent);

#endif
