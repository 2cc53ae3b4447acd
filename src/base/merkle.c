#include "base/merkle.h"

#include <nettle/sha2.h>

/* ---- hashes ---- */

void
merkle_digest(const struct span *parts, size_t count, struct merkle_hash *out)
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    for (size_t i = 0; i < count; i++)
        if (parts[i].n > 0)
            sha256_update(&sha, parts[i].n, (const uint8_t *)parts[i].p);
    sha256_digest(&sha, sizeof out->bytes, out->bytes);
}

void
merkle_empty(struct merkle_hash *out)
{
    merkle_digest(NULL, 0, out);
}

void
merkle_leaf(struct span entry, struct merkle_hash *out)
{
    const struct span parts[] = {{"\0", 1}, entry};

    merkle_digest(parts, 2, out);
}

void
merkle_node(
    const struct merkle_hash *left, const struct merkle_hash *right, struct merkle_hash *out)
{
    uint8_t message[1 + 2 * MERKLE_HASH_BYTES];
    const struct span part = {(const char *)message, sizeof message};

    message[0] = 1;
    memcpy(message + 1, left->bytes, MERKLE_HASH_BYTES);
    memcpy(message + 1 + MERKLE_HASH_BYTES, right->bytes, MERKLE_HASH_BYTES);
    merkle_digest(&part, 1, out);
}

bool
merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* ---- growing ---- */

unsigned
merkle_add(struct merkle_tree *tree, const struct merkle_hash *leaf, struct merkle_hash *made)
{
    unsigned level = 0;

    made[0] = *leaf;
    for (uint64_t size = tree->size; (size & 1) != 0; size >>= 1) {
        merkle_node(&tree->perfect[level], &made[level], &made[level + 1]);
        level++;
    }
    tree->perfect[level] = made[level];
    tree->size++;
    return level + 1;
}

void
merkle_root(const struct merkle_tree *tree, struct merkle_hash *out)
{
    bool begun = false;

    if (tree->size == 0)
        merkle_empty(out);
    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (begun)
            merkle_node(&tree->perfect[level], out, out);
        else
            *out = tree->perfect[level];
        begun = true;
    }
}

void
merkle_root_of(const struct merkle_hash *leaves, size_t count, struct merkle_hash *out)
{
    struct merkle_tree tree = {0};
    struct merkle_hash made[MERKLE_LEVELS];

    for (size_t i = 0; i < count; i++)
        (void)merkle_add(&tree, &leaves[i], made);
    merkle_root(&tree, out);
}

/* ---- proofs ---- */

static unsigned
log2_of(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

/* Where RFC 6962 splits N leaves, N at least 2: the largest power of two below N. */
static uint64_t
split(uint64_t n)
{
    return (uint64_t)1 << log2_of(n - 1);
}

/* The hash over BEGIN up to END, of which BEGIN is where a subtree of that length may begin. */
static int
range(const struct merkle_source *source, uint64_t begin, uint64_t end, struct merkle_hash *out,
    struct err *err)
{
    struct merkle_hash parts[MERKLE_LEVELS];
    unsigned n = 0;

    while (begin < end) {
        unsigned level = log2_of(end - begin);
        int rc = source->hash(source->ctx, level, begin >> level, &parts[n++], err);
        if (rc != 0)
            return rc;
        begin += (uint64_t)1 << level;
    }
    *out = parts[--n];
    while (n > 0)
        merkle_node(&parts[--n], out, out);
    return 0;
}

int
merkle_source_root(
    const struct merkle_source *source, uint64_t size, struct merkle_hash *out, struct err *err)
{
    if (size > 0)
        return range(source, 0, size, out, err);
    merkle_empty(out);
    return 0;
}

static void
turn_round(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct merkle_hash first = proof->hashes[i];
        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = first;
    }
}

/* Which leaves a step of the way down is about; the other half goes into the proof. */
struct way {
    uint64_t begin;
    uint64_t end;
};

