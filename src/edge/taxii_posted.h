/* taxii_posted.h: what does this POST hold, object by object?
 *
 * An envelope (TAXII 2.1, section 3.7), or a bundle: the same list. Each object is checked and
 * re-encoded without white space; what is wrong with one is told of that one.
 */
#ifndef COMITY_EDGE_TAXII_POSTED_H
#define COMITY_EDGE_TAXII_POSTED_H

#include "fmt/json.h"
#include "model/page.h"

enum { POSTED_NO_BATCH = UINT32_MAX };

/* The comity-batch objects among the others (edge/taxii_batch.h). */
struct posted_batches {
    struct page_batch *list; /* by the order in which they stand */
    size_t count;
    uint32_t *of; /* by position of an object: which of them it belongs to, or POSTED_NO_BATCH;
                     NULL: there are none */
};
struct posted {
    struct page_object *objects; /* by position in the list; json n 0: it has a fault */
    struct page_result *results; /* message n 0: nothing is wrong so far */
    size_t count;
    struct posted_batches batches;
};

/* BODY is parsed by JSON; everything of OUT is in ARENA. ERR_BAD_JSON and json_parse's others: it
 * is no JSON; ERR_BAD_TYPE: no envelope; ERR_LIMIT. */
MUST_USE int posted_read(
    struct arena *arena, struct json *json, struct span body, struct posted *out, struct err *err);
/* Note what is wrong with one (of the sender's), unless something was. ERR_LIMIT (arena). */
MUST_USE int posted_fault(
    struct arena *arena, struct posted *posted, size_t i, const char *message, struct err *err);

#endif
