/* agreements.h: which agreements does this folder hold?
 *
 * Reads the documents of doc/agreement-language.md. A document with any fault stays in the set as
 * `broken` with the reason in words: whatever it might cover is withheld. Signatures are
 * read and not checked: flow/agreement_sign.h does that; for what it does not find signed by all,
 * the operator who names the folder vouches.
 */
#ifndef COMITY_FLOW_AGREEMENTS_H
#define COMITY_FLOW_AGREEMENTS_H

#include "model/agreement.h"

enum { AGREEMENTS_MAX = 20000 };

/* PATHS are files (one agreement, or a list of them) or folders (every *.json in it by name, except
 * names that begin with a point; no folders below). The set and all it points to live in ARENA.
 * Errors: ERR_NOT_FOUND or ERR_IO for a path that is not there or cannot be listed, ERR_NOT_FOUND
 * too for a folder without any agreement; ERR_LIMIT when the arena is full or there are more than
 * AGREEMENTS_MAX documents; ERR_NO_MEMORY. */
MUST_USE int agreements_load(struct arena *arena, const char *const *paths, size_t count,
    struct agreement_set *out, struct err *err);
/* The same, and LISTENER (flow/doc.h) hears of every fault of every document. */
struct doc_listener;
MUST_USE int agreements_check(struct arena *arena, const char *const *paths, size_t count,
    const struct doc_listener *listener, struct agreement_set *out, struct err *err);
/* As agreements_load, from TEXTS, called NAMES in messages. */
MUST_USE int agreements_parse(struct arena *arena, const struct span *texts,
    const char *const *names, size_t count, struct agreement_set *out, struct err *err);
/* One document, or a list of them; LISTENER hears of every fault. */
MUST_USE int agreements_check_text(struct arena *arena, struct span text,
    const struct doc_listener *listener, struct agreement_set *out, struct err *err);
/* Both sets in one: MORE behind SET. */
MUST_USE int agreements_join(struct arena *arena, const struct agreement_set *set,
    const struct agreement_set *more, struct agreement_set *out, struct err *err);

/* SET without those that have an id of GONE's. */
MUST_USE int agreements_without(struct arena *arena, const struct agreement_set *set,
    const struct agreement_set *gone, struct agreement_set *out, struct err *err);
/* What SET would do while it is in force: neither dated nor suspended. */
MUST_USE int agreements_undated(struct arena *arena, const struct agreement_set *set,
    struct agreement_set *out, struct err *err);

/* How many cannot be evaluated; the operator is to be told each one's `why`. */
size_t agreements_broken(const struct agreement_set *set);
/* How many have parties who were to sign and did not all, as far as their keys are known, so that
 * they hold only because the operator vouches for them. */
size_t agreements_vouched(const struct agreement_set *set);

#endif
