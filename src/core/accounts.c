/* What core answers about accounts, passwords, sessions and tokens: rows 10 to 19 of messages.def.
 * The inputs stand in tables/inputs.def, the answers in share/openapi/schemas.json. */
#include "core/auth.h"
#include "core/rows.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    ANSWER_BYTES = 32 * 1024 * 1024,
    SMALL_BYTES = 64 * 1024,
    PASSWORD_LEAST = 12, /* characters of one that people choose */
    TOKENS_MOST = 200,   /* of one account, sessions among them */
    LABEL_BYTES = 800,   /* 200 characters */
    CERTIFICATE_BYTES = 64,
};

static int
reply(struct core *core, const struct ask *ask, struct buf *out, bool durable, struct err *err)
{
    int rc = buf_check(out, "the answer", err);

    if (rc == 0)
        rc = durable ? core_answer_durable(core, ask, buf_span(out), err)
                     : core_answer(core, ask, buf_span(out), false, err);
    buf_free(out);
    return rc;
}

/* ---- who am I? ---- */

static void
tell_me(const struct core *core, const struct ask *ask, struct span session, struct buf *out)
{
    const struct store_principal *p =
        people_by_number(auth_people(core->auth), ask->asker.principal);
    char proof[AUTH_PROOF_BYTES + 1];

    buf_add_char(out, '{');
    told_text(out, "name", ask->asker.name);
    told_word(out, "kind", rows_kind_word((enum principal_kind)ask->asker.kind));
    told_text(out, "team", ask->asker.team);
    told_open(out, "rights", '[');
    for (int r = 0; r < RIGHT_COUNT; r++)
        if (rows_may((enum principal_kind)ask->asker.kind, (enum right)r)) {
            told_item(out);
            told_value(out, span_of(rows_right_word((enum right)r)));
        }
    buf_add_char(out, ']');
    told_flag(out, "must_change", p != NULL && p->must_change);
    if (session.n > 0) {
        auth_proof(core, session, proof);
        told_text(out, "csrf", span_of(proof));
    }
    buf_add_char(out, '}');
}

int
core_who(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(SMALL_BYTES);
    bool session = ask->caller.scheme == CALLER_SESSION && ask->door != DOOR_LOCAL;

    tell_me(core, ask, session ? ask->caller.secret : SPAN(""), &out);
    return reply(core, ask, &out, false, err);
}

/* ---- sessions ---- */

/* What has ended goes; of too many, the oldest session. */
static int
make_room(struct core *core, const struct ask *ask, uint32_t principal, struct err *err)
{
    int64_t now = clock_now_us();
    struct store_token *tokens;
    size_t count;
    size_t left;
    int rc = store_tokens(core->store, ask->arena, principal, &tokens, &count, err);

    left = rc == 0 ? count : 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool over = tokens[i].expires_us <= now || (tokens[i].session && left >= TOKENS_MOST);
        if (!over)
            continue;
        rc = store_token_remove(core->store, tokens[i].number, err);
        left--;
    }
    return rc == 0 && left >= TOKENS_MOST
        ? err_set(err, ERR_LIMIT, "this account has %d tokens already; remove one", TOKENS_MOST)
        : rc;
}

static int
make_session(
    struct core *core, const struct ask *ask, char secret[AUTH_TOKEN_BYTES + 1], struct err *err)
{
    int64_t now = clock_now_us();
    struct store_token token = {.principal = ask->asker.principal,
        .session = true,
        .label = ask->caller.peer,
        .created_us = now,
        .expires_us = now + core->options.session_us,
        .seen_us = now};
    int rc = core_begin(core, err);

    auth_make_token(secret);
    auth_token_hash(span_of(secret), token.hash);
    if (rc == 0)
        rc = make_room(core, ask, token.principal, err);
    return rc == 0 ? store_token_add(core->store, &token, err) : rc;
}

static int
note_seen(struct core *core, uint32_t principal, struct err *err)
{
    const struct store_principal *p = people_by_number(auth_people(core->auth), principal);

    if (p == NULL)
        return err_set(err, ERR_NOT_SIGNED_IN, "the account is gone");
    struct store_principal seen = *p;
    seen.seen_us = clock_now_us();
    return people_put(auth_people(core->auth), &seen, err);
}

