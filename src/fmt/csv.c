#include "fmt/csv.h"

#include "base/mem.h"
#include "fmt/csv_plain.h"

#include <stdlib.h>

struct csv {
    struct input *input;
    int (*before_move)(void *ctx, struct err *err);
    void *ctx;
    struct csv_form form;
    bool begun;
    bool ended;
    int late; /* an error met while reading ahead: told when the lines before it are used up */
    struct err late_err;
    uint64_t line;        /* of the last line taken from the input */
    struct buf window;    /* lines read ahead for a record that spans several, LF behind each */
    size_t window_at;     /* what of it was consumed */
    uint64_t window_line; /* number of the line at window_at */
    struct buf scratch;
    struct span cells[CSV_CELLS_MAX];
};

int
csv_new(struct input *input, struct csv_form form, struct csv **out, struct err *err)
{
    struct csv *csv = calloc(1, sizeof *csv);

    if (csv == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    csv->input = input;
    csv->form = form;
    csv->window = buf_new(3 * (size_t)CSV_SPAN_MAX + CSV_RECORD_MAX + INPUT_PADDING);
    csv->scratch = buf_new(CSV_RECORD_MAX + INPUT_PADDING);
    *out = csv;
    return 0;
}

void
csv_free(struct csv *csv)
{
    if (csv == NULL)
        return;
    buf_free(&csv->window);
    buf_free(&csv->scratch);
    free(csv);
}

void
csv_before_move(struct csv *csv, int (*before)(void *ctx, struct err *err), void *ctx)
{
    csv->before_move = before;
    csv->ctx = ctx;
}

static int
read_line(struct csv *csv, struct span *line, struct err *err)
{
    int rc = 0;

    if (csv->before_move != NULL && !input_line_ready(csv->input))
        rc = csv->before_move(csv->ctx, err);
    return rc != 0 ? rc : input_line(csv->input, line, &csv->line, err);
}

/* The first BYTE at or behind P, or END. Cells are short, so eight bytes at a time without a call;
 * up to seven bytes behind END are read: the padding. */
static const char *
find_byte(const char *p, const char *end, char byte)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t wanted = ones * (unsigned char)byte;

    for (; p < end; p += 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        eight ^= wanted;
        uint64_t hit = (eight - ones) & ~eight & (ones << 7);
        if (hit != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            p += __builtin_ctzll(hit) / 8;
#else
            while (*p != byte)
                p++;
#endif
            return p < end ? p : end;
        }
    }
    return end;
}

/* A quoted cell; AT stands behind its first quote. Afterwards it stands behind the last one. NULL
 * cell pointer when the quote is not closed. */
static struct span
quoted(const char **at, const char *end, char **scratch)
{
    const char *p = *at;
    const char *quote = find_byte(p, end, '"');

    if (quote == end)
        return (struct span){NULL, 0};
    if (quote + 1 == end || quote[1] != '"') {
        *at = quote + 1;
        return (struct span){p, (size_t)(quote - p)};
    }
    char *out = *scratch;
    for (;;) {
        size_t n = (size_t)(quote - p);
        memcpy(*scratch, p, n);
        *scratch += n;
        if (quote == end)
            return (struct span){NULL, 0};
        if (quote + 1 == end || quote[1] != '"')
            break;
        *(*scratch)++ = '"';
        p = quote + 2;
        quote = find_byte(p, end, '"');
    }
    *at = quote + 1;
    return (struct span){out, (size_t)(*scratch - out)};
}

/* CELL and what stands behind its closing quote, at P, up to the separator. */
static const char *
with_tail(struct span *cell, const char *p, const char *end, char separator, char **scratch)
{
    const char *stop = find_byte(p, end, separator);

    if (cell->p + cell->n != *scratch || cell->n == 0) {
        memcpy(*scratch, cell->p, cell->n);
        cell->p = *scratch;
        *scratch += cell->n;
    }
    memcpy(*scratch, p, (size_t)(stop - p));
    *scratch += stop - p;
    cell->n += (size_t)(stop - p);
    return stop;
}

