#include "edge/front_private.h"

#include "base/hash.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ADDRESS_BUCKETS = 16384,
    CROWDED_IDLE_S = 5, /* how long one may idle when most connections are taken */
    HEADERS_MAX = 100,
    SECOND_US = 1000 * 1000,
};

const struct guard_limits guard_usual = {
    .connections = 1024,
    .connections_per_address = 128,
    .head_s = 10,
    .idle_s = 60,
    .grace_s = 20,
    .rate = 1024,
    .head_bytes = 16 * 1024,
};

struct guard {
    struct guard_limits limits;
    struct guard_conn *first;
    size_t count;
    /* How many come from addresses of that hash: two that share a bucket are counted as one. */
    uint16_t from[ADDRESS_BUCKETS];
};

int
guard_new(const struct guard_limits *limits, struct guard **out, struct err *err)
{
    struct guard *guard = calloc(1, sizeof *guard);

    if (guard == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a door's guard");
    guard->limits = *limits;
    *out = guard;
    return 0;
}

void
guard_free(struct guard *guard)
{
    free(guard);
}

void
guard_set_limits(struct guard *guard, const struct guard_limits *limits)
{
    uint32_t connections = guard->limits.connections;
    uint32_t each = guard->limits.connections_per_address;

    guard->limits = *limits;
    guard->limits.connections = connections;
    guard->limits.connections_per_address = each;
}

/* ---- who comes from where ---- */

static bool
is_mapped(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address);
}

/* 1 + bucket; 0: not counted. An IPv6 holder has a /64 at least, so that is what counts. */
static uint64_t
bucket_of(const struct guard *guard, const struct sockaddr *from)
{
    if (guard->limits.connections_per_address == 0 || from == NULL)
        return 0;
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
        return 1 + hash_bytes(&v4->sin_addr, 4, hash_secret()) % ADDRESS_BUCKETS;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
        const unsigned char *bytes = v6->sin6_addr.s6_addr;
        if (is_mapped(&v6->sin6_addr))
            return 1 + hash_bytes(bytes + 12, 4, hash_secret()) % ADDRESS_BUCKETS;
        return 1 + hash_bytes(bytes, 8, hash_secret()) % ADDRESS_BUCKETS;
    }
    return 0;
}

