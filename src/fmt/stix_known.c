#include "fmt/stix_known.h"

#include "base/hash.h"
#include "fmt/stix_object.h"
#include "fmt/stix_words.h"

#include <stdlib.h>

enum { KNOWN_BYTES = 8 * 1024 * 1024, KNOWN_COUNT = 16 * 1024 };

/* A name, or a marking's label (n 0: a marking that is no TLP). */
struct stix_known {
    struct arena *arena;
    struct table *ids;
    struct span texts[KNOWN_COUNT];
};

struct stix_known *
stix_known_new(void)
{
    struct stix_known *known = calloc(1, sizeof *known);

    if (known == NULL)
        return NULL;
    known->arena = arena_new(KNOWN_BYTES);
    known->ids = table_new(KNOWN_COUNT);
    if (known->arena != NULL && known->ids != NULL)
        return known;
    stix_known_free(known);
    return NULL;
}

void
stix_known_free(struct stix_known *known)
{
    if (known == NULL)
        return;
    arena_free(known->arena);
    table_free(known->ids);
    free(known);
}

/* STIX 2.1 and 2.0 write {"definition": {"tlp": "green"}}, TLP 2.0 an extension. False for a
 * TLP marking of no known level: it stays unknown. */
static bool
marking_label(struct json_value object, struct span *label)
{
    struct json_value v;
    struct json_value inner;
    struct span word = {NULL, 0};

    if (json_get(object, "definition", &v))
        word = stix_object_text(v, "tlp");
    if (json_get(object, "extensions", &v) && json_get(v, STIX_TLP2_EXTENSION, &inner))
        word = stix_object_text(inner, "tlp_2_0");
    enum tlp tlp = tlp_find(word);
    *label = span_of(tlp_label(tlp));
    return tlp != TLP_UNKNOWN
        || span_equal(stix_object_text(object, "definition_type"), SPAN("statement"));
}

void
stix_known_learn(
    struct stix_known *known, struct json_value object, struct span type, struct span id)
{
    struct span text = stix_object_text(object, "name");
    uint32_t index;

    if (id.n == 0 || table_find(known->ids, id) >= 0)
        return;
    if (span_equal(type, SPAN("marking-definition")) ? !marking_label(object, &text)
                                                     : !span_equal(type, SPAN("identity")))
        return;
    char *key = arena_copy(known->arena, id.p, id.n);
    char *copy = arena_copy(known->arena, text.p, text.n);
    if (key != NULL && copy != NULL
        && table_add(known->ids, (struct span){key, id.n}, &index, NULL) == 0)
        known->texts[index] = (struct span){copy, text.n};
}

struct span
stix_known_name(const struct stix_known *known, struct span id)
{
    int64_t index = span_starts(id, SPAN("identity--")) ? table_find(known->ids, id) : -1;

    return index < 0 ? (struct span){NULL, 0} : known->texts[index];
}

static bool
marking_level(const struct stix_known *known, struct span id, enum tlp *tlp)
{
    int64_t index;

    *tlp = stix_words_tlp(id);
    if (*tlp != TLP_UNKNOWN)
        return true;
    index = span_starts(id, SPAN("marking-definition--")) ? table_find(known->ids, id) : -1;
    if (index >= 0 && known->texts[index].n > 0)
        *tlp = tlp_find(known->texts[index]);
    return index >= 0;
}

/* The strictest of a list of ids, or of objects with a marking_ref; UNKNOWN gets one that is not
 * known. */
static enum tlp
strictest(const struct stix_known *known, struct json_value object, const char *member,
    struct span *unknown)
{
    struct json_value list;
    struct json_value item;
    struct span key;
    enum tlp max = TLP_UNKNOWN;
    enum tlp one;

    if (!json_get(object, member, &list))
        return max;
    if (json_type(list) != JSON_ARRAY) {
        *unknown = SPAN("malformed marking");
        return max;
    }
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);) {
        struct json_value lang;
        if (json_type(item) == JSON_OBJECT && json_get(item, "lang", &lang))
            continue;
        struct span id = json_type(item) == JSON_STRING ? json_string(item)
                                                        : stix_object_text(item, "marking_ref");
        if (!marking_level(known, id, &one))
            *unknown = id.n > 0 ? id : SPAN("malformed marking");
        else if (one > max)
            max = one;
    }
    return max;
}

bool
stix_known_all_markings(const struct stix_known *known, struct json_value object)
{
    struct span unknown = {NULL, 0};

    (void)strictest(known, object, "object_marking_refs", &unknown);
    (void)strictest(known, object, "granular_markings", &unknown);
    return unknown.n == 0;
}

struct span
stix_known_marking(const struct stix_known *known, struct json_value object)
{
    struct span unknown = {NULL, 0};
    enum tlp a = strictest(known, object, "object_marking_refs", &unknown);
    enum tlp b = strictest(known, object, "granular_markings", &unknown);

    if (unknown.n > 0)
        return unknown;
    return span_of(tlp_label(a > b ? a : b));
}
