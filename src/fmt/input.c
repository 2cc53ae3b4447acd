#include "fmt/input.h"

#include "fmt/unpack.h"
#include "sys/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PACKED_BYTES = 128 * 1024, BUFFER_BYTES = 256 * 1024, RATIO_FREE_BYTES = 64 * 1024 * 1024 };

struct input {
    char *name;
    int fd;           /* -1: bytes in memory, or from `pull` */
    input_pull *pull; /* NULL: none */
    void *pull_ctx;
    struct span memory; /* what is left of them */
    struct unpack *unpack;
    char *packed; /* compressed bytes read, not yet unpacked */
    struct span packed_left;
    char *data; /* decompressed: [at, end) is not consumed */
    size_t size;
    size_t at;
    size_t end;
    size_t scanned;   /* no LF in [at, scanned) */
    size_t lines_end; /* behind the last LF read */
    uint64_t bytes_read;
    uint64_t bytes_made;
    uint64_t lines;
    bool started;
    bool eof;
    struct err failed; /* what ended the input; told once everything before it is consumed */
};

static int
open_common(int fd, struct span memory, const char *name, struct input **out, struct err *err)
{
    struct input *input = calloc(1, sizeof *input);

    if (input == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", name);
    input->fd = fd;
    input->memory = memory;
    input->size = BUFFER_BYTES;
    input->name = strdup(name);
    input->data = calloc(1, BUFFER_BYTES + INPUT_PADDING);
    if (input->name == NULL || input->data == NULL) {
        input_close(input);
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", name);
    }
    *out = input;
    return 0;
}

int
input_open_fd(int fd, const char *name, struct input **out, struct err *err)
{
    return open_common(fd, (struct span){NULL, 0}, name, out, err);
}

int
input_open_bytes(struct span bytes, const char *name, struct input **out, struct err *err)
{
    return open_common(-1, bytes, name, out, err);
}

int
input_open_pull(input_pull *pull, void *ctx, const char *name, struct input **out, struct err *err)
{
    int rc = open_common(-1, (struct span){NULL, 0}, name, out, err);

    if (rc != 0)
        return rc;
    (*out)->pull = pull;
    (*out)->pull_ctx = ctx;
    return 0;
}

void
input_close(struct input *input)
{
    if (input == NULL)
        return;
    unpack_free(input->unpack);
    free(input->packed);
    free(input->data);
    free(input->name);
    free(input);
}

const char *
input_name(const struct input *input)
{
    return input->name;
}

struct span
input_base_name(const struct input *input)
{
    static const struct {
        const char *text;
        size_t n;
    } suffixes[] = {{".gz", 3}, {".zst", 4}, {".xz", 3}};
    const char *slash = strrchr(input->name, '/');
    struct span name = span_of(slash == NULL ? input->name : slash + 1);

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (name.n > suffixes[i].n
            && span_ends(name, (struct span){suffixes[i].text, suffixes[i].n})) {
            name.n -= suffixes[i].n;
            break;
        }
    return name;
}

uint64_t
input_bytes_read(const struct input *input)
{
    return input->bytes_read;
}

/* Bytes as they come from the file or memory; *GOT 0 at the end. */
static int
read_raw(struct input *input, char *to, size_t size, size_t *got, struct err *err)
{
    if (input->pull != NULL) {
        int rc = input->pull(input->pull_ctx, to, size, got, err);
        input->bytes_read += rc == 0 ? *got : 0;
        return rc;
    }
    if (input->fd < 0) {
        *got = input->memory.n < size ? input->memory.n : size;
        if (*got > 0)
            memcpy(to, input->memory.p, *got);
        input->memory = (struct span){input->memory.p + *got, input->memory.n - *got};
        input->bytes_read += *got;
        return 0;
    }
    for (;;) {
        if (!stop_wait_readable(input->fd))
            return err_set(err, ERR_STOPPED, "interrupted; what was read before is accounted for");
        ssize_t n = read(input->fd, to, size);
        if (n >= 0) {
            *got = (size_t)n;
            input->bytes_read += *got;
            return 0;
        }
        if (errno != EINTR)
            return err_set(err, ERR_IO, "%s cannot be read: %s", input->name, strerror(errno));
    }
}

static int
check_bomb(const struct input *input, struct err *err)
{
    if (input->bytes_made > INPUT_TOTAL_MAX)
        return err_set(err, ERR_BOMB, "%s grows beyond %llu bytes", input->name,
            (unsigned long long)INPUT_TOTAL_MAX);
    if (input->bytes_made > RATIO_FREE_BYTES
        && input->bytes_made / INPUT_RATIO_MAX > input->bytes_read)
        return err_set(err, ERR_BOMB,
            "%s grows more than %d-fold when decompressed: refused as a bomb", input->name,
            INPUT_RATIO_MAX);
    return 0;
}

static int
read_unpacked(struct input *input, char *to, size_t size, size_t *got, struct err *err)
{
    bool last = false;

    *got = 0;
    while (*got == 0) {
        if (input->packed_left.n == 0 && !last) {
            size_t n = 0;
            int rc = read_raw(input, input->packed, PACKED_BYTES, &n, err);
            if (rc != 0)
                return rc;
            input->packed_left = (struct span){input->packed, n};
            last = n == 0;
        }
        size_t before = input->packed_left.n;
        int rc = unpack_run(input->unpack, &input->packed_left, last, to, size, got, err);
        input->bytes_made += *got;
        if (rc != 0)
            return rc;
        if (*got == 0 && last && input->packed_left.n == 0)
            return 0;
        if (*got == 0 && before > 0 && input->packed_left.n == before)
            return err_set(
                err, ERR_DECOMPRESS, "%s has bytes behind its compressed stream", input->name);
    }
    return check_bomb(input, err);
}

/* Make room behind END: slide what is not consumed to the front, or grow. */
static int
make_room(struct input *input, struct err *err)
{
    if (input->at > 0) {
        memmove(input->data, input->data + input->at, input->end - input->at);
        input->end -= input->at;
        input->scanned -= input->at;
        input->lines_end -= input->lines_end < input->at ? input->lines_end : input->at;
        input->at = 0;
    }
    if (input->end < input->size)
        return 0;
    size_t size = input->size * 2;
    char *data = realloc(input->data, size + INPUT_PADDING);
    if (data == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a line of %zu bytes", size);
    input->data = data;
    input->size = size;
    return 0;
}

/* More decompressed bytes behind END, or eof. */
static int
fill(struct input *input, struct err *err)
{
    size_t got = 0;
    int rc = make_room(input, err);

    if (rc != 0)
        return rc;
    char *to = input->data + input->end;
    size_t size = input->size - input->end;
    rc = input->unpack == NULL ? read_raw(input, to, size, &got, err)
                               : read_unpacked(input, to, size, &got, err);
    const char *lf = got == 0 ? NULL : memrchr(to, '\n', got);
    if (lf != NULL)
        input->lines_end = (size_t)(lf - input->data) + 1;
    input->end += got;
    memset(input->data + input->end, 0, INPUT_PADDING);
    if (rc == 0 && got == 0)
        input->eof = true;
    return rc;
}

/* Remember what ended the input, so that what came before it is still handed out. */
static void
fill_or_fail(struct input *input)
{
    struct err err = {0};

    if (input->eof)
        return;
    if (fill(input, &err) != 0) {
        input->failed = err;
        input->eof = true;
    }
}

static int
start_unpacking(struct input *input, enum unpack_kind kind, struct err *err)
{
    size_t n = input->end;

    input->unpack = unpack_new(kind);
    input->packed = malloc(PACKED_BYTES > n ? PACKED_BYTES : n);
    if (input->unpack == NULL || input->packed == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to decompress %s", input->name);
    memcpy(input->packed, input->data, n);
    input->packed_left = (struct span){input->packed, n};
    input->end = input->lines_end = 0;
    return 0;
}

/* A byte order mark says which encoding; only UTF-8 is read. */
static int
check_mark(struct input *input, struct err *err)
{
    struct span head = {input->data, input->end};

    if (span_starts(head, SPAN("\xef\xbb\xbf"))) {
        input->at = input->scanned = 3;
        return 0;
    }
    if (span_starts(head, SPAN("\xff\xfe")) || span_starts(head, SPAN("\xfe\xff")))
        return err_set(
            err, ERR_BAD_ENCODING, "%s is UTF-16; convert it to UTF-8 first", input->name);
    if (span_starts(head, SPAN("PK\x03\x04")))
        return err_set(err, ERR_BAD_ENCODING, "%s is a ZIP archive; unpack it first", input->name);
    return 0;
}

static int
begin(struct input *input, struct err *err)
{
    int rc = 0;

    if (input->started)
        return 0;
    input->started = true;
    while (rc == 0 && !input->eof && input->end < 6)
        rc = fill(input, err);
    enum unpack_kind kind = unpack_recognise((struct span){input->data, input->end});
    if (rc == 0 && kind != UNPACK_NONE) {
        input->eof = false;
        rc = start_unpacking(input, kind, err);
        while (rc == 0 && !input->eof && input->end < 6)
            fill_or_fail(input);
    }
    if (rc == 0)
        rc = check_mark(input, err);
    if (rc != 0) {
        input->failed = err != NULL ? *err : (struct err){.code = (enum err_code)rc};
        input->eof = true;
        input->at = input->scanned = input->end;
    }
    return rc;
}

static int
finish(const struct input *input, struct err *err)
{
    if (input->failed.code == ERR_OK)
        return 0;
    if (err != NULL)
        *err = input->failed;
    return input->failed.code;
}

int
input_peek(struct input *input, struct span *head, struct err *err)
{
    int rc = begin(input, err);

    if (rc != 0)
        return rc;
    while (!input->eof && input->end - input->at < INPUT_HEAD_MAX)
        fill_or_fail(input);
    size_t n = input->end - input->at;
    *head = (struct span){input->data + input->at, n < INPUT_HEAD_MAX ? n : INPUT_HEAD_MAX};
    return n == 0 ? finish(input, err) : 0;
}

/* A line grew too long: drop it to its end, keep the count of lines right. */
static int
skip_line(struct input *input, uint64_t *number, struct err *err)
{
    const char *lf = memchr(input->data + input->scanned, '\n', input->end - input->scanned);

    *number = ++input->lines;
    while (lf == NULL && !input->eof) {
        input->at = input->scanned = input->end;
        fill_or_fail(input);
        lf = memchr(input->data + input->at, '\n', input->end - input->at);
    }
    input->at = lf == NULL ? input->end : (size_t)(lf - input->data) + 1;
    input->scanned = input->at;
    return err_set(
        err, ERR_LIMIT, "the line is longer than %d bytes; it was skipped", INPUT_LINE_MAX);
}

static int
take_line(struct input *input, size_t end, size_t next, struct span *line, uint64_t *number)
{
    if (end > input->at && input->data[end - 1] == '\r')
        end--;
    *line = (struct span){input->data + input->at, end - input->at};
    *number = ++input->lines;
    input->at = input->scanned = next;
    return 1;
}

int
input_line(struct input *input, struct span *line, uint64_t *number, struct err *err)
{
    int rc = begin(input, err);

    if (rc != 0)
        return rc;
    for (;;) {
        const char *lf = memchr(input->data + input->scanned, '\n', input->end - input->scanned);
        size_t n = (lf == NULL ? input->end : (size_t)(lf - input->data)) - input->at;
        if (n > INPUT_LINE_MAX)
            return skip_line(input, number, err);
        if (lf != NULL)
            return take_line(input, input->at + n, input->at + n + 1, line, number);
        input->scanned = input->end;
        if (!input->eof) {
            fill_or_fail(input);
            continue;
        }
        /* A line cut off by damage is no line. */
        if (n == 0 || input->failed.code != ERR_OK) {
            input->at = input->scanned = input->end;
            return finish(input, err);
        }
        return take_line(input, input->end, input->end, line, number);
    }
}

bool
input_line_ready(const struct input *input)
{
    return input->at < input->lines_end;
}

int
input_chunk(struct input *input, struct span *chunk, struct err *err)
{
    int rc = begin(input, err);

    if (rc != 0)
        return rc;
    if (input->at == input->end && !input->eof)
        fill_or_fail(input);
    size_t n = input->end - input->at;
    if (n == 0)
        return finish(input, err);
    if (n > BUFFER_BYTES)
        n = BUFFER_BYTES;
    *chunk = (struct span){input->data + input->at, n};
    input->at += n;
    input->scanned = input->at;
    return 1;
}
