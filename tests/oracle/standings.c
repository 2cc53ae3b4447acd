/* Agreements between nodes as the program keeps and judges them, for tests/oracle/standings.py.
 *
 * usage: oracle-standings FOLDER < script. The register in FOLDER is south.test's; the one
 * agreement is of south.test, north.test and east.test. Lines, times in microseconds: event TEAM
 * SIGNER TYPE TIME AT   what TEAM did, signed by SIGNER's key: event 0, 1, ... come NOW SENDER
 * TEAMS EVENTS     SENDER shows the document, signed by TEAMS, with EVENTS (lists with commas; -
 * for none): "taken N" (lines of the journal), or the error's word do NOW TYPE AT what south.test
 * does itself: "done", or the error's word sign NOW                         the same ask AT how it
 * stands: "proposed", ...; "unknown"
 */
#include "flow/agreement_foreign.h"
#include "flow/agreements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEAMS = 4, EVENTS_MAX = 256, LINE_BYTES = 4096 };
static const char *const names[TEAMS] = {"south.test", "north.test", "east.test", "west.test"};
static const char text[] =
    "{\"id\":\"urn:uuid:6f0a6f9e-0000-4000-8000-000000000001\",\"title\":\"T\","
    "\"kind\":\"multilateral\",\"parties\":[\"north.test\",\"south.test\",\"east.test\"],"
    "\"valid_from\":\"1970-01-01\",\"valid_until\":\"2100-01-01\",\"clauses\":[]}";

struct world {
    const char *home;
    struct arena *arena;
    struct registry *registry;
    struct agreement_key keys[TEAMS];
    struct agreement document;
    struct journal_told events[EVENTS_MAX];
    size_t count;
};

static void
must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "oracle-standings: %s\n", err->msg);
    exit(1);
}

static void
reopen(struct world *w)
{
    struct err err;
    bool made;

    registry_close(w->registry);
    must(registry_open(w->home, REGISTRY_WRITE, NULL, &w->registry, &err), &err);
    must(registry_name(w->registry, names[0], &err), &err);
    must(registry_key(w->registry, &w->keys[0], &made, &err), &err);
}

static void
begin(struct world *w)
{
    static const char *const name = "document";
    const struct span whole = span_of(text);
    struct agreement_set set;
    struct err err;

    w->arena = arena_new((size_t)256 << 20);
    reopen(w);
    for (uint8_t i = 1; i < TEAMS; i++) {
        uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {i};
        agreement_sign_key(seed, &w->keys[i]);
        if (i < 3) /* west.test's is not known */
            must(registry_trust(w->registry, names[i], w->keys[i].public, &err), &err);
    }
    must(agreements_parse(w->arena, &whole, &name, 1, &set, &err), &err);
    w->document = set.agreements[0];
}

