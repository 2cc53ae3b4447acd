/* A schema of Shadowserver's, theirs or ours: its types can be listed and found. */
#include "file.h"
#include "fuzz.h"

#include "fmt/shadowschema.h"

#include <unistd.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FILE_PATH_BYTES];
    int fd = file_of(data, size, path);
    struct shadowschema *schema;
    struct err err = {0};

    MUST(setenv("COMITY_SHADOWSERVER_SCHEMA", path, 1) == 0);
    int rc = shadowschema_new(".", &schema, &err);
    MUST(rc == 0 || err.msg[0] != '\0');
    for (size_t i = 0; rc == 0 && i < shadowschema_count(schema); i++) {
        const struct shadow_type *type = shadowschema_at(schema, i);
        MUST(shadowschema_find(schema, type->type) != NULL);
        for (uint32_t k = 0; k < type->rule_count; k++)
            MUST(type->rules[k].conversion < CONVERSION_COUNT && type->rules[k].target.n > 0);
    }
    if (rc == 0)
        shadowschema_free(schema);
    (void)close(fd);
    return 0;
}
