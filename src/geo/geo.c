#include "geo/geo.h"

#include "geo/geo_table.h"
#include "sys/lent.h"

#include <errno.h>
#include <fcntl.h>
#if defined(__x86_64__)
#include <emmintrin.h>
#endif
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GROUP = 32
}; /* look-ups in flight at once: enough to hide memory, few enough for the first cache */

/* An address as the table sees it: KEY's bits 26 to 31 are the place in the node, and the steps
 * below go on from there. */
struct probe {
    uint64_t high;
    uint64_t low;
    const struct geo_node *node;
};

INLINE struct geo_answer
answer_of(uint64_t entry)
{
    return (struct geo_answer){.asn = (uint32_t)entry,
        .economy = {(uint16_t)(entry >> 32 & 0x3ff)},
        .asn_economy = {(uint16_t)(entry >> 42 & 0x3ff)},
        .bits = (uint8_t)(entry >> 52)};
}

INLINE struct probe
probe4(const struct geo *geo, uint32_t address)
{
    return (struct probe){(uint64_t)address << 24, 0, &geo->nodes[address >> 14]};
}

INLINE struct probe
probe6(const struct geo *geo, const struct address *a)
{
    if (__builtin_expect(a->high == 0, 0)) {
        if (a->family == 4 || a->low >> 32 == 0xffff)
            return probe4(geo, (uint32_t)a->low);
    }
    struct geo_top top = geo->top[a->high >> (64 - GEO_TOP_BITS)];
    return (struct probe){a->high, a->low, &geo->nodes[top.node + (a->high >> 38 & top.mask)]};
}

INLINE const uint64_t *
node_entry(const struct geo *geo, const struct geo_node *node, unsigned place)
{
    uint64_t upto = (uint64_t)2 << place;

    return &geo->entries[node->first + (unsigned)__builtin_popcountll(node->changes & (upto - 1))];
}

/* How many keys are at most VALUE: they ascend, so that is also where VALUE belongs. */
#if defined(__x86_64__)
INLINE __m128i
at_most(const uint16_t *keys, __m128i value)
{
    return _mm_cmpeq_epi16(
        _mm_subs_epu16(_mm_load_si128((const __m128i *)(const void *)keys), value),
        _mm_setzero_si128());
}

INLINE unsigned
line_find(const struct geo_line *line, uint16_t value)
{
    __m128i v = _mm_set1_epi16((short)value);
    __m128i low = _mm_packs_epi16(at_most(line->keys, v), at_most(line->keys + 8, v));
    __m128i high = _mm_packs_epi16(at_most(line->keys + 16, v), at_most(line->keys + 24, v));

    return (unsigned)__builtin_popcount(
        (unsigned)_mm_movemask_epi8(low) | (unsigned)_mm_movemask_epi8(high) << 16);
}
#else
INLINE unsigned
line_find(const struct geo_line *line, uint16_t value)
{
    uint16_t n = 0;

    for (int i = 0; i < GEO_LINE_KEYS; i++)
        n = (uint16_t)(n + (line->keys[i] <= value));
    return n;
}
#endif

/* Without a branch on the list's size, which no processor could foresee: a single line is
 * searched twice. */
INLINE const uint64_t *
list_entry(const struct geo *geo, uint64_t list, uint16_t value)
{
    const struct geo_line *line = &geo->lines[GEO_LIST_LINE(list)];
    uint32_t count = GEO_LIST_COUNT(list);
    unsigned lines = GEO_LIST_LINES(count);
    unsigned chosen = line_find(line, value);

    chosen = chosen < lines ? chosen : lines - 1;
    line += lines > 1 ? 1 + chosen : 0;
    unsigned at = chosen * GEO_LINE_KEYS + line_find(line, value);
    return &geo->entries[GEO_LIST_FIRST(list) + (at < count ? at : count - 1)];
}

INLINE const uint64_t *
block_entry(const struct geo *geo, uint64_t block, uint16_t value)
{
    return node_entry(geo, &geo->nodes[(uint32_t)block + (value >> GEO_WORD_BITS)], value & 63);
}

/* The entry that ENTRY, no answer, leads to with the address's next 16 bits. */
INLINE const uint64_t *
step(const struct geo *geo, uint64_t entry, uint16_t value)
{
    return GEO_KIND(entry) == GEO_LIST ? list_entry(geo, entry, value)
                                       : block_entry(geo, entry, value);
}

/* The 16 bits that step number STEP consumes. */
INLINE uint16_t
step_value(const struct probe *probe, unsigned number)
{
    return (uint16_t)(number < 2 ? probe->high >> (16 - 16 * number)
                                 : probe->low >> (80 - 16 * number));
}

INLINE struct geo_answer
find_one(const struct geo *geo, const struct probe *probe)
{
    uint64_t entry = *node_entry(geo, probe->node, probe->high >> 32 & 63);

    for (unsigned i = 0; GEO_KIND(entry) != GEO_ANSWER; i++) {
        /* Only a file made by hand goes on behind the last bit. */
        if (i == GEO_STEPS_MAX)
            return (struct geo_answer){0};
        entry = *step(geo, entry, step_value(probe, i));
    }
    return answer_of(entry);
}

