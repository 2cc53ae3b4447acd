/* What a mail is to the byte, whatever names and reports hold; and what of it core, mailer and
 * courier say to each other. */
#include "edge/mail_bundle.h"
#include "edge/mail_csv.h"
#include "edge/mail_mime.h"
#include "edge/mail_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BYTES = 4 * 1024 * 1024 };

#define UUID "11111111-2222-4333-8444-555555555555"
#define REPORT(ip, class, extra)                                                                   \
    "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--" UUID                   \
    "\",\"value\":\"" ip "\"},"                                                                    \
    "{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"observed-data--" UUID           \
    "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","       \
    "\"first_observed\":\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-01T00:00:00Z\","      \
    "\"number_observed\":1,\"object_refs\":[\"ipv4-addr--" UUID "\"],\"object_marking_refs\":["    \
    "\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\"]," extra                         \
    "\"extensions\":{\"extension-definition--7ea8b18b-5050-4ab8-b1ba-b2dde2e27066\":{"             \
    "\"extension_type\":\"property-extension\",\"classification\":{\"type\":\"" class              \
        "\"},\"provider\":\"=cmd()\",\"clauses\":[\"urn:uuid:" UUID "#1\"]}}}"
#define BATCH                                                                                      \
    "{\"type\":\"comity-batch\",\"spec_version\":\"2.1\",\"id\":\"comity-batch--" UUID             \
    "\",\"log\":\"north.test/log\",\"entry\":7,\"items\":1}"

static const struct mail_task task = {.number = 1,
    .what = MAIL_REPORTS,
    .date_us = 1767225600000000,
    .max_bytes = BYTES,
    .from = {"reports@north.test", 18},
    .to = {"abuse@south.test", 16},
    .reply = {"reports+" UUID "@north.test", 55},
    .own = {"north.test", 10},
    .own_name = {"North\r\nBcc: x@y.test", 20},
    .team = {"south.test", 10},
    .name = {"S\xc3\xbc"
             "d, \"Team\" <evil@x.test>",
        26},
    .batch = {UUID, 36},
    .message_id = {UUID ".1@north.test", 49}};

struct made {
    struct arena *arena;
    struct mail_bundle bundle;
    struct buf text;
    struct buf csv;
    struct buf mail;
    struct err err;
    uint32_t rows;
};

static int
make(struct made *m, const struct mail_task *of, const char *objects)
{
    *m = (struct made){.arena = arena_new(BYTES),
        .text = buf_new(BYTES),
        .csv = buf_new(BYTES),
        .mail = buf_new(BYTES)};
    int rc = mail_bundle_read(m->arena, of, span_of(objects), &m->text, &m->bundle, &m->err);
    if (rc == 0)
        rc = mail_csv(m->bundle.text, &m->csv, &m->rows, &m->err);
    return rc == 0 ? mail_mime(
               of, &m->bundle, m->rows > 0 ? buf_span(&m->csv) : SPAN(""), NULL, &m->mail, &m->err)
                   : rc;
}

static void
end(struct made *m)
{
    arena_free(m->arena);
    buf_free(&m->text);
    buf_free(&m->csv);
    buf_free(&m->mail);
}

static bool
holds(const struct buf *buf, const char *text)
{
    return buf->n > 0 && memmem(buf->p, buf->n, text, strlen(text)) != NULL;
}

