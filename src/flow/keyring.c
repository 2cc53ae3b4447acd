#include "flow/keyring.h"

#include "base/hash.h"
#include "base/time.h"
#include "flow/doc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEAM_MAX = 64, PATH_BYTES = 4096, KEYS_MAX = 200000, FILE_BYTES_MAX = 1 << 20 };

struct known {
    char team[TEAM_MAX];
    size_t team_n;
    struct card_key key;
};

struct keyring {
    struct known *rows;
    size_t count;
    size_t room;
};

struct keyring *
keyring_new(void)
{
    return calloc(1, sizeof(struct keyring));
}

void
keyring_free(struct keyring *ring)
{
    if (ring != NULL)
        free(ring->rows);
    free(ring);
}

int
keyring_add(struct keyring *ring, struct span team, const struct card_key *key, struct err *err)
{
    if (team.n == 0 || team.n > TEAM_MAX)
        return err_set(err, ERR_BAD_CONFIG, "\"%.*s\" is no team's id", SPAN_ARGS(team));
    if (ring->count == KEYS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d keys; keep to fewer", KEYS_MAX);
    if (ring->count == ring->room) {
        size_t room = ring->room == 0 ? 64 : ring->room * 2;
        struct known *rows = realloc(ring->rows, room * sizeof *rows);
        if (rows == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu keys", room);
        ring->rows = rows;
        ring->room = room;
    }
    struct known *row = &ring->rows[ring->count++];
    *row = (struct known){.team_n = team.n, .key = *key};
    memcpy(row->team, team.p, team.n);
    return 0;
}

static int
add_card(struct keyring *ring, struct json *json, const struct team *team, struct err *err)
{
    struct json_value root;
    struct json_value keys;
    struct json_value item;
    struct span none;
    struct card_key key;
    int rc = json_parse_copy(json, team->card, &root, err);

    if (rc != 0 || !json_get(root, "keys", &keys) || json_type(keys) != JSON_ARRAY)
        return rc;
    for (struct json_iter it = json_iter(keys); rc >= 0 && json_next(&it, &none, &item);) {
        rc = card_key_read(item, &key, err);
        if (rc == 1)
            rc = keyring_add(ring, team->id, &key, err);
    }
    return rc < 0 ? rc : 0;
}

int
keyring_add_roster(struct keyring *ring, const struct roster *roster, struct err *err)
{
    struct json *json = json_new(DOC_FILE_BYTES_MAX);
    int rc = json != NULL ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for the teams' keys");

    for (uint32_t i = 1; rc == 0 && i <= roster_count(roster); i++) {
        const struct team *team = roster_team(roster, (struct team_id){i});
        if (team->verified && team->card.n > 0
            && memmem(team->card.p, team->card.n, "ed25519", 7) != NULL)
            rc = add_card(ring, json, team, err);
    }
    json_free(json);
    return rc;
}

int
keyring_line(struct span line, struct card_key *out, struct err *err)
{
    struct span rest = span_trim(line);
    struct span key;
    struct span word;

    *out = (struct card_key){.until_us = INT64_MAX};
    if (rest.n == 0 || rest.p[0] == '#')
        return 0;
    (void)span_next(&rest, ' ', &key);
    int rc = card_key_parse(key, out->bytes, err);
    if (rc == 0 && span_next(&rest, ' ', &word)
        && (!span_equal(word, SPAN("until")) || time_parse(rest, &out->until_us, err) != 0))
        rc = err_set(err, ERR_BAD_CONFIG, "behind a key may stand only \"until\" and a time");
    return rc == 0 ? 1 : rc;
}

static int
add_lines(
    struct keyring *ring, struct span team, struct span text, const char *path, struct err *err)
{
    struct card_key key;
    struct span line;
    struct err why;
    int rc = 0;

    while (rc == 0 && span_next(&text, '\n', &line)) {
        int found = keyring_line(line, &key, &why);
        if (found < 0)
            return err_set(err, ERR_BAD_CONFIG, "%s: %s", path, why.msg);
        if (found == 1)
            rc = keyring_add(ring, team, &key, err);
    }
    return rc;
}

static int
add_file(struct keyring *ring, const char *folder, const char *name, struct err *err)
{
    char path[PATH_BYTES];
    struct arena *arena = arena_new(FILE_BYTES_MAX);
    struct span text;

    if (arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the keys in %s", folder);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int rc = doc_file(arena, path, &text, err);
    if (rc == 0)
        rc = add_lines(ring, (struct span){name, strlen(name) - 4}, text, path, err);
    arena_free(arena);
    return rc;
}

int
keyring_add_folder(struct keyring *ring, const char *folder, struct err *err)
{
    DIR *open = opendir(folder);
    int rc = 0;

    if (open == NULL && errno == ENOENT)
        return 0;
    if (open == NULL)
        return err_set(err, ERR_IO, "%s cannot be listed: %s", folder, strerror(errno));
    for (struct dirent *entry; rc == 0 && (entry = readdir(open)) != NULL;) {
        struct span name = span_of(entry->d_name);
        if (name.p[0] != '.' && name.n > 4 && span_ends(name, SPAN(".pub")))
            rc = add_file(ring, folder, entry->d_name, err);
    }
    (void)closedir(open);
    return rc;
}

size_t
keyring_count(const struct keyring *ring)
{
    return ring->count;
}

uint64_t
keyring_digest(const struct keyring *ring)
{
    uint64_t digest = 0;

    for (size_t i = 0; ring != NULL && i < ring->count; i++) {
        const struct known *row = &ring->rows[i];
        digest = hash_bytes(row->team, row->team_n, digest);
        digest = hash_bytes(row->key.bytes, sizeof row->key.bytes, digest);
        digest = hash_bytes(&row->key.until_us, sizeof row->key.until_us, digest);
    }
    return digest;
}

bool
keyring_knows(
    const struct keyring *ring, struct span team, const uint8_t key[CARD_KEY_BYTES], int64_t at_us)
{
    for (size_t i = 0; ring != NULL && i < ring->count; i++) {
        const struct known *row = &ring->rows[i];
        if (at_us < row->key.until_us && memcmp(row->key.bytes, key, CARD_KEY_BYTES) == 0
            && span_equal((struct span){row->team, row->team_n}, team))
            return true;
    }
    return false;
}

bool
keyring_ended(
    const struct keyring *ring, struct span team, const uint8_t key[CARD_KEY_BYTES], int64_t at_us)
{
    return keyring_knows(ring, team, key, INT64_MIN) && !keyring_knows(ring, team, key, at_us);
}

const struct card_key *
keyring_each(const struct keyring *ring, struct span team, size_t *at)
{
    while (ring != NULL && *at < ring->count) {
        const struct known *row = &ring->rows[(*at)++];
        if (span_equal((struct span){row->team, row->team_n}, team))
            return &row->key;
    }
    return NULL;
}

const uint8_t *
keyring_next(const struct keyring *ring, struct span team, int64_t at_us, size_t *at)
{
    const struct card_key *key;

    while ((key = keyring_each(ring, team, at)) != NULL)
        if (at_us < key->until_us)
            return key->bytes;
    return NULL;
}
