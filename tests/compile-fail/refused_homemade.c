/* refused: incomplete */
#include "fmt/writer.h"

void send_homemade(struct buf *out);

void
send_homemade(struct buf *out)
{
    struct redacted redacted = {0};

    idf_write(out, &redacted);
}
