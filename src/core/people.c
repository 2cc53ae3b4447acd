#include "core/people.h"

#include <stdlib.h>

enum { ARENA_BYTES = 128 * 1024 * 1024 };

struct people {
    struct store *store;
    struct arena *arena; /* what was read last */
    struct arena *other; /* for the next time, so that what is put may come from the first */
    struct store_principal *all;
    size_t count;
};

int
people_new(struct store *store, struct people **out, struct err *err)
{
    struct people *people = calloc(1, sizeof *people);

    *out = people;
    if (people == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for accounts");
    people->store = store;
    people->arena = arena_new(ARENA_BYTES);
    people->other = arena_new(ARENA_BYTES);
    return people->arena != NULL && people->other != NULL
        ? people_again(people, err)
        : err_set(err, ERR_NO_MEMORY, "no memory for accounts");
}

void
people_free(struct people *people)
{
    if (people == NULL)
        return;
    arena_free(people->arena);
    arena_free(people->other);
    free(people);
}

int
people_again(struct people *people, struct err *err)
{
    struct store_principal *all;
    struct arena *before = people->arena;
    size_t count;
    int rc = store_principals(people->store, people->other, &all, &count, err);

    if (rc != 0) {
        arena_reset(people->other);
        return rc;
    }
    people->arena = people->other;
    people->other = before;
    people->all = all;
    people->count = count;
    arena_reset(before);
    return 0;
}

const struct store_principal *
people_by_name(const struct people *people, struct span name)
{
    for (size_t i = 0; i < people->count; i++)
        if (span_equal(people->all[i].name, name))
            return &people->all[i];
    return NULL;
}

const struct store_principal *
people_by_number(const struct people *people, uint32_t number)
{
    for (size_t i = 0; number != 0 && i < people->count; i++)
        if (people->all[i].number == number)
            return &people->all[i];
    return NULL;
}

const struct store_principal *
people_by_certificate(const struct people *people, struct span certificate)
{
    for (size_t i = 0; certificate.n > 0 && i < people->count; i++)
        if (span_equal_nocase(people->all[i].certificate, certificate))
            return &people->all[i];
    return NULL;
}

const struct store_principal *
people_all(const struct people *people, size_t *count)
{
    *count = people->count;
    return people->all;
}

bool
people_is_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
            && c != '.' && c != '_')
            return false;
    }
    return name.n > 0 && name.n <= PEOPLE_NAME_BYTES;
}

int
people_put(struct people *people, struct store_principal *principal, struct err *err)
{
    if (principal->number == 0 && people->count >= PEOPLE_MAX)
        return err_set(err, ERR_LIMIT, "there are %d accounts already", PEOPLE_MAX);
    int rc = store_principal_put(people->store, principal, err);
    return rc == 0 ? people_again(people, err) : rc;
}
