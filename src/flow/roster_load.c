#include "base/hash.h"
#include "flow/card.h"
#include "flow/cards.h"
#include "flow/roster.h"
#include "sys/lent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CARDS_BYTES_MAX ((size_t)1 << 30)
enum {
    CARD_FILE_MAX = 64 * 1024 * 1024,
    TEAMS_MAX = 100000,
    FILES_MAX = 200000,
    CARD_WORD_BYTES = 2048
};

struct loading {
    struct arena *arena;
    struct json *json;
    struct table *ids;
    struct team *teams;
    size_t count;
    size_t room;
    size_t accepted; /* of the teams, from the data folder: theirs is the word */
    int64_t now_us;
    roster_reject *reject;
    void *ctx;
};

static int
add_team(struct loading *l, const struct team *team, struct err *err)
{
    uint32_t index;
    int rc;

    int64_t known = table_find(l->ids, team->id);
    if (known >= 0 && (size_t)known < l->accepted)
        return 0; /* the directory's card of a team that has said itself who it is */
    if (known >= 0)
        return err_set_field(err, ERR_EXISTS, "id", 2,
            "another card has the id \"%.*s\" already; give one another", SPAN_ARGS(team->id));
    if (l->count == l->room) {
        size_t room = l->room == 0 ? 256 : l->room * 2;
        struct team *teams = realloc(l->teams, room * sizeof *teams);
        if (teams == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu team cards", room);
        l->teams = teams;
        l->room = room;
    }
    rc = table_add(l->ids, team->id, &index, err);
    if (rc == 0)
        l->teams[l->count++] = *team;
    return rc;
}

/* What stands in the data folder's cards/ was accepted there. */
static int
read_accepted(struct loading *l, struct json_value value, struct team *out, struct err *err)
{
    struct card_signed card;
    struct buf word = buf_new(CARD_WORD_BYTES);
    int rc = card_read_signed(l->arena, value, l->now_us, out, &card, err);

    if (rc == 0 && card.accepted.basis == CARD_BY_NOBODY)
        rc = err_set(err, ERR_BAD_CARD,
            "lies among the accepted cards, but nobody has; use `comity team accept`");
    cards_word(&word, &card.accepted);
    if (rc == 0) {
        out->verified = true;
        out->word = (struct span){arena_copy(l->arena, word.p, word.n), word.n};
        rc = out->word.p == NULL ? arena_full(err, "team cards") : 0;
    }
    buf_free(&word);
    return rc;
}

/* Faults of one card leave it out; faults of this machine and of the whole end the loading. */
static int
reject_or_end(struct loading *l, const char *file, int rc, struct err *err)
{
    if (rc == ERR_NO_MEMORY || rc == ERR_LIMIT || rc == ERR_IO)
        return rc;
    if (l->reject != NULL)
        l->reject(l->ctx, file, err);
    return 0;
}

static int
read_cards(
    struct loading *l, struct json_value root, const char *file, bool accepted, struct err *err)
{
    struct json_iter it;
    struct json_value item = root;
    struct span key;
    bool many = json_type(root) == JSON_ARRAY;

    if (many)
        it = json_iter(root);
    for (size_t i = 0; many ? json_next(&it, &key, &item) : i == 0; i++) {
        struct team team;
        struct err why = {0};
        int rc = accepted ? read_accepted(l, item, &team, &why)
                          : card_read(l->arena, item, l->now_us, &team, &why);
        if (rc == 0)
            rc = add_team(l, &team, &why);
        if (rc == 0)
            continue;
        *err = why;
        if (many)
            err->line = i + 1;
        rc = reject_or_end(l, file, rc, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int
read_all(int fd, const char *path, char **text, size_t *n, struct err *err)
{
    struct stat st;
    ssize_t got;

    *text = NULL;
    *n = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(err, ERR_BAD_CONFIG, "%s is no plain file", path);
    if (st.st_size > CARD_FILE_MAX)
        return err_set(
            err, ERR_BAD_CONFIG, "%s is larger than %d MiB; split it", path, CARD_FILE_MAX >> 20);
    *text = malloc((size_t)st.st_size + 1);
    if (*text == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", path);
    while (*n < (size_t)st.st_size && (got = read(fd, *text + *n, (size_t)st.st_size - *n)) != 0) {
        if (got < 0)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        *n += (size_t)got;
    }
    return 0;
}

static int
read_file(struct loading *l, const char *path, bool accepted, struct err *err)
{
    struct json_value root;
    char *text = NULL;
    size_t n;
    int fd = lent_open(path, O_NONBLOCK);
    int rc;

    *err = (struct err){0};
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    rc = read_all(fd, path, &text, &n, err);
    (void)close(fd);
    if (rc == 0)
        rc = json_parse_copy(l->json, (struct span){text, n}, &root, err);
    free(text);
    if (rc == 0)
        return read_cards(l, root, path, accepted, err);
    return reject_or_end(l, path, rc == ERR_LIMIT ? ERR_BAD_JSON : rc, err);
}

static bool
is_card_name(const char *name)
{
    struct span s = span_of(name);

    return name[0] != '.' && span_ends(s, SPAN(".json"));
}

static int
only_cards(const struct dirent *entry)
{
    return is_card_name(entry->d_name);
}

static int
read_folder(struct loading *l, const char *path, bool accepted, struct err *err)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, only_cards, alphasort);
    int rc = 0;

    if (count < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (count == 0 && !accepted)
        rc = err_set(err, ERR_NOT_FOUND, "the team directory %s holds no card (*.json)", path);
    for (int i = 0; i < count; i++) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (rc == 0 && (n >= (int)sizeof file || count > FILES_MAX))
            rc = err_set(err, ERR_LIMIT, "%s: the path is too long or there are more than %d files",
                path, FILES_MAX);
        if (rc == 0)
            rc = read_file(l, file, accepted, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int
compare_ids(const void *left, const void *right)
{
    const struct team *a = left;
    const struct team *b = right;
    int c = memcmp(a->id.p, b->id.p, a->id.n < b->id.n ? a->id.n : b->id.n);

    return c != 0 ? c : (a->id.n > b->id.n) - (a->id.n < b->id.n);
}

static int
load(struct loading *l, const char *path, const char *cards, struct roster **out, struct err *err)
{
    struct stat st;
    int rc;

    if (l->arena == NULL || l->json == NULL || l->ids == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a roster");
    if (cards != NULL && stat(cards, &st) == 0) {
        rc = read_folder(l, cards, true, err);
        if (rc != 0)
            return rc;
        l->accepted = l->count;
    }
    if (stat(path, &st) != 0)
        return err_set(err, ERR_NOT_FOUND, "the team directory %s: %s", path, strerror(errno));
    rc = S_ISDIR(st.st_mode) ? read_folder(l, path, false, err) : read_file(l, path, false, err);
    if (rc != 0)
        return rc;
    if (l->count > 0)
        qsort(l->teams, l->count, sizeof *l->teams, compare_ids);
    return roster_build(l->teams, l->count, out, err);
}

int
roster_load(const char *path, const char *cards, roster_reject *reject, void *ctx,
    struct roster **out, struct err *err)
{
    struct loading l = {.arena = arena_new(CARDS_BYTES_MAX),
        .json = json_new(CARD_FILE_MAX),
        .ids = table_new(TEAMS_MAX),
        .now_us = (int64_t)time(NULL) * 1000000,
        .reject = reject,
        .ctx = ctx};
    struct err why = {0};
    int rc;

    *out = NULL;
    rc = load(&l, path, cards, out, &why);
    if (rc != 0 && err != NULL)
        *err = why;
    free(l.teams);
    table_free(l.ids);
    json_free(l.json);
    arena_free(l.arena);
    return rc;
}
