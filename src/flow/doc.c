#include "flow/doc.h"

#include "base/base64.h"
#include "base/time.h"
#include "model/words.h"
#include "sys/lent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { WHY_BYTES = 512, DOC_TIME_MAX = 64, DOC_BASE64_MAX = 128 };

void
doc_fault(struct doc *doc, const char *key, const char *format, ...)
{
    char text[WHY_BYTES];
    char words[WHY_BYTES];
    va_list args;

    if (doc->why.n > 0 && doc->listener == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (doc->listener != NULL)
        doc->listener->hear(doc->listener->ctx, doc->file, doc->place, key, span_of(words));
    if (doc->why.n > 0)
        return;
    int n = snprintf(text, sizeof text, "%.*s%s%s%s%s: %s", SPAN_ARGS(doc->file),
        doc->place[0] != '\0' ? ", " : "", doc->place, key[0] != '\0' ? ", " : "", key, words);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    const char *copy = arena_copy(doc->arena, text, length);
    doc->full |= copy == NULL;
    doc->why = copy != NULL ? (struct span){copy, length} : SPAN("out of memory");
}

void *
doc_alloc(struct doc *doc, size_t count, size_t size)
{
    void *p = arena_zalloc(doc->arena, count, size);

    doc->full |= p == NULL;
    return p;
}

static void
unknown_key(struct doc *doc, struct span key, const struct doc_key *keys, size_t count)
{
    char list[WHY_BYTES] = "";
    size_t n = 0;

    for (size_t i = 0; i < count && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", keys[i].name);
    doc_fault(
        doc, "", "\"%.*s\" is no key of this language; the keys are %s", SPAN_ARGS(key), list);
}

static size_t
find_key(struct span key, const struct doc_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(key, span_of(keys[i].name)))
            return i;
    return count;
}

bool
doc_object(struct doc *doc, struct json_value value, const struct doc_key *keys, size_t count,
    void *target, bool *seen)
{
    uint64_t met = 0;
    bool good = true;
    struct json_value item;
    struct span key;

    memset(seen, 0, count * sizeof *seen);
    if (json_type(value) != JSON_OBJECT) {
        doc_fault(doc, "", "is no JSON object; write {\"%s\": ...}", keys[0].name);
        return false;
    }
    for (struct json_iter it = json_iter(value); json_next(&it, &key, &item);) {
        size_t k = find_key(key, keys, count);
        if (k == count) {
            unknown_key(doc, key, keys, count);
            good = false;
        } else if ((met >> k & 1) != 0) {
            doc_fault(doc, keys[k].name, "is given twice; keep one");
            seen[k] = good = false;
        } else {
            seen[k] = keys[k].read(doc, keys[k].name, item, target);
            met |= (uint64_t)1 << k;
        }
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].wanted != NULL && (met >> k & 1) == 0) {
            doc_fault(doc, keys[k].name, "is missing; %s", keys[k].wanted);
            good = false;
        }
    return good;
}

bool
doc_text(struct doc *doc, const char *key, struct json_value value, size_t max, struct span *out)
{
    if (json_type(value) != JSON_STRING) {
        doc_fault(doc, key, "is no text; write it in quotes");
        return false;
    }
    struct span text = json_string(value);
    if (text.n == 0 || text.n > max) {
        doc_fault(doc, key, "has %zu bytes; write 1 to %zu", text.n, max);
        return false;
    }
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n' && text.p[i] != '\t') {
            doc_fault(doc, key, "holds a control byte; leave it out");
            return false;
        }
    const char *copy = arena_copy(doc->arena, text.p, text.n);
    doc->full |= copy == NULL;
    *out = (struct span){copy, copy != NULL ? text.n : 0};
    return copy != NULL;
}

bool
doc_bool(struct doc *doc, const char *key, struct json_value value, bool *out)
{
    enum json_type type = json_type(value);

    if (type != JSON_TRUE && type != JSON_FALSE) {
        doc_fault(doc, key, "is neither true nor false");
        return false;
    }
    *out = type == JSON_TRUE;
    return true;
}

int
doc_word(struct doc *doc, const char *key, struct json_value value, const char *const *words,
    size_t count)
{
    char list[WHY_BYTES] = "";
    size_t n = 0;
    bool text = json_type(value) == JSON_STRING;

    for (size_t i = 0; text && i < count; i++)
        if (span_equal(json_string(value), span_of(words[i])))
            return (int)i;
    for (size_t i = 0; i < count && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", words[i]);
    struct span given = text ? json_string(value) : SPAN("");
    doc_fault(doc, key, "\"%.*s\" is not one of: %s", SPAN_ARGS(given), list);
    return -1;
}

int64_t
doc_list(struct doc *doc, const char *key, struct json_value value)
{
    int64_t count = 0;
    struct json_value item;
    struct span none;

    if (json_type(value) != JSON_ARRAY) {
        doc_fault(doc, key, "is no list; write [...]");
        return -1;
    }
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item);)
        count++;
    if (count > DOC_LIST_MAX) {
        doc_fault(
            doc, key, "has %lld entries; at most %d are read", (long long)count, DOC_LIST_MAX);
        return -1;
    }
    return count;
}

