#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static struct conf *conf;

static int
set_up(void **state)
{
    (void)state;
    conf = conf_new();
    return conf == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    conf_free(conf);
    return 0;
}

static int
set(enum conf_option option, const char *value)
{
    return conf_set(conf, option, span_of(value), 0, NULL);
}

/* Every default is one of the values allowed, and every name is found and differs from the others.
 */
static void
the_table_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < CONF_COUNT; i++) {
        enum conf_option found;
        assert_int_equal(conf_find(span_of(conf_rows[i].name), &found, NULL), 0);
        assert_int_equal(found, i);
        assert_int_equal(set((enum conf_option)i, conf_rows[i].usual), 0);
        assert_false(conf_is_set(conf, (enum conf_option)i));
        assert_true(conf_rows[i].least <= conf_rows[i].most);
    }
    assert_int_equal(conf_check(conf, NULL), 0);
}

static void
values_are_read_as_their_types_say(void **state)
{
    static const struct {
        enum conf_option option;
        const char *text;
        int64_t number;
    } good[] = {{CONF_TLS, "off", 0}, {CONF_TLS, "on", 1}, {CONF_HTTP_CONNECTIONS, "7", 7},
        {CONF_BATCH_INTERVAL, "0", 0}, {CONF_BATCH_INTERVAL, "250ms", 250},
        {CONF_HTTP_DEADLINE, "5 min", 300000}, {CONF_SESSION_LENGTH, "30 d", 2592000000},
        {CONF_SESSION_LENGTH, "1 h", 3600000}, {CONF_HTTP_HEADER_BYTES, "4096 B", 4096},
        {CONF_HTTP_HEADER_BYTES, "64KiB", 65536}, {CONF_FRONT_CACHE, "1 GiB", 1 << 30},
        {CONF_LOG_FORMAT, "json", 1}, {CONF_LOG_LEVEL, "warning", 2}};
    static const struct {
        enum conf_option option;
        const char *text;
    } bad[] = {{CONF_TLS, "yes"}, {CONF_TLS, ""}, {CONF_HTTP_CONNECTIONS, "0"},
        {CONF_HTTP_CONNECTIONS, "-1"}, {CONF_HTTP_CONNECTIONS, "1 connection"},
        {CONF_HTTP_CONNECTIONS, "100001"}, {CONF_BATCH_INTERVAL, "250"},
        {CONF_BATCH_INTERVAL, "1 m"}, {CONF_BATCH_INTERVAL, "1.5 s"}, {CONF_BATCH_INTERVAL, "ms"},
        {CONF_BATCH_INTERVAL, "9223372036854775807 d"},
        {CONF_BATCH_INTERVAL, "99999999999999999999 s"}, {CONF_HTTP_HEADER_BYTES, "64 KB"},
        {CONF_HTTP_HEADER_BYTES, "65 KiB"}, {CONF_LOG_LEVEL, "loud"},
        {CONF_LOG_LEVEL, "debug|info"}, {CONF_GEO, "table.geo"}, {CONF_TAXII_TITLE, ""},
        {CONF_TAXII_TITLE, "a\tb"}, {CONF_TAXII_TITLE, "\xff"}, {CONF_LISTEN_PARTNERS, "8443"},
        {CONF_LISTEN_PARTNERS, ":8443"}, {CONF_LISTEN_PARTNERS, "127.0.0.1"},
        {CONF_LISTEN_PARTNERS, "127.0.0.1:"}, {CONF_LISTEN_PARTNERS, "127.0.0.1:65536"},
        {CONF_LISTEN_PARTNERS, "::1:80"}, {CONF_LISTEN_PARTNERS, "[127.0.0.1]:80"},
        {CONF_LISTEN_PARTNERS, "[::1:80"}, {CONF_LISTEN_PARTNERS, "localhost:80"},
        {CONF_LISTEN_PARTNERS, "[]:80"}};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(set(good[i].option, good[i].text), 0);
        assert_true(conf_number(conf, good[i].option) == good[i].number);
        assert_string_equal(conf_text(conf, good[i].option).p, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        if (conf_set(conf, bad[i].option, span_of(bad[i].text), 0, &err) != ERR_BAD_CONFIG)
            fail_msg("%s = %s was taken", conf_rows[bad[i].option].name, bad[i].text);
        assert_string_equal(err.field, conf_rows[bad[i].option].name);
    }
    /* What is wrong changes nothing. */
    assert_int_equal(conf_number(conf, CONF_LOG_LEVEL), 2);
}

