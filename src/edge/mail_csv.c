#include "edge/mail_csv.h"

#include "fmt/csv_cell.h"
#include "fmt/json.h"
#include "fmt/reader.h"

#include <stdlib.h>

enum { NAME_BYTES = 64 * 1024, CELL_BYTES = 4 * 1024 * 1024 };

struct table {
    bool known[FIELD_COUNT];
    struct span others[MAIL_CSV_COLUMNS_MAX]; /* names outside the table */
    size_t other_count;
    struct buf names; /* what OTHERS are in */
    struct buf cell;
    struct buf *out;
    uint32_t rows;
};

/* ---- which columns? ---- */

static struct span
keep_name(struct table *t, struct span name)
{
    size_t at = t->names.n;

    buf_add_span(&t->names, name);
    return (struct span){t->names.p + at, name.n};
}

static void
see_other(struct table *t, struct span name)
{
    for (size_t i = 0; i < t->other_count; i++)
        if (span_equal(t->others[i], name))
            return;
    if (t->other_count < MAIL_CSV_COLUMNS_MAX && t->names.n + name.n <= NAME_BYTES)
        t->others[t->other_count++] = keep_name(t, name);
}

/* The reader makes a report of every object; those that are none keep the object as it was. */
static bool
is_report(const struct report *report)
{
    return report_other(report, SPAN("extra.stix")) == NULL;
}

static int
see(void *ctx, const struct report *report, struct err *err)
{
    struct table *t = ctx;

    (void)err;
    if (!is_report(report))
        return 0;
    for (uint32_t i = 0; i < report->count; i++)
        if (report->fields[i].id == FIELD_OTHER)
            see_other(t, report->fields[i].name);
        else
            t->known[report->fields[i].id] = true;
    return 0;
}

/* ---- rows ---- */

static void
add_value(struct table *t, const struct field *field)
{
    t->cell.n = 0;
    switch (field->type) {
    case VALUE_INT:
        buf_add_i64(&t->cell, field->i);
        break;
    case VALUE_UINT:
        buf_add_u64(&t->cell, field->u);
        break;
    case VALUE_FLOAT:
        json_add_float(&t->cell, field->d);
        break;
    case VALUE_BOOL:
        buf_add_text(&t->cell, field->b ? "true" : "false");
        break;
    default:
        csv_cell_add(t->out, (struct span){field->s, field->n}, true);
        return;
    }
    csv_cell_add(t->out, buf_span(&t->cell), false);
}

static void
separate(struct table *t, bool *first)
{
    if (!*first)
        buf_add_char(t->out, ',');
    *first = false;
}

static int
write_row(void *ctx, const struct report *report, struct err *err)
{
    struct table *t = ctx;
    bool first = true;

    if (!is_report(report))
        return 0;
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field *field = report_get(report, (enum field_id)id);
        if (!t->known[id])
            continue;
        separate(t, &first);
        if (field != NULL)
            add_value(t, field);
    }
    for (size_t i = 0; i < t->other_count; i++) {
        const struct field *field = report_other(report, t->others[i]);
        separate(t, &first);
        if (field != NULL)
            add_value(t, field);
    }
    buf_add_text(t->out, "\r\n");
    t->rows++;
    return buf_check(t->out, "a mail's table", err);
}

static void
write_headings(struct table *t)
{
    bool first = true;

    for (int id = 0; id < FIELD_COUNT; id++) {
        if (!t->known[id])
            continue;
        separate(t, &first);
        csv_cell_add(t->out, field_name((enum field_id)id), true);
    }
    for (size_t i = 0; i < t->other_count; i++) {
        separate(t, &first);
        csv_cell_add(t->out, t->others[i], true);
    }
    buf_add_text(t->out, "\r\n");
}

/* ---- all of it ---- */

/* Objects that are no reports are no rows. */
static int
read_bundle(struct span bundle, struct table *t,
    int (*report)(void *ctx, const struct report *report, struct err *err), struct err *err)
{
    const struct reader_options options = {.share_dir = ""};
    const struct reader_sink sink = {.ctx = t, .report = report, .reject = reader_pass_over};
    struct input *input = NULL;
    int rc = input_open_bytes(bundle, "bundle.json", &input, err);

    if (rc == 0)
        rc = stix_read(input, &options, &sink, err);
    input_close(input);
    return rc;
}

int
mail_csv(struct span bundle, struct buf *out, uint32_t *rows, struct err *err)
{
    struct table *t = calloc(1, sizeof *t);

    *rows = 0;
    if (t == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a table");
    t->out = out;
    t->names = buf_new(NAME_BYTES);
    t->cell = buf_new(CELL_BYTES);
    /* Names lie in one piece, which must not move. */
    int rc = buf_reserve(&t->names, NAME_BYTES) == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory for a table")
        : read_bundle(bundle, t, see, err);
    if (rc == 0) {
        write_headings(t);
        rc = read_bundle(bundle, t, write_row, err);
    }
    *rows = t->rows;
    buf_free(&t->names);
    buf_free(&t->cell);
    free(t);
    return rc;
}
