/* Which collections are there, who may do what with them, and what becomes of objects that are
 * posted.
 */
#include "core/collections.h"
#include "edge/taxii_pieces.h"
#include "fmt/json.h"
#include "store_ask.h"

enum { NOW = 1700000000, OUT_BYTES = 4 << 20 };

#define US(seconds) ((int64_t)(seconds)*1000000)

static const struct asker partner = {PRINCIPAL_PARTNER, 7, {"bb-node", 7}, {"bb-cert", 7}};
static const struct asker other = {PRINCIPAL_PARTNER, 8, {"cc-node", 7}, {"cc-cert", 7}};
static const struct asker analyst = {PRINCIPAL_ANALYST, 2, {"ana", 3}, {NULL, 0}};
static const struct asker reader = {PRINCIPAL_READER, 3, {"rea", 3}, {NULL, 0}};
static const struct asker nobody = {0};
static const struct collections_ways none = {0};

struct node {
    struct fixture *f;
    struct collections *c;
    struct buf out;
};

static void
begin(struct node *node, void **state)
{
    node->f = *state;
    node->out = buf_new(OUT_BYTES);
    OK(node->f, store_begin(node->f->store, &node->f->err));
    OK(node->f,
        collections_open(
            node->f->store, SPAN("node-1"), SPAN("own"), US(NOW), &node->c, &node->f->err));
    OK(node->f, store_commit(node->f->store, &node->f->err));
}

static void
end(struct node *node)
{
    collections_free(node->c);
    buf_free(&node->out);
}

static uint32_t
team_collection(struct node *node, const char *team)
{
    uint32_t number;
    uint32_t collection;

    OK(node->f, store_begin(node->f->store, &node->f->err));
    OK(node->f, store_team(node->f->store, span_of(team), &number, &node->f->err));
    OK(node->f, collections_of_team(node->c, number, US(NOW), &collection, &node->f->err));
    OK(node->f, store_commit(node->f->store, &node->f->err));
    return collection;
}

/* ---- asking ---- */

static int
ask_page(struct node *node, const struct asker *asker, const char *collection, enum page_what what,
    int64_t after_us, uint32_t limit, struct page *page)
{
    struct page_question question = {.what = (uint8_t)what,
        .collection = span_of(collection),
        .after_us = after_us,
        .limit = limit};

    node->out.n = 0;
    int rc = collections_page(node->c, asker, &question, node->f->arena, &node->out, &node->f->err);
    if (rc == 0)
        OK(node->f, page_take(node->f->arena, buf_span(&node->out), page, &node->f->err));
    return rc;
}

/* The objects of a whole collection, as a front joins them. */
static struct buf
whole(struct node *node, const struct asker *asker, const char *collection, size_t *count)
{
    struct taxii_pieces *pieces = taxii_pieces_new(1 << 20);
    struct buf text = buf_new(OUT_BYTES);
    struct page page = {.more = true};
    int64_t after = INT64_MIN;

    *count = 0;
    buf_add_char(&text, '[');
    while (page.more) {
        assert_int_equal(ask_page(node, asker, collection, PAGE_OBJECTS, after, 3, &page), 0);
        OK(node->f, taxii_pieces_join(pieces, &page, &text, &node->f->err));
        after = page.last_us;
    }
    buf_add_char(&text, ']');
    taxii_pieces_free(pieces);

    struct json *json = json_new(OUT_BYTES);
    struct json_value root;
    struct json_value item;
    struct span key;
    OK(node->f, json_parse_copy(json, buf_span(&text), &root, &node->f->err));
    for (struct json_iter it = json_iter(root); json_next(&it, &key, &item);)
        ++*count;
    json_free(json);
    return text;
}

struct result {
    bool there;
    char message[200];
};