INLINE void
find4_group(const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out)
{
    const uint64_t *at[GROUP];

    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&geo->nodes[addresses[i] >> 14]);
    for (size_t i = 0; i < count; i++) {
        at[i] = node_entry(geo, &geo->nodes[addresses[i] >> 14], addresses[i] >> 8 & 63);
        __builtin_prefetch(at[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t entry = *at[i];
        if (__builtin_expect(GEO_KIND(entry) == GEO_ANSWER, 1)) {
            out[i] = answer_of(entry);
        } else {
            struct probe probe = probe4(geo, addresses[i]);
            out[i] = find_one(geo, &probe);
        }
    }
}

/* The look-ups of one group that are not answered yet. */
struct rest {
    uint8_t lists[GROUP];
    uint8_t blocks[GROUP];
    size_t list_count;
    size_t block_count;
};

/* No branches on the kind of an entry: they could not be foreseen. */
INLINE void
sift(struct rest *rest, uint64_t entry, size_t i)
{
    unsigned kind = GEO_KIND(entry);

    rest->lists[rest->list_count] = (uint8_t)i;
    rest->list_count += kind == GEO_LIST;
    rest->blocks[rest->block_count] = (uint8_t)i;
    rest->block_count += kind == GEO_BLOCK;
}

/* One step for all that are in REST; those that need another are in REST afterwards. */
INLINE void
step_group(const struct geo *geo, const struct probe *probes, uint64_t *entries, unsigned number,
    struct rest *rest)
{
    const uint64_t *at[GROUP];
    struct rest now = *rest;

    for (size_t k = 0; k < now.list_count; k++) {
        size_t i = now.lists[k];
        at[i] = list_entry(geo, entries[i], step_value(&probes[i], number));
        __builtin_prefetch(at[i]);
    }
    for (size_t k = 0; k < now.block_count; k++) {
        size_t i = now.blocks[k];
        at[i] = block_entry(geo, entries[i], step_value(&probes[i], number));
        __builtin_prefetch(at[i]);
    }
    rest->list_count = rest->block_count = 0;
    for (size_t k = 0; k < now.list_count; k++) {
        size_t i = now.lists[k];
        entries[i] = *at[i];
        sift(rest, entries[i], i);
    }
    for (size_t k = 0; k < now.block_count; k++) {
        size_t i = now.blocks[k];
        entries[i] = *at[i];
        sift(rest, entries[i], i);
    }
}

INLINE void
find6_group(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out)
{
    struct probe probes[GROUP];
    const uint64_t *at[GROUP];
    uint64_t entries[GROUP];
    struct rest rest;

    for (size_t i = 0; i < count; i++) {
        probes[i] = probe6(geo, &addresses[i]);
        __builtin_prefetch(probes[i].node);
    }
    for (size_t i = 0; i < count; i++) {
        at[i] = node_entry(geo, probes[i].node, probes[i].high >> 32 & 63);
        __builtin_prefetch(at[i]);
    }
    rest.list_count = rest.block_count = 0;
    for (size_t i = 0; i < count; i++) {
        entries[i] = *at[i];
        sift(&rest, entries[i], i);
    }
    for (unsigned number = 0; number < GEO_STEPS_MAX && rest.list_count + rest.block_count > 0;
         number++)
        step_group(geo, probes, entries, number, &rest);
    for (size_t i = 0; i < count; i++)
        out[i] = answer_of(entries[i]);
    /* Only a file made by hand goes on behind the last bit. */
    for (size_t k = 0; k < rest.list_count; k++)
        out[rest.lists[k]] = (struct geo_answer){0};
    for (size_t k = 0; k < rest.block_count; k++)
        out[rest.blocks[k]] = (struct geo_answer){0};
}

INLINE void
find4_all(const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out)
{
    size_t i = 0;

    for (; count - i >= GROUP; i += GROUP)
        find4_group(geo, addresses + i, GROUP, out + i);
    if (i < count)
        find4_group(geo, addresses + i, count - i, out + i);
}

INLINE void
find6_all(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out)
{
    size_t i = 0;

    for (; count - i >= GROUP; i += GROUP) {
        /* The next group's addresses, which may lie behind the caches. */
        for (size_t k = 0; k < GROUP * sizeof *addresses; k += 64)
            __builtin_prefetch((const char *)(addresses + i + GROUP) + k);
        find6_group(geo, addresses + i, GROUP, out + i);
    }
    if (i < count)
        find6_group(geo, addresses + i, count - i, out + i);
}

FAST static void
find4_fast(const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out)
{
    find4_all(geo, addresses, count, out);
}

static void
find4_plain(const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out)
{
    find4_all(geo, addresses, count, out);
}

FAST static void
find6_fast(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out)
{
    find6_all(geo, addresses, count, out);
}

static void
find6_plain(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out)
{
    find6_all(geo, addresses, count, out);
}

FAST static struct geo_answer
find_fast(const struct geo *geo, const struct address *address)
{
    struct probe probe = probe6(geo, address);

    return find_one(geo, &probe);
}

static struct geo_answer
find_plain(const struct geo *geo, const struct address *address)
{
    struct probe probe = probe6(geo, address);

    return find_one(geo, &probe);
}

struct geo_answer
geo_find(const struct geo *geo, const struct address *address)
{
    return (geo->fast ? find_fast : find_plain)(geo, address);
}

void
geo_find4(const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out)
{
    (geo->fast ? find4_fast : find4_plain)(geo, addresses, count, out);
}

void
geo_find6(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out)
{
    (geo->fast ? find6_fast : find6_plain)(geo, addresses, count, out);
}

void
geo_prefetch(const struct geo *geo, const struct address *address)
{
    __builtin_prefetch(probe6(geo, address).node);
}

void
geo_prefetch_entry(const struct geo *geo, const struct address *address)
{
    struct probe probe = probe6(geo, address);

    __builtin_prefetch(node_entry(geo, probe.node, probe.high >> 32 & 63));
}

static int
map(struct geo *geo, const char *path, struct err *err)
{
    struct stat st;
    int fd = lent_open(path, 0);

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
            "the address table %s cannot be opened: %s", path, strerror(errno));
    int rc = fstat(fd, &st) != 0
        ? err_set(err, ERR_IO, "%s cannot be read: %s", path, strerror(errno))
        : 0;
    if (rc == 0 && (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct geo_header)))
        rc = geo_check_failed(err, path, "it is no file, or shorter than a header");
    if (rc == 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (p == MAP_FAILED)
            rc = err_set(err, ERR_IO, "%s cannot be mapped: %s", path, strerror(errno));
        else
            *geo = (struct geo){.header = p, .bytes = (size_t)st.st_size};
    }
    (void)close(fd);
    return rc;
}

