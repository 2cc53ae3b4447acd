/* Requests over a socket against a front with test routes and a played core. */
#include "door_host.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { REPLY_BYTES = 1 << 20 };

static struct host host;
static char reply[REPLY_BYTES + 1];
static size_t reply_n;

static int
open_connection(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)host.port)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void
send_bytes(int fd, const void *bytes, size_t n)
{
    size_t sent = 0;

    while (sent < n) {
        ssize_t now = send(fd, (const char *)bytes + sent, n - sent, MSG_NOSIGNAL);
        if (now <= 0)
            break;
        sent += (size_t)now;
    }
}

/* One answer: up to its Content-Length, or to the end. False: nothing came. */
static bool
read_reply(int fd)
{
    size_t want = SIZE_MAX;

    reply_n = 0;
    while (reply_n < want && reply_n < REPLY_BYTES) {
        size_t room = want == SIZE_MAX ? 1 : want - reply_n;
        ssize_t n = recv(fd, reply + reply_n, room, 0);
        if (n <= 0)
            break;
        reply_n += (size_t)n;
        reply[reply_n] = '\0';
        const char *end = want == SIZE_MAX ? strstr(reply, "\r\n\r\n") : NULL;
        const char *length = end == NULL ? NULL : strcasestr(reply, "content-length: ");
        if (end != NULL && strstr(reply, " 204 ") != NULL)
            break;
        if (length != NULL && length < end)
            want = (size_t)(end + 4 - reply) + strtoul(length + 16, NULL, 10);
    }
    reply[reply_n] = '\0';
    return reply_n > 0;
}

static void
read_all(int fd)
{
    reply_n = 0;
    for (ssize_t n; (n = recv(fd, reply + reply_n, REPLY_BYTES - reply_n, 0)) > 0;)
        reply_n += (size_t)n;
    reply[reply_n] = '\0';
}

static const char *
ask_bytes(const void *bytes, size_t n)
{
    int fd = open_connection();

    send_bytes(fd, bytes, n);
    (void)read_reply(fd);
    (void)close(fd);
    return reply;
}

static const char *
ask(const char *text)
{
    return ask_bytes(text, strlen(text));
}

#define STATUS(text, status)                                                                       \
    assert_memory_equal((text), "HTTP/1.1 " status, strlen("HTTP/1.1 " status))
#define HAS(text, part)                                                                            \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL)                                                        \
            fail_msg("no \"%s\" in: %s", (part), (text));                                          \
    } while (0)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

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

static size_t
pack(const void *bytes, size_t n, unsigned char *out, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes,
        .avail_in = (uInt)n,
        .next_out = out,
        .avail_out = (uInt)room};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    return room - z.avail_out;
}

static const char *
post_packed(const char *path, const void *bytes, size_t n, size_t cut)
{
    static unsigned char request[1 << 20];
    static unsigned char packed[1 << 19];
    size_t m = pack(bytes, n, packed, sizeof packed) - cut;
    int head = snprintf((char *)request, 400,
        "POST %s HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
        path, m);

    memcpy(request + head, packed, m);
    return ask_bytes(request, (size_t)head + m);
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
    STATUS(post_packed("/stream", zeros, sizeof zeros, 0), "413");
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
        ssize_t n = recv(fd, reply + reply_n, REPLY_BYTES - reply_n, 0);
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
test_session(void **state)
{
    (void)state;
    STATUS(ask("POST /session HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), "204");
    HAS(reply, "Set-Cookie: comity=s3cret; Path=/; HttpOnly; SameSite=Strict\r\n");
}

static const struct {
    const char *text;
    size_t n;
} hostile[] = {
#define CASE(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    CASE("GET /plain HTTP/1.1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: a b\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: u@h\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost : h\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A\t: 1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\t\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\0002\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\0\0X-B: 2\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\0\0X-B\0 2\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\0\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\n\0X: 1\r\nX: 1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\0012\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: 1\r2\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A: \177\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX A: 1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\n: 1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\nX-A\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\nHost: h\n\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\nX-A: 1\r\n\r\n"),
    CASE("GET /plain HTTP/1.1\r\nHost: h\r\n\n"),
    CASE("GET http://h/plain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /plain#x HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /pl\\ain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /pl\0ain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /plain\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /pl\303\251 HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET  /plain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /plain  HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /plain HTTP/1.1 \r\nHost: h\r\n\r\n"),
    CASE("GET\t/plain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("GET /plain\r\nHost: h\r\n\r\n"),
    CASE("GET /plain HTTP/2.0\r\nHost: h\r\n\r\n"),
    CASE("GET /plain HTTP/0.9\r\nHost: h\r\n\r\n"),
    CASE("G<T /plain HTTP/1.1\r\nHost: h\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: "
         "6\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\nhello"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, "
         "identity\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, "
         "chunked\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
         "chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
         "\013chunked\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello"
         "\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello"
         "\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello"
         "\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello"
         "\r\n0\r\n\r\n"),
    CASE("POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
#undef CASE
};

/* What libmicrohttpd lets through, or mends, and must not reach a handler. */
static void
test_hostile(void **state)
{
    (void)state;
    unsigned before = host_ended(&host);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        int fd = open_connection();
        send_bytes(fd, hostile[i].text, hostile[i].n);
        send_bytes(fd, GET("/plain"), strlen(GET("/plain")));
        read_all(fd);
        (void)close(fd);
        if (reply_n > 0 && strncmp(reply, "HTTP/1.1 4", 10) != 0
            && strncmp(reply, "HTTP/1.1 505", 12) != 0 && strncmp(reply, "HTTP/1.0 400", 12) != 0)
            fail_msg("case %zu was let through: %s -> %s", i, hostile[i].text, reply);
        /* Nothing that follows on that connection may be answered. */
        if (strstr(reply, " 200 OK") != NULL)
            fail_msg("case %zu: the connection goes on: %s", i, reply);
    }
    assert_int_equal(host_ended(&host), before);
}

static void
test_large_heads(void **state)
{
    static char text[200000];
    size_t n = (size_t)snprintf(text, sizeof text, "GET /plain HTTP/1.1\r\nHost: h\r\n");

    (void)state;
    for (int i = 0; i < 101; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "X-%d: 1\r\n", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
    STATUS(ask_bytes(text, n), "400");
    HAS(reply, "too many headers");
    n = (size_t)snprintf(text, sizeof text, "GET /plain HTTP/1.1\r\nHost: h\r\nX-A: ");
    memset(text + n, 'a', 100000);
    (void)snprintf(text + n + 100000, sizeof text - n - 100000, "\r\n\r\n");
    STATUS(ask(text), "431");
    n = (size_t)snprintf(text, sizeof text, "GET /");
    memset(text + n, 'a', 100000);
    (void)snprintf(text + n + 100000, sizeof text - n - 100000, " HTTP/1.1\r\nHost: h\r\n\r\n");
    STATUS(ask(text), "414");
}

static int
start(void **state)
{
    (void)state;
    host_start(&host, -1, &guard_usual, NULL);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    host_stop(&host);
    return 0;
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
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_large_heads),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
