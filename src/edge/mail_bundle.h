/* mail_bundle.h: what is in the objects of this mail?
 *
 * The bytes that were released to the team, as they lie in its collection: nothing else is known
 * here, so nothing else can get into a mail.
 */
#ifndef COMITY_EDGE_MAIL_BUNDLE_H
#define COMITY_EDGE_MAIL_BUNDLE_H

#include "base/mem.h"
#include "fmt/json.h"
#include "model/mail.h"
#include "model/words.h"

enum { MAIL_WORDS_MAX = 100 };

struct mail_word { /* and how often it is there */
    struct span word;
    uint32_t count;
};
struct mail_words {
    struct mail_word list[MAIL_WORDS_MAX];
    size_t count;
    uint32_t others; /* words that found no room */
};
struct mail_delivery { /* a comity-batch (fmt/stix_batch.h) */
    struct span id;    /* a UUID */
    struct span log;
    uint64_t entry;
    uint64_t items;
};

struct mail_bundle {
    struct span text; /* a STIX 2.1 bundle */
    uint32_t reports;
    uint32_t revoked; /* of all objects */
    uint32_t others;  /* objects that are neither reports nor what reports refer to */
    enum tlp tlp;     /* the strictest; TLP_UNKNOWN: nothing says one */
    struct mail_words classifications;
    struct mail_words clauses;
    struct mail_delivery *deliveries;
    size_t delivery_count;
};

/* OBJECTS with commas between them; TEXT is made in BUNDLE, which the caller frees, the rest lives
 * in ARENA. ERR_INTERNAL: they are no JSON; ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int mail_bundle_read(struct arena *arena, const struct mail_task *task,
    struct span objects, struct buf *bundle, struct mail_bundle *out, struct err *err);

#endif
