/* What are roles told by the parent, before they start and later? */
#include "base/log.h"
#include "base/wire.h"
#include "cli/serve_private.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HAND_BYTES_MAX = CHANNEL_BODY_MAX, ROLES_BYTES = 1024 };

int
serve_say(struct child *child, uint16_t type, struct span body, int fd, struct err *err)
{
    const struct channel_message message = {.type = type, .fd = fd};

    if (child->channel == NULL)
        return err_set(err, ERR_IO, "%s is not there", child->row->name);
    return channel_send(child->channel, &message, &body, 1, err);
}

static int
lend_file(void *ctx, struct span path, int fd, struct err *err)
{
    return serve_say(ctx, MESSAGE_LENT, path, fd, err);
}

int
serve_say_settings(struct child *child, struct err *err)
{
    const struct serve *serve = child->parent->serve;
    struct buf body = buf_new(HAND_BYTES_MAX);
    int rc = child->row->kind == ROLE_CORE ? serve_lend(serve, lend_file, child, err) : 0;

    if (rc == 0)
        rc = serve_settings_add(serve, child->row, &body, err);
    if (rc == 0)
        rc = serve_say(child, MESSAGE_SETTINGS, buf_span(&body), -1, err);
    if (body.p != NULL)
        explicit_bzero(body.p, body.n);
    buf_free(&body);
    return rc;
}

/* A socket pair between core and CHILD, if both are there. One that does not hear of it has died,
 * and its successor is linked again. */
static int
link_to_core(struct child *child, struct err *err)
{
    struct child *core = serve_core(child->parent);
    const char door = (char)child->row->door;
    int ends[2];

    if (child == core || core->channel == NULL || child->channel == NULL)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return err_set(err, ERR_IO, "a socket pair cannot be had: %s", strerror(errno));
    struct err unheard;
    if (serve_say(core, MESSAGE_PAIR, (struct span){&door, 1}, ends[0], &unheard) != 0
        || serve_say(child, MESSAGE_PAIR, (struct span){&door, 1}, ends[1], &unheard) != 0)
        log_debug("role is not linked", log_word("which", child->row->name));
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

int
serve_hand_over(struct child *child, struct err *err)
{
    struct parent *parent = child->parent;
    int listen_fd = parent->doors.listen_fds[child->row->door];

    if (child == serve_core(parent))
        serve_note_folders(parent->serve);
    int rc = serve_say_settings(child, err);
    if (rc == 0 && child->row->kind == ROLE_FRONT)
        rc = serve_say(child, MESSAGE_LISTEN, SPAN(""), listen_fd, err);
    if (rc == 0 && child != serve_core(parent))
        rc = link_to_core(child, err);
    for (size_t i = 0; rc == 0 && child == serve_core(parent) && i < ROLE_ROWS; i++)
        rc = link_to_core(&parent->children[i], err);
    return rc == 0 ? serve_say(child, MESSAGE_START, SPAN(""), -1, err) : rc;
}

/* A core that does not hear of it is as good as gone: it is told when the next one is ready. */
void
serve_say_roles(struct parent *parent)
{
    struct child *core = serve_core(parent);
    struct buf body = buf_new(ROLES_BYTES);
    struct err err;

    if (core->state != SERVE_READY || core->channel == NULL)
        return;
    wire_add_i64(&body, parent->serve->tls_until_us);
    wire_add_u8(&body, ROLE_ROWS);
    for (size_t i = 0; i < ROLE_ROWS; i++) {
        const struct child *child = &parent->children[i];
        wire_add_u8(&body, (uint8_t)child->state);
        wire_add_u32(&body, (uint32_t)child->pid);
        wire_add_u32(&body, child->deaths);
        wire_add_i64(&body, child->since_us);
    }
    if (body.full || serve_say(core, MESSAGE_ROLES, buf_span(&body), -1, &err) != 0)
        log_warning("core was not told how roles are");
    buf_free(&body);
}
