#include "edge/taxii.h"
#include "edge/ask.h"
#include "fmt/json.h"
#include "model/page.h"

enum { ANSWER_MAX = 4 << 20 };

/* ---- what all answers share ---- */

int
taxii_check_accept(const struct request *request, struct err *err)
{
    struct span accept;

    if (request_header(request, "Accept", &accept) && taxii_media_accepted(accept))
        return 0;
    return err_set_field(err, ERR_NOT_ACCEPTABLE, "Accept", 6,
        "only " TAXII_MEDIA " is answered here: name it in Accept");
}

int
taxii_answer(struct request *request, unsigned status, struct buf *body, struct err *err)
{
    int rc = buf_check(body, "an answer", err);

    if (rc != 0) {
        buf_free(body);
        return rc;
    }
    return request_answer_owned(request, status, TAXII_MEDIA, body, err);
}

static void
add_member(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    buf_format(out, ",\"%s\":", name);
    json_add_string(out, text);
}

/* The error message resource (section 3.6.1). */
static int
refuse(struct request *request, unsigned status, const struct err *why, struct err *err)
{
    struct buf out = buf_new(16384);

    buf_add_text(&out, "{\"title\":");
    json_add_string(&out, span_of(err_text(why->code)));
    add_member(&out, "description", span_of(why->msg));
    add_member(&out, "error_id", span_of(request_id(request)));
    add_member(&out, "error_code", span_of(err_word(why->code)));
    buf_format(&out, ",\"http_status\":\"%u\"", status);
    if (why->field[0] != '\0') {
        buf_add_text(&out, ",\"details\":{\"field\":");
        json_add_string(&out, span_of(why->field));
        buf_add_char(&out, '}');
    }
    buf_add_char(&out, '}');
    return taxii_answer(request, status, &out, err);
}

/* ---- settings ---- */

enum { SETTING_BYTES = 3000, FIXED_BYTES = 16384 };

static char titles[SETTING_BYTES];
static struct taxii_settings current = {.title = {"Comity", 6},
    .max_content_length = PAGE_BODY_MAX,
    .page_max = 1000,
    .cache_bytes = 128 << 20};
/* Discovery and API root, made once. */
static char discovery_text[FIXED_BYTES];
static char root_text[FIXED_BYTES];

const struct taxii_settings *
taxii_settings(void)
{
    return &current;
}

static void
write_discovery(struct buf *out)
{
    buf_add_text(out, "{\"title\":");
    json_add_string(out, current.title);
    add_member(out, "description", current.description);
    add_member(out, "contact", current.contact);
    buf_add_text(out, ",\"default\":\"" TAXII_ROOT "\",\"api_roots\":[\"" TAXII_ROOT "\"]}");
}

static void
write_root(struct buf *out)
{
    buf_add_text(out, "{\"title\":");
    json_add_string(out, current.title);
    add_member(out, "description", current.description);
    buf_format(out, ",\"versions\":[\"" TAXII_MEDIA "\"],\"max_content_length\":%u}",
        current.max_content_length);
}

static int
keep_text(void (*write)(struct buf *out), char *out, struct err *err)
{
    struct buf text = buf_new(FIXED_BYTES - 1);

    write(&text);
    int rc = buf_check(&text, "TAXII's settings", err);
    if (rc == 0) {
        memcpy(out, text.p, text.n);
        out[text.n] = '\0';
    }
    buf_free(&text);
    return rc;
}

int
taxii_set(const struct taxii_settings *settings, struct err *err)
{
    struct span *texts[] = {&current.title, &current.description, &current.contact};
    size_t n = 0;

    current = *settings;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (n + texts[i]->n > sizeof titles)
            return err_set(err, ERR_LIMIT, "TAXII's title, description and contact are too long");
        if (texts[i]->n > 0)
            memcpy(titles + n, texts[i]->p, texts[i]->n);
        texts[i]->p = titles + n;
        n += texts[i]->n;
    }
    int rc = keep_text(write_discovery, discovery_text, err);
    return rc == 0 ? keep_text(write_root, root_text, err) : rc;
}

/* ---- discovery and API root (sections 4.1, 4.2) ---- */

/* What is public to all who may sign in is told once core has judged who asks. */
static int
answer_fixed(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct buf out = buf_new(4096);

    (void)body;
    buf_add_text(&out, ctx);
    return taxii_answer(request, 200, &out, err);
}

