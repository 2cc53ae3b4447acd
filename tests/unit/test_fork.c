#include "fmt/fork.h"

#include <stdio.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { LEAVES = 40, NOTE_BYTES = 1 << 12, TEXT_BYTES = 1 << 14 };

/* Two logs: the first SAME entries are those of both. */
struct log {
    struct merkle_hash hashes[2 * LEAVES];
    struct merkle_nodes nodes;
};
static struct log one;
static struct log other;
static struct note_signer signer;

static void
make(struct log *log, char name, size_t same)
{
    log->nodes = (struct merkle_nodes){log->hashes, LEAVES};
    for (size_t i = 0; i < LEAVES; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "%c %zu", i < same ? 'a' : name, i);
        merkle_leaf((struct span){text, (size_t)n}, &log->hashes[i]);
    }
    merkle_nodes_fill(&log->nodes);
}

static void
sign(struct buf *out, const struct log *log, uint64_t size)
{
    struct checkpoint checkpoint = {.origin = SPAN("north.test/log"), .size = size};

    merkle_root_of(log->hashes, size, &checkpoint.root);
    assert_int_equal(checkpoint_sign(out, &checkpoint, &signer, NULL), 0);
}

/* What OLD entries of SMALLER and SIZE of LARGER show, once written and read again. */
static enum fork_shown
shown(const struct log *smaller, uint64_t old, struct log *larger, uint64_t size,
    void (*spoil)(struct merkle_proof *proof))
{
    struct merkle_source source = merkle_nodes_source(&larger->nodes);
    struct buf notes[] = {buf_new(NOTE_BYTES), buf_new(NOTE_BYTES)};
    struct buf text = buf_new(TEXT_BYTES);
    struct fork fork = {.prefix = {.count = 0}};
    struct fork again;
    struct fork_side sides[2];
    struct merkle_hash before;

    sign(&notes[0], smaller, old);
    sign(&notes[1], larger, size);
    fork.notes[0] = buf_span(&notes[0]);
    fork.notes[1] = buf_span(&notes[1]);
    if (old < size)
        assert_int_equal(merkle_prefix(&source, old, size, &fork.prefix, NULL), 0);
    if (spoil != NULL)
        spoil(&fork.prefix);
    assert_int_equal(fork_write(&text, &fork, NULL), 0);
    assert_true(fork_is(buf_span(&text)));
    assert_int_equal(fork_read(buf_span(&text), &again, NULL), 0);
    assert_true(span_equal(again.notes[0], fork.notes[0]));
    assert_true(span_equal(again.notes[1], fork.notes[1]));
    assert_int_equal(fork_sides(&again, sides, NULL), 0);
    assert_int_equal(
        checkpoint_check(&sides[1].note, &sides[1].checkpoint, &signer.key), NOTE_GOOD);
    enum fork_shown answer = fork_judge(&again, sides, &before);
    struct merkle_hash root;
    merkle_root_of(larger->hashes, old, &root);
    assert_true(answer == FORK_LOOSE || merkle_equal(&before, &root));
    buf_free(&text);
    buf_free(&notes[0]);
    buf_free(&notes[1]);
    return answer;
}

/* All pairs of sizes: powers of two, of which a proof of consistency does not tell the root, too.
 */
static void
every_fork_is_shown_and_nothing_else(void **state)
{
    (void)state;
    for (size_t same = 0; same <= LEAVES; same += 5) {
        make(&one, 'b', same);
        make(&other, 'c', same);
        for (uint64_t old = 1; old <= LEAVES; old++)
            for (uint64_t size = old; size <= LEAVES; size++) {
                enum fork_shown wanted = old <= same ? FORK_ONE : FORK_TWO;
                assert_int_equal(shown(&one, old, &other, size, NULL), wanted);
            }
    }
}

static void
first(struct merkle_proof *proof)
{
    proof->hashes[0].bytes[5] ^= 1;
}

static void
last(struct merkle_proof *proof)
{
    proof->hashes[proof->count - 1].bytes[31] ^= 1;
}

static void
longer(struct merkle_proof *proof)
{
    proof->hashes[proof->count++] = one.hashes[0];
}

static void
shorter(struct merkle_proof *proof)
{
    proof->count--;
}

/* Nobody makes an honest log's checkpoints say something else by other hashes. */
static void
hashes_of_another_tree_show_nothing(void **state)
{
    void (*const spoils[])(struct merkle_proof * proof) = {first, last, longer, shorter};

    (void)state;
    make(&one, 'b', LEAVES);
    for (uint64_t old = 1; old < LEAVES; old++)
        for (uint64_t size = old + 1; size <= LEAVES; size++)
            for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++)
                if (spoils[i] != shorter || size > old + 1 || (old & (old - 1)) != 0)
                    assert_int_equal(shown(&one, old, &one, size, spoils[i]), FORK_LOOSE);
}

static void
is_refused(const char *text)
{
    struct fork fork;
    struct fork_side sides[2];
    int rc = fork_read(span_of(text), &fork, NULL);

    if (rc == 0)
        rc = fork_sides(&fork, sides, NULL);
    assert_true(rc == ERR_BAD_PROOF || rc == ERR_BAD_NOTE);
}

static void
what_is_no_evidence_is_refused(void **state)
{
    struct buf small = buf_new(NOTE_BYTES);
    struct buf large = buf_new(NOTE_BYTES);
    struct buf text = buf_new(TEXT_BYTES);
    static const char hash[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    static const char *const heads[] = {"", "comity-two-histories-v1\n",
        "comity-two-histories-v1\n\n", "comity-two-histories-v2\n\n",
        "comity-two-histories-v1\nx\n\n", "comity-two-histories-v1\n\n\n"};

    (void)state;
    make(&one, 'b', 3);
    sign(&small, &one, 4);
    sign(&large, &one, 9);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        is_refused(heads[i]);
    /* One note alone; hashes where there is one size; none where there are two; the larger first.
     */
    buf_format(&text, "comity-two-histories-v1\n%s\n%.*s%c", hash, (int)small.n, small.p, 0);
    is_refused(text.p);
    text.n = 0;
    buf_format(&text, "comity-two-histories-v1\n%s\n%.*s\n%.*s%c", hash, (int)small.n, small.p,
        (int)small.n, small.p, 0);
    is_refused(text.p);
    text.n = 0;
    buf_format(&text, "comity-two-histories-v1\n\n%.*s\n%.*s%c", (int)small.n, small.p,
        (int)large.n, large.p, 0);
    is_refused(text.p);
    text.n = 0;
    buf_format(&text, "comity-two-histories-v1\n%s\n%.*s\n%.*s%c", hash, (int)large.n, large.p,
        (int)small.n, small.p, 0);
    is_refused(text.p);
    buf_free(&text);
    buf_free(&small);
    buf_free(&large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fork_is_shown_and_nothing_else),
        cmocka_unit_test(hashes_of_another_tree_show_nothing),
        cmocka_unit_test(what_is_no_evidence_is_refused)};
    const uint8_t seed[NOTE_SEED_BYTES] = {7};

    if (note_signer_make(SPAN("north.test/log"), NOTE_ED25519, seed, &signer, NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
