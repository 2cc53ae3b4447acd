#include "base/tile.h"

#include <stdio.h>

enum { GROUP = 1000, GROUPS_MAX = 7, FULL_LEVELS = 64 };

size_t
tile_path(const struct tile *tile, char *out)
{
    uint64_t rest = tile->number;
    unsigned groups[GROUPS_MAX];
    int count = 0;
    int n = tile->entries ? snprintf(out, TILE_PATH_BYTES, "tile/entries")
                          : snprintf(out, TILE_PATH_BYTES, "tile/%u", tile->level);

    do {
        groups[count++] = (unsigned)(rest % GROUP);
        rest /= GROUP;
    } while (rest > 0 && count < GROUPS_MAX);
    while (count > 0 && n > 0 && n < TILE_PATH_BYTES) {
        count--;
        n += snprintf(
            out + n, (size_t)(TILE_PATH_BYTES - n), "/%s%03u", count > 0 ? "x" : "", groups[count]);
    }
    if (tile->width < TILE_WIDTH && n < TILE_PATH_BYTES)
        n += snprintf(out + n, (size_t)(TILE_PATH_BYTES - n), ".p/%u", tile->width);
    return (size_t)n;
}

static bool
parse_level(struct span *rest, struct tile *out)
{
    struct span word;
    uint64_t level;

    if (!span_next(rest, '/', &word) || !span_equal(word, SPAN("tile"))
        || !span_next(rest, '/', &word))
        return false;
    out->entries = span_equal(word, SPAN("entries"));
    if (out->entries)
        return true;
    if (word.n > 2 || !span_u64(word, &level) || level >= FULL_LEVELS)
        return false;
    out->level = (uint8_t)level;
    return true;
}

/* "x001" or "067", "067.p": *LAST says that no group follows. */
static bool
parse_group(struct span word, struct tile *out, bool *last, bool *partial)
{
    uint64_t group;

    *partial = span_ends(word, SPAN(".p"));
    if (*partial)
        word.n -= 2;
    *last = word.n == 3;
    if (word.n == 4 && word.p[0] == 'x' && !*partial)
        word = (struct span){word.p + 1, 3};
    if (word.n != 3 || !span_u64(word, &group) || out->number > (UINT64_MAX - group) / GROUP)
        return false;
    out->number = out->number * GROUP + group;
    return true;
}

bool
tile_parse(struct span path, struct tile *out)
{
    char again[TILE_PATH_BYTES];
    struct span rest = path;
    struct span word;
    bool last = false;
    bool partial = false;
    uint64_t width = TILE_WIDTH;

    *out = (struct tile){0};
    if (path.n >= TILE_PATH_BYTES || !parse_level(&rest, out))
        return false;
    while (!last)
        if (!span_next(&rest, '/', &word) || !parse_group(word, out, &last, &partial))
            return false;
    if (partial
        && (!span_next(&rest, '/', &word) || !span_u64(word, &width) || width >= TILE_WIDTH))
        return false;
    out->width = (uint16_t)width;
    /* Leading zeros and the like: there is one path for each. */
    return width > 0 && span_equal(path, (struct span){again, tile_path(out, again)});
}

uint16_t
tile_width(uint64_t size, unsigned level, uint64_t number)
{
    uint64_t hashes = level < TILE_LEVELS ? size >> (level * TILE_HEIGHT) : 0;

    if (number >= hashes / TILE_WIDTH + (hashes % TILE_WIDTH != 0))
        return 0;
    return number < hashes / TILE_WIDTH ? TILE_WIDTH : (uint16_t)(hashes % TILE_WIDTH);
}

bool
tile_entry(struct span *rest, struct span *entry)
{
    if (rest->n < 2)
        return false;
    size_t n = (size_t)(unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1];
    if (n > rest->n - 2)
        return false;
    *entry = (struct span){rest->p + 2, n};
    *rest = (struct span){rest->p + 2 + n, rest->n - 2 - n};
    return true;
}
