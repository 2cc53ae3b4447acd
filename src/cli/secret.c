/* comity secret: make the secret from which this node's pseudonyms come. */
#include "cli/cli.h"
#include "cli/home.h"
#include "cli/setup.h"
#include "flow/pseudonym.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIGITS = 2 * PSEUDONYM_SECRET_BYTES, TEXT = DIGITS + 1, OPENED = 1 };

static const char help[] =
    "comity secret: make the secret from which this node's pseudonyms come\n\n"
    "usage: comity secret [--home FOLDER | --out FILE]\n\n"
    "Writes 32 random bytes, in hexadecimal, to a file that only you can read: `secret` in the\n"
    "node's home (--home, else $COMITY_HOME, else /var/lib/comity for root, else\n"
    "$XDG_DATA_HOME/comity, else ~/.local/share/comity), where `route`, `explain` and "
    "`reidentify`\n"
    "find it; or FILE, which they are told with --secret. A file that is there is never replaced:\n"
    "all pseudonyms would change, and those given out could no longer be turned back.\n"
    "Keep a copy where only you can read it.\n"
    "Whoever has it can turn pseudonyms back.\n";

static int
make(const char *path, struct err *err)
{
    uint8_t secret[PSEUDONYM_SECRET_BYTES];
    char text[TEXT + 1];
    int rc = 0;

    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, "libsodium does not start");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST
            ? err_set(err, ERR_EXISTS, "%s is there, and stays as it is", path)
            : err_set(err, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    randombytes_buf(secret, sizeof secret);
    (void)sodium_bin2hex(text, sizeof text, secret, sizeof secret);
    text[DIGITS] = '\n';
    if (write(fd, text, TEXT) != TEXT || fsync(fd) != 0)
        rc = err_set(err, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    if (close(fd) != 0 && rc == 0)
        rc = err_set(err, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    if (rc != 0)
        (void)unlink(path);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    return rc;
}

static int
options(int argc, char **argv, const char **home, const char **out, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "home", home, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "out", out, err);
        if (rc < 0)
            return rc;
        if (rc != OPENED)
            return err_set(err, ERR_USAGE,
                "secret: no argument \"%s\"; `comity secret --help` says more", argv[i]);
    }
    return *home != NULL && *out != NULL
        ? err_set(err, ERR_USAGE, "secret: --home or --out, not both")
        : 0;
}

int
cli_secret(int argc, char **argv)
{
    char path[SETUP_PATH_BYTES + 16];
    char folder[SETUP_PATH_BYTES];
    const char *home = NULL;
    const char *out = NULL;
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    int rc = options(argc, argv, &home, &out, &err);
    if (rc == 0 && out == NULL && (rc = home_path(home, folder, &err)) == 0)
        rc = file_folder(folder, &err);
    if (rc == 0) {
        (void)(out != NULL ? snprintf(path, sizeof path, "%s", out)
                           : snprintf(path, sizeof path, "%s/secret", folder));
        rc = make(path, &err);
    }
    if (rc != 0)
        return setup_fail(&err);
    (void)printf("The secret is in %s: keep it from everybody, and a copy of it.\n", path);
    return EXIT_DONE;
}
