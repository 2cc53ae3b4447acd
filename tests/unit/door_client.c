#include "door_client.h"

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

struct host host;
char reply[REPLY_BYTES + 1];
size_t reply_n;

int
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

void
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
bool
read_reply(int fd)
{
    size_t want = SIZE_MAX;

    reply_n = 0;
    while (reply_n < want && reply_n < REPLY_BYTES) {
        size_t room = want == SIZE_MAX ? 1 : want - reply_n;
        if (room > REPLY_BYTES - reply_n)
            room = REPLY_BYTES - reply_n;
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

void
read_all(int fd)
{
    reply_n = 0;
    for (ssize_t n; (n = recv(fd, reply + reply_n, REPLY_BYTES - reply_n, 0)) > 0;)
        reply_n += (size_t)n;
    reply[reply_n] = '\0';
}

const char *
ask_bytes(const void *bytes, size_t n)
{
    int fd = open_connection();

    send_bytes(fd, bytes, n);
    (void)read_reply(fd);
    (void)close(fd);
    return reply;
}

const char *
ask(const char *text)
{
    return ask_bytes(text, strlen(text));
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

const char *
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

int
client_start(void **state)
{
    (void)state;
    host_start(&host, -1, &guard_usual, NULL);
    return 0;
}

int
client_stop(void **state)
{
    (void)state;
    host_stop(&host);
    return 0;
}
