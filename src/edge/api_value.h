/* api_value.h: is this value what its input must be, and how does core get it?
 *
 * The types stand in tables/inputs.def.
 */
#ifndef COMITY_EDGE_API_VALUE_H
#define COMITY_EDGE_API_VALUE_H

#include "base/str.h"
#include "fmt/json.h"

enum api_place { API_IN_PATH, API_IN_QUERY, API_IN_BODY, API_IN_HERE };
enum api_type {
    API_TYPE_TEXT,
    API_TYPE_SECRET,
    API_TYPE_ADDRESS,
    API_TYPE_NAME,
    API_TYPE_ASN,
    API_TYPE_ECONOMY,
    API_TYPE_CLASS,
    API_TYPE_EFFECT,
    API_TYPE_KIND,
    API_TYPE_STATE,
    API_TYPE_TIME,
    API_TYPE_FLAG,
    API_TYPE_NUMBER,
    API_TYPE_NUMBERS,
    API_TYPE_LIMIT,
    API_TYPE_CURSOR,
    API_TYPE_CONSTANT,
    API_TYPE_COUNT
};

struct api_input {
    uint16_t route; /* enum api_route */
    uint8_t place;
    uint8_t type;
    bool required;
    const char *name;
    uint32_t most;
};
/* As a text (query, path) or as a member of the body. */
struct api_given {
    bool is;
    bool json;
    struct span text;
    struct json_value value;
};

enum { API_LIMIT_DEFAULT = 100 };

/* Append GIVEN as INPUT's type has it; what is not given, as the type says "not given". Errors name
 * the input: ERR_MISSING_FIELD, ERR_BAD_TYPE, ERR_BAD_VALUE, ERR_BAD_ADDRESS ... */
MUST_USE int api_value(
    const struct api_input *input, const struct api_given *given, struct buf *out, struct err *err);

#endif
