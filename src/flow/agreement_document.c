#include "flow/agreement_document.h"

#include "base/hash.h"
#include "flow/clause_document.h"
#include "flow/signature_document.h"
#include "fmt/jcs.h"

#include <stdio.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { ID_MAX = 64, TITLE_MAX = 1000 };
enum {
    KEY_ID,
    KEY_TITLE,
    KEY_KIND,
    KEY_PARTIES,
    KEY_ECONOMY,
    KEY_FROM,
    KEY_UNTIL,
    KEY_SUSPENDED,
    KEY_CLAUSES,
    KEY_TEXT_URL,
    KEY_TEXT_SHA256,
    KEY_SIGNATURES,
    KEY_COUNT
};

static bool
read_id(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement *agreement = target;

    if (!doc_text(doc, key, value, ID_MAX, &agreement->id))
        return false;
    if (doc_shape(agreement->id, "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
        return true;
    doc_fault(doc, key, "\"%.*s\" is no name; write urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        SPAN_ARGS(agreement->id));
    return false;
}

static bool
read_title(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, TITLE_MAX, &((struct agreement *)target)->title);
}

static bool
read_kind(struct doc *doc, const char *key, struct json_value value, void *target)
{
    static const char *const words[] = {"bilateral", "multilateral", "baseline", "law"};
    int kind = doc_word(doc, key, value, words, COUNT(words));

    if (kind >= 0)
        ((struct agreement *)target)->kind = (uint8_t)kind;
    return kind >= 0;
}

static bool
read_parties(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement *agreement = target;
    const struct span *parties;
    size_t count;

    if (!doc_texts(doc, key, value, CLAUSE_TEAM_ID_MAX, &parties, &count))
        return false;
    struct table *seen = table_new(count);
    bool good = seen != NULL;
    for (size_t i = 0; seen != NULL && i < count; i++) {
        uint32_t index;
        size_t known = table_count(seen);
        bool fine = clause_document_is_team(parties[i])
            && table_add(seen, parties[i], &index, NULL) == 0 && index == known;
        good = good && fine;
        if (!fine)
            doc_fault(doc, key,
                "\"%.*s\" is no team's id, or is named twice; ids are letters, digits, "
                "'-', '.' and '_'",
                SPAN_ARGS(parties[i]));
    }
    table_free(seen);
    agreement->parties = parties;
    agreement->party_count = count;
    return good;
}

static bool
read_economy(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement *agreement = target;
    struct span text;

    if (!doc_text(doc, key, value, ID_MAX, &text))
        return false;
    agreement->economy = economy_find(text);
    if (agreement->economy.index == 0)
        doc_fault(
            doc, key, "\"%.*s\" is no economy; write two letters such as DE", SPAN_ARGS(text));
    return agreement->economy.index != 0;
}

static bool
read_valid_from(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_time(doc, key, value, &((struct agreement *)target)->valid_from_us);
}

static bool
read_valid_until(struct doc *doc, const char *key, struct json_value value, void *target)
{
    if (json_type(value) == JSON_NULL)
        return true;
    return doc_time(doc, key, value, &((struct agreement *)target)->valid_until_us);
}

static bool
read_suspended(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_bool(doc, key, value, &((struct agreement *)target)->suspended);
}

static bool
read_text_url(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct span text;

    (void)target;
    return json_type(value) == JSON_NULL || doc_text(doc, key, value, DOC_TEXT_MAX, &text);
}

static bool
read_text_sha256(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct span text;

    (void)target;
    if (json_type(value) == JSON_NULL)
        return true;
    if (!doc_text(doc, key, value, ID_MAX, &text))
        return false;
    bool good = text.n == 64;
    for (size_t i = 0; good && i < text.n; i++)
        good = doc_shape((struct span){text.p + i, 1}, "x");
    if (!good)
        doc_fault(doc, key, "is no SHA-256; write 64 hexadecimal digits");
    return good;
}

static bool
read_signatures(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement *agreement = target;

    return signature_document_read(
        doc, key, value, &agreement->signatures, &agreement->signature_count);
}

static void
check_clause_ids(struct doc *doc, const struct agreement *agreement)
{
    struct table *ids = table_new(agreement->clause_count);

    for (size_t i = 0; ids != NULL && i < agreement->clause_count; i++) {
        uint32_t index;
        size_t known = table_count(ids);
        if (agreement->clauses[i].id.n == 0)
            continue;
        if (table_add(ids, agreement->clauses[i].id, &index, NULL) != 0 || index != known) {
            (void)snprintf(
                doc->place, sizeof doc->place, "clause %.*s", SPAN_ARGS(agreement->clauses[i].id));
            doc_fault(doc, "id", "is used twice; give every clause a number of its own");
        }
    }
    doc->full |= ids == NULL;
    doc->place[0] = '\0';
    table_free(ids);
}

static bool
read_clauses(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct agreement *agreement = target;
    struct json_value item;
    struct span none;
    size_t i = 0;

    int64_t count = doc_list(doc, key, value);
    struct clause *clauses = count < 0 ? NULL : doc_alloc(doc, (size_t)count, sizeof *clauses);
    if (clauses == NULL)
        return false;
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item); i++)
        clause_document_read(doc, item, i, &clauses[i]);
    agreement->clauses = clauses;
    agreement->clause_count = i;
    check_clause_ids(doc, agreement);
    return true;
}

