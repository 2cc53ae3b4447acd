/* reading.h: which report lies at this place of this batch, and what was decided of it?
 *
 * One batch at a time is unpacked; asking for it again costs nothing.
 */
#ifndef COMITY_CORE_READING_H
#define COMITY_CORE_READING_H

#include "core/outcome.h"
#include "core/search.h"
#include "core/state.h"

struct reading;

struct reading *reading_new(void); /* NULL: no memory */
void reading_free(struct reading *reading);
/* Unpack batch NUMBER. ERR_NOT_FOUND (never there, or its time is over), ERR_BAD_STORE, and the
 * store's. */
MUST_USE int reading_open(
    struct reading *reading, struct core *core, uint64_t number, struct err *err);

/* A report of the batch that is open; all of it until the next reading_*. */
struct read_report {
    const struct report *report;
    struct outcome_report outcome;
    const struct outcomes *outcomes; /* the batch's verdicts */
    int64_t received_us;
    uint64_t batch;
    uint32_t place;
    char id[ID_TEXT_BYTES]; /* ours, which finds it */
};
uint32_t reading_count(const struct reading *reading);
uint64_t reading_tag(const struct reading *reading);
/* PLACE below reading_count. ERR_BAD_STORE. */
MUST_USE int reading_get(struct reading *reading, struct core *core, uint32_t place,
    struct read_report *out, struct err *err);
/* May PLACE's report have the IPv4 address whose text is ADDRESS? Looks at its bytes alone, which
 * is much cheaper than reading it: an address has one text (strict dotted quads), but where IPv6
 * holds it. */
bool reading_may_have(const struct reading *reading, uint32_t place, struct span address);
/* The next report, newest first, to which another node gave ID (as id_plain writes it); FROM is
 * zero at the beginning. ERR_NOT_FOUND: there are no more. */
struct reading_place {
    uint64_t batch;
    uint32_t place; /* those below are left */
};
MUST_USE int reading_next_known(struct reading *reading, struct core *core, struct span id,
    struct reading_place *from, struct read_report *out, struct err *err);
/* The report with ID, ours or what another node gave it. ERR_BAD_NAME, ERR_NOT_FOUND. */
MUST_USE int reading_find(struct reading *reading, struct core *core, struct span id,
    struct read_report *out, struct err *err);

/* What searches ask of it. The teams' ids live with the store. */
void reading_facts(
    const struct core *core, const struct read_report *read, struct search_facts *out);
/* The id of the team that was found by SIDE (0 source, 1 destination); n 0: nobody. */
struct span reading_team_of(const struct core *core, const struct read_report *read, uint8_t side);

/* The members of a ReportSummary (share/openapi/schemas.json) into the object that is open, those
 * of core/provenance.h aside. */
void reading_tell(const struct core *core, const struct read_report *read, struct buf *out);
/* `"source":{...},"destination":{...}`, each null if the report has none. */
void reading_tell_sides(const struct core *core, const struct read_report *read, struct buf *out);
bool reading_has_side(const struct endpoint *side);

#endif
