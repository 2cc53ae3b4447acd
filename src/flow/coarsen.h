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
/* Is the host of URL, which coarsen_field made, an address? */
bool coarsen_left_address(const struct field *url);

#endif
