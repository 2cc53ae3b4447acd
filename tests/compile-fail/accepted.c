/* The same calls with what a writer may have: if this failed, the refusals would prove nothing. */
#include "fmt/writer.h"

void send_redacted(
    struct buf *out, const struct redacted *redacted, const struct release_note *note);

void
send_redacted(struct buf *out, const struct redacted *redacted, const struct release_note *note)
{
    idf_write(out, redacted);
    stix_write(out, redacted, note);
}
