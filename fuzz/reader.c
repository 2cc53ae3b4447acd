/* Feeds one reader (READER, by meson.build) and checks what reader.h promises. */
#include "fuzz.h"

#include "fmt/reader.h"
#include "fmt/render.h"

static const char *
share_dir(void)
{
    static char path[4096];
    const char *root = getenv("COMITY_TEST_ROOT");

    (void)snprintf(path, sizeof path, "%s/share", root == NULL ? "." : root);
    return path;
}

static int
take(void *ctx, const struct report *report, struct err *err)
{
    struct buf *out = ctx;

    (void)err;
    MUST(report->count > 0 && report->count <= report->room);
    for (uint32_t i = 0; i < report->count; i++)
        MUST(report->fields[i].name.n > 0 && report->fields[i].class < FIELD_CLASS_COUNT);
    MUST(report->digest == 0 || report->digest == report_digest(report));
    out->n = 0;
    render_idf(out, report);
    MUST(out->full || (out->n > 0 && out->p[out->n - 1] == '\n'));
    return 0;
}

static int
refuse(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)record;
    (void)err;
    MUST(err_is_senders(why->code));
    MUST(why->msg[0] != '\0');
    return 0;
}

static struct span
head_of(struct span bytes)
{
    return (struct span){bytes.p, bytes.n < INPUT_HEAD_MAX ? bytes.n : INPUT_HEAD_MAX};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reader_options options = {.share_dir = share_dir()};
    struct span bytes = {(const char *)data, size};
    struct buf out = buf_new((size_t)64 << 20);
    struct reader_sink sink = {.ctx = &out, .report = take, .reject = refuse};
    struct input *input;
    struct err err = {0};

    (void)RECOGNISE(head_of(bytes), SPAN("input"), &options);
    if (input_open_bytes(bytes, "input", &input, &err) == 0) {
        int rc = READER(input, &options, &sink, &err);
        MUST(rc == 0 || (rc < 0 && err.msg[0] != '\0'));
        MUST(rc != ERR_INTERNAL);
        input_close(input);
    }
    buf_free(&out);
    return 0;
}
