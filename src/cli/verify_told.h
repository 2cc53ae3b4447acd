/* verify_told.h: how is it said what a file proves?
 *
 * Statements in the order of their making, as lines for people or as one JSON object.
 */
#ifndef COMITY_CLI_VERIFY_TOLD_H
#define COMITY_CLI_VERIFY_TOLD_H

#include "fmt/fork.h"
#include "fmt/ledger_proof.h"
#include "fmt/receipt.h"

enum told_state {
    TOLD_PROVEN,
    TOLD_MISSING, /* not proven, though it was asked for */
    TOLD_BESIDE,  /* not proven, and nobody asked */
    TOLD_FALSE,
    TOLD_STATES
};

struct told {
    struct buf lines;
    struct buf list;    /* JSON */
    struct buf about;   /* what it is about, in words */
    struct buf members; /* the same, of JSON's object */
    size_t counts[TOLD_STATES];
};

void told_new(struct told *told);
void told_free(struct told *told);
/* FORMAT's texts may be anybody's. */
void told_add(struct told *told, enum told_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void told_proof(
    struct told *told, const struct ledger_proof *proof, const struct ledger_proof_answer *answer);
void told_receipt(struct told *told, const struct receipt *receipt);
/* BEFORE: as fork_judge gives it. */
void told_fork(
    struct told *told, const struct fork_side sides[2], const struct merkle_hash *before);
bool told_all_proven(const struct told *told);
/* To standard output. ERR_LIMIT, ERR_IO. */
MUST_USE int told_print(const struct told *told, bool json, struct err *err);

#endif
