/* comity ledger key: by which key can others check this node's ledger? */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/home.h"
#include "cli/ledger.h"
#include "cli/setup.h"
#include "flow/nodekey.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "comity ledger key: the verifier key of a node's ledger\n\n"
    "usage: comity ledger key [--use log|witness|receipt] --home DIR\n\n"
    "  --use USE        whose it is: of the log (default), of this node's cosignatures, or of its\n"
    "                   receipts\n\n"
    "Give it to those who shall be able to check your proofs, by another way than the proofs:\n"
    "`comity verify --key` and `comity ledger audit --key` take it. It follows from node.key in\n"
    "the data folder, which only its owner can read.\n";

static int
use_of(const char *word, enum note_use *out, struct err *err)
{
    *out = NOTE_USE_LOG;
    if (word == NULL || strcmp(word, "log") == 0)
        return 0;
    *out = strcmp(word, "witness") == 0 ? NOTE_USE_WITNESS : NOTE_USE_RECEIPT;
    if (*out == NOTE_USE_WITNESS || strcmp(word, "receipt") == 0)
        return 0;
    return err_set(err, ERR_USAGE, "--use: log, witness or receipt, not \"%s\"", word);
}

static int
add_key(const char *home, struct span origin, enum note_use use, struct buf *out, struct err *err)
{
    uint8_t seed[NOTE_SEED_BYTES];
    char name[NOTE_NAME_MAX + 1];
    struct note_signer signer = {.key = {.id = 0}};
    int rc = nodekey_read(home, false, seed, err);

    nodekey_name(origin, use, name);
    if (rc == 0)
        rc = note_signer_derive(span_of(name), use, seed, &signer, err);
    if (rc == 0)
        note_key_add(out, &signer.key);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&signer, sizeof signer);
    return rc;
}

static int
find(const struct ledger_wanted *w, struct arena *arena, struct buf *out, struct err *err)
{
    struct ledger_copy copy;
    char home[SETUP_PATH_BYTES];
    struct span origin = {"", 0};
    enum note_use use;
    int rc = use_of(w->use, &use, err);

    if (rc != 0)
        return rc;
    rc = ledger_open_copy(w, &copy, err);
    if (rc == 0)
        rc = home_path(w->home, home, err);
    if (rc == 0)
        rc = store_get(copy.store, arena, "ledger-origin", &origin, err);
    if (rc == 0 && origin.n == 0)
        rc = err_set(err, ERR_NOT_FOUND, "this node has no ledger yet");
    if (rc == 0)
        rc = add_key(home, origin, use, out, err);
    ledger_close_copy(&copy);
    return rc;
}

int
ledger_key(int argc, char **argv)
{
    enum { KEY_BYTES = 1024 };
    struct ledger_wanted wanted;
    struct arena *arena = arena_new(KEY_BYTES * 64);
    struct buf out = buf_new(KEY_BYTES);
    struct err err = {0};
    int rc = ledger_options(argc, argv, LEDGER_TAKES_USE, help, &wanted, &err);
    bool helped = rc > 0;

    if (rc == 0 && !wanted.own)
        rc = err_set(&err, ERR_USAGE, "key: it is a node's own: name its data folder with --home");
    if (rc == 0)
        rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                           : find(&wanted, arena, &out, &err);
    if (rc == 0)
        (void)printf("%.*s\n", (int)out.n, out.p);
    buf_free(&out);
    arena_free(arena);
    return rc == 0 || helped ? EXIT_DONE : setup_fail(&err);
}
