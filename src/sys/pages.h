/* pages.h: where does a large table live that is read at random?
 *
 * Zeroed memory straight from the kernel, on huge pages where it has some and the table fills
 * one: a look-up then seldom waits for the address translation. It takes real memory as it is
 * touched.
 */
#ifndef COMITY_SYS_PAGES_H
#define COMITY_SYS_PAGES_H

#include <stddef.h>

/* At least BYTES; NULL when out of memory. Owner: the caller, until pages_free of the same BYTES.
 */
void *pages_new(size_t bytes);
void pages_free(void *p, size_t bytes);

#endif
