#include "fmt/checkpoint.h"
#include "fmt/lines.h"
#include "fmt/logproof.h"
#include "fmt/receipt.h"
#include "fmt/witness.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define DASH "\xe2\x80\x94 "
#define LOG "north.test/log"

/* Published examples: C2SP signed-note, and tlog-cosignature's checkpoint. */
static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char example[] =
    "This is an example message.\n\n" DASH "example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";
static const char cosigned[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" DASH
    "example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
    "\n" DASH "witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
    "zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

static struct note_signer
signer(const char *name, enum note_algorithm algorithm, int number)
{
    uint8_t seed[NOTE_SEED_BYTES] = {(uint8_t)number};
    struct note_signer out;

    assert_int_equal(note_signer_make(span_of(name), algorithm, seed, &out, NULL), 0);
    return out;
}

static void
published_examples_are_read(void **state)
{
    struct buf again = buf_new(1000);
    struct note note;
    struct note_key key;
    struct checkpoint checkpoint;

    (void)state;
    assert_int_equal(note_key_parse(SPAN(vkey), &key, NULL), 0);
    assert_int_equal(key.id, 0x530d903a);
    note_key_add(&again, &key);
    assert_true(span_equal(buf_span(&again), SPAN(vkey)));
    assert_int_equal(note_read(SPAN(example), &note, NULL), 0);
    assert_int_equal(note.count, 1);
    assert_int_equal(note_check(&note, &key, NULL), NOTE_GOOD);
    buf_free(&again);
    assert_int_equal(checkpoint_read_note(SPAN(cosigned), &note, &checkpoint, NULL), 0);
    assert_int_equal(note.count, 2);
    assert_int_equal(checkpoint.size, 20852163);
    assert_true(span_equal(checkpoint.origin, SPAN("example.com/behind-the-sofa")));
}

static void
every_changed_byte_is_noticed(void **state)
{
    char copy[sizeof example];
    struct note note;
    struct note_key key;

    (void)state;
    assert_int_equal(note_key_parse(SPAN(vkey), &key, NULL), 0);
    for (size_t i = 0; i + 1 < sizeof example; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, example, sizeof copy);
            copy[i] = (char)(copy[i] ^ (int)(1u << bit));
            if (note_read((struct span){copy, sizeof copy - 1}, &note, NULL) == 0
                && note_check(&note, &key, NULL) == NOTE_GOOD)
                fail_msg("bit %u of byte %zu changed, and the note is good", bit, i);
        }
    for (size_t n = 0; n + 1 < sizeof example; n++)
        assert_int_not_equal(note_read((struct span){example, n}, &note, NULL), 0);
}

