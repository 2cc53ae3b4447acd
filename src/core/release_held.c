/* What people decide about held reports goes out, or is recorded. */
#include "core/release_private.h"
#include "fmt/jcs.h"

enum { REFUSAL_BYTES = 64 * 1024 };

/* What was decided when it was held. */
static int
find_held(struct core *core, const struct store_held *held, struct unpacked *batch,
    struct task *task, struct err *err)
{
    struct outcome_report report;
    struct unpacked *decided = &core->release->decided;
    int rc = 0;

    if (decided->number != held->batch) { /* many of one batch are decided together, as a rule */
        decided->number = 0;
        rc = unpacked_read(core, core->release->batch, held->batch, batch, err);
        if (rc != 0)
            return rc;
        *decided = *batch;
    }
    *batch = *decided;
    if (held->place >= batch->outcomes.count)
        return err_set(err, ERR_BAD_STORE, "what is held is in no batch");
    outcome_get(&batch->outcomes, held->place, &report);
    for (uint8_t i = 0; i < report.count; i++) {
        const struct outcome_one *one = &report.ones[i];
        const struct verdict *verdict = &batch->outcomes.verdicts[one->verdict].verdict;
        *task = (struct task){one->team, held->place, one->verdict, one->side, EFFECT_RELEASE,
            verdict->retention_days};
        if (one->team == held->team && verdict->effect == EFFECT_HOLD)
            return 0;
    }
    return err_set(err, ERR_BAD_STORE, "what is held was not decided so");
}

int
release_held(struct core *core, const struct store_held *held, struct err *err)
{
    struct unpacked batch;
    struct task task = {0};
    int rc = find_held(core, held, &batch, &task, err);

    return rc == 0 ? release_write(core, core->release, &batch, &task, 1, true, err) : rc;
}

/* The one item of a refusal (doc/ledger-format.md). */
static void
add_refusal(struct buf *out, const struct unpacked *batch, const struct store_held *held)
{
    char id[ID_TEXT_BYTES];

    (void)id_text(&batch->ids, held->place, id);
    buf_add_text(out, "{\"by\":");
    jcs_add_string(out, held->by);
    buf_format(out, ",\"reports\":[\"%s\"],\"why\":", id);
    jcs_add_string(out, held->why);
    buf_add_char(out, '}');
}

int
release_refused(struct core *core, const struct store_held *held, struct err *err)
{
    struct delivery *delivery = core->release->delivery;
    struct buf item = buf_new(REFUSAL_BYTES);
    struct unpacked batch;
    struct task task = {0};
    int rc = find_held(core, held, &batch, &task, err);

    if (rc == 0) {
        delivery_begin(delivery, held->batch, held->team);
        delivery_count(delivery, &batch.outcomes.verdicts[task.verdict], EFFECT_HOLD, 0);
        add_refusal(&item, &batch, held);
        rc = delivery_item(delivery, held->place, buf_span(&item), err);
    }
    if (rc == 0)
        rc = delivery_record(
            core, delivery, LEDGER_KIND_DECISION, LEDGER_DECISION_REFUSED, NULL, err);
    if (rc == 0)
        rc = delivery_keep(core, delivery, 0, 0, 0, err);
    buf_free(&item);
    return rc;
}
