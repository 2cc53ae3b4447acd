#include "fmt/ledger_proof.h"

#include "base/base64.h"
#include "fmt/lines.h"

static const char first_line[] = "comity-item-proof-v1";

/* ---- its form ---- */

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_PROOF, "no proof of Comity's: %s", what);
}

static int
read_item(struct span rest, struct ledger_item *out, struct err *err)
{
    struct span text;

    if (!lines_word(&rest, "item", &text) || !lines_number(text, &out->index))
        return bad(err, "behind the entry stands a line \"item\" with a number");
    if (!lines_word(&rest, "salt", &text)
        || !base64_exact(text, out->salt.bytes, sizeof out->salt.bytes))
        return bad(err, "behind the item stands its salt, 32 bytes in base64");
    if (!lines_hashes(&rest, MERKLE_PROOF_MAX, &out->path) || rest.n > 0)
        return bad(err, "behind the salt stand only hashes, 32 bytes in base64 a line");
    return 0;
}

int
ledger_proof_read(struct span text, struct ledger_proof *out, struct err *err)
{
    struct span line;

    *out = (struct ledger_proof){.has_item = false, .extra = buf_new(LOGPROOF_EXTRA_MAX + 8)};
    int rc = logproof_read(text, &out->log, err);
    if (rc == 0)
        rc = logproof_extra(&out->log, &out->extra, err);
    if (rc != 0)
        return rc;
    struct span rest = buf_span(&out->extra);
    if (!lines_next(&rest, &line) || !span_equal(line, SPAN(first_line))
        || !lines_word(&rest, "entry", &out->entry))
        return bad(err, "beside the way in the log stands the entry itself");
    if (lines_word(&rest, "receipt", &out->receipt) && out->receipt.n == 0)
        return bad(err, "a receipt is a note in base64, or left out");
    out->has_item = rest.n > 0;
    return out->has_item ? read_item(rest, &out->item, err) : 0;
}

int
ledger_proof_write(struct buf *out, const struct ledger_proof *proof, struct err *err)
{
    struct buf extra = buf_new(LOGPROOF_EXTRA_MAX);

    buf_add_text(&extra, first_line);
    buf_add_text(&extra, "\nentry ");
    buf_add_span(&extra, proof->entry);
    buf_add_char(&extra, '\n');
    if (proof->receipt.n > 0) {
        buf_add_text(&extra, "receipt ");
        buf_add_span(&extra, proof->receipt);
        buf_add_char(&extra, '\n');
    }
    if (proof->has_item) {
        buf_add_text(&extra, "item ");
        buf_add_u64(&extra, proof->item.index);
        buf_add_text(&extra, "\nsalt ");
        base64_add(&extra, proof->item.salt.bytes, sizeof proof->item.salt.bytes);
        buf_add_char(&extra, '\n');
        lines_add_hashes(&extra, &proof->item.path);
    }
    int rc = buf_check(&extra, "what stands beside the proof", err);
    if (rc == 0)
        rc = logproof_write(out, &proof->log, buf_span(&extra), err);
    buf_free(&extra);
    return rc;
}

/* ---- what it is worth ---- */

int
ledger_proof_receipt(const struct ledger_proof *proof, const struct ledger_entry *entry,
    struct buf *bytes, struct note *note, struct receipt *out, bool *fits, struct err *err)
{
    char text[LEDGER_PROOF_RECEIPT_MAX];
    size_t n;

    if (!base64_read(proof->receipt, text, sizeof text, &n))
        return bad(err, "the receipt is a note in base64");
    buf_add(bytes, text, n);
    int rc = buf_check(bytes, "a receipt", err);
    if (rc == 0)
        rc = note_read(buf_span(bytes), note, err);
    if (rc == 0)
        rc = receipt_read(note->text, out, err);
    *fits = rc == 0 && span_equal(out->batch, entry->id) && out->count == entry->items
        && merkle_equal(&out->root, &entry->items_root);
    return rc;
}

static enum ledger_proof_item
judge_item(const struct ledger_proof_question *q, const struct ledger_entry *entry)
{
    const struct ledger_item *item = &q->proof->item;
    struct merkle_hash leaf;

    if (!q->proof->has_item)
        return q->item == NULL ? LEDGER_PROOF_NO_ITEM : LEDGER_PROOF_OTHER_ITEM;
    if (q->item == NULL)
        return LEDGER_PROOF_UNTRIED;
    items_leaf(&item->salt, *q->item, &leaf);
    return merkle_includes(&leaf, item->index, entry->items, &item->path, &entry->items_root)
        ? LEDGER_PROOF_ITEM
        : LEDGER_PROOF_OTHER_ITEM;
}

static size_t
judge_keys(const struct ledger_proof_question *q, struct ledger_proof_answer *out)
{
    size_t good = 0;

    for (size_t i = 0; i < q->key_count; i++) {
        out->keys[i] = checkpoint_check(&out->note, &out->checkpoint, &q->keys[i]);
        good += out->keys[i] == NOTE_GOOD;
        out->wrong = out->wrong || out->keys[i] == NOTE_WRONG;
    }
    return good;
}

static size_t
judge_witnesses(const struct ledger_proof_question *q, struct ledger_proof_answer *out)
{
    size_t good = 0;

    for (size_t i = 0; i < q->witness_count; i++) {
        out->witnesses[i] = note_check(&out->note, &q->witnesses[i], &out->times_s[i]);
        good += out->witnesses[i] == NOTE_GOOD;
        out->wrong = out->wrong || out->witnesses[i] == NOTE_WRONG;
    }
    return good;
}

static int
read_entry(struct arena *arena, struct span bytes, struct ledger_entry *out, struct err *err)
{
    struct json *json = json_new(LEDGER_ENTRY_MAX);

    if (json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an entry");
    int rc = ledger_entry_read(arena, json, bytes, out, err);
    json_free(json);
    return rc;
}

int
ledger_proof_judge(struct arena *arena, const struct ledger_proof_question *question,
    struct ledger_proof_answer *out, struct err *err)
{
    const struct logproof *log = &question->proof->log;
    struct merkle_hash leaf;

    *out = (struct ledger_proof_answer){.log = LEDGER_PROOF_NOT_IN_LOG};
    if (question->key_count > LEDGER_PROOF_KEYS_MAX
        || question->witness_count > LEDGER_PROOF_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d keys", LEDGER_PROOF_KEYS_MAX);
    int rc = checkpoint_read_note(log->checkpoint, &out->note, &out->checkpoint, err);
    if (rc == 0)
        rc = read_entry(arena, question->proof->entry, &out->entry, err);
    if (rc != 0)
        return rc;
    merkle_leaf(question->proof->entry, &leaf);
    if (merkle_includes(&leaf, log->index, out->checkpoint.size, &log->path, &out->checkpoint.root))
        out->log = LEDGER_PROOF_IN_LOG;
    out->item = (uint8_t)judge_item(question, &out->entry);
    out->signed_by = judge_keys(question, out);
    out->seen_by = judge_witnesses(question, out);
    return 0;
}
