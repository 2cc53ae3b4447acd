/* stix_split.h: where does each object of a STIX bundle begin and end?
 *
 * Cuts the elements of the top-level `objects` array out of a stream of bytes, so
 * that a bundle of any size is read in the memory of one object. Also takes a bare
 * array of objects, and objects or bundles one behind the other. Only brackets, quotes and
 * commas are looked at: whether an object is JSON is json_parse's to say.
 */
#ifndef COMITY_FMT_STIX_SPLIT_H
#define COMITY_FMT_STIX_SPLIT_H

#include "fmt/input.h"

struct stix_split_sink {
    void *ctx;
    /* One object; INPUT_PADDING readable bytes behind it. Borrowed. NUMBER counts from 1. */
    int (*object)(void *ctx, struct span text, uint64_t number, struct err *err);
    /* Something in the place of an object: WHY has code and message. */
    int (*bad)(
        void *ctx, const struct err *why, struct span head, uint64_t number, struct err *err);
};

/* Read INPUT to its end. Objects larger than INPUT_LINE_MAX are `bad` with ERR_LIMIT, an
 * input that ends too early with ERR_TRUNCATED. Returns what the sink or the input returned. */
MUST_USE int stix_split(struct input *input, const struct stix_split_sink *sink, struct err *err);

#endif
