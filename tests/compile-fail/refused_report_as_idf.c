/* refused: incompatible */
#include "fmt/writer.h"

void send_raw(struct buf *out, const struct report *report);

void
send_raw(struct buf *out, const struct report *report)
{
    idf_write(out, report);
}
