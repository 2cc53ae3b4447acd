/* words.h: which of the closed vocabularies' words is this?
 *
 * Every enum comes from tables/policy.def or tables/classification.def; the
 * _word functions give the text, the _find functions read it (0 when unknown).
 */
#ifndef COMITY_MODEL_WORDS_H
#define COMITY_MODEL_WORDS_H

#include "base/str.h"

#include <stdint.h>

enum field_class {
#define FIELD_CLASS(name, word, text) FIELD_CLASS_##name,
#include "tables/policy.def"
#undef FIELD_CLASS
    FIELD_CLASS_COUNT
};
enum treatment {
#define TREATMENT(name, word) TREATMENT_##name,
#include "tables/policy.def"
#undef TREATMENT
    TREATMENT_COUNT
};
enum effect {
#define EFFECT(name, word) EFFECT_##name,
#include "tables/policy.def"
#undef EFFECT
    EFFECT_COUNT
};
enum tlp {
#define TLP(name, word, label) TLP_##name,
#include "tables/policy.def"
#undef TLP
    TLP_COUNT
};
enum reason {
#define REASON(name, word, text) REASON_##name,
#include "tables/policy.def"
#undef REASON
    REASON_COUNT
};
enum attribution_rule {
#define ATTRIBUTION_RULE(name, word, text) ATTRIBUTION_RULE_##name,
#include "tables/policy.def"
#undef ATTRIBUTION_RULE
    ATTRIBUTION_RULE_COUNT
};
enum classification {
    CLASSIFICATION_UNKNOWN,
#define CLASSIFICATION(name, taxonomy, type) CLASSIFICATION_##name,
#define CLASSIFICATION_ALIAS(text, name)
#include "tables/classification.def"
#undef CLASSIFICATION
#undef CLASSIFICATION_ALIAS
    CLASSIFICATION_COUNT
};

const char *field_class_word(enum field_class class);
const char *treatment_word(enum treatment treatment);
const char *effect_word(enum effect effect);
const char *tlp_word(enum tlp tlp);  /* "amber+strict" */
const char *tlp_label(enum tlp tlp); /* "TLP:AMBER+STRICT" */
const char *reason_word(enum reason reason);
const char *reason_text(enum reason reason);
const char *attribution_rule_word(enum attribution_rule rule);
const char *attribution_rule_text(enum attribution_rule rule);
const char *classification_taxonomy(enum classification classification);
const char *classification_type(enum classification classification);

/* -1 when the word is none of the vocabulary's. */
int field_class_find(struct span word);
int treatment_find(struct span word);
int effect_find(struct span word);
/* With or without "TLP:", any case; "white" is clear (TLP 2.0). TLP_UNKNOWN if none. */
enum tlp tlp_find(struct span word);
/* By type ("scanner") in any case, aliases included; CLASSIFICATION_UNKNOWN if none. */
enum classification classification_find(struct span type);

/* An economy: an ISO 3166-1 alpha-2 code (or a user-assigned one such as XK). */
struct economy {
    uint16_t index; /* 0: not known; else 1 + 26 * first letter + second letter */
};
enum { ECONOMY_COUNT = 1 + 26 * 26 };
/* Zero index when TEXT is not two letters. Any case. */
struct economy economy_find(struct span text);
/* Writes two upper-case letters and a NUL; "" for index 0. */
void economy_code(struct economy economy, char out[3]);

#endif
