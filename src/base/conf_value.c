#include "base/conf_value.h"

#include <arpa/inet.h>
#include <stdio.h>

struct unit {
    const char *word;
    int64_t factor;
};
static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

#define WRONG(err, row, ...)                                                                       \
    err_set_field(err, ERR_BAD_CONFIG, (row)->name, strlen((row)->name), __VA_ARGS__)

static const struct unit *
units_of(const struct conf_row *row)
{
    return row->type == CONF_TYPE_DURATION ? durations : row->type == CONF_TYPE_SIZE ? sizes : NULL;
}

/* AMOUNT in the largest unit that says it exactly. */
static void
say(const struct conf_row *row, int64_t amount, char out[static 40])
{
    const struct unit *units = units_of(row);
    size_t best = 0;

    if (units == NULL) {
        (void)snprintf(out, 40, "%lld", (long long)amount);
        return;
    }
    for (size_t i = 0; units[i].word != NULL; i++)
        if (amount != 0 && amount % units[i].factor == 0)
            best = i;
    (void)snprintf(out, 40, "%lld %s", (long long)(amount / units[best].factor), units[best].word);
}

static int
in_range(const struct conf_row *row, int64_t amount, struct err *err)
{
    char least[40];
    char most[40];
    bool counted = row->type == CONF_TYPE_NUMBER && row->unit[0] != '\0';

    if (amount >= row->least && amount <= row->most)
        return 0;
    say(row, row->least, least);
    say(row, row->most, most);
    return WRONG(err, row, "must be from %s to %s%s%s", least, most, counted ? " " : "",
        counted ? row->unit : "");
}

static int
no_amount(const struct conf_row *row, struct span value, struct err *err)
{
    const char *example = row->type == CONF_TYPE_DURATION
        ? "a duration such as \"250 ms\", \"30 s\", \"5 min\", \"12 h\" or \"30 d\""
        : row->type == CONF_TYPE_SIZE
        ? "a size such as \"512 B\", \"64 KiB\", \"16 MiB\" or \"1 GiB\""
        : "a number";

    return WRONG(err, row, "\"%.*s\" is not %s", SPAN_ARGS(value), example);
}

/* Digits, and a unit where the type has them; 0 needs none. */
static int
amount_of(const struct conf_row *row, struct span value, int64_t *number, struct err *err)
{
    const struct unit *units = units_of(row);
    size_t digits = 0;
    uint64_t amount;
    int64_t factor = units == NULL ? 1 : 0;

    while (digits < value.n && value.p[digits] >= '0' && value.p[digits] <= '9')
        digits++;
    struct span unit = span_trim((struct span){value.p + digits, value.n - digits});
    if (!span_u64((struct span){value.p, digits}, &amount) || (units == NULL && unit.n > 0))
        return no_amount(row, value, err);
    for (size_t i = 0; units != NULL && units[i].word != NULL; i++)
        if (span_equal(unit, span_of(units[i].word)) || (amount == 0 && unit.n == 0))
            factor = units[i].factor;
    if (factor == 0)
        return no_amount(row, value, err);
    if (amount > (uint64_t)(INT64_MAX / factor))
        return in_range(row, INT64_MAX, err);
    *number = (int64_t)amount * factor;
    return in_range(row, *number, err);
}

static int
word_of(const struct conf_row *row, const char *words, struct span value, int64_t *number,
    struct err *err)
{
    struct span rest = span_of(words);
    struct span word;

    for (*number = 0; span_next(&rest, '|', &word); ++*number)
        if (span_equal(word, value))
            return 0;
    *number = 0;
    return WRONG(err, row, "\"%.*s\" is not one of: %s", SPAN_ARGS(value), words);
}

static int
text_of(const struct conf_row *row, struct span value, struct err *err)
{
    if (value.n > (uint64_t)row->most || value.n < (uint64_t)row->least)
        return WRONG(err, row, "must have from %lld to %lld bytes, not %zu", (long long)row->least,
            (long long)row->most, value.n);
    if (!span_is_utf8(value))
        return WRONG(err, row, "is not valid UTF-8");
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return WRONG(err, row, "must not hold control characters");
    return 0;
}

static int
path_of(const struct conf_row *row, struct span value, struct err *err)
{
    if (value.n > 0 && value.p[0] != '/')
        return WRONG(err, row, "\"%.*s\" is not a path from the root, such as /etc/comity/file",
            SPAN_ARGS(value));
    return text_of(row, value, err);
}

static int
no_address(struct span text, struct err *err)
{
    return err_set(err, ERR_BAD_CONFIG,
        "\"%.*s\" is not an address and a port such as 127.0.0.1:8443 or [::1]:8443",
        SPAN_ARGS(text));
}

int
conf_address(struct span text, struct span *host, uint16_t *port, struct err *err)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    uint64_t number;
    size_t colon = text.n;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !span_u64((struct span){text.p + colon, text.n - colon}, &number)
        || number > UINT16_MAX)
        return no_address(text, err);
    bool six = text.p[0] == '[' && text.p[colon - 2] == ']';
    *host = six ? (struct span){text.p + 1, colon - 3} : (struct span){text.p, colon - 1};
    if (host->n == 0 || host->n >= sizeof address || memchr(host->p, '\0', host->n) != NULL)
        return no_address(text, err);
    memcpy(address, host->p, host->n);
    address[host->n] = '\0';
    *port = (uint16_t)number;
    return inet_pton(six ? AF_INET6 : AF_INET, address, bytes) == 1 ? 0 : no_address(text, err);
}

bool
conf_is_loopback(struct span host)
{
    return span_equal(host, SPAN("::1")) || span_starts(host, SPAN("127."));
}

static int
address_of(const struct conf_row *row, struct span value, struct err *err)
{
    struct span host;
    uint16_t port;
    int rc = conf_address(value, &host, &port, err);

    if (rc != 0 && err != NULL)
        (void)snprintf(err->field, sizeof err->field, "%s", row->name);
    return rc;
}

/* HH:MM, as RFC 3339 writes them. */
static int
clock_of(const struct conf_row *row, struct span value, int64_t *number, struct err *err)
{
    uint64_t hour = 24;
    uint64_t minute = 60;

    if (value.n == 5 && value.p[2] == ':' && span_u64((struct span){value.p, 2}, &hour)
        && span_u64((struct span){value.p + 3, 2}, &minute) && hour < 24 && minute < 60) {
        *number = (int64_t)(hour * 60 + minute);
        return 0;
    }
    return WRONG(
        err, row, "\"%.*s\" is not a time of day such as \"06:30\", UTC", SPAN_ARGS(value));
}

int
conf_value(const struct conf_row *row, struct span value, int64_t *number, struct err *err)
{
    *number = 0;
    switch (row->type) {
    case CONF_TYPE_BOOL:
        return word_of(row, "off|on", value, number, err);
    case CONF_TYPE_ENUM:
        return word_of(row, row->unit, value, number, err);
    case CONF_TYPE_NUMBER:
    case CONF_TYPE_DURATION:
    case CONF_TYPE_SIZE:
        return amount_of(row, value, number, err);
    case CONF_TYPE_ADDRESS:
        return address_of(row, value, err);
    case CONF_TYPE_PATH:
        return path_of(row, value, err);
    case CONF_TYPE_CLOCK:
        return clock_of(row, value, number, err);
    case CONF_TYPE_TEXT:
        return text_of(row, value, err);
    }
    return err_set(err, ERR_INTERNAL, "option %s has no type", row->name);
}
