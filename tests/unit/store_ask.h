/* store_ask.h: a store in a folder of its own, for one test. */
#ifndef COMITY_TESTS_STORE_ASK_H
#define COMITY_TESTS_STORE_ASK_H

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* What version 4 has more than version 3, and both more than version 2. */
#define WITHOUT_4                                                                                  \
    "DROP INDEX receipt_batch;"                                                                    \
    "DROP TABLE unsent; DROP TABLE tally_team; DROP TABLE tally_kind;"                             \
    "DELETE FROM value WHERE name = 'search-senders';"
#define WITHOUT_3                                                                                  \
    WITHOUT_4                                                                                      \
    "DROP TABLE mail; DROP TABLE mail_out; DROP TABLE mail_body;"                                  \
    "DROP TABLE recall; DROP TABLE superseded; DROP TABLE feedback;"                               \
    "DROP TABLE link; DROP TABLE link_way; DROP TABLE receipt; DROP TABLE receipt_given;"          \
    "DROP INDEX piece_open; ALTER TABLE piece DROP COLUMN settled;"                                \
    "ALTER TABLE collection DROP COLUMN counted_us;"

struct fixture {
    char folder[64];
    struct store *store;
    struct arena *arena;
    struct err err;
};

#define OK(fixture, call) ask_ok((fixture), (call), #call)
static inline void
ask_ok(struct fixture *f, int rc, const char *call)
{
    if (rc != 0)
        fail_msg("%s: %d %s", call, rc, f->err.msg);
}

static inline void
ask_open(struct fixture *f, enum store_use use)
{
    OK(f, store_open(f->folder, use, &f->store, &f->err));
}

static inline void
ask_again(struct fixture *f)
{
    store_close(f->store);
    ask_open(f, STORE_WRITE);
}

static inline int
ask_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    strcpy(f->folder, "/tmp/comity-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->arena = arena_new((size_t)256 << 20);
    ask_open(f, STORE_CREATE);
    *state = f;
    return 0;
}

static inline int
ask_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    store_close(f->store);
    arena_free(f->arena);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->folder);
    int rc = system(command);
    free(f);
    return rc;
}

#define ASK_TEST(name) cmocka_unit_test_setup_teardown(name, ask_setup, ask_teardown)

#endif
