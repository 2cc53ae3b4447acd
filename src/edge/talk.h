/* talk.h: how does a process ask core, and who goes on when the answer is there?
 *
 * Conversations over one channel to core, each under a tag; answers come back with it, in any
 * order. What is in flight is bounded. When core goes, all that wait are refused; another channel
 * may take its place. A front's requests ask by edge/ask.h, which stands on this.
 */
#ifndef COMITY_EDGE_TALK_H
#define COMITY_EDGE_TALK_H

#include "base/caller.h"
#include "base/mem.h"
#include "sys/channel.h"

enum { TALKS_MAX = 4096 };

struct talks;

/* One conversation. CREDIT (may be NULL) is told by how much it grew. */
struct talk {
    void *ctx;
    void (*credit)(void *ctx, uint32_t more);
    /* A part of the answer (MORE: others follow), or WHY there is none. The tag ends with a call
     * without MORE. */
    void (*answered)(void *ctx, struct span body, bool more, const struct err *why);
};

/* SAID (may be NULL) is told core's words that belong to no conversation; its message's descriptor
 * is the receiver's. ERR_NO_MEMORY. */
typedef void talks_said(void *ctx, const struct channel_message *message);
MUST_USE int talks_new(
    struct loop *loop, talks_said *said, void *ctx, struct talks **out, struct err *err);
/* Nobody is told any more. */
void talks_free(struct talks *talks);
/* FD leads to core from now on, and becomes theirs; who waited for the one before is refused. */
MUST_USE int talks_core(struct talks *talks, int fd, struct err *err);
bool talks_connected(const struct talks *talks);
/* Has core said anything since this was asked last? */
bool talks_heard(struct talks *talks);
/* Core does not answer: until it says something, or is another one, no conversation begins
 * (ERR_BUSY), so that nothing heaps up which nobody will wait for. Those that go on may go on. */
void talks_silent(struct talks *talks);
/* That it does not answer, as ERR_BUSY. */
int talks_no_answer(struct err *err);

/* Send question TYPE (enum message's number) with CALLER in front of BODY. ERR_BUSY: core is
 * behind, gone or silent; nothing was sent. */
MUST_USE int talk_begin(struct talks *talks, uint16_t type, const struct caller *caller,
    struct span body, const struct talk *talk, uint64_t *tag, struct err *err);
/* Another message under the same tag (INTAKE_*). ERR_BUSY: again when there is credit, or a little
 * later; ERR_INTERNAL: it is over. */
MUST_USE int talk_again(struct talks *talks, uint64_t tag, uint16_t type,
    const struct caller *caller, const struct span *parts, size_t count, struct err *err);
/* Nothing of it is told any more. */
void talk_end(struct talks *talks, uint64_t tag);

#endif
