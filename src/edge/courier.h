/* courier.h: what does each of the courier's jobs get, and what is it told?
 *
 * The courier sends and fetches; what and to whom, core says. Each kind of work is a job: a file
 * with a row in courier.c's table. All run in one loop, and none may block. Nothing that a job
 * knows lasts: what is to be done stands in core's store, and is asked for again whenever core or
 * the courier was started anew.
 */
#ifndef COMITY_EDGE_COURIER_H
#define COMITY_EDGE_COURIER_H

#include "edge/http_out.h"
#include "edge/talk.h"
#include "model/link.h"
#include "sys/role.h"

struct courier {
    const struct role_start *start;
    struct talks *talks;
    struct http_out *http;
    struct span ca; /* PEM: who vouches for servers; while jobs are opened */
    bool stopping;  /* nothing new is begun */
    bool on; /* option courier, and the courier is not about to stop: nothing is begun else */
    /* The links as core told them last; until `changed` is called again. */
    const struct link *links;
    size_t link_count;
};

/* CTX is what `open` gave. */
struct courier_job {
    const char *name;
    /* Before the walls are up; what is given out is closed also after an error. */
    int (*open)(struct courier *courier, void **ctx, struct err *err);
    void (*close)(void *ctx);
    /* Links, settings, core or `on` are others than before: begin, go on, or stop what may no
     * longer be. */
    void (*changed)(void *ctx);
    /* Is something under way that should end before the courier does? NULL: only transfers of
     * `http` are. */
    bool (*busy)(const void *ctx);
    /* Core's word that belongs to no conversation; false: it is not for this job. */
    bool (*said)(void *ctx, const struct channel_message *message);
};

extern const struct courier_job courier_push;    /* what waits goes to links' nodes */
extern const struct courier_job courier_mail;    /* mails go to the SMTP server */
extern const struct courier_job courier_poll;    /* what links' nodes have is fetched */
extern const struct courier_job courier_witness; /* links' nodes witness each other's ledgers */

/* May something be begun now? */
bool courier_may(const struct courier *courier);

#endif
