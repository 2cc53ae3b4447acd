#include "flow/change.h"

static const char *const change_words[CHANGE_COUNT] = {
    [CHANGE_NONE] = "none",
    [CHANGE_MORE] = "more",
    [CHANGE_LESS] = "less",
    [CHANGE_TERMS] = "different",
};
static const char *const onward_words[] = {
    [ONWARD_NONE] = "none",
    [ONWARD_CONSTITUENCY] = "constituency",
    [ONWARD_PARTY] = "party",
    [ONWARD_TLP] = "tlp",
};
static const char *const onward_texts[] = {
    [ONWARD_NONE] = "to nobody",
    [ONWARD_CONSTITUENCY] = "in its own constituency",
    [ONWARD_PARTY] = "in its own constituency and to the parties",
    [ONWARD_TLP] = "as the TLP label allows",
};

const char *
change_word(enum change change)
{
    return change_words[change];
}

static bool
same_terms(const struct verdict *a, const struct verdict *b)
{
    return memcmp(a->laxity, b->laxity, sizeof a->laxity) == 0
        && a->require_encrypted == b->require_encrypted && a->require_receipt == b->require_receipt
        && a->onward == b->onward && a->retention_days == b->retention_days;
}

enum change
change_of(const struct verdict *before, const struct verdict *after)
{
    if (after->effect != before->effect)
        return after->effect > before->effect ? CHANGE_MORE : CHANGE_LESS;
    return after->effect == EFFECT_WITHHOLD || same_terms(before, after) ? CHANGE_NONE
                                                                         : CHANGE_TERMS;
}

/* ---- what it is about ---- */

static const uint64_t all_classes = (((uint64_t)1 << CLASSIFICATION_COUNT) - 1) & ~(uint64_t)1;

/* The first pattern that covers nothing outside CLASSES, taken off REST. */
static void
next_pattern(uint64_t classes, uint64_t *rest, const char **taxonomy, const char **type)
{
    enum classification first = (enum classification)__builtin_ctzll(*rest);
    uint64_t all = 0;

    *taxonomy = classification_taxonomy(first);
    *type = classification_type(first);
    for (int c = 1; c < CLASSIFICATION_COUNT; c++)
        if (strcmp(classification_taxonomy((enum classification)c), *taxonomy) == 0)
            all |= (uint64_t)1 << c;
    if ((all & ~classes) == 0 && (all & (all - 1)) != 0) {
        *type = "*";
        *rest &= ~all;
        return;
    }
    *rest &= *rest - 1;
}

static unsigned
pattern_count(uint64_t classes)
{
    const char *taxonomy;
    const char *type;
    unsigned count = 0;

    for (uint64_t rest = classes; rest != 0; count++)
        next_pattern(classes, &rest, &taxonomy, &type);
    return count;
}

static void
add_patterns(uint64_t classes, struct buf *out)
{
    const char *taxonomy;
    const char *type;
    const char *between = "";

    for (uint64_t rest = classes; rest != 0;) {
        next_pattern(classes, &rest, &taxonomy, &type);
        buf_format(out, "%s%s.%s", between, taxonomy, type);
        between = (rest & (rest - 1)) != 0 && pattern_count(rest) > 1 ? ", " : " and ";
    }
}

void
change_add_classes(uint64_t classes, struct buf *out)
{
    classes &= all_classes;
    uint64_t others = all_classes & ~classes;
    if (others == 0) {
        buf_add_text(out, "all reports");
    } else if (pattern_count(others) < pattern_count(classes)) {
        buf_add_text(out, "all reports but ");
        add_patterns(others, out);
    } else {
        add_patterns(classes, out);
        buf_add_text(out, " reports");
    }
}

void
change_json_classes(uint64_t classes, struct buf *out)
{
    const char *taxonomy;
    const char *type;
    const char *between = "";

    classes &= all_classes;
    if (classes == all_classes) {
        buf_add_text(out, "[\"*\"]");
        return;
    }
    buf_add_char(out, '[');
    for (uint64_t rest = classes; rest != 0; between = ",") {
        next_pattern(classes, &rest, &taxonomy, &type);
        buf_format(out, "%s\"%s.%s\"", between, taxonomy, type);
    }
    buf_add_char(out, ']');
}

static const char *
short_label(int tlp)
{
    return tlp_label((enum tlp)tlp) + SPAN("TLP:").n;
}

