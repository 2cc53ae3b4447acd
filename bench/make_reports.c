/* make_reports: the reports of the benchmarks, for those that need a file of them.
 *
 * usage: make_reports COUNT [SEED]     IDF lines to standard output
 */
#include "reports.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 10000, PIECE_BYTES = 64 * 1024 * 1024 };

int
main(int argc, char **argv)
{
    struct buf out = buf_new(PIECE_BYTES);
    uint64_t count;
    uint64_t seed = 1;

    if (argc < 2 || !span_u64(span_of(argv[1]), &count)
        || (argc > 2 && !span_u64(span_of(argv[2]), &seed))) {
        (void)fputs("usage: make_reports COUNT [SEED]\n", stderr);
        return 2;
    }
    for (uint64_t done = 0; done < count; done += PIECE) {
        out.n = 0;
        reports_make(&out, count - done < PIECE ? count - done : PIECE, seed++);
        if (out.full || fwrite(out.p, 1, out.n, stdout) != out.n)
            return 1;
    }
    buf_free(&out);
    return fflush(stdout) == 0 ? 0 : 1;
}
