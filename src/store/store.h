/* store.h: what does this node remember, and is it durable yet?
 *
 * One store, one writer, behind which stands SQLite (store/sqlite) or another engine. Reports come
 * and leave in batches, so they lie in chunks (zstd) under ever-growing numbers and all writing is
 * appending; rows of their own are for what people touch one by one. Everything between store_begin
 * and store_commit becomes durable together or not at all: what was changed and what is to be sent
 * because of it never part. All functions: ERR_IO (device), ERR_FULL (disk: as with a device, the
 * transaction is gone, nothing of it is kept), ERR_NO_MEMORY, ERR_LIMIT; lists live in the arena
 * given. doc/store-schema.md has the tables.
 */
#ifndef COMITY_STORE_STORE_H
#define COMITY_STORE_STORE_H

#include "base/mem.h"
#include "base/str.h"

struct store;

/* ---- life ---- */

enum store_use {
    STORE_READ,   /* must be there; others may write meanwhile */
    STORE_WRITE,  /* must be there; forward migrations run; this process alone (a lock is held) */
    STORE_CREATE, /* the same, made if it is not there */
};
enum { STORE_VERSION = 4 };
/* FOLDER/node.db. Errors: ERR_NOT_FOUND; ERR_EXISTS (another process writes it); ERR_NEWER_STORE
 * (made by a newer Comity: refused, untouched); ERR_BAD_STORE (damaged). */
MUST_USE int store_open(
    const char *folder, enum store_use use, struct store **out, struct err *err);
void store_close(struct store *store);
/* Pages that are kept in memory, at most; 8 MiB unless it is said. */
MUST_USE int store_cache(struct store *store, uint64_t bytes, struct err *err);
/* Nothing goes on: keep no pages for now. */
void store_relax(struct store *store);

struct store_info {
    int version;
    int64_t batches;
    int64_t reports;
    int64_t oldest_us; /* received; 0: there is none */
    int64_t newest_us;
    int64_t due;  /* reports, for one recipient each */
    int64_t held; /* waiting */
    int64_t collections;
    int64_t objects;
    int64_t principals;
    int64_t file_bytes; /* of these, free_bytes are kept for what comes */
    int64_t free_bytes;
    int64_t log_bytes;
};
/* Counts, which takes longer the more there is. */
MUST_USE int store_info(struct store *store, struct store_info *out, struct err *err);
/* free_bytes alone, at once. */
MUST_USE int store_unused(struct store *store, int64_t *bytes, struct err *err);

typedef void store_progress(void *ctx, uint64_t done, uint64_t total);
/* Everything that can be checked: pages, chunks (they decompress, counts and bounds agree),
 * references. Each fault is told to FOUND; *FAULTS counts them. CTX goes to both functions, which
 * may be NULL. */
MUST_USE int store_check(struct store *store, void (*found)(void *ctx, const char *what), void *ctx,
    store_progress *progress, uint64_t *faults, struct err *err);
/* A consistent copy at PATH while others work, durable on return. ERR_EXISTS. */
MUST_USE int store_backup(
    struct store *store, const char *path, store_progress *progress, void *ctx, struct err *err);

/* Starts a transaction unless one is open; whatever changes something does so too. */
MUST_USE int store_begin(struct store *store, struct err *err);
/* Durable on return. An error: nothing since store_begin is kept, no transaction is open. (After a
 * device failed to sync, and only then, a crash may bring it back: whole, never a part.) */
MUST_USE int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
/* From here until store_looked, or a change, what is read costs no locks of its own: for a writer's
 * round of many questions. Harmless where it cannot be. */
void store_look(struct store *store);
void store_looked(struct store *store);
/* Is a transaction open? True too when the engine failed in it and nothing of it is kept any more:
 * then every function says that again until store_commit (which says it too) or store_rollback
 * ends it, so that the part after a failure never becomes durable without the part before. */
bool store_changing(const struct store *store);

/* Single values: the node's own id, salts, marks. *VALUE lives in ARENA, n 0 if it is not there. */
MUST_USE int store_get(struct store *store, struct arena *arena, const char *name,
    struct span *value, struct err *err);
MUST_USE int store_set(struct store *store, const char *name, struct span value, struct err *err);

/* Teams have a number here for life, whatever the directory says of them (roster indexes change).
 * It is written with the next commit, and stays right if that fails. ERR_LIMIT. */
MUST_USE int store_team(struct store *store, struct span id, uint32_t *number, struct err *err);
/* Lives with the store; n 0 for a number that was never given. */
struct span store_team_id(const struct store *store, uint32_t number);

/* ---- reports as they came in ---- */

enum { STORE_BATCH_REPORTS = 4096 };

