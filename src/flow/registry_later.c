/* What is in the register already, and is written to its files later, each of them once. */
#include "flow/doc.h"
#include "flow/registry_private.h"

#include <stdlib.h>

struct waiting {
    struct agreement a;
    bool made;
};

struct registry_later {
    struct buf lines;
    struct journal after; /* the journal behind them */
    struct waiting *documents;
    size_t count;
    size_t room;      /* of documents */
    size_t rows_room; /* of the register's agreements, and of their events */
};

static int
begin(struct registry *r, struct err *err)
{
    if (r->later != NULL)
        return 0;
    r->later = calloc(1, sizeof *r->later);
    if (r->later == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the register");
    r->later->lines = buf_new(DOC_FILE_BYTES_MAX);
    r->later->after = r->journal;
    r->later->rows_room = r->count;
    return 0;
}

void
registry_forget_later(struct registry *r)
{
    if (r->later == NULL)
        return;
    buf_free(&r->later->lines);
    free(r->later->documents);
    free(r->later);
    r->later = NULL;
}

size_t
registry_journal_bytes(const struct registry *r)
{
    return r->journal_text.n + (r->later != NULL ? r->later->lines.n : 0);
}

/* ---- in memory ---- */

/* Room for one agreement more in the register's rows. */
static int
grow_rows(struct registry *r, struct err *err)
{
    size_t room = 2 * r->later->rows_room + 8;

    if (r->count < r->later->rows_room)
        return 0;
    struct agreement *rows = arena_zalloc(r->arena, room, sizeof *rows);
    const struct journal_event **events =
        arena_zalloc(r->arena, room, sizeof(struct journal_event *));
    if (rows == NULL || events == NULL)
        return arena_full(err, "the register");
    if (r->count > 0) {
        memcpy(rows, r->agreements, r->count * sizeof *rows);
        memcpy(events, r->events, r->count * sizeof(struct journal_event *));
    }
    r->agreements = rows;
    r->events = events;
    r->later->rows_room = room;
    return 0;
}

static int
grow_documents(struct registry_later *later, struct err *err)
{
    size_t room = 2 * later->room + 8;

    if (later->count < later->room)
        return 0;
    struct waiting *documents = realloc(later->documents, room * sizeof *documents);
    if (documents == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the register");
    later->documents = documents;
    later->room = room;
    return 0;
}

/* There is room. The later text of one document is the one that is written. */
static void
put_document(struct registry *r, size_t at, const struct agreement *a)
{
    struct registry_later *later = r->later;
    bool made = at == r->count || r->events[at] == NULL;
    size_t i = 0;

    if (at == r->count)
        r->agreements[r->count++] = *a;
    r->agreements[at].signatures = a->signatures;
    r->agreements[at].signature_count = a->signature_count;
    while (i < later->count && !span_equal_nocase(later->documents[i].a.id, a->id))
        i++;
    if (i < later->count)
        made = later->documents[i].made;
    later->documents[i] = (struct waiting){*a, made};
    later->count += i == later->count;
}

static int
put_events(struct registry *r, size_t at, const struct journal_event *events, size_t count,
    struct err *err)
{
    struct journal_event *copies = arena_zalloc(r->arena, count + 1, sizeof *copies);
    struct journal_event *last = NULL;

    if (copies == NULL)
        return arena_full(err, "the journal");
    for (const struct journal_event *e = r->events[at]; e != NULL; e = e->next)
        last = (struct journal_event *)e; /* this register's own memory */
    for (size_t i = 0; i < count; i++) {
        copies[i] = events[i];
        copies[i].next = NULL;
        if (last == NULL)
            r->events[at] = &copies[i];
        else
            last->next = &copies[i];
        last = &copies[i];
    }
    return 0;
}

static int
add_lines(struct registry *r, const struct journal_event *events, size_t count,
    const struct agreement_key *key, struct err *err)
{
    const struct journal before = r->later->after;
    size_t n = r->later->lines.n;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = registry_add_line(r, &events[i], key, &r->later->after, &r->later->lines, err);
    if (rc == 0)
        return 0;
    r->later->after = before;
    r->later->lines.n = n;
    r->later->lines.full = false;
    return rc;
}

int
registry_expect(struct registry *r, const struct agreement *a, bool document,
    const struct journal_event *events, size_t count, const struct agreement_key *key,
    struct err *err)
{
    size_t at = registry_find(r, a->id);
    int rc = begin(r, err);

    if (rc == 0)
        rc = grow_rows(r, err);
    if (rc == 0)
        rc = grow_documents(r->later, err);
    if (rc == 0)
        rc = add_lines(r, events, count, key, err);
    if (rc != 0)
        return rc;
    if (document)
        put_document(r, at, a);
    return put_events(r, at, events, count, err);
}

/* ---- to the files ---- */

/* A document that the journal does not name withholds what it may cover. */
static int
take_back(struct registry *r, size_t written, int why, struct err *err)
{
    struct err worse;

    for (size_t i = 0; i < written; i++) {
        const struct waiting *w = &r->later->documents[i];
        if (w->made && registry_drop(r, &w->a, &worse) != 0)
            why = err_set(err, ERR_IO, "%s", worse.msg);
    }
    return why;
}

int
registry_settle(struct registry *r, struct err *err)
{
    struct registry_later *later = r->later;
    size_t written = 0;
    int rc = 0;

    if (later == NULL)
        return 0;
    for (; rc == 0 && written < later->count; written++)
        rc = registry_keep(r, &later->documents[written].a, err);
    if (rc == 0 && later->lines.n > 0)
        rc = registry_write_lines(r, &later->after, buf_span(&later->lines), err);
    if (rc != 0)
        rc = take_back(r, written, rc, err);
    registry_forget_later(r);
    return rc;
}
