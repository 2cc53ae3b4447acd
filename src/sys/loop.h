/* loop.h: what is to be done next?
 *
 * One thread, one epoll: descriptors that are ready, timers that are due, signals, and (when
 * nothing else is to do) idle work. Callbacks run to their end; none may block.
 */
#ifndef COMITY_SYS_LOOP_H
#define COMITY_SYS_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_CLOSED = 4 };

MUST_USE int loop_new(struct loop **out, struct err *err);
void loop_free(struct loop *loop);

/* Call READY whenever FD is ready for one of EVENTS (LOOP_READ, LOOP_WRITE); errors and the other
 * end's leaving come as LOOP_CLOSED besides. Again for the same FD: changes what is waited for.
 * FD stays the caller's. ERR_IO. */
typedef void loop_ready(void *ctx, unsigned events);
MUST_USE int loop_watch(
    struct loop *loop, int fd, unsigned events, loop_ready *ready, void *ctx, struct err *err);
/* Fine for one that is not watched; call it before close(FD). */
void loop_forget(struct loop *loop, int fd);

/* A timer is its owner's memory. AT_TICKS_US as clock_ticks_us counts; set again: moved. */
struct loop_timer {
    void (*due)(void *ctx);
    void *ctx;
    int64_t at_ticks_us;
    uint32_t place; /* the loop's: 1 + position in its heap; 0: not set */
};
MUST_USE int loop_timer_set(
    struct loop *loop, struct loop_timer *timer, int64_t at_ticks_us, struct err *err);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* SIGNAL no longer interrupts anything; it is told here. ERR_IO. */
MUST_USE int loop_signal(
    struct loop *loop, int signal, void (*came)(void *ctx, int signal), void *ctx, struct err *err);

/* Run once, before the loop waits the next time: for what a round's callbacks gather (bytes for one
 * write). A task is its owner's memory; again while it is set: nothing changes. */
struct loop_task {
    void (*run)(void *ctx);
    void *ctx;
    struct loop_task *next; /* the loop's; so is */
    bool set;
};
/* False: the loop does not run now, and nothing was set. */
bool loop_soon(struct loop *loop, struct loop_task *task);
void loop_soon_stop(struct loop *loop, struct loop_task *task);

/* After each round of callbacks: for what a round collects (a commit for all its requests). */
void loop_after(struct loop *loop, void (*round)(void *ctx), void *ctx);
/* When nothing is ready: true says that there is more to do and the loop must not sleep. */
void loop_idle(struct loop *loop, bool (*work)(void *ctx), void *ctx);

/* Until loop_stop in one of its callbacks. ERR_IO. */
MUST_USE int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

#endif
