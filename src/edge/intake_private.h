/* intake_private.h: what do streams of reports from requests and from files have in common?
 */
#ifndef COMITY_EDGE_INTAKE_PRIVATE_H
#define COMITY_EDGE_INTAKE_PRIVATE_H

#include "edge/ask.h"
#include "edge/intake.h"
#include "fmt/format.h"
#include "sys/fiber.h"
#include "sys/loop.h"

struct intake {
    struct front *front;
    struct request *request; /* NULL: a file */
    char *name;
    struct span corrects; /* of the request's arena */
    struct span why;
    struct reader_options options;
    struct shadowschema *schema;
    enum format format;
    /* core's stream */
    uint64_t tag;
    bool open;
    uint32_t credit; /* messages that may be sent */
    struct err lost; /* core's refusal */
    /* the reader */
    struct fiber *fiber;
    bool begun;
    bool inside; /* it runs */
    bool ended;  /* with `rc` and `err` */
    bool cancelled;
    bool blocked; /* it waits for credit */
    bool eof;
    struct span piece; /* bytes that it may take */
    int rc;
    struct err err;
    /* what it made */
    struct buf records;
    uint32_t count;
    uint32_t rejected; /* since the last message */
    struct buf listed;
    uint32_t listed_count;
    /* a file's */
    int fd;
    uint64_t file;
    bool sliced; /* it has read its share: others first */
    struct loop_timer timer;
    struct intake *next;
};

MUST_USE int intake_stream_new(
    struct front *front, struct span name, struct intake **out, struct err *err);
void intake_stream_free(struct intake *intake);
/* Tell core that a stream begins; FILE 0: none. */
MUST_USE int intake_begin(struct intake *intake, const struct caller *caller, uint64_t file,
    const struct talk *talk, struct err *err);
/* Let the reader go on; false: it has ended. */
bool intake_go(struct intake *intake);
MUST_USE int intake_close(struct intake *intake, struct span problems, struct err *err);

/* On the fiber. */
MUST_USE int intake_flush(struct intake *intake, struct err *err);
int intake_pull_file(void *ctx, char *to, size_t size, size_t *got, struct err *err);

#endif
