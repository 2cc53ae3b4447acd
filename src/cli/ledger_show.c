/* comity ledger show: what a log records. */
#include "base/base64.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/ledger.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "fmt/checkpoint.h"
#include "fmt/ledger_entry.h"
#include "store/tiles.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 1 << 20, LINE_BYTES = 1 << 18, COLUMNS = 300 };

static const char help[] =
    "comity ledger show: the log's checkpoint and its entries\n\n"
    "usage: comity ledger show [OPTIONS] FOLDER\n"
    "       comity ledger show [OPTIONS] --home DIR\n\n"
    "  --from N         from entry N on; the first is 0\n"
    "  --count N        at most that many\n"
    "  --json           one object a line: the checkpoint, then the entries with their index\n"
    "  --no-sandbox     work even where the kernel has no sandbox\n\n"
    "Nothing is checked: that is what `comity ledger audit` is for.\n";

struct show {
    const struct ledger_wanted *wanted;
    struct arena *arena;
    struct json *json;
    struct buf line;
};

static void
add_shown(struct buf *out, const char *before, struct span text)
{
    buf_add_text(out, before);
    shown_add(out, text, COLUMNS);
}

static void
add_batch(struct buf *out, const struct ledger_entry *e)
{
    add_shown(out, "  ", e->from);
    add_shown(out, " -> ", e->to);
    buf_format(out, ", %llu items", (unsigned long long)e->items);
    if (e->kind == LEDGER_KIND_DECISION)
        buf_format(out, " %s", ledger_decision_word(e->decision));
    for (size_t i = 0; i < e->clause_count; i++) {
        const struct ledger_clause *c = &e->clauses[i];
        add_shown(out, "\n          ", c->agreement);
        add_shown(out, "#", c->clause);
        buf_format(out, ": %llu released, %llu held, %llu withheld",
            (unsigned long long)c->effects[EFFECT_RELEASE],
            (unsigned long long)c->effects[EFFECT_HOLD],
            (unsigned long long)c->effects[EFFECT_WITHHOLD]);
    }
}

static void
add_entry(struct show *s, uint64_t index, const struct ledger_entry *e)
{
    char time[TIME_TEXT_BYTES];

    (void)time_format(e->time_us, "Z", time);
    buf_format(&s->line, "%8llu  ", (unsigned long long)index);
    if (e->kind == LEDGER_KIND_UNKNOWN)
        buf_format(&s->line, "an entry of version %llu, which this Comity cannot read",
            (unsigned long long)e->version);
    else
        buf_format(&s->line, "%s  %-9s", time, ledger_kind_word(e->kind));
    if (e->kind == LEDGER_KIND_AGREEMENT) {
        add_shown(&s->line, "  ", e->agreement);
        add_shown(&s->line, " ", span_of(ledger_event_word(e->event)));
        add_shown(&s->line, " by ", e->by);
    } else if (e->kind != LEDGER_KIND_UNKNOWN)
        add_batch(&s->line, e);
}

static int
print(struct buf *line, struct err *err)
{
    buf_add_char(line, '\n');
    int rc = buf_check(line, "a line", err);
    if (rc == 0 && fwrite(line->p, 1, line->n, stdout) != line->n)
        rc = err_set(err, ERR_IO, "standard output cannot be written");
    line->n = 0;
    return rc;
}

static int
show_entry(struct show *s, uint64_t index, struct span bytes, struct err *err)
{
    struct ledger_entry entry;
    struct err why;
    bool json = s->wanted->json;

    arena_reset(s->arena);
    bool good = ledger_entry_read(s->arena, s->json, bytes, &entry, &why) == 0;
    if (json)
        buf_format(&s->line, "{\"index\":%llu,\"%s\":", (unsigned long long)index,
            good ? "entry" : "bytes");
    if (json && good)
        buf_add_span(&s->line, bytes);
    if (json && !good) {
        buf_add_char(&s->line, '"');
        base64_add(&s->line, bytes.p, bytes.n);
        buf_add_char(&s->line, '"');
    }
    if (json)
        buf_add_char(&s->line, '}');
    if (!json && good)
        add_entry(s, index, &entry);
    if (!json && !good)
        buf_format(&s->line, "%8llu  %zu bytes that are no entry of Comity's",
            (unsigned long long)index, bytes.n);
    return print(&s->line, err);
}

