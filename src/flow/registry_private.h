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
/* "agreements/UUID.json" of an agreement's id. */
void registry_document_name(struct span id, char out[REGISTRY_PATH_BYTES]);

#endif
