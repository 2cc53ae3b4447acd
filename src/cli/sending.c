#include "cli/sending.h"

#include "base/url.h"
#include "sys/clock.h"
#include "sys/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PARAMETERS_BYTES = 256 * 1024,
    MAPPING_BYTES = 64 * 1024,
    PROGRESS_US = 200000,
    WAIT_DEFAULT_S = 1,
    SNIFF_BYTES = 4,
    BREAKS_MAX = 5, /* connections that break, one after the other */
};

/* One file on its way. */
struct upload {
    struct sending *in;
    const char *file;
    int fd;
    char head[SNIFF_BYTES]; /* what was read to recognise its packing */
    size_t head_n;
    size_t head_at;
    uint64_t sent;    /* beyond the head */
    struct err later; /* why the node did not take it yet, as was said last */
};

/* ---- parameters ---- */

static void
add_parameter(struct buf *out, const char *name, struct span value)
{
    buf_add_char(out, out->n == 0 ? '?' : '&');
    buf_add_text(out, name);
    buf_add_char(out, '=');
    url_add(out, value);
}

static int
add_mapping(struct sending *in, struct err *err)
{
    char text[MAPPING_BYTES];
    FILE *file = fopen(in->mapping, "re");

    if (file == NULL)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", in->mapping, strerror(errno));
    size_t n = fread(text, 1, sizeof text, file);
    bool whole = n < sizeof text && !ferror(file);
    (void)fclose(file);
    if (!whole)
        return err_set(
            err, ERR_LIMIT, "%s: a mapping has at most %d bytes", in->mapping, MAPPING_BYTES - 1);
    add_parameter(&in->parameters, "mapping", (struct span){text, n});
    return 0;
}

int
sending_prepare(struct sending *in, struct err *err)
{
    in->parameters = buf_new(PARAMETERS_BYTES);
    if (in->format != FORMAT_UNKNOWN)
        add_parameter(&in->parameters, "format", span_of(format_word(in->format)));
    if (in->provider != NULL)
        add_parameter(&in->parameters, "provider", span_of(in->provider));
    in->begun_us = clock_ticks_us();
    int rc = in->mapping != NULL ? add_mapping(in, err) : 0;
    return rc == 0 ? buf_check(&in->parameters, "the parameters", err) : rc;
}

void
sending_free(struct sending *in)
{
    buf_free(&in->parameters);
    node_close(&in->node);
}

/* ---- the bytes ---- */