static int
fixed(struct request *request, const char *text, struct err *err)
{
    struct buf question = buf_new(64);
    int rc = taxii_check_accept(request, err);

    wire_add_text(&question, SPAN(""));
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_COLLECTIONS, buf_span(&question), answer_fixed,
            (void *)(uintptr_t)text, err);
    buf_free(&question);
    return rc;
}

static int
discovery(struct request *request, struct err *err)
{
    return fixed(request, discovery_text, err);
}

static int
api_root(struct request *request, struct err *err)
{
    return fixed(request, root_text, err);
}

/* ---- status (section 4.3) ---- */

static int
answer_status(struct request *request, void *ctx, struct span body, struct err *err)
{
    (void)ctx;
    return request_answer(request, 200, TAXII_MEDIA, body, err);
}

static int
status(struct request *request, struct err *err)
{
    struct buf question = buf_new(256);
    int rc = taxii_check_accept(request, err);

    wire_add_text(&question, request_segment(request, "id"));
    if (rc == 0)
        rc = buf_check(&question, "a status id", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_ADD_STATUS, buf_span(&question), answer_status, NULL, err);
    buf_free(&question);
    return rc;
}

/* ---- collections (sections 5.1, 5.2) ---- */

static void
add_collection(struct buf *out, const struct page_collection *c)
{
    buf_add_text(out, "{\"id\":");
    json_add_string(out, c->id);
    add_member(out, "title", c->title);
    add_member(out, "description", c->description);
    add_member(out, "alias", c->alias);
    buf_format(out, ",\"can_read\":%s,\"can_write\":%s,\"media_types\":[\"" TAXII_STIX "\"]}",
        c->can_read ? "true" : "false", c->can_write ? "true" : "false");
}

static int
answer_collections(struct request *request, void *ctx, struct span body, struct err *err)
{
    bool one = ctx != NULL;
    struct page_collection *list;
    size_t count;

    int rc = page_collections_take(request_arena(request), body, &list, &count, err);
    if (rc != 0)
        return rc;
    struct buf out = buf_new(ANSWER_MAX);
    /* An empty list is left out (section 5.1.1). */
    buf_add_text(&out, one ? "" : count == 0 ? "{" : "{\"collections\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&out, ',');
        add_collection(&out, &list[i]);
    }
    buf_add_text(&out, one ? "" : count == 0 ? "}" : "]}");
    return taxii_answer(request, 200, &out, err);
}

static int
ask_collections(struct request *request, struct span id, void *one, struct err *err)
{
    struct buf question = buf_new(1024);
    int rc = taxii_check_accept(request, err);

    wire_add_text(&question, id);
    if (rc == 0 && question.full)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such collection");
    if (rc == 0)
        rc = ask_whole(
            request, MESSAGE_COLLECTIONS, buf_span(&question), answer_collections, one, err);
    buf_free(&question);
    return rc;
}

static int
collections(struct request *request, struct err *err)
{
    return ask_collections(request, SPAN(""), NULL, err);
}

static int
collection(struct request *request, struct err *err)
{
    return ask_collections(request, request_segment(request, "collection"), request, err);
}

/* ---- routes ---- */

static const struct route discovery_routes[] = {
    {"GET", "/taxii2/", BODY_NONE, 0, true, discovery},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
static const struct route root_routes[] = {
    {"GET", "/comity/", BODY_NONE, 0, true, api_root},
    {"GET", "/comity/status/{id}/", BODY_NONE, 0, true, status},
    {"GET", "/comity/collections/", BODY_NONE, 0, true, collections},
    {"GET", "/comity/collections/{collection}/", BODY_NONE, 0, true, collection},
    {"GET", "/comity/collections/{collection}/manifest/", BODY_NONE, 0, true, taxii_manifest},
    {"GET", "/comity/collections/{collection}/objects/", BODY_NONE, 0, true, taxii_objects},
    {"POST", "/comity/collections/{collection}/objects/", BODY_WHOLE, PAGE_BODY_MAX, true,
        taxii_add},
    {"GET", "/comity/collections/{collection}/objects/{id}/", BODY_NONE, 0, true, taxii_objects},
    {"DELETE", "/comity/collections/{collection}/objects/{id}/", BODY_NONE, 0, true, taxii_remove},
    {"GET", "/comity/collections/{collection}/objects/{id}/versions/", BODY_NONE, 0, true,
        taxii_versions},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};

const struct route_family taxii_discovery_family = {
    "taxii", "/taxii2/", discovery_routes, refuse, true};
const struct route_family taxii_root_family = {"taxii", TAXII_ROOT, root_routes, refuse, true};
