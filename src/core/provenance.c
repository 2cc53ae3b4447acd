#include "core/provenance.h"

#include "core/told.h"
#include "model/opinion.h"
#include "store/recall.h"

static bool
given_id(const struct read_report *read, struct span name, char out[ID_TEXT_BYTES])
{
    const struct field *given = report_other(read->report, name);

    return given != NULL && given->type == VALUE_TEXT
        && id_plain((struct span){given->s, given->n}, out);
}

void
provenance_id(const struct read_report *read, char out[ID_TEXT_BYTES])
{
    memcpy(out, read->id, ID_TEXT_BYTES);
    (void)given_id(read, SPAN(REPORT_ID_NAME), out);
}

bool
provenance_corrects(const struct read_report *read, char out[ID_TEXT_BYTES])
{
    return given_id(read, SPAN(REPORT_CORRECTS_NAME), out);
}

/* It was looked at when the report came in. */
void
provenance_path(const struct core *core, const struct read_report *read, struct path *out)
{
    struct err err;

    if (path_read(read->report, out, &err) != 0)
        out->count = 0;
    if (read->outcome.from_partner)
        (void)!path_add(out, store_team_id(core->store, read->outcome.origin), &err);
}

static int
tell_recalled(const struct core *core, const struct read_report *read, struct arena *arena,
    struct buf *out, struct err *err)
{
    struct store_recall recall;
    bool recalled;
    int rc =
        store_recall_get(core->store, arena, read->batch, read->place, &recall, &recalled, err);

    if (rc != 0 || !recalled) {
        told_text(out, "recalled", SPAN(""));
        return rc;
    }
    told_open(out, "recalled", '{');
    told_time(out, "at", recall.at_us);
    told_text(out, "team", store_team_id(core->store, recall.team));
    told_text(out, "by", recall.by);
    told_text(out, "why", recall.why);
    told_text(out, "corrected_by", recall.corrected);
    buf_add_char(out, '}');
    return 0;
}

static int
tell_feedback(const struct core *core, const struct read_report *read, struct arena *arena,
    struct buf *out, struct err *err)
{
    struct store_feedback *list;
    size_t count;
    int rc = store_feedback_of(core->store, arena, read->batch, read->place, &list, &count, err);

    told_open(out, "feedback", '[');
    for (size_t i = 0; rc == 0 && i < count; i++) {
        told_item(out);
        buf_add_char(out, '{');
        told_time(out, "at", list[i].at_us);
        told_text(out, "team", store_team_id(core->store, list[i].team));
        told_text(out, "by", list[i].by);
        told_word(out, "opinion", opinion_word((enum opinion)list[i].opinion));
        told_number_or_null(out, "sightings", list[i].count);
        told_text(out, "note", list[i].note);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
    return rc;
}

int
provenance_tell(const struct core *core, const struct read_report *read, struct arena *arena,
    struct buf *out, struct err *err)
{
    char id[ID_TEXT_BYTES];
    struct path path;

    provenance_id(read, id);
    told_text(out, "known_as", span_of(id));
    provenance_path(core, read, &path);
    told_name(out, "path");
    path_write(out, &path);
    told_text(out, "corrects", provenance_corrects(read, id) ? span_of(id) : SPAN(""));
    int rc = tell_recalled(core, read, arena, out, err);
    return rc == 0 ? tell_feedback(core, read, arena, out, err) : rc;
}
