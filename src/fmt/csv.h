/* csv.h: which cells does the next record of this delimited text have?
 *
 * RFC 4180, with any separator. A quoted cell may hold separators, doubled quotes and
 * line ends; a record may span at most CSV_LINES_MAX lines and CSV_RECORD_MAX bytes. A
 * quote that nothing closes within these costs its own line only: reading goes on with
 * the next one. Cells borrow from the input's line: nothing is copied but what has doubled
 * quotes in it or spans lines.
 */
#ifndef COMITY_FMT_CSV_H
#define COMITY_FMT_CSV_H

#include "fmt/input.h"

enum {
    CSV_CELLS_MAX = 4096, /* the widest known report has 150 columns */
    CSV_RECORD_MAX = INPUT_LINE_MAX,
    CSV_SPAN_MAX = 256 * 1024, /* a record of several lines */
    CSV_LINES_MAX = 256,
};

struct csv;

struct csv_record {
    const struct span *cells;
    uint32_t count;
    uint64_t line;      /* 1-based, where the record begins */
    struct span record; /* its bytes without the last line end */
    bool stays;         /* its bytes and cells lie in the input's line: see csv_before_move */
};

struct csv_form {
    char separator;
    char comment; /* lines that begin with it are skipped; 0: none */
    bool lenient; /* text behind a closing quote belongs to the cell, as it stands; else
                     ERR_BAD_QUOTE */
};

/* Reads INPUT, which stays the caller's. */
MUST_USE int csv_new(struct input *input, struct csv_form form, struct csv **out, struct err *err);
void csv_free(struct csv *csv);

/* Records that stay are valid until BEFORE has been called, which is done before more is read. An
 * error that it returns is csv_next's. */
void csv_before_move(struct csv *csv, int (*before)(void *ctx, struct err *err), void *ctx);
/* The next record that is not an empty line; valid until the next call. Returns 1, or 0 at the end.
 * ERR_BAD_QUOTE, ERR_NUL_BYTE, ERR_BAD_UTF8 and ERR_LIMIT are the sender's and fill RECORD's line
 * and record (and the error's line); reading can go on. Other errors end the input. */
MUST_USE int csv_next(struct csv *csv, struct csv_record *record, struct err *err);
/* May reading go on behind what csv_next returned? */
static inline bool
csv_goes_on(int rc)
{
    return rc >= 0 || rc == ERR_BAD_QUOTE || rc == ERR_NUL_BYTE || rc == ERR_BAD_UTF8
        || rc == ERR_LIMIT;
}

/* Split one line in memory into at most ROOM cells; *SCRATCH takes cells with doubled quotes (as
 * many bytes as LINE) and is moved behind them. LINE needs INPUT_PADDING readable bytes behind it.
 * Returns the count, CSV_OPEN if a quote is not closed, ERR_BAD_QUOTE or ERR_LIMIT. */
enum { CSV_OPEN = 0 };
MUST_USE int csv_split(struct span line, struct csv_form form, struct span *cells, size_t room,
    char **scratch, struct err *err);

#endif
