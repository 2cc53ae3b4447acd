#include "geo/geo_pack.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BEST_MAX = 512 }; /* beyond, a block is quicker and hardly larger */

/* What a stretch of the address space looks like: a place with the same entry as the one before
 * it is left out. */
struct places {
    struct place {
        uint32_t at;
        uint64_t entry;
    } * list;
    size_t count;
    size_t size;
};

/* The runs, and the one to look at next. */
struct source {
    const struct geo_run *runs;
    size_t count;
    size_t at;
};

/* P with room for NEED elements, or P as it is and *FAILED set. */
static void *
grow(void *p, size_t *size, size_t need, size_t element, bool *failed)
{
    if (need <= *size)
        return p;
    size_t more = *size * 2 > need ? *size * 2 : need + 64;
    void *moved = realloc(p, more * element);
    if (moved == NULL) {
        *failed = true;
        return p;
    }
    *size = more;
    return moved;
}

static void
add_place(struct geo_pack *pack, struct places *places, uint64_t at, uint64_t entry)
{
    if (places->count > 0 && places->list[places->count - 1].entry == entry)
        return;
    places->list =
        grow(places->list, &places->size, places->count + 1, sizeof *places->list, &pack->failed);
    if (pack->failed)
        return;
    places->list[places->count++] = (struct place){(uint32_t)at, entry};
}

/* The places' entries, one behind the other; the index of the first. */
static size_t
put_entries(struct geo_pack *pack, const struct places *places)
{
    size_t first = pack->entry_count;

    pack->entries = grow(pack->entries, &pack->entry_size, first + places->count,
        sizeof *pack->entries, &pack->failed);
    if (pack->failed)
        return 0;
    for (size_t i = 0; i < places->count; i++)
        pack->entries[first + i] = places->list[i].entry;
    pack->entry_count += places->count;
    return first;
}

/* COUNT nodes of 64 places each; the index of the first. */
static size_t
put_nodes(struct geo_pack *pack, const struct places *places, size_t count)
{
    size_t first = put_entries(pack, places);
    size_t node = pack->node_count;
    size_t next = 0;

    pack->nodes =
        grow(pack->nodes, &pack->node_size, node + count, sizeof *pack->nodes, &pack->failed);
    if (pack->failed)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct geo_node *n = &pack->nodes[node + i];
        if (next < places->count && places->list[next].at == i << GEO_WORD_BITS)
            next++;
        *n = (struct geo_node){.first = (uint32_t)(first + next - 1)};
        for (; next < places->count && places->list[next].at >> GEO_WORD_BITS == i; next++)
            n->changes |= (uint64_t)1 << (places->list[next].at & 63);
    }
    pack->node_count += count;
    return node;
}

static void
fill_line(struct geo_line *line, const struct place *places, size_t count, size_t step)
{
    memset(line, 0xff, sizeof *line);
    for (size_t i = 0; i < GEO_LINE_KEYS && i * step < count; i++)
        line->keys[i] = (uint16_t)places[i * step].at;
}

static uint64_t
put_list(struct geo_pack *pack, const struct places *places)
{
    size_t first = put_entries(pack, places);
    size_t lines = GEO_LIST_LINES(places->count);
    size_t line = pack->line_count;
    const struct place *keys = places->list + 1;
    size_t count = places->count - 1;

    pack->lines =
        grow(pack->lines, &pack->line_size, line + lines + 1, sizeof *pack->lines, &pack->failed);
    if (pack->failed)
        return 0;
    if (lines > 1)
        fill_line(&pack->lines[pack->line_count++], keys + GEO_LINE_KEYS, count - GEO_LINE_KEYS,
            GEO_LINE_KEYS);
    for (size_t i = 0; i < count; i += GEO_LINE_KEYS)
        fill_line(&pack->lines[pack->line_count++], keys + i, count - i, 1);
    return (uint64_t)GEO_LIST << 62 | (uint64_t)places->count << 46 | (uint64_t)line << 24 | first;
}