/* One chunk of reports that were taken in together. */
struct store_batch {
    uint64_t number; /* given by store_batch_add: 1, 2, 3 ... */
    int64_t received_us;
    int64_t first_us; /* bounds of the reports' own times */
    int64_t last_us;
    uint32_t count;        /* at most STORE_BATCH_REPORTS */
    uint64_t tag;          /* random: part of its reports' ids */
    struct span records;   /* model/record.h, one behind the other */
    int64_t keep_until_us; /* under the terms they came with; 0: no term */
    struct span outcomes;  /* what was decided of each: core's, not looked into here */
    /* What a search may ask for: hashes of addresses, names, teams ... (core/search.h makes them).
     */
    const uint64_t *keys;
    size_t key_count;
    const uint64_t *digests; /* one a report, for duplicates after a restart */
};
/* What a batch has for a team: the outbox entry, in the same transaction. */
struct store_due {
    uint32_t team;
    uint32_t count;
};
MUST_USE int store_batch_add(struct store *store, struct store_batch *batch,
    const struct store_due *due, size_t due_count, struct err *err);
/* Decompressed into ARENA; keys and digests stay empty. ERR_NOT_FOUND (never there, or its time is
 * over). */
MUST_USE int store_batch_get(struct store *store, struct arena *arena, uint64_t number,
    struct store_batch *out, struct err *err);

/* The next batch before BEFORE (0: from the newest) whose reports may have been received in
 * [since_us, until_us) and that may hold all of KEYS; *NUMBER 0 at the end. A few per thousand that
 * hold none come too. */
struct store_search {
    int64_t since_us;
    int64_t until_us;
    const uint64_t *keys;
    size_t key_count;
    size_t late;        /* so many of them, the last, are kept for batches */
    uint64_t late_from; /* from this number on alone */
};
MUST_USE int store_batch_search(struct store *store, const struct store_search *search,
    uint64_t before, uint64_t *number, struct err *err);
/* Digests of the newest batches, oldest of them first, until MAX were told. */
MUST_USE int store_digests(struct store *store, uint64_t max,
    void (*tell)(void *ctx, const uint64_t *digests, size_t count), void *ctx, struct err *err);

/* ---- outbox: decided, not yet written out for the recipient ---- */

/* The oldest batch that has something due; 0: none. */
MUST_USE int store_due_next(struct store *store, uint64_t *batch, struct err *err);
MUST_USE int store_due_done(struct store *store, uint64_t batch, struct err *err);
struct store_queue {
    uint32_t team;
    uint64_t due;       /* reports decided and not yet written out */
    uint64_t waiting;   /* reports written out and not yet delivered */
    uint64_t delivered; /* all time */
    uint64_t failed;
    int64_t oldest_us; /* of what is due or waiting; 0: nothing is */
};
MUST_USE int store_queues(struct store *store, struct arena *arena, struct store_queue **out,
    size_t *count, struct err *err);

/* ---- collections ---- */

enum store_collection_kind {
    COLLECTION_TEAM = 1, /* what was released to one team */
    COLLECTION_COMMUNITY,
    COLLECTION_DIRECTORY,
    COLLECTION_INTAKE,
    COLLECTION_SHARED, /* made by the operator */
};
struct store_collection {
    uint32_t number; /* given by store_collection_add */
    uint8_t kind;
    uint32_t team;  /* COLLECTION_TEAM: whose */
    struct span id; /* UUID text */
    struct span title;
    struct span description;
    struct span alias;
    uint64_t objects; /* all versions, removed ones aside */
    int64_t last_us;  /* date_added of the newest; 0: empty */
};
MUST_USE int store_collection_add(
    struct store *store, struct store_collection *collection, struct err *err);
MUST_USE int store_collections(struct store *store, struct arena *arena,
    struct store_collection **out, size_t *count, struct err *err);

/* The recipient has everything of its collection up to THROUGH_US (it asked for what comes after):
 * the reports of whole pieces until there are delivered; BY_RECEIPT: not before it says so
 * (store/receipt.h). ERR_NOT_FOUND. */
MUST_USE int store_fetched(
    struct store *store, uint32_t collection, int64_t through_us, bool by_receipt, struct err *err);

/* REPORTS that were for the collection's team never come into it: they count as failed. */
MUST_USE int store_not_sent(
    struct store *store, uint32_t collection, uint32_t reports, struct err *err);

