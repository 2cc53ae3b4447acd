/* pattern_lex.h: which word, literal or sign of a STIX pattern comes next?
 *
 * Only for pattern.c: its parser's state and what reads single tokens.
 */
#ifndef COMITY_FMT_PATTERN_LEX_H
#define COMITY_FMT_PATTERN_LEX_H

#include "fmt/pattern.h"

struct parser {
    struct span text;
    size_t at;
    int depth;
    bool complex; /* once set, only the syntax is still checked */
    struct arena *arena;
    struct err *err;
};

enum literal_kind { LITERAL_STRING, LITERAL_INT, LITERAL_OTHER };

/* ERR_BAD_PATTERN: WANTED would be right where the parser stands. */
int pattern_lex_bad(struct parser *p, const char *wanted);
/* The next byte behind white space, not taken; NUL at the end. */
char pattern_lex_peek(struct parser *p);
/* Take the sign or the word if it stands next. */
bool pattern_lex_accept(struct parser *p, char c);
bool pattern_lex_accept_word(struct parser *p, struct span wanted);
/* The word that stands next, not taken, or n 0. */
struct span pattern_lex_peek_word(struct parser *p);
bool pattern_lex_is_digit(char c);
bool pattern_lex_is_hex(struct span s);
/* 'text' with \' and \\ inside, unescaped. */
MUST_USE int pattern_lex_string(struct parser *p, struct span *out);
/* t'...', b'...' or h'...' */
MUST_USE int pattern_lex_typed(struct parser *p, char kind);
/* An integer, or a float (LITERAL_OTHER). */
MUST_USE int pattern_lex_number(struct parser *p, enum literal_kind *kind, struct span *out);
/* Any of them, or a truth value. OUT is set for strings and integers. */
MUST_USE int pattern_lex_literal(struct parser *p, enum literal_kind *kind, struct span *out);

#endif
