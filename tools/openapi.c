/* openapi: writes the API's OpenAPI 3.1 document from the tables that the program is made of.
 *
 * usage: openapi [--c] SCHEMAS
 * SCHEMAS holds the answers' schemas, as the members of one JSON object. With --c the document is
 * written as C source that holds it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_PATH, PLACE_QUERY, PLACE_BODY, PLACE_HERE };
enum { BODY_NONE, BODY_WHOLE, BODY_STREAM };

struct route {
    const char *name, *id, *method, *path;
    int body;
    const char *message, *doors;
    int status;
    const char *schema, *tag, *text;
};
struct input {
    const char *route, *name;
    int place;
    const char *type;
    unsigned long most;
    bool required;
    const char *text;
};
struct column {
    const char *route;
};
struct message {
    const char *name, *right;
    int changes;
};

static const struct route routes[] = {
#define ROUTE(                                                                                     \
    name, id, method, path, body, most, handler, message, doors, status, schema, tag, text)        \
    {#name, id, #method, path, body, #message, doors, status, schema, tag, text},
#include "tables/routes.def"
#undef ROUTE
};
static const struct input inputs[] = {
#define INPUT(route, name, place, type, most, required, text)                                      \
    {#route, name, PLACE_##place, #type, most, required, text},
#include "tables/inputs.def"
#undef INPUT
};
static const struct column columns[] = {
#define COLUMN(route, heading, path) {#route},
#include "tables/columns.def"
#undef COLUMN
};
static const struct message messages[] = {
#define MESSAGE(name, number, function, doors, right, changes, text) {#name, #right, changes},
#include "tables/messages.def"
#undef MESSAGE
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *text;
static size_t text_n;
static FILE *out;

static void
put(const char *s)
{
    (void)fputs(s, out);
}

static void
put_string(const char *s)
{
    (void)fputc('"', out);
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            (void)fputc('\\', out);
        (void)fputc(*s, out);
    }
    (void)fputc('"', out);
}

static bool
has_path_input(const struct route *route)
{
    for (size_t i = 0; i < COUNT(inputs); i++)
        if (strcmp(inputs[i].route, route->name) == 0 && inputs[i].place == PLACE_PATH)
            return true;
    return false;
}

static bool
has_columns(const struct route *route)
{
    for (size_t i = 0; i < COUNT(columns); i++)
        if (strcmp(columns[i].route, route->name) == 0)
            return true;
    return false;
}

static const struct message *
message_of(const struct route *route)
{
    for (size_t i = 0; i < COUNT(messages); i++)
        if (strcmp(messages[i].name, route->message) == 0)
            return &messages[i];
    (void)fprintf(stderr, "openapi: no message %s\n", route->message);
    exit(1);
}

/* ---- inputs ---- */

static void
put_kinds(void)
{
    const char *before = "";

    put("{\"type\":\"string\",\"enum\":[");
#define PRINCIPAL(name, word, column, text)                                                        \
    put(before);                                                                                   \
    put_string(word);                                                                              \
    before = ",";
#include "tables/principals.def"
#undef PRINCIPAL
    (void)before;
    put("]}");
}

static void
put_type(const struct input *input)
{
    const char *type = input->type;

    if (strcmp(type, "TEXT") == 0 || strcmp(type, "SECRET") == 0 || strcmp(type, "CURSOR") == 0)
        (void)fprintf(out, "{\"type\":\"string\",%s\"maxLength\":%lu}",
            input->required ? "\"minLength\":1," : "", input->most);
    else if (strcmp(type, "FLAG") == 0)
        put("{\"type\":\"boolean\"}");
    else if (strcmp(type, "TIME") == 0)
        put("{\"type\":\"string\",\"format\":\"date-time\"}");
    else if (strcmp(type, "LIMIT") == 0)
        (void)fprintf(out, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":%lu,\"default\":100}",
            input->most);
    else if (strcmp(type, "NUMBERS") == 0 && input->place == PLACE_BODY)
        (void)fprintf(out,
            "{\"type\":\"array\",\"minItems\":1,\"maxItems\":%lu,\"items\":{\"type\":\"integer\","
            "\"minimum\":1}}",
            input->most);
    else if (strncmp(type, "NUMBER", 6) == 0)
        put("{\"type\":\"integer\",\"minimum\":1}");
    else if (strcmp(type, "ASN") == 0)
        put("{\"type\":\"string\",\"pattern\":\"^([Aa][Ss])?[0-9]{1,10}$\"}");
    else if (strcmp(type, "ECONOMY") == 0)
        put("{\"type\":\"string\",\"pattern\":\"^[A-Za-z]{2}$\"}");
    else if (strcmp(type, "EFFECT") == 0)
        put("{\"type\":\"string\",\"enum\":[\"release\",\"hold\",\"withhold\"]}");
    else if (strcmp(type, "STATE") == 0)
        put("{\"type\":\"string\",\"enum\":[\"waiting\",\"released\",\"refused\"],\"default\":"
            "\"waiting\"}");
    else if (strcmp(type, "KIND") == 0)
        put_kinds();
    else
        put("{\"type\":\"string\"}");
}

