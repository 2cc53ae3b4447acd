#include "base/log.h"

#include "base/time.h"

#include <stdio.h>
#include <unistd.h>

enum { ROLE_BYTES = 32, TAIL_BYTES = 8 };

static struct {
    char role[ROLE_BYTES];
    enum log_format format;
    enum log_level least;
    int64_t (*now_us)(void);
} settings = {.role = "comity", .least = LOG_LEVEL_INFO};

static struct {
    log_told *call;
    void *ctx;
} listener;

const char *const log_level_words[LOG_LEVELS] = {"debug", "info", "warning", "error"};

/* A line that is cut where it is full; TAIL_BYTES are kept for what closes it. */
struct line {
    char *p;
    size_t n;
    size_t max;
};

void
log_start(const char *role, enum log_format format, enum log_level least, int64_t (*now_us)(void))
{
    (void)snprintf(settings.role, sizeof settings.role, "%s", role);
    settings.now_us = now_us;
    log_settings(format, least);
}

void
log_settings(enum log_format format, enum log_level least)
{
    settings.format = format;
    settings.least = least;
}

void
log_listen(log_told *call, void *ctx)
{
    listener.call = call;
    listener.ctx = ctx;
}

bool
log_wanted(enum log_level level)
{
    return level >= settings.least;
}

static void
add(struct line *line, const char *p, size_t n)
{
    if (n > line->max - line->n)
        n = line->max - line->n;
    memcpy(line->p + line->n, p, n);
    line->n += n;
}

static void
add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* U+0080 to U+009F: some terminals obey them. U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069
 * turn the direction of writing: a line would read as another one (Unicode, UAX #9, 2). */
static bool
is_control(const unsigned char *c)
{
    if (c[0] == 0xc2)
        return c[1] < 0xa0;
    return c[0] == 0xe2
        && ((c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae)))
            || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* The character at P with LEFT bytes, if it may stand as it is: its length; 0: it is to be escaped.
 */
static size_t
plain(const char *p, size_t left)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

    if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || n > left
        || !span_is_utf8((struct span){p, n}))
        return 0;
    return n > 1 && is_control((const unsigned char *)p) ? 0 : n;
}

static void
add_escaped(struct line *line, struct span text)
{
    char code[8];

    for (size_t i = 0, n; i < text.n && i < LOG_VALUE_BYTES; i += n) {
        n = plain(text.p + i, text.n - i);
        if (n > line->max - line->n)
            return; /* half a character would be none */
        if (n > 0) {
            add(line, text.p + i, n);
            continue;
        }
        n = 1;
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            (void)snprintf(code, sizeof code, "\\%c", c);
        else if (c < 0x80)
            (void)snprintf(code, sizeof code, "\\u%04x", c);
        else
            (void)snprintf(code, sizeof code, "\\ufffd");
        if (line->max - line->n < strlen(code))
            return; /* half an escape would spoil what closes the line */
        add_text(line, code);
    }
    if (text.n > LOG_VALUE_BYTES)
        add_text(line, "...");
}

static void
add_quoted(struct line *line, struct span text)
{
    add_text(line, "\"");
    add_escaped(line, text);
    line->max++;
    add_text(line, "\"");
}

static void
add_pair(struct line *line, const struct log_pair *pair, bool json)
{
    char number[24];

    if (line->max - line->n < strlen(pair->key) + 32)
        return; /* no room for what would be read wrongly if it were cut */
    add_text(line, json ? ",\"" : " ");
    add_text(line, pair->key);
    add_text(line, json ? "\":" : "=");
    (void)snprintf(number, sizeof number, "%lld", (long long)pair->number);
    if (pair->is_number)
        add_text(line, number);
    else
        add_quoted(line, pair->text);
}

static void
add_head(struct line *line, enum log_level level, const char *what)
{
    char now[TIME_TEXT_BYTES] = "";
    bool json = settings.format == LOG_FORMAT_JSON;

    if (settings.now_us != NULL)
        (void)time_format_ms(settings.now_us(), now);
    if (!json) {
        add_text(line, now);
        add_text(line, now[0] == '\0' ? "" : " ");
        add_text(line, log_level_words[level]);
        add_text(line, " ");
        add_text(line, settings.role);
        add_text(line, ": ");
        add_escaped(line, span_of(what));
        return;
    }
    add_text(line, "{");
    if (now[0] != '\0') {
        add_text(line, "\"time\":\"");
        add_text(line, now);
        add_text(line, "\",");
    }
    add_text(line, "\"level\":\"");
    add_text(line, log_level_words[level]);
    add_text(line, "\",\"role\":\"");
    add_text(line, settings.role);
    add_text(line, "\",\"event\":");
    add_quoted(line, span_of(what));
}

size_t
log_line(char out[LOG_LINE_BYTES], enum log_level level, const char *what,
    const struct log_pair *pairs, size_t count)
{
    struct line line = {out, 0, LOG_LINE_BYTES - TAIL_BYTES - count - 8};

    add_head(&line, level, what);
    for (size_t i = 0; i < count; i++)
        add_pair(&line, &pairs[i], settings.format == LOG_FORMAT_JSON);
    line.max = LOG_LINE_BYTES;
    add_text(&line, settings.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    return line.n;
}

static void
tell_listener(enum log_level level, const char *what, const struct log_pair *pairs, size_t count)
{
    char said[LOG_VALUE_BYTES];
    char text[LOG_LINE_BYTES];
    struct line event = {said, 0, sizeof said};
    struct line rest = {text, 0, sizeof text - TAIL_BYTES - count - 8};

    add_escaped(&event, span_of(what));
    for (size_t i = 0; i < count; i++)
        add_pair(&rest, &pairs[i], false);
    const struct span told = {text + (rest.n > 0), rest.n - (rest.n > 0)}; /* a space goes first */
    listener.call(listener.ctx, level, settings.now_us == NULL ? 0 : settings.now_us(),
        (struct span){said, event.n}, told);
}

void
log_write(enum log_level level, const char *what, const struct log_pair *pairs, size_t count)
{
    char line[LOG_LINE_BYTES];

    if (!log_wanted(level))
        return;
    if (listener.call != NULL)
        tell_listener(level, what, pairs, count);
    size_t n = log_line(line, level, what, pairs, count);
    /* There is nobody to tell that telling failed. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

void
log_failed(enum log_level level, const char *what, const struct err *why,
    const struct log_pair *pairs, size_t count)
{
    enum { MORE = 4, PAIRS_MAX = 16 };
    struct log_pair all[PAIRS_MAX + MORE];
    size_t n = count > PAIRS_MAX ? PAIRS_MAX : count;

    for (size_t i = 0; i < n; i++)
        all[i] = pairs[i];
    all[n++] = log_word("error", err_word(why->code));
    if (why->field[0] != '\0')
        all[n++] = log_word("field", why->field);
    if (why->line != 0)
        all[n++] = log_number("line", (int64_t)why->line);
    all[n++] = log_word("message", why->msg);
    log_write(level, what, all, n);
}
