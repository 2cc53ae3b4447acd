/* Which format is this? By content, over what ships, what the fuzzers keep, and what only looks so.
 */
#include "fmt/format.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { PATH_BYTES = 4096 };

static char share[PATH_BYTES];
static struct reader_options options = {.share_dir = share};
static struct err err;

/* The format's word, or the error's. */
static const char *
recognised(struct input *input)
{
    enum format format = FORMAT_UNKNOWN;
    int rc = format_recognise(input, &options, &format, &err);

    input_close(input);
    return rc != 0 ? err_word(err.code) : format == FORMAT_UNKNOWN ? "" : format_word(format);
}

static const char *
of_text(struct span text, const char *name)
{
    struct input *input;

    assert_int_equal(input_open_bytes(text, name, &input, &err), 0);
    return recognised(input);
}

static const char *
of_file(const char *path, const char *name)
{
    struct input *input;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(input_open_fd(fd, name, &input, &err), 0);
    const char *word = recognised(input);
    (void)close(fd);
    return word;
}

/* Every file of FOLDER, below the project, is WANTED, whatever it is called. */
static void
all_are(const char *folder, const char *wanted, const char *name)
{
    char path[2 * PATH_BYTES];
    size_t count = 0;
    struct dirent *entry;

    (void)snprintf(path, sizeof path, "%s/%s", getenv("COMITY_TEST_ROOT"), folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type != DT_REG)
            continue;
        (void)snprintf(
            path, sizeof path, "%s/%s/%s", getenv("COMITY_TEST_ROOT"), folder, entry->d_name);
        const char *got = of_file(path, name == NULL ? entry->d_name : name);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s: %s, should be %s", path, got, wanted);
        count++;
    }
    (void)closedir(dir);
    assert_true(count > 0);
}

static void
what_ships_is_recognised(void **state)
{
    (void)state;
    all_are("share/samples", "csv", NULL);
    all_are("share/samples", "csv", "2026-11-01-scan_dns.csv");
    all_are("share/samples/shadowserver", "shadowserver", NULL);
    all_are("share/samples/shadowserver", "shadowserver", "standard input");
}

struct sample {
    const char *path;
    const char *wanted;
};

static void
samples_of_the_tests_are_recognised(void **state)
{
    static const struct sample samples[] = {{"idf/line", "idf"}, {"idf/array", "idf"},
        {"idf/bom-crlf", "idf"}, {"idf/gzip", "idf"}, {"idf/zstd", "idf"}, {"idf/xz", "idf"},
        {"idf/deep", "idf"}, {"idf/escapes", "idf"}, {"idf/truncated", "idf"}, {"idf/extra", "idf"},
        {"idf/empty", ""}, {"stix/observed", "stix"}, {"stix/own", "stix"}, {"stix/v20", "stix"},
        {"stix/envelope", "stix"}, {"stix/indicator", "stix"}, {"stix/lines", "stix"},
        {"stix/array", "stix"}, {"stix/no-objects", "stix"}, {"stix/truncated", "stix"},
        {"stix/commas", "stix"}, {"stix/deep", "stix"}, {"stix/duplicate-key", "stix"},
        {"stix/junk", "unknown-format"}};
    char path[2 * PATH_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        (void)snprintf(
            path, sizeof path, "%s/fuzz/corpus/%s", getenv("COMITY_TEST_ROOT"), samples[i].path);
        const char *got = of_file(path, "input");
        if (strcmp(got, samples[i].wanted) != 0)
            fail_msg("%s: %s, should be %s", samples[i].path, got, samples[i].wanted);
    }
}

static void
expect_texts(const char *const texts[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = of_text(span_of(texts[i][0]), "input");
        if (strcmp(got, texts[i][1]) != 0)
            fail_msg("%s: %s, should be %s", texts[i][0], got, texts[i][1]);
    }
}
#define EXPECT_TEXTS(texts) expect_texts(texts, sizeof(texts) / sizeof((texts)[0]))

/* Reports that speak of STIX are none of it. */
static void
texts_do_not_make_stix(void **state)
{
    static const char *const texts[][2] = {
        {"{\"malware.name\":\"bundle\",\"source.ip\":\"192.0.2.1\"}", "idf"},
        {"{\"source.ip\":\"192.0.2.1\"}\n{\"type\":\"bundle\",\"objects\":[]}", "idf"},
        {"{\"comment\":\"\\\"spec_version\\\": \\\"2.1\\\"\"}", "idf"},
        {"{\"extra\":{\"type\":\"bundle\",\"spec_version\":1,\"objects\":[\"a--b\"]}}", "idf"},
        {"{\"extra.objects\":[\"objects\",\"a--b\",\"bundle\",\"spec_version\"]}", "idf"},
        {"{\"extra\":[{\"spec_version\":\"2.1\"}],\"comment\":\"--\"}", "idf"},
        {"{\"comment\":\"\\\\\",\"raw\":\"\\\"type\\\":\\\"bundle\\\"\"}", "idf"},
        {"{\"type\":\"indicator\",\"id\":\"malware--1\"}", "idf"},
        {"{\"objects\":\"bundle\"}", "idf"},
        {"[{\"source.ip\":\"192.0.2.1\"},{\"spec_version\":\"2.1\"}]", "idf"},
        {"{\"comment\":\"open", "idf"},
        {"{}", "idf"},
    };

    (void)state;
    EXPECT_TEXTS(texts);
}