/* A ceiling that is silent on passing on forbids nothing; an agreement that is silent permits
 * nothing. */
static void
settle_onward(struct agreement *agreement)
{
    struct clause *clauses = (struct clause *)(uintptr_t)agreement->clauses;

    for (size_t i = 0; i < agreement->clause_count; i++)
        if (clauses[i].onward == ONWARD_SILENT)
            clauses[i].onward = agreement->kind == AGREEMENT_LAW ? ONWARD_TLP : ONWARD_NONE;
}

static bool
says_party(const struct agreement *agreement)
{
    for (size_t i = 0; i < agreement->clause_count; i++)
        if (agreement->clauses[i].from.type == PARTY_PARTY
            || agreement->clauses[i].to.type == PARTY_PARTY)
            return true;
    return false;
}

/* What only shows when kind and parties are both known; false if the parties may be others. */
static bool
check_parties(struct doc *doc, const struct agreement *a, const bool *seen)
{
    bool between = a->kind == AGREEMENT_BILATERAL || a->kind == AGREEMENT_MULTILATERAL;
    bool good = true;

    if (a->kind == AGREEMENT_BILATERAL && a->party_count != 2) {
        doc_fault(doc, "parties", "names %zu team%s; a bilateral agreement has two", a->party_count,
            a->party_count == 1 ? "" : "s");
        good = false;
    } else if (between && a->party_count < 2) {
        doc_fault(doc, "parties", "names %zu team%s; a multilateral agreement has two or more",
            a->party_count, a->party_count == 1 ? "" : "s");
        good = false;
    } else if (a->party_count == 0 && says_party(a)) {
        doc_fault(doc, "parties", "names nobody, and a clause says \"party\"; name them");
        good = false;
    }
    if (a->kind == AGREEMENT_LAW && !seen[KEY_ECONOMY])
        doc_fault(doc, "economy", "is missing; a law says whose it is, such as \"DE\"");
    if (a->kind != AGREEMENT_LAW && seen[KEY_ECONOMY])
        doc_fault(doc, "economy", "is given; only a law has one");
    return good;
}

static int
cover_everything(struct arena *arena, struct agreement *out, struct err *err)
{
    struct clause *clause = arena_zalloc(arena, 1, sizeof *clause);

    if (clause == NULL)
        return arena_full(err, "the agreements");
    out->kind = AGREEMENT_BASELINE;
    out->economy = (struct economy){0};
    out->clauses = clause;
    out->clause_count = 1;
    return 0;
}

/* A team that is no party has nothing to sign; who adopts what has no parties is the reader's own
 * team. */
static void
check_signers(struct doc *doc, const struct agreement *a)
{
    for (size_t i = 0; a->party_count > 0 && i < a->signature_count; i++) {
        size_t k = 0;
        while (k < a->party_count && !span_equal(a->parties[k], a->signatures[i].party))
            k++;
        if (k == a->party_count)
            doc_fault(doc, "signatures", "\"%.*s\" signed, and is no party; take it out",
                SPAN_ARGS(a->signatures[i].party));
    }
}

