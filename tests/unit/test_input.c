/* What comes in, by whichever way: plain or compressed, from memory or a pipe, whole or damaged. */
#include "fmt/input.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define TEXT_MAX ((size_t)256 << 20)
enum { BLOCK = 256 * 1024 };

enum packing { PLAIN, GZIP, ZSTD, XZ, PACKINGS };
static const char *const packing_names[] = {"plain", "gzip", "zstd", "xz"};

static void
pack_gzip(struct buf *out, struct span text)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, text.n);
    z.next_in = (Bytef *)(uintptr_t)text.p;
    z.avail_in = (uInt)text.n;
    z.next_out = (Bytef *)buf_reserve(out, room);
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += z.total_out;
    (void)deflateEnd(&z);
}

static void
pack_zstd(struct buf *out, struct span text)
{
    size_t room = ZSTD_compressBound(text.n);
    size_t n = ZSTD_compress(buf_reserve(out, room), room, text.p, text.n, 1);

    assert_false(ZSTD_isError(n));
    out->n += n;
}

static void
pack_xz(struct buf *out, struct span text)
{
    size_t room = lzma_stream_buffer_bound(text.n);
    size_t n = 0;

    assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text.p,
                         text.n, (uint8_t *)buf_reserve(out, room), &n, room),
        LZMA_OK);
    out->n += n;
}

/* TEXT behind what is in OUT: a second call makes concatenated members. */
static void
pack(enum packing packing, struct buf *out, struct span text)
{
    if (packing == PLAIN)
        buf_add_span(out, text);
    else if (packing == GZIP)
        pack_gzip(out, text);
    else if (packing == ZSTD)
        pack_zstd(out, text);
    else
        pack_xz(out, text);
}

static struct input *input;
static struct err err;
static struct span line;
static uint64_t number;

static void
begin(struct span bytes)
{
    err = (struct err){0};
    assert_int_equal(input_open_bytes(bytes, "test", &input, &err), 0);
}

static void
expect_line(struct span wanted, uint64_t wanted_number)
{
    assert_int_equal(input_line(input, &line, &number, &err), 1);
    assert_int_equal(number, wanted_number);
    if (!span_equal(line, wanted))
        fail_msg("line %llu is not what was written: %zu bytes, %zu wanted",
            (unsigned long long)number, line.n, wanted.n);
    for (size_t i = 0; i < INPUT_PADDING; i++)
        (void)*(const volatile char *)(line.p + line.n + i); /* readable: for the sanitizers */
}

static void
expect_end(int rc)
{
    assert_int_equal(input_line(input, &line, &number, &err), rc);
    assert_int_equal(input_line(input, &line, &number, &err), rc);
    input_close(input);
}

static uint64_t seed;

static size_t
below(size_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((seed >> 33) % n);
}

/* Lines of many lengths, so that blocks end at every place of them; CRLF here and there. */
static struct buf
many_lines(void)
{
    static const size_t lengths[] = {3, 80, 5000, BLOCK, 2 * BLOCK};
    struct buf text = buf_new(TEXT_MAX);

    seed = 7;
    while (text.n < (size_t)6 * BLOCK) {
        size_t n = below(lengths[below(5)]);
        char *p = buf_reserve(&text, n);
        for (size_t i = 0; i < n; i++)
            p[i] = (char)('a' + below(26));
        text.n += n;
        buf_add_text(&text, below(4) == 0 ? "\r\n" : "\n");
    }
    buf_add_text(&text, "the last has no end");
    return text;
}

/* Read all of it, against TEXT. What earlier lines borrowed stays while input_line_ready says so.
 */
static void
read_and_compare(struct span text)
{
    struct span kept[1000];
    struct span wanted_kept[1000];
    struct span rest = text;
    struct span wanted;
    size_t count = 0;

    for (uint64_t i = 1; span_next(&rest, '\n', &wanted); i++) {
        bool ready = input_line_ready(input);
        uint64_t before = input_bytes_read(input);
        if (wanted.n > 0 && wanted.p[wanted.n - 1] == '\r')
            wanted.n--;
        expect_line(wanted, i);
        if (ready)
            assert_int_equal(input_bytes_read(input), before);
        else
            count = 0;
        for (size_t k = 0; k < count; k++)
            assert_memory_equal(kept[k].p, wanted_kept[k].p, kept[k].n);
        kept[count % 1000] = line;
        wanted_kept[count % 1000] = wanted;
        count = count == 999 ? 0 : count + 1;
    }
    expect_end(0);
}

