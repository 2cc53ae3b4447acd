/* Who may come in, and how: passwords, sessions, tokens, certificates, doors and rights. */
#include "core/attempts.h"
#include "core/auth.h"
#include "core/hasher.h"
#include "core_ask.h"
#include "core_reports.h"

static const struct caller nobody = {.scheme = CALLER_NOBODY};
#define CERTIFICATE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool
says(const struct core_test *t, const char *what)
{
    return memmem(t->body.p, t->body.n, what, strlen(what)) != NULL;
}

/* The value of member NAME of the answer. */
static void
member(const struct core_test *t, const char *name, char *out, size_t size)
{
    char begin[64];

    int n = snprintf(begin, sizeof begin, "\"%s\":\"", name);
    const char *at = memmem(t->body.p, t->body.n, begin, (size_t)n);
    assert_non_null(at);
    at += n;
    const char *end = memchr(at, '"', (size_t)(t->body.p + t->body.n - at));
    assert_non_null(end);
    assert_true((size_t)(end - at) < size);
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = '\0';
}

static int
add_account(struct core_test *t, const char *name, enum principal_kind kind, const char *team,
    const char *certificate, char password[64])
{
    struct buf body = buf_new(1024);

    wire_add_text(&body, span_of(name));
    wire_add_u8(&body, (uint8_t)kind);
    wire_add_text(&body, span_of(team));
    wire_add_text(&body, span_of(certificate));
    int rc = core_test_ask(t, DOOR_LOCAL, MESSAGE_PRINCIPAL_ADD, &nobody, buf_span(&body));
    buf_free(&body);
    if (rc == 0)
        member(t, "password", password, 64);
    return rc;
}

static int
set_password(struct core_test *t, enum door door, const struct caller *caller, const char *name,
    const char *password, const char *current)
{
    struct buf body = buf_new(4096);

    wire_add_text(&body, span_of(name));
    wire_add_text(&body, span_of(password));
    wire_add_text(&body, span_of(current));
    int rc = core_test_ask(t, door, MESSAGE_PASSWORD, caller, buf_span(&body));
    buf_free(&body);
    return rc;
}

static struct caller
basic(const char *name, const char *password)
{
    return (struct caller){.scheme = CALLER_PASSWORD,
        .user = span_of(name),
        .secret = span_of(password),
        .peer = SPAN("192.0.2.7")};
}

static int
who(struct core_test *t, enum door door, const struct caller *caller)
{
    return core_test_ask(t, door, MESSAGE_WHO, caller, SPAN(""));
}

static int
sign_in(struct core_test *t, enum door door, const char *name, const char *password,
    char session[64], char proof[80])
{
    struct buf body = buf_new(4096);

    wire_add_text(&body, span_of(name));
    wire_add_text(&body, span_of(password));
    int rc = core_test_ask(t, door, MESSAGE_SIGN_IN, &nobody, buf_span(&body));
    buf_free(&body);
    if (rc != 0)
        return rc;
    struct wire_in in = wire_in(buf_span(&t->body));
    struct span secret = wire_text(&in);
    assert_int_equal(secret.n, AUTH_TOKEN_BYTES);
    memcpy(session, secret.p, secret.n);
    session[secret.n] = '\0';
    member(t, "csrf", proof, 80);
    return 0;
}

/* An account that may do something: its own password is set. */
static void
add_ready(struct core_test *t, const char *name, enum principal_kind kind, const char *team,
    const char *password)
{
    char made[64];

    assert_int_equal(add_account(t, name, kind, team, "", made), 0);
    const struct caller caller = basic(name, made);
    enum door door = kind == PRINCIPAL_PARTNER ? DOOR_PARTNERS : DOOR_OPERATORS;
    if (door == DOOR_OPERATORS)
        assert_int_equal(set_password(t, door, &caller, name, password, made), 0);
    else
        assert_int_equal(set_password(t, DOOR_LOCAL, &nobody, name, password, ""), 0);
}

/* ---- */

