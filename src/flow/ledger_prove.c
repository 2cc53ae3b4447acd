#include "flow/ledger_prove.h"

#include "base/base64.h"
#include "fmt/ledger_proof.h"
#include "store/tiles.h"

enum { ARENA_BYTES = 1 << 20 };

/* Are these the items that the entry commits to? */
static int
check_items(struct span entry, const struct ledger_prove_item *item, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct json *json = json_new(LEDGER_ENTRY_MAX);
    struct ledger_entry e = {.version = 0};
    struct merkle_hash root;
    int rc = arena == NULL || json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for an entry")
                                           : ledger_entry_read(arena, json, entry, &e, err);

    merkle_root_of(item->nodes.hashes, item->nodes.count, &root);
    if (rc == 0 && (e.items != item->nodes.count || !merkle_equal(&root, &e.items_root)))
        rc = err_set(err, ERR_BAD_VALUE,
            "these %zu items under this salt are not the %llu that the entry commits to",
            item->nodes.count, (unsigned long long)e.items);
    json_free(json);
    arena_free(arena);
    return rc;
}

static int
add_item(const struct ledger_prove_item *item, struct ledger_proof *proof, struct err *err)
{
    struct merkle_nodes nodes = item->nodes;
    struct merkle_source source = merkle_nodes_source(&nodes);
    int rc = check_items(proof->entry, item, err);

    if (rc != 0)
        return rc;
    if (item->index >= item->nodes.count)
        return err_set(err, ERR_BAD_VALUE, "there is no item %llu among %zu",
            (unsigned long long)item->index, item->nodes.count);
    proof->has_item = true;
    proof->item.index = item->index;
    items_salt_of(&item->salt, item->index, &proof->item.salt);
    return merkle_include(&source, item->index, item->nodes.count, &proof->item.path, err);
}

/* A proof that does not lead to the root would help nobody. */
static int
add_path(struct tiles *tiles, const struct checkpoint *checkpoint, struct ledger_proof *proof,
    struct err *err)
{
    struct merkle_source source = tiles_source(tiles);
    struct merkle_hash leaf;
    int rc = merkle_include(&source, proof->log.index, checkpoint->size, &proof->log.path, err);

    merkle_leaf(proof->entry, &leaf);
    if (rc == 0
        && !merkle_includes(
            &leaf, proof->log.index, checkpoint->size, &proof->log.path, &checkpoint->root))
        rc = err_set(err, ERR_BAD_STORE,
            "the log's tiles do not lead to its checkpoint; `comity ledger audit` says where");
    return rc;
}

static int
prove(const struct resources *resources, const struct checkpoint *checkpoint,
    const struct ledger_prove_item *item, struct ledger_proof *proof, struct err *err)
{
    struct tiles *tiles = tiles_new(resources, checkpoint->size);
    struct buf entry = buf_new(TILE_ENTRY_MAX);
    int rc = tiles == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the tiles of a log")
                           : tiles_entry(tiles, proof->log.index, &entry, err);

    proof->entry = buf_span(&entry);
    if (rc == 0)
        rc = add_path(tiles, checkpoint, proof, err);
    if (rc == 0 && item != NULL)
        rc = add_item(item, proof, err);
    proof->extra = entry; /* the caller frees it */
    tiles_free(tiles);
    return rc;
}

/* The newest checkpoint that others have cosigned, if it covers entry INDEX; else the newest. */
static int
read_checkpoint(const struct resources *resources, uint64_t index, struct buf *out,
    struct checkpoint *checkpoint, struct err *err)
{
    static const char *const paths[] = {RESOURCES_COSIGNED, RESOURCES_CHECKPOINT};
    struct note note;
    int rc = 0;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        out->n = 0;
        rc = resources->get(resources->ctx, paths[i], out, err);
        if (rc == 0)
            rc = checkpoint_read_note(buf_span(out), &note, checkpoint, err);
        if (rc == 0 ? checkpoint->size > index : rc != ERR_NOT_FOUND)
            return rc;
    }
    return rc;
}

int
ledger_prove_entry(const struct resources *resources, uint64_t index,
    const struct ledger_prove_item *item, struct span receipt, struct buf *out, struct err *err)
{
    struct ledger_proof proof = {.log = {.index = index}, .extra = buf_new(TILE_ENTRY_MAX)};
    struct buf bytes = buf_new(NOTE_BYTES_MAX);
    struct buf text = buf_new(2 * LEDGER_PROOF_RECEIPT_MAX);
    struct checkpoint checkpoint;
    int rc = read_checkpoint(resources, index, &bytes, &checkpoint, err);

    proof.log.checkpoint = buf_span(&bytes);
    base64_add(&text, receipt.p, receipt.n);
    if (rc == 0)
        rc = buf_check(&text, "a receipt", err);
    proof.receipt = buf_span(&text);
    if (rc == 0)
        rc = prove(resources, &checkpoint, item, &proof, err);
    if (rc == 0)
        rc = ledger_proof_write(out, &proof, err);
    buf_free(&proof.extra);
    buf_free(&bytes);
    buf_free(&text);
    return rc;
}
