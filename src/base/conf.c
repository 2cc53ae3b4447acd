#include "base/conf.h"

#include "base/conf_value.h"
#include "base/mailbox.h"

#include <stdlib.h>

const struct conf_row conf_rows[CONF_COUNT] = {
#define OPTION(name, word, type, least, most, usual, unit, applies, text)                          \
    {word, least, most, usual, unit, text, CONF_TYPE_##type, CONF_APPLIES_##applies},
#include "tables/options.def"
#undef OPTION
};

struct value {
    char *text; /* NULL: the default */
    size_t n;
    int64_t number;
    uint64_t line;
};

struct conf {
    struct value values[CONF_COUNT];
};

struct conf *
conf_new(void)
{
    struct conf *conf = calloc(1, sizeof *conf);

    /* That the table's defaults are right is what a test says. */
    for (size_t i = 0; conf != NULL && i < CONF_COUNT; i++)
        if (conf_value(&conf_rows[i], span_of(conf_rows[i].usual), &conf->values[i].number, NULL)
            != 0)
            abort();
    return conf;
}

void
conf_free(struct conf *conf)
{
    for (size_t i = 0; conf != NULL && i < CONF_COUNT; i++)
        free(conf->values[i].text);
    free(conf);
}

bool
conf_bool(const struct conf *conf, enum conf_option option)
{
    return conf->values[option].number != 0;
}

int64_t
conf_number(const struct conf *conf, enum conf_option option)
{
    return conf->values[option].number;
}

struct span
conf_text(const struct conf *conf, enum conf_option option)
{
    const struct value *value = &conf->values[option];

    return value->text == NULL ? span_of(conf_rows[option].usual)
                               : (struct span){value->text, value->n};
}

uint64_t
conf_line(const struct conf *conf, enum conf_option option)
{
    return conf->values[option].line;
}

bool
conf_is_set(const struct conf *conf, enum conf_option option)
{
    return !span_equal(conf_text(conf, option), span_of(conf_rows[option].usual));
}

/* Levenshtein's distance, at most 255; names are short. */
static unsigned
distance(struct span a, struct span b)
{
    unsigned char row[64];

    if (a.n >= sizeof row || b.n >= sizeof row)
        return 255;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned char)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned char corner = row[0];
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned char above = row[j];
            unsigned best = corner + (a.p[i - 1] == b.p[j - 1] ? 0u : 1u);
            best = above + 1u < best ? above + 1u : best;
            best = row[j - 1] + 1u < best ? row[j - 1] + 1u : best;
            row[j] = (unsigned char)best;
            corner = above;
        }
    }
    return row[b.n];
}

int
conf_find(struct span name, enum conf_option *out, struct err *err)
{
    unsigned nearest = 255;
    size_t at = 0;

    for (size_t i = 0; i < CONF_COUNT; i++) {
        unsigned far = distance(name, span_of(conf_rows[i].name));
        if (far < nearest) {
            nearest = far;
            at = i;
        }
    }
    *out = (enum conf_option)at;
    if (nearest == 0)
        return 0;
    return err_set_field(err, ERR_BAD_CONFIG, name.p, name.n,
        "there is no such option; the nearest is \"%s\", and `comity config list` has all",
        conf_rows[at].name);
}

int
conf_set(
    struct conf *conf, enum conf_option option, struct span value, uint64_t line, struct err *err)
{
    int64_t number;
    int rc = conf_value(&conf_rows[option], value, &number, err);

    if (rc != 0)
        return rc;
    char *text = malloc(value.n + 1);
    if (text == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    if (value.n > 0)
        memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    free(conf->values[option].text);
    conf->values[option] = (struct value){text, value.n, number, line};
    return 0;
}

static struct span
without_comment(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '#' && (i == 0 || text.p[i - 1] == ' ' || text.p[i - 1] == '\t'))
            return span_trim((struct span){text.p, i});
    return span_trim(text);
}

