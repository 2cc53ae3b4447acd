/* doc.h: does this JSON object say just what its kind of document may say?
 *
 * Strict reading for documents that people write: agreements and feeds. The first fault is kept
 * in words (file, place, key, what would be right) and reading goes on, so that the rest is known
 * too.
 */
#ifndef COMITY_FLOW_DOC_H
#define COMITY_FLOW_DOC_H

#include "base/mem.h"
#include "fmt/json.h"

enum {
    DOC_TEXT_MAX = 4096,
    DOC_LIST_MAX = 10000,
    DOC_PLACE_BYTES = 128,
    DOC_FILE_BYTES_MAX = 16 << 20
};

/* Hears every fault, not only the first: what stands where, and what is wrong with it. */
struct doc_listener {
    void (*hear)(
        void *ctx, struct span file, const char *place, const char *key, struct span words);
    void *ctx;
};

struct doc {
    struct arena *arena;                 /* results and words */
    struct span file;                    /* for messages */
    char place[DOC_PLACE_BYTES];         /* "clause 3.1"; "": the document */
    struct span why;                     /* the first fault; n 0: none */
    bool full;                           /* the arena is */
    const struct doc_listener *listener; /* NULL: nobody */
};

/* Reads the value of KEY into TARGET; returns false after doc_fault. */
typedef bool doc_reader(struct doc *doc, const char *key, struct json_value value, void *target);
struct doc_key {
    const char *name;
    const char *wanted; /* what to do if it is missing; NULL: it may be */
    doc_reader *read;
};

void doc_fault(struct doc *doc, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Calls the reader of every key there is. SEEN (COUNT entries) tells which keys were read well.
 * False if VALUE is no object, or names an unknown key or one twice, or lacks a required one. */
bool doc_object(struct doc *doc, struct json_value value, const struct doc_key *keys, size_t count,
    void *target, bool *seen);

/* Results are copies in the arena. Texts hold at least one and at most MAX bytes, no control bytes.
 */
bool doc_text(
    struct doc *doc, const char *key, struct json_value value, size_t max, struct span *out);
/* SIZE bytes in base64 (RFC 4648, section 4). */
bool doc_base64(
    struct doc *doc, const char *key, struct json_value value, uint8_t *out, size_t size);
bool doc_bool(struct doc *doc, const char *key, struct json_value value, bool *out);
/* One of WORDS, as its position; -1 after doc_fault. */
int doc_word(struct doc *doc, const char *key, struct json_value value, const char *const *words,
    size_t count);
/* A list of at most DOC_LIST_MAX values: its length, or -1 after doc_fault. */
int64_t doc_list(struct doc *doc, const char *key, struct json_value value);
bool doc_texts(struct doc *doc, const char *key, struct json_value value, size_t max,
    const struct span **out, size_t *count);
/* A label of TLP 2.0: its enum tlp. */
bool doc_tlp(struct doc *doc, const char *key, struct json_value value, uint8_t *out);
/* A date (midnight, UTC) or a date and time with its offset, in microseconds. */
bool doc_time(struct doc *doc, const char *key, struct json_value value, int64_t *out);
/* Does TEXT look like SHAPE, where 0 is a digit, x a hexadecimal one and all else itself? */
bool doc_shape(struct span text, const char *shape);
/* Zeroed; NULL (and full set) when the arena is full. */
void *doc_alloc(struct doc *doc, size_t count, size_t size);

/* A whole file's bytes in ARENA with a NUL behind. Errors: ERR_NOT_FOUND, ERR_IO; ERR_LIMIT beyond
 * DOC_FILE_BYTES_MAX. */
MUST_USE int doc_file(struct arena *arena, const char *path, struct span *out, struct err *err);

#endif
