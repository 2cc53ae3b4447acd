#include "model/opinion.h"

static const char *const words[OPINION_COUNT] = {
#define OPINION(name, word) [OPINION_##name] = word,
#include "tables/opinions.def"
#undef OPINION
};

const char *
opinion_word(enum opinion opinion)
{
    return opinion < OPINION_COUNT ? words[opinion] : NULL;
}

enum opinion
opinion_find(struct span word)
{
    for (int i = OPINION_NONE + 1; i < OPINION_COUNT; i++)
        if (span_equal(word, span_of(words[i])))
            return (enum opinion)i;
    return OPINION_NONE;
}