bool
doc_texts(struct doc *doc, const char *key, struct json_value value, size_t max,
    const struct span **out, size_t *count)
{
    int64_t n = doc_list(doc, key, value);
    struct json_value item;
    struct span none;
    size_t i = 0;

    struct span *texts = n < 0 ? NULL : doc_alloc(doc, (size_t)n, sizeof *texts);
    if (texts == NULL)
        return false;
    bool good = true;
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item);)
        good = doc_text(doc, key, item, max, &texts[i++]) && good;
    *out = good ? texts : NULL;
    *count = good ? i : 0;
    return good;
}

bool
doc_shape(struct span text, const char *shape)
{
    if (text.n != strlen(shape))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool digit = c >= '0' && c <= '9';
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (shape[i] == '0' ? !digit : shape[i] == 'x' ? !hex : c != shape[i])
            return false;
    }
    return true;
}

bool
doc_base64(struct doc *doc, const char *key, struct json_value value, uint8_t *out, size_t size)
{
    struct span text;

    if (!doc_text(doc, key, value, DOC_BASE64_MAX, &text))
        return false;
    if (base64_exact(text, out, size))
        return true;
    doc_fault(doc, key, "must be %zu bytes in base64 (RFC 4648, section 4)", size);
    return false;
}

bool
doc_tlp(struct doc *doc, const char *key, struct json_value value, uint8_t *out)
{
    struct span text;

    if (!doc_text(doc, key, value, DOC_TEXT_MAX, &text))
        return false;
    enum tlp tlp = tlp_find(text);
    if (tlp == TLP_UNKNOWN)
        doc_fault(doc, key,
            "\"%.*s\" is no label of TLP 2.0; write clear, green, amber, amber+strict or red",
            SPAN_ARGS(text));
    *out = (uint8_t)tlp;
    return tlp != TLP_UNKNOWN;
}

/* Stricter than time_parse: what an agreement means must not hang on a guess. */
bool
doc_time(struct doc *doc, const char *key, struct json_value value, int64_t *out)
{
    struct span text;
    struct err err;

    if (!doc_text(doc, key, value, DOC_TIME_MAX, &text))
        return false;
    struct span clock = {text.p + 19, text.n > 19 ? text.n - 19 : 0};
    bool good = doc_shape(text, "0000-00-00");
    if (!good && text.n > 19 && doc_shape((struct span){text.p, 19}, "0000-00-00T00:00:00")) {
        size_t digits = 0;
        while (clock.p[0] == '.' && digits + 1 < clock.n && clock.p[digits + 1] >= '0'
            && clock.p[digits + 1] <= '9')
            digits++;
        size_t used = digits > 0 ? digits + 1 : 0;
        struct span zone = {clock.p + used, clock.n - used};
        good = digits <= 6
            && (span_equal(zone, SPAN("Z")) || doc_shape(zone, "+00:00")
                || doc_shape(zone, "-00:00"));
    }
    if (!good)
        doc_fault(doc, key, "\"%.*s\" is no date; write 2026-01-31 or 2026-01-31T12:00:00Z",
            SPAN_ARGS(text));
    else if (time_parse(text, out, &err) != 0) {
        doc_fault(doc, key, "%s", err.msg);
        good = false;
    }
    return good;
}

/* Of a pipe the length is known only at its end. */
static int
read_pipe(struct arena *arena, FILE *file, const char *path, struct span *out, struct err *err)
{
    struct buf text = buf_new(DOC_FILE_BYTES_MAX);
    char chunk[8192];
    size_t n;
    int rc = 0;

    while (!text.full && (n = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(&text, chunk, n);
    if (text.full)
        rc = err_set(err, ERR_LIMIT, "%s has more bytes than the %d that are read", path,
            DOC_FILE_BYTES_MAX);
    else if (ferror(file) != 0)
        rc = err_set(err, ERR_IO, "%s cannot be read to its end", path);
    char *bytes = rc == 0 ? arena_copy(arena, text.p, text.n) : NULL;
    if (rc == 0 && bytes == NULL)
        rc = arena_full(err, path);
    *out = (struct span){bytes, rc == 0 ? text.n : 0};
    buf_free(&text);
    return rc;
}

static int
read_all(struct arena *arena, FILE *file, const char *path, struct span *out, struct err *err)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size < 0 && errno == ESPIPE)
        return read_pipe(arena, file, path, out, err);
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return err_set(err, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    if (size > DOC_FILE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s has %ld bytes; at most %d are read", path, size,
            DOC_FILE_BYTES_MAX);
    char *bytes = arena_alloc(arena, (size_t)size + 1);
    if (bytes == NULL)
        return arena_full(err, path);
    size_t n = fread(bytes, 1, (size_t)size, file);
    if (n != (size_t)size || ferror(file) != 0)
        return err_set(err, ERR_IO, "%s cannot be read to its end", path);
    bytes[n] = '\0';
    *out = (struct span){bytes, n};
    return 0;
}

int
doc_file(struct arena *arena, const char *path, struct span *out, struct err *err)
{
    int fd = lent_open(path, 0);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");

    if (file == NULL && fd >= 0)
        (void)close(fd);
    if (file == NULL)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s cannot be opened: %s",
            path, strerror(errno));
    int rc = read_all(arena, file, path, out, err);
    (void)fclose(file);
    return rc;
}
