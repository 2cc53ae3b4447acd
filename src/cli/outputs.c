#include "cli/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

struct earlier_file {
    char *name;
    dev_t device;
    ino_t inode;
};

bool
earlier_is_name(const char *name)
{
    struct span s = span_of(name);

    if (s.n > 6 && s.p[0] == '.' && span_ends(s, SPAN(".part")))
        s = (struct span){s.p + 1, s.n - 6};
    return span_equal(s, SPAN("rejected.jsonl"))
        || (s.p[0] != '.'
            && (span_ends(s, SPAN(".idf.jsonl")) || span_ends(s, SPAN(".stix.json"))));
}

static int
is_earlier(const struct dirent *entry)
{
    return entry->d_type != DT_DIR && earlier_is_name(entry->d_name);
}

/* What cannot be added is missed by the caller's count. */
static void
add_earlier(struct earlier *earlier, int folder, const char *name)
{
    struct stat about;

    if (earlier->files == NULL || fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    struct earlier_file file = {strdup(name), about.st_dev, about.st_ino};
    if (file.name != NULL)
        earlier->files[earlier->count++] = file;
}

int
earlier_find(struct earlier *earlier, const char *folder, struct err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_earlier, alphasort);

    *earlier = (struct earlier){NULL, 0};
    if (count < 0)
        return errno == ENOENT
            ? 0
            : err_set(err, ERR_IO, "the folder %s cannot be listed: %s", folder, strerror(errno));
    earlier->files = calloc((size_t)count + 1, sizeof *earlier->files);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < count; i++) {
        add_earlier(earlier, fd, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (fd >= 0)
        (void)close(fd);
    return (size_t)count == earlier->count
        ? 0
        : err_set(err, ERR_IO, "the files of %s change while they are listed", folder);
}

const char *
earlier_name(const struct earlier *earlier)
{
    return earlier->files[0].name;
}

int
earlier_remove(struct earlier *earlier, int folder, struct err *err)
{
    struct stat about;
    int rc = 0;

    for (size_t i = 0; i < earlier->count; i++) {
        const struct earlier_file *file = &earlier->files[i];
        if (fstatat(folder, file->name, &about, AT_SYMLINK_NOFOLLOW) == 0
            && about.st_dev == file->device && about.st_ino == file->inode
            && unlinkat(folder, file->name, 0) != 0)
            rc = err_set(err, ERR_IO, "%s of an earlier run cannot be removed: %s", file->name,
                strerror(errno));
    }
    return rc;
}

void
earlier_free(struct earlier *earlier)
{
    for (size_t i = 0; i < earlier->count; i++)
        free(earlier->files[i].name);
    free(earlier->files);
    *earlier = (struct earlier){NULL, 0};
}

/* Where PATH leads, for ABOUT to tell what is there; *THERE false: nothing. A link that somebody
 * else put there is replaced and not followed. */
static char *
follow(const char *path, struct stat *about, bool *there)
{
    char *real = NULL;

    *there = lstat(path, about) == 0;
    if (*there && S_ISLNK(about->st_mode)) {
        bool trusted = about->st_uid == geteuid() || about->st_uid == 0;
        *there = trusted && stat(path, about) == 0;
        real = *there ? realpath(path, NULL) : NULL;
    }
    return real != NULL ? real : strdup(path);
}

static int
open_device(struct output *output, const char *path, struct err *err)
{
    output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (output->fd < 0)
        return err_set(err, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    spool_device(&output->spool, output->fd, path);
    return 0;
}

static int
open_folder(struct output *output, const char *path, const char *option, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

    (void)snprintf(
        output->folder, sizeof output->folder, "%.*s", (int)n, slash == NULL ? "." : path);
    output->fd = open(output->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (output->fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
            "%s %s: the folder %s cannot be opened: %s", option, path, output->folder,
            strerror(errno));
    return spool_init(&output->spool, output->fd, span_of(slash == NULL ? path : slash + 1), err);
}

int
output_open(struct output *output, const char *path, const char *option, struct err *err)
{
    struct stat about;
    bool there;
    char *target = follow(path, &about, &there);
    int rc;

    *output = (struct output){.fd = -1};
    if (target == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (there && S_ISDIR(about.st_mode))
        rc = err_set(err, ERR_USAGE, "%s %s is a folder; name a file", option, path);
    else if (there && !S_ISREG(about.st_mode))
        rc = open_device(output, path, err);
    else
        rc = open_folder(output, target, option, err);
    free(target);
    return rc;
}

bool
output_same(const struct output *a, const struct output *b)
{
    struct stat one;
    struct stat two;

    return !a->spool.device && !b->spool.device && strcmp(a->spool.name, b->spool.name) == 0
        && fstat(a->fd, &one) == 0 && fstat(b->fd, &two) == 0 && same(&one, &two);
}

void
output_to(struct output *output, int fd, const char *name)
{
    *output = (struct output){.fd = -1};
    spool_device(&output->spool, fd, name);
}

int
output_remove(struct output *output, struct err *err)
{
    struct stat about;
    const char *name = output->spool.name;

    if (output->spool.device || fstatat(output->fd, name, &about, 0) != 0 || !S_ISREG(about.st_mode)
        || unlinkat(output->fd, name, 0) == 0)
        return 0;
    return err_set(
        err, ERR_IO, "%s of an earlier run cannot be removed: %s", name, strerror(errno));
}

int
output_publish(struct output *output, struct err *err)
{
    int rc = spool_publish(&output->spool, err);

    return rc != 0 || output->spool.device ? rc : spool_sync_folder(output->fd, err);
}

void
output_close(struct output *output)
{
    spool_drop(&output->spool);
    if (output->fd >= 0)
        (void)close(output->fd);
    output->fd = -1;
}
