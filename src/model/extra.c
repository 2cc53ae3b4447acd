#include "model/extra.h"

#include "base/hash.h"

#include <stdlib.h>

#define EXTRA_PREFIX "extra."

struct extra_fields {
    struct arena *names;
    struct table *table;
    uint8_t *classes; /* enum field_class, by the table's index */
};

static int
wrong(const char *file, uint64_t line, const char *what, struct err *err)
{
    int rc = err_set(err, ERR_BAD_CONFIG, "%s:%llu: %s; a line looks like extra.username,account",
        file, (unsigned long long)line, what);

    if (err != NULL)
        err->line = line;
    return rc;
}

static int
add_line(
    struct extra_fields *extras, struct span line, const char *file, uint64_t n, struct err *err)
{
    struct span name = {NULL, 0};
    struct span class = line;
    uint32_t index;

    if (!span_next(&class, ',', &name) || name.n == 0)
        return wrong(file, n, "there is no name", err);
    if (name.n > EXTRA_NAME_MAX)
        return wrong(file, n, "the name is longer than 255 bytes", err);
    int found = field_class_find(class);
    if (found < 0)
        return wrong(file, n, "there is no such field class", err);
    char *copy = arena_copy(extras->names, name.p, name.n);
    if (copy == NULL)
        return arena_full(err, "the list of extra fields");
    size_t before = table_count(extras->table);
    int rc = table_add(extras->table, (struct span){copy, name.n}, &index, err);
    if (rc == 0 && table_count(extras->table) == before)
        rc = wrong(file, n, "the name stands twice", err);
    if (rc == 0)
        extras->classes[index] = (uint8_t)found;
    return rc;
}

static int
add_lines(struct extra_fields *extras, struct span text, const char *file, struct err *err)
{
    struct span line;
    int rc = 0;

    for (uint64_t n = 1; rc == 0 && span_next(&text, '\n', &line); n++) {
        line = span_trim(line);
        if (line.n > 0 && line.p[0] != '#' && !span_equal(line, SPAN("name,class")))
            rc = add_line(extras, line, file, n, err);
    }
    return rc;
}

int
extra_fields_parse(struct span text, const char *file, struct extra_fields **out, struct err *err)
{
    struct extra_fields *extras = calloc(1, sizeof *extras);
    int rc;

    if (extras == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the list of extra fields");
    extras->names = arena_new((size_t)EXTRA_NAMES_MAX * 64);
    extras->table = table_new(EXTRA_NAMES_MAX);
    extras->classes = calloc(EXTRA_NAMES_MAX, 1);
    if (extras->names == NULL || extras->table == NULL || extras->classes == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the list of extra fields");
    else
        rc = add_lines(extras, text, file, err);
    if (rc != 0) {
        extra_fields_free(extras);
        return rc;
    }
    *out = extras;
    return 0;
}

void
extra_fields_free(struct extra_fields *extras)
{
    if (extras == NULL)
        return;
    arena_free(extras->names);
    table_free(extras->table);
    free(extras->classes);
    free(extras);
}

static int64_t
find(const struct extra_fields *extras, struct span part)
{
    char room[EXTRA_NAME_MAX];
    const struct span before = SPAN(EXTRA_PREFIX);

    if (part.n > sizeof room - before.n)
        return -1; /* no listed name is as long */
    memcpy(room, before.p, before.n);
    if (part.n > 0)
        memcpy(room + before.n, part.p, part.n);
    return table_find(extras->table, (struct span){room, before.n + part.n});
}

/* Readers write nested JSON as one name with points: the last part says what it holds. */
static int64_t
find_last_part(const struct extra_fields *extras, struct span member)
{
    const char *point = member.n > 0 ? memrchr(member.p, '.', member.n) : NULL;

    return point == NULL
        ? -1
        : find(extras, (struct span){point + 1, (size_t)(member.p + member.n - point - 1)});
}

enum field_class
extra_fields_member_class(const struct extra_fields *extras, struct span member)
{
    int64_t index = extras == NULL ? -1 : find(extras, member);

    if (index < 0 && extras != NULL)
        index = find_last_part(extras, member);
    return index < 0 ? FIELD_CLASS_TEXT : (enum field_class)extras->classes[index];
}

enum field_class
extra_fields_class(const struct extra_fields *extras, struct span name)
{
    const struct span before = SPAN(EXTRA_PREFIX);
    int64_t index = extras == NULL ? -1 : table_find(extras->table, name);

    if (index < 0 && extras != NULL && span_starts(name, before))
        index = find_last_part(extras, (struct span){name.p + before.n, name.n - before.n});
    return index < 0 ? FIELD_CLASS_TEXT : (enum field_class)extras->classes[index];
}
