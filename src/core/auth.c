#include "core/auth.h"

#include "core/attempts.h"
#include "core/hasher.h"
#include "core/links.h"
#include "core/rows.h"
#include "core/state.h"
#include "sys/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CACHE = 256,
    KEY_BYTES = 32,
    /* Of a question that waits for a password; those that are larger share what is one's most. */
    SMALL_BYTES = 64 * 1024,
    LARGE_BYTES = 2 * CHANNEL_BODY_MAX,
    MINUTE_US = 60 * 1000 * 1000,
};
static const int64_t CACHE_US = 5 * (int64_t)MINUTE_US;

struct verified {
    uint8_t key[KEY_BYTES];
    uint32_t principal;
    int64_t until_us; /* ticks */
};

/* A question that waits. */
struct parked {
    uint64_t ticket; /* 0: free */
    enum door door;
    uint32_t generation;
    uint16_t type;
    uint64_t tag;
    char *body;
    size_t body_n;
    bool signs_in; /* its caller's own password; else ask.result is for its function */
    uint8_t key[KEY_BYTES];
    char name[PEOPLE_NAME_BYTES + 1];
    struct asker asker; /* of the one whose function waits: texts below */
    char asker_name[PEOPLE_NAME_BYTES + 1];
    char asker_team[PEOPLE_TEAM_BYTES + 1];
    char made[AUTH_MADE_BYTES + 1];
};

struct auth {
    struct core *core;
    struct people *people;
    struct hasher *hasher;
    struct attempts attempts;
    struct verified cache[CACHE];
    uint8_t cache_key[KEY_BYTES];
    uint8_t proof_key[crypto_auth_hmacsha256_KEYBYTES];
    struct parked parked[HASHER_QUEUE];
    char welcome[AUTH_MADE_BYTES + 1]; /* the operator's one-time password; "": told, or none */
    char name[PEOPLE_NAME_BYTES + 1];  /* of who asks now */
    char team[PEOPLE_TEAM_BYTES + 1];
};

/* ---- secrets ---- */

void
auth_proof(const struct core *core, struct span session, char out[AUTH_PROOF_BYTES + 1])
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];

    (void)crypto_auth_hmacsha256(
        mac, (const unsigned char *)session.p, session.n, core->auth->proof_key);
    (void)sodium_bin2hex(out, AUTH_PROOF_BYTES + 1, mac, sizeof mac);
}

/* ---- what was verified ---- */

static void
key_of(const struct auth *auth, struct span name, struct span password, uint8_t key[KEY_BYTES])
{
    crypto_generichash_state state;
    uint64_t n = name.n;

    (void)crypto_generichash_init(&state, auth->cache_key, sizeof auth->cache_key, KEY_BYTES);
    (void)crypto_generichash_update(&state, (const unsigned char *)&n, sizeof n);
    (void)crypto_generichash_update(&state, (const unsigned char *)name.p, name.n);
    (void)crypto_generichash_update(&state, (const unsigned char *)password.p, password.n);
    (void)crypto_generichash_final(&state, key, KEY_BYTES);
}

static struct verified *
place_of(struct auth *auth, const uint8_t key[KEY_BYTES])
{
    return &auth->cache[key[0] % CACHE];
}

static const struct store_principal *
find_verified(struct auth *auth, const uint8_t key[KEY_BYTES])
{
    const struct verified *v = place_of(auth, key);

    if (v->principal == 0 || clock_ticks_us() > v->until_us
        || sodium_memcmp(v->key, key, KEY_BYTES) != 0)
        return NULL;
    return people_by_number(auth->people, v->principal);
}

void
auth_forget(struct core *core)
{
    sodium_memzero(core->auth->cache, sizeof core->auth->cache);
}

void
auth_lost(struct core *core)
{
    struct err err = {0};

    if (core->auth == NULL)
        return;
    auth_forget(core);
    if (people_again(core->auth->people, &err) != 0)
        core_tell(core, "accounts cannot be read: %s", err.msg);
}

/* ---- who is it? ---- */

static int
wrong(struct err *err)
{
    return err_set(err, ERR_NOT_SIGNED_IN, "the name, password or token is not right");
}

