#include "flow/registry_private.h"

#include "base/hash.h"
#include "base/time.h"
#include "flow/agreements.h"
#include "flow/doc.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BYTES = 512 * 1024 * 1024 };

/* ---- what the journal says of the documents ---- */

static int
fault(struct registry *r, size_t i, const char *what, struct err *err)
{
    struct doc doc = {.arena = r->arena, .file = r->agreements[i].file};

    if (r->agreements[i].broken)
        return 0;
    doc_fault(&doc, "", "%s", what);
    r->agreements[i].broken = true;
    r->agreements[i].why = doc.why;
    return doc.full ? arena_full(err, "the register") : 0;
}

static bool
names_signer(const struct agreement *a, struct span party)
{
    for (size_t i = 0; i < a->signature_count; i++)
        if (span_equal(a->signatures[i].party, party))
            return true;
    return false;
}

/* An event of a document that cannot be read, and so has no id, is found by the file's name. */
static size_t
by_file(const struct registry *r, struct span id)
{
    char name[REGISTRY_PATH_BYTES];

    registry_document_name(id, name);
    for (size_t i = 0; i < r->count; i++)
        if (r->agreements[i].broken && span_ends(r->agreements[i].file, span_of(name)))
            return i;
    return r->count;
}

static int
bind_event(struct registry *r, size_t i, struct journal_event *event,
    const char (*digests)[AGREEMENT_SIGN_HEX], struct journal_event **last, struct err *err)
{
    const struct agreement *a = &r->agreements[i];
    int rc = 0;

    if (last[i] == NULL)
        r->events[i] = event;
    else
        last[i]->next = event;
    last[i] = event;
    if (!span_equal(event->digest, span_of(digests[i])))
        rc = fault(r, i, "its text is not the one that the journal names: it was changed", err);
    else if (event->type == JOURNAL_SIGNED && !names_signer(a, event->party))
        rc = fault(r, i, "a signature that the journal names was taken out", err);
    return rc;
}

static int
bind_events(struct registry *r, const struct table *ids, const uint32_t *rows,
    const char (*digests)[AGREEMENT_SIGN_HEX], struct journal_event **last, struct err *err)
{
    int rc = 0;

    for (size_t e = 0; rc == 0 && e < r->journal.count; e++) {
        struct journal_event *event = &r->journal.events[e];
        int64_t known = table_find(ids, event->agreement);
        size_t i = known >= 0 ? rows[known] : by_file(r, event->agreement);
        if (i == r->count)
            return err_set(err, ERR_BAD_AGREEMENT,
                "%s: the document of %.*s is gone, which the journal names in line %zu; bring it "
                "back from a backup or a partner",
                r->home, SPAN_ARGS(event->agreement), e + 1);
        rc = bind_event(r, i, event, digests, last, err);
    }
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        if (r->events[i] == NULL)
            rc = fault(r, i,
                "lies in the register, but was never proposed or signed here; take it in with "
                "`comity agreement sign FILE`, or take the file away",
                err);
    return rc;
}

