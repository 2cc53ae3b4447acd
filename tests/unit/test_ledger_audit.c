/* Whose word is a checkpoint? */
#include "flow/ledger_audit.h"
#include "fmt/checkpoint.h"
#include "store/ledger.h"
#include "store/tiles.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { MEMORY = 1 << 20 };

/* CHECKPOINT, signed by NORTH (NULL: not) and by the key of another log. */
static void
sign_too(struct buf *out, const struct checkpoint *checkpoint, const struct note_signer *north,
    const struct note_signer *other)
{
    struct buf text = buf_new(4096);

    checkpoint_add(&text, checkpoint);
    assert_int_equal(note_begin(out, buf_span(&text), NULL), 0);
    if (north != NULL)
        assert_int_equal(note_sign(out, buf_span(&text), north, 0, NULL), 0);
    assert_int_equal(note_sign(out, buf_span(&text), other, 0, NULL), 0);
    buf_free(&text);
}

static void
pass_over(void *ctx, const struct ledger_finding *finding)
{
    (void)ctx;
    (void)finding;
}

/* A key that is believed for another log makes no second history of this one. */
static void
another_logs_key_is_no_evidence(void **state)
{
    static struct ledger_audit_answer answer;
    struct resources_memory *memory = resources_memory_new(MEMORY);
    struct resources resources = resources_memory_view(memory);
    struct checkpoint checkpoint = {.origin = SPAN("north.test/log"), .size = 3};
    struct note_signer north;
    struct note_signer other;
    struct buf ours = buf_new(4096);
    struct buf fork = buf_new(4096);
    struct ledger *ledger;

    (void)state;
    assert_int_equal(
        note_signer_make(checkpoint.origin, NOTE_ED25519, (uint8_t[32]){1}, &north, NULL), 0);
    assert_int_equal(
        note_signer_make(SPAN("other.test/log"), NOTE_ED25519, (uint8_t[32]){2}, &other, NULL), 0);
    assert_int_equal(ledger_open(&resources, 0, NULL, &ledger, NULL), 0);
    for (uint64_t i = 0, index; i < checkpoint.size; i++)
        assert_int_equal(ledger_append(ledger, SPAN("an entry"), &index, NULL), 0);
    assert_int_equal(ledger_flush(ledger, NULL), 0);
    ledger_root(ledger, &checkpoint.root);
    ledger_free(ledger);
    sign_too(&ours, &checkpoint, &north, &other);
    assert_int_equal(resources.put(resources.ctx, RESOURCES_CHECKPOINT, buf_span(&ours), NULL), 0);
    checkpoint.root.bytes[0] ^= 1;
    sign_too(&fork, &checkpoint, NULL, &other);
    const struct note_key keys[] = {north.key, other.key};
    const struct span older = buf_span(&fork);
    const struct ledger_audit_question question = {.resources = &resources,
        .keys = keys,
        .key_count = 2,
        .older = &older,
        .older_count = 1,
        .found = pass_over};
    assert_int_equal(ledger_audit_run(&question, &answer, NULL), 0);
    assert_int_equal(answer.signed_by, 1);
    assert_int_equal(answer.findings[LEDGER_FINDING_TWO], 0);
    assert_int_equal(answer.findings[LEDGER_FINDING_OTHER], 1);
    buf_free(&answer.bytes);
    buf_free(&ours);
    buf_free(&fork);
    resources_memory_free(memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(another_logs_key_is_no_evidence)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
