#include "fmt/receipt.h"

#include "base/time.h"
#include "fmt/lines.h"

/* The second line of a checkpoint is a number, so that no receipt is one. */
static const char first_line[] = "comity-receipt-v1\n";

bool
receipt_is(struct span text)
{
    return span_starts(text, SPAN(first_line));
}

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_NOTE, "no receipt: %s", what);
}

static bool
batch_is(struct span batch)
{
    if (batch.n == 0 || batch.n > RECEIPT_BATCH_MAX || !span_is_utf8(batch))
        return false;
    for (size_t i = 0; i < batch.n; i++)
        if ((unsigned char)batch.p[i] <= ' ')
            return false;
    return true;
}

static void
add(struct buf *out, const struct receipt *receipt)
{
    char time[TIME_TEXT_BYTES];

    buf_add_text(out, first_line);
    buf_add_text(out, "batch ");
    buf_add_span(out, receipt->batch);
    buf_add_text(out, "\nroot ");
    lines_add_hash(out, &receipt->root);
    buf_add_text(out, "count ");
    buf_add_u64(out, receipt->count);
    buf_add_text(out, "\ntime ");
    buf_add(out, time, time_format(receipt->time_us, "Z", time));
    buf_add_char(out, '\n');
}

int
receipt_sign(struct buf *out, const struct receipt *receipt, const struct note_signer *signer,
    struct err *err)
{
    struct buf text = buf_new(4096);

    if (!batch_is(receipt->batch) || receipt->count > MERKLE_SIZE_MAX)
        return bad(err, "a batch's id is 1 to 255 bytes without spaces");
    add(&text, receipt);
    int rc = buf_check(&text, "the receipt", err);
    if (rc == 0)
        rc = note_make(out, buf_span(&text), signer, err);
    buf_free(&text);
    return rc;
}

int
receipt_read(struct span text, struct receipt *out, struct err *err)
{
    struct span rest = text;
    struct span root;
    struct span count;
    struct span time;
    struct span line;
    struct buf again = buf_new(4096);

    if (!receipt_is(text) || !lines_next(&rest, &line) || !lines_word(&rest, "batch", &out->batch)
        || !batch_is(out->batch))
        return bad(err, "it begins with comity-receipt-v1 and a line \"batch\"");
    if (!lines_word(&rest, "root", &root) || !lines_hash(root, &out->root)
        || !lines_word(&rest, "count", &count) || !lines_number(count, &out->count)
        || !lines_word(&rest, "time", &time) || time_parse(time, &out->time_us, NULL) != 0)
        return bad(err, "behind the batch stand lines \"root\", \"count\" and \"time\"");
    add(&again, out);
    bool same = span_equal(buf_span(&again), text);
    buf_free(&again);
    return same ? 0 : bad(err, "its lines are not in the one form they may have");
}
