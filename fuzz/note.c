/* Signed notes, checkpoints, receipts, verifier keys and what a log asks a witness, from anybody:
 * what is read is written the same again, and nobody's signature is found in them. */
#include "fuzz.h"

#include "base/tile.h"
#include "fmt/receipt.h"
#include "fmt/witness.h"

enum { ROOM = 4 << 20 };

static const char nobody[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static void
key(struct span text)
{
    struct buf again = buf_new(ROOM);
    struct note_key key;

    if (note_key_parse(text, &key, NULL) == 0) {
        note_key_add(&again, &key);
        MUST(span_equal(buf_span(&again), text));
    }
    buf_free(&again);
}

static void
checkpoint(struct span text)
{
    struct buf again = buf_new(ROOM);
    struct checkpoint checkpoint;

    if (checkpoint_read(text, &checkpoint, NULL) == 0) {
        checkpoint_add(&again, &checkpoint);
        MUST(span_equal(buf_span(&again), text));
        MUST(!receipt_is(text));
    }
    buf_free(&again);
}

static void
note(struct span bytes)
{
    struct buf again = buf_new(ROOM);
    struct receipt receipt;
    struct note_key known;
    struct note note;

    if (note_read(bytes, &note, NULL) == 0) {
        MUST(note_key_parse(SPAN(nobody), &known, NULL) == 0);
        (void)note_check(&note, &known, NULL);
        MUST(note_begin(&again, note.text, NULL) == 0);
        for (size_t i = 0; i < note.count; i++)
            buf_add_span(&again, note.lines[i].whole);
        MUST(span_equal(buf_span(&again), bytes));
        checkpoint(note.text);
        (void)!receipt_read(note.text, &receipt, NULL);
    }
    buf_free(&again);
}

/* What a witness answers: nobody's is taken, and nothing is added. */
static void
answer(struct span bytes)
{
    struct buf whole = buf_new(ROOM);
    struct note_key known;
    size_t taken = 0;

    buf_add_text(&whole, "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n");
    const size_t before = whole.n;
    MUST(note_key_parse(SPAN(nobody), &known, NULL) == 0);
    (void)!witness_take(&whole, bytes, &known, 1, &taken, NULL);
    MUST(taken == 0 && whole.n == before);
    buf_free(&whole);
}

static void
request(struct span bytes)
{
    static struct witness_request request;
    struct witness_known none = {0};
    struct buf again = buf_new(ROOM);
    struct note_key known;

    if (witness_read(bytes, &request, NULL) == 0) {
        size_t n = (size_t)(request.note.lines[request.note.count - 1].whole.p
            + request.note.lines[request.note.count - 1].whole.n - request.note.text.p);
        struct span whole = {request.note.text.p, n};
        MUST(witness_ask(&again, request.old_size, &request.proof, whole, NULL) == 0);
        MUST(span_equal(buf_span(&again), bytes));
        MUST(note_key_parse(SPAN(nobody), &known, NULL) == 0);
        MUST(witness_judge(&request, NULL, 0, &none) == 404);
        int status = witness_judge(&request, &known, 1, &none);
        MUST(status == 200 || status == 400 || status == 403 || status == 409 || status == 422);
    }
    buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {size == 0 ? "" : (const char *)data, size};
    struct tile tile;
    char path[TILE_PATH_BYTES];

    key(bytes);
    note(bytes);
    checkpoint(bytes);
    request(bytes);
    answer(bytes);
    if (tile_parse(bytes, &tile))
        MUST(span_equal((struct span){path, tile_path(&tile, path)}, bytes));
    return 0;
}
