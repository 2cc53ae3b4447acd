/* conf.h: how is this node set up?
 *
 * A file of `name = value` lines over the defaults; every option is a row of tables/options.def.
 * What is wrong is told with its line, what would be right, and the name that was probably meant.
 */
#ifndef COMITY_BASE_CONF_H
#define COMITY_BASE_CONF_H

#include "base/wire.h"

enum conf_option {
#define OPTION(name, word, type, least, most, usual, unit, applies, text) CONF_##name,
#include "tables/options.def"
#undef OPTION
    CONF_COUNT
};

enum conf_type {
    CONF_TYPE_BOOL,     /* on or off: conf_bool */
    CONF_TYPE_NUMBER,   /* conf_number */
    CONF_TYPE_DURATION, /* "250 ms", "30 s", "5 min", "12 h", "30 d": conf_number gives milliseconds
                         */
    CONF_TYPE_SIZE,     /* "512 B", "64 KiB", "4 MiB", "1 GiB": conf_number gives bytes */
    CONF_TYPE_ADDRESS,  /* "127.0.0.1:8443", "[::1]:8443": conf_text, conf_address */
    CONF_TYPE_PATH,     /* absolute, or "" where that is the default: conf_text */
    CONF_TYPE_ENUM,     /* a word of the unit's column: conf_number gives its place there */
    CONF_TYPE_CLOCK,    /* "06:30", a time of day, UTC: conf_number gives minutes after midnight */
    CONF_TYPE_TEXT,     /* UTF-8 without control characters: conf_text */
};
/* When a change applies. */
enum conf_applies { CONF_APPLIES_RELOAD, CONF_APPLIES_RESTART };

struct conf_row {
    const char *name;
    int64_t least; /* numbers: in their unit; texts: bytes */
    int64_t most;
    const char *usual; /* the default */
    const char *unit;  /* what a number counts, or an enum's words "text|json" */
    const char *text;
    enum conf_type type;
    enum conf_applies applies;
};
extern const struct conf_row conf_rows[CONF_COUNT];

struct conf; /* every option has a value */

/* All defaults. NULL: no memory. Owner: the caller, until conf_free. */
struct conf *conf_new(void);
void conf_free(struct conf *conf);

bool conf_bool(const struct conf *conf, enum conf_option option);
int64_t conf_number(const struct conf *conf, enum conf_option option);
/* Any option's value as its text; lives until that option is set again. NUL behind it. */
struct span conf_text(const struct conf *conf, enum conf_option option);
/* Line of the file that set it; 0: a default, or the command line. */
uint64_t conf_line(const struct conf *conf, enum conf_option option);
/* Is it other than the default? */
bool conf_is_set(const struct conf *conf, enum conf_option option);

/* Host (without brackets) and port of an ADDRESS's text. ERR_BAD_CONFIG. */
MUST_USE int conf_address(struct span text, struct span *host, uint16_t *port, struct err *err);
/* Is HOST, an address, one of this machine alone? */
bool conf_is_loopback(struct span host);

/* The option of that name; ERR_BAD_CONFIG names the nearest one. */
MUST_USE int conf_find(struct span name, enum conf_option *out, struct err *err);
/* LINE as for conf_line. ERR_BAD_CONFIG with err.field the option's name. */
MUST_USE int conf_set(
    struct conf *conf, enum conf_option option, struct span value, uint64_t line, struct err *err);
/* Everything a file says. WRONG (NULL: none) is told every error; the first is returned in ERR,
 * with err.line. */
MUST_USE int conf_read(struct conf *conf, struct span file,
    void (*wrong)(void *ctx, const struct err *err), void *ctx, struct err *err);
/* Do the options fit together? ERR_BAD_CONFIG. */
MUST_USE int conf_check(const struct conf *conf, struct err *err);
/* NEXT is what the file says now, CONF what is in force: options that apply at a restart only
 * change places, so that NEXT may come into force; KEPT is told of those that differ. */
void conf_keep(struct conf *next, struct conf *conf,
    void (*kept)(void *ctx, const struct conf_row *row), void *ctx);
void conf_swap(struct conf *a, struct conf *b);

/* For other roles: what differs from the defaults. ERR_INTERNAL: not what conf_add wrote. */
void conf_add(struct buf *out, const struct conf *conf);
MUST_USE int conf_take(struct wire_in *in, struct conf *conf, struct err *err);

#endif