static ssize_t
give(void *ctx, char *p, size_t n, struct err *err)
{
    struct upload *up = ctx;
    ssize_t got;

    if (up->head_at < up->head_n) {
        size_t left = up->head_n - up->head_at;
        n = n < left ? n : left;
        memcpy(p, up->head + up->head_at, n);
        up->head_at += n;
        return (ssize_t)n;
    }
    do {
        if (stop_asked())
            return err_set(err, ERR_STOPPED, "interrupted; sending it again is safe");
        got = read(up->fd, p, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        up->in->unread = true;
        return err_set(err, ERR_IO, "cannot be read: %s", strerror(errno));
    }
    up->sent += (uint64_t)got;
    return got;
}

static void
show(struct sending *in, uint64_t bytes)
{
    int64_t now = clock_ticks_us();
    double seconds = (double)(now - in->begun_us) / 1e6;

    if (!in->progress || now - in->shown_us < PROGRESS_US)
        return;
    in->shown_us = now;
    (void)fprintf(stderr, "\r\033[K%.1f", (double)bytes / 1e6);
    if (in->bytes_total > 0)
        (void)fprintf(stderr, " of %.1f", (double)in->bytes_total / 1e6);
    (void)fprintf(stderr, " MB, %.1f MB/s", seconds > 0 ? (double)bytes / 1e6 / seconds : 0);
}

static bool
go_on(void *ctx, uint64_t sent_bytes)
{
    struct upload *up = ctx;

    show(up->in, up->in->bytes_done + sent_bytes);
    return !stop_asked();
}

static int
open_file(struct upload *up, struct err *err)
{
    bool standard = strcmp(up->file, "-") == 0;

    up->fd = standard ? STDIN_FILENO : open(up->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (up->fd < 0)
        return err_set(
            err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot be opened: %s", strerror(errno));
    while (up->head_n < SNIFF_BYTES) {
        ssize_t got = read(up->fd, up->head + up->head_n, SNIFF_BYTES - up->head_n);
        if (got < 0 && errno == EINTR && !stop_asked())
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        up->head_n += (size_t)got;
    }
    return 0;
}

/* RFC 1952 and RFC 8878 say how they begin. */
static const char *
packing(const struct upload *up)
{
    if (up->head_n >= 2 && memcmp(up->head, "\x1f\x8b", 2) == 0)
        return "gzip";
    if (up->head_n >= 4 && memcmp(up->head, "\x28\xb5\x2f\xfd", 4) == 0)
        return "zstd";
    return NULL;
}

/* Back to the beginning. Standard input cannot go back once more than its head was read. */
static int
rewind_file(struct upload *up, struct err *err)
{
    up->head_at = 0;
    if (up->sent == 0)
        return 0;
    if (lseek(up->fd, (off_t)up->head_n, SEEK_SET) < 0)
        return err_set(err, ERR_BUSY,
            "the node did not take the rest, and this input cannot be read twice: send it from a "
            "file (%s)",
            up->later.msg);
    up->sent = 0;
    return 0;
}

/* ---- sending ---- */

/* Why it waits is said once, and again when that changes: some of it waits for a person. */
static void
tell_later(struct upload *up, const struct err *broken)
{
    struct err why = {0};

    if (broken != NULL || client_check(&up->in->node.answer, &why) == 0)
        (void)err_set(&why, ERR_BUSY, "%s", broken != NULL ? broken->msg : "the node is behind");
    if (strcmp(why.msg, up->later.msg) == 0)
        return;
    up->later = why;
    (void)fprintf(stderr, "%scomity: %s: not taken yet: %s\n", up->in->progress ? "\r\033[K" : "",
        up->file, why.msg);
}

/* Sleeping is what was asked for: Retry-After. A signal ends it. */
static int
wait_for_node(const struct sending *in, unsigned seconds, struct err *err)
{
    if (in->progress)
        (void)fprintf(stderr, "\r\033[Kthe node is behind; waiting %u s", seconds);
    (void)poll(NULL, 0, (int)seconds * 1000);
    return stop_asked() ? err_set(err, ERR_STOPPED, "interrupted; sending it again is safe") : 0;
}

static int
build_path(const struct upload *up, struct buf *path, struct err *err)
{
    const struct sending *in = up->in;
    const char *slash = strrchr(up->file, '/');
    const char *name = in->name != NULL ? in->name
        : strcmp(up->file, "-") == 0    ? NULL
        : slash != NULL                 ? slash + 1
                                        : up->file;

    buf_add_span(path, buf_span(&in->parameters));
    if (name != NULL)
        add_parameter(path, "name", span_of(name));
    struct buf whole = buf_new(2 * PARAMETERS_BYTES);
    buf_add_text(&whole, in->path != NULL ? in->path : "/api/v1/reports");
    if (in->path != NULL && path->n > 0)
        path->p[0] = '&';
    buf_add_span(&whole, buf_span(path));
    buf_add_char(&whole, '\0');
    buf_free(path);
    *path = whole;
    return buf_check(path, "the parameters", err);
}

/* Does this say "later"? A 503; and a connection that broke, as it does when the node refuses what
 * is on its way, or one of its processes is started again. */
static bool
is_later(const struct upload *up, int rc, unsigned breaks)
{
    if (rc != 0)
        return rc == ERR_IO && !up->in->unread && breaks <= BREAKS_MAX;
    return up->in->node.answer.status == 503;
}

/* Until it is taken, or refused for good. */
static int
send_until(struct upload *up, const char *path, struct err *err)
{
    struct sending *in = up->in;
    struct client_answer *answer = &in->node.answer;
    const struct client_source source = {
        .ctx = up, .read = give, .go_on = go_on, .encoding = packing(up)};
    unsigned breaks = 0;

    for (;;) {
        client_answer_free(answer);
        int rc = client_send(in->node.client, path, &source, answer, err);
        in->node_gone = !up->in->unread && (rc == ERR_NOT_FOUND || rc == ERR_IO);
        breaks = rc != 0 ? breaks + 1 : 0;
        if (!is_later(up, rc, breaks))
            return rc != 0 ? rc : client_check(answer, err);
        tell_later(up, rc != 0 ? err : NULL);
        rc = wait_for_node(
            in, answer->retry_after_s > 0 ? answer->retry_after_s : WAIT_DEFAULT_S, err);
        if (rc == 0)
            rc = rewind_file(up, err);
        if (rc != 0)
            return rc;
    }
}

int
sending_file(struct sending *in, const char *file, struct json_value *root, struct err *err)
{
    struct upload up = {.in = in, .file = file, .fd = -1};
    struct buf path = buf_new(PARAMETERS_BYTES);
    int rc = open_file(&up, err);

    in->unread = rc != 0;
    if (rc == 0)
        rc = build_path(&up, &path, err);
    if (rc == 0)
        rc = send_until(&up, path.p, err);
    if (rc == 0)
        rc = json_parse_copy(in->node.parser, buf_span(&in->node.answer.body), root, err);
    if (up.fd > STDIN_FILENO)
        (void)close(up.fd);
    in->bytes_done += up.sent + up.head_n;
    buf_free(&path);
    return rc;
}
