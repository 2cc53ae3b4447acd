#include "fmt/pattern.h"

#include "fmt/pattern_lex.h"

/* Alternatives found so far: a list with its end, so that OR is one step. */
struct set {
    struct pattern_choice *first;
    struct pattern_choice *last;
    size_t count;
};

static int comparisons(struct parser *p, struct set *out);
static int observations(struct parser *p, struct set *out);

static int
enter(struct parser *p)
{
    if (++p->depth <= PATTERN_DEPTH_MAX)
        return 0;
    return err_set_field(p->err, ERR_LIMIT, "pattern", 7,
        "the STIX pattern has more than %d brackets within one another", PATTERN_DEPTH_MAX);
}

/* [*] or [0] behind a path's component. */
static int
path_index(struct parser *p)
{
    enum literal_kind kind;
    struct span digits;

    if (pattern_lex_accept(p, '*'))
        return pattern_lex_accept(p, ']') ? 0 : pattern_lex_bad(p, "\"]\"");
    int rc = pattern_lex_number(p, &kind, &digits);
    if (rc != 0)
        return rc;
    if (kind != LITERAL_INT)
        return pattern_lex_bad(p, "a whole number in front");
    return pattern_lex_accept(p, ']') ? 0 : pattern_lex_bad(p, "\"]\"");
}

static int
path_part(struct parser *p)
{
    struct span part;

    if (pattern_lex_peek(p) == '\'')
        return pattern_lex_string(p, &part);
    part = pattern_lex_peek_word(p);
    p->at += part.n;
    return part.n > 0 ? 0 : pattern_lex_bad(p, "a property's name");
}

/* The path without the quotes around its parts and without white space. */
static struct span
plain_path(struct parser *p, struct span raw)
{
    bool plain = memchr(raw.p, '\'', raw.n) == NULL && memchr(raw.p, ' ', raw.n) == NULL;
    char *out = plain || p->complex ? NULL : arena_alloc(p->arena, raw.n);
    size_t n = 0;

    if (out == NULL)
        return raw;
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] != '\'' && raw.p[i] != ' ')
            out[n++] = raw.p[i];
    return (struct span){out, n};
}

/* ipv4-addr:value, file:hashes.'SHA-256', x:list[*].name */
static int
path(struct parser *p, struct span *out)
{
    struct span type = pattern_lex_peek_word(p);
    size_t start = p->at;

    if (type.n == 0)
        return pattern_lex_bad(p, "an object type");
    p->at += type.n;
    if (!pattern_lex_accept(p, ':'))
        return pattern_lex_bad(p, "\":\"");
    int rc = path_part(p);
    for (size_t end = p->at; rc == 0; end = p->at) {
        if (pattern_lex_accept(p, '.')) {
            rc = path_part(p);
        } else if (pattern_lex_accept(p, '[')) {
            rc = path_index(p);
        } else {
            *out = plain_path(p, (struct span){p->text.p + start, end - start});
            return 0;
        }
    }
    return rc;
}

/* The hash that a path names must have its algorithm's length. */
static bool
hash_fits(struct span path, struct span value)
{
    static const struct {
        struct span name;
        size_t digits;
    } known[] = {{{"MD5", 3}, 32}, {{"SHA-1", 5}, 40}, {{"SHA1", 4}, 40}, {{"SHA-224", 7}, 56},
        {{"SHA-256", 7}, 64}, {{"SHA256", 6}, 64}, {{"SHA-384", 7}, 96}, {{"SHA-512", 7}, 128}};
    const char *at = memmem(path.p, path.n, "hashes.", 7);

    if (at == NULL)
        return true;
    struct span name = {at + 7, (size_t)(path.p + path.n - at - 7)};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_equal_nocase(name, known[i].name))
            return value.n == known[i].digits && pattern_lex_is_hex(value);
    return true;
}

/* A choice of one term; complexity instead of memory beyond the limit. */
static void
term(struct parser *p, struct span path_text, struct span value, struct set *out)
{
    if (p->complex)
        return;
    struct pattern_term *t = arena_alloc(p->arena, sizeof *t);
    struct pattern_choice *c = arena_alloc(p->arena, sizeof *c);
    if (t == NULL || c == NULL) {
        p->complex = true;
        return;
    }
    *t = (struct pattern_term){NULL, path_text, value};
    *c = (struct pattern_choice){NULL, t, 1};
    *out = (struct set){c, c, 1};
}

static int
value_set(struct parser *p)
{
    enum literal_kind kind;
    struct span value;

    p->complex = true;
    if (!pattern_lex_accept(p, '('))
        return pattern_lex_bad(p, "\"(\"");
    if (pattern_lex_accept(p, ')'))
        return 0;
    do {
        int rc = pattern_lex_literal(p, &kind, &value);
        if (rc != 0)
            return rc;
    } while (pattern_lex_accept(p, ','));
    return pattern_lex_accept(p, ')') ? 0 : pattern_lex_bad(p, "\",\" or \")\"");
}