int
core_sign_in(struct core *core, struct ask *ask, struct err *err)
{
    char secret[AUTH_TOKEN_BYTES + 1];
    struct buf json = buf_new(SMALL_BYTES);
    struct buf out = buf_new(SMALL_BYTES);
    int rc = wire_end(&ask->in, "a sign-in", err);

    if (rc == 0)
        rc = make_session(core, ask, secret, err);
    if (rc == 0)
        rc = note_seen(core, ask->asker.principal, err);
    if (rc != 0)
        return rc;
    tell_me(core, ask, span_of(secret), &json);
    wire_add_text(&out, span_of(secret));
    wire_add_text(&out, buf_span(&json));
    buf_free(&json);
    return reply(core, ask, &out, true, err);
}

int
core_sign_out(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(SMALL_BYTES);
    struct store_token token;
    uint8_t hash[32];
    int rc = 0;

    if (ask->caller.scheme == CALLER_SESSION) {
        auth_token_hash(ask->caller.secret, hash);
        rc = core_begin(core, err);
        if (rc == 0)
            rc = store_token_find(core->store, ask->arena, hash, &token, err);
        if (rc == 0)
            rc = store_token_remove(core->store, token.number, err);
    }
    return rc == 0 ? reply(core, ask, &out, true, err) : rc;
}

/* ---- accounts ---- */

static void
tell_principal(const struct store_principal *p, struct span made, struct buf *out)
{
    buf_add_char(out, '{');
    told_text(out, "name", p->name);
    told_word(out, "kind", rows_kind_word((enum principal_kind)p->kind));
    told_text(out, "team", p->team);
    told_text(out, "certificate", p->certificate);
    told_flag(out, "disabled", p->disabled);
    told_flag(out, "must_change", p->must_change);
    told_time(out, "created", p->created_us);
    told_time(out, "seen", p->seen_us);
    if (made.n > 0)
        told_text(out, "password", made);
    buf_add_char(out, '}');
}

int
core_principals(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    size_t count;
    const struct store_principal *all = people_all(auth_people(core->auth), &count);

    buf_add_text(&out, "{\"items\":[");
    for (size_t i = 0; i < count; i++) {
        told_item(&out);
        tell_principal(&all[i], SPAN(""), &out);
    }
    buf_add_text(&out, "],\"next\":null}");
    return reply(core, ask, &out, false, err);
}

static int
field_error(struct err *err, enum err_code code, const char *field, const char *words)
{
    return err_set_field(err, code, field, strlen(field), "%s", words);
}