static int
bind_journal(struct registry *r, struct err *err)
{
    struct table *ids = table_new(r->count);
    uint32_t *rows = calloc(r->count + 1, sizeof *rows);
    char(*digests)[AGREEMENT_SIGN_HEX] = calloc(r->count + 1, sizeof *digests);
    struct journal_event **last = calloc(r->count + 1, sizeof(struct journal_event *));
    uint32_t index;
    int rc = 0;

    r->events = arena_zalloc(r->arena, r->count + 1, sizeof(struct journal_event *));
    if (ids == NULL || rows == NULL || digests == NULL || last == NULL || r->events == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the register");
    for (size_t i = 0; rc == 0 && i < r->count; i++) {
        agreement_sign_digest(r->agreements[i].text, digests[i]);
        if (r->agreements[i].id.n == 0)
            continue;
        size_t known = table_count(ids);
        rc = table_add(ids, r->agreements[i].id, &index, err);
        if (rc == 0 && index == known)
            rows[index] = (uint32_t)i;
    }
    if (rc == 0)
        rc = bind_events(r, ids, rows, (const char(*)[AGREEMENT_SIGN_HEX])digests, last, err);
    free(last);
    free(digests);
    free(rows);
    table_free(ids);
    return rc;
}

/* ---- opening ---- */

int
registry_exists(const char *home, bool *out, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(home, "journal.jsonl", path, err);

    *out = rc == 0 && access(path, F_OK) == 0;
    if (rc != 0 || *out || errno == ENOENT || errno == ENOTDIR)
        return rc;
    return err_set(
        err, ERR_IO, "the register in %s cannot be looked at: %s", home, strerror(errno));
}

static int
load_documents(struct registry *r, struct err *err)
{
    char folder[REGISTRY_PATH_BYTES];
    const char *path = folder;
    struct agreement_set set = {0};
    int rc = registry_path(r->home, "agreements", folder, err);

    if (rc == 0)
        rc = agreements_load(r->arena, &path, 1, &set, err);
    if (rc == ERR_NOT_FOUND) /* no folder, or none in it */
        rc = 0;
    r->agreements = arena_zalloc(r->arena, set.count + 1, sizeof *r->agreements);
    if (rc == 0 && r->agreements == NULL)
        rc = arena_full(err, "the register");
    if (rc == 0 && set.count > 0)
        memcpy(r->agreements, set.agreements, set.count * sizeof *r->agreements);
    r->count = rc == 0 ? set.count : 0;
    return rc;
}

/* The journal may have grown since `seen` was written, but not shrunk. */
static int
check_seen(struct registry *r, struct err *err)
{
    struct registry_seen seen;
    int rc = registry_read_seen(r, &seen, err);

    if (rc != 0)
        return rc;
    r->seen_us = seen.seen_us > r->journal.last_us ? seen.seen_us : r->journal.last_us;
    if (!seen.there)
        return r->journal.count == 0
            ? 0
            : err_set(err, ERR_BAD_AGREEMENT,
                "%s/seen is gone, so whether the journal is whole is not known; bring both back "
                "from a backup",
                r->home);
    if (seen.events > r->journal.count
        || !span_equal(journal_head(&r->journal, seen.events), span_of(seen.head)))
        return err_set(err, ERR_BAD_AGREEMENT,
            "%s/journal.jsonl is not the one that was seen last, with %zu lines: its end was "
            "changed or cut off; bring it back from a backup",
            r->home, seen.events);
    return 0;
}

static int
read_all(struct registry *r, const struct roster *roster, struct err *err)
{
    char keys[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, "keys", keys, err);

    if (rc == 0)
        rc = keyring_add_folder(r->ring, keys, err);
    if (rc == 0 && roster != NULL)
        rc = keyring_add_roster(r->ring, roster, err);
    if (rc == 0)
        rc = registry_read_team(r, err);
    if (rc == 0)
        rc = load_documents(r, err);
    if (rc == 0)
        rc =
            agreement_sign_check(r->arena, r->agreements, r->count, r->ring, span_of(r->team), err);
    if (rc == 0)
        rc = registry_read_journal(r, err);
    if (rc == 0)
        rc = bind_journal(r, err);
    return rc == 0 ? check_seen(r, err) : rc;
}

static int
make_folders(const char *home, struct err *err)
{
    static const char *const names[] = {"agreements", "keys"};
    char path[REGISTRY_PATH_BYTES];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < 2; i++) {
        rc = registry_path(home, names[i], path, err);
        if (rc == 0)
            rc = file_folder(path, err);
    }
    return rc;
}

static int
take_lock(struct registry *r, struct err *err)
{
    char path[REGISTRY_PATH_BYTES];
    int rc = registry_path(r->home, "lock", path, err);

    return rc == 0 ? file_lock(path, &r->lock, err) : rc;
}

static void
drop_lock(struct registry *r)
{
    if (r->lock >= 0)
        (void)close(r->lock);
    r->lock = -1;
}

