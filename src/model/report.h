/* report.h: what does one report claim?
 *
 * A report is a list of fields in input order. Strings borrow from the reader's
 * buffers and live until the reader goes on to the next report. Fields known by
 * name stand in tables/fields.def; all others keep their name ("extra.tag").
 */
#ifndef COMITY_MODEL_REPORT_H
#define COMITY_MODEL_REPORT_H

#include "base/str.h"
#include "model/address.h"
#include "model/words.h"

#include <stdint.h>

enum field_id {
#define FIELD(name, idf, type, class) FIELD_##name,
#include "tables/fields.def"
#undef FIELD
    FIELD_COUNT,
    FIELD_OTHER = FIELD_COUNT, /* not in the table: the name says which */
};

/* What a field of the table must hold; fields of other names hold anything. */
enum field_type {
    FIELD_TYPE_TEXT,
    FIELD_TYPE_INT,
    FIELD_TYPE_FLOAT,
    FIELD_TYPE_BOOL,
    FIELD_TYPE_IP,
    FIELD_TYPE_PREFIX,
    FIELD_TYPE_PORT,
    FIELD_TYPE_NAME,
    FIELD_TYPE_URL,
    FIELD_TYPE_TIME,
    FIELD_TYPE_ECONOMY,
    FIELD_TYPE_ASN,
    FIELD_TYPE_TLP,
    FIELD_TYPE_JSON,
};

enum value_type {
    VALUE_TEXT,  /* s: UTF-8, unescaped */
    VALUE_INT,   /* i */
    VALUE_UINT,  /* u: only above INT64_MAX */
    VALUE_FLOAT, /* d: finite */
    VALUE_BOOL,  /* b */
    VALUE_JSON,  /* s: a JSON array, object or null, as valid compact text */
};

enum { REPORT_FIELDS_MAX = 1024 };
/* The UUID under which another node knows the report: kept beside what it claims. */
#define REPORT_ID_NAME "extra.comity_id"

struct field {
    uint16_t id;   /* enum field_id */
    uint8_t type;  /* enum value_type */
    uint8_t class; /* enum field_class */
    uint32_t n;    /* bytes at s */
    union {
        const char *s;
        int64_t i;
        uint64_t u;
        double d;
        bool b;
    };
    struct span name; /* always set; the table's own text for known fields */
};

/* One side's address, parsed once by the reader's finish. */
struct endpoint {
    struct address ip;      /* family 0: none */
    struct address network; /* first address of source.network; family 0: none */
    struct span name;       /* fqdn, else reverse_dns, else the URL's host; n 0: none */
    uint32_t asn;           /* as the feed says; 0: none */
    struct economy geo;     /* as the feed's geolocation says; zero: none */
};

struct report {
    struct field *fields;
    uint32_t count;
    uint32_t room;
    uint16_t at[FIELD_COUNT]; /* position + 1 in fields; 0: absent */
    uint8_t classification;   /* enum classification; 0: missing or unknown */
    uint8_t tlp;              /* enum tlp; 0: missing or unknown */
    bool tlp_given;           /* the input names a TLP (known or not) */
    bool names_differ;        /* set by a reader whose names outside the table cannot repeat */
    struct span provider;     /* feed.provider, else feed.name; n 0: none */
    struct endpoint source;
    struct endpoint destination;
    int64_t time_us; /* time.source, else time.observation, else 0 */
    uint64_t line;   /* 1-based line or record of the input */
    uint64_t digest; /* for the stage that looks for duplicates; set by flow_prepare */
    uint64_t
        id_digest; /* of its id alone, whoever gives it; 0: it brings none, or DIGEST is that */
};

/* An empty report over ROOM fields at FIELDS (caller's). */
void report_reset(struct report *report, struct field *fields, uint32_t room);

