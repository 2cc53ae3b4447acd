#include "cli/node.h"

#include "base/url.h"
#include "cli/home.h"
#include "cli/setup.h"
#include "cli/shown.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 4096, PAGE_BYTES = 64 * 1024 * 1024 };

int
node_option(struct node *node, int argc, char **argv, int *i, struct err *err)
{
    if (strcmp(argv[*i], "--json") == 0) {
        node->json = true;
        return 1;
    }
    return setup_option(argc, argv, i, "home", &node->home, err);
}

int
node_options(struct node *node, int argc, char **argv, const char *command, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = node_option(node, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity %s --help` lists them", argv[i], command);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
node_open(struct node *node, struct err *err)
{
    char home[SETUP_PATH_BYTES];
    int rc = home_path(node->home, home, err);

    if (rc != 0)
        return rc;
    node->parser = json_new(CLIENT_ANSWER_BYTES);
    if (node->parser == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a JSON parser");
    return client_new(home, &node->client, err);
}

void
node_close(struct node *node)
{
    client_answer_free(&node->answer);
    client_free(node->client);
    json_free(node->parser);
    *node = (struct node){0};
}

int
node_ask(struct node *node, const char *method, const char *path, struct span json,
    struct json_value *root, struct err *err)
{
    client_answer_free(&node->answer);
    int rc = client_ask(node->client, method, path, json, &node->answer, err);
    if (rc == 0)
        rc = client_check(&node->answer, err);
    if (rc != 0)
        return rc;
    *root = (struct json_value){NULL, NULL, 0};
    if (node->answer.body.n == 0)
        return 0;
    return json_parse_copy(node->parser, buf_span(&node->answer.body), root, err);
}

int
node_ask_built(struct node *node, const char *method, struct buf *path, struct span json,
    struct json_value *root, struct err *err)
{
    buf_add_char(path, '\0');
    int rc = buf_check(path, "the question", err);

    if (rc == 0)
        rc = node_ask(node, method, path->p, json, root, err);
    buf_free(path);
    return rc;
}

int
node_page(struct node *node, struct buf *path, node_item *add, void *ctx, char *next, size_t size,
    struct err *err)
{
    struct buf out = buf_new(PAGE_BYTES);
    struct json_value root;
    struct json_value item;
    struct span key;
    int rc = node_ask_built(node, "GET", path, SPAN(""), &root, err);
    struct json_iter items = rc == 0 ? node_list(root, "items") : (struct json_iter){.end = 0};

    while (rc == 0 && json_next(&items, &key, &item))
        rc = add(ctx, item, &out, err);
    if (rc == 0)
        (void)snprintf(next, size, "%.*s", SPAN_ARGS(node_text(root, "next")));
    if (rc == 0)
        rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

void
node_json_line(struct buf *out, struct json_value item)
{
    json_add_value(out, item);
    buf_add_char(out, '\n');
}

int
node_print_answer(const struct node *node, struct err *err)
{
    const struct buf *body = &node->answer.body;
    int rc = setup_print(body, "the answer", err);

    return rc == 0 && body->n > 0 && putchar('\n') == EOF
        ? err_set(err, ERR_IO, "standard output cannot be written")
        : rc;
}

void
node_parameter(struct buf *path, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    bool first = path->n == 0 || memchr(path->p, '?', path->n) == NULL;
    buf_format(path, "%c%s=", first ? '?' : '&', name);
    url_add(path, span_of(value));
}

struct span
node_text(struct json_value object, const char *name)
{
    struct json_value value;

    if (object.tape == NULL || json_type(object) != JSON_OBJECT || !json_get(object, name, &value)
        || json_type(value) != JSON_STRING)
        return (struct span){"", 0};
    return json_string(value);
}

uint64_t
node_number(struct json_value object, const char *name)
{
    struct json_value value;

    if (object.tape == NULL || json_type(object) != JSON_OBJECT || !json_get(object, name, &value))
        return 0;
    if (json_type(value) == JSON_UINT)
        return json_uint(value);
    return json_type(value) == JSON_INT && json_int(value) > 0 ? (uint64_t)json_int(value) : 0;
}

struct span
node_text_in(struct json_value object, const char *outer, const char *name)
{
    struct json_value inner;

    if (!json_get(object, outer, &inner) || json_type(inner) != JSON_OBJECT)
        return (struct span){"", 0};
    return node_text(inner, name);
}

bool
node_flag(struct json_value object, const char *name)
{
    struct json_value value;

    return json_get(object, name, &value) && json_type(value) == JSON_TRUE;
}

struct json_iter
node_list(struct json_value object, const char *name)
{
    struct json_value list;

    return json_get(object, name, &list) && json_type(list) == JSON_ARRAY
        ? json_iter(list)
        : (struct json_iter){.end = 0};
}

static size_t
columns(struct span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

void
node_column(struct buf *out, struct span text, size_t width)
{
    size_t before = out->n;

    shown_add(out, text, COLUMNS_MAX);
    size_t n = out->n == before ? 0 : columns((struct span){out->p + before, out->n - before});
    for (; n < width; n++)
        buf_add_char(out, ' ');
    buf_add_char(out, ' ');
}

void
node_end_line(struct buf *out)
{
    if (out->n > 0 && out->p[out->n - 1] == ' ')
        out->n--;
    buf_add_char(out, '\n');
}