static void
write_peer(const struct sockaddr *from, char *out)
{
    if (from != NULL && from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
        (void)inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (from != NULL && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
        if (is_mapped(&v6->sin6_addr))
            (void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
        else
            (void)inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
    } else {
        memcpy(out, "local", sizeof "local");
    }
}

bool
guard_admits(const struct guard *guard, const struct sockaddr *from, socklen_t n)
{
    uint64_t bucket = n == 0 ? 0 : bucket_of(guard, from);

    return bucket == 0 || guard->from[bucket - 1] < guard->limits.connections_per_address;
}

struct guard_conn *
guard_began(struct guard *guard, int fd, const struct sockaddr *from)
{
    struct guard_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    conn->address = bucket_of(guard, from);
    if (conn->address != 0)
        guard->from[conn->address - 1]++;
    write_peer(from, conn->peer);
    guard_phase(conn, GUARD_IDLE, clock_ticks_us());
    conn->next = guard->first;
    if (guard->first != NULL)
        guard->first->prev = conn;
    guard->first = conn;
    guard->count++;
    return conn;
}

void
guard_ended(struct guard *guard, struct guard_conn *conn)
{
    if (conn == NULL)
        return;
    if (conn->address != 0)
        guard->from[conn->address - 1]--;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        guard->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    guard->count--;
    free(conn);
}

size_t
guard_connections(const struct guard *guard)
{
    return guard->count;
}

void
guard_each(struct guard *guard, void (*each)(void *ctx, struct guard_conn *conn), void *ctx)
{
    for (struct guard_conn *conn = guard->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        each(ctx, conn);
    }
}

/* ---- time ---- */

void
guard_phase(struct guard_conn *conn, enum guard_phase phase, int64_t now_us)
{
    conn->phase = (uint8_t)phase;
    conn->since_us = now_us;
    conn->paused_us = 0;
    conn->moved = 0;
}

static bool
is_late(const struct guard *guard, const struct guard_conn *conn, int64_t now_us)
{
    const struct guard_limits *limits = &guard->limits;
    uint64_t s = now_us <= conn->since_us ? 0 : (uint64_t)(now_us - conn->since_us) / SECOND_US;
    uint64_t rated = s <= limits->grace_s ? 0 : (s - limits->grace_s) * limits->rate;
    bool crowded = guard->count > limits->connections - limits->connections / 4;

    uint64_t idle_s = conn->used ? limits->idle_s : limits->head_s;

    switch ((enum guard_phase)conn->phase) {
    case GUARD_IDLE: /* those too who have said nothing yet */
        return s >= (crowded && idle_s > CROWDED_IDLE_S ? CROWDED_IDLE_S : idle_s);
    case GUARD_HEAD:
        return s >= limits->head_s;
    case GUARD_BODY:
        return conn->paused_us == 0 && rated > conn->moved;
    case GUARD_ANSWER: /* `moved` is what there is to send: we are not told how much of it went */
        return rated > conn->moved;
    case GUARD_OURS:
        break;
    }
    return false;
}

void
guard_shut_one(struct guard_conn *conn)
{
    conn->shut = true;
    (void)shutdown(conn->fd, SHUT_RDWR);
}

size_t
guard_sweep(struct guard *guard, int64_t now_us)
{
    size_t n = 0;

    for (struct guard_conn *conn = guard->first; conn != NULL; conn = conn->next)
        if (!conn->shut && is_late(guard, conn, now_us)) {
            guard_shut_one(conn);
            n++;
        }
    return n;
}

void
guard_shut(struct guard *guard, bool all)
{
    for (struct guard_conn *conn = guard->first; conn != NULL; conn = conn->next)
        if (!conn->shut && (all || (conn->phase == GUARD_IDLE && conn->used)))
            guard_shut_one(conn);
}

/* ---- the head ---- */

static bool
is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 9110, section 5.6.2 */
static bool
is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (!is_letter_or_digit(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return n > 0;
}

struct head_walk {
    const char *at; /* where the next header line must begin */
    const char *end;
    unsigned count;
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    const char *wrong;
};

static bool
is_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return n > 0;
}

/* RFC 3986 authority without userinfo: what else came would be somebody's trick. */
static bool
is_host(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (!is_letter_or_digit(c) && strchr("-._~:[]%", c) == NULL)
            return false;
    }
    return n < 300;
}

static void
look_at_field(struct head_walk *walk, struct span name, struct span value)
{
    value = span_trim(value);
    if (span_equal_nocase(name, SPAN("Content-Length"))) {
        walk->lengths++;
        if (!is_digits(value.p, value.n))
            walk->wrong = "Content-Length is no number";
    } else if (span_equal_nocase(name, SPAN("Transfer-Encoding"))) {
        walk->codings++;
        if (!span_equal_nocase(value, SPAN("chunked")))
            walk->wrong = "Transfer-Encoding is other than chunked";
    } else if (span_equal_nocase(name, SPAN("Host"))) {
        walk->hosts++;
        if (!is_host(value.p, value.n))
            walk->wrong = "Host is no name";
    }
}

bool
guard_is_value(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (((unsigned char)text.p[i] < 0x20 && text.p[i] != '\t') || text.p[i] == 0x7f)
            return false;
    return true;
}

/* libmicrohttpd parses in place: it puts a NUL where the colon was, and one or two where the line
 * ended (LF or CRLF). So what it made of a line must lie exactly where the line was, the next one
 * right behind it; a folded line, a NUL within, a bare LF do not. */
static enum MHD_Result
walk_field(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
    size_t value_n)
{
    struct head_walk *walk = ctx;
    size_t room = (size_t)(walk->end - walk->at);

    (void)kind;
    walk->count++;
    if (name != walk->at || name_n + 1 > room || !is_token(name, name_n)) {
        walk->wrong = "a header's name is none, or its line is folded or cut";
        return MHD_NO;
    }
    const char *p = name + name_n + 1;
    while (p < walk->end && (*p == ' ' || *p == '\t'))
        p++;
    if (value == NULL || value != p || (size_t)(walk->end - value) < value_n + 2
        || value[value_n] != '\0' || value[value_n + 1] != '\0'
        || !guard_is_value((struct span){value, value_n})) {
        walk->wrong = "a header's value has control characters, or its line does not end in CRLF";
        return MHD_NO;
    }
    walk->at = value + value_n + 2;
    look_at_field(walk, (struct span){name, name_n}, (struct span){value, value_n});
    return walk->wrong == NULL ? MHD_YES : MHD_NO;
}

static const char *
check_line(const struct request *request, const char *version)
{
    const char *method = request->method;
    size_t n = strlen(method);
    struct span target = request->target;

    if (!is_token(method, n) || n > 32)
        return "the method is none";
    if (target.n == 0 || target.p[0] != '/')
        return "the target is no path: this is no proxy";
    for (size_t i = 0; i < target.n; i++)
        if ((unsigned char)target.p[i] <= 0x20 || (unsigned char)target.p[i] >= 0x7f
            || target.p[i] == '#' || target.p[i] == '\\')
            return "the target has characters that a URL must percent-encode";
    /* One space each between method, target and version, and a CRLF behind it. */
    if (version != method + n + 1 + target.n + 1 || strlen(version) != 8)
        return "the request's line is malformed";
    return NULL;
}

static const char *
check_framing(const struct head_walk *walk, const char *version)
{
    bool http10 = strcmp(version, "HTTP/1.0") == 0;

    if (walk->count > HEADERS_MAX)
        return "too many headers";
    if (walk->end - walk->at != 2 || walk->at[0] != '\0' || walk->at[1] != '\0')
        return "the head does not end in CRLF";
    if (walk->hosts > 1 || (walk->hosts == 0 && !http10))
        return "there must be one Host";
    if (walk->lengths > 1)
        return "there is more than one Content-Length";
    if (walk->codings > 1 || (walk->codings > 0 && (walk->lengths > 0 || http10)))
        return "the body's length is said in more than one way";
    return NULL;
}

int
guard_check_head(const struct request *request, const char *version, struct err *err)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *wrong = check_line(request, version);

    if (info != NULL && info->header_size > request->front->settings.limits.head_bytes)
        return err_set(err, ERR_LIMIT, "the head is longer than %u bytes",
            request->front->settings.limits.head_bytes);
    if (wrong == NULL) {
        struct head_walk walk = {.at = version + strlen(version) + 2,
            .end = request->method + (info == NULL ? 0 : info->header_size)};
        (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, walk_field, &walk);
        wrong = walk.wrong != NULL ? walk.wrong : check_framing(&walk, version);
    }
    if (wrong == NULL)
        return 0;
    return err_set(err, ERR_BAD_VALUE, "%s", wrong);
}
