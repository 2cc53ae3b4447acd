#include "edge/taxii_reports.h"
#include "base/hash.h"
#include "base/messages.h"
#include "fmt/reader.h"
#include "fmt/stix_sco.h"
#include "fmt/stix_words.h"
#include "model/intake.h"
#include "model/record.h"

#include <stdlib.h>

enum {
    TEXT_BYTES = PAGE_BODY_MAX * 2,
    RECORDS_BYTES = 32 << 20,
    MESSAGE_BYTES = 1 << 20, /* of records in one message, one record aside */
    MESSAGES_MAX = INTAKE_COUNTED_MOST,
    REFS_MAX = 1 << 20
};

enum what { WHAT_OTHER, WHAT_REPORT, WHAT_OBSERVABLE, WHAT_DEFINITION };

/* One message of records. */
struct part {
    size_t end; /* in records */
    uint32_t count;
    uint32_t batch; /* whose items they are: of posted_batches, or POSTED_NO_BATCH */
};

struct taxii_reports {
    struct posted_way way;
    struct posted *posted;
    void (*done)(void *ctx, const struct err *why);
    void *ctx;
    size_t *places; /* position in posted of each object that is read, by its number - 1 */
    size_t place_count;
    bool *taken; /* by position in posted: it became a report */
    struct buf records;
    struct part *parts;
    size_t part_count;
    size_t part_next;
    uint64_t tag;
    bool talking;
    bool closed; /* INTAKE_CLOSE was said */
};

/* ---- which objects are read ---- */

static struct span
type_of(struct span id)
{
    for (size_t i = 0; i + 1 < id.n; i++)
        if (id.p[i] == '-' && id.p[i + 1] == '-')
            return (struct span){id.p, i};
    return (struct span){NULL, 0};
}

static enum what
what_is(struct span id)
{
    struct span type = type_of(id);

    if (span_equal(type, SPAN("observed-data")) || span_equal(type, SPAN("indicator"))
        || span_equal(type, SPAN("note")))
        return WHAT_REPORT;
    if (span_equal(type, SPAN("identity")) || span_equal(type, SPAN("marking-definition"))
        || span_equal(type, SPAN("extension-definition")))
        return WHAT_DEFINITION;
    return stix_sco_type(type) != SCO_NONE ? WHAT_OBSERVABLE : WHAT_OTHER;
}

/* Reports and all that they may refer to, as a list; false: there is no report. */
static bool
gather(struct taxii_reports *r, struct buf *text)
{
    bool any = false;

    buf_add_char(text, '[');
    for (size_t i = 0; i < r->posted->count; i++) {
        const struct page_object *object = &r->posted->objects[i];
        enum what what = object->json.n == 0 ? WHAT_OTHER : what_is(object->id);
        if (what == WHAT_OTHER)
            continue;
        any = any || what == WHAT_REPORT;
        if (r->place_count > 0)
            buf_add_char(text, ',');
        buf_add_span(text, object->json);
        r->places[r->place_count++] = i;
    }
    buf_add_char(text, ']');
    return any;
}

/* ---- reading ---- */

static bool
is_kept_whole(const struct report *report)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (report->fields[i].id == FIELD_OTHER
            && span_equal(report->fields[i].name, SPAN("extra.stix_type")))
            return true;
    return false;
}

static uint32_t
batch_of(const struct posted *posted, size_t at)
{
    return posted->batches.of == NULL ? POSTED_NO_BATCH : posted->batches.of[at];
}

/* A new message begins when the last one is full, and for each batch, so that it is known what
 * became of it. */
static int
room_for_record(struct taxii_reports *r, uint32_t batch, struct err *err)
{
    struct part *last = r->part_count == 0 ? NULL : &r->parts[r->part_count - 1];
    size_t begin = r->part_count < 2 ? 0 : r->parts[r->part_count - 2].end;

    if (last != NULL && last->count < INTAKE_RECORDS_MOST && last->end - begin < MESSAGE_BYTES
        && last->batch == batch)
        return 0;
    if (r->part_count == MESSAGES_MAX)
        return err_set(err, ERR_LIMIT, "the request holds too many reports");
    r->parts[r->part_count++] = (struct part){r->records.n, 0, batch};
    return 0;
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct taxii_reports *r = ctx;

    if (is_kept_whole(report) || report->line == 0 || report->line > r->place_count)
        return 0;
    int rc = room_for_record(r, batch_of(r->posted, r->places[report->line - 1]), err);
    if (rc != 0)
        return rc;
    record_add(&r->records, report);
    struct part *part = &r->parts[r->part_count - 1];
    part->end = r->records.n;
    part->count++;
    r->taken[r->places[report->line - 1]] = true;
    return buf_check(&r->records, "a request's reports", err);
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct taxii_reports *r = ctx;

    (void)record;
    if (why->line == 0 || why->line > r->place_count)
        return 0;
    return posted_fault(r->way.arena, r->posted, r->places[why->line - 1], why->msg, err);
}

