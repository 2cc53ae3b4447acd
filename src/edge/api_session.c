#include "edge/api.h"

#include "base/wire.h"
#include "edge/credentials.h"
#include "edge/health.h"

/* SIGN_IN is answered with the session's secret, for the cookie alone, and the JSON of WHO. */
static int
signed_in(struct request *request, void *ctx, struct span answer, struct err *err)
{
    struct wire_in in = wire_in(answer);
    struct span secret = wire_text(&in);
    struct span json = wire_text(&in);

    (void)ctx;
    int rc = wire_end(&in, "a session", err);
    if (rc == 0)
        rc = credentials_set_session(request, secret, err);
    if (rc == 0)
        rc = request_add_header(request, "Cache-Control", SPAN("no-store"), err);
    return rc == 0 ? request_answer(request, 200, "application/json", json, err) : rc;
}

int
api_sign_in(struct request *request, enum api_route route, struct err *err)
{
    return api_ask_whole(request, route, signed_in, NULL, err);
}

static int
signed_out(struct request *request, void *ctx, struct span answer, struct err *err)
{
    (void)ctx;
    (void)answer;
    int rc = credentials_end_session(request, err);
    return rc == 0 ? request_answer(request, 204, NULL, (struct span){NULL, 0}, err) : rc;
}

int
api_sign_out(struct request *request, enum api_route route, struct err *err)
{
    return api_ask_whole(request, route, signed_out, NULL, err);
}

int
api_metrics(struct request *request, enum api_route route, struct err *err)
{
    int rc = api_check_inputs(request, route, err);

    return rc == 0 ? health_metrics(request, err) : rc;
}
