/* Files that core hands over: read a share at a time, beside the requests. */
#include "base/log.h"
#include "edge/front_private.h"
#include "edge/intake_private.h"
#include "sys/clock.h"

#include <errno.h>
#include <unistd.h>

enum { AGAIN_US = 2000 * 1000 };

static const struct caller nobody = {.scheme = CALLER_NOBODY};

/* One read a share: what the reader makes of it is bounded by core's credit besides. */
int
intake_pull_file(void *ctx, char *to, size_t size, size_t *got, struct err *err)
{
    struct intake *intake = ctx;
    ssize_t n;

    intake->sliced = true;
    fiber_pause(intake->fiber);
    intake->sliced = false;
    if (intake->lost.code != ERR_OK) {
        *err = intake->lost;
        return err->code;
    }
    if (intake->cancelled)
        return err_set(err, ERR_STOPPED, "the stream broke off");
    while ((n = read(intake->fd, to, size)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return err_set(err, ERR_IO, "%s cannot be read: %s", intake->name, strerror(errno));
    *got = (size_t)n;
    return 0;
}

static void
forget(struct intake *intake)
{
    struct intake **at = &intake->front->files;

    while (*at != intake)
        at = &(*at)->next;
    *at = intake->next;
    loop_timer_stop(intake->front->loop, &intake->timer);
    intake_stream_free(intake);
}

static void
set_timer(struct intake *intake, int64_t after_us)
{
    struct err err = {0};

    if (loop_timer_set(intake->front->loop, &intake->timer, clock_ticks_us() + after_us, &err) != 0)
        log_error_of("file not read", &err, log_word("file", intake->name));
}

/* Core moves the file to those that failed, with the reason beside it. */
static void
give_up(struct intake *intake)
{
    struct buf why = buf_new(2048);
    struct buf text = buf_new(1024);
    struct err err = {0};

    if (intake->err.line != 0)
        buf_format(&text, "line %llu: ", (unsigned long long)intake->err.line);
    buf_add_text(&text, intake->err.msg);
    wire_add_text(&why, buf_span(&text));
    const struct span part = buf_span(&why);
    if (talk_again(intake->front->talks, intake->tag, MESSAGE_INTAKE_ABORT, &nobody, &part, 1, &err)
        == 0)
        talk_end(intake->front->talks, intake->tag);
    intake->open = false;
    buf_free(&text);
    buf_free(&why);
    forget(intake);
}

static void
go_on(struct intake *intake)
{
    if (intake_go(intake)) {
        if (intake->sliced)
            set_timer(intake, 0);
        return;
    }
    if (intake->rc == 0 && intake_close(intake, buf_span(&intake->listed), &intake->err) == 0)
        return;
    if (intake->lost.code == ERR_OK)
        give_up(intake);
}

static void
on_credit(void *ctx, uint32_t more)
{
    struct intake *intake = ctx;
    bool first = !intake->begun;

    intake->credit += more;
    if (first || (intake->blocked && !intake->inside))
        go_on(intake);
}

static void begin(void *ctx);

/* The same file from its beginning, as a stream of its own. */
static int
again(struct intake *old, struct err *err)
{
    struct intake *intake = NULL;
    int fd = dup(old->fd);
    int rc = fd < 0 || lseek(fd, 0, SEEK_SET) != 0
        ? err_set(err, ERR_IO, "%s cannot be read again", old->name)
        : intake_stream_new(old->front, span_of(old->name), &intake, err);

    if (rc != 0) {
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    intake->fd = fd;
    intake->file = old->file;
    intake->timer = (struct loop_timer){.due = begin, .ctx = intake};
    intake->next = old->front->files;
    old->front->files = intake;
    set_timer(intake, AGAIN_US);
    return 0;
}

static void
on_due_to_end(void *ctx)
{
    forget(ctx);
}

/* Answered: core has it all. Refused: core is behind, or was started again; it hands its files over
 * anew in the second case. */
static void
on_answered(void *ctx, struct span body, bool more, const struct err *why)
{
    struct intake *intake = ctx;
    struct err err = {0};

    (void)body;
    if (more)
        return;
    intake->open = false;
    if (why != NULL) {
        intake->lost = *why;
        log_warning_of("file not taken yet", why, log_word("file", intake->name));
        if (talks_connected(intake->front->talks) && why->code == ERR_BUSY
            && again(intake, &err) != 0)
            log_error_of("file not read", &err, log_word("file", intake->name));
    }
    /* Its fiber may be what called us. */
    intake->timer.due = on_due_to_end;
    set_timer(intake, 0);
}

static void
slice(void *ctx)
{
    go_on(ctx);
}

static void
begin(void *ctx)
{
    struct intake *intake = ctx;
    const struct talk talk = {.ctx = intake, .credit = on_credit, .answered = on_answered};
    struct err err = {0};

    if (intake_begin(intake, &nobody, intake->file, &talk, &err) == 0)
        intake->timer.due = slice;
    else if (talks_connected(intake->front->talks))
        set_timer(intake, AGAIN_US);
    else
        forget(intake);
}

void
intake_file(struct front *front, struct span body, int fd)
{
    struct wire_in in = wire_in(body);
    struct intake *intake = NULL;
    struct err err = {0};
    uint64_t file = wire_u64(&in);
    struct span name = wire_text(&in);
    int rc = wire_end(&in, "a file", &err);

    if (rc == 0)
        rc = intake_stream_new(front, name, &intake, &err);
    if (rc != 0) {
        log_error_of("file not read", &err);
        (void)close(fd);
        return;
    }
    intake->fd = fd;
    intake->file = file;
    intake->timer = (struct loop_timer){.due = begin, .ctx = intake};
    intake->next = front->files;
    front->files = intake;
    begin(intake);
}

void
intake_drop_files(struct front *front)
{
    while (front->files != NULL)
        forget(front->files);
}
