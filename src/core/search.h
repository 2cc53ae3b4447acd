/* search.h: by what can reports be found again, and does this one match?
 *
 * Batches keep a small filter of keys (store_batch_add); a search asks it for the keys of its
 * query, opens only batches that may hold them all, and compares exactly. Keys are XXH3 with fixed
 * seeds: they lie in the store. A sender who makes two of them equal makes a search open a batch
 * in vain, no more.
 */
#ifndef COMITY_CORE_SEARCH_H
#define COMITY_CORE_SEARCH_H

#include "model/report.h"
#include "model/verdict.h"

/* What was found out and decided about a report when it came in, as far as searches ask for it. */
struct search_outcome {
    struct span team; /* its id; n 0: nobody */
    uint8_t effect;   /* enum effect; of nobody's: withhold */
};
enum { SEARCH_OUTCOMES_MAX = 3 };
struct search_facts {
    struct span sender;          /* the team that gave it: its id; n 0: not known */
    struct economy economies[2]; /* source's, destination's: that decided; zero: none */
    uint32_t asns[2];            /* of the address table; 0: none. The feed's are the report's */
    struct search_outcome outcomes[SEARCH_OUTCOMES_MAX];
    uint32_t outcome_count;
};

/* ---- when reports come in ---- */

/* The keys of one batch, each once. */
struct search_set;
struct search_set *search_set_new(void); /* NULL: no memory */
void search_set_free(struct search_set *set);
/* Empty it for the next batch; its memory is kept. */
void search_set_reset(struct search_set *set);
/* Everything that the report may be searched by. ERR_NO_MEMORY. REPORT is finished. */
MUST_USE int search_set_add(struct search_set *set, const struct report *report,
    const struct search_facts *facts, struct err *err);
/* Until the next call. */
const uint64_t *search_set_keys(const struct search_set *set, size_t *count);

/* ---- when they are looked for ---- */

/* Zero members ask for nothing. */
struct search_query {
    struct address address; /* of source or destination; a prefix finds all inside */
    struct span name;       /* domain_normalise'd: itself and all names below it */
    struct span team;       /* that it is for */
    struct span sender;     /* the team that gave it */
    struct span provider;   /* without case */
    uint32_t asn;           /* of the address table or as the feed says */
    struct economy economy; /* that decided */
    uint8_t classification; /* enum classification */
    bool effect_given;
    uint8_t effect;    /* enum effect, for TEAM if that is given too */
    bool unattributed; /* nobody answers for it */
    struct span id;    /* that another node gave it (core/id.h's id_plain) */
};
enum { SEARCH_QUERY_KEYS_MAX = 14 };
/* What a batch must hold to have a match; fewer than the query asks for where no key helps (a
 * public suffix, a short prefix). Returns how many are at KEYS; the sender's, which batches have
 * that were made by version 4 of the store or a later one, is the last. */
size_t search_query_keys(const struct search_query *query, uint64_t keys[SEARCH_QUERY_KEYS_MAX]);
bool search_matches(const struct search_query *query, const struct report *report,
    const struct search_facts *facts);

#endif
