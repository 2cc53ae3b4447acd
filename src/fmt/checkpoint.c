#include "fmt/checkpoint.h"

#include "fmt/lines.h"

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_NOTE, "no checkpoint: %s", what);
}

int
checkpoint_read(struct span text, struct checkpoint *out, struct err *err)
{
    struct span rest = text;
    struct span size;
    struct span root;
    struct span line;

    if (!lines_next(&rest, &out->origin) || out->origin.n == 0)
        return bad(err, "its first line names the log");
    if (!lines_next(&rest, &size) || !lines_number(size, &out->size))
        return bad(err, "its second line is the number of entries, without leading zeros");
    if (!lines_next(&rest, &root) || !lines_hash(root, &out->root))
        return bad(err, "its third line is the root, 32 bytes in base64");
    out->extensions = rest;
    while (lines_next(&rest, &line))
        if (line.n == 0)
            return bad(err, "lines behind the root are not empty");
    return rest.n == 0 ? 0 : bad(err, "its last line has no newline");
}

int
checkpoint_read_note(struct span bytes, struct note *note, struct checkpoint *out, struct err *err)
{
    int rc = note_read(bytes, note, err);

    return rc != 0 ? rc : checkpoint_read(note->text, out, err);
}

enum note_found
checkpoint_check(
    const struct note *note, const struct checkpoint *checkpoint, const struct note_key *key)
{
    return span_equal(key->name, checkpoint->origin) ? note_check(note, key, NULL) : NOTE_ABSENT;
}

void
checkpoint_add(struct buf *out, const struct checkpoint *checkpoint)
{
    buf_add_span(out, checkpoint->origin);
    buf_add_char(out, '\n');
    buf_add_u64(out, checkpoint->size);
    buf_add_char(out, '\n');
    lines_add_hash(out, &checkpoint->root);
    buf_add_span(out, checkpoint->extensions);
}

int
checkpoint_sign(struct buf *out, const struct checkpoint *checkpoint,
    const struct note_signer *signer, struct err *err)
{
    struct buf text = buf_new(NOTE_BYTES_MAX);
    struct checkpoint again;

    checkpoint_add(&text, checkpoint);
    int rc = buf_check(&text, "the checkpoint", err);
    if (rc == 0)
        rc = checkpoint_read(buf_span(&text), &again, err);
    if (rc == 0)
        rc = note_make(out, buf_span(&text), signer, err);
    buf_free(&text);
    return rc;
}

int
checkpoint_cosign(struct buf *out, struct span text, const struct note_signer *signer,
    uint64_t time_s, struct err *err)
{
    struct checkpoint checkpoint;
    int rc = checkpoint_read(text, &checkpoint, err);

    return rc != 0 ? rc : note_sign(out, text, signer, time_s, err);
}
