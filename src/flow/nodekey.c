#include "flow/nodekey.h"

#include "base/hash.h"
#include "flow/secretfile.h"
#include "sys/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 2 * NOTE_SEED_BYTES + 2 };

_Static_assert((int)NOTE_SEED_BYTES == (int)SECRETFILE_BYTES, "both are one file's");

static int
make_key(const char *path, struct err *err)
{
    uint8_t seed[NOTE_SEED_BYTES];
    char line[LINE_BYTES];

    hash_random(seed, sizeof seed);
    (void)sodium_bin2hex(line, sizeof line, seed, sizeof seed);
    line[LINE_BYTES - 2] = '\n';
    int rc = file_write_atomic(path, &(struct span){line, LINE_BYTES - 1}, 1, 0600, err);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(line, sizeof line);
    return rc;
}

int
nodekey_read(const char *home, bool make, uint8_t out[NOTE_SEED_BYTES], struct err *err)
{
    char path[PATH_BYTES];
    struct stat about;
    int n = snprintf(path, sizeof path, "%s/node.key", home);
    int rc = 0;

    if (n < 0 || n >= PATH_BYTES)
        return err_set(err, ERR_LIMIT, "the path of the node's key is too long");
    if (make && lstat(path, &about) != 0 && errno == ENOENT)
        rc = make_key(path, err);
    return rc == 0 ? secretfile_read(path, "", out, err) : rc;
}

void
nodekey_name(struct span origin, enum note_use use, char *out)
{
    static const char *const ends[] = {
        [NOTE_USE_LOG] = "log", [NOTE_USE_WITNESS] = "witness", [NOTE_USE_RECEIPT] = "receipt"};
    static const char log[] = "/log";
    size_t n = origin.n > NOTE_NAME_MAX ? NOTE_NAME_MAX : origin.n;
    size_t team = n;

    if (n > sizeof log - 1
        && span_equal((struct span){origin.p + n - (sizeof log - 1), sizeof log - 1}, span_of(log)))
        team = n - (sizeof log - 1);
    if (use == NOTE_USE_LOG)
        (void)snprintf(out, NOTE_NAME_MAX + 1, "%.*s", (int)n, origin.p);
    else
        (void)snprintf(out, NOTE_NAME_MAX + 1, "%.*s/%s", (int)team, origin.p, ends[use]);
}
