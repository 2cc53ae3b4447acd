/* Proofs of a ledger, its entries, and evidence of two histories, from anybody: what is read is
 * written the same again, and judging comes to its end without a key's word for it. */
#include "fuzz.h"

#include "fmt/fork.h"
#include "fmt/ledger_proof.h"

enum { ROOM = 8 << 20 };

static void
entry(struct span bytes)
{
    struct arena *arena = arena_new(1 << 20);
    struct json *json = json_new(LEDGER_ENTRY_MAX);
    struct buf again = buf_new(ROOM);
    struct ledger_entry e;

    MUST(arena != NULL && json != NULL);
    if (ledger_entry_read(arena, json, bytes, &e, NULL) == 0 && e.kind != LEDGER_KIND_UNKNOWN) {
        MUST(ledger_entry_write(&again, &e, NULL) == 0);
        MUST(span_equal(buf_span(&again), bytes));
    }
    buf_free(&again);
    json_free(json);
    arena_free(arena);
}

static void
judge(const struct ledger_proof *proof, struct span item)
{
    static struct ledger_proof_answer answer;
    struct arena *arena = arena_new(1 << 20);
    struct ledger_proof_question question = {.proof = proof, .item = &item};

    MUST(arena != NULL);
    if (ledger_proof_judge(arena, &question, &answer, NULL) == 0)
        MUST(answer.signed_by == 0 && answer.seen_by == 0 && !answer.wrong);
    arena_free(arena);
}

/* A receipt beside it, whatever it holds. */
static void
receipt(const struct ledger_proof *proof)
{
    const struct ledger_entry none = {.version = 1};
    struct buf bytes = buf_new(ROOM);
    struct receipt read;
    struct note note;
    bool fits;

    if (proof->receipt.n > 0
        && ledger_proof_receipt(proof, &none, &bytes, &note, &read, &fits, NULL) == 0)
        MUST(!fits);
    buf_free(&bytes);
}

static void
two_histories(struct span bytes)
{
    static struct fork_side sides[2];
    struct buf again = buf_new(ROOM);
    struct merkle_hash before;
    struct fork fork;

    if (fork_read(bytes, &fork, NULL) == 0) {
        MUST(fork_write(&again, &fork, NULL) == 0);
        MUST(span_equal(buf_span(&again), bytes));
        if (fork_sides(&fork, sides, NULL) == 0)
            (void)fork_judge(&fork, sides, &before);
    }
    buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {size == 0 ? "" : (const char *)data, size};
    struct buf again = buf_new(ROOM);
    struct ledger_proof proof;

    if (ledger_proof_read(bytes, &proof, NULL) == 0) {
        MUST(ledger_proof_write(&again, &proof, NULL) == 0);
        MUST(span_equal(buf_span(&again), bytes));
        judge(&proof, bytes);
        receipt(&proof);
        entry(proof.entry);
    }
    entry(bytes);
    two_histories(bytes);
    buf_free(&again);
    buf_free(&proof.extra);
    return 0;
}
