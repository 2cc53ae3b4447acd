#include "edge/mail_mime.h"

#include "edge/coding.h"
#include "edge/mail_pgp.h"
#include "edge/mail_text.h"

#include <gmime/gmime.h>

enum {
    PACK_BYTES = 64 * 1024, /* an attachment beyond it is packed */
    SUBJECT_BYTES = 4096,
    TEXT_BYTES = 256 * 1024,
    HEADER_BYTES = 1024,
    NAME_BYTES = 64,
};
static const int64_t second_us = 1000000;

void
mail_mime_begin(void)
{
    g_mime_init();
}

/* ---- parts ---- */

static void
set_content(GMimePart *part, struct span bytes)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes.p, bytes.n);
    GMimeDataWrapper *content =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

    g_mime_part_set_content(part, content);
    g_object_unref(content);
    g_object_unref(stream);
}

static GMimeObject *
text_part(const struct buf *text)
{
    GMimePart *part = g_mime_part_new_with_type("text", "plain");

    g_mime_object_set_content_type_parameter((GMimeObject *)part, "charset", "utf-8");
    set_content(part, buf_span(text));
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    return (GMimeObject *)part;
}

static GMimeObject *
attachment(const char *type, const char *subtype, const char *name, struct span bytes)
{
    GMimePart *part = g_mime_part_new_with_type(type, subtype);

    set_content(part, bytes);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
    g_mime_object_set_disposition((GMimeObject *)part, GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(part, name);
    return (GMimeObject *)part;
}

/* NAME, or NAME.gz where it is large. */
static int
attach(GMimeMultipart *to, const char *subtype, const char *type, const char *name,
    struct span bytes, struct err *err)
{
    struct buf packed = buf_new(MAIL_BYTES);
    char gz[NAME_BYTES];
    int rc = 0;

    (void)snprintf(gz, sizeof gz, "%s.gz", name);
    bool pack = bytes.n > PACK_BYTES;
    if (pack)
        rc = coding_gzip(bytes, CODING_USUAL, &packed, err);
    if (rc == 0) {
        GMimeObject *part = pack ? attachment("application", "gzip", gz, buf_span(&packed))
                                 : attachment(type, subtype, name, bytes);
        g_mime_multipart_add(to, part);
        g_object_unref(part);
    }
    buf_free(&packed);
    return rc;
}

/* Text and attachments: what is signed and encrypted. */
static int
content(const struct mail_task *task, const struct mail_bundle *bundle, struct span csv,
    GMimeObject **out, struct err *err)
{
    GMimeMultipart *all = g_mime_multipart_new_with_subtype("mixed");
    struct buf text = buf_new(TEXT_BYTES);

    mail_text(&text, task, bundle,
        csv.n == 0               ? NULL
            : csv.n > PACK_BYTES ? "reports.csv.gz"
                                 : "reports.csv",
        bundle->text.n > PACK_BYTES ? "bundle.json.gz" : "bundle.json");
    int rc = buf_check(&text, "a mail's text", err);
    if (rc == 0) {
        GMimeObject *part = text_part(&text);
        g_mime_multipart_add(all, part);
        g_object_unref(part);
    }
    if (rc == 0 && csv.n > 0)
        rc = attach(all, "csv", "text", "reports.csv", csv, err);
    if (rc == 0)
        rc = attach(all, "json", "application", "bundle.json", bundle->text, err);
    buf_free(&text);
    *out = (GMimeObject *)all;
    return rc;
}

/* ---- the message ---- */

static int
check_addresses(const struct mail_task *task, struct err *err)
{
    const struct span all[] = {task->from, task->to, task->reply};
    static const char *const what[] = {"mail.from", "the team's address", "mail.reply"};

    for (size_t i = 0; i < 3; i++)
        if (!mail_is_address(all[i]))
            return err_set(
                err, ERR_BAD_VALUE, "%s is no address: \"%.*s\"", what[i], SPAN_ARGS(all[i]));
    return 0;
}

static void
add_mailbox(GMimeMessage *message, GMimeAddressType type, struct span name, struct span address)
{
    char *words = name.n == 0 ? NULL : g_strndup(name.p, name.n);
    char *at = g_strndup(address.p, address.n);

    /* A name for people, on one line. */
    for (char *c = words; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    g_mime_message_add_mailbox(message, type, words, at);
    g_free(words);
    g_free(at);
}

/* Ours, of checked pieces: no encoding may touch an id. */
static void
add_header(GMimeMessage *message, const char *name, const char *value)
{
    g_mime_object_append_header((GMimeObject *)message, name, value, "us-ascii");
}

/* The mails that this one takes up again (RFC 5322, 3.6.4). */
static void
add_references(GMimeMessage *message, struct span ids)
{
    struct buf all = buf_new(MAIL_REFERENCES_MAX * (HEADER_BYTES + 4));
    struct span id;
    bool first = true;

    while (span_next(&ids, ' ', &id)) {
        struct buf one = buf_new(HEADER_BYTES);
        buf_format(&one, "<%.*s>", (int)id.n, id.p);
        buf_add_char(&one, '\0');
        if (first && !one.full)
            add_header(message, "In-Reply-To", one.p);
        buf_format(&all, "%s<%.*s>", first ? "" : " ", (int)id.n, id.p);
        buf_free(&one);
        first = false;
    }
    buf_add_char(&all, '\0');
    if (!first && !all.full)
        add_header(message, "References", all.p);
    buf_free(&all);
}

static void
add_date(GMimeMessage *message, int64_t date_us)
{
    GDateTime *date = g_date_time_new_from_unix_utc(date_us / second_us);

    if (date == NULL)
        return;
    g_mime_message_set_date(message, date);
    g_date_time_unref(date);
}

static int
add_headers(GMimeMessage *message, const struct mail_task *task, const struct mail_bundle *bundle,
    struct err *err)
{
    struct buf subject = buf_new(SUBJECT_BYTES);
    char *id = g_strndup(task->message_id.p, task->message_id.n);
    char *batch = g_strndup(task->batch.p, task->batch.n);

    mail_subject(&subject, task, bundle);
    buf_add_char(&subject, '\0');
    add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, task->own_name, task->from);
    add_mailbox(message, GMIME_ADDRESS_TYPE_TO, task->name, task->to);
    if (!span_equal(task->reply, task->from))
        add_mailbox(message, GMIME_ADDRESS_TYPE_REPLY_TO, SPAN(""), task->reply);
    if (!subject.full)
        g_mime_message_set_subject(message, subject.p, "utf-8");
    add_date(message, task->date_us);
    g_mime_message_set_message_id(message, id);
    add_references(message, task->references);
    add_header(message, "Auto-Submitted", "auto-generated"); /* RFC 3834, section 5 */
    add_header(message, "X-Comity-Batch", batch);
    int rc = buf_check(&subject, "a mail's subject", err);
    buf_free(&subject);
    g_free(id);
    g_free(batch);
    return rc;
}

static int
write_out(GMimeMessage *message, const struct mail_task *task, struct buf *out, struct err *err)
{
    GMimeFormatOptions *format = g_mime_format_options_new();
    GMimeStream *stream = g_mime_stream_mem_new();
    int rc = 0;

    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    if (g_mime_object_write_to_stream((GMimeObject *)message, format, stream) < 0)
        rc = err_set(err, ERR_NO_MEMORY, "the mail could not be written");
    GByteArray *bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)stream);
    if (rc == 0 && bytes->len > task->max_bytes)
        rc = err_set(err, ERR_LIMIT, "the mail has %u bytes, more than mail.max-bytes", bytes->len);
    if (rc == 0) {
        buf_add(out, (const char *)bytes->data, bytes->len);
        rc = buf_check(out, "a mail", err);
    }
    g_object_unref(stream);
    g_mime_format_options_free(format);
    return rc;
}

int
mail_mime(const struct mail_task *task, const struct mail_bundle *bundle, struct span csv,
    struct mail_pgp *pgp, struct buf *out, struct err *err)
{
    GMimeObject *inner = NULL;
    GMimeObject *outer = NULL;
    int rc = check_addresses(task, err);

    if (rc == 0)
        rc = content(task, bundle, csv, &inner, err);
    if (rc == 0 && pgp == NULL)
        outer = (GMimeObject *)g_object_ref(inner);
    else if (rc == 0)
        rc = mail_pgp_seal(pgp, task, inner, &outer, err);
    if (rc == 0) {
        GMimeMessage *message = g_mime_message_new(TRUE);
        rc = add_headers(message, task, bundle, err);
        g_mime_message_set_mime_part(message, outer);
        if (rc == 0)
            rc = write_out(message, task, out, err);
        g_object_unref(message);
    }
    if (outer != NULL)
        g_object_unref(outer);
    if (inner != NULL)
        g_object_unref(inner);
    return rc;
}
