#include "geo/geo_table.h"

#include "base/hash.h"

static const size_t element_bytes[GEO_SECTIONS] = {sizeof(struct geo_top), sizeof(struct geo_node),
    sizeof(uint64_t), sizeof(struct geo_line), sizeof(struct geo_system), 1, 1};

int
geo_check_failed(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_BAD_TABLE,
        "%s is no usable address table: %s; `comity geo build` makes one", path, what);
}

int
geo_check_header(const struct geo *geo, const char *path, struct err *err)
{
    const struct geo_header *header = geo->header;
    size_t behind = offsetof(struct geo_header, checksum) + sizeof header->checksum;

    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return geo_check_failed(
            err, path, "this machine is big-endian, for which the format is not made");
    if (geo->bytes < sizeof *header || memcmp(header->magic, GEO_MAGIC, sizeof header->magic) != 0)
        return geo_check_failed(err, path, "it does not begin as one");
    if (header->version != GEO_VERSION || header->header_bytes != sizeof *header)
        return geo_check_failed(err, path, "it is of another version of the format");
    if (header->file_bytes != geo->bytes)
        return geo_check_failed(err, path, "it is cut short or has something behind its end");
    if (hash_bytes((const char *)header + behind, geo->bytes - behind, 0) != header->checksum)
        return geo_check_failed(err, path, "its checksum is wrong, so it is damaged");
    for (int i = 0; i < GEO_SECTIONS; i++) {
        uint64_t offset = header->sections[i].offset;
        if (offset % GEO_ALIGN != 0 || offset < sizeof *header || offset > geo->bytes
            || header->sections[i].count > (geo->bytes - offset) / element_bytes[i])
            return geo_check_failed(err, path, "a section reaches beyond its end");
    }
    return 0;
}

/* Everything a look-up may follow without looking: see geo_layout.h. */
static bool
entry_is_sound(const struct geo *geo, uint64_t entry)
{
    uint64_t count = GEO_LIST_COUNT(entry);
    uint64_t lines = GEO_LIST_LINES(count);

    switch (GEO_KIND(entry)) {
    case GEO_ANSWER:
        return (entry >> 32 & 0x3ff) < ECONOMY_COUNT && (entry >> 42 & 0x3ff) < ECONOMY_COUNT
            && (entry >> 52 & 0x3ff) <= 128;
    case GEO_LIST:
        return count > 1 && count <= GEO_LIST_MAX
            && GEO_LIST_FIRST(entry) + count <= geo_table_count(geo, GEO_ENTRIES)
            && GEO_LIST_LINE(entry) + lines + (lines > 1) <= geo_table_count(geo, GEO_LINES);
    case GEO_BLOCK:
        return (entry & 0xffffffff) + GEO_BLOCK_NODES <= geo_table_count(geo, GEO_NODES);
    default:
        return false;
    }
}

INLINE bool
nodes_are_sound_all(const struct geo *geo)
{
    uint64_t nodes = geo_table_count(geo, GEO_NODES);
    uint64_t entries = geo_table_count(geo, GEO_ENTRIES);
    bool sound = true;

    for (uint64_t i = 0; i < nodes; i++)
        sound &=
            (uint64_t)geo->nodes[i].first + (unsigned)__builtin_popcountll(geo->nodes[i].changes)
            < entries;
    return sound;
}

FAST static bool
nodes_are_sound_fast(const struct geo *geo)
{
    return nodes_are_sound_all(geo);
}

static bool
nodes_are_sound(const struct geo *geo)
{
    return geo->fast ? nodes_are_sound_fast(geo) : nodes_are_sound_all(geo);
}

static bool
top_is_sound(const struct geo *geo)
{
    for (size_t i = 0; i < GEO_TOP_COUNT; i++)
        if ((geo->top[i].mask != 0 && geo->top[i].mask != GEO_TOP_MASK)
            || (uint64_t)geo->top[i].node + geo->top[i].mask >= geo_table_count(geo, GEO_NODES))
            return false;
    return true;
}

static bool
systems_are_sound(const struct geo *geo)
{
    bool sound = true;

    for (size_t i = 0; i < geo->system_count; i++) {
        const struct geo_system *s = &geo->systems[i];
        sound &= s->economy < ECONOMY_COUNT && (uint64_t)s->name + s->name_bytes <= geo->names.n
            && (i == 0 || s->asn > s[-1].asn);
    }
    return sound;
}

int
geo_check_content(const struct geo *geo, const char *path, struct err *err)
{
    if (geo_table_count(geo, GEO_TOP) != GEO_TOP_COUNT
        || geo_table_count(geo, GEO_NODES) < GEO_NODES4)
        return geo_check_failed(err, path, "it lacks the sections that every table has");
    if (!top_is_sound(geo) || !nodes_are_sound(geo))
        return geo_check_failed(err, path, "a node points outside");
    for (uint64_t i = 0; i < geo_table_count(geo, GEO_ENTRIES); i++)
        if (!entry_is_sound(geo, geo->entries[i]))
            return geo_check_failed(err, path, "an entry is none or points outside");
    if (!systems_are_sound(geo))
        return geo_check_failed(
            err, path, "its list of autonomous systems is out of order or points outside");
    return 0;
}
