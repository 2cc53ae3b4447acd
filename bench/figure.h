/* figure.h: what did a benchmark find, and is it enough?
 *
 * Each figure of the form that `./dev bench NAME --json` has. They are kept until all are there,
 * then told as a table or as one JSON object.
 */
#ifndef COMITY_BENCH_FIGURE_H
#define COMITY_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { FIGURES_MAX = 32 };

/* Texts must live until they are told, and hold no quotes. */
struct figure {
    const char *what;
    double value;
    const char *unit;
    const char *beside; /* what was measured with it; NULL: nothing */
    double ratio;       /* of the two, the middle one of all rounds; 0: none */
    double least;       /* its spread; 0: one round, or none */
    double most;
    double reach;  /* 0: none set */
    bool at_most;  /* of values that should be small */
    bool of_ratio; /* reach is the ratio's, not the value's */
    bool absent;   /* what stands beside could not be had: nobody knows whether it is enough */
};

struct figures {
    const char *bench;
    bool json;
    size_t count;
    struct figure list[FIGURES_MAX];
};

void figure_add(struct figures *figures, struct figure figure);
/* The same with the ratio of COUNT rounds, which are sorted for it. */
void figure_add_rounds(struct figures *figures, struct figure figure, double *ratios, size_t count);
/* All to standard output; the program's exit status: 1 if a reach is missed. */
int figure_tell(const struct figures *figures);

/* The middle one of COUNT; VALUES are sorted, so that the least is their first. */
double figure_middle(double *values, size_t count);
/* What CLOCK says, in seconds. */
double figure_seconds(clockid_t clock);

#endif
