/* items.h: which root stands for what a batch delivered, without telling it?
 *
 * Each item is hashed behind a salt of its own, and the root is that of RFC 6962 over these hashes
 * (doc/ledger-format.md). The salts come from the batch's, which only the recipient gets; with an
 * item's own salt one item can be shown to a third party, and no other be guessed.
 */
#ifndef COMITY_FMT_ITEMS_H
#define COMITY_FMT_ITEMS_H

#include "base/merkle.h"

enum { ITEMS_SALT_BYTES = 32, ITEMS_BYTES_MAX = 16 << 20 };

struct items_salt {
    uint8_t bytes[ITEMS_SALT_BYTES];
};

/* The salt of item INDEX: HMAC-SHA-256 under the batch's. */
void items_salt_of(const struct items_salt *batch, uint64_t index, struct items_salt *out);
/* The bytes that count: RFC 8785's of JSON, where it has that form; else the item's as they are,
 * less one newline at the end. ERR_LIMIT beyond ITEMS_BYTES_MAX. */
MUST_USE int items_canonical(struct span item, struct buf *out, struct err *err);
/* The same with the caller's PARSER, for many items. */
struct json;
MUST_USE int items_canonical_with(
    struct json *parser, struct span item, struct buf *out, struct err *err);
/* The same of one that stands in a document that was read; what has no such form is written as
 * json_add_value does, which is how Comity writes what it releases. */
struct json_value;
MUST_USE int items_canonical_value(struct json_value item, struct buf *out, struct err *err);
/* The hash of the leaf that stands for an item, given its canonical bytes. */
void items_leaf(const struct items_salt *salt, struct span canonical, struct merkle_hash *out);

#endif
