#include "store/mail.h"

#include "store/sqlite/db.h"

static struct span
cut(struct span why)
{
    if (why.n > STORE_MAIL_WHY_BYTES)
        why.n = STORE_MAIL_WHY_BYTES;
    while (why.n > 0 && !span_is_utf8(why))
        why.n--;
    return why;
}

/* ---- teams ---- */

static int
take_mail(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_mail *mail = list_add(list);

    if (mail == NULL)
        return arena_full(err, "those who get mail are read");
    mail->team = (uint32_t)sqlite3_column_int64(row, 0);
    mail->digest = sqlite3_column_int64(row, 1) != 0;
    mail->next_us = sqlite3_column_int64(row, 5);
    mail->added_us = sqlite3_column_int64(row, 6);
    struct span *const texts[] = {&mail->address, &mail->key, &mail->fingerprint};
    int rc = db_keep(row, 7, list->arena, &mail->added_by, err);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = db_keep(row, 2 + i, list->arena, texts[i], err);
    return rc == 0 ? db_keep(row, 8, list->arena, &mail->why, err) : rc;
}

int
store_mails(struct store *store, struct arena *arena, struct store_mail **out, size_t *count,
    struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_mail)};
    int rc = db_each(store, S_MAIL_ALL, NULL, 0, take_mail, &list, err);

    *out = (struct store_mail *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_mail_put(struct store *store, const struct store_mail *mail, struct err *err)
{
    return RUN(store, S_MAIL_PUT, err, INT(mail->team), INT(mail->digest), TEXT(mail->address),
        BLOB(mail->key), TEXT(mail->fingerprint), INT(mail->next_us), INT(mail->added_us),
        TEXT(mail->added_by), TEXT(cut(mail->why)));
}

int
store_mail_remove(struct store *store, uint32_t team, struct err *err)
{
    int64_t one = 0;
    bool there = false;
    int rc = NUMBERS(store, S_MAIL_THERE, &one, 1, &there, err, INT(team));

    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "this team gets no mail");
    if (rc == 0)
        rc = RUN(store, S_MAIL_REMOVE, err, INT(team));
    if (rc == 0)
        rc = RUN(store, S_MAIL_BODY_REMOVE_OF, err, INT(team));
    return rc == 0 ? RUN(store, S_MAIL_OUT_REMOVE_OF, err, INT(team)) : rc;
}

/* ---- mails ---- */

int
store_mail_out_add(
    struct store *store, struct store_mail_out *mail, struct span message, struct err *err)
{
    int rc = db_next(store, SPAN("mail"), &mail->number, err);

    mail->bytes = (uint32_t)message.n;
    if (rc == 0)
        rc = RUN(store, S_MAIL_OUT_ADD, err, INT(mail->number), INT(mail->team), INT(mail->state),
            INT(mail->encrypted), INT(mail->collection), INT(mail->from_us), INT(mail->through_us),
            INT(mail->reports), INT(mail->bytes), INT(mail->made_us), INT(mail->again_us),
            INT(mail->sent_us), INT(mail->tries), INT(mail->code), TEXT(mail->address),
            TEXT(mail->batch), TEXT(mail->message_id), TEXT(cut(mail->why)));
    return rc == 0 ? RUN(store, S_MAIL_BODY_ADD, err, INT(mail->number), BLOB(message)) : rc;
}

int
store_mail_out_put(struct store *store, const struct store_mail_out *mail, struct err *err)
{
    int rc =
        RUN(store, S_MAIL_OUT_PUT, err, INT(mail->state), INT(mail->again_us), INT(mail->sent_us),
            INT(mail->tries), INT(mail->code), TEXT(cut(mail->why)), INT(mail->number));

    return rc == 0 && mail->state == MAIL_OUT_GONE
        ? RUN(store, S_MAIL_BODY_REMOVE, err, INT(mail->number))
        : rc;
}

