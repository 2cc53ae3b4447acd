#include "core/passage.h"

#include "store/recall.h"

/* The team must be on the way, else anybody could keep a report from being told by recalling it. */
static int
was_recalled(
    struct core *core, const struct path *path, struct span id, bool *again, struct err *err)
{
    struct store_recall *recalls;
    size_t count;
    int rc = store_recalls_by_id(core->store, core->arena, id, &recalls, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        *again = *again || path_has(path, store_team_id(core->store, recalls[i].team));
    return rc;
}

/* The id of a report that another node wrote into the field NAME. */
static bool
given_id(const struct report *report, struct span name, char out[ID_TEXT_BYTES])
{
    const struct field *given = report_other(report, name);

    return given != NULL && given->type == VALUE_TEXT
        && id_plain((struct span){given->s, given->n}, out);
}

static int
check_id(struct core *core, const struct report *report, const struct path *path, bool *again,
    struct err *err)
{
    char id[ID_TEXT_BYTES];
    struct id_place place;

    if (!given_id(report, SPAN(REPORT_ID_NAME), id))
        return 0;
    struct span text = {id, ID_TEXT_BYTES - 1};
    if (id_read(&core->id_key, text, &place, NULL) == 0) {
        int rc = store_batch_known(core->store, place.batch, place.tag, again, err);
        if (rc != 0 || *again)
            return rc;
    }
    return was_recalled(core, path, text, again, err);
}

static int
check_corrects(const struct report *report, struct err *err)
{
    char id[ID_TEXT_BYTES];

    if (report_other(report, SPAN(REPORT_CORRECTS_NAME)) == NULL
        || given_id(report, SPAN(REPORT_CORRECTS_NAME), id))
        return 0;
    return err_set_field(err, ERR_BAD_VALUE, REPORT_CORRECTS_NAME, sizeof REPORT_CORRECTS_NAME - 1,
        "what a report corrects must be the id of a report");
}

static int
name_teams(
    struct core *core, struct path *path, uint32_t sender, struct passage *out, struct err *err)
{
    struct span own = knowledge_own_id(core);
    int rc = sender == 0 ? 0 : path_add(path, store_team_id(core->store, sender), err);

    for (size_t i = 0; rc == 0 && i < path->count; i++) {
        struct team_id team = roster_find(core->roster, path->teams[i]);
        if (team.index != 0)
            out->teams[out->count++] = team;
        out->again = out->again || span_equal(path->teams[i], own);
    }
    return rc == 0 && !out->again ? path_add(path, own, err) : rc;
}

int
passage_read(struct core *core, const struct report *report, uint32_t sender, struct passage *out,
    struct err *err)
{
    struct path path;
    int rc;

    out->count = 0;
    out->again = false;
    if (!path_any(report))
        return 0;
    rc = path_read(report, &path, err);
    if (rc == 0)
        rc = check_corrects(report, err);
    if (rc == 0)
        rc = name_teams(core, &path, sender, out, err);
    return rc == 0 && !out->again ? check_id(core, report, &path, &out->again, err) : rc;
}

/* Who told us passes a recall on at once, and does not know yet whether what takes its place will
 * come here, too. Another team's word on what that one took back does not count. */
int
passage_taken(struct core *core, const struct report *report, uint32_t sender, struct err *err)
{
    char old[ID_TEXT_BYTES];
    char new[ID_TEXT_BYTES];

    if (sender == 0 || !given_id(report, SPAN(REPORT_CORRECTS_NAME), old)
        || !given_id(report, SPAN(REPORT_ID_NAME), new))
        return 0;
    int rc = core_begin(core, err);
    return rc == 0 ? store_recall_correct(core->store, span_of(old), span_of(new), sender, err)
                   : rc;
}
