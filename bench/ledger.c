/* bench ledger: what does an accountable log cost beside the hashing that it cannot do without?
 *
 * Append: entries of deliveries (as fmt/ledger_entry.h writes them) are appended to a log in
 * memory, a checkpoint is signed after every 1000; beside it, SHA-256 over the entries' bytes in
 * one stream. Prove and verify: the proof of each entry, one after the other, is made from the
 * tiles and checked; beside it, SHA-256 over the messages that checking must hash, one by one. CPU
 * time of one core, in turns. Nothing is written to disk: that is the store's bench.
 *
 * usage: bench_ledger [--json]
 */
#include "store/ledger.h"
#include "figure.h"
#include "fmt/checkpoint.h"
#include "fmt/items.h"
#include "fmt/ledger_entry.h"
#include "store/tiles.h"

#include <malloc.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ENTRIES = 100000,
    EACH_CHECKPOINT = 1000,
    RANDOM = 5000,
    ROUNDS = 7,
    MEMORY = 512 << 20,
    CLAUSES = 2,
    MB = 1000000
};
static const double REACH = 0.5;

struct bench {
    struct span entries[ENTRIES];
    struct buf bytes;
    struct note_signer signer;
    struct resources_memory *memory;
    struct resources resources;
    struct merkle_hash root;
    uint64_t picked[RANDOM];
    volatile uint8_t sink;
};

static _Noreturn void
fail(const char *what)
{
    (void)fprintf(stderr, "bench ledger: %s\n", what);
    exit(3);
}

static double
cpu_seconds(void)
{
    return figure_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static uint64_t
below(uint64_t n)
{
    static uint64_t seed = 11;

    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* ---- what is appended ---- */

static void
add_entry(struct bench *b, uint64_t i)
{
    char id[64];
    struct ledger_clause clauses[CLAUSES];
    int n =
        snprintf(id, sizeof id, "urn:uuid:0198c0de-0000-7000-8000-%012llx", (unsigned long long)i);
    struct ledger_entry e = {.version = LEDGER_ENTRY_VERSION,
        .kind = LEDGER_KIND_DELIVERY,
        .time_us = (int64_t)(1780272000000000 + i * 1000),
        .id = {id, (size_t)n},
        .from = SPAN("north.test"),
        .to = SPAN("south.test"),
        .clauses = clauses,
        .clause_count = 1 + i % CLAUSES,
        .items = below(4096)};

    for (size_t c = 0; c < CLAUSES; c++)
        clauses[c] = (struct ledger_clause){SPAN("urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"),
            SPAN("1"), {0, 0, below(4096)}, {below(4096), 0, 0, below(4096)}};
    merkle_leaf(e.id, &e.items_root);
    size_t begin = b->bytes.n;
    if (ledger_entry_write(&b->bytes, &e, NULL) != 0)
        fail("an entry cannot be written");
    b->entries[i] = (struct span){(const char *)begin, b->bytes.n - begin};
}

static void
make_entries(struct bench *b)
{
    uint8_t seed[NOTE_SEED_BYTES] = {1};

    b->bytes = buf_new(MEMORY);
    for (uint64_t i = 0; i < ENTRIES; i++)
        add_entry(b, i);
    for (uint64_t i = 0; i < ENTRIES; i++)
        b->entries[i].p = b->bytes.p + (uintptr_t)b->entries[i].p;
    for (size_t i = 0; i < RANDOM; i++)
        b->picked[i] = below(ENTRIES);
    if (note_signer_make(SPAN("north.test/log"), NOTE_ED25519, seed, &b->signer, NULL) != 0)
        fail("no key");
}

/* ---- what is measured ---- */

static void
publish(struct bench *b, struct ledger *ledger)
{
    struct checkpoint checkpoint = {.origin = b->signer.key.name, .size = ledger_size(ledger)};
    struct buf note = buf_new(NOTE_BYTES_MAX);

    ledger_root(ledger, &checkpoint.root);
    if (ledger_flush(ledger, NULL) != 0
        || checkpoint_sign(&note, &checkpoint, &b->signer, NULL) != 0
        || b->resources.put(b->resources.ctx, RESOURCES_CHECKPOINT, buf_span(&note), NULL) != 0)
        fail("a checkpoint cannot be published");
    buf_free(&note);
}

static double
append(struct bench *b)
{
    struct ledger *ledger;

    resources_memory_free(b->memory);
    b->memory = resources_memory_new(MEMORY);
    b->resources = resources_memory_view(b->memory);
    double start = cpu_seconds();
    if (ledger_open(&b->resources, 0, NULL, &ledger, NULL) != 0)
        fail("no log");
    for (uint64_t i = 0; i < ENTRIES; i++) {
        if (ledger_append(ledger, b->entries[i], NULL, NULL) != 0)
            fail("an entry cannot be appended");
        if ((i + 1) % EACH_CHECKPOINT == 0)
            publish(b, ledger);
    }
    double seconds = cpu_seconds() - start;
    ledger_root(ledger, &b->root);
    ledger_free(ledger);
    return seconds;
}

static double
stream(struct bench *b, bool sodium)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    struct sha256_ctx sha;
    double start = cpu_seconds();

    if (sodium)
        (void)crypto_hash_sha256(digest, (const unsigned char *)b->bytes.p, b->bytes.n);
    else {
        sha256_init(&sha);
        sha256_update(&sha, b->bytes.n, (const uint8_t *)b->bytes.p);
        sha256_digest(&sha, sizeof digest, digest);
    }
    b->sink = digest[0];
    return cpu_seconds() - start;
}

/* Proofs of entries PICKED (NULL: each, in order), made and checked. */
static double
prove(struct bench *b, const uint64_t *picked, size_t count)
{
    struct tiles *tiles = tiles_new(&b->resources, ENTRIES);
    struct merkle_source source = tiles_source(tiles);
    struct merkle_proof proof;
    struct merkle_hash leaf;
    double start = cpu_seconds();

    for (size_t i = 0; i < count; i++) {
        uint64_t index = picked == NULL ? i : picked[i];
        if (merkle_include(&source, index, ENTRIES, &proof, NULL) != 0)
            fail("no proof");
        merkle_leaf(b->entries[index], &leaf);
        if (!merkle_includes(&leaf, index, ENTRIES, &proof, &b->root))
            fail("a proof does not verify");
    }
    double seconds = cpu_seconds() - start;
    tiles_free(tiles);
    return seconds;
}

static size_t
path_nodes(uint64_t index)
{
    size_t nodes = 0;

    for (uint64_t last = ENTRIES - 1; last > 0; index >>= 1, last >>= 1)
        nodes += (index & 1) != 0 || index < last;
    return nodes;
}

/* SHA-256 of the leaf's and of the nodes' messages, and nothing else. */
static double
messages(struct bench *b, const uint64_t *picked, size_t count)
{
    uint8_t node[65] = {1};
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    double start = cpu_seconds();

    for (size_t i = 0; i < count; i++) {
        uint64_t index = picked == NULL ? i : picked[i];
        sha256_init(&sha);
        sha256_update(&sha, b->entries[index].n, (const uint8_t *)b->entries[index].p);
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t n = path_nodes(index); n > 0; n--) {
            node[1] = digest[0];
            sha256_init(&sha);
            sha256_update(&sha, sizeof node, node);
            sha256_digest(&sha, sizeof digest, digest);
        }
        b->sink = digest[0];
    }
    return cpu_seconds() - start;
}

