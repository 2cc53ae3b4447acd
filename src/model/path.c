#include "model/path.h"

static bool
is_team_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
        || c == '_' || c == '-';
}

static int
bad(struct err *err)
{
    return err_set_field(err, ERR_BAD_VALUE, REPORT_PATH_NAME, sizeof REPORT_PATH_NAME - 1,
        "the path must be an array of team ids, each once");
}

static void
skip_spaces(struct span *text)
{
    while (text->n > 0 && text->p[0] == ' ')
        *text = (struct span){text->p + 1, text->n - 1};
}

static bool
take_char(struct span *text, char c)
{
    skip_spaces(text);
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (struct span){text->p + 1, text->n - 1};
    return true;
}

/* A team's id needs no escapes, so a quote ends it. */
static bool
take_team(struct span *text, struct span *team)
{
    size_t n = 0;

    if (!take_char(text, '"'))
        return false;
    while (n < text->n && is_team_char(text->p[n]))
        n++;
    if (n == 0 || n > PATH_TEAM_BYTES || n == text->n || text->p[n] != '"')
        return false;
    *team = (struct span){text->p, n};
    *text = (struct span){text->p + n + 1, text->n - n - 1};
    return true;
}

static int
too_long(struct err *err)
{
    return err_set_field(err, ERR_LIMIT, REPORT_PATH_NAME, sizeof REPORT_PATH_NAME - 1,
        "the report came through more than %d teams", PATH_TEAMS_MAX);
}

int
path_read(const struct report *report, struct path *out, struct err *err)
{
    const struct field *field = report_other(report, SPAN(REPORT_PATH_NAME));
    struct span team;

    out->count = 0;
    if (field == NULL)
        return 0;
    struct span text = {field->s, field->n};
    if (field->type != VALUE_JSON || !take_char(&text, '['))
        return bad(err);
    do {
        if (!take_team(&text, &team) || path_has(out, team))
            return bad(err);
        if (out->count == PATH_TEAMS_MAX)
            return too_long(err);
        out->teams[out->count++] = team;
    } while (take_char(&text, ','));
    bool ends = take_char(&text, ']');
    skip_spaces(&text);
    return ends && text.n == 0 ? 0 : bad(err);
}

bool
path_has(const struct path *path, struct span team)
{
    for (size_t i = 0; i < path->count; i++)
        if (span_equal(path->teams[i], team))
            return true;
    return false;
}

int
path_add(struct path *path, struct span team, struct err *err)
{
    if (path->count > 0 && span_equal(path->teams[path->count - 1], team))
        return 0;
    if (path->count == PATH_TEAMS_MAX)
        return too_long(err);
    path->teams[path->count++] = team;
    return 0;
}

void
path_write(struct buf *out, const struct path *path)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < path->count; i++) {
        buf_add_text(out, i == 0 ? "\"" : ",\"");
        buf_add_span(out, path->teams[i]);
        buf_add_char(out, '"');
    }
    buf_add_char(out, ']');
}

bool
path_any(const struct report *report)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (report->fields[i].id == FIELD_OTHER
            && span_starts(report->fields[i].name, SPAN(REPORT_OWN_PREFIX)))
            return true;
    return false;
}

bool
path_take_out(struct report *report, struct span name, struct field *was)
{
    const struct field *given = report_other(report, name);

    if (given == NULL)
        return false;
    *was = *given;
    /* It is outside the table, so no place of `at` is behind it that matters. */
    uint32_t i = (uint32_t)(given - report->fields);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (report->at[f] > i + 1)
            report->at[f]--;
    memmove(&report->fields[i], &report->fields[i + 1],
        (report->count - i - 1) * sizeof *report->fields);
    report->count--;
    return true;
}
