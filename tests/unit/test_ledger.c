#include "fmt/ledger_proof.h"
#include "store/ledger.h"
#include "store/tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { MEMORY = 64 << 20, MANY = 66000 };

static uint64_t seed = 3;

static uint64_t
below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Entry I of every log here. */
static struct span
entry(uint64_t i, char text[32])
{
    int n = snprintf(text, 32, "%*s%llu", (int)(i % 7), "", (unsigned long long)i);

    return (struct span){text, (size_t)n};
}

static void
leaf_of(uint64_t i, struct merkle_hash *out)
{
    char text[32];

    merkle_leaf(entry(i, text), out);
}

static void
grow(struct ledger *ledger, uint64_t until)
{
    char text[32];
    uint64_t index;

    while (ledger_size(ledger) < until) {
        uint64_t next = ledger_size(ledger);
        assert_int_equal(ledger_append(ledger, entry(next, text), &index, NULL), 0);
        assert_int_equal(index, next);
    }
    assert_int_equal(ledger_flush(ledger, NULL), 0);
}

/* The root over the first SIZE entries, one leaf behind the other. */
static struct merkle_hash
plain_root(uint64_t size)
{
    struct merkle_tree tree = {0};
    struct merkle_hash made[MERKLE_LEVELS];
    struct merkle_hash leaf;
    struct merkle_hash root;

    for (uint64_t i = 0; i < size; i++) {
        leaf_of(i, &leaf);
        (void)merkle_add(&tree, &leaf, made);
    }
    merkle_root(&tree, &root);
    return root;
}

static void
check_size(const struct resources *resources, uint64_t size, int proofs)
{
    struct tiles *tiles = tiles_new(resources, size);
    struct merkle_source source = tiles_source(tiles);
    struct merkle_hash wanted = plain_root(size);
    struct merkle_hash root;
    struct merkle_hash leaf;
    struct merkle_proof proof;
    struct buf bytes = buf_new(TILE_ENTRY_MAX);
    char text[32];

    assert_int_equal(merkle_source_root(&source, size, &root, NULL), 0);
    assert_true(merkle_equal(&root, &wanted));
    for (int i = 0; size > 0 && i < proofs; i++) {
        uint64_t index = below(size);
        leaf_of(index, &leaf);
        assert_int_equal(merkle_include(&source, index, size, &proof, NULL), 0);
        assert_true(merkle_includes(&leaf, index, size, &proof, &root));
        bytes.n = 0;
        assert_int_equal(tiles_entry(tiles, index, &bytes, NULL), 0);
        assert_true(span_equal(buf_span(&bytes), entry(index, text)));
        uint64_t old = below(size + 1);
        struct merkle_hash old_root = plain_root(old);
        assert_int_equal(merkle_consist(&source, old, size, &proof, NULL), 0);
        assert_true(merkle_consists(old, &old_root, size, &root, &proof));
    }
    assert_int_equal(tiles_entry(tiles, size, &bytes, NULL), ERR_BAD_VALUE);
    buf_free(&bytes);
    tiles_free(tiles);
}

/* Grown in steps, and opened again after each, as a node does that is restarted. */
static void
a_log_that_is_opened_again_goes_on(void **state)
{
    static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 300, 511, 512, 1000, 5000};
    struct resources_memory *memory = resources_memory_new(MEMORY);
    struct resources resources = resources_memory_view(memory);
    struct merkle_hash root;
    struct ledger *ledger;
    uint64_t before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        root = plain_root(before);
        assert_int_equal(ledger_open(&resources, before, &root, &ledger, NULL), 0);
        grow(ledger, sizes[i]);
        ledger_free(ledger);
        check_size(&resources, sizes[i], 20);
        before = sizes[i];
    }
    /* The checkpoint of 5000 was never published: 1000 is gone on from, over what is there. */
    root = plain_root(1000);
    assert_int_equal(ledger_open(&resources, 1000, &root, &ledger, NULL), 0);
    grow(ledger, 1300);
    ledger_free(ledger);
    check_size(&resources, 1300, 20);
    /* Another root than the tiles', and tiles that are not there. */
    root.bytes[0] ^= 1;
    assert_int_equal(ledger_open(&resources, 1000, &root, &ledger, NULL), ERR_BAD_STORE);
    assert_int_equal(ledger_open(&resources, 100000, &root, &ledger, NULL), ERR_BAD_STORE);
    assert_null(ledger);
    resources_memory_free(memory);
}

