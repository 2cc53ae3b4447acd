/* store.h: in which ways can the same reports be made durable, each with the same look-ups? */
#ifndef COMITY_BENCH_STORE_H
#define COMITY_BENCH_STORE_H

#include "base/str.h"

enum { LOAD_BATCH = 4096, LOAD_KEYS = 5, LOAD_TEAMS = 50, LOAD_ID = 16 };

/* One batch: what each way is given. */
struct load {
    uint64_t number;         /* 0, 1, 2 ... */
    struct span records;     /* one behind the other */
    const struct span *each; /* the same, LOAD_BATCH of them */
    struct span outcomes;    /* 2 bytes a report */
    const uint64_t *keys;    /* LOAD_KEYS a report; the first two are looked up in all ways */
    const uint64_t *digests; /* one a report */
    const char *ids;         /* LOAD_ID random bytes a report, for the ways that need them */
};

struct way {
    const char *name;
    void *(*open)(const char *folder);
    void (*add)(void *self, const struct load *load);
    void (*commit)(void *self); /* durable on return */
    void (*close)(void *self);
};
extern const struct way way_store;
extern const struct way way_rows;  /* SQLite, one row a report */
extern const struct way way_lmdb;  /* the same in LMDB; name NULL: it was not there at build */
extern const struct way way_limit; /* zstd, write, fsync */

_Noreturn void bench_fail(const char *what);

#endif
