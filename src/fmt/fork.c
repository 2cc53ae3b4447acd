#include "fmt/fork.h"

#include "fmt/lines.h"

static const char first_line[] = "comity-two-histories-v1";

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_PROOF, "no evidence of two histories: %s", what);
}

bool
fork_is(struct span text)
{
    struct span line;

    return lines_next(&text, &line) && span_equal(line, SPAN(first_line));
}

int
fork_write(struct buf *out, const struct fork *fork, struct err *err)
{
    buf_add_text(out, first_line);
    buf_add_char(out, '\n');
    lines_add_hashes(out, &fork->prefix);
    for (int i = 0; i < 2; i++) {
        buf_add_char(out, '\n');
        buf_add_span(out, fork->notes[i]);
    }
    return buf_check(out, "the evidence of two histories", err);
}

/* A checkpoint's text has no empty line: the note ends at the second one. False: at the end. */
static bool
take_note(struct span *rest, struct span *note)
{
    struct span line;
    int empty = 0;

    *note = (struct span){rest->p, 0};
    while (lines_next(rest, &line)) {
        empty += line.n == 0;
        if (empty == 2)
            return true;
        note->n = (size_t)(rest->p - note->p);
    }
    return false;
}

int
fork_read(struct span text, struct fork *out, struct err *err)
{
    struct span rest = text;
    struct span line;

    if (text.n > FORK_BYTES_MAX)
        return err_set(
            err, ERR_LIMIT, "evidence of two histories of more than %d bytes", FORK_BYTES_MAX);
    if (!lines_next(&rest, &line) || !span_equal(line, SPAN(first_line)))
        return bad(err, "its first line is comity-two-histories-v1");
    if (!lines_hashes(&rest, MERKLE_PROOF_MAX, &out->prefix))
        return bad(err, "behind the first line stand hashes, 32 bytes in base64 a line");
    if (!lines_next(&rest, &line) || line.n > 0 || !take_note(&rest, &out->notes[0]))
        return bad(err, "behind the hashes stand two checkpoints, an empty line before each");
    out->notes[1] = rest;
    return 0;
}

int
fork_sides(const struct fork *fork, struct fork_side sides[2], struct err *err)
{
    const struct checkpoint *smaller = &sides[0].checkpoint;
    const struct checkpoint *larger = &sides[1].checkpoint;
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2; i++)
        rc = checkpoint_read_note(fork->notes[i], &sides[i].note, &sides[i].checkpoint, err);
    if (rc != 0)
        return rc;
    if (!span_equal(smaller->origin, larger->origin))
        return bad(err, "the two checkpoints are of different logs");
    if (smaller->size > larger->size)
        return bad(err, "the smaller checkpoint stands first");
    if ((smaller->size == larger->size) != (fork->prefix.count == 0))
        return bad(err, "hashes stand there if the checkpoints are of different sizes");
    return 0;
}

enum fork_shown
fork_judge(const struct fork *fork, const struct fork_side sides[2], struct merkle_hash *before)
{
    const struct checkpoint *smaller = &sides[0].checkpoint;
    const struct checkpoint *larger = &sides[1].checkpoint;
    struct merkle_hash now = larger->root;

    *before = larger->root;
    if (smaller->size < larger->size
        && !merkle_prefix_roots(smaller->size, larger->size, &fork->prefix, before, &now))
        return FORK_LOOSE;
    if (!merkle_equal(&now, &larger->root))
        return FORK_LOOSE;
    return merkle_equal(before, &smaller->root) ? FORK_ONE : FORK_TWO;
}
