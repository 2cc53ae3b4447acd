#include "flow/abroad_later.h"

#include "flow/registry_private.h"
#include "fmt/json.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PRIVATE = 0600 };
#define FOLDER "abroad/later"

/* ---- where it lies ---- */

/* "UUID.TEAM.json" */
static void
name_of(struct span id, struct span team, char out[REGISTRY_PATH_BYTES])
{
    char document[REGISTRY_PATH_BYTES];

    registry_document_name(id, document);
    const char *uuid = strchr(document, '/') + 1;
    (void)snprintf(out, REGISTRY_PATH_BYTES, FOLDER "/%.*s.%.*s.json", (int)strcspn(uuid, "."),
        uuid, SPAN_ARGS(team));
}

static int
is_word(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && span_ends(span_of(entry->d_name), SPAN(".json"));
}

int
abroad_later_open(const char *home, struct abroad_later *out, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];

    *out = (struct abroad_later){.home = home};
    int rc = registry_path(home, FOLDER, path, err);
    if (rc != 0)
        return rc;
    out->count = scandir(path, &out->names, is_word, alphasort);
    if (out->count >= 0)
        return 0;
    out->count = 0;
    return errno == ENOENT ? 0
                           : err_set(err, ERR_IO, "%s cannot be listed: %s", path, strerror(errno));
}

void
abroad_later_close(struct abroad_later *later)
{
    for (int i = 0; i < later->count; i++)
        free(later->names[i]);
    free(later->names);
}

/* ---- reading ---- */

static bool
read_word(struct json_value root, struct abroad_later_word *out)
{
    struct json_value agreement;
    struct json_value team;
    struct json_value said;

    if (!json_get(root, "agreement", &agreement) || !json_get(root, "team", &team)
        || !json_get(root, "said", &said) || json_type(agreement) != JSON_STRING
        || json_type(team) != JSON_STRING || json_type(said) != JSON_STRING)
        return false;
    *out = (struct abroad_later_word){json_string(agreement), json_string(team), json_string(said)};
    return true;
}

/* 1; 0: what is there is no word, or was taken away meanwhile. */
static int
read_file(const char *path, struct json *json, struct arena *arena, struct abroad_later_word *out,
    struct err *err)
{
    struct buf text = buf_new(ABROAD_LATER_BYTES);
    struct json_value root;
    struct err why;
    int rc = file_read(path, &text, &why);
    bool good =
        rc == 0 && json_parse_copy(json, buf_span(&text), &root, &why) == 0 && read_word(root, out);

    buf_free(&text);
    if (rc != 0 && rc != ERR_NOT_FOUND)
        return err_set(err, why.code, "%s", why.msg);
    if (!good)
        return 0;
    struct span *const parts[] = {&out->id, &out->team, &out->object};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i]->p = arena_copy(arena, parts[i]->p, parts[i]->n);
        if (parts[i]->p == NULL)
            return arena_full(err, "what other nodes said");
    }
    return 1;
}

int
abroad_later_next(
    struct abroad_later *later, struct arena *arena, struct abroad_later_word *out, struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    char path[REGISTRY_PATH_BYTES];
    struct json *json = json_new(ABROAD_LATER_BYTES);
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for what other nodes said") : 0;

    while (rc == 0 && later->at < later->count) {
        (void)snprintf(name, sizeof name, FOLDER "/%s", later->names[later->at++]->d_name);
        rc = registry_path(later->home, name, path, err);
        if (rc == 0)
            rc = read_file(path, json, arena, out, err);
    }
    json_free(json);
    return rc;
}

/* ---- writing ---- */

/* A team that says a new thing each minute fills no disk. */
static int
check_room(const char *home, const char *name, struct span team, bool *made, struct err *err)
{
    struct abroad_later all;
    size_t of_team = 0;
    const char *file = name + sizeof FOLDER;
    size_t n = strlen(file);
    size_t behind = n - team.n - sizeof ".json"; /* the UUID's length, before the point */

    *made = true;
    int rc = abroad_later_open(home, &all, err);
    for (int i = 0; rc == 0 && i < all.count; i++) {
        const char *other = all.names[i]->d_name;
        *made = *made && strcmp(other, file) != 0;
        of_team += strlen(other) == n && strcmp(other + behind, file + behind) == 0;
    }
    if (rc == 0 && *made && (of_team >= ABROAD_LATER_TEAM_MAX || all.count >= ABROAD_LATER_MAX))
        rc = err_set(err, ERR_LIMIT, "%d words of others wait for keys already, %zu of %.*s",
            all.count, of_team, SPAN_ARGS(team));
    abroad_later_close(&all);
    return rc;
}

int
abroad_later_keep(const char *home, struct span id, struct span team, struct span object,
    bool *made, struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    char path[REGISTRY_PATH_BYTES];
    struct buf text = buf_new(ABROAD_LATER_BYTES);

    name_of(id, team, name);
    buf_add_text(&text, "{\"agreement\":");
    json_add_string(&text, id);
    buf_add_text(&text, ",\"said\":");
    json_add_string(&text, object);
    buf_add_text(&text, ",\"team\":");
    json_add_string(&text, team);
    buf_add_text(&text, "}\n");
    int rc = buf_check(&text, "what another node said", err);
    if (rc == 0)
        rc = check_room(home, name, team, made, err);
    if (rc == 0)
        rc = registry_path(home, FOLDER, path, err);
    if (rc == 0)
        rc = file_folder(path, err);
    if (rc == 0)
        rc = registry_path(home, name, path, err);
    const struct span whole = buf_span(&text);
    if (rc == 0)
        rc = file_write_atomic(path, &whole, 1, PRIVATE, err);
    buf_free(&text);
    return rc;
}

int
abroad_later_drop(const char *home, struct span id, struct span team, struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    char path[REGISTRY_PATH_BYTES];

    name_of(id, team, name);
    int rc = registry_path(home, name, path, err);
    if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
        rc = err_set(err, ERR_IO, "%s cannot be taken away: %s", path, strerror(errno));
    return rc;
}
