/* flat.h: which members has this flat JSON object, without a tape?
 *
 * Nearly all reports come as one object of short strings and whole numbers. Of these simdjson's
 * first pass, which finds the tokens, is enough: their members are taken where they stand. Whatever
 * else comes (nested values, escapes, fractions, space before a colon or comma, faults) is
 * declined, and json_parse reads it from the beginning: it alone says what is no JSON (RFC 8259).
 */
#ifndef COMITY_FMT_FLAT_H
#define COMITY_FMT_FLAT_H

#include "fmt/json.h"

enum { FLAT_BYTES_MAX = 4096 };

struct flat {
    const char *text;
    const uint32_t *token; /* the next one */
    const uint32_t *end;   /* of the closing brace */
};

/* A member as it stands; both borrow from the text. */
struct flat_member {
    struct span key;   /* between its quotes */
    struct span value; /* the whole token: with its quotes, if it is a string */
};

enum flat_answer { FLAT_END, FLAT_MEMBER, FLAT_DECLINED };

/* TEXT is one document of at most FLAT_BYTES_MAX, with INPUT_PADDING readable bytes behind it.
 * False: declined. */
bool flat_begin(struct json *json, struct span text, struct flat *out);

/* The next member. In a document that is not declined up to FLAT_END all members are what
 * json_parse would find, provided that flat_text or flat_int holds for every value. */
static inline enum flat_answer
flat_next(struct flat *flat, struct flat_member *out)
{
    const char *text = flat->text;
    const uint32_t *token = flat->token;

    if (token == flat->end)
        return FLAT_END;
    /* "key" : value ,    four tokens, the last of which may be the brace */
    if (flat->end - token < 3)
        return FLAT_DECLINED;
    const char *key = text + token[0];
    const char *colon = text + token[1];
    const char *value = text + token[2];
    const char *comma = text + token[3];
    if (*key != '"' || *colon != ':' || colon[-1] != '"' || colon - key < 3)
        return FLAT_DECLINED;
    bool last = token + 3 == flat->end;
    if (!last && (*comma != ',' || token + 4 == flat->end))
        return FLAT_DECLINED;
    out->key = (struct span){key + 1, (size_t)(colon - key) - 2};
    out->value = (struct span){value, (size_t)(comma - value)};
    flat->token = token + (last ? 3 : 4);
    return FLAT_MEMBER;
}

/* The text of a value that is a string. */
static inline bool
flat_text(struct span value, struct span *out)
{
    *out = (struct span){value.p + 1, value.n - 2};
    return value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
}

/* The number of a value that is one without sign, fraction or exponent, below 10^18. */
static inline bool
flat_int(struct span value, int64_t *out)
{
    int64_t number = 0;

    if (value.n == 0 || value.n > 18 || (value.n > 1 && value.p[0] == '0'))
        return false;
    for (size_t i = 0; i < value.n; i++) {
        unsigned digit = (unsigned)(unsigned char)value.p[i] - '0';
        if (digit > 9)
            return false;
        number = number * 10 + (int64_t)digit;
    }
    *out = number;
    return true;
}

#endif
