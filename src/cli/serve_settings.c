#include "cli/serve.h"

#include "cli/own_tls.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONFIG_BYTES_MAX = 1 << 20, PEM_BYTES_MAX = 1 << 20, PASSWORD_BYTES_MAX = 4096 };

int
serve_override(struct serve *serve, enum conf_option option, const char *value, struct err *err)
{
    char whole[SETUP_PATH_BYTES];
    struct conf *conf = conf_new();

    if (conf == NULL || serve->override_count == CONF_COUNT)
        return conf_free(conf), err_set(err, ERR_USAGE, "too many options");
    /* On the command line a path may begin where one is. */
    if (conf_rows[option].type == CONF_TYPE_PATH && value[0] != '\0' && value[0] != '/') {
        if (setup_absolute(value, whole, err) != 0)
            return conf_free(conf), ERR_USAGE;
        value = strdup(whole); /* as long as the program runs, as argv does */
    }
    int rc = value == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the options")
                           : conf_set(conf, option, span_of(value), 0, err);
    if (rc == 0)
        serve->overrides[serve->override_count++] = (struct serve_override){option, value};
    conf_free(conf);
    return rc;
}

static int
read_file(const struct serve *serve, struct conf *conf, struct err *err)
{
    struct buf text = buf_new(CONFIG_BYTES_MAX);
    int rc = serve->config[0] == '\0' ? 0 : file_read(serve->config, &text, err);

    if (rc == 0)
        rc = conf_read(conf, buf_span(&text), NULL, NULL, err);
    buf_free(&text);
    return rc;
}

static int
fill_in(struct conf *conf, enum conf_option option,
    int (*find)(const char *given, char out[SETUP_PATH_BYTES], struct err *err), struct err *err)
{
    char path[SETUP_PATH_BYTES];
    struct err why;

    if (conf_text(conf, option).n > 0 || find(NULL, path, &why) != 0)
        return 0; /* core says what it misses */
    char *whole = realpath(path, NULL);
    int rc = whole == NULL ? 0 : conf_set(conf, option, span_of(whole), 0, err);
    free(whole);
    return rc;
}

static int
find_share(const char *given, char out[SETUP_PATH_BYTES], struct err *err)
{
    (void)given;
    return setup_share_dir(out, err);
}

int
serve_read(const struct serve *serve, struct conf **out, struct err *err)
{
    struct conf *conf = conf_new();
    int rc = conf == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the settings")
                          : read_file(serve, conf, err);

    for (size_t i = 0; rc == 0 && i < serve->override_count; i++)
        rc = conf_set(conf, serve->overrides[i].option, span_of(serve->overrides[i].value), 0, err);
    if (rc == 0)
        rc = conf_check(conf, err);
    if (rc == 0)
        rc = fill_in(conf, CONF_SHARE, find_share, err);
    if (rc == 0 && setenv("COMITY_SHARE", conf_text(conf, CONF_SHARE).p, 1) != 0)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the environment");
    if (rc == 0)
        rc = fill_in(conf, CONF_GEO, setup_world_path, err);
    if (rc == 0)
        rc = fill_in(conf, CONF_TEAMS, setup_teams_path, err);
    if (rc != 0) {
        conf_free(conf);
        conf = NULL;
    }
    *out = conf;
    return rc;
}

struct material {
    struct buf certificate;
    struct buf key;
    struct buf client_ca;
};

static void
forget(struct buf *text)
{
    if (text->p != NULL)
        explicit_bzero(text->p, text->n);
    buf_free(text);
}

static void
forget_material(struct material *material)
{
    forget(&material->certificate);
    forget(&material->key);
    forget(&material->client_ca);
}

static int
read_pem(const struct conf *conf, enum conf_option option, struct buf *out, struct err *err)
{
    struct span path = conf_text(conf, option);
    int rc = path.n == 0 ? 0 : file_read(path.p, out, err);

    if (rc != 0)
        (void)snprintf(err->field, sizeof err->field, "%s", conf_rows[option].name);
    return rc;
}

/* The first line of what mail.password-file names. */
static int
read_mail(struct serve *serve, const struct conf *conf, struct err *err)
{
    struct span path = conf_text(conf, CONF_MAIL_PASSWORD_FILE);
    struct buf text = buf_new(PASSWORD_BYTES_MAX);
    bool wanted = path.n > 0 && conf_bool(serve->conf, CONF_MAIL);
    int rc = wanted ? file_read(path.p, &text, err) : 0;

    if (rc == 0 && wanted) {
        const char *end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);
        text.n = end == NULL ? text.n : (size_t)(end - text.p);
        if (text.n == 0)
            rc = err_set(err, ERR_BAD_CONFIG, "%s has no password in its first line", path.p);
    }
    if (rc != 0) {
        (void)snprintf(
            err->field, sizeof err->field, "%s", conf_rows[CONF_MAIL_PASSWORD_FILE].name);
        forget(&text);
        return rc;
    }
    forget(&serve->mail_password);
    serve->mail_password = text;
    return 0;
}

int
serve_read_secrets(struct serve *serve, const struct conf *conf, struct err *err)
{
    char pin[TLS_PIN_BYTES] = "";
    struct material new = {buf_new(PEM_BYTES_MAX), buf_new(PEM_BYTES_MAX), buf_new(PEM_BYTES_MAX)};
    bool tls =
        conf_bool(serve->conf, CONF_TLS); /* what is in force: it changes at a restart only */
    int64_t until_us = 0;
    int rc = read_mail(serve, conf, err);

    if (rc == 0 && tls && conf_text(conf, CONF_TLS_CERTIFICATE).n == 0)
        rc = own_tls(serve->home, &new.certificate, &new.key, err);
    else if (rc == 0 && tls) {
        rc = read_pem(conf, CONF_TLS_CERTIFICATE, &new.certificate, err);
        if (rc == 0)
            rc = read_pem(conf, CONF_TLS_KEY, &new.key, err);
    }
    if (rc == 0 && tls)
        rc = read_pem(conf, CONF_TLS_CLIENT_CA, &new.client_ca, err);
    if (rc == 0 && tls)
        rc = tls_fits(buf_span(&new.certificate), buf_span(&new.key), &until_us, err);
    if (rc == 0 && tls)
        rc = tls_pin(buf_span(&new.certificate), pin, err);
    if (rc == 0) {
        memcpy(serve->tls_pin, pin, sizeof pin);
        struct material old = {serve->tls_certificate, serve->tls_key, serve->tls_client_ca};
        serve->tls_certificate = new.certificate;
        serve->tls_key = new.key;
        serve->tls_client_ca = new.client_ca;
        serve->tls_until_us = until_us;
        new = old;
    }
    forget_material(&new);
    return rc;
}

void
serve_forget(struct serve *serve)
{
    forget(&serve->mail_password);
    forget(&serve->tls_certificate);
    forget(&serve->tls_key);
    forget(&serve->tls_client_ca);
    conf_free(serve->conf);
    serve->conf = NULL;
}
