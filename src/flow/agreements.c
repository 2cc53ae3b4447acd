#include "flow/agreements.h"

#include "base/hash.h"
#include "flow/agreement_document.h"
#include "flow/doc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

struct loader {
    struct arena *arena;
    struct json *json;
    struct agreement *rows; /* on the heap while it grows */
    size_t count;
    size_t room;
    const struct doc_listener *listener; /* NULL: nobody */
};

/* ---- documents ---- */

static int
next_row(struct loader *l, struct agreement **out, struct err *err)
{
    if (l->count >= AGREEMENTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d agreements; keep to fewer", AGREEMENTS_MAX);
    if (l->count == l->room) {
        size_t room = l->room == 0 ? 64 : l->room * 2;
        struct agreement *rows = realloc(l->rows, room * sizeof *rows);
        if (rows == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the agreements");
        l->rows = rows;
        l->room = room;
    }
    *out = &l->rows[l->count++];
    return 0;
}

static void
tell(struct loader *l, struct span file, const char *key, const char *words)
{
    if (l->listener != NULL)
        l->listener->hear(l->listener->ctx, file, "", key, span_of(words));
}

static int
add_unreadable(struct loader *l, struct span file, const char *why, struct err *err)
{
    struct agreement *row = NULL;
    int rc = next_row(l, &row, err);

    tell(l, file, "", why);
    return rc != 0 ? rc : agreement_document_unreadable(l->arena, file, span_of(why), row, err);
}

static int
add_document(struct loader *l, struct span file, struct json_value value, struct err *err)
{
    struct agreement *row = NULL;
    struct agreement scratch;
    struct err why;
    int rc = json_check_duplicates(value, &why);

    /* Nothing of it counts, but who listens wants its other faults, too. */
    if (rc != 0 && l->listener != NULL
        && agreement_document_check(l->arena, file, value, l->listener, &scratch, err) != 0)
        return ERR_LIMIT;
    if (rc != 0)
        return add_unreadable(l, file, why.msg, err);
    rc = next_row(l, &row, err);
    return rc != 0 ? rc : agreement_document_check(l->arena, file, value, l->listener, row, err);
}

static int
add_text(struct loader *l, struct span file, struct span text, struct err *err)
{
    struct json_value root;
    struct json_value item;
    struct span none;
    struct err why;
    int rc = json_parse_copy(l->json, text, &root, &why);

    if (rc != 0)
        return add_unreadable(l, file, why.msg, err);
    if (json_type(root) != JSON_ARRAY)
        return add_document(l, file, root, err);
    for (struct json_iter it = json_iter(root); rc == 0 && json_next(&it, &none, &item);)
        rc = add_document(l, file, item, err);
    return rc;
}

/* ---- files ---- */

static int
add_file(struct loader *l, const char *path, struct err *err)
{
    struct err why;
    struct span text;
    const char *name = arena_copy(l->arena, path, strlen(path));

    if (name == NULL)
        return arena_full(err, "the agreements");
    int rc = doc_file(l->arena, path, &text, &why);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "%s", why.msg);
    if (rc != 0)
        return add_unreadable(l, span_of(name), why.msg, err);
    return add_text(l, span_of(name), text, err);
}

static int
is_document(const struct dirent *entry)
{
    struct span name = span_of(entry->d_name);

    return name.p[0] != '.' && span_ends(name, SPAN(".json"));
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int
add_folder(struct loader *l, const char *folder, struct err *err)
{
    struct dirent **entries;
    char path[PATH_BYTES];
    int count = scandir(folder, &entries, is_document, by_name);
    int rc = 0;

    if (count < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s cannot be listed: %s",
            folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (rc == 0 && (n < 0 || n >= PATH_BYTES))
            rc = err_set(
                err, ERR_LIMIT, "%s: a path in it is longer than %d bytes", folder, PATH_BYTES);
        if (rc == 0)
            rc = add_file(l, path, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int
add_path(struct loader *l, const char *path, struct err *err)
{
    DIR *folder = opendir(path);
    size_t before = l->count;
    int rc;

    if (folder == NULL && errno == ENOTDIR) {
        rc = add_file(l, path, err);
        return rc != 0 || l->count > before
            ? rc
            : err_set(err, ERR_NOT_FOUND, "the file %s holds an empty list, no agreement", path);
    }
    if (folder == NULL)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s cannot be opened: %s",
            path, strerror(errno));
    (void)closedir(folder);
    rc = add_folder(l, path, err);
    /* A mistyped folder, like an empty list, must not pass for one that agrees to nothing. */
    return rc != 0 || l->count > before
        ? rc
        : err_set(err, ERR_NOT_FOUND, "the folder %s holds no agreement (*.json)", path);
}

/* ---- the set ---- */

static int
refuse_twin(struct loader *l, struct agreement *a, struct err *err)
{
    char why[512];

    if (a->broken)
        return 0;
    tell(l, a->file, "id", "two agreements have this id, so which holds is not known; keep one");
    int n = snprintf(why, sizeof why,
        "%.*s, id: two agreements have the id %.*s, so which holds is not known; keep one",
        SPAN_ARGS(a->file), SPAN_ARGS(a->id));
    a->broken = true;
    a->why = (struct span){arena_copy(l->arena, why, (size_t)n), (size_t)n};
    return a->why.p != NULL ? 0 : arena_full(err, "the agreements");
}

/* Which of two texts holds cannot be told, so neither is relied on. */
static int
refuse_twins(struct loader *l, struct err *err)
{
    struct table *ids = table_new(l->count);
    size_t *first = calloc(l->count + 1, sizeof *first);
    int rc = ids != NULL && first != NULL
        ? 0
        : err_set(err, ERR_NO_MEMORY, "no memory for the agreements");

    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        uint32_t index;
        size_t known = table_count(ids);
        if (l->rows[i].id.n == 0)
            continue;
        rc = table_add(ids, l->rows[i].id, &index, err);
        if (rc == 0 && index == known) {
            first[index] = i;
            continue;
        }
        if (rc == 0)
            rc = refuse_twin(l, &l->rows[i], err);
        if (rc == 0)
            rc = refuse_twin(l, &l->rows[first[index]], err);
    }
    free(first);
    table_free(ids);
    return rc;
}

static int
finish(struct loader *l, int rc, struct agreement_set *out, struct err *err)
{
    if (rc == 0)
        rc = refuse_twins(l, err);
    *out = (struct agreement_set){0};
    if (rc == 0) {
        struct agreement_set heap = {l->rows, l->count};
        rc = agreements_join(l->arena, &heap, out, out, err);
    }
    free(l->rows);
    json_free(l->json);
    return rc;
}

static int
start(struct loader *l, struct arena *arena, struct err *err)
{
    *l = (struct loader){.arena = arena, .json = json_new(DOC_FILE_BYTES_MAX)};
    return l->json != NULL ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for the agreements");
}

int
agreements_check(struct arena *arena, const char *const *paths, size_t count,
    const struct doc_listener *listener, struct agreement_set *out, struct err *err)
{
    struct loader l;
    int rc = start(&l, arena, err);

    l.listener = listener;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_path(&l, paths[i], err);
    return finish(&l, rc, out, err);
}

int
agreements_load(struct arena *arena, const char *const *paths, size_t count,
    struct agreement_set *out, struct err *err)
{
    return agreements_check(arena, paths, count, NULL, out, err);
}

int
agreements_parse(struct arena *arena, const struct span *texts, const char *const *names,
    size_t count, struct agreement_set *out, struct err *err)
{
    struct loader l;
    int rc = start(&l, arena, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_text(&l, span_of(names[i]), texts[i], err);
    return finish(&l, rc, out, err);
}

int
agreements_check_text(struct arena *arena, struct span text, const struct doc_listener *listener,
    struct agreement_set *out, struct err *err)
{
    struct loader l;
    int rc = start(&l, arena, err);

    l.listener = listener;
    if (rc == 0)
        rc = add_text(&l, SPAN("draft"), text, err);
    return finish(&l, rc, out, err);
}

int
agreements_join(struct arena *arena, const struct agreement_set *set,
    const struct agreement_set *more, struct agreement_set *out, struct err *err)
{
    size_t count = set->count + more->count;
    struct agreement *rows = arena_zalloc(arena, count, sizeof *rows);

    if (rows == NULL)
        return arena_full(err, "the agreements");
    if (set->count > 0)
        memcpy(rows, set->agreements, set->count * sizeof *rows);
    if (more->count > 0)
        memcpy(rows + set->count, more->agreements, more->count * sizeof *rows);
    *out = (struct agreement_set){rows, count};
    return 0;
}

static bool
has_id(const struct agreement_set *set, struct span id)
{
    for (size_t i = 0; i < set->count; i++)
        if (id.n > 0 && span_equal(set->agreements[i].id, id))
            return true;
    return false;
}

int
agreements_without(struct arena *arena, const struct agreement_set *set,
    const struct agreement_set *gone, struct agreement_set *out, struct err *err)
{
    struct agreement *rows = arena_zalloc(arena, set->count, sizeof *rows);
    size_t count = 0;

    if (rows == NULL)
        return arena_full(err, "the agreements");
    for (size_t i = 0; i < set->count; i++)
        if (!has_id(gone, set->agreements[i].id))
            rows[count++] = set->agreements[i];
    *out = (struct agreement_set){rows, count};
    return 0;
}

int
agreements_undated(struct arena *arena, const struct agreement_set *set, struct agreement_set *out,
    struct err *err)
{
    struct agreement *rows = arena_zalloc(arena, set->count, sizeof *rows);

    if (rows == NULL)
        return arena_full(err, "the agreements");
    for (size_t i = 0; i < set->count; i++) {
        rows[i] = set->agreements[i];
        rows[i].valid_from_us = INT64_MIN;
        rows[i].valid_until_us = INT64_MAX;
        rows[i].suspended = false;
    }
    *out = (struct agreement_set){rows, set->count};
    return 0;
}

size_t
agreements_broken(const struct agreement_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++)
        count += set->agreements[i].broken;
    return count;
}

size_t
agreements_vouched(const struct agreement_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++)
        count += !set->agreements[i].broken && set->agreements[i].party_count > 0
            && !set->agreements[i].signed_by_all;
    return count;
}