/* LIKE, MATCHES, ISSUBSET, ISSUPERSET, IN; any of them makes it complex. */
static int
word_operator(struct parser *p)
{
    struct span value;

    p->complex = true;
    if (pattern_lex_accept_word(p, SPAN("IN")))
        return value_set(p);
    if (pattern_lex_accept_word(p, SPAN("LIKE")) || pattern_lex_accept_word(p, SPAN("MATCHES"))
        || pattern_lex_accept_word(p, SPAN("ISSUBSET"))
        || pattern_lex_accept_word(p, SPAN("ISSUPERSET")))
        return pattern_lex_string(p, &value);
    return pattern_lex_bad(p, "a comparison");
}

/* Reads = == != <> < <= > >=; EQUAL is false for all but the first two. */
static bool
symbol_operator(struct parser *p, bool *equal)
{
    *equal = pattern_lex_accept(p, '=');
    if (*equal) {
        (void)(p->at < p->text.n && p->text.p[p->at] == '=' && pattern_lex_accept(p, '='));
        return true;
    }
    if (pattern_lex_accept(p, '!')) {
        bool second = p->at < p->text.n && p->text.p[p->at] == '=';
        p->at += second;
        return second;
    }
    if (!pattern_lex_accept(p, '<') && !pattern_lex_accept(p, '>'))
        return false;
    bool less = p->text.p[p->at - 1] == '<';
    if (p->at < p->text.n && (p->text.p[p->at] == '=' || (less && p->text.p[p->at] == '>')))
        p->at++;
    return true;
}

static int
comparison(struct parser *p, struct set *out)
{
    struct span left;
    struct span right = {NULL, 0};
    enum literal_kind kind;
    bool equal;

    if (pattern_lex_accept_word(p, SPAN("EXISTS"))) {
        p->complex = true;
        return path(p, &left);
    }
    int rc = path(p, &left);
    if (rc != 0)
        return rc;
    bool negated = pattern_lex_accept_word(p, SPAN("NOT"));
    if (!symbol_operator(p, &equal))
        return word_operator(p);
    rc = pattern_lex_literal(p, &kind, &right);
    if (rc != 0)
        return rc;
    if (equal && kind == LITERAL_STRING && !hash_fits(left, right))
        return pattern_lex_bad(p, "in front of it a hash of its algorithm's length");
    if (!equal || negated || kind == LITERAL_OTHER)
        p->complex = true;
    term(p, left, right, out);
    return 0;
}

static void
set_or(struct parser *p, struct set *a, const struct set *b)
{
    if (p->complex)
        return;
    if (a->count + b->count > PATTERN_CHOICES_MAX) {
        p->complex = true;
        return;
    }
    a->last->next = b->first;
    a->last = b->last;
    a->count += b->count;
}

/* Copies of both terms' lists, one behind the other. */
static struct pattern_choice *
join(struct arena *arena, const struct pattern_choice *a, const struct pattern_choice *b)
{
    struct pattern_term *terms = arena_zalloc(arena, a->count + b->count, sizeof *terms);
    struct pattern_choice *out = arena_alloc(arena, sizeof *out);
    size_t n = 0;

    if (terms == NULL || out == NULL)
        return NULL;
    for (const struct pattern_term *t = a->terms; t != NULL; t = t->next)
        terms[n++] = *t;
    for (const struct pattern_term *t = b->terms; t != NULL; t = t->next)
        terms[n++] = *t;
    for (size_t i = 0; i < n; i++)
        terms[i].next = i + 1 < n ? &terms[i + 1] : NULL;
    *out = (struct pattern_choice){NULL, terms, n};
    return out;
}

/* Every choice of A with every choice of B. */
static void
set_and(struct parser *p, struct set *a, const struct set *b)
{
    struct set out = {NULL, NULL, 0};

    if (p->complex || a->count * b->count > PATTERN_CHOICES_MAX) {
        p->complex = true;
        return;
    }
    for (const struct pattern_choice *x = a->first; x != NULL; x = x->next)
        for (const struct pattern_choice *y = b->first; y != NULL; y = y->next) {
            struct pattern_choice *c =
                x->count + y->count > PATTERN_TERMS_MAX ? NULL : join(p->arena, x, y);
            if (c == NULL) {
                p->complex = true;
                return;
            }
            if (out.last == NULL)
                out.first = c;
            else
                out.last->next = c;
            out.last = c;
            out.count++;
        }
    *a = out;
}