static void
lines_cross_blocks(void **state)
{
    struct buf text = many_lines();

    (void)state;
    for (enum packing p = PLAIN; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, buf_span(&text));
        begin(buf_span(&packed));
        read_and_compare(buf_span(&text));
        buf_free(&packed);
    }
    buf_free(&text);
}

/* A process that writes BYTES in pieces of odd sizes; returns the end to read. */
static int
fed_by_pipe(struct span bytes, pid_t *child)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *child = fork();
    if (*child == 0) {
        while (bytes.n > 0) {
            size_t n = 1 + below(bytes.n < 70000 ? bytes.n : 70000);
            ssize_t done = write(ends[1], bytes.p, n);
            if (done < 0)
                _exit(1);
            bytes = (struct span){bytes.p + done, bytes.n - (size_t)done};
        }
        _exit(0);
    }
    (void)close(ends[1]);
    return ends[0];
}

static void
a_pipe_is_the_same(void **state)
{
    struct buf text = many_lines();

    (void)state;
    for (enum packing p = PLAIN; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pid_t child;
        pack(p, &packed, buf_span(&text));
        int fd = fed_by_pipe(buf_span(&packed), &child);
        assert_int_equal(input_open_fd(fd, "pipe", &input, &err), 0);
        read_and_compare(buf_span(&text));
        (void)close(fd);
        (void)waitpid(child, NULL, 0);
        buf_free(&packed);
    }
    buf_free(&text);
}

static void
ready_is_only_what_need_not_be_waited_for(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one, more\ntwo\nthr", 17), 17);
    assert_int_equal(input_open_fd(ends[0], "pipe", &input, &err), 0);
    assert_false(input_line_ready(input));
    expect_line(SPAN("one, more"), 1);
    assert_true(input_line_ready(input));
    expect_line(SPAN("two"), 2);
    assert_false(input_line_ready(input));
    assert_int_equal(write(ends[1], "ee\n", 3), 3);
    (void)close(ends[1]);
    expect_line(SPAN("three"), 3);
    assert_false(input_line_ready(input));
    expect_end(0);
    (void)close(ends[0]);
}

static void
ends_of_lines(void **state)
{
    (void)state;
    begin(SPAN("\xef\xbb\xbf"
               "a\r\n\n\r\n\rb\r\r\nc"));
    expect_line(SPAN("a"), 1);
    expect_line(SPAN(""), 2);
    expect_line(SPAN(""), 3);
    expect_line(SPAN("\rb\r"), 4);
    expect_line(SPAN("c"), 5);
    expect_end(0);
    begin(SPAN("a\n"));
    expect_line(SPAN("a"), 1);
    expect_end(0);
    begin(SPAN(""));
    expect_end(0);
}

/* A line of N bytes between two good ones. */
static struct buf
with_long_line(size_t n)
{
    struct buf text = buf_new(TEXT_MAX);

    buf_add_text(&text, "first\n");
    char *p = buf_reserve(&text, n);
    memset(p, 'x', n);
    text.n += n;
    buf_add_text(&text, "\nthird\n\nfifth");
    return text;
}

