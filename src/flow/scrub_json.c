#include "flow/scrub.h"

/* Readers hand JSON on as valid compact text, so it is walked as it stands; whatever is not as
 * expected loses the value. */
enum { DEPTH_MAX = 64 };

enum outcome { KEPT, DROPPED, BAD };

struct walk {
    struct scrub *scrub;
    struct span left; /* to be read */
    char *out;        /* NULL: only counted */
    size_t n;         /* written */
    size_t most;      /* ... before a member was taken back */
    bool collect;     /* values below names that are treated go to the list, nothing is written */
    bool lost;        /* below such a name */
    bool hidden;      /* below a name that goes, but whose values are mere words */
    bool changed;
};

static enum outcome walk_value(struct walk *walk, int depth);

static void
emit(struct walk *walk, struct span text)
{
    if (walk->out != NULL && text.n > 0)
        memcpy(walk->out + walk->n, text.p, text.n);
    walk->n += text.n;
    walk->most = walk->n > walk->most ? walk->n : walk->most;
}

static bool
take_char(struct walk *walk, char c)
{
    if (walk->left.n == 0 || walk->left.p[0] != c)
        return false;
    walk->left.p++;
    walk->left.n--;
    return true;
}

/* The text between two quotes, as it is written. */
static bool
take_string(struct walk *walk, struct span *raw)
{
    size_t n = 0;

    if (!take_char(walk, '"'))
        return false;
    while (n < walk->left.n && walk->left.p[n] != '"')
        n += walk->left.p[n] == '\\' ? 2 : 1;
    if (n >= walk->left.n)
        return false;
    *raw = (struct span){walk->left.p, n};
    walk->left.p += n + 1;
    walk->left.n -= n + 1;
    return true;
}

/* ---- escapes ---- */

static int
hex4(const char *p)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f'       ? c - 'a' + 10
            : c >= 'A' && c <= 'F'       ? c - 'A' + 10
                                         : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t
put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* A JSON escape "\u" with four hexadecimal digits at P, and the second half of its pair if it has
 * one: bytes read, 0 if it is wrong. */
static size_t
unescape_unicode(const char *p, size_t left, char *out, size_t *n)
{
    int first = left >= 6 ? hex4(p + 2) : -1;
    unsigned c = (unsigned)first;
    size_t used = 6;

    if (first < 0)
        return 0;
    if (first >= 0xd800 && first < 0xdc00) {
        int second = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
        if (second < 0xdc00 || second > 0xdfff)
            return 0;
        c = 0x10000 + ((unsigned)(first - 0xd800) << 10) + (unsigned)(second - 0xdc00);
        used = 12;
    }
    *n += put_utf8(out + *n, c);
    return used;
}

/* What RAW means; p NULL: it is wrong, or the arena is full. */
static struct span
unescape(struct arena *arena, struct span raw)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char *out = raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL ? NULL : arena_alloc(arena, raw.n);
    size_t n = 0;

    if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
        return (struct span){raw.p, raw.n};
    for (size_t i = 0; out != NULL && i < raw.n;) {
        if (raw.p[i] != '\\') {
            out[n++] = raw.p[i++];
            continue;
        }
        const char *which =
            i + 1 < raw.n && raw.p[i + 1] != '\0' ? strchr(from, raw.p[i + 1]) : NULL;
        size_t used = which != NULL ? 2 : 0;
        if (which != NULL)
            out[n++] = to[which - from];
        else if (i + 1 < raw.n && raw.p[i + 1] == 'u')
            used = unescape_unicode(raw.p + i, raw.n - i, out, &n);
        if (used == 0)
            return (struct span){NULL, 0};
        i += used;
    }
    return (struct span){out, n};
}

static void
emit_escaped(struct walk *walk, struct span text)
{
    static const char digits[] = "0123456789abcdef";

    emit(walk, SPAN("\""));
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char code[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        if (c == '"' || c == '\\')
            emit(walk, SPAN("\\"));
        if (c < 0x20 || c == 0x7f)
            emit(walk, (struct span){code, 6});
        else
            emit(walk, (struct span){text.p + i, 1});
    }
    emit(walk, SPAN("\""));
}

/* ---- values ---- */

