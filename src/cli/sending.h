/* sending.h: how does a file reach the running node, whatever happens on the way?
 */
#ifndef COMITY_CLI_SENDING_H
#define COMITY_CLI_SENDING_H

#include "base/mem.h"
#include "cli/node.h"
#include "fmt/format.h"
#include "model/totals.h"

struct sending {
    struct node node;
    enum format format; /* FORMAT_UNKNOWN: the node recognises it */
    const char *provider;
    const char *mapping;
    const char *name;
    bool progress;
    struct buf parameters; /* of every file */
    const char *path;      /* with parameters of its own; NULL: where all reports go */
    struct totals totals;
    size_t files;
    size_t failed;
    bool node_gone; /* it makes no sense to go on */
    bool unread;    /* it is the last file that failed, not the node */
    uint64_t bytes_total;
    uint64_t bytes_done; /* files before */
    int64_t begun_us;    /* ticks */
    int64_t shown_us;
};

/* Read what all files need (the mapping). */
MUST_USE int sending_prepare(struct sending *in, struct err *err);
/* Send FILE ("-": standard input) until the node has it for good, waiting when it is behind. *ROOT
 * is its answer. Errors: the file's, the node's, ERR_STOPPED. */
MUST_USE int sending_file(
    struct sending *in, const char *file, struct json_value *root, struct err *err);
void sending_free(struct sending *in);

#endif
