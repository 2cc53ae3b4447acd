#include "fmt/render.h"

#include "fmt/json.h"
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

/* Room for NAME and N bytes of text in the worst case: every byte escaped. */
static inline bool
has_room(const struct buf *out, size_t name, size_t n)
{
    return out->size - out->n >= name + 8 + 6 * n;
}

/* Fewer than 8 bytes, as one word: what is not text in it is no byte to escape. */
static inline bool
copy_short(char *to, const char *p, size_t n)
{
    uint64_t w = 0x2020202020202020u;
    uint32_t head;
    uint32_t tail;

    if (n >= 4) {
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + n - 4, &tail, 4);
        return !json_eight_must_escape((uint64_t)head << 32 | tail);
    }
    for (size_t i = 0; i < n; i++) {
        w = w << 8 | (unsigned char)p[i];
        to[i] = p[i];
    }
    return !json_eight_must_escape(w);
}

/* Copy N bytes at P if none needs an escape; 8 at a time, the last 8 overlapping. */
static inline bool
copy_plain(char *to, const char *p, size_t n)
{
    uint64_t w;

    if (n < 8)
        return copy_short(to, p, n);
    for (size_t i = 0; i + 8 < n; i += 8) {
        memcpy(&w, p + i, 8);
        if (json_eight_must_escape(w))
            return false;
        memcpy(to + i, &w, 8);
    }
    memcpy(&w, p + n - 8, 8);
    memcpy(to + n - 8, &w, 8);
    return !json_eight_must_escape(w);
}

static inline void
render_text(struct buf *out, const struct field *field)
{
    char *at = out->p + out->n;

    if (has_room(out, 0, field->n) && copy_plain(at + 1, field->s, field->n)) {
        at[0] = '"';
        at[field->n + 1] = '"';
        out->n += field->n + 2;
        return;
    }
    json_add_string(out, (struct span){field->s, field->n});
}

static inline void
render_name(struct buf *out, const struct field *field)
{
    if (field->id == FIELD_OTHER) {
        json_add_string(out, field->name);
        buf_add_char(out, ':');
        return;
    }
    const struct key *key = &keys[field->id];
    if (!has_room(out, KEY_BYTES, 0)) {
        buf_add(out, key->text, key->n);
        return;
    }
    memcpy(out->p + out->n, key->text, KEY_MOST);
    if (key->n > KEY_MOST)
        memcpy(out->p + out->n + KEY_MOST, key->text + KEY_MOST, KEY_BYTES - KEY_MOST);
    out->n += key->n;
}

static inline void
render_member(struct buf *out, const struct field *field)
{
    render_name(out, field);
    switch ((enum value_type)field->type) {
    case VALUE_TEXT:
        render_text(out, field);
        break;
    case VALUE_INT:
        buf_add_i64(out, field->i);
        break;
    case VALUE_UINT:
        buf_add_u64(out, field->u);
        break;
    case VALUE_FLOAT:
        json_add_float(out, field->d);
        break;
    case VALUE_BOOL:
        buf_add_text(out, field->b ? "true" : "false");
        break;
    case VALUE_JSON:
        buf_add(out, field->s, field->n);
        break;
    }
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
    for (uint32_t i = 0; i < report->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        render_member(out, &report->fields[i]);
    }
    buf_add(out, "}\n", 2);
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
        render_member(out, fields[i]);
        buf_add_char(out, ',');
    }
    char *at = buf_reserve(out, sizeof tail->text);
    if (at == NULL)
        return;
    memcpy(at, tail->text, sizeof tail->text);
    out->n += tail->n;
}
