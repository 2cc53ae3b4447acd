#include "flow/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 2 * PSEUDONYM_SECRET_BYTES, TEXT = DIGITS + 1 };

static int
check_guarded(int fd, const char *path, struct err *err)
{
    struct stat about;

    if (fstat(fd, &about) != 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return err_set(err, ERR_BAD_SECRET, "%s is no ordinary file", path);
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return err_set(err, ERR_BAD_SECRET,
            "%s can be read or changed by others (its mode is %03o): it may be no secret any more. "
            "If it is, `chmod 600` it",
            path, (unsigned)about.st_mode & 0777u);
    return about.st_uid == geteuid() || about.st_uid == 0
        ? 0
        : err_set(err, ERR_BAD_SECRET, "%s belongs to somebody else", path);
}

static int
parse(const char *path, const char *hint, const char *text, size_t n, uint8_t *out, struct err *err)
{
    size_t got = 0;

    if (n == TEXT && text[DIGITS] == '\n')
        n--;
    if (n != DIGITS || sodium_hex2bin(out, SECRETFILE_BYTES, text, n, NULL, &got, NULL) != 0
        || got != SECRETFILE_BYTES)
        return err_set(err, ERR_BAD_SECRET, "%s must hold %d hexadecimal digits and nothing else%s",
            path, DIGITS, hint);
    return 0;
}

int
secretfile_open(const char *path, struct pseudonyms **out, struct err *err)
{
    uint8_t secret[SECRETFILE_BYTES];
    int rc = secretfile_read(path, "; `comity secret` makes one", secret, err);

    if (rc == 0 && (*out = pseudonyms_new(secret)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no guarded memory for the secret");
    sodium_memzero(secret, sizeof secret);
    return rc;
}

int
secretfile_read(const char *path, const char *hint, uint8_t out[SECRETFILE_BYTES], struct err *err)
{
    char text[TEXT + 1];
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "the secret %s: %s", path, strerror(errno));
    int rc = check_guarded(fd, path, err);
    while (rc == 0 && got > 0 && n < sizeof text) {
        got = read(fd, text + n, sizeof text - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (rc == 0)
        rc = got < 0 ? err_set(err, ERR_IO, "the secret %s: %s", path, strerror(errno))
                     : parse(path, hint, text, n, out, err);
    sodium_memzero(text, sizeof text);
    (void)close(fd);
    return rc;
}
