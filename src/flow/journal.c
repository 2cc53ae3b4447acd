#include "flow/journal.h"

#include "base/time.h"
#include "flow/doc.h"
#include "fmt/jcs.h"

#include <stdio.h>

static const char domain[] = "comity-agreement-event-v1\n";
static const char no_line[] = "0000000000000000000000000000000000000000000000000000000000000000";

enum { ID_MAX = 64, LINE_MAX_BYTES = 64 * 1024 };

enum {
    KEY_AGREEMENT,
    KEY_AT,
    KEY_BY,
    KEY_EVENT,
    KEY_KEY,
    KEY_PARTY,
    KEY_PREVIOUS,
    KEY_REASON,
    KEY_DIGEST,
    KEY_SIGNATURE,
    KEY_TIME,
    KEY_TOLD,
    KEY_COUNT
};

static const char as_it_was[] = "bring the file back from a backup";

const char *const journal_words[JOURNAL_TYPE_COUNT] = {
    "proposed", "signed", "suspended", "resumed", "ended", "refused"};

struct line {
    struct journal_event event;
    uint8_t key[AGREEMENT_KEY_BYTES];
    uint8_t signature[AGREEMENT_SIGNATURE_BYTES];
    struct journal_event told; /* what event.told says */
};

static bool read_told(struct doc *doc, const char *key, struct json_value value, void *target);

/* ---- one line ---- */

#define TEXT_KEY(name, max)                                                                        \
    static bool read_##name(                                                                       \
        struct doc *doc, const char *key, struct json_value value, void *target)                   \
    {                                                                                              \
        return doc_text(doc, key, value, max, &((struct line *)target)->event.name);               \
    }
TEXT_KEY(agreement, ID_MAX)
TEXT_KEY(by, ID_MAX)
TEXT_KEY(party, ID_MAX)
TEXT_KEY(reason, JOURNAL_REASON_MAX)
TEXT_KEY(previous, AGREEMENT_SIGN_HEX)
TEXT_KEY(digest, AGREEMENT_SIGN_HEX)

static bool
read_event(struct doc *doc, const char *key, struct json_value value, void *target)
{
    int type = doc_word(doc, key, value, journal_words, JOURNAL_TYPE_COUNT);

    ((struct line *)target)->event.type = (uint8_t)(type < 0 ? 0 : type);
    return type >= 0;
}

static bool
read_time(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_time(doc, key, value, &((struct line *)target)->event.time_us);
}

static bool
read_at(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_time(doc, key, value, &((struct line *)target)->event.at_us);
}

static bool
read_key(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(doc, key, value, ((struct line *)target)->key, AGREEMENT_KEY_BYTES);
}

static bool
read_signature(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(
        doc, key, value, ((struct line *)target)->signature, AGREEMENT_SIGNATURE_BYTES);
}

static bool
is_signed(struct json_value root, const struct line *line)
{
    static const char *const left_out[] = {"signature", NULL};
    struct buf text = buf_new(LINE_MAX_BYTES);
    struct err err;
    bool good = jcs_add_without(&text, root, left_out, &err) == 0 && !text.full
        && agreement_sign_is(line->key, SPAN(domain), buf_span(&text), line->signature);

    buf_free(&text);
    return good;
}

static const struct doc_key line_keys[KEY_COUNT] = {
    [KEY_AGREEMENT] = {"agreement", as_it_was, read_agreement},
    [KEY_AT] = {"at", as_it_was, read_at},
    [KEY_BY] = {"by", as_it_was, read_by},
    [KEY_EVENT] = {"event", as_it_was, read_event},
    [KEY_KEY] = {"key", as_it_was, read_key},
    [KEY_PARTY] = {"party", NULL, read_party},
    [KEY_PREVIOUS] = {"previous", as_it_was, read_previous},
    [KEY_REASON] = {"reason", NULL, read_reason},
    [KEY_DIGEST] = {"sha256", as_it_was, read_digest},
    [KEY_SIGNATURE] = {"signature", as_it_was, read_signature},
    [KEY_TIME] = {"time", as_it_was, read_time},
    [KEY_TOLD] = {"told", NULL, read_told},
};

/* ---- a line of another team ---- */

static bool
is_told_type(uint8_t type)
{
    return type == JOURNAL_SUSPENDED || type == JOURNAL_RESUMED || type == JOURNAL_ENDED
        || type == JOURNAL_REFUSED;
}

static bool
keep_canonical(struct doc *doc, struct json_value value, struct span *out)
{
    struct buf text = buf_new(LINE_MAX_BYTES);
    struct err why;
    char *copy = NULL;

    if (jcs_add(&text, value, &why) != 0 || text.full)
        doc_fault(doc, "told", "is too long, or has no canonical form");
    else if ((copy = doc_alloc(doc, text.n, 1)) != NULL) {
        memcpy(copy, text.p, text.n);
        *out = (struct span){copy, text.n};
    }
    buf_free(&text);
    return copy != NULL;
}