static void
a_new_account_must_change_its_password(void **state)
{
    struct core_test t;
    char made[64];

    (void)state;
    core_test_start(&t);
    assert_int_equal(add_account(&t, "ana", PRINCIPAL_ANALYST, "", "", made), 0);
    assert_int_equal(add_account(&t, "ana", PRINCIPAL_ANALYST, "", "", made), ERR_EXISTS);
    assert_int_equal(add_account(&t, "a b", PRINCIPAL_ANALYST, "", "", made), ERR_BAD_VALUE);
    assert_int_equal(add_account(&t, "p", PRINCIPAL_PARTNER, "", "", made), ERR_MISSING_FIELD);
    assert_int_equal(add_account(&t, "bo", PRINCIPAL_ANALYST, "", "", made), 0);
    struct caller bo = basic("bo", made);
    assert_int_equal(who(&t, DOOR_OPERATORS, &bo), 0);
    assert_true(says(&t, "\"name\":\"bo\"") && says(&t, "\"must_change\":true"));
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_METRICS, &bo, SPAN("")), ERR_NOT_ALLOWED);
    assert_int_equal(set_password(&t, DOOR_OPERATORS, &bo, "bo", "short", made), ERR_BAD_VALUE);
    assert_int_equal(
        set_password(&t, DOOR_OPERATORS, &bo, "bo", "a long new one", "wrong"), ERR_NOT_ALLOWED);
    assert_int_equal(
        set_password(&t, DOOR_OPERATORS, &bo, "ana", "a long new one", made), ERR_NOT_ALLOWED);
    assert_int_equal(set_password(&t, DOOR_OPERATORS, &bo, "bo", "a long new one", made), 0);
    /* What was verified before counts no more. */
    assert_int_equal(who(&t, DOOR_OPERATORS, &bo), ERR_NOT_SIGNED_IN);
    bo = basic("bo", "a long new one");
    assert_int_equal(core_test_ask(&t, DOOR_OPERATORS, MESSAGE_METRICS, &bo, SPAN("")), 0);
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_PRINCIPALS, &bo, SPAN("")), ERR_NOT_ALLOWED);
    core_test_restart(&t);
    assert_int_equal(who(&t, DOOR_OPERATORS, &bo), 0);
    core_test_end(&t);
}

static void
everybody_has_their_door(void **state)
{
    struct core_test t;

    (void)state;
    core_test_start(&t);
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    add_ready(&t, "south", PRINCIPAL_PARTNER, "south.test", "another password");
    const struct caller ana = basic("ana", "a long password");
    const struct caller south = basic("south", "another password");
    assert_int_equal(who(&t, DOOR_OPERATORS, &ana), 0);
    assert_int_equal(who(&t, DOOR_PARTNERS, &ana), ERR_NOT_ALLOWED);
    assert_int_equal(who(&t, DOOR_OPERATORS, &south), ERR_NOT_ALLOWED);
    assert_int_equal(who(&t, DOOR_PARTNERS, &nobody), ERR_NOT_SIGNED_IN);
    assert_int_equal(core_test_ask(&t, DOOR_PARTNERS, MESSAGE_STATUS, &nobody, SPAN("\0")), 0);
    assert_int_equal(
        core_test_ask(&t, DOOR_PARTNERS, MESSAGE_REPORTS, &south, SPAN("")), ERR_NOT_ALLOWED);
    assert_int_equal(core_test_ask(&t, DOOR_OPERATORS, MESSAGE_PRINCIPALS, &nobody, SPAN("")),
        ERR_NOT_SIGNED_IN);
    assert_int_equal(core_test_ask(&t, DOOR_LOCAL, MESSAGE_PRINCIPALS, &nobody, SPAN("")), 0);
    core_test_end(&t);
}

/* What somebody says first may be as large as any. */
static void
a_large_question_waits_for_its_password(void **state)
{
    const size_t size = (size_t)2 << 20;
    char *name = malloc(size);
    struct core_test t;

    (void)state;
    assert_non_null(name);
    memset(name, 'a', size);
    core_test_start(&t);
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    const struct caller ana = basic("ana", "a long password");
    struct buf body = buf_new(2 * size);
    wire_add_text(&body, (struct span){name, size});
    wire_add_text(&body, SPAN("")); /* a reason */
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_REPORT_RECALL, &ana, buf_span(&body)),
        ERR_MISSING_FIELD); /* it was heard */
    buf_free(&body);
    core_test_end(&t);
    free(name);
}

static int
token_add(struct core_test *t, enum door door, const struct caller *caller, int64_t expires,
    const char *name, char token[64])
{
    struct buf body = buf_new(1024);

    wire_add_text(&body, SPAN("a program"));
    wire_add_i64(&body, expires);
    wire_add_text(&body, span_of(name));
    int rc = core_test_ask(t, door, MESSAGE_TOKEN_ADD, caller, buf_span(&body));
    buf_free(&body);
    if (rc == 0)
        member(t, "token", token, 64);
    return rc;
}

