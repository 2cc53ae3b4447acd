#include "core/crossing.h"

#include "core/id.h"
#include "flow/ledger_delivered.h"
#include "store/receipt.h"

enum { NAMED_BYTES = 1024 };

static int
place_of(
    struct store *store, struct arena *arena, struct span id, struct id_place *out, struct err *err)
{
    struct id_key key;
    struct span bytes;
    int rc = store_get(store, arena, "id-key", &bytes, err);

    if (rc == 0 && bytes.n != sizeof key.bytes)
        rc = err_set(err, ERR_BAD_STORE, "the store has no key of its ids");
    if (rc != 0)
        return rc;
    memcpy(key.bytes, bytes.p, sizeof key.bytes);
    return id_read(&key, id, out, err);
}

static bool
has_place(const struct store_delivery *delivery, uint32_t place)
{
    uint64_t index;

    return delivery->collection != 0 && ledger_delivered_index(delivery, place, &index);
}

/* What a team had already goes to it once more only to be taken back. */
static bool
is_recall(const struct store_delivery *list, size_t i, uint32_t place)
{
    for (size_t k = 0; k < i; k++)
        if (list[k].team == list[i].team && has_place(&list[k], place))
            return true;
    return false;
}

/* How many are meant; AT is the last, NAMED gets the teams of all. */
static size_t
choose(const struct store *store, const struct store_delivery *list, size_t count, uint32_t place,
    const struct crossing_wanted *wanted, size_t *at, struct buf *named)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct span team = store_team_id(store, list[i].team);
        if (!has_place(&list[i], place) || is_recall(list, i, place) != wanted->recall
            || (wanted->to.n > 0 && !span_equal(team, wanted->to)))
            continue;
        *at = i;
        buf_add_text(named, found++ > 0 ? ", " : "");
        buf_add_span(named, team);
    }
    return found;
}

int
crossing_find(struct store *store, struct arena *arena, const struct crossing_wanted *wanted,
    struct crossing *out, struct buf *bytes, struct err *err)
{
    struct buf named = buf_new(NAMED_BYTES);
    struct store_delivery *list;
    struct id_place place;
    size_t count = 0;
    size_t at = 0;
    int rc = place_of(store, arena, wanted->id, &place, err);

    if (rc == 0)
        rc = store_deliveries(store, arena, place.batch, &list, &count, err);
    size_t found = rc == 0 ? choose(store, list, count, place.place, wanted, &at, &named) : 0;
    if (rc == 0 && found == 0)
        rc = err_set(err, ERR_NOT_FOUND,
            "the ledger has no %s of %.*s%s%.*s that can still be proven",
            wanted->recall ? "recall" : "delivery", SPAN_ARGS(wanted->id),
            wanted->to.n > 0 ? " to " : "", SPAN_ARGS(wanted->to));
    if (rc == 0 && found > 1)
        rc = err_set(err, ERR_USAGE, "%.*s was delivered to several: say to which: %.*s",
            SPAN_ARGS(wanted->id), (int)named.n, named.p);
    buf_free(&named);
    if (rc != 0)
        return rc;
    out->entry = list[at].entry;
    out->team = list[at].team;
    (void)ledger_delivered_index(&list[at], place.place, &out->item.index);
    return ledger_delivered_items(store, arena, &list[at], &out->item, bytes, err);
}

int
crossing_receipt(
    struct store *store, struct arena *arena, uint64_t entry, struct span *out, struct err *err)
{
    struct store_receipt receipt;
    int rc = store_receipt_by_entry(store, arena, entry, &receipt, err);

    *out = (struct span){NULL, 0};
    if (rc == 0 && receipt.state == STORE_RECEIPT_RIGHT)
        *out = receipt.note;
    return rc == ERR_NOT_FOUND ? 0 : rc;
}
