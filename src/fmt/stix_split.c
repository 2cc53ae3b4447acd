#include "fmt/stix_split.h"

enum mode {
    MODE_TOP,   /* between top-level values */
    MODE_JUNK,  /* behind something that is no value, up to the line's end */
    MODE_FRAME, /* inside a top-level object */
    MODE_LIST,  /* between the elements of `objects` */
    MODE_ITEM,  /* inside one */
};

struct split {
    const struct stix_split_sink *sink;
    struct err *err;
    int rc;
    enum mode mode;
    struct buf text; /* the element, or the frame until `objects` is found */
    uint64_t number;
    size_t depth; /* of brackets: of the item, or of the frame */
    bool in_string;
    bool escaped;
    bool framed;     /* the list stands in a top-level object */
    bool listed;     /* this frame had a list, so it is no object of its own */
    bool name_side;  /* frame: a string here is a member's name */
    bool after_item; /* list: a comma must come */
    bool complained; /* list: once between two objects is enough */
    char name[8];
    size_t name_n;
};

static const char names_list[] = "objects";

enum { PLAIN, QUOTE, OPEN, CLOSE, COMMA };
static const uint8_t kinds[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE, [','] = COMMA};

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void
bad(struct split *s, enum err_code code, const char *text)
{
    struct err why = {0};

    (void)err_set(&why, code, "%s", text);
    if (s->rc == 0)
        s->rc = s->sink->bad(s->sink->ctx, &why, buf_span(&s->text), s->number, s->err);
}

/* The element is complete: hand it on. */
static void
finish(struct split *s)
{
    if (s->text.full || buf_reserve(&s->text, INPUT_PADDING) == NULL) {
        bad(s, ERR_LIMIT, "the object is larger than one object may be; it was skipped");
    } else if (s->rc == 0) {
        struct span text = buf_span(&s->text);
        memset(s->text.p + text.n, ' ', INPUT_PADDING);
        s->rc = s->sink->object(s->sink->ctx, text, s->number, s->err);
    }
    s->text.n = 0;
    s->text.full = false;
}

/* Skip the rest of a string; P stands inside it. */
static const char *
skip_string(struct split *s, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (s->escaped)
            s->escaped = false;
        else if (*p == '\\')
            s->escaped = true;
        else if (*p == '"') {
            s->in_string = false;
            return p + 1;
        }
    }
    return end;
}

/* Go on inside an element; *DONE when it ends in front of the place returned. */
static const char *
scan_item(struct split *s, const char *p, const char *end, bool *done)
{
    *done = false;
    while (p < end) {
        if (s->in_string) {
            p = skip_string(s, p, end);
            continue;
        }
        uint8_t kind = kinds[(unsigned char)*p];
        if (kind == QUOTE)
            s->in_string = true;
        else if (kind == OPEN)
            s->depth++;
        *done = s->depth == 0 && (kind == CLOSE || kind == COMMA);
        if (*done)
            return p; /* a number or word: what ends it is the list's */
        p++;
        if (kind == CLOSE && --s->depth == 0) {
            *done = true;
            return p;
        }
    }
    return end;
}

static const char *
item(struct split *s, const char *p, const char *end)
{
    bool done;
    const char *to = scan_item(s, p, end, &done);

    if (!s->text.full)
        buf_add(&s->text, p, (size_t)(to - p));
    if (done) {
        finish(s);
        s->mode = MODE_LIST;
        s->after_item = true;
    }
    return to;
}

static void
complain(struct split *s, const char *text)
{
    if (!s->complained)
        bad(s, ERR_BAD_JSON, text);
    s->complained = true;
}

static const char *
list(struct split *s, const char *p)
{
    if (is_space(*p))
        return p + 1;
    if (*p == ',') {
        if (!s->after_item)
            complain(s, "a comma stands in the list of objects where an object must stand");
        s->after_item = false;
        return p + 1;
    }
    if (*p == ']') {
        s->mode = s->framed ? MODE_FRAME : MODE_TOP;
        s->depth = 1;
        return p + 1;
    }
    if (*p == '}') {
        complain(s, "a closing brace stands in the list of objects");
        return p + 1;
    }
    if (s->after_item)
        complain(s, "a comma is missing between two objects");
    s->number++;
    s->mode = MODE_ITEM;
    s->depth = 0;
    s->complained = false;
    return p;
}