static void
sessions_prove_that_their_page_asked(void **state)
{
    struct core_test t;
    char session[64];
    char proof[80];
    char token[64];

    (void)state;
    core_test_start(&t);
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    assert_int_equal(
        sign_in(&t, DOOR_OPERATORS, "ana", "a wrong password", session, proof), ERR_NOT_SIGNED_IN);
    assert_int_equal(sign_in(&t, DOOR_OPERATORS, "ana", "a long password", session, proof), 0);
    struct caller caller = {.scheme = CALLER_SESSION, .secret = span_of(session)};
    assert_int_equal(who(&t, DOOR_OPERATORS, &caller), 0);
    assert_true(says(&t, proof));
    assert_int_equal(token_add(&t, DOOR_OPERATORS, &caller, 0, "", token), ERR_NOT_ALLOWED);
    char other[80];
    memcpy(other, proof, sizeof other);
    other[0] = other[0] == '0' ? '1' : '0';
    caller.proof = span_of(other);
    assert_int_equal(token_add(&t, DOOR_OPERATORS, &caller, 0, "", token), ERR_NOT_ALLOWED);
    caller.proof = span_of(proof);
    assert_int_equal(token_add(&t, DOOR_OPERATORS, &caller, 0, "", token), 0);
    /* A session is no token, and a token no session. */
    struct caller confused = {.scheme = CALLER_TOKEN, .secret = span_of(session)};
    assert_int_equal(who(&t, DOOR_OPERATORS, &confused), ERR_NOT_SIGNED_IN);
    confused = (struct caller){.scheme = CALLER_SESSION, .secret = span_of(token)};
    assert_int_equal(who(&t, DOOR_OPERATORS, &confused), ERR_NOT_SIGNED_IN);
    core_test_restart(&t);
    assert_int_equal(who(&t, DOOR_OPERATORS, &caller), 0);
    assert_int_equal(core_test_ask(&t, DOOR_OPERATORS, MESSAGE_SIGN_OUT, &caller, SPAN("")), 0);
    assert_int_equal(who(&t, DOOR_OPERATORS, &caller), ERR_NOT_SIGNED_IN);
    /* What needs no right is answered all the same. */
    assert_int_equal(core_test_ask(&t, DOOR_OPERATORS, MESSAGE_STATUS, &caller, SPAN("\0")), 0);
    core_test_end(&t);
}

static void
a_new_password_ends_sessions(void **state)
{
    struct core_test t;
    char session[64];
    char proof[80];

    (void)state;
    core_test_start(&t);
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    assert_int_equal(sign_in(&t, DOOR_OPERATORS, "ana", "a long password", session, proof), 0);
    const struct caller caller = {
        .scheme = CALLER_SESSION, .secret = span_of(session), .proof = span_of(proof)};
    assert_int_equal(
        set_password(&t, DOOR_OPERATORS, &caller, "ana", "quite another", "a long password"), 0);
    assert_int_equal(who(&t, DOOR_OPERATORS, &caller), ERR_NOT_SIGNED_IN);
    core_test_end(&t);
}

static void
tokens_work_until_they_end(void **state)
{
    struct core_test t;
    char token[64];
    char number[64];

    (void)state;
    core_test_start(&t);
    add_ready(&t, "south", PRINCIPAL_PARTNER, "south.test", "another password");
    assert_int_equal(token_add(&t, DOOR_LOCAL, &nobody, 0, "south", token), 0);
    assert_int_equal(strlen(token), 40);
    struct caller caller = {
        .scheme = CALLER_TOKEN, .secret = span_of(token), .peer = SPAN("192.0.2.9")};
    assert_int_equal(who(&t, DOOR_PARTNERS, &caller), 0);
    assert_true(says(&t, "\"team\":\"south.test\""));
    core_test_restart(&t);
    assert_int_equal(who(&t, DOOR_PARTNERS, &caller), 0);
    struct buf body = buf_new(64);
    wire_add_text(&body, SPAN("south"));
    assert_int_equal(core_test_ask(&t, DOOR_LOCAL, MESSAGE_TOKENS, &nobody, buf_span(&body)), 0);
    assert_false(says(&t, token)); /* never shown again */
    const char *at = memmem(t.body.p, t.body.n, "\"number\":", 9);
    assert_non_null(at);
    (void)snprintf(number, sizeof number, "%d", atoi(at + 9));
    body.n = 0;
    wire_add_u64(&body, (uint64_t)atoi(number));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_TOKEN_REMOVE, &nobody, buf_span(&body)), 0);
    assert_int_equal(who(&t, DOOR_PARTNERS, &caller), ERR_NOT_SIGNED_IN);
    assert_int_equal(
        token_add(&t, DOOR_LOCAL, &nobody, clock_now_us() - 1, "south", token), ERR_BAD_VALUE);
    buf_free(&body);
    core_test_end(&t);
}

