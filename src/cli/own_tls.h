/* own_tls.h: which certificate does a node show that was given none?
 */
#ifndef COMITY_CLI_OWN_TLS_H
#define COMITY_CLI_OWN_TLS_H

#include "base/str.h"

/* HOME/tls/certificate.pem and key.pem, read behind what the bufs hold; made if they are not there.
 * ERR_IO, ERR_LIMIT. */
MUST_USE int own_tls(const char *home, struct buf *certificate, struct buf *key, struct err *err);

#endif
