#include "cli/files.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 100000 };

struct list {
    struct arena *arena;
    const char **paths;
    size_t count;
    size_t room;
    uint64_t bytes;
};

static int
add(struct list *list, const char *path, uint64_t bytes, struct err *err)
{
    if (list->count == FILES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d files", FILES_MAX);
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        const char **paths = realloc(list->paths, room * sizeof *paths);
        if (paths == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu paths", room);
        list->paths = paths;
        list->room = room;
    }
    list->paths[list->count] = arena_copy(list->arena, path, strlen(path));
    list->bytes += bytes;
    return list->paths[list->count++] != NULL ? 0 : arena_full(err, "the list of files");
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
add_below(struct list *list, const char *folder, struct err *err)
{
    char *const roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int rc =
        walk == NULL ? err_set(err, ERR_IO, "%s cannot be read: %s", folder, strerror(errno)) : 0;

    for (FTSENT *at; rc == 0 && (at = fts_read(walk)) != NULL;) {
        bool hidden = at->fts_level > 0 && at->fts_name[0] == '.';
        if (hidden && at->fts_info == FTS_D)
            (void)fts_set(walk, at, FTS_SKIP);
        else if (!hidden && at->fts_info == FTS_F)
            rc = add(list, at->fts_path, (uint64_t)at->fts_statp->st_size, err);
        else if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR)
            rc = err_set(
                err, ERR_IO, "%s cannot be read: %s", at->fts_path, strerror(at->fts_errno));
    }
    if (walk != NULL)
        (void)fts_close(walk);
    return rc;
}

static int
add_argument(struct list *list, const char *argument, struct err *err)
{
    struct stat about;

    if (strcmp(argument, "-") == 0)
        return add(list, argument, 0, err);
    if (stat(argument, &about) != 0)
        return add(list, argument, 0, err); /* opening it will say why not */
    if (S_ISDIR(about.st_mode))
        return add_below(list, argument, err);
    return add(list, argument, S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0, err);
}

int
files_expand(struct arena *arena, const char *const *arguments, size_t count, const char ***files,
    size_t *file_count, uint64_t *bytes, struct err *err)
{
    struct list list = {.arena = arena};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_argument(&list, arguments[i], err);
    if (rc == 0 && list.count > 0) {
        *files = arena_alloc(arena, list.count * sizeof **files);
        if (*files == NULL)
            rc = arena_full(err, "the list of files");
        else
            memcpy(*files, list.paths, list.count * sizeof **files);
    }
    *file_count = rc == 0 ? list.count : 0;
    *bytes = list.bytes;
    free(list.paths);
    return rc;
}
