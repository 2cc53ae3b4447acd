/* comity agreement key, clock: whose signatures count, and whether the time is right. */
#include "base/time.h"
#include "cli/agreement.h"
#include "cli/agreement_register.h"
#include "cli/cli.h"
#include "sys/clock.h"

#include <stdio.h>

static const char key_usage[] =
    "comity agreement key: the public key with which this team signs, or whom to believe\n\n"
    "usage: comity agreement key [--as TEAM] [--home FOLDER] [--teams PATH]\n"
    "       comity agreement key --trust TEAM [--home FOLDER] [--teams PATH] KEY\n\n"
    "  --as TEAM       who this node is; kept in its home, so that it is said once\n"
    "  --trust TEAM    believe that KEY (base64) is TEAM's; ask them by another way first\n\n"
    "Keys of verified team cards are known besides.\n";
static const char clock_usage[] =
    "comity agreement clock: the latest time that was seen, and whether the clock is behind it\n\n"
    "usage: comity agreement clock [--reset] [--home FOLDER]\n\n"
    "A clock that is behind a time already seen could bring back what has ended, so `route` then\n"
    "withholds everything and nothing is signed.\n"
    "  --reset         the clock was wrong then and is right now; refused when something was "
    "signed\n"
    "                  later than it says\n";

static int
trust(struct agreement_register *r, const char *team, const char *text, struct err *err)
{
    uint8_t key[CARD_KEY_BYTES];
    int rc = card_key_parse(span_of(text), key, err);

    if (rc == 0)
        rc = registry_trust(r->registry, team, key, err);
    if (rc == 0)
        (void)printf("%s: signatures by this key count from now on\n", team);
    return rc;
}

static int
print_own(struct agreement_register *r, struct err *err)
{
    char public[AGREEMENT_SIGN_BASE64_BYTES];
    struct agreement_key key;
    int rc = agreement_own_key(r, &key, err);

    if (rc != 0)
        return rc;
    agreement_sign_base64(key.public, sizeof key.public, public);
    explicit_bzero(&key, sizeof key);
    (void)printf("%s  %s\n", r->registry->team, public);
    return 0;
}

int
agreement_key(int argc, char **argv)
{
    struct agreement_register r = {0};
    struct agreement_wanted wanted;
    struct err err = {0};
    int rc =
        agreement_options(argc, argv, AGREEMENT_AS | AGREEMENT_TRUST, key_usage, &wanted, &err);

    if (rc > 0)
        return EXIT_DONE;
    if (rc == 0 && wanted.word_count != (wanted.trust != NULL))
        rc = err_set(&err, ERR_USAGE, "key: `comity agreement key --help` says what it takes");
    if (rc == 0)
        rc = agreement_register_open(&r, &wanted, REGISTRY_WRITE, &err);
    if (rc == 0)
        rc = wanted.trust != NULL ? trust(&r, wanted.trust, wanted.words[0], &err)
                                  : print_own(&r, &err);
    agreement_register_close(&r);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}

static int
tell_clock(struct agreement_register *r, int64_t clock_us, bool reset, struct err *err)
{
    char seen[TIME_TEXT_BYTES];
    int rc = 0;

    if (reset && !r->trusted) {
        rc = registry_reset_clock(r->registry, clock_us, err);
        if (rc == 0)
            (void)puts("The latest time seen is forgotten; the clock counts again.");
        return rc;
    }
    (void)time_format(r->registry->seen_us, "Z", seen);
    if (r->registry->seen_us == INT64_MIN)
        (void)puts("Nothing was seen yet.");
    else
        (void)printf("Seen until %s: the clock is %s.\n", seen, r->trusted ? "trusted" : "behind");
    return 0;
}

int
agreement_clock(int argc, char **argv)
{
    struct agreement_register r = {0};
    struct agreement_wanted wanted;
    struct err err = {0};
    int rc = agreement_options(argc, argv, AGREEMENT_RESET, clock_usage, &wanted, &err);

    if (rc > 0)
        return EXIT_DONE;
    if (rc == 0 && wanted.word_count != 0)
        rc = err_set(&err, ERR_USAGE, "clock takes no arguments");
    if (rc == 0)
        rc = agreement_register_open(&r, &wanted, REGISTRY_READ, &err);
    if (rc == 0)
        rc = tell_clock(&r, clock_now_us(), wanted.reset, &err);
    agreement_register_close(&r);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