static int
post(struct node *node, const struct asker *asker, const char *collection, const char *id,
    const char *json, int64_t version_us, struct result *result)
{
    struct page_object object = {span_of(id), version_us, 21, span_of(json), NULL};
    struct page_add_question question = {
        .collection = span_of(collection), .objects = &object, .object_count = 1};
    struct page_result *list;
    size_t count;

    node->out.n = 0;
    OK(node->f, store_begin(node->f->store, &node->f->err));
    int rc = collections_add(
        node->c, asker, &question, &none, US(NOW), node->f->arena, &node->out, &node->f->err);
    if (rc == 0) {
        struct wire_in in = wire_in(buf_span(&node->out));
        OK(node->f, page_results_take(node->f->arena, &in, &list, &count, &node->f->err));
        assert_int_equal(count, 1);
        result->there = list[0].message.n == 0;
        (void)snprintf(result->message, sizeof result->message, "%.*s", SPAN_ARGS(list[0].message));
    }
    OK(node->f, store_commit(node->f->store, &node->f->err));
    return rc;
}

#define IDENTITY "identity--0f1a7f5b-7f0e-4f0e-8f0e-000000000009"
#define ADDRESS "ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db"
#define GREEN                                                                                      \
    "\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"
#define AMBER                                                                                      \
    "\"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"
#define TOOL(number) "tool--0f1a7f5b-7f0e-4f0e-8f0e-0000000000" number
#define POSTED(number, modified, more)                                                             \
    "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"" TOOL(                                  \
        number) "\",\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"" modified             \
                "\",\"name\":\"nmap\"" more "}"
#define V1 INT64_C(1672531200000000)
#define V2 INT64_C(1672531201000000)

/* ---- tests ---- */

static void
ids_stay(void **state)
{
    struct node node;
    char id[40];
    unsigned may;

    begin(&node, state);
    (void)team_collection(&node, "bb-cert");
    const struct store_collection *at = collections_find(node.c, SPAN("community"), &partner, &may);
    assert_non_null(at);
    assert_int_equal(at->id.n, 36);
    memcpy(id, at->id.p, 36);
    collections_free(node.c);
    OK(node.f, store_begin(node.f->store, &node.f->err));
    OK(node.f,
        collections_open(
            node.f->store, SPAN("node-1"), SPAN("own"), US(NOW), &node.c, &node.f->err));
    OK(node.f, store_commit(node.f->store, &node.f->err));
    at = collections_find(node.c, (struct span){id, 36}, &partner, &may);
    assert_non_null(at);
    assert_int_equal(at->kind, COLLECTION_COMMUNITY);
    assert_true(collections_has_team(node.c, &partner));
    assert_false(collections_has_team(node.c, &other));
    end(&node);
}

static size_t
listed(struct node *node, const struct asker *asker, struct page_collection **list)
{
    size_t count;

    node->out.n = 0;
    OK(node->f,
        collections_list(node->c, asker, SPAN(""), node->f->arena, &node->out, &node->f->err));
    OK(node->f,
        page_collections_take(node->f->arena, buf_span(&node->out), list, &count, &node->f->err));
    return count;
}

static void
each_sees_its_own(void **state)
{
    struct node node;
    struct page_collection *list;
    struct page page;
    unsigned may;

    begin(&node, state);
    (void)team_collection(&node, "bb-cert");
    (void)team_collection(&node, "cc-cert");
    assert_int_equal(listed(&node, &nobody, &list), 0);
    assert_int_equal(listed(&node, &analyst, &list), 5);
    assert_int_equal(listed(&node, &partner, &list), 4);
    for (size_t i = 0; i < 4; i++) {
        if (list[i].kind == COLLECTION_TEAM)
            assert_true(span_equal(list[i].team, SPAN("bb-cert")));
        assert_int_equal(list[i].can_read, list[i].kind != COLLECTION_INTAKE);
        assert_int_equal(list[i].can_write, list[i].kind == COLLECTION_INTAKE);
    }
    assert_int_equal(listed(&node, &other, &list), 4);
    for (size_t i = 0; i < 4; i++)
        if (list[i].kind == COLLECTION_TEAM) {
            char id[37];
            (void)snprintf(id, sizeof id, "%.*s", SPAN_ARGS(list[i].id));
            assert_non_null(collections_find(node.c, span_of(id), &other, &may));
            assert_null(collections_find(node.c, span_of(id), &partner, &may));
            assert_int_equal(
                ask_page(&node, &partner, id, PAGE_OBJECTS, INT64_MIN, 10, &page), ERR_NOT_FOUND);
            assert_int_equal(ask_page(&node, &other, id, PAGE_OBJECTS, INT64_MIN, 10, &page), 0);
        }
    assert_int_equal(
        ask_page(&node, &partner, "intake", PAGE_OBJECTS, INT64_MIN, 10, &page), ERR_NOT_ALLOWED);
    assert_int_equal(ask_page(&node, &analyst, "intake", PAGE_OBJECTS, INT64_MIN, 10, &page), 0);
    assert_non_null(collections_find(node.c, SPAN("intake"), &reader, &may));
    assert_int_equal(may, COLLECTION_READ);
    end(&node);
}

