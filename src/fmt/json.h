/* json.h: what does this JSON text say, and how is JSON written?
 *
 * Reading: strict RFC 8259 by simdjson, whole documents, in one pass. The result is a
 * tape: 64-bit words in document order, so walking it is reading an array. Writing: append to a
 * buf. The tape's format is simdjson's (its doc/tape.md); nobody outside fmt/json* looks at words.
 */
#ifndef COMITY_FMT_JSON_H
#define COMITY_FMT_JSON_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 };

struct json; /* a parser: owns the memory of one document at a time */

struct json *json_new(size_t max_document_bytes);
void json_free(struct json *json);

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INT,
    JSON_UINT,
    JSON_FLOAT,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A place in a parsed document; by value, valid until the next json_parse. */
struct json_value {
    const uint64_t *tape;
    const uint8_t *strings;
    size_t at;
};

/* Parse one document. TEXT must have INPUT_PADDING readable bytes behind it.
 * Errors: ERR_BAD_JSON, ERR_BAD_UTF8, ERR_BAD_NUMBER (beyond 64 bits), ERR_LIMIT (depth, size). */
MUST_USE int json_parse(
    struct json *json, struct span text, struct json_value *root, struct err *err);
/* The same without the padding promise (copies). */
MUST_USE int json_parse_copy(
    struct json *json, struct span text, struct json_value *root, struct err *err);

/* Where the tokens of TEXT begin: brackets, colons, commas, strings (at their first quote) and
 * other scalars. Only UTF-8, the closing of strings and control characters in them are checked.
 * Behind the last of COUNT stands TEXT's length. For fmt/flat.h; false where json_parse must say
 * what is wrong. */
bool json_tokens(struct json *json, struct span text, const uint32_t **tokens, size_t *count);

/* Walk an array or object:
 *   struct json_iter it = json_iter(v); struct json_value item; struct span key;
 *   while (json_next(&it, &key, &item)) ...        (key is empty in arrays) */
struct json_iter {
    struct json_value at;
    size_t end;
    bool object;
};

static inline enum json_type
json_type(struct json_value v)
{
    switch (v.tape[v.at] >> 56) {
    case 'f':
        return JSON_FALSE;
    case 't':
        return JSON_TRUE;
    case 'l':
        return JSON_INT;
    case 'u':
        return JSON_UINT;
    case 'd':
        return JSON_FLOAT;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

/* Only of the type named: check first. */
static inline int64_t
json_int(struct json_value v)
{
    return (int64_t)v.tape[v.at + 1];
}

static inline uint64_t
json_uint(struct json_value v)
{
    return v.tape[v.at + 1];
}

static inline double
json_float(struct json_value v)
{
    double value;

    memcpy(&value, &v.tape[v.at + 1], sizeof value);
    return value;
}

/* Unescaped UTF-8 with a NUL behind (and possibly NULs inside); lives with the document. */
static inline struct span
json_string(struct json_value v)
{
    const uint8_t *at = v.strings + (v.tape[v.at] & 0x00ffffffffffffffu);
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return (struct span){(const char *)at + sizeof n, n};
}

/* The index behind the value at AT. */
static inline size_t
json_behind(const uint64_t *tape, size_t at)
{
    switch (tape[at] >> 56) {
    case '[':
    case '{':
        return (uint32_t)tape[at];
    case 'l':
    case 'u':
    case 'd':
        return at + 2;
    default:
        return at + 1;
    }
}

static inline struct json_iter
json_iter(struct json_value v)
{
    size_t end = (uint32_t)v.tape[v.at] - 1;
    bool object = v.tape[v.at] >> 56 == '{';

    v.at++;
    return (struct json_iter){v, end, object};
}

static inline bool
json_next(struct json_iter *it, struct span *key, struct json_value *item)
{
    if (it->at.at >= it->end)
        return false;
    *key = (struct span){NULL, 0};
    if (it->object) {
        *key = json_string(it->at);
        it->at.at++;
    }
    *item = it->at;
    it->at.at = json_behind(it->at.tape, it->at.at);
    return true;
}

/* Member KEY of an object; false if absent or V is no object. The first of duplicates. */
bool json_get(struct json_value v, const char *key, struct json_value *out);
/* ERR_DUPLICATE_KEY if any object in V (nested ones too) names a key twice. */
MUST_USE int json_check_duplicates(struct json_value v, struct err *err);

/* Bytes that a string cannot hold as they are: controls, quote, backslash, DEL. */
static inline bool
json_must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}
/* Is any of the eight bytes of W one of them? */
static inline bool
json_eight_must_escape(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t quote = w ^ ones * '"';
    uint64_t slash = w ^ ones * '\\';
    uint64_t del = w ^ ones * 0x7f;
    uint64_t hit = (w - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones);

    return (hit & ~w & ones << 7) != 0;
}

/* Write TEXT in quotes if nothing in it must be escaped; false: nothing was written. */
bool json_add_plain(struct buf *buf, struct span text);
/* Write: "text" with quotes and escapes; a number; any value as compact JSON. */
void json_add_string(struct buf *buf, struct span text);
void json_add_float(struct buf *buf, double value);
void json_add_value(struct buf *buf, struct json_value v);

#endif