static int
team_of(const char *name)
{
    for (int i = 0; i < TEAMS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    exit(1);
}

static uint8_t
type_of(const char *word)
{
    for (uint8_t i = 0; i < JOURNAL_TYPE_COUNT; i++)
        if (strcmp(journal_words[i], word) == 0)
            return i;
    exit(1);
}

static void
add_event(struct world *w, char **word)
{
    char digest[AGREEMENT_SIGN_HEX];
    struct buf line = buf_new(1 << 16);
    struct json *json = json_new(1 << 16);
    struct json_value root;
    struct err err;

    agreement_sign_digest(w->document.text, digest);
    const struct journal_event event = {.type = type_of(word[3]),
        .agreement = w->document.id,
        .digest = span_of(digest),
        .by = span_of(names[team_of(word[1])]),
        .time_us = atoll(word[4]),
        .at_us = atoll(word[5])};
    must(journal_line(SPAN("00"), &event, &w->keys[team_of(word[2])], &line, &err), &err);
    line.n--;
    must(json_parse_copy(json, buf_span(&line), &root, &err), &err);
    must(journal_told_read(w->arena, root, &w->events[w->count++], &err), &err);
    json_free(json);
    buf_free(&line);
}

static void
sign_by(struct world *w, char *list)
{
    struct agreement_signature *rows = arena_zalloc(w->arena, TEAMS, sizeof *rows);
    char *rest = NULL;
    struct err err;

    w->document.signatures = rows;
    w->document.signature_count = 0;
    for (char *one = strtok_r(list, ",", &rest); one != NULL && one[0] != '-';
         one = strtok_r(NULL, ",", &rest)) {
        int team = team_of(one);
        must(agreement_sign(w->arena, &w->document, span_of(names[team]), 1, &w->keys[team],
                 &rows[w->document.signature_count++], &err),
            &err);
    }
}

static size_t
choose(const struct world *w, char *list, struct journal_told *out)
{
    size_t count = 0;
    char *rest = NULL;

    for (char *one = strtok_r(list, ",", &rest); one != NULL && one[0] != '-';
         one = strtok_r(NULL, ",", &rest))
        out[count++] = w->events[atoi(one)];
    return count;
}

static void
say(struct world *w, int rc, const char *good)
{
    (void)puts(rc == 0 ? good : err_word((enum err_code)rc));
    reopen(w);
}

static void
come(struct world *w, char **word)
{
    static struct journal_told chosen[EVENTS_MAX];
    struct foreign_news news;
    struct err err;
    char taken[32];

    sign_by(w, word[3]);
    const struct foreign_word said = {.own = span_of(names[0]),
        .sender = span_of(names[team_of(word[2])]),
        .document = &w->document,
        .events = chosen,
        .event_count = choose(w, word[4], chosen),
        .now_us = atoll(word[1])};
    size_t before = w->registry->journal.count;
    int rc = agreement_foreign_look(w->registry, w->arena, &said, &news, &err);
    if (rc == 0)
        rc = agreement_foreign_keep(w->registry, w->arena, &said, &news, &w->keys[0], &err);
    if (rc == 0)
        rc = registry_settle(w->registry, &err);
    (void)snprintf(taken, sizeof taken, "taken %zu", w->registry->journal.count - before);
    say(w, rc, taken);
}

static void
act(struct world *w, char **word)
{
    struct agreement_taken taken;
    struct err err;
    int64_t now_us = atoll(word[1]);
    int rc;

    w->document.signature_count = 0;
    if (strcmp(word[0], "sign") == 0) {
        rc = agreement_life_take(
            w->registry, w->arena, &w->document, false, now_us, &w->keys[0], &taken, &err);
        say(w, rc, "done");
        return;
    }
    const struct agreement_change change = {
        .type = type_of(word[2]), .now_us = now_us, .at_us = atoll(word[3])};
    rc = w->registry->count == 0
        ? ERR_NOT_FOUND
        : agreement_life_change(w->registry, 0, &change, &w->keys[0], &err);
    say(w, rc, "done");
}

static void
ask(const struct world *w, char **word)
{
    (void)puts(w->registry->count == 0
            ? "unknown"
            : standing_words[registry_standing(w->registry, 0, atoll(word[1]))]);
}

int
main(int argc, char **argv)
{
    static struct world w;
    char line[LINE_BYTES];
    char *word[8];

    if (argc != 2)
        return 1;
    w.home = argv[1];
    begin(&w);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = NULL;
        size_t count = 0;
        for (char *one = strtok_r(line, " \n", &rest); one != NULL && count < 8;
             one = strtok_r(NULL, " \n", &rest))
            word[count++] = one;
        if (strcmp(word[0], "event") == 0)
            add_event(&w, word);
        else if (strcmp(word[0], "come") == 0)
            come(&w, word);
        else if (strcmp(word[0], "ask") == 0)
            ask(&w, word);
        else
            act(&w, word);
    }
    registry_close(w.registry);
    arena_free(w.arena);
    return 0;
}