/* It stands alone: of what it says only its own signature is looked at. Nothing is told on: a line
 * in a line would be one of a third team. */
static bool
parse_told(struct doc *doc, struct json_value value, struct line *out)
{
    bool seen[KEY_COUNT];

    if (!doc_object(doc, value, line_keys, KEY_TOLD, out, seen) || doc->why.n > 0)
        return false;
    out->event.said_us = out->event.at_us;
    if (!is_told_type(out->event.type) || out->event.party.n > 0)
        doc_fault(doc, "event", "is none that a team tells others of its own doing");
    else if (out->event.at_us < out->event.time_us)
        doc_fault(doc, "at", "is earlier than the time when it was done");
    else if (!is_signed(value, out))
        doc_fault(doc, "signature", "is wrong: the event was changed");
    return doc->why.n == 0 && keep_canonical(doc, value, &out->event.text);
}

static bool
read_told(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct line *line = target;
    struct line *told = doc_alloc(doc, 1, sizeof *told);

    (void)key;
    if (told == NULL || !parse_told(doc, value, told))
        return false;
    line->told = told->event;
    line->event.told = told->event.text;
    return true;
}

int64_t
journal_told_at(const struct journal_event *event, int64_t came_us)
{
    return event->at_us == event->time_us || event->at_us < came_us ? came_us : event->at_us;
}

int
journal_told_read(
    struct arena *arena, struct json_value value, struct journal_told *out, struct err *err)
{
    struct doc doc = {.arena = arena, .file = SPAN("the event")};
    struct line line = {0};
    bool good = parse_told(&doc, value, &line);

    *out = (struct journal_told){.event = line.event};
    memcpy(out->key, line.key, sizeof out->key);
    if (doc.full)
        return arena_full(err, "an event");
    return good ? 0 : err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)doc.why.n, doc.why.p);
}

/* ---- a line of the journal ---- */

/* What was taken in counted when it was taken in: BY's own signature says that. The other team's
 * key may have been withdrawn since. */
static bool
is_as_told(const struct line *line)
{
    const struct journal_event *e = &line->event;
    const struct journal_event *told = &line->told;

    return told->type == e->type && span_equal(told->by, e->party)
        && span_equal(told->agreement, e->agreement) && span_equal(told->digest, e->digest)
        && span_equal(told->reason, e->reason) && journal_told_at(told, e->time_us) == e->at_us;
}

static void
check_party(struct doc *doc, const struct line *line)
{
    const struct journal_event *e = &line->event;

    if (e->type == JOURNAL_SIGNED && e->party.n == 0)
        doc_fault(doc, "party", "must say whose signature it is");
    else if (is_told_type(e->type) != (e->told.n > 0) && (e->party.n > 0 || e->told.n > 0))
        doc_fault(doc, "told", "stands just in lines that another team's event was taken into");
    else if (e->told.n > 0 && !is_as_told(line))
        doc_fault(doc, "told", "says otherwise than the line that it stands in");
}

static void
check_line(struct doc *doc, struct json_value root, const struct line *line,
    const struct keyring *ring, const struct journal *before)
{
    const struct journal_event *e = &line->event;

    if (!span_equal(e->previous, span_of(before->head)))
        doc_fault(doc, "previous",
            "does not name the line before: a line was changed, taken out or put in");
    else if (!is_signed(root, line))
        doc_fault(doc, "signature", "is wrong: the line was changed");
    else if (!keyring_knows(ring, e->by, line->key, e->time_us))
        doc_fault(doc, "key", "is not known to be a key of %.*s; `comity agreement key` trusts it",
            SPAN_ARGS(e->by));
    else if (e->time_us < before->last_us)
        doc_fault(doc, "time", "is earlier than that of the line before");
    else if (e->at_us < e->time_us)
        doc_fault(doc, "at", "is earlier than the time when it was done");
    else
        check_party(doc, line);
}

/* TEXT lives as long as OUT. */
static bool
parse_line(struct doc *doc, struct json *json, struct span text, const struct keyring *ring,
    const struct journal *before, struct journal_event *out)
{
    bool seen[KEY_COUNT];
    struct line line = {0};
    struct json_value root;
    struct err why;

    if (json_parse_copy(json, text, &root, &why) != 0) {
        doc_fault(doc, "", "%s", why.msg);
        return false;
    }
    (void)doc_object(doc, root, line_keys, KEY_COUNT, &line, seen);
    if (doc->why.n == 0)
        check_line(doc, root, &line, ring, before);
    *out = line.event;
    out->said_us = line.event.told.n > 0 ? line.told.at_us : line.event.at_us;
    out->told_us = line.told.time_us;
    out->text = text;
    return doc->why.n == 0;
}

/* ---- the whole ---- */

