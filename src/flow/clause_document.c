#include "flow/clause_document.h"

#include <stdio.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

bool
clause_document_is_team(struct span id)
{
    if (id.n == 0 || id.n > CLAUSE_TEAM_ID_MAX || span_equal(id, SPAN("party")))
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static bool
read_pattern(struct doc *doc, const char *key, struct json_value value, struct party_pattern *out)
{
    struct span prefix = SPAN("economy:");
    struct span text;

    if (!doc_text(doc, key, value, DOC_TEXT_MAX, &text))
        return false;
    struct party_pattern pattern = {.type = PARTY_ANY};
    if (span_starts(text, prefix)) {
        pattern.type = PARTY_ECONOMY;
        pattern.economy = economy_find((struct span){text.p + prefix.n, text.n - prefix.n});
    } else if (span_equal(text, SPAN("party"))) {
        pattern.type = PARTY_PARTY;
    } else if (!span_equal(text, SPAN("*"))) {
        pattern.type = PARTY_TEAM;
        pattern.team = text;
    }
    if ((pattern.type == PARTY_ECONOMY && pattern.economy.index == 0)
        || (pattern.type == PARTY_TEAM && !clause_document_is_team(text))) {
        doc_fault(doc, key,
            "\"%.*s\" names nobody; write a team's id, \"economy:XX\", \"party\" or \"*\"",
            SPAN_ARGS(text));
        return false;
    }
    *out = pattern;
    return true;
}

static bool
read_from(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_pattern(doc, key, value, &((struct clause *)target)->from);
}

static bool
read_to(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_pattern(doc, key, value, &((struct clause *)target)->to);
}

static bool
read_id(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, 64, &((struct clause *)target)->id);
}

static bool
read_note(struct doc *doc, const char *key, struct json_value value, void *target)
{
    if (json_type(value) == JSON_NULL)
        return true;
    return doc_text(doc, key, value, DOC_TEXT_MAX, &((struct clause *)target)->note);
}

/* The bits that "taxonomy.type", "taxonomy.*" or "*" stands for; 0: none. */
static uint64_t
classes_of(struct span pattern)
{
    uint64_t bits = 0;
    bool all = span_equal(pattern, SPAN("*"));
    struct span rest = pattern;
    struct span taxonomy = {NULL, 0};

    (void)span_next(&rest, '.', &taxonomy);
    for (int c = 1; c < CLASSIFICATION_COUNT; c++) {
        bool here = span_equal(taxonomy, span_of(classification_taxonomy((enum classification)c)))
            && taxonomy.n < pattern.n;
        bool type = span_equal(rest, SPAN("*"))
            || span_equal(rest, span_of(classification_type((enum classification)c)));
        if (all || (here && type))
            bits |= (uint64_t)1 << c;
    }
    return bits;
}

static bool
read_classification(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct clause *clause = target;
    const struct span *patterns;
    size_t count;

    if (!doc_texts(doc, key, value, DOC_TEXT_MAX, &patterns, &count))
        return false;
    if (count == 0)
        doc_fault(doc, key, "is empty; write [\"*\"] for all");
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = classes_of(patterns[i]);
        clause->classifications |= bits;
        if (bits == 0)
            doc_fault(doc, key,
                "\"%.*s\" is not in the reference taxonomy; write \"taxonomy.type\" such as "
                "\"malicious-code.c2-server\", \"taxonomy.*\" or \"*\"",
                SPAN_ARGS(patterns[i]));
    }
    return true;
}

static bool
read_tlp_max(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_tlp(doc, key, value, &((struct clause *)target)->tlp_max);
}

static bool
read_providers(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct clause *clause = target;

    if (!doc_texts(
            doc, key, value, CLAUSE_PROVIDER_MAX, &clause->providers, &clause->provider_count))
        return false;
    if (clause->provider_count == 0)
        doc_fault(doc, key, "is empty; leave the key out for all providers");
    return true;
}

static bool
read_effect(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {
#define EFFECT(name, word) word,
#include "tables/policy.def"
#undef EFFECT
    };
    int effect = doc_word(doc, key, value, words, COUNT(words));

    ((struct clause *)target)->effect = (uint8_t)(effect < 0 ? EFFECT_WITHHOLD : effect);
    return effect >= 0;
}