static void
copy_text(char *out, size_t size, struct span text)
{
    size_t n = text.n < size ? text.n : size - 1;

    if (n > 0)
        memcpy(out, text.p, n);
    out[n] = '\0';
}

/* Partners come in by their door, or through the courier, and nobody else does. */
static int
be(struct core *core, struct ask *ask, const struct store_principal *p, struct err *err)
{
    struct auth *auth = core->auth;
    bool partner = p->kind == PRINCIPAL_PARTNER;

    if (p->disabled)
        return err_set(err, ERR_NOT_SIGNED_IN, "this account is disabled");
    if (partner != (ask->door == DOOR_PARTNERS || ask->door == DOOR_COURIER))
        return err_set(err, ERR_NOT_ALLOWED, "%s come in by another door",
            partner ? "partners" : "this node's own people");
    copy_text(auth->name, sizeof auth->name, p->name);
    copy_text(auth->team, sizeof auth->team, partner ? p->team : SPAN(""));
    ask->asker = (struct asker){.kind = p->kind,
        .principal = p->number,
        .name = span_of(auth->name),
        .team = span_of(auth->team)};
    return 0;
}

int
auth_may_try(struct core *core, const struct ask *ask, struct span name, struct err *err)
{
    int64_t now = clock_now_us();
    struct err other = {0};
    int rc = attempts_check(&core->auth->attempts, 'a', name, now, err);
    int address = attempts_check(&core->auth->attempts, 'p', ask->caller.peer, now, &other);

    if (address == 0 || (rc != 0 && err->wait_s >= other.wait_s))
        return rc;
    *err = other; /* the longer pause is the one that counts */
    return address;
}

void
auth_was_wrong(struct core *core, const struct ask *ask, struct span name)
{
    int64_t now = clock_now_us();

    attempts_failed(&core->auth->attempts, 'a', name, core->options.login_rate, now);
    attempts_failed(&core->auth->attempts, 'p', ask->caller.peer, core->options.login_rate, now);
}

static bool
has_room(const struct auth *auth, size_t bytes)
{
    size_t large = bytes > SMALL_BYTES ? bytes : 0;

    for (size_t i = 0; i < HASHER_QUEUE && large > 0; i++)
        if (auth->parked[i].ticket != 0 && auth->parked[i].body_n > SMALL_BYTES)
            large += auth->parked[i].body_n;
    return large <= LARGE_BYTES;
}

static struct parked *
park(struct core *core, const struct ask *ask, const struct hasher_work *work, struct err *err)
{
    struct auth *auth = core->auth;
    struct span body = ask->message->body;
    struct parked *free_one = NULL;
    uint64_t ticket;

    for (size_t i = 0; i < HASHER_QUEUE && free_one == NULL; i++)
        if (auth->parked[i].ticket == 0)
            free_one = &auth->parked[i];
    if (free_one == NULL || !has_room(auth, body.n)) {
        (void)err_set(err, ERR_BUSY, "too many passwords wait to be looked at");
        return NULL;
    }
    char *copy = malloc(body.n);
    if (copy == NULL) {
        (void)err_set(err, ERR_NO_MEMORY, "no memory for a question");
        return NULL;
    }
    if (hasher_add(auth->hasher, work, &ticket, err) != 0) {
        free(copy);
        return NULL;
    }
    memcpy(copy, body.p, body.n);
    *free_one = (struct parked){.ticket = ticket,
        .door = ask->door,
        .generation = core->generations[ask->door],
        .type = ask->type,
        .tag = ask->tag,
        .body = copy,
        .body_n = body.n};
    return free_one;
}

static void
unpark(struct parked *parked)
{
    if (parked->body != NULL) {
        sodium_memzero(parked->body, parked->body_n);
        free(parked->body);
    }
    sodium_memzero(parked, sizeof *parked);
}

