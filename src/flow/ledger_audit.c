#include "flow/ledger_audit.h"

#include "store/ledger.h"
#include "store/tiles.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_BYTES = 512, ARENA_BYTES = 1 << 20 };

struct older {
    struct note note;
    struct checkpoint checkpoint;
    bool is_one; /* a checkpoint of this log */
    bool seen;   /* its size was reached */
};

struct audit {
    const struct ledger_audit_question *q;
    struct ledger_audit_answer *out;
    struct older *older;
    struct arena *arena; /* an entry */
    struct json *json;
    struct buf bytes; /* what resources hold */
};

/* ---- findings ---- */

static void tell(struct audit *a, enum ledger_finding_type type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
tell(struct audit *a, enum ledger_finding_type type, const char *format, ...)
{
    char words[WORDS_BYTES];
    struct ledger_finding finding = {.type = type, .text = words};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    a->out->findings[type]++;
    a->q->found(a->q->ctx, &finding);
}

/* The I-th key, over a checkpoint of this log. */
static enum note_found
by_key(const struct audit *a, const struct note *note, size_t i)
{
    return checkpoint_check(note, &a->out->checkpoint, &a->q->keys[i]);
}

static bool
one_key(const struct audit *a, const struct note *x, const struct note *y)
{
    for (size_t i = 0; i < a->q->key_count; i++)
        if (by_key(a, x, i) == NOTE_GOOD && by_key(a, y, i) == NOTE_GOOD)
            return true;
    return false;
}

static void
tell_two(struct audit *a, struct span first, const struct note *first_note, struct span second,
    const struct note *second_note, const char *words)
{
    struct ledger_finding finding = {.type = LEDGER_FINDING_TWO,
        .text = words,
        .notes = {first, second},
        .signed_by_one_key = one_key(a, first_note, second_note)};

    a->out->findings[LEDGER_FINDING_TWO]++;
    a->q->found(a->q->ctx, &finding);
}

/* ---- signatures ---- */

static void
check_keys(struct audit *a)
{
    const struct note *note = &a->out->note;

    for (size_t i = 0; i < a->q->key_count; i++) {
        enum note_found found = by_key(a, note, i);
        a->out->signed_by += found == NOTE_GOOD;
        if (found == NOTE_WRONG)
            tell(a, LEDGER_FINDING_SIGNATURE, "the checkpoint's signature by %.*s is wrong",
                SPAN_ARGS(a->q->keys[i].name));
    }
    if (a->q->key_count > 0 && a->out->signed_by == 0)
        tell(a, LEDGER_FINDING_SIGNATURE, "none of the keys given signed the checkpoint of %.*s",
            SPAN_ARGS(a->out->checkpoint.origin));
    for (size_t i = 0; i < a->q->witness_count; i++) {
        enum note_found found = note_check(note, &a->q->witnesses[i], NULL);
        a->out->seen_by += found == NOTE_GOOD;
        if (found != NOTE_GOOD)
            tell(a, LEDGER_FINDING_WITNESS, "the witness %.*s %s",
                SPAN_ARGS(a->q->witnesses[i].name),
                found == NOTE_ABSENT ? "did not cosign the checkpoint" : "has a wrong signature");
    }
}

/* A checkpoint that the log's keys did not sign is nobody's word. */
static bool
signed_by_log(const struct audit *a, const struct note *note)
{
    for (size_t i = 0; i < a->q->key_count; i++)
        if (by_key(a, note, i) == NOTE_GOOD)
            return true;
    return a->q->key_count == 0;
}

static void
read_older(struct audit *a, size_t i)
{
    struct older *older = &a->older[i];
    struct err why;

    if (checkpoint_read_note(a->q->older[i], &older->note, &older->checkpoint, &why) != 0)
        tell(a, LEDGER_FINDING_OTHER, "checkpoint %zu to compare with: %s", i + 1, why.msg);
    else if (!span_equal(older->checkpoint.origin, a->out->checkpoint.origin))
        tell(a, LEDGER_FINDING_OTHER, "checkpoint %zu to compare with is of another log, %.*s",
            i + 1, SPAN_ARGS(older->checkpoint.origin));
    else if (!signed_by_log(a, &older->note))
        tell(a, LEDGER_FINDING_OTHER,
            "checkpoint %zu to compare with is signed by none of the keys given", i + 1);
    else
        older->is_one = true;
}

/* ---- the log once more ---- */

static void
compare_older(struct audit *a, struct older *older, const struct merkle_hash *root)
{
    size_t i = (size_t)(older - a->older);
    char words[WORDS_BYTES];

    older->seen = true;
    if (merkle_equal(root, &older->checkpoint.root)) {
        a->out->continued++;
        return;
    }
    (void)snprintf(words, sizeof words,
        "the first %llu entries of this log have another root than the checkpoint that was signed "
        "over as many",
        (unsigned long long)older->checkpoint.size);
    tell_two(a, a->q->older[i], &older->note, buf_span(&a->out->bytes), &a->out->note, words);
}

static void
compare_all(struct audit *a, const struct ledger *ledger)
{
    uint64_t size = ledger_size(ledger);
    struct merkle_hash root;

    for (size_t i = 0; i < a->q->older_count; i++)
        if (a->older[i].is_one && !a->older[i].seen && a->older[i].checkpoint.size == size) {
            ledger_root(ledger, &root);
            compare_older(a, &a->older[i], &root);
        }
}

/* Checkpoints beyond this copy are still comparable with each other, if they are of one size. */
static void
compare_beyond(struct audit *a)
{
    for (size_t i = 0; i < a->q->older_count; i++) {
        const struct older *x = &a->older[i];
        if (!x->is_one || x->seen)
            continue;
        if (a->out->whole)
            tell(a, LEDGER_FINDING_BEHIND,
                "checkpoint %zu to compare with has %llu entries, and this copy only %llu: fetch a "
                "newer one",
                i + 1, (unsigned long long)x->checkpoint.size, (unsigned long long)a->out->entries);
        for (size_t j = 0; j < i; j++) {
            const struct older *y = &a->older[j];
            if (y->is_one && !y->seen && x->checkpoint.size == y->checkpoint.size
                && !merkle_equal(&x->checkpoint.root, &y->checkpoint.root))
                tell_two(a, a->q->older[j], &y->note, a->q->older[i], &x->note,
                    "two checkpoints over the same number of entries have different roots");
        }
    }
}

static int
fetch(struct audit *a, const char *path)
{
    const struct resources *resources = a->q->resources;
    const char *partial = strstr(path, ".p/");
    char full[TILE_PATH_BYTES];

    a->bytes.n = 0;
    int rc = resources->get(resources->ctx, path, &a->bytes, NULL);
    if (rc != ERR_NOT_FOUND || partial == NULL)
        return rc;
    (void)snprintf(full, sizeof full, "%.*s", (int)(partial - path), path);
    return resources->get(resources->ctx, full, &a->bytes, NULL);
}

/* In place of writing: is what would be written there? A full tile may stand for a partial one that
 * was dropped. */
static int
compare(void *ctx, const char *path, struct span bytes, struct err *err)
{
    struct audit *a = ctx;
    int rc = fetch(a, path);

    (void)err;
    if (rc != 0)
        tell(a, LEDGER_FINDING_RESOURCE, "%s %s", path,
            rc == ERR_NOT_FOUND ? "is not there" : "cannot be read");
    else if (a->bytes.n < bytes.n || memcmp(a->bytes.p, bytes.p, bytes.n) != 0)
        tell(a, LEDGER_FINDING_RESOURCE, "%s is not what the entries give", path);
    return 0;
}

static int
get_nothing(void *ctx, const char *path, struct buf *out, struct err *err)
{
    (void)ctx;
    (void)out;
    return err_set(err, ERR_NOT_FOUND, "no %s", path);
}

static int
drop_nothing(void *ctx, const char *path, struct err *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return 0;
}

static void
look_at(struct audit *a, struct span bytes, uint64_t index)
{
    struct ledger_entry entry;
    struct err why;

    arena_reset(a->arena);
    if (ledger_entry_read(a->arena, a->json, bytes, &entry, &why) == 0)
        a->out->kinds[entry.kind]++;
    else
        tell(a, LEDGER_FINDING_ENTRY, "entry %llu: %s", (unsigned long long)index, why.msg);
}

static int
walk_bundle(struct audit *a, struct ledger *ledger, struct span bundle, struct err *err)
{
    struct span entry;
    int rc = 0;

    while (rc == 0 && tile_entry(&bundle, &entry)) {
        look_at(a, entry, ledger_size(ledger));
        rc = ledger_append(ledger, entry, NULL, err);
        a->out->entries++;
        compare_all(a, ledger);
    }
    return rc;
}

static int
walk(struct audit *a, struct tiles *tiles, struct ledger *ledger, struct err *err)
{
    struct buf bundle = buf_new(TILE_BUNDLE_MAX);
    uint64_t size = tiles_size(tiles);
    struct err why = {0};
    int rc = 0;

    compare_all(a, ledger);
    while (rc == 0 && a->out->entries < size) {
        bundle.n = 0;
        if (tiles_bundle(tiles, a->out->entries / TILE_WIDTH, &bundle, &why) != 0) {
            tell(a, LEDGER_FINDING_RESOURCE, "entries from %llu on: %s",
                (unsigned long long)a->out->entries, why.msg);
            break;
        }
        rc = walk_bundle(a, ledger, buf_span(&bundle), err);
    }
    buf_free(&bundle);
    return rc != 0 || a->out->entries < size ? rc : ledger_flush(ledger, err);
}

static int
recompute(struct audit *a, struct err *err)
{
    const struct checkpoint *checkpoint = &a->out->checkpoint;
    const struct resources comparing = {get_nothing, compare, drop_nothing, a};
    struct tiles *tiles = tiles_new(a->q->resources, checkpoint->size);
    struct ledger *ledger = NULL;
    struct merkle_hash root;
    int rc = tiles == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the tiles of a log")
                           : ledger_open(&comparing, 0, NULL, &ledger, err);

    if (rc == 0)
        rc = walk(a, tiles, ledger, err);
    if (rc == 0 && a->out->entries == checkpoint->size) {
        ledger_root(ledger, &root);
        a->out->whole = merkle_equal(&root, &checkpoint->root);
        if (!a->out->whole)
            tell(a, LEDGER_FINDING_ROOT, "the %llu entries do not give the checkpoint's root",
                (unsigned long long)checkpoint->size);
    }
    ledger_free(ledger);
    tiles_free(tiles);
    return rc;
}

static int
run(struct audit *a, struct err *err)
{
    const struct resources *resources = a->q->resources;
    int rc = resources->get(resources->ctx, RESOURCES_CHECKPOINT, &a->out->bytes, err);

    if (rc == 0)
        rc =
            checkpoint_read_note(buf_span(&a->out->bytes), &a->out->note, &a->out->checkpoint, err);
    if (rc != 0)
        return rc;
    check_keys(a);
    for (size_t i = 0; i < a->q->older_count; i++)
        read_older(a, i);
    rc = recompute(a, err);
    if (rc == 0)
        compare_beyond(a);
    return rc;
}

int
ledger_audit_run(
    const struct ledger_audit_question *question, struct ledger_audit_answer *out, struct err *err)
{
    struct audit a = {.q = question, .out = out, .bytes = buf_new(RESOURCES_BYTES_MAX)};
    int rc;

    *out = (struct ledger_audit_answer){.bytes = buf_new(NOTE_BYTES_MAX)};
    if (question->key_count > LEDGER_AUDIT_KEYS_MAX
        || question->witness_count > LEDGER_AUDIT_KEYS_MAX
        || question->older_count > LEDGER_AUDIT_OLDER_MAX)
        return err_set(err, ERR_LIMIT, "at most %d keys and %d checkpoints at once",
            LEDGER_AUDIT_KEYS_MAX, LEDGER_AUDIT_OLDER_MAX);
    a.older = calloc(question->older_count + 1, sizeof *a.older);
    a.arena = arena_new(ARENA_BYTES);
    a.json = json_new(LEDGER_ENTRY_MAX);
    rc = a.older == NULL || a.arena == NULL || a.json == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory for an audit")
        : run(&a, err);
    buf_free(&a.bytes);
    json_free(a.json);
    arena_free(a.arena);
    free(a.older);
    return rc;
}
