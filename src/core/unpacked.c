#include "core/unpacked.h"

#include "model/record.h"

int
unpacked_read(
    struct core *core, struct arena *arena, uint64_t number, struct unpacked *out, struct err *err)
{
    arena_reset(arena);
    *out = (struct unpacked){.number = number};
    int rc = store_batch_get(core->store, arena, number, &out->row, err);
    if (rc == 0)
        rc = outcome_read(arena, out->row.outcomes, &out->outcomes, err);
    if (rc != 0)
        return rc;
    out->records = arena_zalloc(arena, out->outcomes.count + 1u, sizeof *out->records);
    if (out->records == NULL)
        return arena_full(err, "a batch");
    struct wire_in in = wire_in(out->row.records);
    for (uint32_t i = 0; i < out->outcomes.count; i++)
        if ((out->records[i] = record_bytes(&in)).n == 0)
            return err_set(err, ERR_BAD_STORE, "batch %llu has fewer reports than outcomes",
                (unsigned long long)number);
    out->ids = id_batch(&core->id_key, number, out->row.tag);
    return 0;
}