void
change_add_tlps(unsigned tlps, struct buf *out)
{
    unsigned all = (1u << TLP_COUNT) - (1u << TLP_CLEAR);
    const char *between = " labelled ";

    if ((tlps & all) == all)
        return;
    /* Upwards from CLEAR without a gap. */
    if ((tlps & 1u << TLP_CLEAR) != 0 && (tlps & 1u << TLP_GREEN) != 0
        && ((tlps + (1u << TLP_CLEAR)) & tlps) == 0) {
        buf_format(out, " up to %s", short_label(31 - __builtin_clz(tlps)));
        return;
    }
    for (int t = TLP_CLEAR; t < TLP_COUNT; t++)
        if ((tlps >> t & 1) != 0) {
            buf_format(out, "%s%s", between, short_label(t));
            between = (tlps >> (t + 1) & ((tlps >> (t + 1)) - 1)) != 0 ? ", " : " or ";
        }
}

/* ---- terms ---- */

static const char *const class_texts[FIELD_CLASS_COUNT] = {
    [FIELD_CLASS_OPEN] = "the incident's own description",
    [FIELD_CLASS_ADDRESS] = "addresses",
    [FIELD_CLASS_NAME] = "host names",
    [FIELD_CLASS_URL] = "URLs",
    [FIELD_CLASS_ACCOUNT] = "account names",
    [FIELD_CLASS_DEVICE] = "device marks",
    [FIELD_CLASS_TIME] = "times",
    [FIELD_CLASS_TEXT] = "free text",
};
static const char *const treatment_texts[TREATMENT_COUNT] = {
    [TREATMENT_KEEP] = "kept",
    [TREATMENT_PSEUDONYMISE] = "pseudonymised",
    [TREATMENT_GENERALISE] = "generalised",
    [TREATMENT_REMOVE] = "removed",
};

/* Classes with this treatment: ", with account names and free text removed". */
static bool
add_treated(const struct verdict *v, enum treatment treatment, const char *before, struct buf *out)
{
    unsigned left = 0;

    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        left += verdict_treatment(v, (enum field_class)c) == treatment;
    if (left == 0)
        return false;
    buf_add_text(out, before);
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        if (verdict_treatment(v, (enum field_class)c) == treatment)
            buf_format(out, "%s%s", class_texts[c], --left > 1 ? ", " : left == 1 ? " and " : " ");
    buf_add_text(out, treatment_texts[treatment]);
    return true;
}

static void
add_all_terms(const struct verdict *v, struct buf *out)
{
    const char *before = ", with ";

    for (int t = TREATMENT_REMOVE; t > TREATMENT_KEEP; t--)
        if (add_treated(v, (enum treatment)t, before, out))
            before = ", ";
    if (v->require_encrypted)
        buf_add_text(out, ", over an encrypted channel");
    if (v->require_receipt)
        buf_add_text(out, ", against a receipt");
    if (v->retention_days > 0)
        buf_format(out, ", to be deleted after %u days", v->retention_days);
    buf_format(out, "; may pass it on %s", onward_texts[v->onward & 3]);
}

static const char *
add_requirement(bool before, bool after, const char *what, const char *between, struct buf *out)
{
    if (before == after)
        return between;
    buf_format(out, "%s%s %s", between, what, after ? "required" : "no longer required");
    return "; ";
}

static void
add_days(uint32_t days, struct buf *out)
{
    if (days == 0)
        buf_add_text(out, "never");
    else
        buf_format(out, "after %u days", days);
}

void
change_add_terms(const struct verdict *before, const struct verdict *after, struct buf *out)
{
    const char *between = "";

    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment was = verdict_treatment(before, (enum field_class)c);
        enum treatment is = verdict_treatment(after, (enum field_class)c);
        if (was == is)
            continue;
        buf_format(out, "%s%s %s instead of %s", between, class_texts[c], treatment_texts[is],
            treatment_texts[was]);
        between = "; ";
    }
    between = add_requirement(
        before->require_encrypted, after->require_encrypted, "an encrypted channel", between, out);
    between =
        add_requirement(before->require_receipt, after->require_receipt, "a receipt", between, out);
    if (before->retention_days != after->retention_days) {
        buf_format(out, "%sto be deleted ", between);
        add_days(after->retention_days, out);
        buf_add_text(out, " instead of ");
        add_days(before->retention_days, out);
        between = "; ";
    }
    if (before->onward != after->onward)
        buf_format(out, "%smay pass it on %s instead of %s", between,
            onward_texts[after->onward & 3], onward_texts[before->onward & 3]);
}

static void
add_other_terms(const struct verdict *before, const struct verdict *after, struct buf *out)
{
    if (same_terms(before, after))
        return;
    buf_add_text(out, ": ");
    change_add_terms(before, after, out);
}

