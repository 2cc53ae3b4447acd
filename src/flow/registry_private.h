/* registry_private.h: what registry.c and registry_files.c share.
 *
 * registry_files.c knows the files of the folder one by one; registry.c what they mean together.
 */
#ifndef COMITY_FLOW_REGISTRY_PRIVATE_H
#define COMITY_FLOW_REGISTRY_PRIVATE_H

#include "flow/registry.h"

struct registry_seen {
    bool there;
    int64_t seen_us;
    size_t events;                 /* lines of the journal then */
    char head[AGREEMENT_SIGN_HEX]; /* their hash */
};

/* HOME/NAME; ERR_LIMIT when it is too long. */
MUST_USE int registry_path(
    const char *home, const char *name, char out[REGISTRY_PATH_BYTES], struct err *err);
MUST_USE int registry_read_team(struct registry *r, struct err *err);
MUST_USE int registry_read_seen(struct registry *r, struct registry_seen *out, struct err *err);
MUST_USE int registry_write_seen(
    struct registry *r, const struct registry_seen *seen, struct err *err);
MUST_USE int registry_read_journal(struct registry *r, struct err *err);
/* One line more behind LINES and BEFORE, which it moves on. registry_add's errors. */
MUST_USE int registry_add_line(struct registry *r, const struct journal_event *event,
    const struct agreement_key *key, struct journal *before, struct buf *lines, struct err *err);
/* The journal is one with LINES behind it, which is AFTER; it is read anew. ERR_IO. */
MUST_USE int registry_write_lines(
    struct registry *r, const struct journal *after, struct span lines, struct err *err);
/* What registry_expect took is not written. */
void registry_forget_later(struct registry *r);
/* "agreements/UUID.json" of an agreement's id. */
void registry_document_name(struct span id, char out[REGISTRY_PATH_BYTES]);

#endif