static size_t
bytes_of(const struct resources *resources, const char *path)
{
    struct buf bytes = buf_new(RESOURCES_BYTES_MAX);
    int rc = resources->get(resources->ctx, path, &bytes, NULL);
    size_t n = rc == 0 ? bytes.n : 0;

    buf_free(&bytes);
    return n;
}

/* tlog-tiles: full tiles at every level, partial ones only of the last size. */
static void
a_large_log_has_the_tiles_it_must_have(void **state)
{
    struct resources_memory *memory = resources_memory_new(MEMORY);
    struct resources resources = resources_memory_view(memory);
    struct ledger *ledger;
    char path[TILE_PATH_BYTES];

    (void)state;
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    grow(ledger, 200);
    grow(ledger, MANY);
    ledger_free(ledger);
    check_size(&resources, MANY, 5);
    for (unsigned level = 0; level < TILE_LEVELS; level++)
        for (uint64_t number = 0; tile_width(MANY, level, number) > 0; number++) {
            struct tile tile = {number, tile_width(MANY, level, number), (uint8_t)level, false};
            (void)tile_path(&tile, path);
            assert_int_equal(bytes_of(&resources, path), 32u * tile.width);
        }
    assert_int_equal(bytes_of(&resources, "tile/0/000.p/200"), 0);
    assert_int_equal(bytes_of(&resources, "tile/2/000.p/1"), 32);
    resources_memory_free(memory);
}

static void
a_folder_keeps_what_memory_keeps(void **state)
{
    char path[] = "/tmp/comity-ledger-XXXXXX";
    char command[64];
    struct resources_folder *folder;
    struct ledger *ledger;

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(resources_folder_open(path, &folder, NULL), 0);
    struct resources resources = resources_folder_view(folder);
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    grow(ledger, 10);
    assert_int_equal(bytes_of(&resources, "tile/0/000.p/10"), 320);
    grow(ledger, 260);
    ledger_free(ledger);
    assert_int_equal(bytes_of(&resources, "tile/0/000.p/10"), 0);
    assert_int_equal(bytes_of(&resources, "tile/entries/000.p/10"), 0);
    check_size(&resources, 260, 20);
    struct buf bytes = buf_new(10);
    assert_int_equal(resources.get(resources.ctx, "tile/0", &bytes, NULL), ERR_IO);
    assert_int_equal(resources.get(resources.ctx, "tile/0/000", &bytes, NULL), ERR_LIMIT);
    assert_int_equal(resources.get(resources.ctx, "tile/9/000", &bytes, NULL), ERR_NOT_FOUND);
    buf_free(&bytes);
    resources_folder_close(folder);
    assert_int_equal(resources_folder_open("/nonexistent/log", &folder, NULL), ERR_NOT_FOUND);
    (void)snprintf(command, sizeof command, "rm -r %s", path);
    assert_int_equal(system(command), 0);
}

static void
damaged_resources_are_found(void **state)
{
    static const struct span wrong[] = {SPAN(""), SPAN("x"), SPAN("\xff\xff...")};
    struct resources_memory *memory = resources_memory_new(MEMORY);
    struct resources resources = resources_memory_view(memory);
    struct buf out = buf_new(TILE_BUNDLE_MAX);
    struct merkle_hash hash;
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    grow(ledger, 3);
    ledger_free(ledger);
    for (size_t i = 0; i < 3; i++) {
        struct tiles *tiles = tiles_new(&resources, 3);
        assert_int_equal(resources.put(resources.ctx, "tile/0/000.p/3", wrong[i], NULL), 0);
        assert_int_equal(resources.put(resources.ctx, "tile/entries/000.p/3", wrong[i], NULL), 0);
        assert_int_equal(tiles_hash(tiles, 0, 0, &hash, NULL), ERR_BAD_STORE);
        assert_int_equal(tiles_bundle(tiles, 0, &out, NULL), ERR_BAD_STORE);
        assert_int_equal(tiles_hash(tiles, 0, 3, &hash, NULL), ERR_BAD_VALUE);
        assert_int_equal(tiles_hash(tiles, 1, 1, &hash, NULL), ERR_BAD_VALUE);
        tiles_free(tiles);
    }
    buf_free(&out);
    resources_memory_free(memory);
}