/* "released" is each partner's own, and nobody's else. */
static void
a_partner_calls_its_own_released(void **state)
{
    struct node node;
    unsigned may;

    begin(&node, state);
    uint32_t bb = team_collection(&node, "bb-cert");
    uint32_t cc = team_collection(&node, "cc-cert");
    struct span name = SPAN(COLLECTION_RELEASED);
    struct span id = {NULL, 0};
    assert_int_equal(collections_find(node.c, name, &partner, &may)->number, bb);
    assert_int_equal(may, COLLECTION_READ);
    assert_int_equal(collections_find(node.c, name, &other, &may)->number, cc);
    assert_null(collections_find(node.c, name, &analyst, &may));
    assert_null(collections_find(node.c, name, &nobody, &may));
    OK(node.f, store_begin(node.f->store, &node.f->err));
    assert_int_equal(
        collections_add_shared(node.c, SPAN("t"), name, SPAN(""), &id, &node.f->err), ERR_EXISTS);
    end(&node);
}

static void
first_piece_has_what_reports_refer_to(void **state)
{
    struct node node;
    struct page_collection *list;
    char id[37] = "";
    size_t count;

    begin(&node, state);
    (void)team_collection(&node, "bb-cert");
    size_t n = listed(&node, &partner, &list);
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == COLLECTION_TEAM)
            (void)snprintf(id, sizeof id, "%.*s", SPAN_ARGS(list[i].id));
    struct buf text = whole(&node, &partner, id, &count);
    assert_int_equal(count, 10); /* five markings, identity and extensions of Comity, the origin */
    assert_non_null(memmem(text.p, text.n, "\"TLP:AMBER+STRICT\"", 18));
    assert_non_null(memmem(text.p, text.n, "extension-definition--7ea8b18b", 30));
    assert_non_null(memmem(text.p, text.n, "\"name\":\"own\"", 12));
    buf_free(&text);
    end(&node);
}

/* In the collection number AT, one piece of one object with BYTES bytes. */
static void
append_one(struct node *node, uint32_t at, const char *id, size_t bytes)
{
    char *text = calloc(1, bytes);
    const struct store_object object = {.n = (uint32_t)bytes, .id = span_of(id), .spec = 21};
    const struct store_piece piece = {
        .collection = at, .body = {text, bytes}, .objects = &object, .count = 1};
    int64_t first_us;
    size_t added;

    OK(node->f, store_begin(node->f->store, &node->f->err));
    OK(node->f, store_append(node->f->store, &piece, US(NOW), &first_us, &added, &node->f->err));
    OK(node->f, store_commit(node->f->store, &node->f->err));
    free(text);
}

static int
given(struct node *node, int64_t after_us, struct page *page)
{
    return ask_page(node, &partner, COLLECTION_RELEASED, PAGE_OBJECTS, after_us, 1000, page);
}

