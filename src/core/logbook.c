#include "core/logbook.h"

#include "core/node.h"
#include "flow/nodekey.h"
#include "fmt/checkpoint.h"
#include "store/ledger.h"
#include "store/tiles.h"
#include "sys/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { MARK_BYTES = 128 };
#define UNSEALED UINT64_MAX
#define ORIGIN "ledger-origin"
#define JOURNAL "ledger-journal"

struct logbook {
    struct resources resources;
    struct ledger *ledger; /* NULL: it could not be read anew after a loss */
    struct note_signer signer;
    char origin[NOTE_NAME_MAX + 1];
    uint64_t sealed;       /* entries under the checkpoint in the store; UNSEALED: there is none */
    uint64_t published;    /* the same, durable */
    struct buf checkpoint; /* the durable one */
    struct buf next;
    struct buf entry;
};

struct span
logbook_origin(const struct logbook *logbook)
{
    return span_of(logbook->origin);
}

void
logbook_key(const struct logbook *logbook, struct buf *out)
{
    note_key_add(out, &logbook->signer.key);
}

uint64_t
logbook_published(const struct logbook *logbook)
{
    return logbook->published;
}

struct resources *
logbook_resources(struct logbook *logbook)
{
    return &logbook->resources;
}

/* Ed25519 gives the same signature each time. */
int
logbook_note_at(struct logbook *logbook, uint64_t size, struct buf *out, struct err *err)
{
    struct tiles *tiles = tiles_new(&logbook->resources, size);
    struct checkpoint checkpoint = {.origin = logbook_origin(logbook), .size = size};

    if (tiles == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tiles of the log");
    const struct merkle_source source = tiles_source(tiles);
    int rc = merkle_source_root(&source, size, &checkpoint.root, err);
    if (rc == 0)
        rc = checkpoint_sign(out, &checkpoint, &logbook->signer, err);
    tiles_free(tiles);
    return rc;
}

/* ---- beginning ---- */

/* The log goes by one name for life, also when the team is called otherwise later. */
static int
name_log(struct core *core, struct logbook *logbook, struct err *err)
{
    struct span own = knowledge_own_id(core);
    struct span known;
    int rc = store_get(core->store, core->arena, ORIGIN, &known, err);

    if (rc != 0)
        return rc;
    if (known.n == 0 && (!note_name_is(own) || own.n > NOTE_NAME_MAX - 4))
        own = span_of(core->node_id);
    (void)snprintf(logbook->origin, sizeof logbook->origin, "%.*s%s",
        (int)(known.n > 0 ? known.n : own.n), known.n > 0 ? known.p : own.p,
        known.n > 0 ? "" : "/log");
    if (known.n > 0)
        return 0;
    rc = core_begin(core, err);
    return rc == 0 ? store_set(core->store, ORIGIN, logbook_origin(logbook), err) : rc;
}

static int
read_key(struct core *core, struct logbook *logbook, bool make, struct err *err)
{
    uint8_t seed[NOTE_SEED_BYTES];
    char why[ERR_MSG_BYTES];
    int rc = nodekey_read(core->options.home, make, seed, err);

    if (rc == 0)
        rc = note_signer_derive(logbook_origin(logbook), NOTE_USE_LOG, seed, &logbook->signer, err);
    sodium_memzero(seed, sizeof seed);
    if (rc == 0 || make)
        return rc;
    memcpy(why, err->msg, sizeof why);
    return err_set(err, (enum err_code)rc,
        "the node's key cannot be had, and its ledger is signed by it: %s; put back node.key from "
        "where you keep it",
        why);
}

/* Go on behind the checkpoint that the store has; of a new log there is none. */
static int
open_ledger(struct logbook *logbook, struct err *err)
{
    struct checkpoint checkpoint = {0};
    struct note note;

    logbook->checkpoint.n = 0;
    int rc = logbook->resources.get(
        logbook->resources.ctx, RESOURCES_CHECKPOINT, &logbook->checkpoint, err);
    if (rc == ERR_NOT_FOUND) {
        logbook->sealed = UNSEALED;
        logbook->published = 0;
        return ledger_open(&logbook->resources, 0, NULL, &logbook->ledger, err);
    }
    if (rc == 0)
        rc = checkpoint_read_note(buf_span(&logbook->checkpoint), &note, &checkpoint, err);
    if (rc == 0 && note_check(&note, &logbook->signer.key, NULL) != NOTE_GOOD)
        rc = err_set(err, ERR_BAD_STORE,
            "the ledger's checkpoint in the store is not signed by the key that follows from "
            "node.key");
    if (rc == 0)
        rc = ledger_open(
            &logbook->resources, checkpoint.size, &checkpoint.root, &logbook->ledger, err);
    logbook->sealed = logbook->published = checkpoint.size;
    return rc;
}

int
logbook_new(struct core *core, struct err *err)
{
    struct logbook *logbook = calloc(1, sizeof *logbook);
    struct span known;

    core->logbook = logbook;
    if (logbook == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the ledger");
    logbook->resources = resources_store_view(core->store);
    logbook->checkpoint = buf_new(NOTE_BYTES_MAX);
    logbook->next = buf_new(NOTE_BYTES_MAX);
    logbook->entry = buf_new(LEDGER_ENTRY_MAX);
    int rc = store_get(core->store, core->arena, ORIGIN, &known, err);
    if (rc == 0)
        rc = name_log(core, logbook, err);
    if (rc == 0)
        rc = read_key(core, logbook, known.n == 0, err);
    return rc == 0 ? open_ledger(logbook, err) : rc;
}

void
logbook_free(struct logbook *logbook)
{
    if (logbook == NULL)
        return;
    ledger_free(logbook->ledger);
    buf_free(&logbook->checkpoint);
    buf_free(&logbook->next);
    buf_free(&logbook->entry);
    sodium_memzero(&logbook->signer, sizeof logbook->signer);
    free(logbook);
}

/* ---- growing ---- */

int
logbook_append(struct core *core, const struct ledger_entry *e, uint64_t *index, struct err *err)
{
    struct logbook *logbook = core->logbook;

    if (logbook->ledger == NULL)
        return err_set(err, ERR_BAD_STORE, "the ledger cannot be read; start the node anew");
    logbook->entry.n = 0;
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = ledger_entry_write(&logbook->entry, e, err);
    return rc == 0 ? ledger_append(logbook->ledger, buf_span(&logbook->entry), index, err) : rc;
}

int
logbook_seal(struct core *core, struct err *err)
{
    struct logbook *logbook = core->logbook;
    struct checkpoint checkpoint = {.origin = logbook_origin(logbook)};

    if (logbook->ledger == NULL || ledger_size(logbook->ledger) == logbook->sealed)
        return 0;
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = ledger_flush(logbook->ledger, err);
    checkpoint.size = ledger_size(logbook->ledger);
    ledger_root(logbook->ledger, &checkpoint.root);
    logbook->next.n = 0;
    if (rc == 0)
        rc = checkpoint_sign(&logbook->next, &checkpoint, &logbook->signer, err);
    if (rc == 0)
        rc = logbook->resources.put(
            logbook->resources.ctx, RESOURCES_CHECKPOINT, buf_span(&logbook->next), err);
    if (rc == 0)
        logbook->sealed = checkpoint.size;
    return rc;
}

void
logbook_committed(struct core *core)
{
    struct logbook *logbook = core->logbook;

    if (logbook->next.n == 0)
        return;
    const struct buf old = logbook->checkpoint;
    logbook->checkpoint = logbook->next;
    logbook->next = old;
    logbook->next.n = 0;
    logbook->published = logbook->sealed;
}

void
logbook_lost(struct core *core)
{
    struct logbook *logbook = core->logbook;
    struct err err = {0};

    if (logbook == NULL)
        return;
    logbook->next.n = 0;
    ledger_free(logbook->ledger);
    logbook->ledger = NULL;
    if (open_ledger(logbook, &err) != 0)
        core_tell(core, "the ledger cannot be read, so nothing is written out: %s", err.msg);
}

/* ---- the register ---- */

static const enum ledger_event events[JOURNAL_TYPE_COUNT] = {
    [JOURNAL_PROPOSED] = LEDGER_EVENT_PROPOSED,
    [JOURNAL_SIGNED] = LEDGER_EVENT_SIGNED,
    [JOURNAL_SUSPENDED] = LEDGER_EVENT_SUSPENDED,
    [JOURNAL_RESUMED] = LEDGER_EVENT_RESUMED,
    [JOURNAL_ENDED] = LEDGER_EVENT_ENDED,
    [JOURNAL_REFUSED] = LEDGER_EVENT_REFUSED,
};

static int
append_event(struct core *core, const struct journal_event *event, struct err *err)
{
    struct ledger_entry entry = {.version = LEDGER_ENTRY_VERSION,
        .kind = LEDGER_KIND_AGREEMENT,
        .time_us = clock_now_us(),
        .agreement = event->agreement,
        .by = journal_doer(event),
        .event = (uint8_t)events[event->type],
        .since_us = event->at_us};
    size_t n = 0;

    if (sodium_hex2bin(
            entry.document, sizeof entry.document, event->digest.p, event->digest.n, NULL, &n, NULL)
            != 0
        || n != sizeof entry.document)
        return err_set(err, ERR_INTERNAL, "an event of the register has no digest");
    return logbook_append(core, &entry, NULL, err);
}

/* How many lines of this journal are recorded; those of another one are not. */
static int
recorded(struct core *core, const struct journal *journal, size_t *count, struct err *err)
{
    struct span mark;
    struct span number;
    uint64_t known = 0;
    int rc = store_get(core->store, core->arena, JOURNAL, &mark, err);

    *count = 0;
    if (rc == 0 && span_next(&mark, ' ', &number) && span_u64(number, &known)
        && known <= journal->count && span_equal(mark, journal_head(journal, (size_t)known)))
        *count = (size_t)known;
    else if (rc == 0 && known > 0)
        core_tell(core, "the register is another one than before: the ledger gets all its events");
    return rc;
}

int
logbook_events(struct core *core, struct err *err)
{
    const struct registry *registry = core->basis.registry;
    char mark[MARK_BYTES];
    size_t from;

    if (core->logbook == NULL || registry == NULL)
        return 0;
    const struct journal *journal = &registry->journal;
    int rc = recorded(core, journal, &from, err);
    if (rc != 0 || from == journal->count)
        return rc;
    for (size_t i = from; rc == 0 && i < journal->count; i++)
        rc = append_event(core, &journal->events[i], err);
    struct span head = journal_head(journal, journal->count);
    int n = snprintf(mark, sizeof mark, "%zu %.*s", journal->count, SPAN_ARGS(head));
    return rc == 0 ? store_set(core->store, JOURNAL, (struct span){mark, (size_t)n}, err) : rc;
}

/* ---- showing ---- */

static bool
is_published(const struct logbook *logbook, struct span path)
{
    struct tile tile;

    return tile_parse(path, &tile)
        && tile_width(logbook->published, tile.level, tile.number) >= tile.width;
}

/* The newest one, with the cosignatures that it has. */
static int
add_checkpoint(struct logbook *logbook, struct buf *out, struct err *err)
{
    struct buf cosigned = buf_new(NOTE_BYTES_MAX);
    struct span own = buf_span(&logbook->checkpoint);
    int rc = logbook->resources.get(logbook->resources.ctx, RESOURCES_COSIGNED, &cosigned, err);
    bool same = rc == 0 && span_starts(buf_span(&cosigned), own);

    buf_add_span(out, same ? buf_span(&cosigned) : own);
    buf_free(&cosigned);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

int
core_log(struct core *core, struct ask *ask, struct err *err)
{
    struct logbook *logbook = core->logbook;
    struct span path = wire_text(&ask->in);
    struct buf out = buf_new(RESOURCES_BYTES_MAX);
    char name[TILE_PATH_BYTES];
    int rc = wire_end(&ask->in, "a question for the ledger", err);

    if (rc == 0 && span_equal(path, SPAN(RESOURCES_CHECKPOINT)) && logbook->checkpoint.n > 0) {
        rc = add_checkpoint(logbook, &out, err);
    } else if (rc == 0 && span_equal(path, SPAN(RESOURCES_COSIGNED))) {
        rc = logbook->resources.get(logbook->resources.ctx, RESOURCES_COSIGNED, &out, err);
    } else if (rc == 0 && (path.n >= sizeof name || !is_published(logbook, path))) {
        rc = err_set(err, ERR_NOT_FOUND, "the log has no such tile (yet)");
    } else if (rc == 0) {
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(path));
        rc = logbook->resources.get(logbook->resources.ctx, name, &out, err);
    }
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