static enum outcome
walk_string(struct walk *walk)
{
    struct span raw;

    if (!take_string(walk, &raw))
        return BAD;
    struct span text = unescape(walk->scrub->arena, raw);
    if (text.p == NULL)
        return BAD;
    if (walk->collect) {
        if (walk->lost)
            scrub_add(walk->scrub, text, (struct span){NULL, 0});
        return KEPT;
    }
    if (!scrub_matches(walk->scrub, text)) {
        emit(walk, (struct span){raw.p - 1, raw.n + 2});
        return KEPT;
    }
    walk->changed = true;
    if (!scrub_text(walk->scrub, &text))
        return BAD;
    emit_escaped(walk, text);
    return KEPT;
}

/* A number, or true, false, null. */
static enum outcome
walk_word(struct walk *walk)
{
    size_t n = 0;

    while (n < walk->left.n && memchr(",]}", walk->left.p[n], 3) == NULL)
        n++;
    struct span word = {walk->left.p, n};
    if (n == 0)
        return BAD;
    walk->left.p += n;
    walk->left.n -= n;
    bool number = word.p[0] == '-' || (word.p[0] >= '0' && word.p[0] <= '9');
    if (walk->collect) {
        if (walk->lost && number)
            scrub_add(walk->scrub, word, (struct span){NULL, 0});
        return KEPT;
    }
    if (number && scrub_matches(walk->scrub, word))
        return DROPPED;
    emit(walk, word);
    return KEPT;
}

/* What stands in brackets: each item, and what becomes of the commas. */
static enum outcome
walk_items(struct walk *walk, char close, int depth, enum outcome (*item)(struct walk *, int))
{
    bool first = true;

    emit(walk, (struct span){walk->left.p, 1});
    walk->left.p++;
    walk->left.n--;
    for (bool more = !take_char(walk, close); more;) {
        size_t before = walk->n;
        if (!first)
            emit(walk, SPAN(","));
        enum outcome outcome = item(walk, depth + 1);
        if (outcome == BAD)
            return BAD;
        if (outcome == DROPPED) {
            walk->n = before;
            walk->changed = true;
        } else {
            first = false;
        }
        more = take_char(walk, ',');
        if (!more && !take_char(walk, close))
            return BAD;
    }
    emit(walk, close == ']' ? SPAN("]") : SPAN("}"));
    return KEPT;
}

static enum outcome
walk_member(struct walk *walk, int depth)
{
    struct span raw;

    if (!take_string(walk, &raw) || !take_char(walk, ':'))
        return BAD;
    struct span name = unescape(walk->scrub->arena, raw);
    if (name.p == NULL)
        return BAD;
    enum scrub_name what = scrub_name(walk->scrub, name, FIELD_CLASS_TEXT);
    bool lost = walk->lost;
    bool hidden = walk->hidden;
    emit(walk, (struct span){raw.p - 1, raw.n + 3});
    walk->hidden = hidden || (!lost && what == SCRUB_NAME_GONE);
    walk->lost = !walk->hidden && (lost || what == SCRUB_NAME_GONE_COUNTED);
    enum outcome outcome = walk_value(walk, depth);
    walk->lost = lost;
    walk->hidden = hidden;
    bool drop = !walk->collect && (what != SCRUB_NAME_KEPT || scrub_matches(walk->scrub, name));
    return outcome == KEPT && drop ? DROPPED : outcome;
}

static enum outcome
walk_value(struct walk *walk, int depth)
{
    if (depth > DEPTH_MAX || walk->left.n == 0)
        return BAD;
    switch (walk->left.p[0]) {
    case '{':
        return walk_items(walk, '}', depth, walk_member);
    case '[':
        return walk_items(walk, ']', depth, walk_value);
    case '"':
        return walk_string(walk);
    default:
        return walk_word(walk);
    }
}

void
scrub_collect_json(struct scrub *scrub, struct span json, bool all)
{
    struct walk walk = {.scrub = scrub, .left = json, .collect = true, .lost = all};

    if (walk_value(&walk, 0) == BAD)
        scrub->overflow = true; /* what it holds is not known */
}

bool
scrub_json(struct scrub *scrub, struct span *value)
{
    struct walk counted = {.scrub = scrub, .left = *value};

    if (scrub->overflow || walk_value(&counted, 0) != KEPT || counted.left.n > 0)
        return false;
    if (!counted.changed)
        return true;
    char *out = arena_alloc(scrub->arena, counted.most);
    struct walk written = {.scrub = scrub, .left = *value, .out = out};
    if (out == NULL || walk_value(&written, 0) != KEPT)
        return false;
    *value = (struct span){out, written.n};
    return true;
}
