/* verdicts.c: what does Comity say to these cases? One JSON object an input, one line each.
 * A case is one line: {"teams", "agreements" (texts), "feeds" (text), "inputs"}; see oracle.py. */
#include "flow/agreements.h"
#include "flow/decide.h"
#include "flow/feeds.h"
#include "fmt/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { CASE_BYTES_MAX = 64 << 20, ARENA_BYTES = 256 << 20, TEXTS_MAX = 4096 };

struct world {
    struct arena *arena;
    struct policy_team *teams;
    size_t team_count;
    struct feeds feeds;
    struct agreement_set set;
    struct policy *policy;
    struct json_value inputs;
};

static _Noreturn void
stop(const char *what)
{
    (void)fprintf(stderr, "verdicts: %s\n", what);
    exit(2);
}

static struct json_value
member(struct json_value v, const char *key)
{
    struct json_value out;

    if (!json_get(v, key, &out))
        stop(key);
    return out;
}

static size_t
length(struct json_value v)
{
    struct json_value item;
    struct span none;
    size_t n = 0;

    for (struct json_iter it = json_iter(v); json_next(&it, &none, &item);)
        n++;
    return n;
}

static bool
is_true(struct json_value v, const char *key)
{
    return json_type(member(v, key)) == JSON_TRUE;
}

static void
read_team(struct world *w, struct json_value v, struct policy_team *team)
{
    struct json_value item;
    struct span none;
    struct json_value list = member(v, "economies");
    struct economy *economies = arena_zalloc(w->arena, length(list), sizeof *economies);

    team->id = json_string(member(v, "id"));
    team->economies = economies;
    for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);)
        economies[team->economy_count++] = economy_find(json_string(item));
    team->channels = (struct team_channels){true, is_true(v, "encrypted"), is_true(v, "receipt")};
}

static void
read_agreements(struct world *w, struct json_value list)
{
    static struct span texts[TEXTS_MAX];
    static const char *names[TEXTS_MAX];
    static char room[TEXTS_MAX][8];
    struct json_value item;
    struct span none;
    struct err err;
    size_t n = 0;

    for (struct json_iter it = json_iter(list); n < TEXTS_MAX && json_next(&it, &none, &item);
         n++) {
        texts[n] = json_string(item);
        (void)snprintf(room[n], sizeof room[n], "%zu", n);
        names[n] = room[n];
    }
    struct agreement_set documents;
    if (agreements_parse(w->arena, texts, names, n, &documents, &err) != 0
        || agreements_join(w->arena, &documents, &w->feeds.conditions, &w->set, &err) != 0)
        stop(err.msg);
}

static void
read_world(struct world *w, struct json_value root)
{
    struct json_value list = member(root, "teams");
    struct json_value item;
    struct span none;
    struct err err;

    w->teams = arena_zalloc(w->arena, length(list), sizeof *w->teams);
    for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);)
        read_team(w, item, &w->teams[w->team_count++]);
    if (feeds_parse(w->arena, json_string(member(root, "feeds")), "feeds", &w->feeds, &err) != 0)
        stop(err.msg);
    read_agreements(w, member(root, "agreements"));
    if (policy_compile(&w->set, w->teams, w->team_count, &w->policy, &err) != 0)
        stop(err.msg);
    w->inputs = member(root, "inputs");
}

static struct team_id
team_of(const struct world *w, struct json_value name)
{
    for (size_t i = 0; json_type(name) == JSON_STRING && i < w->team_count; i++)
        if (span_equal(w->teams[i].id, json_string(name)))
            return (struct team_id){(uint32_t)i + 1};
    return (struct team_id){0};
}

static uint8_t
onward_of(struct json_value v)
{
    static const char *const words[] = {"none", "constituency", "party", "tlp"};

    for (uint8_t i = 0; json_type(v) == JSON_STRING && i < 4; i++)
        if (span_equal(json_string(v), span_of(words[i])))
            return i;
    return 0;
}

