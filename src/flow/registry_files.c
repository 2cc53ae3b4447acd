#include "flow/registry_private.h"

#include "base/hash.h"
#include "base/time.h"
#include "flow/cards.h"
#include "flow/clause_document.h"
#include "flow/doc.h"
#include "sys/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRIVATE = 0600, PUBLIC = 0644, KEY_FILE_BYTES_MAX = 4096 };

int
registry_path(const char *home, const char *name, char out[REGISTRY_PATH_BYTES], struct err *err)
{
    int n = snprintf(out, REGISTRY_PATH_BYTES, "%s/%s", home, name);

    return n > 0 && n < REGISTRY_PATH_BYTES
        ? 0
        : err_set(err, ERR_LIMIT, "the path %s is too long for a register", home);
}

void
registry_document_name(struct span id, char out[REGISTRY_PATH_BYTES])
{
    static const char begin[] = "urn:uuid:";
    size_t skip = span_starts(id, SPAN(begin)) ? sizeof begin - 1 : 0;

    (void)snprintf(
        out, REGISTRY_PATH_BYTES, "agreements/%.*s.json", (int)(id.n - skip), id.p + skip);
    for (char *p = out; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
}

static int
write_file(
    const struct registry *r, const char *name, struct span text, unsigned mode, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, name, path, err);

    return rc == 0 ? file_write_atomic(path, &text, 1, mode, err) : rc;
}

/* A file that is not there reads as n 0. */
static int
read_file(const struct registry *r, const char *name, struct span *out, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, name, path, err);

    *out = SPAN("");
    if (rc == 0)
        rc = doc_file(r->arena, path, out, err);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* ---- who this is ---- */

int
registry_read_team(struct registry *r, struct err *err)
{
    struct span text;
    int rc = read_file(r, "team", &text, err);

    if (rc != 0)
        return rc;
    text = span_trim(text);
    if (text.n > 0 && (text.n >= sizeof r->team || !clause_document_is_team(text)))
        return err_set(
            err, ERR_BAD_CONFIG, "%s/team: \"%.*s\" is no team's id", r->home, SPAN_ARGS(text));
    memcpy(r->team, text.p, text.n);
    r->team[text.n] = '\0';
    return 0;
}

int
registry_name(struct registry *r, const char *team, struct err *err)
{
    struct span id = span_of(team);

    if (id.n >= sizeof r->team || !clause_document_is_team(id))
        return err_set(err, ERR_USAGE,
            "\"%s\" is no team's id: up to 64 letters, digits, '-', '.', '_'", team);
    if (strcmp(r->team, team) == 0)
        return 0;
    if (r->team[0] != '\0')
        return err_set(
            err, ERR_EXISTS, "the register in %s is that of %s, not of %s", r->home, r->team, team);
    memcpy(r->team, team, id.n + 1);
    r->team_is_new = true;
    return 0;
}

static int
keep_team(struct registry *r, struct err *err)
{
    char line[REGISTRY_TEAM_BYTES + 1];

    if (!r->team_is_new)
        return 0;
    int n = snprintf(line, sizeof line, "%s\n", r->team);
    int rc = write_file(r, "team", (struct span){line, (size_t)n}, PUBLIC, err);
    r->team_is_new = rc != 0;
    return rc;
}

/* ---- keys ---- */

