/* A pattern is refused by name, or its choices keep to their limits. */
#include "fuzz.h"

#include "fmt/pattern.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)32 << 20);
    struct pattern pattern;
    struct err err = {0};
    size_t count = 0;

    MUST(arena != NULL);
    int rc = pattern_parse(arena, (struct span){(const char *)data, size}, &pattern, &err);
    MUST(rc == 0 || ((rc == ERR_BAD_PATTERN || rc == ERR_LIMIT) && err.msg[0] != '\0'));
    if (rc == 0 && pattern.simple) {
        for (const struct pattern_choice *c = pattern.choices; c != NULL; c = c->next, count++) {
            size_t terms = 0;
            for (const struct pattern_term *t = c->terms; t != NULL; t = t->next, terms++)
                MUST(t->path.n > 0 && t->text.n <= size);
            MUST(terms == c->count && terms > 0 && terms <= PATTERN_TERMS_MAX);
        }
        MUST(count == pattern.count && count > 0 && count <= PATTERN_CHOICES_MAX);
    }
    arena_free(arena);
    return 0;
}