/* One object of a piece. The piece's body is the objects' JSON, separated by single commas. */
struct store_object {
    uint32_t at; /* where it begins in the body */
    uint32_t n;
    int64_t version_us; /* modified, else created; 0: it has none, its date_added is its version */
    struct span id;     /* "indicator--UUID" */
    uint8_t spec;       /* 20, 21 */
};
enum { STORE_PIECE_OBJECTS = 100000, STORE_PIECE_BYTES = 64 << 20, STORE_ID_BYTES = 1024 };
struct store_piece {
    uint32_t collection;
    struct span body;
    const struct store_object *objects;
    size_t count;
    /* Objects that one may look up and that are superseded by newer versions (rows of their own):
     * posted ones. Released reports are not: their ids carry batch and place, observables have no
     * versions. */
    bool indexed;
    uint32_t reports; /* released: how many, for the team's queue; with `batch`, the newest they
                         came from */
    uint64_t batch;
    int64_t keep_until_us; /* released under clauses that say how long; 0: none does */
};
/* Appends; the objects get date_added FIRST_US, FIRST_US + 1 ...: strictly increasing in the
 * collection, at least NOW_US, whatever the clock does. An indexed object whose id and version are
 * there already is left out
 * (*ADDED counts the others). */
MUST_USE int store_append(struct store *store, const struct store_piece *piece, int64_t now_us,
    int64_t *first_us, size_t *added, struct err *err);

/* Which versions of an object, as bits: several are an OR (TAXII 2.1, section 3.4); 0: the last. */
enum store_versions {
    VERSIONS_LAST = 1,
    VERSIONS_FIRST = 2,
    VERSIONS_ALL = 4,
    VERSIONS_NAMED = 8,
};
struct store_page_query {
    uint32_t collection;
    int64_t after_us; /* exclusive; INT64_MIN: from the beginning */
    uint32_t limit;
    const struct span *ids; /* count 0: all; the same below */
    size_t id_count;
    const struct span *types;
    size_t type_count;
    const uint8_t *specs;
    size_t spec_count;
    uint8_t versions;        /* enum store_versions */
    const int64_t *named_us; /* VERSIONS_NAMED */
    size_t named_count;
    bool rows_only; /* no runs: for a manifest */
    bool runs_only; /* no rows, which are counted all the same */
    bool no_bodies; /* runs come without the pieces' (packed n 0) */
};
/* Objects that lie one behind the other in a piece: BEGIN..END of its body is a list with commas.
 */
struct store_run {
    uint64_t piece;
    struct span packed; /* the piece's body, zstd; the same span for runs of the same piece */
    uint32_t raw_bytes; /* its size when unpacked */
    uint32_t begin;
    uint32_t end;
};
struct store_page_row { /* what a manifest says of one object */
    struct span id;
    int64_t added_us;
    int64_t version_us; /* its date_added if it has none */
    uint8_t spec;
};
struct store_page {
    struct store_run *runs;
    size_t run_count;
    struct store_page_row *rows; /* one an object */
    size_t row_count;
    int64_t first_us; /* date_added of the first and the last row */
    int64_t last_us;
    bool more;
};
/* Rows in order of date_added. Costs the same wherever it begins. */
MUST_USE int store_page(struct store *store, struct arena *arena,
    const struct store_page_query *query, struct store_page *out, struct err *err);
/* Take out what QUERY matches (ids named). *COUNT says how many. */
MUST_USE int store_remove(
    struct store *store, const struct store_page_query *query, uint64_t *count, struct err *err);

/* What became of objects that were added (TAXII 2.1, 4.3), kept a day. */
MUST_USE int store_status_add(
    struct store *store, struct span id, struct span json, int64_t now_us, struct err *err);
MUST_USE int store_status(struct store *store, struct arena *arena, struct span id,
    struct span *json, struct err *err); /* ERR_NOT_FOUND */

/* ---- what waits for a person ---- */

enum store_held_state { HELD_WAITING, HELD_RELEASED, HELD_REFUSED };
struct store_held {
    uint64_t number;
    uint64_t batch;
    uint32_t place; /* of the report in its batch */
    uint32_t team;
    uint8_t reason; /* enum reason */
    uint8_t state;
    int64_t since_us;
    int64_t decided_us;
    struct span by; /* principal */
    struct span why;
};
MUST_USE int store_held_add(struct store *store, const struct store_held *held, size_t count,
    struct err *err); /* numbers are given */
/* At most LIMIT after NUMBER, in that state. */
MUST_USE int store_held_list(struct store *store, struct arena *arena, enum store_held_state state,
    uint64_t after, uint32_t limit, struct store_held **out, size_t *count, struct err *err);
MUST_USE int store_held_get(struct store *store, struct arena *arena, uint64_t number,
    struct store_held *out, struct err *err);
/* Only what waits can be decided: ERR_EXISTS says that somebody was faster. */
MUST_USE int store_held_decide(
    struct store *store, const struct store_held *decided, struct err *err);
MUST_USE int store_held_count(struct store *store, uint64_t *waiting, struct err *err);

/* ---- principals ---- */

