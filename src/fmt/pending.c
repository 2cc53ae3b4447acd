/* Readers and writers that are being written: refuse, until they land. */
#include "fmt/reader.h"
#include "fmt/writer.h"
#define WEAK __attribute__((weak))
WEAK int
shadowserver_read(
    struct input *i, const struct reader_options *o, const struct reader_sink *s, struct err *e)
{
    (void)i;
    (void)o;
    (void)s;
    return err_set(e, ERR_UNKNOWN_FORMAT, "not in this build");
}
WEAK int
generic_read(
    struct input *i, const struct reader_options *o, const struct reader_sink *s, struct err *e)
{
    (void)i;
    (void)o;
    (void)s;
    return err_set(e, ERR_UNKNOWN_FORMAT, "not in this build");
}
WEAK bool
shadowserver_recognise(struct span h, struct span n, const struct reader_options *o)
{
    (void)h;
    (void)n;
    (void)o;
    return false;
}
WEAK bool
generic_recognise(struct span h, struct span n, const struct reader_options *o)
{
    (void)h;
    (void)n;
    (void)o;
    return false;
}
