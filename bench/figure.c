#include "figure.h"

#include <stdio.h>
#include <stdlib.h>

void
figure_add(struct figures *figures, struct figure figure)
{
    if (figures->count == FIGURES_MAX) {
        (void)fprintf(stderr, "bench %s: more figures than there is room for\n", figures->bench);
        exit(3);
    }
    figures->list[figures->count++] = figure;
}

void
figure_add_rounds(struct figures *figures, struct figure figure, double *ratios, size_t count)
{
    figure.ratio = figure_middle(ratios, count);
    figure.least = ratios[0];
    figure.most = ratios[count - 1];
    figure_add(figures, figure);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double
figure_middle(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

double
figure_seconds(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- telling ---- */

enum judged { REACHED, MISSED, UNKNOWN };

static enum judged
judge(const struct figure *f)
{
    double value = f->of_ratio ? f->ratio : f->value;

    if (f->reach == 0 || f->absent)
        return UNKNOWN;
    return (f->at_most ? value <= f->reach : value >= f->reach) ? REACHED : MISSED;
}

static void
tell_number(const char *name, double value)
{
    if (value != 0)
        (void)printf(",\"%s\":%.6g", name, value);
    else
        (void)printf(",\"%s\":null", name);
}

static void
tell_json(const struct figure *f)
{
    static const char *const ok[] = {"true", "false", "null"};

    (void)printf("{\"what\":\"%s\",\"value\":%.9g,\"unit\":\"%s\"", f->what, f->value, f->unit);
    (void)printf(f->beside == NULL ? ",\"beside\":null" : ",\"beside\":\"%s\"", f->beside);
    tell_number("ratio", f->ratio);
    if (f->most != 0)
        (void)printf(",\"spread\":[%.6g,%.6g]", f->least, f->most);
    tell_number("reach", f->reach);
    (void)printf(",\"ok\":%s}", ok[judge(f)]);
}

static void
tell_row(const struct figure *f)
{
    static const char *const words[] = {"reached", "NOT REACHED", "not known"};

    (void)printf(
        f->value >= 1000 ? "%-46s %12.0f %-10s" : "%-46s %12.4g %-10s", f->what, f->value, f->unit);
    if (f->ratio != 0)
        (void)printf(" %.4g", f->ratio);
    if (f->most != 0)
        (void)printf(" (%.4g to %.4g)", f->least, f->most);
    if (f->beside != NULL)
        (void)printf(" %s %s", f->absent ? "without" : "beside", f->beside);
    if (f->reach != 0)
        (void)printf("; to reach %.6g: %s", f->reach, words[judge(f)]);
    (void)putchar('\n');
}

int
figure_tell(const struct figures *figures)
{
    bool missed = false;

    if (figures->json)
        (void)printf("{\"name\":\"%s\",\"figures\":[", figures->bench);
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *f = &figures->list[i];
        if (figures->json && i > 0)
            (void)putchar(',');
        (figures->json ? tell_json : tell_row)(f);
        missed = missed || judge(f) == MISSED;
    }
    if (figures->json)
        (void)puts("]}");
    return missed ? 1 : 0;
}
