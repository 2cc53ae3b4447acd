/* Requests over a socket against a front with test routes and a played core. */
#include "door_client.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_plain(void **state)
{
    (void)state;
    const char *got = ask(GET("/plain"));
    STATUS(got, "200");
    HAS(got, "\r\n\r\nplain\n");
    HAS(got, "X-Content-Type-Options: nosniff\r\n");
    HAS(got, "Date: ");
    HAS(got, "X-Request-Id: ");
    HAS(got, "Cache-Control: no-store\r\n");
}

static void
test_head(void **state)
{
    (void)state;
    int fd = open_connection();
    send_bytes(fd, "HEAD /plain HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 52);
    read_all(fd);
    (void)close(fd);
    STATUS(reply, "200");
    HAS(reply, "Content-Length: 6\r\n");
    assert_memory_equal(reply + reply_n - 4, "\r\n\r\n", 4);
}

static void
test_paths(void **state)
{
    (void)state;
    HAS(ask(GET("/a/one%2ftwo/b/x/y%20z?p=1&q=%C3%A9+e")), "one/two|x/y z|\xc3\xa9 e");
    HAS(ask(GET("/a/1/b/")), "1||-");
    STATUS(ask(GET("/a//b/")), "404");
    STATUS(ask(GET("/plain/")), "200");
    STATUS(ask(GET("/plainer")), "404");
    STATUS(ask(GET("/a/%zz/b/")), "400");
    STATUS(ask(GET("/a/%00/b/")), "400");
    STATUS(ask(GET("/a/1/b/?q=%ff")), "400");
    STATUS(ask(GET("/a/1/b/?q=%f")), "400");
    STATUS(ask("POST /plain HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), "405");
    HAS(reply, "Allow: GET, HEAD\r\n");
    HAS(reply, "application/problem+json");
    HAS(reply, "\"code\":\"bad-method\"");
}

static void
test_core(void **state)
{
    (void)state;
    const char *got = ask("GET /core HTTP/1.1\r\nHost: h\r\nAuthorization: bASIC  "
                          "YW5uOnM6M2M=\r\n\r\n");
    STATUS(got, "200");
    HAS(got, "\"type\":80,\"scheme\":1,\"user\":\"ann\",\"secret\":\"s:3c\"");
    HAS(got, "\"peer\":\"127.0.0.1\",\"rest\":3}");
    HAS(ask("GET /core HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\n\r\n"),
        "\"scheme\":2,\"user\":\"\",\"secret\":\"abc\"");
    HAS(ask("GET /core HTTP/1.1\r\nHost: h\r\nAuthorization: "
            "0123456789abcdefghijABCDEFGHIJ0123456789\r\n\r\n"),
        "\"secret\":\"0123456789abcdefghijABCDEFGHIJ0123456789\"");
    HAS(ask("GET /core HTTP/1.1\r\nHost: h\r\nCookie: a=b; comity=xyz; c=d\r\nX-CSRF-Token: "
            "p\r\n\r\n"),
        "\"scheme\":3,\"user\":\"\",\"secret\":\"xyz\",\"proof\":\"p\"");
    HAS(ask(GET("/core")), "\"scheme\":0");
    HAS(ask(GET("/parts")), "{\"type\":40,");
    STATUS(ask(GET("/signed")), "401");
    HAS(reply, "WWW-Authenticate: Basic realm=");
    STATUS(ask("GET /core HTTP/1.1\r\nHost: h\r\nAuthorization: Basic %%%\r\n\r\n"), "401");
    STATUS(ask("GET /core HTTP/1.1\r\nHost: h\r\nAuthorization: Digest x\r\n\r\n"), "401");
    STATUS(ask(GET("/nothing")), "500");
}

static void
test_core_says_no(void **state)
{
    (void)state;
    host_core(&host, HOST_REFUSES);
    STATUS(ask(GET("/core")), "400");
    HAS(reply, "\"detail\":\"core says no\",\"code\":\"bad-value\",\"field\":\"name\"");
    host_core(&host, HOST_IS_BUSY);
    STATUS(ask(GET("/core")), "503");
    HAS(reply, "Retry-After: 5\r\n");
    host_core(&host, HOST_IS_GONE);
    STATUS(ask(GET("/core")), "503");
    host_core(&host, HOST_ANSWERS);
    STATUS(ask(GET("/core")), "200");
}

/* Core goes while a request waits for it; a client goes while its request does. */
static void
test_gone(void **state)
{
    (void)state;
    host_core(&host, HOST_IS_SILENT);
    int fd = open_connection();
    send_bytes(fd, GET("/core"), strlen(GET("/core")));
    STATUS(ask(GET("/plain")), "200");
    host_core(&host, HOST_IS_GONE);
    assert_true(read_reply(fd));
    STATUS(reply, "503");
    (void)close(fd);
    host_core(&host, HOST_ANSWERS);
}

static void
test_bodies(void **state)
{
    (void)state;
    HAS(ask("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"), "\r\n\r\nhello");
    HAS(ask("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;"
            "x=y\r\nlo\r\n0\r\n\r\n"),
        "\r\n\r\nhello");
    HAS(reply, "Connection: close\r\n");
    STATUS(ask("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), "200");
    STATUS(ask("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n"), "413");
    STATUS(ask("POST /session HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"), "413");
    STATUS(ask("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Encoding: br\r\nContent-Length: "
               "2\r\n\r\nhi"),
        "415");
}

static void
test_packed(void **state)
{
    (void)state;
    static char zeros[8 << 20];

    HAS(post_packed("/whole", "hello hello hello", 17, 0), "\r\n\r\nhello hello hello");
    STATUS(post_packed("/whole", "hello hello hello", 17, 4), "400");
    HAS(reply, "truncated");
    STATUS(post_packed("/whole", zeros, 200000, 0), "413");
    STATUS(post_packed("/large", zeros, sizeof zeros, 0), "413");
    HAS(reply, "\"code\":\"bomb\"");
}

/* A taker that takes 1000 bytes a time, and asks core in between. */
static void
test_stream_in(void **state)
{
    (void)state;
    static char bytes[300000];
    char head[200];
    int n = snprintf(head, sizeof head,
        "POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", sizeof bytes);
    int fd = open_connection();

    memset(bytes, 'x', sizeof bytes);
    send_bytes(fd, head, (size_t)n);
    send_bytes(fd, bytes, sizeof bytes);
    assert_true(read_reply(fd));
    (void)close(fd);
    STATUS(reply, "200");
    HAS(reply, "\r\n\r\n300000");
    HAS(post_packed("/stream", bytes, 100000, 0), "\r\n\r\n100000");
    STATUS(ask("POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n!xx"), "400");
    HAS(reply, "a bad piece");
}

static void
test_events(void **state)
{
    (void)state;
    int fd = open_connection();
    unsigned before = host_events_ended(&host);

    send_bytes(fd, GET("/events"), strlen(GET("/events")));
    reply_n = 0;
    while (strstr(reply, "data: {\"n\":1}") == NULL || reply_n == 0) {
        ssize_t n = recv(fd, reply + reply_n, CLIENT_REPLY_BYTES - reply_n, 0);
        assert_true(n > 0);
        reply_n += (size_t)n;
        reply[reply_n] = '\0';
    }
    STATUS(reply, "200");
    HAS(reply, "text/event-stream");
    (void)close(fd);
    /* The front finds out, and tells core; seen by its answering others meanwhile. */
    for (int i = 0; i < 2000 && host_events_ended(&host) == before; i++) {
        STATUS(ask(GET("/plain")), "200");
        (void)usleep(5000);
    }
    assert_int_equal(host_events_ended(&host), before + 1);
}

static void
test_pipelined(void **state)
{
    (void)state;
    int fd = open_connection();
    const char *two = GET("/core") GET("/plain") GET("/a/1/b/2");

    send_bytes(fd, two, strlen(two));
    assert_true(read_reply(fd));
    HAS(reply, "\"type\":80");
    assert_true(read_reply(fd));
    HAS(reply, "plain");
    assert_true(read_reply(fd));
    HAS(reply, "1|2|-");
    (void)close(fd);
}

static void
test_health(void **state)
{
    (void)state;
    HAS(ask(GET("/healthz")), "\r\n\r\nok\n");
    HAS(ask(GET("/readyz")), "\r\n\r\nready\n");
    HAS(ask(GET("/metrics")), "\r\n\r\nplayed 1\n# HELP comity_http_");
    HAS(reply, "comity_http_answers_total{door=\"operators\",status=\"2xx\"} ");
    host_core(&host, HOST_IS_GONE);
    STATUS(ask(GET("/healthz")), "200");
    STATUS(ask(GET("/readyz")), "503");
    host_core(&host, HOST_ANSWERS);
}

/* Bodies of all requests together are bounded, and room comes back. */
static void
test_collected(void **state)
{
    (void)state;
    static char text[HOST_BODIES_BYTES + 400];
    const size_t n = HOST_BODIES_BYTES / 2;
    int head = snprintf(
        text, 200, "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", n + 1);

    int fd = open_connection();
    send_bytes(fd, text, (size_t)head + n); /* all but the last byte */
    for (int i = 0; i < 100; i++)
        STATUS(ask(GET("/plain")), "200");
    (void)ask_bytes(text, (size_t)head + n + 1);
    if (reply_n > 0) /* it gives up reading what it refuses */
        STATUS(reply, "503");
    (void)close(fd);
    do
        (void)ask_bytes(text, (size_t)head + n + 1);
    while (reply_n == 0 || strncmp(reply, "HTTP/1.1 200", 12) != 0);
}

static bool
is_listening(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)host.port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool is = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;

    (void)close(fd);
    return is;
}

/* Who waits when the time to stop is over hears so. */
static void
test_stop(void **state)
{
    (void)state;
    host_core(&host, HOST_IS_SILENT);
    int fd = open_connection();
    send_bytes(fd, GET("/core"), strlen(GET("/core")));
    STATUS(ask(GET("/plain")), "200");
    host_stop(&host);
    assert_false(is_listening());
    assert_true(read_reply(fd));
    STATUS(reply, "503");
    HAS(reply, "Connection: close\r\n");
    (void)close(fd);
    host.port = 0;
    host_start(&host, -1, &guard_usual, NULL);
    STATUS(ask(GET("/core")), "200");
}

static void
test_session(void **state)
{
    (void)state;
    STATUS(ask("POST /session HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), "204");
    HAS(reply, "Set-Cookie: comity=s3cret; Path=/; HttpOnly; SameSite=Strict\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_core),
        cmocka_unit_test(test_core_says_no),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_stream_in),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_collected),
        cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, client_start, client_stop);
}
