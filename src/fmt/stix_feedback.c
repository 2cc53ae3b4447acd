#include "fmt/stix_feedback.h"

#include "base/time.h"
#include "fmt/stix_id.h"
#include "fmt/stix_object.h"
#include "fmt/stix_words.h"

static void
add_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    struct span made = {text, time_format_us(us, text)};

    buf_format(out, ",\"%s\":\"%.*s\"", name, SPAN_ARGS(made));
}

static void
add_text(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    buf_format(out, ",\"%s\":", name);
    json_add_string(out, text);
}

void
stix_feedback_write(struct buf *out, const struct stix_feedback *f)
{
    bool sighting = f->opinion == OPINION_NONE;
    const char *marking = stix_words_marking((enum tlp)f->tlp);
    struct stix_id author;

    stix_id_make(&author, "identity", STIX_ID_OWN, f->author);
    buf_format(out, ",\n{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%.*s\"",
        sighting ? "sighting" : "opinion", SPAN_ARGS(f->id));
    buf_format(out, ",\"created_by_ref\":\"%.*s\"", (int)author.n, author.text);
    add_time(out, "created", f->created_us);
    add_time(out, "modified", f->modified_us);
    if (sighting)
        buf_format(out,
            ",\"count\":%llu,\"sighting_of_ref\":\"%.*s\",\"where_sighted_refs\":[\"%.*s\"]",
            (unsigned long long)f->count, SPAN_ARGS(f->report), (int)author.n, author.text);
    else
        buf_format(out, ",\"opinion\":\"%s\",\"object_refs\":[\"%.*s\"]",
            opinion_word((enum opinion)f->opinion), SPAN_ARGS(f->report));
    add_text(out, sighting ? "description" : "explanation", f->note);
    if (marking != NULL)
        buf_format(out, ",\"object_marking_refs\":[\"%s\"]", marking);
    buf_add_char(out, '}');
}

/* ---- reading ---- */

static bool
may_be_report(struct span id)
{
    return span_starts(id, SPAN("observed-data--")) || span_starts(id, SPAN("note--"));
}

/* The first that may be a report's; n 0: none. */
static struct span
first_report(struct json_value object, const char *name)
{
    struct json_value list;
    struct json_value item;
    struct span key;

    if (!json_get(object, name, &list) || json_type(list) != JSON_ARRAY)
        return SPAN("");
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);)
        if (json_type(item) == JSON_STRING && may_be_report(json_string(item)))
            return json_string(item);
    return SPAN("");
}

static int
read_sighting(struct json_value object, struct stix_feedback *out, struct err *err)
{
    struct json_value count;

    out->report = stix_object_text(object, "sighting_of_ref");
    if (!may_be_report(out->report))
        return 0;
    out->note = stix_object_text(object, "description");
    out->count = 1;
    if (!json_get(object, "count", &count))
        return 1;
    if (json_type(count) != JSON_INT || json_int(count) < 1
        || json_int(count) > STIX_FEEDBACK_COUNT_MAX)
        return err_set_field(err, ERR_BAD_NUMBER, "count", 5, "count must be a number from 1 to %d",
            STIX_FEEDBACK_COUNT_MAX);
    out->count = (uint64_t)json_int(count);
    return 1;
}

static int
read_opinion(struct json_value object, struct stix_feedback *out, struct err *err)
{
    out->report = first_report(object, "object_refs");
    if (out->report.n == 0)
        return 0;
    out->note = stix_object_text(object, "explanation");
    out->opinion = (uint8_t)opinion_find(stix_object_text(object, "opinion"));
    return out->opinion != OPINION_NONE
        ? 1
        : err_set_field(err, ERR_BAD_VALUE, "opinion", 7,
            "opinion must be one of strongly-disagree to strongly-agree (STIX 2.1, 10.17)");
}

int
stix_feedback_read(struct json_value object, struct stix_feedback *out, struct err *err)
{
    *out = (struct stix_feedback){.id = stix_object_text(object, "id")};
    if (stix_object_revoked(object))
        return 0;
    int rc = span_equal(stix_object_text(object, "type"), SPAN("sighting"))
        ? read_sighting(object, out, err)
        : read_opinion(object, out, err);
    if (out->note.n > STIX_FEEDBACK_NOTE_BYTES)
        out->note.n = STIX_FEEDBACK_NOTE_BYTES;
    while (out->note.n > 0 && !span_is_utf8(out->note))
        out->note.n--;
    return rc;
}
