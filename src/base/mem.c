#include "base/mem.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

struct arena {
    struct block *first;
    struct block *current;
    size_t used;
    size_t max_bytes;
};

struct arena *
arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (arena != NULL)
        arena->max_bytes = max_bytes;
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *b = arena->first, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
}

/* Move to the next kept block that fits, or make one. */
static struct block *
next_block(struct arena *arena, size_t n)
{
    struct block *at = arena->current;

    while (at != NULL && at->next != NULL) {
        at = at->next;
        at->used = 0;
        arena->current = at;
        if (at->size >= n)
            return at;
    }
    size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct block *b = malloc(sizeof *b + size);
    if (b == NULL)
        return NULL;
    *b = (struct block){.next = NULL, .size = size, .used = 0};
    if (at == NULL)
        arena->first = b;
    else
        at->next = b;
    arena->current = b;
    return b;
}

void *
arena_alloc(struct arena *arena, size_t n)
{
    const size_t align = alignof(max_align_t);

    if (n > arena->max_bytes)
        return NULL;
    n = (n + align - 1) & ~(align - 1);
    if (n > arena->max_bytes - arena->used)
        return NULL;
    struct block *b = arena->current;
    if (b == NULL || b->size - b->used < n)
        b = next_block(arena, n);
    if (b == NULL)
        return NULL;
    void *p = b->data + b->used;
    b->used += n;
    arena->used += n;
    return p;
}

void *
arena_zalloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *p = arena_alloc(arena, count * size);
    if (p != NULL)
        memset(p, 0, count * size);
    return p;
}

char *
arena_copy(struct arena *arena, const char *p, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_alloc(arena, n + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

void
arena_reset(struct arena *arena)
{
    arena->current = arena->first;
    if (arena->first != NULL)
        arena->first->used = 0;
    arena->used = 0;
}

size_t
arena_used(const struct arena *arena)
{
    return arena->used;
}

int
arena_full(struct err *err, const char *what)
{
    return err_set(err, ERR_LIMIT, "%s needs more memory than its limit allows", what);
}

void
mem_clear(void *p, size_t n)
{
    memset(p, 0, n);
}

void
mem_give_back(void)
{
    (void)malloc_trim(0);
}
