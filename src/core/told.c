#include "core/told.h"

#include "base/time.h"
#include "fmt/json.h"

void
told_item(struct buf *out)
{
    char last = out->n == 0 ? '{' : out->p[out->n - 1];

    if (last != '{' && last != '[')
        buf_add_char(out, ',');
}

void
told_name(struct buf *out, const char *name)
{
    told_item(out);
    buf_add_char(out, '"');
    buf_add_text(out, name);
    buf_add_text(out, "\":");
}

void
told_value(struct buf *out, struct span text)
{
    json_add_string(out, span_is_utf8(text) ? text : SPAN("(not UTF-8)"));
}

void
told_text(struct buf *out, const char *name, struct span text)
{
    told_name(out, name);
    if (text.n == 0)
        buf_add_text(out, "null");
    else
        told_value(out, text);
}

void
told_word(struct buf *out, const char *name, const char *word)
{
    told_text(out, name, word == NULL ? (struct span){NULL, 0} : span_of(word));
}

void
told_number(struct buf *out, const char *name, uint64_t number)
{
    told_name(out, name);
    buf_add_u64(out, number);
}

void
told_number_or_null(struct buf *out, const char *name, uint64_t number)
{
    told_name(out, name);
    if (number == 0)
        buf_add_text(out, "null");
    else
        buf_add_u64(out, number);
}

void
told_flag(struct buf *out, const char *name, bool value)
{
    told_name(out, name);
    buf_add_text(out, value ? "true" : "false");
}

void
told_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    size_t n = us == 0 ? 0 : time_format_us(us, text);

    told_text(out, name, (struct span){text, n});
}

void
told_economy(struct buf *out, const char *name, struct economy economy)
{
    char code[3];

    economy_code(economy, code);
    told_text(out, name, span_of(code));
}

void
told_open(struct buf *out, const char *name, char bracket)
{
    told_name(out, name);
    buf_add_char(out, bracket);
}

void
told_step(struct buf *out, int64_t at_us, const char *what, struct span by, struct span why)
{
    told_item(out);
    buf_add_char(out, '{');
    told_time(out, "at", at_us);
    told_word(out, "what", what);
    told_text(out, "by", by);
    told_text(out, "why", why);
    buf_add_char(out, '}');
}
