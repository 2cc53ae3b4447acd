#include "sys/role.h"

#include "base/log.h"
#include "sys/caps.h"
#include "sys/channel.h"
#include "sys/clock.h"
#include "sys/lent.h"
#include "sys/role_hand.h"
#include "sys/role_log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROLE_QUEUE_BYTES = 64 * 1024 };

struct role {
    struct role_start start;
    struct role_events events;
    struct channel *parent;
    struct role_log log;
    struct conf *conf;
    char *texts; /* what start.home and start.tls_* lie in */
    size_t texts_n;
    bool begun;
    bool stopping;
};

const struct role_row role_rows[ROLE_ROWS] = {
    {"core", "core", ROLE_CORE, DOOR_PARENT},
    {"courier", "courier", ROLE_COURIER, DOOR_COURIER},
    {"mailer", "mailer", ROLE_MAILER, DOOR_MAILER},
    {"front-local", "front local", ROLE_FRONT, DOOR_LOCAL},
    {"front-operators", "front operators", ROLE_FRONT, DOOR_OPERATORS},
    {"front-partners", "front partners", ROLE_FRONT, DOOR_PARTNERS},
};

void
role_listen(struct role *role, const struct role_events *events)
{
    role->events = *events;
}

int
role_wall(const struct role_start *start, const struct sandbox_paths *paths, struct err *err)
{
    static const enum sandbox_kind kinds[ROLE_KINDS] = {[ROLE_CORE] = SANDBOX_CORE,
        [ROLE_FRONT] = SANDBOX_FRONT,
        [ROLE_COURIER] = SANDBOX_COURIER,
        [ROLE_MAILER] = SANDBOX_MAILER};
    bool files = start->kind == ROLE_CORE || start->kind == ROLE_MAILER;
    int rc = caps_keep(files ? CAPS_FILES : CAPS_NONE, err);

    return rc == 0 && start->sandbox ? sandbox_enter_as(kinds[start->kind], paths, err) : rc;
}

int
role_ready(struct role *role, struct err *err)
{
    const struct channel_message ready = {.type = MESSAGE_READY, .fd = -1};

    return channel_send(role->parent, &ready, NULL, 0, err);
}

static void
forget_texts(char *texts, size_t n)
{
    if (texts != NULL)
        explicit_bzero(texts, n); /* a key may be among them */
    free(texts);
}

/* Point START at its texts in a copy of BODY. */
static int
take_texts(struct role *role, struct wire_in *in, struct err *err)
{
    struct role_start *start = &role->start;
    struct span texts[ROLE_HAND_TEXTS];
    size_t n = 0;

    for (size_t i = 0; i < ROLE_HAND_TEXTS; i++) {
        texts[i] = wire_text(in);
        n += texts[i].n + 1;
    }
    int rc = wire_end(in, "the parent's settings", err);
    char *copy = rc == 0 ? malloc(n) : NULL;
    if (copy == NULL)
        return rc != 0 ? rc : err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    role->texts = copy;
    role->texts_n = n;
    for (size_t i = 0; i < ROLE_HAND_TEXTS; i++) {
        if (texts[i].n > 0)
            memcpy(copy, texts[i].p, texts[i].n);
        copy[texts[i].n] = '\0';
        texts[i].p = copy;
        copy += texts[i].n + 1;
    }
    start->home = texts[ROLE_HAND_HOME].p;
    start->tls_certificate = texts[ROLE_HAND_CERTIFICATE];
    start->tls_key = texts[ROLE_HAND_KEY];
    start->tls_client_ca = texts[ROLE_HAND_CLIENT_CA];
    start->mail_password = texts[ROLE_HAND_MAIL_PASSWORD];
    start->tls_pin = texts[ROLE_HAND_PIN];
    return 0;
}

static void
log_as_set(const struct conf *conf)
{
    log_settings((enum log_format)conf_number(conf, CONF_LOG_FORMAT),
        (enum log_level)conf_number(conf, CONF_LOG_LEVEL));
}

