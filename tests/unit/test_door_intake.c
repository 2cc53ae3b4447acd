/* Reports that are handed in, as requests and as files, to a played core. */
#include "door_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define IDF(ip)                                                                                    \
    "{\"source.ip\":\"" ip "\",\"classification.type\":\"scanner\",\"time.source\":"               \
    "\"2026-05-05T10:20:30+00:00\"}\n"

static const char *
post_reports(const char *query, const char *body, size_t n)
{
    static char text[4 << 20];
    int head = snprintf(
        text, 4096, "POST /reports%s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", query, n);

    memcpy(text + head, body, n);
    return ask_bytes(text, (size_t)head + n);
}

static const char *
post_text(const char *query, const char *body)
{
    return post_reports(query, body, strlen(body));
}

static void
test_intake(void **state)
{
    (void)state;
    STATUS(post_text("", IDF("192.0.2.1") IDF("192.0.2.2")), "200");
    HAS(reply, "{\"received\":2,\"stored\":2,\"rejected\":0,");
    HAS(reply, "\"rejections\":[]}");
    STATUS(post_text("?format=idf", IDF("192.0.2.1") IDF("192.0.2.999") "{\n"), "200");
    HAS(reply, "{\"received\":3,\"stored\":1,\"rejected\":2,");
    HAS(reply, "\"rejections\":[{\"line\":2,\"field\":\"source.ip\",\"code\":\"bad-address\",");
    STATUS(post_text("", ""), "200");
    HAS(reply, "{\"received\":0,");
    STATUS(post_text("?format=nonsense", ""), "400");
    unsigned aborted = host_streams(&host).aborted;
    STATUS(post_text("", "what is this"), "415");
    STATUS(post_text("", "a,b,c\n1,2,3\n"), "415");
    STATUS(ask(GET("/core")), "200"); /* core has read what came before it */
    assert_int_equal(host_streams(&host).aborted, aborted + 2);
    STATUS(post_text("?mapping=%7B%22columns%22:%7B%22a%22:%22source.ip%22,%22b%22:null,%22c%22:"
                     "null%7D,%22set%22:%7B%22classification.type%22:%22scanner%22%7D%7D",
               "a,b,c\n192.0.2.7,2,3\n"),
        "200");
    HAS(reply, "{\"received\":1,\"stored\":1,");
    STATUS(post_text("", "\"timestamp\",\"ip\"\n"), "415");
}

/* However much follows what cannot be read, its sender hears why. */
static void
test_intake_refused_in_the_middle(void **state)
{
    static char body[3 << 20];

    (void)state;
    STATUS(ask("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"), "404");
    memset(body, '\xff', sizeof body);
    STATUS(post_reports("", body, sizeof body), "415");
    HAS(reply, "bad-encoding");
    memset(body, '\n', sizeof body);
    memcpy(body, IDF("192.0.2.1"), strlen(IDF("192.0.2.1")));
    host_core(&host, HOST_IS_BUSY);
    STATUS(post_reports("", body, sizeof body), "503");
    HAS(reply, "Retry-After: ");
    host_core(&host, HOST_ANSWERS);
}

/* More than credit and buffers hold at once; and packed. */
static void
test_intake_long(void **state)
{
    static char lines[3 << 20];
    size_t n = 0;
    unsigned count = 0;

    (void)state;
    for (; n < sizeof lines - 200; count++)
        n += (size_t)snprintf(lines + n, sizeof lines - n,
            "{\"source.ip\":\"192.0.2.%u\",\"classification.type\":\"scanner\",\"extra.n\":%u}\n",
            count % 256, count);
    char want[100];
    (void)snprintf(want, sizeof want, "{\"received\":%u,\"stored\":%u,", count, count);
    STATUS(post_reports("", lines, n), "200");
    HAS(reply, want);
    STATUS(post_packed("/reports", lines, n, 0), "200");
    HAS(reply, want);
    STATUS(post_packed("/reports", lines, n, 100), "400");
    HAS(reply, "truncated");
}

/* Core ends while a stream is open; a client leaves before its body is complete. */
static void
test_intake_breaks_off(void **state)
{
    (void)state;
    const char *head = "POST /reports HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
    STATUS(ask(GET("/core")), "200");
    unsigned aborted = host_streams(&host).aborted;
    unsigned ended = host_ended(&host);
    int fd = open_connection();
    send_bytes(fd, head, strlen(head));
    send_bytes(fd, IDF("192.0.2.1"), strlen(IDF("192.0.2.1")));
    (void)shutdown(fd, SHUT_RDWR);
    (void)close(fd);
    while (host_ended(&host) == ended)
        (void)usleep(1000);
    STATUS(ask(GET("/core")), "200");
    assert_int_equal(host_streams(&host).aborted, aborted + 1);
    host_core(&host, HOST_IS_SILENT);
    fd = open_connection();
    send_bytes(fd, head, strlen(head));
    STATUS(ask(GET("/plain")), "200");
    host_core(&host, HOST_IS_GONE);
    (void)shutdown(fd, SHUT_WR);
    (void)read_reply(fd);
    (void)close(fd);
    STATUS(post_text("", IDF("192.0.2.1")), "503");
    HAS(reply, "Retry-After: ");
    host_core(&host, HOST_IS_BUSY);
    STATUS(post_text("", IDF("192.0.2.1")), "503");
    host_core(&host, HOST_ANSWERS);
    STATUS(post_text("", IDF("192.0.2.1")), "200");
}

static void
hand_over(const char *text)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fflush(file), 0);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    host_file(&host, dup(fileno(file)));
    (void)fclose(file);
}

static void
test_intake_file(void **state)
{
    (void)state;
    struct host_streams before = host_streams(&host);
    hand_over(IDF("192.0.2.1") IDF("192.0.2.2") IDF("192.0.2.444"));
    while (host_streams(&host).closed == before.closed)
        (void)usleep(1000);
    assert_true(host_streams(&host).problems > 10);
    before = host_streams(&host);
    hand_over("no format at all");
    while (host_streams(&host).aborted == before.aborted)
        (void)usleep(1000);
    assert_true(host_streams(&host).problems > 10);
}

/* Core is behind: the file waits, and is read from its beginning. */
static void
test_intake_file_waits(void **state)
{
    (void)state;
    struct host_streams before = host_streams(&host);
    host_core(&host, HOST_IS_BUSY);
    hand_over(IDF("192.0.2.1"));
    STATUS(ask(GET("/core")), "503");
    host_core(&host, HOST_ANSWERS);
    while (host_streams(&host).closed == before.closed)
        (void)usleep(1000);
    assert_int_equal(host_streams(&host).problems, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intake),
        cmocka_unit_test(test_intake_refused_in_the_middle),
        cmocka_unit_test(test_intake_long),
        cmocka_unit_test(test_intake_breaks_off),
        cmocka_unit_test(test_intake_file),
        cmocka_unit_test(test_intake_file_waits),
    };

    return cmocka_run_group_tests(tests, client_start, client_stop);
}
