#include "base/base64.h"
#include "base/merkle.h"
#include "base/tile.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { LEAVES = 700, ROUNDS = 3000, REFERENCE = 8 };

static struct merkle_hash leaves[2 * LEAVES];
static struct merkle_nodes all = {leaves, LEAVES};

/* Certificate Transparency's reference leaves and the roots over the first 1 to 8 of them. */
static const struct span inputs[REFERENCE] = {SPAN(""), SPAN("\x00"), SPAN("\x10"),
    SPAN("\x20\x21"), SPAN("\x30\x31"), SPAN("\x40\x41\x42\x43"),
    SPAN("\x50\x51\x52\x53\x54\x55\x56\x57"),
    SPAN("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f")};
static const char *const roots[REFERENCE] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void
is_hex(const struct merkle_hash *hash, const char *wanted)
{
    char hex[2 * MERKLE_HASH_BYTES + 1];

    (void)sodium_bin2hex(hex, sizeof hex, hash->bytes, sizeof hash->bytes);
    assert_string_equal(hex, wanted);
}

static void
roots_are_those_of_the_reference(void **state)
{
    struct merkle_tree tree = {0};
    struct merkle_hash made[MERKLE_LEVELS];
    struct merkle_hash leaf[REFERENCE];
    struct merkle_hash root;

    (void)state;
    merkle_root(&tree, &root);
    is_hex(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < REFERENCE; i++) {
        merkle_leaf(inputs[i], &leaf[i]);
        (void)merkle_add(&tree, &leaf[i], made);
        merkle_root(&tree, &root);
        is_hex(&root, roots[i]);
        merkle_root_of(leaf, i + 1, &root);
        is_hex(&root, roots[i]);
    }
}

struct reference_proof {
    bool consistency;
    uint64_t first; /* index or old size */
    uint64_t size;
    const char *hashes[4];
};