static int
read_reports(struct taxii_reports *r, struct span text, struct err *err)
{
    const struct reader_sink sink = {.ctx = r, .report = on_report, .reject = on_reject};
    const struct reader_options options = {.share_dir = ""};
    struct input *input = NULL;
    int rc = input_open_bytes(text, "request", &input, err);

    if (rc == 0)
        rc = stix_read(input, &options, &sink, err);
    input_close(input);
    return rc;
}

/* ---- what need not be kept besides ---- */

static int
note_refs(struct json *json, struct span object, struct table *refs, struct err *err)
{
    struct json_value root;
    struct json_value list;
    struct json_value item;
    struct span key;
    uint32_t index;
    int rc = json_parse_copy(json, object, &root, err);

    if (rc == 0 && json_get(root, "created_by_ref", &item) && json_type(item) == JSON_STRING)
        rc = table_add(refs, json_string(item), &index, err);
    if (rc != 0 || !json_get(root, "object_refs", &list) || json_type(list) != JSON_ARRAY)
        return rc;
    for (struct json_iter it = json_iter(list); rc == 0 && json_next(&it, &key, &item);)
        if (json_type(item) == JSON_STRING && table_find(refs, json_string(item)) < 0)
            rc = table_add(refs, json_string(item), &index, err);
    return rc;
}

/* Whose report it is, as its way tells too: an identity that nobody posts for its own sake. A card
 * is another matter. */
static bool
is_bare_author(const struct page_object *object, const struct table *refs)
{
    return span_equal(type_of(object->id), SPAN("identity")) && table_find(refs, object->id) >= 0
        && memmem(object->json.p, object->json.n, STIX_COMITY_CARD, sizeof STIX_COMITY_CARD - 1)
        == NULL;
}

/* Observables of reports that were taken, and definitions that everybody has. */
static void
mark_served(struct taxii_reports *r, const struct table *refs)
{
    for (size_t i = 0; i < r->posted->count; i++) {
        struct page_object *object = &r->posted->objects[i];
        if (object->json.n == 0)
            continue;
        enum what what = what_is(object->id);
        if (r->taken[i] || (what == WHAT_OBSERVABLE && table_find(refs, object->id) >= 0)
            || (what == WHAT_DEFINITION
                && (stix_words_is_definition(object->id) || is_bare_author(object, refs))))
            object->json = (struct span){NULL, 0};
    }
}

/* The texts in the table are the parser's, so it is asked before the next document: ids are looked
 * up in what is posted, which stays. */
static int
add_refs_of(struct taxii_reports *r, struct json *json, struct table *all, struct err *err)
{
    struct table *own = NULL;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < r->posted->count; i++) {
        if (!r->taken[i])
            continue;
        own = table_new(REFS_MAX);
        if (own == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for a request's reports");
        rc = note_refs(json, r->posted->objects[i].json, own, err);
        for (size_t k = 0; rc == 0 && k < table_count(own); k++) {
            struct span id = table_key(own, (uint32_t)k);
            const char *copy = arena_copy(r->way.arena, id.p, id.n);
            uint32_t index;
            rc = copy == NULL              ? arena_full(err, "a request's reports")
                : table_find(all, id) >= 0 ? 0
                                           : table_add(all, (struct span){copy, id.n}, &index, err);
        }
        table_free(own);
    }
    return rc;
}

static int
mark_all(struct taxii_reports *r, struct err *err)
{
    struct table *refs = table_new(REFS_MAX);
    struct json *json = json_new(PAGE_OBJECT_MAX * 2);
    int rc = refs == NULL || json == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory for a request's reports")
        : add_refs_of(r, json, refs, err);

    if (rc == 0)
        mark_served(r, refs);
    table_free(refs);
    json_free(json);
    return rc;
}

/* ---- telling core ---- */

static uint32_t
rejected(const struct taxii_reports *r)
{
    uint32_t count = 0;

    for (size_t i = 0; i < r->place_count; i++)
        count += r->posted->results[r->places[i]].message.n > 0 ? 1 : 0;
    return count;
}

static int
say(struct taxii_reports *r, uint16_t type, const struct span *parts, size_t count, struct err *err)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};

    return talk_again(r->way.talks, r->tag, type, &nobody, parts, count, err);
}

/* Core need not wait for the rest. */
static void
break_off(struct taxii_reports *r)
{
    const struct span why = SPAN("\0\0\0\0"); /* an empty text */
    struct err ignored;

    if (!r->talking)
        return;
    if (!r->closed)
        (void)!say(r, MESSAGE_INTAKE_ABORT, &why, 1, &ignored);
    talk_end(r->way.talks, r->tag);
    r->talking = false;
}

static int
say_close(struct taxii_reports *r, struct err *err)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, rejected(r));
    wire_add_text(&body, SPAN(""));
    struct span part = buf_span(&body);
    int rc = say(r, MESSAGE_INTAKE_CLOSE, &part, 1, err);
    buf_free(&body);
    r->closed = r->closed || rc == 0;
    return rc;
}

