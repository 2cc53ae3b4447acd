/* log.h: what is said to the operator, and how?
 *
 * One event a line on standard error, as text or JSON, with its time, level, role and pairs of key
 * and value; written whole by one write(2), which every role's walls allow. Values may quote
 * hostile bytes: control characters, those that turn the direction of writing, and what is no UTF-8
 * are escaped, long ones are cut.
 */
#ifndef COMITY_BASE_LOG_H
#define COMITY_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum { LOG_LINE_BYTES = 4096, LOG_VALUE_BYTES = 1024 };
enum { LOG_LEVELS = LOG_LEVEL_ERROR + 1 };
extern const char *const log_level_words[LOG_LEVELS];

struct log_pair {
    const char *key;
    struct span text;
    int64_t number;
    bool is_number;
};

static inline struct log_pair
log_text(const char *key, struct span text)
{
    return (struct log_pair){.key = key, .text = text};
}
static inline struct log_pair
log_word(const char *key, const char *text)
{
    return log_text(key, span_of(text));
}
static inline struct log_pair
log_number(const char *key, int64_t number)
{
    return (struct log_pair){.key = key, .number = number, .is_number = true};
}

/* ROLE ("core"; copied) is said in every line. NOW_US tells Unix microseconds; NULL: no times. */
void log_start(
    const char *role, enum log_format format, enum log_level least, int64_t (*now_us)(void));
/* Other settings, the same role. */
void log_settings(enum log_format format, enum log_level least);
bool log_wanted(enum log_level level);

/* WHAT happened, in words that stay the same ("role started"): what varies are pairs. */
void log_write(enum log_level level, const char *what, const struct log_pair *pairs, size_t count);
/* WHAT failed, with error, field, line and message of WHY besides. */
void log_failed(enum log_level level, const char *what, const struct err *why,
    const struct log_pair *pairs, size_t count);
/* Every line that is written is told CALL (NULL: nobody), too, by whichever thread wrote it: WHAT,
 * and the pairs as the text form has them, escaped in the same way; both live until it returns. It
 * writes no line of its own. */
typedef void log_told(
    void *ctx, enum log_level level, int64_t now_us, struct span what, struct span pairs);
void log_listen(log_told *call, void *ctx);
/* The line itself, for tests; its length. */
size_t log_line(char out[LOG_LINE_BYTES], enum log_level level, const char *what,
    const struct log_pair *pairs, size_t count);

#define LOG_PAIRS(...)                                                                             \
    (const struct log_pair[]){__VA_ARGS__},                                                        \
        sizeof((const struct log_pair[]){__VA_ARGS__}) / sizeof(struct log_pair)
/* log_info("door opened", log_word("door", "partners"), log_number("port", 8444)); */
#define log_debug(what, ...) log_write(LOG_LEVEL_DEBUG, what, LOG_PAIRS(__VA_ARGS__))
#define log_info(what, ...) log_write(LOG_LEVEL_INFO, what, LOG_PAIRS(__VA_ARGS__))
#define log_warning(what, ...) log_write(LOG_LEVEL_WARNING, what, LOG_PAIRS(__VA_ARGS__))
#define log_error(what, ...) log_write(LOG_LEVEL_ERROR, what, LOG_PAIRS(__VA_ARGS__))
#define log_error_of(what, why, ...) log_failed(LOG_LEVEL_ERROR, what, why, LOG_PAIRS(__VA_ARGS__))
#define log_warning_of(what, why, ...)                                                             \
    log_failed(LOG_LEVEL_WARNING, what, why, LOG_PAIRS(__VA_ARGS__))

#endif
