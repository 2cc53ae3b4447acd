/* foreign_world.h: a register of south.test's, and what other parties may say of one agreement. */
#ifndef COMITY_TESTS_FOREIGN_WORLD_H
#define COMITY_TESTS_FOREIGN_WORLD_H

#include "flow/agreement_foreign.h"
#include "flow/agreements.h"
#include "fmt/jcs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define ID "urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"
#define DOCUMENT                                                                                   \
    "{\"id\":\"" ID "\",\"title\":\"T\",\"kind\":\"multilateral\",\"parties\":[\"north.test\","    \
    "\"south.test\",\"east.test\"],\"valid_from\":\"2026-01-01\",\"clauses\":[{\"id\":\"1\","      \
    "\"from\":\"party\",\"to\":\"party\",\"classification\":[\"*\"],\"tlp_max\":\"amber\","        \
    "\"effect\":\"release\"}]}"

enum { OWN, NORTH, EAST, STRANGER, TEAMS };
static const char *const teams[TEAMS] = {"south.test", "north.test", "east.test", "west.test"};
static const int64_t start_us = 1790000000000000;

struct world {
    struct arena *arena;
    char home[64];
    struct registry *registry;
    struct agreement_key keys[TEAMS];
    struct agreement document;
    struct journal_told told[300];
    size_t count;
    int64_t now_us;
    struct span strange; /* of whom something came by a key that is not known; n 0: of nobody */
    struct err err;
};

static inline void
reopen(struct world *w)
{
    bool made;

    registry_close(w->registry);
    assert_int_equal(registry_open(w->home, REGISTRY_WRITE, NULL, &w->registry, &w->err), 0);
    assert_int_equal(registry_name(w->registry, teams[OWN], &w->err), 0);
    assert_int_equal(registry_key(w->registry, &w->keys[OWN], &made, &w->err), 0);
}

static inline int
open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct agreement_set set;
    const char *name = "test";
    const struct span text = SPAN(DOCUMENT);

    *state = w;
    w->arena = arena_new(64 << 20);
    w->now_us = start_us;
    (void)snprintf(w->home, sizeof w->home, "/tmp/comity-foreign-XXXXXX");
    assert_non_null(mkdtemp(w->home));
    reopen(w);
    for (uint8_t i = NORTH; i < TEAMS; i++) {
        uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {i};
        agreement_sign_key(seed, &w->keys[i]);
        if (i != STRANGER)
            assert_int_equal(registry_trust(w->registry, teams[i], w->keys[i].public, &w->err), 0);
    }
    assert_int_equal(agreements_parse(w->arena, &text, &name, 1, &set, &w->err), 0);
    w->document = set.agreements[0];
    return 0;
}

static inline int
remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int
close_world(void **state)
{
    struct world *w = *state;

    registry_close(w->registry);
    (void)nftw(w->home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(w->arena);
    free(w);
    return 0;
}

/* A signature of each of COUNT teams. */
static inline void
sign_by(struct world *w, const int *signers, size_t count)
{
    struct agreement_signature *rows = arena_zalloc(w->arena, count + 1, sizeof *rows);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(agreement_sign(w->arena, &w->document, span_of(teams[signers[i]]),
                             start_us, &w->keys[signers[i]], &rows[i], &w->err),
            0);
    w->document.signatures = rows;
    w->document.signature_count = count;
}

/* The line that BY's journal would have, signed by KEY. */
static inline struct span
line_of(struct world *w, int by, int key, enum journal_type type, int64_t time_us, int64_t at_us)
{
    char digest[AGREEMENT_SIGN_HEX];
    struct buf line = buf_new(1 << 16);

    agreement_sign_digest(w->document.text, digest);
    const struct journal_event event = {.type = (uint8_t)type,
        .agreement = w->document.id,
        .digest = span_of(digest),
        .by = span_of(teams[by]),
        .reason = SPAN("why"),
        .time_us = time_us,
        .at_us = at_us};
    assert_int_equal(journal_line(SPAN("00"), &event, &w->keys[key], &line, &w->err), 0);
    const struct span copy = {arena_copy(w->arena, line.p, line.n - 1), line.n - 1};
    buf_free(&line);
    return copy;
}

static inline int
read_line(struct world *w, struct span line, struct journal_told *out)
{
    struct json *json = json_new(1 << 16);
    struct json_value root;

    assert_int_equal(json_parse_copy(json, line, &root, &w->err), 0);
    int rc = journal_told_read(w->arena, root, out, &w->err);
    json_free(json);
    return rc;
}

static inline void
add_event(struct world *w, int by, int key, enum journal_type type, int64_t time_us, int64_t at_us)
{
    assert_int_equal(
        read_line(w, line_of(w, by, key, type, time_us, at_us), &w->told[w->count++]), 0);
}

/* SENDER shows the document and w->told, a microsecond later; it waits to be written. NEWS says
 * whether it is any. */
static inline int
tell(struct world *w, int sender, bool *news)
{
    const struct foreign_word word = {.own = span_of(teams[OWN]),
        .sender = span_of(teams[sender]),
        .document = &w->document,
        .events = w->told,
        .event_count = w->count,
        .now_us = ++w->now_us};
    struct foreign_news found;
    int rc = agreement_foreign_look(w->registry, w->arena, &word, &found, &w->err);

    w->count = 0;
    if (rc != 0)
        return rc;
    w->strange = found.strange.team;
    *news = agreement_foreign_is_news(&found);
    return agreement_foreign_keep(w->registry, w->arena, &word, &found, &w->keys[OWN], &w->err);
}

/* The same, and it is written; how many lines the journal got. */
static inline int
come(struct world *w, int sender)
{
    size_t before = w->registry->journal.count;
    bool news = false;
    int rc = tell(w, sender, &news);

    if (rc == 0)
        rc = registry_settle(w->registry, &w->err);
    if (rc != 0)
        return rc;
    reopen(w);
    assert_int_equal(news, w->registry->journal.count > before);
    return (int)(w->registry->journal.count - before);
}

static inline void
own_signs(struct world *w)
{
    struct agreement_taken taken;

    assert_int_equal(agreement_life_take(w->registry, w->arena, &w->document, false, ++w->now_us,
                         &w->keys[OWN], &taken, &w->err),
        0);
    reopen(w);
}

static inline enum standing
stands(const struct world *w, int64_t at_us)
{
    return registry_standing(w->registry, 0, at_us);
}

/* Proposed by north, signed by all. */
static inline void
agree(struct world *w)
{
    static const int signers[] = {NORTH, EAST};

    sign_by(w, signers, 2);
    assert_int_equal(come(w, NORTH), 3);
    assert_int_equal(stands(w, w->now_us), STANDING_WAITS);
    own_signs(w);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

#endif
