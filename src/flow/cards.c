#include "flow/cards.h"

#include "base/time.h"
#include "flow/card.h"
#include "flow/doc.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEYS_FILE_BYTES = 1 << 16, PUBLIC = 0644 };

/* ---- reading ---- */

int
cards_read(struct arena *arena, struct span text, struct cards_read *out, struct err *err)
{
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    struct json_value root;
    struct err why = {0};
    int rc = json == NULL ? err_set(&why, ERR_NO_MEMORY, "no memory to read a card")
                          : json_parse_copy(json, text, &root, &why);

    if (rc == 0)
        rc = card_read_signed(arena, root, CARD_ANY_TIME, &out->team, &out->card, &why);
    json_free(json);
    if (rc == 0 && out->card.version_us == INT64_MIN)
        return err_set(err, ERR_BAD_CARD,
            "the card is not signed; its team signs it with `comity team publish`");
    if (rc == 0 || rc == ERR_LIMIT || rc == ERR_NO_MEMORY) {
        if (rc != 0 && err != NULL)
            *err = why;
        return rc;
    }
    return err_set(
        err, ERR_BAD_CARD, "%s%s%s", why.field, why.field[0] != '\0' ? ": " : "", why.msg);
}

int
cards_read_file(struct arena *arena, const char *path, struct cards_read *out, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    struct err why = {0};
    int rc = file_read(path, &text, &why);

    if (rc == 0)
        rc = cards_read(arena, buf_span(&text), out, &why);
    buf_free(&text);
    if (rc == ERR_BAD_CARD)
        return err_set(err, ERR_BAD_CARD, "%s: %s", path, why.msg);
    if (rc != 0 && err != NULL)
        *err = why;
    return rc;
}

int
cards_folder(const char *home, char out[CARDS_PATH_BYTES], struct err *err)
{
    int n = snprintf(out, CARDS_PATH_BYTES, "%s/cards", home);

    return n > 0 && n < CARDS_PATH_BYTES ? 0
                                         : err_set(err, ERR_LIMIT, "the path %s is too long", home);
}

int
cards_lock(const char *home, int *fd, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/lock", home);

    return n > 0 && n < CARDS_PATH_BYTES ? file_lock(path, fd, err)
                                         : err_set(err, ERR_LIMIT, "the path %s is too long", home);
}

static int
accepted_path(const char *home, struct span team, char out[CARDS_PATH_BYTES], struct err *err)
{
    int n = snprintf(out, CARDS_PATH_BYTES, "%s/cards/%.*s.json", home, (int)team.n, team.p);

    return n > 0 && n < CARDS_PATH_BYTES ? 0
                                         : err_set(err, ERR_LIMIT, "the path %s is too long", home);
}

static int
waiting_path(
    const char *home, const struct card_signed *card, char out[CARDS_PATH_BYTES], struct err *err)
{
    char print[CARD_PRINT_BYTES];

    card_sign_print(card->key, print);
    int n = snprintf(out, CARDS_PATH_BYTES, "%s/cards/waiting/%.*s.%s.json", home, (int)card->id.n,
        card->id.p, print);
    return n > 0 && n < CARDS_PATH_BYTES ? 0
                                         : err_set(err, ERR_LIMIT, "the path %s is too long", home);
}

int
cards_find(const char *home, struct span team, struct arena *arena, struct cards_read *out,
    struct err *err)
{
    char path[CARDS_PATH_BYTES];
    struct err why = {0};
    int rc = accepted_path(home, team, path, &why);

    if (rc == 0)
        rc = cards_read_file(arena, path, out, &why);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0 && !span_equal(out->card.id, team))
        rc = err_set(&why, ERR_BAD_CARD, "%s is the card of another team", path);
    if (rc != 0 && err != NULL)
        *err = why;
    return rc == 0 ? 1 : rc;
}

/* ---- writing ---- */

static int
write_card(const char *path, const struct card_signed *card, bool verified, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = card_sign_document(&text, card, verified, true, err);

    buf_add_char(&text, '\n');
    if (rc == 0)
        rc = buf_check(&text, "a signed card", err);
    const struct span whole = buf_span(&text);
    if (rc == 0)
        rc = file_write_atomic(path, &whole, 1, PUBLIC, err);
    buf_free(&text);
    return rc;
}

static int
make_folder(const char *home, const char *name, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", home, name);

    return n > 0 && n < CARDS_PATH_BYTES ? file_folder(path, err)
                                         : err_set(err, ERR_LIMIT, "the path %s is too long", home);
}

static int
remove_file(const char *path, struct err *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return err_set(err, ERR_IO, "%s cannot be removed: %s", path, strerror(errno));
}

/* ---- keys that were given up ---- */

