/* stix_feedback.h: how does one who got a report say what became of it?
 *
 * As a STIX 2.1 opinion (section 4.14), or a sighting (5.2) of the report's own object, which is an
 * SDO as sighting_of_ref wants it.
 */
#ifndef COMITY_FMT_STIX_FEEDBACK_H
#define COMITY_FMT_STIX_FEEDBACK_H

#include "fmt/json.h"
#include "model/opinion.h"
#include "model/words.h"

enum { STIX_FEEDBACK_COUNT_MAX = 999999999, STIX_FEEDBACK_NOTE_BYTES = 4000 };

struct stix_feedback {
    struct span id;     /* "opinion--UUID", "sighting--UUID" */
    struct span author; /* team id; not of one that was read */
    struct span report; /* the id of the report's object */
    uint8_t opinion;    /* enum opinion; OPINION_NONE: a sighting */
    uint64_t count;     /* of a sighting: at least 1 */
    struct span note;   /* n 0: nothing more */
    uint8_t tlp;        /* enum tlp; not of one that was read */
    int64_t created_us;
    int64_t modified_us;
};

/* Append the object, as fmt/writer.h's writers do. */
void stix_feedback_write(struct buf *out, const struct stix_feedback *feedback);
/* What OBJECT, which passed stix_check, says; borrowed. 1: it is about an object that may be a
 * report's; 0: about something else. ERR_BAD_VALUE, ERR_BAD_NUMBER: no such opinion or count. */
MUST_USE int stix_feedback_read(
    struct json_value object, struct stix_feedback *out, struct err *err);

#endif
