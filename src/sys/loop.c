#include "sys/loop.h"

#include "sys/clock.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_A_ROUND = 64, HOOKS_MAX = 16, SIGNALS_MAX = 65, WATCHES_MAX = 1 << 20 };

struct watch {
    loop_ready *ready; /* NULL: not watched */
    void *ctx;
    unsigned events;
    uint32_t generation; /* an event fetched before it was forgotten is not told any more */
};

struct handler {
    void (*came)(void *ctx, int signal);
    void *ctx;
};

struct after {
    void (*round)(void *ctx);
    void *ctx;
};

struct idle {
    bool (*work)(void *ctx);
    void *ctx;
};

struct loop {
    int epoll;
    int signals; /* -1: none is waited for */
    bool stopped;
    bool running;
    bool restless; /* idle work may have more to do */
    sigset_t set;
    struct watch *watches; /* by descriptor */
    size_t watch_count;
    struct loop_timer **heap; /* the earliest first */
    size_t timers;
    size_t heap_size;
    struct handler handlers[SIGNALS_MAX];
    struct after afters[HOOKS_MAX];
    size_t after_count;
    struct idle idles[HOOKS_MAX];
    size_t idle_count;
    struct loop_task *soon; /* few: each channel has one */
};

static int
failed(const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s", what, strerror(errno));
}

int
loop_new(struct loop **out, struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);

    *out = NULL;
    if (loop == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an event loop");
    loop->signals = -1;
    (void)sigemptyset(&loop->set);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        int rc = failed("epoll cannot be had", err);
        free(loop);
        return rc;
    }
    *out = loop;
    return 0;
}

void
loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->signals >= 0)
        (void)close(loop->signals);
    (void)close(loop->epoll);
    free(loop->watches);
    free(loop->heap);
    free(loop);
}

static int
grow_watches(struct loop *loop, int fd, struct err *err)
{
    size_t count = loop->watch_count == 0 ? 64 : loop->watch_count;

    if (fd < 0 || fd >= WATCHES_MAX)
        return err_set(err, ERR_LIMIT, "descriptor %d cannot be watched", fd);
    while (count <= (size_t)fd)
        count *= 2;
    if (count == loop->watch_count)
        return 0;
    struct watch *watches = realloc(loop->watches, count * sizeof *watches);
    if (watches == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to watch %zu descriptors", count);
    memset(watches + loop->watch_count, 0, (count - loop->watch_count) * sizeof *watches);
    loop->watches = watches;
    loop->watch_count = count;
    return 0;
}

/* Leaving is asked for together with reading only: who does not read yet would be told without end.
 */
static uint32_t
epoll_events(unsigned events)
{
    return ((events & LOOP_READ) != 0 ? EPOLLIN | EPOLLRDHUP : 0u)
        | ((events & LOOP_WRITE) != 0 ? EPOLLOUT : 0u);
}

int
loop_watch(
    struct loop *loop, int fd, unsigned events, loop_ready *ready, void *ctx, struct err *err)
{
    int rc = grow_watches(loop, fd, err);

    if (rc != 0)
        return rc;
    struct watch *watch = &loop->watches[fd];
    struct watch wanted = {ready, ctx, events, watch->generation};
    struct epoll_event event = {.events = epoll_events(events),
        .data.u64 = (uint64_t)watch->generation << 32 | (uint32_t)fd};
    bool known = watch->ready != NULL;

    if (known && watch->events == events) {
        *watch = wanted;
        return 0;
    }
    if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return failed("a descriptor cannot be watched", err);
    *watch = wanted;
    return 0;
}

void
loop_forget(struct loop *loop, int fd)
{
    if (fd < 0 || (size_t)fd >= loop->watch_count || loop->watches[fd].ready == NULL)
        return;
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    loop->watches[fd] = (struct watch){.generation = loop->watches[fd].generation + 1};
}

static void
put(struct loop *loop, size_t at, struct loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->place = (uint32_t)at + 1;
}

static void
sift_up(struct loop *loop, size_t at, struct loop_timer *timer)
{
    for (size_t above; at > 0; at = above) {
        above = (at - 1) / 2;
        if (loop->heap[above]->at_ticks_us <= timer->at_ticks_us)
            break;
        put(loop, at, loop->heap[above]);
    }
    put(loop, at, timer);
}

static void
sift_down(struct loop *loop, size_t at, struct loop_timer *timer)
{
    for (size_t below; (below = 2 * at + 1) < loop->timers; at = below) {
        if (below + 1 < loop->timers
            && loop->heap[below + 1]->at_ticks_us < loop->heap[below]->at_ticks_us)
            below++;
        if (timer->at_ticks_us <= loop->heap[below]->at_ticks_us)
            break;
        put(loop, at, loop->heap[below]);
    }
    put(loop, at, timer);
}

void
loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    if (timer->place == 0)
        return;
    size_t at = timer->place - 1;
    struct loop_timer *last = loop->heap[--loop->timers];
    timer->place = 0;
    if (last == timer)
        return;
    if (at > 0 && last->at_ticks_us < loop->heap[(at - 1) / 2]->at_ticks_us)
        sift_up(loop, at, last);
    else
        sift_down(loop, at, last);
}