static void find_places(struct geo_pack *pack, struct source *source, geo_key base, unsigned depth,
    unsigned width, struct places *places);

/* What stands behind a place that has more than one answer. */
static uint64_t
put_step(struct geo_pack *pack, struct source *source, geo_key base, unsigned depth)
{
    struct places places = {0};
    uint64_t entry = 0;

    find_places(pack, source, base, depth, GEO_STEP_BITS, &places);
    if (!pack->failed && places.count <= LIST_BEST_MAX)
        entry = put_list(pack, &places);
    else if (!pack->failed)
        entry = (uint64_t)GEO_BLOCK << 62 | put_nodes(pack, &places, GEO_BLOCK_NODES);
    free(places.list);
    return entry;
}

/* The entries of the 2^WIDTH places that the WIDTH bits behind the first DEPTH tell apart. */
static void
find_places(struct geo_pack *pack, struct source *source, geo_key base, unsigned depth,
    unsigned width, struct places *places)
{
    unsigned shift = 128 - depth - width;
    uint64_t end = (uint64_t)1 << width;

    for (uint64_t at = 0; at < end && !pack->failed;) {
        geo_key start = base + ((geo_key)at << shift);
        while (source->at + 1 < source->count && source->runs[source->at + 1].start <= start)
            source->at++;
        const struct geo_run *run = &source->runs[source->at];
        geo_key last = source->at + 1 < source->count ? run[1].start - 1 : ~(geo_key)0;
        if (last - start >= ((geo_key)1 << shift) - 1) {
            add_place(pack, places, at, run->answer);
            geo_key next = ((last - base) >> shift) + 1;
            /* The place that LAST ends in, if it does not end with it, is mixed. */
            if ((last - base + 1) & (((geo_key)1 << shift) - 1))
                next--;
            at = next > end ? end : (uint64_t)next;
        } else {
            add_place(pack, places, at, put_step(pack, source, start, depth + width));
            at++;
        }
    }
}

static int
check(const struct geo_pack *pack, struct err *err)
{
    if (pack->entry_count >= 1 << 24 || pack->line_count >= 1 << 22 || pack->node_count >= 1 << 28)
        return err_set(err, ERR_LIMIT, "these ranges make a larger table than its format can say");
    if (pack->failed)
        return err_set(err, ERR_NO_MEMORY, "no memory to build the address table");
    return 0;
}

int
geo_pack_ip4(struct geo_pack *pack, const struct geo_run *runs, size_t count, struct err *err)
{
    struct source source = {runs, count, 0};
    struct places places = {0};

    find_places(pack, &source, 0, 0, 24, &places);
    if (!pack->failed)
        (void)put_nodes(pack, &places, GEO_NODES4);
    free(places.list);
    return check(pack, err);
}

int
geo_pack_ip6(struct geo_pack *pack, const struct geo_run *runs, size_t count, struct err *err)
{
    struct source source = {runs, count, 0};
    struct places places = {0};

    pack->top = calloc(GEO_TOP_COUNT, sizeof *pack->top);
    if (pack->top == NULL)
        pack->failed = true;
    for (uint32_t i = 0; i < GEO_TOP_COUNT && !pack->failed; i++) {
        places.count = 0;
        find_places(pack, &source, (geo_key)i << (128 - GEO_TOP_BITS), GEO_TOP_BITS, 20, &places);
        uint32_t mask =
            places.count > 1 || GEO_KIND(places.list[0].entry) != GEO_ANSWER ? GEO_TOP_MASK : 0;
        if (!pack->failed)
            pack->top[i] = (struct geo_top){(uint32_t)put_nodes(pack, &places, mask + 1), mask};
    }
    free(places.list);
    return check(pack, err);
}

void
geo_pack_clear(struct geo_pack *pack)
{
    free(pack->top);
    free(pack->nodes);
    free(pack->entries);
    free(pack->lines);
    *pack = (struct geo_pack){0};
}
