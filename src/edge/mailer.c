/* The role that makes mails: it gets what was released, and gives back the bytes that leave. It
 * runs gpg below its walls and has no network. */
#include "base/caller.h"
#include "base/log.h"
#include "edge/mail_csv.h"
#include "edge/mail_mime.h"
#include "edge/mail_pgp.h"
#include "edge/roles.h"
#include "sys/channel.h"
#include "sys/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    QUEUE_BYTES = 2 * MAIL_BYTES,
    HEAD_BYTES = 1024 * 1024,
    ARENA_BYTES = 64 * 1024 * 1024,
    CSV_BYTES = 128 * 1024 * 1024,
    PATH_BYTES = 4096,
};

enum tag { TAG_TAKE = 1, TAG_REST };

struct mailer {
    const struct role_start *start;
    struct channel *core; /* NULL: core is away */
    struct mail_pgp *pgp;
    bool asked;      /* MAIL_TAKE, and its answer is not complete */
    bool begun;      /* its first part is there */
    struct buf head; /* the task's */
    struct buf objects;
};

static int
say(struct mailer *mailer, uint16_t type, uint64_t tag, struct span body, struct err *err)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct channel_message message = {.type = type, .tag = tag, .fd = -1};
    struct buf caller = buf_new(HEAD_BYTES);

    caller_add(&caller, &nobody);
    const struct span parts[] = {buf_span(&caller), body};
    int rc = mailer->core == NULL ? err_set(err, ERR_IO, "core is away")
                                  : channel_send(mailer->core, &message, parts, 2, err);
    buf_free(&caller);
    return rc;
}

static void
ask(struct mailer *mailer)
{
    struct err err = {0};

    if (mailer->asked || mailer->core == NULL)
        return;
    mailer->asked = true;
    mailer->begun = false;
    mailer->head.n = mailer->objects.n = 0;
    if (say(mailer, MESSAGE_MAIL_TAKE, TAG_TAKE, SPAN(""), &err) != 0) {
        mailer->asked = false; /* core says so again */
        log_warning_of("core cannot be asked for mails", &err);
    }
}

/* ---- making ---- */

static int
make(struct mailer *mailer, const struct mail_task *task, struct buf *message, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct buf text = buf_new(2 * MAIL_RAW_BYTES);
    struct buf csv = buf_new(CSV_BYTES);
    struct mail_bundle *bundle = calloc(1, sizeof *bundle);
    uint32_t rows = 0;
    int rc = arena == NULL || bundle == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory for a mail")
        : mail_bundle_read(arena, task, buf_span(&mailer->objects), &text, bundle, err);

    if (rc == 0 && bundle->reports > 0)
        rc = mail_csv(bundle->text, &csv, &rows, err);
    if (rc == 0)
        rc = mail_mime(
            task, bundle, rows > 0 ? buf_span(&csv) : SPAN(""), mailer->pgp, message, err);
    buf_free(&text);
    buf_free(&csv);
    free(bundle);
    arena_free(arena);
    return rc;
}

static int
hand_over(struct mailer *mailer, uint64_t number, struct span message, struct err *err)
{
    char head[8];
    int rc = 0;

    wire_put(head, number, sizeof head);
    while (rc == 0 && message.n > 0) {
        struct span part = {message.p, message.n < MAIL_PART_BYTES ? message.n : MAIL_PART_BYTES};
        struct buf body = buf_new(MAIL_PART_BYTES + sizeof head);
        buf_add(&body, head, sizeof head);
        buf_add_span(&body, part);
        rc = say(mailer, MESSAGE_MAIL_PIECE, TAG_REST, buf_span(&body), err);
        buf_free(&body);
        message = (struct span){message.p + part.n, message.n - part.n};
    }
    return rc;
}

static uint8_t
outcome_of(int rc)
{
    return rc == 0            ? MAIL_OK
        : rc == ERR_LIMIT     ? MAIL_TOO_LARGE
        : rc == ERR_NO_MEMORY ? MAIL_LATER
                              : MAIL_REFUSED;
}

static int
do_task(struct mailer *mailer, const struct mail_task *task, struct err *err)
{
    struct buf message = buf_new(MAIL_BYTES);
    struct buf body = buf_new(HEAD_BYTES);
    char fingerprint[MAIL_FINGERPRINT_BYTES + 1] = "";
    struct err why = {0};
    int made = task->what == MAIL_KEY ? mail_pgp_key(mailer->pgp, task->key, fingerprint, &why)
                                      : make(mailer, task, &message, &why);
    const struct mail_made told = {.number = task->number,
        .outcome = outcome_of(made),
        .text = span_of(made == 0 ? fingerprint : why.msg)};

    if (made != 0)
        log_warning_of("a mail cannot be made", &why);
    int rc = made == 0 ? hand_over(mailer, task->number, buf_span(&message), err) : 0;
    mail_made_add(&body, &told);
    if (rc == 0)
        rc = say(mailer, MESSAGE_MAIL_MADE, TAG_REST, buf_span(&body), err);
    buf_free(&message);
    buf_free(&body);
    return rc;
}