static int
take_out(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_mail_out *mail = list_add(list);

    if (mail == NULL)
        return arena_full(err, "mails are read");
    mail->number = (uint64_t)sqlite3_column_int64(row, 0);
    mail->team = (uint32_t)sqlite3_column_int64(row, 1);
    mail->state = (uint8_t)sqlite3_column_int64(row, 2);
    mail->encrypted = sqlite3_column_int64(row, 3) != 0;
    mail->collection = (uint32_t)sqlite3_column_int64(row, 4);
    mail->from_us = sqlite3_column_int64(row, 5);
    mail->through_us = sqlite3_column_int64(row, 6);
    mail->reports = (uint32_t)sqlite3_column_int64(row, 7);
    mail->bytes = (uint32_t)sqlite3_column_int64(row, 8);
    mail->made_us = sqlite3_column_int64(row, 9);
    mail->again_us = sqlite3_column_int64(row, 10);
    mail->sent_us = sqlite3_column_int64(row, 11);
    mail->tries = (uint32_t)sqlite3_column_int64(row, 12);
    mail->code = (uint16_t)sqlite3_column_int64(row, 13);
    struct span *const texts[] = {&mail->address, &mail->batch, &mail->message_id, &mail->why};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 4; i++)
        rc = db_keep(row, 14 + i, list->arena, texts[i], err);
    return rc;
}

int
store_mail_outs(struct store *store, struct arena *arena, struct store_mail_out **out,
    size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_mail_out)};
    int rc = EACH(store, S_MAIL_OUT_LIST, take_out, &list, err, INT(MAIL_OUT_GONE));

    *out = (struct store_mail_out *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_mail_outs_of(struct store *store, struct arena *arena, uint32_t team, uint32_t limit,
    struct store_mail_out **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_mail_out)};
    int rc = EACH(store, S_MAIL_OUT_OF, take_out, &list, err, INT(team), INT(limit));

    *out = (struct store_mail_out *)(void *)list.items;
    *count = list.count;
    return rc;
}

struct one_text {
    struct arena *arena;
    struct span text;
    bool there;
};

static int
take_text(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct one_text *one = ctx;

    one->there = true;
    return db_keep(row, 0, one->arena, &one->text, err);
}

int
store_mail_message(struct store *store, struct arena *arena, uint64_t number, struct span *message,
    struct err *err)
{
    struct one_text one = {.arena = arena, .text = {"", 0}};
    int rc = EACH(store, S_MAIL_BODY_GET, take_text, &one, err, INT(number));

    *message = one.text;
    return rc == 0 && !one.there ? err_set(
               err, ERR_NOT_FOUND, "there is no mail %llu to be sent", (unsigned long long)number)
                                 : rc;
}

int
store_mail_withdraw(struct store *store, uint32_t team, struct err *err)
{
    int rc = RUN(store, S_MAIL_BODY_REMOVE_OF, err, INT(team));

    return rc == 0 ? RUN(store, S_MAIL_OUT_WITHDRAW, err, INT(team), INT(MAIL_OUT_GONE)) : rc;
}

int
store_mail_with(struct store *store, struct arena *arena, uint32_t team, int64_t added_us,
    struct span *message_id, struct err *err)
{
    struct one_text one = {.arena = arena, .text = {"", 0}};
    int rc = EACH(
        store, S_MAIL_OUT_WITH, take_text, &one, err, INT(team), INT(MAIL_OUT_GONE), INT(added_us));

    *message_id = one.text;
    return rc;
}

int
store_mail_expire(struct store *store, int64_t before_us, struct err *err)
{
    return RUN(store, S_MAIL_OUT_OLD, err, INT(MAIL_OUT_GONE), INT(before_us));
}

/* ---- what they hold ---- */

static int
take_batch(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    uint64_t *batch = list_add(list);

    if (batch == NULL)
        return arena_full(err, "batches are listed");
    *batch = (uint64_t)sqlite3_column_int64(row, 0);
    return 0;
}

int
store_mail_batches(struct store *store, struct arena *arena, uint32_t collection, int64_t after_us,
    int64_t through_us, uint64_t **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(uint64_t)};
    int rc = EACH(store, S_PIECE_BATCHES, take_batch, &list, err, INT(collection), INT(after_us),
        INT(through_us));

    *out = (uint64_t *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_mail_mark(struct store *store, uint32_t collection, int64_t *fetched_us, struct err *err)
{
    bool there;

    *fetched_us = 0;
    return NUMBERS(store, S_COLLECTION_FETCHED, fetched_us, 1, &there, err, INT(collection));
}