/* What was in force before lives until the role has been told. */
static int
take_settings(struct role *role, struct span body, struct err *err)
{
    struct wire_in in = wire_in(body);
    struct conf *conf = conf_new();
    char *texts = role->texts;
    size_t texts_n = role->texts_n;

    if (conf == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    role->start.sandbox = wire_u8(&in) != 0;
    int rc = conf_take(&in, conf, err);
    if (rc == 0)
        rc = take_texts(role, &in, err);
    if (rc == 0) {
        conf_swap(role->conf, conf);
        log_as_set(role->conf);
        if (role->begun && role->events.settings != NULL)
            role->events.settings(role->events.ctx);
        forget_texts(texts, texts_n);
    }
    conf_free(conf);
    return rc;
}

static int
take_pair(struct role *role, const struct channel_message *message, struct err *err)
{
    struct wire_in in = wire_in(message->body);
    unsigned door = wire_u8(&in);

    if (wire_end(&in, "a pair's door", err) != 0 || door >= DOOR_COUNT || message->fd < 0)
        return err_set(err, ERR_INTERNAL, "a socket pair came that is none");
    if (role->begun && role->events.pair != NULL)
        role->events.pair(role->events.ctx, (enum door)door, message->fd);
    else if (role->begun)
        (void)close(message->fd);
    else {
        if (role->start.pairs[door] >= 0)
            (void)close(role->start.pairs[door]);
        role->start.pairs[door] = message->fd;
    }
    return 0;
}

static void
stop(struct role *role)
{
    if (role->stopping)
        return;
    role->stopping = true;
    if (role->begun && role->events.stop != NULL)
        role->events.stop(role->events.ctx);
    else
        loop_stop(role->start.loop);
}

static int
take(struct role *role, const struct channel_message *message, struct err *err)
{
    switch (message->type) {
    case MESSAGE_SETTINGS:
        return take_settings(role, message->body, err);
    case MESSAGE_LENT:
        return lent_take(message->body, message->fd, err);
    case MESSAGE_PAIR:
        return take_pair(role, message, err);
    case MESSAGE_LISTEN:
        role->start.listen_fd = message->fd;
        return 0;
    case MESSAGE_START:
        loop_stop(role->start.loop);
        role->begun = true;
        channel_pause(role->parent, true); /* what follows is for the role, once it listens */
        return 0;
    case MESSAGE_STOP:
        stop(role);
        return 0;
    case MESSAGE_LOGGED:
    case MESSAGE_ROLES:
        if (role->begun && role->events.said != NULL)
            role->events.said(role->events.ctx, message->type, message->body);
        return 0;
    default:
        return err_set(err, ERR_INTERNAL, "the parent sent message %u", message->type);
    }
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct role *role = ctx;
    struct err err = {0};

    (void)channel;
    if (take(role, message, &err) == 0)
        return;
    log_error_of("what the parent says cannot be followed", &err);
    _exit(EXIT_FAILURE);
}

/* Who has no parent belongs to no node: nothing that could be done would be answered for. */
static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    (void)ctx;
    (void)channel;
    log_error_of("the parent has gone", why);
    _exit(EXIT_FAILURE);
}

/* The terminal's signals are for the parent, who tells its roles; it takes them with it, too. */
static int
settle(const char *name, struct err *err)
{
    char shown[32];

    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);                  /* writev(2) has no flag for it */
    (void)snprintf(shown, sizeof shown, "%s", name); /* the system cuts it at 15 bytes */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_NAME, shown, 0, 0, 0) != 0)
        return err_set(err, ERR_IO, "the process cannot be named, or ended with its parent");
    return 0;
}

static int
begin(struct role *role, const char *name, struct err *err)
{
    const struct channel_events events = {.ctx = role, .message = on_message, .closed = on_closed};
    int rc = settle(name, err);

    role->conf = conf_new();
    role->start.conf = role->conf;
    role->start.role = role;
    role->start.listen_fd = -1;
    for (size_t i = 0; i < DOOR_COUNT; i++)
        role->start.pairs[i] = -1;
    if (rc == 0 && role->conf == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    if (rc == 0)
        rc = loop_new(&role->start.loop, err);
    if (rc == 0)
        rc = channel_new(
            role->start.loop, ROLE_PARENT_FD, ROLE_QUEUE_BYTES, &events, &role->parent, err);
    if (rc == 0)
        role_log_begin(&role->log, role->start.loop, role->parent);
    if (rc == 0)
        rc = loop_run(role->start.loop, err);
    if (rc == 0)
        channel_pause(role->parent, false);
    return rc;
}

static bool
is_socket(int fd)
{
    int type = 0;
    socklen_t n = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
}

int
role_run(const char *name, int (*mains[ROLE_KINDS])(const struct role_start *start))
{
    struct role role = {0};
    struct err err = {0};
    size_t at = 0;
    int status = EXIT_FAILURE;

    while (at < ROLE_ROWS && strcmp(role_rows[at].word, name) != 0)
        at++;
    if (at == ROLE_ROWS || !is_socket(ROLE_PARENT_FD)) {
        (void)fputs("comity: --role is how `comity serve` starts its processes\n", stderr);
        return EXIT_FAILURE;
    }
    role.start.name = role_rows[at].name;
    role.start.kind = role_rows[at].kind;
    role.start.door = role_rows[at].door;
    log_start(role_rows[at].name, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, clock_now_us);
    if (begin(&role, role_rows[at].word, &err) != 0)
        log_error_of("the role cannot begin", &err);
    else
        status = role.begun ? mains[role.start.kind](&role.start) : EXIT_SUCCESS;
    role_log_end(&role.log);
    channel_free(role.parent);
    forget_texts(role.texts, role.texts_n);
    conf_free(role.conf);
    loop_free(role.start.loop);
    return status;
}
