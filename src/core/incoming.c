#include "core/incoming.h"

#include "base/log.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 256, PATH_BYTES = 4096 + 2 * NAME_BYTES, TRIES = 1000 };

enum step { FREE, READING, DONE };

struct one {
    enum step step;
    uint64_t number;
    char name[NAME_BYTES];
    char *problems; /* DONE: of rejected records; NULL: none */
    size_t problems_n;
};

struct incoming {
    struct core *core;
    struct one files[INCOMING_AT_ONCE];
    uint64_t last; /* number given */
    struct loop_timer timer;
};

/* ---- names and places ---- */

static void
path_of(const struct core *core, const char *folder, const char *name, const char *behind,
    char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%s/incoming%s/%s%s", core->options.home, folder, name, behind);
}

/* A name that nothing has in FOLDER: NAME, else NAME.1, NAME.2 ... */
static bool
free_name(const struct core *core, const char *folder, const char *name, char out[NAME_BYTES])
{
    char path[PATH_BYTES];
    struct stat about;

    for (int i = 0; i < TRIES; i++) {
        int n = i == 0 ? snprintf(out, NAME_BYTES, "%s", name)
                       : snprintf(out, NAME_BYTES, "%.*s.%d", NAME_BYTES - 8, name, i);
        path_of(core, folder, out, "", path);
        if (n > 0 && n < NAME_BYTES && lstat(path, &about) != 0 && errno == ENOENT)
            return true;
    }
    return false;
}

/* Move NAME to FOLDER, with TEXT in a file beside it. What cannot be moved is read again, which
 * gives duplicates and nothing else. */
static void
put_away(
    struct core *core, const char *name, const char *folder, const char *behind, struct span text)
{
    char there[NAME_BYTES];
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    struct err err = {0};

    if (!free_name(core, folder, name, there)) {
        core_tell(core, "incoming%s has too many files called %s", folder, name);
        return;
    }
    path_of(core, folder, there, behind, to);
    if (text.n > 0 && file_write_atomic(to, &text, 1, 0600, &err) != 0)
        core_tell(core, "%s", err.msg);
    path_of(core, "", name, "", from);
    path_of(core, folder, there, "", to);
    if (rename(from, to) != 0)
        core_tell(core, "%s could not be moved to incoming%s: %s", from, folder, strerror(errno));
}

/* The reason alone: what it is about cannot be moved. */
static void
put_reason(struct core *core, const char *name, struct span text)
{
    char there[NAME_BYTES];
    char to[PATH_BYTES];
    struct err err = {0};

    if (!free_name(core, "/failed", name, there))
        return;
    path_of(core, "/failed", there, ".reason", to);
    if (file_write_atomic(to, &text, 1, 0600, &err) != 0)
        core_tell(core, "%s", err.msg);
}

/* What an operator must know of a file that nobody waits for. */
static void
tell_of(const char *name, bool failed, struct span text)
{
    if (failed)
        log_warning("a dropped file was not read; it is in incoming/failed", log_word("file", name),
            log_text("why", text));
    else if (text.n > 0)
        log_warning("a dropped file was read, but records were rejected; its .rejected says which",
            log_word("file", name));
    else
        log_info("a dropped file was read", log_word("file", name));
}

/* ---- looking ---- */

static bool
known(const struct incoming *incoming, const char *name)
{
    for (size_t i = 0; i < INCOMING_AT_ONCE; i++)
        if (incoming->files[i].step != FREE && strcmp(incoming->files[i].name, name) == 0)
            return true;
    return false;
}

static struct one *
free_one(struct incoming *incoming)
{
    for (size_t i = 0; i < INCOMING_AT_ONCE; i++)
        if (incoming->files[i].step == FREE)
            return &incoming->files[i];
    return NULL;
}

/* Who dropped it waits for it to be read: where it cannot even be opened, that is said. A link
 * cannot be moved (the walls let nobody make one), so it goes, and what it led to is said. */
static void
put_away_unopened(struct core *core, const char *name, int error)
{
    struct buf line = buf_new(2 * PATH_BYTES);
    char path[PATH_BYTES];
    char target[PATH_BYTES];

    path_of(core, "", name, "", path);
    ssize_t n = error == ELOOP ? readlink(path, target, sizeof target) : -1;
    if (n > 0)
        buf_format(&line, "it is a symbolic link, to %.*s; the link was removed", (int)n, target);
    else
        buf_format(&line, "it cannot be opened: %s", strerror(error));
    tell_of(name, true, buf_span(&line));
    buf_add_char(&line, '\n');
    if (n > 0)
        put_reason(core, name, buf_span(&line));
    else
        put_away(core, name, "/failed", ".reason", buf_span(&line));
    if (n > 0 && unlink(path) != 0)
        core_tell(core, "%s could not be removed: %s", path, strerror(errno));
    buf_free(&line);
}

/* Open it if it is an ordinary file that nobody has changed lately; -1: not, or not now. */
static int
open_settled(struct core *core, const char *name)
{
    char path[PATH_BYTES];
    struct stat about;

    path_of(core, "", name, "", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        if (errno == EACCES || errno == EPERM || errno == ELOOP)
            put_away_unopened(core, name, errno);
        return -1;
    }
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        int64_t changed =
            (int64_t)about.st_mtim.tv_sec * 1000000 + (int64_t)about.st_mtim.tv_nsec / 1000;
        if (clock_now_us() - changed >= INCOMING_SETTLED_US)
            return fd;
    }
    (void)close(fd);
    return -1;
}