static void
what_is_too_large_is_refused(void **state)
{
    struct resources_memory *memory = resources_memory_new(100);
    struct resources resources = resources_memory_view(memory);
    struct ledger *ledger;
    char *large = calloc(1, TILE_ENTRY_MAX + 1);

    (void)state;
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    assert_int_equal(
        ledger_append(ledger, (struct span){large, TILE_ENTRY_MAX + 1}, NULL, NULL), ERR_LIMIT);
    assert_int_equal(ledger_size(ledger), 0);
    assert_int_equal(ledger_append(ledger, (struct span){large, TILE_ENTRY_MAX}, NULL, NULL), 0);
    assert_int_equal(ledger_flush(ledger, NULL), ERR_LIMIT);
    ledger_free(ledger);
    free(large);
    resources_memory_free(memory);
}

/* ---- entries ---- */

static const struct ledger_clause clauses[] = {
    {SPAN("urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"), SPAN("2"), {0, 1, 5}, {5, 0, 2, 5}},
    {SPAN("urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"), SPAN("\"odd\""), {3, 0, 0}, {0}}};

static struct ledger_entry
delivery(void)
{
    struct ledger_entry e = {.version = LEDGER_ENTRY_VERSION,
        .kind = LEDGER_KIND_DELIVERY,
        .time_us = 1780272000500000,
        .id = SPAN("urn:uuid:0198c0de-0000-7000-8000-000000000009"),
        .from = SPAN("north.test"),
        .to = SPAN("south.test"),
        .clauses = clauses,
        .clause_count = 2,
        .items = 5};

    leaf_of(1, &e.items_root);
    return e;
}

static const char delivery_text[] =
    "{\"clauses\":[{\"agreement\":\"urn:uuid:6f0a6f9e-0000-4000-8000-000000000001\",\"clause\":"
    "\"2\",\"effects\":{\"hold\":1,\"release\":5,\"withhold\":0},\"treatments\":{\"generalise\":2,"
    "\"keep\":5,\"pseudonymise\":0,\"remove\":5}},{\"agreement\":"
    "\"urn:uuid:6f0a6f9e-0000-4000-8000-000000000001\",\"clause\":\"\\\"odd\\\"\",\"effects\":{"
    "\"hold\":0,\"release\":0,\"withhold\":3},\"treatments\":{\"generalise\":0,\"keep\":0,"
    "\"pseudonymise\":0,\"remove\":0}}],\"from\":\"north.test\",\"id\":"
    "\"urn:uuid:0198c0de-0000-7000-8000-000000000009\",\"items\":5,\"items_root\":"
    "\"5IOVzrNGnCUi5LjLwB7PAN3Zyv/2FC9AQ1VFVk9PQUU=\",\"kind\":\"delivery\",\"time\":"
    "\"2026-06-01T00:00:00.500000Z\",\"to\":\"south.test\",\"v\":1}";

