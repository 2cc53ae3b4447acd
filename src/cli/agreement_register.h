/* agreement_register.h: what do the agreement's commands that keep a register share?
 *
 * Their options, the register opened with its clock looked at, and which agreement a word means.
 */
#ifndef COMITY_CLI_AGREEMENT_REGISTER_H
#define COMITY_CLI_AGREEMENT_REGISTER_H

#include "cli/setup.h"
#include "flow/registry.h"

enum { AGREEMENT_WORDS_MAX = 64, AGREEMENT_OUT_BYTES_MAX = 64 << 20 };

struct agreement_wanted {
    const char *home;
    const char *teams;
    const char *as;
    const char *at;
    const char *reason;
    const char *trust;
    bool json;
    bool reset;
    const char *words[AGREEMENT_WORDS_MAX]; /* arguments that are no options */
    size_t word_count;
};

/* Which of the options above a command has, besides --home and --teams. */
enum agreement_option {
    AGREEMENT_AS = 1,
    AGREEMENT_AT = 2,
    AGREEMENT_REASON = 4,
    AGREEMENT_JSON = 8,
    AGREEMENT_TRUST = 16,
    AGREEMENT_RESET = 32
};
/* Read argv[2] and on; ERR_USAGE. 1: --help was asked, and USAGE printed. */
int agreement_options(int argc, char **argv, unsigned options, const char *usage,
    struct agreement_wanted *out, struct err *err);

struct agreement_register {
    struct registry *registry;
    struct roster *roster;
    struct arena *arena; /* documents from elsewhere */
    int64_t now_us;      /* the later of the clock and what was seen */
    bool trusted;        /* the clock is not behind what was seen */
};

/* For REGISTRY_WRITE a clock that is behind is refused (ERR_CLOCK). Owner: the caller, also after
 * an error, until agreement_register_close. */
MUST_USE int agreement_register_open(struct agreement_register *out,
    const struct agreement_wanted *wanted, enum registry_use use, struct err *err);
void agreement_register_close(struct agreement_register *r);

/* The one document of the file PATH, sound. ERR_BAD_AGREEMENT with what is wrong. */
MUST_USE int agreement_from_file(
    struct agreement_register *r, const char *path, struct agreement *out, struct err *err);
/* Is WORD a file? */
bool agreement_is_file(const char *word);
/* The place in the register of what WORD means: an id or the beginning of one, with or without
 * "urn:uuid:", or a file with the document. ERR_NOT_FOUND; ERR_USAGE if several are meant. */
MUST_USE int agreement_meant(
    struct agreement_register *r, const char *word, size_t *out, struct err *err);

/* The own key, made loudly if there was none. */
MUST_USE int agreement_own_key(
    struct agreement_register *r, struct agreement_key *out, struct err *err);

/* "waits for south.test", "in force", ...: how agreement I stands, as it is told to people. */
void agreement_add_standing(const struct agreement_register *r, size_t i, struct buf *out);
/* Print OUT and free it; ERR_LIMIT, ERR_IO. */
MUST_USE int agreement_print(struct buf *out, struct err *err);

#endif
