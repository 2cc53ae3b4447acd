/* collections_private.h: what do the files of core/collections share besides its header?
 */
#ifndef COMITY_CORE_COLLECTIONS_PRIVATE_H
#define COMITY_CORE_COLLECTIONS_PRIVATE_H

#include "core/collections.h"
#include "fmt/json.h"

/* The parser of posted objects: one document at a time. */
struct json *collections_json(const struct collections *collections);

#endif