static void
addresses_hold_nothing_else(void **state)
{
    static const char *const good[] = {"a@b", "abuse@south.test", "a.b+c=d_e@x-y.test",
        "reports+" UUID "@north.test", "!#$%&'*+-/=?^_`{|}~@x.test"};
    static const char *const bad[] = {"", "@", "a@", "@b", "a", "a@b@c", "a b@c.test", "a@b c",
        "a\r\nBcc: x@y.test@z.test", "a@b\n", "<a@b>", "a@b>", "\"a\"@b.test", "a..b@c.test",
        ".a@b.test", "a.@b.test", "a@.b", "a@b..c", "a@b.", "a@-b.test", "a,b@c.test",
        "a@[192.0.2.1]", "\xc3\xbc@b.test", "a(b)@c.test"};
    char local[70];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(mail_is_address(span_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mail_is_address(span_of(bad[i])));
    assert_false(mail_is_address((struct span){"a\0@b.test", 9}));
    memset(local, 'a', 64);
    memcpy(local + 64, "@b", 3);
    assert_true(mail_is_address(span_of(local)));
    memset(local, 'a', 65);
    memcpy(local + 65, "@b", 3);
    assert_false(mail_is_address(span_of(local)));
}

static void
a_mail_says_what_it_is(void **state)
{
    struct made m;

    (void)state;
    assert_int_equal(make(&m, &task, REPORT("192.0.2.1", "scanner", "") "," BATCH), 0);
    assert_int_equal(m.bundle.reports, 1);
    assert_int_equal(m.bundle.tlp, TLP_AMBER_STRICT);
    assert_int_equal(m.bundle.delivery_count, 1);
    assert_int_equal(m.bundle.deliveries[0].entry, 7);
    assert_int_equal(m.bundle.revoked, 0);
    assert_int_equal(m.bundle.others, 0);
    assert_true(holds(&m.mail, "Message-Id: <" UUID ".1@north.test>\r\n"));
    assert_true(holds(&m.mail, "Reply-To: reports+" UUID "@north.test\r\n"));
    assert_true(
        holds(&m.mail, "Subject: [TLP:AMBER+STRICT] 1 report for south.test from north.test"));
    assert_true(holds(&m.mail, "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"));
    assert_true(holds(&m.mail, "Auto-Submitted: auto-generated\r\n"));
    assert_true(holds(&m.mail, "filename=reports.csv\r\n"));
    assert_true(holds(&m.mail, "filename=bundle.json\r\n"));
    end(&m);
}

/* Names come from cards, which others write. */
static void
no_name_becomes_a_header(void **state)
{
    struct made m;

    (void)state;
    assert_int_equal(make(&m, &task, REPORT("192.0.2.1", "scanner", "")), 0);
    const char *head_end = memmem(m.mail.p, m.mail.n, "\r\n\r\n", 4);
    struct buf head = {.p = m.mail.p, .n = (size_t)(head_end - m.mail.p)};
    assert_false(holds(&head, "\nBcc"));
    assert_true(holds(&head, "From: \"North  Bcc: x@y.test\" <reports@north.test>\r\n"));
    assert_true(holds(&head, " \"\\\"Team\\\" <evil@x.test>\" <abuse@south.test>\r\n"));
    for (size_t i = 0; i < m.mail.n; i++) {
        assert_true((unsigned char)m.mail.p[i] < 0x80);
        assert_true(m.mail.p[i] != '\n' || (i > 0 && m.mail.p[i - 1] == '\r'));
        assert_true(m.mail.p[i] != '\r' || (i + 1 < m.mail.n && m.mail.p[i + 1] == '\n'));
    }
    end(&m);
}

static void
a_table_is_no_program(void **state)
{
    struct made m;

    (void)state;
    assert_int_equal(make(&m, &task, REPORT("192.0.2.1", "scanner", "") "," BATCH), 0);
    assert_int_equal(m.rows, 1);
    assert_true(holds(&m.csv, "\"'=cmd()\""));
    assert_true(holds(&m.csv, "192.0.2.1"));
    end(&m);
}

static void
recalls_are_said(void **state)
{
    struct mail_task again = task;
    struct made m;

    (void)state;
    again.references = SPAN("a.1@north.test b.2@north.test");
    assert_int_equal(
        make(&m, &again, REPORT("192.0.2.1", "scanner", "\"revoked\":true,") "," BATCH), 0);
    assert_int_equal(m.bundle.revoked, 1);
    assert_true(holds(&m.mail, "with recalls"));
    assert_true(holds(&m.mail, "In-Reply-To: <a.1@north.test>\r\n"));
    assert_true(holds(&m.mail, "References: <a.1@north.test> <b.2@north.test>\r\n"));
    end(&m);
}

static void
what_is_wrong_is_refused(void **state)
{
    struct mail_task bad = task;
    struct made m;

    (void)state;
    bad.to = SPAN("abuse@south.test\r\nBcc: x@y.test");
    assert_int_equal(make(&m, &bad, BATCH), ERR_BAD_VALUE);
    end(&m);
    bad = task;
    bad.max_bytes = 100;
    assert_int_equal(make(&m, &bad, BATCH), ERR_LIMIT);
    end(&m);
    assert_int_equal(make(&m, &task, "{\"type\":}"), ERR_INTERNAL);
    end(&m);
    assert_int_equal(make(&m, &task, ""), 0); /* nothing waits, and the operator looks */
    assert_int_equal(m.rows, 0);
    assert_false(holds(&m.mail, "reports.csv"));
    end(&m);
}

/* Strings with brackets and quotes do not confuse where objects end; what all bundles begin with is
 * there once. */
static void
objects_are_told_apart(void **state)
{
    struct made m;

    (void)state;
    assert_int_equal(make(&m, &task,
                         "{\"type\":\"x\",\"id\":\"x--1\",\"a\":\"}{\\\"}\\\\\"},"
                         "{\"type\":\"y\",\"id\":\"y--1\",\"b\":{\"c\":[{}]}},"
                         "{\"type\":\"identity\",\"id\":"
                         "\"identity--8611aa5f-7402-4fea-8e01-106aae7187ba\"}"),
        0);
    assert_int_equal(m.bundle.others, 2);
    assert_true(holds(&m.text, "\"a\":\"}{\\\"}\\\\\"}"));
    const char *first = memmem(m.text.p, m.text.n, "\"id\":\"identity--8611aa5f", 23);
    assert_non_null(first);
    assert_null(memmem(
        first + 1, m.text.n - (size_t)(first + 1 - m.text.p), "\"id\":\"identity--8611aa5f", 23));
    end(&m);
}

static void
messages_come_as_they_went(void **state)
{
    struct buf body = buf_new(BYTES);
    struct mail_task told;
    struct mail_made made;
    struct mail_parcel parcel;
    struct mail_sent sent;
    struct err err;

    (void)state;
    mail_task_add(&body, &task);
    assert_int_equal(mail_task_take(buf_span(&body), &told, &err), 0);
    assert_true(span_equal(told.name, task.name) && span_equal(told.reply, task.reply));
    assert_int_equal(told.max_bytes, task.max_bytes);
    for (size_t n = 0; n < body.n; n++)
        assert_int_equal(mail_task_take((struct span){body.p, n}, &told, &err), ERR_INTERNAL);
    body.n = 0;
    mail_made_add(&body, &(struct mail_made){3, MAIL_REFUSED, SPAN("why")});
    assert_int_equal(mail_made_take(buf_span(&body), &made, &err), 0);
    assert_int_equal(made.outcome, MAIL_REFUSED);
    body.n = 0;
    mail_parcel_add(&body, &(struct mail_parcel){3, 4, SPAN("a@b"), SPAN("c@d")});
    assert_int_equal(mail_parcel_take(buf_span(&body), &parcel, &err), 0);
    assert_true(span_equal(parcel.to, SPAN("c@d")));
    body.n = 0;
    mail_sent_add(&body, &(struct mail_sent){3, MAIL_LATER, 451, SPAN("later")});
    assert_int_equal(mail_sent_take(buf_span(&body), &sent, &err), 0);
    assert_int_equal(sent.code, 451);
    buf_free(&body);
}

static int
begin(void **state)
{
    (void)state;
    mail_mime_begin();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_hold_nothing_else),
        cmocka_unit_test(a_mail_says_what_it_is),
        cmocka_unit_test(no_name_becomes_a_header),
        cmocka_unit_test(a_table_is_no_program),
        cmocka_unit_test(recalls_are_said),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(objects_are_told_apart),
        cmocka_unit_test(messages_come_as_they_went),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
