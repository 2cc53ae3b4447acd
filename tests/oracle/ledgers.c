/* Makes logs and proofs for tests that check them by other means.
 *
 * usage: oracle-ledgers make FOLDER ORIGIN SEED   lines on stdin: "e HEX" appends an entry, "c"
 *                                                 publishes a checkpoint, also as checkpoint.SIZE,
 *                                                 "w NAME SEED TIME" cosigns it
 *        oracle-ledgers ask FOLDER SIZE           lines: "root N", "include INDEX N",
 *                                                 "consist OLD N"; answers in hexadecimal
 *        oracle-ledgers check                     lines: "include LEAF INDEX N ROOT HASH...",
 *                                                 "consist OLD ROOT N ROOT HASH..."; yes or no
 *        oracle-ledgers note                      a note on stdin; lines of vkeys as arguments;
 *                                                 absent, good or wrong for each
 *        oracle-ledgers judge VKEY OLD-SIZE ROOT WITNESS SEED TIME
 *                                                 an add-checkpoint request on stdin: status and
 * answer oracle-ledgers receipt NAME SEED BATCH ROOT COUNT TIME-US
 */
#include "fmt/receipt.h"
#include "fmt/witness.h"
#include "store/ledger.h"
#include "store/tiles.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 3 * TILE_ENTRY_MAX, INPUT_BYTES = 1 << 22 };

static void
must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "oracle-ledgers: %s\n", err->msg);
    exit(3);
}

static void
from_hex(const char *hex, void *out, size_t n)
{
    size_t got = 0;

    if (sodium_hex2bin(out, n, hex, strlen(hex), NULL, &got, NULL) != 0 || got != n)
        exit(4);
}

static void
print_hex(const struct merkle_hash *hash)
{
    for (size_t i = 0; i < sizeof hash->bytes; i++)
        (void)printf("%02x", hash->bytes[i]);
}

static void
print_proof(const struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count; i++) {
        (void)printf("%s", i > 0 ? " " : "");
        print_hex(&proof->hashes[i]);
    }
    (void)printf("\n");
}

static struct note_signer
signer(const char *name, enum note_algorithm algorithm, const char *seed_hex)
{
    uint8_t seed[NOTE_SEED_BYTES];
    struct note_signer out;
    struct err err;

    from_hex(seed_hex, seed, sizeof seed);
    must(note_signer_make(span_of(name), algorithm, seed, &out, &err), &err);
    return out;
}

static void
print_key(const struct note_key *key)
{
    struct buf text = buf_new(1024);

    note_key_add(&text, key);
    (void)printf("%.*s\n", (int)text.n, text.p);
    buf_free(&text);
}

/* ---- making ---- */

struct maker {
    struct resources resources;
    struct ledger *ledger;
    struct note_signer log;
    const char *origin;
    struct buf note;
};

static void
append(struct maker *m, const char *hex)
{
    static char bytes[TILE_ENTRY_MAX];
    struct err err;
    size_t n = 0;

    if (sodium_hex2bin((unsigned char *)bytes, sizeof bytes, hex, strlen(hex), NULL, &n, NULL) != 0)
        exit(4);
    must(ledger_append(m->ledger, (struct span){bytes, n}, NULL, &err), &err);
}

static void
publish(struct maker *m)
{
    struct checkpoint checkpoint = {.origin = span_of(m->origin), .size = ledger_size(m->ledger)};
    char path[64];
    struct err err;

    must(ledger_flush(m->ledger, &err), &err);
    ledger_root(m->ledger, &checkpoint.root);
    m->note.n = 0;
    must(checkpoint_sign(&m->note, &checkpoint, &m->log, &err), &err);
    must(m->resources.put(m->resources.ctx, "checkpoint", buf_span(&m->note), &err), &err);
    (void)snprintf(path, sizeof path, "checkpoint.%llu", (unsigned long long)checkpoint.size);
    must(m->resources.put(m->resources.ctx, path, buf_span(&m->note), &err), &err);
}

static void
cosign(struct maker *m, char *line)
{
    char *rest = line;
    const char *name = strsep(&rest, " ");
    const char *seed = strsep(&rest, " ");
    struct note_signer witness = signer(name, NOTE_COSIGNATURE, seed);
    struct note note;
    struct err err;
    struct buf text = buf_new(NOTE_BYTES_MAX);

    must(note_read(buf_span(&m->note), &note, &err), &err);
    buf_add_span(&text, note.text);
    must(checkpoint_cosign(&m->note, buf_span(&text), &witness, strtoull(rest, NULL, 10), &err),
        &err);
    must(m->resources.put(m->resources.ctx, "checkpoint", buf_span(&m->note), &err), &err);
    print_key(&witness.key);
    buf_free(&text);
}

static int
make(char **argv)
{
    static char line[LINE_BYTES];
    struct resources_folder *folder;
    struct maker m = {.origin = argv[3],
        .log = signer(argv[3], NOTE_ED25519, argv[4]),
        .note = buf_new(NOTE_BYTES_MAX)};
    struct err err;

    must(resources_folder_open(argv[2], &folder, &err), &err);
    m.resources = resources_folder_view(folder);
    must(ledger_open(&m.resources, 0, NULL, &m.ledger, &err), &err);
    print_key(&m.log.key);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'e')
            append(&m, line + 2);
        else if (line[0] == 'c')
            publish(&m);
        else
            cosign(&m, line + 2);
    }
    ledger_free(m.ledger);
    buf_free(&m.note);
    resources_folder_close(folder);
    return 0;
}

