/* intake.h: how do reports that are handed in reach core?
 *
 * Whatever reads a format pulls its bytes and would wait for them; here it runs on a fiber
 * (sys/fiber.h) that pauses when the client's next bytes have not come, or when core gives no
 * credit. So a stream of any length takes the same memory, and a client that is faster than core is
 * not read. What core is told is model/intake.h.
 */
#ifndef COMITY_EDGE_INTAKE_H
#define COMITY_EDGE_INTAKE_H

#include "edge/door.h"
#include "fmt/reader.h"

struct front;
struct intake;

enum { INTAKE_LISTED = 100 }; /* rejections that are told one by one */

/* Everything that readers want from files, read before the walls are up. */
struct intake_readers {
    struct shadowschema *schema; /* NULL: there is none */
    struct generic_maps *maps;
    struct reader_options options; /* with both */
};
/* SHARE_DIR must outlive it. A schema that is missing or wrong is no error: reports that need it
 * are refused then. ERR_NO_MEMORY. */
MUST_USE int intake_readers_load(
    struct intake_readers *readers, const char *share_dir, struct err *err);
void intake_readers_free(struct intake_readers *readers);

struct intake_said {
    struct span format;   /* a word of formats.def; n 0: by content */
    struct span provider; /* who reported what names nobody; n 0: left out */
    struct span mapping;  /* generic CSV: JSON; n 0: by the columns */
    struct span name;     /* the file's; n 0: none */
    struct span corrects; /* the id of the report whose place the one in here takes; n 0: none */
    struct span why;      /* of that */
};
/* The handler of a route with BODY_STREAM: answered 200 with core's counts and the first rejections
 * when all is durable; an input that breaks off or cannot be read is refused, and what of it was
 * read before may be stored or not: to send all of it again doubles nothing. */
MUST_USE int intake_handle(
    struct request *request, const struct intake_said *said, struct err *err);

/* Core's word FILE: read FD, which is taken, as a stream of reports. */
void intake_file(struct front *front, struct span body, int fd);
/* Drop what is being read of files. */
void intake_drop_files(struct front *front);

#endif
