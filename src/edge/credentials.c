#include "edge/credentials.h"

#include "base/base64.h"
#include "edge/front_private.h"

enum { USER_BYTES_MAX = 256, SECRET_BYTES_MAX = 1024, MISP_KEY_BYTES = 40 };

/* RFC 7617: user, colon, password; UTF-8. */
static int
take_basic(struct request *request, struct span text, struct err *err)
{
    struct span pair = {NULL, 0};
    char *bytes = text.n > 2 * (USER_BYTES_MAX + SECRET_BYTES_MAX)
        ? NULL
        : arena_alloc(request->arena, text.n + 1);

    if (bytes == NULL || !base64_read_lax(text, bytes, text.n, &pair.n))
        return err_set(err, ERR_NOT_SIGNED_IN, "the Basic credentials are no base64");
    pair.p = bytes;
    const char *colon = pair.n == 0 ? NULL : memchr(pair.p, ':', pair.n);
    if (colon == NULL || !span_is_utf8(pair) || memchr(pair.p, '\0', pair.n) != NULL)
        return err_set(
            err, ERR_NOT_SIGNED_IN, "the Basic credentials are no user and password in UTF-8");
    struct span user = {pair.p, (size_t)(colon - pair.p)};
    struct span secret = {colon + 1, pair.n - user.n - 1};
    if (user.n == 0 || user.n > USER_BYTES_MAX || secret.n > SECRET_BYTES_MAX)
        return err_set(err, ERR_NOT_SIGNED_IN, "the user's name or password has no fit length");
    request->caller.scheme = CALLER_PASSWORD;
    request->caller.user = user;
    request->caller.secret = secret;
    return 0;
}

static int
take_token(struct request *request, struct span token, struct err *err)
{
    if (token.n == 0 || token.n > SECRET_BYTES_MAX)
        return err_set(err, ERR_NOT_SIGNED_IN, "the token has no fit length");
    request->caller.scheme = CALLER_TOKEN;
    request->caller.secret = token;
    return 0;
}

/* Is it what MISP sends: its key and nothing else? */
static bool
is_misp_key(struct span text)
{
    if (text.n != MISP_KEY_BYTES)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z'))
            return false;
    }
    return true;
}

static int
take_authorization(struct request *request, struct span text, struct err *err)
{
    const char *space = memchr(text.p, ' ', text.n);

    if (space == NULL && is_misp_key(text))
        return take_token(request, text, err);
    struct span scheme = {text.p, space == NULL ? text.n : (size_t)(space - text.p)};
    struct span rest = {text.p + scheme.n, text.n - scheme.n};
    rest = span_trim(rest);
    if (span_equal_nocase(scheme, SPAN("Basic")))
        return take_basic(request, rest, err);
    if (span_equal_nocase(scheme, SPAN("Bearer")))
        return take_token(request, rest, err);
    return err_set(err, ERR_NOT_SIGNED_IN, "the Authorization is neither Basic nor Bearer");
}

/* RFC 6265, section 4.2.1: name=value pairs with "; " between them. */
static bool
find_cookie(struct span cookies, struct span name, struct span *value)
{
    struct span part;

    while (span_next(&cookies, ';', &part)) {
        part = span_trim(part);
        if (part.n > name.n && part.p[name.n] == '=' && span_starts(part, name)) {
            *value = (struct span){part.p + name.n + 1, part.n - name.n - 1};
            return true;
        }
    }
    return false;
}

/* Browsers take "__Host-" only from TLS, with Path=/ and no Domain: no neighbour can set it. */
static struct span
cookie_name(const struct request *request)
{
    return request_is_tls(request) ? SPAN("__Host-comity") : SPAN("comity");
}

/* Asked once a connection: the session's certificate does not change. */
static void
take_certificate(struct request *request)
{
    struct guard_conn *conn = request->conn;

    if (!conn->fingerprint_known) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        conn->fingerprint_known = true;
        if (info == NULL || !tls_fingerprint(info->tls_session, conn->fingerprint))
            conn->fingerprint[0] = '\0';
    }
    if (conn->fingerprint[0] == '\0')
        return;
    request->caller.scheme = CALLER_CERTIFICATE;
    request->caller.secret = span_of(conn->fingerprint);
}

static void
take_session(struct request *request)
{
    struct span cookies;
    struct span secret;

    if (!request_header(request, MHD_HTTP_HEADER_COOKIE, &cookies)
        || !find_cookie(cookies, cookie_name(request), &secret) || secret.n == 0
        || secret.n > SECRET_BYTES_MAX)
        return;
    request->caller.scheme = CALLER_SESSION;
    request->caller.secret = secret;
    (void)!request_header(request, "X-CSRF-Token", &request->caller.proof);
    if (request->caller.proof.n > SECRET_BYTES_MAX)
        request->caller.proof = (struct span){NULL, 0};
}

int
credentials_find(struct request *request, struct err *err)
{
    struct span text;

    request->caller.peer = span_of(request->conn->peer);
    if (request_header(request, MHD_HTTP_HEADER_AUTHORIZATION, &text) && text.n > 0)
        return take_authorization(request, text, err);
    take_session(request);
    if (request->caller.scheme == CALLER_NOBODY && request->conn->tls != NULL)
        take_certificate(request);
    return 0;
}

static int
set_cookie(struct request *request, struct span secret, const char *age, struct err *err)
{
    struct buf cookie = buf_new(2 * SECRET_BYTES_MAX);

    buf_add_span(&cookie, cookie_name(request));
    buf_add_text(&cookie, "=");
    buf_add_span(&cookie, secret);
    buf_add_text(&cookie, "; Path=/; HttpOnly; SameSite=Strict");
    buf_add_text(&cookie, request_is_tls(request) ? "; Secure" : "");
    buf_add_text(&cookie, age);
    int rc = buf_check(&cookie, "a session's cookie", err);
    if (rc == 0)
        rc = request_add_header(request, "Set-Cookie", buf_span(&cookie), err);
    buf_free(&cookie);
    return rc;
}

int
credentials_set_session(struct request *request, struct span secret, struct err *err)
{
    return set_cookie(request, secret, "", err);
}

int
credentials_end_session(struct request *request, struct err *err)
{
    return set_cookie(request, (struct span){"", 0}, "; Max-Age=0", err);
}