int
registry_open(const char *home, enum registry_use use, const struct roster *roster,
    struct registry **out, struct err *err)
{
    struct registry *r = calloc(1, sizeof *r);
    bool there = false;
    int rc;

    *out = r;
    if (r == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the register");
    r->lock = -1;
    r->seen_us = INT64_MIN;
    r->arena = arena_new(ARENA_BYTES);
    r->ring = keyring_new();
    if (r->arena == NULL || r->ring == NULL || strlen(home) >= sizeof r->home)
        return err_set(err, ERR_NO_MEMORY, "no memory for the register in %s", home);
    memcpy(r->home, home, strlen(home) + 1);
    rc = registry_exists(home, &there, err);
    if (rc == 0 && use == REGISTRY_WRITE)
        rc = make_folders(home, err);
    if (rc == 0 && (there || use == REGISTRY_WRITE))
        rc = take_lock(r, err);
    if (rc == 0)
        rc = read_all(r, roster, err);
    if (use == REGISTRY_READ)
        drop_lock(r);
    return rc;
}

void
registry_close(struct registry *r)
{
    if (r == NULL)
        return;
    drop_lock(r);
    registry_forget_later(r);
    keyring_free(r->ring);
    arena_free(r->arena);
    free(r);
}

/* ---- asking ---- */

int
registry_see(struct registry *r, int64_t now_us, bool *trusted, struct err *err)
{
    bool held = r->lock >= 0;
    bool there = held;
    struct registry_seen seen;
    int rc = held ? 0 : registry_exists(r->home, &there, err);

    *trusted = now_us >= r->seen_us;
    if (rc != 0 || !there || !*trusted || now_us == r->seen_us)
        return rc;
    rc = held ? 0 : take_lock(r, err);
    if (rc == 0)
        rc = registry_read_seen(r, &seen, err); /* another run may have seen more since */
    if (rc == 0 && seen.there && seen.seen_us < now_us) {
        seen.seen_us = now_us;
        rc = registry_write_seen(r, &seen, err);
    }
    if (rc == 0)
        r->seen_us = now_us;
    if (!held)
        drop_lock(r);
    return rc;
}

int
registry_reset_clock(struct registry *r, int64_t now_us, struct err *err)
{
    struct registry_seen seen;
    int rc = registry_read_seen(r, &seen, err);

    if (rc == 0 && r->journal.last_us > now_us)
        return err_set(err, ERR_CLOCK,
            "an event was written later than the clock says it is; only time heals this");
    seen.seen_us = now_us;
    if (rc == 0 && seen.there)
        rc = registry_write_seen(r, &seen, err);
    if (rc == 0)
        r->seen_us = now_us;
    return rc;
}

enum standing
registry_standing(const struct registry *r, size_t i, int64_t at_us)
{
    return standing_at(&r->agreements[i], r->events[i], at_us);
}

size_t
registry_find(const struct registry *r, struct span id)
{
    size_t i = 0;

    while (i < r->count && !span_equal_nocase(r->agreements[i].id, id))
        i++;
    return i;
}

int
registry_in_force(const struct registry *r, struct arena *arena, int64_t at_us,
    struct agreement_set *out, bool *baseline, struct err *err)
{
    struct agreement *rows = arena_zalloc(arena, r->count + 1, sizeof *rows);
    size_t count = 0;

    if (rows == NULL)
        return arena_full(err, "the agreements");
    *baseline = false;
    for (size_t i = 0; i < r->count; i++) {
        const struct agreement *a = &r->agreements[i];
        if (!a->broken && !a->signed_by_all)
            continue;
        rows[count] = *a;
        if (!a->broken)
            rows[count].suspended = a->suspended || standing_ended(r->events[i], at_us) != NULL
                || standing_suspended(r->events[i], at_us) != NULL;
        *baseline = *baseline || a->kind == AGREEMENT_BASELINE;
        count++;
    }
    *out = (struct agreement_set){rows, count};
    return 0;
}
