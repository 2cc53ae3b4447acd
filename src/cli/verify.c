/* comity verify: does this file prove what it is said to, and what not? */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "cli/verify_told.h"
#include "cli/vkeys.h"
#include "cli/walls.h"
#include "flow/doc.h"
#include "fmt/fork.h"
#include "fmt/ledger_proof.h"
#include "fmt/receipt.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20, QUORUM_ALL = -1 };

static const char help[] =
    "comity verify: check a proof of a delivery, a receipt, or two histories of a log, offline\n\n"
    "usage: comity verify [OPTIONS] FILE\n\n"
    "  --key VKEY       a log's key that you believe, or for a receipt its signer's (repeatable);\n"
    "                   ask for it by another way than the one the file came by\n"
    "  --item FILE      the item that the proof is about, as it was received\n"
    "  --witness VKEY   a witness that must have seen this state of the log (repeatable)\n"
    "  --quorum N       that many of the witnesses are enough (default: all that are named)\n"
    "  --json           one object: proven, statements, and what it is about\n"
    "  --no-sandbox     work even where the kernel has no sandbox\n\n"
    "FILE is a C2SP tlog-proof as `comity ledger prove` writes it, a receipt, or what `comity "
    "peer\n"
    "evidence` prints. Each thing that follows is said in a line: PROVEN, NOT PROVEN (the file "
    "does\n"
    "not show it, or you gave no key for it), or FALSE.\n"
    "Exit status 0 if all that you asked for is proven, 1 if not.\n";

struct verify {
    const char *file;
    const char *item;
    struct vkeys keys;
    struct vkeys witnesses;
    int64_t quorum;
    bool json;
    bool sandbox;
    struct arena *arena;
    struct buf canonical;
    struct told told;
};

/* ---- options ---- */

static int
quorum_option(struct verify *v, int argc, char **argv, int *i, struct err *err)
{
    const char *text;
    uint64_t quorum;
    int rc = setup_option(argc, argv, i, "quorum", &text, err);

    if (rc <= 0)
        return rc;
    if (!span_u64(span_of(text), &quorum) || quorum > VKEYS_MAX)
        return err_set(err, ERR_USAGE, "--quorum: a number of witnesses, at most %d", VKEYS_MAX);
    v->quorum = (int64_t)quorum;
    return 1;
}

static int
one_option(struct verify *v, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i];

    if (strcmp(word, "--json") == 0)
        v->json = true;
    else if (strcmp(word, "--no-sandbox") == 0)
        v->sandbox = false;
    else if (word[0] != '-' && v->file == NULL)
        v->file = word;
    else {
        int rc = vkeys_option(&v->keys, argc, argv, i, "key", NOTE_ED25519, err);
        if (rc == 0)
            rc = vkeys_option(&v->witnesses, argc, argv, i, "witness", NOTE_COSIGNATURE, err);
        if (rc == 0)
            rc = setup_option(argc, argv, i, "item", &v->item, err);
        if (rc == 0)
            rc = quorum_option(v, argc, argv, i, err);
        return rc != 0 ? (rc > 0 ? 0 : rc)
                       : err_set(err, ERR_USAGE,
                           "verify: no argument \"%s\"; `comity verify --help` says more", word);
    }
    return 0;
}

static int
options(struct verify *v, int argc, char **argv, struct err *err)
{
    int rc = 0;

    v->sandbox = true;
    v->quorum = QUORUM_ALL;
    for (int i = 1; rc == 0 && i < argc; i++)
        rc = one_option(v, argc, argv, &i, err);
    if (rc == 0 && v->file == NULL)
        rc = err_set(err, ERR_USAGE, "verify: name the file; `comity verify --help` says more");
    if (rc == 0 && v->quorum > (int64_t)v->witnesses.count)
        rc = err_set(err, ERR_USAGE, "--quorum %d, but only %zu witnesses are named",
            (int)v->quorum, v->witnesses.count);
    return rc;
}

/* ---- a proof ---- */

static void
tell_keys(struct verify *v, const struct ledger_proof_answer *a)
{
    for (size_t i = 0; i < v->keys.count; i++) {
        const struct note_key *key = &v->keys.keys[i];
        if (a->keys[i] == NOTE_GOOD)
            told_add(&v->told, TOLD_PROVEN, "the log %.*s signed this state with its key %08x",
                SPAN_ARGS(key->name), key->id);
        else if (a->keys[i] == NOTE_WRONG)
            told_add(&v->told, TOLD_FALSE, "the signature in the name of %.*s is wrong",
                SPAN_ARGS(key->name));
    }
    if (v->keys.count == 0)
        told_add(&v->told, TOLD_MISSING,
            "that the log %.*s says so: without its key (--key) anybody could have made this file",
            SPAN_ARGS(a->checkpoint.origin));
    else if (a->signed_by == 0)
        told_add(&v->told, TOLD_FALSE, "none of the keys you gave signed for the log %.*s",
            SPAN_ARGS(a->checkpoint.origin));
}