/* Where a class has no such treatment, the next stricter one is what is done. */
static uint8_t
feasible(int class, int treatment)
{
    if (class == FIELD_CLASS_TIME && treatment == TREATMENT_PSEUDONYMISE)
        return TREATMENT_GENERALISE;
    if ((class == FIELD_CLASS_TEXT || class == FIELD_CLASS_OPEN) && treatment != TREATMENT_KEEP)
        return TREATMENT_REMOVE;
    return (uint8_t)treatment;
}

static bool
read_treatment(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {
#define TREATMENT(name, word) word,
#include "tables/policy.def"
#undef TREATMENT
    };
    struct clause *clause = target;
    struct json_value item;
    struct span name;
    uint32_t met = 0;

    if (json_type(value) != JSON_OBJECT) {
        doc_fault(doc, key, "is no object; write {\"account\": \"remove\"}");
        return false;
    }
    for (struct json_iter it = json_iter(value); json_next(&it, &name, &item);) {
        int class = field_class_find(name);
        int treatment = doc_word(doc, key, item, words, COUNT(words));
        if (class < 0)
            doc_fault(doc, key,
                "\"%.*s\" is no field class; write open, address, name, url, account, device, time "
                "or "
                "text",
                SPAN_ARGS(name));
        else if ((met >> class & 1) != 0)
            doc_fault(
                doc, key, "gives %s twice; keep one", field_class_word((enum field_class) class));
        if (class < 0 || treatment < 0)
            continue;
        met |= 1u << class;
        clause->treatment[class] = feasible(class, treatment);
    }
    return true;
}

static bool
read_require(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"encrypted-channel", "receipt"};
    struct clause *clause = target;
    struct json_value item;
    struct span none;

    if (doc_list(doc, key, value) < 0)
        return false;
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item);) {
        int word = doc_word(doc, key, item, words, COUNT(words));
        clause->require_encrypted |= word == 0;
        clause->require_receipt |= word == 1;
    }
    return true;
}

/* 180.0 is 180, to JSON Schema and in RFC 8785's form, over which is signed. */
static bool
whole_number(struct json_value value, uint32_t max, uint32_t *out)
{
    enum json_type type = json_type(value);
    double number = type == JSON_FLOAT ? json_float(value)
        : type == JSON_INT             ? (double)json_int(value)
                                       : 0;
    bool good = number >= 1 && number <= max;

    *out = good ? (uint32_t)number : 0;
    return good && (double)*out >= number;
}

static bool
read_retention(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct clause *clause = target;

    if (json_type(value) == JSON_NULL
        || whole_number(value, CLAUSE_RETENTION_MAX, &clause->retention_days))
        return true;
    doc_fault(doc, key, "is no number of days; write a whole number from 1 to %d, or null",
        CLAUSE_RETENTION_MAX);
    return false;
}

static bool
read_onward(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"none", "constituency", "party", "tlp"};
    int onward = doc_word(doc, key, value, words, COUNT(words));

    ((struct clause *)target)->onward = (uint8_t)(onward < 0 ? ONWARD_NONE : onward);
    return onward >= 0;
}

void
clause_document_read(
    struct doc *doc, struct json_value value, size_t position, struct clause *clause)
{
    static const struct doc_key keys[] = {
        {"id", "write the clause's number on paper, such as 3.1", read_id},
        {"from", "write party, a team's id, economy:XX or *", read_from},
        {"to", "write party, a team's id, economy:XX or *", read_to},
        {"classification", "write a list of patterns such as malicious-code.*",
            read_classification},
        {"tlp_max", "write clear, green, amber, amber+strict or red", read_tlp_max},
        {"providers", NULL, read_providers},
        {"effect", "write release, hold or withhold", read_effect},
        {"treatment", NULL, read_treatment},
        {"require", NULL, read_require},
        {"retention_days", NULL, read_retention},
        {"onward", NULL, read_onward},
        {"note", NULL, read_note},
    };
    bool seen[COUNT(keys)];
    struct json_value id;

    *clause = (struct clause){.onward = ONWARD_SILENT};
    (void)snprintf(doc->place, sizeof doc->place, "clause number %zu", position + 1);
    if (json_get(value, "id", &id) && json_type(id) == JSON_STRING)
        (void)snprintf(doc->place, sizeof doc->place, "clause %.*s",
            (int)(json_string(id).n > 64 ? 64 : json_string(id).n), json_string(id).p);
    (void)doc_object(doc, value, keys, COUNT(keys), clause, seen);
    if (!seen[1])
        clause->from = (struct party_pattern){.type = PARTY_ANY};
    if (!seen[2])
        clause->to = (struct party_pattern){.type = PARTY_ANY};
    doc->place[0] = '\0';
}
