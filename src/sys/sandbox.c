#include "sys/sandbox.h"

#include "sys/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Rights of Landlock's first version, which every kernel with Landlock has. */
#define READ_FOLDER (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FOLDER                                                                               \
    (READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG                     \
        | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define DATA_FOLDER (WRITE_FOLDER | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define ALL_RIGHTS                                                                                 \
    (WRITE_FOLDER | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR                     \
        | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR                               \
        | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO                              \
        | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

int
sandbox_refused(const char *what, int error, struct err *err)
{
    return err_set(err, ERR_SANDBOX,
        "the kernel refuses the sandbox (%s: %s), so nothing is read; "
        "--no-sandbox works without it, at your own risk",
        what, strerror(error));
}

static int
allow_path(int ruleset, const char *path, uint64_t rights, struct err *err)
{
    struct stat about;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &about) == 0 && !S_ISDIR(about.st_mode))
        rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE
            | LANDLOCK_ACCESS_FS_EXECUTE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int error = errno;
    (void)close(fd);
    /* An anonymous pipe, as of `<(command)`, lies in no folder, and needs no leave (landlock(7)).
     */
    if (rc != 0 && error == EBADFD && S_ISFIFO(about.st_mode))
        return 0;
    return rc == 0 ? 0 : sandbox_refused("landlock rule", error, err);
}

/* Moving a file to another folder. Landlock's first version refuses it always, later ones unless
 * all walls around a process allow it. */
static uint64_t
moving(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
}

/* What folders that may be read, and those that may be written, allow. */
static int
limit_files(
    const struct sandbox_paths *paths, uint64_t read_rights, uint64_t write_rights, struct err *err)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS | moving()};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    int rc = 0;

    if (ruleset < 0)
        return sandbox_refused("landlock", errno, err);
    for (size_t i = 0; rc == 0 && i < paths->read_count; i++)
        rc = allow_path(ruleset, paths->read[i], read_rights, err);
    for (size_t i = 0; rc == 0 && i < paths->write_count; i++)
        rc = allow_path(ruleset, paths->write[i], write_rights, err);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        rc = sandbox_refused("landlock", errno, err);
    (void)close(ruleset);
    return rc;
}

static int
no_new_rights(struct err *err)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        ? 0
        : sandbox_refused("no_new_privs", errno, err);
}

int
sandbox_enter_as(enum sandbox_kind kind, const struct sandbox_paths *paths, struct err *err)
{
    static const struct sandbox_paths none = {0};
    int rc = no_new_rights(err);

    tzset(); /* else the first gmtime_r of any library looks for the zone's file */
    if (rc == 0)
        rc = limit_files(kind == SANDBOX_FRONT ? &none : paths,
            kind == SANDBOX_MAILER ? READ_FOLDER | LANDLOCK_ACCESS_FS_EXECUTE : READ_FOLDER,
            kind == SANDBOX_CORE         ? DATA_FOLDER | moving()
                : kind == SANDBOX_MAILER ? DATA_FOLDER | LANDLOCK_ACCESS_FS_MAKE_SOCK
                                         : WRITE_FOLDER,
            err);
    return rc == 0 ? sandbox_calls(kind, err) : rc;
}

int
sandbox_enter(const struct sandbox_paths *paths, struct err *err)
{
    return sandbox_enter_as(SANDBOX_COMMAND, paths, err);
}

int
sandbox_enter_parent(const struct sandbox_paths *paths, struct err *err)
{
    static const char *const everything[] = {"/"};
    const struct sandbox_paths all = {.read = everything,
        .read_count = 1,
        .write = paths->write,
        .write_count = paths->write_count};
    int rc = no_new_rights(err);

    return rc == 0 ? limit_files(&all, READ_FOLDER | LANDLOCK_ACCESS_FS_EXECUTE,
               DATA_FOLDER | LANDLOCK_ACCESS_FS_MAKE_SOCK | moving(), err)
                   : rc;
}
