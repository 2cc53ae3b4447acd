#include "flow/signature_document.h"

#include "flow/clause_document.h"

#include <stdio.h>

enum { KEY_PARTY, KEY_KEY, KEY_SIGNED_AT, KEY_SIGNATURE, KEY_COUNT, SIGNED_AT_MAX = 128 };

static bool
read_party(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement_signature *signature = target;

    if (!doc_text(doc, key, value, CLAUSE_TEAM_ID_MAX, &signature->party))
        return false;
    if (clause_document_is_team(signature->party))
        return true;
    doc_fault(doc, key, "\"%.*s\" is no team's id", SPAN_ARGS(signature->party));
    return false;
}

static bool
read_key(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(
        doc, key, value, ((struct agreement_signature *)target)->key, AGREEMENT_KEY_BYTES);
}

static bool
read_signature(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(
        doc, key, value, ((struct agreement_signature *)target)->bytes, AGREEMENT_SIGNATURE_BYTES);
}

static bool
read_signed_at(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement_signature *signature = target;

    return doc_time(doc, key, value, &signature->signed_at_us)
        && doc_text(doc, key, value, SIGNED_AT_MAX, &signature->signed_at);
}

static bool
is_twice(const struct agreement_signature *signatures, size_t last)
{
    for (size_t i = 0; i < last; i++)
        if (span_equal(signatures[i].party, signatures[last].party)
            && memcmp(signatures[i].key, signatures[last].key, AGREEMENT_KEY_BYTES) == 0)
            return true;
    return false;
}

bool
signature_document_read(struct doc *doc, const char *key, struct json_value value,
    const struct agreement_signature **out, size_t *count)
{
    static const struct doc_key keys[KEY_COUNT] = {
        [KEY_PARTY] = {"party", "write the id of the team that signed", read_party},
        [KEY_KEY] = {"key", "write its public key in base64", read_key},
        [KEY_SIGNED_AT] = {"signed_at", "write when it was signed", read_signed_at},
        [KEY_SIGNATURE] = {"signature", "write the signature in base64", read_signature},
    };
    bool seen[KEY_COUNT];
    struct json_value item;
    struct span none;
    size_t n = 0;
    bool good = true;

    int64_t length = doc_list(doc, key, value);
    struct agreement_signature *signatures =
        length < 0 ? NULL : doc_alloc(doc, (size_t)length, sizeof *signatures);
    if (signatures == NULL)
        return false;
    for (struct json_iter it = json_iter(value); good && json_next(&it, &none, &item); n++) {
        (void)snprintf(doc->place, sizeof doc->place, "signature %zu", n + 1);
        good = doc_object(doc, item, keys, KEY_COUNT, &signatures[n], seen);
        for (size_t k = 0; k < KEY_COUNT; k++)
            good = good && seen[k];
        if (good && is_twice(signatures, n)) {
            doc_fault(doc, "party", "signed twice with one key; keep one");
            good = false;
        }
    }
    doc->place[0] = '\0';
    *out = good ? signatures : NULL;
    *count = good ? n : 0;
    return good;
}
