#include "geo/geo_build.h"

#include "base/hash.h"
#include "geo/geo_pack.h"
#include "sys/file.h"

#include <stdlib.h>

enum {
    RANGES_MAX = 16 * 1024 * 1024, /* of a kind: 30 times today's world */
    SYSTEMS_MAX = 4 * 1024 * 1024,
    NAMES_MAX_BYTES = 256 * 1024 * 1024,
};

/* IPv4 in the first 32 bits of a key. */
struct range {
    geo_key first;
    geo_key last;
    uint32_t value; /* ASN, or an economy's index */
};

struct ranges {
    struct range *list;
    size_t count;
    size_t size;
};

struct geo_build {
    struct ranges asn[2]; /* IPv4, IPv6 */
    struct ranges economy[2];
    struct geo_system *systems;
    size_t system_count;
    size_t system_size;
    struct buf names;
};

struct runs {
    struct geo_run *list;
    size_t count;
    size_t size;
    bool failed;
};

struct geo_build *
geo_build_new(void)
{
    struct geo_build *build = calloc(1, sizeof *build);

    if (build != NULL)
        build->names = buf_new(NAMES_MAX_BYTES);
    return build;
}

void
geo_build_free(struct geo_build *build)
{
    if (build == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        free(build->asn[i].list);
        free(build->economy[i].list);
    }
    free(build->systems);
    buf_free(&build->names);
    free(build);
}

/* *MOVED is LIST with room for one more element. */
static int
grow(void *list, size_t *size, size_t count, size_t max, size_t element, void **moved,
    struct err *err)
{
    *moved = list;
    if (count < *size)
        return 0;
    if (count >= max)
        return err_set(err, ERR_LIMIT, "more than %zu rows of one kind", max);
    size_t more = *size == 0 ? 4096 : *size * 2;
    void *p = realloc(list, more * element);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to build the address table");
    *moved = p;
    *size = more;
    return 0;
}

static geo_key
first_key(const struct address *a)
{
    return a->family == 4 ? (geo_key)(uint32_t)a->low << 96 : (geo_key)a->high << 64 | a->low;
}

static geo_key
last_key(const struct address *a)
{
    return a->family == 4 ? first_key(a) | (((geo_key)1 << 96) - 1) : first_key(a);
}

static int
add_range(struct ranges *ranges, const struct address *first, const struct address *last,
    uint32_t value, struct err *err)
{
    char a[ADDRESS_TEXT_BYTES];
    struct range range = {first_key(first), last_key(last), value};
    const struct range *before = ranges->count == 0 ? NULL : &ranges->list[ranges->count - 1];

    (void)address_format(first, a);
    if (range.last < range.first)
        return err_set(
            err, ERR_BAD_ADDRESS, "the range that starts at %s ends before it starts", a);
    if (before != NULL && range.first <= before->last)
        return err_set(err, ERR_BAD_ADDRESS,
            "the range that starts at %s %s; ranges must ascend and not overlap", a,
            range.first < before->first ? "stands before one with smaller addresses"
                                        : "overlaps the one before it");
    void *moved;
    int rc =
        grow(ranges->list, &ranges->size, ranges->count, RANGES_MAX, sizeof range, &moved, err);
    ranges->list = moved;
    if (rc == 0)
        ranges->list[ranges->count++] = range;
    return rc;
}

static int
check_families(const struct address *first, const struct address *last, struct err *err)
{
    if (first->family == last->family && (first->family == 4 || first->family == 6))
        return 0;
    return err_set(err, ERR_BAD_ADDRESS, "a range's ends must be two addresses of one family");
}

int
geo_build_asn_range(struct geo_build *build, const struct address *first,
    const struct address *last, uint32_t asn, struct err *err)
{
    int rc = check_families(first, last, err);

    if (rc == 0 && asn == 0)
        rc = err_set(err, ERR_BAD_VALUE, "ASN 0 routes nothing (RFC 7607)");
    return rc != 0 ? rc : add_range(&build->asn[first->family == 6], first, last, asn, err);
}

int
geo_build_economy_range(struct geo_build *build, const struct address *first,
    const struct address *last, struct economy economy, struct err *err)
{
    int rc = check_families(first, last, err);

    if (rc == 0 && (economy.index == 0 || economy.index >= ECONOMY_COUNT))
        rc = err_set(err, ERR_BAD_VALUE, "a range without an economy");
    return rc != 0
        ? rc
        : add_range(&build->economy[first->family == 6], first, last, economy.index, err);
}

