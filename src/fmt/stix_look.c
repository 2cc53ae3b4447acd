/* Is this STIX? The members of the first object say so, never what its texts hold: a report may
 * speak of a "bundle". */
#include "fmt/reader.h"

struct look {
    struct span left;
    struct span key;  /* of the member in hand, when it is one of the outermost object's */
    struct span type; /* what the members of these names hold */
    struct span id;
    unsigned depth; /* of the place, in the outermost object 1 */
};

static void
skip_blanks(struct span *text)
{
    while (text->n > 0 && memchr(" \t\r\n", text->p[0], 4) != NULL)
        *text = (struct span){text->p + 1, text->n - 1};
}

/* What stands between the quotes, as it is written; TEXT begins with one and goes on behind. */
static struct span
take_string(struct span *text)
{
    size_t n = 1;

    while (n < text->n && text->p[n] != '"')
        n += text->p[n] == '\\' ? 2 : 1;
    n = n < text->n ? n : text->n;
    struct span taken = {text->p + 1, n - 1};
    size_t used = n < text->n ? n + 1 : n;
    *text = (struct span){text->p + used, text->n - used};
    return taken;
}

static bool
says_stix(struct look *look, struct span value)
{
    bool list = look->left.n > 0 && look->left.p[0] == '[';

    if (span_equal(look->key, SPAN("type")))
        look->type = value;
    if (span_equal(look->key, SPAN("id")))
        look->id = value;
    /* "indicator--8e2e2d2b-..." of an object alone */
    struct span rest = look->id;
    if (look->type.n > 0 && span_starts(rest, look->type))
        rest = (struct span){rest.p + look->type.n, rest.n - look->type.n};
    return span_equal(look->key, SPAN("spec_version"))
        || (list && span_equal(look->key, SPAN("objects")))
        || span_equal(look->type, SPAN("bundle"))
        || (rest.p != look->id.p && span_starts(rest, SPAN("--")));
}

/* A string is a member's name if a colon follows. */
static bool
at_string(struct look *look)
{
    struct span none = {look->left.p, 0};
    struct span text = take_string(&look->left);

    skip_blanks(&look->left);
    if (look->depth != 1 || look->left.n == 0 || look->left.p[0] != ':')
        return false;
    look->key = text;
    look->left = (struct span){look->left.p + 1, look->left.n - 1};
    skip_blanks(&look->left);
    bool string = look->left.n > 0 && look->left.p[0] == '"';
    return says_stix(look, string ? take_string(&look->left) : none);
}

bool
stix_recognise(struct span head, struct span name, const struct reader_options *options)
{
    struct look look = {.left = head, .depth = 1};

    (void)name;
    (void)options;
    skip_blanks(&look.left);
    if (look.left.n > 0 && look.left.p[0] == '[') {
        look.left = (struct span){look.left.p + 1, look.left.n - 1};
        skip_blanks(&look.left);
    }
    if (look.left.n == 0 || look.left.p[0] != '{')
        return false;
    look.left = (struct span){look.left.p + 1, look.left.n - 1};
    while (look.left.n > 0 && look.depth > 0) {
        char c = look.left.p[0];
        if (c == '"') {
            if (at_string(&look))
                return true;
            continue;
        }
        look.depth += c == '{' || c == '[';
        look.depth -= c == '}' || c == ']';
        look.left = (struct span){look.left.p + 1, look.left.n - 1};
    }
    return false;
}
