/* piece.h: which objects lie in a piece, and where?
 *
 * Inside this folder only. What store_append is given is cut into pieces of at most PIECE_OBJECTS
 * objects, so that a page opens one or two of them whatever was appended at once. The entries of a
 * piece (doc/store-schema.md, piece_body.entries) say what is asked of an object without opening
 * its body.
 */
#ifndef COMITY_STORE_SQLITE_PIECE_H
#define COMITY_STORE_SQLITE_PIECE_H

#include "store/sqlite/db.h"

enum { PIECE_OBJECTS = 128, PIECE_BYTES = 256 << 10 };

enum entry_flag { ENTRY_LAST = 1, ENTRY_FIRST = 2 };
enum { ENTRY_TEXT = 255 }; /* instead of a type: the id is no "type--UUID" */

struct entry {
    uint8_t type; /* index of the type's name, or ENTRY_TEXT */
    uint8_t spec;
    uint8_t flags;
    uint8_t unused;
    uint32_t at; /* in the body */
    uint32_t n;
    uint32_t added; /* date_added less the piece's first */
    int64_t version_us;
    union {
        uint8_t uuid[16];
        struct {
            uint32_t at; /* in the entries */
            uint32_t n;
        } text;
    } id;
};
_Static_assert(sizeof(struct entry) == 40, "as doc/store-schema.md has it");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "entries are little-endian");

/* Entries as they lie in the store. */
struct entries {
    const struct entry *all;
    uint32_t count;
    struct span bytes;
    struct span types[ENTRY_TEXT];
    uint32_t type_count;
};
/* BYTES must be aligned for an entry and outlive OUT. ERR_BAD_STORE. */
MUST_USE int entries_read(struct span bytes, struct entries *out, struct err *err);
struct span entries_type(const struct entries *entries, const struct entry *entry);
/* Into OUT, which has STORE_ID_BYTES; the length. */
size_t entries_id(const struct entries *entries, const struct entry *entry, char *out);

enum { ENTRIES_HEAD = 8 };
/* The id's UUID, if it is "TYPE--UUID" in lower case and so comes back the same from its parts. */
bool entry_uuid(struct span id, struct span *type, uint8_t uuid[16]);
/* What stands before "--" in an id that is kept as text; n 0: nothing. */
struct span entry_text_type(struct span id);

/* What the filter of a piece is asked. */
uint64_t piece_key_id(struct span id);
uint64_t piece_key_type(struct span type);

/* A stored piece, in work buffers until the next is loaded. */
struct piece {
    uint64_t number;
    uint32_t collection;
    int64_t last_us;
    int64_t first_us;
    uint32_t objects;
    uint32_t lasts;
    bool indexed;
    struct entries entries;
    uint32_t raw_bytes;
};
/* PACKED (may be NULL) gets the body too, in ARENA. */
MUST_USE int piece_load(struct store *store, uint64_t number, struct arena *arena,
    struct piece *out, struct span *packed, struct err *err);
/* Flags of the object that was added at ADDED_US in piece NUMBER. */
MUST_USE int piece_flag(struct store *store, uint64_t number, int64_t added_us, uint8_t set,
    uint8_t clear, struct err *err);
/* remove.c: take out all that the piece has, and the piece. */
MUST_USE int piece_empty(
    struct store *store, uint32_t collection, uint64_t number, struct err *err);

#endif
