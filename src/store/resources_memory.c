#include "base/hash.h"
#include "store/resources.h"

#include <stdlib.h>

enum { PATHS_MAX = 1 << 20 };

/* Bytes of the path's index; dropped ones have p NULL. */
struct resources_memory {
    struct arena *paths;
    struct table *table;
    struct span *bytes;
    size_t room;
    size_t used_bytes;
    size_t max_bytes;
};

struct resources_memory *
resources_memory_new(size_t max_bytes)
{
    struct resources_memory *memory = calloc(1, sizeof *memory);

    if (memory == NULL)
        return NULL;
    memory->max_bytes = max_bytes;
    memory->paths = arena_new((size_t)PATHS_MAX * TILE_PATH_BYTES);
    memory->table = table_new(PATHS_MAX);
    if (memory->paths != NULL && memory->table != NULL)
        return memory;
    resources_memory_free(memory);
    return NULL;
}

static void
forget(struct resources_memory *memory, size_t index)
{
    memory->used_bytes -= memory->bytes[index].n;
    free((void *)(uintptr_t)memory->bytes[index].p);
    memory->bytes[index] = (struct span){NULL, 0};
}

void
resources_memory_free(struct resources_memory *memory)
{
    if (memory == NULL)
        return;
    for (size_t i = 0; memory->table != NULL && i < table_count(memory->table); i++)
        forget(memory, i);
    free(memory->bytes);
    table_free(memory->table);
    arena_free(memory->paths);
    free(memory);
}

static int
get(void *ctx, const char *path, struct buf *out, struct err *err)
{
    const struct resources_memory *memory = ctx;
    int64_t index = table_find(memory->table, span_of(path));

    if (index < 0 || memory->bytes[index].p == NULL)
        return err_set(err, ERR_NOT_FOUND, "no resource %s", path);
    buf_add_span(out, memory->bytes[index]);
    return buf_check(out, path, err);
}

/* A place for PATH's bytes. */
static int
place(struct resources_memory *memory, const char *path, uint32_t *index, struct err *err)
{
    int64_t found = table_find(memory->table, span_of(path));
    char *name = found >= 0 ? NULL : arena_copy(memory->paths, path, strlen(path));

    *index = (uint32_t)found;
    if (found >= 0)
        return 0;
    if (name == NULL)
        return arena_full(err, "the paths of a log");
    if (table_count(memory->table) == memory->room) {
        size_t room = memory->room == 0 ? 64 : 2 * memory->room;
        struct span *bytes = realloc(memory->bytes, room * sizeof *bytes);
        if (bytes == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu resources", room);
        memory->bytes = bytes;
        memory->room = room;
    }
    memory->bytes[table_count(memory->table)] = (struct span){NULL, 0};
    return table_add(memory->table, span_of(name), index, err);
}

static int
put(void *ctx, const char *path, struct span bytes, struct err *err)
{
    struct resources_memory *memory = ctx;
    uint32_t index;
    int rc = place(memory, path, &index, err);

    if (rc != 0)
        return rc;
    forget(memory, index);
    if (bytes.n > memory->max_bytes - memory->used_bytes)
        return err_set(err, ERR_LIMIT, "a log of more than %zu bytes", memory->max_bytes);
    char *copy = malloc(bytes.n + 1);
    if (copy == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes", bytes.n);
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    memory->bytes[index] = (struct span){copy, bytes.n};
    memory->used_bytes += bytes.n;
    return 0;
}

static int
drop_partial(void *ctx, const char *path, struct err *err)
{
    struct resources_memory *memory = ctx;
    struct buf name = buf_new(TILE_PATH_BYTES + 16);

    (void)err;
    for (unsigned width = 1; width < TILE_WIDTH; width++) {
        name.n = 0;
        buf_format(&name, "%s.p/%u", path, width);
        int64_t index = table_find(memory->table, buf_span(&name));
        if (index >= 0)
            forget(memory, (size_t)index);
    }
    buf_free(&name);
    return 0;
}

struct resources
resources_memory_view(struct resources_memory *memory)
{
    return (struct resources){get, put, drop_partial, memory};
}
