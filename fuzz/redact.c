/* Redaction: whatever a report holds, what was removed of it is not repeated in what is left.
 * The first bytes choose what is removed; the rest is read as IDF. */
#include "fuzz.h"

#include "flow/redact.h"
#include "fmt/reader.h"
#include "fmt/writer.h"

struct look {
    struct verdict verdict;
    struct arena *arena;
    struct buf out;
};

/* Is V in TEXT, apart from what stands for removed values? */
static bool
is_in(struct span text, struct span v)
{
    static const struct span mark = {"[removed]", 9};
    const char *at = text.p;

    for (const char *end = text.p + text.n; at < end;) {
        const char *next = memmem(at, (size_t)(end - at), mark.p, mark.n);
        const char *to = next == NULL ? end : next;
        if (memmem(at, (size_t)(to - at), v.p, v.n) != NULL)
            return true;
        at = next == NULL ? end : next + mark.n;
    }
    return false;
}

static bool
is_text(const struct field *field)
{
    return field->type == VALUE_TEXT
        && (field->id == FIELD_OTHER || field->class == FIELD_CLASS_TEXT);
}

/* Stands V for itself in JSON, and can be no part of a number or of true, false, null? */
static bool
is_plain(struct span v)
{
    bool word = false;

    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '@' && c != '-' && c != '_')
            return false;
        word = word || c == '@' || c == '_' || (letter && strchr("truefalsnE", c) == NULL);
    }
    return word;
}

static bool
is_json(const struct field *field)
{
    return field->type == VALUE_JSON
        && (field->id == FIELD_OTHER || field->class == FIELD_CLASS_TEXT);
}

/* What is text through and through, and JSON; URLs are cut, not searched to the byte. */
static void
check(const struct look *look, const struct field *gone, const struct redacted *left)
{
    struct span v = {gone->s, gone->n};

    if (gone->type != VALUE_TEXT || v.n < 4 || gone->id == FIELD_OTHER
        || gone->class == FIELD_CLASS_TEXT || gone->class == FIELD_CLASS_OPEN
        || verdict_treatment(&look->verdict, (enum field_class)gone->class) != TREATMENT_REMOVE)
        return;
    for (size_t i = 0; i < redacted_count(left); i++) {
        const struct field *f = redacted_field(left, i);
        const struct span kept = {f->s, f->n};
        MUST(!is_text(f) || !is_in(kept, v));
        MUST(!is_json(f) || !is_plain(v) || !is_in(kept, v));
    }
}

static int
take(void *ctx, const struct report *report, struct err *err)
{
    static const struct release_note note = {.origin = {"own", 3}, .recipient = {"their", 5}};
    struct look *look = ctx;
    const struct redact_means means = {0};
    const struct redacted *left = NULL;

    (void)err;
    arena_reset(look->arena);
    if (redact(look->arena, &means, report, &look->verdict, TLP_GREEN, &left, NULL) != 0)
        return 0;
    MUST(redacted_count(left) + redacted_removed(left) == report->count);
    for (uint32_t i = 0; i < report->count; i++)
        check(look, &report->fields[i], left);
    look->out.n = 0;
    idf_write(&look->out, left);
    MUST(look->out.full || (look->out.n > 0 && look->out.p[look->out.n - 1] == '\n'));
    stix_write(&look->out, left, &note);
    return 0;
}

static int
refuse(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)why;
    (void)record;
    (void)err;
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reader_options options = {0};
    struct look look = {.arena = arena_new((size_t)64 << 20), .out = buf_new((size_t)64 << 20)};
    struct reader_sink sink = {.ctx = &look, .report = take, .reject = refuse};
    struct span bytes = {(const char *)data + 1, size - 1};
    struct input *input;
    struct err err = {0};

    MUST(look.arena != NULL);
    look.verdict.effect = EFFECT_RELEASE;
    for (int c = 0; size > 0 && c < FIELD_CLASS_COUNT; c++)
        verdict_set_treatment(&look.verdict, (enum field_class)c,
            (data[0] >> c & 1) != 0 ? TREATMENT_REMOVE : TREATMENT_KEEP);
    if (size > 1 && input_open_bytes(bytes, "input", &input, &err) == 0) {
        int rc = idf_read(input, &options, &sink, &err);
        MUST(rc <= 0);
        input_close(input);
    }
    buf_free(&look.out);
    arena_free(look.arena);
    return 0;
}
