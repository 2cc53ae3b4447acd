#include "cli/linkway.h"

void
linkway_add(struct buf *out, struct json_value way)
{
    uint64_t failures = node_number(way, "failures");
    struct span worked = node_text(way, "worked");

    if (failures == 0) {
        buf_add_text(out, worked.n > 0 ? "worked " : "not tried yet");
        node_column(out, worked, 0);
        return;
    }
    buf_add_text(out, node_flag(way, "lost") ? "LOST: " : "");
    buf_format(out, "%llu failed since ", (unsigned long long)failures);
    node_column(out, node_text(way, "failing"), 0);
    buf_add_text(out, "again ");
    node_column(out, node_text(way, "again"), 0);
    buf_add_text(out, node_flag(way, "refused") ? "refused: " : "because ");
    node_column(out, node_text(way, "why"), 0);
}