int
geo_build_system(struct geo_build *build, uint32_t asn, struct economy economy, struct span name,
    struct err *err)
{
    if (asn == 0 || economy.index >= ECONOMY_COUNT || name.n > UINT16_MAX)
        return err_set(err, ERR_BAD_VALUE, "no ASN, economy or name such as AS%u can have", asn);
    void *moved;
    int rc = grow(build->systems, &build->system_size, build->system_count, SYSTEMS_MAX,
        sizeof *build->systems, &moved, err);
    build->systems = moved;
    if (rc != 0)
        return rc;
    build->systems[build->system_count++] = (struct geo_system){.asn = asn,
        .name = (uint32_t)build->names.n,
        .name_bytes = (uint16_t)name.n,
        .economy = economy.index};
    buf_add_span(&build->names, name);
    return buf_check(&build->names, "the names of autonomous systems", err);
}

static int
by_asn(const void *a, const void *b)
{
    uint32_t x = ((const struct geo_system *)a)->asn;
    uint32_t y = ((const struct geo_system *)b)->asn;

    return (x > y) - (x < y);
}

static int
sort_systems(struct geo_build *build, struct err *err)
{
    if (build->system_count > 0)
        qsort(build->systems, build->system_count, sizeof *build->systems, by_asn);
    for (size_t i = 1; i < build->system_count; i++)
        if (build->systems[i].asn == build->systems[i - 1].asn)
            return err_set(err, ERR_DUPLICATE_KEY, "AS%u is listed twice", build->systems[i].asn);
    return 0;
}

static uint64_t
economy_of(const struct geo_build *build, uint32_t asn)
{
    struct geo_system key = {.asn = asn};
    const struct geo_system *found = build->system_count == 0
        ? NULL
        : bsearch(&key, build->systems, build->system_count, sizeof key, by_asn);

    return found == NULL ? 0 : found->economy;
}

static unsigned
leading_zeros(geo_key key)
{
    uint64_t high = (uint64_t)(key >> 64);

    if (high != 0)
        return (unsigned)__builtin_clzll(high);
    return 64 + ((uint64_t)key == 0 ? 64 : (unsigned)__builtin_clzll((uint64_t)key));
}

/* Length of the largest aligned block around AT that lies inside RANGE: that of RANGE's minimal
 * decomposition. A block starts behind FIRST - 1 if the two differ within its length; likewise LAST
 * + 1. */
static unsigned
block_bits(geo_key at, const struct range *range)
{
    unsigned low = range->first == 0 ? 0 : leading_zeros(at ^ (range->first - 1)) + 1;
    unsigned high = range->last == ~(geo_key)0 ? 0 : leading_zeros(at ^ (range->last + 1)) + 1;

    return low > high ? low : high;
}

/* The range around AT, or NULL; *LAST is lowered to where that stops being so. */
static const struct range *
range_at(const struct ranges *ranges, size_t *next, geo_key at, geo_key *last)
{
    while (*next < ranges->count && ranges->list[*next].last < at)
        ++*next;
    if (*next == ranges->count)
        return NULL;
    const struct range *range = &ranges->list[*next];
    geo_key end = range->first <= at ? range->last : range->first - 1;
    if (end < *last)
        *last = end;
    return range->first <= at ? range : NULL;
}

static void
add_run(struct runs *runs, geo_key start, uint64_t answer)
{
    if (runs->count > 0 && runs->list[runs->count - 1].answer == answer)
        return;
    if (runs->count == runs->size) {
        size_t size = runs->size == 0 ? 4096 : runs->size * 2;
        void *moved = realloc(runs->list, size * sizeof *runs->list);
        runs->failed = moved == NULL;
        if (moved == NULL)
            return;
        runs->list = moved;
        runs->size = size;
    }
    runs->list[runs->count++] = (struct geo_run){start, answer};
}