static void
put_parameters(const struct route *route)
{
    const char *before = ",\"parameters\":[";
    bool any = false;

    for (size_t i = 0; i < COUNT(inputs); i++) {
        const struct input *input = &inputs[i];
        if (strcmp(input->route, route->name) != 0 || input->place > PLACE_QUERY)
            continue;
        put(before);
        put("{\"name\":");
        put_string(input->name);
        (void)fprintf(out, ",\"in\":\"%s\",\"required\":%s,\"description\":",
            input->place == PLACE_PATH ? "path" : "query", input->required ? "true" : "false");
        put_string(input->text);
        put(",\"schema\":");
        put_type(input);
        put("}");
        before = ",";
        any = true;
    }
    if (any)
        put("]");
}

static void
put_members(const struct route *route)
{
    const char *before = "";

    put("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[");
    for (size_t i = 0; i < COUNT(inputs); i++)
        if (strcmp(inputs[i].route, route->name) == 0 && inputs[i].place == PLACE_BODY
            && inputs[i].required) {
            put(before);
            put_string(inputs[i].name);
            before = ",";
        }
    put("],\"properties\":{");
    before = "";
    for (size_t i = 0; i < COUNT(inputs); i++) {
        if (strcmp(inputs[i].route, route->name) != 0 || inputs[i].place != PLACE_BODY)
            continue;
        put(before);
        put_string(inputs[i].name);
        put(":{\"description\":");
        put_string(inputs[i].text);
        put(",\"allOf\":[");
        put_type(&inputs[i]);
        put("]}");
        before = ",";
    }
    put("}}");
}

static void
put_body(const struct route *route)
{
    if (route->body == BODY_NONE)
        return;
    put(",\"requestBody\":{\"required\":true,\"content\":{");
    if (route->body == BODY_STREAM)
        put("\"application/octet-stream\":{},\"application/json\":{},\"text/csv\":{}");
    else {
        put("\"application/json\":{\"schema\":");
        put_members(route);
        put("}");
    }
    put("}}");
}

/* ---- answers ---- */

static void
put_success(const struct route *route)
{
    (void)fprintf(out, "\"%d\":{\"description\":", route->status);
    put_string(route->text);
    if (route->schema[0] == '-')
        (void)fprintf(out, ",\"content\":{\"%s\":{}}", route->schema + 1);
    else if (route->schema[0] != '\0') {
        (void)fprintf(out,
            ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
            "%s\"}}",
            route->schema);
        if (has_columns(route))
            put(",\"text/csv\":{}");
        put("}");
    }
    put("}");
}

static void
put_problem(int status)
{
    (void)fprintf(out, ",\"%d\":{\"$ref\":\"#/components/responses/Problem\"}", status);
}

/* What may go wrong: by what the route is, so that no list can be forgotten. */
static void
put_responses(const struct route *route)
{
    const struct message *message = message_of(route);
    bool get = strcmp(route->method, "GET") == 0;
    bool asks = strcmp(message->right, "NONE") != 0;

    put(",\"responses\":{");
    put_success(route);
    if (get && route->schema[0] != '-')
        put(",\"304\":{\"description\":\"what If-None-Match names has not changed\"}");
    put_problem(400);
    if (asks || strcmp(route->name, "SESSION_PUT") == 0)
        put_problem(401);
    put_problem(403);
    if (has_path_input(route) || strcmp(route->tag, "accounts") == 0)
        put_problem(404);
    if (get && route->schema[0] != '-')
        put_problem(406);
    if (message->changes != 0)
        put_problem(409);
    put_problem(413);
    if (route->body != BODY_NONE)
        put_problem(415);
    put_problem(429);
    put_problem(503);
    put("}");
}

