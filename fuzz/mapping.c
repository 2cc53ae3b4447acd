/* A mapping file and, behind the first NUL, the CSV that it is for. */
#include "file.h"
#include "fuzz.h"

#include "fmt/reader.h"

#include <string.h>
#include <unistd.h>

static int
take(void *ctx, const struct report *report, struct err *err)
{
    (void)ctx;
    (void)err;
    MUST(report->count > 0);
    return 0;
}

static int
refuse(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)record;
    (void)err;
    MUST(err_is_senders(why->code) && why->msg[0] != '\0');
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size == 0 ? NULL : memchr(data, 0, size);
    size_t n = nul == NULL ? size : (size_t)(nul - data);
    struct span csv = {nul == NULL ? "" : (const char *)nul + 1, nul == NULL ? 0 : size - n - 1};
    char path[FILE_PATH_BYTES];
    int fd = file_of(data, n, path);
    const struct reader_options options = {.share_dir = ".", .mapping_path = path};
    const struct reader_sink sink = {.report = take, .reject = refuse};
    struct input *input;
    struct err err = {0};

    MUST(input_open_bytes(csv, "input", &input, NULL) == 0);
    int rc = generic_read(input, &options, &sink, &err);
    MUST(rc == 0 || err.msg[0] != '\0');
    input_close(input);
    (void)close(fd);
    return 0;
}
