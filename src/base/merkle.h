/* merkle.h: which one hash stands for this whole list, and what shows that an item stands in it?
 *
 * RFC 6962, section 2.1, over SHA-256: hashes of leaves and nodes, a tree that grows by appending,
 * proofs of inclusion and of consistency, and the checking of both. Pure: no I/O, no allocation.
 * Sizes and indexes are below 2^63.
 */
#ifndef COMITY_BASE_MERKLE_H
#define COMITY_BASE_MERKLE_H

#include "base/str.h"

enum {
    MERKLE_HASH_BYTES = 32,
    MERKLE_LEVELS = 64,
    MERKLE_PROOF_MAX = 64, /* hashes; of inclusion at most 63 */
};
/* Sizes from here on are refused. */
#define MERKLE_SIZE_MAX ((uint64_t)INT64_MAX)

struct merkle_hash {
    uint8_t bytes[MERKLE_HASH_BYTES];
};

struct merkle_proof {
    struct merkle_hash hashes[MERKLE_PROOF_MAX];
    size_t count;
};

/* SHA-256 of PARTS, one behind the other. */
void merkle_digest(const struct span *parts, size_t count, struct merkle_hash *out);
void merkle_empty(struct merkle_hash *out);
void merkle_leaf(struct span entry, struct merkle_hash *out);
/* OUT may be LEFT or RIGHT. */
void merkle_node(
    const struct merkle_hash *left, const struct merkle_hash *right, struct merkle_hash *out);
bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);

/* A tree that grows: the roots of its perfect subtrees, one for each bit of its size. Zeroed, it is
 * empty. */
struct merkle_tree {
    uint64_t size;
    struct merkle_hash perfect[MERKLE_LEVELS];
};
/* Appends. MADE (MERKLE_LEVELS entries) gets the perfect subtrees that end with this leaf: MADE[0]
 * is the leaf's hash, MADE[1] that of the two last leaves if the size is now even, and so on; how
 * many there are is returned. On average one node is hashed for a leaf. */
unsigned merkle_add(
    struct merkle_tree *tree, const struct merkle_hash *leaf, struct merkle_hash *made);
void merkle_root(const struct merkle_tree *tree, struct merkle_hash *out);
/* The root over COUNT hashes of leaves. */
void merkle_root_of(const struct merkle_hash *leaves, size_t count, struct merkle_hash *out);

/* Where proofs get the hash of the perfect subtree over leaves INDEX * 2^LEVEL and the 2^LEVEL - 1
 * behind it. */
struct merkle_source {
    int (*hash)(
        void *ctx, unsigned level, uint64_t index, struct merkle_hash *out, struct err *err);
    void *ctx;
};
/* All perfect subtrees over COUNT leaves: their hashes, then those of pairs, of fours and so on; at
 * most 2 * COUNT hashes in all. */
struct merkle_nodes {
    struct merkle_hash *hashes; /* the caller's */
    size_t count;
};
/* Fill in what follows from the leaves, which are there; one node is hashed for a leaf. */
void merkle_nodes_fill(struct merkle_nodes *nodes);
struct merkle_source merkle_nodes_source(struct merkle_nodes *nodes);

/* The root over the first SIZE leaves. Errors: the source's. */
MUST_USE int merkle_source_root(
    const struct merkle_source *source, uint64_t size, struct merkle_hash *out, struct err *err);
/* RFC 6962, 2.1.1: that leaf INDEX stands in the tree of SIZE. ERR_BAD_VALUE: it does not. */
MUST_USE int merkle_include(const struct merkle_source *source, uint64_t index, uint64_t size,
    struct merkle_proof *out, struct err *err);
/* RFC 6962, 2.1.2: that the tree of OLD is the beginning of that of SIZE. Empty when OLD is 0 or
 * SIZE. ERR_BAD_VALUE: OLD is larger. */
MUST_USE int merkle_consist(const struct merkle_source *source, uint64_t old, uint64_t size,
    struct merkle_proof *out, struct err *err);
/* What the first OLD leaves of the tree of SIZE are, 0 < OLD < SIZE: as merkle_consist, but always
 * with the hash of the old tree's last subtree in front, so that both roots follow from it, and
 * nobody's word for the old one is needed. ERR_BAD_VALUE: other sizes. */
MUST_USE int merkle_prefix(const struct merkle_source *source, uint64_t old, uint64_t size,
    struct merkle_proof *out, struct err *err);

/* Which root follows from leaf INDEX and PROOF in a tree of SIZE? False: the proof has not the
 * length that such a tree needs. */
bool merkle_implied(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
    const struct merkle_proof *proof, struct merkle_hash *root);
bool merkle_includes(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
    const struct merkle_proof *proof, const struct merkle_hash *root);
/* The empty tree is consistent with every tree, by an empty proof. */
bool merkle_consists(uint64_t old, const struct merkle_hash *old_root, uint64_t size,
    const struct merkle_hash *root, const struct merkle_proof *proof);
/* Which roots follow from a proof of merkle_prefix? Only if NOW is the root of a tree of SIZE is
 * BEFORE the one over its first OLD leaves. False: it has not the length that such a tree needs. */
bool merkle_prefix_roots(uint64_t old, uint64_t size, const struct merkle_proof *proof,
    struct merkle_hash *before, struct merkle_hash *now);

#endif