/* No front unpacks it: that is said of it alone, and what follows is given. */
static void
what_is_too_large_for_a_front_is_told(void **state)
{
    struct node node;
    struct page page;

    begin(&node, state);
    uint32_t at = team_collection(&node, "bb-cert");
    assert_int_equal(given(&node, INT64_MIN, &page), 0);
    int64_t before_us = page.last_us;
    append_one(&node, at, "tool--1b4e28ba-2fa1-4d52-883f-0016d3cca422", PAGE_UNPACKED_MAX + 1);
    append_one(&node, at, "tool--1b4e28ba-2fa1-4d52-883f-0016d3cca423", 200);
    assert_int_equal(given(&node, INT64_MIN, &page), 0);
    assert_true(page.more);
    assert_int_equal(given(&node, before_us, &page), ERR_LIMIT);
    assert_int_equal(given(&node, before_us + 1, &page), 0);
    assert_true(page.last_us == before_us + 2);
    end(&node);
}

static void
posted_objects_are_judged(void **state)
{
    struct node node;
    struct result result;
    size_t count;

    begin(&node, state);
    assert_int_equal(post(&node, &partner, "community", TOOL("01"),
                         POSTED("01", "2023-01-01T00:00:00.000Z", ""), V1, &result),
        ERR_NOT_ALLOWED);
    assert_int_equal(post(&node, &partner, "nowhere", TOOL("01"),
                         POSTED("01", "2023-01-01T00:00:00.000Z", ""), V1, &result),
        ERR_NOT_FOUND);
    /* AMBER goes to nobody but the node's people, GREEN to the community too. */
    assert_int_equal(post(&node, &partner, "intake", TOOL("01"),
                         POSTED("01", "2023-01-01T00:00:00.000Z", "," AMBER), V1, &result),
        0);
    assert_true(result.there);
    assert_int_equal(post(&node, &partner, "intake", TOOL("02"),
                         POSTED("02", "2023-01-01T00:00:00.000Z", "," GREEN), V1, &result),
        0);
    assert_int_equal(post(&node, &partner, "intake", TOOL("03"),
                         POSTED("03", "2023-01-01T00:00:00.000Z", ""), V1, &result),
        0);
    struct buf text = whole(&node, &other, "community", &count);
    assert_int_equal(count, 11);
    assert_non_null(memmem(text.p, text.n, TOOL("02"), strlen(TOOL("02"))));
    buf_free(&text);
    text = whole(&node, &analyst, "intake", &count);
    assert_int_equal(count, 3);
    buf_free(&text);
    /* Nobody puts a version of another team's object. */
    assert_int_equal(post(&node, &other, "intake", TOOL("02"),
                         POSTED("02", "2023-01-01T00:00:01.000Z", "," GREEN), V2, &result),
        0);
    assert_false(result.there);
    assert_non_null(strstr(result.message, "another team"));
    assert_int_equal(post(&node, &partner, "intake", TOOL("02"),
                         POSTED("02", "2023-01-01T00:00:01.000Z", "," GREEN), V2, &result),
        0);
    assert_true(result.there);
    end(&node);
}

static void
core_does_not_believe_the_front(void **state)
{
    struct node node;
    struct result result;

    begin(&node, state);
    assert_int_equal(post(&node, &analyst, "community", TOOL("01"),
                         POSTED("02", "2023-01-01T00:00:00.000Z", ""), V1, &result),
        ERR_INTERNAL);
    assert_int_equal(post(&node, &analyst, "community", TOOL("01"),
                         POSTED("01", "2023-01-01T00:00:00.000Z", ""), V2, &result),
        ERR_INTERNAL);
    assert_int_equal(
        post(&node, &analyst, "community", TOOL("01"), "{\"type\":\"tool\"", V1, &result), 0);
    assert_false(result.there);
    end(&node);
}

static struct span owner_is_dd(void *ctx, struct span identity);
static struct span
owner_is_dd(void *ctx, struct span identity)
{
    (void)ctx;
    (void)identity;
    return SPAN("dd-cert");
}
static const struct collections_ways dd = {.owner_of = owner_is_dd};

/* What became of one object that the partner posts to the intake, where every identity is
 * dd-cert's. */
