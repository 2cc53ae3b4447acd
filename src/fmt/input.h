/* input.h: which bytes come next, decompressed, and in bounded memory?
 *
 * One input is a file, standard input or bytes in memory; gzip, zstd and xz are
 * recognised by content. Decompressed totals and ratios are bounded (ERR_BOMB).
 */
#ifndef COMITY_FMT_INPUT_H
#define COMITY_FMT_INPUT_H

#include "base/err.h"
#include "base/str.h"

enum {
    INPUT_PADDING = 64,               /* readable bytes behind every line or document handed out */
    INPUT_LINE_MAX = 4 * 1024 * 1024, /* one record: far above any real one, far below memory */
    INPUT_HEAD_MAX = 64 * 1024,       /* what input_peek can show */
    INPUT_RATIO_MAX = 500,            /* decompressed : compressed, beyond the first 64 MiB */
};
#define INPUT_TOTAL_MAX ((uint64_t)1 << 40)

struct input;

/* NAME is for messages. FD is read to its end and stays the caller's. Where the process listens
 * (sys/stop.h) and was asked to stop, no more is read: ERR_STOPPED once what came before is handed
 * out. */
MUST_USE int input_open_fd(int fd, const char *name, struct input **out, struct err *err);
/* Bytes stay the caller's and must outlive the input. */
MUST_USE int input_open_bytes(
    struct span bytes, const char *name, struct input **out, struct err *err);
/* Bytes come from PULL: at most SIZE to TO, *GOT 0 at the end. It may wait for them as it likes. */
typedef int input_pull(void *ctx, char *to, size_t size, size_t *got, struct err *err);
MUST_USE int input_open_pull(
    input_pull *pull, void *ctx, const char *name, struct input **out, struct err *err);
void input_close(struct input *input);

const char *input_name(const struct input *input);
/* File name without folders and compression suffix. */
struct span input_base_name(const struct input *input);
/* Compressed bytes taken from the file so far: what a progress bar needs. */
uint64_t input_bytes_read(const struct input *input);

/* Up to INPUT_HEAD_MAX decompressed bytes, not consumed. */
MUST_USE int input_peek(struct input *input, struct span *head, struct err *err);

/* The next line without its LF or CRLF; valid until the next call, with INPUT_PADDING
 * readable bytes behind it. LINE is its 1-based number. Returns 1 for a line, 0 at the end. A line
 * longer than INPUT_LINE_MAX is skipped to its end and returned as ERR_LIMIT (sender's; reading can
 * go on); other errors end the input. A last line without LF is a line. */
MUST_USE int input_line(struct input *input, struct span *line, uint64_t *number, struct err *err);
/* Will the next input_line find its line in memory? Then what earlier calls returned stays where it
 * is; otherwise more is read, which takes time and moves it. */
bool input_line_ready(const struct input *input);

/* The next piece of raw decompressed bytes (at most 256 KiB), for readers that do not go by
 * lines; valid until the next call. Returns 1, or 0 at the end. */
MUST_USE int input_chunk(struct input *input, struct span *chunk, struct err *err);

#endif