static void
over_long_lines_are_skipped_and_counted(void **state)
{
    static const size_t more[] = {1, 2, 6, 100, BLOCK, 4 * BLOCK, INPUT_LINE_MAX - 1,
        INPUT_LINE_MAX, INPUT_LINE_MAX + 7, 3 * INPUT_LINE_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        for (enum packing p = PLAIN; p < PACKINGS; p++) {
            struct buf text = with_long_line((size_t)INPUT_LINE_MAX + more[i]);
            struct buf packed = buf_new(TEXT_MAX);
            pack(p, &packed, buf_span(&text));
            begin(buf_span(&packed));
            expect_line(SPAN("first"), 1);
            assert_int_equal(input_line(input, &line, &number, &err), ERR_LIMIT);
            assert_int_equal(number, 2);
            expect_line(SPAN("third"), 3);
            expect_line(SPAN(""), 4);
            expect_line(SPAN("fifth"), 5);
            expect_end(0);
            buf_free(&packed);
            buf_free(&text);
        }
}

static void
the_longest_line_is_one(void **state)
{
    struct buf text = with_long_line(INPUT_LINE_MAX);

    (void)state;
    begin(buf_span(&text));
    expect_line(SPAN("first"), 1);
    expect_line((struct span){text.p + 6, INPUT_LINE_MAX}, 2);
    expect_line(SPAN("third"), 3);
    input_close(input);
    begin((struct span){text.p, text.n - 15}); /* nothing behind the long one */
    expect_line(SPAN("first"), 1);
    assert_int_equal(input_line(input, &line, &number, &err), 1);
    expect_end(0);
    buf_free(&text);
}

static void
over_long_at_the_end(void **state)
{
    struct buf text = with_long_line(INPUT_LINE_MAX + 9);

    (void)state;
    begin((struct span){text.p, text.n - 14});
    expect_line(SPAN("first"), 1);
    assert_int_equal(input_line(input, &line, &number, &err), ERR_LIMIT);
    assert_int_equal(number, 2);
    expect_end(0);
    buf_free(&text);
}

static void
members_are_read_one_after_the_other(void **state)
{
    (void)state;
    for (enum packing p = GZIP; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, SPAN("one\ntw"));
        pack(p, &packed, SPAN(""));
        pack(p, &packed, SPAN("o\nthree"));
        begin(buf_span(&packed));
        expect_line(SPAN("one"), 1);
        expect_line(SPAN("two"), 2);
        expect_line(SPAN("three"), 3);
        expect_end(0);
        buf_free(&packed);
    }
}

static void
nothing_compressed_is_nothing(void **state)
{
    (void)state;
    for (enum packing p = GZIP; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, SPAN(""));
        begin(buf_span(&packed));
        expect_end(0);
        buf_free(&packed);
    }
}

/* Wherever a stream is cut: whole lines that came before, in order, then the error. */
static void
cut_short_is_told_after_the_good_lines(void **state)
{
    struct buf text = buf_new(TEXT_MAX);

    (void)state;
    for (int i = 1; i <= 200; i++)
        buf_format(&text, "line %d of %zu\n", i, below(1000000));
    for (enum packing p = GZIP; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, buf_span(&text));
        for (size_t n = 6; n < packed.n; n++) {
            struct span rest = buf_span(&text);
            struct span wanted;
            int rc;
            begin((struct span){packed.p, n});
            while ((rc = input_line(input, &line, &number, &err)) > 0) {
                assert_true(span_next(&rest, '\n', &wanted));
                assert_true(span_equal(line, wanted));
            }
            if (rc != ERR_TRUNCATED)
                fail_msg("%s cut at %zu of %zu: %d", packing_names[p], n, packed.n, rc);
            expect_end(ERR_TRUNCATED);
        }
        buf_free(&packed);
    }
    buf_free(&text);
}

static void
damage_and_what_does_not_belong_are_told(void **state)
{
    (void)state;
    for (enum packing p = GZIP; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, SPAN("good\nlines\n"));
        buf_add_text(&packed, "and plain text behind");
        begin(buf_span(&packed));
        expect_line(SPAN("good"), 1);
        expect_line(SPAN("lines"), 2);
        expect_end(ERR_DECOMPRESS);
        buf_free(&packed);
    }
}

/* A frame that wants a window of 2 GiB. */
static void
a_greedy_window_is_refused(void **state)
{
    (void)state;
    begin(SPAN("\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00"
               "a"));
    expect_end(ERR_DECOMPRESS);
}

