/* pattern.h: which plain values does a STIX pattern name?
 *
 * STIX 2.1 section 9. A pattern that says no more than "this value", "one of these"
 * or "these together" comes out as choices of terms. Any other well-formed pattern
 * (ranges, sets, regular expressions, order in time) is not simple: its indicator is
 * kept whole. Nothing is matched here, so no pattern can be slow.
 */
#ifndef COMITY_FMT_PATTERN_H
#define COMITY_FMT_PATTERN_H

#include "base/mem.h"
#include "base/str.h"

enum {
    PATTERN_DEPTH_MAX = 64,      /* brackets within brackets */
    PATTERN_CHOICES_MAX = 16384, /* reports that one pattern may become */
    PATTERN_TERMS_MAX = 16,      /* observables that one report can hold */
};

struct pattern_term {
    struct pattern_term *next;
    struct span path; /* "file:hashes.SHA-256": without quotes */
    struct span text; /* the value; a number's digits */
};

struct pattern_choice {
    struct pattern_choice *next;
    struct pattern_term *terms; /* all of them together; never NULL */
    size_t count;
};

struct pattern {
    bool simple;
    struct pattern_choice *choices; /* in the pattern's order; NULL unless simple */
    size_t count;
};

/* Results live in ARENA; texts without escapes borrow from TEXT. A pattern with more
 * choices than the limits allow is not simple.
 * Errors: ERR_BAD_PATTERN (names the byte), ERR_LIMIT (depth). */
MUST_USE int pattern_parse(
    struct arena *arena, struct span text, struct pattern *out, struct err *err);

#endif