struct store_principal {
    uint32_t number;
    struct span name;
    uint8_t kind;            /* enum principal of principals.def */
    struct span team;        /* partner: whose; n 0: none */
    struct span password;    /* Argon2id string; n 0: none */
    struct span certificate; /* SHA-256 of the client certificate, hex; n 0: none */
    bool disabled;
    bool must_change; /* the one-time password of a new account */
    int64_t created_us;
    int64_t seen_us;
};
MUST_USE int store_principal_put(struct store *store, struct store_principal *principal,
    struct err *err); /* number 0: new; ERR_EXISTS for a name that is taken */
MUST_USE int store_principals(struct store *store, struct arena *arena,
    struct store_principal **out, size_t *count, struct err *err);
struct store_token { /* a bearer token or a session; only its hash is kept */
    uint64_t number;
    uint32_t principal;
    bool session;
    uint8_t hash[32]; /* SHA-256 */
    struct span label;
    int64_t created_us;
    int64_t expires_us; /* INT64_MAX: never */
    int64_t seen_us;
};
MUST_USE int store_token_add(struct store *store, struct store_token *token, struct err *err);
MUST_USE int store_token_find(struct store *store, struct arena *arena, const uint8_t hash[32],
    struct store_token *out, struct err *err); /* ERR_NOT_FOUND */
MUST_USE int store_tokens(struct store *store, struct arena *arena, uint32_t principal,
    struct store_token **out, size_t *count, struct err *err);
MUST_USE int store_token_seen(
    struct store *store, uint64_t number, int64_t now_us, struct err *err);
MUST_USE int store_token_remove(struct store *store, uint64_t number, struct err *err);

/* ---- documents: agreements and team cards as the node saw them, every version ---- */

struct store_document {
    struct span kind; /* "agreement", "card" */
    struct span id;
    int64_t since_us;
    struct span text; /* JSON */
};
/* Kept if it differs from the newest of that kind and id; *NEW says so. */
MUST_USE int store_document_put(
    struct store *store, const struct store_document *document, bool *new, struct err *err);
MUST_USE int store_documents(struct store *store, struct arena *arena, struct span kind,
    struct store_document **out, size_t *count, struct err *err); /* the newest of each */

/* ---- the ledger: what was delivered, for proofs (its entries and tiles: store/resources.h) ----
 */

enum { STORE_SALT_BYTES = 32 };
/* What entry ENTRY of the ledger records of a batch: gone as soon as what was delivered is. */
struct store_delivery {
    uint64_t entry;
    uint64_t batch;
    uint32_t team;
    uint32_t collection; /* its reports were added FIRST_US to LAST_US */
    int64_t first_us;
    int64_t last_us;
    uint8_t salt[STORE_SALT_BYTES];
    struct span places; /* of its items in the batch, in order: two bytes each, little-endian */
};
MUST_USE int store_delivery_add(
    struct store *store, const struct store_delivery *delivery, struct err *err);
/* Those of a batch, by entry. */
MUST_USE int store_deliveries(struct store *store, struct arena *arena, uint64_t batch,
    struct store_delivery **out, size_t *count, struct err *err);

/* ---- statistics ---- */

/* Add VALUE to the count NAME (of stats.def) of a day (days since 1970), for a team (0: none) and a
 * classification. */
struct store_count {
    uint32_t day;
    uint32_t team;
    uint16_t name;
    uint16_t classification;
    uint64_t value;
};
MUST_USE int store_count_add(
    struct store *store, const struct store_count *counts, size_t count, struct err *err);
MUST_USE int store_count_list(struct store *store, struct arena *arena, uint32_t since_day,
    uint32_t until_day, struct store_count **out, size_t *count, struct err *err);
/* The same over the whole time, summed: one row a name and day, or a name and classification; what
 * was summed over is 0 in it. Sums are kept as counts come, so that a year costs milliseconds. */
enum store_count_by { STORE_COUNT_BY_DAY, STORE_COUNT_BY_CLASSIFICATION };
MUST_USE int store_count_sums(struct store *store, struct arena *arena, enum store_count_by by,
    uint32_t since_day, uint32_t until_day, struct store_count **out, size_t *count,
    struct err *err);
/* The sums of NAME for each team, by its number; *COUNT is one more than the largest number. */
MUST_USE int store_count_teams(struct store *store, struct arena *arena, uint16_t name,
    uint32_t since_day, uint32_t until_day, uint64_t **out, size_t *count, struct err *err);

/* ---- retention ---- */

/* Remove batches received before BATCHES_US, pieces whose newest object was added before PIECES_US
 * (the directory's stay), and both when their own time is over at NOW_US, at most MAX of them;
 * *REMOVED 0: nothing is left to do. What is due is never removed; what waits for a person in a
 * batch that goes is refused; reports that their recipient had not fetched count as failed. */
MUST_USE int store_expire(struct store *store, int64_t batches_us, int64_t pieces_us,
    int64_t now_us, uint32_t max, uint32_t *removed, struct err *err);

#endif
