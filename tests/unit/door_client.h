/* door_client.h: what do tests of a front ask over a socket, and what came back?
 */
#ifndef COMITY_TESTS_DOOR_CLIENT_H
#define COMITY_TESTS_DOOR_CLIENT_H

#include "door_host.h"

extern struct host host;
extern char reply[]; /* the last answer, with a NUL behind it */
extern size_t reply_n;
enum { CLIENT_REPLY_BYTES = 1 << 20 };

int open_connection(void);
void send_bytes(int fd, const void *bytes, size_t n);
/* One answer: up to its Content-Length, or to the end. False: nothing came. */
bool read_reply(int fd);
/* All that comes until the other end closes. */
void read_all(int fd);
/* Over a connection of its own; gives `reply`. */
const char *ask_bytes(const void *bytes, size_t n);
const char *ask(const char *text);
/* POST of BYTES with Content-Encoding gzip, whose last CUT bytes are missing. */
const char *post_packed(const char *path, const void *bytes, size_t n, size_t cut);

int client_start(void **state);
int client_stop(void **state);

#define STATUS(text, status)                                                                       \
    assert_memory_equal((text), "HTTP/1.1 " status, strlen("HTTP/1.1 " status))
#define HAS(text, part)                                                                            \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL)                                                        \
            fail_msg("no \"%s\" in: %s", (part), (text));                                          \
    } while (0)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

#endif
