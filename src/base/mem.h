/* mem.h: where do results live, and how large may they grow?
 *
 * An arena hands out memory that is given back all at once: a batch, a request
 * or a snapshot owns one. Every arena has a maximum; beyond it allocation
 * returns NULL and the caller answers ERR_LIMIT. Disadvantage: nothing inside is
 * freed singly, so do not grow arrays in one without reserving first.
 */
#ifndef COMITY_BASE_MEM_H
#define COMITY_BASE_MEM_H

#include "base/err.h"

#include <stddef.h>

struct arena;

/* A new arena of at most MAX_BYTES in all. NULL only when the machine is out of
 * memory. Owner: the caller, until arena_free. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *arena);

/* N bytes aligned for any type, not initialised; NULL beyond the maximum. */
void *arena_alloc(struct arena *arena, size_t n);

/* COUNT zeroed objects of SIZE bytes; NULL beyond the maximum or on overflow. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size);

/* A copy of N bytes at P with a NUL behind it; NULL beyond the maximum. */
char *arena_copy(struct arena *arena, const char *p, size_t n);

/* Forget everything allocated, keep the memory for the next batch. */
void arena_reset(struct arena *arena);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

/* memset to zero, called and not inlined: GCC clears structures of some hundred bytes with `rep
 * stos`, which takes longer to start than to run. */
void mem_clear(void *p, size_t n);

/* Give what is free back to the machine: after work that is over for now. */
void mem_give_back(void);

/* ERR_LIMIT with the words for "arena full while doing WHAT". */
int arena_full(struct err *err, const char *what);

#endif
