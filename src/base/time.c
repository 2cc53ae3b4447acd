#include "base/time.h"

#include <stdio.h>

/* H. Hinnant's days_from_civil, on years that begin in March. */
int64_t
time_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
civil(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

/* COUNT digits at *AT, as a number; -1 if there are not so many. */
static int
digits(struct span text, size_t *at, size_t count)
{
    int value = 0;

    if (text.n - *at < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)text.p[*at + i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    *at += count;
    return value;
}

static bool
skip(struct span text, size_t *at, char c)
{
    if (*at >= text.n || text.p[*at] != c)
        return false;
    ++*at;
    return true;
}

static int
bad(struct span text, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_TIME, "\"%.*s\" %s; a time looks like 2026-11-23T08:15:00Z",
        SPAN_ARGS(text), what);
}

static int
parse_date(struct span text, size_t *at, int64_t *days, struct err *err)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(text, at, 4);
    int month = year >= 0 && skip(text, at, '-') ? digits(text, at, 2) : -1;
    int day = month >= 0 && skip(text, at, '-') ? digits(text, at, 2) : -1;

    if (day < 0)
        return bad(text, "is not a date", err);
    if (year < 1900)
        return bad(text, "has a year before 1900", err);
    if (month < 1 || month > 12)
        return bad(text, "has an impossible month", err);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > month_days[month - 1] || (month == 2 && day == 29 && !leap))
        return bad(text, "has an impossible day", err);
    *days = time_days(year, (unsigned)month, (unsigned)day);
    return 0;
}

static int
parse_clock(struct span text, size_t *at, int64_t *us, struct err *err)
{
    int hour = digits(text, at, 2);
    int minute = hour >= 0 && skip(text, at, ':') ? digits(text, at, 2) : -1;

    if (minute < 0)
        return bad(text, "has no hours and minutes", err);
    int second = skip(text, at, ':') ? digits(text, at, 2) : 0;
    if (hour > 23 || minute > 59 || second < 0 || second > 60)
        return bad(text, "has an impossible time of day", err);
    if (second == 60)
        second = 59;
    *us = ((int64_t)hour * 3600 + minute * 60 + second) * 1000000;
    if (!skip(text, at, '.') && !skip(text, at, ','))
        return 0;
    int64_t unit = 100000;
    size_t start = *at;
    for (int digit; (digit = digits(text, at, 1)) >= 0; unit /= 10)
        *us += digit * unit;
    return *at == start ? bad(text, "has no digits behind the point", err) : 0;
}

static int
parse_offset(struct span text, size_t *at, int64_t *us, struct err *err)
{
    while (skip(text, at, ' '))
        ;
    struct span rest = {text.p + *at, text.n - *at};
    if (rest.n == 0 || span_equal_nocase(rest, SPAN("Z")) || span_equal_nocase(rest, SPAN("UTC"))
        || span_equal_nocase(rest, SPAN("GMT"))) {
        *at = text.n;
        return 0;
    }
    bool minus = rest.p[0] == '-';
    if (!minus && rest.p[0] != '+')
        return bad(text, "has text behind the time", err);
    ++*at;
    int hour = digits(text, at, 2);
    (void)skip(text, at, ':');
    int minute = *at < text.n ? digits(text, at, 2) : 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || *at != text.n)
        return bad(text, "has an impossible offset", err);
    int64_t offset = ((int64_t)hour * 3600 + (int64_t)minute * 60) * 1000000;
    *us += minus ? offset : -offset;
    return 0;
}

/* Two digits at P; more than 99 if they are none. */
static unsigned
pair(const char *p)
{
    unsigned tens = (unsigned)(unsigned char)p[0] - '0';
    unsigned ones = (unsigned)(unsigned char)p[1] - '0';

    return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* The form that feeds send all day, "2026-11-23?08:15:00" with "Z", "+00:00" or nothing;
 * anything else, and any doubt, is for the general way. */
static bool
parse_usual(struct span text, int64_t *us)
{
    const char *p = text.p;
    bool zone = text.n == 19 || (text.n == 20 && p[19] == 'Z')
        || (text.n == 25 && memcmp(p + 19, "+00:00", 6) == 0);

    if (!zone || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != ' ') || p[13] != ':'
        || p[16] != ':')
        return false;
    unsigned century = pair(p);
    unsigned year = pair(p + 2);
    unsigned month = pair(p + 5);
    unsigned day = pair(p + 8);
    unsigned hour = pair(p + 11);
    unsigned minute = pair(p + 14);
    unsigned second = pair(p + 17);
    if (century < 19 || century > 99 || year > 99 || month - 1 > 11 || day - 1 > 27 || hour > 23
        || minute > 59 || second > 59)
        return false;
    int64_t seconds = time_days((int64_t)century * 100 + (int64_t)year, month, day) * 86400
        + (int64_t)(hour * 3600 + minute * 60 + second);
    *us = seconds * 1000000;
    return true;
}

int
time_parse(struct span text, int64_t *us, struct err *err)
{
    size_t at = 0;
    int64_t days = 0;
    int64_t of_day = 0;

    if (parse_usual(text, us))
        return 0;
    text = span_trim(text);
    int rc = parse_date(text, &at, &days, err);
    if (rc != 0)
        return rc;
    *us = days * 86400 * 1000000;
    if (at == text.n)
        return 0;
    if (!skip(text, &at, 'T') && !skip(text, &at, 't') && !skip(text, &at, ' '))
        return bad(text, "has text behind the date", err);
    rc = parse_clock(text, &at, &of_day, err);
    if (rc != 0)
        return rc;
    *us += of_day;
    return parse_offset(text, &at, us, err);
}

static int64_t
split(int64_t us, int *parts, int64_t *fraction)
{
    int64_t seconds = us / 1000000 - (us % 1000000 < 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int64_t of_day = seconds - days * 86400;

    *fraction = us - seconds * 1000000;
    civil(days, &parts[0], &parts[1], &parts[2]);
    parts[3] = (int)(of_day / 3600);
    parts[4] = (int)(of_day / 60 % 60);
    parts[5] = (int)(of_day % 60);
    return days;
}

static void
put2(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

static size_t
put_seconds(char *out, const int *parts)
{
    static const char between[] = "--T::";
    size_t at = 4;

    put2(out, parts[0] / 100);
    put2(out + 2, parts[0] % 100);
    for (int i = 1; i < 6; i++) {
        out[at] = between[i - 1];
        put2(out + at + 1, parts[i]);
        at += 3;
    }
    return at;
}

size_t
time_format(int64_t us, const char *suffix, char *out)
{
    int parts[6];
    int64_t fraction;

    (void)split(us, parts, &fraction);
    size_t at = put_seconds(out, parts);
    if (fraction != 0)
        at += (size_t)snprintf(out + at, 8, ".%06d", (int)fraction);
    size_t n = strlen(suffix);
    memcpy(out + at, suffix, n + 1);
    return at + n;
}

/* DIGITS of the second's fraction, of which one counts UNIT_US. */
static size_t
format_digits(int64_t us, int digits, int unit_us, char *out)
{
    int parts[6];
    int64_t fraction;

    (void)split(us, parts, &fraction);
    size_t at = put_seconds(out, parts);
    return at + (size_t)snprintf(out + at, 9, ".%0*dZ", digits, (int)fraction / unit_us);
}

size_t
time_format_ms(int64_t us, char *out)
{
    return format_digits(us, 3, 1000, out);
}

size_t
time_format_us(int64_t us, char *out)
{
    return format_digits(us, 6, 1, out);
}
