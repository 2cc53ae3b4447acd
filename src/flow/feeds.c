#include "flow/feeds.h"

#include "flow/clause_document.h"
#include "flow/doc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct entry { /* one feed while it is read */
    struct span provider;
    const struct span *also;
    size_t also_count;
    uint8_t tlp;
    struct clause *condition; /* NULL: no IEP */
    struct span policy_id;
    struct span policy_name;
};

struct reading {
    struct feeds *out;
    struct entry *entries;
    size_t count;
};

/* ---- FIRST IEP 2.0 ---- */

static bool
skip_value(struct doc *doc, const char *key, struct json_value value, void *target)
{
    (void)doc;
    (void)key;
    (void)value;
    (void)target;
    return true;
}

static bool
read_policy_id(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, DOC_TEXT_MAX, &((struct entry *)target)->policy_id);
}

static bool
read_policy_name(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, DOC_TEXT_MAX, &((struct entry *)target)->policy_name);
}

static bool
read_version(struct doc *doc, const char *key, struct json_value value, void *target)
{
    (void)target;
    enum json_type type = json_type(value);
    bool good = (type == JSON_INT && json_int(value) == 2)
        || (type == JSON_FLOAT && json_float(value) > 1.99 && json_float(value) < 2.01)
        || (type == JSON_STRING && span_equal(json_string(value), SPAN("2.0")));
    if (!good)
        doc_fault(doc, key, "is not 2.0, and only FIRST IEP 2.0 is known");
    return good;
}

static bool
read_encrypt(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"may", "must"};
    int word = doc_word(doc, key, value, words, COUNT(words));

    ((struct entry *)target)->condition->require_encrypted |= word == 1;
    return word >= 0;
}

static void
tighten(struct clause *clause, enum effect effect, enum onward onward)
{
    if (effect < clause->effect)
        clause->effect = (uint8_t)effect;
    if (onward < clause->onward)
        clause->onward = (uint8_t)onward;
}

static bool
read_actions(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"none", "contact-for-instruction",
        "internally-visible-actions", "externally-visible-indirect-actions",
        "externally-visible-direct-actions"};
    struct clause *clause = ((struct entry *)target)->condition;
    int word = doc_word(doc, key, value, words, COUNT(words));

    if (word == 0)
        tighten(clause, EFFECT_WITHHOLD, ONWARD_NONE);
    if (word == 1)
        tighten(clause, EFFECT_HOLD, ONWARD_NONE);
    if (word == 2)
        tighten(clause, EFFECT_RELEASE, ONWARD_NONE);
    return word >= 0;
}

static bool
read_notifications(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"may", "must-not"};
    int word = doc_word(doc, key, value, words, COUNT(words));

    if (word == 1)
        tighten(((struct entry *)target)->condition, EFFECT_HOLD, ONWARD_NONE);
    return word >= 0;
}

static bool
read_attribution(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"may", "must", "must-not"};
    int word = doc_word(doc, key, value, words, COUNT(words));

    if (word == 2)
        tighten(((struct entry *)target)->condition, EFFECT_HOLD, ONWARD_TLP);
    return word >= 0;
}

static bool
read_resale(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"may", "must-not"};

    (void)target;
    return doc_word(doc, key, value, words, COUNT(words)) >= 0;
}

static bool
read_floor(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_tlp(doc, key, value, &((struct entry *)target)->condition->tlp_floor);
}

static bool
read_iep(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const struct doc_key keys[] = {
        {"id", "write the policy's id as the provider gave it", read_policy_id},
        {"name", "write the policy's name as the provider gave it", read_policy_name},
        {"iep_version", "write 2.0", read_version},
        {"description", NULL, skip_value},
        {"start_date", NULL, skip_value},
        {"end_date", NULL, skip_value},
        {"external_references", NULL, skip_value},
        {"encrypt_in_transit", NULL, read_encrypt},
        {"permitted_actions", NULL, read_actions},
        {"affected_party_notifications", NULL, read_notifications},
        {"tlp", NULL, read_floor},
        {"attribution", NULL, read_attribution},
        {"unmodified_resale", NULL, read_resale},
    };
    bool seen[COUNT(keys)];
    struct entry *entry = target;

    (void)key;
    entry->condition = doc_alloc(doc, 1, sizeof *entry->condition);
    if (entry->condition == NULL)
        return false;
    *entry->condition = (struct clause){.id = SPAN("iep"),
        .classifications = UINT64_MAX,
        .tlp_max = TLP_RED,
        .effect = EFFECT_RELEASE,
        .onward = ONWARD_TLP};
    return doc_object(doc, value, keys, COUNT(keys), entry, seen);
}

/* ---- feeds ---- */

static bool
read_provider(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, CLAUSE_PROVIDER_MAX, &((struct entry *)target)->provider);
}

static bool
read_also(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct entry *entry = target;

    return doc_texts(doc, key, value, CLAUSE_PROVIDER_MAX, &entry->also, &entry->also_count);
}

static bool
read_entry_tlp(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_tlp(doc, key, value, &((struct entry *)target)->tlp);
}

