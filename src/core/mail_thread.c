/* Which mails does this one take up again? Those that had the reports which it recalls. */
#include "core/mail_private.h"
#include "fmt/json.h"

enum { OBJECTS_BYTES = MAIL_RAW_BYTES + 16, ARENA_BYTES = 16 * 1024 * 1024 };

/* One of many that were recalled together may be enough: the mail is the same. */
static int
add_reference(struct core *core, struct arena *arena, uint32_t team, int64_t added_us,
    struct buf *out, struct err *err)
{
    struct span id;
    int rc = store_mail_with(core->store, arena, team, added_us, &id, err);

    if (rc != 0 || id.n == 0 || (out->n > 0 && memmem(out->p, out->n, id.p, id.n) != NULL)
        || out->n + 1 + id.n > out->max_bytes)
        return rc;
    if (out->n > 0)
        buf_add_char(out, ' ');
    buf_add_span(out, id);
    return 0;
}

/* ID is "observed-data--UUID" or "note--UUID"; one of another node has no place here. */
static int
take_up(struct core *core, struct arena *arena, uint32_t team, struct span id, struct buf *out,
    struct err *err)
{
    enum { UUID_BYTES = ID_TEXT_BYTES - 1 };
    struct store_delivery *list = NULL;
    struct id_place place;
    struct err none;
    size_t count = 0;

    if (id.n <= UUID_BYTES
        || id_read(
               &core->id_key, (struct span){id.p + id.n - UUID_BYTES, UUID_BYTES}, &place, &none)
            != 0)
        return 0;
    int rc = store_deliveries(core->store, arena, place.batch, &list, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (list[i].team == team && list[i].collection != 0)
            rc = add_reference(core, arena, team, list[i].last_us, out, err);
    return rc;
}

static int
take_up_all(struct core *core, struct arena *arena, uint32_t team, struct json_value objects,
    struct buf *out, struct err *err)
{
    struct json_value object;
    struct json_value value;
    struct span key;
    int rc = 0;

    for (struct json_iter it = json_iter(objects); rc == 0 && json_next(&it, &key, &object);)
        if (json_type(object) == JSON_OBJECT && json_get(object, "revoked", &value)
            && json_type(value) == JSON_TRUE && json_get(object, "id", &value)
            && json_type(value) == JSON_STRING)
            rc = take_up(core, arena, team, json_string(value), out, err);
    return rc;
}

int
mail_references(struct core *core, uint32_t team, struct buf *out, struct err *err)
{
    struct span objects = buf_span(&core->mailing->objects);
    struct buf list = buf_new(OBJECTS_BYTES);
    struct arena *arena = arena_new(ARENA_BYTES);
    struct json *json = json_new(OBJECTS_BYTES);
    struct json_value root;
    int rc = arena == NULL || json == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory to look for earlier mails")
        : 0;

    buf_add_char(&list, '[');
    buf_add_span(&list, objects);
    buf_add_char(&list, ']');
    if (rc == 0)
        rc = buf_check(&list, "a mail's objects", err);
    if (rc == 0)
        rc = json_parse_copy(json, buf_span(&list), &root, err);
    if (rc == 0 && json_type(root) == JSON_ARRAY)
        rc = take_up_all(core, arena, team, root, out, err);
    json_free(json);
    arena_free(arena);
    buf_free(&list);
    return rc;
}