int
csv_split(struct span line, struct csv_form form, struct span *cells, size_t room, char **scratch,
    struct err *err)
{
    const char *p = line.p;
    const char *end = line.p + line.n;

    for (size_t count = 0; count < room; p++) {
        if (p < end && *p == '"') {
            p++;
            cells[count] = quoted(&p, end, scratch);
            if (cells[count].p == NULL)
                return CSV_OPEN;
            if (p < end && *p != form.separator) {
                if (!form.lenient)
                    return err_set(err, ERR_BAD_QUOTE,
                        "text stands behind the closing quote of cell %zu; double the quotes "
                        "inside a cell",
                        count + 1);
                p = with_tail(&cells[count], p, end, form.separator, scratch);
            }
        } else {
            const char *stop = find_byte(p, end, form.separator);
            cells[count] = (struct span){p, (size_t)(stop - p)};
            p = stop;
        }
        count++;
        if (p == end)
            return (int)count;
    }
    return err_set(err, ERR_LIMIT, "more than %zu columns", room);
}

/* The next line: one read ahead, or from the input. Returns 1, 0 or an error. */
static int
take_line(struct csv *csv, struct span *line, uint64_t *number, struct err *err)
{
    if (csv->window_at < csv->window.n) {
        const char *p = csv->window.p + csv->window_at;
        const char *lf = memchr(p, '\n', csv->window.n - csv->window_at);
        *line = (struct span){p, (size_t)(lf - p)};
        *number = csv->window_line++;
        csv->window_at += line->n + 1;
        return 1;
    }
    csv->window.n = csv->window_at = 0;
    if (csv->late != 0) {
        int rc = csv->late;
        csv->late = 0;
        *number = csv->line;
        if (err != NULL)
            *err = csv->late_err;
        return rc;
    }
    if (csv->ended)
        return 0;
    int rc = read_line(csv, line, err);
    *number = csv->line;
    csv->ended = rc == 0;
    return rc;
}

/* One more line of the input behind the window's last; false when that cannot be. */
static bool
extend(struct csv *csv)
{
    struct span line;

    if (csv->ended || csv->late != 0)
        return false;
    int rc = read_line(csv, &line, &csv->late_err);
    if (rc <= 0) {
        csv->ended = rc == 0;
        csv->late = rc;
        return false;
    }
    buf_add_span(&csv->window, line);
    buf_add_char(&csv->window, '\n');
    return buf_reserve(&csv->window, INPUT_PADDING) != NULL;
}

/* Make sure that the window begins with the record's first line. */
static bool
into_window(struct csv *csv, struct span first, uint64_t number)
{
    if (csv->window_at > 0) {
        csv->window_at -= first.n + 1;
        csv->window_line--;
        if (csv->window_at > CSV_SPAN_MAX) {
            csv->window.n -= csv->window_at;
            memmove(csv->window.p, csv->window.p + csv->window_at, csv->window.n);
            csv->window_at = 0;
        }
    } else {
        buf_add_span(&csv->window, first);
        buf_add_char(&csv->window, '\n');
        csv->window_line = number;
    }
    return buf_reserve(&csv->window, INPUT_PADDING) != NULL;
}

static char *
scratch_for(struct csv *csv, size_t n)
{
    csv->scratch.n = 0;
    return buf_reserve(&csv->scratch, n + 1);
}

/* How many quotes stand in S, odd or even? Only a change from odd to even can close the cell. */
static unsigned
quotes(struct span s)
{
    unsigned count = 0;

    for (const char *p = s.p, *end = s.p + s.n; (p = find_byte(p, end, '"')) < end; p++)
        count++;
    return count;
}

static int
unclosed(struct csv *csv, struct csv_record *record, struct err *err)
{
    struct span line;
    uint64_t number;

    if (take_line(csv, &line, &number, err) == 1)
        record->record = line;
    return err_set(err, ERR_BAD_QUOTE,
        "a quote is not closed within %d lines; this line is left out", CSV_LINES_MAX);
}