/* The answer to MAIL_TAKE is complete. */
static void
work(struct mailer *mailer)
{
    struct mail_task task;
    struct err err = {0};
    int rc = mail_task_take(buf_span(&mailer->head), &task, &err);

    mailer->asked = false;
    if (rc == 0)
        rc = buf_check(&mailer->objects, "what is to be mailed", &err);
    if (rc == 0 && task.what != MAIL_NOTHING)
        rc = do_task(mailer, &task, &err);
    if (rc != 0)
        log_error_of("what core says cannot be followed", &err);
    buf_free(&mailer->objects);
    mailer->objects = buf_new(MAIL_RAW_BYTES);
    if (rc == 0 && task.what != MAIL_NOTHING)
        ask(mailer);
}

/* ---- core's words ---- */

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct mailer *mailer = ctx;

    (void)channel;
    if (message->fd >= 0)
        (void)close(message->fd);
    if (message->type == MESSAGE_MAIL_WAITS)
        ask(mailer);
    if (message->tag != TAG_TAKE || !mailer->asked)
        return;
    if (message->type == MESSAGE_REFUSAL) {
        mailer->asked = false; /* core logs why, and says when to ask again */
        return;
    }
    buf_add_span(mailer->begun ? &mailer->objects : &mailer->head, message->body);
    mailer->begun = true;
    if ((message->flags & CHANNEL_MORE) == 0)
        work(mailer);
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct mailer *mailer = ctx;

    (void)why;
    channel_free(channel);
    mailer->core = NULL;
    mailer->asked = false;
}

static int
connect_core(struct mailer *mailer, int fd, struct err *err)
{
    const struct channel_events events = {
        .ctx = mailer, .message = on_message, .closed = on_closed};

    channel_free(mailer->core);
    mailer->core = NULL;
    mailer->asked = false;
    return channel_new(mailer->start->loop, fd, QUEUE_BYTES, &events, &mailer->core, err);
}

static void
on_pair(void *ctx, enum door door, int fd)
{
    struct mailer *mailer = ctx;
    struct err err = {0};

    (void)door;
    if (connect_core(mailer, fd, &err) != 0)
        log_error_of("core cannot be reached", &err);
    else
        ask(mailer);
}

/* ---- life ---- */

/* Programs and what they read of the machine; keys and the agent's socket below the data folder. */
static int
wall(const struct role_start *start, const char *folder, struct err *err)
{
    static const char *const system[] = {
        "/usr", "/bin", "/lib", "/lib64", "/etc", "/dev", "/proc/self"};
    const char *read[sizeof system / sizeof system[0]];
    const char *const write[] = {folder, "/dev/null"};
    struct sandbox_paths paths = {.read = read, .write = write, .write_count = 2};

    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        if (access(system[i], R_OK | X_OK) == 0)
            read[paths.read_count++] = system[i];
    return role_wall(start, &paths, err);
}

static int
begin(struct mailer *mailer, struct err *err)
{
    const struct role_start *start = mailer->start;
    const struct role_events events = {.ctx = mailer, .pair = on_pair};
    char folder[PATH_BYTES];
    int n = snprintf(folder, sizeof folder, "%s/gnupg", start->home);
    int rc = n > 0 && (size_t)n < sizeof folder
        ? file_folder(folder, err)
        : err_set(err, ERR_LIMIT, "the data folder's path is too long");

    /* gpg's processes are waited for by gpgme, one by one. */
    (void)signal(SIGCHLD, SIG_DFL);
    if (rc == 0)
        rc = wall(start, folder, err);
    mail_mime_begin();
    if (rc == 0)
        rc = mail_pgp_new(folder, &mailer->pgp, err);
    if (rc == 0)
        rc = connect_core(mailer, start->pairs[DOOR_MAILER], err);
    if (rc != 0)
        return rc;
    role_listen(start->role, &events);
    rc = role_ready(start->role, err);
    if (rc == 0)
        ask(mailer);
    return rc == 0 ? loop_run(start->loop, err) : rc;
}

int
mailer_main(const struct role_start *start)
{
    struct mailer mailer = {
        .start = start, .head = buf_new(2 * MAIL_KEY_BYTES), .objects = buf_new(MAIL_RAW_BYTES)};
    struct err err = {0};
    int rc = begin(&mailer, &err);

    if (rc != 0)
        log_error_of("role failed", &err);
    mail_pgp_free(mailer.pgp);
    channel_free(mailer.core);
    buf_free(&mailer.head);
    buf_free(&mailer.objects);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
