/* path.h: through which teams did this report come?
 *
 * What a report brings beside what it claims: the id under which all nodes know it, the teams it
 * came through (origin first), and which report it corrects. These stand in fields of names of
 * their own, which are never carried as fields: who passes a report on writes them anew.
 */
#ifndef COMITY_MODEL_PATH_H
#define COMITY_MODEL_PATH_H

#include "model/report.h"

#define REPORT_OWN_PREFIX "extra.comity_"            /* of REPORT_ID_NAME too */
#define REPORT_PATH_NAME "extra.comity_path"         /* a JSON array of team ids */
#define REPORT_CORRECTS_NAME "extra.comity_corrects" /* a report's id */

enum { PATH_TEAMS_MAX = 64, PATH_TEAM_BYTES = 64, PATH_TEXT_BYTES = PATH_TEAMS_MAX * 67 + 2 };

struct path {
    struct span teams[PATH_TEAMS_MAX]; /* origin first; texts borrow */
    size_t count;
};

/* The path that REPORT brings; none: count 0. ERR_BAD_VALUE: no array of team ids, or the same one
 * twice; ERR_LIMIT: more than PATH_TEAMS_MAX. */
MUST_USE int path_read(const struct report *report, struct path *out, struct err *err);
bool path_has(const struct path *path, struct span team);
/* TEAM passes it on: added unless it stands last already. ERR_LIMIT. */
MUST_USE int path_add(struct path *path, struct span team, struct err *err);
/* As JSON. */
void path_write(struct buf *out, const struct path *path);

/* Does REPORT bring any of these? */
bool path_any(const struct report *report);
/* Take the field called NAME out of REPORT, and tell what it was; false: there is none. */
bool path_take_out(struct report *report, struct span name, struct field *was);

#endif
