#include "edge/tls_own.h"

#include "base/hash.h"
#include "edge/tls.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <unistd.h>

enum { DAYS = 3650, SERIAL_BYTES = 16, CHAIN_MAX = 16 };

static int
failed(const char *what, int code, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s", what, gnutls_strerror(code));
}

static int
add_names(gnutls_x509_crt_t crt)
{
    static const unsigned char four[] = {127, 0, 0, 1};
    static const unsigned char six[16] = {[15] = 1};
    char host[256] = "localhost";

    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    int rc = gnutls_x509_crt_set_dn_by_oid(
        crt, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strnlen(host, 64));
    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_SET);
    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_APPEND);
    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_IPADDRESS, four, sizeof four, GNUTLS_FSAN_APPEND);
    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_IPADDRESS, six, sizeof six, GNUTLS_FSAN_APPEND);
    return rc;
}

static int
fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, int64_t now_us)
{
    unsigned char serial[SERIAL_BYTES];
    time_t now = (time_t)(now_us / 1000000);

    hash_random(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, no zero in front */
    int rc = gnutls_x509_crt_set_version(crt, 3);
    if (rc == 0)
        rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (rc == 0)
        rc = gnutls_x509_crt_set_activation_time(crt, now - 3600);
    if (rc == 0)
        rc = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)DAYS * 86400);
    if (rc == 0)
        rc = add_names(crt);
    if (rc == 0)
        rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key(crt, key);
    return rc == 0 ? gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) : rc;
}

static int
write_down(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, struct buf *certificate_out,
    struct buf *key_out)
{
    gnutls_datum_t text = {0};
    int rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text);

    if (rc == 0)
        buf_add(certificate_out, (const char *)text.data, text.size);
    gnutls_free(text.data);
    text = (gnutls_datum_t){0};
    if (rc == 0)
        rc = gnutls_x509_privkey_export2_pkcs8(
            key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &text);
    if (rc == 0) {
        buf_add(key_out, (const char *)text.data, text.size);
        gnutls_memset(text.data, 0, text.size);
    }
    gnutls_free(text.data);
    return rc;
}

int
tls_own(int64_t now_us, struct buf *certificate, struct buf *key, struct err *err)
{
    gnutls_x509_privkey_t private = NULL;
    gnutls_x509_crt_t crt = NULL;
    int rc = gnutls_x509_privkey_init(&private);

    if (rc == 0)
        rc = gnutls_x509_crt_init(&crt);
    if (rc == 0)
        rc = gnutls_x509_privkey_generate(
            private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (rc == 0)
        rc = fill(crt, private, now_us);
    if (rc == 0)
        rc = write_down(crt, private, certificate, key);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private);
    if (rc != 0)
        return failed("a certificate cannot be made", rc, err);
    return key->full ? buf_check(key, "the key", err)
                     : buf_check(certificate, "the certificate", err);
}

static int
wrong(const char *option, const char *what, int code, struct err *err)
{
    return err_set_field(err, ERR_BAD_CONFIG, option, strlen(option), "%s%s%s", what,
        code == 0 ? "" : ": ", code == 0 ? "" : gnutls_strerror(code));
}

static int
same_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, bool *same)
{
    unsigned char of_crt[64];
    unsigned char of_key[64];
    size_t crt_n = sizeof of_crt;
    size_t key_n = sizeof of_key;
    int rc = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, of_crt, &crt_n);

    if (rc == 0)
        rc = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &key_n);
    *same = rc == 0 && crt_n == key_n && memcmp(of_crt, of_key, crt_n) == 0;
    return rc;
}

int
tls_fits(struct span certificate, struct span key, int64_t *until_us, struct err *err)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    gnutls_x509_privkey_t private = NULL;
    unsigned count = CHAIN_MAX;
    const gnutls_datum_t certificate_text = tls_datum(certificate);
    const gnutls_datum_t key_text = tls_datum(key);
    bool same = false;
    int rc = gnutls_x509_crt_list_import(chain, &count, &certificate_text, GNUTLS_X509_FMT_PEM, 0);

    if (rc < 0)
        return wrong("tls.certificate", "there is no certificate in PEM in it", rc, err);
    rc = gnutls_x509_privkey_init(&private);
    if (rc == 0)
        rc = gnutls_x509_privkey_import2(private, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc != 0)
        rc = wrong("tls.key", "there is no key in PEM in it that could be read", rc, err);
    else if (same_key(chain[0], private, &same) != 0 || !same)
        rc = wrong("tls.key", "it is not the key of tls.certificate", 0, err);
    *until_us = (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]) * 1000000;
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_x509_privkey_deinit(private);
    return rc;
}

int
tls_pin(struct span certificate, char out[TLS_PIN_BYTES], struct err *err)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned count = CHAIN_MAX;
    const gnutls_datum_t text = tls_datum(certificate);
    unsigned char digest[32];
    size_t n = sizeof digest;
    int rc = gnutls_x509_crt_list_import(chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);

    if (rc < 0)
        return wrong("tls.certificate", "there is no certificate in PEM in it", rc, err);
    rc = gnutls_x509_crt_get_fingerprint(chain[0], GNUTLS_DIG_SHA256, digest, &n);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    if (rc != 0)
        return wrong("tls.certificate", "its fingerprint cannot be taken", rc, err);
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return 0;
}
