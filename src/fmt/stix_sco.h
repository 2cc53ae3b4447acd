/* stix_sco.h: which observables has this bundle told of so far?
 *
 * A store of cyber-observable objects by id, bounded. What observed-data say refers
 * to them, before or behind. When the store is full, those that were used already are
 * forgotten, so that a bundle that brings each observable shortly before its use may be
 * of any length.
 */
#ifndef COMITY_FMT_STIX_SCO_H
#define COMITY_FMT_STIX_SCO_H

#include "fmt/json.h"

enum {
    STIX_SCO_BYTES = 64 * 1024 * 1024,
    STIX_SCO_COUNT = 256 * 1024,
};

enum stix_sco_type {
    SCO_NONE, /* no observable, or of no type that STIX defines */
    SCO_ADDRESS,
    SCO_ASN,
    SCO_DOMAIN,
    SCO_URL,
    SCO_EMAIL,
    SCO_ACCOUNT,
    SCO_FILE,
    SCO_MAC,
    SCO_TRAFFIC,
    SCO_OTHER, /* of STIX's other types: kept whole */
};

enum { SCO_MD5, SCO_SHA1, SCO_SHA256, SCO_HASH, SCO_HASHES };

struct stix_sco {
    struct span id;
    struct span raw;   /* its JSON; n 0 inside 2.0 observed-data */
    struct span value; /* address, name, URL, account, file name; n 0: none */
    struct span src; /* traffic: src_ref; address, domain: the first ref to a network or address */
    struct span dst; /* traffic: dst_ref */
    struct span protocols[4];
    struct span hashes[SCO_HASHES];
    int64_t src_port; /* -1: none */
    int64_t dst_port;
    int64_t number; /* ASN; -1: none */
    uint8_t type;   /* enum stix_sco_type */
    bool used;      /* an observed-data told of it */
    bool fresh;     /* it came (again) after that */
    bool more;      /* says more than the members above: see stix_sco_is_read */
};

enum stix_sco_type stix_sco_type(struct span type);

/* Read OBJECT into OUT: texts borrow from the parsed document. */
void stix_sco_read(struct json_value object, struct span id, struct stix_sco *out);
/* Is this member of an observable of that type read into struct stix_sco? */
bool stix_sco_is_read(enum stix_sco_type type, struct span member);

struct stix_sco_store;

struct stix_sco_store *stix_sco_store_new(void);
void stix_sco_store_free(struct stix_sco_store *store);
/* Keep a copy of SCO and its texts; of one id, the last stands. ERR_LIMIT when full of unused ones.
 */
MUST_USE int stix_sco_store_add(
    struct stix_sco_store *store, const struct stix_sco *sco, struct err *err);
/* NULL when not (or no longer) there. */
struct stix_sco *stix_sco_store_find(const struct stix_sco_store *store, struct span id);
/* An observed-data has told of it. */
void stix_sco_store_use(struct stix_sco_store *store, struct stix_sco *sco);
/* Was any forgotten or refused? */
bool stix_sco_store_lossy(const struct stix_sco_store *store);
size_t stix_sco_store_count(const struct stix_sco_store *store);
struct stix_sco *stix_sco_store_at(const struct stix_sco_store *store, size_t i);

#endif