int
registry_trust(struct registry *r, const char *team, const uint8_t *key, struct err *err)
{
    char base64[AGREEMENT_SIGN_BASE64_BYTES];
    char name[REGISTRY_PATH_BYTES];
    struct card_key card = {.until_us = INT64_MAX};
    struct span before;
    struct buf text = buf_new(KEY_FILE_BYTES_MAX);

    if (strlen(team) >= REGISTRY_TEAM_BYTES || !clause_document_is_team(span_of(team)))
        return err_set(err, ERR_USAGE, "\"%s\" is no team's id", team);
    if (keyring_knows(r->ring, span_of(team), key, INT64_MAX - 1))
        return 0;
    (void)snprintf(name, sizeof name, "keys/%s.pub", team);
    int rc = read_file(r, name, &before, err);
    agreement_sign_base64(key, AGREEMENT_KEY_BYTES, base64);
    buf_add_span(&text, before);
    if (before.n > 0 && before.p[before.n - 1] != '\n')
        buf_add_char(&text, '\n');
    buf_format(&text, "%s\n", base64);
    if (rc == 0)
        rc = buf_check(&text, name, err);
    if (rc == 0)
        rc = write_file(r, name, buf_span(&text), PUBLIC, err);
    if (rc == 0) {
        memcpy(card.bytes, key, sizeof card.bytes);
        rc = keyring_add(r->ring, span_of(team), &card, err);
    }
    buf_free(&text);
    return rc;
}

static int
keep_seed(struct registry *r, const char *name, const uint8_t seed[AGREEMENT_SIGN_SEED_BYTES],
    struct err *err)
{
    char line[AGREEMENT_SIGN_BASE64_BYTES + 1];

    agreement_sign_base64(seed, AGREEMENT_SIGN_SEED_BYTES, line);
    size_t n = strlen(line);
    line[n] = '\n';
    int rc = write_file(r, name, (struct span){line, n + 1}, PRIVATE, err);
    sodium_memzero(line, sizeof line);
    return rc;
}

static int
read_key(const char *path, uint8_t seed[AGREEMENT_SIGN_SEED_BYTES], bool *there, struct err *err)
{
    char text[AGREEMENT_SIGN_BASE64_BYTES] = "";
    FILE *file = fopen(path, "re");
    struct stat about;
    size_t n = 0;

    *there = file != NULL || errno != ENOENT;
    if (file == NULL)
        return *there
            ? err_set(err, ERR_IO, "the signing key %s cannot be read: %s", path, strerror(errno))
            : 0;
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the key stays behind */
    bool closed = fstat(fileno(file), &about) == 0 && (about.st_mode & 077) == 0;
    size_t length = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    bool good = sodium_base642bin(seed, AGREEMENT_SIGN_SEED_BYTES, text, length, NULL, &n, NULL,
                    sodium_base64_VARIANT_ORIGINAL)
            == 0
        && n == AGREEMENT_SIGN_SEED_BYTES;
    sodium_memzero(text, sizeof text);
    if (!closed)
        return err_set(err, ERR_BAD_CONFIG,
            "others may read the signing key %s; `chmod 600` it, or make a new one if they did",
            path);
    return good ? 0
                : err_set(err, ERR_BAD_CONFIG,
                    "the signing key %s is damaged: it is the base64 of 32 bytes", path);
}

static int
read_seed(struct registry *r, const char *name, uint8_t seed[AGREEMENT_SIGN_SEED_BYTES],
    bool *there, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, name, path, err);

    return rc == 0 ? read_key(path, seed, there, err) : rc;
}

static int
remove_next(struct registry *r, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, "key.next", path, err);

    if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
        rc = err_set(err, ERR_IO, "%s cannot be removed: %s", path, strerror(errno));
    return rc;
}

/* A change of key that broke off is at its end if the card was signed by the new one. */
static int
end_rekey(struct registry *r, struct err *err)
{
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES];
    struct agreement_key next;
    struct cards_read card;
    bool there = false;
    int rc = read_seed(r, "key.next", seed, &there, err);

    if (rc != 0 || !there)
        return rc;
    agreement_sign_key(seed, &next);
    rc = cards_find(r->home, span_of(r->team), r->arena, &card, err);
    if (rc == 1 && memcmp(card.card.key, next.public, sizeof next.public) == 0)
        rc = keep_seed(r, "key", seed, err);
    if (rc >= 0)
        rc = remove_next(r, err);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&next, sizeof next);
    return rc;
}

