/* nearmiss.h: which clauses came closest to covering a report, and what did each lack?
 *
 * For people who ask why nothing matched. Every condition of model/agreement.h is asked plainly,
 * clause by clause, and not by the compiled form that decides (flow/decide.h). Only clauses that
 * could grant something are looked at: bilateral, multilateral, baseline.
 */
#ifndef COMITY_FLOW_NEARMISS_H
#define COMITY_FLOW_NEARMISS_H

#include "flow/decide.h"

enum nearmiss_lack {
    NEARMISS_SUSPENDED = 1 << 0,
    NEARMISS_NOT_YET = 1 << 1,
    NEARMISS_ENDED = 1 << 2,
    NEARMISS_TLP = 1 << 3,
    NEARMISS_PROVIDER = 1 << 4,
    NEARMISS_CLASSIFICATION = 1 << 5,
    NEARMISS_FROM = 1 << 6,
    NEARMISS_TO = 1 << 7,
};

struct nearmiss_question {
    const struct policy_team *origin; /* NULL: not in the directory */
    const struct policy_team *recipient;
    enum classification classification;
    enum tlp tlp;         /* as it counts: nearmiss_tlp */
    struct span provider; /* n 0: not named */
    int64_t at_us;
};

struct nearmiss {
    const struct agreement *agreement;
    const struct clause *clause;
    uint32_t lacks; /* enum nearmiss_lack; 0: it matches */
};

/* Is TEAM (NULL: not in the directory) one of those that PATTERN names? */
bool nearmiss_covers(const struct agreement *agreement, const struct party_pattern *pattern,
    const struct policy_team *team);
/* What CLAUSE lacks to match. */
uint32_t nearmiss_lacks(const struct agreement *agreement, const struct clause *clause,
    const struct nearmiss_question *question);
/* The ROOM closest of all clauses, the closest first; returns how many. */
size_t nearmiss_find(const struct agreement_set *agreements,
    const struct nearmiss_question *question, struct nearmiss *out, size_t room);
/* TLP, or the stricter label that the provider's conditions name. */
enum tlp nearmiss_tlp(const struct agreement_set *agreements, enum tlp tlp, struct span provider);

#endif
