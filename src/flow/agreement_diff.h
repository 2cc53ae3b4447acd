/* agreement_diff.h: what would each team get otherwise under the one set of agreements than under
 * the other?
 *
 * Pure. Not texts are compared but what they do: every question that either set can tell apart is
 * judged by both (flow/cells.h), and answers that differ alike are gathered into few sentences.
 */
#ifndef COMITY_FLOW_AGREEMENT_DIFF_H
#define COMITY_FLOW_AGREEMENT_DIFF_H

#include "flow/cells.h"
#include "flow/change.h"

enum { AGREEMENT_DIFF_ROWS_MAX = 50000, AGREEMENT_DIFF_PAIRS_MAX = 4096 };

/* Reports of these senders, providers, classifications and labels, to one group of teams. */
struct agreement_diff_row {
    uint32_t recipient; /* group of cells */
    uint32_t pair;      /* before and after */
    uint64_t classes;
    uint64_t providers; /* bit p: group p of cells */
    uint64_t *senders;  /* bit s: group s of cells */
    uint8_t tlps;
};
struct agreement_diff_pair {
    struct verdict before;
    struct verdict after;
};
struct agreement_diff {
    struct cells cells;
    const struct policy_team *teams;
    struct agreement_diff_pair *pairs;
    size_t pair_count;
    struct agreement_diff_row *rows; /* by recipient; more, less, different */
    size_t row_count;                /* 0: alike in effect */
};

/* Both sets whole (with laws and conditions), at AT_US. TEAMS stay borrowed. Errors: ERR_LIMIT,
 * ERR_NO_MEMORY. */
MUST_USE int agreement_diff_make(struct arena *arena, const struct agreement_set *before,
    const struct agreement_set *after, const struct policy_team *teams, size_t team_count,
    int64_t at_us, struct agreement_diff *out, struct err *err);

/* Who gets it: "north.test", "a.test, b.test and 12 others". */
void agreement_diff_recipients(const struct agreement_diff *diff, size_t group, struct buf *out);
/* One row, the subject left out, without an end: "would now also get all reports up to AMBER". */
void agreement_diff_sentence(
    const struct agreement_diff *diff, const struct agreement_diff_row *row, struct buf *out);
/* Does the row hold for every sender that this recipient can have? */
bool agreement_diff_any_sender(
    const struct agreement_diff *diff, const struct agreement_diff_row *row);

#endif
