/* registry.h: which agreements does this team have, and which of them hold now?
 *
 * The register is a folder: the documents (agreements/UUID.json), what happened to them
 * (journal.jsonl), the team's id (team), its signing key (key, mode 0600), the keys that it trusts
 * (keys/TEAM.pub), and the latest time and journal that were seen (seen). What holds at an instant
 * follows from documents and journal alone (flow/standing.h). A journal that is damaged, or shorter
 * than it was, is refused; a document that is damaged is broken; nothing is passed over.
 */
#ifndef COMITY_FLOW_REGISTRY_H
#define COMITY_FLOW_REGISTRY_H

#include "flow/standing.h"

enum { REGISTRY_PATH_BYTES = 4096, REGISTRY_TEAM_BYTES = 65 };

struct registry {
    char home[REGISTRY_PATH_BYTES];
    char team[REGISTRY_TEAM_BYTES]; /* "": not said yet */
    bool team_is_new;               /* said, not kept yet */
    struct arena *arena;            /* all below */
    struct keyring *ring;
    struct agreement *agreements;        /* signatures checked */
    const struct journal_event **events; /* of each, oldest first; NULL: none */
    size_t count;
    struct journal journal;
    struct span journal_text;
    int64_t seen_us;              /* the latest time seen; INT64_MIN: none */
    int lock;                     /* descriptor; -1: not held */
    struct registry_later *later; /* what registry_settle writes; NULL: nothing */
};

enum registry_use { REGISTRY_READ, REGISTRY_WRITE };

/* Has HOME a register? ERR_IO if that cannot be said. */
MUST_USE int registry_exists(const char *home, bool *out, struct err *err);
/* Read the register of HOME. ROSTER (may be NULL): teams whose verified cards' keys are known
 * besides. REGISTRY_WRITE makes what is missing and keeps others out until registry_close;
 * REGISTRY_READ of a home without a register gives an empty one.
 * Errors: ERR_IO; ERR_BAD_AGREEMENT names what is damaged; ERR_BAD_CONFIG (a key's file);
 * ERR_LIMIT. Owner: the caller, also after an error, until registry_close (NULL is fine). */
MUST_USE int registry_open(const char *home, enum registry_use use, const struct roster *roster,
    struct registry **out, struct err *err);
void registry_close(struct registry *registry);

/* Is NOW_US not before what was seen already? Then it is kept as seen, durably. ERR_IO. */
MUST_USE int registry_see(
    struct registry *registry, int64_t now_us, bool *trusted, struct err *err);
/* What stands for the policy at AT_US: all that everybody signed (`suspended` where it is, or where
 * it has ended) and all that is broken. *BASELINE: a baseline is among them. ERR_LIMIT. */
MUST_USE int registry_in_force(const struct registry *registry, struct arena *arena, int64_t at_us,
    struct agreement_set *out, bool *baseline, struct err *err);
enum standing registry_standing(const struct registry *registry, size_t i, int64_t at_us);
/* The one whose id is ID; count if none. */
size_t registry_find(const struct registry *registry, struct span id);

/* The rest asks for REGISTRY_WRITE. */

/* Who this is; kept once the team's key is asked for, so that what is refused leaves nothing
 * behind. ERR_EXISTS when it was said otherwise before. */
MUST_USE int registry_name(struct registry *registry, const char *team, struct err *err);
/* The team's own key; *MADE says that there was none, and that one was made. ERR_BAD_CONFIG when
 * its file is damaged or others may read it; ERR_USAGE when the team's id is not known yet. */
MUST_USE int registry_key(
    struct registry *registry, struct agreement_key *out, bool *made, struct err *err);
/* A new key, beside the one that counts, until registry_rekey_end: then it takes its place. If the
 * work breaks off in between, registry_key ends it, or takes it back, by whose key the team's own
 * card (flow/cards.h) is signed. */
MUST_USE int registry_rekey_begin(
    struct registry *registry, struct agreement_key *out, struct err *err);
MUST_USE int registry_rekey_end(struct registry *registry, struct err *err);
/* Believe that KEY is TEAM's. */
MUST_USE int registry_trust(
    struct registry *registry, const char *team, const uint8_t *key, struct err *err);
/* Keep document A (its signatures are the ones kept); it counts once an event names it. */
MUST_USE int registry_keep(struct registry *registry, const struct agreement *a, struct err *err);
/* Take away a document, unless an event names it. ERR_IO. */
MUST_USE int registry_drop(struct registry *registry, const struct agreement *a, struct err *err);
/* Add EVENTS to the journal, all or none. Team, hash and time order are seen to here: ERR_CLOCK
 * when its time is before one seen already, ERR_USAGE when its line would not be read again. The
 * agreements in memory are as before: open again to see them anew. */
MUST_USE int registry_add(struct registry *registry, const struct journal_event *events,
    size_t count, const struct agreement_key *key, struct err *err);
/* Have EVENTS of agreement A in memory as if they had been added, and with DOCUMENT A itself as if
 * it had been kept, until registry_settle writes it all: many of them cost what one does. What they
 * borrow lives until then. Errors: registry_add's; then nothing of these waits. */
MUST_USE int registry_expect(struct registry *registry, const struct agreement *a, bool document,
    const struct journal_event *events, size_t count, const struct agreement_key *key,
    struct err *err);
/* Documents first, then the journal's lines, all or none; of documents that are new nothing stays
 * if these cannot be written. Then open again to see them bound together. registry_add's errors. */
MUST_USE int registry_settle(struct registry *registry, struct err *err);
/* The journal's length, with what waits for registry_settle. */
size_t registry_journal_bytes(const struct registry *registry);
/* Forget the latest time seen: the clock was wrong then and is right now. ERR_CLOCK when an event
 * was written later than NOW_US. */
MUST_USE int registry_reset_clock(struct registry *registry, int64_t now_us, struct err *err);

#endif
