#include "fmt/httpdate.h"

#include "base/time.h"

/* "19", or false. */
static bool
number_part(struct span text, uint64_t *out)
{
    return text.n <= 4 && span_u64(text, out);
}

static bool
month_part(struct span text, unsigned *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (unsigned i = 0; text.n >= 3 && i < 12; i++)
        if (span_equal_nocase((struct span){text.p, 3}, (struct span){names + 3 * i, 3})) {
            *month = i + 1;
            return true;
        }
    return false;
}

/* "+0200" and the like, as seconds; names other than GMT, UTC and Z are not known. */
static bool
zone_part(struct span text, int64_t *seconds)
{
    uint64_t value;

    *seconds = 0;
    if (text.n == 0 || span_equal_nocase(text, SPAN("GMT")) || span_equal_nocase(text, SPAN("UTC"))
        || span_equal_nocase(text, SPAN("Z")))
        return true;
    if (text.n != 5 || (text.p[0] != '+' && text.p[0] != '-')
        || !number_part((struct span){text.p + 1, 4}, &value) || value % 100 > 59 || value > 2359)
        return false;
    *seconds = (int64_t)(value / 100 * 3600 + value % 100 * 60);
    if (text.p[0] == '-')
        *seconds = -*seconds;
    return true;
}

static bool
clock_part(struct span text, int64_t *seconds)
{
    struct span part;
    uint64_t value;
    static const uint64_t limits[3] = {23, 59, 60};

    *seconds = 0;
    for (int i = 0; i < 3; i++) {
        if (!span_next(&text, ':', &part) || !number_part(part, &value) || value > limits[i])
            return false;
        *seconds = *seconds * 60 + (int64_t)value;
    }
    return text.n == 0;
}

/* The next word of TEXT, ended by any of white space, ',' or '-'. */
static struct span
next_word(struct span *text, const char *separators)
{
    size_t i = 0;

    while (text->n > 0 && strchr(separators, text->p[0]) != NULL)
        *text = (struct span){text->p + 1, text->n - 1};
    while (i < text->n && strchr(separators, text->p[i]) == NULL)
        i++;
    struct span word = {text->p, i};
    *text = (struct span){text->p + i, text->n - i};
    return word;
}

bool
httpdate_parse(struct span text, int64_t *us)
{
    uint64_t day;
    uint64_t year;
    unsigned month;
    int64_t seconds;
    int64_t zone;

    if (text.n < 3 || (unsigned)((text.p[0] | 0x20) - 'a') > 25)
        return false;
    (void)next_word(&text, " ,");
    struct span first = next_word(&text, " ,-");
    bool asctime = month_part(first, &month);
    if (!asctime && (!number_part(first, &day) || !month_part(next_word(&text, " -"), &month)))
        return false;
    if (asctime && !number_part(next_word(&text, " "), &day))
        return false;
    struct span third = next_word(&text, " -");
    struct span fourth = next_word(&text, " ");
    if (!clock_part(asctime ? third : fourth, &seconds)
        || !number_part(asctime ? fourth : third, &year) || !zone_part(next_word(&text, " "), &zone)
        || day < 1 || day > 31)
        return false;
    if ((asctime ? fourth : third).n == 2)
        year += year < 70 ? 2000 : 1900;
    if (year < 1900)
        return false;
    int64_t next =
        month == 12 ? time_days((int64_t)year + 1, 1, 1) : time_days((int64_t)year, month + 1, 1);
    if (time_days((int64_t)year, month, (unsigned)day) >= next)
        return false;
    *us = (time_days((int64_t)year, month, (unsigned)day) * 86400 + seconds - zone) * 1000000;
    return true;
}
