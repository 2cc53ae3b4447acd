#include "fmt/shadowmemory.h"

void
shadowmemory_keep(struct shadowmemory *memory, struct span cell, const struct field *field, int rc,
    const struct shadowmemory_part *part)
{
    uint8_t misses = memory->misses;

    memory->known = false;
    if (rc < 0 || cell.n > MEMORY_BYTES)
        return;
    bool set = rc == SHADOWVALUE_SET;
    bool text = set && field->type == VALUE_TEXT;
    if (set && field->type == VALUE_JSON)
        return;
    if (text && (field->s < cell.p || field->s + field->n > cell.p + cell.n))
        return; /* made, not found */
    *memory = (struct shadowmemory){.n = (uint8_t)cell.n,
        .known = true,
        .misses = misses,
        .outcome = (uint8_t)rc,
        .type = set ? field->type : VALUE_INT,
        .from = text ? (uint8_t)(field->s - cell.p) : 0,
        .bytes = text ? (uint8_t)field->n : 0,
        .number = set && !text ? field->u : 0,
        .part = *part};
    if (cell.n > 0)
        memcpy(memory->cell, cell.p, cell.n);
}
