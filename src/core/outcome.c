#include "core/outcome.h"

enum { VERSION = 1, ENCRYPTED = 1, RECEIPT = 2, REPORT_BYTES = 21, ONE_BYTES = 7 };

/* ---- writing ---- */

void
outcome_add_head(struct buf *out, uint16_t verdicts)
{
    wire_add_u8(out, VERSION);
    wire_add_u16(out, verdicts);
}

void
outcome_add_verdict(struct buf *out, const struct outcome_verdict *v)
{
    wire_add_u8(out, v->verdict.effect);
    wire_add_u8(out, v->verdict.reason);
    wire_add_u8(out, FIELD_CLASS_COUNT);
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        wire_add_u8(out, (uint8_t)verdict_treatment(&v->verdict, (enum field_class)c));
    wire_add_u8(out,
        (uint8_t)((v->verdict.require_encrypted ? ENCRYPTED : 0)
            | (v->verdict.require_receipt ? RECEIPT : 0)));
    wire_add_u8(out, v->verdict.onward);
    wire_add_u32(out, v->verdict.retention_days);
    wire_add_u8(out, v->verdict.clause_count);
    wire_add_u8(out, v->clause_count);
    for (uint8_t i = 0; i < v->clause_count; i++) {
        wire_add_text(out, v->clauses[i].agreement);
        wire_add_text(out, v->clauses[i].clause);
    }
}

void
outcome_add_count(struct buf *out, uint16_t reports)
{
    wire_add_u16(out, reports);
}

static inline char *
put8(char *at, uint8_t value)
{
    *at = (char)value;
    return at + 1;
}

static inline char *
put16(char *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline char *
put32(char *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

void
outcome_add_report(struct buf *out, const struct outcome_report *r)
{
    char *at = buf_reserve(out, REPORT_BYTES + ONE_BYTES * OUTCOME_RECIPIENTS_MAX);

    if (at == NULL)
        return;
    at = put8(at, r->count);
    at = put8(at, r->tlp);
    at = put8(at, r->from_partner);
    at = put32(at, r->origin);
    for (int s = 0; s < 2; s++) {
        at = put8(at, r->sides[s].rule);
        at = put16(at, r->sides[s].economy.index);
        at = put32(at, r->sides[s].asn);
    }
    for (uint8_t i = 0; i < r->count; i++) {
        at = put32(at, r->ones[i].team);
        at = put16(at, r->ones[i].verdict);
        at = put8(at, r->ones[i].side);
    }
    out->n = (size_t)(at - out->p);
}

/* ---- reading ---- */

static int
damaged(struct err *err)
{
    return err_set(err, ERR_BAD_STORE, "what was decided of a batch's reports is damaged");
}

static void
read_verdict(struct wire_in *in, struct outcome_verdict *v)
{
    v->verdict.effect = wire_u8(in);
    v->verdict.reason = wire_u8(in);
    uint8_t classes = wire_u8(in);
    for (uint8_t c = 0; c < classes; c++) {
        uint8_t treatment = wire_u8(in);
        if (c < FIELD_CLASS_COUNT && treatment < TREATMENT_COUNT)
            verdict_set_treatment(&v->verdict, (enum field_class)c, (enum treatment)treatment);
    }
    uint8_t requirements = wire_u8(in);
    v->verdict.require_encrypted = (requirements & ENCRYPTED) != 0;
    v->verdict.require_receipt = (requirements & RECEIPT) != 0;
    v->verdict.onward = wire_u8(in);
    v->verdict.retention_days = wire_u32(in);
    v->verdict.clause_count = wire_u8(in);
    v->clause_count = wire_u8(in);
    if (v->verdict.effect >= EFFECT_COUNT || v->verdict.reason >= REASON_COUNT
        || v->clause_count > VERDICT_CLAUSES_MAX)
        in->bad = true;
    for (uint8_t i = 0; !in->bad && i < v->clause_count; i++) {
        v->clauses[i].agreement = wire_text(in);
        v->clauses[i].clause = wire_text(in);
    }
}

static int
read_verdicts(struct arena *arena, struct wire_in *in, struct outcomes *out, struct err *err)
{
    if (wire_u8(in) != VERSION)
        return damaged(err);
    out->verdict_count = wire_u16(in);
    struct outcome_verdict *verdicts =
        arena_zalloc(arena, out->verdict_count + 1u, sizeof *verdicts);
    if (verdicts == NULL)
        return arena_full(err, "the verdicts of a batch");
    for (uint32_t i = 0; !in->bad && i < out->verdict_count; i++)
        read_verdict(in, &verdicts[i]);
    out->verdicts = verdicts;
    return in->bad ? damaged(err) : 0;
}

static bool
sound(const struct outcomes *outcomes, const struct outcome_report *report)
{
    for (uint8_t i = 0; i < report->count; i++)
        if (report->ones[i].verdict >= outcomes->verdict_count || report->ones[i].side > 1)
            return false;
    return report->tlp < TLP_COUNT && report->sides[0].rule < ATTRIBUTION_RULE_COUNT
        && report->sides[1].rule < ATTRIBUTION_RULE_COUNT
        && report->sides[0].economy.index < ECONOMY_COUNT
        && report->sides[1].economy.index < ECONOMY_COUNT;
}

int
outcome_read(struct arena *arena, struct span bytes, struct outcomes *out, struct err *err)
{
    struct wire_in in = wire_in(bytes);
    struct outcome_report report;

    *out = (struct outcomes){.count = 0};
    int rc = read_verdicts(arena, &in, out, err);
    if (rc != 0)
        return rc;
    out->count = wire_u16(&in);
    const char **at = arena_zalloc(arena, out->count + 1u, sizeof *at);
    if (at == NULL)
        return arena_full(err, "the outcomes of a batch");
    out->at = at;
    for (uint32_t i = 0; i < out->count; i++) {
        uint8_t count = in.n > 0 ? (uint8_t)in.p[0] : 0;
        at[i] = in.p;
        size_t n = REPORT_BYTES + (size_t)ONE_BYTES * count;
        if (count == 0 || count > OUTCOME_RECIPIENTS_MAX || wire_bytes(&in, n).n != n)
            return damaged(err);
        outcome_get(out, i, &report);
        if (!sound(out, &report))
            return damaged(err);
    }
    return in.bad || in.n > 0 ? damaged(err) : 0;
}

static inline const char *
get8(const char *at, uint8_t *value)
{
    *value = (uint8_t)*at;
    return at + 1;
}

static inline const char *
get16(const char *at, uint16_t *value)
{
    memcpy(value, at, sizeof *value);
    return at + sizeof *value;
}

static inline const char *
get32(const char *at, uint32_t *value)
{
    memcpy(value, at, sizeof *value);
    return at + sizeof *value;
}

/* That the bytes are there was seen when they were read. */
void
outcome_get(const struct outcomes *outcomes, uint32_t place, struct outcome_report *out)
{
    const char *at = outcomes->at[place];
    uint8_t from_partner;

    at = get8(at, &out->count);
    at = get8(at, &out->tlp);
    at = get8(at, &from_partner);
    out->from_partner = from_partner != 0;
    at = get32(at, &out->origin);
    for (int s = 0; s < 2; s++) {
        at = get8(at, &out->sides[s].rule);
        at = get16(at, &out->sides[s].economy.index);
        at = get32(at, &out->sides[s].asn);
    }
    for (uint8_t i = 0; i < out->count; i++) {
        at = get32(at, &out->ones[i].team);
        at = get16(at, &out->ones[i].verdict);
        at = get8(at, &out->ones[i].side);
    }
}
