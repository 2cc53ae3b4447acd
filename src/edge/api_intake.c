#include "edge/api.h"
#include "edge/intake.h"

enum { SAID_BYTES = 128 * 1024 };

int
api_intake(struct request *request, enum api_route route, struct err *err)
{
    struct buf said = buf_new(SAID_BYTES);
    struct intake_said texts = {0};
    int rc = api_inputs(request, route, &said, err);
    const char *copy = rc == 0 ? arena_copy(request_arena(request), said.p, said.n) : NULL;
    struct wire_in in = wire_in((struct span){copy, said.n});

    buf_free(&said);
    if (rc == 0 && copy == NULL)
        rc = arena_full(err, "what was said of the reports");
    if (rc != 0)
        return rc;
    if (route == API_REPORT_CORRECT) {
        texts.corrects = wire_text(&in);
        texts.why = wire_text(&in);
    }
    texts.format = wire_text(&in);
    texts.provider = wire_text(&in);
    texts.mapping = wire_text(&in);
    texts.name = wire_text(&in);
    rc = wire_end(&in, "what was said of the reports", err);
    return rc != 0 ? rc : intake_handle(request, &texts, err);
}