static int
by_password(struct core *core, struct ask *ask, struct err *err)
{
    struct auth *auth = core->auth;
    const struct caller *caller = &ask->caller;
    uint8_t key[KEY_BYTES];

    key_of(auth, caller->user, caller->secret, key);
    const struct store_principal *p = find_verified(auth, key);
    if (p != NULL)
        return be(core, ask, p, err);
    int rc = auth_may_try(core, ask, caller->user, err);
    if (rc != 0)
        return rc;
    p = people_by_name(auth->people, caller->user);
    const struct hasher_work work = {
        .verify = true, .hash = p != NULL ? p->password : SPAN(""), .password = caller->secret};
    struct parked *parked = park(core, ask, &work, err);
    if (parked == NULL)
        return (int)err->code;
    parked->signs_in = true;
    memcpy(parked->key, key, sizeof key);
    copy_text(parked->name, sizeof parked->name, caller->user);
    return AUTH_LATER;
}

/* Seen again, noted once a minute. */
static int
note_use(struct core *core, const struct store_token *token, int64_t now, struct err *err)
{
    if (now - token->seen_us < MINUTE_US)
        return 0;
    int rc = core_begin(core, err);
    return rc == 0 ? store_token_seen(core->store, token->number, now, err) : rc;
}

static bool
holds(const struct core *core, const struct store_token *token, int64_t now)
{
    int64_t seen = token->seen_us > token->created_us ? token->seen_us : token->created_us;

    return now < token->expires_us
        && (!token->session || now - seen < core->options.session_idle_us + MINUTE_US);
}

static int
by_token(struct core *core, struct ask *ask, bool session, struct err *err)
{
    int64_t now = clock_now_us();
    uint8_t hash[32];
    struct store_token token;

    int rc = attempts_check(&core->auth->attempts, 'p', ask->caller.peer, now, err);
    if (rc != 0)
        return rc;
    auth_token_hash(ask->caller.secret, hash);
    rc = store_token_find(core->store, ask->arena, hash, &token, err);
    if (rc != 0 && rc != ERR_NOT_FOUND)
        return rc;
    const struct store_principal *p =
        rc == 0 ? people_by_number(core->auth->people, token.principal) : NULL;
    if (p == NULL || token.session != session) {
        if (!session)
            attempts_failed(
                &core->auth->attempts, 'p', ask->caller.peer, core->options.login_rate, now);
        return session ? err_set(err, ERR_NOT_SIGNED_IN, "the session has ended") : wrong(err);
    }
    if (!holds(core, &token, now))
        return err_set(err, ERR_NOT_SIGNED_IN, "the %s has ended", session ? "session" : "token");
    rc = be(core, ask, p, err);
    return rc == 0 ? note_use(core, &token, now, err) : rc;
}

static int
by_certificate(struct core *core, struct ask *ask, struct err *err)
{
    const struct store_principal *p = people_by_certificate(core->auth->people, ask->caller.secret);

    return p != NULL ? be(core, ask, p, err)
                     : err_set(err, ERR_NOT_SIGNED_IN, "no account has this certificate");
}

/* What the courier fetched from a link counts as what that team's account posts; nobody signs in
 * there. */
static int
by_link(struct core *core, struct ask *ask, struct err *err)
{
    if (ask->caller.scheme == CALLER_NOBODY)
        return 0;
    if (ask->door != DOOR_COURIER || ask->caller.scheme != CALLER_LINK)
        return err_set(err, ERR_NOT_ALLOWED, "nobody shows that at this door");
    const struct store_principal *p =
        people_by_number(core->auth->people, links_account(core, ask->caller.user));
    return p != NULL && span_equal(p->team, ask->caller.user)
        ? be(core, ask, p, err)
        : err_set(err, ERR_NOT_SIGNED_IN, "there is no link to that team");
}

int
auth_who(struct core *core, struct ask *ask, struct err *err)
{
    ask->asker = (struct asker){.kind = PRINCIPAL_NOBODY};
    if (ask->door == DOOR_COURIER || ask->caller.scheme == CALLER_LINK)
        return by_link(core, ask, err);
    if (ask->door == DOOR_LOCAL) { /* who may open that socket is the operator */
        ask->asker = (struct asker){.kind = PRINCIPAL_OPERATOR, .name = SPAN("operator")};
        return 0;
    }
    switch (ask->caller.scheme) {
    case CALLER_PASSWORD:
        return by_password(core, ask, err);
    case CALLER_TOKEN:
        return by_token(core, ask, false, err);
    case CALLER_SESSION:
        return by_token(core, ask, true, err);
    case CALLER_CERTIFICATE:
        return by_certificate(core, ask, err);
    default:
        return 0;
    }
}

