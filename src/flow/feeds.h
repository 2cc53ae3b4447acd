/* feeds.h: under which conditions did a provider give us its reports?
 *
 * Read from one JSON file (share/feeds.json): the TLP of unlabelled reports, and each provider's
 * FIRST IEP 2.0 policy, which becomes a ceiling. A fault anywhere refuses the whole file.
 */
#ifndef COMITY_FLOW_FEEDS_H
#define COMITY_FLOW_FEEDS_H

#include "model/agreement.h"
#include "model/report.h"

struct feed {
    const struct span *names; /* the provider's, as feed.provider has it, and others for the same */
    size_t name_count;
    uint8_t tlp; /* enum tlp of its unlabelled reports */
};

struct feeds {
    const struct feed *feeds;
    size_t count;
    uint8_t tlp;                     /* of unlabelled reports of all others */
    struct agreement_set conditions; /* of kind AGREEMENT_FEED, to be joined to the agreements */
};

/* All of *OUT lives in ARENA. Errors: ERR_NOT_FOUND, ERR_IO, ERR_BAD_CONFIG, ERR_LIMIT,
 * ERR_NO_MEMORY. */
MUST_USE int feeds_load(struct arena *arena, const char *path, struct feeds *out, struct err *err);
MUST_USE int feeds_parse(
    struct arena *arena, struct span text, const char *name, struct feeds *out, struct err *err);

/* For decide_input.tlp: the report's own label (TLP_UNKNOWN if that is none of TLP 2.0), else its
 * provider's, else the file's. */
enum tlp feeds_report_tlp(const struct feeds *feeds, const struct report *report);
/* The same for a provider's unlabelled report. */
enum tlp feeds_tlp(const struct feeds *feeds, struct span provider);
/* The provider's entry, by any of its names in any case; NULL if it has none. */
const struct feed *feeds_find(const struct feeds *feeds, struct span provider);

#endif