static void
bombs_are_refused(void **state)
{
    struct buf text = buf_new(TEXT_MAX);
    char *p = buf_reserve(&text, (size_t)128 << 20);

    (void)state;
    for (size_t i = 0; i < (size_t)128 << 20; i++)
        p[i] = i % 4096 == 4095 ? '\n' : 'a';
    text.n = (size_t)128 << 20;
    for (enum packing k = GZIP; k < PACKINGS; k++) {
        struct buf packed = buf_new(TEXT_MAX);
        uint64_t lines = 0;
        int rc;
        pack(k, &packed, buf_span(&text));
        begin(buf_span(&packed));
        while ((rc = input_line(input, &line, &number, &err)) > 0)
            lines++;
        assert_int_equal(rc, ERR_BOMB);
        assert_in_range(lines, (64 << 20) / 4096 - 1, (100 << 20) / 4096);
        expect_end(ERR_BOMB);
        buf_free(&packed);
    }
    buf_free(&text);
}

static void
other_encodings_are_named(void **state)
{
    (void)state;
    begin(SPAN("\xff\xfe"
               "a\0\n\0"));
    expect_end(ERR_BAD_ENCODING);
    begin(SPAN("PK\x03\x04 and more"));
    expect_end(ERR_BAD_ENCODING);
}

static void
peeking_takes_nothing(void **state)
{
    struct buf text = many_lines();
    struct span head;

    (void)state;
    for (enum packing p = PLAIN; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        pack(p, &packed, buf_span(&text));
        begin(buf_span(&packed));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(input_peek(input, &head, &err), 0);
            assert_int_equal(head.n, INPUT_HEAD_MAX);
            assert_memory_equal(head.p, text.p, head.n);
        }
        read_and_compare(buf_span(&text));
        buf_free(&packed);
    }
    buf_free(&text);
}

static void
chunks_are_the_same_bytes(void **state)
{
    struct buf text = many_lines();
    struct span chunk;

    (void)state;
    for (enum packing p = PLAIN; p < PACKINGS; p++) {
        struct buf packed = buf_new(TEXT_MAX);
        size_t at = 0;
        int rc;
        pack(p, &packed, buf_span(&text));
        begin(buf_span(&packed));
        while ((rc = input_chunk(input, &chunk, &err)) > 0) {
            assert_in_range(chunk.n, 1, BLOCK);
            assert_true(at + chunk.n <= text.n);
            assert_memory_equal(chunk.p, text.p + at, chunk.n);
            at += chunk.n;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(at, text.n);
        input_close(input);
        buf_free(&packed);
    }
    buf_free(&text);
}

static void
names_lose_folders_and_packing(void **state)
{
    static const char *const names[][2] = {{"a/b.csv.gz", "b.csv"}, {"b.zst", "b"},
        {"/x/b.xz", "b"}, {"b.gz.gz", "b.gz"}, {".gz", ".gz"}, {"a/", ""}, {"plain", "plain"}};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(input_open_bytes(SPAN(""), names[i][0], &input, &err), 0);
        assert_true(span_equal(input_base_name(input), span_of(names[i][1])));
        assert_string_equal(input_name(input), names[i][0]);
        input_close(input);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_cross_blocks),
        cmocka_unit_test(a_pipe_is_the_same),
        cmocka_unit_test(ready_is_only_what_need_not_be_waited_for),
        cmocka_unit_test(ends_of_lines),
        cmocka_unit_test(over_long_lines_are_skipped_and_counted),
        cmocka_unit_test(the_longest_line_is_one),
        cmocka_unit_test(over_long_at_the_end),
        cmocka_unit_test(members_are_read_one_after_the_other),
        cmocka_unit_test(nothing_compressed_is_nothing),
        cmocka_unit_test(cut_short_is_told_after_the_good_lines),
        cmocka_unit_test(damage_and_what_does_not_belong_are_told),
        cmocka_unit_test(a_greedy_window_is_refused),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(other_encodings_are_named),
        cmocka_unit_test(peeking_takes_nothing),
        cmocka_unit_test(chunks_are_the_same_bytes),
        cmocka_unit_test(names_lose_folders_and_packing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
