/* What shows somebody else that a report crossed, for people and their browsers. */
#include "core/crossing.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"

#include <sodium.h>

enum { ARENA_BYTES = 128 << 20, PROOF_BYTES = 2 << 20, ANSWER_BYTES = 48 * 1024 * 1024 };

static int
read_question(struct ask *ask, struct crossing_wanted *wanted, struct err *err)
{
    wanted->id = wire_text(&ask->in);
    wanted->to = wire_text(&ask->in);
    wanted->recall = wire_u8(&ask->in) == 1;
    return wire_end(&ask->in, "a question for a proof", err);
}

static int
prove(struct core *core, struct arena *arena, const struct crossing_wanted *wanted, struct buf *out,
    struct err *err)
{
    const struct resources resources = resources_store_view(core->store);
    struct crossing crossing = {.entry = 0};
    struct buf item = buf_new(ITEMS_BYTES_MAX);
    struct buf proof = buf_new(PROOF_BYTES);
    struct span receipt = {NULL, 0};
    int rc = crossing_find(core->store, arena, wanted, &crossing, &item, err);

    if (rc == 0)
        rc = crossing_receipt(core->store, arena, crossing.entry, &receipt, err);
    if (rc == 0)
        rc = ledger_prove_entry(&resources, crossing.entry, &crossing.item, receipt, &proof, err);
    if (rc == 0) {
        told_text(out, "team", store_team_id(core->store, crossing.team));
        told_number(out, "entry", crossing.entry);
        told_text(out, "item", buf_span(&item));
        told_text(out, "proof", buf_span(&proof));
    }
    buf_free(&item);
    buf_free(&proof);
    sodium_memzero(&crossing.item.salt, sizeof crossing.item.salt);
    return rc;
}

int
core_report_proof(struct core *core, struct ask *ask, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct buf out = buf_new(ANSWER_BYTES);
    struct crossing_wanted wanted;
    int rc = arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a proof")
                           : read_question(ask, &wanted, err);

    buf_add_char(&out, '{');
    if (rc == 0)
        rc = prove(core, arena, &wanted, &out, err);
    buf_add_char(&out, '}');
    if (rc == ERR_USAGE)
        rc = err_set_field(err, ERR_BAD_VALUE, "team", 4, "%s", err->msg);
    arena_free(arena);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