/* Is it enough that SEEN_BY of the witnesses saw it? */
static bool
is_quorum(const struct verify *v, size_t seen_by)
{
    return seen_by >= (v->quorum == QUORUM_ALL ? v->witnesses.count : (size_t)v->quorum);
}

static void
tell_wrong_witness(struct verify *v, const struct note_key *key)
{
    told_add(&v->told, TOLD_FALSE, "the signature in the name of the witness %.*s is wrong",
        SPAN_ARGS(key->name));
}

static void
tell_witnesses(struct verify *v, const struct ledger_proof_answer *a)
{
    char time[TIME_TEXT_BYTES];

    for (size_t i = 0; i < v->witnesses.count; i++) {
        const struct note_key *key = &v->witnesses.keys[i];
        int64_t seconds = a->times_s[i] < 4102444800 ? (int64_t)a->times_s[i] : 4102444800;
        (void)time_format(seconds * 1000000, "Z", time);
        if (a->witnesses[i] == NOTE_GOOD)
            told_add(&v->told, TOLD_PROVEN,
                "the witness %.*s saw this state, and nothing that contradicts it, by %s",
                SPAN_ARGS(key->name), time);
        else if (a->witnesses[i] == NOTE_WRONG)
            tell_wrong_witness(v, key);
        else
            told_add(&v->told, is_quorum(v, a->seen_by) ? TOLD_BESIDE : TOLD_MISSING,
                "that the witness %.*s saw this state", SPAN_ARGS(key->name));
    }
    if (v->witnesses.count == 0)
        told_add(&v->told, TOLD_BESIDE,
            "that others were shown the same history: no witness is named (--witness)");
}

static void
tell_item(struct verify *v, const struct ledger_proof *proof, const struct ledger_proof_answer *a)
{
    unsigned long long number = (unsigned long long)proof->item.index + 1;

    switch (a->item) {
    case LEDGER_PROOF_ITEM:
        told_add(&v->told, TOLD_PROVEN, "the item is number %llu of the %llu of that batch", number,
            (unsigned long long)a->entry.items);
        break;
    case LEDGER_PROOF_UNTRIED:
        told_add(&v->told, TOLD_BESIDE,
            "which item is number %llu of the %llu of that batch: give it by --item", number,
            (unsigned long long)a->entry.items);
        break;
    case LEDGER_PROOF_OTHER_ITEM:
        told_add(&v->told, TOLD_FALSE,
            proof->has_item ? "the item that you gave is not the one that this file is about"
                            : "this file is about the whole batch and shows no item");
        break;
    default:
        break;
    }
}

static void
tell_log(struct verify *v, const struct ledger_proof *proof, const struct ledger_proof_answer *a)
{
    bool in_log = a->log == LEDGER_PROOF_IN_LOG;
    struct span nobody = SPAN("that this file names"); /* without a signature it is anybody's */
    struct span log = a->signed_by > 0 ? a->checkpoint.origin : nobody;

    told_add(&v->told, in_log ? TOLD_PROVEN : TOLD_FALSE,
        in_log ? "the entry stands at place %llu in the %llu entries of the log %.*s"
               : "the entry does not stand at place %llu in the %llu entries of the log %.*s",
        (unsigned long long)proof->log.index, (unsigned long long)a->checkpoint.size,
        SPAN_ARGS(log));
    told_add(&v->told, TOLD_BESIDE, "that what was delivered is true");
}

/* What the recipient signed, beside the log's word. */
static int
tell_receipt(struct verify *v, const struct ledger_proof *proof,
    const struct ledger_proof_answer *a, struct err *err)
{
    struct buf bytes = buf_new(LEDGER_PROOF_RECEIPT_MAX);
    struct receipt receipt;
    struct note note;
    size_t good = 0;
    bool fits = false;
    int rc = ledger_proof_receipt(proof, &a->entry, &bytes, &note, &receipt, &fits, err);

    for (size_t i = 0; rc == 0 && fits && i < v->keys.count; i++) {
        enum note_found found = note_check(&note, &v->keys.keys[i], NULL);
        good += found == NOTE_GOOD;
        if (found != NOTE_ABSENT)
            told_add(&v->told, found == NOTE_GOOD ? TOLD_PROVEN : TOLD_FALSE,
                found == NOTE_GOOD ? "%.*s says that the batch arrived as it was delivered"
                                   : "the receipt's signature in the name of %.*s is wrong",
                SPAN_ARGS(v->keys.keys[i].name));
    }
    if (rc == 0 && !fits)
        told_add(&v->told, TOLD_FALSE, "the receipt in this file is not for this batch");
    else if (rc == 0 && good == 0)
        told_add(&v->told, TOLD_BESIDE,
            "that %.*s received it: the file has a receipt; give its signer's key by --key",
            SPAN_ARGS(a->entry.to));
    buf_free(&bytes);
    return rc;
}