int
registry_rekey_begin(struct registry *r, struct agreement_key *out, struct err *err)
{
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES];
    int rc = keep_team(r, err);

    hash_random(seed, sizeof seed);
    if (rc == 0)
        rc = keep_seed(r, "key.next", seed, err);
    agreement_sign_key(seed, out);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

int
registry_rekey_end(struct registry *r, struct err *err)
{
    struct agreement_key key = {{0}, {0}};
    bool made;
    int rc = end_rekey(r, err);

    if (rc == 0)
        rc = registry_key(r, &key, &made, err);
    sodium_memzero(&key, sizeof key);
    return rc;
}

int
registry_key(struct registry *r, struct agreement_key *out, bool *made, struct err *err)
{
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES];
    bool there = false;

    *made = false;
    if (r->team[0] == '\0')
        return err_set(err, ERR_USAGE,
            "who signs? Say so once: `comity agreement key --as TEAM`, your id in the directory");
    int rc = keep_team(r, err);
    if (rc == 0)
        rc = end_rekey(r, err);
    if (rc == 0)
        rc = read_seed(r, "key", seed, &there, err);
    if (rc == 0 && !there) {
        hash_random(seed, sizeof seed);
        rc = keep_seed(r, "key", seed, err);
        *made = rc == 0;
    }
    if (rc == 0) {
        agreement_sign_key(seed, out);
        rc = registry_trust(r, r->team, out->public, err);
    }
    sodium_memzero(seed, sizeof seed);
    return rc;
}

/* ---- the latest time and journal seen ---- */

static const char as_it_was[] = "bring the file back from a backup";

struct seen_read {
    struct registry_seen seen;
    struct span head;
};

static bool
read_events(struct doc *doc, const char *key, struct json_value value, void *target)
{
    bool good = json_type(value) == JSON_INT && json_int(value) >= 0;

    if (good)
        ((struct seen_read *)target)->seen.events = (size_t)json_int(value);
    else
        doc_fault(doc, key, "must be a number of lines");
    return good;
}

static bool
read_head(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct seen_read *read = target;

    if (!doc_text(doc, key, value, sizeof read->seen.head - 1, &read->head))
        return false;
    memcpy(read->seen.head, read->head.p, read->head.n);
    return true;
}

static bool
read_time(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_time(doc, key, value, &((struct seen_read *)target)->seen.seen_us);
}

int
registry_read_seen(struct registry *r, struct registry_seen *out, struct err *err)
{
    static const struct doc_key keys[] = {{"events", as_it_was, read_events},
        {"head", as_it_was, read_head}, {"seen", as_it_was, read_time}};
    char name[REGISTRY_PATH_BYTES];
    struct seen_read read = {.seen = {.there = true}};
    struct json *json = json_new(KEY_FILE_BYTES_MAX);
    struct json_value root;
    struct span text = {0};
    bool seen[3];
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the register")
                          : registry_path(r->home, "seen", name, err);

    *out = (struct registry_seen){.seen_us = INT64_MIN};
    if (rc == 0)
        rc = read_file(r, "seen", &text, err);
    if (rc == 0 && text.n > 0) {
        struct doc doc = {.arena = r->arena, .file = span_of(name)};
        if (json_parse_copy(json, text, &root, err) != 0)
            rc = err_set(err, ERR_BAD_AGREEMENT, "%s is damaged: it is no JSON", name);
        else if (!doc_object(&doc, root, keys, 3, &read, seen) || doc.why.n > 0)
            rc = err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)doc.why.n, doc.why.p);
        else
            *out = read.seen;
    }
    json_free(json);
    return rc;
}

int
registry_write_seen(struct registry *r, const struct registry_seen *seen, struct err *err)
{
    char text[256];
    char time[TIME_TEXT_BYTES];

    (void)time_format(seen->seen_us, "Z", time);
    int n = snprintf(text, sizeof text, "{\"events\":%zu,\"head\":\"%s\",\"seen\":\"%s\"}\n",
        seen->events, seen->head, time);
    return write_file(r, "seen", (struct span){text, (size_t)n}, PRIVATE, err);
}

