/* test_store_vfs.h: a device that fails when told to, or loses what was not synced.
 *
 * A VFS over the real one, made the default. It numbers what the store writes (write, truncate,
 * sync), lets the operations from FAIL_FROM on fail, FAIL_COUNT of them, and keeps for each file
 * what is surely on the disk and what was written since, so that the state after a power cut at any
 * sync can be made: of what was not synced a part may have come to the disk, sector by sector.
 */
#ifndef COMITY_TESTS_STORE_VFS_H
#define COMITY_TESTS_STORE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VFS_FILES = 8, VFS_SECTOR = 512 };

struct vfs_write {
    struct vfs_write *next;
    int64_t at; /* -1: truncate to n */
    size_t n;
    char data[];
};

struct vfs_shadow {
    char path[512];
    char *durable;
    size_t size;
    size_t room;
    struct vfs_write *first;
    struct vfs_write **last;
    bool gone;
};

static struct vfs_state {
    sqlite3_vfs *real;
    struct vfs_shadow shadows[VFS_FILES];
    int count;
    uint64_t operations;
    uint64_t syncs;
    uint64_t fail_from; /* operation, 0: none */
    uint64_t fail_count;
    int fail_code;     /* for writes; a sync says SQLITE_IOERR_FSYNC */
    uint64_t crash_at; /* sync, 0: none; from there on nothing is written any more */
    bool dead;
    bool lies; /* a device that says "synced" and has done nothing */
} vfs;

struct vfs_file {
    sqlite3_file base;
    struct vfs_shadow *shadow; /* NULL: not one that counts */
    sqlite3_file *real;
};

#define REAL(file) (((struct vfs_file *)(file))->real)

static void
shadow_apply(struct vfs_shadow *s, int64_t at, const char *data, size_t n)
{
    size_t end = at < 0 ? n : (size_t)at + n;

    if (end > s->room) {
        s->room = 2 * end;
        s->durable = realloc(s->durable, s->room);
        if (s->durable == NULL)
            abort();
    }
    if (end > s->size)
        memset(s->durable + s->size, 0, end - s->size);
    if (end > s->size || at < 0)
        s->size = end;
    if (at >= 0)
        memcpy(s->durable + at, data, n);
}

static void
shadow_remember(struct vfs_shadow *s, int64_t at, const void *data, size_t n)
{
    size_t bytes = at < 0 ? 0 : n;
    struct vfs_write *w = malloc(sizeof *w + bytes);

    if (w == NULL)
        abort();
    *w = (struct vfs_write){.at = at, .n = n};
    memcpy(w->data, data, bytes);
    *s->last = w;
    s->last = &w->next;
}

/* KEEP of 16: how much of what was not synced comes to the disk; 16 all. */
static void
shadow_settle(struct vfs_shadow *s, uint64_t *random, unsigned keep)
{
    for (struct vfs_write *w = s->first, *next; w != NULL; w = next) {
        next = w->next;
        for (size_t from = 0; from < w->n || w->at < 0; from += VFS_SECTOR) {
            size_t n = w->n - from < VFS_SECTOR ? w->n - from : VFS_SECTOR;
            *random = *random * 6364136223846793005u + 1442695040888963407u;
            bool kept = keep == 16 || (*random >> 40) % 16 < keep;
            if (kept)
                shadow_apply(s, w->at < 0 ? -1 : w->at + (int64_t)from, w->data + from,
                    w->at < 0 ? w->n : n);
            if (w->at < 0)
                break;
        }
        free(w);
    }
    s->first = NULL;
    s->last = &s->first;
}

/* ---- one file ---- */

static int
vfs_fails(int code)
{
    vfs.operations++;
    if (vfs.dead)
        return SQLITE_IOERR;
    return vfs.fail_from != 0 && vfs.operations >= vfs.fail_from
            && vfs.operations < vfs.fail_from + vfs.fail_count
        ? code
        : SQLITE_OK;
}

static int
vfs_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
    struct vfs_shadow *s = ((struct vfs_file *)file)->shadow;
    int rc = vfs_fails(vfs.fail_code);

    if (rc != SQLITE_OK)
        return rc;
    if (s != NULL)
        shadow_remember(s, at, p, (size_t)n);
    return REAL(file)->pMethods->xWrite(REAL(file), p, n, at);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct vfs_shadow *s = ((struct vfs_file *)file)->shadow;
    int rc = vfs_fails(SQLITE_IOERR_TRUNCATE);

    if (rc != SQLITE_OK)
        return rc;
    if (s != NULL)
        shadow_remember(s, -1, "", (size_t)size);
    return REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int
vfs_sync(sqlite3_file *file, int flags)
{
    struct vfs_shadow *s = ((struct vfs_file *)file)->shadow;
    int rc = vfs_fails(SQLITE_IOERR_FSYNC);
    uint64_t random = 0;

    if (rc != SQLITE_OK)
        return rc;
    if (++vfs.syncs == vfs.crash_at) {
        vfs.dead = true;
        return SQLITE_IOERR_FSYNC;
    }
    if (s != NULL && !vfs.lies)
        shadow_settle(s, &random, 16);
    (void)flags; /* what is durable is known here: the real device need not be waited for */
    return SQLITE_OK;
}

