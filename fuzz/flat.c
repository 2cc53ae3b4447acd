/* A record read in place (fmt/flat.h) is what the DOM makes of it: a line, and the same in an
 * array, give the same reports, or the line is no JSON object. */
#include "fuzz.h"

#include "fmt/json.h"
#include "fmt/reader.h"
#include "fmt/render.h"

struct told {
    struct buf out;
    unsigned reports;
};

static int
take(void *ctx, const struct report *report, struct err *err)
{
    struct told *told = ctx;

    (void)err;
    told->reports++;
    render_idf(&told->out, report);
    return 0;
}

static int
refuse(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)why;
    (void)record;
    (void)err;
    return 0;
}

static struct told
read_text(const struct buf *text)
{
    struct told told = {.out = buf_new((size_t)64 << 20)};
    const struct reader_sink sink = {.ctx = &told, .report = take, .reject = refuse};
    const struct reader_options options = {.share_dir = "."};
    struct input *input;

    MUST(input_open_bytes(buf_span(text), "input", &input, NULL) == 0);
    (void)!idf_read(input, &options, &sink, NULL);
    input_close(input);
    return told;
}

/* Twice, so that the second record meets the keys of the first. */
static struct told
read_twice(struct span line, const char *open, const char *between, const char *close)
{
    struct buf text = buf_new((size_t)64 << 20);

    buf_add_text(&text, open);
    buf_add_span(&text, line);
    buf_add_text(&text, between);
    buf_add_span(&text, line);
    buf_add_text(&text, close);
    struct told told = read_text(&text);
    buf_free(&text);
    return told;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span line = {(const char *)data, size};
    struct json *json = json_new((size_t)4 << 20);
    struct json_value root;

    MUST(json != NULL);
    if (size > 0 && data[0] == '{' && memchr(data, '\n', size) == NULL && data[size - 1] != '\r') {
        bool object =
            json_parse_copy(json, line, &root, NULL) == 0 && json_type(root) == JSON_OBJECT;
        struct told lines = read_twice(line, "", "\n", "\n");
        struct told array = read_twice(line, "[", ",", "]");
        MUST(object || lines.reports == 0);
        MUST(!object
            || (lines.reports == array.reports
                && span_equal(buf_span(&lines.out), buf_span(&array.out))));
        buf_free(&lines.out);
        buf_free(&array.out);
    }
    json_free(json);
    return 0;
}
