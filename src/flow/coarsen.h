/* coarsen.h: what is the coarser form of this value?
 *
 * The `generalise` column of the agreement language's table of treatments, one
 * function a field class. Pure; results live in the arena or borrow from the value.
 */
#ifndef COMITY_FLOW_COARSEN_H
#define COMITY_FLOW_COARSEN_H

#include "base/mem.h"
#include "model/report.h"

/* Turn FIELD (a copy the caller owns) into its coarser form. False when there is none: remove it.
 */
bool coarsen_field(struct arena *arena, struct field *field);

/* A URL, which says more than one thing, as far as it may be told. */
struct coarsen_url {
    bool path;   /* all that stands behind the host, and its port */
    bool login;  /* user and password */
    bool suffix; /* of the host only the registrable domain */
};
/* False: nothing is left. */
bool coarsen_url(struct arena *arena, struct field *field, struct coarsen_url keep);

#endif
