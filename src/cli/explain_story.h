/* explain_story.h: what is there to tell about one report?
 *
 * Gathered inside the flow's deliver from the flow's own result; borrowed from it. Written out by
 * explain_text and explain_json.
 */
#ifndef COMITY_CLI_EXPLAIN_STORY_H
#define COMITY_CLI_EXPLAIN_STORY_H

#include "cli/job.h"
#include "flow/nearmiss.h"

enum { EXPLAIN_OUTCOMES_MAX = 3, EXPLAIN_NEAR_MAX = 4, EXPLAIN_CLAIMANTS_MAX = 8 };

struct explain_outcome {
    const struct flow_outcome *outcome;
    bool supposed;                   /* --to: it does not go there */
    const struct redacted *redacted; /* of a held one: what a person's release would let go */
    struct nearmiss near[EXPLAIN_NEAR_MAX];
    size_t near_count;
};

enum explain_tlp_from { EXPLAIN_TLP_REPORT, EXPLAIN_TLP_FEED, EXPLAIN_TLP_DEFAULT };

struct explain_story {
    const struct job *job;
    const struct flow_result *result;
    enum explain_tlp_from tlp_from;
    enum tlp tlp_counts; /* with the provider's conditions */
    struct flow_outcome supposed[EXPLAIN_OUTCOMES_MAX];
    struct explain_outcome outcomes[EXPLAIN_OUTCOMES_MAX];
    size_t outcome_count;
};

/* TO: also what would be if it went to that team; nobody: do not suppose. */
MUST_USE int explain_story_gather(struct explain_story *story, const struct job *job,
    const struct flow_result *result, struct team_id to, struct err *err);

/* Which class decided on FIELD, and how. The TLP label is always told, whatever the clauses say of
 * open fields. */
struct redact_rule explain_story_rule(const struct explain_story *story,
    const struct explain_outcome *outcome, const struct field *field);

/* Other teams that claim what this attribution rests on; returns how many are at OUT. */
size_t explain_story_claimants(const struct roster *roster, const struct attribution *attribution,
    struct team_id out[EXPLAIN_CLAIMANTS_MAX]);

/* The prefix known around the side's address; 0: none. */
size_t explain_story_prefix(const struct endpoint *endpoint, const struct attribution *attribution,
    char out[ADDRESS_TEXT_BYTES]);

const char *explain_story_kind(const struct agreement *agreement);
/* What a clause lacked, in words, one lack (a single bit) at a time; appended to OUT. */
void explain_story_lack(
    const struct explain_story *story, const struct nearmiss *near, uint32_t lack, struct buf *out);
const char *explain_story_lack_word(uint32_t lack);
/* A clause's `from` or `to`, as written. */
void explain_story_pattern(const struct party_pattern *pattern, struct buf *out);
/* The field's value as text. */
void explain_story_value(const struct field *field, struct buf *out);

#endif
