/* parcel.c: which whole deliveries come next behind a recipient's mark?
 *
 * Bodies of pieces are joined as they are; only the type of a piece's last object is looked at.
 */
#include "store/link.h"
#include "store/sqlite/piece.h"

/* As the table tells of a piece. */
struct row {
    uint64_t number;
    int64_t last_us;
    uint64_t batch;
    uint32_t reports;
};

struct parcel {
    struct store *store;
    struct arena *arena;
    const struct store_parcel_query *query;
    struct buf *out;
    struct store_parcel *told; /* whole deliveries */
    size_t begun_n;            /* of OUT, without this parcel */
    size_t told_n;             /* of OUT, as far as it is told */
    /* The delivery that is being joined. */
    bool open;
    bool over; /* it does not fit */
    uint64_t batch;
    int64_t through_us;
    uint32_t objects;
    uint32_t reports;
};

static struct row
row_of(sqlite3_stmt *row)
{
    return (struct row){(uint64_t)sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
        (uint64_t)sqlite3_column_int64(row, 2), (uint32_t)sqlite3_column_int64(row, 3)};
}

static bool
ends_with(const struct piece *piece, struct span type)
{
    const struct entries *entries = &piece->entries;

    return entries->count > 0
        && span_equal(entries_type(entries, &entries->all[entries->count - 1]), type);
}

/* ---- where the first delivery begins ---- */

struct look_back {
    struct store *store;
    struct span end;
    int64_t from_us;
    uint64_t batch; /* of the piece behind the mark */
};

/* Towards older pieces, until one is none of the delivery's. */
static int
take_before(void *ctx, sqlite3_stmt *statement, struct err *err)
{
    struct look_back *back = ctx;
    const struct row row = row_of(statement);
    struct piece piece;

    if (row.batch != back->batch) {
        back->from_us = row.last_us;
        return DB_ENOUGH;
    }
    int rc = piece_load(back->store, row.number, NULL, &piece, NULL, err);
    if (rc != 0 || !ends_with(&piece, back->end))
        return rc;
    back->from_us = row.last_us;
    return DB_ENOUGH;
}

/* Who pages stops where a page ends; what is sent begins with a delivery. */
static int
whole(struct store *store, uint32_t collection, struct span end, int64_t *after_us, struct err *err)
{
    struct look_back back = {store, end, INT64_MIN, 0};
    int64_t next[3] = {0}; /* number, last_us, batch */
    bool there;
    int rc = NUMBERS(store, S_PIECE_NEXT, next, 3, &there, err, INT(collection), INT(*after_us));

    if (rc != 0 || !there || next[2] == 0)
        return rc;
    back.batch = (uint64_t)next[2];
    rc = EACH(store, S_PIECE_BEFORE, take_before, &back, err, INT(collection), INT(*after_us));
    *after_us = rc == 0 ? back.from_us : *after_us;
    return rc;
}

/* ---- joining ---- */

/* The delivery is whole: it is told, or it is what does not fit. */
static int
end_delivery(struct parcel *p)
{
    struct store_parcel *told = p->told;

    if (!p->open)
        return 0;
    p->open = false;
    if (p->over && told->objects > 0)
        return DB_ENOUGH; /* the next time it comes first */
    told->too_large = p->over;
    told->through_us = p->through_us;
    told->objects += p->objects;
    told->reports += p->reports;
    p->told_n = p->over ? p->told_n : p->out->n;
    return p->over ? DB_ENOUGH : 0;
}

static void
begin_delivery(struct parcel *p, const struct row *row)
{
    p->open = true;
    p->over = false;
    p->batch = row->batch;
    p->objects = 0;
    p->reports = 0;
}

static int
join(struct parcel *p, const struct piece *piece, struct span packed, struct err *err)
{
    struct span body;
    size_t had = p->out->n - p->begun_n;

    p->over = p->over || had + (had > 0) + piece->raw_bytes > p->query->max_bytes;
    if (p->over)
        return 0;
    int rc = pack_open(p->store->packer, p->arena, packed, piece->raw_bytes, &body, err);
    if (rc != 0)
        return rc;
    if (had > 0)
        buf_add_char(p->out, ',');
    buf_add_span(p->out, body);
    return buf_check(p->out, "what goes to a link", err);
}