/* The table's rows, for the inline functions below. */
struct field_row {
    struct span name;
    uint8_t type;  /* enum field_type */
    uint8_t class; /* enum field_class */
};
extern const struct field_row field_rows[FIELD_COUNT];

/* ERR_LIMIT or ERR_DUPLICATE_KEY, in words. */
int report_add_failed(const struct report *report, const struct field *field, struct err *err);

/* Room for one more field, its id, name and class set; NULL when full, or when a known field is
 * there already: report_add_failed says which. NAME is used for names outside the table. */
static inline struct field *
report_next(struct report *report, enum field_id id, struct span name)
{
    struct field *at = &report->fields[report->count];

    if (report->count >= report->room)
        return NULL;
    at->id = (uint16_t)id;
    if (id == FIELD_OTHER) {
        at->name = name;
        at->class = FIELD_CLASS_TEXT;
    } else {
        if (report->at[id] != 0)
            return NULL;
        at->name = field_rows[id].name;
        at->class = field_rows[id].class;
        report->at[id] = (uint16_t)(report->count + 1);
    }
    report->count++;
    return at;
}

/* Add one field; ERR_LIMIT when full, ERR_DUPLICATE_KEY when a known field is
 * there already. FIELD.name and .class are set from the table for known ids. Other
 * names' duplicates are found by report_finish. The value is not checked here. */
MUST_USE static inline int
report_add(struct report *report, const struct field *field, struct err *err)
{
    struct field *at = report_next(report, (enum field_id)field->id, field->name);

    if (at == NULL)
        return report_add_failed(report, field, err);
    at->type = field->type;
    if (field->id == FIELD_OTHER)
        at->class = field->class;
    at->n = field->n;
    at->u = field->u;
    return 0;
}
MUST_USE int report_add_text(
    struct report *report, enum field_id id, struct span text, struct err *err);
MUST_USE int report_add_int(
    struct report *report, enum field_id id, int64_t value, struct err *err);

/* The field, or NULL. */
static inline const struct field *
report_get(const struct report *report, enum field_id id)
{
    return report->at[id] == 0 ? NULL : &report->fields[report->at[id] - 1];
}
/* The first field outside the table that is called NAME, or NULL. */
static inline const struct field *
report_other(const struct report *report, struct span name)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (report->fields[i].id == FIELD_OTHER && span_equal(report->fields[i].name, name))
            return &report->fields[i];
    return NULL;
}
/* The field's text, or an empty span. */
struct span report_text(const struct report *report, enum field_id id);

/* Check every known field against its type (addresses, ports, times, ASNs, TLP)
 * and fill the derived members. Errors name the field: ERR_BAD_ADDRESS, ERR_BAD_TIME,
 * ERR_BAD_NUMBER, ERR_BAD_TYPE, ERR_BAD_NAME, ERR_DUPLICATE_KEY, ERR_MISSING_FIELD
 * (no field at all). An unknown classification or TLP is no error: the
 * report is kept and the verdict withholds it. */
MUST_USE int report_finish(struct report *report, struct err *err);

/* Digest of what the report claims, the same for the same claims: whatever the order of the fields,
 * and time.observation, raw and event_hash aside. It is seeded by a secret, so that senders cannot
 * make collisions: by hash_secret, unless who keeps digests says another before the first is made.
 */
uint64_t report_digest(const struct report *report);
void report_digest_seed(uint64_t secret);
/* The same from what each field adds, for readers that meet the same fields again and again: the
 * sum of the parts, and the NUMBER of fields that make one. *PART is 0 where there is none. Only of
 * fields that report_finish does not change: false. */
bool report_digest_part(const struct field *field, uint64_t *part, uint32_t *number);
uint64_t report_digest_of(uint64_t sum, uint32_t number);

/* FIELD_OTHER if NAME is not in the table. */
enum field_id field_find(struct span name);
struct span field_name(enum field_id id);
enum field_type field_type(enum field_id id);
enum field_class field_class(enum field_id id);

#endif
