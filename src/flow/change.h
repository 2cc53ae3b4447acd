/* change.h: what does one verdict let go that another does not, and how is that said?
 *
 * Pure. For comparing agreements and for judging reports by two policies: a verdict's reason and
 * the clauses that made it do not count, only what the recipient gets and under which terms.
 */
#ifndef COMITY_FLOW_CHANGE_H
#define COMITY_FLOW_CHANGE_H

#include "model/agreement.h"
#include "model/verdict.h"

enum change { CHANGE_NONE, CHANGE_MORE, CHANGE_LESS, CHANGE_TERMS, CHANGE_COUNT };

/* More: released instead of held, or either instead of withheld. Terms: the same effect with other
 * treatments, requirements, retention or onward. */
enum change change_of(const struct verdict *before, const struct verdict *after);
const char *change_word(enum change change); /* "more" */

/* "malicious-code.* and fraud.phishing reports", "all reports but test.test". */
void change_add_classes(uint64_t classes, struct buf *out);
/* The same as a JSON list of patterns. */
void change_json_classes(uint64_t classes, struct buf *out);
/* TLPS has bit t for enum tlp t: " up to AMBER", " labelled RED"; nothing for all of them. */
void change_add_tlps(unsigned tlps, struct buf *out);

/* The change in words, subject left out: "would now also get WHAT, with account names removed".
 * WHAT is the reports that it is about. */
void change_add_words(
    const struct verdict *before, const struct verdict *after, struct span what, struct buf *out);
/* Only how terms differ: "account names removed instead of kept; ...". */
void change_add_terms(const struct verdict *before, const struct verdict *after, struct buf *out);
/* "before":{...},"after":{...}: effect and terms; what is alike in both is left out where both let
 * something go. */
void change_json(const struct verdict *before, const struct verdict *after, struct buf *out);
/* Take out of both what is alike, as far as it does not show in the words: changes that are said
 * alike become equal. */
void change_strip(struct verdict *before, struct verdict *after);

#endif
