/* json.h: what does this JSON text say, and how is JSON written?
 *
 * Reading: strict RFC 8259 by simdjson, whole documents, in one pass. The result is a
 * tape: 64-bit words in document order, so walking it is reading an array. Writing: append to a buf.
 * The tape's format is simdjson's (its doc/tape.md); nobody outside fmt/json* looks at words.
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

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INT, JSON_UINT, JSON_FLOAT, JSON_STRING,
    JSON_ARRAY, JSON_OBJECT };

/* A place in a parsed document; by value, valid until the next json_parse. */
struct json_value {
    const uint64_t *tape;
    const uint8_t *strings;
    size_t at;
};

/* Parse one document. TEXT must have INPUT_PADDING readable bytes behind it.
 * Errors: ERR_BAD_JSON, ERR_BAD_UTF8, ERR_BAD_NUMBER (beyond 64 bits), ERR_LIMIT (depth, size). */
MUST_USE int json_parse(struct json *json, struct span text, struct json_value *root, struct err *err);
/* The same without the padding promise (copies). */
MUST_USE int json_parse_copy(struct json *json, struct span text, struct json_value *root, struct err *err);

enum json_type json_type(struct json_value v);
/* Only of the type named; check first. */
int64_t json_int(struct json_value v);
uint64_t json_uint(struct json_value v);
double json_float(struct json_value v);
/* Unescaped UTF-8 with a NUL behind (and possibly NULs inside); lives with the document. */
struct span json_string(struct json_value v);

/* Walk an array or object:
 *   struct json_iter it = json_iter(v); struct json_value item; struct span key;
 *   while (json_next(&it, &key, &item)) ...        (key is empty in arrays) */
struct json_iter {
    struct json_value at;
    size_t end;
    bool object;
};
struct json_iter json_iter(struct json_value v);
bool json_next(struct json_iter *it, struct span *key, struct json_value *item);
/* Member KEY of an object; false if absent or V is no object. The first of duplicates. */
bool json_get(struct json_value v, const char *key, struct json_value *out);
/* ERR_DUPLICATE_KEY if any object in V (nested ones too) names a key twice. */
MUST_USE int json_check_duplicates(struct json_value v, struct err *err);

/* Write: "text" with quotes and escapes; a number; any value as compact JSON. */
void json_add_string(struct buf *buf, struct span text);
void json_add_float(struct buf *buf, double value);
void json_add_value(struct buf *buf, struct json_value v);

#endif
