/* What the parser accepts, the writer writes so that the parser reads the same again. */
#include "fuzz.h"

#include "fmt/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = json_new((size_t)4 << 20);
    struct buf first = buf_new((size_t)64 << 20);
    struct buf second = buf_new((size_t)64 << 20);
    struct json_value root;

    MUST(json != NULL);
    if (json_parse_copy(json, (struct span){(const char *)data, size}, &root, NULL) == 0) {
        (void)!json_check_duplicates(root, NULL);
        json_add_value(&first, root);
        if (!first.full && first.n < (size_t)4 << 20) {
            MUST(json_parse_copy(json, buf_span(&first), &root, NULL) == 0);
            json_add_value(&second, root);
            MUST(span_equal(buf_span(&first), buf_span(&second)));
        }
    }
    buf_free(&first);
    buf_free(&second);
    json_free(json);
    return 0;
}
