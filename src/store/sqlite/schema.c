/* schema.c: which shape has this store, and how does an older one become today's?
 *
 * Step N makes version N of version N - 1. Steps that were released are never changed: a new shape
 * is a new step. All that are missing run in one transaction.
 */
#include "store/sqlite/db.h"

#include <stdio.h>

/* "CMTY", so that `file` and we know whose the file is. */
enum { APPLICATION = 0x434d5459 };

static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE value (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE counter (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE team (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);"
    "CREATE TABLE batch (number INTEGER PRIMARY KEY, received_us INTEGER NOT NULL,"
    " first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, reports INTEGER NOT NULL,"
    " tag INTEGER NOT NULL, records_bytes INTEGER NOT NULL, outcomes_bytes INTEGER NOT NULL,"
    " keep_until_us INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX batch_received ON batch (received_us);"
    "CREATE INDEX batch_keep ON batch (keep_until_us) WHERE keep_until_us > 0;"
    "CREATE TABLE batch_body (number INTEGER PRIMARY KEY, records BLOB NOT NULL,"
    " outcomes BLOB NOT NULL);"
    "CREATE TABLE batch_filter (number INTEGER PRIMARY KEY, filter BLOB NOT NULL);"
    "CREATE TABLE batch_digest (number INTEGER PRIMARY KEY, digests BLOB NOT NULL);"
    "CREATE TABLE due (batch INTEGER NOT NULL, team INTEGER NOT NULL, reports INTEGER NOT NULL,"
    " PRIMARY KEY (batch, team)) WITHOUT ROWID;"
    "CREATE TABLE collection (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " team INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,"
    " description TEXT NOT NULL, alias TEXT NOT NULL, objects INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, reports INTEGER NOT NULL, delivered INTEGER NOT NULL,"
    " failed INTEGER NOT NULL, fetched_us INTEGER NOT NULL);"
    "CREATE TABLE piece (collection INTEGER NOT NULL, last_us INTEGER NOT NULL,"
    " number INTEGER NOT NULL, first_us INTEGER NOT NULL, objects INTEGER NOT NULL,"
    " lasts INTEGER NOT NULL, indexed INTEGER NOT NULL, reports INTEGER NOT NULL,"
    " batch INTEGER NOT NULL, filter BLOB NOT NULL, keep_until_us INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (collection, last_us)) WITHOUT ROWID;"
    "CREATE INDEX piece_keep ON piece (collection, keep_until_us) WHERE keep_until_us > 0;"
    "CREATE TABLE piece_body (number INTEGER PRIMARY KEY, collection INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, entries BLOB NOT NULL, raw_bytes INTEGER NOT NULL,"
    " body BLOB NOT NULL);"
    "CREATE TABLE object (collection INTEGER NOT NULL, id TEXT NOT NULL,"
    " version_us INTEGER NOT NULL, own INTEGER NOT NULL, added_us INTEGER NOT NULL,"
    " piece INTEGER NOT NULL, PRIMARY KEY (collection, id, version_us)) WITHOUT ROWID;"
    "CREATE TABLE status (id TEXT PRIMARY KEY, since_us INTEGER NOT NULL, json BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX status_since ON status (since_us);"
    "CREATE TABLE held (number INTEGER PRIMARY KEY, batch INTEGER NOT NULL,"
    " place INTEGER NOT NULL, team INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " state INTEGER NOT NULL, since_us INTEGER NOT NULL, decided_us INTEGER NOT NULL,"
    " decided_by TEXT NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX held_state ON held (state, number);"
    "CREATE INDEX held_batch ON held (batch);"
    "CREATE TABLE principal (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL, team TEXT NOT NULL, password TEXT NOT NULL,"
    " certificate TEXT NOT NULL, disabled INTEGER NOT NULL, must_change INTEGER NOT NULL,"
    " created_us INTEGER NOT NULL, seen_us INTEGER NOT NULL);"
    "CREATE TABLE token (number INTEGER PRIMARY KEY, principal INTEGER NOT NULL,"
    " session INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, label TEXT NOT NULL,"
    " created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, seen_us INTEGER NOT NULL);"
    "CREATE INDEX token_principal ON token (principal);"
    "CREATE TABLE document (kind TEXT NOT NULL, id TEXT NOT NULL, since_us INTEGER NOT NULL,"
    " text BLOB NOT NULL, PRIMARY KEY (kind, id, since_us)) WITHOUT ROWID;"
    "CREATE TABLE tally (day INTEGER NOT NULL, team INTEGER NOT NULL, name INTEGER NOT NULL,"
    " classification INTEGER NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY (day, team, name, classification)) WITHOUT ROWID;",
    /* 2: the ledger */
    "CREATE TABLE ledger_entry (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE ledger_tile (level INTEGER NOT NULL, number INTEGER NOT NULL,"
    " hashes BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID;"
    "CREATE TABLE delivery (batch INTEGER NOT NULL, entry INTEGER NOT NULL,"
    " team INTEGER NOT NULL, collection INTEGER NOT NULL, first_us INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, salt BLOB NOT NULL, places BLOB NOT NULL,"
    " PRIMARY KEY (batch, entry)) WITHOUT ROWID;",
    /* 3: what nodes exchange */
    "CREATE TABLE link (team INTEGER PRIMARY KEY, principal INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, url TEXT NOT NULL, pin TEXT NOT NULL, card_us INTEGER NOT NULL,"
    " released_us INTEGER NOT NULL, directory_us INTEGER NOT NULL, added_us INTEGER NOT NULL, "
    "added_by TEXT NOT NULL);"
    "CREATE TABLE link_way (team INTEGER NOT NULL, flag INTEGER NOT NULL, ok_us INTEGER NOT NULL,"
    " failing_us INTEGER NOT NULL, again_us INTEGER NOT NULL, failures INTEGER NOT NULL,"
    " status INTEGER NOT NULL, refused INTEGER NOT NULL, lost INTEGER NOT NULL,"
    " why TEXT NOT NULL, PRIMARY KEY (team, flag)) WITHOUT ROWID;"
    /* what was delivered, by whose word; what a ledger recorded before is told from its entries */
    "CREATE TABLE receipt (entry INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " batch INTEGER NOT NULL, team INTEGER NOT NULL, items INTEGER NOT NULL,"
    " made_us INTEGER NOT NULL, failed INTEGER NOT NULL, state INTEGER NOT NULL,"
    " came_us INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,"
    " rejected INTEGER NOT NULL, note BLOB NOT NULL);"
    "CREATE INDEX receipt_made ON receipt (made_us);"
    "CREATE INDEX receipt_open ON receipt (entry) WHERE state IN (1, 3) AND failed < items;"
    "CREATE TABLE receipt_given (team INTEGER NOT NULL, id TEXT NOT NULL,"
    " came_us INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,"
    " rejected INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (team, id)) WITHOUT ROWID;"
    "CREATE INDEX receipt_given_came ON receipt_given (came_us);"
    "ALTER TABLE piece ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX piece_open ON piece (collection, last_us) WHERE settled = 0 AND reports > 0;"
    "ALTER TABLE collection ADD COLUMN counted_us INTEGER NOT NULL DEFAULT 0;"
    "UPDATE collection SET counted_us = fetched_us;"
    "INSERT INTO receipt SELECT e.number, substr(json_extract(e.json, '$.id'), 10),"
    " COALESCE(d.batch, 0), t.number, json_extract(e.json, '$.items'),"
    " CAST(strftime('%s', json_extract(e.json, '$.time')) AS INTEGER) * 1000000, 0, 0, 0, 0, 0, 0,"
    " x'' FROM (SELECT number, CAST(bytes AS TEXT) AS json FROM ledger_entry) AS e"
    " JOIN team AS t ON t.id = json_extract(e.json, '$.to')"
    " LEFT JOIN delivery AS d ON d.entry = e.number"
    " WHERE json_extract(e.json, '$.items') > 0 AND json_extract(e.json, '$.kind') = 'delivery'"
    " OR json_extract(e.json, '$.decision') = 'released';"
    "CREATE TABLE recall (batch INTEGER NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL,"
    " team INTEGER NOT NULL, at_us INTEGER NOT NULL, recalled_by TEXT NOT NULL,"
    " why TEXT NOT NULL, corrected TEXT NOT NULL, PRIMARY KEY (batch, place)) WITHOUT ROWID;"
    "CREATE INDEX recall_id ON recall (id);"
    "CREATE TABLE superseded (collection INTEGER NOT NULL, added_us INTEGER NOT NULL,"
    " by_us INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    " PRIMARY KEY (collection, added_us)) WITHOUT ROWID;"
    "CREATE INDEX superseded_by ON superseded (collection, by_us);"
    "CREATE TABLE feedback (batch INTEGER NOT NULL, place INTEGER NOT NULL,"
    " team INTEGER NOT NULL, id TEXT NOT NULL, version_us INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, opinion INTEGER NOT NULL, sightings INTEGER NOT NULL,"
    " said_by TEXT NOT NULL, note TEXT NOT NULL,"
    " PRIMARY KEY (batch, place, team, id)) WITHOUT ROWID;"
    "CREATE TABLE mail (team INTEGER PRIMARY KEY, digest INTEGER NOT NULL, address TEXT NOT NULL,"
    " key BLOB NOT NULL, fingerprint TEXT NOT NULL, next_us INTEGER NOT NULL,"
    " added_us INTEGER NOT NULL, added_by TEXT NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE mail_out (number INTEGER PRIMARY KEY, team INTEGER NOT NULL,"
    " state INTEGER NOT NULL, encrypted INTEGER NOT NULL, collection INTEGER NOT NULL,"
    " from_us INTEGER NOT NULL, through_us INTEGER NOT NULL, reports INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, made_us INTEGER NOT NULL, again_us INTEGER NOT NULL,"
    " sent_us INTEGER NOT NULL, tries INTEGER NOT NULL, code INTEGER NOT NULL,"
    " address TEXT NOT NULL, batch TEXT NOT NULL, message_id TEXT NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX mail_out_team ON mail_out (team, number);"
    "CREATE INDEX mail_out_unsent ON mail_out (number) WHERE state <> 1;"
    "CREATE TABLE mail_body (number INTEGER PRIMARY KEY, message BLOB NOT NULL);",
    /* 4: counts summed as people ask for them. What went out before is told from the deliveries,
     * what came in from the receipts that were given: who gave the rest was not counted. */
    "CREATE TABLE tally_team (name INTEGER NOT NULL, day INTEGER NOT NULL, team INTEGER NOT NULL,"
    " value INTEGER NOT NULL, PRIMARY KEY (name, day, team)) WITHOUT ROWID;"
    "CREATE TABLE tally_kind (day INTEGER NOT NULL, name INTEGER NOT NULL,"
    " classification INTEGER NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY (day, name, classification)) WITHOUT ROWID;"
    "CREATE TABLE unsent (batch INTEGER NOT NULL, place INTEGER NOT NULL, team INTEGER NOT NULL,"
    " why INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    " PRIMARY KEY (batch, place, team)) WITHOUT ROWID;"
    "CREATE INDEX receipt_batch ON receipt (batch);"
    "INSERT INTO tally SELECT came_us / 86400000000, team, 16, 0, SUM(stored) FROM receipt_given"
    " WHERE stored > 0 GROUP BY 1, 2;"
    "INSERT INTO tally SELECT made_us / 86400000000, team, 17, 0, SUM(items) FROM receipt"
    " WHERE NOT EXISTS (SELECT 1 FROM ledger_entry AS e WHERE e.number = receipt.entry"
    " AND json_extract(CAST(e.bytes AS TEXT), '$.decision') = 'recalled') GROUP BY 1, 2;"
    "INSERT INTO tally_team SELECT name, day, team, SUM(value) FROM tally WHERE team > 0"
    " GROUP BY name, day, team;"
    "INSERT INTO tally_kind SELECT day, name, classification, SUM(value) FROM tally"
    " GROUP BY day, name, classification;"
    /* the first batch whose filter has the keys of senders */
    "INSERT INTO value SELECT 'search-senders', CAST(CAST(last + 1 AS TEXT) AS BLOB) FROM counter"
    " WHERE name = 'batch';",
};
_Static_assert(sizeof steps / sizeof steps[0] == STORE_VERSION, "a step for each version");

