/* comity ledger prove: a file that shows others that an entry, or one item, stands in the log. */
#include "flow/ledger_prove.h"

#include "base/base64.h"
#include "cli/cli.h"
#include "cli/ledger.h"
#include "cli/setup.h"
#include "core/crossing.h"
#include "flow/doc.h"
#include "fmt/logproof.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 128 << 20 };

static const char help[] =
    "comity ledger prove: a file that shows others that an entry, or one item, stands in the "
    "log\n\n"
    "usage: comity ledger prove --entry N [OPTIONS] FOLDER > FILE.tlog-proof\n"
    "       comity ledger prove --entry N [OPTIONS] --home DIR > FILE.tlog-proof\n"
    "       comity ledger prove REPORT [--to TEAM] [--recall] [--print-item] --home DIR > "
    "FILE.tlog-proof\n\n"
    "  REPORT           id of a report (comity explain) that the node of DIR delivered\n"
    "  --to TEAM        to whom, if it went to several\n"
    "  --recall         that it was taken back, not that it was delivered\n"
    "  --print-item     print, not the proof, but the item that it is about, as TEAM has it\n"
    "  --entry N        which entry; the first is 0\n"
    "  --items FILE     what the batch delivered, one item a line, in order\n"
    "  --salt FILE      the batch's salt: 32 bytes in base64, as the recipient got it\n"
    "  --item K         which of the items the proof is about; the first is 0\n"
    "  --no-sandbox     work even where the kernel has no sandbox\n\n"
    "The proof discloses the entry, and of the item its place and its own salt: who has the item\n"
    "can check it, who has not cannot guess the others. Of a node's own, the recipient's receipt\n"
    "stands beside it, if one has come. `comity verify` checks it all.\n";

static int
read_salt(struct arena *arena, const char *path, struct items_salt *out, struct err *err)
{
    struct span text;
    int rc = doc_file(arena, path, &text, err);

    if (rc == 0 && !base64_exact(span_trim(text), out->bytes, sizeof out->bytes))
        rc = err_set(err, ERR_BAD_VALUE, "%s holds no salt: 32 bytes in base64", path);
    return rc;
}

static size_t
count_lines(struct span text)
{
    size_t count = 0;
    struct span line;

    while (span_next(&text, '\n', &line))
        count++;
    return count;
}

static int
read_items(struct arena *arena, const char *path, struct ledger_prove_item *item, struct err *err)
{
    struct span text = {"", 0};
    struct span line;
    struct items_salt salt;
    struct buf canonical = buf_new(ITEMS_BYTES_MAX);
    int rc = doc_file(arena, path, &text, err);
    size_t count = rc == 0 ? count_lines(text) : 0;
    struct merkle_hash *leaves = arena_zalloc(arena, 2 * count + 1, sizeof *leaves);

    if (rc == 0 && (leaves == NULL || count > LEDGER_PROVE_ITEMS_MAX))
        rc = arena_full(err, "the items of a batch");
    while (rc == 0 && span_next(&text, '\n', &line)) {
        canonical.n = 0;
        rc = items_canonical(line, &canonical, err);
        items_salt_of(&item->salt, item->nodes.count, &salt);
        items_leaf(&salt, buf_span(&canonical), &leaves[item->nodes.count++]);
    }
    item->nodes.hashes = leaves;
    if (rc == 0)
        merkle_nodes_fill(&item->nodes);
    buf_free(&canonical);
    return rc;
}

static int
prove_entry(const struct ledger_wanted *w, const struct ledger_copy *copy, struct arena *arena,
    struct buf *out, struct err *err)
{
    struct ledger_prove_item item = {.index = w->item};
    struct span receipt = {NULL, 0};
    int rc = copy->store == NULL ? 0 : crossing_receipt(copy->store, arena, w->from, &receipt, err);

    if (rc == 0 && w->has_item)
        rc = read_salt(arena, w->salt, &item.salt, err);
    if (rc == 0 && w->has_item)
        rc = read_items(arena, w->items, &item, err);
    if (rc == 0)
        rc = ledger_prove_entry(
            &copy->resources, w->from, w->has_item ? &item : NULL, receipt, out, err);
    explicit_bzero(&item.salt, sizeof item.salt);
    return rc;
}

static int
prove_report(const struct ledger_wanted *w, const struct ledger_copy *copy, struct arena *arena,
    struct buf *out, struct err *err)
{
    struct crossing crossing = {.entry = 0};
    struct buf bytes = buf_new(ITEMS_BYTES_MAX);
    struct span receipt = {NULL, 0};
    const struct crossing_wanted wanted = {
        span_of(w->report), w->to == NULL ? SPAN("") : span_of(w->to), w->recall};
    int rc = crossing_find(copy->store, arena, &wanted, &crossing, &bytes, err);

    if (rc == 0)
        rc = crossing_receipt(copy->store, arena, crossing.entry, &receipt, err);
    if (rc == 0 && !w->print_item)
        rc =
            ledger_prove_entry(&copy->resources, crossing.entry, &crossing.item, receipt, out, err);
    else if (rc == 0)
        buf_add_span(out, buf_span(&bytes));
    buf_free(&bytes);
    explicit_bzero(&crossing.item.salt, sizeof crossing.item.salt);
    return rc;
}

static int
prove(const struct ledger_wanted *w, struct arena *arena, struct buf *out, struct err *err)
{
    struct ledger_copy copy;
    int rc = ledger_open_copy(w, &copy, err);

    if (rc == 0 && w->report != NULL)
        rc = prove_report(w, &copy, arena, out, err);
    else if (rc == 0)
        rc = prove_entry(w, &copy, arena, out, err);
    ledger_close_copy(&copy);
    return rc;
}

static int
check_wanted(const struct ledger_wanted *w, struct err *err)
{
    if (w->has_from == (w->report != NULL))
        return err_set(err, ERR_USAGE, "prove: a report's id or --entry says which");
    if (w->report == NULL && (w->to != NULL || w->print_item || w->recall))
        return err_set(
            err, ERR_USAGE, "prove: --to, --recall and --print-item are for a report's id");
    if ((w->items != NULL) != w->has_item || (w->salt != NULL) != w->has_item)
        return err_set(err, ERR_USAGE, "prove: --item, --items and --salt go together");
    return w->json ? err_set(err, ERR_USAGE, "prove: a proof has one form, no --json") : 0;
}

int
ledger_prove(int argc, char **argv)
{
    struct ledger_wanted wanted;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct buf out = buf_new(ITEMS_BYTES_MAX);
    struct err err = {0};
    int rc =
        ledger_options(argc, argv, LEDGER_TAKES_ITEM | LEDGER_TAKES_REPORT, help, &wanted, &err);
    bool helped = rc > 0;

    if (rc == 0)
        rc = check_wanted(&wanted, &err);
    if (rc == 0)
        rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                           : prove(&wanted, arena, &out, &err);
    if (rc == 0)
        rc = setup_print(&out, "the proof", &err);
    buf_free(&out);
    arena_free(arena);
    return rc == 0 || helped ? EXIT_DONE : setup_fail(&err);
}
