#include "fmt/ranges.h"

#include <stdlib.h>

enum { COLUMNS_MAX = 5, NAME_MAX_BYTES = 1024 };

static const struct {
    const char *header;
    size_t columns;
    uint8_t family;
} kinds[] = {
    [RANGES_IP4_ASN] = {"start,end,asn", 3, 4},
    [RANGES_IP4_ECONOMY] = {"start,end,economy", 3, 4},
    [RANGES_IP6_ASN] = {"start,end,asn", 3, 6},
    [RANGES_IP6_ECONOMY] = {"start,end,economy", 3, 6},
    [RANGES_ASN] = {"asn,economy,economy_share,ipv4_addresses,name", 5, 0},
};

struct ranges {
    struct input *input;
    enum ranges_kind kind;
    uint64_t line;
    char name[NAME_MAX_BYTES]; /* unquoted */
};

int
ranges_open(struct input *input, enum ranges_kind kind, struct ranges **out, struct err *err)
{
    struct span line;
    struct ranges *ranges = calloc(1, sizeof *ranges);

    if (ranges == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    *ranges = (struct ranges){.input = input, .kind = kind};
    int rc = input_line(input, &line, &ranges->line, err);
    if (rc == 0 || (rc > 0 && !span_equal(line, span_of(kinds[kind].header)))) {
        rc = err_set(
            err, ERR_UNKNOWN_FORMAT, "the first line is not the header \"%s\"", kinds[kind].header);
        if (err != NULL)
            err->line = 1;
    }
    if (rc < 0) {
        ranges_close(ranges);
        return rc;
    }
    *out = ranges;
    return 0;
}

void
ranges_close(struct ranges *ranges)
{
    free(ranges);
}

uint64_t
ranges_line(const struct ranges *ranges)
{
    return ranges->line;
}

/* A quoted field, `""` standing for one quote, copied to NAME; LINE then begins behind it. */
static int
unquote(struct ranges *ranges, struct span *line, struct span *field, struct err *err)
{
    size_t n = 0;
    size_t at = 1;

    for (;; at++) {
        if (at >= line->n)
            return err_set(err, ERR_BAD_QUOTE, "a quoted field is not closed in its line");
        if (line->p[at] == '"' && (at + 1 >= line->n || line->p[++at] != '"'))
            break;
        if (n >= sizeof ranges->name)
            return err_set(
                err, ERR_LIMIT, "a quoted field is longer than %zu bytes", sizeof ranges->name);
        ranges->name[n++] = line->p[at];
    }
    if (at + 1 == line->n && line->p[at] == '"')
        at++;
    if (at < line->n && line->p[at] != ',')
        return err_set(err, ERR_BAD_QUOTE, "text follows the quote that closes a field");
    *field = (struct span){ranges->name, n};
    *line = (struct span){line->p + at, line->n - at};
    return 0;
}

static int
split(struct ranges *ranges, struct span line, struct span *fields, struct err *err)
{
    size_t columns = kinds[ranges->kind].columns;
    size_t n = 0;

    for (;;) {
        if (n >= columns)
            return err_set(err, ERR_COLUMN_COUNT, "more than the %zu columns %s", columns,
                kinds[ranges->kind].header);
        /* Only the last column is free text, so only it is ever quoted. */
        if (n + 1 == columns && line.n > 0 && line.p[0] == '"') {
            int rc = unquote(ranges, &line, &fields[n], err);
            if (rc != 0)
                return rc;
        } else {
            const char *comma = line.n == 0 ? NULL : memchr(line.p, ',', line.n);
            size_t length = comma == NULL ? line.n : (size_t)(comma - line.p);
            fields[n] = (struct span){line.p, length};
            line = (struct span){line.p + length, line.n - length};
        }
        n++;
        if (line.n == 0)
            break;
        line = (struct span){line.p + 1, line.n - 1};
    }
    if (n != columns)
        return err_set(err, ERR_COLUMN_COUNT, "%zu columns where the header has %zu", n, columns);
    return 0;
}

static int
read_end(uint8_t family, struct span text, const char *column, struct address *out, struct err *err)
{
    uint64_t number;

    if (family == 4 && span_u64(text, &number) && number <= UINT32_MAX) {
        *out = (struct address){.low = number, .family = 4, .bits = 32};
        return 0;
    }
    if (address_parse(text, out, NULL) == 0 && out->family == family)
        return 0;
    return err_set_field(err, ERR_BAD_ADDRESS, column, strlen(column),
        "\"%.*s\" is no IPv%d address%s", SPAN_ARGS(text), family,
        family == 4 ? "; one is a number up to 4294967295, or 192.0.2.1" : "");
}

static int
read_asn(struct span text, uint32_t *asn, struct err *err)
{
    uint64_t number;

    if (!span_u64(text, &number) || number == 0 || number > UINT32_MAX)
        return err_set_field(err, ERR_BAD_NUMBER, "asn", 3,
            "\"%.*s\" is no ASN; one is a number from 1 to 4294967295", SPAN_ARGS(text));
    *asn = (uint32_t)number;
    return 0;
}

static int
read_economy(struct span text, bool optional, struct economy *economy, struct err *err)
{
    *economy = economy_find(text);
    if (economy->index != 0 || (optional && text.n == 0))
        return 0;
    return err_set_field(err, ERR_BAD_VALUE, "economy", 7,
        "\"%.*s\" is no economy; one is two letters of ISO 3166", SPAN_ARGS(text));
}

static int
read_range(
    enum ranges_kind kind, const struct span *fields, struct ranges_row *row, struct err *err)
{
    uint8_t family = kinds[kind].family;
    int rc = read_end(family, fields[0], "start", &row->first, err);

    if (rc == 0)
        rc = read_end(family, fields[1], "end", &row->last, err);
    if (rc != 0)
        return rc;
    if (row->first.high > row->last.high
        || (row->first.high == row->last.high && row->first.low > row->last.low))
        return err_set_field(err, ERR_BAD_ADDRESS, "end", 3,
            "the range ends at %.*s, before its start %.*s", SPAN_ARGS(fields[1]),
            SPAN_ARGS(fields[0]));
    if (kind == RANGES_IP4_ASN || kind == RANGES_IP6_ASN)
        return read_asn(fields[2], &row->asn, err);
    return read_economy(fields[2], false, &row->economy, err);
}

static int
read_system(const struct span *fields, struct ranges_row *row, struct err *err)
{
    int rc = read_asn(fields[0], &row->asn, err);

    if (rc == 0)
        rc = read_economy(fields[1], true, &row->economy, err);
    if (rc != 0)
        return rc;
    row->name = fields[4];
    if (row->name.n > NAME_MAX_BYTES)
        return err_set_field(
            err, ERR_LIMIT, "name", 4, "a name longer than %d bytes", NAME_MAX_BYTES);
    if (!span_is_utf8(row->name))
        return err_set_field(err, ERR_BAD_UTF8, "name", 4, "the name is not valid UTF-8");
    return 0;
}

int
ranges_next(struct ranges *ranges, struct ranges_row *row, struct err *err)
{
    struct span fields[COLUMNS_MAX];
    struct span line;
    int rc = input_line(ranges->input, &line, &ranges->line, err);

    if (rc <= 0)
        return rc;
    *row = (struct ranges_row){0};
    rc = split(ranges, line, fields, err);
    if (rc == 0)
        rc = ranges->kind == RANGES_ASN ? read_system(fields, row, err)
                                        : read_range(ranges->kind, fields, row, err);
    if (rc == 0)
        return 1;
    if (err != NULL)
        err->line = ranges->line;
    return rc;
}