static bool
hand_over(struct core *core, struct incoming *incoming, struct one *one, const char *name, int fd)
{
    struct buf body = buf_new(2 * NAME_BYTES);
    struct err err = {0};

    wire_add_u64(&body, ++incoming->last);
    wire_add_text(&body, span_of(name));
    const struct channel_message message = {.type = MESSAGE_FILE, .tag = 0, .fd = fd};
    const struct span part = buf_span(&body);
    int rc = channel_send(core->channels[DOOR_LOCAL], &message, &part, 1, &err);
    buf_free(&body);
    if (rc != 0)
        return false;
    *one = (struct one){.step = READING, .number = incoming->last};
    (void)snprintf(one->name, sizeof one->name, "%s", name);
    return true;
}

static void
look_at(struct core *core, const struct dirent *entry)
{
    struct incoming *incoming = core->incoming;
    const char *name = entry->d_name;
    struct one *one = free_one(incoming);

    if (one == NULL || name[0] == '.' || strlen(name) >= NAME_BYTES || known(incoming, name))
        return;
    int fd = open_settled(core, name);
    if (fd < 0)
        return;
    (void)hand_over(core, incoming, one, name, fd);
    (void)close(fd);
}

void
incoming_look(struct core *core)
{
    char path[PATH_BYTES];
    const struct dirent *entry;

    if (core->channels[DOOR_LOCAL] == NULL || !core->options.watch
        || free_one(core->incoming) == NULL)
        return;
    path_of(core, "", "", "", path);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) /* one thread */ // NOLINT(concurrency-mt-unsafe)
        look_at(core, entry);
    (void)closedir(folder);
}

static void
on_time(void *ctx)
{
    struct incoming *incoming = ctx;
    struct err err = {0};

    incoming_look(incoming->core);
    if (loop_timer_set(incoming->core->loop, &incoming->timer,
            clock_ticks_us() + incoming->core->options.watch_interval_us, &err)
        != 0)
        core_tell(incoming->core, "incoming/ is not looked at any more: %s", err.msg);
}

/* ---- what became of them ---- */

static struct one *
find(struct incoming *incoming, uint64_t number)
{
    for (size_t i = 0; i < INCOMING_AT_ONCE; i++)
        if (incoming->files[i].step == READING && incoming->files[i].number == number)
            return &incoming->files[i];
    return NULL;
}

static void
forget(struct one *one)
{
    free(one->problems);
    *one = (struct one){0};
}

void
incoming_done(struct core *core, uint64_t number, struct span problems)
{
    struct one *one = find(core->incoming, number);

    if (one == NULL)
        return;
    one->step = DONE;
    if (problems.n > 0 && (one->problems = malloc(problems.n)) != NULL) {
        memcpy(one->problems, problems.p, problems.n);
        one->problems_n = problems.n;
    }
}

void
incoming_failed(struct core *core, uint64_t number, struct span why)
{
    struct one *one = find(core->incoming, number);

    if (one == NULL)
        return;
    struct buf line = buf_new(why.n + 2);
    buf_add_span(&line, why);
    buf_add_char(&line, '\n');
    put_away(core, one->name, "/failed", ".reason", buf_span(&line));
    tell_of(one->name, true, why);
    buf_free(&line);
    forget(one);
}

void
incoming_again(struct core *core, uint64_t number)
{
    struct one *one = find(core->incoming, number);

    if (one != NULL)
        forget(one);
}

void
incoming_committed(struct core *core)
{
    struct incoming *incoming = core->incoming;

    for (size_t i = 0; incoming != NULL && i < INCOMING_AT_ONCE; i++) {
        struct one *one = &incoming->files[i];
        if (one->step != DONE)
            continue;
        put_away(
            core, one->name, "/done", ".rejected", (struct span){one->problems, one->problems_n});
        tell_of(one->name, false, (struct span){one->problems, one->problems_n});
        forget(one);
    }
}

void
incoming_lost(struct core *core)
{
    struct incoming *incoming = core->incoming;

    for (size_t i = 0; incoming != NULL && i < INCOMING_AT_ONCE; i++)
        if (incoming->files[i].step == DONE)
            forget(&incoming->files[i]);
}

void
incoming_gone(struct core *core)
{
    struct incoming *incoming = core->incoming;

    for (size_t i = 0; incoming != NULL && i < INCOMING_AT_ONCE; i++)
        if (incoming->files[i].step == READING)
            forget(&incoming->files[i]);
}

/* ---- life ---- */

int
incoming_new(struct core *core, struct incoming **out, struct err *err)
{
    static const char *const folders[] = {"", "/done", "/failed"};
    struct incoming *incoming = calloc(1, sizeof *incoming);
    char path[PATH_BYTES];
    int rc = 0;

    *out = incoming;
    if (incoming == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for incoming files");
    incoming->core = core;
    incoming->timer = (struct loop_timer){.due = on_time, .ctx = incoming};
    for (size_t i = 0; rc == 0 && i < sizeof folders / sizeof folders[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/incoming%s", core->options.home, folders[i]);
        rc = file_folder(path, err);
    }
    if (rc == 0)
        rc = loop_timer_set(
            core->loop, &incoming->timer, clock_ticks_us() + core->options.watch_interval_us, err);
    return rc;
}

void
incoming_free(struct incoming *incoming)
{
    if (incoming == NULL)
        return;
    loop_timer_stop(incoming->core->loop, &incoming->timer);
    for (size_t i = 0; i < INCOMING_AT_ONCE; i++)
        forget(&incoming->files[i]);
    free(incoming);
}
