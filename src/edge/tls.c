#include "edge/tls.h"

#include <gnutls/x509.h>
#include <sodium.h>
#include <stdlib.h>

const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-128-GCM:"
    "+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:"
    "%SERVER_PRECEDENCE";

struct tls_set {
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t ticket_key;
    bool asks; /* for the client's certificate */
    size_t users;
};

struct tls {
    struct tls_set *current;
};

static int
bad(enum err_code code, const char *what, int rc, struct err *err)
{
    return err_set(err, code, "%s: %s", what, gnutls_strerror(rc));
}

/* A certificate that is shown must hold; none is fine: there are other credentials. */
static int
verify_client(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    unsigned count = 0;
    unsigned status = 0;

    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0)
        return 0;
    int rc = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return rc != 0 || status != 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static int
load(struct tls_set *set, const struct tls_material *material, struct err *err)
{
    gnutls_datum_t certificate = tls_datum(material->certificate);
    gnutls_datum_t key = tls_datum(material->key);
    gnutls_datum_t trust = tls_datum(material->client_ca);
    int rc = gnutls_certificate_allocate_credentials(&set->credentials);

    if (rc == 0)
        rc = gnutls_session_ticket_key_generate(&set->ticket_key);
    if (rc != 0)
        return bad(ERR_NO_MEMORY, "TLS cannot be set up", rc, err);
    rc = gnutls_certificate_set_x509_key_mem(
        set->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (rc < 0)
        return bad(ERR_BAD_CONFIG, "the TLS certificate and its key cannot be used", rc, err);
    set->asks = material->client_any || trust.size > 0;
    if (trust.size == 0)
        return 0;
    rc = gnutls_certificate_set_x509_trust_mem(set->credentials, &trust, GNUTLS_X509_FMT_PEM);
    if (rc <= 0)
        return bad(ERR_BAD_CONFIG, "the certificates that may vouch for clients cannot be used",
            rc == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : rc, err);
    gnutls_certificate_set_verify_function(set->credentials, verify_client);
    return 0;
}

void
tls_release(struct tls_set *set)
{
    if (set == NULL || --set->users > 0)
        return;
    if (set->credentials != NULL)
        gnutls_certificate_free_credentials(set->credentials);
    if (set->ticket_key.data != NULL) {
        gnutls_memset(set->ticket_key.data, 0, set->ticket_key.size);
        gnutls_free(set->ticket_key.data);
    }
    free(set);
}

int
tls_replace(struct tls *tls, const struct tls_material *material, struct err *err)
{
    struct tls_set *set = calloc(1, sizeof *set);

    if (set == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for TLS");
    set->users = 1;
    int rc = load(set, material, err);
    if (rc != 0) {
        tls_release(set);
        return rc;
    }
    tls_release(tls->current);
    tls->current = set;
    return 0;
}

int
tls_new(const struct tls_material *material, struct tls **out, struct err *err)
{
    struct tls *tls = calloc(1, sizeof *tls);

    if (tls == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for TLS");
    int rc = tls_replace(tls, material, err);
    if (rc != 0) {
        free(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

void
tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    tls_release(tls->current);
    free(tls);
}

struct tls_set *
tls_begin(struct tls *tls, gnutls_session_t session)
{
    struct tls_set *set = tls->current;

    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, set->credentials) != 0
        || gnutls_session_ticket_enable_server(session, &set->ticket_key) != 0)
        return NULL;
    if (set->asks)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    set->users++;
    return set;
}

bool
tls_fingerprint(gnutls_session_t session, char out[TLS_FINGERPRINT_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);

    if (chain == NULL || count == 0 || crypto_hash_sha256(hash, chain[0].data, chain[0].size) != 0)
        return false;
    (void)sodium_bin2hex(out, TLS_FINGERPRINT_BYTES, hash, sizeof hash);
    return true;
}

/* When a certificate holds, by its own word: from, until. */
static int
read_times(const gnutls_datum_t *der, int64_t *from_us, int64_t *until_us)
{
    gnutls_x509_crt_t crt = NULL;
    int rc = gnutls_x509_crt_init(&crt);

    if (rc == 0)
        rc = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
    if (rc == 0) {
        *from_us = (int64_t)gnutls_x509_crt_get_activation_time(crt) * 1000000;
        *until_us = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000000;
    }
    gnutls_x509_crt_deinit(crt);
    return rc;
}

int
tls_is_pinned(gnutls_session_t session, const char *pin, int64_t now_us, struct err *err)
{
    char shown[TLS_FINGERPRINT_BYTES];
    unsigned count = 0;
    int64_t from_us = 0;
    int64_t until_us = 0;

    if (!tls_fingerprint(session, shown))
        return err_set(err, ERR_UNTRUSTED, "it shows no certificate");
    if (strcmp(shown, pin) != 0)
        return err_set(err, ERR_UNTRUSTED,
            "it shows another certificate than the one that is known: SHA-256 %s, not %s", shown,
            pin);
    int rc = read_times(gnutls_certificate_get_peers(session, &count), &from_us, &until_us);
    if (rc != 0)
        return err_set(
            err, ERR_UNTRUSTED, "its certificate cannot be read: %s", gnutls_strerror(rc));
    if (now_us < from_us || now_us >= until_us)
        return err_set(err, ERR_UNTRUSTED, "its certificate %s",
            now_us < from_us ? "does not hold yet" : "has expired");
    return 0;
}
