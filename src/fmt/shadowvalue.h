/* shadowvalue.h: what does this cell of a Shadowserver report become?
 *
 * First the column's conversion, then the rules of the field's type in the IntelMQ data format:
 * names and protocols in lower case, economy codes in upper case, addresses in their shortest form.
 */
#ifndef COMITY_FMT_SHADOWVALUE_H
#define COMITY_FMT_SHADOWVALUE_H

#include "base/mem.h"
#include "fmt/shadowschema.h"

/* One row, and where the columns stand that conversions of other columns look at; -1: not there. */
struct shadowvalue_row {
    const struct span *cells;
    uint32_t count;
    int32_t http_host;
    int32_t hostname;
    int32_t ip;
    int32_t application;
    int32_t detail;
    struct arena *scratch; /* made texts live here */
};

enum shadowvalue {
    SHADOWVALUE_NONE, /* the cell says nothing */
    SHADOWVALUE_SET,  /* FIELD holds the value */
    SHADOWVALUE_BAD,  /* it does not fit the field; the cell itself is to be kept as extra.COLUMN */
};

/* Fills type and value of FIELD. Returns an enum shadowvalue, or a sender's error when the record
 * cannot be trusted (a number or time that is none). */
MUST_USE int shadowvalue_convert(enum conversion conversion, struct span cell,
    const struct shadowvalue_row *row, struct field *field, struct err *err);

/* Bring FIELD, which has a known id, into the form of its type. */
MUST_USE enum shadowvalue shadowvalue_fit(struct field *field, struct arena *scratch);

#endif
