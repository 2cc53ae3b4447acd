/* Readers and writers that are being written: refuse, until they land. */
#include "fmt/reader.h"
#include "fmt/writer.h"
#define WEAK __attribute__((weak))
WEAK void
stix_write_head(struct buf *o, const struct release_note *n)
{
    (void)o;
    (void)n;
}
WEAK void
stix_write(struct buf *o, const struct redacted *r, const struct release_note *n)
{
    (void)o;
    (void)r;
    (void)n;
}
WEAK void
stix_write_tail(struct buf *o)
{
    (void)o;
}
