/* Bodies of TAXII's POSTs: what a front lets pass, core reads the same. */
#include "fuzz.h"

#include "edge/taxii_posted.h"
#include "fmt/stix_check.h"

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
