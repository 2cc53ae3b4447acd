#include "fmt/witness.h"

#include "fmt/lines.h"

enum { OK = 200, BAD = 400, FORBIDDEN = 403, UNKNOWN = 404, CONFLICT = 409, INCONSISTENT = 422 };

int
witness_read(struct span body, struct witness_request *out, struct err *err)
{
    struct span rest = body;
    struct span text;

    if (body.n > WITNESS_BODY_MAX)
        return err_set(err, ERR_LIMIT, "a request of more than %d bytes", WITNESS_BODY_MAX);
    if (!lines_word(&rest, "old", &text) || !lines_number(text, &out->old_size))
        return err_set(err, ERR_BAD_NOTE, "the first line is \"old\" and a size");
    if (!lines_hashes(&rest, WITNESS_PROOF_MAX, &out->proof))
        return err_set(err, ERR_BAD_NOTE,
            "behind the old size stand at most %d hashes in base64, a line each",
            WITNESS_PROOF_MAX);
    if (!lines_next(&rest, &text) || text.n > 0)
        return err_set(err, ERR_BAD_NOTE, "an empty line stands before the checkpoint");
    return checkpoint_read_note(rest, &out->note, &out->checkpoint, err);
}

int
witness_ask(struct buf *out, uint64_t old_size, const struct merkle_proof *proof,
    struct span checkpoint, struct err *err)
{
    if (proof->count > WITNESS_PROOF_MAX)
        return err_set(err, ERR_BAD_VALUE, "a proof of more than %d hashes", WITNESS_PROOF_MAX);
    buf_add_text(out, "old ");
    buf_add_u64(out, old_size);
    buf_add_char(out, '\n');
    lines_add_hashes(out, proof);
    buf_add_char(out, '\n');
    buf_add_span(out, checkpoint);
    return buf_check(out, "the request to a witness", err);
}

static bool
is_signed(const struct note *note, const struct note_key *keys, size_t count)
{
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        enum note_found found = note_check(note, &keys[i], NULL);
        if (found == NOTE_WRONG)
            return false;
        good += found == NOTE_GOOD;
    }
    return good > 0;
}

int
witness_judge(const struct witness_request *request, const struct note_key *keys, size_t count,
    const struct witness_known *known)
{
    const struct checkpoint *now = &request->checkpoint;
    struct merkle_hash root = known->root;

    if (count == 0)
        return UNKNOWN;
    if (!is_signed(&request->note, keys, count))
        return FORBIDDEN;
    if (request->old_size > now->size)
        return BAD;
    if (request->old_size != known->size)
        return CONFLICT;
    if (known->size == 0)
        merkle_empty(&root);
    return merkle_consists(known->size, &root, now->size, &now->root, &request->proof)
        ? OK
        : INCONSISTENT;
}

static const char *
reason(int status)
{
    switch (status) {
    case UNKNOWN:
        return "the log is not known to this witness\n";
    case FORBIDDEN:
        return "no good signature by a key of that log\n";
    case INCONSISTENT:
        return "the checkpoint is not proven to continue the one that was cosigned\n";
    default:
        return "the old size is larger than the checkpoint's\n";
    }
}

int
witness_answer(struct buf *out, int status, const struct witness_request *request,
    const struct witness_known *known, const struct note_signer *signer, uint64_t time_s,
    struct err *err)
{
    if (status == OK)
        return checkpoint_cosign(out, request->note.text, signer, time_s, err);
    if (status == CONFLICT) {
        buf_add_u64(out, known->size);
        buf_add_char(out, '\n');
    } else
        buf_add_text(out, reason(status));
    return buf_check(out, "the answer of a witness", err);
}

static int
take_line(struct buf *out, const struct note *note, const struct note_line *line,
    const struct note_key *keys, size_t count, size_t *taken, struct err *err)
{
    for (size_t k = 0; k < count; k++) {
        enum note_found found = note_check_line(note->text, line, &keys[k], NULL);
        if (found == NOTE_WRONG)
            return err_set(
                err, ERR_BAD_NOTE, "the cosignature of %.*s is wrong", SPAN_ARGS(keys[k].name));
        if (found == NOTE_GOOD) {
            buf_add_span(out, line->whole);
            (*taken)++;
        }
    }
    return 0;
}

int
witness_take(struct buf *out, struct span answer, const struct note_key *keys, size_t count,
    size_t *taken, struct err *err)
{
    struct buf whole = buf_new(2 * (size_t)NOTE_BYTES_MAX);
    struct note before;
    struct note both;

    *taken = 0;
    int rc = note_read(buf_span(out), &before, err);
    size_t known = rc == 0 ? before.count : 0;
    buf_add_span(&whole, buf_span(out));
    buf_add_span(&whole, answer);
    if (rc == 0)
        rc = buf_check(&whole, "the answer of a witness", err);
    if (rc == 0)
        rc = note_read(buf_span(&whole), &both, err);
    /* An answer that holds an empty line would move the text's end. */
    if (rc == 0 && both.text.n != before.text.n)
        rc = err_set(err, ERR_BAD_NOTE, "the answer of a witness is lines of signatures");
    for (size_t i = known; rc == 0 && i < both.count; i++)
        rc = take_line(out, &both, &both.lines[i], keys, count, taken, err);
    buf_free(&whole);
    return rc != 0 ? rc : buf_check(out, "the checkpoint", err);
}