/* In quotes, which keep white space and #; else without them. */
static int
unquote(struct span *value, struct err *err)
{
    if (value->n == 0 || value->p[0] != '"') {
        *value = without_comment(*value);
        return 0;
    }
    const char *end = memchr(value->p + 1, '"', value->n - 1);
    if (end == NULL)
        return err_set(err, ERR_BAD_CONFIG, "the quote is not closed");
    size_t used = (size_t)(end - value->p) + 1;
    if (without_comment((struct span){end + 1, value->n - used}).n > 0)
        return err_set(err, ERR_BAD_CONFIG, "there is text behind the closing quote");
    *value = (struct span){value->p + 1, used - 2};
    return 0;
}

static int
read_line(struct conf *conf, struct span line, uint64_t number, struct err *err)
{
    enum conf_option option;
    struct span name;
    struct span value = without_comment(line);

    if (value.n == 0)
        return 0;
    value = span_trim(line);
    if (!span_next(&value, '=', &name) || name.n == span_trim(line).n)
        return err_set(err, ERR_BAD_CONFIG, "\"%.*s\" is not of the form: name = value",
            SPAN_ARGS(span_trim(line)));
    name = span_trim(name);
    value = span_trim(value);
    int rc = unquote(&value, err);
    if (rc == 0)
        rc = conf_find(name, &option, err);
    if (rc != 0)
        return rc;
    if (conf->values[option].line != 0)
        return err_set_field(err, ERR_BAD_CONFIG, name.p, name.n, "is set already in line %llu",
            (unsigned long long)conf->values[option].line);
    return conf_set(conf, option, value, number, err);
}

int
conf_read(struct conf *conf, struct span file, void (*wrong)(void *ctx, const struct err *err),
    void *ctx, struct err *err)
{
    struct span line;
    int first = 0;

    for (uint64_t number = 1; span_next(&file, '\n', &line); number++) {
        struct err here = {0};
        int rc = read_line(conf, line, number, &here);
        if (rc == 0)
            continue;
        here.line = number;
        if (wrong != NULL)
            wrong(ctx, &here);
        if (first == 0 && err != NULL)
            *err = here;
        first = first == 0 ? rc : first;
    }
    return first;
}

static int
unfit(const struct conf *conf, enum conf_option option, const char *what, struct err *err)
{
    const char *name = conf_rows[option].name;
    int rc = err_set_field(err, ERR_BAD_CONFIG, name, strlen(name), "%s", what);

    if (err != NULL)
        err->line = conf_line(conf, option);
    return rc;
}

static bool
is_local(const struct conf *conf, enum conf_option option)
{
    struct span host;
    uint16_t port;

    return conf_address(conf_text(conf, option), &host, &port, NULL) == 0 && conf_is_loopback(host);
}

/* The address for answers has to be one once it carries a batch. */
static int
check_mailboxes(const struct conf *conf, struct err *err)
{
    static const struct span batch = SPAN("00000000-0000-0000-0000-000000000000");
    struct span from = conf_text(conf, CONF_MAIL_FROM);
    struct span reply = conf_text(conf, CONF_MAIL_REPLY);
    char room[MAIL_REPLY_BYTES];

    if (from.n > 0 && !mail_is_address(from))
        return unfit(conf, CONF_MAIL_FROM,
            "must be an address such as reports@north.test, without a name", err);
    if (reply.n > 0 && !mail_is_address(mail_reply(reply, batch, room)))
        return unfit(conf, CONF_MAIL_REPLY,
            "must be an address such as reports+BATCH@north.test: at most 64 characters before the "
            "@, with 36 in place of BATCH",
            err);
    return 0;
}

/* Who turns mail on says all that it needs; the server's address is looked at again by who uses it.
 */
