/* limit.h: how fast can the same file be parsed by simdjson's DOM alone?
 *
 * The limit that `route` is held against: the same lines, the same fields touched, nothing else
 * done.
 */
#ifndef COMITY_BENCH_LIMIT_H
#define COMITY_BENCH_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Parse every line of TEXT (64 readable bytes behind it), one document at a time; returns a sum
 * over the fields touched, so that nothing is optimised away. */
uint64_t limit_lines(const char *text, size_t n, uint64_t *records);
/* The same through parse_many, simdjson's own way for many documents. */
uint64_t limit_many(const char *text, size_t n, uint64_t *records);
#ifdef __cplusplus
}
#endif

#endif
