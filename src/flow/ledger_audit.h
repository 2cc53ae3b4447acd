/* ledger_audit.h: is this log what its checkpoint says, and has it one history only?
 *
 * Recomputes everything from the entries: each tile, the root, the roots that it had when older
 * checkpoints were signed. Two checkpoints that one key signed and that cannot both be of one
 * history are evidence that anybody can check. Pure but for the resources given.
 */
#ifndef COMITY_FLOW_LEDGER_AUDIT_H
#define COMITY_FLOW_LEDGER_AUDIT_H

#include "fmt/checkpoint.h"
#include "fmt/ledger_entry.h"
#include "store/resources.h"

enum { LEDGER_AUDIT_OLDER_MAX = 64, LEDGER_AUDIT_KEYS_MAX = 64 };

enum ledger_finding_type {
    LEDGER_FINDING_SIGNATURE, /* of the checkpoint: wrong, or by none of the keys */
    LEDGER_FINDING_WITNESS,   /* a witness did not cosign, or its line is wrong */
    LEDGER_FINDING_RESOURCE,  /* a tile or bundle: missing, cut short, or not what follows */
    LEDGER_FINDING_ENTRY,     /* one that is no entry of Comity's */
    LEDGER_FINDING_ROOT,      /* the entries do not give the checkpoint's root */
    LEDGER_FINDING_OTHER,  /* a checkpoint to compare with that is no checkpoint, of another log, or
                              by none of the keys */
    LEDGER_FINDING_BEHIND, /* one that is of more entries than this copy has */
    LEDGER_FINDING_TWO,    /* two histories */
    LEDGER_FINDING_TYPES
};
struct ledger_finding {
    enum ledger_finding_type type;
    const char *text;       /* in words */
    struct span notes[2];   /* LEDGER_FINDING_TWO: the evidence, both whole */
    bool signed_by_one_key; /* that both notes are signed well by one of the keys: it is proof */
};

struct ledger_audit_question {
    const struct resources *resources;
    const struct note_key *keys; /* of the log; none: signatures are not checked */
    size_t key_count;
    const struct note_key *witnesses; /* whose cosignature is expected */
    size_t witness_count;
    const struct span *older; /* notes of other checkpoints of this log, of whatever age */
    size_t older_count;
    void (*found)(void *ctx, const struct ledger_finding *finding);
    void *ctx;
};
struct ledger_audit_answer {
    struct note note; /* borrowed from `bytes` */
    struct checkpoint checkpoint;
    struct buf bytes; /* the caller's to free, also after an error */
    uint64_t entries; /* read */
    uint64_t kinds[LEDGER_KIND_COUNT];
    uint64_t findings[LEDGER_FINDING_TYPES];
    size_t signed_by; /* how many of the keys */
    size_t seen_by;
    size_t continued; /* older checkpoints that this log continues */
    bool whole;       /* all entries were read and give the root */
};
/* ERR_NOT_FOUND (no checkpoint), ERR_BAD_NOTE (it is none), ERR_LIMIT (too many keys or older
 * checkpoints), ERR_NO_MEMORY; what is wrong with the log is no error but a finding. */
MUST_USE int ledger_audit_run(
    const struct ledger_audit_question *question, struct ledger_audit_answer *out, struct err *err);

#endif
