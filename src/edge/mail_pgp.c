#include "edge/mail_pgp.h"

#include "edge/mail_agent.h"

#include <gmime/gmime.h>
#include <gpgme.h>
#include <locale.h>
#include <stdlib.h>

struct mail_pgp {
    gpgme_ctx_t keys;
    char *folder;
    struct mail_agent agent;
};

static int
failed(gpgme_error_t why, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s", what, gpgme_strerror(why));
}

/* ---- life ---- */

int
mail_pgp_new(const char *folder, struct mail_pgp **out, struct err *err)
{
    struct mail_pgp *pgp = calloc(1, sizeof *pgp);
    gpgme_error_t rc;

    *out = pgp;
    if (pgp != NULL)
        *pgp = (struct mail_pgp){.folder = strdup(folder), .agent = {.hold = -1}};
    if (pgp == NULL || pgp->folder == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for keys");
    /* GMime's own contexts find the folder there. */
    if (setenv("GNUPGHOME", folder, 1) != 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for the environment");
    (void)gpgme_check_version(NULL);
    (void)gpgme_set_locale(NULL, LC_CTYPE, "C.UTF-8");
    if (gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP) != 0)
        return err_set(err, ERR_NOT_FOUND, "GnuPG is not installed; mails are signed by it");
    rc = gpgme_new(&pgp->keys);
    if (rc == 0)
        rc = gpgme_set_protocol(pgp->keys, GPGME_PROTOCOL_OpenPGP);
    if (rc == 0)
        rc = gpgme_ctx_set_engine_info(pgp->keys, GPGME_PROTOCOL_OpenPGP, NULL, folder);
    if (rc != 0)
        return failed(rc, "GnuPG cannot be used", err);
    mail_agent_begin(&pgp->agent, pgp->folder);
    return 0;
}

void
mail_pgp_free(struct mail_pgp *pgp)
{
    if (pgp == NULL)
        return;
    if (pgp->keys != NULL)
        mail_agent_end(&pgp->agent);
    gpgme_release(pgp->keys);
    free(pgp->folder);
    free(pgp);
}

/* ---- keys ---- */

static int
check_key(gpgme_key_t key, struct err *err)
{
    const char *why = key->revoked ? "it was revoked"
        : key->expired             ? "it has expired"
        : key->disabled            ? "it is disabled"
        : key->invalid             ? "it is not valid"
        : !key->can_encrypt        ? "nothing can be encrypted to it"
                                   : NULL;

    return why == NULL ? 0 : err_set(err, ERR_BAD_VALUE, "the key cannot be used: %s", why);
}

/* Bytes from a file, seen before anything is imported: one certificate, no secret. */
static int
look_at(struct mail_pgp *pgp, gpgme_data_t data, char fingerprint[MAIL_FINGERPRINT_BYTES + 1],
    struct err *err)
{
    gpgme_key_t key = NULL;
    gpgme_key_t second = NULL;
    int rc = 0;

    if (gpgme_op_keylist_from_data_start(pgp->keys, data, 0) != 0
        || gpgme_op_keylist_next(pgp->keys, &key) != 0)
        rc = err_set(err, ERR_BAD_VALUE, "this is no OpenPGP key");
    else if (gpgme_op_keylist_next(pgp->keys, &second) == 0)
        rc = err_set(err, ERR_BAD_VALUE, "the file holds more than one key; give the team's alone");
    else if (key->secret)
        rc = err_set(err, ERR_BAD_VALUE, "this is a secret key: only its owner may have it");
    else if (key->fpr == NULL || strlen(key->fpr) > MAIL_FINGERPRINT_BYTES)
        rc = err_set(err, ERR_BAD_VALUE, "the key has no fingerprint of 40 digits");
    else
        (void)snprintf(fingerprint, MAIL_FINGERPRINT_BYTES + 1, "%s", key->fpr);
    (void)gpgme_op_keylist_end(pgp->keys);
    gpgme_key_unref(key);
    gpgme_key_unref(second);
    return rc;
}

/* The key with FINGERPRINT as it lies in the folder. */
static int
find_key(struct mail_pgp *pgp, const char *fingerprint, struct err *err)
{
    gpgme_key_t key = NULL;
    gpgme_error_t rc = gpgme_get_key(pgp->keys, fingerprint, &key, 0);
    int checked = rc == 0 ? check_key(key, err) : failed(rc, "the key was not kept", err);

    gpgme_key_unref(key);
    return checked;
}

int
mail_pgp_key(struct mail_pgp *pgp, struct span bytes, char fingerprint[MAIL_FINGERPRINT_BYTES + 1],
    struct err *err)
{
    gpgme_data_t data = NULL;
    gpgme_error_t rc = gpgme_data_new_from_mem(&data, bytes.p, bytes.n, 0);
    int looked = rc == 0 ? look_at(pgp, data, fingerprint, err) : failed(rc, "the key", err);

    if (looked == 0 && gpgme_data_seek(data, 0, SEEK_SET) != 0)
        looked = err_set(err, ERR_IO, "the key cannot be read twice");
    if (looked == 0) {
        rc = gpgme_op_import(pgp->keys, data);
        looked = rc == 0 ? find_key(pgp, fingerprint, err) : failed(rc, "the key", err);
    }
    gpgme_data_release(data);
    return looked;
}

/* ---- sealing ---- */

/* The folder may be another than the one it was put into first. */
static int
have_key(struct mail_pgp *pgp, const struct mail_task *task, struct err *err)
{
    char fingerprint[MAIL_FINGERPRINT_BYTES + 1];
    int rc = mail_pgp_key(pgp, task->key, fingerprint, err);

    if (rc == 0 && !span_equal(span_of(fingerprint), task->fingerprint))
        rc = err_set(err, ERR_BAD_VALUE, "the team's key is not the one with the fingerprint %.*s",
            SPAN_ARGS(task->fingerprint));
    return rc;
}

static int
gpg_failed(const char *what, GError *why, struct err *err)
{
    int rc =
        err_set(err, ERR_IO, "%s: %s", what, why == NULL ? "no reason was given" : why->message);

    g_clear_error(&why);
    return rc;
}

static GMimeObject *
encrypted(GMimeCryptoContext *ctx, GMimeObject *inner, const char *signer, char *fingerprint,
    GError **why)
{
    GPtrArray *to = g_ptr_array_new();

    g_ptr_array_add(to, fingerprint);
    /* By fingerprint: the operator vouches for it. */
    GMimeMultipartEncrypted *sealed = g_mime_multipart_encrypted_encrypt(
        ctx, inner, TRUE, signer, GMIME_ENCRYPT_ALWAYS_TRUST, to, why);
    g_ptr_array_free(to, TRUE);
    return (GMimeObject *)sealed;
}

int
mail_pgp_seal(struct mail_pgp *pgp, const struct mail_task *task, GMimeObject *inner,
    GMimeObject **out, struct err *err)
{
    int rc = task->fingerprint.n > 0 ? have_key(pgp, task, err) : 0;

    if (rc != 0)
        return rc;
    GMimeCryptoContext *ctx = g_mime_gpg_context_new();
    char *signer = g_strndup(task->sign_key.p, task->sign_key.n);
    char *fingerprint = g_strndup(task->fingerprint.p, task->fingerprint.n);
    GError *why = NULL;
    *out = ctx == NULL ? NULL
        : task->fingerprint.n > 0
        ? encrypted(ctx, inner, signer, fingerprint, &why)
        : (GMimeObject *)g_mime_multipart_signed_sign(ctx, inner, signer, &why);
    if (*out == NULL)
        rc = gpg_failed(task->fingerprint.n > 0 ? "GnuPG cannot sign and encrypt (mail.sign-key)"
                                                : "GnuPG cannot sign (mail.sign-key)",
            why, err);
    g_free(signer);
    g_free(fingerprint);
    if (ctx != NULL)
        g_object_unref(ctx);
    return rc;
}