static bool
read_default_tlp(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_tlp(doc, key, value, &((struct reading *)target)->out->tlp);
}

static bool
read_feeds(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const struct doc_key keys[] = {
        {"provider", "write the provider's name as its reports have it", read_provider},
        {"also", NULL, read_also},
        {"tlp", "write clear, green, amber, amber+strict or red", read_entry_tlp},
        {"iep", NULL, read_iep},
        {"note", NULL, skip_value},
    };
    bool seen[COUNT(keys)];
    struct reading *reading = target;
    struct json_value item;
    struct span none;

    int64_t count = doc_list(doc, key, value);
    reading->entries = count < 0 ? NULL : doc_alloc(doc, (size_t)count, sizeof *reading->entries);
    if (reading->entries == NULL)
        return false;
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item);)
        (void)doc_object(doc, item, keys, COUNT(keys), &reading->entries[reading->count++], seen);
    return true;
}

static const struct span *
all_names(struct doc *doc, const struct entry *entry)
{
    struct span *names = doc_alloc(doc, entry->also_count + 1, sizeof *names);

    if (names == NULL)
        return NULL;
    names[0] = entry->provider;
    if (entry->also_count > 0)
        memcpy(names + 1, entry->also, entry->also_count * sizeof *names);
    return names;
}

static void
settle(struct doc *doc, struct reading *reading)
{
    struct feed *feeds = doc_alloc(doc, reading->count, sizeof *feeds);
    struct agreement *conditions = doc_alloc(doc, reading->count, sizeof *conditions);
    size_t n = 0;

    for (size_t i = 0; !doc->full && i < reading->count; i++) {
        const struct entry *e = &reading->entries[i];
        feeds[i] = (struct feed){all_names(doc, e), e->also_count + 1, e->tlp};
        if (e->condition == NULL)
            continue;
        e->condition->providers = feeds[i].names;
        e->condition->provider_count = feeds[i].name_count;
        conditions[n++] = (struct agreement){.id = e->policy_id,
            .title = e->policy_name,
            .file = doc->file,
            .kind = AGREEMENT_FEED,
            .valid_from_us = INT64_MIN,
            .valid_until_us = INT64_MAX,
            .clauses = e->condition,
            .clause_count = 1};
    }
    reading->out->feeds = feeds;
    reading->out->count = reading->count;
    reading->out->conditions = (struct agreement_set){conditions, n};
}

static int
read_document(struct doc *doc, struct json_value root, struct feeds *out, struct err *err)
{
    static const struct doc_key keys[] = {
        {"default_tlp", "write clear, green, amber, amber+strict or red", read_default_tlp},
        {"feeds", "write a list of providers", read_feeds},
        {"note", NULL, skip_value},
    };
    bool seen[COUNT(keys)];
    struct reading reading = {.out = out};

    (void)doc_object(doc, root, keys, COUNT(keys), &reading, seen);
    if (doc->why.n == 0)
        settle(doc, &reading);
    if (doc->full)
        return arena_full(err, "the feeds file");
    if (doc->why.n > 0)
        return err_set(err, ERR_BAD_CONFIG, "%.*s", (int)doc->why.n, doc->why.p);
    return 0;
}

int
feeds_parse(
    struct arena *arena, struct span text, const char *name, struct feeds *out, struct err *err)
{
    struct doc doc = {.arena = arena, .file = span_of(name)};
    struct json *json = json_new(DOC_FILE_BYTES_MAX);
    struct json_value root;
    struct err why;

    *out = (struct feeds){0};
    if (json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the feeds file");
    int rc = json_parse_copy(json, text, &root, &why);
    rc = rc != 0 ? err_set(err, ERR_BAD_CONFIG, "%s: %s", name, why.msg)
                 : read_document(&doc, root, out, err);
    json_free(json);
    return rc;
}

int
feeds_load(struct arena *arena, const char *path, struct feeds *out, struct err *err)
{
    struct span text;
    const char *name = arena_copy(arena, path, strlen(path));

    if (name == NULL)
        return arena_full(err, "the feeds file");
    int rc = doc_file(arena, path, &text, err);
    return rc != 0 ? rc : feeds_parse(arena, text, name, out, err);
}

const struct feed *
feeds_find(const struct feeds *feeds, struct span provider)
{
    for (size_t i = 0; i < feeds->count; i++)
        for (size_t n = 0; n < feeds->feeds[i].name_count; n++)
            if (span_equal_nocase(feeds->feeds[i].names[n], provider))
                return &feeds->feeds[i];
    return NULL;
}

enum tlp
feeds_tlp(const struct feeds *feeds, struct span provider)
{
    const struct feed *feed = feeds_find(feeds, provider);

    return (enum tlp)(feed != NULL ? feed->tlp : feeds->tlp);
}

enum tlp
feeds_report_tlp(const struct feeds *feeds, const struct report *report)
{
    return report->tlp_given ? (enum tlp)report->tlp : feeds_tlp(feeds, report->provider);
}
