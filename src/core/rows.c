#include "core/rows.h"

static const struct message_row rows[] = {
#define MESSAGE(name, number, function, doors, right, changes, text)                               \
    {core_##function, doors, number, changes, RIGHT_##right},
#include "tables/messages.def"
#undef MESSAGE
};

static const char letters[DOOR_COUNT] = {
    [DOOR_LOCAL] = 'L',
    [DOOR_OPERATORS] = 'O',
    [DOOR_PARTNERS] = 'P',
    [DOOR_COURIER] = 'C',
    [DOOR_MAILER] = 'M',
    [DOOR_PARENT] = 'X',
};

/* One column a kind, in the order of rights.def. */
enum column { COLUMN_operator, COLUMN_officer, COLUMN_analyst, COLUMN_reader, COLUMN_partner };
static const bool may[RIGHT_COUNT][COLUMN_partner + 1] = {
#define RIGHT(name, word, operator, officer, analyst, reader, partner, text)                       \
    [RIGHT_##name] = {operator, officer, analyst, reader, partner},
#include "tables/rights.def"
#undef RIGHT
};
static const struct {
    const char *word;
    enum column column;
} kinds[PRINCIPAL_KIND_COUNT] = {
#define PRINCIPAL(name, word, column, text) [PRINCIPAL_##name] = {word, COLUMN_##column},
#include "tables/principals.def"
#undef PRINCIPAL
};

const struct message_row *
rows_find(uint16_t message)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == message)
            return &rows[i];
    return NULL;
}

bool
rows_lets_in(const struct message_row *row, enum door door)
{
    return strchr(row->doors, letters[door]) != NULL;
}

bool
rows_may(enum principal_kind kind, enum right right)
{
    if (kind == PRINCIPAL_NOBODY || kind >= PRINCIPAL_KIND_COUNT)
        return right == RIGHT_NONE;
    return may[right][kinds[kind].column];
}

const char *
rows_kind_word(enum principal_kind kind)
{
    return kind > PRINCIPAL_NOBODY && kind < PRINCIPAL_KIND_COUNT ? kinds[kind].word : "nobody";
}

enum principal_kind
rows_kind_find(struct span word)
{
    for (int k = PRINCIPAL_NOBODY + 1; k < PRINCIPAL_KIND_COUNT; k++)
        if (span_equal(span_of(kinds[k].word), word))
            return (enum principal_kind)k;
    return PRINCIPAL_NOBODY;
}

const char *
rows_right_word(enum right right)
{
    static const char *const words[RIGHT_COUNT] = {
#define RIGHT(name, word, operator, officer, analyst, reader, partner, text) [RIGHT_##name] = word,
#include "tables/rights.def"
#undef RIGHT
    };

    return words[right];
}
