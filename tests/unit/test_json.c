#include "fmt/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { FILE_MAX = 1 << 20 };

/* JSONTestSuite: y_ must be accepted, n_ must be refused, i_ is left to the parser. */
static void
suite_is_judged_right(void **state)
{
    const char *root = getenv("COMITY_TEST_ROOT");
    char path[4096];
    char *text = malloc(FILE_MAX);
    struct json *json = json_new(FILE_MAX);
    size_t count = 0;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/tests/data/jsontestsuite", root == NULL ? "." : root);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct json_value v;
        struct err err = {0};
        char kind = entry->d_name[0];
        if (entry->d_name[1] != '_')
            continue;
        (void)snprintf(path, sizeof path, "%s/tests/data/jsontestsuite/%s",
            root == NULL ? "." : root, entry->d_name);
        FILE *in = fopen(path, "rb");
        assert_non_null(in);
        size_t n = fread(text, 1, FILE_MAX, in);
        (void)fclose(in);
        int rc = json_parse_copy(json, (struct span){text, n}, &v, &err);
        if ((kind == 'y' && rc != 0) || (kind == 'n' && rc == 0) || (rc != 0 && err.msg[0] == '\0'))
            fail_msg("%s: %d %s", entry->d_name, rc, err.msg);
        count++;
    }
    (void)closedir(folder);
    assert_true(count >= 300);
    json_free(json);
    free(text);
}

static void
hostile_texts_have_names(void **state)
{
    static const struct {
        struct span text;
        int rc;
    } cases[] = {{{"{\"a\":\"\xc0\x80\"}", 10}, ERR_BAD_UTF8},
        {{"\"\xed\xa0\x80\"", 5}, ERR_BAD_UTF8}, {{"{\"a\":\0}", 7}, ERR_NUL_BYTE},
        {{"123456789012345678901234567890", 30}, ERR_BAD_NUMBER}, {{"[1,]", 4}, ERR_BAD_JSON},
        {{"", 0}, ERR_BAD_JSON}};
    struct json *json = json_new(1 << 20);
    struct json_value v;
    char deep[1000];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(json_parse_copy(json, cases[i].text, &v, NULL), cases[i].rc);
    memset(deep, '[', sizeof deep / 2);
    memset(deep + sizeof deep / 2, ']', sizeof deep / 2);
    assert_int_equal(json_parse_copy(json, (struct span){deep, sizeof deep}, &v, NULL), ERR_LIMIT);
    assert_int_equal(json_parse_copy(json, SPAN("{\"a\":{\"b\":1,\"b\":2}}"), &v, NULL), 0);
    assert_int_equal(json_check_duplicates(v, NULL), ERR_DUPLICATE_KEY);
    json_free(json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite_is_judged_right),
        cmocka_unit_test(hostile_texts_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
