#include "edge/client.h"

#include "fmt/json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { URL_BYTES = 256 * 1024, PROBLEM_BYTES = 64 * 1024 };

struct client {
    CURL *curl;
    char *socket;
};

/* One question, while it is asked. */
struct exchange {
    struct client_answer *answer;
    const struct client_source *source;
    struct curl_slist *headers;
    struct buf url;
    struct err *err; /* of the source */
    int rc;
};

int
client_new(const char *home, struct client **out, struct err *err)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL || asprintf(&client->socket, "%s/local.sock", home) < 0) {
        free(client);
        return err_set(err, ERR_NO_MEMORY, "no memory for a client");
    }
    *out = client;
    if (strlen(client->socket) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(err, ERR_LIMIT, "%s: too long for a socket's path", client->socket);
    if (access(client->socket, F_OK) != 0)
        return err_set(err, ERR_NOT_FOUND,
            "no node runs in %s (there is no local.sock); `comity serve` starts one, --home names "
            "another folder",
            home);
    client->curl = curl_easy_init();
    return client->curl != NULL ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a client");
}

void
client_free(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client->socket);
    free(client);
}

void
client_answer_free(struct client_answer *answer)
{
    buf_free(&answer->body);
    *answer = (struct client_answer){0};
}

/* ---- libcurl's callbacks ---- */

static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;

    buf_add(&x->answer->body, p, size * n);
    return x->answer->body.full ? 0 : size * n;
}

static size_t
take_header(char *p, size_t size, size_t n, void *ctx)
{
    static const char name[] = "retry-after:";
    struct exchange *x = ctx;
    struct span line = {p, size * n};
    uint64_t seconds;

    if (line.n < sizeof name
        || !span_equal_nocase((struct span){p, sizeof name - 1}, SPAN("retry-after:")))
        return line.n;
    line = span_trim((struct span){p + sizeof name - 1, line.n - (sizeof name - 1)});
    if (span_u64(line, &seconds) && seconds < 86400)
        x->answer->retry_after_s = (unsigned)seconds;
    return size * n;
}

static size_t
give_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    ssize_t got = x->source->read(x->source->ctx, p, size * n, x->err);

    if (got >= 0)
        return (size_t)got;
    x->rc = (int)got;
    return CURL_READFUNC_ABORT;
}

static int
watch(void *ctx, curl_off_t to_come, curl_off_t came, curl_off_t to_go, curl_off_t gone)
{
    struct exchange *x = ctx;

    (void)to_come;
    (void)came;
    (void)to_go;
    if (x->source == NULL || x->source->go_on == NULL
        || x->source->go_on(x->source->ctx, (uint64_t)gone))
        return 0;
    if (x->rc == 0)
        x->rc = err_set(x->err, ERR_STOPPED, "interrupted");
    return 1;
}

/* ---- questions ---- */

static int
add_header(struct exchange *x, const char *line, struct err *err)
{
    struct curl_slist *more = curl_slist_append(x->headers, line);

    if (more == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a header");
    x->headers = more;
    return 0;
}

/* Options whose values are right cannot fail but for want of memory, which performing tells. */
#define SET(option, value) (void)curl_easy_setopt(client->curl, option, value)

static int
prepare(struct client *client, const char *path, struct exchange *x, struct err *err)
{
    x->url = buf_new(URL_BYTES);
    buf_add_text(&x->url, "http://localhost");
    buf_add_text(&x->url, path);
    buf_add_char(&x->url, '\0');
    x->answer->body = buf_new(CLIENT_ANSWER_BYTES);
    int rc = buf_check(&x->url, "the question's path", err);
    if (rc != 0)
        return rc;
    curl_easy_reset(client->curl);
    SET(CURLOPT_UNIX_SOCKET_PATH, client->socket);
    SET(CURLOPT_URL, x->url.p);
    SET(CURLOPT_PROTOCOLS_STR, "http");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "comity/" COMITY_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, x);
    SET(CURLOPT_NOPROGRESS, 0L);
    return 0;
}

