/* verdict.h: may this team be told, and what?
 *
 * Zero-initialised means withhold, everything removed, reason not-decided.
 */
#ifndef COMITY_MODEL_VERDICT_H
#define COMITY_MODEL_VERDICT_H

#include "model/team.h"
#include "model/words.h"

#include <stdint.h>

enum { VERDICT_CLAUSES_MAX = 8 };

/* treatment[c] is stored as strictness so that zero means remove: read it with
 * verdict_treatment. */
struct verdict {
    uint8_t effect;                    /* enum effect; 0 withhold */
    uint8_t reason;                    /* enum reason; 0 not-decided */
    uint8_t laxity[FIELD_CLASS_COUNT]; /* TREATMENT_REMOVE - treatment */
    bool require_encrypted;
    bool require_receipt;
    uint8_t onward;          /* enum onward of agreement.h, the strictest of the clauses' */
    uint8_t clause_count;    /* all that made it, may exceed VERDICT_CLAUSES_MAX */
    uint32_t retention_days; /* the shortest of the clauses'; 0: no term */
    uint32_t clauses[VERDICT_CLAUSES_MAX]; /* indexes into the policy, deciding level first, then
                                              ceilings */
};

static inline enum treatment
verdict_treatment(const struct verdict *verdict, enum field_class class)
{
    return (enum treatment)(TREATMENT_REMOVE - verdict->laxity[class]);
}

static inline bool
verdict_pseudonymises(const struct verdict *verdict)
{
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        if (verdict_treatment(verdict, (enum field_class)c) == TREATMENT_PSEUDONYMISE)
            return true;
    return false;
}

static inline void
verdict_set_treatment(struct verdict *verdict, enum field_class class, enum treatment treatment)
{
    verdict->laxity[class] = (uint8_t)(TREATMENT_REMOVE - treatment);
}

#endif
