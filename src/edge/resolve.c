#include "edge/resolve.h"

#include "sys/clock.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/time.h>

enum {
    ADDRESSES_MAX = 8,
    TRIES = 2,
    TRY_MS = 2500,
    LOOKUPS_MAX = 256,
    SECONDS_LEAST = 30, /* a name is not asked for again and again, whatever its owner says */
    SECONDS_MOST = 3600,
    TEXT_BYTES = 1024,
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct loop_timer timer;
    size_t lookups;
    struct lookup *unasked; /* some of them: the loop asks */
};

struct lookup {
    struct resolver *resolver;
    lookup_done *done; /* NULL: nobody waits */
    void *ctx;
    char *name; /* until it is asked for */
    struct lookup *next;
};

/* ---- c-ares in the loop ---- */

static void
set_timer(struct resolver *resolver)
{
    struct timeval most = {.tv_sec = TRY_MS / 1000};
    struct timeval wait;
    struct err err;

    if (resolver->lookups == 0) {
        loop_timer_stop(resolver->loop, &resolver->timer);
        return;
    }
    const struct timeval *next = ares_timeout(resolver->channel, &most, &wait);
    int64_t us = resolver->unasked != NULL ? 0 : (int64_t)next->tv_sec * 1000000 + next->tv_usec;
    (void)!loop_timer_set(resolver->loop, &resolver->timer, clock_ticks_us() + us, &err);
}

static void ask_all(struct resolver *resolver);

/* There are few, so each is asked whether it is ready. */
static void
look(void *ctx)
{
    struct resolver *resolver = ctx;
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];

    ask_all(resolver);
    /* c-ares' own macros shift a one into an int's sign. */
    unsigned bits = (unsigned)ares_getsock(resolver->channel, sockets, ARES_GETSOCK_MAXNUM);

    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        ares_socket_t in = (bits >> i & 1) != 0 ? sockets[i] : ARES_SOCKET_BAD;
        ares_socket_t out =
            (bits >> (i + ARES_GETSOCK_MAXNUM) & 1) != 0 ? sockets[i] : ARES_SOCKET_BAD;
        if (in != ARES_SOCKET_BAD || out != ARES_SOCKET_BAD)
            ares_process_fd(resolver->channel, in, out);
    }
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what is late */
    set_timer(resolver);
}

static void
on_ready(void *ctx, unsigned events)
{
    (void)events;
    look(ctx);
}

static void
on_socket(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = ctx;
    unsigned events = (readable != 0 ? LOOP_READ : 0u) | (writable != 0 ? LOOP_WRITE : 0u);
    struct err err;

    if (events == 0)
        loop_forget(resolver->loop, fd);
    else
        (void)!loop_watch(resolver->loop, fd, events, on_ready, resolver, &err);
}

/* ---- one name ---- */

static void
add_address(struct buf *text, const struct sockaddr *address)
{
    char shown[INET6_ADDRSTRLEN];
    bool six = address->sa_family == AF_INET6;
    const void *bytes = six
        ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
        : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;

    if (inet_ntop(address->sa_family, bytes, shown, sizeof shown) == NULL)
        return;
    if (text->n > 0)
        buf_add_char(text, ',');
    buf_format(text, six ? "[%s]" : "%s", shown);
}

static int64_t
read_all(const struct ares_addrinfo *info, struct buf *text)
{
    int64_t seconds = SECONDS_MOST;
    size_t count = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL && count < ADDRESSES_MAX;
         node = node->ai_next) {
        if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
            continue;
        add_address(text, node->ai_addr);
        seconds = node->ai_ttl < seconds ? node->ai_ttl : seconds;
        count++;
    }
    return seconds < SECONDS_LEAST ? SECONDS_LEAST : seconds;
}

static void
end_lookup(struct lookup *lookup, struct span addresses, int64_t seconds, const struct err *why)
{
    lookup->resolver->lookups--;
    if (lookup->done != NULL)
        lookup->done(lookup->ctx, addresses, seconds, why);
    free(lookup->name);
    free(lookup);
}

static void
on_found(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
    struct lookup *lookup = ctx;
    struct buf text = buf_new(TEXT_BYTES);
    struct err err = {0};
    int64_t seconds = 0;

    (void)timeouts;
    if (status == ARES_SUCCESS)
        seconds = read_all(info, &text);
    if (info != NULL)
        ares_freeaddrinfo(info);
    if (text.n == 0)
        (void)err_set(&err, ERR_UNREACHABLE, "its name leads to no address: %s",
            status == ARES_SUCCESS ? "there is none" : ares_strerror(status));
    end_lookup(lookup, buf_span(&text), seconds, text.n == 0 ? &err : NULL);
    buf_free(&text);
}