static struct span
told_of(struct node *node, const char *id, int64_t version_us, const char *json)
{
    struct page_object object = {span_of(id), version_us, 21, span_of(json), NULL};
    struct page_add_question question = {
        .collection = SPAN("intake"), .objects = &object, .object_count = 1};
    struct page_result *list;
    size_t count;

    node->out.n = 0;
    OK(node->f, store_begin(node->f->store, &node->f->err));
    OK(node->f,
        collections_add(
            node->c, &partner, &question, &dd, US(NOW), node->f->arena, &node->out, &node->f->err));
    OK(node->f, store_commit(node->f->store, &node->f->err));
    struct wire_in in = wire_in(buf_span(&node->out));
    OK(node->f, page_results_take(node->f->arena, &in, &list, &count, &node->f->err));
    assert_int_equal(count, 1);
    return list[0].message;
}

static void
nobody_speaks_for_another_team(void **state)
{
    struct node node;

    begin(&node, state);
    struct span told = told_of(&node, TOOL("01"), V1,
        POSTED("01", "2023-01-01T00:00:00.000Z", ",\"created_by_ref\":\"" IDENTITY "\""));
    assert_non_null(memmem(told.p, told.n, "dd-cert", 7));
    told = told_of(&node, IDENTITY, V1,
        "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" IDENTITY
        "\",\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\","
        "\"name\":\"not dd\",\"identity_class\":\"organization\"," GREEN "}");
    assert_non_null(memmem(told.p, told.n, "dd-cert", 7));
    end(&node);
}

static void
definitions_are_the_nodes_own(void **state)
{
    struct node node;
    size_t count;

    begin(&node, state);
    struct span told =
        told_of(&node, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", V1,
            "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":"
            "\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\",\"created\":"
            "\"2023-01-01T00:00:00.000Z\",\"name\":\"do as you like\"}");
    assert_int_equal(told.n, 0);
    struct buf text = whole(&node, &analyst, "intake", &count);
    assert_int_equal(count, 0);
    buf_free(&text);
    end(&node);
}

/* Observables have the same id at every team: who posts one learns nothing of who did before. */
static void
observables_are_nobodys(void **state)
{
    static const char address[] =
        "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"" ADDRESS
        "\",\"value\":\"198.51.100.7\"}";
    struct node node;
    struct result result;
    size_t count;

    begin(&node, state);
    OK(node.f, post(&node, &partner, "intake", ADDRESS, address, 0, &result));
    assert_true(result.there);
    OK(node.f, post(&node, &other, "intake", ADDRESS, address, 0, &result));
    assert_true(result.there);
    struct buf text = whole(&node, &analyst, "intake", &count);
    assert_int_equal(count, 1);
    buf_free(&text);
    end(&node);
}

static void
agreements_are_not_for_the_community(void **state)
{
    static const char id[] = "csirt-agreement--0f1a7f5b-7f0e-4f0e-8f0e-000000000001";
    struct node node;
    struct result result;
    size_t count;

    begin(&node, state);
    OK(node.f,
        post(&node, &partner, "intake", id,
            "{\"type\":\"csirt-agreement\",\"spec_version\":\"2.1\",\"id\":"
            "\"csirt-agreement--0f1a7f5b-7f0e-4f0e-8f0e-000000000001\",\"created\":"
            "\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\"," GREEN "}",
            V1, &result));
    assert_true(result.there);
    struct buf text = whole(&node, &other, "community", &count);
    assert_null(memmem(text.p, text.n, id, strlen(id)));
    buf_free(&text);
    end(&node);
}