static int
number_of(struct store *store, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK
        || sqlite3_step(statement) != SQLITE_ROW)
        rc = db_error(store, "its version cannot be read", err);
    else
        *out = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return rc;
}

int
schema_check(struct store *store, int64_t *version, struct err *err)
{
    int64_t application = 0;
    int64_t tables = 0;
    int rc = number_of(store, "PRAGMA application_id", &application, err);

    if (rc == 0)
        rc = number_of(store, "PRAGMA user_version", version, err);
    if (rc == 0)
        rc = number_of(store, "SELECT COUNT(*) FROM sqlite_master", &tables, err);
    if (rc != 0)
        return rc;
    if (application != APPLICATION && (tables > 0 || *version != 0))
        return err_set(err, ERR_BAD_STORE, "%s is a database, but not Comity's", store->path);
    if (*version > STORE_VERSION)
        return err_set(err, ERR_NEWER_STORE,
            "%s has version %lld, and this Comity knows versions up to %d; it was left as it is",
            store->path, (long long)*version, (int)STORE_VERSION);
    return 0;
}

int
schema_migrate(struct store *store, int64_t version, struct err *err)
{
    char marks[96];

    if (version == STORE_VERSION)
        return 0;
    int rc = db_change(store, err);
    for (int64_t v = version < 0 ? 0 : version; rc == 0 && v < STORE_VERSION; v++)
        if (sqlite3_exec(store->db, steps[v], NULL, NULL, NULL) != SQLITE_OK)
            rc = db_error(store, "it cannot be brought to today's version", err);
    (void)snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d",
        (int)APPLICATION, (int)STORE_VERSION);
    if (rc == 0 && sqlite3_exec(store->db, marks, NULL, NULL, NULL) != SQLITE_OK)
        rc = db_error(store, "its version cannot be written", err);
    if (rc == 0)
        return store_commit(store, err);
    store_rollback(store);
    return rc;
}
