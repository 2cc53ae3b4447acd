/* json_tape.h: what does simdjson hand over?
 *
 * Private to fmt/json*: the C face of the one C++ file.
 */
#ifndef COMITY_FMT_JSON_TAPE_H
#define COMITY_FMT_JSON_TAPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_tape {
    const uint64_t *words;
    const uint8_t *strings;
};

/* NULL when out of memory. Documents of at most MAX_BYTES and DEPTH levels. */
void *json_tape_new(size_t max_bytes, size_t depth);
void json_tape_free(void *parser);
/* 0 or one of err.h's codes; *WHAT is simdjson's own sentence. TEXT needs 64 readable bytes behind
 * it. */
int json_tape_parse(
    void *parser, const char *text, size_t n, struct json_tape *out, const char **what);

/* Where the tokens of TEXT begin, with UTF-8, quotes and control characters checked, and nothing
 * else. Behind the last one stands N. Lives until the next call with this parser. */
int json_tape_tokens(
    void *parser, const char *text, size_t n, const uint32_t **tokens, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