static void
members_make_stix(void **state)
{
    static const char *const texts[][2] = {
        {"{\"type\":\"bundle\"}", "stix"},
        {" \r\n\t{ \"id\" : \"bundle--1\" , \"type\" : \"bundle\" }", "stix"},
        {"\xef\xbb\xbf{\"spec_version\":\"2.1\"}", "stix"},
        {"{\"more\":false,\"objects\" : [ ]}", "stix"},
        {"[ {\"id\":\"indicator--1\",\"type\":\"indicator\"}]", "stix"},
        {"{\"x\":{\"y\":[1,{\"z\":\"}\"}]},\"spec_version\":\"2.1\"}", "stix"},
        {"{\"objects\":[", "stix"},
    };

    (void)state;
    EXPECT_TEXTS(texts);
}

static void
tables_are_told_by_their_header(void **state)
{
    static const char *const texts[][2] = {
        {"time,ip,type,comment\n", "csv"},
        {"time,ip,type,comment", "csv"},
        {"time,ip,type,comment,more\n", "no-mapping"},
        {"ip,time,port\n", "no-mapping"},
        {"first_seen;last_seen;address;asn;ports;hits;state\r\n1;2;3;4;5;6;7\n", "csv"},
        {"timestamp,nothing,that,is,known\n", "no-mapping"},
        {"time,comment\n2026,\"timestamp,ip,port,protocol,tag\"\n", "no-mapping"},
    };

    (void)state;
    EXPECT_TEXTS(texts);
}

/* Where a header fits several types the file's name says which; it makes no other table one. */
static void
names_tell_types_of_reports(void **state)
{
    static const char name[] = "2026-02-03-scan_http-example-asn.csv.gz";

    (void)state;
    assert_string_equal(of_text(SPAN("timestamp,ip,port,tag\n"), name), "shadowserver");
    assert_string_equal(of_text(SPAN("\"timestamp\",\"ip\""), name), "shadowserver");
    assert_string_equal(of_text(SPAN("time,ip,type,comment\n"), name), "csv");
    assert_string_equal(of_text(SPAN("time,ip,port\ntimestamp\n"), name), "no-mapping");
    assert_string_equal(of_text(SPAN("{\"timestamp\":1}"), name), "idf");
}

static void
what_is_nothing_is_named(void **state)
{
    static const char *const texts[][2] = {
        {"", ""},
        {" \r\n\t\n", ""},
        {"<html><body>no report</body></html>", "unknown-format"},
        {"just words\n", "unknown-format"},
        {"words, and more words\n", "no-mapping"},
        {"PK\x03\x04 a ZIP archive", "bad-encoding"},
        {"\xff\xfe{", "bad-encoding"},
        {"%PDF-1.7\n", "unknown-format"},
        {"\x89PNG\r\n\x1a\n", "bad-encoding"},
    };

    (void)state;
    EXPECT_TEXTS(texts);
    assert_string_equal(of_text(SPAN("\x7f"
                                     "ELF\x02\x01\0\0"),
                            "input"),
        "bad-encoding");
}

static void
blanks_beyond_what_is_looked_through_are_named(void **state)
{
    struct buf text = buf_new(2 * INPUT_HEAD_MAX);

    (void)state;
    memset(buf_reserve(&text, INPUT_HEAD_MAX), ' ', INPUT_HEAD_MAX);
    text.n = INPUT_HEAD_MAX;
    buf_add_text(&text, "{}");
    assert_string_equal(of_text(buf_span(&text), "input"), "unknown-format");
    buf_free(&text);
}

/* A mapping that was named says that tables are generic. */
static void
a_named_mapping_decides_tables_only(void **state)
{
    static const char *const texts[][2] = {
        {"a,b\n1,2\n", "csv"},
        {"timestamp,ip,port,protocol,hostname,asn,geo,region,city\n", "csv"},
        {"{\"source.ip\":\"192.0.2.1\"}", "idf"},
        {"{\"type\":\"bundle\"}", "stix"},
    };

    (void)state;
    options.mapping_path = "mapping.json";
    EXPECT_TEXTS(texts);
    options.mapping_path = NULL;
}

static void
words_find_their_format(void **state)
{
    (void)state;
    for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_COUNT; i++) {
        assert_int_equal(format_find(span_of(format_word((enum format)i))), i);
        assert_true(format_text((enum format)i)[0] != '\0');
    }
    assert_int_equal(format_find(SPAN("")), FORMAT_UNKNOWN);
    assert_int_equal(format_find(SPAN("IDF")), FORMAT_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ships_is_recognised),
        cmocka_unit_test(samples_of_the_tests_are_recognised),
        cmocka_unit_test(texts_do_not_make_stix),
        cmocka_unit_test(members_make_stix),
        cmocka_unit_test(tables_are_told_by_their_header),
        cmocka_unit_test(names_tell_types_of_reports),
        cmocka_unit_test(what_is_nothing_is_named),
        cmocka_unit_test(blanks_beyond_what_is_looked_through_are_named),
        cmocka_unit_test(a_named_mapping_decides_tables_only),
        cmocka_unit_test(words_find_their_format),
    };

    (void)snprintf(share, sizeof share, "%s/share", getenv("COMITY_TEST_ROOT"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