static void
addresses_are_taken_apart(void **state)
{
    struct span host;
    uint16_t port;

    (void)state;
    assert_int_equal(conf_address(SPAN("[2001:db8::1]:443"), &host, &port, NULL), 0);
    assert_true(span_equal(host, SPAN("2001:db8::1")));
    assert_int_equal(port, 443);
    assert_false(conf_is_loopback(host));
    assert_int_equal(conf_address(SPAN("127.1.2.3:0"), &host, &port, NULL), 0);
    assert_int_equal(port, 0);
    assert_true(conf_is_loopback(host));
    assert_true(conf_is_loopback(SPAN("::1")));
    assert_false(conf_is_loopback(SPAN("0.0.0.0")));
}

struct heard {
    unsigned count;
    struct err last;
};

static void
hear(void *ctx, const struct err *err)
{
    struct heard *heard = ctx;

    heard->count++;
    heard->last = *err;
}

static int
read_text(const char *text, struct heard *heard, struct err *err)
{
    *heard = (struct heard){0};
    *err = (struct err){0};
    return conf_read(conf, span_of(text), hear, heard, err);
}

static void
a_file_is_read(void **state)
{
    static const char file[] = "# a comment\r\n"
                               "\n"
                               "  team = example-cert   # ours\r\n"
                               "taxii.title=\"Desk #1 = \"\t# quoted\n"
                               "taxii.contact = a#b\n"
                               "geo =\n"
                               "keep.reports = 30 d";
    struct heard heard;
    struct err err;

    (void)state;
    assert_int_equal(read_text(file, &heard, &err), 0);
    assert_string_equal(conf_text(conf, CONF_TEAM).p, "example-cert");
    assert_string_equal(conf_text(conf, CONF_TAXII_TITLE).p, "Desk #1 = ");
    assert_string_equal(conf_text(conf, CONF_TAXII_CONTACT).p, "a#b");
    assert_true(conf_number(conf, CONF_KEEP_REPORTS) == (int64_t)30 * 86400 * 1000);
    assert_int_equal(conf_line(conf, CONF_TEAM), 3);
    assert_int_equal(conf_line(conf, CONF_KEEP_REPORTS), 7);
    assert_int_equal(conf_line(conf, CONF_WATCH), 0);
}

static void
what_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text;
        uint64_t line;
        const char *field;
        const char *says;
    } bad[] = {{"team = a\nteam = b\n", 2, "team", "line 1"},
        {"\nlisten.partner = 127.0.0.1:1\n", 2, "listen.partner", "\"listen.partners\""},
        {"taxi.page-max = 5", 1, "taxi.page-max", "\"taxii.page-max\""},
        {"watch on", 1, "", "name = value"}, {"= on", 1, "", "no such option"},
        {"team = \"a", 1, "", "not closed"}, {"team = \"a\" b", 1, "", "behind the closing quote"},
        {"watch.interval = 1 ms", 1, "watch.interval", "from 100 ms to 1 d"},
        {"log.format = xml", 1, "log.format", "text|json"},
        {"outbox.max = 5", 1, "outbox.max", "from 1000 to 1000000000 reports"}};
    struct heard heard;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        conf_free(conf);
        conf = conf_new();
        assert_int_equal(read_text(bad[i].text, &heard, &err), ERR_BAD_CONFIG);
        assert_int_equal(heard.count, 1);
        assert_int_equal(err.line, bad[i].line);
        assert_string_equal(err.field, bad[i].field);
        if (strstr(err.msg, bad[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, bad[i].says);
    }
    /* All are told, and what is right is taken. */
    assert_int_equal(read_text("wat\nteam = x\nwatch = maybe\n", &heard, &err), ERR_BAD_CONFIG);
    assert_int_equal(heard.count, 2);
    assert_int_equal(err.line, 1);
    assert_int_equal(heard.last.line, 3);
    assert_string_equal(conf_text(conf, CONF_TEAM).p, "x");
}

/* Whatever bytes a file has, reading ends, and every option has a value of its type. */
static void
any_bytes_are_read_to_their_end(void **state)
{
    static const char some[] = "team=\"#\n\0.\xff \t\r-watchlisten.opertors127:0[]onffKiB";
    struct heard heard;
    char file[300];

    (void)state;
    srandom(11);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)random() % sizeof file;
        struct buf exact = buf_new(sizeof file);
        for (size_t i = 0; i < n; i++)
            file[i] = some[(size_t)random() % (sizeof some - 1)];
        buf_add(&exact, file, n);
        heard = (struct heard){0};
        int rc = conf_read(conf, buf_span(&exact), hear, &heard, NULL);
        assert_true((rc == 0) == (heard.count == 0));
        buf_free(&exact);
    }
    assert_true(span_is_utf8(conf_text(conf, CONF_TEAM)));
}

