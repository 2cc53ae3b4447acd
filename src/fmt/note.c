#include "fmt/note.h"

#include "base/base64.h"
#include "fmt/lines.h"

#include <sodium.h>

#define DASH "\xe2\x80\x94 "
enum {
    DASH_BYTES = 4,
    ID_BYTES = 4,
    TIME_BYTES = 8,
    SIGNATURE_BYTES = crypto_sign_BYTES,
    ANY_SIGNATURE_BYTES = 8192, /* of unknown kinds, decoded */
};

/* ---- reading ---- */

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_NOTE, "no signed note: %s", what);
}

static bool
text_is(struct span text)
{
    if (text.n == 0 || text.p[text.n - 1] != '\n' || !span_is_utf8(text))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' && text.p[i] != '\n')
            return false;
    return true;
}

/* "— NAME BASE64". */
static bool
read_line(struct span line, struct note_line *out)
{
    uint8_t bytes[ANY_SIGNATURE_BYTES];
    size_t n;

    if (!span_starts(line, SPAN(DASH)))
        return false;
    struct span rest = {line.p + DASH_BYTES, line.n - DASH_BYTES};
    if (!span_next(&rest, ' ', &out->name) || !note_name_is(out->name)
        || !base64_read(rest, bytes, sizeof bytes, &n) || n <= ID_BYTES)
        return false;
    out->signature = rest;
    out->whole = (struct span){line.p, line.n + 1};
    out->id =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

/* Where the text ends: the last empty line, which a newline comes before. */
static bool
split(struct span bytes, struct span *text, struct span *lines)
{
    for (size_t i = bytes.n; i >= 2; i--)
        if (bytes.p[i - 1] == '\n' && bytes.p[i - 2] == '\n') {
            *text = (struct span){bytes.p, i - 1};
            *lines = (struct span){bytes.p + i, bytes.n - i};
            return true;
        }
    return false;
}

int
note_read(struct span bytes, struct note *out, struct err *err)
{
    struct span rest;
    struct span line;

    out->count = 0;
    if (bytes.n > NOTE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a note of more than %d bytes", NOTE_BYTES_MAX);
    if (!text_is(bytes))
        return bad(err, "it is UTF-8 text in lines that end in a newline, without other controls");
    if (!split(bytes, &out->text, &rest) || rest.n == 0)
        return bad(err, "behind the text stand an empty line and lines of signatures");
    while (lines_next(&rest, &line)) {
        if (out->count == NOTE_LINES_MAX)
            return err_set(err, ERR_LIMIT, "a note of more than %d signatures", NOTE_LINES_MAX);
        if (!read_line(line, &out->lines[out->count++]))
            return bad(err, "a signature is a dash (U+2014), a name and base64, a space between");
    }
    return 0;
}

/* ---- what is signed ---- */

/* A cosignature's message begins with lines of its own, so that neither is taken for the other. */
static struct span
message(struct buf *out, struct span text, uint8_t algorithm, uint64_t time_s)
{
    if (algorithm != NOTE_COSIGNATURE)
        return text;
    buf_add_text(out, "cosignature/v1\ntime ");
    buf_add_u64(out, time_s);
    buf_add_char(out, '\n');
    buf_add_span(out, text);
    return out->full ? (struct span){"", 0} : buf_span(out);
}

static size_t
prefix_bytes(uint8_t algorithm)
{
    return ID_BYTES + (algorithm == NOTE_COSIGNATURE ? TIME_BYTES : 0);
}

/* ---- checking ---- */

static uint64_t
read_time(const uint8_t *bytes)
{
    uint64_t time = 0;

    for (int i = 0; i < TIME_BYTES; i++)
        time = time << 8 | bytes[i];
    return time;
}

enum note_found
note_check_line(
    struct span text, const struct note_line *line, const struct note_key *key, uint64_t *time_s)
{
    uint8_t bytes[ID_BYTES + TIME_BYTES + SIGNATURE_BYTES];
    size_t prefix = prefix_bytes(key->algorithm);
    struct buf whole = buf_new(NOTE_BYTES_MAX + 64);
    uint64_t time = 0;

    if (line->id != key->id || !span_equal(line->name, key->name))
        return NOTE_ABSENT;
    if (!base64_exact(line->signature, bytes, prefix + SIGNATURE_BYTES))
        return NOTE_WRONG;
    if (key->algorithm == NOTE_COSIGNATURE)
        time = read_time(bytes + ID_BYTES);
    struct span signed_text = message(&whole, text, key->algorithm, time);
    bool good = time <= INT64_MAX && signed_text.n > 0
        && crypto_sign_verify_detached(
               bytes + prefix, (const unsigned char *)signed_text.p, signed_text.n, key->public)
            == 0;
    buf_free(&whole);
    if (good && time_s != NULL)
        *time_s = time;
    return good ? NOTE_GOOD : NOTE_WRONG;
}

enum note_found
note_check(const struct note *note, const struct note_key *key, uint64_t *time_s)
{
    enum note_found found = NOTE_ABSENT;

    for (size_t i = 0; i < note->count; i++) {
        enum note_found one = note_check_line(note->text, &note->lines[i], key, time_s);
        if (one == NOTE_WRONG)
            return NOTE_WRONG;
        if (one == NOTE_GOOD)
            found = NOTE_GOOD;
    }
    return found;
}

/* ---- writing ---- */

int
note_begin(struct buf *out, struct span text, struct err *err)
{
    if (!text_is(text))
        return bad(err, "its text is UTF-8 in lines that end in a newline, without controls");
    buf_add_span(out, text);
    buf_add_char(out, '\n');
    return buf_check(out, "the note", err);
}

int
note_sign(struct buf *out, struct span text, const struct note_signer *signer, uint64_t time_s,
    struct err *err)
{
    uint8_t bytes[ID_BYTES + TIME_BYTES + SIGNATURE_BYTES];
    const struct note_key *key = &signer->key;
    struct buf whole = buf_new(NOTE_BYTES_MAX + 64);
    size_t prefix = prefix_bytes(key->algorithm);

    if (key->algorithm == NOTE_COSIGNATURE && (time_s == 0 || time_s > INT64_MAX))
        return err_set(err, ERR_BAD_TIME, "a cosignature has a time");
    struct span signed_text = message(&whole, text, key->algorithm, time_s);
    for (int i = 0; i < ID_BYTES; i++)
        bytes[i] = (uint8_t)(key->id >> (24 - 8 * i));
    for (int i = 0; i < TIME_BYTES; i++)
        bytes[ID_BYTES + i] = (uint8_t)(time_s >> (56 - 8 * i));
    (void)crypto_sign_detached(
        bytes + prefix, NULL, (const unsigned char *)signed_text.p, signed_text.n, signer->secret);
    buf_add_text(out, DASH);
    buf_add_span(out, key->name);
    buf_add_char(out, ' ');
    base64_add(out, bytes, prefix + SIGNATURE_BYTES);
    buf_add_char(out, '\n');
    int rc = buf_check(&whole, "the text to be cosigned", err);
    buf_free(&whole);
    return rc != 0 ? rc : buf_check(out, "the note", err);
}

int
note_make(struct buf *out, struct span text, const struct note_signer *signer, struct err *err)
{
    int rc = note_begin(out, text, err);

    return rc == 0 ? note_sign(out, text, signer, 0, err) : rc;
}