static int
step(const struct merkle_source *source, struct way *way, bool left, struct merkle_proof *out,
    struct err *err)
{
    uint64_t middle = way->begin + split(way->end - way->begin);
    struct merkle_hash *sibling = &out->hashes[out->count++];
    uint64_t begin = way->begin;
    uint64_t end = way->end;

    if (left) {
        way->end = middle;
        return range(source, middle, end, sibling, err);
    }
    way->begin = middle;
    return range(source, begin, middle, sibling, err);
}

int
merkle_include(const struct merkle_source *source, uint64_t index, uint64_t size,
    struct merkle_proof *out, struct err *err)
{
    struct way way = {0, size};

    out->count = 0;
    if (index >= size || size > MERKLE_SIZE_MAX)
        return err_set(err, ERR_BAD_VALUE, "there is no entry %llu in a log of %llu",
            (unsigned long long)index, (unsigned long long)size);
    while (way.end - way.begin > 1) {
        bool left = index < way.begin + split(way.end - way.begin);
        int rc = step(source, &way, left, out, err);
        if (rc != 0)
            return rc;
    }
    turn_round(out);
    return 0;
}

/* 0 < OLD < SIZE. WHOLE: with the old tree's last subtree even where it is all of that tree. */
static int
prefix(const struct merkle_source *source, uint64_t old, uint64_t size, bool whole,
    struct merkle_proof *out, struct err *err)
{
    struct way way = {0, size};
    int rc = 0;

    out->count = 0;
    while (rc == 0 && way.end > old)
        rc = step(source, &way, old <= way.begin + split(way.end - way.begin), out, err);
    if (rc == 0 && (whole || way.begin > 0))
        rc = range(source, way.begin, way.end, &out->hashes[out->count++], err);
    turn_round(out);
    return rc;
}

int
merkle_consist(const struct merkle_source *source, uint64_t old, uint64_t size,
    struct merkle_proof *out, struct err *err)
{
    out->count = 0;
    if (old > size || size > MERKLE_SIZE_MAX)
        return err_set(err, ERR_BAD_VALUE, "a log of %llu cannot have been one of %llu",
            (unsigned long long)size, (unsigned long long)old);
    /* Who checks has the old root: where it is a subtree's own, it is not told again. */
    return old == 0 || old == size ? 0 : prefix(source, old, size, false, out, err);
}

int
merkle_prefix(const struct merkle_source *source, uint64_t old, uint64_t size,
    struct merkle_proof *out, struct err *err)
{
    out->count = 0;
    if (old == 0 || old >= size || size > MERKLE_SIZE_MAX)
        return err_set(err, ERR_BAD_VALUE, "a log of %llu does not begin with one of %llu",
            (unsigned long long)size, (unsigned long long)old);
    return prefix(source, old, size, true, out, err);
}

void
merkle_nodes_fill(struct merkle_nodes *nodes)
{
    struct merkle_hash *below = nodes->hashes;

    for (size_t count = nodes->count; count > 1; count /= 2) {
        struct merkle_hash *above = below + count;
        for (size_t i = 0; i < count / 2; i++)
            merkle_node(&below[2 * i], &below[2 * i + 1], &above[i]);
        below = above;
    }
}

static int
get_node(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out, struct err *err)
{
    const struct merkle_nodes *nodes = ctx;
    const struct merkle_hash *row = nodes->hashes;

    if (index >= nodes->count >> level)
        return err_set(err, ERR_INTERNAL, "no such part of a tree");
    for (unsigned below = 0; below < level; below++)
        row += nodes->count >> below;
    *out = row[index];
    return 0;
}

struct merkle_source
merkle_nodes_source(struct merkle_nodes *nodes)
{
    return (struct merkle_source){get_node, nodes};
}

/* ---- checking ---- */

/* A leaf's number and the last one's, as far up the tree as was seen. */
struct climb {
    uint64_t at;
    uint64_t last;
};

