/* err.h: what went wrong, where, and what would be right?
 *
 * Every function that can fail returns a must-use int: 0, or a negative enum
 * err_code, and fills the struct err passed last. The first finder fills it;
 * callers pass it on untouched and only stage drivers print it.
 */
#ifndef COMITY_BASE_ERR_H
#define COMITY_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

/* Whose fault an error is decides what to do about it. */
enum err_kind {
    ERR_KIND_OURS,   /* this machine's: retry or ask the operator */
    ERR_KIND_SENDER, /* the input's: reject the record, tell the sender */
    ERR_KIND_USER,   /* the command line's or a configuration file's */
};

enum err_code {
    ERR_OK = 0,
#define ERROR(name, number, kind, http, word, text) ERR_##name = -(number),
#include "tables/errors.def"
#undef ERROR
};

enum { ERR_MSG_BYTES = 512, ERR_FIELD_BYTES = 96 };

struct err {
    enum err_code code;
    uint64_t line;               /* 1-based line or record; 0: not known */
    uint32_t wait_s;             /* when to try again, in seconds; 0: not known */
    char field[ERR_FIELD_BYTES]; /* field or column; "": the whole record */
    char msg[ERR_MSG_BYTES];     /* what was wrong and what would be right */
};

/* Fill ERR (which may be NULL) and return CODE, so that a finder writes
 * `return err_set(err, ERR_LIMIT, "...")`. Control bytes in the text are
 * replaced, as messages may quote hostile input. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, naming the field (N bytes at FIELD, cut if too long). */
int err_set_field(struct err *err, enum err_code code, const char *field, size_t n,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* clang-tidy's analyzer cannot see into err.c: it must be told that a code is what is returned,
 * never 0. */
#ifdef __clang_analyzer__
#define err_set(err, code, ...) (err_set(err, code, __VA_ARGS__), (int)(code))
#define err_set_field(err, code, field, n, ...)                                                    \
    (err_set_field(err, code, field, n, __VA_ARGS__), (int)(code))
#endif

/* The error's short name ("bad-json"), whose fault it is, its HTTP status, and
 * one sentence for the manual. CODE must be one of the table's. */
const char *err_word(enum err_code code);
enum err_kind err_kind(enum err_code code);
int err_http(enum err_code code);
const char *err_text(enum err_code code);

/* Is this record's failure the sender's, so that reading goes on behind it? */
int err_is_senders(int code);

#endif
