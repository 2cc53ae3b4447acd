/* serve.h: what do the files of `comity serve` know of each other?
 *
 * serve.c reads the command line, serve_settings.c settings and certificates, serve_hand.c makes
 * of them what is handed over, serve_parent.c starts, watches and ends the roles, and serve_told.c
 * tells them what they need.
 */
#ifndef COMITY_CLI_SERVE_H
#define COMITY_CLI_SERVE_H

#include "base/conf.h"
#include "base/messages.h"
#include "cli/setup.h"
#include "edge/tls_own.h"
#include "sys/role_hand.h"

#include <sys/types.h>

enum { SERVE_PATHS = 4 };

struct serve_folder {
    dev_t device;
    ino_t inode;
};

struct serve_override {
    enum conf_option option;
    const char *value;
};

/* What the command line said, and what was read because of it. */
struct serve {
    char home[SETUP_PATH_BYTES];
    char config[SETUP_PATH_BYTES]; /* "": there is none */
    bool config_given;
    struct serve_override overrides[CONF_COUNT];
    size_t override_count;
    bool no_sandbox;

    struct conf *conf;
    struct buf tls_certificate; /* PEM; n 0: TLS is off */
    struct buf tls_key;
    struct buf tls_client_ca;
    char tls_pin[TLS_PIN_BYTES];                  /* of the certificate; "": TLS is off */
    int64_t tls_until_us;                         /* Unix: the certificate expires; 0: none */
    struct buf mail_password;                     /* of mail.password-file; n 0: none */
    struct serve_folder folders[SERVE_PATHS + 2]; /* within core's walls */
    size_t folder_count;
};

/* NAME's value from the command line, over the file's. ERR_USAGE, ERR_BAD_CONFIG. */
MUST_USE int serve_override(
    struct serve *serve, enum conf_option option, const char *value, struct err *err);
/* File, command line, and what is found where they say nothing: paths of the share folder, team
 * directory and address table. *OUT is the caller's. ERR_BAD_CONFIG with the line. */
MUST_USE int serve_read(const struct serve *serve, struct conf **out, struct err *err);
/* The TLS texts that CONF names, or the node's own certificate, which is made at the first start;
 * and what signs in to the mail server; on an error the former ones stay. */
MUST_USE int serve_read_secrets(struct serve *serve, const struct conf *conf, struct err *err);
void serve_forget(struct serve *serve);

/* The settings as the role of ROW is told them (sys/role_hand.h), with the keys that it needs. */
MUST_USE int serve_settings_add(
    const struct serve *serve, const struct role_row *row, struct buf *out, struct err *err);
/* LEND each file that a path of the settings names; folders are within core's walls. FD is closed
 * when it returns. What LEND returns. */
MUST_USE int serve_lend(const struct serve *serve,
    int (*lend)(void *ctx, struct span path, int fd, struct err *err), void *ctx, struct err *err);
/* Core is started, and makes its walls around the folders that are there now. */
void serve_note_folders(struct serve *serve);
/* Can what CONF's paths name be read by the core that runs? ERR_NOT_FOUND; ERR_BAD_CONFIG: a folder
 * that is not within its walls. */
MUST_USE int serve_check_paths(const struct serve *serve, const struct conf *conf, struct err *err);

/* What the parent holds, so that it outlives the processes behind it. */
struct serve_doors {
    int lock_fd; /* the data folder's; -1: none. Core has it too */
    int listen_fds[DOOR_COUNT];
    char socket_path[SETUP_PATH_BYTES + 16]; /* "": there is none to remove */
};
struct serve_doors serve_no_doors(void);
/* ERR_EXISTS: another node has the data folder. */
MUST_USE int serve_lock(const struct serve *serve, struct serve_doors *doors, struct err *err);
/* ERR_IO with the option's name: somebody listens there already, or may not. */
MUST_USE int serve_open_doors(
    const struct serve *serve, struct serve_doors *doors, struct err *err);
void serve_close_doors(struct serve_doors *doors);
/* The parent's own walls, behind which the others make theirs. ERR_SANDBOX. */
MUST_USE int serve_wall(
    const struct serve *serve, const struct serve_doors *doors, struct err *err);

/* Until the node is stopped; everything it says goes to the log. 0, or why it could not be, or
 * could not go on. */
MUST_USE int serve_run(struct serve *serve, struct err *err);

#endif