/* ---- documents and journal ---- */

int
registry_read_journal(struct registry *r, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, "journal.jsonl", path, err);

    if (rc == 0)
        rc = read_file(r, "journal.jsonl", &r->journal_text, err);
    return rc == 0 ? journal_read(r->arena, r->journal_text, path, r->ring, &r->journal, err) : rc;
}

int
registry_keep(struct registry *r, const struct agreement *a, struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    struct buf text = buf_new(DOC_FILE_BYTES_MAX);
    int rc = agreement_sign_document(a, &text, err);

    registry_document_name(a->id, name);
    if (rc == 0)
        rc = write_file(r, name, buf_span(&text), PRIVATE, err);
    buf_free(&text);
    return rc;
}

int
registry_drop(struct registry *r, const struct agreement *a, struct err *err)
{
    char name[REGISTRY_PATH_BYTES];
    char path[REGISTRY_PATH_BYTES];
    struct span journal;

    registry_document_name(a->id, name);
    int rc = registry_path(r->home, name, path, err);
    if (rc == 0)
        rc = read_file(r, "journal.jsonl", &journal, err);
    /* The line may have been written before what failed. */
    if (rc == 0 && memmem(journal.p, journal.n, a->id.p, a->id.n) != NULL)
        return 0;
    if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
        rc = err_set(err, ERR_IO, "%s cannot be taken away again: %s", path, strerror(errno));
    return rc;
}

/* A line that is not read back would close the register for good. */
int
registry_add_line(struct registry *r, const struct journal_event *event,
    const struct agreement_key *key, struct journal *before, struct buf *lines, struct err *err)
{
    size_t from = lines->n;
    int rc = 0;

    if (event->time_us < r->seen_us || event->time_us < before->last_us)
        return err_set(err, ERR_CLOCK, "the clock is behind a time that was seen already");
    rc = journal_line(span_of(before->head), event, key, lines, err);
    if (rc == 0 && lines->n + r->journal_text.n > DOC_FILE_BYTES_MAX)
        rc = err_set(
            err, ERR_LIMIT, "the journal would have more than %d bytes", DOC_FILE_BYTES_MAX);
    if (rc != 0)
        return rc;
    const struct span line = {lines->p + from, lines->n - from - 1}; /* without the newline */
    rc = journal_check_line(r->arena, line, r->ring, before, err);
    agreement_sign_digest(line, before->head);
    before->last_us = event->time_us;
    before->count++;
    return rc;
}

/* `seen` is written before, with the new time, and behind, with the new lines: a run that is cut
 * off between has lost nothing that counted. */
int
registry_write_lines(
    struct registry *r, const struct journal *after, struct span lines, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    const struct span parts[] = {r->journal_text, lines};
    struct registry_seen seen = {
        .seen_us = after->last_us, .events = r->journal.count, .there = true};
    int rc = registry_path(r->home, "journal.jsonl", path, err);

    memcpy(seen.head, r->journal.head, sizeof seen.head);
    if (rc == 0)
        rc = registry_write_seen(r, &seen, err);
    if (rc == 0)
        rc = file_write_atomic(path, parts, 2, PRIVATE, err);
    memcpy(seen.head, after->head, sizeof seen.head);
    seen.events = after->count;
    if (rc == 0)
        rc = registry_write_seen(r, &seen, err);
    if (rc == 0)
        rc = registry_read_journal(r, err);
    r->seen_us = rc == 0 ? after->last_us : r->seen_us;
    return rc;
}

int
registry_add(struct registry *r, const struct journal_event *events, size_t count,
    const struct agreement_key *key, struct err *err)
{
    struct buf lines = buf_new(DOC_FILE_BYTES_MAX);
    struct journal after = r->journal;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = registry_add_line(r, &events[i], key, &after, &lines, err);
    if (rc == 0 && count > 0)
        rc = registry_write_lines(r, &after, buf_span(&lines), err);
    buf_free(&lines);
    return rc;
}