static int
take_next(void *ctx, sqlite3_stmt *statement, struct err *err)
{
    struct parcel *p = ctx;
    const struct row row = row_of(statement);
    struct span packed = {NULL, 0};
    struct piece piece;
    int rc = p->open && row.batch != p->batch ? end_delivery(p) : 0;

    if (rc == 0)
        rc = piece_load(
            p->store, row.number, p->arena, &piece, p->open && p->over ? NULL : &packed, err);
    if (rc != 0)
        return rc;
    if (!p->open)
        begin_delivery(p, &row);
    p->through_us = row.last_us;
    p->objects += piece.entries.count;
    p->reports += row.reports;
    rc = join(p, &piece, packed, err);
    if (rc == 0 && p->over && p->told->objects > 0)
        return DB_ENOUGH;
    return rc == 0 && (row.batch == 0 || ends_with(&piece, p->query->end)) ? end_delivery(p) : rc;
}

static int
find(struct store *store, uint32_t team, struct store_parcel *parcel, int64_t *fetched_us,
    struct err *err)
{
    int64_t numbers[2] = {0};
    bool there;
    int rc =
        NUMBERS(store, S_COLLECTION_TEAM, numbers, 2, &there, err, INT(COLLECTION_TEAM), INT(team));

    parcel->collection = rc == 0 && there ? (uint32_t)numbers[0] : 0;
    *fetched_us = numbers[1];
    return rc;
}

int
store_parcel(struct store *store, struct arena *arena, const struct store_parcel_query *query,
    struct buf *out, struct store_parcel *parcel, struct err *err)
{
    struct parcel p = {.store = store,
        .arena = arena,
        .query = query,
        .out = out,
        .told = parcel,
        .begun_n = out->n,
        .told_n = out->n};
    int64_t after_us;

    *parcel = (struct store_parcel){0};
    int rc = find(store, query->team, parcel, &after_us, err);
    if (rc == 0 && parcel->collection == 0)
        return 0;
    if (rc == 0)
        rc = whole(store, parcel->collection, query->end, &after_us, err);
    parcel->from_us = after_us;
    if (rc == 0)
        rc = EACH(store, S_PIECE_FROM, take_next, &p, err, INT(parcel->collection), INT(after_us));
    if (rc == 0)
        (void)end_delivery(&p);
    out->n = p.told_n;
    return rc;
}

/* What is passed over is settled: it never counts as delivered without a receipt. */
int
store_passed_over(struct store *store, uint32_t collection, int64_t through_us, struct err *err)
{
    int64_t marks[2] = {0}; /* fetched_us, counted_us */
    int64_t sums[2] = {0};  /* reports, last_us */
    bool there;
    int rc = NUMBERS(store, S_COLLECTION_FETCHED, marks, 2, &there, err, INT(collection));

    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no collection %u", collection);
    if (rc == 0 && through_us > marks[0])
        rc = NUMBERS(store, S_PIECE_REPORTS, sums, 2, &there, err, INT(collection), INT(marks[0]),
            INT(through_us));
    if (rc != 0 || sums[1] == 0)
        return rc;
    rc = RUN(store, S_RECEIPT_FAIL_RANGE, err, INT(collection), INT(marks[0]), INT(sums[1]));
    if (rc == 0)
        rc = RUN(store, S_PIECE_SETTLE, err, INT(collection), INT(marks[0] + 1), INT(sums[1]));
    if (rc == 0)
        rc = RUN(
            store, S_COLLECTION_FETCH, err, INT(sums[1]), INT(marks[1]), INT(0), INT(collection));
    return rc == 0 ? RUN(store, S_COLLECTION_FAIL, err, INT(sums[0]), INT(collection)) : rc;
}

int
store_not_sent(struct store *store, uint32_t collection, uint32_t reports, struct err *err)
{
    return RUN(store, S_COLLECTION_LOST, err, INT(reports), INT(collection));
}