static void
keep_text(struct doc *doc, struct json_value value, struct agreement *out)
{
    static const char *const unsigned_keys[] = {"signatures", "suspended", NULL};
    struct buf text = buf_new(DOC_FILE_BYTES_MAX);
    struct err why;
    int rc = jcs_add_without(&text, value, unsigned_keys, &why);

    if (rc == 0)
        rc = buf_check(&text, "the agreement in its canonical form", &why);
    if (rc != 0)
        doc_fault(doc, "", "%s", why.msg);
    else {
        const char *copy = arena_copy(doc->arena, text.p, text.n);
        doc->full |= copy == NULL;
        out->text = (struct span){copy, copy != NULL ? text.n : 0};
    }
    buf_free(&text);
}

int
agreement_document_read(struct arena *arena, struct span file, struct json_value value,
    struct agreement *out, struct err *err)
{
    return agreement_document_check(arena, file, value, NULL, out, err);
}

int
agreement_document_check(struct arena *arena, struct span file, struct json_value value,
    const struct doc_listener *listener, struct agreement *out, struct err *err)
{
    static const struct doc_key keys[KEY_COUNT] = {
        [KEY_ID] = {"id", "write urn:uuid: and a UUID, as `comity agreement new` makes one",
            read_id},
        [KEY_TITLE] = {"title", "write what people call it", read_title},
        [KEY_KIND] = {"kind", "write bilateral, multilateral, baseline or law", read_kind},
        [KEY_PARTIES] = {"parties", NULL, read_parties},
        [KEY_ECONOMY] = {"economy", NULL, read_economy},
        [KEY_FROM] = {"valid_from", "write a date such as 2026-01-31", read_valid_from},
        [KEY_UNTIL] = {"valid_until", NULL, read_valid_until},
        [KEY_SUSPENDED] = {"suspended", NULL, read_suspended},
        [KEY_CLAUSES] = {"clauses", "write a list of clauses", read_clauses},
        [KEY_TEXT_URL] = {"text_url", NULL, read_text_url},
        [KEY_TEXT_SHA256] = {"text_sha256", NULL, read_text_sha256},
        [KEY_SIGNATURES] = {"signatures", NULL, read_signatures},
    };
    struct doc doc = {.arena = arena, .file = file, .listener = listener};
    bool seen[KEY_COUNT];
    struct json_value given;

    *out =
        (struct agreement){.file = file, .valid_from_us = INT64_MIN, .valid_until_us = INT64_MAX};
    (void)doc_object(&doc, value, keys, KEY_COUNT, out, seen);
    bool known = seen[KEY_KIND] && seen[KEY_CLAUSES]
        && (seen[KEY_PARTIES] || !json_get(value, "parties", &given));
    if (known)
        known = check_parties(&doc, out, seen);
    if (!seen[KEY_FROM])
        out->valid_from_us = INT64_MIN;
    if (!seen[KEY_UNTIL])
        out->valid_until_us = INT64_MAX;
    out->suspended = out->suspended && seen[KEY_SUSPENDED];
    if (out->valid_until_us <= out->valid_from_us) {
        doc_fault(&doc, "valid_until", "is not after valid_from, so it would never be in force");
        out->valid_from_us = INT64_MIN;
        out->valid_until_us = INT64_MAX;
    }
    check_signers(&doc, out);
    keep_text(&doc, value, out);
    if (doc.full)
        return arena_full(err, "the agreements");
    out->broken = doc.why.n > 0;
    out->why = doc.why;
    settle_onward(out);
    if (!seen[KEY_ECONOMY])
        out->economy = (struct economy){0};
    return known ? 0 : cover_everything(arena, out, err);
}

int
agreement_document_unreadable(
    struct arena *arena, struct span file, struct span why, struct agreement *out, struct err *err)
{
    struct doc doc = {.arena = arena, .file = file};

    doc_fault(&doc, "", "%.*s", (int)(why.n > 400 ? 400 : why.n), why.p);
    if (doc.full)
        return arena_full(err, "the agreements");
    *out = (struct agreement){.file = file,
        .valid_from_us = INT64_MIN,
        .valid_until_us = INT64_MAX,
        .broken = true,
        .why = doc.why};
    return cover_everything(arena, out, err);
}
