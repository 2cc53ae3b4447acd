#include "edge/witness.h"

#include "edge/ask.h"

enum { BODY_MAX = 128 * 1024, CONFLICT = 409 };

static int
told(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct wire_in in = wire_in(body);
    uint16_t status = wire_u16(&in);
    struct span text = wire_text(&in);

    (void)ctx;
    int rc = wire_end(&in, "what the witness answers", err);
    return rc == 0 ? request_answer(request, status,
               status == CONFLICT ? "text/x.tlog.size" : "text/plain; charset=utf-8", text, err)
                   : rc;
}

static int
add_checkpoint(struct request *request, struct err *err)
{
    struct buf question = buf_new(BODY_MAX + 16);

    wire_add_text(&question, request_body(request));
    int rc = buf_check(&question, "a request to the witness", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_WITNESS_ADD, buf_span(&question), told, NULL, err);
    buf_free(&question);
    return rc;
}

static const struct route routes[] = {
    {"POST", "/witness/add-checkpoint", BODY_WHOLE, BODY_MAX, false, add_checkpoint},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
const struct route_family witness_family = {"witness", "/witness/", routes, NULL, true};