static void
entries_are_written_to_the_byte(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct json *json = json_new(LEDGER_ENTRY_MAX);
    struct ledger_entry e = delivery();
    struct ledger_entry again;
    struct buf out = buf_new(LEDGER_ENTRY_MAX);

    (void)state;
    (void)memcpy(e.items_root.bytes,
        "\xe4\x83\x95\xce\xb3\x46\x9c\x25\x22\xe4\xb8\xcb\xc0\x1e\xcf"
        "\x00\xdd\xd9\xca\xff\xf6\x14\x2f\x40\x43\x55\x45\x56\x4f\x4f"
        "\x41\x45",
        MERKLE_HASH_BYTES);
    assert_int_equal(ledger_entry_write(&out, &e, NULL), 0);
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, delivery_text);
    assert_int_equal(ledger_entry_read(arena, json, SPAN(delivery_text), &again, NULL), 0);
    assert_int_equal(again.clause_count, 2);
    assert_int_equal(again.clauses[0].effects[EFFECT_RELEASE], 5);
    assert_true(span_equal(again.clauses[1].clause, SPAN("\"odd\"")));
    assert_int_equal(again.time_us, e.time_us);
    e.kind = LEDGER_KIND_DECISION;
    e.decision = LEDGER_DECISION_RELEASED;
    out.n = 0;
    assert_int_equal(ledger_entry_write(&out, &e, NULL), 0);
    assert_int_equal(ledger_entry_read(arena, json, buf_span(&out), &again, NULL), 0);
    assert_int_equal(again.decision, LEDGER_DECISION_RELEASED);
    struct ledger_entry event = {.version = 1,
        .kind = LEDGER_KIND_AGREEMENT,
        .agreement = SPAN("urn:uuid:1"),
        .by = SPAN("north.test"),
        .event = LEDGER_EVENT_SUSPENDED,
        .since_us = 5,
        .document = {0xab}};
    out.n = 0;
    assert_int_equal(ledger_entry_write(&out, &event, NULL), 0);
    assert_int_equal(ledger_entry_read(arena, json, buf_span(&out), &again, NULL), 0);
    assert_int_equal(again.event, LEDGER_EVENT_SUSPENDED);
    assert_int_equal(again.document[0], 0xab);
    buf_free(&out);
    json_free(json);
    arena_free(arena);
}

static int
read_one(struct span bytes)
{
    struct arena *arena = arena_new(1 << 20);
    struct json *json = json_new(LEDGER_ENTRY_MAX);
    struct ledger_entry e;
    int rc = ledger_entry_read(arena, json, bytes, &e, NULL);

    json_free(json);
    arena_free(arena);
    return rc;
}

static void
entries_have_one_form(void **state)
{
    static const char *const wrong[] = {"", "[]", "{}", "1", "{\"v\":1}",
        "{\"kind\":\"delivery\",\"v\":1}", "{\"kind\":\"party\",\"v\":1}",
        "{\"agreement\":\"a\",\"by\":\"b\",\"document\":\"\",\"event\":\"signed\",\"kind\":"
        "\"agreement\",\"since\":\"2026-06-01T00:00:00Z\",\"time\":\"2026-06-01T00:00:00Z\",\"v\":"
        "1}",
        "{\"clauses\":[[]],\"kind\":\"delivery\",\"v\":1}",
        "{\"clauses\":[{\"effects\":[],\"treatments\":3}],\"kind\":\"delivery\",\"v\":1}"};
    char copy[sizeof delivery_text + 1];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (read_one(span_of(wrong[i])) != ERR_BAD_ENTRY)
            fail_msg("\"%s\" was taken for an entry", wrong[i]);
    assert_int_equal(read_one(SPAN("{\"news\":[1],\"v\":2}")), 0);
    for (size_t i = 0; i + 1 < sizeof delivery_text; i++) { /* a space anywhere */
        memcpy(copy, delivery_text, i);
        copy[i] = ' ';
        memcpy(copy + i + 1, delivery_text + i, sizeof delivery_text - i);
        struct span spaced = {copy, sizeof delivery_text};
        bool inside = i > 0 && read_one(spaced) == 0; /* in a name it is another name */
        assert_true(!inside || strchr("abcdefghijklmnopqrstuvwxyz0123456789.-:\\\"", copy[i + 1]));
    }
    struct ledger_entry e = delivery();
    struct buf out = buf_new(LEDGER_ENTRY_MAX);
    e.items = LEDGER_COUNT_MAX + 1;
    assert_int_equal(ledger_entry_write(&out, &e, NULL), ERR_BAD_ENTRY);
    e = delivery();
    e.to = SPAN("");
    assert_int_equal(ledger_entry_write(&out, &e, NULL), ERR_BAD_ENTRY);
    e = delivery();
    e.clause_count = LEDGER_ENTRY_CLAUSES + 1;
    assert_int_equal(ledger_entry_write(&out, &e, NULL), ERR_BAD_ENTRY);
    buf_free(&out);
}

