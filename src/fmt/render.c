#include "fmt/render.h"

#include "fmt/value.h"
#include "fmt/writer.h"

/* `"name":` of every known field, filled up so that copies of a fixed size do it. */
enum { KEY_BYTES = 48, KEY_MOST = 32 };
static const struct key {
    char text[KEY_BYTES];
    uint8_t n;
} keys[FIELD_COUNT] = {
#define FIELD(name, idf, type, class) [FIELD_##name] = {"\"" idf "\":", sizeof(idf) + 2},
#include "tables/fields.def"
#undef FIELD
};
#define FIELD(name, idf, type, class)                                                              \
    _Static_assert(sizeof(idf) + 2 <= KEY_BYTES, "KEY_BYTES is too small for " idf);
#include "tables/fields.def"
#undef FIELD

/* Sixteen bytes; false if one needs an escape. */
static inline bool
copy_sixteen(char *to, const char *p)
{
    uint64_t head;
    uint64_t tail;

    memcpy(&head, p, 8);
    memcpy(&tail, p + 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + 8, &tail, 8);
    return !json_eight_must_escape(head) && !json_eight_must_escape(tail);
}

/* 4 to 16 bytes, without a branch on their number. */
static inline bool
copy_words(char *to, const char *p, size_t n)
{
    const struct two_words words = two_words(p, n);
    const uint32_t parts[4] = {(uint32_t)(words.head >> 32), (uint32_t)words.head,
        (uint32_t)(words.tail >> 32), (uint32_t)words.tail};
    size_t half = n >> 3 << 2;

    memcpy(to, &parts[0], 4);
    memcpy(to + half, &parts[1], 4);
    memcpy(to + n - 4 - half, &parts[3], 4);
    memcpy(to + n - 4, &parts[2], 4);
    return !json_eight_must_escape(words.head) && !json_eight_must_escape(words.tail);
}

/* Copy N bytes at P if none needs an escape. */
static inline bool
copy_plain(char *to, const char *p, size_t n)
{
    bool plain = true;

    if (n >= 4 && n <= 16)
        return copy_words(to, p, n);
    if (n < 4) {
        for (size_t i = 0; i < n; i++) {
            to[i] = p[i];
            plain = plain && !json_must_escape((unsigned char)p[i]);
        }
        return plain;
    }
    for (size_t i = 0; plain && i + 16 < n; i += 16)
        plain = copy_sixteen(to + i, p + i);
    return plain && copy_sixteen(to + n - 16, p + n - 16);
}

/* VALUE, below 100 000. */
static inline char *
write_small(char *to, uint32_t value)
{
    unsigned n = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10000 ? 4 : 5;

    for (unsigned i = n; i > 0; i--, value /= 10)
        to[i - 1] = (char)('0' + value % 10);
    return to + n;
}

static inline char *
write_name(char *to, const struct field *field)
{
    if (field->id == FIELD_OTHER) {
        if (!copy_plain(to + 1, field->name.p, field->name.n))
            return NULL;
        *to = '"';
        memcpy(to + 1 + field->name.n, "\":", 2);
        return to + field->name.n + 3;
    }
    const struct key *key = &keys[field->id];
    memcpy(to, key->text, KEY_MOST);
    if (key->n > KEY_MOST)
        memcpy(to + KEY_MOST, key->text + KEY_MOST, KEY_BYTES - KEY_MOST);
    return to + key->n;
}

/* Bytes that write_usual may write. */
static inline size_t
usual_bytes(const struct field *field)
{
    return KEY_BYTES + 16 + field->n + (field->id == FIELD_OTHER ? field->name.n : 0);
}

/* `"name":value` if no byte needs an escape and the value is text or a small number, as nearly all
 * are. The end of it, or NULL: render_member does it. */
static inline char *
write_usual(char *to, const struct field *field)
{
    if (field->type != VALUE_TEXT && (field->type != VALUE_INT || field->u >= 100000))
        return NULL;
    to = write_name(to, field);
    if (to == NULL || field->type == VALUE_INT)
        return to == NULL ? NULL : write_small(to, (uint32_t)field->i);
    if (!copy_plain(to + 1, field->s, field->n))
        return NULL;
    to[0] = to[field->n + 1] = '"';
    return to + field->n + 2;
}

static void
render_member(struct buf *out, const struct field *field)
{
    json_add_string(out, field->name);
    buf_add_char(out, ':');
    value_add(out, field);
}

/* The field and what stands behind it. */
static inline void
add_member(struct buf *out, const struct field *field, char behind)
{
    size_t most = usual_bytes(field);
    char *end = out->size - out->n >= most ? write_usual(out->p + out->n, field) : NULL;

    if (end == NULL) {
        render_member(out, field);
        buf_add_char(out, behind);
        return;
    }
    *end = behind;
    out->n = (size_t)(end + 1 - out->p);
}

void
render_field(struct buf *out, const struct field *field)
{
    render_member(out, field);
}

void
render_idf(struct buf *out, const struct report *report)
{
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < report->count; i++)
        add_member(out, &report->fields[i], i + 1 < report->count ? ',' : '}');
    buf_add(out, report->count == 0 ? "}\n" : "\n", report->count == 0 ? 2 : 1);
}

/* How a line ends: its label, in TLP 2.0's words whatever the input called it, and always. */
static const struct tail {
    char text[31];
    uint8_t n;
} tails[] = {
#define TLP(name, word, label) {"\"tlp\":\"" label "\"}\n", sizeof(label) + 9},
#include "tables/policy.def"
#undef TLP
};

void
idf_write(struct buf *out, const struct redacted *redacted)
{
    const struct tail *tail = &tails[redacted_tlp(redacted)];
    size_t count;
    const struct field *const *fields = redacted_fields(redacted, &count);

    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (fields[i]->id == FIELD_TLP)
            continue;
        add_member(out, fields[i], ',');
    }
    char *at = buf_reserve(out, sizeof tail->text);
    if (at == NULL)
        return;
    memcpy(at, tail->text, sizeof tail->text);
    out->n += tail->n;
}
