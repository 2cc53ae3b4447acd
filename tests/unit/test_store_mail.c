/* Who gets mail, and which mails are on their way: rows, messages, and what becomes of both. */
#include "store/mail.h"

#include "store_ask.h"

static void
add(struct fixture *f, uint32_t team, int64_t from_us, int64_t through_us,
    struct store_mail_out *out)
{
    *out = (struct store_mail_out){.team = team,
        .address = SPAN("abuse@south.test"),
        .batch = SPAN("b"),
        .message_id = SPAN("b.1@north.test"),
        .collection = 4,
        .from_us = from_us,
        .through_us = through_us,
        .reports = 3,
        .encrypted = true,
        .made_us = 10,
        .again_us = 10};
    OK(f, store_mail_out_add(f->store, out, SPAN("the bytes\r\n"), &f->err));
}

static uint32_t
team_of(struct fixture *f, const char *id)
{
    uint32_t team;

    OK(f, store_team(f->store, span_of(id), &team, &f->err));
    return team;
}

static void
put(struct fixture *f, uint32_t team, struct span why)
{
    const struct store_mail mail = {.team = team,
        .digest = true,
        .address = SPAN("abuse@south.test"),
        .key = {"k\0y", 3},
        .fingerprint = SPAN("0123456789"),
        .next_us = 77,
        .added_us = 5,
        .added_by = SPAN("anna"),
        .why = why};

    OK(f, store_mail_put(f->store, &mail, &f->err));
}

static void
rows_come_back(void **state)
{
    struct fixture *f = *state;
    uint32_t team = team_of(f, "south.test");
    struct store_mail *list;
    size_t count;
    char why[STORE_MAIL_WHY_BYTES + 3];

    memset(why, 'x', sizeof why);
    memcpy(why + STORE_MAIL_WHY_BYTES - 1, "\xc3\xbc", 2); /* not cut in a character */
    put(f, team, SPAN(""));
    put(f, team, (struct span){why, sizeof why});
    OK(f, store_mails(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].team, team);
    assert_true(list[0].digest);
    assert_true(span_equal(list[0].key, (struct span){"k\0y", 3}));
    assert_true(span_equal(list[0].added_by, SPAN("anna")));
    assert_int_equal(list[0].next_us, 77);
    assert_int_equal(list[0].why.n, STORE_MAIL_WHY_BYTES - 1);
    OK(f, store_mail_remove(f->store, team, &f->err));
    assert_int_equal(store_mail_remove(f->store, team, &f->err), ERR_NOT_FOUND);
}

static void
a_message_is_there_until_it_has_gone(void **state)
{
    struct fixture *f = *state;
    uint32_t team = team_of(f, "south.test");
    struct store_mail_out out;
    struct store_mail_out *list;
    struct span message;
    size_t count;

    put(f, team, SPAN(""));
    add(f, team, 100, 200, &out);
    OK(f, store_mail_message(f->store, f->arena, out.number, &message, &f->err));
    assert_true(span_equal(message, SPAN("the bytes\r\n")));
    OK(f, store_mail_outs(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].bytes, message.n);
    out.tries = 2;
    out.code = 451;
    out.why = SPAN("451 later");
    OK(f, store_mail_out_put(f->store, &out, &f->err));
    OK(f, store_mail_message(f->store, f->arena, out.number, &message, &f->err));
    out.state = MAIL_OUT_GONE;
    out.sent_us = 300;
    OK(f, store_mail_out_put(f->store, &out, &f->err));
    assert_int_equal(
        store_mail_message(f->store, f->arena, out.number, &message, &f->err), ERR_NOT_FOUND);
    OK(f, store_mail_outs(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 0);
    OK(f, store_mail_outs_of(f->store, f->arena, team, 10, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].tries, 2);
    assert_true(span_equal(list[0].why, SPAN("451 later")));
    OK(f, store_mail_expire(f->store, 300, &f->err));
    OK(f, store_mail_outs_of(f->store, f->arena, team, 10, &list, &count, &f->err));
    assert_int_equal(count, 1);
    OK(f, store_mail_expire(f->store, 301, &f->err));
    OK(f, store_mail_outs_of(f->store, f->arena, team, 10, &list, &count, &f->err));
    assert_int_equal(count, 0);
}

static void
what_has_gone_is_found_by_what_it_held(void **state)
{
    struct fixture *f = *state;
    uint32_t team = team_of(f, "south.test");
    struct store_mail_out out;
    struct span id;

    put(f, team, SPAN(""));
    add(f, team, 100, 200, &out);
    OK(f, store_mail_with(f->store, f->arena, team, 150, &id, &f->err));
    assert_int_equal(id.n, 0); /* it has not gone */
    out.state = MAIL_OUT_GONE;
    OK(f, store_mail_out_put(f->store, &out, &f->err));
    OK(f, store_mail_with(f->store, f->arena, team, 100, &id, &f->err));
    assert_int_equal(id.n, 0);
    OK(f, store_mail_with(f->store, f->arena, team, 200, &id, &f->err));
    assert_true(span_equal(id, SPAN("b.1@north.test")));
    OK(f, store_mail_with(f->store, f->arena, team, 201, &id, &f->err));
    assert_int_equal(id.n, 0);
}

static void
what_is_withdrawn_leaves_what_has_gone(void **state)
{
    struct fixture *f = *state;
    uint32_t team = team_of(f, "south.test");
    uint32_t other = team_of(f, "west.test");
    struct store_mail_out gone;
    struct store_mail_out stuck;
    struct store_mail_out others;
    struct store_mail_out *list;
    struct span message;
    size_t count;
    uint64_t faults = 1;

    put(f, team, SPAN(""));
    put(f, other, SPAN(""));
    add(f, team, 100, 200, &gone);
    gone.state = MAIL_OUT_GONE;
    OK(f, store_mail_out_put(f->store, &gone, &f->err));
    add(f, team, 200, 300, &stuck);
    stuck.state = MAIL_OUT_STUCK;
    OK(f, store_mail_out_put(f->store, &stuck, &f->err));
    add(f, other, 200, 300, &others);
    OK(f, store_mail_withdraw(f->store, team, &f->err));
    OK(f, store_mail_outs(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].number, others.number);
    assert_int_equal(
        store_mail_message(f->store, f->arena, stuck.number, &message, &f->err), ERR_NOT_FOUND);
    OK(f, store_mail_outs_of(f->store, f->arena, team, 10, &list, &count, &f->err));
    assert_int_equal(count, 1);
    OK(f, store_mail_remove(f->store, other, &f->err));
    OK(f, store_mail_outs(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 0);
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_check(f->store, NULL, NULL, NULL, &faults, &f->err));
    assert_int_equal(faults, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(rows_come_back),
        ASK_TEST(a_message_is_there_until_it_has_gone),
        ASK_TEST(what_has_gone_is_found_by_what_it_held),
        ASK_TEST(what_is_withdrawn_leaves_what_has_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