static int
say_part(struct taxii_reports *r, struct err *err)
{
    const struct part *part = &r->parts[r->part_next];
    size_t begin = r->part_next == 0 ? 0 : r->parts[r->part_next - 1].end;
    struct buf head = buf_new(64);

    wire_add_u32(&head, 0);
    wire_add_u32(&head, part->count);
    const struct span parts[] = {buf_span(&head), {r->records.p + begin, part->end - begin}};
    int rc = say(r, MESSAGE_INTAKE_RECORDS, parts, 2, err);
    buf_free(&head);
    if (rc == 0)
        r->part_next++;
    return rc;
}

static void
on_credit(void *ctx, uint32_t more)
{
    struct taxii_reports *r = ctx;
    struct err err = {0};
    int rc = 0;

    for (; rc == 0 && more > 0 && r->part_next < r->part_count; more--)
        rc = say_part(r, &err);
    if (rc == 0 && r->part_next == r->part_count && !r->closed)
        rc = say_close(r, &err);
    if (rc == 0 || !r->talking)
        return;
    break_off(r);
    r->done(r->ctx, &err);
}

/* What became of each message is what became of its batch's reports. */
static int
take_counts(struct taxii_reports *r, struct span body, struct err *err)
{
    struct wire_in in = wire_in(body);
    struct intake_counts counts;
    struct totals totals;

    if (r->posted->batches.of == NULL)
        return 0;
    totals_take(&in, &totals);
    if (wire_u32(&in) != r->part_count)
        return err_set(err, ERR_INTERNAL, "core tells of another number of messages");
    for (size_t i = 0; i < r->part_count; i++) {
        intake_counts_take(&in, &counts);
        if (r->parts[i].batch == POSTED_NO_BATCH)
            continue;
        struct page_batch *batch = &r->posted->batches.list[r->parts[i].batch];
        batch->stored += counts.stored;
        batch->duplicate += counts.duplicate;
        batch->rejected += counts.rejected;
    }
    return wire_end(&in, "the end of a stream", err);
}

static void
on_answered(void *ctx, struct span body, bool more, const struct err *why)
{
    struct taxii_reports *r = ctx;
    struct err err = {0};

    (void)more;
    r->talking = false; /* the tag ended with the answer */
    if (why == NULL && take_counts(r, body, &err) != 0)
        why = &err;
    r->done(r->ctx, why);
}

static int
talk(struct taxii_reports *r, struct err *err)
{
    const struct talk talk = {r, on_credit, on_answered};
    const struct intake_open open = {.name = r->way.name, .counted = r->posted->batches.of != NULL};
    struct buf body = buf_new(1024);

    intake_open_add(&body, &open);
    int rc = buf_check(&body, "a stream's name", err);
    if (rc == 0)
        rc = talk_begin(
            r->way.talks, MESSAGE_INTAKE_OPEN, r->way.caller, buf_span(&body), &talk, &r->tag, err);
    buf_free(&body);
    r->talking = rc == 0;
    return rc;
}

/* ---- the whole ---- */

static int
prepare(struct taxii_reports *r, bool *any, struct err *err)
{
    struct buf text = buf_new(TEXT_BYTES);
    int rc = 0;

    *any = gather(r, &text);
    if (*any)
        rc = buf_check(&text, "a request's reports", err);
    if (*any && rc == 0)
        rc = read_reports(r, buf_span(&text), err);
    buf_free(&text);
    if (*any && rc == 0)
        rc = mark_all(r, err);
    return rc;
}

void
taxii_reports_free(struct taxii_reports *r)
{
    if (r == NULL)
        return;
    break_off(r);
    buf_free(&r->records);
    free(r->places);
    free(r->taken);
    free(r->parts);
    free(r);
}

static struct taxii_reports *
reports_new(const struct posted_way *way, struct posted *posted)
{
    struct taxii_reports *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->way = *way;
    r->posted = posted;
    r->records = buf_new(RECORDS_BYTES);
    r->places = calloc(posted->count + 1, sizeof *r->places);
    r->taken = calloc(posted->count + 1, sizeof *r->taken);
    r->parts = calloc(MESSAGES_MAX, sizeof *r->parts);
    if (r->places != NULL && r->taken != NULL && r->parts != NULL)
        return r;
    taxii_reports_free(r);
    return NULL;
}

int
taxii_reports_begin(const struct posted_way *way, struct posted *posted,
    void (*done)(void *ctx, const struct err *why), void *ctx, struct taxii_reports **out,
    struct err *err)
{
    struct taxii_reports *r = reports_new(way, posted);
    bool any = false;

    *out = NULL;
    if (r == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request's reports");
    r->done = done;
    r->ctx = ctx;
    int rc = prepare(r, &any, err);
    if (rc == 0 && r->part_count > 0)
        rc = talk(r, err);
    if (rc != 0) {
        taxii_reports_free(r);
        return rc;
    }
    *out = r;
    if (r->part_count == 0)
        done(ctx, NULL);
    return 0;
}
