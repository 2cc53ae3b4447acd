#include "fmt/logproof.h"

#include "base/base64.h"
#include "fmt/lines.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_PROOF, "no proof of a log (C2SP tlog-proof): %s", what);
}

int
logproof_read(struct span text, struct logproof *out, struct err *err)
{
    struct span rest = text;
    struct span line;

    *out = (struct logproof){.extra = {NULL, 0}};
    if (text.n > LOGPROOF_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a proof of more than %d bytes", LOGPROOF_BYTES_MAX);
    if (!lines_next(&rest, &line) || !span_equal(line, SPAN(first_line)))
        return bad(err, "its first line is c2sp.org/tlog-proof@v1");
    (void)lines_word(&rest, "extra", &out->extra);
    if (!lines_word(&rest, "index", &line) || !lines_number(line, &out->index))
        return bad(err, "a line \"index\" with a number is missing");
    if (!lines_hashes(&rest, MERKLE_PROOF_MAX, &out->path))
        return bad(err, "behind the index stand hashes, 32 bytes in base64 a line");
    if (!lines_next(&rest, &line) || line.n > 0 || rest.n == 0)
        return bad(err, "behind the hashes stand an empty line and the checkpoint");
    out->checkpoint = rest;
    return 0;
}

int
logproof_extra(const struct logproof *proof, struct buf *out, struct err *err)
{
    size_t room = proof->extra.n / 4 * 3 + 4;
    char *at = proof->extra.n > LOGPROOF_EXTRA_MAX / 3 * 4 ? NULL : buf_reserve(out, room);
    size_t n;

    if (at == NULL)
        return err_set(err, ERR_LIMIT, "more than %d bytes beside a proof", LOGPROOF_EXTRA_MAX);
    if (!base64_read(proof->extra, at, room, &n))
        return bad(err, "what stands behind \"extra\" is base64");
    out->n += n;
    return 0;
}

int
logproof_write(struct buf *out, const struct logproof *proof, struct span extra, struct err *err)
{
    buf_add_text(out, first_line);
    buf_add_char(out, '\n');
    if (extra.n > 0) {
        buf_add_text(out, "extra ");
        base64_add(out, extra.p, extra.n);
        buf_add_char(out, '\n');
    }
    buf_add_text(out, "index ");
    buf_add_u64(out, proof->index);
    buf_add_char(out, '\n');
    lines_add_hashes(out, &proof->path);
    buf_add_char(out, '\n');
    buf_add_span(out, proof->checkpoint);
    return buf_check(out, "the proof", err);
}
