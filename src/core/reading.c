#include "core/reading.h"

#include "core/told.h"
#include "model/record.h"

#include <stdlib.h>

enum { READING_BYTES = 192 * 1024 * 1024, KEPT_BYTES = 8 * 1024 * 1024 };

struct reading {
    struct arena *arena;
    uint64_t number; /* 0: none is open */
    struct store_batch batch;
    struct outcomes outcomes;
    struct span *records;
    uint32_t count;
    struct report report;
    struct field fields[REPORT_FIELDS_MAX];
};

struct reading *
reading_new(void)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (reading != NULL && (reading->arena = arena_new(READING_BYTES)) == NULL) {
        free(reading);
        return NULL;
    }
    return reading;
}

void
reading_free(struct reading *reading)
{
    if (reading == NULL)
        return;
    arena_free(reading->arena);
    free(reading);
}

/* A batch of long texts is no reason to keep as much for ever. */
static int
empty(struct reading *reading, struct err *err)
{
    reading->number = 0;
    reading->count = 0;
    if (arena_used(reading->arena) > KEPT_BYTES) {
        struct arena *fresh = arena_new(READING_BYTES);
        if (fresh == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory to read a batch");
        arena_free(reading->arena);
        reading->arena = fresh;
    }
    arena_reset(reading->arena);
    return 0;
}

static int
damaged(uint64_t number, struct err *err)
{
    return err_set(err, ERR_BAD_STORE, "batch %llu is damaged", (unsigned long long)number);
}

static int
index_records(struct reading *reading, uint64_t number, struct err *err)
{
    struct wire_in in = wire_in(reading->batch.records);

    reading->records = arena_zalloc(reading->arena, reading->batch.count + 1u, sizeof(struct span));
    if (reading->records == NULL)
        return arena_full(err, "the records of a batch");
    for (uint32_t i = 0; i < reading->batch.count; i++) {
        reading->records[i] = record_bytes(&in);
        if (reading->records[i].n == 0)
            return damaged(number, err);
    }
    return in.n == 0 && reading->outcomes.count == reading->batch.count ? 0 : damaged(number, err);
}

int
reading_open(struct reading *reading, struct core *core, uint64_t number, struct err *err)
{
    if (number != 0 && reading->number == number)
        return 0;
    int rc = empty(reading, err);
    if (rc == 0)
        rc = store_batch_get(core->store, reading->arena, number, &reading->batch, err);
    if (rc == 0)
        rc = outcome_read(reading->arena, reading->batch.outcomes, &reading->outcomes, err);
    if (rc == 0)
        rc = index_records(reading, number, err);
    if (rc != 0)
        return rc;
    reading->number = number;
    reading->count = reading->batch.count;
    return 0;
}

uint32_t
reading_count(const struct reading *reading)
{
    return reading->count;
}

uint64_t
reading_tag(const struct reading *reading)
{
    return reading->batch.tag & ID_TAG_MASK;
}

int
reading_get(struct reading *reading, struct core *core, uint32_t place, struct read_report *out,
    struct err *err)
{
    struct wire_in in = wire_in(reading->records[place]);
    struct id_batch ids = id_batch(&core->id_key, reading->number, reading->batch.tag);

    if (record_next(&in, &reading->report, reading->fields, REPORT_FIELDS_MAX, err) != 0)
        return damaged(reading->number, err);
    out->report = &reading->report;
    out->outcomes = &reading->outcomes;
    out->received_us = reading->batch.received_us;
    out->batch = reading->number;
    out->place = place;
    outcome_get(&reading->outcomes, place, &out->outcome);
    (void)id_text(&ids, place, out->id);
    return 0;
}

bool
reading_may_have(const struct reading *reading, uint32_t place, struct span address)
{
    static const char mapped[][4] = {"ff:", "FF:", "fF:", "Ff:"};
    struct span record = reading->records[place];

    if (memmem(record.p, record.n, address.p, address.n) != NULL)
        return true;
    /* "::ffff:c000:207", in any case. */
    for (size_t i = 0; i < sizeof mapped / sizeof mapped[0]; i++)
        if (memmem(record.p, record.n, mapped[i], 3) != NULL)
            return true;
    return false;
}

/* ---- by id ---- */

/* The next batch that may have it is opened; number 0: there is none. */
static int
open_next(struct reading *reading, struct core *core, const struct store_search *search,
    struct reading_place *from, struct err *err)
{
    uint64_t number = 0;
    int rc;

    do {
        rc = store_batch_search(core->store, search, from->batch, &number, err);
        from->batch = number;
        if (rc == 0 && number != 0)
            rc = reading_open(reading, core, number, err);
    } while (rc == ERR_NOT_FOUND); /* its time was over meanwhile */
    from->place = rc == 0 && number != 0 ? reading->count : 0;
    return rc;
}

static int
none(struct span id, struct err *err)
{
    return err_set_field(err, ERR_NOT_FOUND, "id", 2, "no report has the id %.*s", SPAN_ARGS(id));
}

int
reading_next_known(struct reading *reading, struct core *core, struct span id,
    struct reading_place *from, struct read_report *out, struct err *err)
{
    const struct search_query query = {.id = id};
    uint64_t keys[SEARCH_QUERY_KEYS_MAX];
    const struct store_search search = {.since_us = INT64_MIN,
        .until_us = INT64_MAX,
        .keys = keys,
        .key_count = search_query_keys(&query, keys)};
    struct search_facts facts;
    int rc = from->place > 0 ? reading_open(reading, core, from->batch, err)
                             : open_next(reading, core, &search, from, err);

    while (rc == 0 && from->place > 0) {
        rc = reading_get(reading, core, --from->place, out, err);
        if (rc != 0)
            return rc;
        reading_facts(core, out, &facts);
        if (search_matches(&query, out->report, &facts))
            return 0;
        if (from->place == 0)
            rc = open_next(reading, core, &search, from, err);
    }
    return rc == 0 || rc == ERR_NOT_FOUND ? none(id, err) : rc;
}

int
reading_find(struct reading *reading, struct core *core, struct span id, struct read_report *out,
    struct err *err)
{
    struct reading_place from = {0};
    struct id_place place;
    char plain[ID_TEXT_BYTES];
    int rc = id_read(&core->id_key, id, &place, err);

    if (rc == 0)
        rc = reading_open(reading, core, place.batch, err);
    if (rc == 0 && (place.tag != reading_tag(reading) || place.place >= reading->count))
        rc = ERR_NOT_FOUND;
    if (rc == 0)
        return reading_get(reading, core, place.place, out, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    return id_plain(id, plain) ? reading_next_known(reading, core, span_of(plain), &from, out, err)
                               : none(id, err);
}

/* ---- what is told of it ---- */

void
reading_facts(const struct core *core, const struct read_report *read, struct search_facts *out)
{
    const struct outcome_report *outcome = &read->outcome;

    *out = (struct search_facts){
        .sender = store_team_id(core->store, outcome->origin), .outcome_count = outcome->count};
    for (int s = 0; s < 2; s++) {
        out->economies[s] = outcome->sides[s].economy;
        out->asns[s] = outcome->sides[s].asn;
    }
    for (uint8_t i = 0; i < outcome->count; i++)
        out->outcomes[i] =
            (struct search_outcome){store_team_id(core->store, outcome->ones[i].team),
                read->outcomes->verdicts[outcome->ones[i].verdict].verdict.effect};
}

struct span
reading_team_of(const struct core *core, const struct read_report *read, uint8_t side)
{
    const struct outcome_report *outcome = &read->outcome;

    for (uint8_t i = 0; i < outcome->count; i++)
        if (outcome->ones[i].side == side && outcome->ones[i].team != 0)
            return store_team_id(core->store, outcome->ones[i].team);
    return (struct span){"", 0};
}

bool
reading_has_side(const struct endpoint *side)
{
    return side->ip.family != 0 || side->network.family != 0 || side->name.n > 0 || side->asn != 0;
}

static void
tell_side(const struct core *core, const struct read_report *read, uint8_t s, struct buf *out)
{
    const struct endpoint *side = s == 0 ? &read->report->source : &read->report->destination;
    const struct outcome_side *found = &read->outcome.sides[s];
    char address[ADDRESS_TEXT_BYTES] = "";

    told_name(out, s == 0 ? "source" : "destination");
    if (!reading_has_side(side)) {
        buf_add_text(out, "null");
        return;
    }
    if (side->ip.family != 0 || side->network.family != 0)
        (void)address_format(side->ip.family != 0 ? &side->ip : &side->network, address);
    buf_add_char(out, '{');
    told_text(out, "address", span_of(address));
    told_text(out, "name", side->name);
    told_number_or_null(out, "asn", found->asn != 0 ? found->asn : side->asn);
    told_economy(out, "economy", found->economy);
    told_text(out, "team", reading_team_of(core, read, s));
    buf_add_char(out, '}');
}

void
reading_tell_sides(const struct core *core, const struct read_report *read, struct buf *out)
{
    tell_side(core, read, 0, out);
    tell_side(core, read, 1, out);
}

static void
tell_outcomes(const struct core *core, const struct read_report *read, struct buf *out)
{
    told_open(out, "outcomes", '[');
    for (uint8_t i = 0; i < read->outcome.count; i++) {
        const struct outcome_one *one = &read->outcome.ones[i];
        const struct verdict *verdict = &read->outcomes->verdicts[one->verdict].verdict;
        told_item(out);
        buf_add_char(out, '{');
        told_text(out, "team", store_team_id(core->store, one->team));
        told_word(out, "effect", effect_word((enum effect)verdict->effect));
        told_word(out, "reason", reason_word((enum reason)verdict->reason));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void
reading_tell(const struct core *core, const struct read_report *read, struct buf *out)
{
    const struct report *report = read->report;
    enum classification class = (enum classification)report->classification;
    bool classed = class != CLASSIFICATION_UNKNOWN;

    told_text(out, "id", span_of(read->id));
    told_time(out, "received", read->received_us);
    told_time(out, "time", report->time_us);
    told_word(out, "classification", classed ? classification_type(class) : NULL);
    told_word(out, "taxonomy", classed ? classification_taxonomy(class) : NULL);
    told_word(out, "tlp",
        read->outcome.tlp != TLP_UNKNOWN ? tlp_label((enum tlp)read->outcome.tlp) : NULL);
    told_text(out, "provider", report->provider);
    reading_tell_sides(core, read, out);
    tell_outcomes(core, read, out);
}
