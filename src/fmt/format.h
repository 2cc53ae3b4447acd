/* format.h: in which format is this input, and who reads it?
 *
 * Formats stand in tables/formats.def; content decides unless the operator says.
 */
#ifndef COMITY_FMT_FORMAT_H
#define COMITY_FMT_FORMAT_H

#include "fmt/reader.h"

enum format {
    FORMAT_UNKNOWN, /* recognise by content */
#define FORMAT(name, word, reader, text) FORMAT_##name,
#include "tables/formats.def"
#undef FORMAT
    FORMAT_COUNT
};

const char *format_word(enum format format);
const char *format_text(enum format format);
/* FORMAT_UNKNOWN if the word is none. */
enum format format_find(struct span word);
/* By content. Errors: ERR_UNKNOWN_FORMAT, ERR_NO_MAPPING (a CSV that no mapping fits), and the
 * input's. An empty input is of no format and no error: *FORMAT is FORMAT_UNKNOWN. */
MUST_USE int format_recognise(struct input *input, const struct reader_options *options,
    enum format *format, struct err *err);
/* Recognise if FORMAT is unknown, and read it all. */
MUST_USE int format_read(struct input *input, enum format format,
    const struct reader_options *options, const struct reader_sink *sink, struct err *err);

#endif