/* FIRST leaves a quote open: join lines until it is closed. */
static int
join(struct csv *csv, struct span first, struct csv_record *record, struct err *err)
{
    if (!into_window(csv, first, record->line))
        return arena_full(err, "a record of several lines");
    size_t end = csv->window_at;
    unsigned parity = 0;
    for (unsigned lines = 0; lines < CSV_LINES_MAX && end - csv->window_at < CSV_SPAN_MAX;
         lines++) {
        if (end == csv->window.n && !extend(csv))
            break;
        const char *p = csv->window.p + end;
        const char *lf = memchr(p, '\n', csv->window.n - end);
        parity += quotes((struct span){p, (size_t)(lf - p)});
        end += (size_t)(lf - p) + 1;
        if ((parity & 1) != 0)
            continue;
        struct span whole = {csv->window.p + csv->window_at, end - 1 - csv->window_at};
        char *scratch = scratch_for(csv, whole.n);
        if (scratch == NULL)
            return arena_full(err, "a record of several lines");
        int rc = csv_split(whole, (struct csv_form){.separator = csv->form.separator}, csv->cells,
            CSV_CELLS_MAX, &scratch, err);
        if (rc == CSV_OPEN)
            continue;
        if (rc < 0)
            break;
        csv->window_at = end;
        csv->window_line += lines + 1;
        record->record = whole;
        return rc;
    }
    return unclosed(csv, record, err);
}

static int
check_bytes(struct span record, struct err *err)
{
    if (record.n > 0 && memchr(record.p, '\0', record.n) != NULL)
        return err_set(err, ERR_NUL_BYTE, "the line holds a NUL byte; text cannot");
    if (!span_is_utf8(record))
        return err_set(
            err, ERR_BAD_UTF8, "the line is not UTF-8; convert the file, for example with iconv");
    return 0;
}

static int
split_any(struct csv *csv, struct span line, struct csv_record *record, struct err *err)
{
    char *scratch = scratch_for(csv, line.n);

    if (scratch == NULL)
        return arena_full(err, "a record");
    int rc = csv_split(line, csv->form, csv->cells, CSV_CELLS_MAX, &scratch, err);
    record->stays = csv->window.n == 0 && scratch == csv->scratch.p;
    if (rc != CSV_OPEN)
        return rc;
    record->stays = false;
    rc = join(csv, line, record, err);
    int bad = rc > 0 ? check_bytes(record->record, err) : 0;
    return bad != 0 ? bad : rc;
}

static int
split_record(struct csv *csv, struct span line, struct csv_record *record, struct err *err)
{
    bool ascii = false;
    size_t count = csv_plain(line, csv->form.separator, csv->cells, CSV_CELLS_MAX, &ascii);
    int rc = count > 0 && ascii ? 0 : check_bytes(line, err);

    record->record = line;
    if (rc != 0)
        return rc;
    if (count == 0)
        return split_any(csv, line, record, err);
    record->stays = csv->window.n == 0;
    return (int)count;
}

int
csv_next(struct csv *csv, struct csv_record *record, struct err *err)
{
    struct span line;

    for (;;) {
        *record = (struct csv_record){.cells = csv->cells};
        int rc = take_line(csv, &line, &record->line, err);
        if (rc == 1) {
            if (!csv->begun && span_starts(line, SPAN("\xef\xbb\xbf")))
                line = (struct span){line.p + 3, line.n - 3};
            csv->begun = true;
            if (line.n == 0 || (csv->form.comment != '\0' && line.p[0] == csv->form.comment))
                continue;
            rc = split_record(csv, line, record, err);
        }
        if (rc < 0 && err != NULL)
            err->line = record->line;
        if (rc <= 0)
            return rc;
        record->count = (uint32_t)rc;
        return 1;
    }
}
