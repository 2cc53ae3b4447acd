#include "edge/front_private.h"

#include "fmt/json.h"

enum { PROBLEM_BYTES_MAX = 16 * 1024 };

/* RFC 9457, section 3: `type` is about:blank, so `title` is the status' own; `code`, `field`,
 * `line` and `request` are ours. */
int
problem_answer(struct request *request, unsigned status, const struct err *why, struct err *err)
{
    struct buf out = buf_new(PROBLEM_BYTES_MAX);
    const char *title = MHD_get_reason_phrase_for(status);

    buf_add_text(&out, "{\"type\":\"about:blank\",\"title\":");
    json_add_string(&out, span_of(title == NULL ? "Error" : title));
    buf_add_text(&out, ",\"status\":");
    buf_add_u64(&out, status);
    buf_add_text(&out, ",\"detail\":");
    json_add_string(&out, span_of(why->msg));
    buf_add_text(&out, ",\"code\":");
    json_add_string(&out, span_of(err_word(why->code == ERR_OK ? ERR_INTERNAL : why->code)));
    if (why->field[0] != '\0') {
        buf_add_text(&out, ",\"field\":");
        json_add_string(&out, span_of(why->field));
    }
    if (why->line != 0) {
        buf_add_text(&out, ",\"line\":");
        buf_add_u64(&out, why->line);
    }
    buf_add_text(&out, ",\"request\":\"");
    buf_add_text(&out, request->id);
    buf_add_text(&out, "\"}\n");
    return request_answer_owned(request, status, "application/problem+json", &out, err);
}
