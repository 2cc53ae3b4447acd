/* Requests that are none, and those that libmicrohttpd would mend. */
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_large_heads),
    };

    return cmocka_run_group_tests(tests, client_start, client_stop);
}
