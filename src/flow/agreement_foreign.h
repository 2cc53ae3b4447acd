/* agreement_foreign.h: what of another team's word about an agreement is new here, and may be kept?
 *
 * Another party shows an agreement: its document with signatures, and what that party did to it
 * since, each a signed text that stands alone. Looking changes nothing and needs no lock; keeping
 * asks for a register that is open for writing. Nothing that is taken in puts an agreement in force
 * before this team has signed it. doc/agreement-language.md, section 12.
 */
#ifndef COMITY_FLOW_AGREEMENT_FOREIGN_H
#define COMITY_FLOW_AGREEMENT_FOREIGN_H

#include "flow/agreement_life.h"

enum {
    FOREIGN_DOCUMENT_BYTES = 256 * 1024,
    FOREIGN_WAITING_MAX = 100,            /* proposals of one team that wait for this one */
    FOREIGN_UNSIGNED_MAX = 500,           /* the same, refused and expired ones too */
    FOREIGN_UNSIGNED_BYTES = 16 << 20,    /* documents that this team has not signed, of all */
    FOREIGN_TEAM_BYTES = 4 << 20,         /* the same of one team */
    FOREIGN_EVENTS_MAX = 200,             /* of one team about one agreement */
    FOREIGN_EVENTS_UNSIGNED = 10,         /* the same, before this team has signed */
    FOREIGN_JOURNAL_BYTES = 8 << 20,      /* a longer journal takes in only what stops something */
    FOREIGN_JOURNAL_STOP_BYTES = 15 << 20 /* and a longer one nothing: the rest is this team's */
};

struct foreign_word {
    struct span own;                  /* this team */
    struct span sender;               /* who says it */
    const struct agreement *document; /* signatures unchecked */
    const struct journal_told *events;
    size_t event_count;
    int64_t now_us;
};

/* What is new in it. */
struct foreign_news {
    struct agreement_taken taken; /* signatures behind `kept` are new */
    bool proposed;                /* the register has not had it */
    bool unknown;                 /* the sender signed with a key that is not known to be theirs */
    /* What was passed over, as its key is not known to be its team's: the sender may have had news
     * of that key sooner, and the word is worth looking at again once it is known. */
    struct {
        struct span team; /* n 0: nothing was */
        struct span what; /* "signature", or the event's word */
        uint8_t key[AGREEMENT_KEY_BYTES];
    } strange;
    const struct journal_told **events;
    size_t event_count;
};

/* Look at WORD beside REGISTRY. OUT in ARENA. Errors: ERR_BAD_VALUE: the document, a signature or
 * an event is malformed or wrong; ERR_NOT_ALLOWED: sender or this team is no party, the id has
 * another text here; ERR_LIMIT: too long, or too many wait; ERR_NO_MEMORY. */
MUST_USE int agreement_foreign_look(const struct registry *registry, struct arena *arena,
    const struct foreign_word *word, struct foreign_news *out, struct err *err);
bool agreement_foreign_is_news(const struct foreign_news *news);
/* Keep NEWS, which was looked at in REGISTRY as it is now; KEY is this team's. What comes next is
 * held against it; registry_settle makes it durable, and WORD, NEWS and ARENA live until then.
 * registry_expect's errors. */
MUST_USE int agreement_foreign_keep(struct registry *registry, struct arena *arena,
    const struct foreign_word *word, const struct foreign_news *news,
    const struct agreement_key *key, struct err *err);

#endif