static void
a_certificate_is_one_account(void **state)
{
    struct core_test t;
    char made[64];

    (void)state;
    core_test_start(&t);
    assert_int_equal(
        add_account(&t, "south", PRINCIPAL_PARTNER, "south.test", CERTIFICATE, made), 0);
    assert_int_equal(
        add_account(&t, "east", PRINCIPAL_PARTNER, "east.test", CERTIFICATE, made), ERR_EXISTS);
    struct caller caller = {.scheme = CALLER_CERTIFICATE, .secret = SPAN(CERTIFICATE)};
    assert_int_equal(who(&t, DOOR_PARTNERS, &caller), 0);
    assert_true(says(&t, "south.test"));
    caller.secret.p = "x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    assert_int_equal(who(&t, DOOR_PARTNERS, &caller), ERR_NOT_SIGNED_IN);
    core_test_end(&t);
}

static void
a_disabled_account_is_out_at_once(void **state)
{
    struct core_test t;
    struct buf body = buf_new(256);
    char token[64];

    (void)state;
    core_test_start(&t);
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    const struct caller ana = basic("ana", "a long password");
    assert_int_equal(token_add(&t, DOOR_OPERATORS, &ana, 0, "", token), 0);
    const struct caller program = {.scheme = CALLER_TOKEN, .secret = span_of(token)};
    assert_int_equal(who(&t, DOOR_OPERATORS, &program), 0);
    wire_add_text(&body, SPAN("ana"));
    wire_add_u8(&body, 1); /* disabled */
    wire_add_u8(&body, 0);
    wire_add_text(&body, SPAN(""));
    wire_add_text(&body, SPAN(""));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_PRINCIPAL_CHANGE, &nobody, buf_span(&body)), 0);
    assert_int_equal(who(&t, DOOR_OPERATORS, &ana), ERR_NOT_SIGNED_IN);
    assert_int_equal(who(&t, DOOR_OPERATORS, &program), ERR_NOT_SIGNED_IN);
    buf_free(&body);
    core_test_end(&t);
}

static void
wrong_attempts_cost_pauses(void **state)
{
    struct core_test t;
    char name[16];

    (void)state;
    core_test_start(&t);
    t.core.options.login_rate = 3;
    add_ready(&t, "ana", PRINCIPAL_ANALYST, "", "a long password");
    struct caller wrong = basic("ana", "not that one");
    for (int i = 0; i < 3; i++)
        assert_int_equal(who(&t, DOOR_OPERATORS, &wrong), ERR_NOT_SIGNED_IN);
    assert_int_equal(who(&t, DOOR_OPERATORS, &wrong), ERR_TOO_MANY);
    /* From another address the account waits, too; and the address for other accounts. */
    wrong.peer = SPAN("192.0.2.99");
    assert_int_equal(who(&t, DOOR_OPERATORS, &wrong), ERR_TOO_MANY);
    struct caller other = basic("nobody", "not that one");
    assert_int_equal(who(&t, DOOR_OPERATORS, &other), ERR_TOO_MANY);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "guess%d", i);
        other = basic(name, "not that one");
        other.peer = SPAN("192.0.2.50");
        assert_int_equal(who(&t, DOOR_OPERATORS, &other), ERR_NOT_SIGNED_IN);
    }
    other = basic("guess", "not that one");
    other.peer = SPAN("192.0.2.50");
    assert_int_equal(who(&t, DOOR_OPERATORS, &other), ERR_TOO_MANY);
    core_test_end(&t);
}