/* ---- asking ---- */

static void
answer(const struct merkle_source *source, const char *what, uint64_t a, uint64_t b)
{
    struct merkle_proof proof;
    struct merkle_hash root;
    struct err err;

    if (strcmp(what, "root") == 0) {
        must(merkle_source_root(source, a, &root, &err), &err);
        print_hex(&root);
        (void)printf("\n");
        return;
    }
    must(strcmp(what, "include") == 0 ? merkle_include(source, a, b, &proof, &err)
                                      : merkle_consist(source, a, b, &proof, &err),
        &err);
    print_proof(&proof);
}

static int
ask(char **argv)
{
    static char line[LINE_BYTES];
    struct resources_folder *folder;
    struct err err;

    must(resources_folder_open(argv[2], &folder, &err), &err);
    struct resources resources = resources_folder_view(folder);
    struct tiles *tiles = tiles_new(&resources, strtoull(argv[3], NULL, 10));
    struct merkle_source source = tiles_source(tiles);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = line;
        const char *what = strsep(&rest, " ");
        uint64_t a = strtoull(rest, &rest, 10);
        answer(&source, what, a, strtoull(rest, NULL, 10));
    }
    tiles_free(tiles);
    resources_folder_close(folder);
    return 0;
}

/* ---- checking ---- */

static bool
check_line(char *line)
{
    char *words[5 + MERKLE_PROOF_MAX] = {NULL};
    struct merkle_proof proof = {.count = 0};
    struct merkle_hash first;
    struct merkle_hash root;
    size_t n = 0;

    for (char *rest = line; n < sizeof words / sizeof words[0];)
        if ((words[n++] = strsep(&rest, " ")) == NULL || rest == NULL)
            break;
    for (size_t i = 5; i < n && words[i] != NULL; i++)
        from_hex(words[i], &proof.hashes[proof.count++], sizeof first);
    bool include = strcmp(words[0], "include") == 0;
    from_hex(words[include ? 1 : 2], &first, sizeof first);
    from_hex(words[4], &root, sizeof root);
    uint64_t number = strtoull(words[include ? 2 : 1], NULL, 10);
    uint64_t size = strtoull(words[3], NULL, 10);
    return include ? merkle_includes(&first, number, size, &proof, &root)
                   : merkle_consists(number, &first, size, &root, &proof);
}

static int
check(void)
{
    static char line[LINE_BYTES];

    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        (void)puts(check_line(line) ? "yes" : "no");
    }
    return 0;
}

static struct span
input(void)
{
    static char bytes[INPUT_BYTES];

    return (struct span){bytes, fread(bytes, 1, sizeof bytes, stdin)};
}

static int
check_note(int argc, char **argv)
{
    static const char *const words[] = {"absent", "good", "wrong"};
    struct note note;
    struct note_key key;
    struct err err;

    must(note_read(input(), &note, &err), &err);
    for (int i = 2; i < argc; i++) {
        uint64_t time_s = 0;
        must(note_key_parse(span_of(argv[i]), &key, &err), &err);
        (void)printf("%s", words[note_check(&note, &key, &time_s)]);
        (void)printf(" %llu\n", (unsigned long long)time_s);
    }
    return 0;
}

static int
judge(char **argv)
{
    static struct witness_request request;
    struct note_signer witness = signer(argv[5], NOTE_COSIGNATURE, argv[6]);
    struct witness_known known = {.size = strtoull(argv[3], NULL, 10)};
    struct buf out = buf_new(NOTE_BYTES_MAX);
    struct note_key key;
    struct err err;

    from_hex(argv[4], &known.root, sizeof known.root);
    must(note_key_parse(span_of(argv[2]), &key, &err), &err);
    if (witness_read(input(), &request, &err) != 0) {
        (void)printf("400\n%s\n", err.msg);
        return 0;
    }
    bool ours = span_equal(request.checkpoint.origin, key.name);
    int status = witness_judge(&request, &key, ours ? 1 : 0, &known);
    must(
        witness_answer(&out, status, &request, &known, &witness, strtoull(argv[7], NULL, 10), &err),
        &err);
    (void)printf("%d\n%.*s", status, (int)out.n, out.p);
    buf_free(&out);
    return 0;
}

static int
sign_receipt(char **argv)
{
    struct note_signer team = signer(argv[2], NOTE_ED25519, argv[3]);
    struct receipt receipt = {.batch = span_of(argv[4]),
        .count = strtoull(argv[6], NULL, 10),
        .time_us = strtoll(argv[7], NULL, 10)};
    struct buf out = buf_new(NOTE_BYTES_MAX);
    struct err err;

    from_hex(argv[5], &receipt.root, sizeof receipt.root);
    must(receipt_sign(&out, &receipt, &team, &err), &err);
    (void)printf("%.*s", (int)out.n, out.p);
    buf_free(&out);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "make") == 0 && argc == 5)
        return make(argv);
    if (strcmp(what, "ask") == 0 && argc == 4)
        return ask(argv);
    if (strcmp(what, "check") == 0)
        return check();
    if (strcmp(what, "note") == 0)
        return check_note(argc, argv);
    if (strcmp(what, "judge") == 0 && argc == 8)
        return judge(argv);
    if (strcmp(what, "receipt") == 0 && argc == 8)
        return sign_receipt(argv);
    (void)fprintf(stderr, "oracle-ledgers: the usage stands in ledgers.c\n");
    return 2;
}
