/* linkway.h: how does one way to another team's node go, in a few words? */
#ifndef COMITY_CLI_LINKWAY_H
#define COMITY_CLI_LINKWAY_H

#include "cli/node.h"

/* WAY is the API's LinkWay. "worked TIME", "LOST: 12 failed since TIME again TIME because ..." */
void linkway_add(struct buf *out, struct json_value way);

#endif