/* By the clock that it is given: pauses double, and time forgives. */
static void
pauses_grow_and_end(void **state)
{
    struct attempts *a = malloc(sizeof *a);
    int64_t now = INT64_C(1700000000000000);
    struct err err;

    (void)state;
    assert_non_null(a);
    attempts_start(a);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(attempts_check(a, 'a', SPAN("x"), now, &err), 0);
        attempts_failed(a, 'a', SPAN("x"), 5, now);
    }
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 999999, &err), ERR_TOO_MANY);
    assert_int_equal(err.wait_s, 1);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 1000000, &err), 0);
    assert_int_equal(attempts_check(a, 'p', SPAN("x"), now, &err), 0);
    now += 1000000;
    attempts_failed(a, 'a', SPAN("x"), 5, now);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 1999999, &err), ERR_TOO_MANY);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 2000000, &err), 0);
    for (int i = 0; i < 40; i++)
        attempts_failed(a, 'a', SPAN("x"), 5, now);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 299999999, &err), ERR_TOO_MANY);
    assert_int_equal(err.wait_s, 1);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 500000, &err), ERR_TOO_MANY);
    assert_int_equal(err.wait_s, 300);
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now + 300000000, &err), 0);
    /* A clock that goes back does not lock out for ever. */
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now - 3600000000, &err), 0);
    attempts_right(a, 'a', SPAN("x"));
    assert_int_equal(attempts_check(a, 'a', SPAN("x"), now, &err), 0);
    free(a);
}

/* How long the batch is kept; 0: as the operator says. */
static int64_t
kept_us(struct core_test *t, uint64_t number)
{
    struct arena *arena = arena_new(1 << 20);
    struct store_batch batch;
    struct err err;

    assert_int_equal(store_batch_get(t->core.store, arena, number, &batch, &err), 0);
    arena_free(arena);
    return batch.keep_until_us == 0 ? 0 : batch.keep_until_us - batch.received_us;
}

/* A partner's reports: bound to the term under which they came, and never back to it. */
static void
partners_reports_are_bound(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct totals totals;
    struct buf body = buf_new(1024);
    const struct intake_open open = {SPAN("south's"), 0, false};

    (void)state;
    core_test_start(&t);
    add_ready(&t, "south", PRINCIPAL_PARTNER, "south.test", "another password");
    const struct caller south = basic("south", "another password");
    assert_int_equal(who(&t, DOOR_PARTNERS, &south), 0); /* known from now on */
    core_reports_add(&m, "192.0.2.200", 1, "green");     /* south's own: never back */
    core_reports_add(&m, "192.0.2.3", 2, "green");       /* ours */
    core_reports_add(&m, "198.51.100.1", 3, "green");    /* east: a party of that agreement */
    core_reports_add(&m, "198.51.100.1", 4, "amber");    /* nobody lets us */
    intake_open_add(&body, &open);
    uint64_t tag = ++t.next_tag;
    t.wants_any = true;
    core_test_send(&t, DOOR_PARTNERS, MESSAGE_INTAKE_OPEN, tag, &south, buf_span(&body));
    assert_true(core_test_wait(&t, 60000));
    assert_int_equal(t.credit, INTAKE_CREDIT);
    t.wants_any = false;
    core_reports_send_records(&t, DOOR_PARTNERS, tag, &m, 0);
    assert_int_equal(core_reports_close_stream(&t, DOOR_PARTNERS, tag, 0, &totals), 0);
    assert_int_equal(totals.stored, 4);
    assert_int_equal(totals.released, 2);
    assert_int_equal(totals.withheld, 2);
    /* The same from our own people is another report. */
    totals = core_reports_take(&t, &m);
    assert_int_equal(totals.duplicate, 0);
    /* South's are kept as long as the clause says under which they came, ours by our own rule. */
    assert_int_equal(kept_us(&t, 1), 30 * (int64_t)24 * 3600 * 1000000);
    assert_int_equal(kept_us(&t, 2), 0);
    buf_free(&body);
    buf_free(&m.records);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_account_must_change_its_password),
        cmocka_unit_test(everybody_has_their_door),
        cmocka_unit_test(a_large_question_waits_for_its_password),
        cmocka_unit_test(sessions_prove_that_their_page_asked),
        cmocka_unit_test(a_new_password_ends_sessions),
        cmocka_unit_test(tokens_work_until_they_end),
        cmocka_unit_test(a_certificate_is_one_account),
        cmocka_unit_test(a_disabled_account_is_out_at_once),
        cmocka_unit_test(wrong_attempts_cost_pauses),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(partners_reports_are_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