/* ---- proofs of items ---- */

enum { ITEMS = 5, AT = 3, INDEX = 300, SIZE = 301 };
static const char *const items[ITEMS] = {"{\"b\":1,\"a\":2}", "{\"ip\":\"192.0.2.1\"}", "plain\n",
    "{\"ip\": \"192.0.2.9\", \"n\": 12345678901234567890}", "{}"};

struct fixture {
    struct buf text;
    struct buf item; /* canonical */
    struct note_signer log;
    struct note_signer witness;
};

static struct span
canonical(const char *item, struct buf *out)
{
    out->n = 0;
    assert_int_equal(items_canonical(span_of(item), out, NULL), 0);
    return buf_span(out);
}

static void
prove_item(struct ledger_entry *e, struct ledger_item *out)
{
    struct items_salt batch = {{1, 2, 3}};
    struct merkle_hash leaves[2 * ITEMS];
    struct merkle_nodes all = {leaves, ITEMS};
    struct merkle_source source = merkle_nodes_source(&all);
    struct buf bytes = buf_new(4096);
    struct items_salt salt;

    for (size_t i = 0; i < ITEMS; i++) {
        items_salt_of(&batch, i, &salt);
        items_leaf(&salt, canonical(items[i], &bytes), &leaves[i]);
    }
    buf_free(&bytes);
    merkle_root_of(leaves, ITEMS, &e->items_root);
    merkle_nodes_fill(&all);
    out->index = AT;
    items_salt_of(&batch, AT, &out->salt);
    assert_int_equal(merkle_include(&source, AT, ITEMS, &out->path, NULL), 0);
}

static void
make_fixture(struct fixture *f)
{
    struct resources_memory *memory = resources_memory_new(MEMORY);
    struct resources resources = resources_memory_view(memory);
    uint8_t one[NOTE_SEED_BYTES] = {1};
    uint8_t two[NOTE_SEED_BYTES] = {2};
    struct ledger_proof proof = {.has_item = true};
    struct ledger_entry e = delivery();
    struct buf bytes = buf_new(LEDGER_ENTRY_MAX);
    struct buf note = buf_new(1 << 16);
    struct checkpoint checkpoint = {.origin = SPAN("north.test/log"), .size = SIZE};
    struct ledger *ledger;

    *f = (struct fixture){buf_new(1 << 16), buf_new(4096), {.key = {.id = 0}}, {.key = {.id = 0}}};
    assert_int_equal(note_signer_make(checkpoint.origin, NOTE_ED25519, one, &f->log, NULL), 0);
    assert_int_equal(note_signer_make(SPAN("w.test"), NOTE_COSIGNATURE, two, &f->witness, NULL), 0);
    prove_item(&e, &proof.item);
    assert_int_equal(ledger_entry_write(&bytes, &e, NULL), 0);
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    grow(ledger, INDEX);
    assert_int_equal(ledger_append(ledger, buf_span(&bytes), &proof.log.index, NULL), 0);
    assert_int_equal(ledger_flush(ledger, NULL), 0);
    ledger_root(ledger, &checkpoint.root);
    ledger_free(ledger);
    assert_int_equal(checkpoint_sign(&note, &checkpoint, &f->log, NULL), 0);
    struct note taken;
    assert_int_equal(note_read(buf_span(&note), &taken, NULL), 0);
    struct span text = taken.text;
    char copy[256];
    memcpy(copy, text.p, text.n);
    assert_int_equal(
        checkpoint_cosign(&note, (struct span){copy, text.n}, &f->witness, 99, NULL), 0);
    struct tiles *tiles = tiles_new(&resources, SIZE);
    struct merkle_source source = tiles_source(tiles);
    assert_int_equal(merkle_include(&source, INDEX, SIZE, &proof.log.path, NULL), 0);
    tiles_free(tiles);
    proof.log.checkpoint = buf_span(&note);
    proof.entry = buf_span(&bytes);
    assert_int_equal(ledger_proof_write(&f->text, &proof, NULL), 0);
    (void)canonical(items[AT], &f->item);
    buf_free(&bytes);
    buf_free(&note);
    resources_memory_free(memory);
}

