#include "flow/abroad.h"

#include "base/time.h"
#include "flow/clause_document.h"
#include "flow/doc.h"
#include "flow/registry_private.h"
#include "sys/file.h"

#include <stdio.h>

enum { PRIVATE = 0600, WORD_MAX = 64 };

/* ---- reading ---- */

static bool
read_team(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, CLAUSE_TEAM_ID_MAX, &((struct abroad *)target)->team);
}

static bool
read_standing(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_text(doc, key, value, WORD_MAX, &((struct abroad *)target)->standing);
}

static bool
read_time(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_time(doc, key, value, &((struct abroad *)target)->time_us);
}

static bool
read_signatures(struct doc *doc, const char *key, struct json_value value, void *target)
{
    bool good = json_type(value) == JSON_INT && json_int(value) >= 0;

    if (good)
        ((struct abroad *)target)->signatures = (uint64_t)json_int(value);
    else
        doc_fault(doc, key, "must be a number");
    return good;
}

static int
read_list(struct arena *arena, struct json_value root, struct abroad **out, size_t *count,
    struct err *err)
{
    static const struct doc_key keys[] = {{"signatures", "", read_signatures},
        {"standing", "", read_standing}, {"team", "", read_team}, {"time", "", read_time}};
    struct doc doc = {.arena = arena, .file = SPAN("abroad")};
    struct json_value item;
    struct span none;
    bool seen[4];
    int64_t length = doc_list(&doc, "", root);

    *out = length <= 0 ? NULL : doc_alloc(&doc, (size_t)length, sizeof **out);
    for (struct json_iter it = json_iter(root); *out != NULL && json_next(&it, &none, &item);)
        if (doc_object(&doc, item, keys, 4, &(*out)[*count], seen))
            ++*count;
    return doc.full ? arena_full(err, "what other nodes said") : 0;
}

/* "abroad/UUID.json" below HOME. */
static int
path_of(const char *home, struct span id, char out[REGISTRY_PATH_BYTES], struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    char other[REGISTRY_PATH_BYTES];

    registry_document_name(id, name);
    (void)snprintf(other, sizeof other, "abroad/%.*s", 128, strchr(name, '/') + 1);
    return registry_path(home, other, out, err);
}

int
abroad_read(struct arena *arena, const char *home, struct span id, struct abroad **out,
    size_t *count, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    struct json *json = json_new(DOC_FILE_BYTES_MAX);
    struct json_value root;
    struct span text;
    struct err why;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for what other nodes said")
                          : path_of(home, id, path, err);

    *out = NULL;
    *count = 0;
    if (rc == 0)
        rc = doc_file(arena, path, &text, err);
    if (rc == 0 && json_parse_copy(json, text, &root, &why) == 0)
        rc = read_list(arena, root, out, count, err);
    json_free(json);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* ---- writing ---- */

static void
add(struct buf *out, const struct abroad *said)
{
    char time[TIME_TEXT_BYTES];

    (void)time_format(said->time_us, "Z", time);
    buf_format(out, "%s{\"signatures\":%llu,\"standing\":", out->n > 1 ? "," : "",
        (unsigned long long)said->signatures);
    json_add_string(out, said->standing);
    buf_add_text(out, ",\"team\":");
    json_add_string(out, said->team);
    buf_format(out, ",\"time\":\"%s\"}", time);
}

static int
write_all(const char *home, struct span id, const struct abroad *others, size_t count,
    const struct abroad *said, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    struct buf text = buf_new(DOC_FILE_BYTES_MAX);

    buf_add_char(&text, '[');
    for (size_t i = 0; i < count; i++)
        if (!span_equal(others[i].team, said->team))
            add(&text, &others[i]);
    add(&text, said);
    buf_add_text(&text, "]\n");
    int rc = buf_check(&text, "what other nodes said", err);
    if (rc == 0)
        rc = registry_path(home, "abroad", path, err);
    if (rc == 0)
        rc = file_folder(path, err);
    if (rc == 0)
        rc = path_of(home, id, path, err);
    const struct span whole = buf_span(&text);
    if (rc == 0)
        rc = file_write_hint(path, &whole, 1, PRIVATE, err);
    buf_free(&text);
    return rc;
}

int
abroad_note(struct arena *arena, const char *home, struct span id, const struct abroad *said,
    struct err *err)
{
    struct abroad *list;
    size_t count;
    int rc = abroad_read(arena, home, id, &list, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (span_equal(list[i].team, said->team) && span_equal(list[i].standing, said->standing)
            && list[i].signatures == said->signatures)
            return 0;
    return rc == 0 ? write_all(home, id, list, count, said, err) : rc;
}

bool
abroad_is_standing(struct span word)
{
    for (size_t i = 0; i < STANDING_COUNT; i++)
        if (span_equal(word, span_of(standing_words[i])))
            return true;
    return false;
}
