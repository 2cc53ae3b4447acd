/* STIX 2.1: each report as observables and one observed-data, or a note when no observable is
 * left. What observables cannot say stands in Comity's property extension, so that reading
 * it back gives the same report. */
#include "base/time.h"
#include "fmt/stix_observe.h"
#include "fmt/stix_words.h"
#include "fmt/value.h"
#include "fmt/writer.h"

/* 2026-01-01: created when the report's own time may not say it. */
#define DEFINED_US INT64_C(1767225600000000)

static void
add_member(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    ADD(out, ",\"");
    buf_add_text(out, name);
    ADD(out, "\":");
    json_add_string(out, text);
}

static void
add_class(const struct stix_writing *w)
{
    struct span type = stix_observe_text(w, FIELD_CLASSIFICATION_TYPE);

    if (type.n > 0) {
        ADD(w->out, ",\"classification\":{\"type\":");
        json_add_string(w->out, type);
        add_member(w->out, "taxonomy", stix_observe_text(w, FIELD_CLASSIFICATION_TAXONOMY));
        add_member(w->out, "identifier", stix_observe_text(w, FIELD_CLASSIFICATION_IDENTIFIER));
        buf_add_char(w->out, '}');
    }
    add_member(w->out, "provider", stix_observe_text(w, FIELD_FEED_PROVIDER));
}

/* Fields that no observable said. */
static void
add_fields(struct stix_writing *w)
{
    bool first = true;

    for (size_t i = 0; i < redacted_count(w->redacted); i++) {
        const struct field *field = redacted_field(w->redacted, i);
        if (field->id != FIELD_OTHER && w->said[field->id])
            continue;
        if (first)
            ADD(w->out, ",\"fields\":[");
        comma(w->out, &first);
        ADD(w->out, "{\"name\":");
        json_add_string(w->out, field->name);
        ADD(w->out, ",\"value\":");
        value_add(w->out, field);
        buf_add_char(w->out, '}');
    }
    if (!first)
        buf_add_char(w->out, ']');
}

static void
add_treatments(const struct stix_writing *w)
{
    bool first = true;

    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment treatment = redacted_treatment(w->redacted, (enum field_class)c);
        if (treatment == TREATMENT_KEEP)
            continue;
        if (first)
            ADD(w->out, ",\"treatments\":{");
        comma(w->out, &first);
        json_add_string(w->out, span_of(field_class_word((enum field_class)c)));
        buf_add_char(w->out, ':');
        json_add_string(w->out, span_of(treatment_word(treatment)));
    }
    if (!first)
        buf_add_char(w->out, '}');
    if (redacted_removed(w->redacted) > 0) {
        ADD(w->out, ",\"removed_fields\":");
        buf_add_u64(w->out, redacted_removed(w->redacted));
    }
}

/* A report's id as STIX has it: STIX 2.1 (section 2.9) knows versions 1 to 5 alone, so it says 4
 * where the node says 8. */
static void
add_uuid(struct buf *out, const char *name, struct span id)
{
    add_member(out, name, id);
    if (id.n == STIX_UUID_BYTES && !out->full)
        out->p[out->n - 1 - STIX_UUID_BYTES + STIX_UUID_VERSION_AT] = '4';
}

/* Network and economy say what the address is in: where open fields may not be told, neither are
 * these. */
static void
add_note(const struct stix_writing *w, const struct release_note *note)
{
    bool open = redacted_treatment(w->redacted, FIELD_CLASS_OPEN) == TREATMENT_KEEP;
    struct buf *out = w->out;
    char code[3];

    if (note->rule != NULL) {
        ADD(out, ",\"attribution\":{\"rule\":");
        json_add_string(out, span_of(note->rule));
        if (open && note->asn != 0) {
            ADD(out, ",\"asn\":");
            buf_add_u64(out, note->asn);
        }
        economy_code(note->economy, code);
        if (open)
            add_member(out, "economy", span_of(code));
        buf_add_char(out, '}');
    }
    for (size_t i = 0; i < note->clause_count; i++) {
        buf_add_text(out, i == 0 ? ",\"clauses\":[" : ",");
        json_add_string(out, note->clauses[i]);
    }
    if (note->clause_count > 0)
        buf_add_char(out, ']');
    if (note->path != NULL) {
        ADD(out, ",\"path\":");
        path_write(out, note->path);
    }
    add_uuid(out, "corrects", note->corrects);
}

static const char *
time_word(const struct redacted *redacted)
{
    if (redacted_time_us(redacted) == 0)
        return "none";
    return redacted_get(redacted, FIELD_TIME_SOURCE) != NULL ? "source" : "observation";
}

static void
add_extension(struct stix_writing *w, const struct release_note *note)
{
    ADD(w->out,
        ",\"extensions\":{\"" STIX_COMITY_EXTENSION "\":{\"extension_type\":\"property-extension\","
        "\"time\":\"");
    buf_add_text(w->out, time_word(w->redacted));
    buf_add_char(w->out, '"');
    add_class(w);
    add_fields(w);
    add_treatments(w);
    add_note(w, note);
    ADD(w->out, "}}}");
}

static void
add_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    size_t n = us % 1000 == 0 ? time_format_ms(us, text) : time_format(us, "Z", text);

    ADD(out, "\"");
    buf_add_text(out, name);
    ADD(out, "\":\"");
    buf_add(out, text, n);
    ADD(out, "\",");
}

