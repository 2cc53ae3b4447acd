/* generic_map.h: what do the columns of this CSV mean, as its mapping file says?
 *
 * The file is JSON and described in doc/formats.md. It is checked whole: a key or field that is not
 * known is an error, never passed over.
 */
#ifndef COMITY_FMT_GENERIC_MAP_H
#define COMITY_FMT_GENERIC_MAP_H

#include "fmt/csv.h"
#include "fmt/shadowschema.h"

enum generic_time { GENERIC_TIME_ISO, GENERIC_TIME_EPOCH, GENERIC_TIME_EPOCH_MS };

struct generic_column {
    struct span name;   /* in the header; n 0 when there is none */
    struct span target; /* n 0: the column is left out */
    uint16_t field;
    uint8_t conversion; /* enum conversion: TEXT, INT, FLOAT, BOOL or TIME */
    uint8_t time;       /* enum generic_time */
};

struct generic_skip {
    struct span column;
    struct span equals;
};

struct generic_map {
    struct arena *arena;
    struct csv_form form;
    bool header;
    struct generic_column *columns;
    uint32_t column_count;
    struct field *constants;
    uint32_t constant_count;
    struct generic_skip *skips;
    uint32_t skip_count;
    struct span *empty; /* texts that say nothing */
    uint32_t empty_count;
};

/* Errors: ERR_NOT_FOUND, ERR_BAD_CONFIG with the path and what is wrong. Owner: the caller. */
MUST_USE int generic_map_load(const char *path, struct generic_map **out, struct err *err);
/* The same of JSON text; NAME is for messages. */
MUST_USE int generic_map_parse(
    struct span text, const char *name, struct generic_map **out, struct err *err);
void generic_map_free(struct generic_map *map);
/* All mappings of FOLDER, by file name; those that are wrong are passed over. ERR_NO_MEMORY. Owner:
 * the caller. */
struct generic_maps;
MUST_USE int generic_maps_load(const char *folder, struct generic_maps **out, struct err *err);
void generic_maps_free(struct generic_maps *maps);
/* The first by file name whose columns are exactly HEADER's; NULL: none. */
const struct generic_map *generic_maps_find(const struct generic_maps *maps, struct span header);

#endif