/* A file of a team's keys, rewritten. */
struct retiring {
    struct json_value card; /* the new one, which may name several keys that count */
    char until[TIME_TEXT_BYTES];
    struct buf lines;
    bool changed;
};

static bool
has_line(const struct buf *lines, const uint8_t key[CARD_KEY_BYTES])
{
    char base64[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(key, CARD_KEY_BYTES, base64);
    return lines->n > 0 && memmem(lines->p, lines->n, base64, strlen(base64)) != NULL;
}

static void
retire_key(struct retiring *r, const uint8_t key[CARD_KEY_BYTES])
{
    char base64[AGREEMENT_SIGN_BASE64_BYTES];

    if (card_key_named(r->card, key) || has_line(&r->lines, key))
        return;
    agreement_sign_base64(key, CARD_KEY_BYTES, base64);
    buf_format(&r->lines, "%s until %s\n", base64, r->until);
    r->changed = true;
}

/* A key that ended, and is the card's now, counts again. */
static int
retire_lines(struct retiring *r, struct span text, const char *path, struct err *err)
{
    struct card_key key;
    struct span line;
    struct err why;

    while (span_next(&text, '\n', &line)) {
        int rc = keyring_line(line, &key, &why);
        bool named = rc == 1 && card_key_named(r->card, key.bytes);
        if (rc < 0)
            return err_set(err, ERR_BAD_CONFIG, "%s: %s", path, why.msg);
        if (rc == 1 && named && key.until_us != INT64_MAX) {
            r->changed = true;
            continue;
        }
        buf_add_span(&r->lines, span_trim(line));
        if (rc == 1 && !named && key.until_us == INT64_MAX) {
            buf_format(&r->lines, " until %s", r->until);
            r->changed = true;
        }
        buf_add_char(&r->lines, '\n');
    }
    return 0;
}

static int
write_keys(const char *home, const char *path, struct retiring *r, struct err *err)
{
    int rc = buf_check(&r->lines, path, err);

    if (rc == 0 && r->changed)
        rc = make_folder(home, "keys", err);
    const struct span whole = buf_span(&r->lines);
    return rc == 0 && r->changed ? file_write_atomic(path, &whole, 1, PUBLIC, err) : rc;
}

static int
retire(const char *home, const struct cards_read *card, const struct card_signed *known,
    const struct keyring *ring, struct err *err)
{
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    struct retiring r = {.lines = buf_new(KEYS_FILE_BYTES)};
    struct buf text = buf_new(KEYS_FILE_BYTES);
    char path[CARDS_PATH_BYTES];
    const uint8_t *key;
    size_t at = 0;
    int64_t now_us = card->card.accepted.time_us;

    (void)time_format_us(now_us, r.until);
    (void)snprintf(
        path, sizeof path, "%s/keys/%.*s.pub", home, (int)card->card.id.n, card->card.id.p);
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a card")
                          : json_parse_copy(json, card->team.card, &r.card, err);
    if (rc == 0)
        rc = file_read(path, &text, err);
    if (rc == ERR_NOT_FOUND)
        rc = 0;
    if (rc == 0)
        rc = retire_lines(&r, buf_span(&text), path, err);
    while (rc == 0 && (key = keyring_next(ring, card->card.id, now_us, &at)) != NULL)
        retire_key(&r, key);
    if (rc == 0 && known != NULL)
        retire_key(&r, known->key);
    if (rc == 0)
        rc = write_keys(home, path, &r, err);
    json_free(json);
    buf_free(&text);
    buf_free(&r.lines);
    return rc;
}

/* ---- what was accepted ---- */

/* What cannot be read is left for the operator to see. */
static int
drop_older(const char *home, const struct cards_read *card, struct arena *arena, struct err *err)
{
    struct cards_waiting waiting;
    struct cards_read one;
    struct err why;
    int rc = cards_waiting_open(home, &waiting, err);
    int found = rc == 0 ? 1 : 0;

    while (rc == 0 && found != 0) {
        arena_reset(arena);
        found = cards_waiting_next(&waiting, arena, &one, &why);
        if (found == 1 && span_equal(one.card.id, card->card.id)
            && one.card.version_us <= card->card.version_us)
            rc = cards_drop(home, &one, err);
        if (found < 0 && found != ERR_BAD_CARD)
            rc = err_set(err, why.code, "%s", why.msg);
    }
    cards_waiting_close(&waiting);
    return rc;
}

/* Old keys first: a crash between the two leaves a key that ended and a card that comes again, not
 * a key that nobody knows of. */
int
cards_keep(
    const char *home, const struct cards_read *card, const struct keyring *ring, struct err *err)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct cards_read known;
    char path[CARDS_PATH_BYTES];
    int rc = arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a card")
                           : cards_find(home, card->card.id, arena, &known, err);
    bool has = rc == 1;

    if (rc == ERR_BAD_CARD) /* the file was damaged; what comes is whole */
        rc = 0;
    if (rc >= 0)
        rc = retire(home, card, has ? &known.card : NULL, ring, err);
    if (rc == 0)
        rc = make_folder(home, "cards", err);
    if (rc == 0)
        rc = accepted_path(home, card->card.id, path, err);
    if (rc == 0)
        rc = write_card(path, &card->card, true, err);
    if (rc == 0)
        rc = drop_older(home, card, arena, err);
    arena_free(arena);
    return rc;
}