static struct decide_input
read_input(const struct world *w, struct json_value v)
{
    struct json_value provider = member(v, "provider");
    struct json_value tlp = member(v, "tlp");
    struct span name = json_type(provider) == JSON_STRING ? json_string(provider) : SPAN("");

    return (struct decide_input){
        .origin = team_of(w, member(v, "origin")),
        .recipient = team_of(w, member(v, "recipient")),
        .provider = policy_provider(w->policy, name),
        .classification = (uint8_t)classification_find(json_string(member(v, "type"))),
        .tlp = (uint8_t)(json_type(tlp) == JSON_STRING ? tlp_find(json_string(tlp))
                                                       : feeds_tlp(&w->feeds, name)),
        .from_partner = json_type(member(v, "onward")) == JSON_STRING,
        .onward = onward_of(member(v, "onward")),
        .recipient_in_constituency = is_true(v, "in_constituency"),
        .recipient_is_party = is_true(v, "is_party"),
        .clock_trusted = is_true(v, "clock"),
        .at_us = json_int(member(v, "at_us")),
    };
}

static void
print_clauses(const struct world *w, const struct verdict *v)
{
    struct buf text = buf_new(1 << 20);
    size_t n = v->clause_count < VERDICT_CLAUSES_MAX ? v->clause_count : VERDICT_CLAUSES_MAX;

    for (size_t i = 0; i < n; i++) {
        struct buf name = buf_new(1 << 16);
        const struct agreement *a = policy_agreement(w->policy, v->clauses[i]);
        buf_add_span(&name, a->kind == AGREEMENT_FEED ? a->id : a->file);
        buf_add_char(&name, '#');
        buf_add_span(&name, policy_clause(w->policy, v->clauses[i])->id);
        if (i > 0)
            buf_add_char(&text, ',');
        json_add_string(&text, buf_span(&name));
        buf_free(&name);
    }
    (void)printf("\"clauses\":[%.*s]", (int)text.n, text.p == NULL ? "" : text.p);
    buf_free(&text);
}

static void
print_verdict(const struct world *w, const struct verdict *v)
{
    static const char *const onward[] = {"none", "constituency", "party", "tlp"};

    (void)printf("{\"effect\":\"%s\",\"reason\":\"%s\",\"treatment\":{",
        effect_word((enum effect)v->effect), reason_word((enum reason)v->reason));
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        (void)printf("%s\"%s\":\"%s\"", c > 0 ? "," : "", field_class_word((enum field_class)c),
            treatment_word(verdict_treatment(v, (enum field_class)c)));
    (void)printf(
        "},\"encrypted\":%s,\"receipt\":%s,\"retention\":%u,\"onward\":\"%s\",\"count\":%u,",
        v->require_encrypted ? "true" : "false", v->require_receipt ? "true" : "false",
        v->retention_days, onward[v->onward], v->clause_count);
    print_clauses(w, v);
    (void)printf("}\n");
}

static void
run_case(struct json *json, struct span line)
{
    struct json_value root = {0};
    struct json_value item;
    struct span none;
    struct err err;
    struct world w = {.arena = arena_new(ARENA_BYTES)};

    if (w.arena == NULL || json_parse_copy(json, line, &root, &err) != 0)
        stop(w.arena == NULL ? "no memory" : err.msg);
    read_world(&w, root);
    for (struct json_iter it = json_iter(w.inputs); json_next(&it, &none, &item);) {
        struct decide_input input = read_input(&w, item);
        struct verdict verdict;
        decide(w.policy, &input, &verdict);
        print_verdict(&w, &verdict);
    }
    policy_free(w.policy);
    arena_free(w.arena);
}

int
main(void)
{
    struct json *json = json_new(CASE_BYTES_MAX);
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    while (json != NULL && (n = getline(&line, &size, stdin)) > 0)
        run_case(json, (struct span){line, (size_t)n});
    free(line);
    json_free(json);
    return 0;
}
