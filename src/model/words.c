#include "model/words.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const field_class_words[] = {
#define FIELD_CLASS(name, word, text) word,
#include "tables/policy.def"
#undef FIELD_CLASS
};
static const char *const treatment_words[] = {
#define TREATMENT(name, word) word,
#include "tables/policy.def"
#undef TREATMENT
};
static const char *const effect_words[] = {
#define EFFECT(name, word) word,
#include "tables/policy.def"
#undef EFFECT
};
static const struct {
    struct span word;
    struct span label;
} tlps[] = {
#define TLP(name, word, label) {{word, sizeof(word) - 1}, {label, sizeof(label) - 1}},
#include "tables/policy.def"
#undef TLP
};
static const char *const reasons[][2] = {
#define REASON(name, word, text) {word, text},
#include "tables/policy.def"
#undef REASON
};
static const char *const attribution_rules[][2] = {
#define ATTRIBUTION_RULE(name, word, text) {word, text},
#include "tables/policy.def"
#undef ATTRIBUTION_RULE
};
static const struct {
    const char *taxonomy;
    struct span type;
} classifications[] = {
    {"", {"", 0}},
#define CLASSIFICATION(name, taxonomy, type) {taxonomy, {type, sizeof(type) - 1}},
#define CLASSIFICATION_ALIAS(text, name)
#include "tables/classification.def"
#undef CLASSIFICATION
#undef CLASSIFICATION_ALIAS
};

static const struct {
    const char *text;
    enum classification classification;
} aliases[] = {
#define CLASSIFICATION(name, taxonomy, type)
#define CLASSIFICATION_ALIAS(text, name) {text, CLASSIFICATION_##name},
#include "tables/classification.def"
#undef CLASSIFICATION
#undef CLASSIFICATION_ALIAS
};

const char *field_class_word(enum field_class class)
{
    return field_class_words[class];
}

const char *
treatment_word(enum treatment treatment)
{
    return treatment_words[treatment];
}

const char *
effect_word(enum effect effect)
{
    return effect_words[effect];
}

const char *
tlp_word(enum tlp tlp)
{
    return tlps[tlp].word.p;
}

const char *
tlp_label(enum tlp tlp)
{
    return tlps[tlp].label.p;
}

const char *
reason_word(enum reason reason)
{
    return reasons[reason][0];
}

const char *
reason_text(enum reason reason)
{
    return reasons[reason][1];
}

const char *
attribution_rule_word(enum attribution_rule rule)
{
    return attribution_rules[rule][0];
}

const char *
attribution_rule_text(enum attribution_rule rule)
{
    return attribution_rules[rule][1];
}

const char *
classification_taxonomy(enum classification classification)
{
    return classifications[classification].taxonomy;
}

const char *
classification_type(enum classification classification)
{
    return classifications[classification].type.p;
}

static int
find(struct span word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(word, span_of(words[i])))
            return (int)i;
    return -1;
}

int
field_class_find(struct span word)
{
    return find(word, field_class_words, COUNT(field_class_words));
}

int
treatment_find(struct span word)
{
    return find(word, treatment_words, COUNT(treatment_words));
}

int
effect_find(struct span word)
{
    return find(word, effect_words, COUNT(effect_words));
}

enum tlp
tlp_find(struct span word)
{
    struct span prefix = SPAN("TLP:");

    for (int i = TLP_CLEAR; i < TLP_COUNT; i++)
        if (span_equal(word, tlps[i].label))
            return (enum tlp)i;
    word = span_trim(word);
    if (word.n > prefix.n && span_equal_nocase((struct span){word.p, prefix.n}, prefix))
        word = (struct span){word.p + prefix.n, word.n - prefix.n};
    if (span_equal_nocase(word, SPAN("white")))
        return TLP_CLEAR;
    for (int i = TLP_CLEAR; i < TLP_COUNT; i++)
        if (span_equal_nocase(word, tlps[i].word))
            return (enum tlp)i;
    return TLP_UNKNOWN;
}

/* Types by length, first and last letter: a table of 256 in which nearly each has a place of its
 * own. */
static uint8_t type_slots[256];

static uint8_t
type_slot(struct span type)
{
    return (uint8_t)(type.n * 37 + (unsigned char)type.p[0] * 5u
        + (unsigned char)type.p[type.n - 1] * 11u + (unsigned char)type.p[type.n / 2] * 59u);
}

__attribute__((constructor)) static void
fill_type_slots(void)
{
    for (int i = 1; i < CLASSIFICATION_COUNT; i++) {
        uint8_t at = type_slot(classifications[i].type);
        while (type_slots[at] != 0)
            at++;
        type_slots[at] = (uint8_t)i;
    }
}

enum classification
classification_find(struct span type)
{
    if (type.n == 0 || type.n > UINT8_MAX)
        return CLASSIFICATION_UNKNOWN;
    for (uint8_t at = type_slot(type); type_slots[at] != 0; at++)
        if (span_equal(type, classifications[type_slots[at]].type))
            return (enum classification)type_slots[at];
    for (int i = 1; i < CLASSIFICATION_COUNT; i++)
        if (span_equal_nocase(type, classifications[i].type))
            return (enum classification)i;
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (span_equal_nocase(type, span_of(aliases[i].text)))
            return aliases[i].classification;
    return CLASSIFICATION_UNKNOWN;
}

struct economy
economy_find(struct span text)
{
    if (text.n != 2)
        return (struct economy){0};
    unsigned a = ((unsigned char)text.p[0] | 0x20u) - 'a';
    unsigned b = ((unsigned char)text.p[1] | 0x20u) - 'a';
    if (a > 25 || b > 25)
        return (struct economy){0};
    return (struct economy){(uint16_t)(1 + 26 * a + b)};
}

void
economy_code(struct economy economy, char out[3])
{
    memset(out, 0, 3);
    if (economy.index == 0)
        return;
    out[0] = (char)('A' + (economy.index - 1) / 26);
    out[1] = (char)('A' + (economy.index - 1) % 26);
}
