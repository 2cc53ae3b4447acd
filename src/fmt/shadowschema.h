/* shadowschema.h: which column of which Shadowserver report means what?
 *
 * The answer is data. Looked for, first found wins:
 *   1. the file that the environment's COMITY_SHADOWSERVER_SCHEMA names,
 *   2. SHARE/shadowserver/intelmq.json: the operator's copy of Shadowserver's own schema
 *      (github.com/The-Shadowserver-Foundation/report_schema), so that new report types need no
 *      new Comity,
 *   3. SHARE/shadowserver/mapping.json: the mapping that comes with Comity (tools/
 *      make-shadowserver-mapping makes it).
 * Both forms are recognised by content.
 */
#ifndef COMITY_FMT_SHADOWSCHEMA_H
#define COMITY_FMT_SHADOWSCHEMA_H

#include "base/mem.h"
#include "base/str.h"
#include "model/report.h"

enum conversion {
#define CONVERSION(name, word, theirs) CONVERSION_##name,
#include "tables/conversions.def"
#undef CONVERSION
    CONVERSION_COUNT
};

struct shadow_rule {
    struct span column;
    struct span target; /* the field's full name */
    uint16_t field;     /* enum field_id of the target */
    uint8_t conversion; /* enum conversion */
    bool required;
};

struct shadow_constant {
    struct span name;
    struct span text;
    uint16_t field;
};

struct shadow_type {
    struct span type; /* "event_sinkhole_http" */
    struct span file; /* "event4_sinkhole_http": what stands in the file's name */
    struct span name; /* "Sinkhole-Events-HTTP IPv4" */
    struct span page; /* documentation; n 0: none */
    const struct shadow_rule *rules;
    const struct shadow_constant *constants;
    uint32_t rule_count;
    uint32_t constant_count;
};

struct shadowschema;

/* ERR_NO_MAPPING when there is none; ERR_BAD_CONFIG names what is wrong in it. */
MUST_USE int shadowschema_new(const char *share_dir, struct shadowschema **out, struct err *err);
void shadowschema_free(struct shadowschema *schema);

size_t shadowschema_count(const struct shadowschema *schema);
const struct shadow_type *shadowschema_at(const struct shadowschema *schema, size_t i);
/* The type of that name, by type or file. NULL if none. */
const struct shadow_type *shadowschema_find(const struct shadowschema *schema, struct span name);
/* The type whose `file` a file of that name holds: "2026-11-23-scan_http-example-asn.csv". */
const struct shadow_type *shadowschema_by_file(const struct shadowschema *schema, struct span name);
/* The type whose columns these are; NULL if none, or if SEVERAL fit equally well. */
const struct shadow_type *shadowschema_by_header(
    const struct shadowschema *schema, const struct span *columns, uint32_t count, bool *several);

#endif
