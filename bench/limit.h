/* limit.h: how fast can the same file be parsed by simdjson's DOM alone?
 *
 * The limit that `route` is held against: the same lines, the same fields touched, nothing else
 * done.
 */
#ifndef COMITY_BENCH_LIMIT_H
#define COMITY_BENCH_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
struct limit {
    uint64_t sum; /* over the fields touched, so that nothing is optimised away */
    uint64_t records;
};

/* Read FD in blocks, as routing does, parse every line, one document at a time, and visit the value
 * of every member. RECOGNISE: say which field each is. */
struct limit limit_file(int fd, bool recognise);
#ifdef __cplusplus
}
#endif

#endif
