/* explain_node.h: what does the running node say about a report that it has?
 */
#ifndef COMITY_CLI_EXPLAIN_NODE_H
#define COMITY_CLI_EXPLAIN_NODE_H

#include "base/str.h"

/* Ask the node of HOME (NULL: where it is by default) and print its story, as JSON or for people.
 */
MUST_USE int explain_node(const char *home, const char *id, bool json, struct err *err);

#endif