int
cards_forget(const char *home, struct span team, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int rc = accepted_path(home, team, path, err);

    if (rc == 0 && access(path, F_OK) != 0)
        return err_set(
            err, ERR_NOT_FOUND, "no card of %.*s was accepted or waits", SPAN_ARGS(team));
    return rc == 0 ? remove_file(path, err) : rc;
}

/* ---- what waits ---- */

static int
only_cards(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && span_ends(span_of(entry->d_name), SPAN(".json"));
}

int
cards_waiting_open(const char *home, struct cards_waiting *out, struct err *err)
{
    int n;

    *out = (struct cards_waiting){.names = NULL};
    n = snprintf(out->folder, sizeof out->folder, "%s/cards/waiting", home);
    if (n < 0 || n >= CARDS_PATH_BYTES)
        return err_set(err, ERR_LIMIT, "the path %s is too long", home);
    out->count = scandir(out->folder, &out->names, only_cards, alphasort);
    if (out->count >= 0)
        return 0;
    out->count = 0;
    return errno == ENOENT
        ? 0
        : err_set(err, ERR_IO, "%s cannot be listed: %s", out->folder, strerror(errno));
}

int
cards_waiting_next(
    struct cards_waiting *waiting, struct arena *arena, struct cards_read *out, struct err *err)
{
    char path[CARDS_PATH_BYTES + 256];
    int rc = ERR_NOT_FOUND; /* it was taken away meanwhile */

    while (rc == ERR_NOT_FOUND && waiting->at < waiting->count) {
        (void)snprintf(
            path, sizeof path, "%s/%s", waiting->folder, waiting->names[waiting->at++]->d_name);
        rc = cards_read_file(arena, path, out, err);
    }
    if (rc == ERR_NOT_FOUND)
        return 0;
    return rc == 0 ? 1 : rc;
}

/* TEAM.PRINT.json */
static bool
is_of(const struct dirent *entry, struct span team)
{
    enum { BEHIND = CARD_PRINT_BYTES + 5 };
    struct span name = span_of(entry->d_name);

    return name.n == team.n + BEHIND && span_starts(name, team) && name.p[team.n] == '.';
}

void
cards_waiting_only(struct cards_waiting *waiting, struct span team)
{
    int kept = 0;

    for (int i = 0; i < waiting->count; i++)
        if (is_of(waiting->names[i], team))
            waiting->names[kept++] = waiting->names[i];
        else
            free(waiting->names[i]);
    waiting->count = kept;
    waiting->at = 0;
}

void
cards_waiting_close(struct cards_waiting *waiting)
{
    for (int i = 0; i < waiting->count; i++)
        free(waiting->names[i]);
    free(waiting->names);
}

int
cards_waiting_count(const char *home, uint64_t *out, struct err *err)
{
    struct cards_waiting waiting;
    int rc = cards_waiting_open(home, &waiting, err);

    *out = (uint64_t)waiting.count;
    cards_waiting_close(&waiting);
    return rc;
}

/* A stranger may send as many as it likes, so that there is an end to them. */
static int
check_room(const char *home, const struct card_signed *card, struct err *err)
{
    struct cards_waiting waiting;
    char print[CARD_PRINT_BYTES];
    int of_team = 0;
    bool there = false;
    int rc = cards_waiting_open(home, &waiting, err);

    card_sign_print(card->key, print);
    for (int i = 0; rc == 0 && i < waiting.count; i++) {
        if (!is_of(waiting.names[i], card->id))
            continue;
        of_team++;
        there = there
            || memcmp(waiting.names[i]->d_name + card->id.n + 1, print, CARD_PRINT_BYTES - 1) == 0;
    }
    if (rc == 0 && !there
        && (of_team >= CARDS_WAITING_TEAM_MAX || waiting.count >= CARDS_WAITING_MAX))
        rc = err_set(err, ERR_BAD_CARD,
            "%d cards wait for this node's operator, %d of them of %.*s; no more are kept",
            waiting.count, of_team, SPAN_ARGS(card->id));
    cards_waiting_close(&waiting);
    return rc;
}