static int
check_principal(const struct store_principal *p, struct err *err)
{
    bool partner = p->kind == PRINCIPAL_PARTNER;

    if (!people_is_name(p->name))
        return field_error(
            err, ERR_BAD_VALUE, "name", "a name has 1 to 64 letters, digits, '-', '.' and '_'");
    if (p->kind == PRINCIPAL_NOBODY || p->kind >= PRINCIPAL_KIND_COUNT)
        return field_error(
            err, ERR_BAD_VALUE, "kind", "operator, officer, analyst, reader or partner");
    if (partner && !people_is_name(p->team))
        return field_error(err, ERR_MISSING_FIELD, "team",
            "a partner's account says whose it is: the team's id in the directory");
    if (!partner && p->team.n > 0)
        return field_error(
            err, ERR_BAD_VALUE, "team", "only a partner's account is another team's");
    for (size_t i = 0; i < p->certificate.n; i++) {
        char c = p->certificate.p[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F'))
            return field_error(err, ERR_BAD_VALUE, "certificate", "it has hexadecimal digits only");
    }
    return p->certificate.n == 0 || p->certificate.n == CERTIFICATE_BYTES
        ? 0
        : field_error(err, ERR_BAD_VALUE, "certificate",
            "it is the SHA-256 of the certificate: 64 hexadecimal digits");
}

/* One certificate is one account; a partner of a TEAM that is not there would be shown nothing, and
 * nobody would say why. TEAM: as it was given, n 0: not. */
static int
check_known(
    const struct core *core, const struct store_principal *p, struct span team, struct err *err)
{
    const struct store_principal *other =
        people_by_certificate(auth_people(core->auth), p->certificate);

    if (other != NULL && other->number != p->number)
        return field_error(err, ERR_EXISTS, "certificate", "another account has it already");
    return team.n == 0 || roster_find(core->roster, team).index != 0
        ? 0
        : err_set_field(err, ERR_NOT_FOUND, "team", 4,
            "the directory has no team %.*s; `comity team list` has them all", SPAN_ARGS(team));
}

static int
keep_new(struct core *core, const struct ask *ask, struct store_principal *p, struct err *err)
{
    struct buf out = buf_new(SMALL_BYTES);
    int rc = core_begin(core, err);

    p->password = ask->result->hash;
    p->must_change = true;
    p->created_us = clock_now_us();
    if (p->password.n == 0)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to hash a password");
    if (rc == 0)
        rc = people_put(auth_people(core->auth), p, err);
    if (rc != 0)
        return rc;
    tell_principal(p, ask->result->made, &out);
    return reply(core, ask, &out, true, err);
}

int
core_principal_add(struct core *core, struct ask *ask, struct err *err)
{
    struct store_principal p = {.name = wire_text(&ask->in)};
    char made[AUTH_MADE_BYTES + 1];

    p.kind = wire_u8(&ask->in);
    p.team = wire_text(&ask->in);
    p.certificate = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a new account", err);
    if (rc == 0)
        rc = check_principal(&p, err);
    if (rc == 0)
        rc = check_known(core, &p, p.team, err);
    if (rc == 0 && people_by_name(auth_people(core->auth), p.name) != NULL)
        rc = field_error(err, ERR_EXISTS, "name", "an account has this name already");
    if (rc != 0)
        return rc;
    if (ask->result != NULL)
        return keep_new(core, ask, &p, err);
    auth_make_password(made);
    const struct auth_work work = {.new = span_of(made), .made = span_of(made)};
    return auth_hash(core, ask, &work, err);
}

static int
find_named(struct core *core, struct span name, const struct store_principal **out, struct err *err)
{
    *out = people_by_name(auth_people(core->auth), name);
    return *out != NULL ? 0
                        : err_set_field(err, ERR_NOT_FOUND, "name", 4, "no account is called %.*s",
                            SPAN_ARGS(name));
}

int
core_principal_change(struct core *core, struct ask *ask, struct err *err)
{
    enum { NOT_GIVEN = 2 };
    const struct store_principal *found;
    struct span name = wire_text(&ask->in);
    uint8_t disabled = wire_u8(&ask->in);
    uint8_t kind = wire_u8(&ask->in);
    struct span team = wire_text(&ask->in);
    struct span certificate = wire_text(&ask->in);
    struct buf out = buf_new(SMALL_BYTES);

    int rc = wire_end(&ask->in, "a change of an account", err);
    if (rc == 0)
        rc = find_named(core, name, &found, err);
    if (rc != 0)
        return rc;
    struct store_principal p = *found;
    if (disabled < NOT_GIVEN)
        p.disabled = disabled != 0;
    if (kind != PRINCIPAL_NOBODY)
        p.kind = kind;
    if (team.n > 0)
        p.team = team;
    if (kind != PRINCIPAL_NOBODY && kind != PRINCIPAL_PARTNER && team.n == 0)
        p.team = SPAN("");
    if (certificate.n > 0)
        p.certificate = certificate;
    rc = check_principal(&p, err);
    if (rc == 0)
        rc = check_known(core, &p, team, err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc != 0)
        return rc;
    tell_principal(&p, SPAN(""), &out);
    rc = people_put(auth_people(core->auth), &p, err);
    auth_forget(core);
    return rc == 0 ? reply(core, ask, &out, true, err) : rc;
}

/* ---- passwords ---- */

static bool
is_own(const struct ask *ask, const struct store_principal *p)
{
    return ask->asker.principal != 0 && ask->asker.principal == p->number;
}

static int
check_password(const struct store_principal *p, struct span password, struct err *err)
{
    if (password.n < PASSWORD_LEAST)
        return err_set_field(err, ERR_BAD_VALUE, "password", 8,
            "a password has at least %d characters", PASSWORD_LEAST);
    return span_equal_nocase(password, p->name)
        ? field_error(err, ERR_BAD_VALUE, "password", "the name is no password")
        : 0;
}

/* Whoever has signed in with the old one signs in again. */
static int
end_sessions(struct core *core, const struct ask *ask, uint32_t principal, struct err *err)
{
    struct store_token *tokens;
    size_t count;
    int rc = store_tokens(core->store, ask->arena, principal, &tokens, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (tokens[i].session)
            rc = store_token_remove(core->store, tokens[i].number, err);
    return rc;
}

/* Whose choice is the new password? Who has the machine is its operator. */
static bool
is_chosen(const struct ask *ask, const struct store_principal *p)
{
    return is_own(ask, p)
        || (ask->door == DOOR_LOCAL && p->kind == PRINCIPAL_OPERATOR && ask->result->made.n == 0);
}

static int
keep_password(
    struct core *core, const struct ask *ask, const struct store_principal *found, struct err *err)
{
    struct store_principal p = *found;
    struct buf out = buf_new(SMALL_BYTES);

    if (!ask->result->right) {
        auth_was_wrong(core, ask, p.name);
        return field_error(err, ERR_NOT_ALLOWED, "current", "that is not the password until now");
    }
    if (ask->result->hash.n == 0)
        return err_set(err, ERR_NO_MEMORY, "no memory to hash a password");
    p.password = ask->result->hash;
    p.must_change = !is_chosen(ask, found);
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = end_sessions(core, ask, p.number, err);
    if (rc == 0)
        rc = people_put(auth_people(core->auth), &p, err);
    auth_forget(core);
    if (rc != 0)
        return rc;
    buf_add_char(&out, '{');
    told_text(&out, "password", ask->result->made);
    buf_add_char(&out, '}');
    return reply(core, ask, &out, true, err);
}

static int
hash_password(struct core *core, const struct ask *ask, const struct store_principal *p,
    struct span password, struct span current, struct err *err)
{
    struct auth_work work = {.new = password};
    char made[AUTH_MADE_BYTES + 1];
    int rc = 0;

    if (is_own(ask, p)) {
        work.verify = true;
        work.hash = p->password;
        work.password = current;
        rc = password.n == 0 ? field_error(err, ERR_MISSING_FIELD, "password", "say the new one")
                             : auth_may_try(core, ask, p->name, err);
    } else if (password.n == 0) {
        auth_make_password(made);
        work.new = work.made = span_of(made);
    }
    if (rc == 0 && password.n > 0)
        rc = check_password(p, password, err);
    return rc == 0 ? auth_hash(core, ask, &work, err) : rc;
}

int
core_password(struct core *core, struct ask *ask, struct err *err)
{
    struct span name = wire_text(&ask->in);
    struct span password = wire_text(&ask->in);
    struct span current = wire_text(&ask->in);
    const struct store_principal *p;

    int rc = wire_end(&ask->in, "a new password", err);
    if (rc == 0)
        rc = find_named(core, name, &p, err);
    if (rc == ERR_NOT_FOUND && !rows_may((enum principal_kind)ask->asker.kind, RIGHT_OPERATE))
        rc = err_set(err, ERR_NOT_ALLOWED, "another's password is the operator's to set");
    if (rc != 0)
        return rc;
    if (!is_own(ask, p) && !rows_may((enum principal_kind)ask->asker.kind, RIGHT_OPERATE))
        return err_set(err, ERR_NOT_ALLOWED, "another's password is the operator's to set");
    return ask->result != NULL ? keep_password(core, ask, p, err)
                               : hash_password(core, ask, p, password, current, err);
}

/* ---- tokens ---- */

/* Whose: NAME's, else the asker's own. Others' are the operator's. */
static int
find_owner(struct core *core, const struct ask *ask, struct span name,
    const struct store_principal **out, struct err *err)
{
    struct people *people = auth_people(core->auth);
    bool operates = rows_may((enum principal_kind)ask->asker.kind, RIGHT_OPERATE);

    *out =
        name.n == 0 ? people_by_number(people, ask->asker.principal) : people_by_name(people, name);
    if (name.n == 0 && *out == NULL)
        *out = people_by_name(people, ask->asker.name); /* the local door's operator */
    if (*out != NULL && !operates && !is_own(ask, *out))
        *out = NULL;
    if (*out != NULL)
        return 0;
    return operates
        ? err_set_field(err, ERR_NOT_FOUND, "name", 4, "no account is called %.*s", SPAN_ARGS(name))
        : err_set(err, ERR_NOT_ALLOWED, "others' tokens are the operator's");
}

static void
tell_token(const struct store_token *t, struct span secret, struct buf *out)
{
    buf_add_char(out, '{');
    told_number(out, "number", t->number);
    told_text(out, "label", t->label);
    told_time(out, "created", t->created_us);
    told_time(out, "expires", t->expires_us == INT64_MAX ? 0 : t->expires_us);
    told_time(out, "seen", t->seen_us);
    if (secret.n > 0)
        told_text(out, "token", secret);
    buf_add_char(out, '}');
}

int
core_token_add(struct core *core, struct ask *ask, struct err *err)
{
    struct span label = wire_text(&ask->in);
    int64_t expires = wire_i64(&ask->in);
    struct span name = wire_text(&ask->in);
    const struct store_principal *owner = NULL;
    char secret[AUTH_TOKEN_BYTES + 1];
    struct buf out = buf_new(SMALL_BYTES);
    int64_t now = clock_now_us();

    int rc = wire_end(&ask->in, "a new token", err);
    if (rc == 0 && (span_trim(label).n == 0 || label.n > LABEL_BYTES))
        rc = field_error(err, ERR_MISSING_FIELD, "label", "say what the token is for");
    if (rc == 0 && expires != 0 && expires <= now)
        rc = field_error(err, ERR_BAD_VALUE, "expires", "that time has passed");
    if (rc == 0)
        rc = find_owner(core, ask, name, &owner, err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = make_room(core, ask, owner->number, err);
    if (rc != 0)
        return rc;
    struct store_token token = {.principal = owner->number,
        .label = label,
        .created_us = now,
        .expires_us = expires == 0 ? INT64_MAX : expires};
    auth_make_token(secret);
    auth_token_hash(span_of(secret), token.hash);
    rc = store_token_add(core->store, &token, err);
    if (rc != 0)
        return rc;
    tell_token(&token, span_of(secret), &out);
    return reply(core, ask, &out, true, err);
}

int
core_tokens(struct core *core, struct ask *ask, struct err *err)
{
    struct span name = wire_text(&ask->in);
    const struct store_principal *owner = NULL;
    struct store_token *tokens;
    struct buf out = buf_new(SMALL_BYTES * 4);
    size_t count;

    int rc = wire_end(&ask->in, "a question for tokens", err);
    if (rc == 0)
        rc = find_owner(core, ask, name, &owner, err);
    if (rc == 0)
        rc = store_tokens(core->store, ask->arena, owner->number, &tokens, &count, err);
    if (rc != 0)
        return rc;
    buf_add_text(&out, "{\"items\":[");
    for (size_t i = 0; i < count; i++)
        if (!tokens[i].session) {
            told_item(&out);
            tell_token(&tokens[i], SPAN(""), &out);
        }
    buf_add_text(&out, "],\"next\":null}");
    return reply(core, ask, &out, false, err);
}

/* Is NUMBER a token of PRINCIPAL? */
static int
has_token(struct core *core, const struct ask *ask, uint32_t principal, uint64_t number, bool *has,
    struct err *err)
{
    struct store_token *tokens;
    size_t count;
    int rc = store_tokens(core->store, ask->arena, principal, &tokens, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        *has = *has || tokens[i].number == number;
    return rc;
}

int
core_token_remove(struct core *core, struct ask *ask, struct err *err)
{
    uint64_t number = wire_u64(&ask->in);
    struct buf out = buf_new(SMALL_BYTES);
    bool operates = rows_may((enum principal_kind)ask->asker.kind, RIGHT_OPERATE);
    bool own = false;

    int rc = wire_end(&ask->in, "a token that is to go", err);
    if (rc == 0 && !operates)
        rc = has_token(core, ask, ask->asker.principal, number, &own, err);
    if (rc == 0 && !operates && !own)
        rc = err_set_field(err, ERR_NOT_FOUND, "number", 6, "no token has this number");
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = store_token_remove(core->store, number, err);
    return rc == 0 ? reply(core, ask, &out, true, err) : rc;
}