/* ---- may they? ---- */

static bool
is_for_newcomers(uint16_t type)
{
    return type == MESSAGE_PASSWORD || type == MESSAGE_WHO || type == MESSAGE_SIGN_IN
        || type == MESSAGE_SIGN_OUT || type == MESSAGE_STATUS;
}

/* Partners cannot change theirs: the operator gives it to them. */
static int
check_newcomer(struct core *core, const struct ask *ask, struct err *err)
{
    const struct store_principal *p = people_by_number(core->auth->people, ask->asker.principal);
    uint8_t scheme = ask->caller.scheme;

    if (p == NULL || !p->must_change || p->kind == PRINCIPAL_PARTNER || is_for_newcomers(ask->type)
        || (scheme != CALLER_PASSWORD && scheme != CALLER_SESSION))
        return 0;
    return err_set(err, ERR_NOT_ALLOWED,
        "change your one-time password first: PUT /api/v1/principals/NAME/password");
}

static int
check_proof(const struct core *core, const struct ask *ask, struct err *err)
{
    char proof[AUTH_PROOF_BYTES + 1];
    struct span given = ask->caller.proof;

    auth_proof(core, ask->caller.secret, proof);
    if (given.n == AUTH_PROOF_BYTES && sodium_memcmp(given.p, proof, AUTH_PROOF_BYTES) == 0)
        return 0;
    return err_set(err, ERR_NOT_ALLOWED,
        "a session changes something only with its X-CSRF-Token (GET /api/v1/session tells it)");
}

int
auth_may(struct core *core, const struct ask *ask, const struct message_row *row, struct err *err)
{
    enum principal_kind kind = (enum principal_kind)ask->asker.kind;

    if (!rows_may(kind, row->right))
        return kind == PRINCIPAL_NOBODY
            ? err_set(err, ERR_NOT_SIGNED_IN, "sign in first")
            : err_set(err, ERR_NOT_ALLOWED,
                "that needs the right \"%s\", which the kind \"%s\" has not",
                rows_right_word(row->right), rows_kind_word(kind));
    int rc = check_newcomer(core, ask, err);
    if (rc == 0 && row->changes && ask->caller.scheme == CALLER_SESSION && ask->door != DOOR_LOCAL)
        rc = check_proof(core, ask, err);
    return rc;
}

/* ---- passwords that were looked at ---- */

int
auth_hash(struct core *core, const struct ask *ask, const struct auth_work *work, struct err *err)
{
    const struct hasher_work hashing = {
        .verify = work->verify, .hash = work->hash, .password = work->password, .new = work->new};
    struct parked *parked = park(core, ask, &hashing, err);

    if (parked == NULL)
        return (int)err->code;
    copy_text(parked->made, sizeof parked->made, work->made);
    copy_text(parked->asker_name, sizeof parked->asker_name, ask->asker.name);
    copy_text(parked->asker_team, sizeof parked->asker_team, ask->asker.team);
    parked->asker = ask->asker;
    return AUTH_LATER;
}

static void
refuse_wrong(struct core *core, const struct parked *parked, const struct channel_message *message)
{
    struct wire_in in = wire_in(message->body);
    struct ask ask = {.door = parked->door};
    struct err err = {0};

    caller_take(&in, &ask.caller);
    auth_was_wrong(core, &ask, span_of(parked->name));
    (void)wrong(&err);
    core_refuse(core, parked->door, parked->tag, &err);
}

static void
sign_in(struct core *core, const struct parked *parked, const struct channel_message *message,
    bool right)
{
    struct auth *auth = core->auth;
    const struct store_principal *p = people_by_name(auth->people, span_of(parked->name));

    if (!right || p == NULL) {
        refuse_wrong(core, parked, message);
        return;
    }
    struct verified *v = place_of(auth, parked->key);
    *v = (struct verified){.principal = p->number, .until_us = clock_ticks_us() + CACHE_US};
    memcpy(v->key, parked->key, sizeof v->key);
    attempts_right(&auth->attempts, 'a', span_of(parked->name));
    core_ask_again(core, parked->door, message, NULL, NULL);
}

