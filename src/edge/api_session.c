#include "edge/api.h"

#include "base/wire.h"
#include "edge/ask.h"
#include "edge/credentials.h"
#include "edge/health.h"

enum { QUESTION_BYTES = 16 * 1024 };

/* SIGN_IN is answered with the session's secret, for the cookie alone, and the JSON of WHO. */
static int
signed_in(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    struct wire_in in = wire_in(body);
    struct span secret = wire_text(&in);
    struct span json = wire_text(&in);

    (void)ctx;
    if (why != NULL) {
        request_refuse(request, why);
        return 0;
    }
    int rc = more ? err_set(err, ERR_INTERNAL, "core signs in in parts")
                  : wire_end(&in, "a session", err);
    if (rc == 0)
        rc = credentials_set_session(request, secret, err);
    if (rc == 0)
        rc = request_add_header(request, "Cache-Control", SPAN("no-store"), err);
    return rc == 0 ? request_answer(request, 200, "application/json", json, err) : rc;
}

int
api_sign_in(struct request *request, enum api_route route, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    int rc = api_inputs(request, route, &question, err);

    if (rc == 0)
        rc = ask_core(request, api_rows[route].message, buf_span(&question), signed_in, NULL, err);
    buf_free(&question);
    return rc;
}

static int
signed_out(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    (void)ctx;
    (void)body;
    if (why != NULL) {
        request_refuse(request, why);
        return 0;
    }
    if (more)
        return 0;
    int rc = credentials_end_session(request, err);
    return rc == 0 ? request_answer(request, 204, NULL, (struct span){NULL, 0}, err) : rc;
}

int
api_sign_out(struct request *request, enum api_route route, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    int rc = api_inputs(request, route, &question, err);

    if (rc == 0)
        rc = ask_core(request, api_rows[route].message, buf_span(&question), signed_out, NULL, err);
    buf_free(&question);
    return rc;
}

int
api_metrics(struct request *request, enum api_route route, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    int rc = api_inputs(request, route, &question, err);

    buf_free(&question);
    return rc == 0 ? health_metrics(request, err) : rc;
}