static void
options_must_fit_together(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(set(CONF_TLS, "off"), 0);
    assert_int_equal(conf_check(conf, &err), 0);
    assert_int_equal(set(CONF_LISTEN_PARTNERS, "0.0.0.0:8444"), 0);
    assert_int_equal(conf_check(conf, &err), ERR_BAD_CONFIG);
    assert_string_equal(err.field, "tls");
    assert_int_equal(set(CONF_TLS, "on"), 0);
    assert_int_equal(conf_check(conf, &err), 0);
    assert_int_equal(set(CONF_TLS_KEY, "/key"), 0);
    assert_int_equal(conf_check(conf, &err), ERR_BAD_CONFIG);
    assert_string_equal(err.field, "tls.certificate");
    assert_int_equal(set(CONF_TLS_CERTIFICATE, "/crt"), 0);
    assert_int_equal(conf_check(conf, &err), 0);
    assert_int_equal(set(CONF_LISTEN_OPERATORS, "0.0.0.0:8444"), 0);
    assert_int_equal(conf_check(conf, &err), ERR_BAD_CONFIG);
    assert_string_equal(err.field, "listen.partners");
    assert_int_equal(set(CONF_LISTEN_OPERATORS, "127.0.0.1:0"), 0);
    assert_int_equal(set(CONF_LISTEN_PARTNERS, "127.0.0.1:0"), 0);
    assert_int_equal(conf_check(conf, &err), 0);
}

/* What would stop every mail is said before the node starts. */
static void
mail_has_addresses(void **state)
{
    static const struct {
        const char *from;
        const char *reply;
        const char *wrong;
    } rows[] = {{"reports@north.test", "", ""},
        {"reports@north.test", "reports+BATCH@north.test", ""},
        {"reports@north.test", "answers@north.test", ""}, {"reports", "", "mail.from"},
        {"North <reports@north.test>", "", "mail.from"}, {"", "nonsense", "mail.reply"},
        {"", "BATCH", "mail.reply"}, {"", "a@b.test, c@d.test", "mail.reply"},
        /* 28 and 36 characters are 64, 29 are one too many. */
        {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaa+BATCH@north.test", ""},
        {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa+BATCH@north.test", "mail.reply"}};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(set(CONF_MAIL_FROM, rows[i].from), 0);
        assert_int_equal(set(CONF_MAIL_REPLY, rows[i].reply), 0);
        assert_int_equal(conf_check(conf, &err), rows[i].wrong[0] == '\0' ? 0 : ERR_BAD_CONFIG);
        if (rows[i].wrong[0] != '\0')
            assert_string_equal(err.field, rows[i].wrong);
    }
}

static unsigned kept;

static void
count_kept(void *ctx, const struct conf_row *row)
{
    (void)ctx;
    assert_int_equal(row->applies, CONF_APPLIES_RESTART);
    kept++;
}

static void
what_applies_at_a_restart_stays_until_then(void **state)
{
    struct conf *next = conf_new();

    (void)state;
    assert_int_equal(set(CONF_TEAM, "old"), 0);
    assert_int_equal(conf_set(next, CONF_TEAM, SPAN("new"), 1, NULL), 0);
    assert_int_equal(conf_set(next, CONF_OUTBOX_MAX, SPAN("5000"), 2, NULL), 0);
    kept = 0;
    conf_keep(next, conf, count_kept, NULL);
    conf_swap(next, conf);
    assert_int_equal(kept, 1);
    assert_string_equal(conf_text(conf, CONF_TEAM).p, "old");
    assert_int_equal(conf_number(conf, CONF_OUTBOX_MAX), 5000);
    conf_free(next);
}

static void
settings_go_to_other_roles(void **state)
{
    struct buf out = buf_new(1000);
    struct conf *other = conf_new();

    (void)state;
    assert_int_equal(set(CONF_TEAM, "example"), 0);
    assert_int_equal(set(CONF_WATCH, "off"), 0);
    conf_add(&out, conf);
    struct wire_in in = wire_in(buf_span(&out));
    assert_int_equal(conf_take(&in, other, NULL), 0);
    assert_int_equal(wire_end(&in, "settings", NULL), 0);
    for (int i = 0; i < CONF_COUNT; i++)
        assert_true(span_equal(
            conf_text(conf, (enum conf_option)i), conf_text(other, (enum conf_option)i)));
    assert_false(conf_bool(other, CONF_WATCH));
    for (size_t n = 0; n < out.n; n++) {
        in = wire_in((struct span){out.p, n});
        assert_int_equal(conf_take(&in, other, NULL), ERR_INTERNAL);
    }
    out.p[0] = (char)0xff;
    out.p[1] = (char)0xff;
    in = wire_in(buf_span(&out));
    assert_int_equal(conf_take(&in, other, NULL), ERR_INTERNAL);
    buf_free(&out);
    conf_free(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_table_is_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_read_as_their_types_say, set_up, tear_down),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test_setup_teardown(a_file_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_bytes_are_read_to_their_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_must_fit_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mail_has_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_applies_at_a_restart_stays_until_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_go_to_other_roles, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
