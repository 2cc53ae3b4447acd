#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set
#undef err_set_field

struct row {
    enum err_code code;
    enum err_kind kind;
    int http;
    const char *word;
    const char *text;
};

static const struct row rows[] = {
#define ERROR(name, number, kind, http, word, text) {ERR_##name, ERR_KIND_##kind, http, word, text},
#include "tables/errors.def"
#undef ERROR
};

static const struct row *
find(enum err_code code)
{
    static const struct row ok = {ERR_OK, ERR_KIND_OURS, 200, "ok", "Nothing went wrong."};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &ok;
}

/* Messages go to terminals and logs: no control character may reach them, U+0080 to U+009F
 * included, which some terminals obey. */
static void
make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char next = (unsigned char)text[1];
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
        else if (*text == '\xc2' && next >= 0x80 && next < 0xa0)
            text[0] = text[1] = '?';
    }
}

__attribute__((format(printf, 3, 0))) static void
fill(struct err *err, enum err_code code, const char *format, va_list args)
{
    err->code = code;
    err->wait_s = 0;
    (void)vsnprintf(err->msg, sizeof err->msg, format, args);
    make_printable(err->msg);
}

int
err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->field[0] = '\0';
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return code;
}

int
err_set_field(
    struct err *err, enum err_code code, const char *field, size_t n, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    if (n > sizeof err->field - 1)
        n = sizeof err->field - 1;
    if (n > 0) /* no field may be no pointer */
        memcpy(err->field, field, n);
    err->field[n] = '\0';
    make_printable(err->field);
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return code;
}

const char *
err_word(enum err_code code)
{
    return find(code)->word;
}

enum err_kind
err_kind(enum err_code code)
{
    return find(code)->kind;
}

int
err_http(enum err_code code)
{
    return find(code)->http;
}

const char *
err_text(enum err_code code)
{
    return find(code)->text;
}

int
err_is_senders(int code)
{
    return code < 0 && find((enum err_code)code)->kind == ERR_KIND_SENDER;
}
