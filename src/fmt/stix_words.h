/* stix_words.h: which fixed identifiers of STIX stand for which of our words?
 *
 * TLP 1 (STIX 2.1 section 7.2.1.4) and TLP 2.0 (OASIS' extension definition for it)
 * have one marking each for life; Comity's own definitions have one too.
 */
#ifndef COMITY_FMT_STIX_WORDS_H
#define COMITY_FMT_STIX_WORDS_H

#include "model/words.h"

#define STIX_TLP2_EXTENSION "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#define STIX_COMITY_EXTENSION "extension-definition--7ea8b18b-5050-4ab8-b1ba-b2dde2e27066"
/* A team's card beside its identity, and agreements (core/directory.h). */
#define STIX_COMITY_CARD "extension-definition--5c2e4d1a-0b7f-4c6e-9d38-2f1a6c94e7b0"
#define STIX_COMITY_AGREEMENT "extension-definition--c8a1f0d2-63b5-4e09-8a7c-94d05be1f326"
/* What a ledger says of a batch (fmt/stix_batch.h). */
#define STIX_COMITY_BATCH "extension-definition--0d1c6b8e-3f52-4a07-9b64-7e25c0a8d913"
/* What a recipient says of a batch (fmt/stix_receipt.h). */
#define STIX_COMITY_RECEIPT "extension-definition--b41f7a52-8d06-4c93-a1e8-3f7d95c2604e"
#define STIX_COMITY_IDENTITY "identity--8611aa5f-7402-4fea-8e01-106aae7187ba"

/* The level that a marking's id says; TLP_UNKNOWN if it is none of the fixed ones. */
enum tlp stix_words_tlp(struct span marking);
/* The TLP 2.0 marking's id; NULL for TLP_UNKNOWN. */
const char *stix_words_marking(enum tlp tlp);
/* Is this one of the definitions that every bundle of Comity begins with, or a fixed marking? */
bool stix_words_is_definition(struct span id);

#endif
