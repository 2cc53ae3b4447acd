#include "fmt/csv.h"
#include "fmt/csv_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct csv *csv;
static struct input *input;
static struct csv_record record;
static struct err err;

static void
begin(const char *text, size_t n, struct csv_form form)
{
    assert_int_equal(input_open_bytes((struct span){text, n}, "test", &input, &err), 0);
    assert_int_equal(csv_new(input, form, &csv, &err), 0);
}

static void
end(void)
{
    csv_free(csv);
    input_close(input);
}

/* The cells joined by '|', or the error's word. */
static const char *
next(void)
{
    static char out[4096];
    size_t at = 0;
    int rc = csv_next(csv, &record, &err);

    if (rc == 0)
        return "(end)";
    if (rc < 0)
        return err_word(err.code);
    for (uint32_t i = 0; i < record.count; i++)
        at += (size_t)snprintf(out + at, sizeof out - at, "%s%.*s", i > 0 ? "|" : "",
            (int)record.cells[i].n, record.cells[i].p);
    return out;
}

static const struct csv_form commas = {.separator = ','};
#define BEGIN(text, form) begin(text, sizeof(text) - 1, form)

static void
test_plain_and_quoted(void **state)
{
    (void)state;
    BEGIN("\xef\xbb\xbf"
          "a,b,,\r\n\n\"x,y\",\"say \"\"hi\"\" now\",\"\",\"\"\"\"\na\"b,c\n,\nlast",
        commas);
    assert_string_equal(next(), "a|b||");
    assert_string_equal(next(), "x,y|say \"hi\" now||\"");
    assert_int_equal(record.line, 3);
    assert_string_equal(next(), "a\"b|c");
    assert_string_equal(next(), "|");
    assert_string_equal(next(), "last");
    assert_string_equal(next(), "(end)");
    assert_string_equal(next(), "(end)");
    end();
}

static void
test_cells_may_hold_line_ends(void **state)
{
    (void)state;
    BEGIN("a,\"one\ntwo \"\"2\"\"\n\nfour\",b\nnext,1\n\"x\ny\"\n\"p\nq\",r\n", commas);
    assert_string_equal(next(), "a|one\ntwo \"2\"\n\nfour|b");
    assert_int_equal(record.line, 1);
    assert_string_equal(next(), "next|1");
    assert_int_equal(record.line, 5);
    assert_string_equal(next(), "x\ny");
    assert_int_equal(record.line, 6);
    assert_string_equal(next(), "p\nq|r");
    assert_int_equal(record.line, 8);
    assert_string_equal(next(), "(end)");
    end();
}

static void
test_an_open_quote_costs_its_own_line(void **state)
{
    (void)state;
    BEGIN("ok,1\n\"open,2\nfine,3\nfine,4\n", commas);
    assert_string_equal(next(), "ok|1");
    assert_string_equal(next(), "bad-quote");
    assert_int_equal(err.line, 2);
    assert_true(span_equal(record.record, SPAN("\"open,2")));
    assert_string_equal(next(), "fine|3");
    assert_int_equal(record.line, 3);
    assert_string_equal(next(), "fine|4");
    assert_string_equal(next(), "(end)");
    end();
}

static void
test_a_later_quote_does_not_close_an_open_one(void **state)
{
    (void)state;
    BEGIN("\"open,2\n\"good\",3\n\"good\",4\n", commas);
    assert_string_equal(next(), "bad-quote");
    assert_string_equal(next(), "good|3");
    assert_string_equal(next(), "good|4");
    end();
}

static void
test_an_open_quote_is_given_up_within_bounds(void **state)
{
    struct buf text = buf_new(1 << 20);
    (void)state;
    buf_add_text(&text, "\"open\n");
    for (int i = 0; i < 3000; i++)
        buf_format(&text, "row,%d\n", i);
    begin(text.p, text.n, commas);
    assert_string_equal(next(), "bad-quote");
    for (int i = 0; i < 3000; i++) {
        char want[32];
        (void)snprintf(want, sizeof want, "row|%d", i);
        assert_string_equal(next(), want);
        assert_int_equal(record.line, i + 2);
    }
    assert_string_equal(next(), "(end)");
    end();
    buf_free(&text);
}

