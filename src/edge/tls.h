/* tls.h: with which certificate does a door show itself, and whom does it believe?
 */
#ifndef COMITY_EDGE_TLS_H
#define COMITY_EDGE_TLS_H

#include "base/str.h"

struct tls;

struct tls_material {
    struct span certificate; /* PEM, with its chain behind it */
    struct span key;         /* PEM */
    struct span client_ca; /* PEM: clients' certificates must come from these; n 0: none is asked */
    bool client_any;       /* ask for a certificate and take any: core knows those that count */
};

#endif