static void
free_fixture(struct fixture *f)
{
    buf_free(&f->text);
    buf_free(&f->item);
}

/* 0: all is proven. */
static int
judge(const struct fixture *f, struct span text, struct span item, struct ledger_proof_answer *out)
{
    struct arena *arena = arena_new(1 << 20);
    struct ledger_proof proof;
    struct ledger_proof_question question = {&proof, &item, &f->log.key, 1, &f->witness.key, 1};
    int rc = ledger_proof_read(text, &proof, NULL);

    if (rc == 0)
        rc = ledger_proof_judge(arena, &question, out, NULL);
    bool all = rc == 0 && out->log == LEDGER_PROOF_IN_LOG && out->item == LEDGER_PROOF_ITEM
        && out->signed_by == 1 && out->seen_by == 1 && !out->wrong;
    buf_free(&proof.extra);
    arena_free(arena);
    return all ? 0 : -1;
}

static void
an_item_is_proven_and_no_other(void **state)
{
    static struct ledger_proof_answer answer;
    struct fixture f;
    struct buf other = buf_new(4096);

    (void)state;
    make_fixture(&f);
    assert_int_equal(judge(&f, buf_span(&f.text), buf_span(&f.item), &answer), 0);
    assert_int_equal(answer.times_s[0], 99);
    assert_int_equal(answer.checkpoint.size, SIZE);
    for (size_t i = 0; i < ITEMS; i++) {
        int rc = judge(&f, buf_span(&f.text), canonical(items[i], &other), &answer);
        assert_int_equal(rc == 0, i == AT);
        assert_int_equal(answer.item, i == AT ? LEDGER_PROOF_ITEM : LEDGER_PROOF_OTHER_ITEM);
    }
    f.log.key.name = SPAN("other.test/log"); /* a key believed for another log */
    assert_int_equal(judge(&f, buf_span(&f.text), buf_span(&f.item), &answer), -1);
    assert_int_equal(answer.signed_by, 0);
    buf_free(&other);
    free_fixture(&f);
}

/* Whatever byte of the file changes, something is no longer proven; but for the time of an item's
 * own line ending, every byte counts. */
static void
every_changed_byte_of_a_proof_is_noticed(void **state)
{
    static struct ledger_proof_answer answer;
    struct fixture f;

    (void)state;
    make_fixture(&f);
    for (size_t i = 0; i < f.text.n; i++) {
        char was = f.text.p[i];
        f.text.p[i] = (char)(was ^ (1 << below(7)));
        if (judge(&f, buf_span(&f.text), buf_span(&f.item), &answer) == 0)
            fail_msg("byte %zu changed, and all is proven", i);
        f.text.p[i] = was;
    }
    for (size_t n = 0; n < f.text.n; n++)
        assert_int_equal(judge(&f, (struct span){f.text.p, n}, buf_span(&f.item), &answer), -1);
    free_fixture(&f);
}

static void
items_have_canonical_bytes(void **state)
{
    struct buf out = buf_new(4096);

    (void)state;
    assert_true(span_equal(canonical("{\"b\":1, \"a\":2}\n", &out), SPAN("{\"a\":2,\"b\":1}")));
    assert_true(span_equal(canonical("plain\n", &out), SPAN("plain")));
    assert_true(
        span_equal(canonical("12345678901234567891 ", &out), SPAN("12345678901234567891 ")));
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_log_that_is_opened_again_goes_on),
        cmocka_unit_test(a_large_log_has_the_tiles_it_must_have),
        cmocka_unit_test(a_folder_keeps_what_memory_keeps),
        cmocka_unit_test(damaged_resources_are_found),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(entries_are_written_to_the_byte), cmocka_unit_test(entries_have_one_form),
        cmocka_unit_test(an_item_is_proven_and_no_other),
        cmocka_unit_test(every_changed_byte_of_a_proof_is_noticed),
        cmocka_unit_test(items_have_canonical_bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
