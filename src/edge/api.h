/* api.h: which routes does the node's API have, and what may each be asked?
 *
 * /api/v1 and /metrics, for this node's people. All of it comes from tables/routes.def and
 * tables/inputs.def; most routes are answered by asking core with the inputs that were checked
 * here, in the order of the table.
 */
#ifndef COMITY_EDGE_API_H
#define COMITY_EDGE_API_H

#include "base/messages.h"
#include "edge/ask.h"
#include "edge/door.h"

enum api_route {
#define ROUTE(                                                                                     \
    name, id, method, path, body, most, handler, message, doors, status, schema, tag, text)        \
    API_##name,
#include "tables/routes.def"
#undef ROUTE
    API_ROUTE_COUNT
};

/* What DOOR serves, for struct door_settings; NULL for doors that serve nothing. */
const struct route_family *api_family(enum door door);

/* Check what REQUEST says against inputs.def and append it to OUT as core gets it. Errors, naming
 * the parameter or member: ERR_UNKNOWN_FIELD, ERR_DUPLICATE_KEY, ERR_MISSING_FIELD, ERR_BAD_*,
 * ERR_LIMIT; ERR_BAD_MEDIA_TYPE for a body that is not said to be JSON. */
MUST_USE int api_inputs(
    const struct request *request, enum api_route route, struct buf *out, struct err *err);

/* The same of a route whose inputs nobody needs. */
MUST_USE int api_check_inputs(const struct request *request, enum api_route route, struct err *err);
/* Ask core ROUTE's question, with its inputs; as ask_whole. */
MUST_USE int api_ask_whole(
    struct request *request, enum api_route route, ask_told *then, void *ctx, struct err *err);

/* The handlers that routes.def names. */
MUST_USE int api_ask(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_sign_in(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_sign_out(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_intake(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_events(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_document(struct request *request, enum api_route route, struct err *err);
MUST_USE int api_metrics(struct request *request, enum api_route route, struct err *err);

#endif