/* ---- what is said ---- */

enum { APPEND, PROVE, PROVE_RANDOM, SODIUM, KINDS };

struct row {
    const char *what;
    const char *beside;
    double count; /* what a round does that often */
    double scale;
    const char *unit;
    bool reach;
    double ours[ROUNDS];
    double ratio[ROUNDS];
};

static void
note_round(struct row *row, int round, double ours, double beside)
{
    row->ours[round] = row->count / ours / row->scale;
    row->ratio[round] = beside / ours;
}

static void
measure(struct bench *b, struct row *rows)
{
    for (int r = 0; r < ROUNDS; r++) {
        double whole = stream(b, false);
        note_round(&rows[APPEND], r, append(b), whole);
        note_round(&rows[SODIUM], r, whole, stream(b, true));
        double limit = messages(b, NULL, ENTRIES);
        note_round(&rows[PROVE], r, prove(b, NULL, ENTRIES), limit);
        limit = messages(b, b->picked, RANDOM);
        note_round(&rows[PROVE_RANDOM], r, prove(b, b->picked, RANDOM), limit);
    }
}

static int
tell(struct row *rows, const struct bench *b, bool json)
{
    struct figures figures = {.bench = "ledger", .json = json};

    if (!json)
        (void)printf("%d entries of %zu bytes on average, %d rounds in turns\n", ENTRIES,
            b->bytes.n / ENTRIES, ROUNDS);
    for (int k = 0; k < KINDS; k++)
        figure_add_rounds(&figures,
            (struct figure){.what = rows[k].what,
                .value = figure_middle(rows[k].ours, ROUNDS),
                .unit = rows[k].unit,
                .beside = rows[k].beside,
                .reach = rows[k].reach ? REACH : 0,
                .of_ratio = true},
            rows[k].ratio, ROUNDS);
    return figure_tell(&figures);
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct row rows[KINDS] = {
        [APPEND] = {"append and checkpoint", "SHA-256 over the entries' bytes in one stream",
            ENTRIES, 1e3, "k/s", true, {0}, {0}},
        [PROVE] = {"prove and verify, in order", "SHA-256 of each message that verifying hashes",
            ENTRIES, 1e3, "k/s", true, {0}, {0}},
        [PROVE_RANDOM] = {"prove and verify, at random", "the same; tiles not at hand are hashed",
            RANDOM, 1e3, "k/s", false, {0}, {0}},
        [SODIUM] = {"SHA-256 by nettle, one stream", "SHA-256 by libsodium", 0, MB, "MB/s", false,
            {0}, {0}},
    };

    /* Memory that was used once stays: the kernel's clearing of pages is no cost of a log's. */
    (void)mallopt(M_MMAP_THRESHOLD, MEMORY);
    (void)mallopt(M_TRIM_THRESHOLD, MEMORY);
    make_entries(&b);
    (void)append(&b);
    rows[SODIUM].count = (double)b.bytes.n;
    measure(&b, rows);
    int status = tell(rows, &b, argc > 1 && strcmp(argv[1], "--json") == 0);
    resources_memory_free(b.memory);
    buf_free(&b.bytes);
    return status;
}