static struct lookup *
next_unasked(struct resolver *resolver)
{
    struct lookup *lookup = resolver->unasked;

    if (lookup != NULL)
        resolver->unasked = lookup->next;
    return lookup;
}

/* What is known at once is told of before this returns, and then LOOKUP is gone. */
static void
ask_all(struct resolver *resolver)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    for (struct lookup *lookup; (lookup = next_unasked(resolver)) != NULL;) {
        char *name = lookup->name;
        lookup->name = NULL;
        ares_getaddrinfo(resolver->channel, name, NULL, &hints, on_found, lookup);
        free(name);
    }
}

int
lookup_begin(struct resolver *resolver, struct span host, lookup_done *done, void *ctx,
    struct lookup **out, struct err *err)
{
    char *name = strndup(host.p, host.n);
    struct lookup *lookup = calloc(1, sizeof *lookup);

    int rc = 0;
    if (name == NULL || lookup == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to look for a name");
    else if (resolver->lookups >= LOOKUPS_MAX)
        rc = err_set(err, ERR_LIMIT, "%d names are looked for already", LOOKUPS_MAX);
    else
        rc = loop_timer_set(resolver->loop, &resolver->timer, clock_ticks_us(), err);
    if (rc != 0) {
        free(name);
        free(lookup);
        return rc;
    }
    *lookup = (struct lookup){resolver, done, ctx, name, resolver->unasked};
    *out = resolver->unasked = lookup;
    resolver->lookups++;
    return 0;
}

void
lookup_forget(struct lookup *lookup)
{
    lookup->done = NULL;
}

int
lookup_row(struct buf *out, struct span host, uint16_t port, struct span addresses, struct err *err)
{
    /* With a plus libcurl forgets it by itself, and is told again the next time. */
    buf_format(out, "+%.*s:%u:", SPAN_ARGS(host), port);
    buf_add_span(out, addresses);
    buf_add_char(out, '\0');
    return buf_check(out, "where a name leads", err);
}

/* ---- life ---- */

static int
failed(int rc, struct err *err)
{
    return err_set(err, rc == ARES_ENOMEM ? ERR_NO_MEMORY : ERR_IO, "names cannot be looked up: %s",
        ares_strerror(rc));
}

static int
set_servers(struct resolver *resolver, struct span servers, struct err *err)
{
    char *text = strndup(servers.p, servers.n);

    if (text == NULL)
        return failed(ARES_ENOMEM, err);
    int rc = ares_set_servers_ports_csv(resolver->channel, text);
    free(text);
    return rc == ARES_SUCCESS
        ? 0
        : err_set_field(err, ERR_BAD_CONFIG, "courier.dns", 11,
            "addresses with commas between are wanted, such as 192.0.2.53: %s", ares_strerror(rc));
}

int
resolver_new(struct loop *loop, struct span servers, struct resolver **out, struct err *err)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    /* Names are whole: no domain is tried behind them. */
    char files_then_servers[] = "fb";
    struct ares_options options = {.flags = ARES_FLAG_NOSEARCH,
        .lookups = files_then_servers,
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = resolver};
    int rc = resolver == NULL ? ARES_ENOMEM : ares_library_init(ARES_LIB_INIT_ALL);

    *out = NULL;
    if (rc == ARES_SUCCESS)
        rc = ares_init_options(&resolver->channel, &options,
            ARES_OPT_FLAGS | ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
                | ARES_OPT_SOCK_STATE_CB);
    if (rc != ARES_SUCCESS) {
        free(resolver);
        return failed(rc, err);
    }
    resolver->loop = loop;
    resolver->timer = (struct loop_timer){.due = look, .ctx = resolver};
    rc = servers.n > 0 ? set_servers(resolver, servers, err) : 0;
    if (rc != 0)
        resolver_free(resolver);
    else
        *out = resolver;
    return rc;
}

void
resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    const struct err why = {.code = ERR_UNREACHABLE, .msg = "this process ends"};
    for (struct lookup *lookup; (lookup = next_unasked(resolver)) != NULL;)
        end_lookup(lookup, SPAN(""), 0, &why);
    ares_destroy(resolver->channel);
    ares_library_cleanup();
    loop_timer_stop(resolver->loop, &resolver->timer);
    free(resolver);
}