static size_t
count_lines(struct span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == '\n';
    return count;
}

int
journal_read(struct arena *arena, struct span text, const char *name, const struct keyring *ring,
    struct journal *out, struct err *err)
{
    size_t lines = count_lines(text);
    struct json *json = json_new(LINE_MAX_BYTES);
    struct span line;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for %s", name) : 0;

    *out = (struct journal){.last_us = INT64_MIN};
    memcpy(out->head, no_line, sizeof out->head);
    if (rc == 0 && lines > JOURNAL_EVENTS_MAX)
        rc = err_set(err, ERR_LIMIT, "%s has more than %d lines", name, JOURNAL_EVENTS_MAX);
    if (rc == 0 && text.n > 0 && text.p[text.n - 1] != '\n')
        rc = err_set(err, ERR_BAD_AGREEMENT, "%s does not end with a whole line", name);
    if (rc == 0)
        out->events = arena_zalloc(arena, lines + 1, sizeof *out->events);
    if (rc == 0 && out->events == NULL)
        rc = arena_full(err, name);
    while (rc == 0 && out->count < lines && span_next(&text, '\n', &line)) {
        struct doc doc = {.arena = arena, .file = span_of(name)};
        struct journal_event *event = &out->events[out->count];
        (void)snprintf(doc.place, sizeof doc.place, "line %zu", out->count + 1);
        if (!parse_line(&doc, json, line, ring, out, event))
            rc = err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)doc.why.n, doc.why.p);
        out->last_us = event->time_us;
        out->count++;
        agreement_sign_digest(line, out->head);
    }
    json_free(json);
    return rc;
}

int
journal_check_line(struct arena *arena, struct span line, const struct keyring *ring,
    const struct journal *before, struct err *err)
{
    struct json *json = json_new(LINE_MAX_BYTES);
    struct doc doc = {.arena = arena, .file = SPAN("the event")};
    struct journal_event event;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for an event") : 0;

    if (rc == 0 && before->count >= JOURNAL_EVENTS_MAX)
        rc = err_set(err, ERR_LIMIT, "the journal has its most lines, %d", JOURNAL_EVENTS_MAX);
    if (rc == 0 && !parse_line(&doc, json, line, ring, before, &event))
        rc = err_set(err, ERR_USAGE, "%.*s", (int)doc.why.n, doc.why.p);
    json_free(json);
    return rc;
}

struct span
journal_head(const struct journal *journal, size_t count)
{
    return count < journal->count ? journal->events[count].previous : span_of(journal->head);
}

static void
add_text(struct buf *out, const char *key, struct span value)
{
    if (value.n == 0)
        return;
    buf_format(out, "\"%s\":", key);
    jcs_add_string(out, value);
    buf_add_char(out, ',');
}

static void
add_time(struct buf *out, const char *key, int64_t us)
{
    char text[TIME_TEXT_BYTES];

    add_text(out, key, (struct span){text, time_format(us, "Z", text)});
}

/* Between {} in JCS's order, less the signature, which stands before the time. */
static void
add_members(struct buf *out, struct span head, const struct journal_event *event,
    const struct agreement_key *key, const char *signature)
{
    char public[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(key->public, sizeof key->public, public);
    buf_add_char(out, '{');
    add_text(out, "agreement", event->agreement);
    add_time(out, "at", event->at_us);
    add_text(out, "by", event->by);
    add_text(out, "event", span_of(journal_words[event->type]));
    add_text(out, "key", span_of(public));
    add_text(out, "party", event->party);
    add_text(out, "previous", head);
    add_text(out, "reason", event->reason);
    add_text(out, "sha256", event->digest);
    add_text(out, "signature", span_of(signature));
    add_time(out, "time", event->time_us);
    if (event->told.n > 0) {
        buf_add_text(out, "\"told\":");
        buf_add_span(out, event->told);
        buf_add_char(out, ',');
    }
    if (!out->full && out->n > 0)
        out->p[out->n - 1] = '}';
}

int
journal_line(struct span head, const struct journal_event *event, const struct agreement_key *key,
    struct buf *out, struct err *err)
{
    struct buf unsigned_line = buf_new(LINE_MAX_BYTES);
    uint8_t signature[AGREEMENT_SIGNATURE_BYTES];
    char text[AGREEMENT_SIGN_BASE64_BYTES];

    add_members(&unsigned_line, head, event, key, "");
    int rc = buf_check(&unsigned_line, "an event of the journal", err);
    if (rc == 0)
        rc = agreement_sign_bytes(key, SPAN(domain), buf_span(&unsigned_line), signature, err);
    if (rc == 0) {
        agreement_sign_base64(signature, sizeof signature, text);
        add_members(out, head, event, key, text);
        buf_add_char(out, '\n');
        rc = buf_check(out, "the journal", err);
    }
    buf_free(&unsigned_line);
    return rc;
}
