/* taxii.h: how does a front speak TAXII 2.1?
 *
 * OASIS TAXII 2.1: discovery at /taxii2/, one API root at /comity/. Paths end in a slash; without
 * it they are others, and 404.
 */
#ifndef COMITY_EDGE_TAXII_H
#define COMITY_EDGE_TAXII_H

#include "edge/door.h"
#include "edge/taxii_media.h"

#define TAXII_ROOT "/comity/"
#define TAXII_STIX "application/stix+json;version=2.1"

extern const struct route_family taxii_discovery_family;
extern const struct route_family taxii_root_family;

/* What the operator set; texts are copied. Called before the first request, and again when settings
 * were read anew. ERR_LIMIT. */
struct taxii_settings {
    struct span title;
    struct span description;     /* n 0: none */
    struct span contact;         /* n 0: none */
    uint32_t max_content_length; /* bytes of a POST, at most PAGE_BODY_MAX */
    uint32_t page_max;           /* objects of a page, at most PAGE_LIMIT_MAX */
    size_t cache_bytes;          /* of unpacked pieces; when the first page is answered */
};
/* Asked every some seconds: what nobody asks for is given back. */
void taxii_rest(void);
MUST_USE int taxii_set(const struct taxii_settings *settings, struct err *err);

/* For the taxii_*.c files. */

const struct taxii_settings *taxii_settings(void);

/* ERR_NOT_ACCEPTABLE unless the client takes TAXII's media type (section 1.6.8: 406). */
MUST_USE int taxii_check_accept(const struct request *request, struct err *err);
/* Answer BODY (freed) as TAXII. */
MUST_USE int taxii_answer(
    struct request *request, unsigned status, struct buf *body, struct err *err);

/* taxii_objects.c */
int taxii_objects(struct request *request, struct err *err);
int taxii_manifest(struct request *request, struct err *err);
int taxii_versions(struct request *request, struct err *err);
int taxii_remove(struct request *request, struct err *err);
/* taxii_add.c */
int taxii_add(struct request *request, struct err *err);

#endif
