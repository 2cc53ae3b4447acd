#include "fmt/lines.h"

#include "base/base64.h"

bool
lines_next(struct span *rest, struct span *line)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

    if (end == NULL)
        return false;
    *line = (struct span){rest->p, (size_t)(end - rest->p)};
    *rest = (struct span){end + 1, rest->n - line->n - 1};
    return true;
}

bool
lines_word(struct span *rest, const char *word, struct span *out)
{
    struct span after = *rest;
    struct span line;
    size_t n = strlen(word);

    if (!lines_next(&after, &line) || line.n <= n || memcmp(line.p, word, n) != 0
        || line.p[n] != ' ')
        return false;
    *out = (struct span){line.p + n + 1, line.n - n - 1};
    *rest = after;
    return true;
}

bool
lines_number(struct span text, uint64_t *out)
{
    return (text.n == 1 || (text.n > 1 && text.p[0] != '0')) && span_u64(text, out)
        && *out <= MERKLE_SIZE_MAX;
}

bool
lines_hash(struct span text, struct merkle_hash *out)
{
    return base64_exact(text, out->bytes, sizeof out->bytes);
}

bool
lines_hashes(struct span *rest, size_t max, struct merkle_proof *out)
{
    struct span line;

    out->count = 0;
    for (struct span after = *rest; lines_next(&after, &line) && line.n > 0; *rest = after)
        if (out->count == max || !lines_hash(line, &out->hashes[out->count++]))
            return false;
    return true;
}

void
lines_add_hash(struct buf *out, const struct merkle_hash *hash)
{
    base64_add(out, hash->bytes, sizeof hash->bytes);
    buf_add_char(out, '\n');
}

void
lines_add_hashes(struct buf *out, const struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count; i++)
        lines_add_hash(out, &proof->hashes[i]);
}
