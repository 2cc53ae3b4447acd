#include "cli/outputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Standard input may be a file by redirection: then the kernel knows which. */
static const char *
as_path(const char *input)
{
    return strcmp(input, "-") == 0 ? "/proc/self/fd/0" : input;
}

static int
same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int
outputs_spare_file(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err)
{
    struct stat out;
    struct stat in;

    if (stat(path, &out) != 0 || !S_ISREG(out.st_mode))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i] != NULL && stat(as_path(inputs[i]), &in) == 0 && same(&in, &out))
            return err_set(err, ERR_USAGE,
                "%s %s would overwrite %s, which is read; name another file", option, path,
                inputs[i]);
    return 0;
}

/* The folder in which the file itself lies, behind all links. */
static int
stat_parent(const char *input, struct stat *out)
{
    char *real = realpath(as_path(input), NULL);
    char *slash = real == NULL ? NULL : strrchr(real, '/');

    if (slash == NULL) {
        free(real);
        return -1;
    }
    slash[slash == real] = '\0';
    int rc = stat(real, out);
    free(real);
    return rc;
}

int
outputs_spare_folder(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err)
{
    struct stat out;
    struct stat in;

    if (stat(path, &out) != 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i] != NULL && stat_parent(inputs[i], &in) == 0 && same(&in, &out))
            return err_set(err, ERR_USAGE,
                "%s %s is the folder of %s, which is read and could be overwritten; name another "
                "folder",
                option, path, inputs[i]);
    return 0;
}
