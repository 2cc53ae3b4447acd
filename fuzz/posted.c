/* Bodies of TAXII's POSTs: what a front lets pass, core reads the same; receipts and feedback in
 * them say what may be said, or why not. */
#include "fuzz.h"

#include "edge/taxii_posted.h"
#include "fmt/stix_check.h"
#include "fmt/stix_feedback.h"
#include "fmt/stix_receipt.h"

static void
between_nodes(struct json_value value)
{
    struct stix_receipt receipt;
    struct stix_feedback feedback;
    struct json_value type;
    struct err err = {0};

    if (!json_get(value, "type", &type))
        return;
    struct span word = json_string(type);
    if (span_equal(word, SPAN(STIX_RECEIPT_TYPE)))
        MUST(stix_receipt_read(value, &receipt, &err) == 0 || err.msg[0] != '\0');
    if (!span_equal(word, SPAN("opinion")) && !span_equal(word, SPAN("sighting")))
        return;
    int rc = stix_feedback_read(value, &feedback, &err);
    MUST(rc >= 0 || err.msg[0] != '\0');
    MUST(rc != 1 || feedback.note.n <= STIX_FEEDBACK_NOTE_BYTES);
    MUST(rc != 1 || feedback.count <= STIX_FEEDBACK_COUNT_MAX);
}

static void
same(struct json *json, const struct page_object *object)
{
    struct json_value value;
    struct stix_checked checked;
    struct err err = {0};

    MUST(json_parse_copy(json, object->json, &value, &err) == 0);
    MUST(stix_check(value, &checked, &err) == 0);
    MUST(span_equal(checked.id, object->id) && checked.version_us == object->version_us);
    MUST(checked.spec == object->spec);
    between_nodes(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct json *json = json_new((size_t)4 << 20);
    struct posted posted;
    struct err err = {0};

    MUST(arena != NULL && json != NULL);
    int rc = posted_read(arena, json, (struct span){(const char *)data, size}, &posted, &err);
    MUST(rc == 0 || err.msg[0] != '\0');
    for (size_t i = 0; rc == 0 && i < posted.count; i++) {
        MUST((posted.objects[i].json.n == 0) == (posted.results[i].message.n > 0));
        if (posted.objects[i].json.n > 0)
            same(json, &posted.objects[i]);
    }
    json_free(json);
    arena_free(arena);
    return 0;
}
