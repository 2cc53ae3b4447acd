#include "sys/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 * 1024 * 1024 };

static size_t
round_up(size_t n)
{
    return (n + HUGE_BYTES - 1) & ~((size_t)HUGE_BYTES - 1);
}

/* Take one huge page more than is needed and give back what lies around the aligned part. */
void *
pages_new(size_t bytes)
{
    size_t size = round_up(bytes);
    char *p;

    if (bytes == 0 || size < bytes || size + HUGE_BYTES < size)
        return NULL;
    p = mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = round_up((uintptr_t)p) - (uintptr_t)p;
    if (before > 0)
        (void)munmap(p, before);
    (void)munmap(p + before + size, HUGE_BYTES - before);
    /* Of a table that is smaller, the first touch would take and clear all of a huge page. */
    if (bytes >= HUGE_BYTES)
        (void)madvise(p + before, size, MADV_HUGEPAGE);
    return p + before;
}

void
pages_free(void *p, size_t bytes)
{
    if (p != NULL)
        (void)munmap(p, round_up(bytes));
}