static int
comparison_unit(struct parser *p, struct set *out)
{
    if (!pattern_lex_accept(p, '('))
        return comparison(p, out);
    int rc = enter(p);
    if (rc == 0)
        rc = comparisons(p, out);
    p->depth--;
    if (rc != 0)
        return rc;
    return pattern_lex_accept(p, ')') ? 0 : pattern_lex_bad(p, "\")\"");
}

typedef int (*unit_fn)(struct parser *p, struct set *out);

static int
ands(struct parser *p, unit_fn unit, struct set *out)
{
    int rc = unit(p, out);

    while (rc == 0 && pattern_lex_accept_word(p, SPAN("AND"))) {
        struct set right = {NULL, NULL, 0};
        rc = unit(p, &right);
        if (rc == 0)
            set_and(p, out, &right);
    }
    return rc;
}

static int
ors(struct parser *p, unit_fn unit, struct set *out)
{
    int rc = ands(p, unit, out);

    while (rc == 0 && pattern_lex_accept_word(p, SPAN("OR"))) {
        struct set right = {NULL, NULL, 0};
        rc = ands(p, unit, &right);
        if (rc == 0)
            set_or(p, out, &right);
    }
    return rc;
}

static int
comparisons(struct parser *p, struct set *out)
{
    return ors(p, comparison_unit, out);
}

/* A positive number in front of UNIT. */
static int
amount(struct parser *p, struct span unit, bool whole)
{
    enum literal_kind kind;
    struct span digits;

    if (!pattern_lex_is_digit(pattern_lex_peek(p)))
        return pattern_lex_bad(p, "a positive number");
    int rc = pattern_lex_number(p, &kind, &digits);
    if (rc != 0)
        return rc;
    if (whole && kind != LITERAL_INT)
        return pattern_lex_bad(p, "a whole number in front");
    return pattern_lex_accept_word(p, unit) ? 0 : pattern_lex_bad(p, unit.p);
}

static int
time_literal(struct parser *p)
{
    if (pattern_lex_peek(p) != 't')
        return pattern_lex_bad(p, "a time such as t'2026-11-23T08:15:00Z'");
    return pattern_lex_typed(p, 't');
}

static int
start_stop(struct parser *p)
{
    int rc = time_literal(p);

    if (rc == 0 && !pattern_lex_accept_word(p, SPAN("STOP")))
        rc = pattern_lex_bad(p, "STOP");
    return rc != 0 ? rc : time_literal(p);
}

/* WITHIN, REPEATS and START ... STOP. OASIS' own validator lets one kind repeat only
 * behind a round bracket. */
static int
qualifiers(struct parser *p, bool may_repeat)
{
    unsigned seen = 0;

    for (;;) {
        unsigned bit = pattern_lex_accept_word(p, SPAN("WITHIN")) ? 1
            : pattern_lex_accept_word(p, SPAN("REPEATS"))         ? 2
            : pattern_lex_accept_word(p, SPAN("START"))           ? 4
                                                                  : 0;
        if (bit == 0)
            return 0;
        if ((seen & bit) != 0 && !may_repeat)
            return pattern_lex_bad(p, "no second qualifier of one kind");
        seen |= bit;
        p->complex = true;
        int rc = bit == 1 ? amount(p, SPAN("SECONDS"), false)
            : bit == 2    ? amount(p, SPAN("TIMES"), true)
                          : start_stop(p);
        if (rc != 0)
            return rc;
    }
}

static int
observation(struct parser *p, struct set *out)
{
    bool square = pattern_lex_accept(p, '[');

    if (!square && !pattern_lex_accept(p, '('))
        return pattern_lex_bad(p, "\"[\" or \"(\"");
    int rc = enter(p);
    if (rc == 0)
        rc = square ? comparisons(p, out) : observations(p, out);
    p->depth--;
    if (rc != 0)
        return rc;
    if (!pattern_lex_accept(p, square ? ']' : ')'))
        return pattern_lex_bad(p, square ? "\"]\"" : "\")\"");
    return qualifiers(p, !square);
}

static int
observations(struct parser *p, struct set *out)
{
    int rc = ors(p, observation, out);

    while (rc == 0 && pattern_lex_accept_word(p, SPAN("FOLLOWEDBY"))) {
        struct set right = {NULL, NULL, 0};
        p->complex = true;
        rc = ors(p, observation, &right);
    }
    return rc;
}

int
pattern_parse(struct arena *arena, struct span text, struct pattern *out, struct err *err)
{
    struct parser p = {.text = text, .arena = arena, .err = err};
    struct set all = {NULL, NULL, 0};

    *out = (struct pattern){.simple = false};
    int rc = observations(&p, &all);
    if (rc != 0)
        return rc;
    if (pattern_lex_peek(&p) != '\0' || p.at < p.text.n)
        return pattern_lex_bad(&p, "the pattern's end");
    if (!p.complex)
        *out = (struct pattern){.simple = true, .choices = all.first, .count = all.count};
    return 0;
}
