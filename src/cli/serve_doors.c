#include "cli/serve.h"

#include "base/log.h"
#include "sys/caps.h"
#include "sys/file.h"
#include "sys/listen.h"
#include "sys/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct serve_doors
serve_no_doors(void)
{
    struct serve_doors doors = {.lock_fd = -1};

    for (size_t i = 0; i < DOOR_COUNT; i++)
        doors.listen_fds[i] = -1;
    return doors;
}

void
serve_close_doors(struct serve_doors *doors)
{
    for (size_t i = 0; i < DOOR_COUNT; i++) {
        if (doors->listen_fds[i] >= 0)
            (void)close(doors->listen_fds[i]);
        doors->listen_fds[i] = -1;
    }
    if (doors->socket_path[0] != '\0')
        (void)unlink(doors->socket_path);
    doors->socket_path[0] = '\0';
}

/* Whoever may write there chooses what this node judges by, and may put another store in place. */
static int
check_home(const struct serve *serve, struct err *err)
{
    struct stat about;

    if (stat(serve->home, &about) != 0 || (about.st_mode & S_IWOTH) == 0)
        return 0;
    return err_set(err, ERR_NOT_ALLOWED,
        "everybody may write in the data folder: chmod 700 %s, and see that all in it is yours",
        serve->home);
}

int
serve_lock(const struct serve *serve, struct serve_doors *doors, struct err *err)
{
    char path[SETUP_PATH_BYTES + 16];
    int rc = file_folder(serve->home, err);

    if (rc == 0)
        rc = check_home(serve, err);
    if (rc != 0)
        return rc;
    (void)snprintf(path, sizeof path, "%s/serve.lock", serve->home);
    rc = file_try_lock(path, &doors->lock_fd, err);
    return rc == ERR_EXISTS
        ? err_set(err, ERR_BUSY, "another `comity serve` runs on the data folder %s", serve->home)
        : rc;
}

static int
open_tcp(const struct serve *serve, struct serve_doors *doors, enum door door,
    enum conf_option option, struct err *err)
{
    char shown[LISTEN_TEXT_BYTES];
    struct span host;
    uint16_t port;
    int rc = conf_address(conf_text(serve->conf, option), &host, &port, err);

    if (rc == 0)
        rc = listen_tcp(host, port, &doors->listen_fds[door], shown, err);
    if (rc != 0) {
        (void)snprintf(err->field, sizeof err->field, "%s", conf_rows[option].name);
        return rc;
    }
    log_info("listening", log_word("door", door == DOOR_OPERATORS ? "operators" : "partners"),
        log_word("address", shown),
        log_word("scheme", conf_bool(serve->conf, CONF_TLS) ? "https" : "http"));
    return 0;
}

int
serve_open_doors(const struct serve *serve, struct serve_doors *doors, struct err *err)
{
    struct span given = conf_text(serve->conf, CONF_LOCAL_SOCKET);
    int rc = open_tcp(serve, doors, DOOR_OPERATORS, CONF_LISTEN_OPERATORS, err);

    if (rc == 0)
        rc = open_tcp(serve, doors, DOOR_PARTNERS, CONF_LISTEN_PARTNERS, err);
    if (rc != 0)
        return rc;
    if (given.n > 0)
        (void)snprintf(doors->socket_path, sizeof doors->socket_path, "%s", given.p);
    else
        (void)snprintf(doors->socket_path, sizeof doors->socket_path, "%s/local.sock", serve->home);
    rc = listen_unix(doors->socket_path, &doors->listen_fds[DOOR_LOCAL], err);
    if (rc == 0)
        log_info("listening", log_word("door", "local"), log_word("path", doors->socket_path));
    else
        doors->socket_path[0] = '\0'; /* not ours to remove */
    return rc;
}

/* The socket is to be removed at the end, so its folder is among those that stay writable. */
int
serve_wall(const struct serve *serve, const struct serve_doors *doors, struct err *err)
{
    char folder[sizeof doors->socket_path];
    /* The mailer's programs write to /dev/null. */
    const char *const write[] = {serve->home, folder, "/dev/null"};
    const struct sandbox_paths paths = {.write = write, .write_count = 3};

    /* The doors are open: that was all that took one. */
    int rc = caps_keep(CAPS_FILES, err);
    if (serve->no_sandbox)
        log_warning(
            "no sandbox: hostile bytes are read without walls (--no-sandbox, or sandbox = off)");
    if (rc != 0 || serve->no_sandbox)
        return rc;
    (void)snprintf(folder, sizeof folder, "%s", doors->socket_path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder)
        *slash = '\0';
    return sandbox_enter_parent(&paths, err);
}
