#include "cli/secretfile.h"

#include "cli/home.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int
secret_path(const char *given, const char *home, char out[SETUP_PATH_BYTES], bool *is_there,
    struct err *err)
{
    char folder[SETUP_PATH_BYTES];
    struct stat about;

    *is_there = given != NULL;
    if (given == NULL && home_path(home, folder, err) != 0) {
        out[0] = '\0'; /* no home, no secret */
        return 0;
    }
    int n = given != NULL ? snprintf(out, SETUP_PATH_BYTES, "%s", given)
                          : snprintf(out, SETUP_PATH_BYTES, "%s/secret", folder);
    if (n < 0 || n >= SETUP_PATH_BYTES)
        return err_set(err, ERR_LIMIT, "the path of the secret is too long");
    if (given == NULL)
        *is_there = lstat(out, &about) == 0 || errno != ENOENT;
    return 0;
}
