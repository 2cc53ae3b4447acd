#include "sys/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING_MAX = 1024 };

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t
make_address(struct span host, uint16_t port, union address *out)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (host.n < sizeof text)
        memcpy(text, host.p, host.n);
    *out = (union address){.four = {.sin_family = AF_INET, .sin_port = htons(port)}};
    if (inet_pton(AF_INET, text, &out->four.sin_addr) == 1)
        return sizeof out->four;
    *out = (union address){.six = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    return inet_pton(AF_INET6, text, &out->six.sin6_addr) == 1 ? sizeof out->six : 0;
}

static void
show(const union address *address, char shown[LISTEN_TEXT_BYTES])
{
    char text[INET6_ADDRSTRLEN] = "";

    if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->six.sin6_addr, text, sizeof text);
        (void)snprintf(shown, LISTEN_TEXT_BYTES, "[%s]:%u", text, ntohs(address->six.sin6_port));
    } else {
        (void)inet_ntop(AF_INET, &address->four.sin_addr, text, sizeof text);
        (void)snprintf(shown, LISTEN_TEXT_BYTES, "%s:%u", text, ntohs(address->four.sin_port));
    }
}

static int
cannot(const char *where, struct err *err)
{
    const char *why = errno == EADDRINUSE
        ? "another program listens there already; stop it, or choose another port"
        : errno == EADDRNOTAVAIL ? "this machine has no such address"
        : errno == EACCES        ? "ports below 1024 take root, or CAP_NET_BIND_SERVICE"
                                 : strerror(errno);

    return err_set(err, ERR_IO, "cannot listen on %s: %s", where, why);
}

static int
bind_and_listen(int fd, union address *address, socklen_t n)
{
    const int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || (address->any.sa_family == AF_INET6
            && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        || bind(fd, &address->any, n) != 0 || listen(fd, WAITING_MAX) != 0)
        return -1;
    return getsockname(fd, &address->any, &n);
}

int
listen_tcp(struct span host, uint16_t port, int *fd, char shown[LISTEN_TEXT_BYTES], struct err *err)
{
    union address address;
    socklen_t n = make_address(host, port, &address);

    *fd = -1;
    if (n == 0)
        return err_set(err, ERR_IO, "\"%.*s\" is no address", SPAN_ARGS(host));
    show(&address, shown);
    *fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || bind_and_listen(*fd, &address, n) != 0) {
        int rc = cannot(shown, err);
        if (*fd >= 0)
            (void)close(*fd);
        *fd = -1;
        return rc;
    }
    show(&address, shown);
    return 0;
}

int
listen_unix(const char *path, int *fd, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat about;
    size_t n = strlen(path);

    *fd = -1;
    if (n >= sizeof address.sun_path)
        return err_set(err, ERR_LIMIT,
            "%s is too long for a socket's name (%zu bytes; at most %zu); local.socket names "
            "another",
            path, n, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, n);
    if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode))
        (void)unlink(path);
    mode_t before = umask(0177);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = *fd < 0 || bind(*fd, (const struct sockaddr *)&address, sizeof address) != 0
            || listen(*fd, WAITING_MAX) != 0
        ? cannot(path, err)
        : 0;
    (void)umask(before);
    if (rc != 0 && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return rc;
}
