#include "edge/mail_pgp.h"

#include <fcntl.h>
#include <gmime/gmime.h>
#include <gpgme.h>
#include <locale.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM_BYTES = 1024, AGENT_PATIENCE = 100 /* times 10 ms */ };

struct mail_pgp {
    gpgme_ctx_t keys;
    char *folder;
    int hold;     /* a pipe's end, -1: none; the agent stays as long as this process has it */
    pid_t holder; /* reads the other end; the agent ends with it. 0: there is none */
};

static int
failed(gpgme_error_t why, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s", what, gpgme_strerror(why));
}

/* ---- the agent ---- */

/* False: there is none, and none is started. */
static bool
say_to_agent(const char *command)
{
    gpgme_ctx_t agent = NULL;
    gpgme_error_t said = 0;

    if (gpgme_new(&agent) != 0)
        return false;
    bool heard = gpgme_set_protocol(agent, GPGME_PROTOCOL_ASSUAN) == 0
        && gpgme_op_assuan_transact_ext(agent, command, NULL, NULL, NULL, NULL, NULL, NULL, &said)
            == 0;
    gpgme_release(agent);
    return heard;
}

/* It listens in the folder for whoever may go there. */
static void
end_agent(void)
{
    const struct timespec pause = {0, 10000000};

    if (say_to_agent("KILLAGENT"))
        for (int i = 0; i < AGENT_PATIENCE && say_to_agent("NOP"); i++)
            (void)nanosleep(&pause, NULL);
}

static int
spawn(const char *program, const char *folder, int in, pid_t *pid)
{
    const char *const words[] = {program, "--homedir", folder, "--daemon", "--", "cat", NULL};
    posix_spawn_file_actions_t actions;
    extern char **environ;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    int rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; rc == 0 && fd <= STDERR_FILENO; fd++)
        rc = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn(pid, program, &actions, NULL, (char *const *)(uintptr_t)words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* gpg-agent, started with a program to run, becomes that program, and its child, the agent, looks
 * every few seconds whether it is there still. cat is, until the pipe's other end is closed: also
 * when this process is killed. Where that does not work, gpg starts its agent itself. */
static void
hold_agent(struct mail_pgp *pgp)
{
    const char *folder = gpgme_get_dirinfo("bindir");
    char program[PROGRAM_BYTES];
    int n = snprintf(program, sizeof program, "%s/gpg-agent", folder == NULL ? "/usr/bin" : folder);
    int ends[2];

    end_agent(); /* somebody else's, who was killed or made a key here: nobody holds it */
    if (n < 0 || (size_t)n >= sizeof program || pipe2(ends, O_CLOEXEC) != 0)
        return;
    if (spawn(program, pgp->folder, ends[0], &pgp->holder) != 0)
        pgp->holder = 0;
    (void)close(ends[0]);
    pgp->hold = ends[1];
}

static void
let_agent_go(struct mail_pgp *pgp)
{
    if (pgp->hold >= 0)
        (void)close(pgp->hold);
    if (pgp->holder > 0)
        (void)waitpid(pgp->holder, NULL, 0);
}

/* ---- life ---- */

int
mail_pgp_new(const char *folder, struct mail_pgp **out, struct err *err)
{
    struct mail_pgp *pgp = calloc(1, sizeof *pgp);
    gpgme_error_t rc;

    *out = pgp;
    if (pgp != NULL)
        *pgp = (struct mail_pgp){.folder = strdup(folder), .hold = -1};
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
    hold_agent(pgp);
    return 0;
}

void
mail_pgp_free(struct mail_pgp *pgp)
{
    if (pgp == NULL)
        return;
    if (pgp->keys != NULL) {
        end_agent();
        gpgme_release(pgp->keys);
    }
    let_agent_go(pgp);
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
