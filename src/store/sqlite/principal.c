#include "store/sqlite/db.h"

#include <string.h>

static int
free_name(struct store *store, const struct store_principal *principal, struct err *err)
{
    int64_t owner = 0;
    bool there;
    int rc = NUMBERS(store, S_PRINCIPAL_FIND, &owner, 1, &there, err, TEXT(principal->name));

    if (rc == 0 && there && owner != (int64_t)principal->number)
        rc = err_set(err, ERR_EXISTS, "the name %.*s is taken", SPAN_ARGS(principal->name));
    return rc;
}

static int
add(struct store *store, struct store_principal *p, struct err *err)
{
    uint64_t number = 0;
    int rc = db_next(store, SPAN("principal"), &number, err);

    if (rc == 0)
        rc = RUN(store, S_PRINCIPAL_ADD, err, INT(number), TEXT(p->name), INT(p->kind),
            TEXT(p->team), TEXT(p->password), TEXT(p->certificate), INT(p->disabled),
            INT(p->must_change), INT(p->created_us), INT(p->seen_us));
    if (rc == 0)
        p->number = (uint32_t)number;
    return rc;
}

int
store_principal_put(struct store *store, struct store_principal *p, struct err *err)
{
    int64_t one;
    bool there = true;
    int rc = free_name(store, p, err);

    if (rc == 0 && p->number == 0)
        return add(store, p, err);
    if (rc == 0)
        rc = NUMBERS(store, S_PRINCIPAL_THERE, &one, 1, &there, err, INT(p->number));
    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no principal %u", p->number);
    if (rc == 0)
        rc = RUN(store, S_PRINCIPAL_SET, err, TEXT(p->name), INT(p->kind), TEXT(p->team),
            TEXT(p->password), TEXT(p->certificate), INT(p->disabled), INT(p->must_change),
            INT(p->created_us), INT(p->seen_us), INT(p->number));
    return rc;
}

static int
take_principal(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_principal *p = list_add(list);

    if (p == NULL)
        return arena_full(err, "principals are read");
    p->number = (uint32_t)sqlite3_column_int64(row, 0);
    p->kind = (uint8_t)sqlite3_column_int64(row, 2);
    p->disabled = sqlite3_column_int64(row, 6) != 0;
    p->must_change = sqlite3_column_int64(row, 7) != 0;
    p->created_us = sqlite3_column_int64(row, 8);
    p->seen_us = sqlite3_column_int64(row, 9);
    int rc = db_keep(row, 1, list->arena, &p->name, err);
    if (rc == 0)
        rc = db_keep(row, 3, list->arena, &p->team, err);
    if (rc == 0)
        rc = db_keep(row, 4, list->arena, &p->password, err);
    if (rc == 0)
        rc = db_keep(row, 5, list->arena, &p->certificate, err);
    return rc;
}

int
store_principals(struct store *store, struct arena *arena, struct store_principal **out,
    size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_principal)};
    int rc = db_each(store, S_PRINCIPAL_ALL, NULL, 0, take_principal, &list, err);

    *out = (struct store_principal *)(void *)list.items;
    *count = list.count;
    return rc;
}

/* ---- tokens ---- */

static struct span
hash_span(const uint8_t hash[32])
{
    return (struct span){(const char *)hash, 32};
}

/* Those that are over go when a new one comes. */
int
store_token_add(struct store *store, struct store_token *token, struct err *err)
{
    uint64_t number = 0;
    int64_t taken;
    bool there = false;
    int rc = RUN(store, S_TOKEN_OLD, err, INT(token->created_us));

    if (rc == 0)
        rc = NUMBERS(store, S_TOKEN_FIND, &taken, 1, &there, err, BLOB(hash_span(token->hash)));
    if (rc == 0 && there)
        rc = err_set(err, ERR_EXISTS, "there is such a token already");
    if (rc == 0)
        rc = db_next(store, SPAN("token"), &number, err);
    if (rc == 0)
        rc = RUN(store, S_TOKEN_ADD, err, INT(number), INT(token->principal), INT(token->session),
            BLOB(hash_span(token->hash)), TEXT(token->label), INT(token->created_us),
            INT(token->expires_us), INT(token->seen_us));
    token->number = number;
    return rc;
}

static int
take_token(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_token *token = list_add(list);
    struct span hash = db_bytes(row, 3);

    if (token == NULL)
        return arena_full(err, "tokens are read");
    if (hash.n != sizeof token->hash)
        return err_set(err, ERR_BAD_STORE, "a token's hash has %zu bytes", hash.n);
    memcpy(token->hash, hash.p, sizeof token->hash);
    token->number = (uint64_t)sqlite3_column_int64(row, 0);
    token->principal = (uint32_t)sqlite3_column_int64(row, 1);
    token->session = sqlite3_column_int64(row, 2) != 0;
    token->created_us = sqlite3_column_int64(row, 5);
    token->expires_us = sqlite3_column_int64(row, 6);
    token->seen_us = sqlite3_column_int64(row, 7);
    return db_keep(row, 4, list->arena, &token->label, err);
}

int
store_token_find(struct store *store, struct arena *arena, const uint8_t hash[32],
    struct store_token *out, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_token)};
    int rc = EACH(store, S_TOKEN_FIND, take_token, &list, err, BLOB(hash_span(hash)));

    if (rc == 0 && list.count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such token");
    if (rc == 0)
        *out = *(struct store_token *)(void *)list.items;
    return rc;
}

int
store_tokens(struct store *store, struct arena *arena, uint32_t principal, struct store_token **out,
    size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_token)};
    int rc = EACH(store, S_TOKEN_OF, take_token, &list, err, INT(principal));

    *out = (struct store_token *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_token_seen(struct store *store, uint64_t number, int64_t now_us, struct err *err)
{
    return RUN(store, S_TOKEN_SEEN, err, INT(now_us), INT(number));
}

int
store_token_remove(struct store *store, uint64_t number, struct err *err)
{
    return RUN(store, S_TOKEN_REMOVE, err, INT(number));
}
