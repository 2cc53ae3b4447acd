/* refused: incompatible */
#include "fmt/writer.h"

void send_raw(struct buf *out, const struct report *report, const struct release_note *note);

void
send_raw(struct buf *out, const struct report *report, const struct release_note *note)
{
    stix_write(out, report, note);
}