static void
test_open_quotes_for_ever(void **state)
{
    struct buf text = buf_new(64 << 20);
    uint64_t good = 0;
    uint64_t bad = 0;
    int rc;
    (void)state;
    for (int i = 0; i < 20000; i++)
        buf_format(&text, "%s,%0800d\n", i % 100 == 0 ? "\"open" : "row", i);
    begin(text.p, text.n, commas);
    while ((rc = csv_next(csv, &record, &err)) != 0) {
        assert_int_equal(record.line, good + bad + 1);
        good += rc > 0;
        bad += rc < 0;
    }
    assert_int_equal(bad, 200);
    assert_int_equal(good, 19800);
    end();
    buf_free(&text);
}

static void
test_text_behind_a_quote(void **state)
{
    const struct csv_form lenient = {.separator = ',', .lenient = true};
    (void)state;
    BEGIN("\"a\"b,c\nd,e\n", commas);
    assert_string_equal(next(), "bad-quote");
    assert_string_equal(next(), "d|e");
    end();
    BEGIN("\"a\"b\"c,d\n\"x \"\"y\"\" z\"w,1\n", lenient);
    assert_string_equal(next(), "ab\"c|d");
    assert_string_equal(next(), "x \"y\" zw|1");
    end();
}

static void
test_hostile_bytes(void **state)
{
    (void)state;
    BEGIN("a,b\nc\0,d\n\xff\xfe,x\n\xc3\xbc,y\n", commas);
    assert_string_equal(next(), "a|b");
    assert_string_equal(next(), "nul-byte");
    assert_int_equal(err.line, 2);
    assert_string_equal(next(), "bad-utf8");
    assert_string_equal(next(), "\xc3\xbc|y");
    end();
}

static void
test_a_million_columns(void **state)
{
    size_t n = 1000000;
    char *text = malloc(n + 5);
    (void)state;
    memset(text, ',', n);
    memcpy(text + n, "\na,b\n", 5);
    begin(text, n + 5, commas);
    assert_string_equal(next(), "limit");
    assert_string_equal(next(), "a|b");
    end();
    free(text);
}

static void
test_separator_and_comment(void **state)
{
    (void)state;
    BEGIN("# said\na;b,c\n#x\n\"#d\";e\n", ((struct csv_form){.separator = ';', .comment = '#'}));
    assert_string_equal(next(), "a|b,c");
    assert_string_equal(next(), "#d|e");
    assert_string_equal(next(), "(end)");
    end();
    BEGIN("a\tb\n", ((struct csv_form){.separator = '\t'}));
    assert_string_equal(next(), "a|b");
    end();
}

/* Whatever csv_plain takes, csv_split takes, and finds the same cells in it. */
static void
test_plain_lines_are_split_alike(void **state)
{
    static const char alphabet[] = "aaaaaab,,,,\"\"\"\x01\x80";
    enum { ROOM = 64 };
    uint64_t seed = 7;
    unsigned plain = 0;
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        char text[200 + INPUT_PADDING] = "";
        char room[200];
        char *scratch = room;
        struct span ours[ROOM];
        struct span theirs[ROOM];
        bool ascii = false;
        bool odd = false;
        size_t n = i % 7 < 5 ? i % 12 : i % 200;
        for (size_t k = 0; k < n; k++, seed = seed * 6364136223846793005u + 1442695040888963407u) {
            text[k] = n > 12 && k % 9 != 8 && k % 9 != 0 ? 'c' : alphabet[(seed >> 33) % 16];
            odd = odd || (unsigned char)text[k] >= 0x80;
        }
        size_t count = csv_plain((struct span){text, n}, ',', ours, ROOM, &ascii);
        if (count == 0)
            continue;
        plain++;
        assert_int_equal(
            csv_split((struct span){text, n}, commas, theirs, ROOM, &scratch, NULL), count);
        assert_int_equal(ascii, !odd);
        for (size_t k = 0; k < count; k++)
            assert_true(span_equal(ours[k], theirs[k]));
    }
    assert_true(plain > 20000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_lines_are_split_alike),
        cmocka_unit_test(test_plain_and_quoted),
        cmocka_unit_test(test_cells_may_hold_line_ends),
        cmocka_unit_test(test_an_open_quote_costs_its_own_line),
        cmocka_unit_test(test_a_later_quote_does_not_close_an_open_one),
        cmocka_unit_test(test_an_open_quote_is_given_up_within_bounds),
        cmocka_unit_test(test_open_quotes_for_ever),
        cmocka_unit_test(test_text_behind_a_quote),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_a_million_columns),
        cmocka_unit_test(test_separator_and_comment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