static int
perform(struct client *client, struct exchange *x, struct err *err)
{
    long status = 0;

    SET(CURLOPT_HTTPHEADER, x->headers);
    CURLcode code = curl_easy_perform(client->curl);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    x->answer->status = (unsigned)status;
    if (x->rc != 0)
        return x->rc;
    if (x->answer->body.full)
        return buf_check(&x->answer->body, "the node's answer", err);
    if (code == CURLE_OK || (status >= 400 && code == CURLE_SEND_ERROR))
        return 0; /* refused before all was sent: the answer says why */
    if (code == CURLE_COULDNT_CONNECT)
        return err_set(
            err, ERR_NOT_FOUND, "no node listens at %s; `comity serve` starts one", client->socket);
    return err_set(err, ERR_IO, "the node at %s: %s", client->socket, curl_easy_strerror(code));
}

static void
done(struct exchange *x)
{
    curl_slist_free_all(x->headers);
    buf_free(&x->url);
}

int
client_ask(struct client *client, const char *method, const char *path, struct span json,
    struct client_answer *answer, struct err *err)
{
    struct exchange x = {.answer = answer, .err = err};
    int rc;

    *answer = (struct client_answer){0};
    rc = prepare(client, path, &x, err);
    if (rc == 0 && json.n > 0)
        rc = add_header(&x, "Content-Type: application/json", err);
    if (rc == 0) {
        SET(CURLOPT_CUSTOMREQUEST, method);
        if (json.n > 0) {
            SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.n);
            SET(CURLOPT_POSTFIELDS, json.p);
        }
        rc = perform(client, &x, err);
    }
    done(&x);
    return rc;
}

int
client_send(struct client *client, const char *path, const struct client_source *source,
    struct client_answer *answer, struct err *err)
{
    struct exchange x = {.answer = answer, .source = source, .err = err};
    char encoding[64];
    int rc;

    *answer = (struct client_answer){0};
    rc = prepare(client, path, &x, err);
    if (rc == 0)
        rc = add_header(&x, "Content-Type: application/octet-stream", err);
    if (rc == 0)
        rc = add_header(&x, "Transfer-Encoding: chunked", err);
    if (rc == 0 && source->encoding != NULL) {
        (void)snprintf(encoding, sizeof encoding, "Content-Encoding: %s", source->encoding);
        rc = add_header(&x, encoding, err);
    }
    if (rc == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        SET(CURLOPT_READFUNCTION, give_body);
        SET(CURLOPT_READDATA, &x);
        rc = perform(client, &x, err);
    }
    done(&x);
    return rc;
}

/* ---- problems ---- */

static struct span
member(struct json_value root, const char *name)
{
    struct json_value value;

    return json_get(root, name, &value) && json_type(value) == JSON_STRING ? json_string(value)
                                                                           : (struct span){NULL, 0};
}

static enum err_code
code_of(struct span word, unsigned status)
{
#define ERROR(name, number, kind, http, text_word, text)                                           \
    if (span_equal(word, span_of(text_word)))                                                      \
        return ERR_##name;
#include "tables/errors.def"
#undef ERROR
    return status == 503 ? ERR_BUSY : ERR_IO;
}

int
client_check(const struct client_answer *answer, struct err *err)
{
    struct json *json;
    struct json_value root;
    int rc;

    if (answer->status >= 200 && answer->status < 300)
        return 0;
    json = json_new(PROBLEM_BYTES);
    if (json != NULL && answer->body.n > 0
        && json_parse_copy(json, buf_span(&answer->body), &root, NULL) == 0
        && json_type(root) == JSON_OBJECT) {
        struct span field = member(root, "field");
        struct span detail = member(root, "detail");
        rc = err_set_field(err, code_of(member(root, "code"), answer->status), field.p, field.n,
            "%.*s", (int)(detail.n > 400 ? 400 : detail.n), detail.p);
    } else {
        rc = err_set(err, code_of((struct span){NULL, 0}, answer->status),
            "the node answered with status %u", answer->status);
    }
    json_free(json);
    return rc;
}