static void
put_operation(const struct route *route)
{
    const struct message *message = message_of(route);

    put("\"");
    for (const char *m = route->method; *m != '\0'; m++)
        (void)fputc(*m | 0x20, out);
    put("\":{\"operationId\":");
    put_string(route->id);
    put(",\"tags\":[");
    put_string(route->tag);
    put("],\"summary\":");
    put_string(route->text);
    (void)fprintf(out, ",\"x-right\":\"%s\",\"x-doors\":\"%s\",\"x-changes\":%s", message->right,
        route->doors, message->changes != 0 ? "true" : "false");
    if (strcmp(message->right, "NONE") == 0)
        put(",\"security\":[{}]");
    put_parameters(route);
    put_body(route);
    put_responses(route);
    put("}");
}

/* Operations of one path stand together. */
static void
put_paths(void)
{
    const char *before = "";

    for (size_t i = 0; i < COUNT(routes); i++) {
        bool earlier = false;
        for (size_t k = 0; k < i; k++)
            earlier = earlier || strcmp(routes[k].path, routes[i].path) == 0;
        if (earlier)
            continue;
        put(before);
        put_string(routes[i].path);
        put(":{");
        for (size_t k = i; k < COUNT(routes); k++) {
            if (strcmp(routes[k].path, routes[i].path) != 0)
                continue;
            put(k == i ? "" : ",");
            put_operation(&routes[k]);
        }
        put("}");
        before = ",\n";
    }
}

static const char head[] =
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Comity\",\"version\":\"" COMITY_VERSION "\","
    "\"summary\":\"The API of one node\","
    "\"description\":\"Times are RFC 3339 in UTC with microseconds. Lists go on where `next` says. "
    "Parameters and members that are not named here are refused. Errors are problems of RFC 9457 "
    "with Comity's `code` and, where there is one, `field`.\","
    "\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},\n"
    "\"servers\":[{\"url\":\"/\"}],\n"
    "\"security\":[{\"session\":[]},{\"token\":[]},{\"password\":[]}],\n"
    "\"paths\":{\n";
static const char middle[] =
    "},\n\"components\":{\"securitySchemes\":{"
    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-comity\",\"description\":"
    "\"without TLS: comity; what "
    "changes something needs X-CSRF-Token besides, as GET /api/v1/session tells it\"},"
    "\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
    "\"password\":{\"type\":\"http\",\"scheme\":\"basic\"}},\n"
    "\"responses\":{\"Problem\":{\"description\":\"what was wrong, and what would be right\","
    "\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
    "Problem\"}}}}},\n"
    "\"schemas\":";

static void
put_file(const char *path)
{
    FILE *in = fopen(path, "r");
    int c;

    if (in == NULL) {
        perror(path);
        exit(1);
    }
    while ((c = fgetc(in)) != EOF)
        (void)fputc(c, out);
    (void)fclose(in);
}

static void
print_c(void)
{
    (void)puts("#include \"edge/api_document.h\"\n\nstatic const char text[] =");
    (void)fputs("    \"", stdout);
    for (size_t i = 0; i < text_n; i++) {
        if (text[i] == '\n') {
            (void)fputs("\\n\"\n    \"", stdout);
            continue;
        }
        if (text[i] == '"' || text[i] == '\\')
            (void)putchar('\\');
        (void)putchar(text[i]);
    }
    (void)puts("\";\n\nstruct span\napi_document_text(void)\n{\n"
               "    return (struct span){text, sizeof text - 1};\n}");
}

int
main(int argc, char **argv)
{
    bool c = argc == 3 && strcmp(argv[1], "--c") == 0;

    if (argc != 2 && !c)
        return 2;
    out = open_memstream(&text, &text_n);
    if (out == NULL)
        return 1;
    put(head);
    put_paths();
    put(middle);
    put_file(argv[argc - 1]);
    put("}}\n");
    (void)fclose(out);
    if (c)
        print_c();
    else
        (void)fwrite(text, 1, text_n, stdout);
    free(text);
    return fflush(stdout) == 0 ? 0 : 1;
}