/* Up to which size others have cosigned it, and in whose names; not checked. */
static int
add_cosigned(struct show *s, const struct resources *resources, struct err *err)
{
    struct buf bytes = buf_new(NOTE_BYTES_MAX);
    struct checkpoint checkpoint;
    struct note note;
    int rc = resources->get(resources->ctx, RESOURCES_COSIGNED, &bytes, err);

    if (rc == 0)
        rc = checkpoint_read_note(buf_span(&bytes), &note, &checkpoint, err);
    if (rc == 0)
        buf_format(&s->line,
            s->wanted->json ? ",\"cosigned\":{\"size\":%llu,\"by\":["
                            : "\n%llu of them cosigned by ",
            (unsigned long long)checkpoint.size);
    for (size_t i = 1; rc == 0 && i < note.count; i++) { /* the first is the log's own */
        buf_add_text(&s->line, i == 1 ? "" : s->wanted->json ? "," : ", ");
        if (s->wanted->json)
            json_add_string(&s->line, note.lines[i].name);
        else
            shown_add(&s->line, note.lines[i].name, COLUMNS);
    }
    buf_add_text(&s->line, rc == 0 && s->wanted->json ? "]}" : "");
    buf_free(&bytes);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int
show_checkpoint(
    struct show *s, const struct resources *resources, const struct checkpoint *c, struct err *err)
{
    if (s->wanted->json) {
        buf_add_text(&s->line, "{\"log\":");
        json_add_string(&s->line, c->origin);
        buf_format(&s->line, ",\"size\":%llu,\"root\":\"", (unsigned long long)c->size);
    } else {
        shown_add(&s->line, c->origin, COLUMNS);
        buf_format(&s->line, ": %llu entries, root ", (unsigned long long)c->size);
    }
    base64_add(&s->line, c->root.bytes, sizeof c->root.bytes);
    buf_add_text(&s->line, s->wanted->json ? "\"" : "");
    int rc = add_cosigned(s, resources, err);
    buf_add_text(&s->line, s->wanted->json ? "}" : "");
    return rc == 0 ? print(&s->line, err) : rc;
}

static int
show_bundle(struct show *s, struct span bundle, uint64_t index, uint64_t end, struct err *err)
{
    struct span entry;
    int rc = 0;

    for (; rc == 0 && index < end && tile_entry(&bundle, &entry); index++)
        if (index >= s->wanted->from)
            rc = show_entry(s, index, entry, err);
    return rc;
}

static int
show_entries(struct show *s, const struct resources *resources, uint64_t size, struct err *err)
{
    struct tiles *tiles = tiles_new(resources, size);
    struct buf bundle = buf_new(TILE_BUNDLE_MAX);
    uint64_t from = s->wanted->from < size ? s->wanted->from : size;
    uint64_t end = size - from < s->wanted->count ? size : from + s->wanted->count;
    int rc = tiles == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the tiles of a log") : 0;

    for (uint64_t n = from / TILE_WIDTH; rc == 0 && n * TILE_WIDTH < end; n++) {
        bundle.n = 0;
        rc = tiles_bundle(tiles, n, &bundle, err);
        if (rc == 0)
            rc = show_bundle(s, buf_span(&bundle), n * TILE_WIDTH, end, err);
    }
    buf_free(&bundle);
    tiles_free(tiles);
    return rc;
}

static int
show(struct show *s, const struct resources *resources, struct err *err)
{
    struct buf bytes = buf_new(NOTE_BYTES_MAX);
    struct checkpoint checkpoint;
    struct note note;
    int rc = s->arena == NULL || s->json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory") : 0;

    if (rc == 0)
        rc = resources->get(resources->ctx, RESOURCES_CHECKPOINT, &bytes, err);
    if (rc == 0)
        rc = checkpoint_read_note(buf_span(&bytes), &note, &checkpoint, err);
    if (rc == 0)
        rc = show_checkpoint(s, resources, &checkpoint, err);
    if (rc == 0)
        rc = show_entries(s, resources, checkpoint.size, err);
    buf_free(&bytes);
    return rc;
}

int
ledger_show(int argc, char **argv)
{
    struct ledger_wanted wanted;
    struct ledger_copy copy = {.store = NULL};
    struct err err = {0};
    int rc = ledger_options(argc, argv, LEDGER_TAKES_RANGE, help, &wanted, &err);

    if (rc > 0)
        return EXIT_DONE;
    if (rc == 0)
        rc = ledger_open_copy(&wanted, &copy, &err);
    if (rc == 0) {
        struct show s = {
            &wanted, arena_new(ARENA_BYTES), json_new(LEDGER_ENTRY_MAX), buf_new(LINE_BYTES)};
        rc = show(&s, &copy.resources, &err);
        buf_free(&s.line);
        json_free(s.json);
        arena_free(s.arena);
    }
    ledger_close_copy(&copy);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