static void
proofs_are_those_of_the_reference(void **state)
{
    static const struct reference_proof rows[] = {
        {false, 0, 8,
            {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
        {false, 5, 8,
            {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
        {false, 2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
        {false, 1, 5,
            {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
        {false, 0, 1, {NULL}}, {true, 1, 1, {NULL}},
        {true, 1, 8,
            {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
        {true, 6, 8,
            {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
        {true, 2, 5,
            {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
    struct merkle_hash leaf[2 * REFERENCE];
    struct merkle_nodes reference = {leaf, REFERENCE};
    struct merkle_source source = merkle_nodes_source(&reference);
    struct merkle_proof proof;

    (void)state;
    for (size_t i = 0; i < REFERENCE; i++)
        merkle_leaf(inputs[i], &leaf[i]);
    merkle_nodes_fill(&reference);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        int rc = rows[r].consistency
            ? merkle_consist(&source, rows[r].first, rows[r].size, &proof, NULL)
            : merkle_include(&source, rows[r].first, rows[r].size, &proof, NULL);
        assert_int_equal(rc, 0);
        size_t n = 0;
        while (n < 4 && rows[r].hashes[n] != NULL)
            n++;
        assert_int_equal(proof.count, n);
        for (size_t i = 0; i < n; i++)
            is_hex(&proof.hashes[i], rows[r].hashes[i]);
    }
}

static uint64_t seed = 7;

static uint64_t
below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* One bit of the proof, or its length, changed. */
static void
spoil(struct merkle_proof *proof)
{
    switch (below(4)) {
    case 0:
        if (proof->count < MERKLE_PROOF_MAX) {
            proof->hashes[proof->count++] = leaves[below(LEAVES)];
            return;
        }
        break;
    case 1:
        if (proof->count > 0) {
            proof->count--;
            return;
        }
        break;
    default:
        break;
    }
    if (proof->count == 0)
        proof->hashes[proof->count++] = leaves[0];
    else
        proof->hashes[below(proof->count)].bytes[below(MERKLE_HASH_BYTES)] ^=
            (uint8_t)(1u << below(8));
}

static void
every_inclusion_verifies_and_no_other(void **state)
{
    struct merkle_source source = merkle_nodes_source(&all);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t size = 1 + below(LEAVES);
        uint64_t index = below(size);
        struct merkle_proof proof;
        struct merkle_hash root;
        merkle_root_of(leaves, size, &root);
        assert_int_equal(merkle_include(&source, index, size, &proof, NULL), 0);
        assert_true(merkle_includes(&leaves[index], index, size, &proof, &root));
        assert_false(merkle_includes(&leaves[(index + 1) % LEAVES], index, size, &proof, &root));
        uint64_t other = below(size);
        assert_true(other == index || !merkle_includes(&leaves[index], other, size, &proof, &root));
        spoil(&proof);
        assert_false(merkle_includes(&leaves[index], index, size, &proof, &root));
    }
}

static void
both_roots_follow(const struct merkle_source *source, uint64_t old, uint64_t size,
    const struct merkle_hash *old_root, const struct merkle_hash *root)
{
    struct merkle_proof proof;
    struct merkle_hash before;
    struct merkle_hash now;

    assert_int_equal(merkle_prefix(source, old, size, &proof, NULL), 0);
    assert_true(merkle_prefix_roots(old, size, &proof, &before, &now));
    assert_true(merkle_equal(&before, old_root));
    assert_true(merkle_equal(&now, root));
    proof.count++;
    assert_false(merkle_prefix_roots(old, size, &proof, &before, &now) && merkle_equal(&now, root));
}

static void
every_consistency_verifies_and_no_other(void **state)
{
    struct merkle_source source = merkle_nodes_source(&all);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t size = 1 + below(LEAVES);
        uint64_t old = below(size + 1);
        struct merkle_proof proof;
        struct merkle_hash root;
        struct merkle_hash old_root;
        struct merkle_hash wrong;
        merkle_root_of(leaves, size, &root);
        merkle_root_of(leaves, old, &old_root);
        assert_int_equal(merkle_consist(&source, old, size, &proof, NULL), 0);
        assert_true(merkle_consists(old, &old_root, size, &root, &proof));
        if (old > 0 && old < size)
            both_roots_follow(&source, old, size, &old_root, &root);
        wrong = old_root;
        wrong.bytes[below(MERKLE_HASH_BYTES)] ^= (uint8_t)(1u << below(8));
        assert_false(merkle_consists(old, &wrong, size, &root, &proof));
        if (old > 0) {
            wrong = root;
            wrong.bytes[below(MERKLE_HASH_BYTES)] ^= (uint8_t)(1u << below(8));
            assert_false(merkle_consists(old, &old_root, size, &wrong, &proof));
            assert_false(merkle_consists(old, &old_root, old - 1, &root, &proof));
        }
        spoil(&proof);
        assert_false(merkle_consists(old, &old_root, size, &root, &proof));
    }
}

static void
what_is_no_tree_is_refused(void **state)
{
    struct merkle_source source = merkle_nodes_source(&all);
    struct merkle_proof proof = {.count = 0};
    struct merkle_hash empty;

    (void)state;
    merkle_empty(&empty);
    assert_int_equal(merkle_include(&source, 5, 5, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_include(&source, 0, UINT64_MAX, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_consist(&source, 6, 5, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_prefix(&source, 0, 5, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_prefix(&source, 5, 5, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_prefix(&source, 5, UINT64_MAX, &proof, NULL), ERR_BAD_VALUE);
    assert_int_equal(merkle_include(&source, 0, LEAVES + 1, &proof, NULL), ERR_INTERNAL);
    proof.count = 0;
    assert_false(merkle_includes(&leaves[0], 0, 0, &proof, &empty));
    assert_true(merkle_consists(0, &empty, 0, &empty, &proof));
    assert_false(merkle_consists(0, &leaves[0], 0, &empty, &proof));
    assert_false(merkle_consists(0, &leaves[0], 0, &leaves[0], &proof));
    assert_true(merkle_consists(0, &empty, 9, &leaves[3], &proof));
    assert_false(merkle_consists(4, &leaves[0], 9, &leaves[3], &proof));
    assert_false(merkle_consists(3, &leaves[0], 9, &leaves[3], &proof));
    proof.count = MERKLE_PROOF_MAX + 1;
    assert_false(merkle_includes(&leaves[0], 0, MERKLE_SIZE_MAX, &proof, &empty));
    assert_false(merkle_consists(3, &leaves[0], 9, &leaves[3], &proof));
}

/* C2SP tlog-tiles' own examples, and shapes that look like paths. */
static void
tiles_have_one_path_each(void **state)
{
    static const struct {
        struct tile tile;
        const char *path;
    } rows[] = {{{1234067, 256, 0, false}, "tile/0/x001/x234/067"},
        {{0, 112, 3, false}, "tile/3/000.p/112"}, {{999, 256, 63, false}, "tile/63/999"},
        {{1000, 1, 0, true}, "tile/entries/x001/000.p/1"},
        {{(uint64_t)1 << 55, 255, 0, true}, "tile/entries/x036/x028/x797/x018/x963/968.p/255"}};
    static const char *const wrong[] = {"", "tile", "tile/0", "tile/0/", "tile/0/1", "tile/00/001",
        "tile/64/001", "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/0/001.p/0",
        "tile/0/001.p/256", "tile/0/001.p/01", "tile/0/001.p/", "tile/0/001.p", "tile/0/001.p/1/",
        "/tile/0/001", "tile/0/001/", "tile/-1/001", "tile/0/x001.p/001", "tile/0/../001",
        "tile/entries/0", "tile/x/001", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/99a",
        "tile/0/0001"};
    char path[TILE_PATH_BYTES];
    struct tile tile;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(tile_path(&rows[i].tile, path), strlen(rows[i].path));
        assert_string_equal(path, rows[i].path);
        assert_true(tile_parse(span_of(path), &tile));
        assert_true(tile.number == rows[i].tile.number && tile.width == rows[i].tile.width
            && tile.level == rows[i].tile.level && tile.entries == rows[i].tile.entries);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (tile_parse(span_of(wrong[i]), &tile))
            fail_msg("\"%s\" was taken for a tile's path", wrong[i]);
    /* tlog-tiles: a log of 70,000 */
    assert_int_equal(tile_width(70000, 0, 272), 256);
    assert_int_equal(tile_width(70000, 0, 273), 112);
    assert_int_equal(tile_width(70000, 0, 274), 0);
    assert_int_equal(tile_width(70000, 1, 0), 256);
    assert_int_equal(tile_width(70000, 1, 1), 17);
    assert_int_equal(tile_width(70000, 2, 0), 1);
    assert_int_equal(tile_width(70000, 3, 0), 0);
    assert_int_equal(tile_width(256, 1, 0), 1);
    assert_int_equal(tile_width(0, 0, 0), 0);
    assert_int_equal(tile_width(1, 8, 0), 0);
}

static void
base64_is_strict(void **state)
{
    static const char *const wrong[] = {"Zg", "Zg=", "Zh==", "Zg==\n",
        " Zg==", "Zg==Zg==", "Z-8=", "=", "Zm9v=", "Zm9vY", "Zm9=", "Z===", "====", "Zg==Zm9v",
        "Zm9\x97", "\xc3\xa9\x39v", "Zm9vYg=a"};
    char out[16];
    size_t n;

    (void)state;
    assert_true(base64_read(SPAN("Zm9vYmE="), out, sizeof out, &n) && n == 5);
    assert_memory_equal(out, "fooba", 5);
    assert_true(base64_read(SPAN(""), out, sizeof out, &n) && n == 0);
    assert_false(base64_read(SPAN("Zm9vYmE="), out, 4, &n));
    assert_false(base64_exact(SPAN("Zm9vYmE="), out, 6));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (base64_read(span_of(wrong[i]), out, sizeof out, &n))
            fail_msg("\"%s\" was taken for base64", wrong[i]);
}

/* For URLs as strict, with two other letters and no padding; what others write need not be. */
static void
base64_has_other_forms(void **state)
{
    static const char *const wrong[] = {"_-8=", "+/8", "_-9", "A", "AAAAA", "_-8\n", "_-8\x97"};
    char out[16];
    size_t n = 0;
    struct buf text = buf_new(100);

    (void)state;
    base64_add_url(&text, "\xff\xef", 2);
    assert_true(span_equal(buf_span(&text), SPAN("_-8")));
    base64_add_url(&text, "foob", 4);
    assert_true(span_equal(buf_span(&text), SPAN("_-8Zm9vYg")));
    buf_free(&text);
    assert_true(base64_read_url(SPAN("_-8"), out, 2, &n) && n == 2);
    assert_memory_equal(out, "\xff\xef", 2);
    assert_false(base64_read_url(SPAN("_-8"), out, 1, &n));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (base64_read_url(span_of(wrong[i]), out, sizeof out, &n))
            fail_msg("\"%s\" was taken for base64 of a URL", wrong[i]);
    static const char *const lax[] = {"Zm9vYg==", "Zm9vYg", "Zm9vYg=", "Zm9vYg===", "Zm9vYh=="};
    for (size_t i = 0; i < sizeof lax / sizeof lax[0]; i++) {
        assert_true(base64_read_lax(span_of(lax[i]), out, sizeof out, &n) && n == 4);
        assert_memory_equal(out, "foob", 4);
    }
    assert_false(base64_read_lax(SPAN("Zm9vY"), out, sizeof out, &n));
    assert_false(base64_read_lax(SPAN("Zm9v Yg=="), out, sizeof out, &n));
    assert_false(base64_read_lax(SPAN("Zm9vYg=="), out, 3, &n));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(roots_are_those_of_the_reference),
        cmocka_unit_test(proofs_are_those_of_the_reference),
        cmocka_unit_test(every_inclusion_verifies_and_no_other),
        cmocka_unit_test(every_consistency_verifies_and_no_other),
        cmocka_unit_test(what_is_no_tree_is_refused), cmocka_unit_test(tiles_have_one_path_each),
        cmocka_unit_test(base64_is_strict), cmocka_unit_test(base64_has_other_forms)};

    for (size_t i = 0; i < LEAVES; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "leaf %zu", i);
        merkle_leaf((struct span){text, (size_t)n}, &leaves[i]);
    }
    merkle_nodes_fill(&all);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
