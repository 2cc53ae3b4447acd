/* opinion.h: what does somebody who got a report think of it? */
#ifndef COMITY_MODEL_OPINION_H
#define COMITY_MODEL_OPINION_H

#include "base/str.h"

enum opinion {
    OPINION_NONE,
#define OPINION(name, word) OPINION_##name,
#include "tables/opinions.def"
#undef OPINION
    OPINION_COUNT
};

/* NULL for OPINION_NONE and what is none. */
const char *opinion_word(enum opinion opinion);
/* OPINION_NONE: WORD is none. */
enum opinion opinion_find(struct span word);

#endif
