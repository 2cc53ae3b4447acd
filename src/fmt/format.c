#include "fmt/format.h"

static const struct row {
    const char *word;
    const char *text;
    int (*read)(struct input *input, const struct reader_options *options,
        const struct reader_sink *sink, struct err *err);
    bool (*recognise)(struct span head, struct span name, const struct reader_options *options);
} rows[FORMAT_COUNT] = {
    [FORMAT_UNKNOWN] = {"", "", NULL, NULL},
#define FORMAT(name, word, reader, text)                                                           \
    [FORMAT_##name] = {word, text, reader##_read, reader##_recognise},
#include "tables/formats.def"
#undef FORMAT
};

const char *
format_word(enum format format)
{
    return rows[format].word;
}

const char *
format_text(enum format format)
{
    return rows[format].text;
}

enum format
format_find(struct span word)
{
    for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_COUNT; i++)
        if (span_equal(word, span_of(rows[i].word)))
            return (enum format)i;
    return FORMAT_UNKNOWN;
}

/* A first line with separators looks like a table: then what is missing is its mapping. */
static int
not_recognised(const struct input *input, struct span head, struct err *err)
{
    const char *lf = memchr(head.p, '\n', head.n);
    struct span line = {head.p, lf == NULL ? head.n : (size_t)(lf - head.p)};

    if (!span_is_utf8(line) || memchr(head.p, '\0', head.n) != NULL)
        return err_set(
            err, ERR_BAD_ENCODING, "%s is not UTF-8 text, gzip, zstd or xz", input_name(input));
    if (line.n > 0
        && (memchr(line.p, ',', line.n) != NULL || memchr(line.p, ';', line.n) != NULL
            || memchr(line.p, '\t', line.n) != NULL))
        return err_set(err, ERR_NO_MAPPING,
            "%s looks like CSV with the header \"%.*s\", and no mapping says what its columns "
            "mean; "
            "write one (doc/formats.md) and name it with --mapping",
            input_name(input), SPAN_ARGS(line));
    return err_set(err, ERR_UNKNOWN_FORMAT,
        "%s is in no format that is read; if it is, say which with --format", input_name(input));
}

int
format_recognise(
    struct input *input, const struct reader_options *options, enum format *format, struct err *err)
{
    struct span head = {NULL, 0};
    int rc = input_peek(input, &head, err);

    *format = FORMAT_UNKNOWN;
    if (rc != 0)
        return rc;
    if (span_trim(head).n == 0)
        return head.n < INPUT_HEAD_MAX
            ? 0
            : err_set(err, ERR_UNKNOWN_FORMAT,
                "%s begins with more blanks than are looked through; say its format with --format",
                input_name(input));
    for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_COUNT; i++)
        if (rows[i].recognise(head, input_base_name(input), options)) {
            *format = (enum format)i;
            return 0;
        }
    return not_recognised(input, head, err);
}

int
format_read(struct input *input, enum format format, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err)
{
    int rc = 0;

    if (format == FORMAT_UNKNOWN)
        rc = format_recognise(input, options, &format, err);
    return rc != 0 || format == FORMAT_UNKNOWN ? rc : rows[format].read(input, options, sink, err);
}