static void
origin_id(const struct release_note *note, struct stix_id *id)
{
    stix_id_make(id, "identity", STIX_ID_OWN, note->origin);
}

/* Author, times, observables and marking; the part behind BODY makes the id. AGAIN_US: when this
 * later version was made; 0: it is the first. */
static size_t
add_head(struct stix_writing *w, const struct release_note *note, const struct stix_id *origin,
    int64_t again_us)
{
    int64_t us = redacted_time_us(w->redacted);
    int64_t created = us == 0 || us > note->made_us ? DEFINED_US : us;

    add_time(w->out, "created", created);
    int64_t modified = note->made_us > created ? note->made_us : created;
    add_time(w->out, "modified", again_us > modified ? again_us : modified + (again_us != 0));
    if (us == 0 && w->ref_count > 0) {
        add_time(w->out, "first_observed", note->made_us);
        add_time(w->out, "last_observed", note->made_us);
    }
    size_t body = w->out->n;
    ADD(w->out, "\"created_by_ref\":");
    add_ref(w->out, origin);
    buf_add_char(w->out, ',');
    if (us != 0 && w->ref_count > 0) {
        add_time(w->out, "first_observed", us);
        add_time(w->out, "last_observed", us);
    }
    return body;
}

static void
add_refs(struct stix_writing *w, const struct stix_id *origin, bool recalled)
{
    const char *marking = stix_words_marking(redacted_tlp(w->redacted));

    if (w->ref_count == 0 && recalled)
        ADD(w->out, "\"content\":\"Recalled.\",\"object_refs\":[");
    else if (w->ref_count == 0)
        ADD(w->out,
            "\"content\":\"A report of which no observable may be told.\",\"object_refs\":[");
    else
        ADD(w->out, "\"number_observed\":1,\"object_refs\":[");
    if (w->ref_count == 0)
        add_ref(w->out, origin);
    for (size_t i = 0; i < w->ref_count; i++) {
        if (i > 0)
            buf_add_char(w->out, ',');
        add_ref(w->out, &w->refs[i]);
    }
    buf_add_char(w->out, ']');
    if (marking != NULL) {
        ADD(w->out, ",\"object_marking_refs\":[\"");
        buf_add_text(w->out, marking);
        ADD(w->out, "\"]");
    }
}

/* The object's beginning, with room for the id; where that is. */
static size_t
begin(struct stix_writing *w)
{
    buf_add_text(w->out,
        w->ref_count > 0
            ? ",\n{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"observed-data--"
            : ",\n{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--");
    size_t at = w->out->n;
    buf_add(w->out, "00000000-0000-0000-0000-000000000000\",", STIX_UUID_BYTES + 2);
    return at;
}

/* Its own id, or what follows from the part behind BODY. */
static void
put_id(struct buf *out, const struct release_note *note, size_t at, size_t body)
{
    if (!out->full && note->id.n == STIX_UUID_BYTES) {
        memcpy(out->p + at, note->id.p, STIX_UUID_BYTES);
        out->p[at + STIX_UUID_VERSION_AT] = '4'; /* as add_uuid */
    } else if (!out->full)
        stix_id_uuid(STIX_ID_OWN, (struct span){out->p + body, out->n - body}, out->p + at);
}

void
stix_write(struct buf *out, const struct redacted *redacted, const struct release_note *note)
{
    struct stix_writing w = {.out = out, .redacted = redacted};
    struct stix_id origin;

    w.said[FIELD_CLASSIFICATION_TYPE] = w.said[FIELD_CLASSIFICATION_TAXONOMY] = true;
    w.said[FIELD_CLASSIFICATION_IDENTIFIER] = w.said[FIELD_FEED_PROVIDER] = true;
    w.said[FIELD_TLP] = w.said[FIELD_TIME_SOURCE] = true;
    origin_id(note, &origin);
    stix_observe(&w);
    size_t at = begin(&w);
    size_t body = add_head(&w, note, &origin, 0);
    add_refs(&w, &origin, false);
    add_extension(&w, note);
    put_id(out, note, at, body);
}

static void
add_recall(const struct stix_writing *w, const struct stix_recall *recall)
{
    ADD(w->out,
        ",\"revoked\":true,\"extensions\":{\"" STIX_COMITY_EXTENSION
        "\":{\"extension_type\":\"property-extension\",\"time\":\"");
    buf_add_text(w->out, time_word(w->redacted));
    ADD(w->out, "\",\"recall\":{\"reason\":");
    json_add_string(w->out, recall->why);
    add_uuid(w->out, "corrected_by", recall->corrected);
    ADD(w->out, "}}}}");
}

/* Which observables it refers to is known once they are written: that is thrown away. */
void
stix_write_recall(struct buf *out, const struct redacted *redacted, const struct release_note *note,
    const struct stix_recall *recall)
{
    struct stix_writing w = {.out = out, .redacted = redacted};
    struct stix_id origin;
    size_t before = out->n;

    origin_id(note, &origin);
    stix_observe(&w);
    if (!out->full)
        out->n = before;
    size_t at = begin(&w);
    size_t body = add_head(&w, note, &origin, recall->at_us);
    add_refs(&w, &origin, true);
    add_recall(&w, recall);
    put_id(out, note, at, body);
}
