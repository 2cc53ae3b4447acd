/* console.h: how do the console's pages and files reach a browser?
 *
 * They are part of the program and hold no data: what a page shows it asks of the API (edge/api.h),
 * with the rights of who is signed in. All are for everybody who reaches the operators' door.
 */
#ifndef COMITY_EDGE_CONSOLE_H
#define COMITY_EDGE_CONSOLE_H

#include "edge/door.h"

extern const struct route_family console_files_family; /* what pages are made of */
extern const struct route_family console_family;

#endif
