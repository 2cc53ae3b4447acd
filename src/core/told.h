/* told.h: how does core write the JSON of an answer?
 *
 * Members of an object that is open at OUT's end ("{" or behind a member): the comma is set as
 * needed. Text that is not UTF-8 is said to be none, never passed on.
 */
#ifndef COMITY_CORE_TOLD_H
#define COMITY_CORE_TOLD_H

#include "base/str.h"
#include "model/words.h"

/* `"name":`, with a comma before it unless it is the first. */
void told_name(struct buf *out, const char *name);
/* n 0: null. */
void told_text(struct buf *out, const char *name, struct span text);
void told_word(struct buf *out, const char *name, const char *word);
void told_number(struct buf *out, const char *name, uint64_t number);
/* 0: null. */
void told_number_or_null(struct buf *out, const char *name, uint64_t number);
void told_flag(struct buf *out, const char *name, bool value);
/* RFC 3339, UTC, six digits; 0: null. */
void told_time(struct buf *out, const char *name, int64_t us);
void told_economy(struct buf *out, const char *name, struct economy economy);
/* `"name":[` or `"name":{`; the caller closes it. */
void told_open(struct buf *out, const char *name, char bracket);
/* A comma, unless it is the first of the list that is open. */
void told_item(struct buf *out);
/* A step of a history: what happened to something, when (0: not known), by whom, and why. */
void told_step(struct buf *out, int64_t at_us, const char *what, struct span by, struct span why);
/* An item or a value alone. */
void told_value(struct buf *out, struct span text);

#endif