static void
up(struct climb *climb)
{
    climb->at >>= 1;
    climb->last >>= 1;
}

/* Is the sibling on the left? Then AT goes up to where it is a right child. */
static bool
left_sibling(struct climb *climb)
{
    if ((climb->at & 1) == 0 && climb->at != climb->last)
        return false;
    while ((climb->at & 1) == 0 && climb->at != 0)
        up(climb);
    return true;
}

bool
merkle_implied(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
    const struct merkle_proof *proof, struct merkle_hash *root)
{
    struct climb climb = {index, size - 1};

    if (index >= size || size > MERKLE_SIZE_MAX || proof->count > MERKLE_PROOF_MAX)
        return false;
    *root = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (climb.last == 0)
            return false;
        if (left_sibling(&climb))
            merkle_node(&proof->hashes[i], root, root);
        else
            merkle_node(root, &proof->hashes[i], root);
        up(&climb);
    }
    return climb.last == 0;
}

bool
merkle_includes(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
    const struct merkle_proof *proof, const struct merkle_hash *root)
{
    struct merkle_hash implied;

    return merkle_implied(leaf, index, size, proof, &implied) && merkle_equal(&implied, root);
}

/* RFC 9162, 2.1.4.2, says the same in words. FIRST is the old tree's last subtree. */
static bool
roots(uint64_t old, uint64_t size, const struct merkle_hash *first, const struct merkle_hash *rest,
    size_t count, struct merkle_hash *before, struct merkle_hash *now)
{
    struct climb climb = {old - 1, size - 1};

    *before = *first;
    *now = *first;
    while ((climb.at & 1) != 0)
        up(&climb);
    for (size_t i = 0; i < count; i++) {
        if (climb.last == 0)
            return false;
        if (left_sibling(&climb)) {
            merkle_node(&rest[i], before, before);
            merkle_node(&rest[i], now, now);
        } else
            merkle_node(now, &rest[i], now);
        up(&climb);
    }
    return climb.last == 0;
}

bool
merkle_prefix_roots(uint64_t old, uint64_t size, const struct merkle_proof *proof,
    struct merkle_hash *before, struct merkle_hash *now)
{
    if (old == 0 || old >= size || size > MERKLE_SIZE_MAX || proof->count == 0
        || proof->count > MERKLE_PROOF_MAX)
        return false;
    return roots(old, size, &proof->hashes[0], &proof->hashes[1], proof->count - 1, before, now);
}

/* OLD is neither 0 nor SIZE. */
static bool
consists(uint64_t old, const struct merkle_hash *old_root, uint64_t size,
    const struct merkle_hash *root, const struct merkle_proof *proof)
{
    bool whole = (old & (old - 1)) == 0; /* the old tree is perfect: its root is not told again */
    const struct merkle_hash *rest = whole ? proof->hashes : &proof->hashes[1];
    struct merkle_hash before;
    struct merkle_hash now;

    return roots(old, size, whole ? old_root : &proof->hashes[0], rest,
               proof->count - (whole ? 0 : 1), &before, &now)
        && merkle_equal(&before, old_root) && merkle_equal(&now, root);
}

bool
merkle_consists(uint64_t old, const struct merkle_hash *old_root, uint64_t size,
    const struct merkle_hash *root, const struct merkle_proof *proof)
{
    struct merkle_hash empty;

    if (old > size || size > MERKLE_SIZE_MAX || proof->count > MERKLE_PROOF_MAX)
        return false;
    merkle_empty(&empty);
    if ((old == 0 && !merkle_equal(old_root, &empty)) || (size == 0 && !merkle_equal(root, &empty)))
        return false;
    if (old == 0)
        return proof->count == 0;
    if (old == size)
        return proof->count == 0 && merkle_equal(old_root, root);
    return proof->count > 0 && consists(old, old_root, size, root, proof);
}