static void
status_is_its_askers(void **state)
{
    struct node node;
    struct page_result results[2] = {
        {SPAN(TOOL("01")), SPAN("2023-01-01T00:00:00.000Z"), {NULL, 0}},
        {{NULL, 0}, {NULL, 0}, SPAN("no id")}};
    struct page_add_question question = {
        .collection = SPAN("intake"), .since_us = US(NOW), .results = results, .result_count = 2};
    char id[37];

    begin(&node, state);
    OK(node.f, store_begin(node.f->store, &node.f->err));
    OK(node.f,
        collections_add(
            node.c, &partner, &question, &none, US(NOW), node.f->arena, &node.out, &node.f->err));
    OK(node.f, store_commit(node.f->store, &node.f->err));
    assert_non_null(memmem(node.out.p, node.out.n, "\"total_count\":2,\"success_count\":1", 33));
    memcpy(id, memmem(node.out.p, node.out.n, "\"id\":\"", 6) + 6, 36);
    id[36] = '\0';
    struct buf first = node.out;
    node.out = buf_new(OUT_BYTES);
    OK(node.f,
        collections_status(node.c, &partner, span_of(id), node.f->arena, &node.out, &node.f->err));
    assert_true(span_equal(buf_span(&first), buf_span(&node.out)));
    assert_int_equal(
        collections_status(node.c, &other, span_of(id), node.f->arena, &node.out, &node.f->err),
        ERR_NOT_FOUND);
    assert_int_equal(
        collections_status(node.c, &partner, SPAN("x"), node.f->arena, &node.out, &node.f->err),
        ERR_NOT_FOUND);
    buf_free(&first);
    end(&node);
}

static void
removed_by_own_people_only(void **state)
{
    struct node node;
    struct result result;
    struct span id = SPAN(TOOL("01"));
    struct page page;
    struct page_question question = {
        .collection = SPAN("shared-1"), .after_us = INT64_MIN, .limit = 10};
    struct span made = {NULL, 0};

    begin(&node, state);
    OK(node.f, store_begin(node.f->store, &node.f->err));
    OK(node.f,
        collections_add_shared(
            node.c, SPAN("Shared"), SPAN("shared-1"), SPAN(""), &made, &node.f->err));
    assert_int_equal(collections_add_shared(
                         node.c, SPAN("Shared"), SPAN("shared-1"), SPAN(""), &made, &node.f->err),
        ERR_EXISTS);
    assert_int_equal(
        collections_add_shared(node.c, SPAN("S"), SPAN("a/b"), SPAN(""), &made, &node.f->err),
        ERR_BAD_NAME);
    OK(node.f, store_commit(node.f->store, &node.f->err));
    assert_int_equal(post(&node, &partner, "shared-1", TOOL("01"),
                         POSTED("01", "2023-01-01T00:00:00.000Z", ""), V1, &result),
        0);
    assert_true(result.there);
    question.filter.ids = &id;
    question.filter.id_count = 1;
    question.filter.all = true;
    OK(node.f, store_begin(node.f->store, &node.f->err));
    assert_int_equal(collections_remove(node.c, &partner, &question, node.f->arena, &node.f->err),
        ERR_NOT_ALLOWED);
    OK(node.f, collections_remove(node.c, &analyst, &question, node.f->arena, &node.f->err));
    assert_int_equal(collections_remove(node.c, &analyst, &question, node.f->arena, &node.f->err),
        ERR_NOT_FOUND);
    OK(node.f, store_commit(node.f->store, &node.f->err));
    assert_int_equal(ask_page(&node, &partner, "shared-1", PAGE_MANIFEST, INT64_MIN, 10, &page), 0);
    assert_int_equal(page.row_count, 0);
    end(&node);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(ids_stay),
        ASK_TEST(each_sees_its_own),
        ASK_TEST(a_partner_calls_its_own_released),
        ASK_TEST(first_piece_has_what_reports_refer_to),
        ASK_TEST(what_is_too_large_for_a_front_is_told),
        ASK_TEST(posted_objects_are_judged),
        ASK_TEST(core_does_not_believe_the_front),
        ASK_TEST(nobody_speaks_for_another_team),
        ASK_TEST(definitions_are_the_nodes_own),
        ASK_TEST(observables_are_nobodys),
        ASK_TEST(agreements_are_not_for_the_community),
        ASK_TEST(status_is_its_askers),
        ASK_TEST(removed_by_own_people_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