static int
check_mail(const struct conf *conf, struct err *err)
{
    static const enum conf_option needed[] = {CONF_MAIL_FROM, CONF_MAIL_SMTP, CONF_MAIL_SIGN_KEY};
    struct span smtp = conf_text(conf, CONF_MAIL_SMTP);

    for (size_t i = 0; conf_bool(conf, CONF_MAIL) && i < sizeof needed / sizeof needed[0]; i++)
        if (conf_text(conf, needed[i]).n == 0)
            return unfit(conf, needed[i], "must be set when mail is on", err);
    if (smtp.n > 0 && !span_starts(smtp, SPAN("smtp://")) && !span_starts(smtp, SPAN("smtps://")))
        return unfit(conf, CONF_MAIL_SMTP,
            "must be smtp://HOST:PORT or smtps://HOST:PORT, such as smtps://mail.north.test:465",
            err);
    if ((conf_text(conf, CONF_MAIL_USER).n > 0) != (conf_text(conf, CONF_MAIL_PASSWORD_FILE).n > 0))
        return unfit(conf, CONF_MAIL_USER,
            "name and password belong together: give mail.user and mail.password-file, or neither",
            err);
    return check_mailboxes(conf, err);
}

int
conf_check(const struct conf *conf, struct err *err)
{
    struct span operators = conf_text(conf, CONF_LISTEN_OPERATORS);

    if (!conf_bool(conf, CONF_TLS)
        && (!is_local(conf, CONF_LISTEN_OPERATORS) || !is_local(conf, CONF_LISTEN_PARTNERS)))
        return unfit(conf, CONF_TLS,
            "must be on where others could listen: without it, doors listen on 127.0.0.1 or [::1] "
            "only",
            err);
    if ((conf_text(conf, CONF_TLS_CERTIFICATE).n > 0) != (conf_text(conf, CONF_TLS_KEY).n > 0))
        return unfit(conf, CONF_TLS_CERTIFICATE,
            "certificate and key belong together: give tls.certificate and tls.key, or neither",
            err);
    if (span_equal(operators, conf_text(conf, CONF_LISTEN_PARTNERS))
        && !span_ends(operators, SPAN(":0")))
        return unfit(conf, CONF_LISTEN_PARTNERS,
            "operators and partners come in by two doors, so the addresses must differ", err);
    return check_mail(conf, err);
}

static void
swap(struct conf *a, struct conf *b, size_t option)
{
    struct value kept = a->values[option];

    a->values[option] = b->values[option];
    b->values[option] = kept;
}

void
conf_swap(struct conf *a, struct conf *b)
{
    for (size_t i = 0; i < CONF_COUNT; i++)
        swap(a, b, i);
}

void
conf_keep(struct conf *next, struct conf *conf, void (*kept)(void *ctx, const struct conf_row *row),
    void *ctx)
{
    for (size_t i = 0; i < CONF_COUNT; i++) {
        if (conf_rows[i].applies != CONF_APPLIES_RESTART)
            continue;
        if (!span_equal(conf_text(next, (enum conf_option)i), conf_text(conf, (enum conf_option)i)))
            kept(ctx, &conf_rows[i]);
        swap(next, conf, i);
    }
}

void
conf_add(struct buf *out, const struct conf *conf)
{
    for (size_t i = 0; i < CONF_COUNT; i++) {
        if (conf->values[i].text == NULL)
            continue;
        wire_add_u16(out, (uint16_t)i);
        wire_add_text(out, (struct span){conf->values[i].text, conf->values[i].n});
    }
    wire_add_u16(out, CONF_COUNT);
}

int
conf_take(struct wire_in *in, struct conf *conf, struct err *err)
{
    for (;;) {
        uint16_t option = wire_u16(in);
        if (option == CONF_COUNT && !in->bad)
            return 0;
        struct span text = wire_text(in);
        if (in->bad || option > CONF_COUNT)
            return err_set(err, ERR_INTERNAL, "settings came that are none");
        int rc = conf_set(conf, (enum conf_option)option, text, 0, err);
        if (rc != 0)
            return rc;
    }
}