int
loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ticks_us, struct err *err)
{
    loop_timer_stop(loop, timer);
    if (loop->timers == loop->heap_size) {
        size_t size = loop->heap_size == 0 ? 64 : 2 * loop->heap_size;
        struct loop_timer **heap =
            size > UINT32_MAX / 2 ? NULL : realloc(loop->heap, size * sizeof(struct loop_timer *));
        if (heap == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu timers", size);
        loop->heap = heap;
        loop->heap_size = size;
    }
    timer->at_ticks_us = at_ticks_us;
    sift_up(loop, loop->timers++, timer);
    return 0;
}

static void
take_signals(void *ctx, unsigned events)
{
    struct loop *loop = ctx;
    struct signalfd_siginfo info;

    (void)events;
    while (read(loop->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo < SIGNALS_MAX && loop->handlers[info.ssi_signo].came != NULL)
            loop->handlers[info.ssi_signo].came(
                loop->handlers[info.ssi_signo].ctx, (int)info.ssi_signo);
}

int
loop_signal(
    struct loop *loop, int signal, void (*came)(void *ctx, int signal), void *ctx, struct err *err)
{
    if (signal <= 0 || signal >= SIGNALS_MAX || sigaddset(&loop->set, signal) != 0)
        return err_set(err, ERR_INTERNAL, "there is no signal %d", signal);
    loop->handlers[signal] = (struct handler){came, ctx};
    if (sigprocmask(SIG_BLOCK, &loop->set, NULL) != 0)
        return failed("a signal cannot be held back", err);
    int fd = signalfd(loop->signals, &loop->set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return failed("signals cannot be waited for", err);
    loop->signals = fd;
    return loop_watch(loop, fd, LOOP_READ, take_signals, loop, err);
}

/* More hooks than there is room for is a mistake in the program, seen at its first start. */
void
loop_after(struct loop *loop, void (*round)(void *ctx), void *ctx)
{
    if (loop->after_count == HOOKS_MAX)
        abort();
    loop->afters[loop->after_count++] = (struct after){round, ctx};
}

void
loop_idle(struct loop *loop, bool (*work)(void *ctx), void *ctx)
{
    if (loop->idle_count == HOOKS_MAX)
        abort();
    loop->idles[loop->idle_count++] = (struct idle){work, ctx};
    loop->restless = true;
}

static int
milliseconds_to_wait(const struct loop *loop)
{
    if (loop->restless || loop->soon != NULL)
        return 0;
    if (loop->timers == 0)
        return -1;
    int64_t left = loop->heap[0]->at_ticks_us - clock_ticks_us();
    if (left <= 0)
        return 0;
    return left / 1000 >= INT_MAX - 1 ? INT_MAX - 1 : (int)((left + 999) / 1000);
}

static void
tell(struct loop *loop, const struct epoll_event *event)
{
    uint32_t fd = (uint32_t)event->data.u64;
    unsigned events = ((event->events & EPOLLIN) != 0 ? LOOP_READ : 0u)
        | ((event->events & EPOLLOUT) != 0 ? LOOP_WRITE : 0u)
        | ((event->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 ? LOOP_CLOSED : 0u);

    if (fd >= loop->watch_count)
        return;
    const struct watch *watch = &loop->watches[fd];
    if (watch->ready != NULL && watch->generation == (uint32_t)(event->data.u64 >> 32))
        watch->ready(watch->ctx, events);
}

/* Those that were due when the round began, and no more than there were then: one that is set again
 * for at once must not keep the others waiting. */
static bool
tell_timers(struct loop *loop)
{
    bool any = false;
    int64_t now = loop->timers == 0 ? 0 : clock_ticks_us();

    for (size_t left = loop->timers; left > 0 && loop->timers > 0; left--) {
        struct loop_timer *timer = loop->heap[0];
        if (timer->at_ticks_us > now)
            break;
        loop_timer_stop(loop, timer);
        timer->due(timer->ctx);
        any = true;
    }
    return any;
}

bool
loop_soon(struct loop *loop, struct loop_task *task)
{
    struct loop_task **at = &loop->soon;

    if (task->set || !loop->running)
        return task->set;
    while (*at != NULL)
        at = &(*at)->next;
    *at = task;
    task->next = NULL;
    task->set = true;
    return true;
}

void
loop_soon_stop(struct loop *loop, struct loop_task *task)
{
    struct loop_task **at = &loop->soon;

    if (!task->set)
        return;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    task->set = false;
}

/* Those that are set now, and none that they set: others' turn comes between. */
static void
run_soon(struct loop *loop)
{
    size_t left = 0;

    for (const struct loop_task *task = loop->soon; task != NULL; task = task->next)
        left++;
    for (; left > 0 && loop->soon != NULL; left--) {
        struct loop_task *task = loop->soon;
        loop_soon_stop(loop, task);
        task->run(task->ctx);
    }
}

static bool
work_idly(struct loop *loop)
{
    bool more = false;

    for (size_t i = 0; i < loop->idle_count; i++)
        more |= loop->idles[i].work(loop->idles[i].ctx);
    return more;
}

static int
rounds(struct loop *loop, struct err *err)
{
    struct epoll_event events[EVENTS_A_ROUND];

    while (!loop->stopped) {
        run_soon(loop);
        if (loop->stopped)
            break;
        int n = epoll_wait(loop->epoll, events, EVENTS_A_ROUND, milliseconds_to_wait(loop));
        if (n < 0 && errno != EINTR)
            return failed("epoll cannot wait", err);
        for (int i = 0; i < n; i++)
            tell(loop, &events[i]);
        bool busy = tell_timers(loop) || n > 0;
        loop->restless = loop->idle_count > 0 && (busy || work_idly(loop));
        for (size_t i = 0; i < loop->after_count; i++)
            loop->afters[i].round(loop->afters[i].ctx);
    }
    return 0;
}

int
loop_run(struct loop *loop, struct err *err)
{
    loop->stopped = false;
    loop->running = true;
    int rc = rounds(loop, err);
    run_soon(loop);
    loop->running = false;
    return rc;
}

void
loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
