#include "cli/own_tls.h"

#include "cli/setup.h"
#include "edge/tls_own.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>
#include <unistd.h>

int
own_tls(const char *home, struct buf *certificate, struct buf *key, struct err *err)
{
    char folder[SETUP_PATH_BYTES + 8];
    char certificate_path[SETUP_PATH_BYTES + 32];
    char key_path[SETUP_PATH_BYTES + 32];

    (void)snprintf(folder, sizeof folder, "%s/tls", home);
    (void)snprintf(certificate_path, sizeof certificate_path, "%s/certificate.pem", folder);
    (void)snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    if (access(certificate_path, F_OK) == 0) {
        int rc = file_read(certificate_path, certificate, err);
        return rc == 0 ? file_read(key_path, key, err) : rc;
    }
    int rc = file_folder(folder, err);
    if (rc == 0)
        rc = tls_own(clock_now_us(), certificate, key, err);
    if (rc != 0)
        return rc;
    const struct span key_text = buf_span(key);
    const struct span certificate_text = buf_span(certificate);
    rc = file_write_atomic(key_path, &key_text, 1, 0600, err);
    return rc == 0 ? file_write_atomic(certificate_path, &certificate_text, 1, 0644, err) : rc;
}
