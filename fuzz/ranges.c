/* Address ranges and lists of systems, each kind: every row is well formed or refused with its
 * line. */
#include "fuzz.h"

#include "fmt/ranges.h"

static void
read_as(struct span bytes, enum ranges_kind kind)
{
    struct ranges *ranges;
    struct input *input;
    struct ranges_row row;
    struct err err = {0};

    MUST(input_open_bytes(bytes, "input", &input, NULL) == 0);
    if (ranges_open(input, kind, &ranges, &err) == 0) {
        for (int rc = 1; rc == 1;) {
            rc = ranges_next(ranges, &row, &err);
            MUST(rc >= 0 || err.msg[0] != '\0');
            if (rc != 1 || kind == RANGES_ASN)
                continue;
            MUST(row.first.family != 0 && row.first.family == row.last.family);
        }
        ranges_close(ranges);
    }
    input_close(input);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = RANGES_IP4_ASN; kind <= RANGES_ASN; kind++)
        read_as((struct span){(const char *)data, size}, (enum ranges_kind)kind);
    return 0;
}