static int
tell_received(struct verify *v, const struct ledger_proof *proof,
    const struct ledger_proof_answer *a, struct err *err)
{
    if (proof->receipt.n > 0)
        return tell_receipt(v, proof, a, err);
    if (a->entry.kind == LEDGER_KIND_DELIVERY)
        told_add(&v->told, TOLD_BESIDE,
            "that %.*s received it: that says a receipt of theirs, over this batch and root",
            SPAN_ARGS(a->entry.to));
    return 0;
}

static int
judge_proof(struct verify *v, struct span text, struct span item, struct err *err)
{
    static struct ledger_proof_answer answer;
    struct ledger_proof proof;
    struct ledger_proof_question question = {.proof = &proof,
        .item = v->item == NULL ? NULL : &item,
        .keys = v->keys.keys,
        .key_count = v->keys.count,
        .witnesses = v->witnesses.keys,
        .witness_count = v->witnesses.count};
    int rc = ledger_proof_read(text, &proof, err);

    if (rc == 0)
        rc = ledger_proof_judge(v->arena, &question, &answer, err);
    if (rc == 0) {
        tell_keys(v, &answer);
        tell_item(v, &proof, &answer);
        tell_witnesses(v, &answer);
        tell_log(v, &proof, &answer);
        rc = tell_received(v, &proof, &answer, err);
    }
    if (rc == 0)
        told_proof(&v->told, &proof, &answer);
    buf_free(&proof.extra);
    return rc;
}

/* ---- a receipt ---- */

static int
judge_receipt(struct verify *v, struct span text, struct err *err)
{
    struct receipt receipt;
    struct note note;
    size_t good = 0;
    int rc = note_read(text, &note, err);

    if (rc == 0)
        rc = receipt_read(note.text, &receipt, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < v->keys.count; i++) {
        const struct note_key *key = &v->keys.keys[i];
        enum note_found found = note_check(&note, key, NULL);
        good += found == NOTE_GOOD;
        if (found == NOTE_GOOD)
            told_add(&v->told, TOLD_PROVEN, "%.*s says that the batch arrived with %llu items",
                SPAN_ARGS(key->name), (unsigned long long)receipt.count);
        if (found == NOTE_WRONG)
            told_add(&v->told, TOLD_FALSE, "the signature in the name of %.*s is wrong",
                SPAN_ARGS(key->name));
    }
    if (v->keys.count == 0)
        told_add(&v->told, TOLD_MISSING, "who says so: give the recipient's key by --key");
    else if (good == 0)
        told_add(&v->told, TOLD_FALSE, "none of the keys you gave signed this receipt");
    if (v->item != NULL)
        told_add(&v->told, TOLD_MISSING, "that the item was in it: a proof of the item shows that");
    told_receipt(&v->told, &receipt);
    return 0;
}

/* ---- two histories ---- */

/* Did the log sign both? */
static bool
tell_signed(struct verify *v, const struct fork_side sides[2])
{
    struct span log = sides[0].checkpoint.origin;
    bool any = false;

    for (size_t i = 0; i < v->keys.count; i++) {
        const struct note_key *key = &v->keys.keys[i];
        enum note_found one = checkpoint_check(&sides[0].note, &sides[0].checkpoint, key);
        enum note_found two = checkpoint_check(&sides[1].note, &sides[1].checkpoint, key);
        if (one == NOTE_WRONG || two == NOTE_WRONG)
            told_add(&v->told, TOLD_FALSE, "the signature in the name of %.*s is wrong",
                SPAN_ARGS(key->name));
        else if (one == NOTE_GOOD && two == NOTE_GOOD) {
            any = true;
            told_add(&v->told, TOLD_PROVEN, "the log %.*s signed both with its key %08x",
                SPAN_ARGS(key->name), key->id);
        }
    }
    if (v->keys.count == 0)
        told_add(&v->told, TOLD_MISSING,
            "that the log %.*s signed both: without its key (--key) anybody could have made this "
            "file",
            SPAN_ARGS(log));
    else if (!any)
        told_add(&v->told, TOLD_FALSE, "none of the keys you gave signed both for the log %.*s",
            SPAN_ARGS(log));
    return any;
}

/* Did the witness sign one of them, and nothing wrong? */
static enum note_found
seen_one(const struct fork_side sides[2], const struct note_key *key)
{
    enum note_found one = note_check(&sides[0].note, key, NULL);
    enum note_found two = note_check(&sides[1].note, key, NULL);

    return one == NOTE_WRONG || two == NOTE_ABSENT ? one : two;
}

