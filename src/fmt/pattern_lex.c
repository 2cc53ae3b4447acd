#include "fmt/pattern_lex.h"

#include "base/time.h"

int
pattern_lex_bad(struct parser *p, const char *wanted)
{
    return err_set_field(p->err, ERR_BAD_PATTERN, "pattern", 7,
        "the STIX pattern is malformed at byte %zu: %s would be right there", p->at + 1, wanted);
}

char
pattern_lex_peek(struct parser *p)
{
    while (p->at < p->text.n) {
        char c = p->text.p[p->at];
        if (c != ' ' && (c < '\t' || c > '\r'))
            return c;
        p->at++;
    }
    return '\0';
}

bool
pattern_lex_accept(struct parser *p, char c)
{
    if (pattern_lex_peek(p) != c || p->at >= p->text.n)
        return false;
    p->at++;
    return true;
}

bool
pattern_lex_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
    return (unsigned)((c | 0x20) - 'a') < 26 || pattern_lex_is_digit(c) || c == '_' || c == '-';
}

/* The word that stands next, or n 0. */
struct span
pattern_lex_peek_word(struct parser *p)
{
    char c = pattern_lex_peek(p);
    struct span word = {p->text.p + p->at, 0};

    if (pattern_lex_is_digit(c) || c == '-')
        return word;
    while (p->at + word.n < p->text.n && is_word(word.p[word.n]))
        word.n++;
    return word;
}

bool
pattern_lex_accept_word(struct parser *p, struct span wanted)
{
    if (!span_equal(pattern_lex_peek_word(p), wanted))
        return false;
    p->at += wanted.n;
    return true;
}

/* The text without its backslashes. */
static struct span
unescape(struct parser *p, struct span raw)
{
    char *out = p->complex ? NULL : arena_alloc(p->arena, raw.n);
    size_t n = 0;

    if (out == NULL) {
        p->complex = true;
        return raw;
    }
    for (size_t i = 0; i < raw.n; i++) {
        i += raw.p[i] == '\\' && i + 1 < raw.n;
        out[n++] = raw.p[i];
    }
    return (struct span){out, n};
}

/* 'text' with \' and \\ inside. */
int
pattern_lex_string(struct parser *p, struct span *out)
{
    bool escaped = false;

    if (!pattern_lex_accept(p, '\''))
        return pattern_lex_bad(p, "a text in single quotes");
    size_t start = p->at;
    for (; p->at < p->text.n && p->text.p[p->at] != '\''; p->at++)
        if (p->text.p[p->at] == '\\') {
            escaped = true;
            p->at++;
        }
    if (p->at >= p->text.n)
        return pattern_lex_bad(p, "a closing quote");
    *out = (struct span){p->text.p + start, p->at - start};
    p->at++;
    if (escaped)
        *out = unescape(p, *out);
    return 0;
}

static bool
is_base64(struct span s)
{
    size_t padding = s.n > 0 && s.p[s.n - 1] == '=' ? 1 : 0;

    padding += s.n > 1 && padding == 1 && s.p[s.n - 2] == '=' ? 1 : 0;
    for (size_t i = 0; i < s.n - padding; i++) {
        char c = s.p[i];
        if (c == '-' || c == '_' || (!is_word(c) && c != '+' && c != '/'))
            return false;
    }
    return s.n % 4 == 0 && (s.n == 0 || s.n > padding);
}

bool
pattern_lex_is_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!pattern_lex_is_digit(s.p[i]) && (unsigned)((s.p[i] | 0x20) - 'a') >= 6)
            return false;
    return true;
}

/* t'...', b'...', h'...' */
int
pattern_lex_typed(struct parser *p, char kind)
{
    struct span text;
    int64_t us;

    p->at++;
    int rc = pattern_lex_string(p, &text);
    if (rc != 0)
        return rc;
    if (kind == 't' && (time_parse(text, &us, NULL) != 0 || !span_ends(text, SPAN("Z"))))
        return pattern_lex_bad(p, "in front of it a time such as t'2026-11-23T08:15:00Z'");
    if (kind == 'b' && !is_base64(text))
        return pattern_lex_bad(p, "in front of it base64 text");
    if (kind == 'h' && (text.n % 2 != 0 || !pattern_lex_is_hex(text)))
        return pattern_lex_bad(p, "in front of it pairs of hexadecimal digits");
    return 0;
}

/* An integer or float; KIND says which. */
int
pattern_lex_number(struct parser *p, enum literal_kind *kind, struct span *out)
{
    size_t digits = 0;

    (void)pattern_lex_peek(p);
    size_t start = p->at;
    if (p->at < p->text.n && (p->text.p[p->at] == '-' || p->text.p[p->at] == '+'))
        p->at++;
    *kind = LITERAL_INT;
    for (; p->at < p->text.n; p->at++) {
        char c = p->text.p[p->at];
        if (c == '.' && *kind == LITERAL_INT)
            *kind = LITERAL_OTHER;
        else if (pattern_lex_is_digit(c))
            digits++;
        else
            break;
    }
    *out = (struct span){p->text.p + start, p->at - start};
    if (digits == 0 || out->p[out->n - 1] == '.'
        || (p->at < p->text.n && is_word(p->text.p[p->at])))
        return pattern_lex_bad(p, "a value: a number, or a text in single quotes");
    return 0;
}

int
pattern_lex_literal(struct parser *p, enum literal_kind *kind, struct span *out)
{
    char c = pattern_lex_peek(p);

    *kind = LITERAL_OTHER;
    if (c == '\'') {
        *kind = LITERAL_STRING;
        return pattern_lex_string(p, out);
    }
    if ((c == 't' || c == 'b' || c == 'h') && p->at + 1 < p->text.n && p->text.p[p->at + 1] == '\'')
        return pattern_lex_typed(p, c);
    if (pattern_lex_accept_word(p, SPAN("true")) || pattern_lex_accept_word(p, SPAN("false")))
        return 0;
    return pattern_lex_number(p, kind, out);
}
