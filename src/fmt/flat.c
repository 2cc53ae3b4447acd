#include "fmt/flat.h"

bool
flat_begin(struct json *json, struct span text, struct flat *out)
{
    const uint32_t *tokens;
    size_t count;

    if (text.n > FLAT_BYTES_MAX || memchr(text.p, '\\', text.n) != NULL
        || !json_tokens(json, text, &tokens, &count) || count < 2)
        return false;
    *out = (struct flat){.text = text.p, .token = tokens + 1, .end = tokens + count - 1};
    return text.p[tokens[0]] == '{' && text.p[*out->end] == '}';
}