static void
tell_seen(struct verify *v, const struct fork_side sides[2])
{
    size_t seen_by = 0;

    for (size_t i = 0; i < v->witnesses.count; i++)
        seen_by += seen_one(sides, &v->witnesses.keys[i]) == NOTE_GOOD;
    for (size_t i = 0; i < v->witnesses.count; i++) {
        const struct note_key *key = &v->witnesses.keys[i];
        enum note_found found = seen_one(sides, key);
        if (found == NOTE_GOOD)
            told_add(
                &v->told, TOLD_PROVEN, "the witness %.*s saw one of them", SPAN_ARGS(key->name));
        else if (found == NOTE_WRONG)
            tell_wrong_witness(v, key);
        else
            told_add(&v->told, is_quorum(v, seen_by) ? TOLD_BESIDE : TOLD_MISSING,
                "that the witness %.*s saw one of them", SPAN_ARGS(key->name));
    }
}

static void
tell_histories(
    struct verify *v, enum fork_shown shown, const struct fork_side sides[2], bool by_log)
{
    unsigned long long smaller = (unsigned long long)sides[0].checkpoint.size;
    unsigned long long larger = (unsigned long long)sides[1].checkpoint.size;

    if (shown == FORK_LOOSE)
        told_add(&v->told, TOLD_FALSE,
            "that the hashes belong to the larger one: they do not give its root");
    else if (shown == FORK_ONE)
        told_add(&v->told, TOLD_FALSE,
            "that these are two histories: the one of %llu entries goes on from the one of %llu",
            larger, smaller);
    else
        told_add(&v->told, TOLD_PROVEN,
            by_log
                ? "the log %.*s showed two histories: the first %llu of its %llu entries are not "
                  "those that it signed before"
                : "whoever signed for %.*s showed two histories: the first %llu of the %llu "
                  "entries are not the same",
            SPAN_ARGS(sides[0].checkpoint.origin), smaller, larger);
}

static int
judge_fork(struct verify *v, struct span text, struct err *err)
{
    static struct fork_side sides[2];
    struct merkle_hash before;
    struct fork fork;
    int rc = fork_read(text, &fork, err);

    if (rc == 0)
        rc = fork_sides(&fork, sides, err);
    if (rc != 0)
        return rc;
    enum fork_shown shown = fork_judge(&fork, sides, &before);
    bool by_log = tell_signed(v, sides);
    tell_seen(v, sides);
    tell_histories(v, shown, sides, by_log);
    if (v->item != NULL)
        told_add(&v->told, TOLD_MISSING, "that the item was in it: a proof of the item shows that");
    told_fork(&v->told, sides, &before);
    return 0;
}

/* ---- all of them ---- */

static int
read_files(struct verify *v, struct span *text, struct span *item, struct err *err)
{
    const char *files[] = {v->file, v->item};
    struct walls walls = {
        .wanted = v->sandbox, .files = files, .file_count = v->item == NULL ? 1 : 2};
    struct span bytes;
    int rc = walls_enter(&walls, err);

    if (rc == 0)
        rc = doc_file(v->arena, v->file, text, err);
    if (rc != 0 || v->item == NULL)
        return rc;
    rc = doc_file(v->arena, v->item, &bytes, err);
    if (rc == 0)
        rc = items_canonical(bytes, &v->canonical, err);
    *item = buf_span(&v->canonical);
    return rc;
}

static int
run(struct verify *v, struct err *err)
{
    struct span text;
    struct span item = {"", 0};
    int rc = v->arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory") : 0;

    if (rc == 0)
        rc = read_files(v, &text, &item, err);
    if (rc == 0 && fork_is(text))
        rc = judge_fork(v, text, err);
    else if (rc == 0)
        rc = receipt_is(text) ? judge_receipt(v, text, err) : judge_proof(v, text, item, err);
    return rc != 0 ? rc : told_print(&v->told, v->json, err);
}

int
cli_verify(int argc, char **argv)
{
    static struct verify v;
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    int rc = options(&v, argc, argv, &err);
    if (rc == 0) {
        v.arena = arena_new(ARENA_BYTES);
        v.canonical = buf_new(ITEMS_BYTES_MAX);
        told_new(&v.told);
        rc = run(&v, &err);
    }
    bool proven = told_all_proven(&v.told);
    told_free(&v.told);
    buf_free(&v.canonical);
    arena_free(v.arena);
    if (rc == ERR_BAD_PROOF || rc == ERR_BAD_NOTE || rc == ERR_BAD_ENTRY) {
        (void)setup_fail(&err);
        return EXIT_REJECTED;
    }
    return rc != 0 ? setup_fail(&err) : proven ? EXIT_DONE : EXIT_REJECTED;
}