static void
keys_with_a_fault_are_refused(void **state)
{
    static const char *const wrong[] = {"", "+", "a+b", "example.com/foo",
        "example.com/foo+530d903a", "example.com/foo+530d903a+",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"};
    static const char *const names[] = {
        "", "a b", "a+b", "a\tb", "a\xc2\xa0\x62", "\xe3\x80\x80", "a\x01", "a\xff", "a\x7f"};
    struct note_key key;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (note_key_parse(span_of(wrong[i]), &key, &err) == 0)
            fail_msg("\"%s\" was taken for a key", wrong[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (note_name_is(span_of(names[i])))
            fail_msg("\"%s\" was taken for a name", names[i]);
    assert_true(note_name_is(SPAN("north.test/\xc3\xa9t\xc3\xa9")));
}

static void
each_use_has_a_key_of_its_own(void **state)
{
    static const enum note_use uses[] = {NOTE_USE_LOG, NOTE_USE_WITNESS, NOTE_USE_RECEIPT};
    static const char *const keys[] = {
        "a.test+85d2cb3e+AfKtIvWoJ5iG/w/qWJUMdwiSdjrWAOMzyo7wfzQDUEty",
        "a.test+9af8fb23+BGzq8E1SJzYERjfiGQd+b+yLem6gOhFtqPYWO/tz+3Vq",
        "a.test+1f1c2d47+ATCnn2ntI3MtxNpH6MdzKUtQ3xwNaCxFHBlySA9ptDA3"};
    uint8_t seed[NOTE_SEED_BYTES] = {1, 2, 3};
    struct buf text = buf_new(1000);
    struct note_signer out;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(note_signer_derive(SPAN("a.test"), uses[i], seed, &out, NULL), 0);
        text.n = 0;
        note_key_add(&text, &out.key);
        buf_add_char(&text, '\0');
        assert_string_equal(text.p, keys[i]);
    }
    assert_int_equal(note_signer_derive(SPAN("a b"), NOTE_USE_LOG, seed, &out, NULL), ERR_BAD_NAME);
    buf_free(&text);
}

/* Another key's line is passed over; a wrong one in a known key's name spoils the note. */
static void
unknown_signatures_are_passed_over_and_wrong_ones_are_not(void **state)
{
    struct note_signer a = signer(LOG, NOTE_ED25519, 1);
    struct note_signer b = signer(LOG, NOTE_ED25519, 2);
    struct note_signer other = signer("south.test", NOTE_ED25519, 1);
    struct buf out = buf_new(1 << 20);
    struct span text = SPAN("a\n\nb\n");
    struct note note;

    (void)state;
    assert_int_equal(note_begin(&out, text, NULL), 0);
    assert_int_equal(note_sign(&out, text, &a, 0, NULL), 0);
    assert_int_equal(note_sign(&out, text, &other, 0, NULL), 0);
    buf_add_text(&out, DASH "pq.test AAAABgA=\n");
    assert_int_equal(note_read(buf_span(&out), &note, NULL), 0);
    assert_true(span_equal(note.text, text));
    assert_int_equal(note.count, 3);
    assert_int_equal(note_check(&note, &a.key, NULL), NOTE_GOOD);
    assert_int_equal(note_check(&note, &b.key, NULL), NOTE_ABSENT);
    assert_int_equal(note_check(&note, &other.key, NULL), NOTE_GOOD);
    assert_int_equal(note_sign(&out, SPAN("other\n"), &b, 0, NULL), 0);
    assert_int_equal(note_read(buf_span(&out), &note, NULL), 0);
    assert_int_equal(note_check(&note, &b.key, NULL), NOTE_WRONG);
    for (int i = 0; i < NOTE_LINES_MAX; i++)
        assert_int_equal(note_sign(&out, text, &a, 0, NULL), 0);
    assert_int_equal(note_read(buf_span(&out), &note, NULL), ERR_LIMIT);
    assert_int_equal(note_begin(&out, SPAN("no newline"), NULL), ERR_BAD_NOTE);
    assert_int_equal(note_begin(&out, SPAN("\x01\n"), NULL), ERR_BAD_NOTE);
    buf_free(&out);
}

static void
checkpoints_have_one_form(void **state)
{
    static const char *const wrong[] = {"", "a\n", "a\n1\n", "\n1\n",
        "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore",
        "a\n1 \nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"};
    struct checkpoint checkpoint;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (checkpoint_read(span_of(wrong[i]), &checkpoint, NULL) == 0)
            fail_msg("\"%s\" was taken for a checkpoint", wrong[i]);
    assert_int_equal(
        checkpoint_read(SPAN("a b\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n"),
            &checkpoint, NULL),
        0);
    assert_true(span_equal(checkpoint.extensions, SPAN("more\n")));
}

/* ---- witnesses ---- */

enum { LEAVES = 40 };
static struct merkle_hash leaves[2 * LEAVES];
static struct merkle_nodes all = {leaves, LEAVES};

static void
sign_checkpoint(struct buf *out, uint64_t size, const struct note_signer *log)
{
    struct checkpoint checkpoint = {.origin = SPAN(LOG), .size = size};

    merkle_root_of(leaves, size, &checkpoint.root);
    assert_int_equal(checkpoint_sign(out, &checkpoint, log, NULL), 0);
}

/* What a witness that knows KNOWN says of a request from OLD to SIZE, which SPOILED may change. */
static int
asked(uint64_t old, uint64_t size, const struct witness_known *known, struct note_signer *log,
    const struct note_key *keys, size_t count, void (*spoil)(struct merkle_proof *proof))
{
    struct merkle_source source = merkle_nodes_source(&all);
    struct merkle_proof proof = {.count = 0};
    struct buf note = buf_new(1 << 16);
    struct buf body = buf_new(1 << 16);
    static struct witness_request request;

    if (old <= size)
        assert_int_equal(merkle_consist(&source, old, size, &proof, NULL), 0);
    if (spoil != NULL)
        spoil(&proof);
    sign_checkpoint(&note, size, log);
    assert_int_equal(witness_ask(&body, old, &proof, buf_span(&note), NULL), 0);
    assert_int_equal(witness_read(buf_span(&body), &request, NULL), 0);
    int status = witness_judge(&request, keys, count, known);
    buf_free(&note);
    buf_free(&body);
    return status;
}

static void
one_more(struct merkle_proof *proof)
{
    proof->hashes[proof->count++] = leaves[0];
}

static void
another(struct merkle_proof *proof)
{
    proof->hashes[0].bytes[0] ^= 1;
}

static void
a_witness_answers_as_the_protocol_says(void **state)
{
    struct note_signer log = signer(LOG, NOTE_ED25519, 1);
    struct note_signer imposter = signer(LOG, NOTE_ED25519, 2);
    struct note_key keys[] = {imposter.key, log.key};
    struct witness_known none = {0};
    struct witness_known ten = {.size = 10};
    struct witness_known wrong = {.size = 10};

    (void)state;
    merkle_root_of(leaves, 10, &ten.root);
    wrong.root = leaves[3];
    assert_int_equal(asked(0, 10, &none, &log, keys, 2, NULL), 200);
    assert_int_equal(asked(0, 0, &none, &log, keys, 2, NULL), 200);
    assert_int_equal(asked(10, 33, &ten, &log, keys, 2, NULL), 200);
    assert_int_equal(asked(10, 10, &ten, &log, keys, 2, NULL), 200);
    assert_int_equal(asked(10, 33, &ten, &log, NULL, 0, NULL), 404);
    assert_int_equal(asked(10, 33, &ten, &imposter, keys + 1, 1, NULL), 403);
    assert_int_equal(asked(34, 33, &ten, &log, keys, 2, NULL), 400);
    assert_int_equal(asked(0, 33, &ten, &log, keys, 2, NULL), 409);
    assert_int_equal(asked(9, 33, &ten, &log, keys, 2, NULL), 409);
    assert_int_equal(asked(10, 33, &none, &log, keys, 2, NULL), 409);
    assert_int_equal(asked(10, 33, &ten, &log, keys, 2, another), 422);
    assert_int_equal(asked(10, 33, &ten, &log, keys, 2, one_more), 422);
    assert_int_equal(asked(10, 10, &ten, &log, keys, 2, one_more), 422);
    assert_int_equal(asked(0, 33, &none, &log, keys, 2, one_more), 422);
    assert_int_equal(asked(10, 33, &wrong, &log, keys, 2, NULL), 422);
    assert_int_equal(asked(10, 10, &wrong, &log, keys, 2, NULL), 422);
}

static void
cosignatures_come_back_to_the_log(void **state)
{
    struct note_signer log = signer(LOG, NOTE_ED25519, 1);
    struct note_signer w1 = signer("w1.test", NOTE_COSIGNATURE, 3);
    struct note_signer w2 = signer("w2.test", NOTE_COSIGNATURE, 4);
    struct note_key known[] = {w1.key, w2.key};
    struct witness_known none = {0};
    struct merkle_proof proof = {.count = 0};
    struct buf note = buf_new(1 << 16);
    struct buf body = buf_new(1 << 16);
    struct buf answer = buf_new(1 << 16);
    static struct witness_request request;
    struct note both;
    uint64_t time_s;
    size_t taken;

    (void)state;
    sign_checkpoint(&note, 12, &log);
    assert_int_equal(witness_ask(&body, 0, &proof, buf_span(&note), NULL), 0);
    assert_int_equal(witness_read(buf_span(&body), &request, NULL), 0);
    assert_int_equal(witness_answer(&answer, 200, &request, &none, &w1, 1780272000, NULL), 0);
    assert_int_equal(witness_answer(&answer, 200, &request, &none, &w2, 1780272001, NULL), 0);
    assert_int_equal(witness_take(&note, buf_span(&answer), known, 1, &taken, NULL), 0);
    assert_int_equal(taken, 1);
    assert_int_equal(note_read(buf_span(&note), &both, NULL), 0);
    assert_int_equal(note_check(&both, &w1.key, &time_s), NOTE_GOOD);
    assert_int_equal(time_s, 1780272000);
    assert_int_equal(note_check(&both, &w2.key, &time_s), NOTE_ABSENT);
    assert_int_equal(note_check(&both, &log.key, &time_s), NOTE_GOOD);
    /* An answer that would move the text's end, and one over another text. */
    assert_int_equal(
        witness_take(&note, SPAN("\n" DASH "w1.test AAAAAAA=\n"), known, 2, &taken, NULL),
        ERR_BAD_NOTE);
    answer.n = 0;
    assert_int_equal(note_sign(&answer, SPAN("x\n1\n"), &w2, 5, NULL), 0);
    assert_int_equal(witness_take(&note, buf_span(&answer), known, 2, &taken, NULL), ERR_BAD_NOTE);
    answer.n = 0;
    struct witness_known ten = {.size = 10};
    assert_int_equal(witness_answer(&answer, 409, &request, &ten, &w1, 1, NULL), 0);
    assert_true(span_equal(buf_span(&answer), SPAN("10\n")));
    assert_int_equal(witness_answer(&answer, 200, &request, &none, &w1, 0, NULL), ERR_BAD_TIME);
    buf_free(&note);
    buf_free(&body);
    buf_free(&answer);
}

static void
requests_have_one_form(void **state)
{
    static const char *const heads[] = {"", "old\n\n", "old 01\n\n", "old 1\n", "old -1\n\n",
        "new 1\n\n", "old 1\nx\n\n", "old 1\r\n\n", "old  1\n\n"};
    struct note_signer log = signer(LOG, NOTE_ED25519, 1);
    struct buf body = buf_new(1 << 16);
    struct merkle_proof long_one = {.count = WITNESS_PROOF_MAX + 1};
    static struct witness_request request;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        body.n = 0;
        buf_add_text(&body, heads[i]);
        sign_checkpoint(&body, 12, &log);
        if (witness_read(buf_span(&body), &request, NULL) == 0)
            fail_msg("\"%s\" was taken for the head of a request", heads[i]);
    }
    assert_int_equal(witness_ask(&body, 1, &long_one, SPAN("x"), NULL), ERR_BAD_VALUE);
    body.n = 0;
    buf_add_text(&body, "old 1\n");
    lines_add_hashes(&body, &long_one);
    buf_add_text(&body, "\n");
    sign_checkpoint(&body, 12, &log);
    assert_int_equal(witness_read(buf_span(&body), &request, NULL), ERR_BAD_NOTE);
    buf_free(&body);
}

/* ---- proofs and receipts ---- */

static void
proofs_have_one_form(void **state)
{
    static const char *const wrong[] = {"", "c2sp.org/tlog-proof@v2\nindex 0\n\nx\n",
        "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 00\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nx\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n", "c2sp.org/tlog-proof@v1\nindex 0\nx\n",
        "c2sp.org/tlog-proof@v1\nextra x\nextra x\nindex 0\n\nx\n",
        "c2sp.org/tlog-proof@v1\n index 0\n\nx\n"};
    struct logproof proof;
    struct buf bytes = buf_new(1 << 16);
    struct buf again = buf_new(1 << 16);
    struct span text = SPAN("c2sp.org/tlog-proof@v1\nextra aGVsbG8=\nindex 7\n"
                            "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nlog\n8\n...");

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (logproof_read(span_of(wrong[i]), &proof, NULL) == 0)
            fail_msg("\"%s\" was taken for a proof", wrong[i]);
    assert_int_equal(logproof_read(text, &proof, NULL), 0);
    assert_int_equal(proof.index, 7);
    assert_int_equal(proof.path.count, 1);
    assert_int_equal(logproof_extra(&proof, &bytes, NULL), 0);
    assert_true(span_equal(buf_span(&bytes), SPAN("hello")));
    assert_int_equal(logproof_write(&again, &proof, buf_span(&bytes), NULL), 0);
    assert_true(span_equal(buf_span(&again), text));
    proof.extra = SPAN("a");
    assert_int_equal(logproof_extra(&proof, &bytes, NULL), ERR_BAD_PROOF);
    buf_free(&bytes);
    buf_free(&again);
}

static void
receipts_are_signed_and_read(void **state)
{
    struct note_signer south = signer("south.test", NOTE_ED25519, 9);
    struct receipt receipt = {.batch = SPAN("urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"),
        .root = leaves[2],
        .count = 42,
        .time_us = 1780272000123456};
    struct buf out = buf_new(1 << 16);
    struct note note;
    struct receipt again;
    struct checkpoint checkpoint;

    (void)state;
    assert_int_equal(receipt_sign(&out, &receipt, &south, NULL), 0);
    assert_int_equal(note_read(buf_span(&out), &note, NULL), 0);
    assert_int_equal(note_check(&note, &south.key, NULL), NOTE_GOOD);
    assert_int_equal(receipt_read(note.text, &again, NULL), 0);
    assert_true(span_equal(again.batch, receipt.batch) && again.count == 42
        && again.time_us == receipt.time_us && merkle_equal(&again.root, &receipt.root));
    /* A team that signs receipts has signed no checkpoint thereby. */
    assert_int_equal(checkpoint_read(note.text, &checkpoint, NULL), ERR_BAD_NOTE);
    for (size_t i = 0; i < note.text.n; i++)
        assert_true(receipt_read((struct span){note.text.p, i}, &again, NULL) == ERR_BAD_NOTE);
    receipt.batch = SPAN("a b");
    assert_int_equal(receipt_sign(&out, &receipt, &south, NULL), ERR_BAD_NOTE);
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_examples_are_read),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(keys_with_a_fault_are_refused),
        cmocka_unit_test(each_use_has_a_key_of_its_own),
        cmocka_unit_test(unknown_signatures_are_passed_over_and_wrong_ones_are_not),
        cmocka_unit_test(checkpoints_have_one_form),
        cmocka_unit_test(a_witness_answers_as_the_protocol_says),
        cmocka_unit_test(cosignatures_come_back_to_the_log),
        cmocka_unit_test(requests_have_one_form), cmocka_unit_test(proofs_have_one_form),
        cmocka_unit_test(receipts_are_signed_and_read)};

    for (size_t i = 0; i < LEAVES; i++)
        merkle_leaf((struct span){(const char *)&i, sizeof i}, &leaves[i]);
    merkle_nodes_fill(&all);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
