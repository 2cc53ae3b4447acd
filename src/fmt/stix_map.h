/* stix_map.h: which fields of a report do STIX observables and patterns fill?
 *
 * What says two different things about one field (two addresses, neither of a
 * connection) does not fit one report: STIX_MAP_WHOLE, and the object is kept whole.
 */
#ifndef COMITY_FMT_STIX_MAP_H
#define COMITY_FMT_STIX_MAP_H

#include "fmt/pattern.h"
#include "fmt/stix_sco.h"
#include "model/report.h"

enum { STIX_MAP_WHOLE = 1, STIX_MAP_REFS_MAX = 64 };

/* Add a text, number or any JSON value; equal to what stands there already is fine, different is
 * STIX_MAP_WHOLE. Nothing is added for an empty text. NAME is for fields outside the table. */
MUST_USE int stix_map_text(
    struct report *report, enum field_id id, struct span text, struct err *err);
MUST_USE int stix_map_int(struct report *report, enum field_id id, int64_t value, struct err *err);
/* NAME lives as long as the report. Nested values become JSON text in SCRATCH. */
MUST_USE int stix_map_value(struct report *report, struct arena *scratch, struct span name,
    struct json_value value, struct err *err);
/* PREFIX and NAME joined in SCRATCH; n 0 when that is full. */
struct span stix_map_name(struct arena *scratch, const char *prefix, struct span name);

/* An address or, with "/bits", a prefix. */
MUST_USE int stix_map_address(
    struct report *report, bool destination, struct span text, struct err *err);

/* The observables of one observed-data; texts are borrowed. */
struct stix_map_scos {
    struct stix_sco *at[STIX_MAP_REFS_MAX];
    size_t count;
};
MUST_USE int stix_map_scos(
    struct report *report, const struct stix_map_scos *scos, struct err *err);

/* One choice of a pattern. */
MUST_USE int stix_map_choice(
    struct report *report, const struct pattern_choice *choice, struct err *err);

#endif
