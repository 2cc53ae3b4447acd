/* flow.h: which way does a report go, stage by stage?
 *
 * The only module that orders the stages: ingest -> attribute -> decide -> redact -> deliver.
 * Each stage's counts add up (totals_balance).
 */
#ifndef COMITY_FLOW_FLOW_H
#define COMITY_FLOW_FLOW_H

#include "flow/attribute.h"
#include "flow/decide.h"
#include "flow/feeds.h"
#include "flow/redact.h"
#include "flow/seen.h"
#include "model/totals.h"

/* What became of a report for one recipient. */
struct flow_outcome {
    struct team_id recipient; /* nobody: unattributed */
    struct verdict verdict;
    /* Released ones only; lives until the sink returns. The same for both recipients if the same is
     * left for them. */
    const struct redacted *redacted;
};

enum { FLOW_OUTCOMES_MAX = 3 };
struct flow_result {
    const struct report *report;
    struct attribution_pair attribution;
    enum tlp tlp;       /* as decided on: the report's, else its feed's */
    uint32_t term_days; /* a partner's: how long we may keep it, as the clause says under which it
                           came; 0: no term */
    struct flow_outcome outcomes[FLOW_OUTCOMES_MAX];
    uint8_t outcome_count; /* at least 1 */
    uint64_t digest;       /* by which it is known when it comes again */
};

/* Everything is borrowed and must outlive the flow. */
struct flow_options {
    struct world world;
    const struct policy *policy;
    const struct extra_fields *extras; /* may be NULL: such fields are text and nothing else */
    struct pseudonyms *pseudonyms;     /* NULL: nothing can be pseudonymised */
    const struct feeds *feeds;         /* labels for reports that carry none */
    struct team_id origin;             /* nobody: a team that is not in the roster */
    int64_t at_us;
    bool clock_trusted;
    uint64_t window;          /* duplicates: how many reports back; 0: do not look */
    struct seen *seen;        /* not NULL: looks there, whatever the window */
    bool decides_only;        /* who redacts later: outcomes' redacted stays NULL */
    struct team_id own;       /* what partners send is sent to it (flow_sender) */
    struct team_id community; /* told besides, if a clause lets it; nobody: not asked */
    int (*deliver)(void *ctx, const struct flow_result *result, struct err *err);
    void *ctx;
};

struct flow;

MUST_USE int flow_new(const struct flow_options *options, struct flow **out, struct err *err);
void flow_free(struct flow *flow);

/* From now on reports come from ORIGIN: with PARTNER, another team that sends us its own, so that
 * what goes on is bound to the term under which it came. */
void flow_sender(struct flow *flow, struct team_id origin, bool partner);
/* The next report came through these teams, so none of them is told it; COUNT 0: nobody is known.
 */
void flow_came_through(struct flow *flow, const struct team_id *teams, size_t count);
/* A report that is here already, as the caller knows. */
void flow_duplicate(struct flow *flow);
/* From now on it is AT_US. */
void flow_moment(struct flow *flow, int64_t at_us, bool clock_trusted);

/* A reader's sink calls these (fmt/reader.h). Whatever deliver returns is passed on. */
void flow_prepare(struct flow *flow, struct report *report);
MUST_USE int flow_report(struct flow *flow, const struct report *report, struct err *err);
void flow_rejected(struct flow *flow);

/* Inside deliver only: what would the same report be for RECIPIENT? Counts nothing. A held one's
 * redacted is what a person's release would let go; OUT lives until deliver returns. */
MUST_USE int flow_suppose(
    struct flow *flow, struct team_id recipient, struct flow_outcome *out, struct err *err);

/* By what a verdict's treatments are done for RECIPIENT. */
struct redact_means flow_means(
    const struct flow_options *options, struct team_id recipient, const struct verdict *verdict);
/* Inside deliver only: what would ANOTHER policy, compiled for the same teams, say of the same
 * report for RECIPIENT? Counts nothing. */
void flow_judge(
    struct flow *flow, const struct policy *another, struct team_id recipient, struct verdict *out);

const struct totals *flow_counts(const struct flow *flow);

#endif