int
cards_find_waiting(const char *home, const struct card_signed *card, struct arena *arena,
    struct cards_read *out, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int rc = waiting_path(home, card, path, err);

    if (rc == 0)
        rc = cards_read_file(arena, path, out, err);
    if (rc == ERR_NOT_FOUND || rc == ERR_BAD_CARD)
        return 0;
    return rc == 0 ? 1 : rc;
}

int
cards_wait(const char *home, const struct cards_read *card, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int rc = check_room(home, &card->card, err);

    if (rc == 0)
        rc = make_folder(home, "cards/waiting", err);
    if (rc == 0)
        rc = waiting_path(home, &card->card, path, err);
    if (rc == 0)
        rc = write_card(path, &card->card, false, err);
    return rc;
}

int
cards_drop(const char *home, const struct cards_read *card, struct err *err)
{
    char path[CARDS_PATH_BYTES];
    int rc = waiting_path(home, &card->card, path, err);

    return rc == 0 ? remove_file(path, err) : rc;
}

/* ---- the operator's word ---- */

int
cards_accept(const char *home, struct arena *arena, struct cards_read *card,
    const struct keyring *ring, int64_t now_us, struct err *err)
{
    struct cards_read known;
    int rc = cards_find(home, card->card.id, arena, &known, err);

    if (rc < 0 && rc != ERR_BAD_CARD)
        return rc;
    if (rc == 1 && known.card.version_us > card->card.version_us)
        return err_set(err, ERR_EXISTS,
            "a newer card of %.*s was accepted (%.*s); `comity team refuse` takes it away",
            SPAN_ARGS(card->card.id), SPAN_ARGS(known.card.version));
    if (rc == 1 && known.card.version_us == card->card.version_us
        && !span_equal(known.card.text, card->card.text))
        return err_set(err, ERR_EXISTS,
            "another card of %.*s of the same version was accepted; `comity team refuse` takes it "
            "away",
            SPAN_ARGS(card->card.id));
    if (rc == 1 && span_equal(known.card.text, card->card.text))
        (void)card_sign_join(&card->card, &known.card);
    card->card.accepted = (struct card_acceptance){.basis = CARD_BY_OPERATOR, .time_us = now_us};
    return cards_keep(home, card, ring, err);
}

int
cards_accept_operator(const char *home, struct arena *arena, struct span text, int64_t now_us,
    struct card_signed *out, struct err *err)
{
    struct cards_read card;
    int lock = -1;
    int rc = cards_read(arena, text, &card, err);

    if (rc == 0)
        rc = cards_lock(home, &lock, err);
    if (rc == 0)
        rc = cards_accept(home, arena, &card, NULL, now_us, err);
    if (lock >= 0)
        (void)close(lock);
    if (rc == 0)
        *out = card.card;
    return rc;
}

int
cards_check_other(const struct cards_read *card, struct span own, struct err *err)
{
    return span_equal(card->card.id, own)
        ? err_set(err, ERR_USAGE, "that is this team's own card: `comity team publish` signs it")
        : 0;
}

static int
keep_vouched(const char *home, struct arena *arena, struct cards_read *card,
    const struct keyring *ring, int64_t now_us, struct err *err)
{
    struct cards_read known;
    int rc = cards_find(home, card->card.id, arena, &known, err);

    if (rc != 1 || !span_equal(known.card.text, card->card.text))
        return rc < 0 && rc != ERR_BAD_CARD ? rc
                                            : cards_accept(home, arena, card, ring, now_us, err);
    (void)card_sign_join(&card->card, &known.card);
    card->card.accepted = known.card.accepted;
    return cards_keep(home, card, ring, err);
}

int
cards_vouch(const char *home, struct arena *arena, struct cards_read *card, struct span own,
    const struct agreement_key *key, const struct keyring *ring, int64_t now_us, struct err *err)
{
    int rc = cards_check_other(card, own, err);

    if (rc == 0)
        rc = card_sign_vouch(arena, &card->card, own, key, now_us, err);
    return rc == 0 ? keep_vouched(home, arena, card, ring, now_us, err) : rc;
}

void
cards_word(struct buf *out, const struct card_acceptance *accepted)
{
    switch (accepted->basis) {
    case CARD_BY_OPERATOR:
        buf_add_text(out, "its own, accepted by the operator");
        break;
    case CARD_BY_KEY:
        buf_add_text(out, "its own, by the key that was known");
        break;
    case CARD_BY_PREVIOUS:
        buf_add_text(out, "its own, by a new key that the one known before has signed");
        break;
    case CARD_BY_SPONSORS:
        buf_add_text(out, "its own, vouched for by");
        for (size_t i = 0; i < accepted->sponsor_count; i++) {
            buf_add_text(out, i == 0 ? " " : i + 1 < accepted->sponsor_count ? ", " : " and ");
            buf_add_span(out, accepted->sponsors[i]);
        }
        break;
    default:
        buf_add_text(out, "its own, waiting for the operator");
    }
}
