/* taxii_fill: puts COUNT objects, as they are released, into a collection of a node that does not
 * run.
 *
 * usage: taxii_fill HOME ALIAS COUNT
 */
#include "fmt/stix_words.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE_BYTES = 128 * 1024, PIECE_OBJECTS = 4096, COMMIT_PIECES = 64, ID_ROOM = 64 };
#define START_US INT64_C(1700000000000000)

struct filling {
    struct store *store;
    uint32_t collection;
    struct buf body;
    struct store_object objects[PIECE_OBJECTS];
    char ids[PIECE_OBJECTS][ID_ROOM];
    size_t count;
    uint64_t pieces;
};

static _Noreturn void
fail(const char *what)
{
    (void)fprintf(stderr, "taxii_fill: %s\n", what);
    exit(2);
}

static void
append(struct filling *f)
{
    struct err err;
    int64_t first;
    size_t added;
    const struct store_piece piece = {.collection = f->collection,
        .body = buf_span(&f->body),
        .objects = f->objects,
        .count = f->count};

    if (f->count == 0)
        return;
    if (f->body.full || store_append(f->store, &piece, START_US, &first, &added, &err) != 0)
        fail(err.msg);
    if (++f->pieces % COMMIT_PIECES == 0 && store_commit(f->store, &err) != 0)
        fail(err.msg);
    f->body.n = 0;
    f->count = 0;
}

/* An address, then what was observed of it. */
static void
add(struct filling *f, uint64_t n)
{
    struct store_object *object = &f->objects[f->count];
    char *id = f->ids[f->count++];
    unsigned long long pair = n / 2;

    if (f->body.n > 0)
        buf_add_char(&f->body, ',');
    object->at = (uint32_t)f->body.n;
    (void)snprintf(id, ID_ROOM,
        n % 2 == 0 ? "ipv4-addr--%08llx-7f0e-5f0e-8f0e-%012llx"
                   : "observed-data--%08llx-7f0e-4f0e-8f0e-%012llx",
        pair * 2654435761u & 0xffffffff, pair);
    buf_format(&f->body, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\",",
        n % 2 == 0 ? "ipv4-addr" : "observed-data", id);
    if (n % 2 == 0)
        buf_format(&f->body, "\"value\":\"%llu.%llu.%llu.%llu\"}", 1 + pair % 223, pair / 223 % 256,
            pair / 57088 % 256, pair % 251);
    else
        buf_format(&f->body,
            "\"created\":\"2026-11-25T08:%02llu:%02llu.%03lluZ\",\"modified\":\"2026-11-25T08:15:"
            "00.000Z\","
            "\"created_by_ref\":\"identity--8611aa5f-7402-4fea-8e01-106aae7187ba\","
            "\"first_observed\":\"2026-11-25T08:00:00.000Z\",\"last_observed\":\"2026-11-25T08:00:"
            "00.000Z\","
            "\"number_observed\":1,\"object_refs\":[\"%s\"],"
            "\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"
            ","
            "\"extensions\":{\"" STIX_COMITY_EXTENSION
            "\":{\"extension_type\":\"property-extension\",\"time\":\"source\",\"classification\":"
            "{\"type\":\"scanner\"},\"provider\":\"Feed "
            "%llu\",\"attribution\":{\"rule\":\"economy\","
            "\"asn\":%llu,\"economy\":\"SE\"},\"clauses\":[\"urn:uuid:0b6d3b0e-8a52-4f7e-8f57-"
            "2f3a1b6f0d11#3.1\"]}}}",
            pair / 60 % 60, pair % 60, pair % 1000, f->ids[f->count - 2], pair % 7,
            64496 + pair % 1000);
    object->n = (uint32_t)f->body.n - object->at;
    object->id = (struct span){id, strlen(id)};
    object->version_us = n % 2 == 0 ? 0 : START_US;
    object->spec = 21;
    if (n % 2 == 1 && (f->body.n >= PIECE_BYTES || f->count + 2 > PIECE_OBJECTS))
        append(f);
}

static uint32_t
find(struct store *store, struct span alias)
{
    struct arena *arena = arena_new((size_t)1 << 20);
    struct store_collection *list;
    struct err err;
    size_t count;
    uint32_t number = 0;

    if (arena == NULL || store_collections(store, arena, &list, &count, &err) != 0)
        fail("no collections");
    for (size_t i = 0; i < count; i++)
        if (span_equal(list[i].alias, alias))
            number = list[i].number;
    arena_free(arena);
    return number;
}

int
main(int argc, char **argv)
{
    struct filling *f = calloc(1, sizeof *f);
    struct err err;

    if (argc != 4 || f == NULL)
        fail("usage: taxii_fill HOME ALIAS COUNT");
    if (store_open(argv[1], STORE_WRITE, &f->store, &err) != 0)
        fail(err.msg);
    f->collection = find(f->store, span_of(argv[2]));
    if (f->collection == 0)
        fail("no such collection");
    f->body = buf_new((size_t)4 * PIECE_BYTES);
    uint64_t count = strtoull(argv[3], NULL, 10);
    for (uint64_t n = 0; n < count; n++)
        add(f, n);
    append(f);
    if (store_changing(f->store) && store_commit(f->store, &err) != 0)
        fail(err.msg);
    store_close(f->store);
    buf_free(&f->body);
    free(f);
    return 0;
}