void
change_add_words(
    const struct verdict *before, const struct verdict *after, struct span what, struct buf *out)
{
    if (after->effect == EFFECT_WITHHOLD) {
        buf_add_text(out, "would no longer get ");
        buf_add_span(out, what);
        buf_add_text(out, before->effect == EFFECT_HOLD ? ", not even by a person's release" : "");
    } else if (before->effect == EFFECT_WITHHOLD) {
        buf_add_text(out, "would now also get ");
        buf_add_span(out, what);
        buf_add_text(out, after->effect == EFFECT_HOLD ? ", each by a person's release" : "");
        add_all_terms(after, out);
    } else {
        buf_add_text(out, "would get ");
        buf_add_span(out, what);
        buf_add_text(out,
            after->effect == before->effect ? " on other terms"
                : after->effect == EFFECT_RELEASE
                ? " at once, no longer only by a person's release"
                : " only by a person's release, no longer at once");
        add_other_terms(before, after, out);
    }
}

/* OTHER: leave out what is the same there; NULL: leave out only what says nothing. */
static void
json_side(const struct verdict *v, const struct verdict *other, struct buf *out)
{
    const char *between = "";

    buf_add_char(out, '{');
    if (other == NULL || other->effect != v->effect) {
        buf_format(out, "\"effect\":\"%s\"", effect_word((enum effect)v->effect));
        between = ",";
    }
    for (int c = 0; c < FIELD_CLASS_COUNT && v->effect != EFFECT_WITHHOLD; c++) {
        enum treatment t = verdict_treatment(v, (enum field_class)c);
        if (other != NULL ? v->laxity[c] == other->laxity[c] : t == TREATMENT_KEEP)
            continue;
        buf_format(out, "%s\"%s\":\"%s\"", between, field_class_word((enum field_class)c),
            treatment_word(t));
        between = ",";
    }
    if (v->effect == EFFECT_WITHHOLD) {
        buf_add_char(out, '}');
        return;
    }
    bool all = other == NULL;
    if (all || v->require_encrypted != other->require_encrypted
        || v->require_receipt != other->require_receipt) {
        buf_format(out, "%s\"require\":[%s%s%s]", between,
            v->require_encrypted ? "\"encrypted-channel\"" : "",
            v->require_encrypted && v->require_receipt ? "," : "",
            v->require_receipt ? "\"receipt\"" : "");
        between = ",";
    }
    if (all || v->retention_days != other->retention_days) {
        buf_format(out, "%s\"retention_days\":", between);
        buf_format(out, v->retention_days > 0 ? "%u" : "null", v->retention_days);
        between = ",";
    }
    if (all || v->onward != other->onward)
        buf_format(out, "%s\"onward\":\"%s\"", between, onward_words[v->onward & 3]);
    buf_add_char(out, '}');
}

void
change_json(const struct verdict *before, const struct verdict *after, struct buf *out)
{
    bool both = before->effect != EFFECT_WITHHOLD && after->effect != EFFECT_WITHHOLD;

    buf_add_text(out, "\"before\":");
    json_side(before, both ? after : NULL, out);
    buf_add_text(out, ",\"after\":");
    json_side(after, both ? before : NULL, out);
}

/* What does not show to the recipient. */
static void
strip_side(struct verdict *v)
{
    struct verdict out = {.effect = v->effect};

    if (v->effect != EFFECT_WITHHOLD) {
        memcpy(out.laxity, v->laxity, sizeof out.laxity);
        out.require_encrypted = v->require_encrypted;
        out.require_receipt = v->require_receipt;
        out.onward = v->onward;
        out.retention_days = v->retention_days;
    }
    *v = out;
}

void
change_strip(struct verdict *before, struct verdict *after)
{
    strip_side(before);
    strip_side(after);
    if (before->effect == EFFECT_WITHHOLD || after->effect == EFFECT_WITHHOLD)
        return;
    if (before->effect == after->effect)
        before->effect = after->effect = EFFECT_RELEASE;
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        if (before->laxity[c] == after->laxity[c])
            before->laxity[c] = after->laxity[c] = TREATMENT_REMOVE;
    if (before->require_encrypted == after->require_encrypted)
        before->require_encrypted = after->require_encrypted = false;
    if (before->require_receipt == after->require_receipt)
        before->require_receipt = after->require_receipt = false;
    if (before->retention_days == after->retention_days)
        before->retention_days = after->retention_days = 0;
    if (before->onward == after->onward)
        before->onward = after->onward = ONWARD_TLP;
}
