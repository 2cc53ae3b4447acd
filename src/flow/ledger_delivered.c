#include "flow/ledger_delivered.h"

#include "fmt/json.h"
#include "store/pack.h"

enum { PAGE_ROWS = 1000, PAGE_ARENA_BYTES = 512 << 20 };

bool
ledger_delivered_place(const struct store_delivery *delivery, uint64_t index, uint32_t *place)
{
    const unsigned char *p = (const unsigned char *)delivery->places.p;

    if (index >= delivery->places.n / 2)
        return false;
    *place = (uint32_t)(p[2 * index] | p[2 * index + 1] << 8);
    return true;
}

bool
ledger_delivered_index(const struct store_delivery *delivery, uint32_t place, uint64_t *index)
{
    uint32_t at;

    for (*index = 0; ledger_delivered_place(delivery, *index, &at); ++*index)
        if (at == place)
            return true;
    return false;
}

struct reading {
    struct store *store;
    struct packer *packer;
    struct json *parser;
    struct arena *page; /* one page's */
    struct buf canonical;
    struct ledger_prove_item *out;
    size_t room;
    struct buf *item;
};

/* The next object of TEXT, a list with commas; these are outside of all strings and brackets. */
static bool
next_object(struct span *text, struct span *object)
{
    size_t depth = 0;
    bool string = false;
    size_t i = 0;

    if (text->n == 0)
        return false;
    for (; i < text->n; i++) {
        char c = text->p[i];
        if (string && c == '\\')
            i++;
        else if (c == '"')
            string = !string;
        else if (!string && (c == '{' || c == '['))
            depth++;
        else if (!string && (c == '}' || c == ']'))
            depth--;
        else if (!string && c == ',' && depth == 0)
            break;
    }
    i = i < text->n ? i : text->n;
    *object = (struct span){text->p, i};
    size_t skip = i < text->n ? i + 1 : i;
    *text = (struct span){text->p + skip, text->n - skip};
    return true;
}

static int
add_item(struct reading *r, struct span object, struct err *err)
{
    struct merkle_nodes *nodes = &r->out->nodes;
    struct items_salt salt;

    if (nodes->count == r->room)
        return err_set(err, ERR_BAD_STORE, "more is there than was delivered");
    r->canonical.n = 0;
    int rc = items_canonical_with(r->parser, object, &r->canonical, err);
    if (rc != 0)
        return rc;
    if (nodes->count == r->out->index)
        buf_add_span(r->item, buf_span(&r->canonical));
    items_salt_of(&r->out->salt, nodes->count, &salt);
    items_leaf(&salt, buf_span(&r->canonical), &nodes->hashes[nodes->count++]);
    return 0;
}

static int
add_run(struct reading *r, const struct store_run *run, struct err *err)
{
    struct span body = {NULL, 0};
    struct span object;
    int rc = pack_open(r->packer, r->page, run->packed, run->raw_bytes, &body, err);

    if (rc == 0 && (run->begin > run->end || run->end > body.n))
        rc = err_set(err, ERR_BAD_STORE, "a piece is shorter than its objects");
    if (rc != 0)
        return rc;
    struct span objects = {body.p + run->begin, run->end - run->begin};
    while (rc == 0 && next_object(&objects, &object))
        rc = add_item(r, object, err);
    return rc;
}

/* Pages may reach beyond the delivery: their rows say how many objects are still its own. */
static int
read_all(struct reading *r, const struct store_delivery *d, struct err *err)
{
    static const struct span types[] = {{"observed-data", 13}, {"note", 4}};
    struct store_page_query query = {.collection = d->collection,
        .after_us = d->first_us - 1,
        .types = types,
        .type_count = 2,
        .versions = VERSIONS_ALL};
    struct store_page page = {.more = true};
    int rc = 0;

    while (rc == 0 && page.more && r->out->nodes.count < r->room) {
        size_t missing = r->room - r->out->nodes.count;
        query.limit = missing < PAGE_ROWS ? (uint32_t)missing : PAGE_ROWS;
        arena_reset(r->page);
        rc = store_page(r->store, r->page, &query, &page, err);
        if (rc == 0 && page.row_count > 0)
            query.after_us = page.rows[page.row_count - 1].added_us;
        if (rc == 0 && (page.row_count == 0 || query.after_us > d->last_us))
            break;
        for (size_t i = 0; rc == 0 && i < page.run_count; i++)
            rc = add_run(r, &page.runs[i], err);
    }
    if (rc == 0 && r->out->nodes.count < r->room)
        return err_set(err, ERR_NOT_FOUND,
            "what was delivered is not all there any more: its time is over, or it was removed");
    return rc;
}

int
ledger_delivered_items(struct store *store, struct arena *arena,
    const struct store_delivery *delivery, struct ledger_prove_item *out, struct buf *item,
    struct err *err)
{
    struct reading r = {.store = store,
        .packer = packer_new(),
        .parser = json_new(ITEMS_BYTES_MAX),
        .page = arena_new(PAGE_ARENA_BYTES),
        .canonical = buf_new(ITEMS_BYTES_MAX),
        .out = out,
        .room = delivery->places.n / 2,
        .item = item};
    int rc = 0;

    memcpy(out->salt.bytes, delivery->salt, sizeof out->salt.bytes);
    out->nodes = (struct merkle_nodes){arena_zalloc(arena, 2 * r.room + 1, MERKLE_HASH_BYTES), 0};
    if (out->nodes.hashes == NULL)
        rc = arena_full(err, "the items of a batch");
    else if (r.packer == NULL || r.parser == NULL || r.page == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read what was delivered");
    if (rc == 0)
        rc = read_all(&r, delivery, err);
    if (rc == 0)
        merkle_nodes_fill(&out->nodes);
    packer_free(r.packer);
    json_free(r.parser);
    arena_free(r.page);
    buf_free(&r.canonical);
    return rc == 0 ? buf_check(item, "an item", err) : rc;
}
