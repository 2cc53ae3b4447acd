/* asked.h: does this text ask about an address, an autonomous system or a name?
 */
#ifndef COMITY_MODEL_ASKED_H
#define COMITY_MODEL_ASKED_H

#include "model/report.h"

struct asked {
    const char *kind; /* "address", "asn", "domain" */
    struct endpoint endpoint;
};

/* "192.0.2.1", "2001:db8::/32" (its first address), "AS64500" or "64500", "www.example.org" in
 * either form; the name is borrowed from TEXT. KIND is set even where it is none of them.
 * Errors: ERR_BAD_NUMBER, ERR_BAD_ADDRESS, ERR_BAD_NAME. */
MUST_USE int asked_understand(struct span text, struct asked *out, struct err *err);

#endif