static int
vfs_close(sqlite3_file *file)
{
    int rc = REAL(file)->pMethods != NULL ? REAL(file)->pMethods->xClose(REAL(file)) : SQLITE_OK;

    file->pMethods = NULL;
    return rc;
}

#define PASS(name, parameters, ...)                                                                \
    static int name parameters                                                                     \
    {                                                                                              \
        return REAL(file)->pMethods->__VA_ARGS__;                                                  \
    }
PASS(vfs_read, (sqlite3_file * file, void *p, int n, sqlite3_int64 at), xRead(REAL(file), p, n, at))
PASS(vfs_size, (sqlite3_file * file, sqlite3_int64 *out), xFileSize(REAL(file), out))
PASS(vfs_lock, (sqlite3_file * file, int how), xLock(REAL(file), how))
PASS(vfs_unlock, (sqlite3_file * file, int how), xUnlock(REAL(file), how))
PASS(vfs_reserved, (sqlite3_file * file, int *out), xCheckReservedLock(REAL(file), out))
PASS(vfs_control, (sqlite3_file * file, int op, void *arg), xFileControl(REAL(file), op, arg))
PASS(vfs_sector, (sqlite3_file * file), xSectorSize(REAL(file)))
PASS(vfs_shm_map, (sqlite3_file * file, int page, int size, int extend, void volatile **out),
    xShmMap(REAL(file), page, size, extend, out))
PASS(vfs_shm_lock, (sqlite3_file * file, int at, int n, int flags),
    xShmLock(REAL(file), at, n, flags))
PASS(vfs_shm_unmap, (sqlite3_file * file, int remove), xShmUnmap(REAL(file), remove))

static void
vfs_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

/* A device that promises nothing. */
static int
vfs_promises(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods vfs_methods = {2, vfs_close, vfs_read, vfs_write, vfs_truncate,
    vfs_sync, vfs_size, vfs_lock, vfs_unlock, vfs_reserved, vfs_control, vfs_sector, vfs_promises,
    vfs_shm_map, vfs_shm_lock, vfs_shm_barrier, vfs_shm_unmap, NULL, NULL};

/* ---- the VFS ---- */

static struct vfs_shadow *
vfs_shadow_of(const char *path)
{
    for (int i = 0; i < vfs.count; i++)
        if (strcmp(vfs.shadows[i].path, path) == 0)
            return &vfs.shadows[i];
    if (vfs.count == VFS_FILES)
        abort();
    struct vfs_shadow *s = &vfs.shadows[vfs.count++];
    (void)snprintf(s->path, sizeof s->path, "%s", path);
    s->last = &s->first;
    return s;
}

static int
vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct vfs_file *mine = (struct vfs_file *)file;

    (void)self;
    mine->real = (sqlite3_file *)(void *)&mine[1];
    mine->real->pMethods = NULL;
    mine->shadow = name != NULL
            && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0
        ? vfs_shadow_of(name)
        : NULL;
    int rc = vfs.real->xOpen(vfs.real, name, mine->real, flags, out);
    if (rc == SQLITE_OK && mine->shadow != NULL)
        mine->shadow->gone = false;
    file->pMethods = rc == SQLITE_OK ? &vfs_methods : NULL;
    return rc;
}

/* Gone at once, and for good: what would follow from a deletion that is undone is the same as from
 * a crash before it. */
static int
vfs_delete(sqlite3_vfs *self, const char *name, int sync)
{
    uint64_t random = 0;

    (void)self;
    if (vfs.dead)
        return SQLITE_IOERR_DELETE;
    struct vfs_shadow *s = vfs_shadow_of(name);
    shadow_settle(s, &random, 0);
    s->size = 0;
    s->gone = true;
    return vfs.real->xDelete(vfs.real, name, sync);
}

static void
vfs_begin(void)
{
    static sqlite3_vfs mine;

    vfs.real = sqlite3_vfs_find("unix");
    mine = *vfs.real;
    mine.zName = "shaky";
    mine.szOsFile += (int)sizeof(struct vfs_file);
    mine.xOpen = vfs_open;
    mine.xDelete = vfs_delete;
    (void)sqlite3_vfs_register(&mine, 1);
}

static void
vfs_reset(void)
{
    uint64_t random = 0;

    for (int i = 0; i < vfs.count; i++) {
        shadow_settle(&vfs.shadows[i], &random, 0);
        free(vfs.shadows[i].durable);
    }
    vfs = (struct vfs_state){.real = vfs.real, .fail_code = SQLITE_IOERR_WRITE, .lies = vfs.lies};
}

/* The files as they are found after the power came back. */
static void
vfs_after_crash(uint64_t seed, unsigned keep)
{
    char path[600];

    for (int i = 0; i < vfs.count; i++) {
        struct vfs_shadow *s = &vfs.shadows[i];
        shadow_settle(s, &seed, keep);
        if (s->gone)
            continue;
        FILE *file = fopen(s->path, "wb");
        if (file == NULL || fwrite(s->durable, 1, s->size, file) != s->size || fclose(file) != 0)
            abort();
        (void)snprintf(path, sizeof path, "%s-shm", s->path);
        (void)remove(path);
    }
}

#endif