static void
begin_list(struct split *s)
{
    s->mode = MODE_LIST;
    s->after_item = false;
    s->complained = false;
    s->text.n = 0;
    s->text.full = false;
}

static void
frame_string(struct split *s, char c)
{
    bool naming = s->depth == 1 && s->name_side;

    if (!s->escaped && c == '"') {
        s->in_string = false;
        return;
    }
    s->escaped = !s->escaped && c == '\\';
    if (naming && s->name_n < sizeof s->name)
        s->name[s->name_n++] = c;
}

static void
frame_end(struct split *s)
{
    if (!s->listed) {
        s->number++;
        finish(s);
    }
    s->text.n = 0;
    s->mode = MODE_TOP;
}

static bool
is_list_here(const struct split *s)
{
    struct span name = {s->name, s->name_n};

    return s->depth == 1 && !s->name_side && span_equal(name, span_of(names_list));
}

static void
frame_sign(struct split *s, char c)
{
    bool top = s->depth == 1;

    if (c == '"') {
        s->in_string = true;
        if (top && s->name_side)
            s->name_n = 0;
    } else if (c == ':' && top) {
        s->name_side = false;
    } else if (c == ',' && top) {
        s->name_side = true;
    } else if (c == '[' && is_list_here(s)) {
        s->listed = true;
        begin_list(s);
    } else if (kinds[(unsigned char)c] == OPEN) {
        s->depth++;
    } else if (kinds[(unsigned char)c] == CLOSE && --s->depth == 0) {
        frame_end(s);
    }
}

static const char *
frame(struct split *s, const char *p, const char *end)
{
    while (p < end && s->mode == MODE_FRAME) {
        if (!s->listed && !s->text.full)
            buf_add_char(&s->text, *p);
        if (s->in_string)
            frame_string(s, *p);
        else
            frame_sign(s, *p);
        p++;
    }
    return p;
}

static const char *
top(struct split *s, const char *p)
{
    if (is_space(*p))
        return p + 1;
    if (*p == '{') {
        s->mode = MODE_FRAME;
        s->framed = s->name_side = true;
        s->listed = s->in_string = s->escaped = false;
        s->depth = 1;
        s->name_n = 0;
        buf_add_char(&s->text, '{');
    } else if (*p == '[') {
        s->framed = false;
        begin_list(s);
    } else {
        s->mode = MODE_JUNK;
        bad(s, ERR_BAD_JSON, "neither an object nor an array begins where a bundle must begin");
    }
    return p + 1;
}

static const char *
junk(struct split *s, const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));

    if (lf != NULL)
        s->mode = MODE_TOP;
    return lf == NULL ? end : lf + 1;
}

static void
piece(struct split *s, const char *p, const char *end)
{
    while (p < end && s->rc == 0)
        switch (s->mode) {
        case MODE_TOP:
            p = top(s, p);
            break;
        case MODE_JUNK:
            p = junk(s, p, end);
            break;
        case MODE_FRAME:
            p = frame(s, p, end);
            break;
        case MODE_LIST:
            p = list(s, p);
            break;
        case MODE_ITEM:
            p = item(s, p, end);
            break;
        }
}

int
stix_split(struct input *input, const struct stix_split_sink *sink, struct err *err)
{
    struct split s = {.sink = sink, .err = err};
    struct span chunk;
    int got = 0;

    s.text = buf_new(INPUT_LINE_MAX + INPUT_PADDING);
    while (s.rc == 0 && (got = input_chunk(input, &chunk, err)) > 0)
        piece(&s, chunk.p, chunk.p + chunk.n);
    if (s.rc == 0 && got == 0
        && (s.mode == MODE_ITEM || s.mode == MODE_FRAME || s.mode == MODE_LIST))
        bad(&s, ERR_TRUNCATED,
            s.mode == MODE_ITEM ? "the input ends inside an object"
                                : "the input ends inside a bundle");
    buf_free(&s.text);
    return s.rc != 0 ? s.rc : got;
}
