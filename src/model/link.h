/* link.h: what do core and courier say to each other about other teams' nodes?
 *
 * The courier asks through its own door (tables/messages.def, C). It is given public keys,
 * addresses and what may leave; it says what became of it. Objects that it fetched it hands in by
 * the fronts' messages (INTAKE_*, OBJECTS_ADD) as CALLER_LINK, whose `user` is the link's team:
 * core believes that from this door alone. Texts that are taken borrow from the message. All
 * `_take` functions: ERR_INTERNAL (only a broken role sends such bytes), ERR_LIMIT (arena).
 *
 *   LINKS         nothing; answer: u32 count, each struct link. Asked at the start and after each
 *                 LINKS_CHANGED
 *   LINK_TAKE     team u32; answer: struct link_parcel (n 0: nothing waits)
 *   LINK_SENT     team u32, through_us i64; answered when durable
 *   LINK_POLLED   team u32, what u8 (enum link_what), through_us i64; answered when durable
 *   LINK_FAILED   struct link_failure; answered when durable
 *   LINK_GOT      struct link_dates; asked by the front for a link's account, once all that was
 * posted is durable; answer: nothing said by core: LINK_AT (team u32, what u8, through_us i64: it
 * has come until then, by a push) said by core: LINK_WAITS (team u32: LINK_TAKE would give
 * something), LINKS_CHANGED
 */
#ifndef COMITY_MODEL_LINK_H
#define COMITY_MODEL_LINK_H

#include "base/mem.h"
#include "base/wire.h"

enum link_flag { LINK_PUSH = 1, LINK_POLL = 2, LINK_WITNESS = 4 };
/* "push", "poll", "witness". */
const char *link_way_word(enum link_flag flag);
enum link_what { LINK_RELEASED, LINK_DIRECTORY, LINK_WHAT_COUNT }; /* what is polled */

struct link {
    uint32_t team;   /* the store's number */
    uint8_t flags;   /* enum link_flag */
    bool waits;      /* LINK_TAKE would give something */
    struct span id;  /* the team's */
    struct span url; /* https://host:port of its partners' door, no slash behind */
    struct span pin; /* SHA-256 of its certificate's DER form, 64 hexadecimal digits; n 0: a CA
                        vouches for it */
    int64_t polled_us[LINK_WHAT_COUNT]; /* date_added of what came last; INT64_MIN: nothing */
};
enum { LINK_URL_BYTES = 300, LINK_PIN_BYTES = 64 };
/* As `url` says: no login, no path, port 1 to 65535 if there is one. */
bool link_url_is(struct span url);
/* As `pin` says, in lower case, and not empty. */
bool link_pin_is(struct span pin);
void link_add(struct buf *out, const struct link *link);
MUST_USE int links_take(
    struct arena *arena, struct span body, struct link **list, size_t *count, struct err *err);

/* One POST's worth: whole deliveries. An envelope is at most what TAXII servers of this make take
 * at once (taxii.max-content-length), and fits into a message with what stands before it. */
enum { LINK_ENVELOPE_MAX = 4 * 1024 * 1024 - 4096 };
struct link_parcel {
    int64_t from_us;    /* behind it, and until */
    int64_t through_us; /* this are all that there is; to be said in LINK_SENT */
    uint32_t objects;
    struct span envelope; /* {"objects":[...]}; n 0: nothing waits */
};
void link_parcel_add(struct buf *out, const struct link_parcel *parcel);
MUST_USE int link_parcel_take(struct span body, struct link_parcel *out, struct err *err);

/* Behind FROM_US and until THROUGH_US a POST has all that its sender has for this node, so that it
 * need not be asked for that too. Said in the header LINK_DATES_HEADER, as two numbers with a space
 * between (microseconds since 1970). */
#define LINK_DATES_HEADER "Comity-Dates"
enum { LINK_DATES_BYTES = 48 };
struct link_dates {
    int64_t from_us; /* 0: from the beginning */
    int64_t through_us;
};
size_t link_dates_format(const struct link_dates *dates, char out[LINK_DATES_BYTES]);
bool link_dates_parse(struct span text, struct link_dates *out);
void link_dates_add(struct buf *out, const struct link_dates *dates);
MUST_USE int link_dates_take(struct span body, struct link_dates *out, struct err *err);

struct link_failure {
    uint32_t team;
    uint8_t flag;     /* enum link_flag: what was tried */
    bool refused;     /* the other node understood and said no: trying again changes nothing */
    uint16_t status;  /* of HTTP; 0: none came */
    int64_t again_us; /* when it is tried again */
    struct span why;  /* for people, a line */
};
void link_failure_add(struct buf *out, const struct link_failure *failure);
MUST_USE int link_failure_take(struct span body, struct link_failure *out, struct err *err);

#endif