static void
find_sections(struct geo *geo)
{
    geo->top = geo_table_section(geo, GEO_TOP);
    geo->nodes = geo_table_section(geo, GEO_NODES);
    geo->entries = geo_table_section(geo, GEO_ENTRIES);
    geo->lines = geo_table_section(geo, GEO_LINES);
    geo->systems = geo_table_section(geo, GEO_SYSTEMS);
    geo->system_count = geo_table_count(geo, GEO_SYSTEMS);
    geo->names = (struct span){geo_table_section(geo, GEO_NAMES), geo_table_count(geo, GEO_NAMES)};
#if defined(__x86_64__)
    geo->fast = __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("avx2")
        && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#endif
}

int
geo_open(const char *path, struct geo **out, struct err *err)
{
    struct geo *geo = calloc(1, sizeof *geo);

    if (geo == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to open %s", path);
    int rc = map(geo, path, err);
    if (rc == 0)
        rc = geo_check_header(geo, path, err);
    if (rc == 0) {
        find_sections(geo);
        rc = geo_check_content(geo, path, err);
    }
    if (rc != 0) {
        geo_close(geo);
        return rc;
    }
    *out = geo;
    return 0;
}

void
geo_rest(const struct geo *geo)
{
    if (geo != NULL)
        (void)madvise((void *)(uintptr_t)geo->header, geo->bytes, MADV_DONTNEED);
}

void
geo_close(struct geo *geo)
{
    if (geo == NULL)
        return;
    if (geo->header != NULL)
        (void)munmap((void *)(uintptr_t)geo->header, geo->bytes);
    free(geo);
}

static const struct geo_system *
find_system(const struct geo *geo, uint32_t asn)
{
    size_t low = 0;
    size_t high = geo->system_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (geo->systems[middle].asn < asn)
            low = middle + 1;
        else
            high = middle;
    }
    return low < geo->system_count && geo->systems[low].asn == asn ? &geo->systems[low] : NULL;
}

struct span
geo_asn_name(const struct geo *geo, uint32_t asn)
{
    const struct geo_system *found = find_system(geo, asn);

    if (found == NULL)
        return (struct span){"", 0};
    return (struct span){geo->names.p + found->name, found->name_bytes};
}

struct economy
geo_asn_economy(const struct geo *geo, uint32_t asn)
{
    const struct geo_system *found = find_system(geo, asn);

    return (struct economy){found == NULL ? 0 : found->economy};
}

struct span
geo_sources(const struct geo *geo)
{
    return (struct span){geo_table_section(geo, GEO_SOURCES), geo_table_count(geo, GEO_SOURCES)};
}

struct geo_counts
geo_counts(const struct geo *geo)
{
    const uint64_t *ranges = geo->header->ranges;

    return (struct geo_counts){.ip4_asn_ranges = ranges[0],
        .ip4_economy_ranges = ranges[1],
        .ip6_asn_ranges = ranges[2],
        .ip6_economy_ranges = ranges[3],
        .asns = geo->system_count,
        .bytes = geo->bytes,
        .built_us = (int64_t)(geo->header->built_s * 1000000)};
}
