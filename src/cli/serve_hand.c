/* What roles are handed of the settings: the settings themselves, and files that they name. */
#include "base/wire.h"
#include "cli/serve.h"
#include "sys/role_hand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What core reads at its start and at SIGHUP. */
static const enum conf_option paths[SERVE_PATHS] = {
    CONF_TEAMS, CONF_GEO, CONF_AGREEMENTS, CONF_FEEDS};

/* Keys are for those who need them. */
int
serve_settings_add(
    const struct serve *serve, const struct role_row *row, struct buf *out, struct err *err)
{
    bool tls =
        row->door == DOOR_OPERATORS || row->door == DOOR_PARTNERS || row->door == DOOR_COURIER;

    wire_add_u8(out, !serve->no_sandbox);
    conf_add(out, serve->conf);
    wire_add_text(out, span_of(serve->home));
    wire_add_text(out, tls ? buf_span(&serve->tls_certificate) : SPAN(""));
    wire_add_text(out, tls ? buf_span(&serve->tls_key) : SPAN(""));
    wire_add_text(out, tls ? buf_span(&serve->tls_client_ca) : SPAN(""));
    wire_add_text(out, row->kind == ROLE_COURIER ? buf_span(&serve->mail_password) : SPAN(""));
    wire_add_text(out, row->kind == ROLE_CORE ? span_of(serve->tls_pin) : SPAN(""));
    return buf_check(out, "the settings", err);
}

/* What cannot be opened, core misses, and says so. */
int
serve_lend(const struct serve *serve,
    int (*lend)(void *ctx, struct span path, int fd, struct err *err), void *ctx, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < SERVE_PATHS; i++) {
        struct span path = conf_text(serve->conf, paths[i]);
        struct stat about;
        int fd = path.n == 0 ? -1 : open(path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            continue;
        if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
            rc = lend(ctx, path, fd, err);
        (void)close(fd);
    }
    return rc;
}

static void
note(struct serve *serve, const char *path)
{
    struct stat about;

    if (path[0] != '\0' && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        serve->folders[serve->folder_count++] = (struct serve_folder){about.st_dev, about.st_ino};
}

void
serve_note_folders(struct serve *serve)
{
    serve->folder_count = 0;
    note(serve, serve->home);
    note(serve, conf_text(serve->conf, CONF_SHARE).p);
    for (size_t i = 0; i < SERVE_PATHS; i++)
        note(serve, conf_text(serve->conf, paths[i]).p);
}

static bool
is_noted(const struct serve *serve, const struct stat *about)
{
    for (size_t i = 0; i < serve->folder_count; i++)
        if (serve->folders[i].device == about->st_dev && serve->folders[i].inode == about->st_ino)
            return true;
    return false;
}

/* Is PATH one of the folders within core's walls, or below one? */
static bool
is_within(const struct serve *serve, const char *path)
{
    char *whole = realpath(path, NULL);
    struct stat about;
    bool within = false;

    for (char *end = whole; !within && end != NULL && whole[0] != '\0';) {
        within = stat(whole, &about) == 0 && is_noted(serve, &about);
        end = strrchr(whole, '/');
        if (end != NULL)
            *end = '\0';
    }
    free(whole);
    return within;
}

int
serve_check_paths(const struct serve *serve, const struct conf *conf, struct err *err)
{
    for (size_t i = 0; i < SERVE_PATHS; i++) {
        const char *path = conf_text(conf, paths[i]).p;
        const char *name = conf_rows[paths[i]].name;
        struct stat about;
        if (path[0] == '\0')
            continue;
        if (stat(path, &about) != 0)
            return err_set_field(
                err, ERR_NOT_FOUND, name, strlen(name), "%s: %s", path, strerror(errno));
        if (S_ISDIR(about.st_mode) && !serve->no_sandbox && !is_within(serve, path))
            return err_set_field(err, ERR_BAD_CONFIG, name, strlen(name),
                "the folder %s is not the one that was there when the node was started: another "
                "folder is read when the node is started again (another file, and what is new in a "
                "folder, at once)",
                path);
    }
    return 0;
}