/* Walk both kinds of ranges at once, block by block. */
static int
make_runs(const struct geo_build *build, int family, struct runs *runs, struct err *err)
{
    size_t next_asn = 0;
    size_t next_economy = 0;
    geo_key at = 0;
    geo_key last;

    do {
        last = ~(geo_key)0;
        const struct range *asn = range_at(&build->asn[family], &next_asn, at, &last);
        const struct range *economy = range_at(&build->economy[family], &next_economy, at, &last);
        const struct range *finest = asn != NULL ? asn : economy;
        uint64_t answer = 0;
        if (asn != NULL)
            answer = asn->value | economy_of(build, asn->value) << 42;
        if (economy != NULL)
            answer |= (uint64_t)economy->value << 32;
        if (finest != NULL) {
            unsigned bits = block_bits(at, finest);
            geo_key block_last = bits == 0 ? ~(geo_key)0 : at | (((geo_key)1 << (128 - bits)) - 1);
            answer |= (uint64_t)bits << 52;
            last = block_last < last ? block_last : last;
        }
        add_run(runs, at, answer);
        at = last + 1;
    } while (last != ~(geo_key)0 && !runs->failed);
    return runs->failed ? err_set(err, ERR_NO_MEMORY, "no memory to build the address table") : 0;
}

static int
pack_family(const struct geo_build *build, int family, struct geo_pack *pack, struct err *err)
{
    struct runs runs = {0};
    int rc = make_runs(build, family, &runs, err);

    if (rc == 0)
        rc = family == 0 ? geo_pack_ip4(pack, runs.list, runs.count, err)
                         : geo_pack_ip6(pack, runs.list, runs.count, err);
    free(runs.list);
    return rc;
}

static int
write_table(const struct geo_build *build, const struct geo_pack *pack, struct span sources,
    uint64_t now_s, const char *path, struct err *err)
{
    const struct {
        const void *p;
        size_t count;
        size_t element;
    } sections[GEO_SECTIONS] = {
        [GEO_TOP] = {pack->top, GEO_TOP_COUNT, sizeof *pack->top},
        [GEO_NODES] = {pack->nodes, pack->node_count, sizeof *pack->nodes},
        [GEO_ENTRIES] = {pack->entries, pack->entry_count, sizeof *pack->entries},
        [GEO_LINES] = {pack->lines, pack->line_count, sizeof *pack->lines},
        [GEO_SYSTEMS] = {build->systems, build->system_count, sizeof *build->systems},
        [GEO_NAMES] = {build->names.p, build->names.n, 1},
        [GEO_SOURCES] = {sources.p, sources.n, 1},
    };
    struct geo_header header = {.version = GEO_VERSION,
        .header_bytes = sizeof header,
        .built_s = now_s,
        .ranges = {build->asn[0].count, build->economy[0].count, build->asn[1].count,
            build->economy[1].count}};
    uint64_t at = (sizeof header + GEO_ALIGN - 1) / GEO_ALIGN * GEO_ALIGN;

    memcpy(header.magic, GEO_MAGIC, sizeof header.magic);
    for (int i = 0; i < GEO_SECTIONS; i++) {
        header.sections[i].offset = at;
        header.sections[i].count = sections[i].count;
        at = (at + sections[i].count * sections[i].element + GEO_ALIGN - 1) / GEO_ALIGN * GEO_ALIGN;
    }
    header.file_bytes = at;
    char *file = calloc(1, at);
    if (file == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to write the address table");
    for (int i = 0; i < GEO_SECTIONS; i++)
        if (sections[i].count > 0)
            memcpy(file + header.sections[i].offset, sections[i].p,
                sections[i].count * sections[i].element);
    memcpy(file, &header, sizeof header);
    size_t behind = offsetof(struct geo_header, checksum) + sizeof header.checksum;
    header.checksum = hash_bytes(file + behind, at - behind, 0);
    memcpy(file, &header, sizeof header);
    int rc = file_write_atomic(path, &(struct span){file, at}, 1, 0644, err);
    free(file);
    return rc;
}

int
geo_build_write(
    struct geo_build *build, struct span sources, uint64_t now_s, const char *path, struct err *err)
{
    struct geo_pack pack = {0};
    int rc = sort_systems(build, err);

    if (rc == 0)
        rc = pack_family(build, 0, &pack, err);
    if (rc == 0)
        rc = pack_family(build, 1, &pack, err);
    if (rc == 0)
        rc = write_table(build, &pack, sources, now_s, path, err);
    geo_pack_clear(&pack);
    return rc;
}