static void
on_hashed(void *ctx, uint64_t ticket, const struct hasher_result *hashed)
{
    struct core *core = ctx;
    struct parked *parked = NULL;

    for (size_t i = 0; i < HASHER_QUEUE && parked == NULL; i++)
        if (core->auth->parked[i].ticket == ticket)
            parked = &core->auth->parked[i];
    if (parked == NULL)
        return;
    const struct channel_message message = {
        .type = parked->type, .tag = parked->tag, .body = {parked->body, parked->body_n}, .fd = -1};
    const struct auth_result result = {hashed->right, span_of(hashed->hash), span_of(parked->made)};
    parked->asker.name = span_of(parked->asker_name);
    parked->asker.team = span_of(parked->asker_team);
    if (parked->generation == core->generations[parked->door]) {
        if (parked->signs_in)
            sign_in(core, parked, &message, hashed->right);
        else
            core_ask_again(core, parked->door, &message, &parked->asker, &result);
    }
    unpark(parked);
}

void
auth_gone(struct core *core, enum door door)
{
    for (size_t i = 0; core->auth != NULL && i < HASHER_QUEUE; i++)
        if (core->auth->parked[i].ticket != 0 && core->auth->parked[i].door == door)
            unpark(&core->auth->parked[i]);
}

/* ---- life ---- */

/* The first one: whoever reads the node's log may sign in, once. */
static int
make_operator(struct core *core, struct auth *auth, struct err *err)
{
    char hash[HASHER_TEXT_BYTES];
    size_t count;

    (void)people_all(auth->people, &count);
    if (count > 0)
        return 0;
    auth_make_password(auth->welcome);
    hasher_now(span_of(auth->welcome), hash);
    if (hash[0] == '\0')
        return err_set(err, ERR_NO_MEMORY, "no memory to hash a password");
    struct store_principal operator= {.name = SPAN("operator"),
        .kind = PRINCIPAL_OPERATOR,
        .password = span_of(hash),
        .must_change = true,
        .created_us = clock_now_us()};
    int rc = core_begin(core, err);
    return rc == 0 ? people_put(auth->people, &operator, err) : rc;
}

void
auth_welcome(struct auth *auth)
{
    if (auth->welcome[0] == '\0')
        return;
    (void)fprintf(stderr,
        "comity: this node is new. Sign in as \"operator\" with this password, which is told only "
        "here and must be changed then: %s\n",
        auth->welcome);
    sodium_memzero(auth->welcome, sizeof auth->welcome);
}

struct people *
auth_people(struct auth *auth)
{
    return auth->people;
}

static int
load_proof_key(struct core *core, struct auth *auth, struct err *err)
{
    struct span value;
    int rc = store_get(core->store, core->arena, "session-key", &value, err);

    if (rc == 0 && value.n == sizeof auth->proof_key) {
        memcpy(auth->proof_key, value.p, value.n);
        return 0;
    }
    if (rc == 0 && value.n != 0)
        rc = err_set(err, ERR_BAD_STORE, "the store's \"session-key\" is damaged");
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc != 0)
        return rc;
    crypto_auth_hmacsha256_keygen(auth->proof_key);
    return store_set(core->store, "session-key",
        (struct span){(const char *)auth->proof_key, sizeof auth->proof_key}, err);
}

int
auth_new(struct core *core, struct auth **out, struct err *err)
{
    struct auth *auth = sodium_init() < 0 ? NULL : calloc(1, sizeof *auth);

    *out = auth;
    if (auth == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for accounts");
    auth->core = core;
    randombytes_buf(auth->cache_key, sizeof auth->cache_key);
    attempts_start(&auth->attempts);
    int rc = people_new(core->store, &auth->people, err);
    if (rc == 0)
        rc = hasher_new(core->loop, on_hashed, core, &auth->hasher, err);
    if (rc == 0)
        rc = load_proof_key(core, auth, err);
    return rc == 0 ? make_operator(core, auth, err) : rc;
}

void
auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    hasher_free(auth->hasher);
    for (size_t i = 0; i < HASHER_QUEUE; i++)
        unpark(&auth->parked[i]);
    people_free(auth->people);
    sodium_memzero(auth, sizeof *auth);
    free(auth);
}
